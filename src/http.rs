//! The only place that builds a ureq agent: its limits, its TLS, its proxy, and one error for all that can go wrong
//! below HTTP.
//!
//! What a status means is left to the clients (`jenkins`, `provider`). Every default of ureq that a scheduled job must
//! not have is set on purpose here: no time limit, redirects that are followed, a proxy taken from the environment, an
//! error status that hides the body, a body without a bound that we chose.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long a request takes")]

mod deadline;
mod hide;
mod message;
mod text;

use std::cell::Cell;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use log::debug;
use thiserror::Error;
use ureq::http::Method;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, AsSendBody, Proxy, Timeout};

pub use deadline::Deadline;
pub use message::{Reply, Request};
pub use text::escaped;

use crate::endpoint::Transport;
use text::{host_of, shown, shown_id};

/// The most bytes of response headers that are read (Jenkins' content security headers alone take 1 KiB).
const MAX_RESPONSE_HEADERS: usize = 64 * 1024;

/// Words in rustls' errors when a handshake fails: a bad certificate, a peer that refuses, a peer without TLS.
const TLS_WORDS: [&str; 4] = ["certificate", "HandshakeFailure", "corrupt message", "incompatible"];

/// What to do then.
const TLS_HINT: &str = "; a private CA is named by the setting ca_file (verify: false would take any certificate)";

/// The most bytes that are reserved for a `Content-Length`.
const MAX_RESERVED: u64 = 64 * 1024 * 1024;

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
        hint: &'static str,
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
}

/// What ureq makes of a request.
type Response = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// A connection to one service, kept alive over a pass.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    service: &'static str,
    timeout: Duration,
    max_body: u64,
    requests: Cell<u64>,
    deadline: Deadline,
}

impl Http {
    /// Builds a client. `service` names it in logs (`jenkins`, `openstack`).
    pub fn new(service: &'static str, transport: &Transport, deadline: Deadline) -> Result<Self, HttpError> {
        let proxy = transport.proxy.as_deref().map(Proxy::new).transpose();
        let proxy = proxy.map_err(|cause| HttpError::Setting {
            what: format!("proxy: not a proxy URL: {cause}"),
        })?;
        let timeout = transport.timeout.unsigned_abs();
        let config = Agent::config_builder()
            .timeout_connect(Some(transport.connect_timeout.unsigned_abs()))
            .timeout_global(Some(timeout))
            // A redirect to another host would carry X-Auth-Token along, and one after a POST turns it into a GET.
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(proxy)
            .tls_config(tls(transport)?)
            .max_response_header_size(MAX_RESPONSE_HEADERS)
            .user_agent(concat!("mita/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.new_agent(),
            service,
            timeout,
            max_body: transport.max_body,
            requests: Cell::new(0),
            deadline,
        })
    }

