//! `status`: shows what there is, and what waits and why. `status --check` says in one line whether all is well.

mod filter;
mod health;
mod report;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::lock;
use crate::model::Problem;
use crate::pass::{self, Pass};
use crate::plan::problems::{Evidence, Finding};
use crate::report::json;
use crate::report::table::View;
use crate::state::{State, pauses};

use super::args::{Cli, Output, StatusArgs};
use super::blind;
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
    let (config, around) = setup::config_and_findings(cli)?;
    let filter = Filter::new(args, &config)?;
    let state = setup::state(&config, false, console)?;
    let site = Site {
        config: &config,
        passes: passes(&config, &state, console),
    };
    let context = setup::context(console)?;
    let now = context.now;
    let mut pass = match Pass::look_closely(&config, context, state.clone(), &console.io.stop) {
        Ok(pass) => pass,
        // Text shows what there is all the same; JSON of a failure is the same for every command.
        Err(Error::Blind(blind)) if cli.output != Some(Output::Json) => {
            let mut report = StatusReport::remembered(site, blind.to_string(), &pauses::load(&config.state_file));
            report.problems = open_problems(&state, blind::evidence(&blind), around, now);
            show(&mut report, &filter, cli, console);
            return Err(Error::Blind(blind));
        }
        Err(error) => return Err(error),
    };
    let blind = pass::blind(pass.observed()).map(Error::Blind);
    if cli.output == Some(Output::Json)
        && let Some(error) = blind
    {
        return Err(error);
    }
    let mut plan = pass.decide()?;
    let quotas = pass.headroom();
    let evidence = std::mem::take(&mut plan.problems);
    let mut report = StatusReport::seen(site, pass.observed(), &plan, &quotas);
    report.problems = open_problems(&state, evidence, around, now);
    show(&mut report, &filter, cli, console);
    if let Some(error) = blind {
        return Err(error);
    }
    let unreadable = pass::unreadable(pass.observed());
    for sentence in &unreadable {
        console.warn(sentence);
    }
    Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY })
}

/// Returns the problems that are open by what was found now. Nothing of it is remembered.
fn open_problems(state: &State, evidence: Evidence, around: Vec<Finding>, now: Timestamp) -> Vec<Problem> {
    let mut known = state.problems_only();
    let _ = super::problems::remember(&mut known, evidence, around, now);
    known.open_problems()
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
    // What its warnings say is remembered as problems.
    let (config, _) = setup::config_and_findings(cli)?;
    let state = setup::state(&config, false, console)?;
    Ok((config, state))
}

/// Returns the first of the lines of an error, and how many more there are.
fn first_line(error: &Error) -> String {
    match error {
        Error::Config(error) if error.problems().len() > 1 => {
            let lines = error.lines();
            format!("{} (and {} more)", lines[0], lines.len() - 1)
        }
        other => chain(other),
    }
}
