//! Notes that a pass ended, with what it saw: whenever something changed, and every ten minutes.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::ended::Record;
use crate::model::{Event, EventKind, Seconds};
use crate::report::text::phase;
use crate::state::{Phase, State};

/// So long after the last reading another one is noted though nothing changed.
const AT_LEAST_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Notes that a pass ended, if that is due.
pub fn note(state: &mut State, pass: &Record<'_>) {
    let reading = reading(state, pass);
    let last = state.events.last_pass.as_deref();
    let is_news = state.events.pending.iter().any(|event| event.pass == reading.pass);
    if !is_news && last.is_some_and(|last| is_alike(last, &reading)) {
        return;
    }
    state.events.last_pass = Some(Box::new(reading.clone()));
    state.note(reading);
}

/// Returns whether a reading shows what another one showed, not long ago. Ages, seconds and requests differ always.
fn is_alike(last: &Event, now: &Event) -> bool {
    let is_recent = now.at.duration_since(last.at).abs() < AT_LEAST_EVERY;
    let shown = |event: &Event| (event.queue, event.waiting, event.unmet, event.exit);
    is_recent && shown(last) == shown(now) && last.servers == now.servers
}

fn reading(state: &State, pass: &Record<'_>) -> Event {
    let seen = pass.saw.map(|saw| saw.seen);
    let plan = pass.saw.map(|saw| saw.plan);
    let oldest = plan.and_then(|plan| plan.waiting.iter().map(|row| row.oldest_seconds).max());
    Event {
        seconds: Some(milliseconds(pass.seconds)),
        queue: seen.map(|seen| seen.queue_items),
        waiting: seen.map(|seen| seen.waiting),
        oldest_seconds: oldest.and_then(|oldest| u64::try_from(oldest).ok()),
        unmet: plan.map(|plan| plan.unmet.iter().map(|row| row.items).sum()),
        servers: Some(by_phase(state)),
        requests: seen.map(|seen| seen.requests.clone()),
        exit: Some(pass.exit),
        ..Event::new(EventKind::Pass, pass.context.now, &pass.context.pass)
    }
}

fn milliseconds(seconds: f64) -> Seconds {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is out of range becomes the nearest bound"
    )]
    Seconds((seconds * 1000.0).round() as u64)
}

/// Counts the servers as the pass left them, those that it asked for among them.
fn by_phase(state: &State) -> BTreeMap<String, u64> {
    let asked = state.intents.keys().filter(|id| !state.nodes.contains_key(*id));
    let phases = state.nodes.values().map(|node| node.phase);
    let mut counts: BTreeMap<Phase, u64> = BTreeMap::new();
    for which in phases.chain(asked.map(|_| Phase::Intent)) {
        *counts.entry(which).or_default() += 1;
    }
    let named = counts
        .into_iter()
        .map(|(which, count)| (phase(which).to_owned(), count));
    named.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_differs_always_is_no_news() {
        let last = Event {
            waiting: Some(1),
            exit: Some(0),
            seconds: Some(Seconds(1_000)),
            oldest_seconds: Some(60),
            ..Event::new(EventKind::Pass, Timestamp::UNIX_EPOCH, "a")
        };
        let later = |minutes: i64| Event {
            at: last.at + SignedDuration::from_mins(minutes),
            seconds: Some(Seconds(2_000)),
            oldest_seconds: Some(120),
            ..last.clone()
        };
        assert!(is_alike(&last, &later(9)));
        assert!(!is_alike(&last, &later(10)), "a reading every ten minutes");
        assert!(!is_alike(&last, &later(-10)), "a clock that went back");
        let other = Event {
            exit: Some(4),
            ..later(1)
        };
        assert!(!is_alike(&last, &other));
        let servers = Some([("idle".to_owned(), 1)].into());
        assert!(!is_alike(&last, &Event { servers, ..later(1) }));
    }
}
