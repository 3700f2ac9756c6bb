//! `status`: shows what there is, and what waits and why.

mod report;

use std::io::{self, Write};

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::pass::{self, Pass};
use crate::plan::{ServerRow, TemplateRow, Waiting};
use crate::report::{json, text};
use crate::text::{age, plural, printable, visible};

use super::args::{Cli, Output};
use super::console::Console;
use super::setup;
use report::{FailureRow, StatusReport};

/// Shows what there is.
pub fn status(cli: &Cli, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let state = setup::state(&config, false, console)?;
    let mut pass = Pass::look(&config, setup::context(console)?, state, &console.io.stop)?;
    let plan = pass.decide()?;
    let unreadable = pass::unreadable(pass.observed());
    for sentence in unreadable.iter().chain(&plan.warnings) {
        console.warn(sentence);
    }
    let report = StatusReport::new(pass.observed(), &plan);
    let out = &mut *console.io.out;
    let _ = if cli.output == Some(Output::Json) {
        json::print(out, &report)
    } else {
        print(out, &report, &plan.waiting)
    };
    Ok(if unreadable.is_empty() { EXIT_DONE } else { EXIT_PARTLY })
}

fn print(out: &mut dyn Write, report: &StatusReport<'_>, waiting: &[Waiting]) -> io::Result<()> {
    print_templates(out, report.templates)?;
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
        let name = printable(row.name.as_str(), 100);
        writeln!(out, "node without a server: {name} ({what})")?;
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
    text::waiting(out, waiting)?;
    for note in report.notes {
        writeln!(out, "note: {}", printable(note, 500))?;
    }
    Ok(())
}

fn print_templates(out: &mut dyn Write, rows: &[TemplateRow]) -> io::Result<()> {
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
    } in rows
    {
        writeln!(
            out,
            "{:<20} {servers:>7} {booting:>7} {idle:>4} {busy:>4} {max:>4} {min_ready:>9}",
            visible(node.as_str())
        )?;
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

/// Prints the servers, each column as wide as its longest cell.
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

/// Returns how many builds a node had, where they are limited.
fn builds(row: &ServerRow) -> String {
    let said = |builds| format!(" ({})", plural(builds, "build"));
    row.builds.map_or_else(String::new, said)
}

fn cells(row: &ServerRow) -> [String; 6] {
    let zone = row.zone.as_ref().map_or_else(String::new, |zone| format!("/{zone}"));
    let node = match &row.jenkins_node {
        None => "-".to_owned(),
        // Short, so that the usual line fits 80 columns.
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
        text::phase(row.phase).to_owned(),
        age(row.age_seconds),
        row.idle_seconds.map_or_else(|| "-".to_owned(), age),
        printable(&format!("{}{zone}", row.provider), 60),
        format!("{node}{more}{}", builds(row)),
    ]
}
