//! The strategy without delay that Jenkins' cloud plugins bring along: at each change of the queue the whole deficit is asked
//! for at once. Plugins look at idle nodes once a minute.

use super::Rule;
use super::idle::{free_and_booting, make_for, remove_idle_and_lost, waiting_by_kind};
use crate::site::Site;

/// Jenkins throttles the review that a queue item asks for to one a second.
const REVIEW: i64 = 1;

/// How often a retention strategy is asked, in seconds.
const RETENTION: i64 = 60;

/// How long a plugin waits for an agent, in seconds: `startTimeout` of the OpenStack plugin.
const START_TIMEOUT: i64 = 600;

/// The strategy without delay.
pub struct NoDelay {
    grace: i64,
}

impl NoDelay {
    /// Idle for `grace` seconds, a node goes.
    pub fn new(grace: i64) -> Self {
        Self { grace }
    }
}

impl Rule for NoDelay {
    fn look(&mut self, site: &mut Site<'_>) {
        if site.clock % RETENTION == 0 {
            remove_idle_and_lost(site, self.grace, START_TIMEOUT);
        }
        for (kind, waiting) in waiting_by_kind(site).into_iter().enumerate() {
            let deficit = waiting.saturating_sub(free_and_booting(site, kind));
            make_for(site, kind, deficit);
        }
    }

    fn next_look(&self, site: &Site<'_>) -> i64 {
        let minute = (site.clock / RETENTION + 1) * RETENTION;
        site.next_event().map_or(minute, |at| minute.min(at + REVIEW))
    }
}
