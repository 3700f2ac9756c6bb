//! The last events, the newest first.

use crate::model::{Event, EventKind, ProblemState, Seconds, Severity};
use crate::text::{age, plural};

use super::facts::Facts;
use super::html::Html;
use super::table::{Column, section, table};
use super::time;

/// Writes the table of the last events.
pub fn events(html: &mut Html, facts: &Facts<'_>) {
    const COLUMNS: [Column; 4] = [("Time", "n"), ("Event", "phase"), ("Of", "name"), ("What", "text")];
    let Some(page) = &facts.view.state.page else { return };
    section(html, ("events", "Last events"), None, |html| {
        if page.recent.is_empty() {
            html.leaf("p", &[("class", "none")], "There was none yet.");
            return;
        }
        let rows: Vec<&Event> = page.recent.iter().rev().collect();
        let now = facts.view.now;
        table(
            html,
            ("of-events", "The last events"),
            &COLUMNS,
            &rows,
            |html, event, place| match place {
                0 => {
                    let exact = time::exact(event.at);
                    let shown = time::of_day(event.at, now);
                    html.leaf("time", &[("datetime", &exact), ("title", &exact)], &shown);
                }
                1 => {
                    html.tag("i", &[("class", color(event))], |_| {});
                    html.text(word(event));
                }
                2 => html.text(of(event)),
                _ => html.text(&what(event)),
            },
        );
    });
}

fn word(event: &Event) -> &'static str {
    match event.state {
        Some(ProblemState::Begin) => "began",
        Some(ProblemState::End) => "ended",
        None => event.event.word(),
    }
}

fn color(event: &Event) -> &'static str {
    match (event.event, event.state, event.severity) {
        (EventKind::Created, _, _) => "booting",
        (EventKind::Joined, _, _) => "busy",
        (EventKind::Failed | EventKind::Lost, _, _) | (_, Some(ProblemState::Begin), Some(Severity::Error)) => {
            "unserved"
        }
        (EventKind::Refused | EventKind::Unknown | EventKind::Rollback, _, _) | (_, Some(ProblemState::Begin), _) => {
            "warn"
        }
        (_, Some(ProblemState::End), _) => "good",
        _ => "off",
    }
}

fn of(event: &Event) -> &str {
    let node = event.node.as_ref().map(crate::model::TemplateName::as_str);
    let names = [event.name.as_deref(), event.key.as_deref(), node];
    names.into_iter().flatten().next().unwrap_or("–")
}

/// Says what happened, as far as the event knows.
fn what(event: &Event) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(event.made_for.as_ref().map(|job| format!("for {job}")));
    let label = event.label.as_ref().filter(|_| event.event == EventKind::Created);
    parts.extend(label.map(|label| format!("label {label}")));
    if event.event == EventKind::Created {
        parts.extend(place(event));
    }
    let seconds = event.seconds.map(Seconds::floor);
    parts.extend(seconds.map(|seconds| match event.event {
        EventKind::Joined => format!("{} after it was asked for", length(seconds)),
        _ => format!("lived {}", length(seconds)),
    }));
    parts.extend(event.because.clone());
    parts.extend(event.error.clone());
    parts.extend(event.sentence.clone());
    parts.extend(event.busy_seconds.map(|busy| format!("busy for {}", length(busy))));
    parts.extend(event.builds.map(|builds| plural(builds, "build")));
    if let (Some(image), Some(instead)) = (&event.image, &event.instead) {
        parts.push(format!("image {instead} instead of {image}"));
    }
    parts.join(" · ")
}

fn place(event: &Event) -> Option<String> {
    let provider = event.provider.as_ref()?;
    let zone = event.zone.as_ref().map_or_else(String::new, |zone| format!("/{zone}"));
    Some(format!("at {provider}{zone}"))
}

fn length(seconds: u64) -> String {
    age(i64::try_from(seconds).unwrap_or(i64::MAX))
}