    /// Returns how many requests were made.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Returns what is left of the pass; `None` without a deadline.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.left()
    }

    /// Makes a request. A GET whose kept-alive connection turns out to be closed is repeated once; nothing else is.
    pub fn send(&self, request: &Request<'_>) -> Result<Reply, HttpError> {
        let began = Instant::now();
        match self.send_once(request) {
            Err(HttpError::Broken { cause, .. })
                if request.method == Method::GET
                    && self.requests.get() > 1
                    && began.elapsed() < Duration::from_secs(1) =>
            {
                debug!(
                    "{}: {} {}: {cause}; once more",
                    self.service,
                    request.method,
                    shown(request.url)
                );
                self.send_once(request)
            }
            other => other,
        }
    }

    fn send_once(&self, request: &Request<'_>) -> Result<Reply, HttpError> {
        if self.deadline.left().is_some_and(|left| left.is_zero()) {
            return Err(HttpError::NotSent {
                host: host_of(request.url),
                cause: "no time is left in this pass".to_owned(),
                hint: "; see the setting limits.pass_deadline",
            });
        }
        let began = Instant::now();
        self.requests.set(self.requests.get() + 1);
        let outcome = self.exchange(request);
        let millis = began.elapsed().as_millis();
        let what = format!("{}: {} {}", self.service, request.method, shown(request.url));
        match &outcome {
            Ok(reply) => {
                let id = reply
                    .header("x-openstack-request-id")
                    .or_else(|| reply.header("x-compute-request-id"));
                debug!(
                    "{what}: {} in {millis} ms, {} bytes{}",
                    reply.status,
                    reply.body.len(),
                    shown_id(id)
                );
            }
            Err(error) => debug!("{what}: {error} after {millis} ms"),
        }
        outcome
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Reply, HttpError> {
        let body = request.body.map_or(&[][..], |(_, bytes)| bytes);
        let outcome = if request.body.is_some() || request.method == Method::POST {
            self.run(request, body)?
        } else {
            self.run(request, ())?
        };
        let mut response = outcome.map_err(|error| explain(request.url, &error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = self.read_body(request.url, response.body_mut())?;
        // The lists that are read each pass are not searched: nothing of them is quoted.
        let json = headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        let body = if (200..300).contains(&status) && json {
            body
        } else {
            hide::hide(request, body)
        };
        Ok(Reply { status, headers, body })
    }

    /// Sends a request, within what is left of the pass.
    fn run(&self, request: &Request<'_>, body: impl AsSendBody) -> Result<Response, HttpError> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method.clone())
            .uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some((content_type, _)) = request.body {
            builder = builder.header("content-type", content_type);
        }
        let built = builder.body(body).map_err(|cause| HttpError::Setting {
            what: format!("not a usable request: {cause}"),
        })?;
        let limit = self.deadline.left().map_or(self.timeout, |left| left.min(self.timeout));
        let configured = self.agent.configure_request(built).timeout_global(Some(limit));
        Ok(self.agent.run(configured.build()))
    }

    /// Reads a body whole. ureq counts its own limit before it unpacks, so a small packed reply could grow without
    /// bound: what counts here is what comes out.
    fn read_body(&self, url: &str, body: &mut ureq::Body) -> Result<Vec<u8>, HttpError> {
        let expected = body.content_length().unwrap_or(0).min(self.max_body).min(MAX_RESERVED);
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        body.with_config()
            .limit(u64::MAX)
            .reader()
            .take(self.max_body.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|cause| explain(url, &ureq::Error::from(cause)))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= self.max_body) {
            return Ok(bytes);
        }
        Err(HttpError::TooLarge {
            host: host_of(url),
            limit: self.max_body,
        })
    }
}

fn explain(url: &str, error: &ureq::Error) -> HttpError {
    let host = host_of(url);
    let cause = error.to_string();
    let not_sent = |hint| HttpError::NotSent {
        host: host.clone(),
        cause: cause.clone(),
        hint,
    };
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => not_sent("; is the host name right?"),
        ureq::Error::Timeout(Timeout::Connect) | ureq::Error::ConnectionFailed => not_sent(""),
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => not_sent("; see the setting proxy"),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => not_sent(TLS_HINT),
        ureq::Error::Io(io) if is_unresolved(io) => not_sent("; is the host name right?"),
        ureq::Error::Io(io) if is_unconnected(io) => not_sent(""),
        ureq::Error::Io(io) if is_tls(io) => not_sent(TLS_HINT),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => HttpError::Setting {
            what: format!("not a usable URL: {}", shown(url)),
        },
        _ => HttpError::Broken { host, cause },
    }
}

/// Returns whether a host name could not be looked up, which the standard library shows only in its text.
fn is_unresolved(io: &std::io::Error) -> bool {
    io.to_string().starts_with("failed to lookup address")
}

/// Returns whether an error can only come from connecting. On an open connection the unreachable kinds come after many
/// minutes of repeats, which is longer than any limit here.
fn is_unconnected(io: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        io.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
    )
}

/// Returns whether the TLS handshake failed; it comes before anything is sent.
fn is_tls(io: &std::io::Error) -> bool {
    io.kind() == std::io::ErrorKind::InvalidData
        && io
            .get_ref()
            .is_some_and(|inner| TLS_WORDS.iter().any(|word| inner.to_string().contains(word)))
}

fn tls(transport: &Transport) -> Result<TlsConfig, HttpError> {
    let mut tls = TlsConfig::builder().disable_verification(!transport.verify);
    if let Some(path) = &transport.ca_file {
        tls = tls.root_certs(RootCerts::from(certificates(path)?));
    }
    Ok(tls.build())
}

fn certificates(path: &PathBuf) -> Result<Vec<Certificate<'static>>, HttpError> {
    let setting = |what: String| HttpError::Setting {
        what: format!("ca_file {}: {what}", path.display()),
    };
    let pem = fs::read(path).map_err(|cause| setting(cause.to_string()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(setting("holds no PEM certificate".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
