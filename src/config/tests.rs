//! The tables of keys: that they are consistent, and that `mita.yaml.example` shows every key with its default, as
//! does `mita config`.

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::provider::kinds::KINDS;
use crate::settings::json_schema::says_bounds;
use crate::settings::key::{KeySpec, Preset, Schema, ValueKind};
use crate::settings::lines::{holds_anything, is_secret_name};
use crate::settings::value::{out_of_bounds, preset, shown as shown_value, typed};
use crate::settings::yaml::{Style, Value};

use super::load;
use super::root::{LIMITS, NODES, ROOT, TIMING};

const EXAMPLE: &str = include_str!("../../mita.yaml.example");

/// A table.
struct Table {
    /// The place of its keys: the names of the sections, `*` for a name that is free.
    place: Vec<&'static str>,
    /// Whether the example shows it in braces, on the line of another key: `{cron: ..., ready: 3}`.
    in_braces: bool,
    schema: &'static Schema,
}

/// Returns all tables of the configuration.
fn tables() -> Vec<Table> {
    let mut found = Vec::new();
    below(&[], false, &ROOT, &mut found);
    found
}

fn below(path: &[&'static str], in_braces: bool, schema: &'static Schema, found: &mut Vec<Table>) {
    found.push(Table {
        place: path.to_vec(),
        in_braces,
        schema,
    });
    for key in schema.all() {
        let own = |more: &[&'static str]| [path, &[key.name], more].concat();
        match key.kind {
            ValueKind::Section(schema) => below(&own(&[]), false, schema, found),
            ValueKind::TextOrSection(schema) | ValueKind::TextsOrSections(schema) | ValueKind::Sections(schema) => {
                below(&own(&[]), true, schema, found);
            }
            ValueKind::CountOrForms { items, section, .. } => {
                below(&own(&[]), true, items, found);
                below(&own(&[]), true, section, found);
            }
            ValueKind::Entries(schema) => {
                below(&own(&["*"]), false, schema, found);
                if key.name == NODES.name {
                    for kind in KINDS {
                        below(&own(&["*"]), false, kind.node_keys, found);
                    }
                }
            }
            ValueKind::EntriesByType => {
                for kind in KINDS {
                    below(&own(&["*"]), false, kind.schema, found);
                }
            }
            _ => {}
        }
    }
}

/// A key that the example shows, whether it is commented out or not.
struct Shown {
    path: Vec<String>,
    value: String,
}

/// Reads the example line by line: each line that begins with a key, commented out or not, with the sections around it.
fn shown() -> Vec<Shown> {
    let mut found = Vec::new();
    let mut around: Vec<(usize, String)> = Vec::new();
    for line in EXAMPLE.lines() {
        let blanks = line.len() - line.trim_start().len();
        let (text, indent) = match line.trim_start().strip_prefix("# ") {
            Some(text) => (text.trim_start(), blanks + text.len() - text.trim_start().len()),
            None => (line.trim_start(), blanks),
        };
        let Some((key, value)) = text.split_once(':') else {
            continue;
        };
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || "_-".contains(c));
        if !is_key || !(value.is_empty() || value.starts_with(' ')) {
            continue;
        }
        around.retain(|(outer, _)| *outer < indent);
        around.push((indent, key.to_owned()));
        let value = value.split_once(" #").map_or(value, |(value, _)| value);
        found.push(Shown {
            path: around.iter().map(|(_, key)| key.clone()).collect(),
            value: value.trim().trim_matches('"').to_owned(),
        });
    }
    found
}

/// Whether a path of the example is a place of the tables.
fn is_at(path: &[String], place: &[&str]) -> bool {
    path.len() == place.len()
        && path
            .iter()
            .zip(place)
            .all(|(own, wanted)| *wanted == "*" || own == wanted)
}

/// Returns the default of a key as it would be written.
fn default_of(key: &KeySpec) -> Option<&'static str> {
    match key.preset {
        Preset::Is(text) | Preset::AtMost(text, _) => Some(text),
        Preset::Like(_, other) => default_of(other),
        Preset::None | Preset::Depends(_) => None,
    }
}

/// Whether two ways to write a value mean the same: `60s` and `1m`.
fn same(key: &KeySpec, one: &str, other: &str) -> bool {
    let value = |text| typed(key.kind, text, Style::Plain).ok();
    match (value(one), value(other)) {
        (Some(Value::Int(one)), Some(Value::Int(other))) => one == other,
        _ => one == other,
    }
}

