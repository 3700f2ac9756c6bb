//! Decides what is removed: what failed, what is lost, what has our mark, and what is idle and nobody needs.
//!
//! `fleet` says where an agent is in its life; the pass carries the removal out in a safe order.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use jiff::Timestamp;

use crate::model::{Computer, MARK_PREFIX, NodeId, ProviderName};
use crate::plan::action::{Drain, Removal, Unmark};
use crate::plan::clock::{SIGHTINGS, since};
use crate::plan::create::grow::Growth;
use crate::plan::demand::items::Demand;
use crate::plan::demand::need::{Need, named_nodes};
use crate::plan::fleet::agent::{Agent, AgentState, DrainCause, Link};
use crate::plan::fleet::{Fleet, OrphanNode, adopt, agent_state, builds, hold};
use crate::plan::refusals;
use crate::plan::remove::refresh::due::{self, Due};
use crate::plan::remove::refresh::{self, Settled};
use crate::plan::remove::removal::{orphan_removal, removal, untouchable};
use crate::plan::remove::surplus::Surplus;
use crate::plan::remove::{guard, idle, make_room};
use crate::plan::report::persistent;
use crate::plan::why::Why;
use crate::state::{RefreshMemory, Sighting};
use crate::text::{are, shown};

/// What goes.
#[derive(Default)]
pub struct Reaped {
    /// Marks to be taken off.
    pub unmarks: Vec<Unmark>,
    /// Nodes that had all their builds but for those that run, and those that are replaced.
    pub drains: Vec<Drain>,
    /// The clouds that must be asked what they offer before it is known which nodes are to be replaced.
    pub offers_wanted: BTreeSet<ProviderName>,
    /// Removals, in order.
    pub removals: Vec<Removal>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// How many removals the guard held back, of how many agents; `None` where it was not asked.
    pub guard: Option<(usize, usize)>,
    /// Since when servers go whose place is waited for; `None` where that was not asked.
    going: Option<BTreeMap<NodeId, Timestamp>>,
    /// What is remembered of nodes that are to be replaced; `None` where that was not asked.
    refresh: Option<RefreshMemory>,
}

