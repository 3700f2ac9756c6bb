//! The last day as charts: the queue, the servers, and how long things took.

mod axis;
mod day;
mod figure;
mod marks;

use crate::state::Sample;
use crate::text::{age, plural};

use super::facts::Facts;
use super::html::Html;
use super::table::section;
use axis::Axis;
use day::Day;
use figure::{Figure, Key, figure};
use marks::{Level, area, dots, line, stack};

/// Writes the charts.
pub fn charts(html: &mut Html, facts: &Facts<'_>) {
    let Some(page) = &facts.view.state.page else { return };
    let day = Day::new(&page.samples, facts.view.now, facts.usual_gap());
    section(html, ("day", "Last 24 hours"), None, |html| {
        html.class("div", "charts", |html| {
            queue(html, &day, facts);
            oldest(html, &day, facts);
            servers(html, &day, facts);
            times(html, &day);
        });
    });
}

fn queue(html: &mut Html, day: &Day<'_>, facts: &Facts<'_>) {
    let axis = Axis::counts(day.most(|sample| sample.waiting));
    let figure_of = Figure {
        id: "chart-queue",
        title: "Waiting items",
        keys: &[Key::new("waiting", "waiting"), Key::new("unserved", "not served")],
        summary: summary(day, facts.items(), |sample| sample.waiting, |count| count.to_string()),
        axis: &axis,
    };
    figure(
        html,
        &figure_of,
        day,
        |html| {
            area(html, day, &axis, "waiting", |sample| sample.waiting);
            area(html, day, &axis, "unserved", |sample| sample.unserved);
        },
        |sample| format!("{}, {} not served", plural(sample.waiting, "item"), sample.unserved),
    );
}

fn oldest(html: &mut Html, day: &Day<'_>, facts: &Facts<'_>) {
    let axis = Axis::seconds(day.most(|sample| sample.oldest));
    let figure_of = Figure {
        id: "chart-oldest",
        title: "Oldest waiting item",
        keys: &[],
        summary: summary(day, facts.oldest(), |sample| sample.oldest, length),
        axis: &axis,
    };
    figure(
        html,
        &figure_of,
        day,
        |html| {
            area(html, day, &axis, "oldest", |sample| sample.oldest);
            line(html, day, &axis, "oldest", |sample| sample.oldest);
        },
        |sample| format!("the oldest waits for {}", length(sample.oldest)),
    );
}

fn servers(html: &mut Html, day: &Day<'_>, facts: &Facts<'_>) {
    let axis = Axis::counts(day.most(all_servers));
    let now = facts.view.saw.as_ref().map(|_| facts.servers.len() as u64);
    let figure_of = Figure {
        id: "chart-servers",
        title: "Servers",
        keys: &[
            Key::new("busy", "busy"),
            Key::new("idle", "idle"),
            Key::new("booting", "booting"),
            Key::new("off", "off"),
        ],
        summary: summary(day, now, all_servers, |count| count.to_string()),
        axis: &axis,
    };
    figure(
        html,
        &figure_of,
        day,
        |html| {
            let levels: [Level; 4] = [
                ("busy", |sample| sample.busy),
                ("idle", |sample| sample.busy.saturating_add(sample.idle)),
                ("booting", |sample| all_servers(sample).saturating_sub(sample.off)),
                ("off", all_servers),
            ];
            stack(html, day, &axis, &levels);
        },
        |sample| {
            let Sample {
                busy,
                idle,
                booting,
                off,
                ..
            } = sample;
            format!("{busy} busy, {idle} idle, {booting} booting, {off} off")
        },
    );
}

fn all_servers(sample: &Sample) -> u64 {
    [sample.busy, sample.idle, sample.booting, sample.off]
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
}

fn times(html: &mut Html, day: &Day<'_>) {
    let axis = Axis::seconds(day.most(|sample| sample.wait.max(sample.boot)));
    let figure_of = Figure {
        id: "chart-times",
        title: "Waits and boots",
        keys: &[
            Key::new("wait", "an item waited"),
            Key::new("boot", "a server needed to join"),
        ],
        summary: "medians of five minutes".to_owned(),
        axis: &axis,
    };
    figure(
        html,
        &figure_of,
        day,
        |html| {
            dots(html, day, &axis, "wait", |sample| {
                (sample.served > 0).then_some(sample.wait)
            });
            dots(html, day, &axis, "boot", |sample| {
                (sample.joined > 0).then_some(sample.boot)
            });
        },
        took,
    );
}

fn took(sample: &Sample) -> String {
    let mut parts = Vec::new();
    if sample.served > 0 {
        parts.push(format!(
            "{} waited for {}",
            plural(sample.served, "item"),
            length(sample.wait)
        ));
    }
    if sample.joined > 0 {
        parts.push(format!(
            "{} joined after {}",
            plural(sample.joined, "server"),
            length(sample.boot)
        ));
    }
    if parts.is_empty() {
        "nothing was served, no server joined".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Says the largest value, and what this pass saw; the last sample has the peak of its five minutes.
fn summary(day: &Day<'_>, now: Option<u64>, value: fn(&Sample) -> u64, words: fn(u64) -> String) -> String {
    let most = day.most(value).max(now.unwrap_or(0));
    match now {
        _ if day.is_empty() => "nothing recorded yet".to_owned(),
        Some(now) => format!("now {}, at most {}", words(now), words(most)),
        None => format!("at most {}", words(most)),
    }
}

fn length(seconds: u64) -> String {
    age(i64::try_from(seconds).unwrap_or(i64::MAX))
}
