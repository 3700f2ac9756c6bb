//! `mita leaks`.

mod found;
mod list;
mod servers;

pub use found::{Leak, LeakKind, LeakOwner};
pub use list::{everything, leaks};
