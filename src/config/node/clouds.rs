//! What the clouds of a template ask of it, as far as that depends on their kind.

use crate::provider::kind::Kind;

/// The entries of `provider:` with their kinds.
pub struct Known<'k> {
    /// By name, good entries and bad ones; `None` where the section itself is bad. The kind of a bad entry may be unknown.
    pub entries: Option<Vec<(&'k str, Option<&'static Kind>)>>,
    /// All kinds that there are.
    pub kinds: &'k [&'static Kind],
}

impl<'k> Known<'k> {
    /// Returns the clouds of a template by the names that it has.
    pub fn of(&'k self, names: &[String]) -> Clouds<'k> {
        let entries = self.entries.as_deref().unwrap_or_default();
        let kind = |name: &String| entries.iter().find(|(known, _)| known == name)?.1;
        Clouds {
            kinds: names.iter().map(kind).collect(),
            all: self.kinds,
        }
    }
}

/// The kinds of the clouds of one template.
pub struct Clouds<'k> {
    kinds: Vec<Option<&'static Kind>>,
    all: &'k [&'static Kind],
}

impl Clouds<'_> {
    fn known(&self) -> impl Iterator<Item = &'static Kind> {
        self.kinds.iter().copied().flatten()
    }

    /// Whether one of them is told `options`.
    pub fn takes_options(&self) -> bool {
        self.known().any(|kind| kind.takes_options)
    }

    /// Names the kinds that are told `options`.
    pub fn kinds_with_options(&self) -> String {
        let kinds = self.all.iter().filter(|kind| kind.takes_options);
        kinds.map(|kind| kind.name).collect::<Vec<_>>().join(" or ")
    }

    /// Whether a server needs an image and a size: at one of them, or where there is none yet.
    pub fn need_image(&self) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.is_none_or(|kind| kind.needs_image))
    }

    /// The most bytes of user data in Base64 that all of them take.
    pub fn max_user_data(&self) -> Option<usize> {
        self.known().filter_map(|kind| kind.max_user_data).min()
    }
}
