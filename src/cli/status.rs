//! `status`: what there is now, and what waits and why.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::model::{Computer, NodeName, Observed, ProviderName, TemplateName};
use crate::pass::{self, Pass};
use crate::plan::{Plan, ServerRow, TemplateRow, Waiting};
use crate::report::json;
use crate::report::text::{phase, waiting};
use crate::text::{age, plural, printable, visible};

use super::args::{Cli, Output, OutputArgs};
use super::console::Console;
use super::setup;

#[derive(Serialize)]
struct StatusReport<'a> {
    version: u32,
    servers: &'a [ServerRow],
    jenkins_nodes: Vec<NodeRow<'a>>,
    backoffs: Vec<BackoffRow<'a>>,
    failures: Vec<FailureRow<'a>>,
    waiting: Vec<WaitingRow<'a>>,
    templates: &'a [TemplateRow],
    notes: &'a [String],
}

/// A Jenkins node of ours without a server.
#[derive(Serialize)]
struct NodeRow<'a> {
    name: &'a NodeName,
    offline: bool,
    idle: bool,
    executors: u32,
    idle_executors: u32,
}

#[derive(Serialize)]
struct BackoffRow<'a> {
    key: &'a str,
    failures: u32,
    until: Timestamp,
    reason: &'a str,
}

/// A server that failed: one of the last of its template.
#[derive(Serialize)]
struct FailureRow<'a> {
    node: &'a TemplateName,
    name: &'a str,
    provider: &'a ProviderName,
    at: Timestamp,
    reason: &'a str,
    console: &'a [String],
}

/// Like [`Waiting`], but says `served_by` in every row.
#[derive(Serialize)]
struct WaitingRow<'a> {
    label: Option<&'a str>,
    #[serde(skip)]
    unlabelled: bool,
    reason: &'a str,
    items: u64,
    oldest_seconds: i64,
    example: &'a crate::plan::Example,
    served_by: Option<&'a str>,
}

/// Shows what there is.
pub fn status(cli: &Cli, args: &OutputArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let state = setup::state(&config, false, console)?;
    let mut pass = Pass::look(&config, setup::context(console)?, state, &console.io.stop)?;
    let plan = pass.decide()?;
    let unreadable = pass::unreadable(pass.observed());
    for sentence in unreadable.iter().chain(&plan.warnings) {
        console.warn(sentence);
    }
    let report = report(pass.observed(), &plan);
    let out = &mut *console.io.out;
    let _ = if args.output == Some(Output::Json) {
        json::print(out, &report)
    } else {
        print(out, &report)
    };
    Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY })
}

fn report<'a>(observed: &'a Observed, plan: &'a Plan) -> StatusReport<'a> {
    let computers: BTreeMap<&NodeName, &Computer> = observed
        .jenkins
        .computers
        .iter()
        .map(|computer| (&computer.name, computer))
        .collect();
    let jenkins_nodes = plan
        .orphan_nodes
        .iter()
        .filter_map(|name| computers.get(name))
        .map(|computer| NodeRow {
            name: &computer.name,
            offline: computer.offline,
            idle: computer.idle,
            executors: computer.executors,
            idle_executors: computer.idle_executors,
        });
    let backoffs = plan.state.backoffs.iter().map(|(key, backoff)| BackoffRow {
        key,
        failures: backoff.failures,
        until: backoff.until,
        reason: &backoff.reason,
    });
    let failures = plan.state.failures.iter().flat_map(|(node, failures)| {
        failures.iter().map(move |failure| FailureRow {
            node,
            name: &failure.server,
            provider: &failure.provider,
            at: failure.at,
            reason: &failure.reason,
            console: &failure.console,
        })
    });
    let waiting = plan.waiting.iter().map(|row| WaitingRow {
        label: row.label.as_deref(),
        unlabelled: row.unlabelled,
        reason: &row.reason,
        items: row.items,
        oldest_seconds: row.oldest_seconds,
        example: &row.example,
        served_by: row.served_by.as_ref().map(TemplateName::as_str),
    });
    StatusReport {
        version: 1,
        servers: &plan.servers,
        jenkins_nodes: jenkins_nodes.collect(),
        backoffs: backoffs.collect(),
        failures: failures.collect(),
        waiting: waiting.collect(),
        templates: &plan.templates,
        notes: &plan.notes,
    }
}

