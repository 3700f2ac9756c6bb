//! What would it have cost? Plays a trace of jobs through the real planner, without any request, and compares idle graces,
//! configurations and other rules by how long jobs wait and how many server-hours are used.
//!
//!     cargo run --release --example simulate -- [OPTIONS] [CONFIG TRACE [IDLE_MINUTES...]]
//!     cargo run --release --example simulate -- goals DIR
//!
//! `--help` says the rest; README.md beside this file has examples and figures.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, which prints"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a program of its own: files, arguments, and rows that are played at the same time"
)]

mod args;
mod conditions;
mod curve;
#[path = "../../tests/support/facts.rs"]
mod facts;
mod goals;
mod mirror;
mod outcome;
mod play;
#[allow(dead_code, reason = "other worlds draw more")]
#[path = "../../tests/support/random.rs"]
mod random;
mod rows;
mod rules;
mod site;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod trace;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use mita::config::Config;

use args::{Cli, Command, Compare, Ready};
use conditions::Conditions;
use rows::{Plan, Row, adapted, model, own_grace, play_all, threads};
use rules::{Chosen, Name};
use trace::Job;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::Goals {
            dir,
            only,
            threads: asked,
        }) => goals::run(dir, only.as_deref(), threads(*asked)),
        None => compare(&cli.compare),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays all rows of a comparison and prints them.
fn compare(compare: &Compare) -> Result<ExitCode, String> {
    let (configs, jobs) = inputs(compare)?;
    let rows = rows_of(compare, &configs, &jobs);
    if compare.csv {
        print!("{}", table::csv(&rows));
    } else {
        let templates = configs.first().map_or(0, |(_, config)| config.templates.len());
        println!("{} jobs, {templates} templates", jobs.len());
        print!("{}", table::table(&rows));
    }
    if let Some(file) = &compare.svg {
        std::fs::write(file, svg::figure(&rows)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A configuration, with its name where there are several.
type Named = (String, Config);

/// The configurations and the jobs.
fn inputs(compare: &Compare) -> Result<(Vec<Named>, Vec<Job>), String> {
    let (Some(config), Some(trace)) = (&compare.config, &compare.trace) else {
        let config = trace::own_config().map_err(|error| error.to_string())?;
        return Ok((vec![(String::new(), config)], trace::own_week()));
    };
    let name = |path: &Path| {
        if compare.also.is_empty() {
            String::new()
        } else {
            path.display().to_string()
        }
    };
    let paths = [config].into_iter().chain(&compare.also);
    let configs = paths.map(|path| Ok((name(path), trace::load_config(path)?)));
    Ok((configs.collect::<Result<_, String>>()?, trace::load(trace)?))
}

/// Plays the rows that were asked for.
fn rows_of(compare: &Compare, configs: &[(String, Config)], jobs: &[Job]) -> Vec<Row> {
    let conditions = compare.world.conditions();
    let mut plans = Vec::new();
    for name in &compare.rules.0 {
        plans.extend(plans_of(*name, compare, configs, jobs, &conditions));
    }
    play_all(&plans, threads(compare.threads))
}

/// The rows of one rule.
fn plans_of<'p>(
    name: Name,
    compare: &Compare,
    configs: &[(String, Config)],
    jobs: &'p [Job],
    conditions: &'p Conditions,
) -> Vec<Plan<'p>> {
    let plan = |(file, config): &(String, Config), ready, grace, rule| Plan {
        name: file.clone(),
        config: adapted(config, grace, ready),
        ready,
        grace,
        rule,
        jobs,
        conditions,
    };
    let graces: Vec<Option<u32>> = compare
        .graces()
        .map_or(vec![None], |graces| graces.into_iter().map(Some).collect());
    let Some(first) = configs.first() else {
        return Vec::new();
    };
    match name {
        Name::Mita => {
            let every = compare.every;
            let each = configs
                .iter()
                .flat_map(|config| compare.min_ready.iter().map(move |ready| (config, *ready)));
            each.flat_map(|(config, ready)| {
                let graces = graces.iter();
                graces.map(move |grace| plan(config, ready, *grace, Chosen::Mita { every }))
            })
            .collect()
        }
        Name::SingleUse => {
            let spares = compare.spares.iter();
            spares
                .map(|spares| plan(first, Ready::AsConfigured, None, Chosen::SingleUse { spares: *spares }))
                .collect()
        }
        Name::Bound => vec![plan(first, Ready::AsConfigured, None, Chosen::Bound)],
        _ => {
            let rule = |grace: Option<u32>| {
                let seconds = grace.map_or_else(|| own_grace(&first.1), |minutes| i64::from(minutes) * 60);
                model(name, seconds)
            };
            let rows = graces.iter().filter_map(|grace| Some((*grace, rule(*grace)?)));
            rows.map(|(grace, rule)| plan(first, Ready::AsConfigured, grace, rule))
                .collect()
        }
    }
}
