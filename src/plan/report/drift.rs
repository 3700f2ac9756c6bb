//! Sentences about templates whose nodes have other labels than they promise.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::Template;
use crate::plan::demand::drift::{drift_of, is_lost_for};
use crate::plan::demand::eligible::labels_in;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::queue::LabelRequest;
use crate::state::{LabelDrift, State};
use crate::text::{excerpt, shown};

/// The labels of a template that its nodes have not, and those that they have beside it while an item waits that gets
/// nothing for them.
pub struct Drifted<'c> {
    pub template: &'c Template,
    pub lacks: BTreeSet<String>,
    pub unwanted: BTreeSet<String>,
}

/// Finds the templates that differ from their nodes in labels.
pub fn drifted<'c>(fleet: &Fleet<'c>, demand: &Demand<'_>) -> Vec<Drifted<'c>> {
    let config = fleet.config;
    let differing = config.templates.iter().filter_map(|template| {
        let drift = fleet.state.drifts.get(&template.name)?;
        Some(Drifted {
            template,
            lacks: drift.lacks.keys().cloned().collect(),
            unwanted: unwanted(template, drift, demand),
        })
    });
    differing.collect()
}

impl Drifted<'_> {
    /// Says it in a sentence for all labels that lack, and one for all that nobody wants.
    pub fn sentences(&self) -> Vec<String> {
        let lacking = (!self.lacks.is_empty()).then(|| say_lacking(self.template, &self.lacks));
        let unwanted = (!self.unwanted.is_empty()).then(|| say_unwanted(self.template, &self.unwanted));
        lacking.into_iter().chain(unwanted).collect()
    }

    /// Says it for each label.
    pub fn by_label(&self) -> Vec<(&str, String)> {
        let one = |label: &String| BTreeSet::from([label.clone()]);
        let lacking = self
            .lacks
            .iter()
            .map(|label| (label.as_str(), say_lacking(self.template, &one(label))));
        let unwanted = self
            .unwanted
            .iter()
            .map(|label| (label.as_str(), say_unwanted(self.template, &one(label))));
        lacking.chain(unwanted).collect()
    }
}

/// Finds the labels beside a template's for which a waiting item gets nothing, from no template.
fn unwanted(template: &Template, drift: &LabelDrift, demand: &Demand<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if drift.adds.is_empty() {
        return found;
    }
    for (label_request, class) in demand.label_requests.iter().zip(&demand.class_of) {
        let is_promised = class.is_some_and(|class| demand.is_promised(class));
        if !is_promised && is_lost_for(label_request, template, drift) {
            let needed = labels_in(label_request);
            found.extend(
                drift
                    .adds
                    .keys()
                    .filter(|label| needed.contains(label.as_str()))
                    .cloned(),
            );
        }
    }
    found
}

fn say_lacking(template: &Template, labels: &BTreeSet<String>) -> String {
    let (name, named) = (&template.name, named(labels));
    let mend = mend_lacking(labels.len());
    let (it, this, is) = if labels.len() == 1 {
        ("it", "this label", "it is")
    } else {
        ("them", "these labels", "they are")
    };
    format!(
        "template \"{name}\" promises {named}, and its newest server joined Jenkins without {it}: {mend}; until then one \
         server a day is made for {this}, to see whether {is} there"
    )
}

fn say_unwanted(template: &Template, labels: &BTreeSet<String>) -> String {
    let (name, named) = (&template.name, named(labels));
    let mend = mend_added(labels.len());
    let (it, gone) = if labels.len() == 1 {
        ("it", "it is gone")
    } else {
        ("them", "they are gone")
    };
    format!(
        "the newest server of template \"{name}\" joined Jenkins with {named} beside its `labels`, and items wait that need \
         a node without {it}: {mend}; until then one server a day is made for them, to see whether {gone}"
    )
}

/// Names labels: `the label "a"`, `the labels "a", "b"`.
fn named<'l>(labels: impl IntoIterator<Item = &'l String>) -> String {
    let labels: Vec<String> = labels
        .into_iter()
        .map(|label| format!("\"{}\"", shown(label)))
        .collect();
    let noun = if labels.len() == 1 { "label" } else { "labels" };
    format!("the {noun} {}", excerpt(&labels.join(", "), MOST_NAMED))
}

/// The most characters that labels take in a sentence.
const MOST_NAMED: usize = 300;

/// Says what an operator is to do about so many labels that nodes lack.
fn mend_lacking(labels: usize) -> &'static str {
    match labels {
        1 => "let its script register the label, or take it out of `labels`",
        _ => "let its script register the labels, or take them out of `labels`",
    }
}

/// Says what an operator is to do about so many labels that nodes have beside those of their template.
fn mend_added(labels: usize) -> &'static str {
    match labels {
        1 => "keep the script from registering it, or add it to `labels`",
        _ => "keep the script from registering them, or add them to `labels`",
    }
}

/// Says that a template does not answer for a label request which its configuration satisfies, since its newest node joined
/// without labels that the label request needs, or with others that it excludes.
pub fn lacks_for(label_request: &LabelRequest, template: &Template, state: &State) -> Option<String> {
    let drift = drift_of(state, template).filter(|drift| is_lost_for(label_request, template, drift))?;
    let needed = labels_in(label_request);
    let needed_of = |labels: &BTreeMap<String, Timestamp>| -> Vec<String> {
        let named = labels.keys().filter(|label| needed.contains(label.as_str()));
        named.cloned().collect()
    };
    let (lacks, adds) = (needed_of(&drift.lacks), needed_of(&drift.adds));
    let lacking = (!lacks.is_empty()).then(|| {
        let mend = mend_lacking(lacks.len());
        format!("without {}, which `labels` promises: {mend}", named(&lacks))
    });
    let adding = (!adds.is_empty()).then(|| {
        let mend = mend_added(adds.len());
        format!("with {} beside its `labels`: {mend}", named(&adds))
    });
    let differs: Vec<String> = lacking.into_iter().chain(adding).collect();
    Some(format!(
        "the newest server of \"{}\" joined {}; one server a day tries again",
        template.name,
        differs.join("; and ")
    ))
}
