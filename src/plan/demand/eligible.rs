//! Which templates serve a wish, and why a template does not.
//!
//! Reading the wish out of the queue is left to `queue`.

use std::collections::BTreeSet;

use crate::config::{Config, Register, Template};
use crate::labels::{Expr, Label, Labels};
use crate::plan::words::shown;
use crate::queue::Wish;
use crate::text::visible;

/// Returns the templates that serve a wish, first choice first: by priority, then in the order of the file.
pub fn eligible<'c>(wish: &Wish, config: &'c Config) -> Vec<&'c Template> {
    indices(wish, config)
        .into_iter()
        .map(|index| &config.templates[index])
        .collect()
}

/// The same as places in `config.templates`.
pub fn indices(wish: &Wish, config: &Config) -> Vec<usize> {
    let mut found: Vec<usize> = (0..config.templates.len())
        .filter(|&t| serves(wish, &config.templates[t]))
        .collect();
    found.sort_by_key(|&t| config.templates[t].priority);
    found
}

fn serves(wish: &Wish, template: &Template) -> bool {
    is_served_by(wish, template, &template.labels)
}

/// Returns whether a node of a template serves a wish if it has these labels.
pub fn is_served_by(wish: &Wish, template: &Template, labels: &Labels) -> bool {
    match wish {
        Wish::Label(label) => label.matches(labels),
        Wish::Unlabelled => template.accepts_unlabelled && !is_exclusive(template),
        Wish::Template(name) => *name == template.name,
        // A node without labels is wanted for itself: nothing tells that another could stand in for it.
        Wish::Like { labels: wanted, .. } => !wanted.is_empty() && wanted.is_subset(labels),
        Wish::Values(values) => !values.is_empty() && values.iter().all(|v| labels.contains(v)),
        Wish::GoneNode(_) | Wish::Unknown { .. } => false,
    }
}

/// Whether the nodes of a template take only jobs whose label asks for them. Of those that register themselves nobody
/// knows: Jenkins' list does not tell the mode.
fn is_exclusive(template: &Template) -> bool {
    template.register != Register::Own && template.agent.exclusive
}

/// Says in a sentence why a template does not serve a wish.
pub fn why_not(wish: &Wish, template: &Template) -> String {
    let name = &template.name;
    if serves(wish, template) {
        return format!("\"{name}\" serves it");
    }
    match wish {
        Wish::Label(label) => why_not_label(label, template),
        Wish::Unlabelled if is_exclusive(template) => {
            format!("\"{name}\" takes only jobs whose label asks for it (agent.mode: exclusive)")
        }
        Wish::Unlabelled => format!("\"{name}\" does not accept jobs without a label (accepts_unlabelled)"),
        Wish::Template(wanted) => format!("it waits for a node of \"{wanted}\", not of \"{name}\""),
        Wish::Like { node, labels } if labels.is_empty() => {
            let node = shown(node.as_str());
            format!("node \"{node}\" has no labels of its own that \"{name}\" could have")
        }
        Wish::Like { labels, .. } => lacks(name.as_str(), labels.difference(&template.labels)),
        Wish::Values(values) => lacks(name.as_str(), values.iter().filter(|v| !template.labels.contains(*v))),
        Wish::GoneNode(node) => gone(node.as_str()),
        Wish::Unknown { reason, .. } => reason.to_string(),
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

/// Says why nothing at all serves a wish.
pub fn why_none(wish: &Wish) -> String {
    match wish {
        Wish::Label(label) => format!("no template has the labels {}", visible(&label.to_string())),
        Wish::Unlabelled => "no template accepts jobs without a label (accepts_unlabelled)".to_owned(),
        Wish::Template(name) => format!("there is no template \"{name}\" any more"),
        Wish::Like { node, labels } if labels.is_empty() => {
            let node = shown(node.as_str());
            format!("it waits for node \"{node}\", which has no labels that a template could have")
        }
        Wish::Like { node, .. } => {
            let node = shown(node.as_str());
            format!("it waits for node \"{node}\", and no template has all labels of that node")
        }
        Wish::Values(values) => format!("no template has all of the labels {}", visible(&values.join(", "))),
        Wish::GoneNode(node) => gone(node.as_str()),
        Wish::Unknown { reason, .. } => reason.to_string(),
    }
}

fn gone(node: &str) -> String {
    let node = shown(node);
    format!("it waits for node \"{node}\", which Jenkins no longer has; a new server would not help it")
}

/// Returns what a wish is called in reports; `None` where there is no label or it is not known.
pub fn wish_text(wish: &Wish) -> Option<String> {
    match wish {
        Wish::Label(label) => Some(label.to_string()),
        Wish::Unlabelled | Wish::Unknown { .. } => None,
        Wish::Template(name) => Some(name.to_string()),
        Wish::Like { node, .. } | Wish::GoneNode(node) => Some(node.to_string()),
        Wish::Values(values) => Some(values.join("&&")),
    }
}

/// Returns every label on which it depends whether a node serves a wish.
pub fn labels_in(wish: &Wish) -> BTreeSet<&str> {
    match wish {
        Wish::Label(label) => atoms(label),
        Wish::Like { labels, .. } => labels.iter().map(String::as_str).collect(),
        Wish::Values(values) => values.iter().map(String::as_str).collect(),
        Wish::Unlabelled | Wish::Template(_) | Wish::GoneNode(_) | Wish::Unknown { .. } => BTreeSet::new(),
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