/// Says what the example lacks of a key.
fn lack(key: &KeySpec, table: &Table, shown: &[Shown]) -> Option<String> {
    let path = [table.place.as_slice(), &[key.name]].concat();
    let values: Vec<&str> = shown
        .iter()
        .filter(|shown| is_at(&shown.path, &path))
        .map(|shown| shown.value.as_str())
        .collect();
    let name = path.join(".");
    match default_of(key) {
        default if table.in_braces => {
            let text = format!("{}: {}", key.name, default.unwrap_or_default());
            (!EXAMPLE.contains(&text)).then(|| format!("{name}: {text:?} is not shown"))
        }
        _ if values.is_empty() => Some(format!("{name} is not shown")),
        Some(default) => {
            let shown = values.iter().any(|value| same(key, value, default));
            (!shown).then(|| format!("{name}: shown as {values:?}, the default is {default}"))
        }
        None => None,
    }
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let shown = shown();
    let lacks: BTreeSet<String> = tables()
        .iter()
        // What `defaults` takes is shown under `nodes`.
        .filter(|table| table.place.first() != Some(&"defaults"))
        .flat_map(|table| table.schema.all().filter_map(|key| lack(key, table, &shown)))
        .collect();
    assert_eq!(lacks, BTreeSet::new());
}

#[test]
fn a_wrong_default_in_the_example_is_found() {
    let shown = shown();
    let tables = tables();
    let table = |place: &[&str]| tables.iter().find(|table| table.place == place).unwrap();
    let nodes = table(&["nodes", "*"]);
    let mut max = *nodes.schema.key("max").unwrap();
    assert_eq!(lack(&max, nodes, &shown), None);
    max.preset = Preset::Is("11");
    assert!(lack(&max, nodes, &shown).unwrap().contains("the default is 11"));
    let agent = table(&["nodes", "*", "agent"]);
    let mut port = *agent.schema.key("port").unwrap();
    port.preset = Preset::Is("23");
    assert!(lack(&port, agent, &shown).is_some());
    // It is shown elsewhere.
    port.name = "tenant_name";
    assert!(lack(&port, agent, &shown).unwrap().contains("is not shown"));
    let window = table(&["nodes", "*", "min_ready"]);
    let mut timezone = *window.schema.key("timezone").unwrap();
    timezone.preset = Preset::Is("CET");
    assert!(lack(&timezone, window, &shown).is_some());
}

/// Prints a configuration that says only what it must.
fn printed() -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "provider: {openstack: {auth_url: 'https://k', username: u, password: p, tenant_name: t}}\n\
                jenkins: {url: 'https://j', user: u, token: t}\n\
                nodes: {small: {provider: openstack, labels: [a], image_name: i, size: s}}\n";
    file.as_file().write_all(text.as_bytes()).unwrap();
    let env = |name: &str| (name == "HOME").then(|| "/home/ci".to_owned());
    load::effective(file.path(), &env).unwrap().1
}

#[test]
fn sections_that_are_not_there_are_printed_with_every_default() {
    let printed = printed();
    for table in [&LIMITS, &TIMING] {
        let ValueKind::Section(schema) = table.kind else {
            panic!("{table:?}");
        };
        let default = |key: &KeySpec| match preset(key)? {
            Value::Int(number) => Some(format!("  {}: {}", key.name, shown_value(key.kind, number))),
            _ => Some(format!("  {}: {}", key.name, default_of(key)?)),
        };
        let wanted: Vec<String> = schema.all().filter_map(default).collect();
        let section = printed.split_once(&format!("\n{}:\n", table.name)).unwrap().1;
        let lines: Vec<&str> = section.lines().take_while(|line| line.starts_with(' ')).collect();
        assert_eq!(lines, wanted, "{}", table.name);
        assert!(lines.len() > 5, "{lines:?}");
    }
}

#[test]
fn every_default_has_the_type_of_its_key_and_is_within_its_bounds() {
    for Table { place, schema, .. } in tables() {
        for key in schema.all() {
            let name = format!("{}.{}", place.join("."), key.name);
            assert!(!key.doc.trim().is_empty(), "{name} says nothing for people");
            assert!(says_bounds(key), "the schema cannot say the bounds of {name}");
            if let Preset::Is(_) | Preset::AtMost(..) = key.preset {
                let value = preset(key).unwrap_or_else(|| panic!("the default of {name} is of another type"));
                assert_eq!(out_of_bounds(key, &value), None, "{name}");
            }
        }
    }
}

#[test]
fn no_spelling_means_two_keys() {
    for Table { place, schema, .. } in tables() {
        let mut seen = BTreeSet::new();
        for spelling in schema.spellings() {
            assert!(seen.insert(spelling), "{}: {spelling}", place.join("."));
            assert_eq!(schema.refusal(spelling), None, "{}: {spelling}", place.join("."));
        }
    }
}

/// A line of the file is shown below a problem by the names on it, also where the file cannot be read.
#[test]
fn every_secret_is_known_by_its_name() {
    let mut harmless = BTreeSet::new();
    for key in tables().iter().flat_map(|table| table.schema.all()) {
        let names = std::iter::once(&key.name).chain(key.aliases);
        for name in names {
            let hidden = is_secret_name(name) || holds_anything(name);
            match key.kind {
                ValueKind::Secret | ValueKind::SecretMap => assert!(hidden, "{name}"),
                _ if hidden => drop(harmless.insert(*name)),
                _ => {}
            }
        }
    }
    assert_eq!(
        Vec::from_iter(harmless),
        ["metadata", "options", "script", "user_data", "userdata"]
    );
}
