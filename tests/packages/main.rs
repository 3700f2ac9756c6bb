//! What packagers and the shells get: the version, and what the build script knows.

#[path = "../../src/build.rs"]
mod build;
mod version;
