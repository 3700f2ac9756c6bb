//! What fits twice or not at all, so that a person must clear it.

use crate::model::ProviderName;

/// Something that fits twice or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The node or server that it is about.
    pub subject: String,
    /// What fits, and what follows from it.
    pub sentence: String,
    /// The provider whose lists show it; `None`: those of all.
    pub provider: Option<ProviderName>,
}

impl Contradiction {
    /// Makes one that the lists of all providers show.
    pub fn new(subject: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            sentence: sentence.into(),
            provider: None,
        }
    }
}
