//! Scalars: from a text to a value of the type that a key takes, and from there to a Rust type.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value as Json;

use crate::secret::Secret;
use crate::text::{decimal, did_you_mean, span};

use super::duration;
use super::key::{Key, KeySpec, Lifetime, Preset, ValueKind, Words};
use super::problem::quoted;
use super::yaml::{Style, Value};

/// Gives a text the type that a key takes. The error is the whole sentence.
pub fn typed(kind: ValueKind, text: &str, style: Style) -> Result<Value, String> {
    match kind {
        ValueKind::Flag => flag(text).map(Value::Flag).ok_or_else(|| wrong_value(kind, text)),
        ValueKind::FlagOr(word) if text.eq_ignore_ascii_case(word) => Ok(Value::Text(word.to_owned(), style)),
        ValueKind::FlagOr(_) => flag(text)
            .map(|on| Value::Text(on.to_string(), style))
            .ok_or_else(|| wrong_value(kind, text)),
        ValueKind::Word(words) => word(words, text).map(Value::Word),
        ValueKind::CountOrForms { word, .. } if text == word => Ok(Value::Text(text.to_owned(), style)),
        ValueKind::Count | ValueKind::CountOrForms { .. } => {
            number(text).ok_or_else(|| wrong_value(kind, text)).and_then(count)
        }
        ValueKind::CountOrShare => share(text, style),
        ValueKind::Integer => number(text).map(Value::Int).ok_or_else(|| wrong_value(kind, text)),
        ValueKind::DurationOrNone if matches!(text, "none" | "never" | "off") => Ok(Value::NoLimit),
        ValueKind::Decimal => duration::parse_decimal(text)
            .map(Value::Int)
            .map_err(|wrong| wrong.about(text)),
        ValueKind::Duration | ValueKind::DurationOrNone => duration::parse(text)
            .map(|length| Value::Int(length.as_secs()))
            .map_err(|wrong| wrong.about(text)),
        ValueKind::Size => duration::parse_size(text)
            .map(|bytes| Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX)))
            .map_err(|wrong| wrong.about(text)),
        _ => Ok(Value::Text(text.to_owned(), style)),
    }
}

fn word(words: &Words, text: &str) -> Result<&'static str, String> {
    let folded = if words.any_case {
        text.to_ascii_lowercase()
    } else {
        text.to_owned()
    };
    let spelling = words.spellings.iter().find(|(spelling, _)| *spelling == folded);
    let meant = spelling.map_or(folded.as_str(), |(_, word)| word);
    let known = words.words.iter().copied();
    known.clone().find(|word| *word == meant).ok_or_else(|| {
        let hint = did_you_mean(&folded, known);
        format!("{} is no {}{hint}", quoted(text), words.what)
    })
}

/// Gives a number or a share of at most 100 % its type.
fn share(text: &str, style: Style) -> Result<Value, String> {
    let kind = ValueKind::CountOrShare;
    let digits = text.strip_suffix('%').map(str::trim_end);
    let number = number(digits.unwrap_or(text)).ok_or_else(|| wrong_value(kind, text))?;
    if digits.is_some() && !(0..=100).contains(&number) {
        return Err(format!(
            "must be from 0% to 100%, is {}; write it like 10%",
            quoted(text)
        ));
    }
    count(number)?;
    let text = if digits.is_some() {
        format!("{number}%")
    } else {
        number.to_string()
    };
    Ok(Value::Text(text, style))
}

fn count(number: i64) -> Result<Value, String> {
    match u32::try_from(number) {
        Ok(_) => Ok(Value::Int(number)),
        Err(_) if number < 0 => Err(format!("must not be negative, is {number}; write 0 or more")),
        Err(_) => Err(format!(
            "must be at most {}, is {number}; write a smaller number",
            u32::MAX
        )),
    }
}

/// Reads yes or no.
pub fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Reads a decimal number. Other bases, and zeros in front (octal in YAML 1.1, decimal in 1.2), are no number here.
pub fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (good && !padded).then(|| text.parse().ok()).flatten()
}

/// Returns what a scalar of a kind must be, for a message.
pub fn wanted(kind: ValueKind) -> String {
    let text = match kind {
        ValueKind::Flag => "true or false",
        ValueKind::FlagOr(word) => return format!("true, false or {word}"),
        ValueKind::Count | ValueKind::Integer => "a whole number",
        ValueKind::CountOrForms { word, .. } => return format!("a whole number, {word}, a list or a section"),
        ValueKind::CountOrShare => "a whole number or a share like 10%",
        ValueKind::Duration | ValueKind::DurationOrNone => "a duration like 40m or 1h 30m",
        ValueKind::Size => "a size like 256MiB",
        ValueKind::Decimal => "a number like 0.085",
        _ => "a text",
    };
    text.to_owned()
}

fn wrong_value(kind: ValueKind, text: &str) -> String {
    let example = match kind {
        ValueKind::Flag | ValueKind::FlagOr(_) => "true",
        _ => "3",
    };
    format!("must be {}, is {}; write it like {example}", wanted(kind), quoted(text))
}

