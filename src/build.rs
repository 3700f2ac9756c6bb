//! The build script: finds out from which commit the program is built, for `mita --version`.
//!
//! It needs no library. The date is the commit's, not the build's, so that two builds of one commit are equal.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its folder and its environment"
)]

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// How many hexadecimal digits of a commit are shown.
const SHOWN: usize = 7;

/// The commit that a folder was taken from.
#[derive(Debug, PartialEq, Eq)]
pub struct Commit {
    /// The first digits of its hash.
    pub hash: String,
    /// Its day, as `2026-11-30`; a package of crates.io does not tell it.
    pub day: Option<String>,
}

#[cfg_attr(test, expect(dead_code, reason = "tests call what it consists of"))]
fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let commit = commit(&root);
    let hash = commit.as_ref().map_or("", |commit| &commit.hash);
    let day = commit.as_ref().and_then(|commit| commit.day.as_deref());
    let day = day.unwrap_or_default();
    let mut lines = vec![
        format!("cargo:rustc-env=MITA_COMMIT={hash}"),
        format!("cargo:rustc-env=MITA_DAY={day}"),
        format!("cargo:rustc-env=MITA_BUILT_FROM={}", shown(commit.as_ref())),
    ];
    for path in watched(&root) {
        lines.push(format!("cargo:rerun-if-changed={}", path.display()));
    }
    // Without these cargo has nothing to build with, and says so.
    let _ = writeln!(io::stdout(), "{}", lines.join("\n"));
}

/// Returns what follows the version: ` (abc1234, 2026-11-30)`, or nothing.
pub fn shown(commit: Option<&Commit>) -> String {
    match commit {
        Some(Commit { hash, day: Some(day) }) => format!(" ({hash}, {day})"),
        Some(Commit { hash, day: None }) => format!(" ({hash})"),
        None => String::new(),
    }
}

/// Returns the commit of a checkout, or of a package that `cargo package` made; `None` for any other folder.
pub fn commit(root: &Path) -> Option<Commit> {
    packaged(root).or_else(|| checked_out(root))
}

/// Reads what `cargo package` writes: `{"git": {"sha1": "..."}, ...}`.
fn packaged(root: &Path) -> Option<Commit> {
    let text = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let hash = short(rest.split('"').nth(1)?)?;
    Some(Commit { hash, day: None })
}

fn checked_out(root: &Path) -> Option<Commit> {
    let line = git(root, &["log", "-1", "--no-show-signature", "--format=%H %cs"])?;
    let (hash, day) = line.split_once(' ')?;
    Some(Commit {
        hash: short(hash)?,
        day: Some(day.to_owned()),
    })
}

fn short(hash: &str) -> Option<String> {
    let is_hash = hash.len() >= SHOWN && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| hash.chars().take(SHOWN).collect())
}

/// Returns the first line of what git prints about this folder.
///
/// A source archive may lie inside somebody's repository: only a folder that is a checkout itself is asked about. The
/// variables of a git hook name another repository, perhaps.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    root.join(".git").exists().then_some(())?;
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"] {
        command.env_remove(name);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Returns the files that change when another commit is checked out or made. cargo takes a file that is not there for one
/// that changes all the time.
pub fn watched(root: &Path) -> Vec<PathBuf> {
    let place = |name: &str| git(root, &["rev-parse", "--git-path", name]).map(|path| root.join(path));
    let branch = git(root, &["symbolic-ref", "--quiet", "HEAD"]);
    let names = ["HEAD", "logs/HEAD", "packed-refs"]
        .into_iter()
        .chain(branch.as_deref());
    let moving = names.filter_map(place).filter(|path| path.is_file());
    [root.join("src/build.rs")].into_iter().chain(moving).collect()
}
