//! Repairs replies that are JSON but for some characters inside strings. Pure.
//!
//! Jenkins and clouds write what people and programs put into a name or a message. A raw control character, half a
//! surrogate pair or an invalid byte there must not hide the rest of the reply. What an element means is left to those
//! who read it.

/// Replaces each character that could not be read. It is a noncharacter of Unicode, so that no text holds it
/// by itself.
pub const UNREADABLE: char = '\u{fdd0}';

/// Returns a text for people: with U+FFFD for what could not be read.
pub fn shown(text: &str) -> String {
    text.replace(UNREADABLE, "\u{fffd}")
}

/// Replaces what no string of JSON may hold by [`UNREADABLE`]. What is wrong outside of strings stays wrong.
pub fn repaired(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len() + 16);
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(UNREADABLE);
        }
    }
    let mut good = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(quote) = rest.find('"') {
        let (before, string) = rest.split_at(quote + 1);
        good.push_str(before);
        rest = string_into(string, &mut good);
    }
    good.push_str(rest);
    good
}

/// Copies the rest of a string, its closing quote included; returns what follows.
fn string_into<'t>(mut rest: &'t str, good: &mut String) -> &'t str {
    let stops = |c: char| c == '"' || c == '\\' || c < ' ';
    while let Some(at) = rest.find(stops) {
        good.push_str(&rest[..at]);
        rest = &rest[at..];
        match rest.as_bytes()[0] {
            b'"' => {
                good.push('"');
                return &rest[1..];
            }
            b'\\' => rest = escape_into(rest, good),
            _ => {
                good.push(UNREADABLE);
                rest = &rest[1..];
            }
        }
    }
    good.push_str(rest);
    ""
}

/// Copies an escape, if it means a character; returns what follows.
fn escape_into<'t>(rest: &'t str, good: &mut String) -> &'t str {
    let bytes = rest.as_bytes();
    let length = match bytes.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(2),
        Some(b'u') => match unit(bytes) {
            Some(0xd800..=0xdbff) if matches!(unit(&bytes[6..]), Some(0xdc00..=0xdfff)) => Some(12),
            None | Some(0xd800..=0xdfff) => None,
            Some(_) => Some(6),
        },
        _ => None,
    };
    if let Some(length) = length {
        good.push_str(&rest[..length]);
        return &rest[length..];
    }
    good.push(UNREADABLE);
    // A lone surrogate is dropped whole, of an unknown escape only the backslash: the next character may end the
    // string.
    &rest[if unit(bytes).is_some() { 6 } else { 1 }..]
}

/// Reads `\uXXXX` at the beginning.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], expected: &str) {
        assert_eq!(repaired(body), expected, "{}", String::from_utf8_lossy(body));
    }

    #[test]
    fn what_is_json_stays_as_it_is() {
        for text in [
            "",
            "{}",
            r#"{"a":"b","c":[1,2.5,null,true]}"#,
            "{\n\t\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"\r\n}",
            r#"{"größe":"日本"}"#,
        ] {
            check(text.as_bytes(), text);
        }
    }

    #[test]
    fn what_no_string_may_hold_is_replaced() {
        let odd = UNREADABLE;
        for (body, expected) in [
            (&b"\"a\x07b\""[..], format!("\"a{odd}b\"")),
            (b"\"a\nb\tc\0\"", format!("\"a{odd}b{odd}c{odd}\"")),
            (b"\"\\ud800\"", format!("\"{odd}\"")),
            (b"\"\\udc00x\"", format!("\"{odd}x\"")),
            (b"\"\\ud83d\\ud83d\\ude00\"", format!("\"{odd}\\ud83d\\ude00\"")),
            (b"\"\\ud83d\\n\"", format!("\"{odd}\\n\"")),
            (b"\"\\uzz\"", format!("\"{odd}uzz\"")),
            (b"\"\\x\"", format!("\"{odd}x\"")),
            (b"\"\\u12\",\"a\"", format!("\"{odd}u12\",\"a\"")),
            (b"\"\xff\xfe\"", format!("\"{odd}{odd}\"")),
            (
                b"{\"a\x1b[31m\":\"\\\"\x01\"}",
                format!("{{\"a{odd}[31m\":\"\\\"{odd}\"}}"),
            ),
        ] {
            check(body, &expected);
        }
    }

    #[test]
    fn what_is_cut_off_or_wrong_outside_of_strings_stays_wrong() {
        for body in [
            "{\"a\":\"b",
            "{\"a\":\"b\\",
            "{\"a\":\"\\u00",
            "[1,",
            "{\"a\":\x07}",
            "{\"a\" \"b\"}",
            "nul",
        ] {
            assert!(
                serde_json::from_str::<serde_json::Value>(&repaired(body.as_bytes())).is_err(),
                "{body}"
            );
        }
    }
}
