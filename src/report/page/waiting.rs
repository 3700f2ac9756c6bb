//! What waits: for which label, since when, and what serves it, or why nothing does.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Waiting;
use crate::report::text::waits_for;
use crate::text::{age, plural};

use super::facts::Facts;
use super::html::Html;
use super::links;
use super::table::{Column, MOST_ROWS, section, table};

/// Writes the table of what waits.
pub fn waiting(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 4] = [
        ("Items", "n"),
        ("Oldest", "n"),
        ("Label", "name"),
        ("Served by, or why not", "text"),
    ];
    let count = facts.items().and_then(|items| usize::try_from(items).ok());
    let count = count.filter(|items| *items > 0).map(|items| (items, "item"));
    section(html, ("waiting", "Waiting for an executor"), count, |html| {
        let Some(rows) = &facts.waiting else {
            html.leaf("p", &[("class", "none")], "The queue could not be read.");
            return;
        };
        if rows.is_empty() {
            html.leaf("p", &[("class", "none")], "Nothing waits.");
            return;
        }
        let jobs = jobs(facts, rows);
        table(
            html,
            ("of-waiting", "Waiting items by label"),
            &COLUMNS,
            rows,
            |html, row, place| {
                cell(html, row, place, jobs.get(&row.example.item).map(String::as_str));
            },
        );
    });
}

/// Returns the links to the jobs of the examples, by item.
fn jobs(facts: &Facts<'_>, rows: &[&Waiting]) -> BTreeMap<u64, String> {
    let wanted: BTreeSet<u64> = rows.iter().take(MOST_ROWS).map(|row| row.example.item).collect();
    let saw = facts.view.saw.iter();
    let items = saw.flat_map(|saw| &saw.observed.jenkins.queue);
    let items = items.filter(|item| wanted.contains(&item.id));
    let link = |url: &str| links::job(facts.view.config, url);
    items
        .filter_map(|item| Some((item.id, item.task_url.as_deref().and_then(link)?)))
        .collect()
}

fn cell(html: &mut Html, row: &Waiting, place: usize, job: Option<&str>) {
    match place {
        0 => html.number(row.items),
        1 => html.text(&age(row.oldest_seconds)),
        2 => {
            html.text(waits_for(row.label.as_deref(), row.unlabelled));
            html.tag("small", &[], |html| {
                links::linked(html, job, &row.example.task);
                if row.items > 1 {
                    html.text(&format!(" and {}", plural(row.items - 1, "other")));
                }
            });
        }
        _ => {
            match &row.served_by {
                Some(template) => html.leaf("b", &[("class", "pill")], template.as_str()),
                None => html.leaf("b", &[("class", "pill bad")], "not served"),
            }
            html.text(" ");
            html.text(&row.reason);
        }
    }
}
