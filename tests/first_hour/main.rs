//! The first hour of a newcomer: the starter configuration, the script that makes servers join, the steps of README.md.
//!
//! All of mita runs as processes here: these tests start many, and each holds a copy of every open file of this one for a
//! moment, so that a lock of a pass inside of it could seem to be taken.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and read files"
)]
#![allow(
    missing_docs,
    dead_code,
    reason = "test names are the documentation; the site offers more than is used here"
)]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../support/booted.rs"]
mod booted;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;
#[path = "../passes/site.rs"]
mod site;

mod init;
mod readme;
mod user_data;
