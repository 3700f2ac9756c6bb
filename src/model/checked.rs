//! What a look at a service showed, for `check --online`: one sentence each.

/// What a service has of what the configuration names, what it lacks, and what an operator should know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is there: `image "Ubuntu 22.04" = edd1b4ce, 2026-01-01`.
    pub found: Vec<String>,
    /// What is missing or cannot be read, and what will not work without it.
    pub missing: Vec<String>,
    /// What works, though not as it should.
    pub warnings: Vec<String>,
    /// What may well be meant, and what cannot be told from here.
    pub hints: Vec<String>,
}

impl Checked {
    /// Adds what a further look showed.
    pub fn extend(&mut self, more: Self) {
        self.found.extend(more.found);
        self.missing.extend(more.missing);
        self.warnings.extend(more.warnings);
        self.hints.extend(more.hints);
    }
}
