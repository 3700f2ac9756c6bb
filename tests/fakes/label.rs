//! Label expressions as the fake Jenkins reads and prints them: a thin face of the program's own reader, which has its
//! own tests against the real parser's verdicts.

use std::collections::BTreeSet;

use mita::labels::Label;

/// A label a task asks for.
#[derive(Clone, Debug)]
pub struct Asked(Label);

impl Asked {
    /// `None` for an empty text.
    pub fn read(raw: &str) -> Option<Self> {
        Label::read(raw).map(Self)
    }

    /// As Jenkins prints it in a message.
    pub fn printed(&self) -> String {
        self.0.to_string()
    }

    pub fn matches(&self, labels: &BTreeSet<String>) -> bool {
        self.0.matches(labels)
    }
}
