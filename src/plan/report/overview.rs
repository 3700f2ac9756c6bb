//! What `status` and the report show of the queue: what each waiting item waits for.
//!
//! It decides nothing.

use std::collections::BTreeMap;

use crate::model::TemplateName;
use crate::plan::create::grow::Growth;
use crate::plan::demand::eligible::{label_request_text, why_none};
use crate::plan::demand::items::{Demand, Item};
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::report::drift::lacks_for;
use crate::plan::report::unmet;
use crate::plan::rows::{Example, Waiting};
use crate::queue::LabelRequest;
use crate::text::{excerpt, shown};

/// What serves an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// An idle executor of a group.
    Idle(usize),
    /// A server of a group that boots.
    Booting(usize),
    /// A server that this pass makes.
    Created(usize),
    Nothing,
}

/// Items of one label request that are served alike.
pub struct Group {
    pub served: Served,
    pub items: u64,
    /// The oldest of them.
    pub first: Item,
}

/// The waiting items of a pass, grouped by label and reason.
pub struct WaitingItems {
    pub all: Vec<Waiting>,
    /// Those that an idle executor can take.
    pub ready: Vec<Waiting>,
    /// Those that get nothing.
    pub unmet: Vec<Waiting>,
}

/// Label, reason and template: items that agree in these are one row.
type RowKey = (Option<String>, String, Option<usize>);

/// Groups the waiting items.
pub fn waiting(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>, groups: Vec<Vec<Group>>) -> WaitingItems {
    let mut rows: BTreeMap<RowKey, (Waiting, bool)> = BTreeMap::new();
    for (label_request, groups) in groups.into_iter().enumerate() {
        let label = label_request_text(&demand.label_requests[label_request]).map(|label| shown(&label));
        for group in groups {
            let template = template_of(group.served, demand);
            let reason = reason(fleet, demand, growth, label_request, group.served);
            let mut row = row(fleet, demand, growth, label.clone(), reason, &group, template);
            row.unlabelled = demand.label_requests[label_request] == LabelRequest::Unlabelled;
            let key = (row.label.clone(), row.reason.clone(), template);
            if let Some((known, _)) = rows.get_mut(&key) {
                merge(known, row);
            } else {
                rows.insert(key, (row, matches!(group.served, Served::Idle(_))));
            }
        }
    }
    let ready = rows.values().filter(|(_, is_ready)| *is_ready);
    let ready = ready.map(|(row, _)| row.clone()).collect();
    let all: Vec<Waiting> = rows.into_values().map(|(row, _)| row).collect();
    let unmet = all.iter().filter(|row| row.served_by.is_none()).cloned().collect();
    WaitingItems { all, ready, unmet }
}

/// The slots of each group that are left for items.
struct SlotsLeft {
    idle: Vec<u32>,
    booting: Vec<u32>,
}

impl SlotsLeft {
    fn new(fleet: &Fleet<'_>, demand: &Demand<'_>) -> Self {
        let slots = demand.slots.len();
        let (mut idle, mut booting) = (vec![0_u32; slots], vec![0_u32; slots]);
        for (agent, group) in fleet.agents.iter().zip(demand.slots.of_agents()) {
            let Some(group) = *group else { continue };
            let is_up = matches!(agent.state, AgentState::Up { .. });
            let kept = if is_up { &mut idle } else { &mut booting };
            let slots = agent.state.slots(agent_state::executors(agent, fleet.config));
            kept[group] = kept[group].saturating_add(slots);
        }
        Self { idle, booting }
    }

    /// Takes a slot of a group: an idle one first, then a booting one; what is left is made by the next pass.
    fn take(&mut self, group: usize) -> Served {
        if self.idle[group] > 0 {
            self.idle[group] -= 1;
            Served::Idle(group)
        } else if self.booting[group] > 0 {
            self.booting[group] -= 1;
            Served::Booting(group)
        } else {
            Served::Created(group)
        }
    }
}

