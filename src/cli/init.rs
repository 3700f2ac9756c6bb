//! `init`: writes a starter configuration from a real cloud and a real Jenkins.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: reads the environment, and makes two files that were not there"
)]

mod ask;
mod choice;
mod lines;
mod login;
mod starter;
#[cfg(test)]
mod tests;
mod wanted;

use std::env;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::config;
use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::text::{plural, visible};

use super::args::{Cli, InitArgs};
use super::console::Console;
use starter::{Facts, JenkinsLogin, SCRIPT_FILE};

/// The script that joins a server to Jenkins as an inbound agent.
const SCRIPT: &str = include_str!("../../examples/user-data/inbound.sh");
/// The configuration names files of secrets, and may get secrets of its own.
const CONFIG_MODE: u32 = 0o600;
/// A script holds none.
const SCRIPT_MODE: u32 = 0o644;

/// Asks what there is, and writes the configuration.
pub fn init(cli: &Cli, args: &InitArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let path = cli.config.clone().unwrap_or_else(|| PathBuf::from("./mita.yaml"));
    if path.symlink_metadata().is_ok() {
        return Err(cannot_write(&path, ErrorKind::AlreadyExists.into()));
    }
    let script = path.with_file_name(SCRIPT_FILE);
    let has_script = has_script(&script)?;
    let variable = |name: &str| env::var(name).ok();
    let login = login::cloud_login(args.cloud.as_deref(), &variable);
    let answers = ask::ask(&login, args, &variable, console)?;
    for sentence in &answers.unread {
        console.error(sentence);
    }
    let facts = Facts {
        login,
        cloud: answers.cloud,
        jenkins: JenkinsLogin {
            url: args.jenkins.clone(),
            user: args.user.clone(),
            token_file: args.token_file.as_deref().map(|file| beside(&path, file)),
        },
        queue: answers.queue,
    };
    let text = starter::starter(&facts);
    make(&path, &text, CONFIG_MODE)?;
    if !has_script {
        make(&script, SCRIPT, SCRIPT_MODE)?;
    }
    let is_found = cli.config.is_none() && config::find(None, &variable).is_ok_and(|found| found == path);
    let named = if is_found {
        String::new()
    } else {
        format!(" -c {}", for_shell(&path))
    };
    said((&path, &script), has_script, starter::marks(&text), &named, console);
    Ok(if answers.unread.is_empty() {
        EXIT_DONE
    } else {
        EXIT_PARTLY
    })
}

/// Returns whether there is a script already, which is used as it is.
fn has_script(path: &Path) -> Result<bool, Error> {
    if path.symlink_metadata().is_err() {
        return Ok(false);
    }
    let unusable = |source| Error::File {
        what: format!("cannot use {}", visible(&path.display().to_string())),
        source,
    };
    let other = |kind, text: &str| Err(unusable(io::Error::new(kind, text)));
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => other(ErrorKind::InvalidInput, "it is no file; move it out of the way"),
        Err(error) if error.kind() == ErrorKind::NotFound => other(
            ErrorKind::NotFound,
            "it is a link that leads nowhere; remove it, or make its target",
        ),
        Err(error) => Err(unusable(error)),
    }
}

/// Makes a file that is not there yet.
fn make(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    let what = visible(&path.display().to_string());
    let source = match error.kind() {
        ErrorKind::AlreadyExists => io::Error::new(
            ErrorKind::AlreadyExists,
            "it is there already and is not written over; name another file by -c",
        ),
        _ => error,
    };
    Error::File {
        what: format!("cannot write {what}"),
        source,
    }
}

/// Returns a path as the configuration has it: relative to its folder, or whole.
fn beside(config: &Path, file: &Path) -> String {
    let folder = |path: &Path| {
        std::fs::canonicalize(
            path.parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(Path::new(".")),
        )
        .ok()
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    match (folder(config), folder(file), name) {
        (Some(one), Some(other), Some(name)) if one == other => name,
        (_, Some(other), Some(name)) => other.join(name).display().to_string(),
        _ => file.display().to_string(),
    }
}

/// Writes a path as a word of a shell.
fn for_shell(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./+,:@%=".contains(c);
    if text.chars().all(is_plain) {
        return text;
    }
    visible(&format!("'{}'", text.replace('\'', r"'\''")))
}

/// Says what was made, and what comes next; `named` is the configuration as the commands name it.
fn said(made: (&Path, &Path), had_script: bool, marks: usize, named: &str, console: &mut Console<'_, '_>) {
    let shown = |path: &Path| visible(&path.display().to_string());
    let (config, script) = (shown(made.0), shown(made.1));
    let written = if had_script {
        format!("{config} is written; {script} was there and is used as it is.")
    } else {
        format!("{config} and {script} are written.")
    };
    let marked = match marks {
        0 => String::new(),
        1 => " One line is marked <-- and needs you.".to_owned(),
        several => format!(" {} are marked <-- and need you.", plural(several, "line")),
    };
    let out = &mut console.io.out;
    // What stdout could not take is known to `main`.
    let _ = writeln!(
        out,
        "{written}{marked} Next:\n\n  mita{named} check --online\n  mita{named} run --dry-run\n  mita{named} run"
    );
}
