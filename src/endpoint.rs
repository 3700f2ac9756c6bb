//! How to reach Jenkins, and how to speak HTTP: what `config` fills in and the clients are given. No behaviour.
//!
//! It is apart from `config` so that `http` and `jenkins` need to know nothing of the configuration. Each kind of cloud
//! has an `endpoint` of its own in its folder.

use std::path::PathBuf;

use jiff::SignedDuration;

use crate::secret::Secret;

/// How to reach Jenkins.
#[derive(Clone, Debug)]
pub struct JenkinsEndpoint {
    /// The base URL, context path included, no slash at the end.
    pub url: String,
    /// The user name at Jenkins.
    pub user: String,
    /// How the user proves it.
    pub credential: JenkinsCredential,
    /// Transport settings.
    pub transport: Transport,
}

/// The two ways in. A token needs no crumb, a password does.
#[derive(Clone, Debug)]
pub enum JenkinsCredential {
    /// An API token.
    Token(Secret),
    /// A password.
    Password(Secret),
}

/// How to speak HTTP with one service; read by `http`.
#[derive(Clone, Debug)]
pub struct Transport {
    /// A PEM file with certificates that are trusted beside those of the machine.
    pub ca_file: Option<PathBuf>,
    /// Whether those of the file alone are trusted.
    pub ca_file_only: bool,
    /// Whether certificates are verified.
    pub verify: bool,
    /// An HTTP proxy.
    pub proxy: Option<ProxyEndpoint>,
    /// Whether replies are asked for in compressed form.
    pub compress: Compress,
    /// Limit for the connection.
    pub connect_timeout: SignedDuration,
    /// Limit for a whole request.
    pub timeout: SignedDuration,
    /// Largest body that is accepted, in bytes.
    pub max_body: u64,
}

/// Whether replies are asked for in compressed form (`compress`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compress {
    /// Where that saves more time than it costs.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to reach an HTTP proxy.
#[derive(Clone, Debug)]
pub struct ProxyEndpoint {
    /// `http://HOST:PORT`, or with https.
    pub url: String,
    /// The user and the password, where it wants them.
    pub login: Option<(String, Secret)>,
}
