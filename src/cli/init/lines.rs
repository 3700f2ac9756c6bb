//! Lines of YAML, and texts in them: whatever a cloud or a Jenkins calls its things, YAML reads it as that text.

use crate::config::MARK;
use crate::text::{is_hidden, printable};

/// The most other things that are listed to choose from.
pub const OTHERS: usize = 10;
/// The longest name in a comment.
const MAX_SHOWN: usize = 100;
/// Words that YAML, 1.1 or 1.2, does not read as texts.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// A text that grows by lines.
#[derive(Default)]
pub struct Lines(pub String);

impl Lines {
    /// Adds a line.
    pub fn add(&mut self, indent: usize, line: &str) {
        if !line.is_empty() {
            self.0.push_str(&"  ".repeat(indent));
        }
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Adds a key with its value.
    pub fn key(&mut self, indent: usize, key: &str, value: &str) {
        self.add(indent, &format!("{key}: {}", scalar(value)));
    }

    /// Does what [`Lines::key`] does, in a comment.
    pub fn commented(&mut self, indent: usize, key: &str, value: &str) {
        self.add(indent, &format!("# {key}: {}", scalar(value)));
    }

    /// Adds a key that could not be known, with what to do about it.
    pub fn unknown(&mut self, indent: usize, line: &str, what: &str) {
        self.add(indent, &format!("# {line}  {MARK} {what}"));
    }
}

/// Writes a text so that YAML reads it as that text, as a key or as a value.
pub fn scalar(text: &str) -> String {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-./+() ".contains(c);
    let is_plain = begins_plain(text) && text.chars().all(inner) && text.trim() == text;
    if is_plain || is_address(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes a list on one line. In brackets fewer characters can be plain.
pub fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-./+".contains(c);
    let item = |text: &String| {
        if begins_plain(text) && text.chars().all(inner) {
            text.clone()
        } else {
            quoted(text)
        }
    };
    let items: Vec<String> = texts.into_iter().map(item).collect();
    format!("[{}]", items.join(", "))
}

/// Names for a comment.
pub fn some<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let more = if names.len() > OTHERS { ", ..." } else { "" };
    let some: Vec<String> = names
        .iter()
        .take(OTHERS)
        .map(|name| printable(name, MAX_SHOWN))
        .collect();
    format!("{}{more}", some.join(", "))
}

/// Returns whether a text begins as no number, no date and no sign of YAML does, and is no word that means another thing.
fn begins_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Returns whether a text is an address of the plainest characters.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-./:~".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(inner) && !rest.ends_with(':'))
}

/// Writes a text in quotes. What is text in JSON is the same text in YAML, but for characters that YAML does not take as
/// they are.
pub fn quoted(text: &str) -> String {
    let escaped = |c: char| match u32::from(c) {
        code if is_hidden(c) && code > 0xffff => format!("\\U{code:08x}"),
        code if is_hidden(c) || code == 0xfffe || code == 0xffff => format!("\\u{code:04x}"),
        _ => c.to_string(),
    };
    serde_json::Value::from(text).to_string().chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> serde_yaml::Value {
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[track_caller]
    fn comes_back(text: &str) {
        let owned = text.to_owned();
        let mut lines = Lines::default();
        lines.add(0, &format!("{}:", scalar(text)));
        lines.key(1, "value", text);
        lines.add(1, &format!("list: {}", list([&owned, &owned])));
        lines.commented(1, "comment", text);
        let read = read(&lines.0);
        let inner = &read.as_mapping().unwrap()[text];
        assert_eq!(inner["value"].as_str(), Some(text), "{}", lines.0);
        let list: Vec<_> = inner["list"]
            .as_sequence()
            .unwrap()
            .iter()
            .map(|item| item.as_str())
            .collect();
        assert_eq!(list, [Some(text), Some(text)], "{}", lines.0);
        assert_eq!(inner.as_mapping().unwrap().len(), 2, "{}", lines.0);
    }

    #[test]
    fn a_text_that_yaml_would_read_otherwise_comes_back() {
        for text in [
            "null",
            "NULL",
            "Null",
            "~",
            "true",
            "123",
            "1e3",
            "0x1f",
            "1.5",
            "-1",
            ".inf",
            "2026-02-13",
            "y",
            "No",
            "",
            "a b",
            " a",
            "a: b",
            "a #b",
            "#",
            "- a",
            "?",
            "http://a,b]",
            "http://a,b",
            "http:",
            "https:",
            "https://",
            "http://a:",
            "http://a{b",
            "https://ci.example.com:8443/jenkins",
            "ubuntu-24.04 (x86)",
            "\u{2028}",
            "\u{85}",
            "\u{feff}a",
            "\u{e0001}",
            "\u{ffff}",
            "ümlaut",
            "\u{1f600}",
            "a\"b\\c",
            "<<",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "\t",
            "\u{7f}",
        ] {
            comes_back(text);
        }
        assert_eq!(
            scalar("https://ci.example.com:8443/jenkins"),
            "https://ci.example.com:8443/jenkins"
        );
        assert_eq!(
            (scalar("m1.medium"), scalar("2026")),
            ("m1.medium".to_owned(), "\"2026\"".to_owned())
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            comes_back(&text);
        }

        #[test]
        fn any_text_of_signs_comes_back(text in "(http)?s?[-:/,#\\[\\]{}&*!|>'\"%@`? a1.~<=+]{0,6}") {
            comes_back(&text);
        }
    }
}
