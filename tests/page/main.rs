//! The status page as a browser shows it: pages that real passes write in several worlds, opened in Debian's Chromium.
//!
//! `MITA_PAGES=DIR` keeps the pages and their pictures there.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and read files"
)]
#![allow(
    missing_docs,
    dead_code,
    reason = "test names are the documentation; the site offers more than is used here"
)]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;
#[path = "../passes/site.rs"]
mod site;

mod worlds;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian has it.
const CHROMIUM: &str = "/usr/bin/chromium";

fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    if let Some(folder) = env::var_os("MITA_PAGES") {
        fs::create_dir_all(&folder).unwrap();
        return (PathBuf::from(folder), None);
    }
    let folder = tempfile::tempdir().unwrap();
    (folder.path().to_owned(), Some(folder))
}

#[test]
fn pages_are_fit_for_a_wall_and_for_a_telephone() {
    let (folder, temporary) = folder();
    for (name, page) in worlds::all() {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    let program = env::var("MITA_CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/check.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(program).arg(&folder);
    if temporary.is_none() {
        command.arg(&folder);
    }
    let done = command.output().expect("python3 runs");
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{out}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(out.matches(" texts, ").count(), 4 * worlds::count(), "{out}");
}
