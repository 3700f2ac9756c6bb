//! Puts the parts of a plan together, and says what is worth a note.

use std::collections::BTreeMap;

use super::belongings::Upkeep;
use super::clock::since;
use super::demand::Demand;
use super::grow::Growth;
use super::hidden;
use super::overview;
use super::phase::Standing;
use super::reap::Reaped;
use super::survey::Survey;
use super::{Plan, Waiting};
use crate::state::State;

/// An item that waits for so long beside an idle executor is kept from it by something else than a lack of servers.
const IGNORED_AFTER_SECONDS: i64 = 600;

/// Puts a plan together.
pub(super) fn plan(
    survey: Survey<'_>,
    demand: &Demand<'_>,
    growth: Growth<'_>,
    reaped: Reaped,
    upkeep: Upkeep,
    state: &State,
) -> Plan {
    let (waiting, unmet) = overview::waiting(&survey, demand, &growth);
    let mut notes = cold(&survey, demand, &growth);
    notes.extend(ignored(&survey, &waiting));
    notes.extend(growth.bootstrap);
    notes.extend(hidden::notes(&survey));
    let news = hidden::news(&survey, state);
    let anchor = hidden::anchor(&survey);
    let mut plan = empty(survey, demand.items.len());
    plan.notes.extend(reaped.notes);
    plan.warnings.extend(reaped.warnings);
    plan.notes.extend(notes);
    plan.notes.extend(upkeep.notes);
    Plan {
        sweeps: upkeep.sweeps,
        floating_ips: upkeep.floating_ips,
        volume_marks: upkeep.volume_marks,
        asks: upkeep.asks,
        anchor,
        news,
        unmarks: reaped.unmarks,
        removals: reaped.removals,
        creates: growth.creates,
        unmet,
        waiting,
        ..plan
    }
}

/// Returns the plan that does nothing.
pub(super) fn empty(survey: Survey<'_>, waiting_items: usize) -> Plan {
    Plan {
        anchor: None,
        unmarks: Vec::new(),
        news: Vec::new(),
        removals: Vec::new(),
        sweeps: Vec::new(),
        floating_ips: Vec::new(),
        registers: Vec::new(),
        volume_marks: Vec::new(),
        asks: BTreeMap::new(),
        creates: Vec::new(),
        unmet: Vec::new(),
        waiting: Vec::new(),
        servers: overview::servers(&survey),
        stray_nodes: survey.strays.iter().map(|stray| stray.computer.name.clone()).collect(),
        templates: overview::templates(&survey),
        waiting_items: waiting_items as u64,
        notes: survey.notes,
        warnings: survey.warnings,
        state: survey.state,
    }
}

/// Says which warm pools are not full, and why.
fn cold(survey: &Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Vec<String> {
    let short = demand.warm.iter().filter(|pool| growth.cold[pool.template] > 0);
    short
        .map(|pool| {
            let name = &survey.config.templates[pool.template].name;
            let reason = growth.closed[pool.template]
                .as_deref()
                .unwrap_or("its servers are wanted by waiting items");
            format!(
                "the warm pool of \"{name}\" lacks {} of {} slots: {reason}",
                growth.cold[pool.template], pool.slots
            )
        })
        .collect()
}

/// Says which items wait beside an idle executor that has their labels: no server helps them.
fn ignored(survey: &Survey<'_>, waiting: &[Waiting]) -> Vec<String> {
    let now = survey.context.now;
    let idle = |row: &Waiting| {
        survey.units.iter().any(|unit| match unit.standing {
            Standing::Up {
                idle_since: Some(then), ..
            } => row.served_by.as_ref() == Some(&unit.template) && since(now, then).as_secs() > IGNORED_AFTER_SECONDS,
            _ => false,
        })
    };
    let long = waiting
        .iter()
        .filter(|row| row.reason == overview::IDLE && row.oldest_seconds > IGNORED_AFTER_SECONDS);
    long.filter(|row| idle(row))
        .map(|row| {
            format!(
                "queue item {} ({}) waits although an executor with its labels is idle: Jenkins keeps it from running \
                 there (permissions, a throttle), no server would help",
                row.example.item, row.example.task
            )
        })
        .collect()
}
