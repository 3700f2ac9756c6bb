//! Reads a text that a person asks about: a whole `why` sentence, or a label.

use super::label_request::{LabelRequest, NodeTemplates, TemplateLabels};
use super::resolve::Resolver;
use super::why::{self, Sentence};
use crate::labels::Label;
use crate::model::{JenkinsView, QueueItem, SharedText, Stage, TaskLabel};
use crate::text::java_trim;

/// How a text was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What kind of text it is.
    pub kind: TextKind,
    /// What an item with this sentence or label waits for; `None` when no server helps it.
    pub label_request: Option<LabelRequest>,
    /// The label, when there is one.
    pub label: Option<Label>,
    /// How the label was read.
    pub syntax: Option<Syntax>,
}

/// The kind of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A label expression.
    Label,
    /// A `why` sentence.
    Why,
}

/// How a label was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// As an expression.
    Expression,
    /// It does not parse and is one name as a whole.
    Atom,
}

impl Syntax {
    /// Returns how a label was read.
    pub fn of_label(label: &Label) -> Self {
        if label.is_fallback() {
            Self::Atom
        } else {
            Self::Expression
        }
    }
}

impl Explained {
    /// Makes the reading of a sentence, or of a queue item, by what it waits for.
    pub fn waiting_for(label_request: Option<LabelRequest>) -> Self {
        let label = match &label_request {
            Some(LabelRequest::Label(label)) => Some(label.clone()),
            _ => None,
        };
        Self {
            kind: TextKind::Why,
            syntax: label.as_ref().map(Syntax::of_label),
            label_request,
            label,
        }
    }
}

/// Reads a text. Without a view, names are looked up among the templates alone, and Jenkins is taken to have agents.
pub fn read_text(text: &str, view: Option<&JenkinsView>, templates: &[TemplateLabels<'_>]) -> Explained {
    let empty = JenkinsView::default();
    let linked = NodeTemplates::none();
    let resolver = match view {
        Some(view) => Resolver::new(view, templates, &linked),
        None => Resolver::blind(&empty, templates, &linked),
    };
    let sentence = why::read(text);
    if sentence != Sentence::Unread {
        return Explained::waiting_for(resolver.label_request(sentence, &bare_item(text), false));
    }
    let label = Label::read(java_trim(text));
    Explained {
        kind: TextKind::Label,
        label_request: match &label {
            Some(label) => resolver.label(label),
            // An empty label is none.
            None => Some(LabelRequest::Unlabelled),
        },
        syntax: label.as_ref().map(Syntax::of_label),
        label,
    }
}

/// An item of which nothing is known but its sentence.
fn bare_item(why: &str) -> QueueItem {
    QueueItem {
        id: 0,
        stage: Stage::Buildable,
        stuck: false,
        since: jiff::Timestamp::UNIX_EPOCH,
        why: Some(why.into()),
        task_class: None,
        task: SharedText::default(),
        task_name: SharedText::default(),
        task_url: None,
        label: TaskLabel::Absent,
    }
}
