//! The events that the journal does not have yet.
//!
//! An event is noted in the memory that it is derived from, and saved together with it: a pass that is killed loses both
//! and derives both again, or neither. The journal is written after the state. Whether it has an event is then seen in the
//! journal itself, so that no second state has to be written.

use serde::{Deserialize, Serialize};

use super::State;
use super::counters::Counters;
use crate::model::Event;

/// So many events are kept where there are too many: the oldest readings (`pass`, `served`) go first.
pub const MOST_PENDING: usize = 1_000;

/// So many more may be there before some go: then each is moved a few times, and not once for each that comes after it.
const MOST_BEYOND: usize = 250;

/// The events that the journal does not have yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMemory {
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Event>,
    /// The last `pass` event: another one is noted when something changed, and after ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pass: Option<Box<Event>>,
}

impl EventMemory {
    /// Returns whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds an event and gives it its number in its pass.
    pub fn push(&mut self, mut event: Event) {
        let before = self.pending.iter().rev().find(|other| other.pass == event.pass);
        event.n = before.map_or(0, |other| other.n.saturating_add(1));
        self.pending.push(event);
        if self.pending.len() > MOST_PENDING + MOST_BEYOND {
            self.drop_oldest(self.pending.len() - MOST_PENDING);
        }
    }

    /// Drops so many events: readings, and others where there are not enough of these.
    fn drop_oldest(&mut self, count: usize) {
        let readings = self.pending.iter().filter(|event| event.event.is_reading()).count();
        let (mut readings, mut others) = (readings.min(count), count.saturating_sub(readings));
        self.pending.retain(|event| {
            let left = if event.event.is_reading() {
                &mut readings
            } else {
                &mut others
            };
            let goes = *left > 0;
            *left -= usize::from(goes);
            !goes
        });
    }
}

/// The most characters of each text of an event.
pub const LONGEST_TEXT: usize = 2_000;

impl State {
    /// Notes an event, counts it, and keeps it for the page.
    pub fn note(&mut self, event: Event) {
        let event = event.cut(LONGEST_TEXT);
        Counters::count(&mut self.counters, &event);
        if let Some(page) = &mut self.page {
            page.note(&event);
        }
        self.events.push(event);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::EventKind;

    fn event(kind: EventKind, pass: &str) -> Event {
        Event::new(kind, Timestamp::UNIX_EPOCH, pass)
    }

    #[test]
    fn long_texts_are_cut() {
        let mut state = State::default();
        let text = "é".repeat(LONGEST_TEXT + 1);
        state.note(Event {
            error: Some(text.clone()),
            because: Some("short".to_owned()),
            facts: [("reason".to_owned(), text.into())].into(),
            ..event(EventKind::Failed, "a")
        });
        let [event] = &state.events.pending[..] else {
            panic!("{:?}", state.events)
        };
        let cut = format!("{}…", "é".repeat(LONGEST_TEXT - 1));
        assert_eq!(event.error.as_ref(), Some(&cut));
        assert_eq!(event.because.as_deref(), Some("short"));
        assert_eq!(event.facts["reason"], cut);
    }

    #[test]
    fn the_oldest_readings_go_first() {
        let mut memory = EventMemory::default();
        memory.push(event(EventKind::Created, "a"));
        memory.push(event(EventKind::Pass, "a"));
        memory.push(event(EventKind::Removed, "b"));
        assert_eq!(
            memory.pending.iter().map(|event| event.n).collect::<Vec<_>>(),
            [0, 1, 0]
        );
        for _ in 3..MOST_PENDING + MOST_BEYOND {
            memory.push(event(EventKind::Joined, "c"));
        }
        assert_eq!(memory.pending.len(), MOST_PENDING + MOST_BEYOND);
        memory.push(event(EventKind::Lost, "d"));
        assert_eq!(memory.pending.len(), MOST_PENDING);
        assert!(
            memory
                .pending
                .iter()
                .all(|event| event.event == EventKind::Joined || event.pass == "d")
        );
        memory.push(event(EventKind::Lost, "d"));
        assert_eq!(memory.pending.last().unwrap().n, 1);
    }

    #[test]
    fn what_happened_stays_before_readings() {
        let mut memory = EventMemory::default();
        memory.push(event(EventKind::Created, "a"));
        for _ in 0..MOST_PENDING + MOST_BEYOND {
            memory.push(event(EventKind::Pass, "b"));
        }
        assert_eq!(memory.pending.len(), MOST_PENDING);
        assert_eq!(memory.pending[0].event, EventKind::Created);
    }
}
