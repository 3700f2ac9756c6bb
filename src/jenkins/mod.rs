//! Jenkins over its remote API: two GETs that see all of it, and the few POSTs that take a node away safely.
//!
//! It knows nothing of the configuration, the state or the plan.

mod address;
mod check;
mod client;
mod create;
mod error;
mod job;
mod list;
mod read;
mod remove;
mod script;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use address::may_be_agent;
pub use client::Client;
pub use create::{Created, HostKeyCheck, Launcher, NewNode, NodeUsage};
pub use error::JenkinsError;
pub use remove::{Drained, NodeRemoval, RemoveNode};
pub use wire::NodeState;
