//! The first thing a person reads: how things are, as of when, and the numbers.

use crate::model::Severity;
use crate::text::{age, excerpt, plural};

use super::facts::Facts;
use super::html::Html;
use super::time;

/// The most characters of the first problem in the headline; the whole is below it.
const FIRST_PROBLEM: usize = 110;

/// Writes the headline, the banner of a page that is stale, and the numbers.
pub fn headline(html: &mut Html, facts: &Facts<'_>) {
    let view = facts.view;
    let tone = match mood(facts) {
        None => "headline good",
        Some(Severity::Warning) => "headline warning",
        Some(Severity::Error) => "headline error",
    };
    html.tag("div", &[("class", tone)], |html| {
        html.class("p", "site", |html| {
            html.text("mita · ");
            html.text(&view.config.owner);
        });
        html.leaf("h1", &[], &sentence(facts));
        if !facts.problems.is_empty() && view.saw.is_some() {
            html.leaf("p", &[("class", "fleet")], &fleet(facts));
        }
        html.class("p", "asof", |html| as_of(html, facts));
    });
    stale(html, facts);
    numbers(html, facts);
}

/// Returns how much the worst thing matters that is wrong; `None`: all is well.
pub fn mood(facts: &Facts<'_>) -> Option<Severity> {
    if facts.view.saw.is_none() {
        return Some(Severity::Error);
    }
    let partly = (facts.view.exit != 0).then_some(Severity::Warning);
    facts.worst().max(partly)
}

/// Says how things are in one sentence.
pub fn sentence(facts: &Facts<'_>) -> String {
    if facts.view.saw.is_none() {
        return blind(facts);
    }
    match (facts.problems.first(), facts.view.exit) {
        (None, 0) => format!("All is well: {}", fleet(facts)),
        (None, exit) => format!("The pass left something undone (exit {exit}): {}", fleet(facts)),
        (Some(first), _) => {
            let count = plural(facts.problems.len(), "problem");
            format!("{count}: {}", excerpt(&first.sentence, FIRST_PROBLEM))
        }
    }
}

fn blind(facts: &Facts<'_>) -> String {
    let seen = facts.seen();
    let seen = seen.map_or_else(
        || "no pass saw anything yet".to_owned(),
        |seen| format!("below is what a pass saw at {} UTC", time::of_day(seen, facts.view.now)),
    );
    format!("Jenkins or the clouds cannot be read: {seen}")
}

/// Counts servers and waiting items: `12 servers, nothing waits`.
fn fleet(facts: &Facts<'_>) -> String {
    let servers = plural(facts.servers.len(), "server");
    let (items, unserved) = (facts.items().unwrap_or(0), facts.unserved());
    let waits = match (items, unserved) {
        (0, _) => "nothing waits".to_owned(),
        (1, 0) => "1 item waits and is served".to_owned(),
        (1, _) => "1 item waits, not served yet".to_owned(),
        (items, 0) => format!("{items} items wait and are served"),
        (items, unserved) if items == unserved => format!("{items} items wait, none of them served yet"),
        (items, unserved) => format!("{items} items wait, {unserved} of them not served yet"),
    };
    format!("{servers}, {waits}")
}

/// Says when the pass looked, and from when on that is old.
fn as_of(html: &mut Html, facts: &Facts<'_>) {
    let now = facts.view.now;
    let stale = now
        .checked_add(jiff::SignedDuration::from_secs(facts.stale_after()))
        .unwrap_or(now);
    html.text("Pass of ");
    html.tag("time", &[("id", "pass"), ("datetime", &time::exact(now))], |html| {
        html.text(&time::date(now));
        html.text(" ");
        html.text(&time::of_day(now, now));
    });
    html.text(" UTC");
    html.tag("span", &[("id", "age")], |_| {});
    html.text("; old from ");
    html.text(&time::of_day(stale, now));
    html.text(" UTC on");
}

/// The classes of `style.css` that reveal the banner after so many seconds.
const DELAYS: [(i64, &str); 8] = [
    (180, "stale s180"),
    (300, "stale s300"),
    (600, "stale s600"),
    (900, "stale s900"),
    (1800, "stale s1800"),
    (3600, "stale s3600"),
    (10_800, "stale s10800"),
    (i64::MAX, "stale s86400"),
];

/// Writes the banner of a page that is old: the style reveals it when a browser did not load the page again for so long, the
/// script when the clock says so.
fn stale(html: &mut Html, facts: &Facts<'_>) {
    let after = facts.stale_after();
    let class = DELAYS.iter().find(|(delay, _)| after <= *delay);
    let class = class.map_or("stale", |(_, class)| class);
    let seconds = after.to_string();
    let attributes = [
        ("id", "stale"),
        ("class", class),
        ("role", "status"),
        ("data-after", &seconds),
    ];
    html.tag("p", &attributes, |html| {
        html.leaf("strong", &[], "Stale: ");
        let usual = age(facts.usual_gap());
        html.text("no newer page came, though a pass is usual every ");
        html.text(&usual);
        html.text(". What is below may be over.");
    });
}

/// Writes the numbers of the site.
fn numbers(html: &mut Html, facts: &Facts<'_>) {
    let waiting = facts.items();
    let oldest = facts.waiting.as_ref().and_then(|rows| rows.first());
    let unserved = facts.unserved();
    let count = |number: u64| number.to_string();
    let known = |text: String| if waiting.is_some() { text } else { "?".to_owned() };
    let numbers = [
        ("Servers", "", count(facts.servers.len() as u64)),
        ("Busy", "busy", count(facts.sum(|row| row.busy))),
        ("Idle", "idle", count(facts.sum(|row| row.idle))),
        ("Booting", "booting", count(facts.sum(|row| row.booting))),
        ("Off", "off", count(facts.sum(|row| row.off))),
        ("Waiting", "", known(count(waiting.unwrap_or(0)))),
        (
            "Oldest",
            "",
            known(oldest.map_or_else(|| "–".to_owned(), |row| age(row.oldest_seconds))),
        ),
        (
            "Not served",
            if unserved > 0 { "unserved" } else { "" },
            known(count(unserved)),
        ),
    ];
    html.class("dl", "numbers", |html| {
        for (word, swatch, value) in numbers {
            html.tag("div", &[], |html| {
                html.tag("dt", &[], |html| {
                    if !swatch.is_empty() {
                        html.tag("i", &[("class", swatch)], |_| {});
                    }
                    html.text(word);
                });
                html.leaf("dd", &[], &value);
            });
        }
    });
}
