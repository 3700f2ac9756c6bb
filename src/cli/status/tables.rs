//! The tables of `status`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Headroom, Pause, Problem, Severity};
use crate::plan::problems::say;
use crate::plan::{ServerRow, TemplateRow};
use crate::report::server_words::{job_or_why, rank};
use crate::report::table::{Cell, Column, Fit, Table, Tone, View};
use crate::report::text::{phase, waits_for};
use crate::state::Phase;
use crate::text::{age, left, plural};

use super::report::{ProviderRow, StatusReport, WaitingRow};

/// The first row where there are several.
const TOTAL: &str = "(total)";

/// So many labels that wait are listed on a terminal, the oldest first.
const MAX_WAITING: usize = 20;

/// Returns the tone of the worst of some problems.
pub fn worst(problems: &[Problem]) -> Tone {
    problems
        .iter()
        .map(|problem| problem.severity)
        .max()
        .map_or(Tone::Plain, tone_of)
}

fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Warning => Tone::Warning,
        Severity::Error => Tone::Error,
    }
}

pub fn problems(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 3] = [
        Column::new("PROBLEM", Fit::Whole),
        Column::new("SINCE", Fit::Number),
        Column::new("WHAT", Fit::Wrap(40, usize::MAX)),
    ];
    let row = |problem: &Problem| {
        let word = match problem.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        // What it is about is said in the sentence, as a rule.
        let name = problem.subject.split(['@', ':']).next().unwrap_or_default();
        let subject = if problem.sentence.contains(name) {
            String::new()
        } else {
            format!("{}: ", problem.subject)
        };
        let facts = match &problem.facts {
            facts if facts.is_empty() => String::new(),
            facts => format!(" ({})", say::facts(facts)),
        };
        vec![
            Cell::toned(word, tone_of(problem.severity)),
            Cell::new(since(report.now, Some(problem.since))),
            Cell::new(format!("{subject}{}{facts}", problem.sentence)),
        ]
    };
    Table::new(&COLUMNS, report.problems.iter().map(row).collect()).lines(view)
}

pub fn pauses(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 4] = [
        Column::new("PAUSED", Fit::Front(16)),
        Column::new("SINCE", Fit::Number),
        Column::new("UNTIL", Fit::Whole),
        Column::new("WHY", Fit::Wrap(24, 3)),
    ];
    let row = |pause: &Pause| {
        let until = pause
            .until
            .map_or_else(|| "resumed".to_owned(), |until| left(report.now, until));
        vec![
            Cell::toned(pause.what(), Tone::Warning),
            Cell::new(since(report.now, Some(pause.since))),
            Cell::new(until),
            Cell::new(pause.reason.as_deref().unwrap_or_default()),
        ]
    };
    Table::new(&COLUMNS, report.pauses.iter().map(row).collect()).lines(view)
}

pub fn providers(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 4] = [
        Column::new("PROVIDER", Fit::Front(12)),
        Column::new("SERVERS", Fit::Number),
        Column::optional("MAX", Fit::Number),
        Column::new("QUOTA LEFT", Fit::Wrap(24, 3)),
    ];
    let mut rows = Vec::new();
    if report.providers.len() > 1 {
        let servers: u32 = report.providers.iter().map(|row| row.servers).sum();
        rows.push(vec![
            Cell::new(TOTAL),
            Cell::number(servers),
            maximum(report.max_servers),
            Cell::default(),
        ]);
    }
    let row = |row: &ProviderRow<'_>| {
        let quota = match (row.error, &row.quota) {
            (Some(error), _) => Cell::toned(format!("cannot be read: {error}"), Tone::Error),
            (None, Some(room)) if room.instances == Some(0) => Cell::toned(room_words(room), Tone::Warning),
            (None, Some(room)) => Cell::new(room_words(room)),
            (None, None) => Cell::new("not known"),
        };
        vec![
            Cell::new(row.provider.as_str()),
            Cell::number(row.servers),
            maximum(row.max),
            quota,
        ]
    };
    rows.extend(report.providers.iter().map(row));
    Table::new(&COLUMNS, rows).lines(view)
}

fn maximum(most: Option<u32>) -> Cell {
    most.map_or_else(|| Cell::new("-"), Cell::number)
}

