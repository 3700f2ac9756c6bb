//! A program of the operator. No behaviour.

use std::collections::BTreeMap;
use std::path::Path;

/// A program, and how it is started.
#[derive(Debug)]
pub struct Program<'p> {
    /// The executable, with its whole path.
    pub executable: &'p Path,
    /// Its arguments.
    pub arguments: Vec<&'p str>,
    /// The folder in which it runs.
    pub folder: &'p Path,
    /// The whole environment that it gets.
    pub environment: BTreeMap<&'p str, &'p str>,
    /// Largest output that is accepted, in bytes.
    pub max_output: u64,
}
