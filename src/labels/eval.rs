//! Evaluates a label expression over the labels of a node.

use super::{Expr, Labels};

impl Expr {
    /// Returns whether a node with these labels satisfies it.
    pub fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::Atom(name) => labels.contains(name),
            Self::Not(a) => !a.matches(labels),
            Self::And(a, b) => a.matches(labels) && b.matches(labels),
            Self::Or(a, b) => a.matches(labels) || b.matches(labels),
            Self::Implies(a, b) => !a.matches(labels) || b.matches(labels),
            Self::Iff(a, b) => a.matches(labels) == b.matches(labels),
            Self::Paren(a) => a.matches(labels),
        }
    }
}
