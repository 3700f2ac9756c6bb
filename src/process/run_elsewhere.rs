//! Stands in for `run` where there are no process groups: a program that cannot be ended with all that it started is
//! not begun.

use std::io;
use std::time::Duration;

use super::ended::Ran;
use super::program::Program;

pub fn run(_program: &Program<'_>, _input: &[u8], _limit: Duration) -> io::Result<Ran> {
    let text = "a program can be run on a Unix alone";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
