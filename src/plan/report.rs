//! Puts the parts of a plan together, and says what is worth a note.

use std::collections::BTreeMap;

use super::Plan;
use super::belongings::Upkeep;
use super::demand::Demand;
use super::drift;
use super::grow::Growth;
use super::hidden;
use super::lasting;
use super::overview;
use super::reap::Reaped;
use super::refused;
use super::survey::Survey;
use crate::state::State;

/// Puts a plan together.
pub(super) fn plan(
    mut survey: Survey<'_>,
    demand: &Demand<'_>,
    growth: Growth<'_>,
    reaped: Reaped,
    upkeep: Upkeep,
    state: &State,
) -> Plan {
    let (waiting, unmet) = overview::waiting(&survey, demand, &growth);
    let mut notes = cold(&survey, demand, &growth);
    notes.extend(lasting::ignored(&mut survey, demand, &waiting));
    let (drifts, mut news) = drift::sentences(&mut survey, demand);
    notes.extend(drifts);
    notes.extend(growth.bootstrap);
    notes.extend(hidden::notes(&survey));
    news.extend(hidden::news(&survey, state));
    news.append(&mut survey.news);
    news.extend(refused::news(&mut survey));
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
        drains: reaped.drains,
        removals: reaped.removals,
        creates: growth.creates,
        unmet,
        waiting,
        ..plan
    }
}

/// Returns the plan that does nothing.
pub(super) fn empty(mut survey: Survey<'_>, waiting_items: usize) -> Plan {
    Plan {
        anchor: None,
        unmarks: Vec::new(),
        news: std::mem::take(&mut survey.news),
        drains: Vec::new(),
        removals: Vec::new(),
        sweeps: Vec::new(),
        floating_ips: Vec::new(),
        registers: Vec::new(),
        volume_marks: Vec::new(),
        lookups: std::mem::take(&mut survey.lookups),
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
