//! What can go wrong between mita and Jenkins, with the distinctions that a caller acts on.
//!
//! Turning a reply into one of them is left to `client`.

use thiserror::Error;

use crate::http::HttpError;

/// Why a request to Jenkins failed. `what` is the request: `GET queue/api/json`.
#[derive(Debug, Error)]
pub enum JenkinsError {
    /// The settings or a name cannot be used; nothing was sent.
    #[error("{what}")]
    Unusable {
        /// Which, why, and what to do.
        what: String,
    },
    /// No reply, or not a whole one.
    #[error("Jenkins cannot be reached: {what}")]
    Unreachable {
        what: String,
        #[source]
        source: HttpError,
    },
    /// Jenkins does not accept the credentials (401), or they did not arrive.
    #[error("Jenkins does not accept the credentials: {what}: {hint}")]
    Auth {
        what: String,
        /// What to check.
        hint: &'static str,
    },
    /// The user lacks a permission (403).
    #[error("Jenkins refuses: {what}: user {user} lacks {permission}")]
    Forbidden {
        what: String,
        /// The user that Jenkins saw.
        user: String,
        /// The permission by its name in the UI (`Agent/Delete`), or Jenkins' text.
        permission: String,
    },
    #[error("Jenkins has no such page: {what}; is the context path in jenkins.url right?")]
    NotFound { what: String },
    /// Jenkins is starting, or a proxy reports that it is down (503).
    #[error("Jenkins is not ready: {what}: {detail}")]
    Starting {
        what: String,
        /// What the page said.
        detail: String,
    },
    /// A reply that is not Jenkins'.
    #[error("not Jenkins (a proxy or a login page?): {what}: {excerpt}")]
    NotJenkins {
        what: String,
        /// The beginning of the reply.
        excerpt: String,
    },
    /// A reply of Jenkins that has another shape than the API's.
    #[error("Jenkins gave an unreadable answer: {what}: {reason}")]
    BadAnswer {
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A redirect away from Jenkins (30x), which is never followed.
    #[error("Jenkins is elsewhere: {what} is redirected to {location}; {hint}")]
    Moved {
        what: String,
        /// Where it points.
        location: String,
        /// What to do.
        hint: String,
    },
    /// Any other status.
    #[error("Jenkins failed: {what}: status {status}: {detail}")]
    Failed {
        what: String,
        status: u16,
        /// What Jenkins said.
        detail: String,
    },
}
