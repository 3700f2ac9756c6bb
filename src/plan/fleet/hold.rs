//! Servers that look absent from Jenkins and are kept, since a busy node at an unknown address may be the agent of one.
//!
//! Which nodes these are is found in `link`; an address that is the server's own holds it there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Computer, NodeName, ServerStatus, TemplateName};
use crate::plan::fleet::agent::{Hold, Standing, Unit};
use crate::plan::words::shown;

/// So long a server is kept for a node of which nobody knows where it is.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Keeps as many absent servers of a template as there are busy nodes with its name and an address that no server has: the
/// oldest, each for a day at most.
pub fn at_unknown_addresses<'a>(
    units: &mut [Unit<'a>],
    homeless: &BTreeMap<TemplateName, Vec<&'a Computer>>,
    now: Timestamp,
) {
    for (template, nodes) in homeless {
        let may_be = |unit: &Unit<'_>| {
            let since = unit.before.and_then(|before| before.held_since).unwrap_or(now);
            unit.template == *template && is_absent(unit) && unit.held.is_none() && now.duration_since(since) < LONGEST
        };
        let mut found: Vec<usize> = (0..units.len()).filter(|at| may_be(&units[*at])).collect();
        found.sort_by_key(|at| (std::cmp::Reverse(units[*at].age), units[*at].name));
        for (at, node) in found.into_iter().zip(nodes) {
            units[at].held = Some(Hold::Template(node));
        }
    }
}

/// Whether a server looks absent from Jenkins: it has no node there, or never joined. One in ERROR is none of these.
pub fn is_absent(unit: &Unit<'_>) -> bool {
    let failed = unit.server.is_some_and(|server| server.status == ServerStatus::Error);
    !failed && matches!(unit.standing, Standing::Orphan { .. } | Standing::TimedOut)
}

/// Returns since when a server is kept for a node that may be its own, for the memory.
pub fn since(unit: &Unit<'_>, now: Timestamp) -> Option<Timestamp> {
    let before = unit.before.and_then(|before| before.held_since);
    let guessed = matches!(unit.held, Some(Hold::Template(_)));
    (guessed || is_absent(unit) && before.is_some()).then(|| before.unwrap_or(now))
}

/// Returns the node that holds a server by its address, for the memory: it is remembered until the server has a node.
pub fn by(unit: &Unit<'_>) -> Option<NodeName> {
    match unit.held {
        Some(Hold::Address(node)) => Some(node.name.clone()),
        _ if unit.computer().is_some() => None,
        _ => unit.before.and_then(|before| before.held_by.clone()),
    }
}

/// Whether a server stays for a node that works and may be its agent: one that is absent, or whose node is offline while
/// another one works at its address.
pub fn holds(unit: &Unit<'_>) -> bool {
    match unit.held {
        Some(Hold::Address(_)) => is_absent(unit) || matches!(unit.standing, Standing::Offline { .. }),
        Some(Hold::Template(_)) => is_absent(unit),
        None => false,
    }
}

/// Says for which node a server stays that looks absent from Jenkins.
pub fn why(unit: &Unit<'_>) -> Option<String> {
    let hold = unit.held.filter(|_| holds(unit))?;
    let (server, node) = (shown(unit.name), shown(hold.node().name.as_str()));
    let template = shown(unit.template.as_str());
    Some(match hold {
        Hold::Template(_) => format!(
            "no server has the address of the busy Jenkins node \"{node}\": as long as it works, server \"{server}\" of \
             \"{template}\", which has no node, stays for a day"
        ),
        Hold::Address(_) => format!(
            "server \"{server}\" has no working Jenkins node, and \"{node}\" works at its address but cannot be told to be its own: the \
             server stays as long as that node works; let the agent register under the name of its server, or with the \
             labels of \"{template}\""
        ),
    })
}
