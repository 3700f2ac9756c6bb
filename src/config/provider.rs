//! `provider:`: which kind of cloud an entry is. What its keys mean is known to its kind alone.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::ProviderName;
use crate::provider::kind::{CloudSettings, Kind, MAX_SERVERS, Site, TYPE};
use crate::settings::check::{Checker, is_blank};
use crate::settings::files::Outside;
use crate::settings::key::{Schema, ValueKind};
use crate::settings::names;
use crate::settings::problem::{Place, join, quoted};
use crate::settings::secrets::password_variable;
use crate::settings::section::{Given, Section};
use crate::settings::yaml::{Entry, Node, Value};
use crate::text::did_you_mean;

use super::root::PROVIDER;

/// The kinds that others know and that may come.
const LATER: [&str; 11] = [
    "azure",
    "aws",
    "digitalocean",
    "digital_ocean",
    "docker",
    "ec2",
    "gce",
    "google",
    "kubernetes",
    "libvirt",
    "vsphere",
];

/// One entry of `provider:`.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name.
    pub name: ProviderName,
    /// What kind of cloud it is.
    pub kind: &'static Kind,
    /// How to get in; only the kind knows what is in it.
    pub settings: Box<dyn CloudSettings>,
    /// The most servers of ours here at a time; `None`: no bound of its own.
    pub max_servers: Option<u32>,
}

/// Returns the kind of an entry: by its type, else by its name. `Err` has the type that is none, where there is one.
fn kind_of<'e>(
    name: &str,
    keys: impl IntoIterator<Item = &'e Entry>,
    kinds: &[&'static Kind],
) -> Result<&'static Kind, Option<&'e str>> {
    let written = keys.into_iter().find(|entry| entry.key == TYPE.name);
    let find = |name: &str| kinds.iter().copied().find(|kind| kind.name == name);
    match written.map(|entry| &entry.value.value) {
        Some(Value::Scalar(text, _) | Value::Text(text, _)) => find(text).ok_or(Some(text)),
        None | Some(Value::Null) => find(name).ok_or(None),
        Some(_) => Err(None),
    }
}

/// Returns the names of the entries with their kinds, as far as they are known.
pub fn kinds_of<'t>(section: &Section<'t>, kinds: &[&'static Kind]) -> Vec<(&'t str, Option<&'static Kind>)> {
    let entries = section.names().zip(section.entries());
    entries
        .map(|(name, at)| (name, kind_of(name, at.keys(), kinds).ok()))
        .collect()
}

/// Checks the entries of a checked file against the keys of their kinds, and completes them from elsewhere.
pub fn check(root: &mut Node, checker: &Checker<'_>, outside: &Outside<'_>, kinds: &[&'static Kind]) {
    let Value::Map(sections) = &mut root.value else {
        return;
    };
    let section = sections.iter_mut().find(|entry| entry.key == PROVIDER.name);
    let Some((path, Value::Map(entries))) = section.map(|entry| (entry.written.clone(), &mut entry.value.value)) else {
        return;
    };
    for entry in entries.iter_mut() {
        entry_keys(entry, &join(&path, &entry.written.clone()), checker, kinds);
    }
    for kind in kinds {
        let own = entries.iter_mut();
        let mut own: Vec<&mut Entry> = own
            .filter(|entry| {
                matches!(entry.value.value, Value::Map(_))
                    && kind_of(&entry.key, entry.value.entries(), kinds).is_ok_and(|found| found.name == kind.name)
            })
            .collect();
        (kind.complete)(&mut own, checker, outside);
    }
}

fn entry_keys(entry: &mut Entry, path: &str, checker: &Checker<'_>, kinds: &[&'static Kind]) {
    let all: Vec<&'static Schema> = kinds.iter().map(|kind| kind.schema).collect();
    let kind = kind_of(&entry.key, entry.value.entries(), kinds).map_err(|written| written.is_some());
    match kind {
        Ok(kind) => {
            foreign_keys(&mut entry.value, path, kind, checker, kinds);
            checker.section(&mut entry.value, &[kind.schema], path);
        }
        Err(is_written) => {
            // The keys of a kind that there is not are not ours to judge.
            if let (true, Value::Map(keys)) = (is_written, &mut entry.value.value) {
                keys.retain(|key| key.key == TYPE.name);
            }
            checker.section(&mut entry.value, &all, path);
        }
    }
}

