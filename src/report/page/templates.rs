//! The fleet by template: what its servers do, against its maximum.

use crate::plan::TemplateRow;
use crate::text::shown;

use super::facts::Facts;
use super::html::Html;
use super::table::{Column, section, table};

/// The width of a bar in its own units.
const WIDTH: u64 = 1_000;

/// Writes a bar for each template.
pub fn templates(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 3] = [("Template", "name"), ("Servers", "bar"), ("Of max", "n")];
    section(html, ("templates", "Templates"), None, |html| {
        legend(html);
        let mut rows: Vec<Row<'_>> = Vec::new();
        if facts.templates.len() > 1 {
            rows.push(Row::total(facts));
        }
        rows.extend(facts.templates.iter().map(Row::of));
        table(html, ("of-templates", "Servers by template"), &COLUMNS, &rows, cell);
    });
}

fn legend(html: &mut Html) {
    html.class("ul", "legend", |html| {
        for (class, word) in [
            ("busy", "busy"),
            ("idle", "idle"),
            ("booting", "booting"),
            ("off", "off"),
        ] {
            html.tag("li", &[], |html| {
                html.tag("i", &[("class", class)], |_| {});
                html.text(word);
            });
        }
    });
}

/// One template, or all of them.
struct Row<'a> {
    name: &'a str,
    counts: [(&'static str, u64); 4],
    /// `None`: no bound.
    max: Option<u64>,
    note: String,
}

impl<'a> Row<'a> {
    fn of(row: &'a TemplateRow) -> Self {
        let learned = [&row.spare, &row.rhythm].into_iter().flatten();
        let note = match (row.min_ready, learned.max_by_key(|learned| learned.nodes)) {
            _ if !row.configured => "no longer configured".to_owned(),
            (ready, Some(learned)) if learned.nodes > ready => {
                format!("{} kept ready: {}", learned.nodes, shown(&learned.because))
            }
            (0, _) => String::new(),
            (ready, _) => format!("{ready} kept ready"),
        };
        Self {
            name: row.node.as_str(),
            counts: counts(row.busy, row.idle, row.booting, row.off),
            max: row.configured.then_some(u64::from(row.max)),
            note,
        }
    }

    fn total(facts: &'a Facts<'_>) -> Self {
        let sum = |part: fn(&TemplateRow) -> u32| u32::try_from(facts.sum(part)).unwrap_or(u32::MAX);
        Self {
            name: "all templates",
            counts: counts(
                sum(|row| row.busy),
                sum(|row| row.idle),
                sum(|row| row.booting),
                sum(|row| row.off),
            ),
            max: facts.view.config.limits.max_servers.map(u64::from),
            note: String::new(),
        }
    }

    fn servers(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Returns `2 busy, 1 idle`.
    fn words(&self) -> String {
        let some = self.counts.iter().filter(|(_, count)| *count > 0);
        let some: Vec<String> = some.map(|(word, count)| format!("{count} {word}")).collect();
        if some.is_empty() {
            "no server".to_owned()
        } else {
            some.join(", ")
        }
    }
}

fn counts(busy: u32, idle: u32, booting: u32, off: u32) -> [(&'static str, u64); 4] {
    [
        ("busy", u64::from(busy)),
        ("idle", u64::from(idle)),
        ("booting", u64::from(booting)),
        ("off", u64::from(off)),
    ]
}

fn cell(html: &mut Html, row: &Row<'_>, place: usize) {
    match place {
        0 => {
            html.text(row.name);
            if !row.note.is_empty() {
                html.leaf("small", &[], &row.note);
            }
        }
        1 => {
            bar(html, row);
            html.leaf("small", &[], &row.words());
        }
        _ => {
            html.tag("b", &[], |html| html.number(row.servers()));
            let of = row.max.map_or_else(String::new, |max| format!(" / {max}"));
            html.text(&of);
            if let Some(max) = row.max {
                let room = max.saturating_sub(row.servers());
                let room = if room == 0 {
                    "full".to_owned()
                } else {
                    format!("room for {room}")
                };
                html.leaf("small", &[], &room);
            }
        }
    }
}

/// Draws the servers as parts of the maximum; of more than it, as parts of all.
fn bar(html: &mut Html, row: &Row<'_>) {
    let whole = row.max.unwrap_or(0).max(row.servers()).max(1);
    let words = row
        .max
        .map_or_else(|| row.words(), |max| format!("{} of at most {max}", row.words()));
    let attributes = [
        ("class", "bar"),
        ("width", "100%"),
        ("height", "14"),
        ("viewBox", "0 0 1000 14"),
        ("preserveAspectRatio", "none"),
        ("role", "img"),
        ("aria-label", words.as_str()),
    ];
    html.tag("svg", &attributes, |html| {
        html.leaf("title", &[], &words);
        let mut sum = 0;
        for (class, count) in row.counts.iter().filter(|(_, count)| *count > 0) {
            let from = place(sum, whole);
            sum += count;
            let (x, width) = (from.to_string(), (place(sum, whole) - from).to_string());
            let attributes = [("class", *class), ("x", &x), ("width", &width), ("height", "14")];
            html.tag("rect", &attributes, |_| {});
        }
    });
}

fn place(count: u64, whole: u64) -> u64 {
    count.saturating_mul(WIDTH) / whole
}
