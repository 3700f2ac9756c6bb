//! Templates whose newest node joined without a label that `labels` promises: such a template answers for that label no
//! longer, but for one server a day that tries again.
//!
//! What is made and kept is decided in `grow` and `reap`, by the slots of `slots`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::clock::since;
use super::eligible::{is_served_by, labels_in};
use super::phase::Standing;
use super::supply::Unit;
use super::survey::Survey;
use super::words::shown;
use crate::config::Template;
use crate::labels::Labels;
use crate::model::NodeId;
use crate::queue::Wish;
use crate::state::{LabelDrift, State};

/// How often a server is made although its template lacks the label.
const RETRY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How often a warning is repeated.
const WARN_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// A plugin may add labels after the agent came online. Labels that come later may be a person's.
const LABELS_COMPLETE: SignedDuration = SignedDuration::from_mins(5);

/// Returns the drift of a template as it is configured.
pub(super) fn of<'s>(state: &'s State, template: &Template) -> Option<&'s LabelDrift> {
    state
        .drifts
        .get(&template.name)
        .filter(|drift| drift.config == template.digest)
}

/// Returns the labels for which a template still answers.
pub(super) fn labels_left(template: &Template, drift: &LabelDrift) -> Labels {
    let left = template.labels.iter().filter(|label| !drift.lacks.contains_key(*label));
    left.cloned().collect()
}

/// Returns whether the next server may be made that tries again.
pub(super) fn is_due(drift: &LabelDrift, now: Timestamp) -> bool {
    let begun = drift.lacks.values().max().copied();
    let tried = drift.retry.as_ref().map(|retry| retry.at);
    begun
        .into_iter()
        .chain(tried)
        .all(|then| now.duration_since(then).abs() >= RETRY_EVERY)
}

/// Draws the lessons of this pass from the nodes that are seen online for the first time.
pub(super) fn learn(survey: &mut Survey<'_>) {
    let mut drifts = std::mem::take(&mut survey.state.drifts);
    drifts.retain(|name, drift| {
        let mut templates = survey.config.templates.iter();
        let Some(template) = templates.find(|template| template.name == *name && template.digest == drift.config)
        else {
            return false;
        };
        if let Some(lacks) = complete(survey, template, drift) {
            drift.lacks.retain(|label, _| lacks.contains(label.as_str()));
        }
        !drift.lacks.is_empty()
    });
    for lesson in lessons(survey).into_values() {
        let name = &lesson.template.name;
        let before = drifts.remove(name);
        drifts.extend(heed(lesson, before, survey).map(|drift| (name.clone(), drift)));
    }
    survey.state.drifts = drifts;
}

/// What the newest node of a template shows that is seen online for the first time.
struct Lesson<'a> {
    template: &'a Template,
    node: &'a NodeId,
    created: Timestamp,
    lacks: BTreeSet<&'a str>,
}

/// Finds one lesson for each template that has a node to learn from.
fn lessons<'s>(survey: &'s Survey<'_>) -> BTreeMap<usize, Lesson<'s>> {
    let mut lessons: BTreeMap<usize, Lesson<'_>> = BTreeMap::new();
    for unit in &survey.units {
        let (Some(kind), Some(created)) = (unit.kind, unit.created) else {
            continue;
        };
        let template = &survey.config.templates[kind];
        if !is_first_sighting(unit) || unit.adopted || unit.digest() != Some(template.digest.as_str()) {
            continue;
        }
        let Some(lacks) = lacks_of(unit, template) else {
            continue;
        };
        let lesson = Lesson {
            template,
            node: &unit.id,
            created,
            lacks,
        };
        match lessons.get_mut(&kind) {
            Some(other) if other.created > created => {}
            // Which of two of one second is newer is not known: what one of them has, the template has.
            Some(other) if other.created == created => other.lacks.retain(|label| lesson.lacks.contains(label)),
            _ => drop(lessons.insert(kind, lesson)),
        }
    }
    lessons
}

/// Whether a node is online for the first time, and was watched before: after a loss of the state nobody knows which of
/// its labels were taken off by hand.
fn is_first_sighting(unit: &Unit<'_>) -> bool {
    let watched = match unit.before {
        Some(before) => before.joined.is_none(),
        None => unit.intent.is_some(),
    };
    watched && matches!(unit.standing, Standing::Up { .. })
}

