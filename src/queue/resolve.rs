//! Resolves a sentence and the other sources to a label request: names are looked up among nodes and templates, and the
//! most exact source comes first.

use foldhash::{HashMap, HashSet};
use std::cell::OnceCell;

use super::label_request::{Ask, LabelRequest, NodeTemplates, TemplateLabels};
use super::reason::{Cause, NoConfig, UnknownLabel, shorten};
use super::task::{self, LabelSource};
use super::why::Sentence;
use crate::labels::{Label, Labels};
use crate::model::{
    Computer, JenkinsView, NodeName, QueueItem, Reading, TaskLabel, TemplateName, split_address_name, template_in_name,
};

/// What is looked up for every item: nodes, templates, and the view.
pub(super) struct Resolver<'a> {
    view: &'a JenkinsView,
    templates: &'a [TemplateLabels<'a>],
    /// The templates of the nodes that belong to a server of ours.
    linked: &'a NodeTemplates<'a>,
    /// The agents by name; the built-in node is not among them.
    agents: HashMap<&'a str, &'a Computer>,
    built_in: Option<&'a Computer>,
    /// The labels of all agents, once they were needed.
    borne: OnceCell<HashSet<&'a str>>,
    /// Whether there is no view to look into: a node's name is then taken for that of a node that exists.
    blind: bool,
    /// Whether Jenkins has an agent: without one, `why` names no label.
    has_agents: bool,
}

