//! Decides what is made: each item without a slot opens one at the first template and place that are open.
//!
//! `demand` matches items to slots, `capacity` keeps the limits, `report` says why an item gets nothing.

use crate::model::MadeFor;
use crate::plan::action::Create;
use crate::plan::create::capacity::Capacity;
use crate::plan::create::closed::Closed;
use crate::plan::create::turns::{Granted, Turn};
use crate::plan::create::{turns, zero_agents};
use crate::plan::demand::eligible::label_request_text;
use crate::plan::demand::items::{Demand, Item};
use crate::plan::demand::matching::{Flow, Placed};
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::{Fleet, agent_state};
use crate::queue;
use crate::text::{shown, span};

/// What is made, and how the waiting items are served.
pub struct Growth<'d> {
    /// The servers to be made, in order.
    pub creates: Vec<Create>,
    /// Items to slots, those to be made among them.
    pub flow: Flow<'d>,
    /// For each template why nothing more can be made of it; `None` as long as it can.
    pub closed: Vec<Option<Closed>>,
    /// For each template, how many slots of its warm pool got nothing.
    pub cold: Vec<u32>,
    /// Whether a limit that several templates share kept a server from being made.
    pub at_shared_limit: bool,
    /// Why the first server, which would make labels show, is not made though it is wanted.
    pub bootstrap: Option<String>,
}

/// Matches everything that is wanted to slots and opens new ones.
pub fn grow<'d>(fleet: &Fleet<'_>, demand: &'d Demand<'_>) -> Growth<'d> {
    let (growth, turns) = attempt(fleet, demand, Granted::new());
    if turns.is_empty() {
        return growth;
    }
    // Who would take a probe is known only once everything else is placed.
    let granted = turns::grant(&turns, fleet.config, &fleet.state);
    attempt(fleet, demand, granted).0
}

/// Returns the slots that there are now, by group.
pub fn free_slots(fleet: &Fleet<'_>, demand: &Demand<'_>) -> Vec<u32> {
    let mut free = vec![0_u32; demand.slots.len()];
    for (agent, group) in fleet.agents.iter().zip(demand.slots.of_agents()) {
        if let Some(group) = *group {
            free[group] = free[group].saturating_add(agent.state.slots(agent_state::executors(agent, fleet.config)));
        }
    }
    free
}

/// Does it with these probes; returns those that it would have taken beside them.
fn attempt<'d>(fleet: &Fleet<'_>, demand: &'d Demand<'_>, granted: Granted) -> (Growth<'d>, Vec<Turn>) {
    let mut flow = Flow::new(&demand.classes, free_slots(fleet, demand));
    let mut capacity = Capacity::new(fleet, granted);
    for item in &demand.items {
        if let Some(class) = demand.class_of[item.label_request]
            && let Placed::Opened(group) = flow.place(class, |group| open(group, class, demand, &mut capacity))
        {
            let mut reason = because(fleet, demand, item);
            if !demand.classes[class].contains(&group) {
                reason.push_str("; it gets the slot of an older item that this server can serve");
            }
            book(group, (made_for(demand, item), reason), demand, &mut capacity);
        }
    }
    let mut cold = vec![0; fleet.config.templates.len()];
    for pool in &demand.warm {
        let name = &fleet.config.templates[pool.template].name;
        for slot in 0..pool.slots {
            match flow.place(pool.class, |group| open(group, pool.class, demand, &mut capacity)) {
                Placed::Matched => {}
                Placed::Opened(group) => {
                    let because = pool.because.as_ref();
                    let learned = because.map_or_else(String::new, |because| format!(" ({because})"));
                    let reason = format!("the warm pool of \"{name}\" is to have {} ready{learned}", pool.ready);
                    let made_for = MadeFor::word(MadeFor::WARM_POOL);
                    book(group, (made_for, reason), demand, &mut capacity);
                }
                Placed::Failed => {
                    cold[pool.template] = pool.slots - slot;
                    break;
                }
            }
        }
    }
    let bootstrap = bootstrap(fleet, demand, &mut capacity);
    let growth = Growth {
        at_shared_limit: capacity.at_shared_limit,
        bootstrap,
        creates: capacity.creates,
        flow,
        closed: capacity.closed,
        cold,
    };
    (growth, capacity.turns)
}

/// Opens slots of a group for an item of a class.
fn open(group: usize, class: usize, demand: &Demand<'_>, capacity: &mut Capacity<'_, '_>) -> Option<u32> {
    let template = demand.slots.template(group);
    let may = match demand.slots.origin(group) {
        Origin::Node => false,
        Origin::Template => demand.is_promised(class),
        // One of this plan is the one of the day.
        Origin::Retry { is_due } => {
            let name = &capacity.fleet.config.templates[template].name;
            *is_due
                && !capacity
                    .creates
                    .iter()
                    .any(|create| create.retry && create.template == *name)
        }
    };
    if may { capacity.open(template) } else { None }
}

/// Books the server that was opened in a group.
fn book(
    group: usize,
    (made_for, mut because): (MadeFor, String),
    demand: &Demand<'_>,
    capacity: &mut Capacity<'_, '_>,
) {
    let retry = matches!(demand.slots.origin(group), Origin::Retry { .. });
    if retry {
        because.push_str("; the last server had other labels than its template, one a day tries again");
    }
    capacity.book(demand.slots.template(group), made_for, because);
    if let Some(create) = capacity.creates.last_mut() {
        create.retry |= retry;
    }
}

/// Opens one server where Jenkins, which has no agent, hides what is waited for. Returns why not, where one is wanted.
fn bootstrap(fleet: &Fleet<'_>, demand: &Demand<'_>, capacity: &mut Capacity<'_, '_>) -> Option<String> {
    let item = zero_agents::bootstrap(fleet, demand).filter(|_| capacity.creates.is_empty())?;
    let name = fleet.config.labels.bootstrap.as_ref()?;
    let templates = &fleet.config.templates;
    let template = templates.iter().position(|template| template.name == *name)?;
    if capacity.open(template).is_some() {
        let because = because(fleet, demand, item);
        let because = format!("{because}, and Jenkins hides its label without any agent (jenkins.bootstrap)");
        capacity.book(template, MadeFor::word(MadeFor::BOOTSTRAP), because);
        return None;
    }
    let closed = capacity.closed[template].as_ref();
    let reason = closed.map_or("it cannot be made", |closed| closed.text.as_str());
    Some(format!("jenkins.bootstrap: no server of \"{name}\": {reason}"))
}

/// Returns what a server is for that an item opens.
fn made_for(demand: &Demand<'_>, item: &Item) -> MadeFor {
    MadeFor {
        job: queue::job_of(&demand.queue[item.place]),
        label: label_request_text(&demand.label_requests[item.label_request]),
    }
}

fn because(fleet: &Fleet<'_>, demand: &Demand<'_>, item: &Item) -> String {
    let waiting = &demand.queue[item.place];
    let age = span(fleet.observed.jenkins.age(waiting, fleet.context.now));
    let what = match label_request_text(&demand.label_requests[item.label_request]) {
        Some(label) => format!("for {}", shown(&label)),
        None if demand.label_requests[item.label_request].is_hidden() => "for a node".to_owned(),
        None => "for any node".to_owned(),
    };
    format!(
        "queue item {} ({}) has waited {age} {what}",
        waiting.id,
        shown(&waiting.task)
    )
}
