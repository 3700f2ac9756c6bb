//! Problems of waiting: items for which nothing is made, items behind a maximum, items whose label Jenkins hides.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::labels::Labels;
use crate::model::{Computer, NodeName, ProblemKind, problem_key};
use crate::plan::create::closed::{Cause, Limit};
use crate::plan::create::creating::{pair, placement};
use crate::plan::demand::eligible::{label_request_text, why_none};
use crate::plan::demand::items::{Demand, Item};
use crate::plan::demand::slots::Origin;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::problems::finding::{Evidence, Finding};
use crate::plan::problems::grounds::Grounds;
use crate::plan::report::overview::{Group, Served};
use crate::queue::{LabelRequest, NoConfig};
use crate::state::{BackoffKey, ProblemMemory};
use crate::text::{excerpt, shown};

/// The subject of items without a label.
const NO_LABEL: &str = "(no label)";
/// The subject of items whose label is not known.
const NOT_KNOWN: &str = "(label not known)";
/// The most characters of a label in a subject.
const MOST_LABEL: usize = 300;
/// The most characters of a reason in a sentence.
const MOST_REASON: usize = 600;

/// Finds what waits in vain.
pub fn find(grounds: &Grounds<'_, '_>, evidence: &mut Evidence) {
    hidden_labels(grounds, evidence);
    // A command that creates nothing knows nothing of what could be made, nor a controller that gives no work away.
    if !grounds.fleet.context.create || grounds.fleet.is_quieting() {
        return;
    }
    let foreign = OnceCell::new();
    let mut waiting = Waiting::new();
    for (label_request, groups) in grounds.groups.iter().enumerate() {
        let unserved = groups.iter().find(|group| group.served == Served::Nothing);
        if let Some(group) = unserved.filter(|group| is_old(grounds, &group.first)) {
            let foreign = foreign.get_or_init(|| foreign_nodes(grounds.fleet));
            let findings = unserved_items(grounds, label_request, foreign, evidence);
            for finding in findings {
                count(&mut waiting, finding, group);
            }
        }
    }
    for (finding, items, oldest) in waiting.into_values() {
        evidence.add(with_items(finding, grounds, items, &oldest));
    }
}

/// Findings by what they are of, each with how many items wait behind it, and the oldest.
type Waiting = BTreeMap<(ProblemKind, String), (Finding, u64, Item)>;

/// Adds items to a finding: several labels may wait behind one maximum. The order of the queue does not show.
fn count(waiting: &mut Waiting, finding: Finding, group: &Group) {
    let key = (finding.kind, finding.subject.clone());
    let Some((known, items, oldest)) = waiting.get_mut(&key) else {
        waiting.insert(key, (finding, group.items, group.first));
        return;
    };
    *items += group.items;
    if group.first.is_older_than(oldest) {
        *oldest = group.first;
    }
    if finding.sentence < known.sentence {
        *known = finding;
    }
}

fn age(grounds: &Grounds<'_, '_>, item: &Item) -> SignedDuration {
    let fleet = grounds.fleet;
    fleet
        .observed
        .jenkins
        .age(&grounds.demand.queue[item.place], fleet.context.now)
}

fn is_old(grounds: &Grounds<'_, '_>, item: &Item) -> bool {
    age(grounds, item) >= grounds.fleet.config.timing.unserved_after
}

/// Returns what the problem of items of a label is about.
fn subject(label_request: &LabelRequest) -> String {
    match label_request_text(label_request) {
        Some(label) => excerpt(&shown(&label), MOST_LABEL),
        None if *label_request == LabelRequest::Unlabelled => NO_LABEL.to_owned(),
        None => NOT_KNOWN.to_owned(),
    }
}