/// A job's label by the best source but `why`.
enum JobLabel {
    Known(Label),
    Anywhere,
    Ask(Ask),
    Unreadable(String),
    /// Jenkins refuses to show it: the permission that is missing.
    Refused(String),
    Nothing,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        view: &'a JenkinsView,
        templates: &'a [TemplateLabels<'a>],
        linked: &'a NodeTemplates<'a>,
    ) -> Self {
        let agents: HashMap<_, _> = view
            .computers
            .iter()
            .filter(|c| !c.built_in)
            .map(|c| (c.name.as_str(), c))
            .collect();
        let built_in = view.computers.iter().find(|c| c.built_in);
        let has_agents = !agents.is_empty();
        Self {
            view,
            templates,
            linked,
            agents,
            built_in,
            borne: OnceCell::new(),
            blind: false,
            has_agents,
        }
    }

    /// For a text without a view: names are looked up among the templates alone, and Jenkins is taken to have agents.
    pub(super) fn blind(
        empty: &'a JenkinsView,
        templates: &'a [TemplateLabels<'a>],
        linked: &'a NodeTemplates<'a>,
    ) -> Self {
        Self {
            blind: true,
            has_agents: true,
            ..Self::new(empty, templates, linked)
        }
    }

    /// Returns what an item waits for; `None` when no server helps. `offline_at_once`: Jenkins called it stuck before
    /// a job without a label can be.
    pub(super) fn label_request(
        &self,
        sentence: Sentence<'_>,
        item: &QueueItem,
        offline_at_once: bool,
    ) -> Option<LabelRequest> {
        match sentence {
            Sentence::NoServerHelps => None,
            Sentence::NoLabel => Some(LabelRequest::Unlabelled),
            Sentence::Label(text) => self.label(&exact(text, item)?),
            // An item without a label may run on another node than the one that the sentence names.
            Sentence::Node(name) if task::label_source(item) == LabelSource::Anywhere && !self.is_built_in(name) => {
                Some(LabelRequest::Unlabelled)
            }
            Sentence::NodeOrLabel(name) | Sentence::Node(name) => self.named(sentence, name, item),
            Sentence::Plain if self.has_agents => self.plain(item),
            Sentence::Plain if offline_at_once => self.by_job(item, Cause::NoAgentForBuild, false),
            Sentence::Plain => self.by_job(item, Cause::NoAgent, true),
            Sentence::Refused => self.by_job(item, Cause::NodesRefuse, true),
            Sentence::Unread => self.by_job(item, self.unread(item), !offline_at_once),
        }
    }

    /// `executor on ‘X’` and `‘X’ is offline`.
    fn named(&self, sentence: Sentence<'_>, name: &str, item: &QueueItem) -> Option<LabelRequest> {
        if let Some(node) = self.agents.get(name) {
            return self.at_node(node, item);
        }
        if self.is_built_in(name) {
            return self.at_built_in(item);
        }
        if let Some(template) = self.template_of(name).filter(|_| self.blind && is_server_name(name)) {
            return Some(LabelRequest::Template(template));
        }
        if matches!(sentence, Sentence::NodeOrLabel(_)) {
            let label = self.unless_node(exact(name, item)?, item);
            let bare = |kind: &&TemplateLabels<'_>| label.as_atom() == Some(kind.name.as_str());
            let is_label = |kind: &TemplateLabels<'_>| label.as_atom().is_some_and(|name| kind.labels.contains(name));
            return match self.templates.iter().find(bare) {
                Some(kind) if !self.templates.iter().any(is_label) => Some(LabelRequest::Template(kind.name.clone())),
                _ => self.label(&label),
            };
        }
        if let Some(told) = exported(item) {
            return self.label(&told);
        }
        match (self.template_of(name), is_server_name(name)) {
            (Some(_), true) => Some(LabelRequest::GoneNode(NodeName::new(name))),
            (Some(template), false) => Some(LabelRequest::Template(template)),
            (None, _) => self.by_job(item, Cause::NodeNotListed(NodeName::new(name)), true),
        }
    }

    /// `executor on ‘X’` where X is no node that Jenkins lists: the label of the job instead, if nothing has X as a
    /// label. Then X is a node that came or went between our two requests.
    fn unless_node(&self, named: Label, item: &QueueItem) -> Label {
        let (Some(name), Some(told)) = (named.as_atom(), exported(item)) else {
            return named;
        };
        let borne = || {
            self.agents
                .values()
                .filter_map(|node| node.labels.as_ref())
                .flatten()
                .map(String::as_str)
        };
        let borne = self.templates.iter().any(|kind| kind.labels.contains(name))
            || self.borne.get_or_init(|| borne().collect()).contains(name);
        if borne { named } else { told }
    }

    /// Returns what an item waits for whose label is known for certain; `None`: it may run anywhere.
    pub(super) fn exactly(&self, sentence: Sentence<'_>, label: Option<&str>) -> Option<LabelRequest> {
        let Some(label) = label.and_then(Label::printed) else {
            return (sentence != Sentence::NoServerHelps).then_some(LabelRequest::Unlabelled);
        };
        match sentence {
            Sentence::NoServerHelps => None,
            // As in `at_built_in`.
            Sentence::NodeOrLabel(name) | Sentence::Node(name)
                if self.is_built_in(name) && !self.templates.iter().any(|kind| label.matches(kind.labels)) =>
            {
                None
            }
            _ => self.label(&label),
        }
    }

    /// The item waits for the one agent that matches its label.
    fn at_node(&self, node: &Computer, item: &QueueItem) -> Option<LabelRequest> {
        if node.is_anchor() {
            // It has no label, so it does not show which label is asked for.
            return self.by_job(item, Cause::Anchor, false);
        }
        let name = node.name.as_str();
        let labels = self.labels_of(node);
        if let JobLabel::Known(label) = self.job_label(item)
            && satisfies(name, labels.as_ref(), &label)
        {
            return self.label(&label);
        }
        if let Some(template) = self.linked.template_of(&node.name).or_else(|| self.template_of(name)) {
            return Some(LabelRequest::Template(template));
        }
        Some(match labels {
            // Only its name can be the label that is asked for.
            Some(Reading::Read(labels)) if labels.is_empty() => LabelRequest::Label(Label::atom(name)),
            Some(Reading::Read(labels)) => LabelRequest::Like {
                node: node.name.clone(),
                labels,
            },
            Some(Reading::Unreadable(error)) => {
                let (node, error) = (node.name.clone(), shorten(&error));
                LabelRequest::Unknown {
                    reason: Cause::NodeLabelsUnreadable { node, error }.into(),
                    ask: None,
                }
            }
            None => LabelRequest::Unknown {
                reason: Cause::NodeLabelsUnknown(node.name.clone()).into(),
                ask: Some(Ask::NodeLabels(node.name.clone())),
            },
        })
    }

    /// The item waits for the built-in node, the only one that matches: a server helps only where the job's label is
    /// known and one of a template satisfies it (`!windows`).
    fn at_built_in(&self, item: &QueueItem) -> Option<LabelRequest> {
        match self.job_label(item) {
            JobLabel::Known(label) if self.templates.iter().any(|kind| label.matches(kind.labels)) => {
                self.label(&label)
            }
            _ => None,
        }
    }

    /// The plain sentence while there are agents: the job has no label.
    fn plain(&self, item: &QueueItem) -> Option<LabelRequest> {
        if !task::is_matrix(item) && exported(item).is_none() {
            return Some(LabelRequest::Unlabelled);
        }
        match self.job_label(item) {
            JobLabel::Known(label) => self.label(&label),
            // Where Jenkins refuses: the sentence is that of an item without a label, and no source names one.
            JobLabel::Anywhere | JobLabel::Refused(_) => Some(LabelRequest::Unlabelled),
            JobLabel::Ask(ask) => Some(LabelRequest::Unknown {
                reason: Cause::Matrix.into(),
                ask: Some(ask),
            }),
            JobLabel::Unreadable(_) | JobLabel::Nothing => {
                let values = values(item);
                let fits = |kind: &TemplateLabels<'_>| values.iter().all(|value| kind.labels.contains(value));
                let fits = !values.is_empty() && self.templates.iter().any(fits);
                Some(if fits {
                    LabelRequest::Values(values)
                } else {
                    LabelRequest::Unlabelled
                })
            }
        }
    }

    /// The sentence does not name the label, so the job's configuration must. `anywhere`: a job without a label is
    /// believed.
    fn by_job(&self, item: &QueueItem, cause: Cause, anywhere: bool) -> Option<LabelRequest> {
        let unknown = |config, ask| {
            let reason = UnknownLabel { cause, config };
            Some(LabelRequest::Unknown { reason, ask })
        };
        let config = match self.job_label(item) {
            JobLabel::Known(label) => return self.label(&label),
            JobLabel::Anywhere if anywhere => return Some(LabelRequest::Unlabelled),
            JobLabel::Ask(ask) => return unknown(None, Some(ask)),
            // Which of the values are labels cannot be guessed.
            JobLabel::Refused(permission) => return unknown(Some(NoConfig::Permission(shorten(&permission))), None),
            JobLabel::Unreadable(error) => Some(NoConfig::Unreadable(shorten(&error))),
            JobLabel::Anywhere | JobLabel::Nothing => None,
        };
        let values = if task::is_matrix(item) {
            values(item)
        } else {
            Vec::new()
        };
        if values.is_empty() {
            unknown(config, None)
        } else {
            Some(LabelRequest::Values(values))
        }
    }

    fn job_label(&self, item: &QueueItem) -> JobLabel {
        let path = match task::label_source(item) {
            LabelSource::Expression(text) => return Label::exported(text).map_or(JobLabel::Anywhere, JobLabel::Known),
            LabelSource::Anywhere => return JobLabel::Anywhere,
            LabelSource::Nothing => return JobLabel::Nothing,
            LabelSource::InConfig(path) => path,
        };
        if let Some(permission) = self.view.refused_jobs.get(&path) {
            return JobLabel::Refused(permission.clone());
        }
        match self.view.jobs.get(&path) {
            None => JobLabel::Ask(Ask::Job(path)),
            Some(Reading::Unreadable(why)) => JobLabel::Unreadable(why.clone()),
            Some(Reading::Read(config)) => match task::label_in(config, item).as_deref().and_then(Label::read) {
                Some(label) => JobLabel::Known(label),
                None if task::has_assigned_node(item) => JobLabel::Anywhere,
                None => JobLabel::Nothing,
            },
        }
    }

    /// Returns whether items with the same sentence, class and exported label may still wait for different things, by
    /// their jobs.
    pub(super) fn differs_by_job(&self, sentence: Sentence<'_>, item: &QueueItem) -> bool {
        let by_sentence = match sentence {
            Sentence::NoServerHelps | Sentence::NoLabel | Sentence::Label(_) => true,
            Sentence::NodeOrLabel(name) => !self.agents.contains_key(name) && !self.is_built_in(name),
            Sentence::Node(_) | Sentence::Plain | Sentence::Refused | Sentence::Unread => false,
        };
        let by_task = match &item.label {
            TaskLabel::Expression(text) => !text.is_empty(),
            TaskLabel::Anywhere | TaskLabel::Absent => task::never_in_config(item),
        };
        !by_sentence && !by_task
    }

    /// A label that is known. A lone name that is no label of a template may be that of a node.
    pub(super) fn label(&self, label: &Label) -> Option<LabelRequest> {
        let Some(name) = label.as_atom() else {
            return Some(LabelRequest::Label(label.clone()));
        };
        if self.templates.iter().any(|kind| kind.labels.contains(name)) {
            return Some(LabelRequest::Label(label.clone()));
        }
        if self.agents.contains_key(name) {
            return Some(LabelRequest::Label(label.clone()));
        }
        if self.is_built_in(name) {
            return None;
        }
        Some(match self.template_of(name) {
            Some(template) if template.as_str() != name => LabelRequest::GoneNode(NodeName::new(name)),
            _ => LabelRequest::Label(label.clone()),
        })
    }

    /// Returns the template of a node by its name: `<template>__<id>` (also with the original's UUID),
    /// `<template>+<ip>`, or the template's bare name.
    fn template_of(&self, name: &str) -> Option<TemplateName> {
        let front = || split_address_name(name).map_or(name, |(front, _)| front);
        let template = TemplateName::new(template_in_name(name).unwrap_or_else(front));
        self.templates
            .iter()
            .any(|kind| *kind.name == template)
            .then_some(template)
    }

    /// Returns the labels of a node without its own name; `None` where neither list has them.
    fn labels_of(&self, node: &Computer) -> Option<Reading<Labels>> {
        let own = |labels: &[String]| {
            let others = labels.iter().filter(|label| label.as_str() != node.name.as_str());
            Reading::Read(others.cloned().collect())
        };
        match (&node.labels, self.view.node_labels.get(&node.name)) {
            (Some(labels), _) | (None, Some(Reading::Read(labels))) => Some(own(labels)),
            (None, Some(Reading::Unreadable(why))) => Some(Reading::Unreadable(why.clone())),
            (None, None) => None,
        }
    }

    /// Returns whether a name is one of the built-in node, which has several.
    fn is_built_in(&self, name: &str) -> bool {
        let Some(node) = self.built_in else {
            return false;
        };
        let labels = node.labels.as_deref().unwrap_or_default();
        node.name.as_str() == name || labels.iter().any(|label| label == name)
    }

    fn unread(&self, item: &QueueItem) -> Cause {
        match &item.why {
            None => Cause::NoSentence,
            Some(sentence) => Cause::UnreadSentence {
                sentence: shorten(sentence),
                language: self.view.language.clone(),
            },
        }
    }
}

/// Returns whether a node satisfies a label. Where the node's labels are not known, it may.
fn satisfies(name: &str, labels: Option<&Reading<Labels>>, label: &Label) -> bool {
    let Some(Reading::Read(labels)) = labels else {
        return true;
    };
    let mut all = labels.clone();
    all.insert(name.to_owned());
    label.matches(&all)
}

/// Reads a label that `why` names. Printing loses a little (a quote in a name), so that the job's own text is taken
/// where it prints the same.
fn exact(text: &str, item: &QueueItem) -> Option<Label> {
    if let Some(told) = exported(item).filter(|label| label.to_string() == text) {
        return Some(told);
    }
    Label::printed(text)
}

/// Returns the label that the task exports.
fn exported(item: &QueueItem) -> Option<Label> {
    match task::label_source(item) {
        LabelSource::Expression(text) => Label::exported(text),
        _ => None,
    }
}

fn values(item: &QueueItem) -> Vec<String> {
    task::combination(&item.task_name)
        .into_iter()
        .map(|(_, value)| value)
        .collect()
}

/// Returns whether a name has the form of a node of ours.
fn is_server_name(name: &str) -> bool {
    template_in_name(name).is_some() || split_address_name(name).is_some()
}
