//! Where a node of ours is in its life, and how many slots that gives.
//!
//! What is done about it is left to `grow` and `reap`.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Register, Template, Timing};
use crate::model::{Computer, OfflineBy, SPENT_PREFIX, Server, ServerStatus};
use crate::plan::clock::sighted_again;
use crate::plan::fleet::agent::{Link, Standing, Unit};
use crate::plan::fleet::builds;
use crate::plan::why::Ended;
use crate::state::Phase;

/// The cause of a node whose connection broke: it was connected once.
const TERMINATED_CLASS: &str = "ChannelTermination";

/// What is not gone that long after the first DELETE does not go by itself.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What a node must be measured by.
pub struct Measures<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The time of the pass.
    pub now: Timestamp,
    /// Whether idle times restart.
    pub restart: bool,
    /// Whether the controller has just started, so that its agents are still to come back.
    pub settling: bool,
}

/// How long a server may take to join.
pub fn boot_grace(template: Option<&Template>, timing: &Timing) -> SignedDuration {
    template.map_or(timing.boot_grace, |template| template.boot_grace)
}

/// How long a node may stand idle.
pub fn idle_grace(template: Option<&Template>, timing: &Timing) -> SignedDuration {
    template.map_or(timing.idle_grace, |template| template.idle_grace)
}

/// Sets when a unit joined and where it stands.
pub fn classify(unit: &mut Unit<'_>, measures: &Measures<'_>) {
    unit.joined = joined(unit, measures);
    unit.builds = builds::count(unit, measures.config);
    unit.standing = standing(unit, measures);
}

/// A server joined when its node was online. Where the state file was lost, a node that is offline and older than its
/// boot grace gets the benefit of the doubt.
fn joined(unit: &Unit<'_>, measures: &Measures<'_>) -> Option<Timestamp> {
    if let Some(joined) = unit.before.and_then(|before| before.joined) {
        return Some(joined);
    }
    let computer = unit.computer()?;
    let adopted = unit.before.is_none() && unit.intent.is_none();
    let was_online = computer
        .offline_class
        .as_deref()
        .is_some_and(|class| class.contains(TERMINATED_CLASS));
    let doubt = adopted && unit.age > boot_grace(unit.template(measures.config), &measures.config.timing);
    (!computer.offline || was_online || doubt).then_some(measures.now)
}

fn standing(unit: &Unit<'_>, measures: &Measures<'_>) -> Standing {
    if let Some(server) = unit.server {
        if server.is_deleting() {
            return deleting(unit, server, measures);
        }
        if server.status == ServerStatus::Error {
            return Standing::Failed(server.fault.clone().unwrap_or_default());
        }
    } else if unit.before.is_none() {
        return Standing::Intent;
    }
    let in_time = unit.age <= boot_grace(unit.template(measures.config), &measures.config.timing);
    if unit.twin || matches!(unit.link, Link::Many(_)) {
        let may_boot = in_time && unit.joined.is_none();
        return Standing::Ambiguous {
            slots: if may_boot { executors(unit, measures.config) } else { 0 },
        };
    }
    match unit.computer() {
        Some(computer) => with_node(unit, computer, in_time, measures),
        None if is_leaving(unit) => Standing::Leaving,
        None if unit.joined.is_none() && in_time && !lost_its_node(unit, measures.config) => Standing::Booting,
        // Its agent is still to connect to the controller, which has just started.
        None if unit.joined.is_some() && measures.settling => Standing::Offline {
            since: measures.now,
            returns: true,
        },
        None if !unit.readable => Standing::Unseen,
        None if unit.joined.is_none() && !in_time && was_watched(unit) => Standing::TimedOut,
        None => Standing::Orphan {
            seen: sighted_again(unit.before.and_then(|b| b.missing), measures.now),
        },
    }
}

