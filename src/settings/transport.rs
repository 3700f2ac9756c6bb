//! How to speak HTTP with a service: the keys that Jenkins and the clouds have in common.

use jiff::SignedDuration;

use crate::endpoint::Transport;
use crate::text::span;

use super::files::Outside;
use super::key::Key;
use super::keys;
use super::section::{Given, Section};
use super::url;

keys! {
    /// The keys of a transport; a section has them beside its own.
    pub TRANSPORT;
    /// A PEM file with the CA of a private service.
    pub CA_FILE: Option<String> = Key::path("ca_file").also(&["cacert"]);
    /// Whether certificates are verified.
    pub VERIFY: bool = Key::flag("verify").or("true");
    /// A proxy; the environment is not looked at.
    pub PROXY: Option<String> = Key::text("proxy").also(&["proxy_url"]);
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
    let timeout = at.get(&TIMEOUT);
    let connect_timeout = at.get_capped(&CONNECT_TIMEOUT);
    not_below(at, (&TIMEOUT, timeout), (&CONNECT_TIMEOUT, connect_timeout));
    Transport {
        ca_file: outside.certificates(at, &CA_FILE),
        verify,
        proxy: url::proxy(at, &PROXY),
        connect_timeout,
        timeout,
        max_body,
    }
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
