//! The section reader: typed values out of a checked tree, and the places of what is wrong with them.
//!
//! Types, words and bounds were checked before, by `check`; here a value is there, or its default is.

use super::key::{Key, KeySpec, Nested, Preset};
use super::problem::{Place, Pos, Report, append_index, join};
use super::value::Setting;
use super::yaml::{Entry, Node, Style, Value};

/// Whether a key is there, before its value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The key is not there.
    Absent,
    /// The key is there and has no value.
    Empty,
    /// The key has a value, good or bad.
    Value,
}

/// An item of a list.
pub enum ListItem<'t> {
    /// A text and its place.
    Text(&'t str, Place),
    /// A section.
    Section(Section<'t>),
}

/// A mapping, its place, and where problems with it go.
#[derive(Clone)]
pub struct Section<'t> {
    node: Option<&'t Node>,
    name: String,
    here: Place,
    report: &'t Report,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub fn root(node: &'t Node, report: &'t Report) -> Self {
        let here = Place {
            at: Pos::START,
            path: String::new(),
        };
        Self {
            node: Some(node),
            name: String::new(),
            here,
            report,
        }
    }

    /// A section that is not there: every key has its default.
    pub fn absent(report: &'t Report) -> Self {
        Self {
            node: None,
            name: String::new(),
            here: Place::file(),
            report,
        }
    }

    /// Returns the value of a key, or its default.
    pub fn get<T: Setting>(&self, key: &Key<T>) -> T {
        T::read(self.value(key), key)
    }

    /// Returns the value of a key whose default is never more than the value of another key.
    pub fn get_capped<T: Setting + Ord>(&self, key: &Key<T>) -> T {
        let own = self.get(key);
        match key.preset {
            Preset::AtMost(_, other) if self.value(key).is_none() => own.min(T::read(self.value(other), other)),
            _ => own,
        }
    }

    /// Returns what is there under a key and has its type.
    pub fn value(&self, key: &KeySpec) -> Option<&'t Value> {
        let value = &self.entry(key.name)?.value.value;
        (!matches!(value, Value::Null | Value::Bad)).then_some(value)
    }

    /// Goes into a section; one that is not there has the place of its parent.
    #[must_use]
    pub fn section(&self, key: &Key<Nested>) -> Self {
        self.below(key.name)
    }

    /// Goes into the section of a key that takes other things, too; `None` where it has none.
    pub fn section_in<T>(&self, key: &Key<T>) -> Option<Self> {
        matches!(self.value(key)?, Value::Map(_)).then(|| self.below(key.name))
    }

    /// Goes into an entry of sections by name.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        let entry = self.entry(key);
        Self {
            node: entry.map(|entry| &entry.value),
            name: key.to_owned(),
            here: Place {
                at: entry.map_or(self.here.at, |entry| entry.at),
                path: entry.map_or_else(|| join(&self.here.path, key), |entry| self.path(entry)),
            },
            report: self.report,
        }
    }

    /// Returns the items of a list that are texts or sections; `None` where the key has no list.
    pub fn items(&self, key: &KeySpec) -> Option<Vec<ListItem<'t>>> {
        let Value::List(items) = self.value(key)? else {
            return None;
        };
        let list = self.place(key);
        let item = |(index, node): (usize, &'t Node)| match &node.value {
            Value::Text(text, _) => Some(ListItem::Text(text, self.item_of(key, &list, index))),
            Value::Map(_) => Some(ListItem::Section(Self {
                node: Some(node),
                name: key.name.to_owned(),
                here: self.item_of(key, &list, index),
                report: self.report,
            })),
            _ => None,
        };
        Some(items.iter().enumerate().filter_map(item).collect())
    }

    /// Returns the entries of sections by name, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Self> {
        self.names().map(|name| self.below(name))
    }

    /// Returns the names of the entries below a key; `None` where it was found wrong as a whole.
    pub fn names_below(&self, key: &Key<Nested>) -> Option<Vec<&'t str>> {
        (!self.is_bad(key)).then(|| self.section(key).names().collect())
    }

    /// Returns the names of the entries in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.node
            .into_iter()
            .flat_map(Node::entries)
            .map(|entry| entry.key.as_str())
    }

    /// Returns the keys with their values as they are in the checked tree.
    pub fn keys(&self) -> &'t [Entry] {
        self.node.map_or(&[], Node::entries)
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
    pub fn given(&self, key: &KeySpec) -> Given {
        if self.node.is_some_and(|node| matches!(node.value, Value::Bad)) {
            return Given::Value;
        }
        match self.entry(key.name).map(|entry| &entry.value.value) {
            None => Given::Absent,
            Some(Value::Null) => Given::Empty,
            Some(_) => Given::Value,
        }
    }

    /// Returns whether a key has a good value.
    pub fn has(&self, key: &KeySpec) -> bool {
        self.value(key).is_some()
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
    pub fn is_bad(&self, key: &KeySpec) -> bool {
        self.entry(key.name)
            .is_some_and(|entry| matches!(entry.value.value, Value::Bad))
    }

    /// Returns whether a key came from `defaults`.
    pub fn is_inherited(&self, key: &KeySpec) -> bool {
        self.entry(key.name).is_some_and(|entry| entry.inherited)
    }

    /// Returns whether a key was taken from elsewhere than the configuration file.
    pub fn is_elsewhere(&self, key: &KeySpec) -> bool {
        self.entry(key.name).is_some_and(|entry| entry.elsewhere.is_some())
    }

    /// Returns the place of a key: its value where that is one line, else the key; for a key that is not there, the
    /// mapping.
    pub fn place(&self, key: &KeySpec) -> Place {
        self.place_of(key.name)
    }

    /// Returns the place of an entry of a mapping of names.
    pub fn place_of(&self, key: &str) -> Place {
        let Some(entry) = self.entry(key) else {
            return Place {
                at: self.here.at,
                path: join(&self.here.path, key),
            };
        };
        Place {
            at: entry.place(),
            path: self.path(entry),
        }
    }

    /// Returns the place of an item of a list.
    pub fn item(&self, key: &KeySpec, index: usize) -> Place {
        self.item_of(key, &self.place(key), index)
    }

    /// Returns the places of so many items of a list.
    pub fn items_at(&self, key: &KeySpec, count: usize) -> Vec<Place> {
        let list = self.place(key);
        (0..count).map(|index| self.item_of(key, &list, index)).collect()
    }

    /// Does what [`Self::item`] does, for a list whose place is known.
    fn item_of(&self, key: &KeySpec, list: &Place, index: usize) -> Place {
        let entry = self.entry(key.name);
        let Some((entry, Value::List(items))) = entry.map(|entry| (entry, &entry.value.value)) else {
            return list.clone();
        };
        // A single text in the place of a list has no index.
        let single = items.len() == 1 && entry.value.at == items[0].at;
        let mut path = String::with_capacity(list.path.len() + "[0000]".len());
        path.push_str(&list.path);
        if !single {
            append_index(&mut path, index);
        }
        Place {
            at: items.get(index).map_or(list.at, |item| item.at),
            path,
        }
    }

    /// Returns the line of the file on which a literal block begins; the parser knows its first line that is not empty.
    pub fn block_line(&self, key: &KeySpec) -> Option<usize> {
        let value = &self.entry(key.name)?.value;
        let Value::Text(text, Style::Literal) = &value.value else {
            return None;
        };
        let empty = text.bytes().take_while(|b| *b == b'\n').count();
        value.at.line.checked_sub(empty)
    }

    /// Returns whether a text is written without quotes and not as a block.
    pub fn is_plain(&self, key: &KeySpec) -> bool {
        let value = self.entry(key.name).map(|entry| &entry.value.value);
        matches!(value, Some(Value::Text(_, Style::Plain)))
    }

    /// Returns whether a text is written as a folded block, which puts its lines together.
    pub fn is_folded(&self, key: &KeySpec) -> bool {
        let value = self.entry(key.name).map(|entry| &entry.value.value);
        matches!(value, Some(Value::Text(_, Style::Folded)))
    }

    /// Reports a problem with the value of a key.
    pub fn error(&self, key: &KeySpec, text: impl Into<String>) {
        self.report.error(&self.place(key), text);
    }

    /// Reports a warning that each pass prints.
    pub fn warn(&self, key: &KeySpec, text: impl Into<String>) {
        self.report.warn(&self.place(key), text);
    }

    /// Reports a warning that `check` alone prints.
    pub fn warn_in_check(&self, key: &KeySpec, text: impl Into<String>) {
        self.report.warn_in_check(&self.place(key), text);
    }

    /// Reports a hint, which `check` alone prints.
    pub fn hint(&self, key: &KeySpec, text: impl Into<String>) {
        self.report.hint(&self.place(key), text);
    }

    /// Returns where problems go.
    pub fn report(&self) -> &'t Report {
        self.report
    }

    /// Returns a key with its value.
    pub fn entry(&self, key: &str) -> Option<&'t Entry> {
        self.node?.entry(key)
    }

    fn path(&self, entry: &Entry) -> String {
        if let Some(path) = &entry.elsewhere {
            return path.clone();
        }
        let parent = if entry.inherited { "defaults" } else { &self.here.path };
        join(parent, &entry.written)
    }
}
