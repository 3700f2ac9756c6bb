//! Writes the effective configuration: the values of the file, the defaults of the keys that it leaves out, and a comment
//! with the source of each value that is not written at its place.
//!
//! What is written is itself a configuration that means the same, apart from the secrets.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_yaml::{Mapping, Value as Yaml};

use crate::provider::kind::TYPE;
use crate::settings::duration::show_size;
use crate::settings::key::{KeySpec, Need, Preset, Schema, ValueKind as Takes};
use crate::settings::section::Section;
use crate::settings::url::without_password;
use crate::settings::value::preset;
use crate::settings::yaml::{Entry, Value};
use crate::text::{decimal, span, visible};

use super::node::{self, NODE};
use super::root::{DEFAULTS, OWNER, ROOT, STATE_FILE};
use super::whole::Config;

/// What a secret is shown as.
const HIDDEN: &str = "***";
/// The one variable among secrets that is none, and without which a program is not found.
const SHOWN_VARIABLE: &str = "PATH";

/// Writes the configuration of a good file.
pub fn write(root: &Section<'_>, config: &Config) -> String {
    let mut writer = Writer {
        root,
        config,
        out: String::new(),
    };
    writer.keys(root, &ROOT, 0);
    writer.out
}

struct Writer<'w> {
    root: &'w Section<'w>,
    config: &'w Config,
    out: String,
}

impl Writer<'_> {
    /// Writes the keys of a section, in the order of its table.
    fn keys(&mut self, at: &Section<'_>, schema: &'static Schema, indent: usize) {
        let is_template = std::ptr::eq(schema, &raw const NODE);
        let clouds = self.config.providers.values().filter(|_| is_template);
        let of_kinds: BTreeMap<&str, &'static Schema> =
            clouds.map(|cloud| (cloud.kind.name, cloud.kind.node_keys)).collect();
        for key in schema.all().chain(of_kinds.values().flat_map(|keys| keys.all())) {
            if key.name == DEFAULTS.name || is_template && !node::counts(at, key) {
                continue;
            }
            match key.kind {
                Takes::Section(below) => self.section(&at.below(key.name), key.name, below, indent),
                Takes::Entries(below) => self.entries(at, key, indent, |_, _| Some(below)),
                Takes::EntriesByType => self.entries(at, key, indent, Self::schema_of),
                Takes::Source => self.source(at, key, indent),
                _ => self.key(at, key, indent),
            }
        }
    }

    fn schema_of(&self, name: &str) -> Option<&'static Schema> {
        Some(self.config.provider(name)?.kind.schema)
    }

    fn entries(
        &mut self,
        at: &Section<'_>,
        key: &KeySpec,
        indent: usize,
        schema_of: impl Fn(&Self, &str) -> Option<&'static Schema>,
    ) {
        self.line(indent, &header(key.name), None);
        for entry in at.below(key.name).entries() {
            if let Some(schema) = schema_of(self, entry.name()) {
                self.section(&entry, entry.name(), schema, indent + 1);
            }
        }
    }

    /// Writes a section with the name that it has, unless it is empty and not there. One that must say something of its
    /// own is not made of defaults.
    fn section(&mut self, at: &Section<'_>, name: &str, schema: &'static Schema, indent: usize) {
        if !at.exists() && schema.needs.iter().any(Need::is_unconditional) {
            return;
        }
        let before = self.out.len();
        self.line(indent, &header(name), None);
        let begun = self.out.len();
        self.keys(at, schema, indent + 1);
        if self.out.len() == begun {
            self.out.truncate(before);
        }
    }

    /// What completed a section is named in a comment: its keys are written out.
    fn source(&mut self, at: &Section<'_>, key: &KeySpec, indent: usize) {
        if let Some(Value::Text(text, _)) = at.value(key) {
            let text = format!("# {}: {} (what it says is written out)", key.name, visible(text));
            self.line(indent, &text, None);
        }
    }

    fn key(&mut self, at: &Section<'_>, key: &KeySpec, indent: usize) {
        let (value, comment) = match at.value(key) {
            Some(value) => {
                let entry = at.entry(key.name);
                let comment = entry.and_then(|entry| self.origin(entry));
                (Some(shown(key.kind, value)), comment)
            }
            None => self.absent(at, key),
        };
        let Some(value) = value else { return };
        let pair = Mapping::from_iter([(Yaml::String(key.name.to_owned()), value)]);
        // A mapping of texts, numbers, lists and mappings: this cannot fail.
        let text = serde_yaml::to_string(&pair).unwrap_or_default();
        self.line(indent, text.trim_end_matches('\n'), comment);
        // The end of a block counts where the block keeps it.
        self.out
            .push_str(&text[text.trim_end_matches('\n').len()..].replacen('\n', "", 1));
    }

    /// Returns what counts for a key that is not there, and where it comes from.
    fn absent(&self, at: &Section<'_>, key: &KeySpec) -> (Option<Yaml>, Option<String>) {
        if let Some(variable) = at.report().variable_of(&at.place(key).path) {
            return (Some(HIDDEN.into()), Some(format!("from the environment: {variable}")));
        }
        let value = match key.preset {
            Preset::None => None,
            Preset::Is(_) => preset(key).map(|value| shown(key.kind, &value)),
            Preset::AtMost(_, other) => {
                let other = at.value(other).cloned().or_else(|| preset(other));
                let smaller = match (preset(key), other) {
                    (Some(Value::Int(own)), Some(Value::Int(other))) => Some(Value::Int(own.min(other))),
                    (own, _) => own,
                };
                smaller.map(|value| shown(key.kind, &value))
            }
            Preset::Like(section, other) => {
                let there = self.root.below(section);
                let value = there.value(other).cloned().or_else(|| preset(other));
                let value = value.map(|value| shown(key.kind, &value));
                return (value, Some(format!("from {section}")));
            }
            Preset::Depends(_) => self.depending(at, key),
        };
        (value, None)
    }

    fn depending(&self, at: &Section<'_>, key: &KeySpec) -> Option<Yaml> {
        let text = match key.name {
            name if name == OWNER.name => self.config.owner.clone(),
            name if name == STATE_FILE.name => self.config.state_file.to_str()?.to_owned(),
            name if name == TYPE.name => self.config.provider(at.name())?.kind.name.to_owned(),
            _ => return None,
        };
        Some(text.into())
    }

    /// Says where a value came from that is not written at its place.
    fn origin(&self, entry: &Entry) -> Option<String> {
        let path = match &entry.elsewhere {
            None => return entry.inherited.then(|| "from defaults".to_owned()),
            Some(path) => visible(path),
        };
        let file = self.root.report().file_name(entry.at.file);
        Some(match file {
            Some(file) => format!("from {}: {path}", visible(&file)),
            None => format!("from the environment: {path}"),
        })
    }

    /// Writes a text of some lines, with a comment at the end of the first.
    fn line(&mut self, indent: usize, text: &str, comment: Option<String>) {
        let comment = comment.map(|comment| format!("  # {comment}")).unwrap_or_default();
        for (number, line) in text.split('\n').enumerate() {
            // A line of a block without anything on it has no indentation.
            if !line.is_empty() {
                self.out.push_str(&"  ".repeat(indent));
            }
            self.out.push_str(line);
            if number == 0 {
                self.out.push_str(&comment);
            }
            self.out.push('\n');
        }
    }
}

