//! Clouds: the trait that each kind implements, and the kinds. A further kind is a new folder here and a `connect` of
//! its own.

mod cloud;
mod error;
pub mod exec;
pub mod openstack;

use crate::access::{ExecAccess, OpenStackAccess};
use crate::http::Deadline;

pub use cloud::{AddFloatingIp, CreateServer, Deleted, Lookup, Provider, ServerList};
pub use error::ProviderError;

/// Prepares the client of an OpenStack. Nothing is sent until something is asked of it.
pub fn connect(access: &OpenStackAccess, deadline: Deadline) -> Result<Box<dyn Provider>, ProviderError> {
    Ok(Box::new(openstack::OpenStack::new(access, deadline)?))
}

/// Prepares an executable of the operator as a cloud. Nothing is run until something is asked of it.
pub fn connect_exec(access: &ExecAccess, deadline: Deadline) -> Box<dyn Provider> {
    Box::new(exec::Exec::new(access, deadline))
}
