//! What an operator must hear of at once, since only a person can end it: dead servers whose node keeps them, and deletes
//! that the cloud does not carry out.
//!
//! Each sentence is the same from pass to pass; `persistent` decides how often it is said.

use crate::model::{Computer, ServerStatus};
use crate::plan::clock::since;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::agent_state::GONE_AFTER;
use crate::plan::fleet::{Fleet, agent_state};
use crate::text::{shown, span};

/// Lists what must be said.
pub fn alerts(fleet: &Fleet<'_>) -> Vec<String> {
    let dead = fleet.agents.iter().filter_map(dead_server);
    let gone = fleet.orphans.iter().filter_map(|orphan| {
        let (node, why) = keeper(orphan.computer)?;
        Some(format!(
            "the server of Jenkins node \"{node}\" is gone, and the node stays: {why}; abort its builds or give the node \
             back, then it is removed"
        ))
    });
    let unjoined = fleet.agents.iter().filter_map(|agent| unjoined(agent, fleet));
    let stuck = fleet.agents.iter().filter_map(|agent| stuck_delete(agent, fleet));
    dead.chain(gone).chain(unjoined).chain(stuck).collect()
}

/// Says which dead server stays, and for which node.
fn dead_server(agent: &Agent<'_>) -> Option<String> {
    let status = match &agent.server?.status {
        ServerStatus::Error => "in ERROR",
        ServerStatus::Other(status) if status == "SHUTOFF" => "SHUTOFF",
        _ if matches!(agent.state, AgentState::Deleting { .. }) => "being deleted",
        _ => return None,
    };
    let (node, why) = agent.link.all().find_map(keeper)?;
    let server = shown(agent.name);
    Some(format!(
        "server \"{server}\" ({}) is {status} and stays: of its Jenkins node \"{node}\", {why}; abort its builds or give \
         the node back, then both are removed",
        agent.provider
    ))
}

/// Says which server never joined in time and stays, since a person took its node offline.
fn unjoined(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<String> {
    let template = agent.template(fleet.config);
    let late = agent.age > agent_state::boot_grace(template, &fleet.config.timing);
    let held = agent.joined.is_none() && agent.state == AgentState::Person && late;
    let node = agent.computer().filter(|_| held)?;
    let (server, node) = (shown(agent.name), shown(node.name.as_str()));
    Some(format!(
        "server \"{server}\" ({}) never joined and stays, since a person took its Jenkins node \"{node}\" offline; give the node \
         back, then both are removed",
        agent.provider
    ))
}

/// Returns the name of a node that may not be touched, and why.
fn keeper(computer: &Computer) -> Option<(String, &'static str)> {
    let why = if computer.is_held_by_person() {
        "a person took it offline"
    } else if computer.offline && !computer.is_idle() {
        "it is offline and Jenkins still counts builds on it"
    } else if !computer.is_idle() {
        "Jenkins counts builds on it"
    } else {
        return None;
    };
    Some((shown(computer.name.as_str()), why))
}

/// Says which server is there long after it was asked to go.
fn stuck_delete(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<String> {
    let server = agent.server?;
    let first = match agent.state {
        AgentState::Deleting { since, .. } => since,
        _ => agent.before.and_then(|before| before.deleting_since)?,
    };
    let long = since(fleet.context.now, first) > GONE_AFTER;
    let name = shown(agent.name);
    long.then(|| {
        format!(
            "server \"{name}\" ({}, {}) is still there more than {} after it began to go; each pass asks again; look \
             at it with the cloud's own tools (openstack server show, reset-state)",
            agent.provider,
            server.id,
            span(GONE_AFTER)
        )
    })
}