/// Writes a name with a colon behind it.
fn header(name: &str) -> String {
    let pair = Mapping::from_iter([(Yaml::String(name.to_owned()), Yaml::Null)]);
    let text = serde_yaml::to_string(&pair).unwrap_or_default();
    text.trim_end().trim_end_matches(" null").to_owned()
}

/// Returns a value as it would be written for a key of that kind.
fn shown(kind: Takes, value: &Value) -> Yaml {
    match (kind, value) {
        (Takes::Secret, _) => HIDDEN.into(),
        (Takes::UrlWithPassword, Value::Text(text, _)) => without_password(text).into(),
        (Takes::SecretMap, Value::Map(entries)) => {
            let pairs = entries.iter().map(|entry| {
                let hidden = entry.key != SHOWN_VARIABLE;
                let value = if hidden {
                    HIDDEN.into()
                } else {
                    plain(&entry.value.value)
                };
                (entry.key.clone().into(), value)
            });
            Yaml::Mapping(pairs.collect())
        }
        (Takes::Duration | Takes::DurationOrNone, Value::Int(seconds)) => {
            span(SignedDuration::from_secs(*seconds)).into()
        }
        (Takes::Size, Value::Int(bytes)) => show_size(u64::try_from(*bytes).unwrap_or(0)).into(),
        // A small number loses no digit as a float.
        (Takes::Decimal, Value::Int(millionths)) => number(*millionths),
        (Takes::FlagOr(_) | Takes::FlagOrPath, Value::Text(text, _)) if text == "true" || text == "false" => {
            (text == "true").into()
        }
        (
            Takes::CountOrForms { items: schema, .. }
            | Takes::Sections(schema)
            | Takes::TextsOrSections(schema)
            | Takes::TextOrSection(schema),
            Value::List(_),
        )
        | (
            Takes::CountOrForms { section: schema, .. } | Takes::TextsOrSections(schema) | Takes::TextOrSection(schema),
            Value::Map(_),
        ) => in_sections(schema, value),
        _ => plain(value),
    }
}

fn number(millionths: i64) -> Yaml {
    let text = decimal(millionths.unsigned_abs().into());
    serde_yaml::from_str(&text).unwrap_or_else(|_| text.into())
}

/// Returns a value whose mappings are sections, with the defaults of their keys.
fn in_sections(schema: &Schema, value: &Value) -> Yaml {
    match value {
        Value::List(items) => Yaml::Sequence(items.iter().map(|item| in_sections(schema, &item.value)).collect()),
        Value::Map(entries) => {
            let pairs = schema.all().filter_map(|key| {
                let own = entries.iter().find(|entry| entry.key == key.name);
                let own = own.map(|entry| entry.value.value.clone());
                let value = own
                    .filter(|value| !matches!(value, Value::Null))
                    .or_else(|| preset(key))?;
                Some((key.name.into(), shown(key.kind, &value)))
            });
            Yaml::Mapping(pairs.collect())
        }
        value => plain(value),
    }
}

fn plain(value: &Value) -> Yaml {
    match value {
        Value::Null | Value::Bad => Yaml::Null,
        Value::Text(text, _) | Value::Scalar(text, _) => text.clone().into(),
        Value::Word(word) => (*word).into(),
        Value::NoLimit => "none".into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::List(items) => Yaml::Sequence(items.iter().map(|item| plain(&item.value)).collect()),
        Value::Map(entries) => {
            let entries = entries.iter().filter(|entry| !matches!(entry.value.value, Value::Null));
            let pairs = entries.map(|entry| (entry.key.clone().into(), plain(&entry.value.value)));
            Yaml::Mapping(pairs.collect())
        }
    }
}
