//! What packagers and the shells get: the version, the completions, the manual pages, the files of a package.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may panic, start processes, write files, and say what they could not check"
)]

#[path = "../../src/build.rs"]
mod build;
mod completions;
mod manual;
mod tool;
mod units;
mod version;
