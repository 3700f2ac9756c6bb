//! What `status` and the report show: each server, each template, and what each waiting item waits for.
//!
//! It decides nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::Server;
use crate::plan::clock::since;
use crate::plan::create::grow::Growth;
use crate::plan::create::images;
use crate::plan::demand::eligible::{atoms, why_none, wish_text};
use crate::plan::demand::items::{Demand, Item};
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::agent::{Standing, Unit};
use crate::plan::fleet::{Survey, agent_state};
use crate::plan::report::drift::lacks_for;
use crate::plan::rows::{Example, ServerRow, TemplateRow, Waiting};
use crate::plan::words::shown;
use crate::queue::Wish;
use crate::state::Phase;
use crate::text::excerpt;

/// What is said of an item that an idle executor can take.
pub const IDLE: &str = "an executor is idle";

/// What serves an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    /// An idle executor of a group.
    Idle(usize),
    /// A server of a group that boots.
    Booting(usize),
    /// A server that this pass makes.
    Created(usize),
    /// Nothing.
    Nothing,
}

/// Items of one wish that are served alike.
struct Group {
    served: Served,
    items: u64,
    /// The oldest.
    first: Item,
}

/// Returns all waiting items and those among them that get nothing, grouped by label and reason.
pub fn waiting(survey: &Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> (Vec<Waiting>, Vec<Waiting>) {
    let groups = groups(survey, demand, growth);
    let mut all: BTreeMap<(Option<String>, String, Option<usize>), Waiting> = BTreeMap::new();
    for (wish, groups) in groups.into_iter().enumerate() {
        let label = wish_text(&demand.wishes[wish]).map(|label| shown(&label));
        for group in groups {
            let template = template_of(group.served, demand);
            let reason = reason(survey, demand, growth, wish, group.served);
            let mut row = row(survey, demand, label.clone(), reason, &group, template);
            row.unlabelled = demand.wishes[wish] == Wish::Unlabelled;
            match all.get_mut(&(row.label.clone(), row.reason.clone(), template)) {
                Some(known) => merge(known, row),
                None => drop(all.insert((row.label.clone(), row.reason.clone(), template), row)),
            }
        }
    }
    let waiting: Vec<Waiting> = all.into_values().collect();
    let unmet = waiting.iter().filter(|row| row.served_by.is_none()).cloned().collect();
    (waiting, unmet)
}

/// Deals what the matching gave to each class out to its items, oldest first, idle executors first.
fn groups(survey: &Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Vec<Vec<Group>> {
    let slots = demand.slots.len();
    let (mut idle, mut booting) = (vec![0_u32; slots], vec![0_u32; slots]);
    for (unit, group) in survey.units.iter().zip(demand.slots.of_units()) {
        if let Some(group) = *group {
            let slots = unit.standing.slots(agent_state::executors(unit, survey.config));
            let kept = if matches!(unit.standing, Standing::Up { .. }) {
                &mut idle
            } else {
                &mut booting
            };
            kept[group] = kept[group].saturating_add(slots);
        }
    }
    let quota = |class: usize| -> Vec<(usize, u32)> { growth.flow.of(class).filter(|(_, n)| *n > 0).collect() };
    let mut quotas: Vec<Vec<(usize, u32)>> = (0..demand.classes.len()).map(quota).collect();
    let mut groups: Vec<Vec<Group>> = demand.wishes.iter().map(|_| Vec::new()).collect();
    for item in &demand.items {
        let mut served = Served::Nothing;
        if let Some(class) = demand.class_of[item.wish]
            && let Some(&(group, _)) = quotas[class]
                .iter()
                .find(|(g, _)| idle[*g] > 0)
                .or(quotas[class].first())
        {
            if let Some(place) = quotas[class].iter().position(|(g, _)| *g == group) {
                quotas[class][place].1 -= 1;
                if quotas[class][place].1 == 0 {
                    quotas[class].remove(place);
                }
            }
            served = match (idle[group], booting[group]) {
                (0, 0) => Served::Created(group),
                (0, _) => {
                    booting[group] -= 1;
                    Served::Booting(group)
                }
                _ => {
                    idle[group] -= 1;
                    Served::Idle(group)
                }
            };
        }
        let known = &mut groups[item.wish];
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

/// Returns the template of what serves an item.
fn template_of(served: Served, demand: &Demand<'_>) -> Option<usize> {
    match served {
        Served::Idle(group) | Served::Booting(group) | Served::Created(group) => Some(demand.slots.template(group)),
        Served::Nothing => None,
    }
}

fn reason(survey: &Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>, wish: usize, served: Served) -> String {
    match served {
        Served::Idle(_) => IDLE.to_owned(),
        Served::Booting(group) => coming(survey, demand.slots.template(group)).to_owned(),
        Served::Created(_) => "the next pass makes a server for it".to_owned(),
        Served::Nothing => {
            let reasons = why_nothing(survey, demand, growth, wish);
            if reasons.is_empty() {
                return none_serves(survey, &demand.wishes[wish]);
            }
            reasons.join("; ")
        }
    }
}

/// Says for each template that promises what a wish needs why it gets nothing.
fn why_nothing(survey: &Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>, wish: usize) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    let Some(class) = demand.class_of[wish] else {
        return reasons;
    };
    for &group in &demand.classes[class] {
        let template = demand.slots.template(group);
        let closed = growth.closed[template].clone();
        let found = match demand.slots.origin(group) {
            Origin::Node => continue,
            Origin::Template => vec![closed.unwrap_or_else(|| "its slots are taken by older items".to_owned())],
            Origin::Retry { .. } if demand.is_promised_by(class, template) => continue,
            Origin::Retry { is_due } => {
                let template = &survey.config.templates[template];
                let lacks = lacks_for(&demand.wishes[wish], template, &survey.state);
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

/// Says what an item waits for that a server of a template serves which is there and gives no work away yet.
fn coming(survey: &Survey<'_>, template: usize) -> &'static str {
    let of_template = || survey.units.iter().filter(|unit| unit.kind == Some(template));
    let returns = |unit: &Unit<'_>| matches!(unit.standing, Standing::Offline { returns: true, .. });
    if of_template().any(|unit| unit.standing.is_booting()) {
        "waits for a booting server"
    } else if of_template().any(returns) {
        "waits for a server whose node is offline and about to come back"
    } else {
        "waits for a server of which it is not known which node is its own"
    }
}

/// Says why no template serves a wish; one may be for a node of ours by its name, which is a label of it alone.
fn none_serves(survey: &Survey<'_>, wish: &Wish) -> String {
    if let Wish::Label(label) = wish {
        let atoms = atoms(label);
        let mut nodes = survey
            .units
            .iter()
            .filter_map(Unit::computer)
            .map(|computer| computer.name.as_str());
        if let Some(node) = nodes.find(|node| atoms.contains(node)) {
            return format!(
                "it waits for node \"{}\" itself; a new server would not help it",
                shown(node)
            );
        }
    }
    excerpt(&why_none(wish), 600)
}

fn row(
    survey: &Survey<'_>,
    demand: &Demand<'_>,
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
        oldest_seconds: survey.observed.jenkins.age(oldest, survey.context.now).as_secs(),
        example: Example {
            item: oldest.id,
            task: shown(&oldest.task),
        },
        served_by: template.map(|template| survey.config.templates[template].name.clone()),
    }
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

/// Returns one row for each server of ours.
pub fn servers(survey: &Survey<'_>) -> Vec<ServerRow> {
    let now = survey.context.now;
    let config = survey.config;
    survey
        .units
        .iter()
        .map(|unit| ServerRow {
            name: unit.name.to_owned(),
            node: unit.template.clone(),
            provider: unit.provider.clone(),
            zone: unit
                .server
                .and_then(|server| server.zone.clone())
                .or_else(|| unit.zone_asked(config).cloned()),
            server_id: unit.server_id().cloned(),
            phase: unit.standing.phase(),
            age_seconds: unit.age.as_secs(),
            idle_seconds: idle_since(&unit.standing).map(|then| since(now, then).as_secs()),
            jenkins_node: unit.computer().map(|computer| computer.name.clone()),
            address: unit.server.and_then(Server::address).map(|address| address.to_string()),
            floating_ip: unit
                .server
                .and_then(|server| server.addresses.iter().find(|at| at.floating))
                .map(|at| at.ip.to_string()),
            image: unit.server.and_then(|server| server.image.clone()),
            outdated: unit.outdated(config),
            adopted: unit.adopted,
            builds: unit.builds.as_ref().map(|builds| builds.seen),
        })
        .collect()
}

fn idle_since(standing: &Standing) -> Option<Timestamp> {
    match standing {
        Standing::Up { idle_since, .. } | Standing::Monitored { idle_since } => *idle_since,
        _ => None,
    }
}

/// Returns one row for each template.
pub fn templates(survey: &Survey<'_>) -> Vec<TemplateRow> {
    let config = survey.config;
    let mut rows: Vec<TemplateRow> = config
        .templates
        .iter()
        .map(|template| TemplateRow {
            node: template.name.clone(),
            servers: 0,
            booting: 0,
            idle: 0,
            busy: 0,
            max: template.max,
            min_ready: template.min_ready.at(survey.context.now),
            rollbacks: images::rollbacks(&survey.state, template),
        })
        .collect();
    for unit in &survey.units {
        let Some(kind) = unit.kind else { continue };
        let row = &mut rows[kind];
        row.servers += 1;
        row.booting += u32::from(unit.standing.is_booting());
        row.idle += u32::from(unit.standing.phase() == Phase::Idle);
        row.busy += u32::from(unit.computer().is_some_and(|computer| !computer.is_idle()));
    }
    rows
}
