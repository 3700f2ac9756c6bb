//! A mapping of the checked tree together with its path: how `validate` finds the place of what it complains about.

use super::problem::{Place, Pos, join};
use super::tree::{Entry, Node, Style, Value};

/// What can be said of a key before its value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The key is not there.
    Absent,
    /// The key is there and has no value.
    Empty,
    /// The key has a value, good or bad.
    Value,
}

/// A mapping and its place.
#[derive(Clone)]
pub struct At<'t> {
    node: Option<&'t Node>,
    name: String,
    here: Place,
}

impl<'t> At<'t> {
    /// The whole file.
    pub fn root(node: &'t Node) -> Self {
        let here = Place {
            at: Pos::START,
            path: String::new(),
        };
        Self {
            node: Some(node),
            name: String::new(),
            here,
        }
    }

    /// Goes into a section; one that is not there has the place of its parent.
    pub fn section(&self, key: &str) -> Self {
        let entry = self.entry(key);
        Self {
            node: entry.map(|entry| &entry.value),
            name: key.to_owned(),
            here: Place {
                at: entry.map_or(self.here.at, |entry| entry.at),
                path: entry.map_or_else(|| join(&self.here.path, key), |entry| self.path(entry)),
            },
        }
    }

    /// Returns whether a key came from `defaults`.
    pub fn is_inherited(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| entry.inherited)
    }

    /// Returns the names of the entries in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.node
            .into_iter()
            .flat_map(Node::entries)
            .map(|entry| entry.key.as_str())
    }

    /// Returns the key of the mapping itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the place of the mapping itself: its key.
    pub fn here(&self) -> Place {
        self.here.clone()
    }

    /// Returns what is there under a key. In a section that was found wrong as a whole nothing is missing.
    pub fn given(&self, key: &str) -> Given {
        if self.node.is_some_and(|node| matches!(node.value, Value::Bad)) {
            return Given::Value;
        }
        match self.entry(key).map(|entry| &entry.value.value) {
            None => Given::Absent,
            Some(Value::Null) => Given::Empty,
            Some(_) => Given::Value,
        }
    }

    /// Returns whether the mapping is there at all.
    pub fn exists(&self) -> bool {
        self.node.is_some()
    }

    /// Returns whether the mapping is there and not wrong as a whole.
    pub fn is_good(&self) -> bool {
        self.node.is_some_and(|node| !matches!(node.value, Value::Bad))
    }

    /// Returns whether a key has a value that was found wrong already.
    pub fn is_bad(&self, key: &str) -> bool {
        self.entry(key)
            .is_some_and(|entry| matches!(entry.value.value, Value::Bad))
    }

    /// Returns the place of a key: its value where that is one line, else the key; for a key that is not there, the
    /// mapping.
    pub fn place(&self, key: &str) -> Place {
        let Some(entry) = self.entry(key) else {
            return Place {
                at: self.here.at,
                path: join(&self.here.path, key),
            };
        };
        let compound = matches!(
            entry.value.value,
            Value::Null | Value::Map(_) | Value::List(_) | Value::Text(_, Style::Literal)
        );
        Place {
            at: if compound { entry.at } else { entry.value.at },
            path: self.path(entry),
        }
    }

    /// Returns the place of an item of a list.
    pub fn item(&self, key: &str, index: usize) -> Place {
        let place = self.place(key);
        let Some(Value::List(items)) = self.entry(key).map(|entry| &entry.value.value) else {
            return place;
        };
        // A single text that stands for a list has no index.
        let single = items.len() == 1 && self.entry(key).is_some_and(|entry| entry.value.at == items[0].at);
        Place {
            at: items.get(index).map_or(place.at, |item| item.at),
            path: if single {
                place.path
            } else {
                format!("{}[{index}]", place.path)
            },
        }
    }

    /// Goes into an item of a list of sections.
    pub fn item_section(&self, key: &str, index: usize) -> Self {
        let node = match self.entry(key).map(|entry| &entry.value.value) {
            Some(Value::List(items)) => items.get(index),
            _ => None,
        };
        Self {
            node,
            name: key.to_owned(),
            here: self.item(key, index),
        }
    }

    /// Returns the line of the file on which a literal block begins; the parser tells its first line that is not empty.
    pub fn block_line(&self, key: &str) -> Option<usize> {
        let value = &self.entry(key)?.value;
        let Value::Text(text, Style::Literal) = &value.value else {
            return None;
        };
        let empty = text.bytes().take_while(|b| *b == b'\n').count();
        value.at.line.checked_sub(empty)
    }

    fn entry(&self, key: &str) -> Option<&'t Entry> {
        self.node?.entry(key)
    }

    /// Returns whether a key was taken from elsewhere than the configuration file.
    pub fn is_elsewhere(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| entry.elsewhere.is_some())
    }

    fn path(&self, entry: &Entry) -> String {
        if let Some(path) = &entry.elsewhere {
            return path.clone();
        }
        let parent = if entry.inherited { "defaults" } else { &self.here.path };
        join(parent, &entry.written)
    }
}
