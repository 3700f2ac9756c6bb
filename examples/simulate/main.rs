//! What would it have cost? Plays a trace of jobs through the real planner, without any request, and compares idle
//! graces by how long jobs wait and how many server-hours are used.
//!
//!     cargo run --release --example simulate [-- CONFIG TRACE [IDLE_MINUTES...]]
//!
//! A line of the trace is `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`, the label may hold blanks or be missing; `#`
//! begins a comment. Without arguments a made-up week is played with templates of its own. A server boots in 90 s; no
//! failure, no quota: those are for the playground.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, which prints"
)]
#![allow(clippy::disallowed_methods, reason = "a program of its own: files and arguments")]

#[path = "../../tests/support/facts.rs"]
mod facts;
#[path = "../../tests/fakes/mod.rs"]
mod fakes;
mod mirror;
mod trace;

use std::error::Error;
use std::path::Path;

use jiff::SignedDuration;
use mita::config::Config;
use mita::plan::{Context, plan};
use mita::state::State;

use fakes::{Agent, Task, World};
use trace::Job;

/// Seconds between two passes, as cron starts them.
const EVERY: i64 = 60;

const USAGE: &str = "\
usage: simulate [CONFIG TRACE [IDLE_MINUTES...]]

Without arguments a made-up week is played. A line of TRACE is
    SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL
The label may hold blanks or be missing; # begins a comment.";

/// How a trace went.
struct Outcome {
    ran: usize,
    waits: Vec<i64>,
    servers: usize,
    server_seconds: i64,
    busy_seconds: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, jobs) = match arguments.as_slice() {
        [help] if help == "--help" || help == "-h" => {
            println!("{USAGE}");
            return Ok(());
        }
        [] => (trace::own_config()?, trace::own_week()),
        [config, trace, ..] => (load(Path::new(config))?, trace::read(&std::fs::read_to_string(trace)?)?),
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    };
    let mut graces: Vec<i64> = arguments.iter().skip(2).map(|m| m.parse()).collect::<Result<_, _>>()?;
    if graces.is_empty() {
        graces = vec![2, 5, 10, 20, 40, 80];
    }
    println!("{} jobs, {} templates", jobs.len(), config.templates.len());
    println!("idle grace   servers   server-hours   used   waited: median      95 of 100      longest");
    for minutes in graces {
        let mut config = config.clone();
        for template in &mut config.templates {
            template.idle_grace = SignedDuration::from_mins(minutes);
        }
        let outcome = play(&config, &jobs);
        println!("{}", row(minutes, &outcome, jobs.len()));
    }
    Ok(())
}

fn load(path: &Path) -> Result<Config, Box<dyn Error>> {
    let loaded = mita::config::load(path, &|name| std::env::var(name).ok());
    loaded
        .map(|l| l.config)
        .map_err(|error| error.lines().join("\n").into())
}

/// Plays the jobs with a pass each minute until all ran and all servers are gone, or a day after the last job.
fn play(config: &Config, jobs: &[Job]) -> Outcome {
    let world = World::new(1);
    mirror::prepare(&world, config);
    // With no agent at all Jenkins names no label.
    world.agent(Agent::new("house", &["house"]).online().exclusive());
    let last = jobs.iter().map(|j| j.at).max().unwrap_or(0);
    world.with(|w| submit(w, jobs));
    let mut state = State::default();
    let mut clock = 0;
    while clock < last + 86_400 {
        let observed = world.with(|w| mirror::observe(w, config));
        let context = Context {
            now: world.now(),
            pass: format!("{clock:012x}"),
            create: true,
            remove: true,
            force: false,
            created: 0,
            asked: None,
        };
        let decided = plan(&observed, config, &state, &context);
        state = world.with(|w| mirror::apply(w, config, decided, context.now));
        if clock > last && world.with(mirror::is_still) {
            break;
        }
        world.advance(EVERY);
        clock += EVERY;
    }
    world.with(|w| {
        let mut waits: Vec<i64> = w.jenkins.builds.iter().map(|b| b.began - b.queued).collect();
        waits.sort_unstable();
        Outcome {
            ran: waits.len(),
            waits,
            servers: w.clouds.values().map(|c| c.past.len() + c.servers.len()).sum(),
            server_seconds: w.clouds.values().map(|c| c.server_seconds(w.clock)).sum(),
            busy_seconds: w.jenkins.builds.iter().map(|b| b.ends - b.began).sum(),
        }
    })
}

/// Puts the jobs into the world's agenda.
fn submit(world: &mut fakes::State, jobs: &[Job]) {
    let start = world.clock;
    for (number, job) in jobs.iter().enumerate() {
        let task = Task::freestyle(&format!("job-{number}")).seconds(job.seconds);
        let task = match &job.label {
            Some(label) => task.label(label),
            None => task,
        };
        world.at(start + job.at, move |w| {
            w.submit(task);
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures to look at")]
fn row(minutes: i64, outcome: &Outcome, jobs: usize) -> String {
    let at = |percent: usize| {
        let index = (outcome.waits.len() * percent / 100).min(outcome.waits.len().saturating_sub(1));
        let seconds = outcome.waits.get(index).copied().unwrap_or(0);
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    };
    let used = 100.0 * outcome.busy_seconds as f64 / outcome.server_seconds.max(1) as f64;
    let unserved = match jobs - outcome.ran {
        0 => String::new(),
        count => format!("   {count} never ran"),
    };
    format!(
        "{minutes:>6} min   {:>7}   {:>12.1}   {used:>3.0}%   {:>14} {:>14} {:>12}{unserved}",
        outcome.servers,
        outcome.server_seconds as f64 / 3600.0,
        at(50),
        at(95),
        at(100)
    )
}