/// Reports keys of other kinds, and takes them out.
fn foreign_keys(node: &mut Node, path: &str, kind: &Kind, checker: &Checker<'_>, kinds: &[&'static Kind]) {
    let Value::Map(keys) = &mut node.value else {
        return;
    };
    keys.retain_mut(|key| {
        if kind.schema.key(&key.key).is_some() {
            return true;
        }
        let theirs = kinds
            .iter()
            .find_map(|other| Some((*other, other.schema.key(&key.key)?)));
        let Some((other, spec)) = theirs else {
            return true;
        };
        if matches!(spec.kind, ValueKind::TextOrNone) && is_blank(&key.value) {
            return false;
        }
        let path = join(path, &key.written);
        checker.value(&mut key.value, spec, &path);
        let action = match kind.without_foreign_keys {
            "" => format!("remove it, or write type: {}", other.name),
            action => action.to_owned(),
        };
        let place = Place { at: key.place(), path };
        let text = format!("belongs to type {}; {action}", other.name);
        checker.report.error(&place, text);
        false
    });
}

/// Reads all providers: none where the section was found wrong as a whole.
pub fn providers(
    root: &Section<'_>,
    site: &Site<'_>,
    kinds: &[&'static Kind],
) -> BTreeMap<ProviderName, ProviderConfig> {
    let section = root.section(&PROVIDER);
    if root.is_bad(&PROVIDER) {
        return BTreeMap::new();
    }
    if section.names().next().is_none() {
        let like = kinds.iter().map(|kind| kind.name).next().unwrap_or_default();
        root.error(&PROVIDER, format!("missing; name at least one cloud, like {like}"));
    }
    let mut providers = BTreeMap::new();
    for at in section.entries() {
        name_fits(&at);
        let kind = match kind_of(at.name(), at.keys(), kinds) {
            Ok(kind) => kind,
            Err(written) => {
                no_kind(&at, written, kinds);
                continue;
            }
        };
        let provider = ProviderConfig {
            name: ProviderName::new(at.name()),
            kind,
            settings: (kind.read)(&at, site),
            max_servers: at.get(&MAX_SERVERS),
        };
        providers.insert(provider.name.clone(), provider);
    }
    files_apart(&section, &providers, site.state_file);
    providers
}

fn name_fits(at: &Section<'_>) {
    let name = at.name();
    let good = !name.trim().is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    if !good || name.chars().count() > 100 {
        let text = "cannot be a provider's name; use letters, digits, - and _";
        at.report().error(&at.here(), text);
    } else {
        names::all_seen(&at.here(), name, at.report());
    }
    if password_variable(name) == "MITA_JENKINS_PASSWORD" {
        let text = "cannot be a provider's name, its password would be looked for in MITA_JENKINS_PASSWORD; rename it";
        at.report().error(&at.here(), text);
    }
}

/// Reports an entry of a kind that there is not; `written` is its type, where it has one.
fn no_kind(at: &Section<'_>, written: Option<&str>, kinds: &[&'static Kind]) {
    let all = |word: fn(&Kind) -> String, between: &str| {
        let words: Vec<String> = kinds.iter().map(|kind| word(kind)).collect();
        words.join(between)
    };
    match written {
        Some(kind) if LATER.contains(&kind) => {
            let use_these = all(|kind| kind.offer.to_owned(), ", or ");
            at.error(&TYPE, format!("type {kind} is not supported yet; use {use_these}"));
        }
        Some(kind) => {
            let hint = did_you_mean(kind, kinds.iter().map(|kind| kind.name));
            at.error(&TYPE, format!("{} is no type of provider{hint}", quoted(kind)));
        }
        // What is no text was reported as that.
        None if at.given(&TYPE) == Given::Value => {}
        None => {
            let types = all(|kind| format!("type: {}", kind.name), " or ");
            let text = format!("missing, and the name of the provider is none; write {types}");
            at.error(&TYPE, text);
        }
    }
}

/// Two providers in one file would undo each other's entries; the state file would be lost.
fn files_apart(section: &Section<'_>, providers: &BTreeMap<ProviderName, ProviderConfig>, state_file: &Path) {
    let mut seen = BTreeMap::from([(state_file, "the state file")]);
    for (name, provider) in providers {
        for (key, path) in provider.settings.files() {
            if let Some(other) = seen.insert(path, name.as_str()) {
                let text = format!("is the file of {other}, too; write another path, or true");
                section.below(name.as_str()).error(key, text);
            }
        }
    }
}
