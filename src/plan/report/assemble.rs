//! Puts the parts of a plan together, and says what is worth a note.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::action::{LeakCounts, Plan};
use crate::plan::by_name::leaks;
use crate::plan::create::grow::Growth;
use crate::plan::create::zero_agents;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::problems::{self, Evidence, Grounds, staying};
use crate::plan::remove::reap::Reaped;
use crate::plan::report::drift::Drifted;
use crate::plan::report::{drift, fleet_rows, overview, persistent};
use crate::plan::resources::upkeep::Upkeep;
use crate::state::State;
use crate::text::plural;

/// Puts a plan together.
pub fn plan(
    mut fleet: Fleet<'_>,
    demand: &Demand<'_>,
    growth: Growth<'_>,
    reaped: Reaped,
    upkeep: Upkeep,
    state: &State,
) -> Plan {
    let groups = overview::groups(&fleet, demand, &growth);
    let problems = problems::judge(&Grounds {
        fleet: &fleet,
        demand,
        growth: &growth,
        groups: &groups,
        guard: reaped.guard,
        open: &state.problems,
    });
    let waiting = overview::waiting(&fleet, demand, &growth, groups);
    let mut notes = cold(&fleet, demand, &growth);
    notes.extend(persistent::ignored(&mut fleet, demand, &waiting.ready));
    notes.extend(drift::drifted(&fleet, demand).iter().flat_map(Drifted::sentences));
    let stays = staying::of_fleet(&fleet).into_iter().map(|finding| finding.sentence);
    notes.extend(stays);
    notes.extend(persistent::odd(fleet.observed));
    notes.extend(growth.bootstrap);
    notes.extend(zero_agents::notes(&fleet));
    let anchor = zero_agents::anchor(&fleet);
    let leaks = leaks::count(&fleet);
    let mut plan = empty(fleet, demand.items.len());
    plan.notes.extend(reaped.notes);
    plan.notes.extend(notes);
    plan.notes.extend(upkeep.notes);
    plan.partly |= reaped.guard.is_some_and(|(held, _)| held > 0);
    Plan {
        leaks,
        sweeps: upkeep.sweeps,
        floating_ips: upkeep.floating_ips,
        volume_marks: upkeep.volume_marks,
        asks: upkeep.asks,
        anchor,
        problems,
        unmarks: reaped.unmarks,
        drains: reaped.drains,
        offers_wanted: reaped.offers_wanted,
        removals: reaped.removals,
        creates: growth.creates,
        unmet: waiting.unmet,
        waiting: waiting.all,
        ..plan
    }
}

/// Returns the plan that does nothing.
pub fn empty(mut fleet: Fleet<'_>, waiting_items: usize) -> Plan {
    Plan {
        anchor: None,
        unmarks: Vec::new(),
        news: std::mem::take(&mut fleet.news),
        drains: Vec::new(),
        removals: Vec::new(),
        sweeps: Vec::new(),
        floating_ips: Vec::new(),
        registrations: Vec::new(),
        volume_marks: Vec::new(),
        lookups: std::mem::take(&mut fleet.lookups),
        asks: BTreeMap::new(),
        offers_wanted: BTreeSet::new(),
        creates: Vec::new(),
        unmet: Vec::new(),
        waiting: Vec::new(),
        servers: fleet_rows::servers(&fleet),
        orphan_nodes: fleet
            .orphans
            .iter()
            .map(|orphan| orphan.computer.name.clone())
            .collect(),
        templates: fleet_rows::templates(&fleet),
        waiting_items: waiting_items as u64,
        leaks: LeakCounts::default(),
        notes: fleet.notes,
        warnings: Vec::new(),
        unmade: None,
        problems: Evidence::default(),
        partly: fleet.partly,
        state: fleet.state,
    }
}

/// Says which warm pools are not full, and why.
fn cold(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Vec<String> {
    let short = demand.warm.iter().filter(|pool| growth.cold[pool.template] > 0);
    short
        .map(|pool| {
            let name = &fleet.config.templates[pool.template].name;
            let closed = growth.closed[pool.template].as_ref();
            let reason = closed.map_or("its servers are wanted by waiting items", |closed| closed.text.as_str());
            format!(
                "the warm pool of \"{name}\" lacks {} of {}: {reason}",
                growth.cold[pool.template],
                plural(pool.slots, "slot")
            )
        })
        .collect()
}
