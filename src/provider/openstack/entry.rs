//! The entries of lists: each has an id, and fields that may be unreadable, which is noted.

use super::odd::Oddities;
use crate::lenient::Odd;

/// An entry of a list.
pub(super) trait ListEntry {
    /// The noun for messages.
    const NOUN: &'static str;

    /// Returns its id; empty where that cannot be read.
    fn id(&self) -> &str;

    /// Returns its fields, each with what it holds instead of what it should.
    fn odd(&self) -> Vec<(&'static str, Odd)> {
        Vec::new()
    }

    /// Notes its unreadable fields. Returns whether it can be used: an entry without an id cannot.
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
