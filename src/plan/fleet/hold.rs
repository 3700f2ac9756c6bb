//! Servers that look absent from Jenkins and are kept: a busy node at an unknown address may be their agent.
//!
//! `mapping` finds these nodes, and those at an address of the server.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Computer, NodeName, ServerStatus, TemplateName};
use crate::plan::fleet::agent::{Agent, AgentState, Hold};
use crate::plan::fleet::contradiction::Contradiction;
use crate::text::shown;

/// So long a server is kept for a node of which nobody knows where it is.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Keeps as many absent servers of a template as there are busy nodes with its name and an address that no server has: the
/// oldest, each for a day at most.
pub fn at_unknown_addresses<'a>(
    agents: &mut [Agent<'a>],
    homeless: &BTreeMap<TemplateName, Vec<&'a Computer>>,
    now: Timestamp,
) {
    for (template, nodes) in homeless {
        let may_be = |agent: &Agent<'_>| {
            let since = agent.before.and_then(|before| before.held_since).unwrap_or(now);
            agent.template == *template
                && is_absent(agent)
                && agent.held.is_none()
                && now.duration_since(since) < LONGEST
        };
        let mut found: Vec<usize> = (0..agents.len()).filter(|at| may_be(&agents[*at])).collect();
        found.sort_by_key(|at| (std::cmp::Reverse(agents[*at].age), agents[*at].name));
        for (at, node) in found.into_iter().zip(nodes) {
            agents[at].held = Some(Hold::Template(node));
        }
    }
}

/// Whether Jenkins shows no agent for a server that is not in ERROR.
pub fn is_absent(agent: &Agent<'_>) -> bool {
    let failed = agent.server.is_some_and(|server| server.status == ServerStatus::Error);
    !failed && matches!(agent.state, AgentState::Orphan { .. } | AgentState::TimedOut)
}

/// Returns since when a server is kept for a node that may be its own, for the memory.
pub fn since(agent: &Agent<'_>, now: Timestamp) -> Option<Timestamp> {
    let before = agent.before.and_then(|before| before.held_since);
    let guessed = matches!(agent.held, Some(Hold::Template(_)));
    (guessed || is_absent(agent) && before.is_some()).then(|| before.unwrap_or(now))
}

/// Returns the node that holds a server by its address, for the memory: it is remembered until the server has a node.
pub fn by(agent: &Agent<'_>) -> Option<NodeName> {
    match agent.held {
        Some(Hold::Address(node)) => Some(node.name.clone()),
        _ if agent.computer().is_some() => None,
        _ => agent.before.and_then(|before| before.held_by.clone()),
    }
}

/// Whether a server stays for a node that works and may be its agent: one that is absent, or whose node is offline while
/// another one works at its address.
pub fn holds(agent: &Agent<'_>) -> bool {
    match agent.held {
        Some(Hold::Address(_)) => is_absent(agent) || matches!(agent.state, AgentState::Offline { .. }),
        Some(Hold::Template(_)) => is_absent(agent),
        None => false,
    }
}

/// Says for which node a server stays that looks absent from Jenkins.
pub fn why(agent: &Agent<'_>) -> Option<Contradiction> {
    let hold = agent.held.filter(|_| holds(agent))?;
    let (server, node) = (shown(agent.name), shown(hold.node().name.as_str()));
    let template = shown(agent.template.as_str());
    let sentence = match hold {
        Hold::Template(_) => format!(
            "no server has the address of the busy Jenkins node \"{node}\": as long as it works, server \"{server}\" of \
             \"{template}\", which has no node, stays for a day"
        ),
        Hold::Address(_) => format!(
            "server \"{server}\" has no working Jenkins node, and \"{node}\" works at its address but \
             may not be its own: the server stays as long as that node works; let the agent register under the name of \
             its server, or with the labels of \"{template}\""
        ),
    };
    Some(Contradiction {
        provider: Some(agent.provider.clone()),
        ..Contradiction::new(server, sentence)
    })
}
