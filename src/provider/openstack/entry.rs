//! What the lists are made of: things with an id, of which what cannot be read is noted.

use super::odd::Oddities;
use crate::lenient::Odd;

/// What a list is made of.
pub(super) trait ListEntry {
    /// What one is called.
    const NOUN: &'static str;

    /// Returns its id; empty where that cannot be read.
    fn id(&self) -> &str;

    /// Returns its fields, each with what it holds instead of what it should.
    fn odd(&self) -> Vec<(&'static str, Odd)> {
        Vec::new()
    }

    /// Notes what of it cannot be read. Returns whether it can be used: what has no id cannot.
    fn is_usable(&self, oddities: &mut Oddities) -> bool {
        for (field, odd) in self.odd() {
            if let Some(odd) = odd {
                oddities.note(Self::NOUN, self.id(), &format!("{field} is {odd}"));
            }
        }
        if self.id().is_empty() {
            oddities.note(Self::NOUN, "", "one without a readable id is left out");
        }
        !self.id().is_empty()
    }
}
