//! Reports for programs: one JSON object on one line.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::text::is_hidden;

/// Prints a value as one line of JSON.
pub fn print(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(out, "{}", escaped(&text))
}

/// Escapes characters that JSON allows and that are invisible or steer a terminal: people may look at the line, too.
/// Such characters occur in strings alone.
fn escaped(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
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
        let value = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{a0}\u{e0041}ü";
        print(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\"a\\u001b\\u007f\\u009b\\u202e\\u2028\\u00a0\\udb40\\udc41ü\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
