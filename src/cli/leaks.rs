//! `leaks`: what looks like ours and is accounted for nowhere; with `--delete` it goes.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long the command takes")]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::pass::{self, Decision, Live, observe};
use crate::plan::{self, Context, Leak, LeakKind, LeakOwner};
use crate::report::json;

use super::args::{Cli, LeaksArgs, Output};
use super::console::Console;
use super::passes::{How, finish};
use super::setup;
use crate::text::{age, plural, printable};

#[derive(Serialize)]
struct LeaksReport<'a> {
    version: u32,
    leaks: &'a [Leak],
}

/// Lists leaks, or removes those that are ours.
pub fn leaks(cli: &Cli, args: &LeaksArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let context = Context {
        now: console.io.now,
        pass: setup::pass_id()?,
        create: false,
        remove: true,
        force: false,
        created: 0,
    };
    let acts = args.delete && !args.dry_run;
    let _lock = if acts {
        Some(setup::lock(&config, Duration::ZERO, console)?)
    } else {
        None
    };
    let state = setup::state(&config, acts, console)?;
    let began = Instant::now();
    let mut live = Live::connect(&config, &console.io.stop)?;
    let mut observed = observe::look(&mut live, &state)?;
    let (mut found, mut plan) = plan::leaks(&observed, &config, &state, &context);
    while live.must_end().is_none() {
        let asked = if args.delete {
            pass::settle(&mut live, &config, &mut observed, &plan)?
        } else {
            observe::ask_resources(&mut live, &mut observed, &plan)
        };
        if !asked {
            break;
        }
        (found, plan) = plan::leaks(&observed, &config, &state, &context);
    }
    if !args.delete {
        let unreadable = pass::unreadable(&observed);
        for sentence in unreadable.iter().chain(&plan.warnings) {
            console.warn(sentence);
        }
        show(&found, args.output, console);
        return Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY });
    }
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: true,
    };
    let decision = Decision {
        observed,
        plan,
        missing: BTreeSet::new(),
    };
    finish(
        &config,
        live,
        &state,
        decision,
        &context,
        how,
        plan::audit_leaks,
        began,
        console,
    )
}

fn show(found: &[Leak], output: Option<Output>, console: &mut Console<'_, '_>) {
    let out = &mut *console.io.out;
    // A closed stdout leaves nobody to tell.
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
    writeln!(out, "{leaks}, of which --delete removes {removable}")
}
