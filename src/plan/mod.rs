//! The planner: a pure function from what was seen to what is to be done. It cannot fail.
//!
//! `plan` reads nothing but its arguments: no clock, no file, no network. The pass does what the plan says and makes no
//! choices of its own.

mod action;
mod audit;
mod by_name;
mod clock;
mod context;
mod create;
mod demand;
pub mod events;
mod fleet;
mod last_look;
mod learn;
mod memory;
pub mod problems;
mod refusals;
mod remove;
mod report;
mod resources;
mod rows;
mod usage;
mod why;

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::Observed;
use crate::plan::by_name::provision;
use crate::plan::create::{grow, registration};
use crate::plan::demand::items::Demand;
use crate::plan::events::served;
use crate::plan::remove::reap;
use crate::plan::report::assemble;
use crate::plan::resources::upkeep;
use crate::queue::{self, LabelRequests, NodeTemplates, TemplateLabels};
use crate::state::State;

pub use crate::model::{DRAIN_PREFIX, MARK_PREFIX};
pub use action::{
    ANCHOR_TEXT, Anchor, Create, Drain, FailureRecord, LeakCounts, Leftover, NewFloatingIp, NodeToRemove, Plan,
    Registration, Removal, ServerToRemove, Unmark, VolumeMark, drain_text, mark_text,
};
pub use audit::{audit, audit_destroy, audit_leaks};
pub use by_name::destroy::destroy;
pub use by_name::drain::{drain, undrain};
pub use by_name::leaks::{Leak, LeakKind, LeakOwner, everything, leaks};
pub use by_name::targets::{Selector, Targets, is_template_of_ours};
pub use clock::{LEAST_GAP, overdue_after, usual_gap};
pub use context::{Asked, Context};
pub use create::headroom::{left_after, spend};
pub use create::{backoff, creating};
pub use demand::eligible::{eligible, label_request_text, why_none, why_not};
pub use fleet::mapping::linked_templates;
pub use last_look::{FoundAgent, agent_of};
pub use refusals::asker;
pub use report::drift::lacks_for;
pub use report::remembered::{after_acting, remembered};
pub use rows::{Example, Rollback, ServerRow, Spare, TemplateRow, UnmetReason, Waiting};
pub use why::{LimitReached, Why};

/// Returns what the reader of the queue needs to know of the templates.
pub fn template_labels(config: &Config) -> Vec<TemplateLabels<'_>> {
    let templates = config.templates.iter();
    templates
        .map(|Template { name, labels, .. }| TemplateLabels { name, labels })
        .collect()
}

/// Decides what one pass does.
pub fn plan(observed: &Observed, config: &Config, state: &State, context: &Context) -> Plan {
    if let Some(asked) = &context.asked {
        return provision::provision(observed, config, state, context, asked);
    }
    let label_requests = label_requests(observed, config, state, context.now);
    plan_for(observed, config, state, context, label_requests)
}

/// Reads what the items of the queue wait for.
pub fn label_requests(observed: &Observed, config: &Config, state: &State, now: Timestamp) -> LabelRequests {
    let templates = template_labels(config);
    let linked = NodeTemplates::new(|| linked_templates(observed, config, state, now));
    queue::label_requests(&observed.jenkins, &templates, &linked, now, config.timing.queue_grace)
}

/// The same for a queue that was read already: reading a long one takes a good part of the planning.
pub fn plan_for(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    label_requests: LabelRequests,
) -> Plan {
    let mut fleet = memory::look_and_remember(observed, config, state, context, &label_requests.distinct);
    let mut demand = Demand::new(&fleet, label_requests);
    demand.keep_ready(config, &learn::learn(&mut fleet, &demand, state));
    served::note(&mut fleet, &demand, state);
    let growth = grow::grow(&fleet, &demand);
    let mut reaped = reap::reap(&mut fleet, &demand, &growth);
    let upkeep = upkeep::upkeep(&mut fleet, &mut reaped.removals);
    let registrations = registration::registrations(&mut fleet, &reaped.removals);
    let mut plan = assemble::plan(fleet, &demand, growth, reaped, upkeep, state);
    plan.registrations = registrations;
    plan
}
