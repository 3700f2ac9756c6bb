//! What is made for a server before it, so that it can join Jenkins.

use crate::config::script::{HostKeyPair, Joining};
use crate::secret::Secret;

/// What a server is given to join Jenkins with.
pub(super) enum Prepared {
    /// Nothing: its script knows how, or Jenkins comes to it.
    Nothing,
    /// The secret of its node.
    Secret(Secret),
    HostKey(HostKeyPair),
}

impl Prepared {
    /// Returns it as a script sees it.
    pub(super) fn values(&self) -> Joining<'_> {
        match self {
            Self::Nothing => Joining::Nothing,
            Self::Secret(secret) => Joining::Secret(secret),
            Self::HostKey(pair) => Joining::HostKey(pair),
        }
    }
}
