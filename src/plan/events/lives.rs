//! Notes what became of the servers since the last pass: found, joined, failed, gone; and images that are left.
//!
//! Each is noted by comparing with the memory of the last pass, in the memory of this one: once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::Config;
use crate::model::{Event, EventKind, NodeId, Reading, Seconds};
use crate::plan::clock::SIGHTINGS;
use crate::plan::events::server::{lived, made_for, of_intent, of_node};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::agent_state::boot_grace;
use crate::plan::usage::{self, Gap};
use crate::state::{Intent, NodeMemory, State};
use crate::text::span;

/// Notes what became of the servers that are there, of those that are gone, and of creates that were begun.
pub fn note(fleet: &mut Fleet<'_>, before: &State, gap: Gap) {
    let mut events = Vec::new();
    let mut failed = Vec::new();
    for agent in &fleet.agents {
        let Some(node) = remembered(agent, &fleet.state) else {
            continue;
        };
        found(agent, node, fleet, &mut events);
        joined(agent, node, fleet, &mut events);
        if let Some(error) = failure(agent, fleet).filter(|_| !node.failure_noted) {
            failed.push(agent.id.clone());
            let event = at_pass(EventKind::Failed, node, fleet);
            events.push(Event {
                error: Some(error),
                ..event
            });
        }
    }
    for node in absent(&before.nodes, &fleet.state.nodes) {
        events.extend(gone(node, fleet, gap));
    }
    let is_dropped = |(id, _): &(&NodeId, &Intent)| {
        !fleet.state.intents.contains_key(*id)
            && !fleet.state.nodes.contains_key(*id)
            && !before.nodes.contains_key(*id)
    };
    for (_, intent) in before.intents.iter().filter(is_dropped) {
        events.push(dropped(intent, fleet));
    }
    for id in failed {
        if let Some(node) = fleet.state.nodes.get_mut(&id) {
            node.failure_noted = true;
        }
    }
    for event in events {
        fleet.state.note(event);
    }
}

/// Returns the servers that were remembered and are no more. Both lists are sorted, so one walk along them tells.
fn absent<'s>(before: &'s BTreeMap<NodeId, NodeMemory>, now: &BTreeMap<NodeId, NodeMemory>) -> Vec<&'s NodeMemory> {
    let mut there = now.keys().peekable();
    let is_absent = |(id, _): &(&NodeId, &NodeMemory)| {
        while there.next_if(|other| other < id).is_some() {}
        there.next_if_eq(id).is_none()
    };
    before.iter().filter(is_absent).map(|(_, node)| node).collect()
}

/// Notes the images that are left for older ones by this pass and were not by the last.
pub fn note_rollbacks(fleet: &mut Fleet<'_>, before: &State) {
    let mut events = Vec::new();
    let (now, pass) = (fleet.context.now, &fleet.context.pass);
    for (template, places) in &fleet.state.images {
        let known = before.images.get(template);
        for (provider, memory) in places {
            let instead = known.and_then(|places| places.get(provider)?.instead.as_ref());
            if memory.instead.is_none() || memory.instead.as_ref() == instead {
                continue;
            }
            events.push(Event {
                node: Some(template.clone()),
                provider: Some(provider.clone()),
                image: memory.candidates.first().cloned(),
                instead: memory.instead.clone(),
                because: Some("its servers never joined Jenkins".to_owned()),
                ..Event::new(EventKind::Rollback, now, pass)
            });
        }
    }
    for event in events {
        fleet.state.note(event);
    }
}

/// Returns the memory of an agent. Of two servers with one id only one is remembered.
fn remembered<'s>(agent: &Agent<'_>, state: &'s State) -> Option<&'s NodeMemory> {
    let is_told = agent.before.is_some_and(|before| before.joined.is_some());
    // What joined before has nothing to tell as long as it does not fail.
    if is_told && !matches!(agent.state, AgentState::Failed(_)) {
        return None;
    }
    let node = state.nodes.get(&agent.id)?;
    (agent.server_id() == Some(&node.server_id)).then_some(node)
}

fn at_pass(kind: EventKind, node: &NodeMemory, fleet: &Fleet<'_>) -> Event {
    of_node(kind, node, fleet.context.now, &fleet.context.pass)
}

