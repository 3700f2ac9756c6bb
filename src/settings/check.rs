//! Checks a tree against the tables of keys: unknown and refused keys, wrong types, words, bounds; other spellings get
//! their chief one.
//!
//! Afterwards every value has the type of its key, or is marked as bad and was reported. Whether the values make
//! sense together is left to whoever reads them.

use foldhash::{HashMap, HashMapExt as _};

use crate::text::{did_you_mean, excerpt, nearest};

use super::key::{KeySpec, Schema, ValueKind};
use super::lines::is_user;
use super::problem::{Place, Pos, Report, join};
use super::value::{number, out_of_bounds, typed, wanted};
use super::yaml::{Entry, Node, Style, Value};

/// Says where a key belongs that is not known where it is written: `unknown key here; it belongs under timing`.
pub type Elsewhere<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Checks trees.
#[derive(Clone, Copy)]
pub struct Checker<'c> {
    /// Where problems go.
    pub report: &'c Report,
    /// Where other keys belong.
    pub elsewhere: Elsewhere<'c>,
    /// Tables that add keys to another, the first of the two.
    pub more: &'c [(&'static Schema, &'static Schema)],
}

/// The keys of a section so far: as they are written, and where.
type Seen = HashMap<&'static str, (String, Pos)>;

/// The tables of one section.
#[derive(Clone, Copy)]
struct Tables<'s>(&'s [&'static Schema]);

impl Tables<'_> {
    fn key(self, written: &str) -> Option<&'static KeySpec> {
        self.0.iter().find_map(|schema| schema.key(written))
    }

    fn refusal(self, written: &str) -> Option<&'static str> {
        self.0.iter().find_map(|schema| schema.refusal(written))
    }

    /// Returns whether one of the keys is a secret, so that the value of an unknown key may be one.
    fn hold_secrets(self) -> bool {
        self.0.iter().flat_map(|schema| schema.all()).any(is_secret)
    }

    fn nearest(self, written: &str) -> Option<&'static str> {
        // The first of these keys that a section has is the usual one there.
        let names = OTHER_NAMES
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(written));
        let mut keys = self.0.iter().flat_map(|schema| schema.all());
        let secret = names.and_then(|(_, names)| keys.find(|key| names.contains(&key.name) && is_secret(key)));
        secret
            .map(|key| key.name)
            .or_else(|| nearest(written, self.0.iter().flat_map(|schema| schema.spellings())))
    }
}

/// What other programs call a secret, and the keys that may be meant.
const OTHER_NAMES: [(&str, &[&str]); 8] = [
    ("pw", &["password"]),
    ("pwd", &["password"]),
    ("pass", &["password"]),
    ("passphrase", &["password"]),
    ("secret", &["token", "password"]),
    ("api_key", &["token", "password"]),
    ("apikey", &["token", "password"]),
    ("api_token", &["token", "password"]),
];

fn is_secret(key: &KeySpec) -> bool {
    matches!(key.kind, ValueKind::Secret | ValueKind::SecretMap)
}

/// Returns whether a secret may be in the value of a key that was misspelt: a user may have its password behind it.
fn may_be_followed_by_secret(key: &'static KeySpec) -> bool {
    let is_user = || std::iter::once(&key.name).chain(key.aliases).any(|name| is_user(name));
    is_secret(key) || matches!(key.kind, ValueKind::UrlWithPassword) || is_user()
}

