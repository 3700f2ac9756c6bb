//! The reading of a pass that the charts of the status page are made of. It is kept only where there is a page.

use super::ended::Record;
use crate::model::{Event, EventKind, Seconds};
use crate::plan::{TemplateRow, Waiting};
use crate::report::view::{Rows, Saw};
use crate::state::{PageMemory, Sample, State};

/// Adds the reading of a pass to the memory of the page. One that saw nothing adds none: that is a gap of the charts.
pub fn record(state: &mut State, pass: &Record<'_>) {
    if pass.config.outputs.status_page.is_none() {
        state.page = None;
        return;
    }
    let reading = pass
        .saw
        .zip(pass.rows)
        .map(|(saw, rows)| reading(saw, rows, state, pass));
    let now = whole(pass.context.now.as_second());
    let pending = &state.events.pending;
    let page = state.page.get_or_insert_with(|| Box::new(begun(pending)));
    match reading {
        Some(reading) => page.add(reading),
        None => page.forget(now),
    }
}

/// Begins the memory of a page with what the journal does not have yet.
fn begun(pending: &[Event]) -> PageMemory {
    let mut page = PageMemory::default();
    for event in pending {
        page.note(event);
    }
    page
}

fn reading(saw: &Saw<'_>, rows: &Rows, state: &State, pass: &Record<'_>) -> Sample {
    let now = pass.context.now;
    let sum = |part: fn(&TemplateRow) -> u32| rows.templates.iter().map(|row| u64::from(part(row))).sum();
    let oldest = saw.plan.waiting.iter().map(|row| row.oldest_seconds).max();
    let of_pass = state
        .events
        .pending
        .iter()
        .filter(|event| event.pass == pass.context.pass);
    let mut boots = Vec::new();
    let mut waits = Vec::new();
    for event in of_pass {
        match (event.event, event.items, event.wait_seconds) {
            (EventKind::Joined, _, _) => boots.extend(event.seconds.map(|Seconds(millis)| (1, millis / 1000))),
            (EventKind::Served, Some(items), Some(wait)) => waits.push((items, wait.median)),
            _ => {}
        }
    }
    Sample {
        at: whole(now.as_second()),
        waiting: saw.plan.waiting_items,
        oldest: whole(oldest.unwrap_or(0)),
        unserved: saw.plan.unmet.iter().map(|row: &Waiting| row.items).sum(),
        booting: sum(|row| row.booting),
        busy: sum(|row| row.busy),
        idle: sum(|row| row.idle),
        off: sum(|row| row.off),
        joined: count(&boots),
        boot: median(boots),
        served: count(&waits),
        wait: median(waits),
    }
}

fn whole(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}

fn count(values: &[(u64, u64)]) -> u64 {
    values.iter().map(|(times, _)| times).sum()
}

/// Returns the median of values that each stand for so many; of none it is 0.
fn median(mut values: Vec<(u64, u64)>) -> u64 {
    values.sort_unstable_by_key(|(_, value)| *value);
    let half = count(&values) / 2;
    let mut passed = 0;
    for (times, value) in values {
        passed += times;
        if passed > half {
            return value;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_counts_each_value_as_often_as_it_is() {
        assert_eq!(median(Vec::new()), 0);
        assert_eq!(median(vec![(1, 9)]), 9);
        assert_eq!(median(vec![(1, 900), (5, 10), (1, 1)]), 10);
        assert_eq!(median(vec![(0, 5)]), 0);
    }
}
