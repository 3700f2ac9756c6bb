//! `status`: shows what there is, and what waits and why. `status --check` says in one line whether all is well.

mod filter;
mod health;
mod report;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::lock;
use crate::model::Problem;
use crate::pass::{self, Pass};
use crate::report::json;
use crate::report::table::View;
use crate::state::State;

use super::args::{Cli, Output, StatusArgs};
use super::console::Console;
use super::setup;
use filter::Filter;
use health::{Level, Passes};
use report::{LastPassRow, Site, StatusReport};

/// Shows what there is.
pub fn status(cli: &Cli, args: &StatusArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    if args.check {
        return check(cli, console);
    }
    let config = setup::config(cli, console)?;
    let filter = Filter::new(args, &config)?;
    let state = setup::state(&config, false, console)?;
    let site = Site {
        config: &config,
        passes: passes(&config, &state, console),
    };
    let mut pass = match Pass::look_closely(&config, setup::context(console)?, state.clone(), &console.io.stop) {
        Ok(pass) => pass,
        Err(Error::Blind(reason)) if cli.output != Some(Output::Json) => {
            show(
                &mut StatusReport::remembered(site, reason.clone()),
                &filter,
                cli,
                console,
            );
            return Err(Error::Blind(reason));
        }
        Err(error) => return Err(error),
    };
    // Text shows what there is all the same; JSON of a failure is the same for every command.
    let blind = pass::blind(pass.observed());
    if let Some(error) = blind.filter(|_| cli.output == Some(Output::Json)) {
        return Err(error);
    }
    let plan = pass.decide()?;
    let quotas = pass.headroom();
    show(
        &mut StatusReport::seen(site, pass.observed(), &plan, &quotas),
        &filter,
        cli,
        console,
    );
    if let Some(error) = pass::blind(pass.observed()) {
        return Err(error);
    }
    let unreadable = pass::unreadable(pass.observed());
    for sentence in unreadable.iter().chain(&plan.warnings) {
        console.warn(sentence);
    }
    Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY })
}

fn show(report: &mut StatusReport<'_>, filter: &Filter, cli: &Cli, console: &mut Console<'_, '_>) {
    filter.apply(report);
    let view = View {
        width: console.io.width(),
        color: console.io.colors[0],
    };
    let out = &mut *console.io.out;
    // A closed stdout is no error.
    let _ = if cli.output == Some(Output::Json) {
        json::print(out, report)
    } else {
        print(out, &text::lines(report, filter, view))
    };
}

fn print(out: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Returns what is known of the passes. The lock is looked at only where the state leaves a doubt.
fn passes<'s>(config: &Config, state: &'s State, console: &Console<'_, '_>) -> Passes<'s> {
    let mut passes = Passes {
        state,
        now: console.io.now,
        running: None,
        deadline: config.limits.pass_deadline,
    };
    if passes.is_in_doubt() {
        passes.running = lock::held(&lock::path_for(&config.state_file));
    }
    passes
}

/// What `status --check -o json` prints.
#[derive(Serialize)]
struct CheckReport<'a> {
    version: u32,
    exit: u8,
    level: Level,
    message: &'a str,
    last_pass: Option<LastPassRow<'a>>,
    problems: &'a [Problem],
}

/// Says in one line, as a plugin of Nagios does, whether all is well. Makes no request.
fn check(cli: &Cli, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (config, state) = match loaded(cli, console) {
        Ok(loaded) => loaded,
        Err(error) => {
            if cli.output != Some(Output::Json) {
                let _ = writeln!(console.io.out, "{}", Level::Unknown.line(&first_line(&error)));
            }
            return Err(error);
        }
    };
    let passes = passes(&config, &state, console);
    let verdict = passes.verdict();
    let report = CheckReport {
        version: 1,
        exit: verdict.level.exit_code(),
        level: verdict.level,
        message: &verdict.text,
        last_pass: LastPassRow::new(passes),
        problems: &verdict.problems,
    };
    let out = &mut *console.io.out;
    let _ = if cli.output == Some(Output::Json) {
        json::print(out, &report)
    } else {
        writeln!(out, "{}", verdict.level.line(&verdict.text))
    };
    Ok(report.exit)
}

fn loaded(cli: &Cli, console: &mut Console<'_, '_>) -> Result<(Config, State), Error> {
    let config = setup::config(cli, console)?;
    let state = setup::state(&config, false, console)?;
    Ok((config, state))
}

/// Returns the first of the lines of an error, and how many more there are.
fn first_line(error: &Error) -> String {
    match error {
        Error::Config(lines) if lines.len() > 1 => format!("{} (and {} more)", lines[0], lines.len() - 1),
        other => chain(other),
    }
}
