//! Checks the tree against the table of keys: unknown and refused keys, wrong types; aliases get their chief spelling,
//! `defaults` go into the templates.
//!
//! Afterwards every value has the type that the table says, or is marked as bad and was reported. Whether the values
//! make sense together is left to `validate`.

use std::collections::HashMap;

use super::durations;
use super::problem::{Place, Pos, Report, join, quoted};
use super::schema::{self, Key, Kind, Section};
use super::suggest;
use super::tree::{Entry, Node, Style, Value};

/// What `none` becomes where a duration may be none; no duration is negative.
pub const NO_LIMIT: i64 = -1;

/// Checks the whole file in place.
pub fn check(root: &mut Node, report: &mut Report) {
    // A place for anchors that are used elsewhere, as in other tools.
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|entry| !entry.key.starts_with("x-"));
    }
    section(root, &schema::ROOT, "", report);
    inherit(root);
}

/// Checks a mapping with known keys.
fn section(node: &mut Node, schema: &'static Section, path: &str, report: &mut Report) {
    let entries = match &mut node.value {
        Value::Map(entries) => entries,
        Value::Null => {
            node.value = Value::Map(Vec::new());
            return;
        }
        _ => return bad(node, path, "a mapping of keys", report),
    };
    let mut seen: HashMap<&'static str, (String, Pos)> = HashMap::new();
    let mut guessed = false;
    let mut apart = Vec::new();
    entries.retain_mut(|entry| {
        let place = Place {
            at: entry.at,
            path: join(path, &entry.key),
        };
        let Some(key) = schema.key(&entry.key) else {
            report.error(&place, unknown(&entry.key, schema));
            // Where it is plain what was meant, that is not missing on top of it.
            let Some(key) = meant(&entry.key, schema) else {
                return false;
            };
            entry.value.value = Value::Bad;
            key.name.clone_into(&mut entry.key);
            guessed = true;
            return true;
        };
        if let Some((other, first)) = seen.get(key.name) {
            let line = first.line;
            report.error(
                &place,
                format!("means the same as {other} in line {line}; keep one of the two"),
            );
            return false;
        }
        seen.insert(key.name, (entry.key.clone(), entry.at));
        if matches!(key.kind, Kind::TextOrNone) && is_blank(&entry.value) {
            return false;
        }
        key.name.clone_into(&mut entry.key);
        if let Kind::TextsOr(schema) = key.kind {
            apart.extend(sections(entry, schema, &place.path, report));
        }
        value(entry, key.kind, &place.path, report);
        true
    });
    entries.extend(apart);
    if guessed {
        // A guess counts only where the key itself is not there.
        let itself = |entry: &Entry| seen.get(&*entry.key).is_none_or(|(_, at)| *at == entry.at);
        entries.retain(itself);
    }
}

/// Whether a value is nothing, or an empty text.
fn is_blank(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Scalar(text, _) => text.trim().is_empty(),
        _ => false,
    }
}

/// Says what is wrong with a key that has no meaning here, and what to do.
fn unknown(written: &str, schema: &'static Section) -> String {
    if let Some(why) = schema.refusal(written) {
        return why.to_owned();
    }
    if let Some(section) = elsewhere(written) {
        return format!("unknown key here; it belongs under {section}");
    }
    match suggest::nearest(written, schema.spellings()) {
        Some(name) => format!("unknown key; did you mean {name}?"),
        None => format!("unknown key{}", suggest::did_you_mean(written, schema.names())),
    }
}

/// Returns the section in which a key is known.
fn elsewhere(written: &str) -> Option<&'static str> {
    let mut sections = schema::ALL.iter();
    sections
        .find(|(_, section)| section.key(written).is_some())
        .map(|(name, _)| *name)
}

