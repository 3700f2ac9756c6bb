//! Removes agents that have been idle for `idle_grace` and that nobody needs, and those that reached a limit.

use crate::plan::action::Removal;
use crate::plan::clock;
use crate::plan::demand::items::Demand;
use crate::plan::demand::need::{Need, named_nodes};
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::remove::removal::removal;
use crate::plan::why::{LimitReached, Why};

/// A node that stands idle and may go if nobody needs it.
struct Idle<'u, 'a> {
    agent: &'u Agent<'a>,
    /// The group of its slots; `None` where its template is no longer configured.
    group: Option<usize>,
    slots: u32,
    since: jiff::Timestamp,
    outdated: bool,
    limit_reached: Option<LimitReached>,
}

/// Adds the idle nodes that nobody needs, outdated ones first, then the longest idle; returns how many are left over.
pub fn idle<'d>(
    fleet: &Fleet<'_>,
    demand: &'d Demand<'_>,
    room: usize,
    need: &mut Need<'d>,
    removals: &mut Vec<Removal>,
) -> usize {
    if fleet.restart {
        return 0;
    }
    let found = candidates(fleet, demand);
    let mut taken = 0;
    let mut left = 0;
    for idle in found {
        if taken == room && left > 0 {
            // How many more could go is not counted out: the matching would have to be asked for each.
            break;
        }
        let free = idle.limit_reached.is_some() || need.withdraw(fleet, demand, idle.group, idle.slots);
        if !free {
            continue;
        }
        if taken == room {
            left += 1;
        } else if let Some(removal) = removal(idle.agent, why_idle(&idle, fleet)) {
            removals.push(removal);
            taken += 1;
        }
    }
    left
}

/// Returns the agents that may go if nobody needs them: those that reached a limit first, then outdated ones, then the
/// longest idle.
fn candidates<'u, 'a>(fleet: &'u Fleet<'a>, demand: &Demand<'_>) -> Vec<Idle<'u, 'a>> {
    let mut found: Vec<Idle<'_, '_>> = fleet
        .agents
        .iter()
        .zip(demand.slots.of_agents())
        .filter_map(|(agent, group)| ripe(agent, *group, fleet))
        .collect();
    if found.is_empty() {
        return found;
    }
    let named = named_nodes(fleet, demand);
    found.retain(|idle| {
        idle.agent
            .computer()
            .is_some_and(|computer| !named.contains(computer.name.as_str()))
    });
    found.sort_by_key(|idle| {
        (
            idle.limit_reached.is_none(),
            !idle.outdated,
            idle.since,
            idle.agent.name,
        )
    });
    found
}

/// Returns a node that stood idle long enough, or is over its age and idle.
fn ripe<'u, 'a>(agent: &'u Agent<'a>, group: Option<usize>, fleet: &Fleet<'_>) -> Option<Idle<'u, 'a>> {
    let AgentState::Up {
        idle_slots,
        idle_since: Some(since),
        limit_reached,
    } = agent.state
    else {
        return None;
    };
    let long = clock::since(fleet.context.now, since)
        >= agent_state::idle_grace(agent.template(fleet.config), &fleet.config.timing);
    let old = agent.age >= fleet.config.timing.min_lifetime;
    let ripe = agent.readable && !agent.duplicate && (limit_reached.is_some() || long && old);
    let outdated = agent.outdated(fleet.config);
    ripe.then_some(Idle {
        agent,
        group,
        slots: idle_slots,
        since,
        outdated,
        limit_reached,
    })
}

fn why_idle(idle: &Idle<'_, '_>, fleet: &Fleet<'_>) -> Why {
    idle.limit_reached.map_or_else(
        || Why::Idle {
            idle: clock::since(fleet.context.now, idle.since),
            outdated: idle.outdated,
        },
        Why::LimitReached,
    )
}
