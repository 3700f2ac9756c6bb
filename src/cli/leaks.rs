//! `leaks`: lists what looks like ours and is accounted for nowhere; removes it with `--delete`.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::model::Observed;
use crate::pass::{self, Inquiry, Pass};
use crate::plan::{self, Context, Leak, LeakKind, LeakOwner};
use crate::report::json;
use crate::state::State;

use super::args::{Cli, LeaksArgs, Output};
use super::console::Console;
use super::finish::finish;
use super::mode::Mode;
use super::setup;
use crate::text::{age, plural, printable};

#[derive(Serialize)]
struct LeaksReport<'a> {
    version: u32,
    leaks: &'a [Leak],
}

/// Lists leaks, or removes those that are ours.
pub fn leaks(cli: &Cli, args: &LeaksArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let mut config = setup::config(cli, console)?;
    let context = Context {
        create: false,
        ..setup::context(console)?
    };
    let acts = args.delete && !args.dry_run;
    let begun = setup::begin(&mut config, context, acts, Duration::ZERO, console)?;
    let mut pass = Pass::look(&config, begun.context, begun.state, &console.io.stop)?;
    let mut found = Vec::new();
    let planner = &mut |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let (leaks, plan) = plan::leaks(observed, config, state, context);
        found = leaks;
        plan
    };
    if args.delete {
        let plan = pass.plan(Inquiry::Actions, planner)?;
        let mode = Mode {
            dry_run: args.dry_run,
            output: cli.output,
            named: true,
        };
        return finish(pass, plan, mode, plan::audit_leaks, console);
    }
    let plan = pass.plan(Inquiry::Resources, planner)?;
    let unreadable = pass::unreadable(pass.observed());
    for sentence in unreadable.iter().chain(&plan.warnings) {
        console.warn(sentence);
    }
    show(&found, cli.output, console);
    Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY })
}

fn show(found: &[Leak], output: Option<Output>, console: &mut Console<'_, '_>) {
    let out = &mut *console.io.out;
    // A closed stdout is no error.
    let _ = if output == Some(Output::Json) {
        let report = LeaksReport {
            version: 1,
            leaks: found,
        };
        json::print(out, &report)
    } else {
        print(out, found)
    };
}

fn print(out: &mut dyn Write, found: &[Leak]) -> io::Result<()> {
    for leak in found {
        let kind = match leak.kind {
            LeakKind::Server => "server",
            LeakKind::FloatingIp => "floating_ip",
            LeakKind::Port => "port",
            LeakKind::Volume => "volume",
            LeakKind::JenkinsNode => "jenkins_node",
        };
        let owner = match leak.owner {
            LeakOwner::Ours => "ours",
            LeakOwner::Foreign => "foreign",
            LeakOwner::Unknown => "unknown",
        };
        let place = leak
            .provider
            .as_ref()
            .map_or_else(String::new, |provider| format!(" at {provider}"));
        let id = leak.id.as_ref().filter(|id| **id != leak.name);
        let id = id.map_or_else(String::new, |id| format!(" ({id})"));
        let old = leak
            .age_seconds
            .map_or_else(String::new, |old| format!(", {} old", age(old)));
        let goes = if leak.removable { "; --delete removes it" } else { "" };
        let name = printable(&leak.name, 100);
        let because = printable(&leak.because, 400);
        let line = printable(&format!("{name}{place}{id}{old}: {because}{goes}"), 900);
        writeln!(out, "{kind:<12} {owner:<7} {line}")?;
    }
    let removable = found.iter().filter(|leak| leak.removable).count();
    let leaks = plural(found.len(), "leak");
    match (found.len(), removable) {
        (0, _) => writeln!(out, "{leaks}"),
        (_, 0) => writeln!(out, "{leaks}, of which --delete removes none"),
        (_, some) => writeln!(out, "{leaks}, of which --delete removes {some}"),
    }
}
