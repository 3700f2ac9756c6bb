//! Plays a trace: lets a rule look at the site when it wants to, until all ran and nothing is left.

use mita::config::Config;

use super::conditions::Conditions;
use super::outcome::Outcome;
use super::rules::Chosen;
use super::site::Site;
use super::trace::Job;

/// After the last job came, or the last build ended, a play goes on no longer than this, in seconds: some rules keep
/// nodes for ever, and some jobs nobody serves.
const AFTERWARDS: i64 = 7200;

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'s> {
    /// The templates and their limits.
    pub config: &'s Config,
    /// The jobs, in the order in which they come.
    pub jobs: &'s [Job],
    /// What the world is like.
    pub conditions: &'s Conditions,
}

/// Plays the jobs under a rule.
pub fn play(setting: Setting<'_>, chosen: &Chosen) -> Outcome {
    let mut site = Site::new(setting.config, setting.jobs, setting.conditions);
    if let Chosen::Bound = chosen {
        return super::rules::bound::outcome(&site, setting);
    }
    let mut rule = chosen.rule(setting.config);
    let last = setting.jobs.last().map_or(0, |job| job.at);
    let mut at = 0;
    loop {
        site.advance_to(at);
        let nothing_left = at > last && site.is_done() && site.servers.is_empty();
        let long_after = at > last.max(site.last_end()) + AFTERWARDS && !site.runs();
        if nothing_left || long_after {
            return site.outcome();
        }
        rule.look(&mut site);
        at = rule.next_look(&site).max(at + site.busy_seconds()).max(at + 1);
        site.rest();
    }
}