/// Returns what is wrong with a value that is out of the bounds of its key.
pub fn out_of_bounds(spec: &KeySpec, value: &Value) -> Option<String> {
    let Value::Int(value) = *value else { return None };
    let default = || match spec.preset {
        Preset::Is(text) | Preset::AtMost(text, _) => shown_default(spec.kind, text),
        Preset::Like(section, other) => format!("{section}.{}", other.name),
        _ => "none".to_owned(),
    };
    let advice = |advice: &'static str| match advice {
        "" => format!("; the default is {}", default()),
        advice => advice.to_owned(),
    };
    let is = shown(spec.kind, value);
    if let Some(least) = spec.least.filter(|least| value < least.value) {
        let tail = advice(least.advice);
        let is_span = matches!(spec.kind, ValueKind::Duration | ValueKind::DurationOrNone);
        return Some(if is_span && value == 0 {
            format!("must be more than 0{tail}")
        } else {
            format!("must be at least {}, is {is}{tail}", shown(spec.kind, least.value))
        });
    }
    let most = spec.most.filter(|most| value > most.value)?;
    let tail = advice(most.advice);
    Some(format!(
        "must be at most {}, is {is}{tail}",
        shown(spec.kind, most.value)
    ))
}

/// Writes a number as it would be written for a key of that kind.
pub fn shown(kind: ValueKind, value: i64) -> String {
    match kind {
        ValueKind::Duration | ValueKind::DurationOrNone => span(SignedDuration::from_secs(value)),
        ValueKind::Size => duration::show_size(u64::try_from(value).unwrap_or(0)),
        ValueKind::Decimal => decimal(value.unsigned_abs().into()),
        _ => value.to_string(),
    }
}

/// Writes a default in the one way in which durations are shown in messages.
fn shown_default(kind: ValueKind, text: &str) -> String {
    match typed(kind, text, Style::Plain) {
        Ok(Value::Int(value)) => shown(kind, value),
        _ => text.to_owned(),
    }
}

/// A Rust type that a typed value can be read as.
pub trait FromValue: Sized {
    /// Reads a value; `None` for one of another type.
    fn from_value(value: &Value) -> Option<Self>;
    /// Returns the substitute of a value that was found wrong and has no default.
    fn stand_in() -> Self;
}

/// A type of values of keys: an `Option` where a key has no default.
pub trait Setting: Sized {
    /// Reads what is there, else the default.
    fn read(value: Option<&Value>, spec: &KeySpec) -> Self;
}

impl<T: FromValue> Setting for T {
    fn read(value: Option<&Value>, spec: &KeySpec) -> Self {
        value
            .and_then(T::from_value)
            .or_else(|| T::from_value(&preset(spec)?))
            .unwrap_or_else(T::stand_in)
    }
}

impl<T: FromValue> Setting for Option<T> {
    fn read(value: Option<&Value>, _spec: &KeySpec) -> Self {
        value.and_then(T::from_value)
    }
}

/// Returns the default of a key as a value.
pub fn preset(spec: &KeySpec) -> Option<Value> {
    match spec.preset {
        Preset::Is(text) | Preset::AtMost(text, _) => typed(spec.kind, text, Style::Plain).ok(),
        _ => None,
    }
}

impl<T> Key<T> {
    /// Returns its value among values by name, or its default.
    pub fn value_in(&self, values: &BTreeMap<String, Json>) -> Option<Json> {
        let value = values.get(self.name).cloned();
        value.or_else(|| Json::from_value(&preset(self)?))
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text, _) => Some(text.clone()),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl FromValue for &'static str {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        ""
    }
}

impl FromValue for Secret {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(Self::new)
    }

    fn stand_in() -> Self {
        Self::new("")
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        false
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        0
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }

    fn stand_in() -> Self {
        0
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }

    fn stand_in() -> Self {
        0
    }
}

impl FromValue for SignedDuration {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_secs)
    }

    fn stand_in() -> Self {
        Self::ZERO
    }
}

impl FromValue for Lifetime {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::NoLimit => Some(Self(None)),
            value => SignedDuration::from_value(value).map(|length| Self(Some(length))),
        }
    }

    fn stand_in() -> Self {
        Self(None)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    /// Reads the items that have the type; items of another type are read elsewhere, or were reported.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::List(items) => Some(items.iter().filter_map(|item| T::from_value(&item.value)).collect()),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl<T: FromValue> FromValue for BTreeMap<String, T> {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Map(entries) = value else { return None };
        let pairs = entries.iter();
        Some(
            pairs
                .filter_map(|entry| Some((entry.key.clone(), T::from_value(&entry.value.value)?)))
                .collect(),
        )
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl FromValue for Json {
    /// Reads anything; an entry without a value counts as not there.
    fn from_value(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null | Value::Bad | Value::NoLimit => return None,
            Value::Text(text, _) | Value::Scalar(text, _) => Self::String(text.clone()),
            Value::Word(word) => (*word).into(),
            Value::Int(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Flag(flag) => (*flag).into(),
            Value::List(items) => items
                .iter()
                .map(|item| Self::from_value(&item.value).unwrap_or_default())
                .collect(),
            Value::Map(entries) => entries
                .iter()
                .filter_map(|entry| Some((entry.key.clone(), Self::from_value(&entry.value.value)?)))
                .collect(),
        })
    }

    fn stand_in() -> Self {
        Self::Null
    }
}
