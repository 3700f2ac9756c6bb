//! Texts that go into a URL, and URLs as they may be logged.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::text::printable;

/// What a path segment or a query value may hold unescaped: letters, digits and `-_.~` (RFC 3986, 2.3).
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
