//! What is counted for the metrics file: it goes on from pass to pass, and only where such a file is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Event, EventKind, ProviderName, ResourceKind, Seconds, TemplateName};

/// Numbers by template, by provider and by a word.
pub type ByPlace = BTreeMap<TemplateName, BTreeMap<ProviderName, BTreeMap<String, u64>>>;

/// What is counted for the metrics file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests for servers, by result.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creates: ByPlace,
    /// Requests to delete servers, by result.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deletes: ByPlace,
    /// Seconds of servers, by what they did: `booting`, `idle`, `busy`, `off`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub server_seconds: ByPlace,
    /// Builds that passes saw to begin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<TemplateName, u64>,
    /// How long servers took to join.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub boots: BTreeMap<TemplateName, Histogram>,
    /// Requests, by service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, u64>,
    /// When the last pass looked that ended with exit code 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// What outlived its server, as it was last listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<ProviderName, BTreeMap<ResourceKind, u64>>,
}

/// The upper bounds of the buckets of boot times, in seconds: a container boots in the first, an image that installs half of
/// itself in the last; what takes longer than the default of `boot_grace` is in none.
pub const BOOT_BOUNDS: [u64; 10] = [15, 30, 45, 60, 90, 120, 180, 300, 600, 900];

/// A request that changes the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// For a server.
    Create,
    /// To delete one.
    Delete,
}

/// A histogram of boot times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many are in each bucket alone: one for each of [`BOOT_BOUNDS`], and one for what takes longer.
    #[serde(default)]
    pub buckets: Vec<u64>,
    /// Their sum, in seconds.
    #[serde(default)]
    pub sum: u64,
}

impl Counters {
    /// Adds to a number.
    pub fn add(numbers: &mut ByPlace, node: &TemplateName, provider: &ProviderName, word: &str, more: u64) {
        let known = numbers.get_mut(node).and_then(|places| places.get_mut(provider));
        if let Some(number) = known.and_then(|words| words.get_mut(word)) {
            *number = number.saturating_add(more);
            return;
        }
        let places = numbers.entry(node.clone()).or_default();
        places
            .entry(provider.clone())
            .or_default()
            .insert(word.to_owned(), more);
    }

    /// Counts a request for a server or to delete one, by its result; where something is counted at all.
    pub fn action(
        counters: &mut Option<Box<Self>>,
        request: Request,
        (node, provider): (&TemplateName, &ProviderName),
        result: &str,
    ) {
        let Some(counters) = counters else { return };
        let numbers = match request {
            Request::Create => &mut counters.creates,
            Request::Delete => &mut counters.deletes,
        };
        Self::add(numbers, node, provider, result, 1);
    }

    /// Counts an event, where something is counted at all.
    pub fn count(counters: &mut Option<Box<Self>>, event: &Event) {
        let Some(counters) = counters else { return };
        if let (EventKind::Joined, Some(node), Some(seconds)) = (event.event, &event.node, event.seconds) {
            counters.boots.entry(node.clone()).or_default().add(seconds);
        }
    }

    /// Forgets what is of no template and no provider any more.
    pub fn keep(&mut self, is_node: impl Fn(&TemplateName) -> bool, is_provider: impl Fn(&str) -> bool) {
        for numbers in [&mut self.creates, &mut self.deletes, &mut self.server_seconds] {
            numbers.retain(|node, _| is_node(node));
            for places in numbers.values_mut() {
                places.retain(|provider, _| is_provider(provider.as_str()));
            }
        }
        self.builds.retain(|node, _| is_node(node));
        self.boots.retain(|node, _| is_node(node));
        self.left.retain(|provider, _| is_provider(provider.as_str()));
    }
}

impl Histogram {
    /// Adds a boot.
    pub fn add(&mut self, seconds: Seconds) {
        // Of other bounds nothing can be kept.
        if self.buckets.len() != BOOT_BOUNDS.len() + 1 {
            *self = Self {
                buckets: vec![0; BOOT_BOUNDS.len() + 1],
                sum: 0,
            };
        }
        let bucket = BOOT_BOUNDS.iter().position(|most| seconds.0 <= most * 1000);
        self.buckets[bucket.unwrap_or(BOOT_BOUNDS.len())] += 1;
        self.sum = self.sum.saturating_add(seconds.floor());
    }

    /// Returns how many took so long at most, bucket by bucket; the last number is that of all.
    pub fn cumulative(&self) -> [u64; BOOT_BOUNDS.len() + 1] {
        let mut all = 0;
        let is_known = self.buckets.len() == BOOT_BOUNDS.len() + 1;
        std::array::from_fn(|at| {
            all += if is_known { self.buckets[at] } else { 0 };
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(node: &str, seconds: u64) -> Event {
        Event {
            node: Some(TemplateName::new(node)),
            seconds: Some(Seconds(seconds * 1000)),
            ..Event::new(EventKind::Joined, Timestamp::UNIX_EPOCH, "p")
        }
    }

    #[test]
    fn boots_are_counted_by_how_long_they_took() {
        let mut counters = None;
        Counters::count(&mut counters, &joined("small", 10));
        assert_eq!(counters, None, "nobody reads them");
        let mut counters = Some(Box::default());
        for seconds in [0, 15, 16, 85, 900, 901] {
            Counters::count(&mut counters, &joined("small", seconds));
        }
        let removed = Event {
            event: EventKind::Removed,
            ..joined("small", 5)
        };
        Counters::count(&mut counters, &removed);
        let boots = &counters.unwrap().boots["small"];
        assert_eq!(boots.buckets, [2, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1]);
        assert_eq!(boots.cumulative(), [2, 3, 3, 3, 4, 4, 4, 4, 4, 5, 6]);
        assert_eq!(boots.sum, 1917);
    }

    #[test]
    fn a_histogram_of_other_bounds_begins_anew() {
        let mut boots = Histogram {
            buckets: vec![7, 7],
            sum: 70,
        };
        assert_eq!(boots.cumulative(), [0; 11]);
        boots.add(Seconds(20_000));
        assert_eq!((boots.cumulative()[10], boots.sum), (1, 20));
    }

    #[test]
    fn what_is_configured_no_more_is_forgotten() {
        let places = |provider: &str| BTreeMap::from([(ProviderName::new(provider), BTreeMap::new())]);
        let mut counters = Counters {
            creates: [("kept", "cloud"), ("gone", "cloud"), ("moved", "away")]
                .map(|(node, provider)| (TemplateName::new(node), places(provider)))
                .into(),
            builds: [("kept", 1), ("gone", 2)]
                .map(|(node, count)| (TemplateName::new(node), count))
                .into(),
            ..Counters::default()
        };
        counters.keep(|node| node.as_str() != "gone", |provider| provider == "cloud");
        assert_eq!(counters.creates["kept"].len(), 1);
        assert_eq!((counters.creates.len(), counters.creates["moved"].len()), (2, 0));
        assert_eq!(counters.builds.len(), 1);
    }
}
