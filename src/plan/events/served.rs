//! Notes which items left the queue since the last pass, and how long they had waited.
//!
//! An item that waited and is handed to an executor, or is gone, was served, as far as a pass can tell; one that somebody
//! cancelled looks the same. It waited from its entry into the queue until midway between the two passes. One that came and
//! went between two passes is never seen.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;

use crate::model::{Event, EventKind, QueueItem, Stage, WaitSeconds};
use crate::plan::demand::eligible::label_request_text;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::queue::LabelRequest;
use crate::state::State;

/// The most items that are remembered: the oldest.
const MOST_ITEMS: usize = 5_000;

/// The most labels of one pass that get an event, those of most items.
const MOST_LABELS: usize = 200;

/// Notes the items that were served since the last pass, and remembers those that wait.
pub fn note(fleet: &mut Fleet<'_>, demand: &Demand<'_>, before: &State) {
    let outputs = &fleet.config.outputs;
    if outputs.journal.is_none() && outputs.status_page.is_none() {
        fleet.state.waiting = BTreeMap::new();
        return;
    }
    let now = fleet.context.now;
    // Whoever was away for long does not know when an item was served.
    if let Some(last) = fleet.last_pass.filter(|last| !fleet.restart && *last <= now) {
        let mut served = served(before, demand.queue, middle(last, now));
        served.sort_by(|(a, waits), (b, others)| others.len().cmp(&waits.len()).then_with(|| a.cmp(b)));
        for (label, waits) in served.into_iter().take(MOST_LABELS) {
            fleet.state.note(event(label, waits, now, &fleet.context.pass));
        }
    }
    fleet.state.waiting = waiting(fleet, demand, before);
}

/// Returns the second midway between two passes.
fn middle(last: Timestamp, now: Timestamp) -> i64 {
    last.as_second() + (now.as_second() - last.as_second()) / 2
}

/// Returns the waits of the items that no longer wait, by label; `end`: when their waits ended.
fn served<'s>(before: &'s State, queue: &[QueueItem], end: i64) -> Vec<(&'s str, Vec<u64>)> {
    if before.waiting.is_empty() {
        return Vec::new();
    }
    let mut open = HashMap::with_capacity(before.waiting.values().map(Vec::len).sum());
    for (label, items) in &before.waiting {
        open.extend(items.iter().map(|(id, since)| (*id, (label.as_str(), *since))));
    }
    // What is blocked again waits on, and is known again once it is buildable.
    for item in queue.iter().filter(|item| item.stage != Stage::Pending) {
        open.remove(&item.id);
    }
    let mut waits: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (label, since) in open.into_values() {
        let wait = u64::try_from(end.saturating_sub(since)).unwrap_or(0);
        waits.entry(label).or_default().push(wait);
    }
    waits.into_iter().collect()
}

fn event(label: &str, mut waits: Vec<u64>, now: Timestamp, pass: &str) -> Event {
    waits.sort_unstable();
    let wait_seconds = WaitSeconds {
        median: waits.get((waits.len() - 1) / 2).copied().unwrap_or(0),
        longest: waits.last().copied().unwrap_or(0),
    };
    Event {
        label: Some(label.to_owned()).filter(|label| !label.is_empty()),
        items: Some(waits.len() as u64),
        wait_seconds: Some(wait_seconds),
        ..Event::new(EventKind::Served, now, pass)
    }
}

/// Returns the items that wait, the oldest of them, by label. Since when is by our clock: that of Jenkins may differ.
///
/// While an item waits for a node of ours, the label that was known before stays: of a part of a pipeline Jenkins tells it
/// in `why` alone, where it may name the node at other times.
fn waiting(fleet: &Fleet<'_>, demand: &Demand<'_>, before: &State) -> BTreeMap<String, Vec<(u64, i64)>> {
    let (jenkins, now) = (&fleet.observed.jenkins, fleet.context.now);
    let named: Vec<bool> = demand.label_requests.iter().map(names_a_node).collect();
    let known = if named.contains(&true) {
        labels_of(before)
    } else {
        HashMap::new()
    };
    let mut by_request: Vec<Vec<(u64, i64)>> = vec![Vec::new(); demand.label_requests.len()];
    let mut waiting: BTreeMap<String, Vec<(u64, i64)>> = BTreeMap::new();
    for item in demand.items.iter().take(MOST_ITEMS) {
        let queued = &demand.queue[item.place];
        let since = now.as_second() - jenkins.age(queued, now).as_secs();
        let label = known.get(&queued.id).filter(|_| named[item.label_request]);
        match label {
            Some(label) => waiting.entry((*label).to_owned()).or_default().push((queued.id, since)),
            None => by_request[item.label_request].push((queued.id, since)),
        }
    }
    for (items, request) in by_request.into_iter().zip(&demand.label_requests) {
        if !items.is_empty() {
            let label = label_request_text(request).unwrap_or_default();
            waiting.entry(label).or_default().extend(items);
        }
    }
    // Several requests can be shown alike, and which comes first depends on the order of the queue.
    for items in waiting.values_mut() {
        items.sort_unstable();
    }
    waiting
}

/// Returns the labels of the items that waited in the last pass, where they were known.
fn labels_of(before: &State) -> HashMap<u64, &str> {
    let known = before.waiting.iter().filter(|(label, _)| !label.is_empty());
    known
        .flat_map(|(label, items)| items.iter().map(move |(id, _)| (*id, label.as_str())))
        .collect()
}

/// Returns whether a node was named and no label.
fn names_a_node(request: &LabelRequest) -> bool {
    match request {
        LabelRequest::Template(_)
        | LabelRequest::Like { .. }
        | LabelRequest::GoneNode(_)
        | LabelRequest::Unknown { .. } => true,
        LabelRequest::Label(_) | LabelRequest::Unlabelled | LabelRequest::Values(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskLabel;

    fn item(id: u64, stage: Stage) -> QueueItem {
        QueueItem {
            id,
            stage,
            stuck: false,
            since: Timestamp::UNIX_EPOCH,
            why: None,
            task_class: None,
            task: "".into(),
            task_name: "".into(),
            task_url: None,
            label: TaskLabel::Absent,
        }
    }

    #[test]
    fn what_was_handed_out_or_is_gone_was_served() {
        let linux = [(1, 100), (2, 110), (3, 120), (4, 130), (5, 1000)];
        let before = State {
            waiting: [("linux".to_owned(), linux.to_vec()), (String::new(), vec![(9, 90)])].into(),
            ..State::default()
        };
        let queue = [
            item(1, Stage::Pending),
            item(3, Stage::Blocked),
            item(4, Stage::Buildable),
            item(7, Stage::Buildable),
        ];
        let mut found = served(&before, &queue, 200);
        for (_, waits) in &mut found {
            waits.sort_unstable();
        }
        // A clock that went back makes no wait of less than nothing.
        assert_eq!(found, [("", vec![110]), ("linux", vec![0, 90, 100])]);
        let event = event("", vec![7, 1, 3, 2], Timestamp::UNIX_EPOCH, "p");
        let wait = event.wait_seconds.unwrap();
        assert_eq!((event.label, event.items), (None, Some(4)));
        assert_eq!(
            (wait.median, wait.longest),
            (2, 7),
            "the lower of the two in the middle"
        );
    }
}
