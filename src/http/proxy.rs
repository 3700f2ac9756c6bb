//! An HTTP proxy: plain http is handed to it whole, with the full URL; https goes through a tunnel (CONNECT), which
//! ureq makes.
//!
//! Many proxies allow tunnels to port 443 alone, so plain http by CONNECT, as ureq would do it, is refused there.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, TcpConnector, Transport,
};

use super::text::{escaped, host_of};
use super::tls::TlsConnector;
use crate::endpoint::ProxyEndpoint;
use crate::secret::Secret;

/// A proxy and our login there.
#[derive(Debug)]
pub(super) struct Proxy {
    of_ureq: ureq::Proxy,
    host: String,
    /// `Basic ...`.
    authorization: Option<Secret>,
}

impl Proxy {
    pub(super) fn new(endpoint: &ProxyEndpoint) -> Result<Self, String> {
        let ProxyEndpoint { url, login } = endpoint;
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let whole = match login {
            Some((user, password)) => {
                let (user, password) = (escaped(user), escaped(password.reveal()));
                format!("{scheme}://{user}:{password}@{rest}")
            }
            None => format!("{scheme}://{rest}"),
        };
        let authorization = login.as_ref().map(|(user, password)| {
            let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
            Secret::new(format!("Basic {pair}"))
        });
        Ok(Self {
            // The error shows nothing of the URL.
            of_ureq: ureq::Proxy::new(&whole).map_err(|cause| format!("proxy: not a proxy URL: {cause}"))?,
            host: host_of(url),
            authorization,
        })
    }

    pub(super) fn of_ureq(&self) -> ureq::Proxy {
        self.of_ureq.clone()
    }

    /// Its host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }
}

/// Connects to the proxy for plain http; for everything else it is another connector's turn.
#[derive(Debug)]
pub(super) struct ForwardConnector {
    tls: TlsConnector,
}

impl ForwardConnector {
    /// `tls` is for a proxy that is spoken to by https.
    pub(super) fn new(tls: TlsConnector) -> Self {
        Self { tls }
    }
}

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = Either<In, Forwarded>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if let Some(transport) = chained {
            return Ok(Some(Either::A(transport)));
        }
        // The tunnel asks for a connection to the proxy itself without naming the proxy.
        let Some(proxy) = details.config.proxy().filter(|_| !details.needs_tls()) else {
            return Ok(None);
        };
        let uri = proxy.uri();
        let to_proxy = ConnectionDetails {
            uri,
            addrs: details.resolver.resolve(uri, details.config, details.timeout)?,
            resolver: details.resolver,
            config: details.config,
            request_level: details.request_level,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
            run_connector: Arc::clone(&details.run_connector),
            register_shutdown: Arc::clone(&details.register_shutdown),
        };
        let tcp = Connector::<()>::connect(&TcpConnector::default(), &to_proxy, None)?;
        let Some(to_proxy) = self.tls.connect(&to_proxy, tcp)? else {
            return Ok(None);
        };
        let origin = details
            .uri
            .authority()
            .map_or_else(String::new, |host| format!("http://{host}"));
        Ok(Some(Either::B(Forwarded {
            to_proxy: to_proxy.boxed(),
            origin,
            begins: true,
        })))
    }
}

/// A connection to a proxy, on which the first line of each request names the whole URL.
#[derive(Debug)]
pub(super) struct Forwarded {
    to_proxy: Box<dyn Transport>,
    /// `http://HOST:PORT` of the service.
    origin: String,
    /// Whether the next bytes are the beginning of a request.
    begins: bool,
}

impl Transport for Forwarded {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.to_proxy.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !std::mem::take(&mut self.begins) {
            return self.to_proxy.transmit_output(amount, timeout);
        }
        // `GET /path HTTP/1.1`: the origin goes before the path.
        let mut head = self.to_proxy.buffers().output()[..amount].to_vec();
        if let Some(blank) = head.iter().position(|byte| *byte == b' ') {
            head.splice(blank + 1..=blank, self.origin.bytes());
        }
        let mut rest = head.as_slice();
        while !rest.is_empty() {
            let output = self.to_proxy.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            output[..now.len()].copy_from_slice(now);
            self.to_proxy.transmit_output(now.len(), timeout)?;
            rest = later;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // What follows a reply is another request.
        self.begins = true;
        self.to_proxy.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.to_proxy.is_open()
    }

    fn is_tls(&self) -> bool {
        self.to_proxy.is_tls()
    }
}
