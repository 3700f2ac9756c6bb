//! Tests of the real binary as a process of its own: two at once, killed, told to end, logging.
//!
//! They stand apart from `passes`: a process that is being started holds a copy of every open file of this one for a
//! moment, a lock that another test has just taken among them.

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
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;
#[path = "../passes/site.rs"]
mod site;

mod crash;
mod fronts;
mod journal;
mod network;
mod removal;
mod secrets;
