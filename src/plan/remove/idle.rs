//! Removes agents that nobody needs and that have been idle for `idle_grace` or are paid for only a little longer, before
//! that those that are not used until the next burst of a rhythm, and those that reached a limit.

use crate::plan::action::Removal;
use crate::plan::clock;
use crate::plan::demand::items::Demand;
use crate::plan::demand::need::Need;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::remove::billing::{self, PaidPeriod};
use crate::plan::remove::lull::{self, Lull};
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
    paid: Option<PaidPeriod>,
    limit_reached: Option<LimitReached>,
    /// The lull that it goes in, idle for less than its `idle_grace`.
    lull: Option<Lull>,
}

/// Adds the idle nodes that nobody needs, outdated ones first, then the longest idle; returns how many are left over.
pub fn idle(
    fleet: &Fleet<'_>,
    demand: &Demand<'_>,
    room: usize,
    need: &mut Need<'_>,
    removals: &mut Vec<Removal>,
) -> usize {
    if fleet.restart {
        return 0;
    }
    let mut lulls = lull::lulls(fleet);
    let mut found = candidates(fleet, demand, &lulls);
    found.retain(|idle| !need.is_named(idle.agent));
    let mut taken = 0;
    let mut left = 0;
    for idle in found {
        if taken == room && left > 0 {
            // How many more could go is not counted out: the matching would have to be asked for each.
            break;
        }
        let lull = idle.agent.template_index.and_then(|index| lulls[index].as_mut());
        if idle.lull.is_some() && lull.as_ref().is_none_or(|lull| lull.may_go == 0) {
            continue;
        }
        let free = idle.limit_reached.is_some() || need.withdraw(idle.group, idle.slots);
        if !free {
            continue;
        }
        if let Some(lull) = lull {
            lull.may_go = lull.may_go.saturating_sub(1);
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
fn candidates<'u, 'a>(fleet: &'u Fleet<'a>, demand: &Demand<'_>, lulls: &[Option<Lull>]) -> Vec<Idle<'u, 'a>> {
    let mut found: Vec<Idle<'_, '_>> = fleet
        .agents
        .iter()
        .zip(demand.slots.of_agents())
        .filter_map(|(agent, group)| ripe(agent, *group, fleet, lulls))
        .collect();
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

/// Returns a node that is idle for long enough, or is over its age and idle.
fn ripe<'u, 'a>(
    agent: &'u Agent<'a>,
    group: Option<usize>,
    fleet: &Fleet<'_>,
    lulls: &[Option<Lull>],
) -> Option<Idle<'u, 'a>> {
    let AgentState::Up {
        idle_slots,
        idle_since: Some(since),
        limit_reached,
    } = agent.state
    else {
        return None;
    };
    let paid = billing::paid_period(agent, fleet);
    let long = is_long(since, agent, paid, fleet);
    let lull = agent.template_index.and_then(|index| lulls[index]);
    let length = clock::since(fleet.context.now, since);
    let lull = lull.filter(|lull| !long && paid.is_none() && limit_reached.is_none() && length >= lull.grace);
    let old = agent.age >= fleet.config.timing.min_lifetime;
    let ripe = agent.readable && !agent.duplicate && (limit_reached.is_some() || (long || lull.is_some()) && old);
    let outdated = agent.outdated(fleet.config);
    ripe.then_some(Idle {
        agent,
        group,
        slots: idle_slots,
        since,
        outdated,
        paid,
        limit_reached,
        lull,
    })
}

/// Whether a node is idle for long enough: for `idle_grace`, or, where a period is paid, for a pass at its end.
fn is_long(since: jiff::Timestamp, agent: &Agent<'_>, paid: Option<PaidPeriod>, fleet: &Fleet<'_>) -> bool {
    if let Some(period) = paid {
        return fleet.last_pass.is_some_and(|last| since <= last) && billing::ends_soon(period, fleet);
    }
    let grace = agent_state::idle_grace(agent.template(fleet.config), &fleet.config.timing);
    clock::since(fleet.context.now, since) >= grace
}

fn why_idle(idle: &Idle<'_, '_>, fleet: &Fleet<'_>) -> Why {
    let length = clock::since(fleet.context.now, idle.since);
    match (idle.limit_reached, idle.paid, idle.lull) {
        (Some(limit_reached), ..) => Why::LimitReached(limit_reached),
        (None, Some(period), _) => Why::PeriodEnds {
            idle: length,
            left: period.left,
            period: period.length,
        },
        (None, None, Some(lull)) => Why::Lull {
            idle: length,
            left: lull.left,
        },
        (None, None, None) => Why::Idle {
            idle: length,
            outdated: idle.outdated,
        },
    }
}
