//! Why there is no reply: from ureq's errors to those that a caller acts on, with what to do.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use rustls::{CertificateError, InvalidMessage};
use thiserror::Error;
use ureq::Timeout;

use super::text::{host_of, shown};
use super::tls::Handshake;

/// What to do where a proxy refuses us.
const PROXY_LOGIN: &str = "; the proxy wants a login: write it into the setting proxy as http://USER:PASSWORD@HOST:PORT, \
                           percent-encoded, or set proxy_password_file";

/// Why there is no reply.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The transport settings are unusable.
    #[error("{what}")]
    Setting {
        /// Which setting, what is wrong with it, what to do.
        what: String,
    },
    /// There was no connection, so nothing was sent.
    #[error("cannot connect to {host}: {cause}{hint}")]
    NotSent {
        host: String,
        cause: String,
        /// What to do about it; empty or beginning with `; `.
        hint: Cow<'static, str>,
    },
    /// The request may have arrived; the reply did not, or not whole, or not in time.
    #[error("no whole reply from {host}: {cause}")]
    Broken { host: String, cause: String },
    /// The reply is larger than we take.
    #[error("the reply of {host} is larger than {limit} bytes (max_body)")]
    TooLarge { host: String, limit: u64 },
}

impl HttpError {
    /// Returns whether the request certainly did not reach the server.
    pub fn not_sent(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Setting { .. })
    }

    /// A proxy that wants to know who asks.
    pub(super) fn proxy_refuses(url: &str, proxy: &str) -> Self {
        Self::NotSent {
            host: host_of(url),
            cause: format!("the proxy {proxy} refuses the login (status 407)"),
            hint: PROXY_LOGIN.into(),
        }
    }
}

/// How a request goes to its host, for the words about what went wrong on the way.
pub(super) struct Route<'a> {
    /// The host and port of the proxy.
    pub proxy: Option<&'a str>,
    /// Whom we trust, in words; not known before TLS is spoken.
    pub trusted: &'a dyn Fn() -> String,
    /// How a further CA comes to be trusted, in words.
    pub to_trust: &'a dyn Fn() -> String,
    /// The limit for a request.
    pub limit: Duration,
}

/// Says what an error of ureq means for the request to a URL.
pub(super) fn explain(url: &str, error: &ureq::Error, route: &Route<'_>) -> HttpError {
    let host = host_of(url);
    let cause = error.to_string();
    let not_sent = |hint: &str| HttpError::NotSent {
        host: route
            .proxy
            .map_or_else(|| host.clone(), |proxy| format!("{host} by the proxy {proxy}")),
        cause: cause.clone(),
        hint: hint.to_owned().into(),
    };
    let unreached = |hint| {
        not_sent(if route.proxy.is_some() {
            "; see the setting proxy"
        } else {
            hint
        })
    };
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => unreached("; is the host name right?"),
        ureq::Error::ConnectProxyFailed(said) if said.contains("407") => {
            HttpError::proxy_refuses(url, route.proxy.unwrap_or_default())
        }
        ureq::Error::Timeout(Timeout::Connect)
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::InvalidProxyUrl => unreached(""),
        ureq::Error::Io(io) if is_unresolved(io) => unreached("; is the host name right?"),
        ureq::Error::Io(io) if is_unconnected(io) => unreached(""),
        ureq::Error::Io(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<Handshake>()) {
            Some(handshake) => not_sent(
                &handshake
                    .reason()
                    .map_or_else(String::new, |error| tls_hint(error, route)),
            ),
            None => HttpError::Broken {
                host,
                cause: format!("{cause}{}", plain_hint(url, error, route)),
            },
        },
        // The limit is named as it is set, whatever was left of it: the message is the same in each pass.
        ureq::Error::Timeout(_) => HttpError::Broken {
            host,
            cause: format!("it did not come within {:?} (timeout)", route.limit),
        },
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => HttpError::Setting {
            what: format!("not a usable URL: {}", shown(url)),
        },
        _ => HttpError::Broken {
            host,
            cause: format!("{cause}{}", plain_hint(url, error, route)),
        },
    }
}

/// Returns whether a host name could not be looked up, which the standard library shows only in its text.
fn is_unresolved(io: &io::Error) -> bool {
    io.to_string().starts_with("failed to lookup address")
}

/// Returns whether an error can only come from connecting. On an open connection the unreachable kinds come after many
/// minutes of repeats, which is longer than any limit here.
fn is_unconnected(io: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        io.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
    )
}

/// A port of TLS closes a connection that begins with plain text, or answers with an alert.
fn plain_hint(url: &str, error: &ureq::Error, route: &Route<'_>) -> &'static str {
    let is_alert = match error {
        ureq::Error::Io(io) => matches!(
            io.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
        ),
        other => other.to_string().contains("HTTP version"),
    };
    if is_alert && url.starts_with("http://") && route.proxy.is_none() {
        "; is it https://, or another port?"
    } else {
        ""
    }
}

fn tls_hint(error: &rustls::Error, route: &Route<'_>) -> String {
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "; what answers there does not speak TLS: is it http://, or another port?".to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            format!("; trusted: {}; {}", (route.trusted)(), (route.to_trust)())
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "; write the name that its certificate has into the URL".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "; renew the certificate, or set this machine's clock".to_owned(),
        _ => String::new(),
    }
}
