//! How to speak HTTP with a service: the keys that Jenkins and the clouds have in common.

use jiff::SignedDuration;

use crate::endpoint::{Compress, ProxyEndpoint, Transport};
use crate::secret::Secret;
use crate::text::span;

use super::files::Outside;
use super::key::Key;
use super::keys;
use super::secrets::Source;
use super::section::{Given, Section};
use super::{url, value};

keys! {
    /// The keys of a transport; a section has them beside its own.
    pub TRANSPORT;
    /// A PEM file with the CA of a private service, trusted beside the machine's own store.
    pub CA_FILE: Option<String> = Key::path("ca_file").also(&["cacert"]);
    /// Whether the certificates of `ca_file` alone are trusted.
    pub CA_FILE_ONLY: bool = Key::flag("ca_file_only").or("false");
    /// Whether certificates are verified.
    pub VERIFY: bool = Key::flag("verify").or("true");
    /// A proxy, as `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`; the environment is not looked at.
    pub PROXY: Option<String> = Key::url_with_password("proxy").also(&["proxy_url"]);
    /// A file with the password for the user of `proxy`.
    pub PROXY_PASSWORD_FILE: Option<String> = Key::path("proxy_password_file");
    /// Whether replies are asked for in compressed form: true, false, or auto.
    pub COMPRESS: String = Key::flag_or("compress", "auto").or("auto");
    /// The limit for the connection.
    pub CONNECT_TIMEOUT: SignedDuration = Key::duration("connect_timeout").or_at_most("10s", &TIMEOUT).positive();
    /// The limit for a whole request.
    pub TIMEOUT: SignedDuration = Key::duration("timeout").or("60s").positive();
}

/// Reads the transport of a section.
pub fn transport(at: &Section<'_>, outside: &Outside<'_>, max_body: u64) -> Transport {
    let verify = at.get(&VERIFY);
    if !verify {
        let text = "certificates are not verified: anyone on the way can read secrets; give the CA by ca_file instead";
        at.warn(&VERIFY, text);
        if at.has(&CA_FILE) {
            at.error(&CA_FILE, "has no use with verify: false; remove one of the two");
        }
    }
    let ca_file_only = at.get(&CA_FILE_ONLY);
    if ca_file_only && !at.has(&CA_FILE) {
        at.error(&CA_FILE_ONLY, "needs ca_file; name the file, or remove this key");
    }
    let timeout = at.get(&TIMEOUT);
    let connect_timeout = at.get_capped(&CONNECT_TIMEOUT);
    not_below(at, (&TIMEOUT, timeout), (&CONNECT_TIMEOUT, connect_timeout));
    Transport {
        ca_file: outside.certificates(at, &CA_FILE),
        ca_file_only,
        verify,
        proxy: proxy(at, outside),
        compress: match value::flag(&at.get(&COMPRESS)) {
            Some(true) => Compress::Always,
            Some(false) => Compress::Never,
            None => Compress::Auto,
        },
        connect_timeout,
        timeout,
        max_body,
    }
}

/// Reads the proxy; its password may stand in the URL or in a file of its own.
fn proxy(at: &Section<'_>, outside: &Outside<'_>) -> Option<ProxyEndpoint> {
    let proxy = url::proxy(at, &PROXY);
    if at.given(&PROXY_PASSWORD_FILE) != Given::Absent {
        return with_file(at, outside, proxy);
    }
    let url::ProxyUrl { url, user, password } = proxy?;
    if password.is_some() {
        outside.holds_a_secret(at);
    }
    let login = user.map(|user| (user, password.unwrap_or_else(|| Secret::new(""))));
    Some(ProxyEndpoint { url, login })
}

fn with_file(at: &Section<'_>, outside: &Outside<'_>, proxy: Option<url::ProxyUrl>) -> Option<ProxyEndpoint> {
    let Some(url::ProxyUrl { url, user, password }) = proxy else {
        if at.given(&PROXY) == Given::Absent {
            at.error(&PROXY_PASSWORD_FILE, "needs proxy; write proxy: http://USER@HOST:PORT");
        }
        return None;
    };
    let Some(user) = user.filter(|_| password.is_none()) else {
        let text = "must be the password of the user in proxy, which has none; write http://USER@HOST:PORT there";
        let both = "proxy has a password, too; keep one of the two";
        at.error(&PROXY_PASSWORD_FILE, if password.is_some() { both } else { text });
        return None;
    };
    let (_, password) = outside.secret(at, &[Source::File(&PROXY_PASSWORD_FILE)], &[])?;
    let login = Some((user, password));
    Some(ProxyEndpoint { url, login })
}

/// Reports a duration that is below another one, at the one of the two that is given.
pub fn not_below<T, U>(at: &Section<'_>, more: (&Key<T>, SignedDuration), less: (&Key<U>, SignedDuration)) {
    if more.1 >= less.1 {
        return;
    }
    let (more_name, less_name) = (more.0.name, less.0.name);
    if at.given(more.0) == Given::Absent {
        let text = format!("must be at most {more_name} ({}), is {}", span(more.1), span(less.1));
        at.error(less.0, text);
    } else {
        let text = format!("must be at least {less_name} ({}), is {}", span(less.1), span(more.1));
        at.error(more.0, text);
    }
}
