//! The program, and the tools of other people that read what it prints.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program.
pub fn mita(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mita"))
        .args(arguments)
        .env_remove("MITA_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs the program and returns what it printed.
#[track_caller]
pub fn printed(arguments: &[&str]) -> String {
    let output = mita(arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{arguments:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a command of a tool, or `None` with a word about it where the machine lacks it. With `MITA_ALL_TOOLS` set, as
/// `.ci/run` sets it where it could install them, one that is missing fails the test.
pub fn tool(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if found {
        return Some(Command::new(name));
    }
    assert!(std::env::var_os("MITA_ALL_TOOLS").is_none(), "{name} is not installed");
    eprintln!("{name} is not installed: not checked");
    None
}

/// Runs a tool to its end and returns stdout; whatever it says on stderr, or an exit code other than 0, is a failure.
#[track_caller]
pub fn accepted(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(
        output.status.success() && err.is_empty(),
        "{command:?}: {}\n{out}\n{err}",
        output.status
    );
    out
}

/// Returns a file of the source.
pub fn source(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