/// A server that the cloud deletes. A DELETE can get lost in the cloud: the one who asked repeats it, and what takes long
/// was asked for by nobody who still does.
fn deleting(unit: &Unit<'_>, server: &Server, measures: &Measures<'_>) -> Standing {
    let before = unit.before.and_then(|before| before.deleting_since);
    let since = before.unwrap_or(measures.now).min(measures.now);
    // One that nobody remembers was asked to go before the memory was lost.
    let ours = unit.before.is_none_or(|before| before.deleted || before.delete_failed);
    let failed = server.status == ServerStatus::Error;
    let long = measures.now.duration_since(since) > GONE_AFTER;
    Standing::Deleting {
        since,
        again: server.status != ServerStatus::Deleted && (ours || failed || long),
    }
}

/// Whether the node that mita made for a server before it was asked for is not there any more: without it nothing can join.
fn lost_its_node(unit: &Unit<'_>, config: &Config) -> bool {
    let template = unit.template(config);
    let made_first = template.is_some_and(|template| template.register == Register::Inbound);
    made_first && unit.readable && !unit.adopted && unit.server.is_some() && !unit.outdated(config)
}

/// Whether an earlier pass began to remove it. That its node is absent then says nothing of Jenkins or the cloud.
fn is_leaving(unit: &Unit<'_>) -> bool {
    unit.server.is_some() && unit.before.is_some_and(|before| before.phase == Phase::Deleting)
}

/// Whether the last passes saw it boot: only then is it known that it never joined.
fn was_watched(unit: &Unit<'_>) -> bool {
    unit.intent.is_some() || unit.before.is_some_and(|before| before.phase != Phase::Orphan)
}

fn with_node(unit: &Unit<'_>, computer: &Computer, in_time: bool, measures: &Measures<'_>) -> Standing {
    let idle = computer.is_idle();
    match computer.offline_by() {
        OfflineBy::Removal => return Standing::Marked { idle },
        OfflineBy::Drain => {
            let spent = computer.offline_signs().has_mark(SPENT_PREFIX);
            return Standing::Drained { idle, spent };
        }
        OfflineBy::Monitor => {
            let before = unit
                .before
                .filter(|before| before.phase == Phase::Draining)
                .and_then(|b| b.offline_since);
            return Standing::Monitored {
                idle_since: idle.then(|| clock(before, measures)),
            };
        }
        OfflineBy::Person => return Standing::Person,
        OfflineBy::Nobody | OfflineBy::Connection => {}
    }
    if !computer.offline {
        return Standing::Up {
            idle_slots: computer.idle_executors.min(computer.executors),
            idle_since: idle.then(|| clock(unit.before.and_then(|before| before.idle_since), measures)),
            ended: ended(unit, measures.config),
        };
    }
    if unit.joined.is_some() {
        let before = unit
            .before
            .filter(|before| before.phase == Phase::Offline)
            .and_then(|b| b.offline_since);
        return Standing::Offline {
            since: clock(before, measures),
            returns: measures.settling,
        };
    }
    if in_time { Standing::Booting } else { Standing::TimedOut }
}

/// Returns the limit of its template that a unit reached.
fn ended(unit: &Unit<'_>, config: &Config) -> Option<Ended> {
    let template = unit.template(config)?;
    match template.max_lifetime {
        Some(most) if unit.age > most => Some(Ended::MaxLifetime { age: unit.age, most }),
        _ => builds::spent(unit, config),
    }
}

/// Continues a time that was begun in an earlier pass, unless the clock cannot be trusted.
fn clock(before: Option<Timestamp>, measures: &Measures<'_>) -> Timestamp {
    before
        .filter(|before| !measures.restart && *before <= measures.now)
        .unwrap_or(measures.now)
}

/// Returns the executors of a unit: those of its template; what is no longer configured gives no slots.
pub fn executors(unit: &Unit<'_>, config: &Config) -> u32 {
    unit.template(config).map_or(0, |template| template.executors)
}
