//! cluster-autoscaler: every ten seconds the whole deficit is asked for. A node that is not needed for `grace` goes, but none
//! within ten minutes of the last scale-up, and at most ten empty ones in a loop.

use super::Rule;
use super::idle::{free_and_booting, make_for, waiting_by_kind};
use crate::site::Site;

/// `--scan-interval`, in seconds.
const SCAN: i64 = 10;

/// `--scale-down-delay-after-add`, in seconds.
const AFTER_ADD: i64 = 600;

/// `--max-empty-bulk-delete`.
const MOST_DELETES: usize = 10;

/// `--max-node-provision-time`, in seconds.
const PROVISION_TIME: i64 = 900;

/// cluster-autoscaler.
pub struct ClusterAutoscaler {
    grace: i64,
    added: Option<i64>,
}

impl ClusterAutoscaler {
    /// `--scale-down-unneeded-time`, in seconds.
    pub fn new(grace: i64) -> Self {
        Self { grace, added: None }
    }

    fn scale_up(&mut self, site: &mut Site<'_>) {
        for (kind, waiting) in waiting_by_kind(site).into_iter().enumerate() {
            let deficit = waiting.saturating_sub(free_and_booting(site, kind));
            if deficit > 0 {
                let before = site.servers.len();
                make_for(site, kind, deficit);
                self.added = (site.servers.len() > before).then_some(site.clock).or(self.added);
            }
        }
    }

    fn scale_down(&self, site: &mut Site<'_>) {
        let clock = site.clock;
        let lost = |s: &crate::site::Server| s.booting() && clock - s.asked > PROVISION_TIME;
        super::idle::remove(site, |server, _| lost(server));
        if self
            .added
            .is_some_and(|added| clock - added < self.grace.min(AFTER_ADD))
        {
            return;
        }
        let unneeded = site
            .servers
            .iter()
            .filter(|(_, s)| s.idle() && clock - s.idle_since >= self.grace);
        let unneeded: Vec<u32> = unneeded.map(|(number, _)| *number).take(MOST_DELETES).collect();
        for number in unneeded {
            site.remove(number);
        }
    }
}

impl Rule for ClusterAutoscaler {
    fn look(&mut self, site: &mut Site<'_>) {
        self.scale_up(site);
        self.scale_down(site);
    }

    fn next_look(&self, site: &Site<'_>) -> i64 {
        (site.clock / SCAN + 1) * SCAN
    }
}
