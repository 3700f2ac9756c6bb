//! What every command begins with: the configuration, the lock, the state, an id for the pass.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: hands the environment to the configuration, and waits for the lock"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use jiff::SignedDuration;

use crate::config::{self, Config, Loaded};
use crate::error::Error;
use crate::lock::{self, Lock, Patience};
use crate::model::{Problem, ProblemKind};
use crate::plan::Context;
use crate::plan::problems::Finding;
use crate::state::State;
use crate::state::file::{self, StateFile};

use super::args::Cli;
use super::console::Console;

/// Finds and loads the configuration; returns where it was, too.
pub fn load(cli: &Cli) -> Result<(PathBuf, Loaded), Error> {
    let variable = |name: &str| env::var(name).ok();
    let path = config::find(cli.config.as_deref(), &variable)?;
    let loaded = config::load(&path, &variable)?;
    Ok((path, loaded))
}

/// Loads the configuration and writes it out with its defaults; returns where it was, too.
pub fn effective(cli: &Cli, console: &mut Console<'_, '_>) -> Result<(PathBuf, String), Error> {
    let variable = |name: &str| env::var(name).ok();
    let path = config::find(cli.config.as_deref(), &variable)?;
    let (loaded, yaml) = config::effective(&path, &variable)?;
    for warning in loaded.warnings.iter().filter(|warning| !warning.check_only) {
        console.warn(&warning.text);
    }
    Ok((path, yaml))
}

/// Loads the configuration and prints its warnings, but for those of `check` alone.
pub fn config(cli: &Cli, console: &mut Console<'_, '_>) -> Result<Config, Error> {
    let (_, loaded) = load(cli)?;
    for warning in loaded.warnings.iter().filter(|warning| !warning.check_only) {
        console.warn(&warning.text);
    }
    Ok(loaded.config)
}

/// Loads the configuration for a pass: its warnings are problems.
pub fn config_and_findings(cli: &Cli) -> Result<(Config, Vec<Finding>), Error> {
    let (_, loaded) = load(cli)?;
    let warnings = loaded.warnings.into_iter().filter(|warning| !warning.check_only);
    let findings = warnings.map(|warning| Finding::new(ProblemKind::Insecure, warning.path, warning.text));
    Ok((loaded.config, findings.collect()))
}

/// Returns the context of an unrestricted pass; the command restricts it.
pub fn context(console: &Console<'_, '_>) -> Result<Context, Error> {
    Ok(Context {
        now: console.io.now,
        pass: console.io.pass.clone().map_or_else(pass_id, Ok)?,
        create: true,
        remove: true,
        force: false,
        created: 0,
        asked: None,
    })
}

/// What a command has before it looks. The lock is held as long as this lives.
pub struct Begun {
    /// The context, with the time at which the lock was taken.
    pub context: Context,
    pub state: State,
    _lock: Option<Lock>,
}

/// Reads the state; takes the lock before, if the command acts.
pub fn begin(
    config: &mut Config,
    mut context: Context,
    acts: bool,
    wait: Duration,
    console: &mut Console<'_, '_>,
) -> Result<Begun, Error> {
    let lock = if acts { Some(lock(config, wait, console)?) } else { None };
    if let Some(lock) = &lock {
        config.write_tokens();
        // What another pass did while this one waited must not look as if it came from the future.
        let later = SignedDuration::try_from(lock.waited).ok();
        let later = later.and_then(|waited| context.now.checked_add(waited).ok());
        context.now = later.unwrap_or(context.now);
    }
    let state = state(config, acts, console)?;
    Ok(Begun {
        context,
        state,
        _lock: lock,
    })
}

/// Takes the lock of the passes.
fn lock(config: &Config, wait: Duration, console: &Console<'_, '_>) -> Result<Lock, Error> {
    lock_beside(&config.state_file, wait, console)
}

/// Takes the lock beside a file, whose folder is made where it is missing.
pub fn lock_beside(file: &Path, wait: Duration, console: &Console<'_, '_>) -> Result<Lock, Error> {
    file::make_folder(file)?;
    let stop = &console.io.stop;
    let (path, patience) = (lock::path_for(file), Patience { wait, stop });
    Ok(lock::take(&path, &patience, console.io.now, &sleep)?)
}

/// Reads the state. A damaged file is moved aside if `write`, and the pass goes on from the cloud's marks.
pub fn state(config: &Config, write: bool, console: &mut Console<'_, '_>) -> Result<State, Error> {
    let path = &config.state_file;
    match file::load(path)? {
        StateFile::State(state) => Ok(state),
        StateFile::Damaged { what } => {
            let done = if write {
                format!("moved to {}", file::set_aside(path, console.io.now)?.display())
            } else {
                "left in place".to_owned()
            };
            console.warn(&format!(
                "{}: damaged ({what}); {done}, going on from the cloud's marks: idle times start again",
                path.display()
            ));
            Ok(State::default())
        }
    }
}

/// Returns the problems that are remembered; none where the state file cannot be read.
pub fn open_problems(config: &Config) -> Vec<Problem> {
    match file::load(&config.state_file) {
        Ok(StateFile::State(state)) => state.open_problems(),
        Ok(StateFile::Damaged { .. }) | Err(_) => Vec::new(),
    }
}

/// Makes the id of a pass: 12 random hexadecimal digits.
fn pass_id() -> Result<String, Error> {
    let random = getrandom::u64().map_err(|error| Error::File {
        what: "the system has no random numbers".to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(format!("{:012x}", random & 0xffff_ffff_ffff))
}
