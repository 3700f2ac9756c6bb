//! The last lines of a server's console, which may show why its agent never joined.

use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::catalog::Service;
use super::error::{Fault, unreachable};
use super::session::{Call, CallError, Session};
use crate::http::escaped;
use crate::lenient::LenientText;
use crate::model::ServerId;
use crate::provider::ProviderError;
use crate::text::without_controls;

/// The most bytes that are kept.
const MOST: usize = 4096;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    output: LenientText,
}

/// Reads the last lines; `None` where there is no console, or nothing in it.
pub(super) fn console(session: &mut Session, id: &ServerId, lines: u32) -> Result<Option<String>, ProviderError> {
    let what = "console";
    let body = json!({"os-getConsoleOutput": {"length": lines}}).to_string();
    let call = Call {
        method: Method::POST,
        service: Service::Compute,
        path: &format!("/servers/{}/action", escaped(id.as_str())),
        body: Some(body.as_bytes()),
    };
    let reply = session.call(&call).map_err(|error| match error {
        CallError::NotMade(error) => error,
        CallError::Http(error) => unreachable(what, &error),
    })?;
    match reply.status {
        200..=299 => {
            let body: Option<Body> = serde_json::from_slice(&reply.body).ok();
            let text = body.and_then(|body| body.output.value).unwrap_or_default();
            Ok(Some(last_lines(&text, lines)).filter(|text| !text.is_empty()))
        }
        // It is gone, has no host yet, or its hypervisor keeps no console.
        400 | 404 | 409 | 501 => Ok(None),
        _ => Err(Fault::read(&reply).of_reading(what)),
    }
}

/// Cuts a console to its last lines, at most [`MOST`] bytes of them, without control sequences.
fn last_lines(text: &str, lines: u32) -> String {
    // A line of a console is rarely longer than this many times what is kept of all of them.
    let plain = without_controls(end(text, MOST * 8));
    let wanted: Vec<&str> = plain
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let first = wanted
        .len()
        .saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    let joined = wanted[first..].join("\n");
    end(&joined, MOST).trim_start_matches('\n').to_owned()
}

/// Returns the last bytes of a text, from a whole line on, or from a whole word where it is all one line: half of a
/// secret could not be recognized.
fn end(text: &str, most: usize) -> &str {
    let mut from = text.len().saturating_sub(most);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let end = &text[from..];
    if from == 0 {
        return end;
    }
    let whole = end.find('\n').or_else(|| end.find(char::is_whitespace));
    whole.map_or("", |at| &end[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_console_is_kept_and_steers_nothing() {
        let text = "one\r\n\u{1b}[0;32m  OK  \u{1b}[0m Started\u{7} x\tsshd.\r\n\r\nlast\u{202e}\n";
        assert_eq!(last_lines(text, 2), "  OK   Started x sshd.\nlast\u{202e}");
        assert_eq!(last_lines(text, 100), "one\n  OK   Started x sshd.\nlast\u{202e}");
        assert_eq!(last_lines("", 5), "");
        assert_eq!(last_lines("x", 0), "");
        assert_eq!(last_lines("cut \u{1b}[12", 1), "cut");
        let long = "ä ".repeat(40_000);
        assert!((MOST - 4..=MOST).contains(&last_lines(&long, 1).len()));
    }

    #[test]
    fn no_half_of_a_word_is_left_where_a_console_is_cut() {
        let padding = "y".repeat(MOST - 6);
        for text in [
            format!("begin\nthe s3cretpassword\n{padding}"),
            format!("begin\npasswd s3cretpassword {padding}"),
            format!("begin\nhunter s3cretpassword{padding}"),
            format!("{} s3cretpassword {}", "x".repeat(9), "y".repeat(MOST * 8 - 6)),
        ] {
            let kept = last_lines(&text, 40);
            assert!(!kept.contains("word"), "{kept}");
            assert!(kept.is_empty() || kept.trim() == padding, "{kept}");
        }
        assert_eq!(last_lines(&format!("one\ntwo {padding}\nthree"), 40), "three");
    }

    #[test]
    fn bytes_that_make_no_whole_character_are_left_out() {
        assert_eq!(end("aé b", 3), " b");
    }
}
