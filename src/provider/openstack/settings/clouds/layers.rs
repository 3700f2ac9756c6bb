//! Several mappings laid over each other: the region's values, secure.yaml, clouds.yaml. Pure.

use crate::settings::problem::{Place, join};
use crate::settings::yaml::{Entry, Node, Value};

/// Mappings, the first of which wins.
#[derive(Default)]
pub struct Layers<'t> {
    layers: Vec<(&'t Node, String)>,
}

/// A value and its path.
#[derive(Clone)]
pub struct Located<'t> {
    /// The entry.
    pub entry: &'t Entry,
    /// Its whole path.
    pub path: String,
}

impl Located<'_> {
    /// Returns its place, for a message.
    pub fn place(&self) -> Place {
        let at = match self.entry.value.value {
            Value::Map(_) | Value::List(_) => self.entry.at,
            _ => self.entry.value.at,
        };
        Place {
            at,
            path: self.path.clone(),
        }
    }

    /// Returns a text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.entry.value.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }
}

impl<'t> Layers<'t> {
    /// One mapping alone.
    pub fn single(node: &'t Node, path: &str) -> Self {
        let mut layers = Self::default();
        layers.push(node, path);
        layers
    }

    /// Adds a mapping below the others.
    pub fn push(&mut self, node: &'t Node, path: &str) {
        self.layers.push((node, path.to_owned()));
    }

    /// Puts a mapping over the others.
    pub fn push_over(&mut self, node: &'t Node, path: String) {
        self.layers.insert(0, (node, path));
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Returns the mappings with their paths.
    pub fn all(&self) -> impl Iterator<Item = &(&'t Node, String)> {
        self.layers.iter()
    }

    /// Returns the place of the whole.
    pub fn place(&self) -> Place {
        let last = self.layers.last();
        Place {
            at: last.map(|(node, _)| node.at).unwrap_or_default(),
            path: last.map(|(_, path)| path.clone()).unwrap_or_default(),
        }
    }

    /// Finds a key of the entry itself, by the first of its spellings that is there.
    pub fn top(&self, spellings: &[&str]) -> Option<Located<'t>> {
        self.layers.iter().find_map(|(node, path)| find(node, path, spellings))
    }

    /// Finds a key as [`top`](Self::top) does, and passes over empty texts.
    pub fn top_filled(&self, spellings: &[&str]) -> Option<Located<'t>> {
        let mut found = self
            .layers
            .iter()
            .filter_map(|(node, path)| find(node, path, spellings));
        found.find(|located| located.text().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Finds a key of the login: under `auth`, or beside it as some write it.
    pub fn auth(&self, spellings: &[&str]) -> Option<Located<'t>> {
        self.layers.iter().find_map(|(node, path)| {
            let auth = node.entry("auth").map(|auth| &auth.value);
            auth.and_then(|auth| find(auth, &join(path, "auth"), spellings))
                .or_else(|| find(node, path, spellings))
        })
    }
}

fn find<'t>(node: &'t Node, path: &str, spellings: &[&str]) -> Option<Located<'t>> {
    spellings.iter().find_map(|spelling| {
        let same = |entry: &&Entry| entry.key.len() == spelling.len() && entry.key.replace('-', "_") == *spelling;
        let entry = node.entries().iter().find(same)?;
        let there = !matches!(entry.value.value, Value::Null);
        there.then(|| Located {
            entry,
            path: entry.elsewhere.clone().unwrap_or_else(|| join(path, &entry.written)),
        })
    })
}