/// Returns the key that was meant by an unknown one, where that is plain.
fn meant(written: &str, schema: &'static Section) -> Option<&'static Key> {
    if schema.refusal(written).is_some() || elsewhere(written).is_some() {
        return None;
    }
    schema.key(suggest::nearest(written, schema.spellings())?)
}

/// Checks the value of one entry, and gives it its type.
fn value(entry: &mut Entry, kind: Kind, path: &str, report: &mut Report) {
    let node = &mut entry.value;
    match kind {
        Kind::Section(schema) => section(node, schema, path, report),
        Kind::Entries(schema) => entries(node, schema, path, report),
        Kind::CountOr(schema) => {
            if let Value::List(items) = &mut node.value {
                for (index, item) in items.iter_mut().enumerate() {
                    section(item, schema, &format!("{path}[{index}]"), report);
                }
                entry.key.push_str("_windows");
            } else {
                scalar(node, Kind::Count, path, report);
            }
        }
        Kind::TextOr(schema) => {
            if matches!(node.value, Value::Map(_)) {
                section(node, schema, path, report);
                entry.key.push_str("_section");
            } else {
                scalar(node, Kind::Text, path, report);
            }
        }
        // Where nothing is, a section was: `sections` has it.
        Kind::TextsOr(_) if matches!(node.value, Value::List(_)) => {}
        Kind::Texts | Kind::TextsOr(_) => texts(node, path, report),
        Kind::TextMap => match &mut node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let path = join(path, &entry.key);
                    if matches!(entry.value.value, Value::Null) {
                        report.error(&Place { at: entry.at, path }, "is empty; write \"\" for an empty text");
                    } else {
                        scalar(&mut entry.value, Kind::Text, &path, report);
                    }
                }
            }
            Value::Null => {}
            _ => bad(node, path, "a mapping of names to texts", report),
        },
        Kind::Free => match &node.value {
            Value::Map(_) => free(node),
            Value::Null => {}
            _ => bad(node, path, "a mapping of names to values", report),
        },
        kind => scalar(node, kind, path, report),
    }
}

/// Takes the sections out of a list of texts and sections, into an entry of their own. Nothing takes their place, so that
/// the items keep their numbers.
fn sections(entry: &mut Entry, schema: &'static Section, path: &str, report: &mut Report) -> Option<Entry> {
    if matches!(entry.value.value, Value::Map(_)) {
        let single = entry.value.clone();
        entry.value.value = Value::List(vec![single]);
    }
    let mut apart = entry.clone();
    apart.key.push_str("_sections");
    let (Value::List(texts), Value::List(sections)) = (&mut entry.value.value, &mut apart.value.value) else {
        return None;
    };
    let mut bad = false;
    for (index, (text, section_of)) in texts.iter_mut().zip(sections.iter_mut()).enumerate() {
        let path = format!("{path}[{index}]");
        if matches!(text.value, Value::Map(_)) {
            section(section_of, schema, &path, report);
            text.value = Value::Null;
        } else {
            item(text, path, report);
            section_of.value = Value::Null;
        }
        bad |= matches!(text.value, Value::Bad);
    }
    if bad {
        entry.value.value = Value::Bad;
    }
    Some(apart)
}

fn entries(node: &mut Node, schema: &'static Section, path: &str, report: &mut Report) {
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries {
                if schema.key("type").is_some() {
                    only_type(&mut entry.value);
                }
                section(&mut entry.value, schema, &join(path, &entry.key), report);
            }
        }
        Value::Null => node.value = Value::Map(Vec::new()),
        _ => bad(node, path, "a mapping of names to settings", report),
    }
}

/// Leaves nothing but the type of a provider of another type: its keys are not ours to judge.
fn only_type(node: &mut Node) {
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    let other = |entry: &Entry| match &entry.value.value {
        Value::Scalar(kind, _) => entry.key == "type" && !schema::PROVIDER_TYPES.contains(&kind.as_str()),
        _ => false,
    };
    if entries.iter().any(other) {
        entries.retain(|entry| entry.key == "type");
    }
}

fn texts(node: &mut Node, path: &str, report: &mut Report) {
    match &mut node.value {
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                self::item(item, format!("{path}[{index}]"), report);
            }
            if items.iter().any(|item| matches!(item.value, Value::Bad)) {
                node.value = Value::Bad;
            }
        }
        Value::Null => {}
        Value::Map(_) => bad(node, path, "a list of texts", report),
        _ => {
            let mut item = node.clone();
            scalar(&mut item, Kind::Text, path, report);
            node.value = Value::List(vec![item]);
        }
    }
}

/// Checks a text in a list.
fn item(item: &mut Node, path: String, report: &mut Report) {
    if matches!(item.value, Value::Null) {
        report.error(
            &Place { at: item.at, path },
            "is empty; write a text or remove the line",
        );
        item.value = Value::Bad;
    } else {
        scalar(item, Kind::Text, &path, report);
    }
}

