//! A server for each job, some kept ready, as GARM's pools do it: a job that waits for longer than its minimum age gets a
//! server of its own, a server goes once its job has ended, and the idle ones are kept at a number.

use std::collections::BTreeSet;

use super::Rule;
use super::idle::remove;
use crate::site::Site;

/// How often it looks, in seconds.
const EVERY: i64 = 5;

/// `minimum-job-age-backoff`, in seconds: a job that an idle runner takes by then needs no server.
const JOB_AGE: i64 = 30;

/// `runner-bootstrap-timeout`, in seconds.
const BOOTSTRAP: i64 = 1200;

/// A server for each job.
pub struct SingleUse {
    spares: usize,
    /// Jobs that have a server.
    served: BTreeSet<usize>,
}

impl SingleUse {
    /// So many nodes of each template that a job asks for are kept ready.
    pub fn new(spares: usize) -> Self {
        Self {
            spares,
            served: BTreeSet::new(),
        }
    }

    /// Each job that is old enough gets a server, once.
    fn serve(&mut self, site: &mut Site<'_>) {
        let clock = site.clock;
        let waiting: Vec<(usize, usize)> = site.queue().collect();
        let still: BTreeSet<usize> = waiting.iter().map(|(job, _)| *job).collect();
        self.served.retain(|job| still.contains(job));
        for (job, label) in waiting {
            let old = clock - site.job(job).at >= JOB_AGE;
            let kind = site.first_fit(label).filter(|_| old && !self.served.contains(&job));
            if kind.is_some_and(|kind| site.create(kind).is_some()) {
                self.served.insert(job);
            }
        }
    }

    /// Idle and booting servers are kept at the number of spares; who runs pools has none for work that never comes.
    fn keep_ready(&self, site: &mut Site<'_>) {
        let used: BTreeSet<usize> = (0..site.labels()).filter_map(|label| site.first_fit(label)).collect();
        for kind in used {
            let ready = site.count(|s| s.kind == kind && (s.booting() || s.idle()));
            for _ in ready..self.spares {
                site.create(kind);
            }
        }
    }
}

impl Rule for SingleUse {
    fn look(&mut self, site: &mut Site<'_>) {
        remove(site, |server, clock| {
            server.idle() && server.builds > 0 || server.booting() && clock - server.asked > BOOTSTRAP
        });
        self.serve(site);
        self.keep_ready(site);
    }

    fn next_look(&self, site: &Site<'_>) -> i64 {
        (site.clock / EVERY + 1) * EVERY
    }
}
