//! Stands in for `run` where there are no process groups: a program that cannot be ended with all that it started is
//! not begun.

use std::io;
use std::time::Duration;

use super::ended::Ran;
use crate::provider::exec::program::ExecProgram;

pub(super) fn run(_access: &ExecProgram, _verb: &str, _input: &[u8], _limit: Duration) -> io::Result<Ran> {
    let text = "providers of type exec need a Unix";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
