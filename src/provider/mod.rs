//! Clouds: the trait that each kind implements, and the kinds. A further kind is a new folder here and a line in
//! `kinds`.

mod cloud;
mod error;
pub mod exec;
pub mod kind;
pub mod kinds;
pub mod openstack;

pub use crate::http::Deadline;
pub use cloud::{AddFloatingIp, CreateServer, Deleted, Lookup, Provider, ServerList};
pub use error::ProviderError;
