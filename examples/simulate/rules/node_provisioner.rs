//! Jenkins' own `NodeProvisioner` with its standard strategy: each ten seconds and for each label it compares moving averages of
//! the queue, of free executors and of what is on its way, and asks for the difference once it exceeds a margin.

use std::collections::BTreeMap;

use super::Rule;
use super::idle::remove_idle_and_lost;
use crate::site::Site;

/// `LoadStatistics.CLOCK`, in seconds.
const CLOCK: i64 = 10;

/// `LoadStatistics.DECAY`: what of an average remains after each clock.
const DECAY: f64 = 0.9;

/// `MARGIN`, to which the margin falls with many executors.
const MARGIN: f64 = 0.1;

/// `MARGIN0`, the margin without any executor.
const MARGIN_AT_NONE: f64 = 0.5;

/// `MARGIN_DECAY`, for each executor.
const MARGIN_DECAY: f64 = 0.5;

/// The most nodes of one call, of the OpenStack plugin.
const MOST_OF_A_CALL: usize = 10;

/// How often a retention strategy is asked, in seconds.
const RETENTION: i64 = 60;

/// `startTimeout` of the OpenStack plugin, in seconds.
const START_TIMEOUT: i64 = 600;

/// The averages of one label.
#[derive(Clone, Copy, Debug, Default)]
struct Averages {
    queue: f64,
    available: f64,
    planned: f64,
}

/// What there is of one label now.
#[derive(Clone, Copy, Debug, Default)]
struct Snapshot {
    queue: usize,
    available: usize,
    online: usize,
    planned: usize,
}

/// The standard strategy.
pub struct NodeProvisioner {
    grace: i64,
    averages: Vec<Averages>,
    /// For which label a server was made.
    made_for: BTreeMap<u32, usize>,
}

impl NodeProvisioner {
    /// Idle for `grace` seconds, a node goes.
    pub fn new(grace: i64) -> Self {
        Self {
            grace,
            averages: Vec::new(),
            made_for: BTreeMap::new(),
        }
    }

    fn snapshot(&self, site: &Site<'_>, label: usize, queue: usize) -> Snapshot {
        let mut snapshot = Snapshot {
            queue,
            ..Snapshot::default()
        };
        for (number, server) in site.servers.iter().filter(|(_, server)| site.fits(label, server.kind)) {
            let executors = site.kinds[server.kind].executors;
            if server.online() {
                snapshot.online += executors;
                snapshot.available += executors - server.busy.min(executors);
            } else if server.booting() && self.made_for.get(number) == Some(&label) {
                snapshot.planned += executors;
            }
        }
        snapshot
    }

    fn provision(&mut self, site: &mut Site<'_>, label: usize, executors: usize) {
        let Some(kind) = site.first_fit(label) else { return };
        let servers = executors.div_ceil(site.kinds[kind].executors).min(MOST_OF_A_CALL);
        for _ in 0..servers {
            if let Some(number) = site.create(kind) {
                self.made_for.insert(number, label);
            }
        }
    }
}

impl Rule for NodeProvisioner {
    fn look(&mut self, site: &mut Site<'_>) {
        if site.clock % RETENTION == 0 {
            remove_idle_and_lost(site, self.grace, START_TIMEOUT);
            self.made_for.retain(|number, _| site.servers.contains_key(number));
        }
        self.averages.resize(site.labels(), Averages::default());
        for (label, queue) in site.waiting().into_iter().enumerate() {
            let now = self.snapshot(site, label, queue);
            self.averages[label].update(now);
            let wanted = self.averages[label].wanted(now);
            self.provision(site, label, wanted);
        }
    }

    fn next_look(&self, site: &Site<'_>) -> i64 {
        (site.clock / CLOCK + 1) * CLOCK
    }
}

#[expect(clippy::cast_precision_loss, reason = "averages of counts")]
impl Averages {
    fn update(&mut self, now: Snapshot) {
        let mix = |average: &mut f64, count: usize| *average = DECAY * *average + (1.0 - DECAY) * count as f64;
        mix(&mut self.queue, now.queue);
        mix(&mut self.available, now.available);
        mix(&mut self.planned, now.planned);
    }

    /// How many executors are asked for.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive count"
    )]
    fn wanted(&self, now: Snapshot) -> usize {
        if now.queue <= now.available {
            return 0;
        }
        let none_at_all = now.online + now.planned == 0;
        if self.available.max(now.available as f64) >= MARGIN && !none_at_all {
            return 0;
        }
        let mut excess = self.queue.min(now.queue as f64) - self.planned.max(now.planned as f64);
        if none_at_all {
            excess = excess.max(1.0);
        }
        let online = i32::try_from(now.online).unwrap_or(i32::MAX);
        let margin = MARGIN + (MARGIN_AT_NONE - MARGIN) * MARGIN_DECAY.powi(online);
        if excess > 1.0 - margin {
            (excess + margin).floor() as usize
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from the first look that sees a queue to the request for the last of its servers, while all that is online
    /// is busy.
    fn delay(online: usize, items: usize) -> i64 {
        let (mut averages, mut planned, mut seconds) = (Averages::default(), 0, 0);
        loop {
            let now = Snapshot {
                queue: items,
                available: 0,
                online,
                planned,
            };
            averages.update(now);
            planned += averages.wanted(now).min(MOST_OF_A_CALL);
            if planned >= items || seconds > 3600 {
                return seconds;
            }
            seconds += CLOCK;
        }
    }

    #[test]
    fn the_averages_delay_as_they_do_in_jenkins() {
        assert_eq!(delay(0, 1), 0);
        assert_eq!(delay(1, 1), 110);
        assert_eq!(delay(4, 1), 190);
        assert_eq!(delay(20, 1), 210);
        assert!((300..=360).contains(&delay(20, 4)), "{}", delay(20, 4));
        assert!((400..=450).contains(&delay(20, 10)), "{}", delay(20, 10));
    }
}