impl Checker<'_> {
    /// Checks a mapping with known keys, those of all the tables together.
    pub fn section(&self, node: &mut Node, schemas: &[&'static Schema], path: &str) {
        match &mut node.value {
            Value::Map(entries) => self.keys(entries, Tables(schemas), path),
            Value::Null => node.value = Value::Map(Vec::new()),
            _ => self.bad(node, path, "a mapping of keys"),
        }
    }

    fn keys(&self, entries: &mut Vec<Entry>, tables: Tables<'_>, path: &str) {
        let mut seen = Seen::new();
        entries.retain_mut(|entry| {
            let place = Place {
                at: entry.at,
                path: join(path, named(&entry.key)),
            };
            match tables.key(&entry.key) {
                Some(key) => self.known(entry, key, &place, &mut seen),
                None => self.guess(entry, tables, &place),
            }
        });
        // A guess counts only where the key itself is not there.
        entries.retain(|entry| seen.get(&*entry.key).is_none_or(|(_, at)| *at == entry.at));
    }

    /// Checks an entry with a key that is known; returns whether it counts.
    fn known(&self, entry: &mut Entry, key: &'static KeySpec, place: &Place, seen: &mut Seen) -> bool {
        if is_secret(key) {
            self.conceal(entry);
        }
        if let Some((other, first)) = seen.get(key.name) {
            let line = first.line;
            let text = format!("means the same as {other} in line {line}; keep one of the two");
            self.report.error(place, text);
            return false;
        }
        seen.insert(key.name, (entry.key.clone(), entry.at));
        if matches!(key.kind, ValueKind::TextOrNone) && is_blank(&entry.value) {
            return false;
        }
        key.name.clone_into(&mut entry.key);
        self.value(&mut entry.value, key, &place.path);
        true
    }

    /// Reports a key that is not known. Where it is plain what was meant, the entry stays as a bad one, so that the key is
    /// not reported as missing, too.
    fn guess(&self, entry: &mut Entry, tables: Tables<'_>, place: &Place) -> bool {
        self.report.error(place, self.unknown(&entry.key, tables));
        let meant = self.meant(&entry.key, tables);
        if meant.map_or(tables.hold_secrets(), may_be_followed_by_secret) {
            self.conceal(entry);
        }
        let Some(key) = meant else {
            return false;
        };
        entry.value.value = Value::Bad;
        key.name.clone_into(&mut entry.key);
        true
    }

    /// Keeps the lines of an entry out of what is shown.
    fn conceal(&self, entry: &Entry) {
        self.report.conceal(|concealed| {
            concealed.owner(entry.at.line);
            concealed.lines(entry.value.at.line..=entry.value.at.line);
        });
    }

    /// Returns a table with those that add to it.
    fn tables_of(&self, schema: &'static Schema) -> Vec<&'static Schema> {
        let more = self.more.iter().filter(|(table, _)| std::ptr::eq(*table, schema));
        std::iter::once(schema).chain(more.map(|(_, more)| *more)).collect()
    }

    /// Says what is wrong with a key that has no meaning here, and what to do.
    fn unknown(&self, written: &str, tables: Tables<'_>) -> String {
        if let Some(text) = not_taken_apart(written) {
            return text;
        }
        if let Some(why) = tables.refusal(written) {
            return why.to_owned();
        }
        if let Some(text) = (self.elsewhere)(written) {
            return text;
        }
        if let Some(name) = tables.nearest(written) {
            return format!("unknown key; did you mean {name}?");
        }
        let names: Vec<&str> = tables.0.iter().flat_map(|schema| schema.names()).collect();
        format!("unknown key{}", did_you_mean(written, names))
    }

    /// Returns the key that was meant by an unknown one, where that is plain.
    fn meant(&self, written: &str, tables: Tables<'_>) -> Option<&'static KeySpec> {
        if not_taken_apart(written).is_some() {
            return tables.key(named(written));
        }
        if tables.refusal(written).is_some() || (self.elsewhere)(written).is_some() {
            return None;
        }
        tables.key(tables.nearest(written)?)
    }

    /// Checks the value of one key, and gives it its type.
    pub fn value(&self, node: &mut Node, key: &'static KeySpec, path: &str) {
        match (key.kind, &mut node.value) {
            (ValueKind::Section(schema), _)
            | (ValueKind::TextOrSection(schema) | ValueKind::CountOrForms { section: schema, .. }, Value::Map(_)) => {
                self.section(node, &self.tables_of(schema), path);
            }
            (ValueKind::Entries(_) | ValueKind::EntriesByType, Value::Null) => node.value = Value::Map(Vec::new()),
            (ValueKind::Entries(schema), Value::Map(entries)) => {
                let tables = self.tables_of(schema);
                for entry in entries {
                    self.section(&mut entry.value, &tables, &join(path, &entry.key));
                }
            }
            (ValueKind::EntriesByType, Value::Map(_)) | (ValueKind::Free | ValueKind::Sections(_), Value::Null) => {}
            (ValueKind::Entries(_) | ValueKind::EntriesByType, _) => {
                self.bad(node, path, "a mapping of names to settings");
            }
            (ValueKind::CountOrForms { items: schema, .. } | ValueKind::Sections(schema), Value::List(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.section(item, &[schema], &format!("{path}[{index}]"));
                }
            }
            (ValueKind::Sections(_), _) => self.bad(node, path, "a list of mappings"),
            (ValueKind::TextsOrSections(schema), _) => self.texts_or_sections(node, schema, path),
            (ValueKind::Texts, _) => self.texts(node, path),
            (ValueKind::TextMap | ValueKind::SecretMap, _) => self.text_map(node, path),
            (ValueKind::Free, Value::Map(_)) => free(node),
            (ValueKind::Free, _) => self.bad(node, path, "a mapping of names to values"),
            (kind, _) => self.scalar(node, kind, path),
        }
        if let Some(text) = out_of_bounds(key, &node.value) {
            let at = node.at;
            let path = path.to_owned();
            self.report.error(&Place { at, path }, text);
        }
    }

    fn text_map(&self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let path = join(path, &entry.key);
                    if matches!(entry.value.value, Value::Null) {
                        let place = Place { at: entry.at, path };
                        self.report.error(&place, "is empty; write \"\" for an empty text");
                    } else {
                        self.scalar(&mut entry.value, ValueKind::Text, &path);
                    }
                }
            }
            Value::Null => {}
            _ => self.bad(node, path, "a mapping of names to texts"),
        }
    }

    fn texts_or_sections(&self, node: &mut Node, schema: &'static Schema, path: &str) {
        if matches!(node.value, Value::Map(_)) {
            let single = node.clone();
            node.value = Value::List(vec![single]);
        }
        let Value::List(items) = &mut node.value else {
            return self.texts(node, path);
        };
        for (index, item) in items.iter_mut().enumerate() {
            let path = format!("{path}[{index}]");
            if matches!(item.value, Value::Map(_)) {
                self.section(item, &[schema], &path);
            } else {
                self.item(item, path);
            }
        }
    }

    fn texts(&self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.item(item, format!("{path}[{index}]"));
                }
                if items.iter().any(|item| matches!(item.value, Value::Bad)) {
                    node.value = Value::Bad;
                }
            }
            Value::Null => {}
            Value::Map(_) => self.bad(node, path, "a list of texts"),
            _ => {
                let mut item = node.clone();
                self.scalar(&mut item, ValueKind::Text, path);
                node.value = Value::List(vec![item]);
            }
        }
    }

    /// Checks a text in a list.
    fn item(&self, item: &mut Node, path: String) {
        if matches!(item.value, Value::Null) {
            let place = Place { at: item.at, path };
            self.report.error(&place, "is empty; write a text or remove the line");
            item.value = Value::Bad;
        } else {
            self.scalar(item, ValueKind::Text, &path);
        }
    }

    /// Gives a scalar its type.
    fn scalar(&self, node: &mut Node, kind: ValueKind, path: &str) {
        let typed = match &node.value {
            Value::Null => return,
            Value::Scalar(text, style) => typed(kind, text, *style),
            _ => return self.bad(node, path, &wanted(kind)),
        };
        node.value = typed.unwrap_or_else(|text| {
            let place = Place {
                at: node.at,
                path: path.to_owned(),
            };
            self.report.error(&place, text);
            Value::Bad
        });
    }

    /// Reports a value of a wrong shape, never showing it.
    fn bad(&self, node: &mut Node, path: &str, wanted: &str) {
        let is = match &node.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Bad => return,
            _ => "a single value",
        };
        let place = Place {
            at: node.at,
            path: path.to_owned(),
        };
        let advice = match &node.value {
            Value::Scalar(text, Style::Plain) if lacks_blank(text) => {
                "write a blank behind the colon of each key".to_owned()
            }
            _ => "see mita.yaml.example".to_owned(),
        };
        self.report
            .error(&place, format!("must be {wanted}, is {is}; {advice}"));
        node.value = Value::Bad;
    }
}

