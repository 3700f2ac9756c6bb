//! Why a request to a cloud failed.

use thiserror::Error;

/// Why a request to a cloud failed, by what the caller does about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// The quota of servers is used up: no further one fits, whatever its size.
    #[error("over quota: {0}")]
    ServerQuota(String),
    /// Another quota of the project is used up: a smaller request may fit.
    #[error("over quota: {0}")]
    Quota(String),
    /// No host has room.
    #[error("no capacity: {0}")]
    Capacity(String),
    /// The request itself is refused: a bad image, flavor, key, network.
    #[error("refused: {0}")]
    Refused(String),
    /// The zone is not there, or not for us: another one may do.
    #[error("zone refused: {0}")]
    Zone(String),
    /// The login, or a permission.
    #[error("not allowed: {0}")]
    Auth(String),
    /// What was asked for is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// Not in this state (a locked server).
    #[error("conflict: {0}")]
    Conflict(String),
    /// Too many requests.
    #[error("throttled: {message}")]
    Throttled {
        /// The service's message.
        message: String,
        /// Seconds after which to come again.
        retry_after: Option<u64>,
    },
    /// A create was sent and its outcome is not known: the server may exist.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Could not be reached, or the service failed, and nothing was changed.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A 404 that is not the service's own: a gateway, a proxy or a wrong address answered, and nothing was changed.
    #[error("misrouted: {0}")]
    Misrouted(String),
    /// The service failed at something that this one create needs first, and no server was asked for.
    #[error("failed: {0}")]
    Failed(String),
    /// An answer that is not what the API promises.
    #[error("bad answer: {0}")]
    BadAnswer(String),
}
