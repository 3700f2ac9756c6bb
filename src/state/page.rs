//! What the status page shows of the past: readings of the last day, and the last events. Kept only where a page is
//! written.

use serde::{Deserialize, Serialize};

use crate::model::Event;

/// What the status page shows of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMemory {
    /// Readings, oldest first; at most one for each five minutes of the last day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The last events that are no readings, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Event>,
}

/// One reading. Written as a list of numbers, in the order of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Sample {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Items that wait.
    pub waiting: u64,
    /// The age of the oldest, in seconds.
    pub oldest: u64,
    /// Items that get nothing.
    pub unserved: u64,
    /// Servers that boot.
    pub booting: u64,
    /// Servers that work.
    pub busy: u64,
    /// Servers that are idle.
    pub idle: u64,
    /// Servers that take no work.
    pub off: u64,
    /// Servers that joined since the sample before.
    pub joined: u64,
    /// The median of their boot times, in seconds.
    pub boot: u64,
    /// Items that left the queue since the sample before.
    pub served: u64,
    /// The median of how long these waited, in seconds.
    pub wait: u64,
}

impl From<Vec<u64>> for Sample {
    fn from(numbers: Vec<u64>) -> Self {
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
        Self {
            at: at(0),
            waiting: at(1),
            oldest: at(2),
            unserved: at(3),
            booting: at(4),
            busy: at(5),
            idle: at(6),
            off: at(7),
            joined: at(8),
            boot: at(9),
            served: at(10),
            wait: at(11),
        }
    }
}

impl From<Sample> for Vec<u64> {
    fn from(sample: Sample) -> Self {
        vec![
            sample.at,
            sample.waiting,
            sample.oldest,
            sample.unserved,
            sample.booting,
            sample.busy,
            sample.idle,
            sample.off,
            sample.joined,
            sample.boot,
            sample.served,
            sample.wait,
        ]
    }
}
