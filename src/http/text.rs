//! Texts that come from elsewhere or go into a URL: fit for one line, fit for a path, fit for the log.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Makes a text from elsewhere fit for one line: control characters become blanks, blanks are folded, the end is cut.
pub fn printable(text: &str, most: usize) -> String {
    let folded: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || is_control(c))
        .filter(|w| !w.is_empty())
        .collect();
    let line = folded.join(" ");
    match line.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// Returns whether a character steers a terminal: the control characters, and those that turn the direction of a text.
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What may stand as it is in a path segment or a query value: letters, digits and `-_.~` (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Escapes a text for a path segment or a query value.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

pub(super) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
        .to_owned()
}

/// Returns a URL as it may be logged: without user info, and without the values of its query.
pub(super) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = match path.split_once('/') {
        Some((_, path)) => format!("/{path}"),
        None => String::new(),
    };
    let query = query.map_or_else(String::new, |query| {
        let names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
        format!("?{}", names.join("&"))
    });
    printable(&format!("{scheme}://{}{path}{query}", host_of(url)), 300)
}

pub(super) fn shown_id(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(", {}", printable(id, 60)))
}
