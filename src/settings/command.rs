//! Finds an executable of the operator that the configuration names, and what it gets of our environment.
//!
//! A program whose name holds a slash is a path, relative to the configuration file; a bare name is a file beside the
//! configuration file, else one that `PATH` leads to. Whether a command is given at all is judged by who reads the key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::settings::files::{Folders, Outside, readable_by_others};
use crate::settings::problem::quoted;
use crate::text::visible;

/// What a command gets of our own environment: where things are, who we are, how to write texts and times. Nothing that
/// may hold a secret, such as `MITA_JENKINS_TOKEN`.
const INHERITED: [&str; 9] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
];

/// Where programs are looked for without a `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A command that was found.
#[derive(Debug, Default)]
pub struct Command {
    /// The executable, with its whole path.
    pub program: PathBuf,
    /// The folder of the configuration file.
    pub folder: PathBuf,
    /// What it gets of our environment.
    pub inherited: BTreeMap<String, String>,
}

/// Finds a program; `path` is the `PATH` of the configuration.
pub fn find(program: &str, path: Option<&str>, outside: &Outside<'_>) -> Result<Command, String> {
    let (folders, env) = (outside.folders, outside.env);
    let folder = if folders.config().as_os_str().is_empty() {
        Path::new(".")
    } else {
        folders.config()
    };
    // The command runs in that folder, where a path relative to ours would lead elsewhere.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let path = path.map(str::to_owned).or_else(|| env("PATH"));
    let path = path.unwrap_or_else(|| PATH.to_owned());
    let program = folder.join(resolve(program, &path, folders)?);
    let mut inherited: BTreeMap<String, String> = INHERITED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), env(name)?)))
        .collect();
    inherited.insert("PATH".to_owned(), path);
    Ok(Command {
        program,
        folder,
        inherited,
    })
}

/// Returns a warning about a program that everyone could change.
pub fn warning(command: &Command) -> Option<String> {
    let shown = visible(&command.program.display().to_string());
    readable_by_others(&command.program, 0o002).then(|| format!("{shown} can be changed by everyone; chmod o-w it"))
}

fn resolve(program: &str, path: &str, folders: &Folders) -> Result<PathBuf, String> {
    let beside = folders.resolve(program)?;
    if program.contains('/') {
        return match fault(&beside) {
            None => Ok(beside),
            Some(fault) => Err(format!(
                "cannot run {}: {fault}",
                visible(&beside.display().to_string())
            )),
        };
    }
    let on_path = path.split(':').filter(|folder| folder.starts_with('/'));
    let mut places = std::iter::once(beside).chain(on_path.map(|folder| Path::new(folder).join(program)));
    places.find(|place| fault(place).is_none()).ok_or_else(|| {
        let hint = if program.contains(' ') {
            "write the command as a list: [program, argument]"
        } else {
            "write its path, or set environment.PATH"
        };
        format!(
            "there is no executable {} beside this file or in {}; {hint}",
            quoted(program),
            visible(path)
        )
    })
}

/// Returns why a file cannot be run, as far as that is seen without running it.
fn fault(path: &Path) -> Option<String> {
    match std::fs::metadata(path) {
        Err(error) => Some(format!("{error}; check path and permissions")),
        Ok(meta) if !meta.is_file() => Some("it is no file; name the program in it".to_owned()),
        Ok(_) if cfg!(unix) && !readable_by_others(path, 0o111) => Some("it is not executable; chmod +x it".to_owned()),
        Ok(_) => None,
    }
}
