//! Templates whose newest node joined without a label that `labels` promises, or with one beside them: such a template
//! answers no longer for what that node does not serve, but for one server a day that tries again.
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
use crate::model::{NodeId, TemplateName};
use crate::queue::Wish;
use crate::state::{LabelDrift, State};

/// How often a server is made although the last one had other labels.
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

/// The most labels beside the template's that are remembered, and the longest, in bytes.
const MOST_ADDED: usize = 50;
const LONGEST_ADDED: usize = 100;

/// Returns the labels that the next node of a template is expected to have.
pub(super) fn labels_expected(template: &Template, drift: &LabelDrift) -> Labels {
    let left = template.labels.iter().filter(|label| !drift.lacks.contains_key(*label));
    left.chain(drift.adds.keys()).cloned().collect()
}

/// Returns whether the next server may be made that tries again.
pub(super) fn is_due(drift: &LabelDrift, now: Timestamp) -> bool {
    // Labels beside the template's may be others for each node, an address among them.
    let begun = drift.lacks.values().max().or(drift.adds.values().min()).copied();
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
        if let Some(found) = complete(survey, template, drift) {
            drift.lacks.retain(|label, _| found.lacks.contains(label.as_str()));
            remember_added(drift, &found, survey.context.now);
        }
        !drift.is_none()
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
    differs: Difference<'a>,
}

/// In which labels a node differs from its template.
struct Difference<'a> {
    lacks: BTreeSet<&'a str>,
    adds: BTreeSet<&'a str>,
}

impl Difference<'_> {
    fn is_none(&self) -> bool {
        self.lacks.is_empty() && self.adds.is_empty()
    }
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
        let Some(differs) = difference(unit, template) else {
            continue;
        };
        let lesson = Lesson {
            template,
            node: &unit.id,
            created,
            differs,
        };
        match lessons.get_mut(&kind) {
            Some(other) if other.created > created => {}
            // Which of two of one second is newer is not known: what one of them shows to be right, is.
            Some(other) if other.created == created => {
                other.differs.lacks.retain(|label| lesson.differs.lacks.contains(label));
                other.differs.adds.retain(|label| lesson.differs.adds.contains(label));
            }
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

/// Returns in which labels a node differs from its template, its own name aside; `None` where Jenkins does not tell them.
fn difference<'s>(unit: &Unit<'s>, template: &'s Template) -> Option<Difference<'s>> {
    let computer = unit.computer()?;
    let labels: BTreeSet<&str> = computer.labels.as_ref()?.iter().map(String::as_str).collect();
    let promised = template.labels.iter().map(String::as_str);
    let lacks = promised.filter(|label| !labels.contains(label)).collect();
    let is_added = |label: &&str| {
        *label != computer.name.as_str() && !template.labels.contains(*label) && label.len() <= LONGEST_ADDED
    };
    let adds = labels.iter().copied().filter(is_added).take(MOST_ADDED).collect();
    Some(Difference { lacks, adds })
}

/// Returns how the node that showed a drift differs by now, as long as its labels may still be coming.
fn complete<'s>(survey: &Survey<'s>, template: &'s Template, drift: &LabelDrift) -> Option<Difference<'s>> {
    let unit = survey.units.iter().find(|unit| unit.id == drift.node)?;
    let young = since(survey.context.now, unit.joined?) <= LABELS_COMPLETE;
    let up = matches!(unit.standing, Standing::Up { .. });
    (young && up).then(|| difference(unit, template)).flatten()
}

/// Remembers which labels the newest node has beside its template's.
fn remember_added(drift: &mut LabelDrift, found: &Difference<'_>, now: Timestamp) {
    drift.adds.retain(|label, _| found.adds.contains(label.as_str()));
    for label in &found.adds {
        drift.adds.entry((*label).to_owned()).or_insert(now);
    }
}

/// Returns the drift after a lesson.
fn heed(lesson: Lesson<'_>, before: Option<LabelDrift>, survey: &Survey<'_>) -> Option<LabelDrift> {
    let now = survey.context.now;
    let Some(mut drift) = before else {
        // A server that took long to join says nothing of those that were made after it.
        if lesson.differs.is_none() || has_joined_since(&lesson, survey) {
            return None;
        }
        let known_now = |labels: BTreeSet<&str>| labels.into_iter().map(|label| (label.to_owned(), now)).collect();
        return Some(LabelDrift {
            config: lesson.template.digest.clone(),
            node: lesson.node.clone(),
            created: lesson.created,
            lacks: known_now(lesson.differs.lacks),
            adds: known_now(lesson.differs.adds),
            retry: None,
            warned: None,
        });
    };
    if lesson.created < drift.created {
        return Some(drift);
    }
    let differs = lesson.differs;
    drift.lacks.retain(|label, _| differs.lacks.contains(label.as_str()));
    drift.adds.retain(|label, _| differs.adds.contains(label.as_str()));
    if lesson.created > drift.created {
        drift.node = lesson.node.clone();
        drift.created = lesson.created;
        remember_added(&mut drift, &differs, now);
        for label in differs.lacks {
            if !drift.lacks.contains_key(label) {
                drift.lacks.insert(label.to_owned(), now);
                drift.warned = None;
            }
        }
    }
    Some(drift).filter(|drift| !drift.is_none())
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
        if !sentences.is_empty() && !drift.warned.is_some_and(quiet) {
            drift.warned = Some(now);
            news.extend(sentences.iter().cloned());
        }
        notes.extend(sentences);
    }
    (notes, news)
}