fn print(out: &mut dyn Write, report: &StatusReport<'_>) -> io::Result<()> {
    writeln!(
        out,
        "{:<20} {:>7} {:>7} {:>4} {:>4} {:>4} {:>9}",
        "TEMPLATE", "SERVERS", "BOOTING", "IDLE", "BUSY", "MAX", "MIN_READY"
    )?;
    for TemplateRow {
        node,
        servers,
        booting,
        idle,
        busy,
        max,
        min_ready,
        rollbacks: _,
    } in report.templates
    {
        writeln!(
            out,
            "{:<20} {servers:>7} {booting:>7} {idle:>4} {busy:>4} {max:>4} {min_ready:>9}",
            visible(node.as_str())
        )?;
    }
    print_servers(out, report.servers)?;
    let more = report.failures.len()
        + report.waiting.len()
        + report.backoffs.len()
        + report.jenkins_nodes.len()
        + report.notes.len();
    if more > 0 {
        writeln!(out)?;
    }
    for row in &report.jenkins_nodes {
        let what = if row.offline { "offline" } else { "online" };
        writeln!(
            out,
            "node without a server: {} ({what})",
            printable(row.name.as_str(), 100)
        )?;
    }
    for row in &report.backoffs {
        let reason = printable(row.reason, 300);
        writeln!(
            out,
            "held back: {} until {}, {} in a row: {reason}",
            visible(row.key),
            row.until.strftime("%Y-%m-%dT%H:%M:%SZ"),
            plural(row.failures, "failure")
        )?;
    }
    print_failures(out, &report.failures)?;
    let rows: Vec<Waiting> = report.waiting.iter().map(WaitingRow::to_waiting).collect();
    waiting(out, &rows)?;
    for note in report.notes {
        writeln!(out, "note: {}", printable(note, 500))?;
    }
    Ok(())
}

fn print_failures(out: &mut dyn Write, rows: &[FailureRow<'_>]) -> io::Result<()> {
    for row in rows {
        writeln!(
            out,
            "failed: {} at {}, {}: {}",
            printable(row.name, 80),
            visible(row.provider.as_str()),
            row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            printable(row.reason, 300)
        )?;
        for line in row.console {
            writeln!(out, "    {}", printable(line, 500))?;
        }
    }
    Ok(())
}

impl WaitingRow<'_> {
    fn to_waiting(&self) -> Waiting {
        Waiting {
            label: self.label.map(str::to_owned),
            unlabelled: self.unlabelled,
            reason: self.reason.to_owned(),
            items: self.items,
            oldest_seconds: self.oldest_seconds,
            example: self.example.clone(),
            served_by: self.served_by.map(Into::into),
        }
    }
}

/// Prints the servers in columns as wide as what stands in them.
fn print_servers(out: &mut dyn Write, rows: &[ServerRow]) -> io::Result<()> {
    const HEADS: [&str; 6] = ["SERVER", "PHASE", "AGE", "IDLE", "PLACE", "JENKINS NODE"];
    // Only where there is one: the usual line is to fit 80 columns.
    let address = rows.iter().any(|row| row.floating_ip.is_some());
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let lines: Vec<[String; 6]> = std::iter::once(HEADS.map(str::to_owned))
        .chain(rows.iter().map(cells))
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let [name, phase, age, idle, place] = [0, 1, 2, 3, 4].map(width);
    let addresses =
        std::iter::once("FLOATING IP").chain(rows.iter().map(|row| row.floating_ip.as_deref().unwrap_or("-")));
    for ([a, b, c, d, e, node], ip) in lines.iter().zip(addresses) {
        let ip = if address { format!("{ip:<15}  ") } else { String::new() };
        writeln!(
            out,
            "{a:<name$}  {b:<phase$}  {c:>age$}  {d:>idle$}  {e:<place$}  {ip}{node}"
        )?;
    }
    Ok(())
}

/// Says how many builds a node had, where they are limited.
fn builds(row: &ServerRow) -> String {
    let said = |builds| format!(" ({})", plural(builds, "build"));
    row.builds.map_or_else(String::new, said)
}

fn cells(row: &ServerRow) -> [String; 6] {
    let zone = row.zone.as_ref().map_or_else(String::new, |zone| format!("/{zone}"));
    let node = match &row.jenkins_node {
        None => "-".to_owned(),
        // Said shortly, so that the usual line fits 80 columns.
        Some(node) if node.as_str() == row.name => "same name".to_owned(),
        Some(node) => printable(node.as_str(), 100),
    };
    let more = match (row.outdated, row.adopted) {
        (true, _) => " (outdated)",
        (false, true) => " (adopted)",
        (false, false) => "",
    };
    [
        printable(&row.name, 80),
        phase(row.phase).to_owned(),
        age(row.age_seconds),
        row.idle_seconds.map_or_else(|| "-".to_owned(), age),
        printable(&format!("{}{zone}", row.provider), 60),
        format!("{node}{more}{}", builds(row)),
    ]
}
