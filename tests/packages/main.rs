//! What packagers and the shells get: the version, the completions, the manual pages, the files of a package.

#[path = "../../src/build.rs"]
mod build;
mod completions;
mod manual;
mod tool;
mod units;
mod version;
