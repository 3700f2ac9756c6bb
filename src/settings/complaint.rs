//! What is wrong with a text that has no place yet, for whoever knows the place and makes the sentence.

use super::problem::quoted;

/// What is wrong with a text, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {action}")]
pub struct Complaint {
    /// What is wrong: `is not a duration`.
    pub what: &'static str,
    /// What to do: `write it like 40m`.
    pub action: &'static str,
    /// Whether `what` is a rule that the text breaks, like `must not be negative`.
    is_rule: bool,
}

impl Complaint {
    /// Says what a text is.
    pub const fn new(what: &'static str, action: &'static str) -> Self {
        Self {
            what,
            action,
            is_rule: false,
        }
    }

    /// Says what a text must be.
    pub const fn rule(what: &'static str, action: &'static str) -> Self {
        Self {
            what,
            action,
            is_rule: true,
        }
    }

    /// Makes the sentence that shows the text.
    pub fn about(self, text: &str) -> String {
        let Self { what, action, is_rule } = self;
        let text = quoted(text);
        if is_rule {
            format!("{what}, is {text}; {action}")
        } else {
            format!("{text} {what}; {action}")
        }
    }
}

impl From<Complaint> for String {
    fn from(complaint: Complaint) -> Self {
        complaint.to_string()
    }
}