/// Says what is left of a quota.
fn room_words(room: &Headroom) -> String {
    let Headroom {
        instances,
        vcpus,
        ram_mb,
        quota: _,
    } = room;
    let counted = |left: u64, noun: &str| {
        if left == 1 {
            format!("1 {noun}")
        } else {
            format!("{left} {noun}s")
        }
    };
    let parts = [
        instances.map(|left| counted(left, "server")),
        vcpus.map(|left| counted(left, "core")),
        ram_mb.map(|left| {
            if left < 10_240 {
                format!("{left} MiB")
            } else {
                format!("{} GiB", left / 1024)
            }
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "no limit is known".to_owned()
    } else {
        parts.join(", ")
    }
}

pub fn templates(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 9] = [
        Column::new("TEMPLATE", Fit::Front(12)),
        Column::new("SERVERS", Fit::Number),
        Column::new("BOOTING", Fit::Number),
        Column::new("IDLE", Fit::Number),
        Column::new("BUSY", Fit::Number),
        Column::new("OFF", Fit::Number),
        Column::new("MAX", Fit::Number),
        Column::new("MIN_READY", Fit::Number),
        Column::optional("SPARE", Fit::Wrap(8, 2)),
    ];
    let row = |row: &TemplateRow| {
        let (max, min_ready) = if row.configured {
            (row.max.to_string(), row.min_ready.to_string())
        } else {
            ("gone".to_owned(), "-".to_owned())
        };
        let learned = [&row.spare, &row.rhythm].into_iter().flatten();
        let learned: Vec<String> = learned
            .map(|learned| format!("{}: {}", learned.nodes, learned.because))
            .collect();
        counted(row.node.as_str(), row, max, min_ready, learned.join("; "))
    };
    let mut rows = Vec::new();
    if report.templates.len() > 1 {
        let max = report.max_servers.map_or_else(|| "-".to_owned(), |max| max.to_string());
        rows.push(counted(
            TOTAL,
            &sum(&report.templates),
            max,
            "-".to_owned(),
            String::new(),
        ));
    }
    rows.extend(report.templates.iter().map(row));
    Table::new(&COLUMNS, rows).lines(view)
}

fn counted(name: &str, row: &TemplateRow, max: String, min_ready: String, spare: String) -> Vec<Cell> {
    let tone = if row.off > 0 { Tone::Warning } else { Tone::Plain };
    vec![
        Cell::new(name),
        Cell::number(row.servers),
        Cell::number(row.booting),
        Cell::number(row.idle),
        Cell::number(row.busy),
        Cell::toned(row.off.to_string(), tone),
        Cell::new(max),
        Cell::new(min_ready),
        Cell::new(spare),
    ]
}

/// Adds up templates; its other fields are those of the first.
fn sum(rows: &[TemplateRow]) -> TemplateRow {
    let mut total = rows[0].clone();
    for row in &rows[1..] {
        total.servers += row.servers;
        total.booting += row.booting;
        total.idle += row.idle;
        total.busy += row.busy;
        total.off += row.off;
    }
    total
}

pub fn waiting(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 5] = [
        Column::new("WAITS", Fit::Number),
        Column::new("OLDEST", Fit::Number),
        Column::new("LABEL", Fit::Front(14)),
        Column::new("SERVED BY", Fit::Front(12)),
        Column::new("WHY", Fit::Wrap(28, 3)),
    ];
    let row = |row: &WaitingRow<'_>| {
        let served = row.served_by.map_or_else(|| Cell::toned("-", Tone::Warning), Cell::new);
        vec![
            Cell::number(row.items),
            Cell::new(age(row.oldest_seconds)),
            Cell::new(waits_for(row.label, row.unlabelled)),
            served,
            Cell::new(format!(
                "{} (item {}, {})",
                row.reason, row.example.item, row.example.task
            )),
        ]
    };
    let most = view.width.map_or(usize::MAX, |_| MAX_WAITING);
    let mut lines = Table::new(&COLUMNS, report.waiting.iter().take(most).map(row).collect()).lines(view);
    let rest = report.waiting.get(most..).unwrap_or_default();
    if !rest.is_empty() {
        let items: u64 = rest.iter().map(|row| row.items).sum();
        let more = format!("and {} of {}", plural(rest.len(), "more row"), plural(items, "item"));
        lines.push(format!("{more}; without a terminal all are listed"));
    }
    lines
}

