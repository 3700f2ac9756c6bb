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
    /// Counts an event, where something is counted at all.
    pub fn count(counters: &mut Option<Box<Self>>, event: &Event) {
        let _ = (counters, event);
    }
}
