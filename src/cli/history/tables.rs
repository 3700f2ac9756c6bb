//! `history` for people: tables that fit the terminal, and a trace of jobs.

use jiff::Timestamp;

use crate::config::Config;
use crate::history::{By, Decimal, Ending, Groups, Life, Row, Trace, cost, sentence};
use crate::model::{Event, EventKind, Severity, TemplateName};
use crate::report::table::{Cell, Column, Fit, Table, Tone, View};
use crate::report::text::lines_of;
use crate::text::{brief, moment, plural, printable};

/// The most characters of a sentence.
const SENTENCE: usize = 600;

/// Returns events as a table, the last one at its end.
pub fn events(events: &[Event], view: View) -> Vec<String> {
    let columns = [
        Column::new("AT", Fit::Whole),
        Column::new("EVENT", Fit::Whole),
        Column::optional("NAME", Fit::Front(12)),
        Column::optional("PROVIDER", Fit::Front(8)),
        Column::new("WHAT", Fit::Below(36, 3)),
    ];
    let row = |event: &Event| {
        vec![
            Cell::new(moment(event.at)),
            Cell::toned(event.event.word(), tone(event)),
            Cell::new(which(event)),
            Cell::new(event.provider.as_ref().map_or("", |provider| provider.as_str())),
            what(event),
        ]
    };
    or_else(
        Table::new(&columns, events.iter().map(row).collect()).lines(view),
        "no event",
    )
}

/// Returns the name of what an event is of.
fn which(event: &Event) -> &str {
    let node = || event.node.as_ref().map(TemplateName::as_str);
    event
        .name
        .as_deref()
        .or_else(node)
        .or(event.subject.as_deref())
        .unwrap_or_default()
}

fn what(event: &Event) -> Cell {
    Cell::new(printable(&sentence(event), SENTENCE))
}

