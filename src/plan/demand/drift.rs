//! Label drift: templates whose newest node joined without a label that `labels` promises, or with one beside them. Such a
//! template no longer answers for what that node does not serve, but for one server a day that tries again.
//!
//! `slots` applies it; `report::drift` says it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::config::Template;
use crate::labels::Labels;
use crate::model::{NodeId, TemplateName};
use crate::plan::clock::since;
use crate::plan::demand::eligible::{is_served_by, labels_in};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState, TemplateIndex};
use crate::queue::LabelRequest;
use crate::state::{LabelDrift, State};

/// How often a server is made although the last one had other labels.
const RETRY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// A plugin may add labels after the agent came online. Labels that come later may be a person's.
const LABELS_COMPLETE: SignedDuration = SignedDuration::from_mins(5);

/// The same for labels beside the template's: a person who adds one would stop the whole template.
const ADDED_COMPLETE: SignedDuration = SignedDuration::from_mins(3);

/// Returns the drift of a template as it is configured.
pub fn drift_of<'s>(state: &'s State, template: &Template) -> Option<&'s LabelDrift> {
    state
        .drifts
        .get(&template.name)
        .filter(|drift| drift.config == template.digest)
}

/// The most labels beside the template's that are remembered, and the longest, in bytes: those of a common node, many
/// times over.
const MOST_ADDED: usize = 100;
const LONGEST_ADDED: usize = 1000;

/// Returns the labels that the next node of a template is expected to have.
pub fn labels_expected(template: &Template, drift: &LabelDrift) -> Labels {
    let left = template.labels.iter().filter(|label| !drift.lacks.contains_key(*label));
    left.chain(drift.adds.keys()).cloned().collect()
}

/// Returns whether the next server may be made that tries again.
pub fn is_due(drift: &LabelDrift, now: Timestamp) -> bool {
    // Labels beside the template's may be others for each node, an address among them.
    let begun = drift.lacks.values().max().or(drift.adds.values().min()).copied();
    let tried = drift.retry.as_ref().map(|retry| retry.at);
    begun
        .into_iter()
        .chain(tried)
        .all(|then| now.duration_since(then).abs() >= RETRY_EVERY)
}

/// Draws the lessons of this pass: which labels nodes lack when they are seen online for the first time, and which they
/// have beside their template's. Of those that waiting items mention none is left out.
pub fn learn(fleet: &mut Fleet<'_>, label_requests: &[LabelRequest]) {
    let (config, now) = (fleet.config, fleet.context.now);
    let mut drifts = std::mem::take(&mut fleet.state.drifts);
    drifts.retain(|name, drift| {
        let mut templates = config.templates.iter();
        let Some(template) = templates.find(|template| template.name == *name && template.digest == drift.config)
        else {
            return false;
        };
        if let Some(lacks) = complete(fleet, template, drift) {
            drift.lacks.retain(|label, _| lacks.contains(label.as_str()));
        }
        true
    });
    let lacking = newest(fleet, is_first_sighting, lacks_of);
    let mentioned: BTreeSet<&str> = label_requests.iter().flat_map(labels_in).collect();
    let adding = newest(
        fleet,
        |agent| is_just_up(agent, fleet),
        |agent, template| adds_of(agent, template, &mentioned),
    );
    for lesson in lacking {
        heed(&lesson, &mut drifts, |drift, is_newer| {
            drift.lacks.retain(|label, _| lesson.labels.contains(label.as_str()));
            if is_newer {
                remember(&mut drift.lacks, &lesson.labels, now);
            }
        });
    }
    for lesson in adding {
        heed(&lesson, &mut drifts, |drift, is_newer| {
            drift.adds.retain(|label, _| lesson.labels.contains(label.as_str()));
            if is_newer || drift.node == *lesson.node {
                remember(&mut drift.adds, &lesson.labels, now);
            }
        });
    }
    drifts.retain(|_, drift| !drift.is_none());
    fleet.state.drifts = drifts;
}

/// What the newest node of a template shows of labels.
struct Lesson<'a> {
    template: &'a Template,
    node: &'a NodeId,
    created: Timestamp,
    labels: BTreeSet<&'a str>,
    /// Whether a node of the same configuration, no older than this one, joined before it: a server that took long to
    /// join says nothing of those that were made after it.
    late: bool,
}

/// Finds one lesson for each template that has a node to learn from.
fn newest<'s>(
    fleet: &'s Fleet<'_>,
    may_teach: impl Fn(&Agent<'_>) -> bool,
    labels_of: impl Fn(&Agent<'s>, &'s Template) -> Option<BTreeSet<&'s str>>,
) -> Vec<Lesson<'s>> {
    let mut lessons: BTreeMap<usize, Lesson<'_>> = BTreeMap::new();
    let mut joined: BTreeMap<usize, Timestamp> = BTreeMap::new();
    for agent in &fleet.agents {
        let (Some(index), Some(created)) = (agent.template_index, agent.created) else {
            continue;
        };
        let template = &fleet.config.templates[index];
        if agent.adopted || agent.digest() != Some(template.digest.as_str()) {
            continue;
        }
        if !may_teach(agent) {
            if agent.before.is_some_and(|before| before.joined.is_some()) {
                let newest = joined.entry(index).or_insert(created);
                *newest = created.max(*newest);
            }
            continue;
        }
        let Some(labels) = labels_of(agent, template) else {
            continue;
        };
        let lesson = Lesson {
            template,
            node: &agent.id,
            created,
            labels,
            late: false,
        };
        match lessons.get_mut(&index) {
            Some(other) if other.created > created => {}
            // Which of two of one second is newer is not known: what one of them shows to be right, is.
            Some(other) if other.created == created => other.labels.retain(|label| lesson.labels.contains(label)),
            _ => drop(lessons.insert(index, lesson)),
        }
    }
    let late = |index: TemplateIndex, created: Timestamp| joined.get(&index).is_some_and(|newest| *newest >= created);
    let lessons = lessons.into_iter();
    lessons
        .map(|(index, lesson)| Lesson {
            late: late(index, lesson.created),
            ..lesson
        })
        .collect()
}

