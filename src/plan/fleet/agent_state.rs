//! Where an agent is in its life, and since when.
//!
//! What follows from it is decided in `create` and `remove`.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Register, Template, Timing};
use crate::model::{Computer, OfflineBy, OfflineTaker, Server, ServerStatus};
use crate::plan::clock::sighted_again;
use crate::plan::fleet::agent::{Agent, AgentState, DrainCause, Link};
use crate::plan::fleet::builds;
use crate::plan::why::LimitReached;
use crate::state::Phase;

/// The cause of a node whose connection broke: it was connected once.
const TERMINATED_CLASS: &str = "ChannelTermination";

/// What is not gone that long after the first DELETE does not go by itself.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// A node that an operator gave back (`undrain`) is not replaced for so long.
pub const LEFT_ALONE: SignedDuration = SignedDuration::from_hours(24);

/// What a node must be measured by.
pub struct Measures<'a> {
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

/// Sets when an agent joined and where it is in its life.
pub fn classify(agent: &mut Agent<'_>, measures: &Measures<'_>) {
    agent.joined = joined(agent, measures);
    agent.builds = builds::count(agent, measures.config);
    agent.state = state_of(agent, measures);
}

/// A server joined when its node was online. Where the state file was lost, a node that is offline and older than its
/// boot grace gets the benefit of the doubt.
fn joined(agent: &Agent<'_>, measures: &Measures<'_>) -> Option<Timestamp> {
    if let Some(joined) = agent.before.and_then(|before| before.joined) {
        return Some(joined);
    }
    let computer = agent.computer()?;
    let adopted = agent.before.is_none() && agent.intent.is_none();
    let was_online = computer
        .offline_class
        .as_deref()
        .is_some_and(|class| class.contains(TERMINATED_CLASS));
    let doubt = adopted && agent.age > boot_grace(agent.template(measures.config), &measures.config.timing);
    (!computer.offline || was_online || doubt).then_some(measures.now)
}

fn state_of(agent: &Agent<'_>, measures: &Measures<'_>) -> AgentState {
    if let Some(server) = agent.server {
        if server.is_deleting() {
            return deleting(agent, server, measures);
        }
        if server.status == ServerStatus::Error {
            return AgentState::Failed(server.fault.clone().unwrap_or_default());
        }
    } else if agent.before.is_none() {
        return AgentState::Intent;
    }
    let in_time = agent.age <= boot_grace(agent.template(measures.config), &measures.config.timing);
    if agent.duplicate || matches!(agent.link, Link::Many(_)) {
        let may_boot = in_time && agent.joined.is_none();
        return AgentState::Ambiguous {
            slots: if may_boot { executors(agent, measures.config) } else { 0 },
        };
    }
    match agent.computer() {
        Some(computer) => with_node(agent, computer, in_time, measures),
        None if is_being_removed(agent) => AgentState::Removing,
        None if agent.joined.is_none() && in_time && !lost_its_node(agent, measures.config) => {
            AgentState::Booting { late: false }
        }
        // Its agent is still to connect to the controller, which has just started.
        None if agent.joined.is_some() && measures.settling => AgentState::Offline {
            since: measures.now,
            returns: true,
        },
        None if !agent.readable => AgentState::Unseen,
        None if agent.joined.is_none() && !in_time && was_watched(agent) => AgentState::TimedOut,
        None => AgentState::Orphan {
            seen: sighted_again(agent.before.and_then(|b| b.missing), measures.now),
        },
    }
}

/// A server that the cloud deletes. A DELETE can get lost in the cloud: the one who asked repeats it, and what takes long
/// was asked for by nobody who still does.
fn deleting(agent: &Agent<'_>, server: &Server, measures: &Measures<'_>) -> AgentState {
    let before = agent.before.and_then(|before| before.deleting_since);
    let since = before.unwrap_or(measures.now).min(measures.now);
    // One that nobody remembers was asked to go before the memory was lost.
    let ours = agent.before.is_none_or(|before| before.deleted || before.delete_failed);
    let failed = server.status == ServerStatus::Error;
    let long = measures.now.duration_since(since) > GONE_AFTER;
    AgentState::Deleting {
        since,
        again: server.status != ServerStatus::Deleted && (ours || failed || long),
    }
}