/// Returns the problems of items for which nothing is made.
fn unserved_items(grounds: &Grounds<'_, '_>, index: usize, foreign: &[&Computer], evidence: &Evidence) -> Vec<Finding> {
    let label_request = &grounds.demand.label_requests[index];
    // Their problem is another one.
    if label_request.is_hidden() || lacks_permission(label_request).is_some() {
        return Vec::new();
    }
    if is_drifted(grounds, index) {
        return Vec::new();
    }
    let causes = causes(grounds, index);
    let limits = causes.iter().filter_map(limit_of);
    let at_max = limits.map(|limit| Finding::new(ProblemKind::AtMax, limit.subject(), at_max(limit)));
    let at_max: Vec<Finding> = at_max.collect();
    let is_explained = |cause: &&Cause| explains(cause, evidence, grounds);
    let open: Vec<&Cause> = causes.iter().filter(|cause| !is_explained(cause)).collect();
    let is_known = !causes.is_empty() && open.is_empty();
    if is_known && let Some(open) = open_one(grounds, label_request) {
        // It goes on until its items are served, with what is known of them by now.
        return vec![Finding::new(
            ProblemKind::Unserved,
            open.subject.clone(),
            open.sentence.clone(),
        )];
    }
    if !at_max.is_empty() || is_known || foreign.iter().any(|node| bears(node, label_request)) {
        return at_max;
    }
    let label = subject(label_request);
    let why = if open.is_empty() {
        excerpt(&why_none(label_request), MOST_REASON)
    } else {
        let mut words: Vec<&str> = open.iter().map(|cause| cause_text(cause)).collect();
        words.dedup();
        words.join("; ")
    };
    let sentence = match label.as_str() {
        NO_LABEL => format!("items without a label wait, and no server is made for them: {why}"),
        NOT_KNOWN => format!("items wait whose label is not known, and no server is made for them: {why}"),
        _ => format!("items wait for {label}, and no server is made for them: {why}"),
    };
    vec![Finding::new(ProblemKind::Unserved, label, sentence)]
}

fn with_items(finding: Finding, grounds: &Grounds<'_, '_>, items: u64, first: &Item) -> Finding {
    let oldest = &grounds.demand.queue[first.place];
    finding
        .fact("items", items)
        .fact("oldest_seconds", age(grounds, first).as_secs())
        .fact("item", oldest.id)
        .fact("task", shown(&oldest.task))
}

/// Returns the problem of items of a label, if it is open.
fn open_one<'g>(grounds: &'g Grounds<'_, '_>, label_request: &LabelRequest) -> Option<&'g ProblemMemory> {
    let key = problem_key(ProblemKind::Unserved, &subject(label_request));
    grounds.open.get(&key).filter(|problem| problem.ended.is_none())
}

/// Whether templates promise a label that their nodes do not have: that is the problem.
fn is_drifted(grounds: &Grounds<'_, '_>, index: usize) -> bool {
    let demand = grounds.demand;
    let groups = demand.class_of[index].map(|class| &demand.classes[class]);
    groups.is_some_and(|groups| {
        let mut origins = groups.iter().map(|group| demand.slots.origin(*group));
        let retries = origins.clone().any(|origin| matches!(origin, Origin::Retry { .. }));
        retries && !origins.any(|origin| *origin == Origin::Template)
    })
}

/// Returns why nothing is made for a label, of each template that fits.
fn causes(grounds: &Grounds<'_, '_>, index: usize) -> Vec<Cause> {
    let demand = grounds.demand;
    let Some(class) = demand.class_of[index] else {
        return Vec::new();
    };
    let of_template = |group: &&usize| *demand.slots.origin(**group) == Origin::Template;
    let templates = demand.classes[class].iter().filter(of_template);
    let closed = templates.filter_map(|group| grounds.growth.closed[demand.slots.template(*group)].as_ref());
    closed.flat_map(|closed| closed.causes.iter().cloned()).collect()
}

fn limit_of(cause: &Cause) -> Option<&Limit> {
    match cause {
        Cause::Maximum(limit) => Some(limit),
        _ => None,
    }
}

fn at_max(limit: &Limit) -> String {
    match limit {
        Limit::Template(template) => format!("items wait, and template \"{template}\" is at its `max`"),
        Limit::Provider(provider) => format!("items wait, and provider \"{provider}\" is at its `max_servers`"),
        Limit::Fleet => "items wait, and the fleet is at `limits.max_servers`".to_owned(),
        Limit::NoCreates => "items wait, and limits.max_creates_per_pass is 0: nothing is made".to_owned(),
    }
}

