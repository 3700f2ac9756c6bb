//! What no rule can better: the fewest server-hours at which no job ever waits, with all arrivals known.
//!
//! As many nodes are there as the jobs of that moment need. Between two jobs a node is kept where the gap is shorter than what
//! a new server costs before its first job, and its delete; else it goes. Templates that share labels count as one, with
//! the most executors of them; maximums, quota and boots that fail are passed over: that can only make the bound lower.

use super::Rule;
use crate::outcome::Outcome;
use crate::play::Setting;
use crate::site::{DELETE_SECONDS, Site};

/// The outcome of the bound.
pub fn outcome(site: &Site<'_>, setting: Setting<'_>) -> Outcome {
    let groups = Groups::new(site);
    let mut outcome = Outcome::default();
    let mut jobs: Vec<Vec<(i64, i64)>> = vec![Vec::new(); site.kinds.len()];
    for (number, job) in setting.jobs.iter().enumerate() {
        match site.first_fit(site.label_of(number)) {
            Some(kind) => {
                outcome.waits.push(0);
                outcome.busy_seconds += job.seconds;
                jobs[groups.of[kind]].push((job.at, job.at + job.seconds));
            }
            None => outcome.unserved += 1,
        }
    }
    for (group, jobs) in jobs.iter().enumerate() {
        let executors = groups.executors(site, group);
        outcome
            .lives
            .extend(lives(jobs, executors, setting.conditions.boot.shortest()));
    }
    outcome
}

/// How long the nodes live that these jobs need, `executors` of them on each; a boot takes `boot` seconds.
pub fn lives(jobs: &[(i64, i64)], executors: usize, boot: i64) -> Vec<i64> {
    let mut changes: Vec<(i64, i64)> = jobs.iter().flat_map(|(begin, end)| [(*begin, 1), (*end, -1)]).collect();
    // What ends frees its executor for what begins then.
    changes.sort_unstable();
    let mut running = 0_i64;
    let mut nodes: Vec<Node> = Vec::new();
    for (at, change) in changes {
        running += change;
        let needed = usize::try_from(running).unwrap_or(0).div_ceil(executors);
        for (level, node) in nodes.iter_mut().enumerate() {
            node.need(level < needed, at, boot);
        }
        while nodes.len() < needed {
            nodes.push(Node::new(at));
        }
    }
    nodes.into_iter().flat_map(|node| node.lives(boot)).collect()
}

/// The n-th node: it is needed where at least n are.
struct Node {
    began: i64,
    free_since: Option<i64>,
    past: Vec<i64>,
}

impl Node {
    fn new(at: i64) -> Self {
        Self {
            began: at,
            free_since: None,
            past: Vec::new(),
        }
    }

    fn need(&mut self, needed: bool, at: i64, boot: i64) {
        match (needed, self.free_since) {
            (false, None) => self.free_since = Some(at),
            (true, Some(since)) => {
                if at - since > boot + DELETE_SECONDS {
                    self.past.push(since - self.began + boot + DELETE_SECONDS);
                    self.began = at;
                }
                self.free_since = None;
            }
            _ => {}
        }
    }

    fn lives(mut self, boot: i64) -> Vec<i64> {
        if let Some(since) = self.free_since {
            self.past.push(since - self.began + boot + DELETE_SECONDS);
        }
        self.past
    }
}

/// Templates that share a label of the trace: one could do the other's work.
struct Groups {
    /// The group of each template: its first template.
    of: Vec<usize>,
}

impl Groups {
    fn new(site: &Site<'_>) -> Self {
        let mut of: Vec<usize> = (0..site.kinds.len()).collect();
        for label in 0..site.labels() {
            let fitting: Vec<usize> = (0..of.len()).filter(|kind| site.fits(label, *kind)).collect();
            let Some(first) = fitting.iter().map(|kind| of[*kind]).min() else {
                continue;
            };
            let joined: Vec<usize> = fitting.iter().map(|kind| of[*kind]).collect();
            for group in of.iter_mut().filter(|group| joined.contains(group)) {
                *group = first;
            }
        }
        Self { of }
    }

    fn executors(&self, site: &Site<'_>, group: usize) -> usize {
        let members = self.of.iter().enumerate().filter(|(_, of)| **of == group);
        members.map(|(kind, _)| site.kinds[kind].executors).max().unwrap_or(1)
    }
}

/// Does nothing: the bound is computed.
pub struct Nothing;

impl Rule for Nothing {
    fn look(&mut self, _: &mut Site<'_>) {}

    fn next_look(&self, site: &Site<'_>) -> i64 {
        site.clock + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_gap_is_kept_and_a_long_one_is_not() {
        assert_eq!(lives(&[(0, 100), (150, 200)], 1, 90), vec![200 + 95]);
        assert_eq!(lives(&[(0, 100), (300, 400)], 1, 90), vec![195, 195]);
    }

    #[test]
    fn nodes_are_as_many_as_run_at_once() {
        assert_eq!(lives(&[(0, 100), (0, 100), (100, 200)], 1, 90), vec![295, 195]);
        assert_eq!(lives(&[(0, 100), (0, 100), (0, 100)], 2, 90), vec![195, 195]);
    }
}
