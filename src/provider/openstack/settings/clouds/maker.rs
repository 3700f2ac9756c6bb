//! Collects the keys that a provider gets from an entry: only those it does not have itself. Pure.

use crate::settings::check::Checker;
use crate::settings::problem::{Place, Pos, Report, join};
use crate::settings::yaml::{Entry, Node, Value};

use super::super::keys::OPENSTACK;
use super::files::Found;
use super::layers::{Layers, Told};

/// The keys that hold a secret, or name its file; a provider has one of them.
const SECRETS: [&str; 4] = ["password", "password_file", "application_credential_secret", "token"];

/// What is known of a provider and of the entry, and what comes of it.
pub struct Maker<'m, 't> {
    /// What the provider says itself.
    pub own: &'m [Entry],
    /// The entry.
    pub layers: Layers<'t>,
    /// The files; `None` for the environment.
    pub found: Option<&'m Found>,
    /// Where problems go.
    pub report: &'m Report,
    /// What gives a value the type of its key.
    pub checker: &'m Checker<'m>,
    /// What the provider gets.
    pub keys: Vec<Entry>,
}

impl<'t> Maker<'_, 't> {
    /// Returns whether the provider has a key by now.
    pub fn has(&self, key: &str) -> bool {
        self.own.iter().chain(&self.keys).any(|entry| entry.key == key)
    }

    /// Returns whether it has one of these keys.
    pub fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Gives the provider a key that is told, unless it has it.
    pub fn put(&mut self, key: &str, told: &Told<'t>) {
        if self.has(key) {
            return;
        }
        let value = match &told.entry.value.value {
            Value::Scalar(text, style) => Value::Scalar(text.clone(), *style),
            // A region in a list of plain names.
            Value::List(items) if key == "service_region" => match items.first().map(|item| &item.value) {
                Some(Value::Scalar(text, style)) => Value::Scalar(text.clone(), *style),
                _ => Value::Bad,
            },
            _ => {
                self.report.error(&told.place(), "must be a text; write it on one line");
                Value::Bad
            }
        };
        self.add(key, told, value);
    }

    /// Gives the provider a key with the place of what is told.
    pub fn add(&mut self, key: &str, told: &Told<'t>, value: Value) {
        let place = told.place();
        let mut value = Node { at: place.at, value };
        if let Some(spec) = OPENSTACK.key(key) {
            self.checker.value(&mut value, spec, &place.path);
        }
        self.keys
            .push(Entry::from_elsewhere(key, told.entry.at, value, place.path));
    }

    /// Takes a key of the entry itself.
    pub fn top(&mut self, key: &str, spellings: &[&str]) {
        if let Some(told) = self.layers.top(spellings) {
            self.put(key, &told);
        }
    }

    /// Takes a key of the login; returns whether the entry has it.
    pub fn auth(&mut self, key: &str, spellings: &[&str]) -> bool {
        let told = self.layers.auth(spellings);
        if let Some(told) = &told {
            self.put(key, told);
        }
        told.is_some()
    }

    /// Takes the id of something, else its name; neither where the provider says one of the two.
    pub fn either(&mut self, (id, ids): (&str, &[&str]), (name, names): (&str, &[&str])) -> bool {
        self.has_any(&[id, name]) || self.auth(id, ids) || self.auth(name, names)
    }

    /// Takes a secret, unless the provider says one; a file that others can read is hinted at.
    pub fn secret(&mut self, spelling: &str) {
        let Some(told) = self.layers.auth(&[spelling]).filter(|_| !self.has_any(&SECRETS)) else {
            return;
        };
        self.put(spelling, &told);
        let number = told.entry.at.file;
        let mut files = self.found.into_iter().flat_map(Found::files);
        if let Some(file) = files.find(|file| file.number == number && file.readable) {
            let mut place = Place::file();
            place.at.file = file.number;
            let text = "holds a secret and can be read by others; chmod 600 it";
            self.report.hint(&place, text);
        }
    }

    /// Reports what neither the provider nor the entry says.
    pub fn missing(&mut self, key: &str, written: &str, what: &str, provider: &Place) {
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
    pub fn stop(&mut self, keys: &[&str]) {
        for key in keys.iter().filter(|key| !self.has(key)).collect::<Vec<_>>() {
            let node = Node {
                at: Pos::START,
                value: Value::Bad,
            };
            self.keys
                .push(Entry::from_elsewhere(key, Pos::START, node, String::new()));
        }
    }
}