/// Whether the node that mita made for a server before it was asked for is not there any more: without it nothing can join.
fn lost_its_node(agent: &Agent<'_>, config: &Config) -> bool {
    let template = agent.template(config);
    let made_first = template.is_some_and(|template| template.register == Register::Inbound);
    made_first && agent.readable && !agent.adopted && agent.server.is_some() && !agent.outdated(config)
}

/// Whether an earlier pass began to remove it. That its node is absent then says nothing of Jenkins or the cloud.
fn is_being_removed(agent: &Agent<'_>) -> bool {
    agent.server.is_some() && agent.before.is_some_and(|before| before.phase == Phase::Deleting)
}

/// Whether the last passes saw it boot: only then is it known that it never joined.
fn was_watched(agent: &Agent<'_>) -> bool {
    agent.intent.is_some() || agent.before.is_some_and(|before| before.phase != Phase::Orphan)
}

fn with_node(agent: &Agent<'_>, computer: &Computer, in_time: bool, measures: &Measures<'_>) -> AgentState {
    let idle = computer.is_idle();
    match computer.offline_by() {
        OfflineBy::Removal => return AgentState::Marked { idle },
        OfflineBy::Drain => {
            let cause = DrainCause::of(computer);
            return AgentState::Drained { idle, cause };
        }
        OfflineBy::Monitor => {
            let before = agent
                .before
                .filter(|before| before.offline_by == Some(OfflineTaker::Monitor))
                .and_then(|b| b.offline_since);
            return AgentState::Monitored {
                idle_since: idle.then(|| clock(before, measures)),
            };
        }
        OfflineBy::Person => return AgentState::Person,
        OfflineBy::Nobody | OfflineBy::Connection => {}
    }
    if !computer.offline {
        return AgentState::Up {
            idle_slots: computer.free_executors(),
            idle_since: idle.then(|| clock(agent.before.and_then(|before| before.idle_since), measures)),
            limit_reached: limit_reached(agent, measures),
        };
    }
    if agent.joined.is_some() {
        let before = agent
            .before
            .filter(|before| before.phase == Phase::Offline && before.offline_by.is_none())
            .and_then(|b| b.offline_since);
        return AgentState::Offline {
            since: clock(before, measures),
            returns: measures.settling,
        };
    }
    if in_time {
        AgentState::Booting { late: false }
    } else {
        AgentState::TimedOut
    }
}

/// Returns the limit of its template that an agent reached. One that an operator gave back is not too old for a day.
fn limit_reached(agent: &Agent<'_>, measures: &Measures<'_>) -> Option<LimitReached> {
    let template = agent.template(measures.config)?;
    match template.max_lifetime {
        Some(most) if agent.age > most && given_back(agent, measures.now).is_none() => {
            Some(LimitReached::MaxLifetime { age: agent.age, most })
        }
        _ => builds::limit_reached(agent, measures.config),
    }
}

/// Returns when an operator gave a node back that was drained, if that was so lately that it is left alone.
pub fn given_back(agent: &Agent<'_>, now: Timestamp) -> Option<Timestamp> {
    let then = agent.before?.undrained?;
    // A clock that went back would keep it for longer.
    (then <= now && now.duration_since(then) < LEFT_ALONE).then_some(then)
}

/// Continues a time that was begun in an earlier pass, unless the clock cannot be trusted.
fn clock(before: Option<Timestamp>, measures: &Measures<'_>) -> Timestamp {
    before
        .filter(|before| !measures.restart && *before <= measures.now)
        .unwrap_or(measures.now)
}

/// Returns the executors of an agent: those of its template; what is no longer configured gives no slots.
pub fn executors(agent: &Agent<'_>, config: &Config) -> u32 {
    agent.template(config).map_or(0, |template| template.executors)
}