/// Changes what is known of a template after a lesson; `change` is told whether its node is newer than the one that is
/// known.
fn heed(
    lesson: &Lesson<'_>,
    drifts: &mut BTreeMap<TemplateName, LabelDrift>,
    change: impl FnOnce(&mut LabelDrift, bool),
) {
    let name = &lesson.template.name;
    let Some(drift) = drifts.get_mut(name) else {
        if !lesson.labels.is_empty() && !lesson.late {
            let mut drift = LabelDrift::new(&lesson.template.digest, lesson.node, lesson.created);
            change(&mut drift, true);
            drifts.insert(name.clone(), drift);
        }
        return;
    };
    let is_newer = lesson.created > drift.created;
    if lesson.created >= drift.created {
        change(drift, is_newer);
    }
    if is_newer {
        drift.node = lesson.node.clone();
        drift.created = lesson.created;
    }
}

fn remember(known: &mut BTreeMap<String, Timestamp>, labels: &BTreeSet<&str>, now: Timestamp) {
    for label in labels {
        known.entry((*label).to_owned()).or_insert(now);
    }
}

/// Whether a node is online for the first time, and was watched before: after a loss of the state nobody knows which of
/// its labels were taken off by hand.
fn is_first_sighting(agent: &Agent<'_>) -> bool {
    let watched = match agent.before {
        Some(before) => before.joined.is_none(),
        None => agent.intent.is_some(),
    };
    watched && matches!(agent.state, AgentState::Up { .. })
}

/// Whether a node was seen to come online a moment ago. One that took longer to join than it may was found when the memory
/// had been lost.
fn is_just_up(agent: &Agent<'_>, fleet: &Fleet<'_>) -> bool {
    let now = fleet.context.now;
    let watched = || {
        let (joined, created) = (agent.before?.joined?, agent.created?);
        let is_young = since(now, joined) <= ADDED_COMPLETE || fleet.last_pass.is_some_and(|last| joined >= last);
        let boot_grace = agent.template(fleet.config)?.boot_grace;
        Some(is_young && since(joined, created) <= boot_grace)
    };
    is_first_sighting(agent) || matches!(agent.state, AgentState::Up { .. }) && watched().unwrap_or(false)
}

/// Returns the labels of its template that a node lacks; `None` where Jenkins does not tell them.
fn lacks_of<'s>(agent: &Agent<'_>, template: &'s Template) -> Option<BTreeSet<&'s str>> {
    let labels: BTreeSet<&str> = agent.computer()?.labels.as_ref()?.iter().map(String::as_str).collect();
    let promised = template.labels.iter().map(String::as_str);
    Some(promised.filter(|label| !labels.contains(label)).collect())
}

/// Returns the labels that a node has beside its template's, its own name aside, those first that are mentioned; `None`
/// where Jenkins does not tell them.
fn adds_of<'s>(agent: &Agent<'s>, template: &Template, mentioned: &BTreeSet<&str>) -> Option<BTreeSet<&'s str>> {
    let computer = agent.computer()?;
    let labels = computer.labels.as_ref()?.iter().map(String::as_str);
    let is_added = |label: &&str| {
        *label != computer.name.as_str() && !template.labels.contains(*label) && label.len() <= LONGEST_ADDED
    };
    let mut adds: Vec<&str> = labels.filter(is_added).collect();
    adds.sort_unstable_by_key(|label| (!mentioned.contains(label), *label));
    adds.truncate(MOST_ADDED);
    Some(adds.into_iter().collect())
}

/// Returns which labels the node that showed a drift lacks by now, as long as its labels may still be coming.
fn complete<'s>(fleet: &Fleet<'_>, template: &'s Template, drift: &LabelDrift) -> Option<BTreeSet<&'s str>> {
    let agent = fleet.agents.iter().find(|agent| agent.id == drift.node)?;
    let young = since(fleet.context.now, agent.joined?) <= LABELS_COMPLETE;
    let up = matches!(agent.state, AgentState::Up { .. });
    (young && up).then(|| lacks_of(agent, template)).flatten()
}

/// Whether a template does not answer for a label request that its configuration satisfies.
pub fn is_lost_for(label_request: &LabelRequest, template: &Template, drift: &LabelDrift) -> bool {
    is_served_by(label_request, template, &template.labels)
        && !is_served_by(label_request, template, &labels_expected(template, drift))
}
