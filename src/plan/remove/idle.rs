//! Idle nodes that go.

use crate::plan::action::Removal;
use crate::plan::clock;
use crate::plan::demand::items::Demand;
use crate::plan::demand::need::{Need, named_nodes};
use crate::plan::fleet::agent::{Standing, Unit};
use crate::plan::fleet::{Survey, agent_state};
use crate::plan::remove::removal::removal;
use crate::plan::why::{Ended, Why};

/// A node that stands idle and may go if nobody needs it.
struct Idle<'u, 'a> {
    unit: &'u Unit<'a>,
    /// The group of its slots; `None` where its template is no longer configured.
    group: Option<usize>,
    slots: u32,
    since: jiff::Timestamp,
    outdated: bool,
    ended: Option<Ended>,
}

/// Adds the idle nodes that nobody needs, outdated ones first, then the longest idle; returns how many are left over.
pub fn idle<'d>(
    survey: &Survey<'_>,
    demand: &'d Demand<'_>,
    room: usize,
    need: &mut Need<'d>,
    removals: &mut Vec<Removal>,
) -> usize {
    if survey.restart {
        return 0;
    }
    let mut found: Vec<Idle<'_, '_>> = survey
        .units
        .iter()
        .zip(demand.slots.of_units())
        .filter_map(|(unit, group)| ripe(unit, *group, survey))
        .collect();
    if found.is_empty() {
        return 0;
    }
    let named = named_nodes(survey, demand);
    found.retain(|idle| {
        idle.unit
            .computer()
            .is_some_and(|computer| !named.contains(computer.name.as_str()))
    });
    found.sort_by_key(|idle| (idle.ended.is_none(), !idle.outdated, idle.since, idle.unit.name));
    let mut taken = 0;
    let mut left = 0;
    for idle in found {
        if taken == room && left > 0 {
            // How many more could go is not counted out: the matching would have to be asked for each.
            break;
        }
        let free = idle.ended.is_some() || need.withdraw(survey, demand, idle.group, idle.slots);
        if !free {
            continue;
        }
        if taken == room {
            left += 1;
        } else if let Some(removal) = removal(idle.unit, why_idle(&idle, survey)) {
            removals.push(removal);
            taken += 1;
        }
    }
    left
}

/// Returns a node that stood idle long enough, or is over its age and idle.
fn ripe<'u, 'a>(unit: &'u Unit<'a>, group: Option<usize>, survey: &Survey<'_>) -> Option<Idle<'u, 'a>> {
    let Standing::Up {
        idle_slots,
        idle_since: Some(since),
        ended,
    } = unit.standing
    else {
        return None;
    };
    let long = clock::since(survey.context.now, since)
        >= agent_state::idle_grace(unit.template(survey.config), &survey.config.timing);
    let old = unit.age >= survey.config.timing.min_lifetime;
    let ripe = unit.readable && !unit.twin && (ended.is_some() || long && old);
    let outdated = unit.outdated(survey.config);
    ripe.then_some(Idle {
        unit,
        group,
        slots: idle_slots,
        since,
        outdated,
        ended,
    })
}

fn why_idle(idle: &Idle<'_, '_>, survey: &Survey<'_>) -> Why {
    idle.ended.map_or_else(
        || Why::Idle {
            idle: clock::since(survey.context.now, idle.since),
            outdated: idle.outdated,
        },
        Why::Ended,
    )
}