/// Returns the labels of its template that a node lacks; `None` where Jenkins does not tell them.
fn lacks_of<'s>(unit: &Unit<'_>, template: &'s Template) -> Option<BTreeSet<&'s str>> {
    let labels = unit.computer()?.labels.as_ref()?;
    let promised = template.labels.iter().map(String::as_str);
    Some(
        promised
            .filter(|label| labels.iter().all(|other| other != label))
            .collect(),
    )
}

/// Returns what the node that showed a drift lacks by now, as long as its labels may still be coming.
fn complete<'s>(survey: &Survey<'_>, template: &'s Template, drift: &LabelDrift) -> Option<BTreeSet<&'s str>> {
    let unit = survey.units.iter().find(|unit| unit.id == drift.node)?;
    let young = since(survey.context.now, unit.joined?) <= LABELS_COMPLETE;
    let up = matches!(unit.standing, Standing::Up { .. });
    (young && up).then(|| lacks_of(unit, template)).flatten()
}

/// Returns the drift after a lesson.
fn heed(lesson: Lesson<'_>, before: Option<LabelDrift>, survey: &Survey<'_>) -> Option<LabelDrift> {
    let now = survey.context.now;
    let Some(mut drift) = before else {
        // A server that took long to join says nothing of those that were made after it.
        if lesson.lacks.is_empty() || has_joined_since(&lesson, survey) {
            return None;
        }
        return Some(LabelDrift {
            config: lesson.template.digest.clone(),
            node: lesson.node.clone(),
            created: lesson.created,
            lacks: lesson.lacks.into_iter().map(|label| (label.to_owned(), now)).collect(),
            retry: None,
            warned: None,
        });
    };
    if lesson.created < drift.created {
        return Some(drift);
    }
    drift.lacks.retain(|label, _| lesson.lacks.contains(label.as_str()));
    if lesson.created > drift.created {
        drift.node = lesson.node.clone();
        drift.created = lesson.created;
        for label in lesson.lacks {
            if !drift.lacks.contains_key(label) {
                drift.lacks.insert(label.to_owned(), now);
                drift.warned = None;
            }
        }
    }
    Some(drift).filter(|drift| !drift.lacks.is_empty())
}

/// Whether a node of the same configuration, no older than this one, joined before it.
fn has_joined_since(lesson: &Lesson<'_>, survey: &Survey<'_>) -> bool {
    survey.units.iter().any(|unit| {
        unit.template == lesson.template.name
            && !unit.adopted
            && unit.digest() == Some(lesson.template.digest.as_str())
            && unit.before.is_some_and(|before| before.joined.is_some())
            && unit.created >= Some(lesson.created)
    })
}

/// Says which templates lack which of their labels: in each pass, and as a warning when it begins and once a day.
pub(super) fn sentences(survey: &mut Survey<'_>) -> (Vec<String>, Vec<String>) {
    let now = survey.context.now;
    let (mut notes, mut news) = (Vec::new(), Vec::new());
    for (template, drift) in &mut survey.state.drifts {
        let said = |label: &String| {
            format!(
                "template \"{template}\" promises the label \"{}\", and its newest server joined Jenkins without it: \
                 {MEND}; until then one server a day is made for this label, to see whether it is there",
                shown(label)
            )
        };
        let sentences: Vec<String> = drift.lacks.keys().map(said).collect();
        let quiet = |then: Timestamp| now.duration_since(then).abs() < WARN_EVERY;
        if !drift.warned.is_some_and(quiet) {
            drift.warned = Some(now);
            news.extend(sentences.iter().cloned());
        }
        notes.extend(sentences);
    }
    (notes, news)
}

/// What an operator is to do about it.
const MEND: &str = "let its script register the label, or take it out of `labels`";

/// Says that a template does not answer for a wish which its configuration satisfies, since its newest node joined
/// without labels that the wish needs.
pub fn lacks_for(wish: &Wish, template: &Template, state: &State) -> Option<String> {
    let drift = of(state, template)?;
    let left = labels_left(template, drift);
    if !is_served_by(wish, template, &template.labels) || is_served_by(wish, template, &left) {
        return None;
    }
    let needed = labels_in(wish);
    let lacks = drift.lacks.keys().filter(|label| needed.contains(label.as_str()));
    let lacks: Vec<String> = lacks.map(|label| format!("\"{}\"", shown(label))).collect();
    Some(format!(
        "the newest server of \"{}\" joined without the label {}, which `labels` promises: {MEND}; one server a day \
         tries again",
        template.name,
        lacks.join(", ")
    ))
}
