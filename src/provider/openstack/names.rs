//! Helpers for names: the parameters of a query, and which name was meant.

use crate::text::{closest, printable};
use percent_encoding::percent_decode_str;

/// The most names that a message suggests.
const SUGGESTED: usize = 3;

/// Finds a parameter in the query of a link; the rest of the link is not to be trusted (its host is often wrong).
pub(super) fn query_value(href: &str, key: &str) -> Option<String> {
    let (_, query) = href.split_once('?')?;
    let query = query.split('#').next().unwrap_or(query);
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// Returns that a thing is missing, with the nearest names, in words.
pub(super) fn missing<'a>(kind: &str, wanted: &str, there: impl Iterator<Item = &'a str>) -> String {
    let wanted = printable(wanted, 100);
    format!("no {kind} named \"{wanted}\" ({})", nearest(&wanted, there))
}

/// Returns the nearest names, in words.
pub(super) fn nearest<'a>(wanted: &str, there: impl Iterator<Item = &'a str>) -> String {
    let near = closest(wanted, there.filter(|name| !name.is_empty()), SUGGESTED);
    let near: Vec<String> = near.iter().map(|name| format!("\"{}\"", printable(name, 60))).collect();
    match near.as_slice() {
        [] => "there is none at all".to_owned(),
        near => format!("nearest: {}", near.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let text = missing(
            "flavor",
            "m3.xlrge",
            ["m1.tiny", "m3.xlarge", "huge", "M3.LARGE"].into_iter(),
        );
        assert_eq!(
            text,
            r#"no flavor named "m3.xlrge" (nearest: "m3.xlarge", "M3.LARGE", "huge")"#
        );
    }

    #[test]
    fn a_marker_is_found_in_any_link() {
        assert_eq!(
            query_value("http://bad/x?limit=2&marker=a%2Fb", "marker").as_deref(),
            Some("a/b")
        );
        assert_eq!(query_value("/v2/images?xmarker=1", "marker"), None);
        assert_eq!(query_value("no query", "marker"), None);
    }
}
