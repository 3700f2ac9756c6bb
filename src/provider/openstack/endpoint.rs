//! How to get into an OpenStack: what its settings fill in and the client is given. No behaviour.

use std::path::PathBuf;

use crate::endpoint::Transport;
use crate::secret::Secret;

/// How to get into an OpenStack.
#[derive(Clone, Debug)]
pub struct OpenStackEndpoint {
    /// Keystone's base URL, without a version and without a slash at the end.
    pub auth_url: String,
    /// What is proven to Keystone.
    pub auth: KeystoneAuth,
    /// The region; `None`: the only one of the catalog.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// Endpoints that replace those of the catalog.
    pub endpoints: EndpointOverrides,
    /// Where the token is kept between passes; `None`: nowhere.
    pub token_cache: Option<TokenCache>,
    /// Transport settings.
    pub transport: Transport,
}

/// The file in which a token outlives a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCache {
    /// The file.
    pub path: PathBuf,
    /// Whether it may be written: only by who holds the lock of a pass.
    pub writes: bool,
}

/// A name or an id, where Keystone takes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrId {
    /// By name.
    Name(String),
    /// By id.
    Id(String),
}

/// What is proven to Keystone.
#[derive(Clone, Debug)]
pub enum KeystoneAuth {
    /// v2.0 with a password.
    V2Password {
        /// The user.
        username: String,
        /// The password.
        password: Secret,
        /// The tenant.
        tenant: NameOrId,
    },
    /// v3 with a password.
    V3Password {
        /// The user.
        user: NameOrId,
        /// The user's domain (not sent when the user is given by id).
        user_domain: NameOrId,
        /// The password.
        password: Secret,
        /// The project.
        project: NameOrId,
        /// The project's domain (not sent when the project is given by id).
        project_domain: NameOrId,
    },
    /// v3 with an application credential, by id; no scope is sent.
    V3ApplicationCredential {
        /// The credential's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// v3 with an application credential, by its name among those of a user; no scope is sent.
    V3NamedCredential {
        /// The credential's name.
        name: String,
        /// The user it belongs to.
        user: NameOrId,
        /// The user's domain (not sent when the user is given by id).
        user_domain: NameOrId,
        /// Its secret.
        secret: Secret,
    },
    /// v3 with a token that was made elsewhere, for a project.
    V3Token {
        /// The token.
        token: Secret,
        /// The project.
        project: NameOrId,
        /// The project's domain (not sent when the project is given by id).
        project_domain: NameOrId,
    },
}

impl KeystoneAuth {
    /// Returns the one secret of the login.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::V2Password { password, .. } | Self::V3Password { password, .. } => password,
            Self::V3ApplicationCredential { secret, .. } | Self::V3NamedCredential { secret, .. } => secret,
            Self::V3Token { token, .. } => token,
        }
    }
}

/// What stands for the project in an endpoint that the configuration names, as other clients write it.
pub const PROJECT_MARKS: [&str; 4] = ["%(project_id)s", "$(project_id)s", "%(tenant_id)s", "$(tenant_id)s"];

/// Endpoints that replace those of the catalog (libcloud's `base_url` and others).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointOverrides {
    /// Compute, complete with version and, where the cloud wants it, project.
    pub compute: Option<String>,
    /// Image.
    pub image: Option<String>,
    /// Network.
    pub network: Option<String>,
    /// Block storage.
    pub volume: Option<String>,
}
