//! Servers that get their Jenkins node now (`register: ssh`), and what is remembered of nodes that mita makes.
//!
//! A node that is made before its server (`register: inbound`) is part of the create.

use jiff::Timestamp;

use crate::config::{Config, HostKey, Register};
use crate::model::{Computer, NodeName, ServerStatus, split_server_name};
use crate::plan::action::{Registration, Removal};
use crate::plan::clock::since;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState, Link};
use crate::plan::refusals;
use crate::plan::resources::upkeep;
use crate::state::{Sighting, State};
use crate::text::shown;

/// Plans a Jenkins node for each server that is up, has its address, and has yet to join.
pub fn registrations(fleet: &mut Fleet<'_>, removals: &[Removal]) -> Vec<Registration> {
    if !fleet.context.create || fleet.is_quieting() {
        return Vec::new();
    }
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for agent in fleet.agents.iter().filter(|agent| is_ready(agent, fleet.config)) {
        let goes = removals.iter().filter_map(|removal| removal.server.as_ref());
        let mut goes = goes.filter(|target| target.provider == *agent.provider);
        if goes.any(|target| Some(&target.id) == agent.server_id()) {
            continue;
        }
        match registration(agent, fleet) {
            Some(Ok(registration)) => found.push(registration),
            Some(Err(note)) => notes.push(note),
            None => {}
        }
    }
    fleet.notes.extend(notes);
    found
}

/// Plans the node of one server; the error says why it gets none.
fn registration(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Result<Registration, String>> {
    let (template, server) = (agent.template(fleet.config)?, agent.server?);
    let address = server.address()?;
    if refusals::is_refused(fleet, template) {
        return None;
    }
    let is_made = template.agent.host_key == HostKey::Made;
    let host_key = fleet.state.host_keys.get(&agent.id).filter(|_| is_made).cloned();
    if is_made && host_key.is_none() {
        return Some(Err(format!(
            "server \"{}\" gets no Jenkins node: the host key that was made for it is not known any more (the state file \
             was lost, or agent.host_key was changed), and nothing else would tell it from another machine; it goes \
             after the boot_grace of \"{}\"",
            shown(agent.name),
            template.name
        )));
    }
    Some(Ok(Registration {
        name: NodeName::new(agent.name),
        template: template.name.clone(),
        provider: agent.provider.clone(),
        server_id: server.id.clone(),
        address,
        host_key,
        because: format!("it is up at {address}, and Jenkins has no node for it"),
    }))
}

/// Whether a server that we made can be connected to, and nobody has made a node for it yet.
fn is_ready(agent: &Agent<'_>, config: &Config) -> bool {
    let Some(template) = agent
        .template(config)
        .filter(|template| template.register == Register::Ssh)
    else {
        return false;
    };
    let active = agent.server.is_some_and(|server| server.status == ServerStatus::Active);
    // One that had joined lost its node for a reason.
    let waits = matches!(agent.state, AgentState::Booting { .. }) && matches!(agent.link, Link::None);
    active && waits && agent.readable && !agent.duplicate && !agent.adopted && !upkeep::lacks_address(agent, template)
}

/// Keeps the host keys that were made for servers as long as they have no node.
pub fn remember(fleet: &mut Fleet<'_>, before: &State) {
    if before.host_keys.is_empty() {
        return;
    }
    let open = fleet.agents.iter().filter(|agent| agent.computer().is_none());
    let kept = open.filter_map(|agent| Some((agent.id.clone(), before.host_keys.get(&agent.id)?.clone())));
    fleet.state.host_keys = kept.collect();
}

/// Whether a node may belong to another mita that has not created its server yet: templates of the same names, and
/// `register: inbound` makes the node first.
pub fn may_wait_for_its_server(computer: &Computer, seen: Sighting, config: &Config, now: Timestamp) -> bool {
    let Some((name, _)) = split_server_name(computer.name.as_str()) else {
        return false;
    };
    let template = config.template(name.as_str());
    let template = template.filter(|template| template.register != Register::Own && computer.offline);
    template.is_some_and(|template| since(now, seen.first) <= template.boot_grace)
}
