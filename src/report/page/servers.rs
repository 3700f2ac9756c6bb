//! Every server of ours: those first that a person should look at.

use crate::plan::ServerRow;
use crate::report::server_words::{job_or_why, rank};
use crate::report::text::phase;
use crate::state::Phase;
use crate::text::age;

use super::facts::Facts;
use super::html::Html;
use super::links;
use super::table::{Column, section, table};
use super::time;

/// Writes the table of the servers.
pub fn servers(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 7] = [
        ("Server", "name"),
        ("Phase", "phase"),
        ("Since", "n"),
        ("Age", "n wide"),
        ("Executors", "n wide"),
        ("Place", "wide"),
        ("Job, or why", "text"),
    ];
    let count = Some((facts.servers.len(), "server")).filter(|(count, _)| *count > 0);
    section(html, ("servers", "Servers"), count, |html| {
        let mut rows: Vec<&ServerRow> = facts.servers.iter().collect();
        if rows.is_empty() {
            html.leaf("p", &[("class", "none")], "There is none.");
            return;
        }
        rows.sort_by_key(|row| rank(row.phase));
        table(html, ("of-servers", "Servers"), &COLUMNS, &rows, |html, row, place| {
            cell(html, row, place, facts);
        });
    });
}

fn cell(html: &mut Html, row: &ServerRow, place: usize, facts: &Facts<'_>) {
    match place {
        0 => {
            let node = row.jenkins_node.as_ref();
            let link = node.and_then(|node| links::node(facts.view.config, node.as_str()));
            links::linked(html, link.as_deref(), &row.name);
        }
        1 => {
            html.tag("i", &[("class", color(row.phase))], |_| {});
            html.text(phase(row.phase));
        }
        2 => match row.since {
            Some(then) => time::since(html, then, facts.view.now),
            None => html.text("–"),
        },
        3 => html.text(&age(row.age_seconds)),
        4 => match (row.busy_executors, row.executors) {
            (Some(busy), Some(all)) => html.text(&format!("{busy}/{all}")),
            _ => html.text("–"),
        },
        5 => {
            html.text(row.provider.as_str());
            if let Some(zone) = &row.zone {
                html.text("/");
                html.text(zone.as_str());
            }
        }
        _ => html.text(&job_or_why(row)),
    }
}

/// Returns the class of its color: that of the bars, or that of what is wrong.
fn color(phase: Phase) -> &'static str {
    match phase {
        Phase::Intent | Phase::Booting => "booting",
        Phase::Online | Phase::Busy => "busy",
        Phase::Idle => "idle",
        Phase::Draining | Phase::Offline | Phase::Deleting => "off",
        Phase::Error | Phase::Orphan => "unserved",
    }
}