/// Notes a server of which no pass knows that a cloud took it.
fn found(agent: &Agent<'_>, node: &NodeMemory, fleet: &Fleet<'_>, events: &mut Vec<Event>) {
    let is_noted = agent.intent.is_some_and(|intent| intent.server_id.is_some());
    if agent.before.is_some() || agent.server.is_none() || is_noted {
        return;
    }
    let because = match agent.intent {
        Some(_) => "found by its mark: the answer to its request was lost",
        None if agent.adopted => "taken over: its template adopts it",
        None => "found by its mark: no pass remembers it",
    };
    let at = fleet.context.now.saturating_sub(agent.age).unwrap_or(Timestamp::MIN);
    let event = Event {
        because: Some(because.to_owned()),
        ..of_node(EventKind::Created, node, at, &fleet.context.pass)
    };
    events.push(made_for(
        event,
        agent.intent.and_then(|intent| intent.made_for.as_ref()),
    ));
}

/// Notes a server that joined. How long that took is known of one that a pass asked for or saw before.
fn joined(agent: &Agent<'_>, node: &NodeMemory, fleet: &Fleet<'_>, events: &mut Vec<Event>) {
    if node.joined.is_none() || agent.before.is_some_and(|before| before.joined.is_some()) {
        return;
    }
    let is_known = agent.before.is_some() || agent.intent.is_some();
    events.push(Event {
        seconds: is_known.then(|| Seconds::whole(agent.age.as_secs())),
        ..at_pass(EventKind::Joined, node, fleet)
    });
}

/// Says that a server failed, if so.
fn failure(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<String> {
    // What another program made may belong to another Jenkins.
    let may_join = !agent.readable || fleet.settling.is_some() || agent.adopted;
    match &agent.state {
        AgentState::Failed(fault) if fault.is_empty() => Some("the cloud says ERROR, and no reason".to_owned()),
        AgentState::Failed(fault) => Some(fault.clone()),
        AgentState::TimedOut if !may_join => {
            let grace = boot_grace(agent.template(fleet.config), &fleet.config.timing);
            Some(format!("it did not join Jenkins within {}", span(grace)))
        }
        AgentState::Orphan { seen } if !may_join && agent.joined.is_none() && seen.passes >= SIGHTINGS => {
            Some("Jenkins does not know it, and no pass saw it join".to_owned())
        }
        _ => None,
    }
}

/// Returns the event of a server that is gone; `None` where its removal was noted.
fn gone(node: &NodeMemory, fleet: &Fleet<'_>, gap: Gap) -> Option<Event> {
    if node.deleted {
        return None;
    }
    let (kind, because) = if !fleet.config.providers.contains_key(&node.provider) {
        (
            EventKind::Lost,
            "its provider is no longer configured: it is forgotten and goes on running",
        )
    } else if is_listed(node, fleet) {
        (EventKind::Lost, "it is there and no longer ours")
    } else if node.delete_failed {
        (
            EventKind::Removed,
            "it is gone; an earlier pass asked for that and got no good answer",
        )
    } else {
        (EventKind::Lost, "it is gone, and no pass that ended removed it")
    };
    let node = usage::until_gone(node, gap);
    let event = Event {
        because: Some(because.to_owned()),
        ..at_pass(kind, &node, fleet)
    };
    Some(lived(event, &node, fleet.observed))
}

fn is_listed(node: &NodeMemory, fleet: &Fleet<'_>) -> bool {
    let view = fleet.observed.clouds.get(&node.provider).and_then(Reading::ok);
    view.is_some_and(|view| view.servers.iter().any(|server| server.id == node.server_id))
}

/// Returns the event of a create that was begun and is given up.
fn dropped(intent: &Intent, fleet: &Fleet<'_>) -> Event {
    let (now, pass) = (fleet.context.now, &fleet.context.pass);
    if intent.server_id.is_some() {
        let seconds = Seconds::whole(now.as_second() - intent.at.as_second());
        return Event {
            because: Some("its cloud took it, and does not list it".to_owned()),
            seconds: Some(seconds),
            ..of_intent(EventKind::Lost, intent, now, pass)
        };
    }
    Event {
        error: Some(unanswered(fleet.config)),
        ..of_intent(EventKind::Failed, intent, now, pass)
    }
}

fn unanswered(config: &Config) -> String {
    let grace = span(config.timing.intent_grace);
    format!(
        "its request was not sent or its answer was lost, and no such server was seen within {grace} (timing.intent_grace)"
    )
}