/// Decides what goes.
pub fn reap(fleet: &mut Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Reaped {
    let mut need = Need::new(fleet, demand);
    let surplus = Surplus::count(fleet, &demand.slots, &mut need);
    let mut reaped = decide(fleet, demand, growth, &mut need, &surplus);
    let surplus = surplus.into_memory();
    fleet.state.surplus = surplus;
    if let Some(going) = reaped.going.take() {
        fleet.state.going = going;
    }
    if let Some(refresh) = reaped.refresh.take() {
        fleet.state.refresh = refresh;
    }
    reaped
}

/// Decides what goes, by what was counted of idle nodes.
fn decide(
    fleet: &Fleet<'_>,
    demand: &Demand<'_>,
    growth: &Growth<'_>,
    need: &mut Need<'_>,
    surplus: &Surplus<'_, '_>,
) -> Reaped {
    let mut reaped = Reaped::default();
    if !fleet.context.remove || fleet.is_quieting() {
        return reaped;
    }
    let due = due::due(fleet);
    let named = named_if_asked(fleet, demand, !due.is_empty());
    unmark(fleet, &named, &mut reaped);
    if let Some(settling) = &fleet.settling {
        reaped.notes.push(settling.clone());
        return reaped;
    }
    let kept: Vec<&Agent<'_>> = fleet.agents.iter().filter(|agent| is_kept(agent, &named)).collect();
    reaped.notes.extend(kept.iter().filter_map(|agent| why_kept(agent)));
    reaped.removals = dead_agents(fleet, &named, &mut reaped);
    reaped.notes.extend(persistent::nameless(fleet.observed));
    let most = usize::try_from(fleet.config.limits.max_deletes_per_pass).unwrap_or(usize::MAX);
    let left = reaped.removals.len().saturating_sub(most);
    reaped.removals.truncate(most);
    let room = most - reaped.removals.len();
    let held = idle::idle(fleet, demand, room, need, &mut reaped.removals);
    let room = most - reaped.removals.len();
    let more = surplus.removals(fleet, need, &reaped.removals);
    let held = held + more.len().saturating_sub(room);
    reaped.removals.extend(more.into_iter().take(room));
    reaped.notes.extend(refusals::removals(fleet, &mut reaped.removals));
    let going = make_room::going(fleet, growth, &reaped.removals);
    let room = most.saturating_sub(reaped.removals.len());
    let made = make_room::make_room(fleet, demand, growth, need, &going);
    let held = held + made.len().saturating_sub(room);
    reaped.removals.extend(made.into_iter().take(room));
    drain_at_limit(fleet, &named, &mut reaped);
    reaped.going = Some(going);
    reaped.refresh = Some(replace(fleet, &due, demand, growth, &named, &mut reaped));
    let left = left + held;
    if left > 0 && most == 0 {
        let note = format!("{left} to remove: none goes while limits.max_deletes_per_pass is 0");
        reaped.notes.push(note);
    } else if left > 0 {
        reaped.notes.push(format!(
            "{left} more to remove: {most} {} the most for one pass, the rest goes in the next",
            are(most)
        ));
    }
    reaped
}

/// Returns the nodes that queue items name, where that decides about an agent.
fn named_if_asked<'a>(fleet: &'a Fleet<'_>, demand: &'a Demand<'_>, any_due: bool) -> HashSet<&'a str> {
    let asks = |agent: &Agent<'_>| is_drained_idle(agent) || builds::has_all_builds(agent, fleet.config);
    if any_due || fleet.agents.iter().any(asks) {
        named_nodes(fleet, demand)
    } else {
        HashSet::default()
    }
}

/// Proposes what failed, is lost, or was begun to be removed, without what the guard holds back.
fn dead_agents(fleet: &Fleet<'_>, named: &HashSet<&str>, reaped: &mut Reaped) -> Vec<Removal> {
    let agents = fleet.agents.iter().filter(|agent| !is_kept(agent, named));
    let mut dead: Vec<Removal> = agents.filter_map(|agent| dead(agent, fleet)).collect();
    dead.extend(fleet.orphans.iter().filter_map(|orphan| lost(orphan, fleet)));
    hold_back(&mut dead, fleet, reaped);
    // A locked server fails in each pass: those that may go must not wait behind it.
    dead.sort_by_key(|removal| was_asked(removal, fleet));
    dead
}

/// Whether the cloud was asked to delete the server before, and refused or did not do it.
fn was_asked(removal: &Removal, fleet: &Fleet<'_>) -> bool {
    let server = removal.server.as_ref();
    let memory = server.and_then(|server| fleet.state.nodes.get(&server.node_id));
    memory.is_some_and(|memory| memory.delete_failed || memory.deleted)
}

fn is_drained_idle(agent: &Agent<'_>) -> bool {
    matches!(agent.state, AgentState::Drained { idle: true, .. })
}

/// Whether a drained node is idle and stays all the same, since an item of the queue waits for it by its name: a pipeline
/// that goes on there after Jenkins was started again has not ended.
fn is_kept(agent: &Agent<'_>, named: &HashSet<&str>) -> bool {
    is_drained_idle(agent) && is_named(agent, named)
}

fn is_named(agent: &Agent<'_>, named: &HashSet<&str>) -> bool {
    agent
        .computer()
        .is_some_and(|computer| named.contains(computer.name.as_str()))
}

/// Says that a node stays which an operator drained.
fn why_kept(agent: &Agent<'_>) -> Option<String> {
    let AgentState::Drained {
        cause: DrainCause::ByHand,
        ..
    } = agent.state
    else {
        return None;
    };
    let name = shown(agent.computer()?.name.as_str());
    Some(format!(
        "Jenkins node \"{name}\" is drained and idle, and stays, since the queue waits for it by its name: `mita undrain` \
         lets it go on, `mita destroy` removes it"
    ))
}

/// Keeps further builds from the nodes that had all of theirs: those that work, and those that are idle and cannot be
/// removed in this pass.
fn drain_at_limit(fleet: &Fleet<'_>, named: &HashSet<&str>, reaped: &mut Reaped) {
    let goes = |drain: &Drain| {
        let mut nodes = reaped.removals.iter().filter_map(|removal| removal.node.as_ref());
        nodes.any(|node| node.name == drain.node)
    };
    let spent = fleet.agents.iter().filter(|agent| {
        let idle = agent.computer().is_some_and(Computer::is_idle);
        !idle || !is_named(agent, named)
    });
    reaped.drains = spent
        .filter_map(|agent| builds::drain(agent, fleet))
        .filter(|drain| !goes(drain))
        .collect();
}

/// Drains nodes that are too old or outdated; returns what is remembered for that.
fn replace(
    fleet: &Fleet<'_>,
    due: &[Due<'_, '_>],
    demand: &Demand<'_>,
    growth: &Growth<'_>,
    named: &HashSet<&str>,
    reaped: &mut Reaped,
) -> RefreshMemory {
    let removed = reaped.removals.iter().filter_map(|removal| removal.node.as_ref());
    let removed = removed.map(|node| node.name.as_str());
    let drained = reaped.drains.iter().map(|drain| drain.node.as_str());
    let goes = removed.chain(drained).collect();
    let settled = Settled { named, goes: &goes };
    let refresh = refresh::refresh(fleet, due, demand, &growth.creates, &settled);
    reaped.drains.extend(refresh.drains);
    reaped.notes.extend(refresh.notes);
    reaped.offers_wanted = refresh.offers_wanted;
    refresh.memory
}

/// Takes our mark off nodes that turned busy, and off those that a pass drained and that are to go on with a build.
fn unmark(fleet: &Fleet<'_>, named: &HashSet<&str>, reaped: &mut Reaped) {
    let marked = fleet
        .agents
        .iter()
        .filter(|agent| agent.state == AgentState::Marked { idle: false });
    let nodes = marked.filter_map(|agent| Some((agent.computer()?, Some(agent.template.clone()))));
    let orphans = fleet.orphans.iter().map(|orphan| orphan.computer);
    let orphans = orphans.filter(|computer| computer.is_marked_for_removal() && !computer.is_idle());
    for (computer, template) in nodes.chain(orphans.map(|computer| (computer, None))) {
        let because = "it has our mark and works again".to_owned();
        reaped.unmarks.push(Unmark {
            node: computer.name.clone(),
            template,
            prefix: MARK_PREFIX,
            by_hand: false,
            because,
        });
    }
    for agent in fleet.agents.iter().filter(|agent| is_drained_idle(agent)) {
        let Some(computer) = agent.computer().filter(|_| is_named(agent, named)) else {
            continue;
        };
        let AgentState::Drained { cause, .. } = agent.state else {
            continue;
        };
        reaped.unmarks.extend(cause.taken_off_by_passes().map(|prefix| Unmark {
            node: computer.name.clone(),
            template: Some(agent.template.clone()),
            prefix,
            by_hand: false,
            because: "the queue waits for it by its name".to_owned(),
        }));
    }
}

/// Proposes what failed, is lost, or was begun to be removed.
fn dead(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Removal> {
    if !agent.readable || agent.duplicate || is_held(agent, fleet) {
        return None;
    }
    let template = agent.template(fleet.config);
    let timing = &fleet.config.timing;
    let now = fleet.context.now;
    let why = match &agent.state {
        AgentState::Failed(fault) => Why::Failed(fault.clone()),
        AgentState::TimedOut => Why::TimedOut(agent_state::boot_grace(template, timing)),
        AgentState::Drained { idle: true, .. } => {
            let reason = agent.computer().map(Computer::mark_text);
            Why::Drained(reason.unwrap_or_default().to_owned())
        }
        AgentState::Marked { idle: true } => Why::Marked,
        AgentState::Monitored { idle_since: Some(then) } => {
            let idle = since(now, *then);
            if idle < timing.offline_grace || fleet.restart {
                return None;
            }
            let reason = agent.computer().map(|computer| computer.offline_reason.clone());
            Why::Monitored {
                idle,
                reason: reason.unwrap_or_default(),
            }
        }
        AgentState::Offline { since: then, .. } if since(now, *then) > timing.offline_grace => {
            Why::Offline(since(now, *then))
        }
        AgentState::Removing => Why::Begun,
        AgentState::Deleting { again: true, .. } => Why::StillThere,
        AgentState::Orphan { seen } if is_lost(agent, *seen, fleet) => Why::UnknownToJenkins { passes: seen.passes },
        _ => return None,
    };
    if matches!(agent.link, Link::Many(_)) || agent.computer().is_some_and(|computer| untouchable(computer).is_some()) {
        return None;
    }
    removal(agent, why)
}

/// Whether a server that looks absent from Jenkins is kept: a node may be its agent, or its name cannot be read, or the
/// server may be another program's.
fn is_held(agent: &Agent<'_>, fleet: &Fleet<'_>) -> bool {
    let nameless = fleet.observed.jenkins.nameless > 0;
    hold::holds(agent) || hold::is_absent(agent) && (nameless || adopt::may_be_anothers(agent, fleet.config))
}

/// Whether Jenkins does not know a server for long enough. Agents come back: some plugins delete a node as soon as its
/// connection breaks.
fn is_lost(agent: &Agent<'_>, seen: Sighting, fleet: &Fleet<'_>) -> bool {
    let grace = fleet.config.timing.offline_grace;
    seen.passes >= SIGHTINGS && (agent.joined.is_none() || since(fleet.context.now, seen.first) >= grace)
}

/// Proposes a Jenkins node of ours that has no server.
fn lost(orphan: &OrphanNode<'_>, fleet: &Fleet<'_>) -> Option<Removal> {
    let computer = orphan.computer;
    if orphan.seen.passes < SIGHTINGS || untouchable(computer).is_some() {
        return None;
    }
    let passes = orphan.seen.passes;
    Some(orphan_removal(computer, fleet, Why::WithoutServer { passes }))
}

/// Holds back what goes because something is absent, when it is much.
fn hold_back(dead: &mut Vec<Removal>, fleet: &Fleet<'_>, reaped: &mut Reaped) {
    let known = guard::known_nodes(fleet);
    let counts = |removal: &&Removal| {
        let is_double =
            removal.server.is_none() && removal.node.as_ref().is_some_and(|node| known.contains(&node.name));
        removal.why.is_absence() && !is_double
    };
    let absent = dead.iter().filter(counts).count();
    let size = guard::fleet_size(fleet);
    if fleet.context.force || !guard::holds(absent, size) {
        reaped.guard = Some((0, size));
        return;
    }
    dead.retain(|removal| !removal.why.is_absence());
    reaped.guard = Some((absent, size));
    reaped.notes.push(guard::sentence(absent, size));
}
