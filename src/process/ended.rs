//! How a run of the program ended, and what it wrote.

use std::fmt;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With an exit code.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// It took too long and was killed.
    TimedOut,
    /// It wrote too much to stdout and was killed.
    TooLarge,
}

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("killed after its time-out"),
            Self::TooLarge => f.write_str("killed, as its answer is too large"),
        }
    }
}

/// A run.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ended: RunEnd,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr: its last bytes only.
    pub stderr: Vec<u8>,
}
