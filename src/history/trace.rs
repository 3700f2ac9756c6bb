//! A trace of jobs for `examples/simulate`, made of what passes saw served. The journal knows when items came and how long
//! they waited, not how long they ran: that is estimated.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::TemplateName;
use crate::text::printable;

use super::lives::Past;
use super::serving::Serving;
use super::spread::batch;
use super::window::Window;

/// The most items of one event that become lines: a pass remembers no more.
const MOST_ITEMS: u64 = 5_000;

/// The most lines.
const MOST_LINES: usize = 1_000_000;

/// How long a build takes of which nothing is known, in seconds.
const UNKNOWN_SECONDS: u64 = 300;

/// A trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Its jobs in the order in which they came: seconds since the first one, how long it runs, what it asks for.
    pub jobs: Vec<(u64, u64, String)>,
    /// When the first one came, in milliseconds since 1970.
    pub start: Option<i64>,
    /// Items that are left out, since there are too many.
    pub left_out: u64,
}

/// Makes a trace of the items that were served in a window; `only`: those that count for this template.
pub fn trace(past: &Past, config: &Config, window: Window, only: Option<&str>) -> Trace {
    let mut serving = Serving::new(config);
    let lengths = Lengths::new(past);
    let mut jobs: Vec<(i64, u64, String)> = Vec::new();
    let mut left_out = 0_u64;
    for wait in past.waits.iter().filter(|wait| window.has(wait.at)) {
        let node = serving.template(wait);
        if only.is_some_and(|only| node.as_ref().is_none_or(|node| node.as_str() != only)) {
            continue;
        }
        let seconds = lengths.of(node.as_ref());
        let label = printable(wait.label.as_deref().unwrap_or_default(), usize::MAX);
        let taken = wait.items.min(MOST_ITEMS);
        left_out = left_out.saturating_add(wait.items - taken);
        for (waited, times) in batch(taken, wait.median, wait.longest) {
            let waited = i64::try_from(waited).unwrap_or(i64::MAX);
            let came = (wait.at / 1000).saturating_sub(waited);
            for _ in 0..times {
                if jobs.len() >= MOST_LINES {
                    left_out = left_out.saturating_add(1);
                } else {
                    jobs.push((came, seconds, label.clone()));
                }
            }
        }
    }
    jobs.sort();
    let start = jobs.first().map(|(came, ..)| *came);
    let since = |came: i64| u64::try_from(came.saturating_sub(start.unwrap_or(came))).unwrap_or(0);
    Trace {
        start: start.map(|start| start.saturating_mul(1000)),
        jobs: jobs
            .into_iter()
            .map(|(came, seconds, label)| (since(came), seconds, label))
            .collect(),
        left_out,
    }
}

/// How long builds take on average, by template: busy seconds over builds.
struct Lengths {
    by_node: BTreeMap<TemplateName, (u64, u64)>,
    all: (u64, u64),
}

impl Lengths {
    fn new(past: &Past) -> Self {
        let mut lengths = Self {
            by_node: BTreeMap::new(),
            all: (0, 0),
        };
        let add = |sum: &mut (u64, u64), busy: u64, builds: u64| {
            *sum = (sum.0.saturating_add(busy), sum.1.saturating_add(builds));
        };
        for life in past.lives.iter().filter(|life| life.builds > 0) {
            add(&mut lengths.all, life.busy, life.builds);
            if let Some(node) = &life.node {
                add(lengths.by_node.entry(node.clone()).or_default(), life.busy, life.builds);
            }
        }
        lengths
    }

    fn of(&self, node: Option<&TemplateName>) -> u64 {
        let own = node.and_then(|node| self.by_node.get(node)).copied();
        let (busy, builds) = own.unwrap_or(self.all);
        busy.checked_div(builds)
            .map_or(UNKNOWN_SECONDS, |seconds| seconds.max(1))
    }
}
