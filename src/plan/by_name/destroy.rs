//! Plans `destroy`: the removal of what an operator names.
//!
//! It follows the same safe order as every removal; only the busy check can be lifted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::config::Config;
use crate::model::{Computer, Observed};
use crate::plan::action::{Plan, Removal};
use crate::plan::context::Context;
use crate::plan::fleet::agent::{Agent, Link};
use crate::plan::fleet::{Fleet, adopt};
use crate::plan::memory::look_and_remember;
use crate::plan::remove::removal::{orphan_removal, removal};
use crate::plan::report::assemble;
use crate::plan::resources::upkeep::with_floating_ips;
use crate::plan::why::Why;
use crate::state::State;
use crate::text::shown;

/// Plans the removal of what is named: by server, by our id, or by Jenkins node. What is refused stands in the
/// warnings. With `force` a busy node goes, too; one that a person took offline never does.
pub fn destroy(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    names: &[String],
    force: bool,
) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let mut removals: Vec<Removal> = Vec::new();
    let mut warnings = Vec::new();
    for name in names {
        match remove(name, &fleet, force) {
            Ok(removal) if removals.contains(&removal) => {}
            Ok(removal) => removals.push(removal),
            Err(reason) => warnings.push(format!("\"{}\" is not removed: {reason}", shown(name))),
        }
    }
    let mut asks = BTreeMap::new();
    with_floating_ips(&fleet, &mut removals, &mut asks);
    let mut plan = assemble::empty(fleet, 0);
    plan.asks = asks;
    keep_sightings(&mut plan.state, state);
    plan.removals = removals;
    plan.warnings.extend(warnings);
    plan
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
        node.missing = before.nodes.get(id).and_then(|node| node.missing);
    }
}

fn remove(name: &str, fleet: &Fleet<'_>, force: bool) -> Result<Removal, String> {
    if fleet.is_quieting() {
        return Err("Jenkins is quieting down".to_owned());
    }
    match target(name, fleet)? {
        Target::Agent(agent) => remove_agent(agent, force),
        Target::OrphanNode(computer) => {
            refuse(computer, force)?;
            let mut removal = orphan_removal(computer, fleet, Why::Asked);
            lift(&mut removal, force);
            Ok(removal)
        }
    }
}

/// What an operator named.
pub enum Target<'s, 'a> {
    /// A node of ours.
    Agent(&'s Agent<'a>),
    /// A Jenkins node of ours without a server.
    OrphanNode(&'a Computer),
}

/// Finds what is named: by server, by our id, or by Jenkins node; says why not, if so.
pub fn target<'s, 'a>(name: &str, fleet: &'s Fleet<'a>) -> Result<Target<'s, 'a>, String> {
    let is_meant = |agent: &&Agent<'_>| {
        agent.name == name
            || agent.id.as_str() == name
            || agent.computer().is_some_and(|computer| computer.name.as_str() == name)
    };
    let target: Vec<&Agent<'_>> = fleet.agents.iter().filter(is_meant).collect();
    if let [agent] = target[..] {
        return Ok(Target::Agent(agent));
    }
    if !target.is_empty() {
        return Err("several servers have this name".to_owned());
    }
    if let Some(orphan) = fleet
        .orphans
        .iter()
        .find(|orphan| orphan.computer.name.as_str() == name)
    {
        return Ok(Target::OrphanNode(orphan.computer));
    }
    Err(unknown(name, fleet))
}

fn remove_agent(agent: &Agent<'_>, force: bool) -> Result<Removal, String> {
    if !agent.readable {
        return Err(format!("provider {} cannot be read", agent.provider));
    }
    if let Link::Many(_) = agent.link {
        return Err("it is not clear which Jenkins node is its own".to_owned());
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

fn unknown(name: &str, fleet: &Fleet<'_>) -> String {
    let foreign = fleet
        .observed
        .clouds
        .values()
        .filter_map(|cloud| cloud.ok())
        .flat_map(|cloud| &cloud.servers);
    if let Some(server) = foreign.into_iter().find(|server| server.name == name) {
        let mut reason = format!("that server does not have the mark of \"{}\"", fleet.config.owner);
        if let Some(template) = adopt::would_take(server, fleet.config) {
            let _ = write!(reason, "; with adopt: true in \"{template}\" it would be taken over");
        }
        return reason;
    }
    if fleet
        .observed
        .jenkins
        .computers
        .iter()
        .any(|computer| computer.name.as_str() == name)
    {
        return "that Jenkins node is not ours".to_owned();
    }
    "there is no such node of ours".to_owned()
}