/// Returns whether a text looks like a key without a blank behind its colon.
fn lacks_blank(text: &str) -> bool {
    let key = text.split_once(':').filter(|(_, value)| !value.starts_with("//"));
    key.is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)))
}

/// Returns the part of a key that may be named: where a blank or a colon is missing, its value is in it.
fn named(written: &str) -> &str {
    written.split([':', '=', ' ']).next().unwrap_or_default()
}

/// Says what is wrong with a key that has its value in it.
fn not_taken_apart(written: &str) -> Option<String> {
    let name = named(written);
    let behind = written.strip_prefix(name)?.trim_start().chars().next()?;
    Some(match behind {
        ':' => format!(
            "a blank is missing behind the colon; write `{}: ` and the value",
            quoted_key(name)
        ),
        '=' => format!(
            "a key has a colon behind it, no equals sign; write `{}: ` and the value",
            quoted_key(name)
        ),
        _ => format!(
            "a colon is missing behind it; write `{}: ` and the value",
            quoted_key(name)
        ),
    })
}

/// Shows a key in a message, bounded.
fn quoted_key(name: &str) -> String {
    excerpt(name, 60)
}

/// Returns whether a value is nothing, or an empty text.
pub fn is_blank(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Scalar(text, _) => text.trim().is_empty(),
        _ => false,
    }
}

/// Gives every value below a free mapping the type that YAML sees in it.
fn free(node: &mut Node) {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().for_each(|entry| free(&mut entry.value)),
        Value::List(items) => items.iter_mut().for_each(free),
        Value::Scalar(text, style) => {
            let text = std::mem::take(text);
            node.value = match (*style, text.as_str()) {
                (Style::Plain, "true" | "True" | "TRUE") => Value::Flag(true),
                (Style::Plain, "false" | "False" | "FALSE") => Value::Flag(false),
                (Style::Plain, plain) => match (number(plain), plain.parse::<f64>()) {
                    (Some(number), _) => Value::Int(number),
                    (None, Ok(float)) if float.is_finite() && plain.contains('.') => Value::Float(float),
                    _ => Value::Text(text, *style),
                },
                _ => Value::Text(text, *style),
            };
        }
        _ => {}
    }
}