/// Whether a problem of its own says a cause already.
fn explains(cause: &Cause, evidence: &Evidence, grounds: &Grounds<'_, '_>) -> bool {
    let is_open = |key: &str| grounds.open.get(key).is_some_and(|problem| problem.ended.is_none());
    let is_said =
        |kind: ProblemKind, subject: &str| evidence.has(kind, subject) || is_open(&problem_key(kind, subject));
    match cause {
        Cause::Unreadable(_)
        | Cause::NotOffered(_)
        | Cause::Paused
        | Cause::NotNow
        | Cause::BackOff(BackoffKey::Provider(_) | BackoffKey::Placement(..)) => true,
        Cause::Quota(provider) => is_said(ProblemKind::PlacementHeld, provider.as_str()),
        Cause::BackOff(BackoffKey::TemplateAt(template, provider, zone)) => is_said(
            ProblemKind::CreateFailing,
            &pair(template, &placement(provider, zone.as_ref())),
        ),
        Cause::Maximum(_) | Cause::BackOff(_) | Cause::Canary | Cause::Pace | Cause::NoNode => false,
    }
}

fn cause_text(cause: &Cause) -> &'static str {
    match cause {
        Cause::Maximum(_) => "a maximum is reached",
        Cause::Quota(_) => "the quota of the provider has no room",
        Cause::BackOff(_) => "its servers failed, and are held back",
        Cause::Canary => "the first server of a new template or image is to join before others are made",
        Cause::Pace => "as many servers as may boot at a time are on their way",
        Cause::Unreadable(_) => "the provider cannot be read",
        Cause::NotOffered(_) => "the provider does not have what the template names",
        Cause::NoNode => "Jenkins does not make its nodes",
        Cause::Paused => "an operator paused it",
        Cause::NotNow => "nothing is made now",
    }
}

/// Returns the nodes of Jenkins that are not ours.
fn foreign_nodes<'a>(fleet: &Fleet<'a>) -> Vec<&'a Computer> {
    let links = fleet.agents.iter().flat_map(|agent| agent.link.all());
    let orphans = fleet.orphans.iter().map(|orphan| orphan.computer);
    let ours: BTreeSet<&NodeName> = links.chain(orphans).map(|computer| &computer.name).collect();
    let computers = fleet.observed.jenkins.computers.iter();
    computers
        .filter(|computer| !ours.contains(&computer.name) && !computer.is_anchor() && computer.executors > 0)
        .collect()
}

/// Whether a foreign node is what items wait for: then a server would be of no use that another one stands for.
fn bears(node: &Computer, label_request: &LabelRequest) -> bool {
    let labels = || -> Labels {
        let own = node.labels.iter().flatten().cloned();
        own.chain([node.name.as_str().to_owned()]).collect()
    };
    match label_request {
        LabelRequest::Label(label) => label.matches(&labels()),
        LabelRequest::Like { node: wanted, .. } => *wanted == node.name,
        LabelRequest::Values(values) => {
            let labels = labels();
            !values.is_empty() && values.iter().all(|value| labels.contains(value))
        }
        // Whether it takes jobs without a label Jenkins' list does not tell.
        LabelRequest::Unlabelled => true,
        LabelRequest::Template(_) | LabelRequest::GoneNode(_) | LabelRequest::Unknown { .. } => false,
    }
}

/// Returns the permission for want of which a label is not known.
fn lacks_permission(label_request: &LabelRequest) -> Option<&str> {
    match label_request {
        LabelRequest::Unknown { reason, .. } => match reason.config.as_ref()? {
            NoConfig::Permission(permission) => Some(permission),
            NoConfig::Unreadable(_) => None,
        },
        _ => None,
    }
}

