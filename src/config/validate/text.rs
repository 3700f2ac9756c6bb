//! Checks of single values: required texts, names, URLs.

use std::collections::BTreeSet;

use super::super::at::{At, Given};
use super::super::problem::{Place, Report, quoted};
use crate::text::hidden_in;

/// Returns a text that must be there; an empty one after a report. `what` says what to write.
pub fn required(at: &At<'_>, key: &str, value: Option<&String>, what: &str, report: &mut Report) -> String {
    match at.given(key) {
        Given::Absent => report.error(&at.place(key), format!("missing; {what}")),
        Given::Empty => report.error(&at.place(key), format!("is empty; {what}")),
        Given::Value => {}
    }
    optional(at, key, value, report).unwrap_or_default()
}

/// Returns a text that may be there.
pub fn optional(at: &At<'_>, key: &str, value: Option<&String>, report: &mut Report) -> Option<String> {
    let text = value?;
    checked(&at.place(key), text, report);
    Some(text.clone())
}

/// Returns the texts of a list; each is checked, and none may stand there twice.
pub fn list(at: &At<'_>, key: &str, value: Option<&Vec<String>>, report: &mut Report) -> Vec<String> {
    let texts = value.cloned().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        item(&at.item(key, index), text, &mut seen, report);
    }
    texts
}

/// Checks an item of a list, after those that were seen.
pub fn item<'t>(place: &Place, text: &'t str, seen: &mut BTreeSet<&'t str>, report: &mut Report) {
    checked(place, text, report);
    if !seen.insert(text) {
        report.error(place, format!("{} stands here twice; remove one", quoted(text)));
    }
}

/// Reports a text that no name can be.
fn checked(place: &Place, text: &str, report: &mut Report) {
    if text.trim().is_empty() {
        report.error(place, "is empty; write a text or remove it");
    } else if text.chars().any(char::is_control) {
        report.error(
            place,
            "holds a line break or another control character; write it as one line",
        );
    } else if text.trim() != text {
        report.error(place, format!("{} has a blank at its edge; remove it", quoted(text)));
    } else if text.chars().count() > 255 {
        report.error(place, "is longer than 255 characters; shorten it");
    } else {
        all_seen(place, text, report);
    }
}

/// Hints at characters of a name that nobody sees, and that make it another name.
pub fn all_seen(place: &Place, text: &str, report: &mut Report) {
    if let Some(hidden) = hidden_in(text) {
        let text = format!(
            "{} holds {hidden}, which is not seen; remove it unless it is meant",
            quoted(text)
        );
        report.hint(place, text);
    }
}

/// A URL that was taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole, without slashes at the end, the scheme in lower case.
    pub text: String,
    /// The host, without a port.
    pub host: String,
    /// Whether it goes over the network without TLS.
    pub exposed: bool,
}

/// Takes a base URL apart. The error says what is wrong and what to do; it does not show the URL, which may hold a
/// password.
pub fn url(text: &str) -> Result<Url, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err("must begin with https:// or http://; write the whole URL".to_owned());
    }
    let rest = rest.trim_end_matches('/');
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains('@') || rest.contains('@') {
        return Err("must not hold a user or password; give them by their own keys".to_owned());
    }
    if rest.contains(['?', '#']) {
        return Err("must not hold a query or fragment; end it before ? or #".to_owned());
    }
    if rest
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii())
        || rest.contains(['\\', '<', '>', '"'])
    {
        return Err("holds a character that no URL has; percent-encode or remove it".to_owned());
    }
    let host = host(authority).ok_or("has no usable host and port; write it like https://host:port/path")?;
    let exposed = scheme == "http" && !is_loopback(host);
    Ok(Url {
        text: format!("{scheme}://{rest}"),
        host: host.to_owned(),
        exposed,
    })
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, tail) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (
                address,
                tail.strip_prefix(':').or_else(|| tail.is_empty().then_some("80"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "80")),
    };
    let plain = !host.is_empty() && !host.starts_with(['.', '-']);
    let good = plain
        && (authority.starts_with('[') || host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
    let port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    (good && port).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let address = host
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    address || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |text, wanted: &str, host: &str, exposed| {
            let url = url(text).unwrap();
            assert_eq!(
                (url.text.as_str(), url.host.as_str(), url.exposed),
                (wanted, host, exposed)
            );
        };
        check("http://h", "http://h", "h", true);
        check("HTTPS://h:8443/ci//", "https://h:8443/ci", "h", false);
        check("http://127.0.0.1:8080/", "http://127.0.0.1:8080", "127.0.0.1", false);
        check("http://localhost:1", "http://localhost:1", "localhost", false);
        check("http://[::1]:80/x", "http://[::1]:80/x", "::1", false);
        check("http://[2001:db8::1]", "http://[2001:db8::1]", "2001:db8::1", true);
    }

    #[test]
    fn bad_urls_are_refused() {
        for bad in [
            "",
            "h",
            "h:80",
            "ftp://h",
            "file:///etc",
            "https://",
            "https:///x",
            "https://u:p@h",
            "https://h?x",
            "https://h/#x",
            "https://h:",
            "https://h:0",
            "https://h:99999",
            "https://h:x",
            "https://a b",
            "https://[::1",
            "https://[x]",
            "https://h\n",
            "https://é",
            "https://.h",
            "https://h:80:80",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
