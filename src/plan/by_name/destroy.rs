//! Plans `destroy`: the removal of what an operator names or selects.
//!
//! It follows the same safe order as every removal; only the busy check can be lifted.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::{Computer, Observed};
use crate::plan::action::{Plan, Removal};
use crate::plan::by_name::targets::{LeftOut, Target, Targets, matches_nothing, meant};
use crate::plan::context::Context;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, Link};
use crate::plan::memory::look_and_remember;
use crate::plan::remove::removal::{orphan_removal, removal};
use crate::plan::report::assemble;
use crate::plan::resources::upkeep::with_floating_ips;
use crate::plan::why::Why;
use crate::state::State;
use crate::text::shown;

/// Plans the removal of what is named or selected. What is refused stands in the warnings. With `force` a busy node goes,
/// too; one that a person took offline never does.
pub fn destroy(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    targets: &Targets,
    force: bool,
) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let meant = meant(targets, &fleet);
    let nothing = matches_nothing(targets, &meant);
    let mut removals: Vec<Removal> = Vec::new();
    let mut refused = Refused::new(targets);
    for (name, target) in meant {
        let confirmed = |removal| match targets {
            Targets::Selected(selector) if !selector.is_confirmed(&name) => {
                Err("it was not to be removed when that was agreed to; run it again".to_owned())
            }
            _ => Ok(removal),
        };
        match target
            .and_then(|target| remove(&target, &fleet, force))
            .and_then(confirmed)
        {
            Ok(removal) if removals.contains(&removal) => {}
            Ok(removal) => removals.push(removal),
            Err(reason) => refused.add(&name, reason),
        }
    }
    let mut asks = BTreeMap::new();
    with_floating_ips(&fleet, &mut removals, &mut asks);
    let mut plan = assemble::empty(fleet, 0);
    plan.asks = asks;
    keep_sightings(&mut plan.state, state);
    plan.removals = removals;
    plan.notes.extend(nothing);
    plan.warnings.extend(refused.sentences());
    plan
}

/// What is not removed: each name that an operator gave has a line, of a selection each reason.
enum Refused {
    Named(Vec<String>),
    Selected(LeftOut),
}

impl Refused {
    fn new(targets: &Targets) -> Self {
        match targets {
            Targets::Names(_) => Self::Named(Vec::new()),
            Targets::Selected(_) => Self::Selected(LeftOut::default()),
        }
    }

    fn add(&mut self, name: &str, reason: String) {
        match self {
            Self::Named(sentences) => sentences.push(format!("\"{}\" is not removed: {reason}", shown(name))),
            Self::Selected(left_out) => left_out.add(name, reason),
        }
    }

    fn sentences(self) -> Vec<String> {
        match self {
            Self::Named(sentences) => sentences,
            Self::Selected(left_out) => left_out.sentences("removed"),
        }
    }
}

/// Keeps what counts passes as it was: an operator's command between two passes is none.
pub fn keep_sightings(after: &mut State, before: &State) {
    after.last_pass.clone_from(&before.last_pass);
    after.blind.clone_from(&before.blind);
    after.gaps.clone_from(&before.gaps);
    after.orphan_nodes.clone_from(&before.orphan_nodes);
    for (name, entry) in &mut after.gone_servers {
        entry.sightings = before.gone_servers.get(name).map_or(0, |entry| entry.sightings);
    }
    for (id, node) in &mut after.nodes {
        let known = before.nodes.get(id);
        node.missing = known.and_then(|node| node.missing);
        // The next pass counts the whole of the time since the last one.
        node.busy_seconds = known.map_or(0, |node| node.busy_seconds);
        node.idle_seconds = known.map_or(0, |node| node.idle_seconds);
    }
    if let (Some(after), Some(before)) = (&mut after.counters, &before.counters) {
        after.server_seconds.clone_from(&before.server_seconds);
    }
}

fn remove(target: &Target<'_, '_>, fleet: &Fleet<'_>, force: bool) -> Result<Removal, String> {
    if fleet.is_quieting() {
        return Err("Jenkins is quieting down".to_owned());
    }
    match target {
        Target::Agent(agent) => remove_agent(agent, force),
        Target::OrphanNode(computer) => {
            refuse(computer, force)?;
            let mut removal = orphan_removal(computer, fleet, Why::Asked);
            lift(&mut removal, force);
            Ok(removal)
        }
    }
}

fn remove_agent(agent: &Agent<'_>, force: bool) -> Result<Removal, String> {
    if !agent.readable {
        return Err(format!("provider {} cannot be read", agent.provider));
    }
    if let Link::Many(_) = agent.link {
        return Err("it is not clear which Jenkins node is its own".to_owned());
    }
    if agent.duplicate {
        return Err("another server has the same id in its name; remove one of the two there".to_owned());
    }
    if let Some(computer) = agent.computer() {
        refuse(computer, force)?;
    }
    if let Some(hold) = agent.held.filter(|_| !force && agent.computer().is_none()) {
        let node = shown(hold.node().name.as_str());
        return Err(format!(
            "Jenkins node \"{node}\" works at its address and may be its agent (--force removes the server nevertheless)"
        ));
    }
    let mut removal = removal(agent, Why::Asked).ok_or("its server is not there yet; the next pass will see it")?;
    lift(&mut removal, force);
    Ok(removal)
}

fn refuse(computer: &Computer, force: bool) -> Result<(), String> {
    if computer.is_held_by_person() {
        Err("a person took its Jenkins node offline; bring it back online first".to_owned())
    } else if !force && !computer.is_idle() {
        Err("its Jenkins node is busy (--force removes it nevertheless)".to_owned())
    } else {
        Ok(())
    }
}

fn lift(removal: &mut Removal, force: bool) {
    if let Some(node) = &mut removal.node {
        node.even_if_busy = force;
    }
    if let Some(server) = &mut removal.server {
        server.look_first &= !force;
    }
}
