//! Runs a program of the operator: one text in, one text out, within a time and a size.

mod ended;
#[cfg(unix)]
mod run;
#[cfg(not(unix))]
#[path = "run_elsewhere.rs"]
mod run;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

pub use ended::{Ran, RunEnd};

/// A program, and how it is started.
#[derive(Debug)]
pub struct Program<'p> {
    /// The executable, with its whole path.
    pub program: &'p Path,
    /// Its arguments.
    pub arguments: Vec<&'p str>,
    /// The folder in which it runs.
    pub folder: &'p Path,
    /// The whole environment that it gets.
    pub environment: BTreeMap<&'p str, &'p str>,
    /// Largest output that is accepted, in bytes.
    pub max_output: u64,
}

/// Runs a program with a text on its stdin, for a time at most. An error means that it was not started.
pub fn run(program: &Program<'_>, input: &[u8], limit: Duration) -> io::Result<Ran> {
    run::run(program, input, limit)
}
