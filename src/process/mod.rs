//! Runs a program of the operator: one text in, one text out, within a time and a size.

mod ended;
mod program;
#[cfg(unix)]
mod run;
#[cfg(not(unix))]
#[path = "run_elsewhere.rs"]
mod run;

use std::io;
use std::time::Duration;

pub use ended::{Ran, RunEnd};
pub use program::Program;

/// Runs a program with a text on its stdin, for a time at most. An error means that it was not started.
pub fn run(program: &Program<'_>, input: &[u8], limit: Duration) -> io::Result<Ran> {
    run::run(program, input, limit)
}
