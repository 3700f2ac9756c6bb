//! What a queue item waits for, and what is needed to find it out.

use std::cell::OnceCell;

use foldhash::HashMap;

use super::reason::UnknownLabel;
use crate::labels::{Label, Labels};
use crate::model::{NodeName, TemplateName};

/// The name and labels of a template, to recognize nodes of ours.
#[derive(Clone, Copy, Debug)]
pub struct TemplateLabels<'a> {
    /// The template's name.
    pub name: &'a TemplateName,
    /// Its labels.
    pub labels: &'a Labels,
}

/// The templates of the Jenkins nodes that belong to servers of ours, by the one link that `plan` makes; computed when
/// an item first names a node.
pub struct NodeTemplates<'a> {
    find: Box<dyn Fn() -> HashMap<NodeName, TemplateName> + 'a>,
    found: OnceCell<HashMap<NodeName, TemplateName>>,
}

impl<'a> NodeTemplates<'a> {
    /// Takes what finds them.
    pub fn new(find: impl Fn() -> HashMap<NodeName, TemplateName> + 'a) -> Self {
        Self {
            find: Box::new(find),
            found: OnceCell::new(),
        }
    }

    /// For a Jenkins without nodes of ours.
    pub fn none() -> Self {
        Self::new(HashMap::default)
    }

    pub(super) fn template_of(&self, node: &NodeName) -> Option<TemplateName> {
        self.found.get_or_init(|| (self.find)()).get(node).cloned()
    }
}

/// A question that the queue leaves open and one more request answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// The `config.xml` of the job at this path (`job/a/job/b`), percent-encoded; the key in `JenkinsView::jobs`.
    Job(String),
    /// The labels of this node (`JenkinsView::node_labels`).
    NodeLabels(NodeName),
}

/// What one or more queue items wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LabelRequest {
    /// A node that satisfies a label.
    Label(Label),
    /// Any node that takes jobs without a label.
    Unlabelled,
    /// A node of this template (the item waits for a node of ours, or for the bare name of a template).
    Template(TemplateName),
    /// A node with at least these labels (the item waits for a foreign node that has them).
    Like {
        /// The foreign node.
        node: NodeName,
        /// Its labels, its own name aside.
        labels: Labels,
    },
    /// A node with all these labels: the values of a matrix combination, the last resort where the job's configuration
    /// could not be read.
    Values(Vec<String>),
    /// A node that Jenkins no longer has: a new server would not help.
    GoneNode(NodeName),
    /// The label is not known: why, and what may be asked to find out.
    Unknown {
        /// Why the label is not known.
        reason: UnknownLabel,
        /// One more request that may show it.
        ask: Option<Ask>,
    },
}

impl LabelRequest {
    /// Returns whether the label is not known because Jenkins has no agent, and no further request would show it.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Unknown { reason, ask: None } if reason.is_for_want_of_agents())
    }
}
