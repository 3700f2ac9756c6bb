//! The configuration file: what is accepted, what it means, and the exact lines about what is not.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: it makes files and fails by panicking"
)]

mod clouds_yaml;
mod effective;
mod example;
mod excerpts;
mod exec;
mod hints;
mod kinds;
mod mistakes;
mod pools;
mod provider;
mod register;
mod schema;
mod script;
mod secrets;
mod servers;
mod site;
mod template;
mod top;
mod yaml;
