//! Base URLs.

use percent_encoding::percent_decode_str;

use crate::secret::Secret;

use super::key::{Key, KeySpec};
use super::section::{Given, Section};

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

/// Reads a base URL that must be there; `what` is the advice for a missing one.
pub fn required(at: &Section<'_>, key: &Key<Option<String>>, what: &str) -> Option<Url> {
    match at.given(key) {
        Given::Absent => at.error(key, format!("missing; {what}")),
        Given::Empty => at.error(key, format!("is empty; {what}")),
        Given::Value => {}
    }
    optional(at, key)
}

/// Reads a base URL; one that goes without TLS to another machine gets a warning.
pub fn optional(at: &Section<'_>, key: &Key<Option<String>>) -> Option<Url> {
    let url = parsed(at, key, url(&at.get(key)?))?;
    if url.exposed {
        at.warn(key, "plain http: secrets can be read on the way; use https");
    }
    Some(url)
}

/// The URL of a proxy that was taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrl {
    /// `http://HOST:PORT`.
    pub url: String,
    /// The user that it names.
    pub user: Option<String>,
    /// The password that it names.
    pub password: Option<Secret>,
}

/// Reads the URL of a proxy.
pub fn proxy(at: &Section<'_>, key: &Key<Option<String>>) -> Option<ProxyUrl> {
    parsed(at, key, proxy_url(&at.get(key)?))
}

/// Takes the URL of a proxy apart. No error shows the URL.
fn proxy_url(text: &str) -> Result<ProxyUrl, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (login, host) = match rest.rsplit_once('@') {
        Some((login, host)) => (Some(login), host),
        None => (None, rest),
    };
    let url = url(&if scheme.is_empty() {
        host.to_owned()
    } else {
        format!("{scheme}://{host}")
    })?;
    if url.text.splitn(4, '/').nth(3).is_some() {
        return Err("must hold no path; write it like http://proxy:3128".to_owned());
    }
    let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
        Some((user, password)) => (Some(decoded(user)?), Some(decoded(password)?)),
        None => (None, None),
    };
    if user.as_ref().is_some_and(|user| user.is_empty() || user.contains(':')) {
        return Err(
            "must hold a user without a colon before the password; write http://USER:PASSWORD@HOST:PORT".to_owned(),
        );
    }
    Ok(ProxyUrl {
        url: url.text,
        user,
        password: password.filter(|password| !password.is_empty()).map(Secret::new),
    })
}

/// Decodes a user or a password.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = "holds a user or password that is not percent-encoded; write % as %25, / as %2F, @ as %40, : as %3A, # as \
                 %23";
    let is_hex = |part: &str| {
        part.get(..2)
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if text.contains(['/', '?', '#']) || !text.split('%').skip(1).all(is_hex) {
        return Err(wrong.to_owned());
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text.into_owned()),
        _ => Err(wrong.to_owned()),
    }
}

/// Returns the URL of a proxy without its password.
pub fn without_password(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let Some((login, host)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    match login.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => text.to_owned(),
    }
}

fn parsed<T>(at: &Section<'_>, key: &KeySpec, url: Result<T, String>) -> Option<T> {
    url.map_err(|text| at.error(key, text)).ok()
}

/// Takes a base URL apart. The error is of the form `WHAT; ACTION`; it does not show the URL, which may hold a
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
    fn the_url_of_a_proxy_is_taken_apart() {
        let check = |text, url: &str, login: Option<(&str, &str)>| {
            let found = proxy_url(text).unwrap();
            let password = found
                .password
                .map_or_else(String::new, |password| password.reveal().to_owned());
            let found = (
                found.url.as_str(),
                found.user.as_deref().map(|user| (user, password.as_str())),
            );
            assert_eq!(found, (url, login));
        };
        check("http://proxy:3128/", "http://proxy:3128", None);
        check("https://proxy", "https://proxy", None);
        check("http://u:p@proxy:3128", "http://proxy:3128", Some(("u", "p")));
        check("http://u@proxy:3128", "http://proxy:3128", Some(("u", "")));
        check(
            "http://a%40b:p%3a%2F+%25@[::1]:3128",
            "http://[::1]:3128",
            Some(("a@b", "p:/+%")),
        );
        // What nobody can misread is taken.
        check("http://u:p@:ss@proxy", "http://proxy", Some(("u", "p@:ss")));
        for bad in [
            "u:p@proxy:3128",
            "http://u:p@",
            "http://:p@proxy",
            "http://u:p/s@proxy",
            "http://u:p?s@proxy",
            "http://u:10%@proxy",
            "http://u:%zz@proxy",
            "http://u:%0a@proxy",
            "http://u:%ff@proxy",
            "http://u%3a:p@proxy",
            "http://u:p@proxy/path",
            "socks5://u:p@proxy",
        ] {
            let error = proxy_url(bad).unwrap_err();
            assert!(!error.contains("p/s") && error.contains("; "), "{bad}: {error}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_hidden() {
        assert_eq!(without_password("http://u:p@h:1"), "http://u:***@h:1");
        assert_eq!(without_password("http://u:p@x:y@h:1"), "http://u:***@h:1");
        assert_eq!(without_password("http://u@h:1"), "http://u@h:1");
        assert_eq!(without_password("http://h:1"), "http://h:1");
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
