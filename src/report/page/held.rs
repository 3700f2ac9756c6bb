//! What is held back: pauses of operators, back-offs after failures, and what is left of the quotas.

use crate::model::{Headroom, Pause};
use crate::state::{Backoff, Cached};
use crate::text::left;

use super::facts::Facts;
use super::html::Html;
use super::table::{Column, section, table};
use super::time;

/// Writes the three tables, each only where there is something.
pub fn held(html: &mut Html, facts: &Facts<'_>) {
    html.class("div", "pair", |html| {
        pauses(html, facts);
        backoffs(html, facts);
        quotas(html, facts);
    });
}

fn pauses(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 4] = [("Paused", "name"), ("Since", "n"), ("Until", "n"), ("Why", "text")];
    let now = facts.view.now;
    let saw = facts.view.saw.iter();
    let rows: Vec<&Pause> = saw.flat_map(|saw| saw.observed.pauses.open(now)).collect();
    if rows.is_empty() {
        return;
    }
    section(html, ("pauses", "Pauses"), None, |html| {
        table(
            html,
            ("of-held", "Pauses"),
            &COLUMNS,
            &rows,
            |html, pause, place| match place {
                0 => html.text(&pause.what()),
                1 => time::since(html, pause.since, now),
                2 => html.text(
                    &pause
                        .until
                        .map_or_else(|| "somebody resumes it".to_owned(), |until| left(now, until)),
                ),
                _ => html.text(pause.reason.as_deref().unwrap_or("–")),
            },
        );
    });
}

fn backoffs(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 4] = [("Held back", "name"), ("For", "n"), ("Failures", "n"), ("Why", "text")];
    let now = facts.view.now;
    let rows: Vec<(&String, &Backoff)> = facts.view.state.backoffs.iter().collect();
    if rows.is_empty() {
        return;
    }
    section(html, ("backoffs", "Held back after failures"), None, |html| {
        table(
            html,
            ("of-held", "Back-offs"),
            &COLUMNS,
            &rows,
            |html, (key, backoff), place| match place {
                0 => html.text(key),
                1 if backoff.until <= now => html.text("one may try"),
                1 => html.text(&left(now, backoff.until)),
                2 => html.number(u64::from(backoff.failures)),
                _ => html.text(&backoff.reason),
            },
        );
    });
}

fn quotas(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 5] = [
        ("Provider", "name"),
        ("Servers left", "n"),
        ("vCPUs left", "n"),
        ("Memory left", "n"),
        ("Read", "n"),
    ];
    let rows: Vec<_> = facts.view.state.headroom.iter().collect();
    if rows.is_empty() {
        return;
    }
    let now = facts.view.now;
    section(html, ("quotas", "Quotas"), None, |html| {
        table(
            html,
            ("of-quotas", "What is left of the quotas"),
            &COLUMNS,
            &rows,
            |html, (name, room), place| {
                let Cached { at, value } = room;
                match place {
                    0 => html.text(name.as_str()),
                    4 => {
                        time::since(html, *at, now);
                        html.text(" ago");
                    }
                    _ => html.text(&left_of(value, place)),
                }
            },
        );
    });
}

/// Returns what is left of the servers (1), the cores (2), the memory (3).
fn left_of(room: &Headroom, place: usize) -> String {
    let number = match place {
        1 => room.instances,
        2 => room.vcpus,
        _ => room.ram_mb,
    };
    match number {
        None => "no limit".to_owned(),
        Some(left) if place < 3 => left.to_string(),
        Some(left) if left < 10_240 => format!("{left} MiB"),
        Some(left) => format!("{} GiB", left / 1024),
    }
}
