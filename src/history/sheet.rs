//! Rows as programs read them: JSON and CSV, with the same names of columns.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::text::visible;

use super::decimal::Decimal;

/// What stands in one place of a sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field {
    /// Nothing: `null`, or no text.
    #[default]
    Nothing,
    /// A text from anywhere.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A decimal number.
    Decimal(Decimal),
    /// A JSON value; in CSV its text.
    Json(Value),
}

impl Field {
    /// Makes one of a text that may be missing.
    pub fn text(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.to_string()))
    }

    /// Makes one of a number that may be missing.
    pub fn whole(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Self::Nothing, |number| Self::Whole(number.into()))
    }

    /// Makes one of a decimal number that may be missing.
    pub fn decimal(number: Option<Decimal>) -> Self {
        number.map_or(Self::Nothing, Self::Decimal)
    }

    /// Makes one of a JSON value that may be missing.
    pub fn json(value: Option<impl Serialize>) -> Self {
        let value = value.and_then(|value| serde_json::to_value(value).ok());
        value.map_or(Self::Nothing, Self::Json)
    }

    fn csv(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => quoted(&visible(text)),
            Self::Whole(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Json(value) => quoted(&visible(&value.to_string())),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Decimal(number) => number.serialize(serializer),
            Self::Json(value) => value.serialize(serializer),
        }
    }
}

/// Quotes a text of one line as RFC 4180 asks, where that is needed.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Rows with the names of their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// Each row has a field for each column.
    pub rows: Vec<Vec<Field>>,
}

impl Sheet {
    /// Returns it as CSV (RFC 4180), each line with its end. Texts are on one line: what cannot be seen is an escape.
    pub fn csv(&self) -> String {
        let names = self.columns.join(",");
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(Field::csv).collect::<Vec<_>>().join(","));
        std::iter::once(names)
            .chain(rows)
            .fold(String::new(), |text, line| text + &line + "\r\n")
    }
}

struct RowOf<'s>(&'s [&'static str], &'s [Field]);

impl Serialize for RowOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, field) in self.0.iter().zip(self.1) {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

impl Serialize for Sheet {
    /// Writes a list of objects.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| RowOf(&self.columns, row)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hostile_texts_stay_in_their_field() {
        let text = |text: &str| Field::Text(text.to_owned());
        let sheet = Sheet {
            columns: vec!["a", "b"],
            rows: vec![
                vec![text("x,y"), text("say \"hi\"")],
                vec![text("two\r\nlines\u{1b}[31m"), text(" é\u{202e} ")],
                vec![Field::Nothing, Field::Decimal(Decimal(1_500_000))],
                vec![Field::Json(json!({"busy": 1, "idle": 2})), Field::Whole(7)],
                vec![text("=1+1"), text("")],
            ],
        };
        assert_eq!(
            sheet.csv(),
            "a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\ntwo\\r\\nlines\\u{1b}[31m,\" é\\u{202e} \"\r\n,1.5\r\n\
             \"{\"\"busy\"\":1,\"\"idle\"\":2}\",7\r\n=1+1,\r\n"
        );
        assert_eq!(
            serde_json::to_string(&sheet).unwrap(),
            "[{\"a\":\"x,y\",\"b\":\"say \\\"hi\\\"\"},{\"a\":\"two\\r\\nlines\\u001b[31m\",\"b\":\" é\u{202e} \"},\
             {\"a\":null,\"b\":1.5},{\"a\":{\"busy\":1,\"idle\":2},\"b\":7},{\"a\":\"=1+1\",\"b\":\"\"}]"
        );
    }
}
