//! Reports for programs: one JSON object on one line.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::http::is_control;

/// Prints a value as one line of JSON.
pub fn print(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(out, "{}", escaped(&text))
}

/// Escapes what JSON allows and a terminal may take for an order: the line may be looked at, too.
///
/// Such characters stand in texts alone, all of them below U+10000.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if is_control(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        let mut out = Vec::new();
        let value = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}ü";
        print(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\"a\\u001b\\u007f\\u009b\\u202e\\u2028ü\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