fn hidden_labels(grounds: &Grounds<'_, '_>, evidence: &mut Evidence) {
    let mends_itself = is_mended(grounds.fleet) || !grounds.growth.creates.is_empty();
    for item in &grounds.demand.items {
        let label_request = &grounds.demand.label_requests[item.label_request];
        let finding = if let Some(permission) = lacks_permission(label_request) {
            let sentence = format!(
                "Jenkins does not show the configuration of jobs whose label stands nowhere else, as of matrix jobs while \
                 there is no agent: the user lacks {}; grant it, or set jenkins.anchor: true",
                shown(permission)
            );
            Finding::new(ProblemKind::HiddenLabels, shown(permission), sentence)
        } else if label_request.is_hidden() && (!mends_itself || is_old(grounds, item)) {
            Finding::new(
                ProblemKind::HiddenLabels,
                "",
                excerpt(&why_none(label_request), MOST_REASON),
            )
        } else {
            continue;
        };
        let oldest = &grounds.demand.queue[item.place];
        let finding = finding.fact("item", oldest.id).fact("task", shown(&oldest.task));
        evidence.add(finding);
    }
}

/// Whether the labels are about to show: the anchor is being made, or the first server boots.
fn is_mended(fleet: &Fleet<'_>) -> bool {
    let labels = &fleet.config.labels;
    let boots = fleet.agents.iter().any(|agent| agent.state.is_booting());
    fleet.context.create && (labels.anchor || labels.bootstrap.is_some() || boots)
}

/// Whether labels show that were hidden, or nothing waits for one.
pub fn shows_labels(problem: &ProblemMemory, grounds: &Grounds<'_, '_>) -> bool {
    let demand = grounds.demand;
    let is_alike = |item: &Item| {
        let label_request = &demand.label_requests[item.label_request];
        match lacks_permission(label_request) {
            Some(permission) => shown(permission) == problem.subject,
            None => problem.subject.is_empty() && label_request.is_hidden(),
        }
    };
    !demand.items.iter().any(is_alike)
}

/// Whether no item is left that waited so long for a label, or a server joined since that fits it.
pub fn is_served(problem: &ProblemMemory, grounds: &Grounds<'_, '_>) -> bool {
    let demand = grounds.demand;
    let old: Vec<&Item> = of_subject(problem, demand)
        .filter(|item| is_old(grounds, item))
        .collect();
    let joined = |agent: &Agent<'_>| {
        let up = matches!(agent.state, AgentState::Up { .. });
        up && agent.joined.is_some_and(|joined| joined > problem.since)
    };
    let fits = |agent: &Agent<'_>| {
        let class = old.first().and_then(|item| demand.class_of[item.label_request]);
        let groups = class.into_iter().flat_map(|class| &demand.classes[class]);
        agent
            .template_index
            .is_some_and(|index| groups.into_iter().any(|group| demand.slots.template(*group) == index))
    };
    old.is_empty() || grounds.fleet.agents.iter().any(|agent| joined(agent) && fits(agent))
}

fn of_subject<'d>(problem: &'d ProblemMemory, demand: &'d Demand<'_>) -> impl Iterator<Item = &'d Item> {
    let alike: Vec<bool> = demand
        .label_requests
        .iter()
        .map(|label_request| subject(label_request) == problem.subject)
        .collect();
    demand.items.iter().filter(move |item| alike[item.label_request])
}

/// Whether there are fewer servers than a maximum after this pass, or nothing waits behind it any more.
pub fn is_below_max(problem: &ProblemMemory, grounds: &Grounds<'_, '_>) -> bool {
    if grounds.fleet.context.create {
        // What waits behind it was found.
        return !grounds.fleet.is_quieting();
    }
    let demand = grounds.demand;
    let may_wait = |item: &&Item| {
        let class = demand.class_of[item.label_request];
        let groups = class.into_iter().flat_map(|class| &demand.classes[class]);
        let templates = &grounds.fleet.config.templates;
        let is_of_all = templates
            .iter()
            .all(|template| template.name.as_str() != problem.subject);
        is_of_all
            || groups
                .into_iter()
                .any(|group| templates[demand.slots.template(*group)].name.as_str() == problem.subject)
    };
    !demand.items.iter().filter(may_wait).any(|item| is_old(grounds, item))
}
