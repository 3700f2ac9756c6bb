//! The original mita, in Python: each 30 seconds three quarters of the stuck items of a template are asked for, unless as many
//! of its nodes as items are younger than six minutes. Nothing else counts, and there is no maximum but the cloud's.

use super::Rule;
use super::idle::{remove_idle_and_lost, waiting_by_kind};
use crate::site::Site;

/// How often it looks at the queue and at the nodes, in seconds.
const EVERY: i64 = 30;

/// Nodes younger than this hold creates back, in seconds.
const YOUNG: i64 = 360;

/// Not in Jenkins by then, a node goes, in seconds.
const ORPHANED: i64 = 900;

/// The original.
pub struct Original {
    grace: i64,
}

impl Original {
    /// Idle for `grace` seconds, a node goes; it had 40 minutes.
    pub fn new(grace: i64) -> Self {
        Self { grace }
    }
}

impl Rule for Original {
    fn look(&mut self, site: &mut Site<'_>) {
        // Its idle times begin where it first sees a node idle, up to 30 seconds late.
        let seen = |since: i64| (since + EVERY - 1).div_euclid(EVERY) * EVERY;
        let grace = self.grace;
        super::idle::remove(site, |server, clock| {
            server.idle() && clock - seen(server.idle_since) > grace
        });
        remove_idle_and_lost(site, i64::MAX, ORPHANED);
        for (kind, count) in waiting_by_kind(site).into_iter().enumerate() {
            let clock = site.clock;
            let young = site.count(|s| s.kind == kind && s.deleting.is_none() && clock - s.asked < YOUNG);
            if count > young {
                // `round` of Python: halves go to the even number.
                let wanted = (3 * count + 2) / 4 - usize::from(count % 8 == 6);
                for _ in 0..wanted.max(1) {
                    site.create(kind);
                }
            }
        }
    }

    fn next_look(&self, site: &Site<'_>) -> i64 {
        (site.clock / EVERY + 1) * EVERY
    }
}
