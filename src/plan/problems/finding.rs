//! What a pass found to be wrong, and what it found to be over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{ProblemKind, ProviderName, problem_key};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is of.
    pub kind: ProblemKind,
    /// What it is about; may be empty.
    pub subject: String,
    /// What is wrong and what to do, without anything that changes from pass to pass.
    pub sentence: String,
    /// What changes from pass to pass.
    pub facts: BTreeMap<String, Value>,
    /// The provider whose lists show whether it lasts.
    pub provider: Option<ProviderName>,
    /// The digest of the template that it is about.
    pub config: Option<String>,
    /// What had been read when it was found.
    pub read: BTreeSet<String>,
}

impl Finding {
    /// Makes one without facts.
    pub fn new(kind: ProblemKind, subject: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            sentence: sentence.into(),
            facts: BTreeMap::new(),
            provider: None,
            config: None,
            read: BTreeSet::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Says whose lists show whether it lasts.
    #[must_use]
    pub fn at(mut self, provider: &ProviderName) -> Self {
        self.provider = Some(provider.clone());
        self
    }
}

/// What a pass found of problems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What is wrong, by key.
    pub found: BTreeMap<String, Finding>,
    /// The keys of open problems that are over, unless they were found, too.
    pub over: BTreeSet<String>,
}

impl Evidence {
    /// Adds a finding; the first of a key stays.
    pub fn add(&mut self, finding: Finding) {
        let key = problem_key(finding.kind, &finding.subject);
        self.found.entry(key).or_insert(finding);
    }

    /// Returns whether something of a kind and subject was found.
    pub fn has(&self, kind: ProblemKind, subject: &str) -> bool {
        self.found.contains_key(&problem_key(kind, subject))
    }
}
