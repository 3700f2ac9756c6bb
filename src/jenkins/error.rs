//! What can go wrong between mita and Jenkins, with the distinctions that a caller acts on.
//!
//! Turning a reply into one of them is left to `client`.

use thiserror::Error;

use crate::http::HttpError;

/// Why Jenkins did not do, or did not tell, what it was asked. `what` is the request in words: `GET queue/api/json`.
#[derive(Debug, Error)]
pub enum JenkinsError {
    /// The settings or a name cannot be used; nothing was sent.
    #[error("{what}")]
    Unusable {
        /// What, why, what to do.
        what: String,
    },
    /// No reply, or not a whole one.
    #[error("Jenkins cannot be reached: {what}")]
    Unreachable {
        /// The request.
        what: String,
        /// What the transport said.
        #[source]
        source: HttpError,
    },
    /// Jenkins does not accept the credentials (401), or they did not arrive.
    #[error("Jenkins does not accept the credentials: {what}: {hint}")]
    Auth {
        /// The request.
        what: String,
        /// What to look at.
        hint: &'static str,
    },
    /// The user lacks a permission (403).
    #[error("Jenkins refuses: {what}: user {user} lacks {permission}")]
    Forbidden {
        /// The request.
        what: String,
        /// As whom Jenkins saw us.
        user: String,
        /// The permission as the UI calls it (`Agent/Delete`), or what Jenkins said instead.
        permission: String,
    },
    /// Not there (404).
    #[error("Jenkins has no such page: {what}; is the context path in jenkins.url right?")]
    NotFound {
        /// The request.
        what: String,
    },
    /// Jenkins is starting, or a proxy before it says that it is down (503).
    #[error("Jenkins is not ready: {what}: {detail}")]
    Starting {
        /// The request.
        what: String,
        /// What the page said.
        detail: String,
    },
    /// A reply that no Jenkins gives.
    #[error("not Jenkins (a proxy or a login page?): {what}: {excerpt}")]
    NotJenkins {
        /// The request.
        what: String,
        /// The beginning of the reply.
        excerpt: String,
    },
    /// A reply of Jenkins that is not of the promised shape.
    #[error("Jenkins gave an unreadable answer: {what}: {reason}")]
    BadAnswer {
        /// The request.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A redirect away from Jenkins (30x), which is never followed.
    #[error("Jenkins is elsewhere: {what} is redirected to {location}; {hint}")]
    Moved {
        /// The request.
        what: String,
        /// Where it points.
        location: String,
        /// What to do.
        hint: String,
    },
    /// Any other status.
    #[error("Jenkins failed: {what}: status {status}: {detail}")]
    Failed {
        /// The request.
        what: String,
        /// The status.
        status: u16,
        /// What Jenkins said.
        detail: String,
    },
}
