//! Puts the parts of a plan together, and says what is worth a note.

use std::collections::BTreeMap;

use crate::plan::action::Plan;
use crate::plan::create::grow::Growth;
use crate::plan::create::zero_agents;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Survey;
use crate::plan::refusals;
use crate::plan::remove::reap::Reaped;
use crate::plan::report::{drift, overview, persistent};
use crate::plan::resources::upkeep::Upkeep;
use crate::state::State;

/// Puts a plan together.
pub fn plan(
    mut survey: Survey<'_>,
    demand: &Demand<'_>,
    growth: Growth<'_>,
    reaped: Reaped,
    upkeep: Upkeep,
    state: &State,
) -> Plan {
    let (waiting, unmet) = overview::waiting(&survey, demand, &growth);
    let mut notes = cold(&survey, demand, &growth);
    notes.extend(persistent::ignored(&mut survey, demand, &waiting));
    let (drifts, mut news) = drift::sentences(&mut survey, demand);
    notes.extend(drifts);
    notes.extend(growth.bootstrap);
    notes.extend(zero_agents::notes(&survey));
    news.extend(zero_agents::news(&survey, state));
    news.append(&mut survey.news);
    news.extend(refusals::news(&mut survey));
    let anchor = zero_agents::anchor(&survey);
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
pub fn empty(mut survey: Survey<'_>, waiting_items: usize) -> Plan {
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
