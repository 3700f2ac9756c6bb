//! What happened in an event, in words, beside when, which and where.

use std::collections::BTreeMap;

use crate::model::{Event, EventKind, ProblemState};
use crate::text::{brief, plural};

/// Returns what an event says, without the server's name.
pub fn sentence(event: &Event) -> String {
    let parts = match event.event {
        EventKind::Created => vec![for_whom(event), event.because.clone()],
        EventKind::Joined => vec![event.seconds.map(|seconds| format!("after {}", brief(seconds.floor())))],
        EventKind::Removed | EventKind::Lost => vec![life(event), event.because.clone()],
        EventKind::Refused | EventKind::Failed | EventKind::Unknown => {
            vec![event.error.clone().or_else(|| event.because.clone())]
        }
        EventKind::Rollback => vec![images(event), event.because.clone()],
        EventKind::Problem => vec![problem(event)],
        EventKind::Served => vec![served(event)],
        EventKind::Pass => vec![Some(pass(event))],
    };
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}

fn for_whom(event: &Event) -> Option<String> {
    let label = event
        .label
        .as_ref()
        .map(|label| format!(" ({label})"))
        .unwrap_or_default();
    event.made_for.as_ref().map(|made_for| format!("for {made_for}{label}"))
}

fn life(event: &Event) -> Option<String> {
    let lived = event.seconds.map(|seconds| format!("lived {}", brief(seconds.floor())));
    let busy = event.busy_seconds.map(|seconds| format!("busy {}", brief(seconds)));
    let idle = event.idle_seconds.map(|seconds| format!("idle {}", brief(seconds)));
    let builds = event.builds.map(|builds| plural(builds, "build"));
    let parts: Vec<String> = [lived, busy, idle, builds].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn images(event: &Event) -> Option<String> {
    let (image, instead) = event.image.as_ref().zip(event.instead.as_ref())?;
    let node = event.node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
    Some(format!("{node}image {instead} instead of {image}"))
}

fn problem(event: &Event) -> Option<String> {
    let word = match event.state? {
        ProblemState::Begin => "begins",
        ProblemState::End => "ended",
    };
    Some(format!("{word}: {}", event.sentence.as_ref().or(event.key.as_ref())?))
}

fn served(event: &Event) -> Option<String> {
    let items = plural(event.items?, "item");
    let label = event.label.as_deref().unwrap_or("no label");
    let waited = event
        .wait_seconds
        .map(|waited| match (brief(waited.median), brief(waited.longest)) {
            (median, longest) if median == longest => format!(" waited {median}"),
            (median, longest) => format!(" waited {median} (median), {longest} (longest)"),
        });
    Some(format!("{items} of {label}{}", waited.unwrap_or_default()))
}

fn pass(event: &Event) -> String {
    let counted = |count: Option<u64>, what: &str| count.map(|count| format!("{count} {what}"));
    let servers = event.servers.as_ref().map(|servers| match counts(servers) {
        counts if counts.is_empty() => "no server".to_owned(),
        counts => counts,
    });
    let exit = event.exit.filter(|exit| *exit != 0).map(|exit| format!("exit {exit}"));
    let took = event
        .seconds
        .map(|seconds| format!("took {:.2} s", as_float(seconds.0)));
    let parts = [
        counted(event.queue, "in the queue"),
        counted(event.waiting.filter(|count| *count > 0), "waiting"),
        counted(event.unmet.filter(|count| *count > 0), "unmet"),
        servers,
        took,
        exit,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    counts.join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn as_float(millis: u64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Seconds, WaitSeconds};

    #[test]
    fn an_event_says_what_happened() {
        let check = |event: Event, wanted: &str| assert_eq!(sentence(&event), wanted);
        let event = |kind| Event::new(kind, Timestamp::UNIX_EPOCH, "p");
        check(
            Event {
                made_for: Some("team/build".to_owned()),
                label: Some("linux&&arm64".to_owned()),
                because: Some("2 items wait".to_owned()),
                ..event(EventKind::Created)
            },
            "for team/build (linux&&arm64): 2 items wait",
        );
        check(
            Event {
                seconds: Some(Seconds(85_400)),
                ..event(EventKind::Joined)
            },
            "after 1m25s",
        );
        check(
            Event {
                seconds: Some(Seconds(7_500_000)),
                busy_seconds: Some(3_600),
                idle_seconds: Some(700),
                builds: Some(1),
                because: Some("idle for 10m".to_owned()),
                ..event(EventKind::Removed)
            },
            "lived 2h05m, busy 1h00m, idle 11m40s, 1 build: idle for 10m",
        );
        check(
            Event {
                items: Some(3),
                wait_seconds: Some(WaitSeconds {
                    median: 85,
                    longest: 200,
                }),
                ..event(EventKind::Served)
            },
            "3 items of no label waited 1m25s (median), 3m20s (longest)",
        );
        check(
            Event {
                queue: Some(7),
                waiting: Some(2),
                unmet: Some(0),
                servers: Some([("busy".to_owned(), 3), ("idle".to_owned(), 1)].into()),
                seconds: Some(Seconds(1_230)),
                exit: Some(1),
                ..event(EventKind::Pass)
            },
            "7 in the queue, 2 waiting, 3 busy, 1 idle, took 1.23 s, exit 1",
        );
        check(event(EventKind::Created), "");
        check(event(EventKind::Problem), "");
    }
}