/// What an operator is to do about it.
const MEND: &str = "let its script register the label, or take it out of `labels`";

/// Says which labels the nodes of a template have beside those that it promises, where an item waits that they do not
/// serve for that.
pub(super) fn unwanted(survey: &Survey<'_>, wishes: &[Wish]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for template in &survey.config.templates {
        let Some(drift) = of(&survey.state, template).filter(|drift| !drift.adds.is_empty()) else {
            continue;
        };
        for wish in wishes.iter().filter(|wish| is_lost_for(wish, template, drift)) {
            let needed = labels_in(wish);
            let adds = drift.adds.keys().filter(|label| needed.contains(label.as_str()));
            found.extend(adds.map(|label| (&template.name, label)));
        }
    }
    let said = |(template, label): (&TemplateName, &String)| {
        format!(
            "the newest server of template \"{template}\" joined Jenkins with the label \"{}\" beside its `labels`, and \
             items wait that need a node without it: {MEND_ADDED}; until then one server a day is made for them, to see \
             whether the label is gone",
            shown(label)
        )
    };
    found.into_iter().map(said).collect()
}

/// What an operator is to do about a label beside those of the template.
const MEND_ADDED: &str = "keep the script from registering it, or add it to `labels`";

/// Whether a template does not answer for a wish that its configuration satisfies.
fn is_lost_for(wish: &Wish, template: &Template, drift: &LabelDrift) -> bool {
    is_served_by(wish, template, &template.labels) && !is_served_by(wish, template, &labels_expected(template, drift))
}

/// Says that a template does not answer for a wish which its configuration satisfies, since its newest node joined
/// without labels that the wish needs, or with others that it excludes.
pub fn lacks_for(wish: &Wish, template: &Template, state: &State) -> Option<String> {
    let drift = of(state, template).filter(|drift| is_lost_for(wish, template, drift))?;
    let needed = labels_in(wish);
    let named = |labels: &BTreeMap<String, Timestamp>| {
        let named = labels.keys().filter(|label| needed.contains(label.as_str()));
        let named: Vec<String> = named.map(|label| format!("\"{}\"", shown(label))).collect();
        (!named.is_empty()).then(|| named.join(", "))
    };
    let lacks =
        named(&drift.lacks).map(|labels| format!("without the label {labels}, which `labels` promises: {MEND}"));
    let adds = named(&drift.adds).map(|labels| format!("with the label {labels} beside its `labels`: {MEND_ADDED}"));
    let differs: Vec<String> = lacks.into_iter().chain(adds).collect();
    Some(format!(
        "the newest server of \"{}\" joined {}; one server a day tries again",
        template.name,
        differs.join("; and ")
    ))
}
