//! `mita leaks`.

mod count;
mod found;
mod list;
mod servers;

pub use count::count;
pub use found::{Leak, LeakKind, LeakOwner};
pub use list::{everything, leaks};
