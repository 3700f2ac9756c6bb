//! What the clouds of a template ask of it, as far as that depends on their kind.

use crate::model::ServerSpec;
use crate::provider::kind::Kind;
use crate::settings::key::KeySpec;
use crate::settings::section::{Given, Section};

/// The entries of `provider:` with their kinds.
pub struct Known<'k> {
    /// By name, good entries and bad ones; `None` where the section itself is bad. The kind of a bad entry may be unknown.
    pub entries: Option<Vec<(&'k str, Option<&'static Kind>)>>,
    /// All kinds that there are.
    pub kinds: &'k [&'static Kind],
}

impl<'k> Known<'k> {
    /// Returns the clouds of a template by the names that it has.
    pub fn clouds_of(&'k self, names: &[String]) -> Clouds<'k> {
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

    /// Reads the keys of a template that are for the kinds of its clouds alone, and reports those of other kinds.
    pub fn read(&self, at: &Section<'_>, spec: &mut ServerSpec) {
        let has = |kind: &Kind| self.known().any(|known| known.name == kind.name);
        for kind in self.all.iter().filter(|kind| has(kind)) {
            (kind.read_node)(at, kind.node_keys, spec);
        }
        if !at.is_good() {
            return;
        }
        let knows = |kind: &Kind, key: &KeySpec| kind.node_keys.all().any(|own| own.name == key.name);
        for key in self.all.iter().flat_map(|kind| kind.node_keys.all()) {
            if at.given(key) != Given::Value || at.is_bad(key) || self.known().any(|kind| knows(kind, key)) {
                continue;
            }
            let theirs = self.all.iter().filter(|kind| knows(kind, key)).map(|kind| kind.name);
            let theirs: Vec<&str> = theirs.collect();
            let text = format!(
                "is for providers of type {}, and this template has none; remove it",
                theirs.join(" or ")
            );
            at.error(key, text);
        }
    }

    /// Whether a server needs an image and a size: at one of them, or where there is none yet.
    pub fn need_image(&self) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| kind.is_none_or(|kind| kind.needs_image))
    }

    /// The most bytes of user data in Base64 that all of them take.
    pub fn max_user_data(&self) -> Option<usize> {
        // One that could not be found may be of any kind.
        let is_known = !self.kinds.is_empty() && self.kinds.iter().all(Option::is_some);
        let all = self.all.iter().copied().filter(|_| !is_known);
        self.known().chain(all).filter_map(|kind| kind.max_user_data).min()
    }
}
