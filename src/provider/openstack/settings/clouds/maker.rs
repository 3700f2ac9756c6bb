//! Collects the keys that a provider gets from an entry: only those it does not have itself. Pure.

use crate::settings::check::Checker;
use crate::settings::key::KeySpec;
use crate::settings::problem::{Place, Pos, Report, join};
use crate::settings::yaml::{Entry, Node, Value};

use super::super::keys::{APPLICATION_CREDENTIAL_SECRET, PASSWORD, PASSWORD_FILE, SERVICE_REGION, TOKEN};
use super::files::CloudFiles;
use super::layers::{Layers, Located};

/// The keys that hold a secret, or name its file; a provider has one of them.
pub static SECRETS: [&KeySpec; 4] = [
    PASSWORD.spec(),
    PASSWORD_FILE.spec(),
    APPLICATION_CREDENTIAL_SECRET.spec(),
    TOKEN.spec(),
];

/// A key of a provider, with its spellings in an entry.
pub type Spelled<'s> = (&'static KeySpec, &'s [&'s str]);

/// What is known of a provider and of the entry, and what comes of it.
pub struct Maker<'m, 't> {
    /// The keys of the provider itself.
    pub own: &'m [Entry],
    pub layers: Layers<'t>,
    /// The files; `None` for the environment.
    pub found: Option<&'m CloudFiles>,
    pub report: &'m Report,
    /// What gives a value the type of its key.
    pub checker: &'m Checker<'m>,
    /// What the provider gets.
    pub keys: Vec<Entry>,
}

impl<'t> Maker<'_, 't> {
    /// Returns whether the provider has a key by now.
    pub fn has(&self, key: &KeySpec) -> bool {
        self.own.iter().chain(&self.keys).any(|entry| entry.is(key))
    }

    /// Returns whether it has one of these keys.
    pub fn has_any(&self, keys: &[&KeySpec]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Gives the provider a key of the entry, unless it has it.
    pub fn put(&mut self, key: &'static KeySpec, located: &Located<'t>) {
        if self.has(key) {
            return;
        }
        let value = match &located.entry.value.value {
            Value::Scalar(text, style) => Value::Scalar(text.clone(), *style),
            // A region in a list of plain names.
            Value::List(items) if key.name == SERVICE_REGION.name => match items.first().map(|item| &item.value) {
                Some(Value::Scalar(text, style)) => Value::Scalar(text.clone(), *style),
                _ => Value::Bad,
            },
            _ => {
                self.report
                    .error(&located.place(), "must be a text; write it on one line");
                Value::Bad
            }
        };
        self.add(key, located, value);
    }

    /// Gives the provider a key with the place of a value.
    pub fn add(&mut self, key: &'static KeySpec, located: &Located<'t>, value: Value) {
        let place = located.place();
        let mut value = Node { at: place.at, value };
        self.checker.value(&mut value, key, &place.path);
        self.keys
            .push(Entry::from_elsewhere(key.name, located.entry.at, value, place.path));
    }

    /// Takes a key of the entry itself.
    pub fn top(&mut self, key: &'static KeySpec, spellings: &[&str]) {
        if let Some(located) = self.layers.top(spellings) {
            self.put(key, &located);
        }
    }

    /// Takes a key of the login; returns whether the entry has it.
    pub fn auth(&mut self, key: &'static KeySpec, spellings: &[&str]) -> bool {
        let located = self.layers.auth(spellings);
        if let Some(located) = &located {
            self.put(key, located);
        }
        located.is_some()
    }

    /// Takes the id of something, else its name; neither where the provider has one of the two.
    pub fn either(&mut self, (id, ids): Spelled<'_>, (name, names): Spelled<'_>) -> bool {
        self.has_any(&[id, name]) || self.auth(id, ids) || self.auth(name, names)
    }

    /// Takes a secret, unless the provider has one; a file that others can read is hinted at.
    pub fn secret(&mut self, key: &'static KeySpec, spelling: &str) {
        let Some(located) = self.layers.auth(&[spelling]).filter(|_| !self.has_any(&SECRETS)) else {
            return;
        };
        self.put(key, &located);
        let number = located.entry.at.file;
        let mut files = self.found.into_iter().flat_map(CloudFiles::files);
        if let Some(file) = files.find(|file| file.number == number && file.readable) {
            let mut place = Place::file();
            place.at.file = file.number;
            let text = "holds a secret and can be read by others; chmod 600 it";
            self.report.warn_in_check(&place, text);
        }
    }

    /// Reports a key that neither the provider nor the entry has.
    pub fn missing(&mut self, key: &KeySpec, written: &str, what: &str, provider: &Place) {
        if let Some(file) = self.found {
            let mut place = self.layers.place();
            place.path = join(&join(&place.path, "auth"), written);
            debug_assert!(file.clouds.number > 0);
            self.report.error(&place, format!("missing; {what}"));
        } else {
            let variable = format!("OS_{}", written.to_ascii_uppercase());
            let text = format!("the environment has no {variable}; set it, or the provider's own keys");
            self.report.error(provider, text);
        }
        self.stop(&[key]);
    }

    /// Keeps what is missing from being reported again.
    pub fn stop(&mut self, keys: &[&KeySpec]) {
        for key in keys.iter().filter(|key| !self.has(key)).collect::<Vec<_>>() {
            let node = Node {
                at: Pos::START,
                value: Value::Bad,
            };
            self.keys
                .push(Entry::from_elsewhere(key.name, Pos::START, node, String::new()));
        }
    }
}
