//! How a run of the program ended, and what it wrote.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With an exit code.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// It took too long and was killed.
    TimedOut,
    /// It wrote too much to stdout and was killed.
    TooLarge,
}

/// A run.
#[derive(Debug)]
pub(super) struct Ran {
    pub ended: Ended,
    pub stdout: Vec<u8>,
    /// The end of it.
    pub stderr: Vec<u8>,
}
