//! Which templates serve a label request, and why a template does not.

use std::collections::BTreeSet;

use crate::config::{Config, Register, Template};
use crate::labels::{Expr, Label, Labels};
use crate::queue::LabelRequest;
use crate::text::{shown, visible};

/// Returns the templates that serve a label request, first choice first: by priority, then in the order of the file.
pub fn eligible<'c>(label_request: &LabelRequest, config: &'c Config) -> Vec<&'c Template> {
    indices(label_request, config)
        .into_iter()
        .map(|index| &config.templates[index])
        .collect()
}

/// The same as places in `config.templates`.
pub fn indices(label_request: &LabelRequest, config: &Config) -> Vec<usize> {
    let mut found: Vec<usize> = (0..config.templates.len())
        .filter(|&t| serves(label_request, &config.templates[t]))
        .collect();
    found.sort_by_key(|&t| config.templates[t].priority);
    found
}

fn serves(label_request: &LabelRequest, template: &Template) -> bool {
    is_served_by(label_request, template, &template.labels)
}

/// Returns whether a node of a template serves a label request if it has these labels.
pub fn is_served_by(label_request: &LabelRequest, template: &Template, labels: &Labels) -> bool {
    match label_request {
        LabelRequest::Label(label) => label.matches(labels),
        LabelRequest::Unlabelled => template.accepts_unlabelled && !is_exclusive(template),
        LabelRequest::Template(name) => *name == template.name,
        // A node without labels is wanted for itself: nothing tells that another could stand in for it.
        LabelRequest::Like { labels: wanted, .. } => !wanted.is_empty() && wanted.is_subset(labels),
        LabelRequest::Values(values) => !values.is_empty() && values.iter().all(|v| labels.contains(v)),
        LabelRequest::GoneNode(_) | LabelRequest::Unknown { .. } => false,
    }
}

/// Whether the nodes of a template take only jobs whose label asks for them. Of those that register themselves nobody
/// knows: Jenkins' list does not tell the mode.
fn is_exclusive(template: &Template) -> bool {
    template.register != Register::Own && template.agent.exclusive
}

/// Says in a sentence why a template does not serve a label request.
pub fn why_not(label_request: &LabelRequest, template: &Template) -> String {
    let name = &template.name;
    if serves(label_request, template) {
        return format!("\"{name}\" serves it");
    }
    match label_request {
        LabelRequest::Label(label) => why_not_label(label, template),
        LabelRequest::Unlabelled if is_exclusive(template) => {
            format!("\"{name}\" takes only jobs whose label asks for it (agent.mode: exclusive)")
        }
        LabelRequest::Unlabelled => format!("\"{name}\" does not accept jobs without a label (accepts_unlabelled)"),
        LabelRequest::Template(wanted) => format!("it waits for a node of \"{wanted}\", not of \"{name}\""),
        LabelRequest::Like { node, labels } if labels.is_empty() => {
            let node = shown(node.as_str());
            format!("node \"{node}\" has no labels of its own that \"{name}\" could have")
        }
        LabelRequest::Like { labels, .. } => lacks(name.as_str(), labels.difference(&template.labels)),
        LabelRequest::Values(values) => lacks(name.as_str(), values.iter().filter(|v| !template.labels.contains(*v))),
        LabelRequest::GoneNode(node) => gone(node.as_str()),
        LabelRequest::Unknown { reason, .. } => reason.to_string(),
    }
}

fn why_not_label(label: &Label, template: &Template) -> String {
    let atoms = atoms(label);
    let missing: Vec<&str> = atoms
        .iter()
        .copied()
        .filter(|atom| !template.labels.contains(*atom))
        .collect();
    if matches!(label.expr(), Expr::Atom(_)) {
        return lacks(template.name.as_str(), missing);
    }
    let missing = if missing.is_empty() {
        "none".to_owned()
    } else {
        visible(&missing.join(", "))
    };
    format!(
        "the labels of \"{}\" do not satisfy {} (of its labels it lacks: {missing})",
        template.name,
        visible(&label.to_string())
    )
}

fn lacks<'t>(name: &str, missing: impl IntoIterator<Item = impl AsRef<str> + 't>) -> String {
    let missing: Vec<String> = missing
        .into_iter()
        .map(|label| format!("\"{}\"", visible(label.as_ref())))
        .collect();
    format!("\"{name}\" lacks the label {}", missing.join(", "))
}

/// Says why nothing at all serves a label request.
pub fn why_none(label_request: &LabelRequest) -> String {
    match label_request {
        LabelRequest::Label(label) => format!("no template has the labels {}", visible(&label.to_string())),
        LabelRequest::Unlabelled => "no template accepts jobs without a label (accepts_unlabelled)".to_owned(),
        LabelRequest::Template(name) => format!("there is no template \"{name}\" any more"),
        LabelRequest::Like { node, labels } if labels.is_empty() => {
            let node = shown(node.as_str());
            format!("it waits for node \"{node}\", which has no labels that a template could have")
        }
        LabelRequest::Like { node, .. } => {
            let node = shown(node.as_str());
            format!("it waits for node \"{node}\", and no template has all labels of that node")
        }
        LabelRequest::Values(values) => format!("no template has all of the labels {}", visible(&values.join(", "))),
        LabelRequest::GoneNode(node) => gone(node.as_str()),
        LabelRequest::Unknown { reason, .. } => reason.to_string(),
    }
}

fn gone(node: &str) -> String {
    let node = shown(node);
    format!("it waits for node \"{node}\", which Jenkins no longer has; a new server would not help it")
}

/// Returns what a label request is called in reports; `None` where there is no label or it is not known.
pub fn label_request_text(label_request: &LabelRequest) -> Option<String> {
    match label_request {
        LabelRequest::Label(label) => Some(label.to_string()),
        LabelRequest::Unlabelled | LabelRequest::Unknown { .. } => None,
        LabelRequest::Template(name) => Some(name.to_string()),
        LabelRequest::Like { node, .. } | LabelRequest::GoneNode(node) => Some(node.to_string()),
        LabelRequest::Values(values) => Some(values.join("&&")),
    }
}

/// Returns every label on which it depends whether a node serves a label request.
pub fn labels_in(label_request: &LabelRequest) -> BTreeSet<&str> {
    match label_request {
        LabelRequest::Label(label) => atoms(label),
        LabelRequest::Like { labels, .. } => labels.iter().map(String::as_str).collect(),
        LabelRequest::Values(values) => values.iter().map(String::as_str).collect(),
        LabelRequest::Unlabelled
        | LabelRequest::Template(_)
        | LabelRequest::GoneNode(_)
        | LabelRequest::Unknown { .. } => BTreeSet::new(),
    }
}

/// Returns every atom of a label expression.
pub fn atoms(label: &Label) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut left = vec![label.expr()];
    while let Some(expr) = left.pop() {
        match expr {
            Expr::Atom(atom) => {
                found.insert(atom.as_str());
            }
            Expr::Not(a) | Expr::Paren(a) => left.push(a),
            Expr::And(a, b) | Expr::Or(a, b) | Expr::Implies(a, b) | Expr::Iff(a, b) => left.extend([&**a, &**b]),
        }
    }
    found
}
