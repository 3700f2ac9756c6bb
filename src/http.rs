//! The only place that builds a ureq agent: its limits, its TLS, its proxy.
//!
//! What a status means is left to the clients (`jenkins`, `provider`). Every default of ureq that a scheduled job must
//! not have is set on purpose here: no time limit, redirects that are followed, a proxy taken from the environment, an
//! error status that hides the body, a body without a bound that we chose.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long a request takes")]

mod deadline;
mod error;
mod hide;
mod message;
mod proxy;
mod resolver;
mod text;
mod tls;
mod trust;

use std::cell::Cell;
use std::io::Read as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::debug;
use ureq::http::Method;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, AsSendBody};

pub use deadline::Deadline;
pub use error::HttpError;
pub use message::{Reply, Request};
pub use text::escaped;

use crate::endpoint::{Compress, Transport};
use error::{Route, explain};
use proxy::{ForwardConnector, Proxy};
use resolver::PassResolver;
use text::{host_of, shown, shown_id};
use tls::{TlsConnector, Trust};

/// The most bytes of response headers that are read (Jenkins' content security headers alone take 1 KiB).
const MAX_RESPONSE_HEADERS: usize = 64 * 1024;
/// What is read at once of a reply; all headers have to fit.
const INPUT_BUFFER: usize = MAX_RESPONSE_HEADERS + 16 * 1024;
/// What is sent at once; a line of a header has to fit, and no service takes one of half the size. A connection is given
/// both buffers filled with zeros, which in a small pass is much of the work.
const OUTPUT_BUFFER: usize = 32 * 1024;

/// The most bytes that are reserved for a `Content-Length`.
const MAX_RESERVED: u64 = 64 * 1024 * 1024;

/// What ureq makes of a request.
type Response = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// A connection to one service, kept alive over a pass.
#[derive(Debug)]
pub struct Http {
    agent: Agent,
    trust: Arc<Trust>,
    proxy: Option<Proxy>,
    service: &'static str,
    timeout: Duration,
    max_body: u64,
    compress: Compress,
    requests: Cell<u64>,
    deadline: Deadline,
}

impl Http {
    /// Builds a client. `service` names it in logs (`jenkins`, `openstack`).
    pub fn new(service: &'static str, transport: &Transport, deadline: Deadline) -> Result<Self, HttpError> {
        let setting = |what| HttpError::Setting { what };
        let proxy = transport.proxy.as_ref().map(Proxy::new).transpose().map_err(setting)?;
        let trust = Trust::new(transport.verify, transport.ca_file.as_ref(), transport.ca_file_only);
        let trust = Arc::new(trust.map_err(setting)?);
        let timeout = transport.timeout.unsigned_abs();
        let config = Agent::config_builder()
            .timeout_connect(Some(transport.connect_timeout.unsigned_abs()))
            .timeout_global(Some(timeout))
            // A redirect to another host would carry X-Auth-Token along, and one after a POST turns it into a GET.
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(proxy.as_ref().map(Proxy::of_ureq))
            .max_response_header_size(MAX_RESPONSE_HEADERS)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .user_agent(concat!("mita/", env!("CARGO_PKG_VERSION")))
            .build();
        let tls = || TlsConnector::new(Arc::clone(&trust));
        let connector =
            ().chain(ForwardConnector::new(tls()))
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls());
        Ok(Self {
            agent: Agent::with_parts(config, connector, PassResolver::new(DefaultResolver::default())),
            trust,
            proxy,
            service,
            timeout,
            max_body: transport.max_body,
            compress: transport.compress,
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

    /// Returns whether other services wait while this one is waited for.
    pub fn is_shared(&self) -> bool {
        self.deadline.is_shared()
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
                hint: "; see the setting limits.pass_deadline".into(),
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
        let mut response = outcome.map_err(|error| self.explain(request.url, &error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        if status == 407
            && let Some(proxy) = self.forwards(request.url)
        {
            return Err(HttpError::proxy_refuses(request.url, proxy.host()));
        }
        let body = self.read_body(request.url, response.body_mut())?;
        // The lists that are read each pass are not searched: nothing of them is quoted.
        let json = headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        let body = if (200..300).contains(&status) && json {
            body
        } else {
            hide::hide(request, self.proxy.as_ref().and_then(Proxy::authorization), body)
        };
        Ok(Reply { status, headers, body })
    }

    /// Returns the proxy that is handed a request as it is, and not only bytes in a tunnel.
    fn forwards(&self, url: &str) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|_| !is_https(url))
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
        if let Some(login) = self.forwards(request.url).and_then(Proxy::authorization) {
            builder = builder.header("proxy-authorization", login.reveal());
        }
        let built = builder.body(body).map_err(|cause| HttpError::Setting {
            what: format!("not a usable request: {cause}"),
        })?;
        let limit = self.deadline.left().map_or(self.timeout, |left| left.min(self.timeout));
        let mut configured = self.agent.configure_request(built).timeout_global(Some(limit));
        if !self.compresses(request.url) {
            configured = configured.accept_encoding("");
        }
        Ok(self.agent.run(configured.build()))
    }

    /// Returns whether a reply is asked for in compressed form. Packing it takes a service longer than sending it over a
    /// link of a gigabit and more; that a link is so fast is known of one that does not leave the machine.
    fn compresses(&self, url: &str) -> bool {
        match self.compress {
            Compress::Always => true,
            Compress::Never => false,
            Compress::Auto => self.proxy.is_some() || !is_loopback(url),
        }
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
            .map_err(|cause| self.explain(url, &ureq::Error::from(cause)))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= self.max_body) {
            return Ok(bytes);
        }
        Err(HttpError::TooLarge {
            host: host_of(url),
            limit: self.max_body,
        })
    }

    fn explain(&self, url: &str, error: &ureq::Error) -> HttpError {
        let route = Route {
            proxy: self.proxy.as_ref().map(Proxy::host),
            trusted: &|| self.trust.shown(),
            to_trust: &|| self.trust.advice(),
            limit: self.timeout,
        };
        explain(url, error, &route)
    }
}

/// Returns whether a URL names this machine, by an address or as `localhost`.
fn is_loopback(url: &str) -> bool {
    let host = ureq::http::Uri::try_from(url)
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    })
}

fn is_https(url: &str) -> bool {
    url.get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

#[cfg(test)]
mod tests;
