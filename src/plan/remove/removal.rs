//! The steps of a removal: the Jenkins node first, then the server.

use crate::model::{Computer, split_server_name};
use crate::plan::action::{FailureRecord, NodeToRemove, Removal, ServerToRemove};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::why::Why;

/// Makes the removal of a Jenkins node alone.
pub fn orphan_removal(computer: &Computer, fleet: &Fleet<'_>, why: Why) -> Removal {
    let name = computer.name.as_str();
    let template = split_server_name(name).map(|(template, _)| template);
    let known = template.filter(|template| fleet.config.templates.iter().any(|t| t.name == *template));
    Removal {
        template: known,
        node: Some(node_to_remove(computer)),
        server: None,
        floating_ips: Vec::new(),
        why,
    }
}

/// Makes the removal of an agent: its Jenkins node if it has one, and its server.
pub fn removal(agent: &Agent<'_>, why: Why) -> Option<Removal> {
    Some(Removal {
        template: Some(agent.template.clone()),
        node: agent.computer().map(node_to_remove),
        server: Some(ServerToRemove {
            provider: agent.provider.clone(),
            id: agent.server?.id.clone(),
            name: agent.name.to_owned(),
            node_id: agent.id.clone(),
            look_first: looks_first(agent),
            failure: keep(agent),
        }),
        floating_ips: Vec::new(),
        why,
    })
}

/// Whether the agent of a server may have joined since Jenkins was read.
fn looks_first(agent: &Agent<'_>) -> bool {
    let is_dead = matches!(agent.state, AgentState::Failed(_) | AgentState::Deleting { .. });
    !is_dead && (agent.computer().is_none() || agent.state == AgentState::TimedOut)
}

/// What is kept of a server that goes: of one that worked nothing, of one that never came so far why.
fn keep(agent: &Agent<'_>) -> FailureRecord {
    let was_up = agent.server.is_some_and(|server| !server.addresses.is_empty());
    match agent.state {
        // What another program made says nothing of our templates.
        _ if agent.joined.is_some() || agent.adopted => FailureRecord::Nothing,
        AgentState::TimedOut => FailureRecord::Console,
        AgentState::Failed(_) if was_up => FailureRecord::Console,
        AgentState::Failed(_) => FailureRecord::Failure,
        _ => FailureRecord::Nothing,
    }
}

fn node_to_remove(computer: &Computer) -> NodeToRemove {
    NodeToRemove {
        name: computer.name.clone(),
        marked: computer.is_marked_for_removal() || computer.is_drained(),
        even_if_busy: false,
        by_monitor: computer.is_monitored(),
    }
}

/// Says why a node may not be touched whatever it is.
pub fn untouchable(computer: &Computer) -> Option<&'static str> {
    if !computer.is_idle() {
        Some("its Jenkins node is busy")
    } else if computer.is_held_by_person() {
        Some("a person took its Jenkins node offline")
    } else {
        None
    }
}
