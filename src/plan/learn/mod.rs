//! What is learned of the load of templates for `min_ready`: a spare (`auto`), and bursts that come again (`rhythm`).

pub mod lead;
pub mod load;
pub mod ready;
pub mod rhythm;
pub mod spare;

use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::learn::ready::Ready;
use crate::state::State;

/// Learns from the load of this pass; returns how many nodes of each template are to be ready.
pub fn learn(fleet: &mut Fleet<'_>, demand: &Demand<'_>, before: &State) -> Vec<Ready> {
    load::note(fleet, demand, before);
    let templates = fleet.config.templates.iter();
    templates
        .map(|template| ready::ready(template, &fleet.state, fleet.context.now))
        .collect()
}
