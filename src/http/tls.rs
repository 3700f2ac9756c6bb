//! Speaks TLS over a connection, with one configuration for all connections of a client.
//!
//! ureq's own connector would build it anew for each connection, as the time limit of each request is another.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use thiserror::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::trust::Store;

/// Whom a client trusts.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    /// The machine's store.
    Machine,
    /// The machine's store and a file.
    MachineAnd(Store),
    /// A file alone.
    Only(Store),
    /// Anybody.
    Anybody,
}

impl Trust {
    /// Reads the file, where there is one; the machine's store is left for later.
    pub(super) fn new(verify: bool, file: Option<&PathBuf>, only: bool) -> Result<Self, String> {
        if !verify {
            return Ok(Self::Anybody);
        }
        let Some(path) = file else { return Ok(Self::Machine) };
        let store = Store::of_file(path).map_err(|what| format!("ca_file {}: {what}", path.display()))?;
        Ok(if only {
            Self::Only(store)
        } else {
            Self::MachineAnd(store)
        })
    }

    /// Returns whom, in words; reads the machine's store.
    pub(super) fn shown(&self) -> String {
        match self.store() {
            Some(store) => store.shown,
            None => "anybody (verify: false)".to_owned(),
        }
    }

    /// Returns how a further CA comes to be among them.
    pub(super) fn advice(&self) -> String {
        let store = match self {
            Self::Only(_) => {
                return "add the CA of this service to the file of ca_file, or remove ca_file_only".to_owned();
            }
            Self::MachineAnd(_) => return "add the CA of this service to the file of ca_file".to_owned(),
            Self::Machine | Self::Anybody => Store::of_machine(),
        };
        let place = store
            .variable()
            .map_or_else(|| "the machine's store".to_owned(), |name| format!("what {name} names"));
        format!("add the CA of this service to {place}, or name its file by ca_file")
    }

    fn store(&self) -> Option<Store> {
        match self {
            Self::Machine => Some(Store::of_machine().clone()),
            Self::MachineAnd(file) => Some(Store::of_machine().with(file)),
            Self::Only(file) => Some(file.clone()),
            Self::Anybody => None,
        }
    }

    fn client_config(&self) -> Result<ClientConfig, ureq::Error> {
        let provider = Arc::new(default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let builder = match self.store() {
            Some(store) => builder.with_root_certificates(store.roots),
            None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)),
        };
        Ok(builder.with_no_client_auth())
    }
}

/// Makes a connection one of TLS where the URL asks for it.
#[derive(Debug)]
pub(super) struct TlsConnector {
    trust: Arc<Trust>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    pub(super) fn new(trust: Arc<Trust>) -> Self {
        Self {
            trust,
            config: OnceLock::new(),
        }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, ureq::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.trust.client_config()?);
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| failed(rustls::Error::UnsupportedNameType))?;
        let mut conn = ClientConnection::new(self.config()?, name).map_err(failed)?;
        let mut sock = TransportAdapter::new(transport.boxed(), Arc::clone(&details.current_time));
        sock.set_timeout(details.timeout);
        if let Err(cause) = conn.complete_io(&mut sock) {
            return Err(match ureq::Error::from(cause) {
                ureq::Error::Io(cause) => ureq::Error::Io(std::io::Error::other(Handshake(cause))),
                limit => limit,
            });
        }
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(input, output),
            stream: StreamOwned { conn, sock },
        })))
    }
}

/// A connection of TLS.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// What went wrong before a connection was one of TLS, so that nothing of a request was sent.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Handshake(#[source] std::io::Error);

impl Handshake {
    /// Returns what rustls has against the peer; `None` where the connection itself broke.
    pub(super) fn reason(&self) -> Option<&rustls::Error> {
        self.0.get_ref()?.downcast_ref()
    }
}

fn failed(error: rustls::Error) -> ureq::Error {
    let cause = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    ureq::Error::Io(std::io::Error::other(Handshake(cause)))
}

/// Takes any certificate (`verify: false`).
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        use SignatureScheme as S;
        vec![
            S::RSA_PKCS1_SHA1,
            S::RSA_PKCS1_SHA256,
            S::RSA_PKCS1_SHA384,
            S::RSA_PKCS1_SHA512,
            S::ECDSA_NISTP256_SHA256,
            S::ECDSA_NISTP384_SHA384,
            S::ECDSA_NISTP521_SHA512,
            S::RSA_PSS_SHA256,
            S::RSA_PSS_SHA384,
            S::RSA_PSS_SHA512,
            S::ED25519,
            S::ED448,
        ]
    }
}
