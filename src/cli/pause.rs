//! `pause` and `resume`: where nothing is created for a while. Removals go on.
//!
//! Neither waits for a pass: the file of the pauses has a lock of its own, which is held for the length of a write.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, Error};
use crate::lock::Lock;
use crate::model::{Pause, Pauses, ProviderName, TemplateName};
use crate::report::json;
use crate::state::file;
use crate::state::pauses::{self, path_for};
use crate::text::{moment, printable};

use super::args::{Cli, Output, PauseArgs, PlaceArgs, ResumeArgs};
use super::console::Console;
use super::known;
use super::setup;

/// How long another `pause` or `resume` is waited for: it writes a few hundred bytes.
const WAIT: Duration = Duration::from_secs(10);

/// The most characters of what an operator says of a pause.
const MAX_REASON: usize = 200;

#[derive(Serialize)]
struct PauseReport<'r> {
    version: u32,
    #[serde(rename = "do")]
    verb: &'r str,
    /// What was paused, or is so no longer.
    changed: &'r [Pause],
    /// What is paused now.
    pauses: Vec<&'r Pause>,
    exit: u8,
}

/// Keeps servers from being created until they are resumed, or until a time.
pub fn pause(cli: &Cli, args: &PauseArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let now = console.io.now;
    if let Some(until) = args.until.filter(|until| *until <= now) {
        return Err(Error::Usage(format!(
            "--until {} is over: give a time to come, as in 2030-01-31T06:00:00Z",
            moment(until)
        )));
    }
    let template = args
        .place
        .template
        .as_deref()
        .map(|name| known::template(name, &config));
    let provider = args
        .place
        .provider
        .as_deref()
        .map(|name| known::provider(name, &config));
    let wanted = Pause {
        provider: provider.transpose()?,
        template: template.transpose()?,
        until: args.until,
        reason: args.reason.as_deref().map(|reason| printable(reason, MAX_REASON)),
        since: now,
    };
    let (_lock, mut all) = read(&config, now, console)?;
    let before = all.iter().position(|pause| pause.selects_as(&wanted));
    let since = before.map(|place| all.remove(place).since);
    let pause = Pause {
        since: since.unwrap_or(now),
        ..wanted
    };
    all.push(pause.clone());
    save(&config, &all)?;
    report(cli, "pause", &[pause], &all, console);
    Ok(EXIT_DONE)
}

/// Ends a pause.
pub fn resume(cli: &Cli, args: &ResumeArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let now = console.io.now;
    let (_lock, all) = if args.all {
        read_or_set_aside(&config, now, console)?
    } else {
        read(&config, now, console)?
    };
    let is_meant = |pause: &Pause| args.all || selects(&args.place, pause);
    let (ended, left): (Vec<Pause>, Vec<Pause>) = all.into_iter().partition(is_meant);
    // A pause of a template that is configured no more can be ended all the same.
    if ended.is_empty() {
        check_known(&args.place, &config)?;
    }
    if ended.is_empty() && !args.all {
        let open: Vec<String> = left.iter().map(Pause::what).collect();
        let others = if open.is_empty() {
            "nothing is paused".to_owned()
        } else {
            format!("what is paused: {}", open.join(", "))
        };
        console.warn(&format!("there is no such pause; {others}"));
    }
    save(&config, &left)?;
    report(cli, "resume", &ended, &left, console);
    Ok(EXIT_DONE)
}

/// Whether a pause is the one of these selectors.
fn selects(place: &PlaceArgs, pause: &Pause) -> bool {
    let PlaceArgs { provider, template } = place;
    pause.provider.as_ref().map(ProviderName::as_str) == provider.as_deref()
        && pause.template.as_ref().map(TemplateName::as_str) == template.as_deref()
}

fn check_known(place: &PlaceArgs, config: &Config) -> Result<(), Error> {
    if let Some(name) = &place.template {
        known::template(name, config)?;
    }
    if let Some(name) = &place.provider {
        known::provider(name, config)?;
    }
    Ok(())
}

/// Takes the lock of the pauses and reads those that are not over. What is damaged is not overwritten: it may forbid what
/// nobody would remember.
fn read(config: &Config, now: Timestamp, console: &Console<'_, '_>) -> Result<(Lock, Vec<Pause>), Error> {
    let lock = lock(config, console)?;
    match pauses::load(&config.state_file) {
        Pauses {
            unreadable: Some(reason),
            ..
        } => Err(Error::File {
            what: reason,
            source: io::Error::other("mend the file, or lift all pauses with `mita resume --all`"),
        }),
        pauses => Ok((lock, pauses.open(now).cloned().collect())),
    }
}

/// The same; what is damaged is moved aside.
fn read_or_set_aside(
    config: &Config,
    now: Timestamp,
    console: &mut Console<'_, '_>,
) -> Result<(Lock, Vec<Pause>), Error> {
    let lock = lock(config, console)?;
    let pauses = pauses::load(&config.state_file);
    if pauses.unreadable.is_some() {
        let aside = file::set_aside(&path_for(&config.state_file), now)?;
        console.warn(&format!(
            "the pauses could not be read; the file was moved to {}",
            aside.display()
        ));
    }
    Ok((lock, pauses.open(now).cloned().collect()))
}

fn lock(config: &Config, console: &Console<'_, '_>) -> Result<Lock, Error> {
    setup::lock_beside(&path_for(&config.state_file), WAIT, console)
}

fn save(config: &Config, all: &[Pause]) -> Result<(), Error> {
    let path: &Path = &config.state_file;
    pauses::save(path, all).map_err(|source| Error::File {
        what: format!("cannot write the pauses {}", path_for(path).display()),
        source,
    })
}

fn report(cli: &Cli, verb: &str, changed: &[Pause], all: &[Pause], console: &mut Console<'_, '_>) {
    let text = cli.output == Some(Output::Text) || (console.io.terminal && !console.quiet);
    let out = &mut *console.io.out;
    // A closed stdout is no error.
    let _ = if cli.output == Some(Output::Json) {
        let report = PauseReport {
            version: 1,
            verb,
            changed,
            pauses: all.iter().collect(),
            exit: EXIT_DONE,
        };
        json::print(out, &report)
    } else if text {
        print(out, verb, changed, all)
    } else {
        Ok(())
    };
}

fn print(out: &mut dyn Write, verb: &str, changed: &[Pause], all: &[Pause]) -> io::Result<()> {
    if verb == "resume" {
        for pause in changed {
            writeln!(out, "{} is resumed", pause.what())?;
        }
        if changed.is_empty() {
            writeln!(out, "there is no such pause")?;
        }
    }
    for pause in all {
        let still = if changed.contains(pause) { "" } else { "also: " };
        writeln!(out, "{still}{}", pause.sentence())?;
    }
    Ok(())
}