/// Gives a scalar its type.
fn scalar(node: &mut Node, kind: Kind, path: &str, report: &mut Report) {
    let (text, style) = match &node.value {
        Value::Null => return,
        Value::Scalar(text, style) => (text.clone(), *style),
        _ => return bad(node, path, &wanted(kind), report),
    };
    let typed = match kind {
        Kind::Flag => flag(&text).map(Value::Flag).ok_or_else(|| wrong(kind, &text)),
        Kind::FlagOr(word) if text.eq_ignore_ascii_case(word) => Ok(Value::Text(word.to_owned(), style)),
        Kind::FlagOr(_) => flag(&text)
            .map(|on| Value::Text(on.to_string(), style))
            .ok_or_else(|| wrong(kind, &text)),
        Kind::Count => number(&text).ok_or_else(|| wrong(kind, &text)).and_then(count),
        Kind::Integer => number(&text).map(Value::Int).ok_or_else(|| wrong(kind, &text)),
        Kind::DurationOrNone if matches!(text.as_str(), "none" | "never" | "off") => Ok(Value::Int(NO_LIMIT)),
        Kind::Duration | Kind::DurationOrNone => durations::parse(&text)
            .map(|span| Value::Int(span.as_secs()))
            .map_err(|what| is(&what, &text)),
        Kind::Size => durations::parse_size(&text)
            .map(|bytes| Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX)))
            .map_err(|what| is(&what, &text)),
        _ => Ok(Value::Text(text, style)),
    };
    node.value = typed.unwrap_or_else(|text| {
        let place = Place {
            at: node.at,
            path: path.to_owned(),
        };
        report.error(&place, text);
        Value::Bad
    });
}

fn count(number: i64) -> Result<Value, String> {
    match u32::try_from(number) {
        Ok(_) => Ok(Value::Int(number)),
        Err(_) if number < 0 => Err(format!("must not be negative, is {number}; write 0 or more")),
        Err(_) => Err(format!(
            "must be at most {}, is {number}; write a smaller number",
            u32::MAX
        )),
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Reads a decimal number. Other bases, and zeros in front (octal in YAML 1.1, decimal in 1.2), are no number here.
fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (good && !padded).then(|| text.parse().ok()).flatten()
}

fn wanted(kind: Kind) -> String {
    let text = match kind {
        Kind::Flag => "true or false",
        Kind::FlagOr(word) => return format!("true, false or {word}"),
        Kind::Count | Kind::Integer => "a whole number",
        Kind::Duration | Kind::DurationOrNone => "a duration like 40m or 1h 30m",
        Kind::Size => "a size like 256MiB",
        _ => "a text",
    };
    text.to_owned()
}

fn wrong(kind: Kind, text: &str) -> String {
    let example = match kind {
        Kind::Flag | Kind::FlagOr(_) => "true",
        _ => "3",
    };
    format!("must be {}, is {}; write it like {example}", wanted(kind), quoted(text))
}

/// Puts what a text is into a sentence `WHAT; DO`.
fn is(what: &str, text: &str) -> String {
    match what.split_once("; ") {
        Some((what, action)) if what.starts_with("must") => format!("{what}, is {}; {action}", quoted(text)),
        _ => format!("{} {what}", quoted(text)),
    }
}

/// Reports a value of a wrong shape, never showing it.
fn bad(node: &mut Node, path: &str, wanted: &str, report: &mut Report) {
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
    report.error(&place, format!("must be {wanted}, is {is}; see mita.yaml.example"));
    node.value = Value::Bad;
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

/// Gives every template the keys of `defaults` that it does not have itself. A key that a template sets to nothing
/// (`max_lifetime:`) stays unset; `min_ready` is one key, whichever of its forms is used.
fn inherit(root: &mut Node) {
    let defaults: Vec<Entry> = root
        .entry("defaults")
        .map_or_else(Vec::new, |d| d.value.entries().to_vec());
    let Value::Map(entries) = &mut root.value else {
        return;
    };
    entries.retain(|entry| entry.key != "defaults");
    let nodes = entries.iter_mut().find(|entry| entry.key == "nodes");
    let Some(Value::Map(nodes)) = nodes.map(|entry| &mut entry.value.value) else {
        return;
    };
    for node in nodes {
        let Value::Map(own) = &mut node.value.value else {
            continue;
        };
        let written = own.len();
        for default in &defaults {
            if !own[..written].iter().any(|entry| same(&entry.key, &default.key)) {
                own.push(Entry {
                    inherited: true,
                    ..default.clone()
                });
            }
        }
    }
}

/// Whether two keys of a template exclude each other, so that the template's own wins.
fn same(own: &str, default: &str) -> bool {
    let image = |key: &str| matches!(key, "image_name" | "image_id" | "image_regex");
    let size = |key: &str| matches!(key, "size" | "size_section");
    let ports = |key: &str| matches!(key, "ports" | "ports_sections");
    let ready = |key: &str| key.starts_with("min_ready");
    own == default
        || (image(own) && image(default))
        || (size(own) && size(default))
        || (ports(own) && ports(default))
        || (ready(own) && ready(default))
}
