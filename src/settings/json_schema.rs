//! What a key takes as JSON Schema (2020-12), for editors: the same tables that a file is checked against.
//!
//! A value is what YAML 1.2 makes of it, so a number may be a number or a text in quotes, as `check` reads both. What
//! the values mean together is left to `mita check`; where one of the two must be wrong, the schema takes too much.

use serde_json::{Map, Value as Json, json};

use super::duration::MOST_SECONDS;
use super::expression::{any_case, count, duration, integer, literal, one_of, size, whole};
use super::key::{KeySpec, Need, Preset, Schema, ValueKind, Words};
use super::value::preset;
use super::yaml::Value;

/// The beginning of a URL, and a host.
const URL: &str = "^[Hh][Tt][Tt][Pp][Ss]?://[^/]";
/// The keys with names of what is in a cloud, or of labels.
const NAMES: [&str; 5] = ["availability_zone", "labels", "networks", "provider", "security_groups"];
/// A name has no control character, and no blank at its edges. Of the blanks only the usual one is meant here, as not all
/// readers of expressions agree on the others.
const NAME: &str =
    "^[^\\u0000-\\u0020\\u007f-\\u009f](?:[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u0020\\u007f-\\u009f])?$";

/// Returns the definitions that the others refer to, by name.
pub fn definitions() -> Map<String, Json> {
    let flag = one_of(&["true", "yes", "on", "false", "no", "off"].map(any_case));
    let texts = json!({"type": ["string", "number", "boolean"]});
    let pairs = [
        ("text", json!({"type": ["string", "number", "boolean", "null"]})),
        ("flag", either(&json!({"type": ["boolean", "null"]}), &[whole(&flag)])),
        ("duration", length(0, MOST_SECONDS, false)),
        (
            "texts",
            json!({"type": ["array", "string", "number", "boolean", "null"], "items": texts}),
        ),
        (
            "textMap",
            json!({"type": ["object", "null"], "additionalProperties": texts}),
        ),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn defined(name: &str) -> Json {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// Makes the schema of a section with the keys of some tables, and what must be there.
pub fn section(tables: &[&'static Schema]) -> Json {
    let needs: Vec<&Need> = tables.iter().flat_map(|table| table.needs).collect();
    let mut schema = keys(tables);
    // What is left empty is a section without keys.
    if !needs.iter().any(|need| need.is_unconditional()) {
        schema["type"] = json!(["object", "null"]);
    }
    let all = needs.into_iter().map(|need| needed(tables, need));
    add_all(&mut schema, all.collect());
    schema
}

/// Makes the schema of a section with the keys of some tables, whatever must be there.
pub fn keys(tables: &[&'static Schema]) -> Json {
    let (mut properties, mut patterns, mut apart) = (Map::new(), Map::new(), Vec::new());
    for table in tables {
        for key in table.all() {
            if properties.contains_key(key.name) {
                continue;
            }
            let shape = shape(key);
            properties.insert(key.name.to_owned(), described(key, shape.clone()));
            for alias in key.aliases {
                let mut alike = shape.clone();
                alike["description"] = format!("The same as {}.", key.name).into();
                properties.insert((*alias).to_owned(), alike);
            }
            if !key.aliases.is_empty() {
                apart.push(one_spelling(key));
            }
            if !table.prefixes.is_empty() {
                let prefixes: Vec<String> = table.prefixes.iter().map(|prefix| literal(prefix)).collect();
                let expression = whole(&format!("{}{}", one_of(&prefixes), one_of(&spellings(key))));
                patterns.insert(expression, shape);
            }
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !patterns.is_empty() {
        schema["patternProperties"] = patterns.into();
    }
    add_all(&mut schema, apart);
    schema
}

/// Adds conditions to those that a schema has.
pub fn add_all(schema: &mut Json, more: Vec<Json>) {
    if more.is_empty() {
        return;
    }
    match &mut schema["allOf"] {
        Json::Array(all) => all.extend(more),
        all => *all = more.into(),
    }
}

fn spellings(key: &KeySpec) -> Vec<&'static str> {
    std::iter::once(key.name).chain(key.aliases.iter().copied()).collect()
}

/// At most one spelling of a key is there.
fn one_spelling(key: &KeySpec) -> Json {
    let names = spellings(key);
    let pairs = names.iter().enumerate().flat_map(|(index, one)| {
        let others = &names[index + 1..];
        others.iter().map(move |other| json!({"required": [one, other]}))
    });
    json!({"not": {"anyOf": pairs.collect::<Vec<Json>>()}})
}

/// The names under which a key may be there, as an expression.
fn names_of(tables: &[&'static Schema], key: &KeySpec) -> String {
    let prefixes: Vec<String> = tables
        .iter()
        .flat_map(|table| table.prefixes)
        .map(|p| literal(p))
        .collect();
    let names = one_of(&spellings(key));
    let names = if prefixes.is_empty() {
        names
    } else {
        format!("{}?{names}", one_of(&prefixes))
    };
    whole(&names)
}

/// A key has a value.
pub fn given(tables: &[&'static Schema], key: &KeySpec) -> Json {
    // Not all that has one of these names is empty, none included.
    let names = names_of(tables, key);
    json!({"not": {"patternProperties": {names: {"type": "null"}}}})
}

/// A key is there, with or without a value.
fn there(tables: &[&'static Schema], key: &KeySpec) -> Json {
    let names = names_of(tables, key);
    json!({"not": {"patternProperties": {names: false}}})
}

/// One of some keys has a value.
pub fn given_any(tables: &[&'static Schema], keys: &[&'static KeySpec]) -> Json {
    let plain = |key: &&KeySpec| key.aliases.is_empty() && tables.iter().all(|table| table.prefixes.is_empty());
    if let [key] = keys
        && plain(key)
    {
        // Editors say this best.
        let name = key.name;
        return json!({"required": [name], "properties": {name: {"not": {"type": "null"}}}});
    }
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let any: Vec<Json> = keys.iter().map(|key| given(tables, key)).collect();
    json!({"anyOf": any, "errorMessage": format!("missing: {}", names.join(" or "))})
}

/// What must be there, and when.
fn needed(tables: &[&'static Schema], need: &Need) -> Json {
    let then = given_any(tables, need.any_of);
    if need.is_unconditional() {
        return then;
    }
    let mut conditions: Vec<Json> = Vec::new();
    let any = |keys: &[&'static KeySpec]| {
        let any: Vec<Json> = keys.iter().map(|key| there(tables, key)).collect();
        json!({"anyOf": any})
    };
    if !need.when.is_empty() {
        conditions.push(any(need.when));
    }
    if !need.unless.is_empty() {
        conditions.push(json!({"not": any(need.unless)}));
    }
    if let Some((key, texts)) = need.unless_text {
        let is_text = among(texts);
        let names = names_of(tables, key);
        // Whatever has this name has none of the texts.
        conditions.push(json!({"patternProperties": {names: {"not": is_text}}}));
    }
    json!({"if": {"allOf": conditions}, "then": then})
}

/// One of some texts in upper or lower case, or the number that it is.
fn among(groups: &[&[&str]]) -> Json {
    let texts = groups.concat();
    let expressions: Vec<String> = texts.iter().map(|text| any_case(text)).collect();
    let numbers: Vec<Json> = texts
        .iter()
        .filter_map(|text| Some(text.parse::<f64>().ok()?.into()))
        .collect();
    let expression = whole(&format!("\\s*{}\\s*", one_of(&expressions)));
    json!({"anyOf": [{"type": "string", "pattern": expression}, {"enum": numbers}]})
}

/// Adds to a value what people read: the meaning of the key and its default.
fn described(key: &KeySpec, mut shape: Json) -> Json {
    let mut doc = key.doc.trim().to_owned();
    match key.preset {
        Preset::None => {}
        Preset::Is(text) | Preset::AtMost(text, _) => shape["default"] = default(key, text),
        Preset::Like(section, other) => doc = format!("{doc} Default: {section}.{}.", other.name),
        Preset::Depends(text) => doc = format!("{doc} Default: {text}."),
    }
    if !key.among.is_empty() {
        let usual: Vec<&str> = key.among.iter().filter_map(|group| group.first().copied()).collect();
        shape["examples"] = json!(usual);
    }
    shape["description"] = doc.into();
    shape
}

/// A default as one would write it: durations and sizes stay what they are in the table.
fn default(key: &KeySpec, text: &str) -> Json {
    match preset(key) {
        Some(Value::Flag(flag)) => flag.into(),
        Some(Value::Int(number)) if text.parse() == Ok(number) => number.into(),
        Some(Value::Text(text, _)) if text == "true" || text == "false" => (text == "true").into(),
        _ => text.into(),
    }
}

/// What a key takes.
fn shape(key: &KeySpec) -> Json {
    match key.kind {
        ValueKind::Text if !key.among.is_empty() => json!({"anyOf": [among(key.among), {"type": "null"}]}),
        ValueKind::Text if is_url(key) => json!({"type": ["string", "null"], "pattern": URL}),
        ValueKind::Text | ValueKind::TextOrNone | ValueKind::Source | ValueKind::Path | ValueKind::Secret => {
            defined("text")
        }
        ValueKind::FlagOrPath | ValueKind::UrlWithPassword => defined("text"),
        ValueKind::Word(words) => word(words),
        ValueKind::Flag => defined("flag"),
        ValueKind::FlagOr(word) => {
            json!({"anyOf": [defined("flag"), {"type": "string", "pattern": whole(&any_case(word))}]})
        }
        ValueKind::Count => number(key),
        ValueKind::CountOrForms {
            word,
            items,
            section: one,
        } => json!({"anyOf": [
            number(key),
            {"const": word},
            {"type": "array", "items": section(&[items])},
            keyed(one),
        ]}),
        ValueKind::CountOrShare => json!({"anyOf": [
            number(key),
            {"type": "string", "pattern": whole(r"(100|[1-9]?[0-9]) *%")},
        ]}),
        ValueKind::Sections(schema) => json!({"type": ["array", "null"], "items": section(&[schema])}),
        ValueKind::Decimal => either(
            &json!({"type": ["number", "null"], "minimum": 0}),
            &[whole(r"([0-9]+(\.[0-9]{0,6})?|\.[0-9]{1,6})")],
        ),
        ValueKind::Integer => either(&json!({"type": ["integer", "null"]}), &[integer()]),
        ValueKind::Duration if key.least.is_none() && key.most.is_none() => defined("duration"),
        ValueKind::Duration => length(least(key), most_seconds(key), false),
        ValueKind::DurationOrNone => length(least(key), most_seconds(key), true),
        ValueKind::Size => either(
            &json!({"type": ["integer", "null"], "minimum": least(key)}),
            &size(least(key)),
        ),
        ValueKind::Texts if NAMES.contains(&key.name) => names(),
        ValueKind::Texts => defined("texts"),
        ValueKind::TextMap | ValueKind::SecretMap => defined("textMap"),
        ValueKind::Free => json!({"type": ["object", "null"]}),
        ValueKind::TextOrSection(schema) => json!({"anyOf": [defined("text"), keyed(schema)]}),
        ValueKind::TextsOrSections(schema) => {
            let items = json!({"anyOf": [{"type": ["string", "number", "boolean"]}, keyed(schema)]});
            json!({"anyOf": [defined("text"), {"type": "array", "items": items}, keyed(schema)]})
        }
        ValueKind::Section(schema) => section(&[schema]),
        ValueKind::Entries(schema) => json!({"type": ["object", "null"], "additionalProperties": section(&[schema])}),
        ValueKind::EntriesByType => json!({"type": "object"}),
    }
}

fn is_url(key: &KeySpec) -> bool {
    key.name == "url" || key.name.ends_with("_url")
}

/// A name, or a list of names.
fn names() -> Json {
    let name = json!({"type": ["string", "number", "boolean"], "pattern": NAME});
    json!({
        "type": ["array", "string", "number", "boolean", "null"],
        "pattern": NAME,
        "items": name,
    })
}

/// A section that stands in for a text, so that nothing there is not one.
fn keyed(schema: &'static Schema) -> Json {
    let mut section = section(&[schema]);
    section["type"] = "object".into();
    section
}

fn least(key: &KeySpec) -> u64 {
    key.least.map_or(0, |least| u64::try_from(least.value).unwrap_or(0))
}

fn most_seconds(key: &KeySpec) -> i64 {
    key.most.map_or(MOST_SECONDS, |most| most.value.min(MOST_SECONDS))
}

/// A number as such, or as a text.
fn number(key: &KeySpec) -> Json {
    let least = least(key);
    let most = key.most.and_then(|most| u64::try_from(most.value).ok());
    let most = most.unwrap_or(u64::from(u32::MAX));
    either(
        &json!({"type": ["integer", "null"], "minimum": least, "maximum": most}),
        &count(least, most),
    )
}

/// A duration of at least so many seconds: 0 or 1, others would need arithmetic.
fn length(least: u64, most: i64, or_none: bool) -> Json {
    let number = json!({"type": ["integer", "null"], "minimum": least, "maximum": most});
    let mut expressions = vec![duration(most)];
    if least > 0 {
        expressions.push("[1-9]".to_owned());
    }
    let mut length = either(&number, &expressions);
    if let (true, Json::Array(ways)) = (or_none, &mut length["anyOf"]) {
        ways.push(json!({"enum": ["none", "never", "off"]}));
    }
    length
}

/// A value of another type, or a text that all these expressions match.
fn either(other: &Json, expressions: &[String]) -> Json {
    let text = match expressions {
        [one] => json!({"type": "string", "pattern": one}),
        all => {
            let all: Vec<Json> = all.iter().map(|one| json!({"pattern": one})).collect();
            json!({"type": "string", "allOf": all})
        }
    };
    json!({"anyOf": [other, text]})
}

fn word(words: &Words) -> Json {
    let spellings = words.spellings.iter().map(|(spelling, _)| *spelling);
    let all: Vec<&str> = words.words.iter().copied().chain(spellings).collect();
    let mut listed: Vec<Json> = all.iter().map(|word| (*word).into()).collect();
    listed.push(Json::Null);
    if !words.any_case {
        return json!({"enum": listed});
    }
    let expressions: Vec<String> = all.iter().map(|word| any_case(word)).collect();
    json!({"anyOf": [{"enum": listed}, {"type": "string", "pattern": whole(&one_of(&expressions))}]})
}

/// Returns whether the bounds of a key can be said: of the lower ones of durations only that 0 is refused.
#[cfg(test)]
pub fn says_bounds(key: &KeySpec) -> bool {
    match key.kind {
        ValueKind::Duration | ValueKind::DurationOrNone => least(key) <= 1,
        ValueKind::Size => key.most.is_none(),
        ValueKind::Integer => key.least.is_none() && key.most.is_none(),
        _ => true,
    }
}