pub fn held_back(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 4] = [
        Column::new("HELD BACK", Fit::Front(20)),
        Column::new("LEFT", Fit::Whole),
        Column::new("FAILURES", Fit::Number),
        Column::new("WHY", Fit::Wrap(24, 3)),
    ];
    let row = |row: &super::report::BackoffRow<'_>| {
        let over = row.until <= report.now;
        vec![
            Cell::new(row.key),
            Cell::new(if over {
                "one may try".to_owned()
            } else {
                left(report.now, row.until)
            }),
            Cell::number(row.failures),
            Cell::new(row.reason),
        ]
    };
    Table::new(&COLUMNS, report.backoffs.iter().map(row).collect()).lines(view)
}

/// Returns a row for each server: those that a person should look at first, then by name.
pub fn servers(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 8] = [
        Column::new("SERVER", Fit::Front(16)),
        Column::new("PHASE", Fit::Whole),
        Column::new("EXEC", Fit::Number),
        Column::new("AGE", Fit::Number),
        Column::new("SINCE", Fit::Number),
        Column::new("PLACE", Fit::Front(8)),
        Column::optional("ADDRESS", Fit::Front(15)),
        Column::optional("JOB OR WHY", Fit::Below(28, 2)),
    ];
    let mut rows: Vec<&ServerRow> = report.servers.iter().collect();
    rows.sort_by_key(|row| rank(row.phase));
    // On a terminal there is no room for what is the same in every row.
    let several = view.width.is_none() || report.providers.len() > 1;
    let rows = rows.into_iter().map(|row| server(row, several, report.now)).collect();
    Table::new(&COLUMNS, rows).lines(view)
}

fn phase_tone(row: Phase) -> Tone {
    match row {
        Phase::Error => Tone::Error,
        Phase::Orphan | Phase::Offline => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn server(row: &ServerRow, several: bool, now: Timestamp) -> Vec<Cell> {
    let executors = match (row.busy_executors, row.executors) {
        (Some(busy), Some(all)) => format!("{busy}/{all}"),
        _ => "-".to_owned(),
    };
    let place = match &row.zone {
        None => row.provider.to_string(),
        Some(zone) if several => format!("{}/{zone}", row.provider),
        Some(zone) => zone.to_string(),
    };
    let address = row.floating_ip.as_deref().or(row.address.as_deref());
    vec![
        Cell::new(&row.name),
        Cell::toned(phase(row.phase), phase_tone(row.phase)),
        Cell::new(executors),
        Cell::new(age(row.age_seconds)),
        Cell::new(since(now, row.since)),
        Cell::new(place),
        Cell::new(address.unwrap_or("-")),
        Cell::new(job_or_why(row)),
    ]
}

fn since(now: Timestamp, then: Option<Timestamp>) -> String {
    then.map_or_else(|| "-".to_owned(), |then| age(now.duration_since(then).as_secs()))
}

/// Counts servers by phase: `3 booting, 12 idle`.
pub fn phase_counts(rows: &[ServerRow]) -> String {
    let mut counts: BTreeMap<Phase, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.phase).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(found, count)| format!("{count} {}", phase(*found)))
        .collect();
    counts.join(", ")
}

pub fn nodes(report: &StatusReport<'_>, view: View) -> Vec<String> {
    const COLUMNS: [Column; 3] = [
        Column::new("NODE WITHOUT A SERVER", Fit::Front(24)),
        Column::new("STATE", Fit::Whole),
        Column::new("EXEC", Fit::Number),
    ];
    let row = |row: &super::report::NodeRow<'_>| {
        let state = if row.offline { "offline" } else { "online" };
        let busy = row.executors.saturating_sub(row.idle_executors);
        vec![
            Cell::new(row.name.as_str()),
            Cell::new(state),
            Cell::new(format!("{busy}/{}", row.executors)),
        ]
    };
    Table::new(&COLUMNS, report.jenkins_nodes.iter().map(row).collect()).lines(view)
}