fn tone(event: &Event) -> Tone {
    match (event.event, event.severity) {
        (EventKind::Failed | EventKind::Lost, _) | (EventKind::Problem, Some(Severity::Error)) => Tone::Error,
        (EventKind::Refused | EventKind::Unknown | EventKind::Rollback | EventKind::Problem, _) => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn or_else(lines: Vec<String>, nothing: &str) -> Vec<String> {
    if lines.is_empty() {
        vec![nothing.to_owned()]
    } else {
        lines
    }
}

/// Returns the life of a server: who it is, how it went, its events with the time between.
pub fn life(life: &Life, events: &[Event], config: &Config, now: Timestamp, view: View) -> Vec<String> {
    let mut lines: Vec<String> = [identity(life), summary(life, config, now)]
        .iter()
        .flat_map(|text| lines_of(&printable(text, SENTENCE), view.width))
        .collect();
    lines.push(String::new());
    let columns = [
        Column::new("AT", Fit::Whole),
        Column::new("AFTER", Fit::Number),
        Column::new("EVENT", Fit::Whole),
        Column::new("WHAT", Fit::Below(36, 4)),
    ];
    let mut before = None;
    let mut row = |event: &Event| {
        let after = before.replace(event.at).map_or_else(String::new, |before| {
            let seconds = event.at.as_second().saturating_sub(before.as_second());
            format!("{}s", seconds.max(0))
        });
        vec![
            Cell::new(moment(event.at)),
            Cell::new(after),
            Cell::toned(event.event.word(), tone(event)),
            what(event),
        ]
    };
    let rows = events.iter().map(&mut row).collect();
    lines.extend(or_else(
        Table::new(&columns, rows).lines(view),
        "no event of it is in the journal",
    ));
    lines
}

fn identity(life: &Life) -> String {
    let part = |before: &str, text: Option<String>| text.map(|text| format!("{before}{text}")).unwrap_or_default();
    format!(
        "{}{}{}{}{}{}",
        life.name,
        part(": template ", life.node.as_ref().map(ToString::to_string)),
        part(" at ", life.provider.as_ref().map(ToString::to_string)),
        part(" in ", life.zone.as_ref().map(ToString::to_string)),
        part(", server ", life.server_id.as_ref().map(ToString::to_string)),
        part(
            ", Jenkins node ",
            life.jenkins_node.clone().filter(|node| *node != life.name)
        ),
    )
}

fn summary(life: &Life, config: &Config, now: Timestamp) -> String {
    let now = now.as_millisecond();
    let length = life.end_or(now).saturating_sub(life.begin);
    let lived = match life.end {
        None => "lives, since",
        Some((_, Ending::Removed)) => "removed after",
        Some((_, Ending::Lost)) => "lost after",
        Some((_, Ending::Unknown)) => "its end is not known; last seen after",
    };
    let made_for = life
        .made_for
        .as_ref()
        .map(|made_for| format!("made for {made_for}; "))
        .unwrap_or_default();
    let boot = life
        .boot
        .map(|boot| format!("; joined after {}", brief(boot)))
        .unwrap_or_default();
    let builds = match life.builds {
        0 => String::new(),
        builds => format!(", {}", plural(builds, "build")),
    };
    format!(
        "{made_for}{lived} {}{boot}; busy {}, idle {}{builds}{}",
        brief(u64::try_from(length / 1000).unwrap_or(0)),
        brief(life.busy),
        brief(life.idle),
        price_of(life, length, config),
    )
}

fn price_of(life: &Life, length: i64, config: &Config) -> String {
    let template = life.node.as_ref().and_then(|node| config.template(node.as_str()));
    let price = template.and_then(|template| template.price);
    let length = u128::try_from(length).unwrap_or(0);
    price.map_or_else(String::new, |price| {
        let cost = cost(length * u128::from(price.0)).rounded(2);
        format!("; cost {cost} {}", config.currency).trim_end().to_owned()
    })
}

/// Returns counts as a table, the total at its end.
pub fn groups(groups: &Groups, currency: &str, view: View) -> Vec<String> {
    let head = match groups.by {
        By::Node => "NODE",
        By::Provider => "PROVIDER",
        By::Label => "LABEL",
        By::MadeFor => "JOB",
        By::Day => "DAY",
    };
    let cost_head = printable(format!("COST {currency}").trim_end(), 20);
    let columns = [
        Column::new(head, Fit::Front(8)),
        Column::new("MADE", Fit::Number),
        Column::new("FAIL", Fit::Number),
        Column::optional("LOST", Fit::Number),
        Column::new("HOURS", Fit::Number),
        Column::new("BUSY", Fit::Number),
        Column::new("BOOT", Fit::Number),
        Column::new("95%", Fit::Number),
        Column::optional("ITEMS", Fit::Number),
        Column::optional("WAIT", Fit::Number),
        Column::optional("95%", Fit::Number),
        Column::optional(&cost_head, Fit::Number),
    ];
    let unknown = match groups.by {
        By::Label => "(none)",
        _ => "(not known)",
    };
    let has_waits = groups.by.has_waits();
    let key = |key: &Option<String>| key.as_deref().unwrap_or(unknown).to_owned();
    let mut rows: Vec<Vec<Cell>> = groups
        .rows
        .iter()
        .map(|(name, row)| cells(&key(name), row, has_waits))
        .collect();
    rows.push(cells("total", &groups.total, true));
    let mut lines = Table::new(&columns, rows).lines(view);
    let (priced, unpriced) = (groups.total.cost().is_some(), groups.total.unpriced_millis());
    if priced && unpriced > 0 {
        let hours = Decimal::hours(unpriced).rounded(1);
        let text =
            format!("{hours} server-hours are in no cost: their template has no price, or is no longer configured");
        lines.extend(lines_of(&text, view.width));
    }
    lines
}

fn cells(name: &str, row: &Row, has_waits: bool) -> Vec<Cell> {
    let seconds = |seconds: Option<u64>| Cell::new(seconds.map_or_else(|| "-".to_owned(), brief));
    let [boot, long_boot] = row.boots.percentiles([50, 95]);
    let [wait, long_wait] = row.waits.percentiles([50, 95]);
    let busy = row
        .busy_share()
        .map(|share| format!("{}%", Decimal(share.0.saturating_mul(100)).rounded(0)));
    let items = (has_waits && row.waits.count() > 0).then(|| row.waits.count().to_string());
    let lost = (row.lost > 0).then(|| row.lost.to_string());
    let or_dash = |text: Option<String>| Cell::new(text.as_deref().unwrap_or("-"));
    vec![
        Cell::new(name),
        Cell::number(row.servers),
        Cell::number(row.failures),
        or_dash(lost),
        Cell::new(Decimal::hours(row.millis).rounded(1)),
        or_dash(busy),
        seconds(boot),
        seconds(long_boot),
        or_dash(items),
        seconds(wait),
        seconds(long_wait),
        or_dash(row.cost().map(|cost| cost.rounded(2))),
    ]
}

/// Returns a trace as `examples/simulate` reads it.
pub fn trace(trace: &Trace) -> Vec<String> {
    let start = trace.start.and_then(|start| Timestamp::from_millisecond(start).ok());
    let since = start.map_or_else(String::new, |start| format!(" since {start}"));
    let head = [
        format!("# {} of the journal{since}", plural(trace.jobs.len(), "job")),
        "# SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL".to_owned(),
        "# Of several items that one pass saw served, waits between are estimated; how long a job runs is the average"
            .to_owned(),
        "# of its template: the journal does not know it.".to_owned(),
    ];
    let line = |(came, seconds, label): &(u64, u64, String)| format!("{came} {seconds} {label}").trim_end().to_owned();
    head.into_iter().chain(trace.jobs.iter().map(line)).collect()
}