/// Deals what the matching gave to each class out to its items, oldest first, idle executors first.
pub fn groups(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Vec<Vec<Group>> {
    let mut left = SlotsLeft::new(fleet, demand);
    let quota = |class: usize| -> Vec<(usize, u32)> { growth.flow.groups_of(class).filter(|(_, n)| *n > 0).collect() };
    let mut quotas: Vec<Vec<(usize, u32)>> = (0..demand.classes.len()).map(quota).collect();
    let mut groups: Vec<Vec<Group>> = demand.label_requests.iter().map(|_| Vec::new()).collect();
    for item in &demand.items {
        let quota = demand.class_of[item.label_request].map(|class| &mut quotas[class]);
        let group = quota.and_then(|quota| take_quota(quota, &left));
        let served = group.map_or(Served::Nothing, |group| left.take(group));
        let known = &mut groups[item.label_request];
        match known.iter_mut().find(|group| group.served == served) {
            Some(group) => group.items += 1,
            None => known.push(Group {
                served,
                items: 1,
                first: *item,
            }),
        }
    }
    groups
}

/// Takes one slot of what a class was given, of a group with an idle executor first; returns the group.
fn take_quota(quota: &mut Vec<(usize, u32)>, left: &SlotsLeft) -> Option<usize> {
    let idle = quota.iter().position(|(group, _)| left.idle[*group] > 0);
    let place = idle.or_else(|| (!quota.is_empty()).then_some(0))?;
    let (group, count) = &mut quota[place];
    let group = *group;
    *count -= 1;
    if *count == 0 {
        quota.remove(place);
    }
    Some(group)
}

/// Returns the template of what serves an item.
fn template_of(served: Served, demand: &Demand<'_>) -> Option<usize> {
    match served {
        Served::Idle(group) | Served::Booting(group) | Served::Created(group) => Some(demand.slots.template(group)),
        Served::Nothing => None,
    }
}

fn reason(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>, label_request: usize, served: Served) -> String {
    match served {
        Served::Idle(_) => "an executor is idle".to_owned(),
        Served::Booting(group) => coming(fleet, demand.slots.template(group)).to_owned(),
        Served::Created(_) => "the next pass makes a server for it".to_owned(),
        Served::Nothing => {
            let reasons = why_nothing(fleet, demand, growth, label_request);
            if reasons.is_empty() {
                return none_serves(fleet, &demand.label_requests[label_request]);
            }
            reasons.join("; ")
        }
    }
}

/// Says for each template that promises what a label request needs why it gets nothing.
fn why_nothing(fleet: &Fleet<'_>, demand: &Demand<'_>, growth: &Growth<'_>, label_request: usize) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    let Some(class) = demand.class_of[label_request] else {
        return reasons;
    };
    for &group in &demand.classes[class] {
        let template = demand.slots.template(group);
        let closed = growth.closed[template].as_ref().map(|closed| closed.text.clone());
        let found = match demand.slots.origin(group) {
            Origin::Node => continue,
            Origin::Template => vec![closed.unwrap_or_else(|| "its slots are taken by older items".to_owned())],
            Origin::Retry { .. } if demand.is_promised_by(class, template) => continue,
            Origin::Retry { is_due } => {
                let template = &fleet.config.templates[template];
                let lacks = lacks_for(&demand.label_requests[label_request], template, &fleet.state);
                lacks.into_iter().chain(closed.filter(|_| *is_due)).collect()
            }
        };
        for reason in found {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons
}

/// Says what an item waits for when a server exists that takes no work yet.
fn coming(fleet: &Fleet<'_>, template: usize) -> &'static str {
    let of_template = || {
        fleet
            .agents
            .iter()
            .filter(|agent| agent.template_index == Some(template))
    };
    let returns = |agent: &Agent<'_>| matches!(agent.state, AgentState::Offline { returns: true, .. });
    let boots = |agent: &Agent<'_>| matches!(agent.state, AgentState::Intent | AgentState::Booting { late: false });
    if of_template().any(boots) {
        "waits for a booting server"
    } else if of_template().any(returns) {
        "waits for a server whose node is offline and about to come back"
    } else {
        "waits for a server of which it is not known which node is its own"
    }
}

/// Says why no template serves a label request; one may be for a node of ours by its name, which is a label of it alone.
fn none_serves(fleet: &Fleet<'_>, label_request: &LabelRequest) -> String {
    if let Some(node) = unmet::node_wanted(fleet, label_request) {
        return format!(
            "it waits for node \"{}\" itself; a new server would not help it",
            shown(node)
        );
    }
    excerpt(&why_none(label_request), 600)
}

fn row(
    fleet: &Fleet<'_>,
    demand: &Demand<'_>,
    growth: &Growth<'_>,
    label: Option<String>,
    reason: String,
    group: &Group,
    template: Option<usize>,
) -> Waiting {
    let oldest = &demand.queue[group.first.place];
    Waiting {
        label,
        unlabelled: false,
        reason,
        items: group.items,
        oldest_seconds: fleet.observed.jenkins.age(oldest, fleet.context.now).as_secs(),
        example: Example {
            item: oldest.id,
            task: shown(&oldest.task),
        },
        served_by: template.map(|template| fleet.config.templates[template].name.clone()),
        fitting: fitting(fleet, demand, group.first.label_request),
        class: template
            .is_none()
            .then(|| unmet::class(fleet, demand, growth, group.first.label_request)),
    }
}

/// Returns the templates that promise what a label request needs.
fn fitting(fleet: &Fleet<'_>, demand: &Demand<'_>, label_request: usize) -> Vec<TemplateName> {
    let mut found = Vec::new();
    let groups = demand.class_of[label_request].map_or(&[][..], |class| &demand.classes[class]);
    for &group in groups {
        let name = &fleet.config.templates[demand.slots.template(group)].name;
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

fn merge(known: &mut Waiting, row: Waiting) {
    known.items += row.items;
    // The older one is the example; of two of one age the smaller number.
    let older = |row: &Waiting| (std::cmp::Reverse(row.oldest_seconds), row.example.item);
    if older(&row) < older(known) {
        known.oldest_seconds = row.oldest_seconds;
        known.example = row.example;
    }
}
