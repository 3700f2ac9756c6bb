//! The JSON Schema of the configuration file, for editors: the tables of keys, put together as `load` and `provider` do.

use serde_json::{Map, Value as Json, json};

use crate::provider::kind::{Kind, TYPE};
use crate::provider::kinds::KINDS;
use crate::settings::json_schema::{add_all, definitions, given_any, keys, section};
use crate::settings::key::{KeySpec, Need, Schema, ValueKind};

use super::node::{
    AGENT, AGENT_KEYS, HOST_KEY, HOST_KEY_KEYS, HOST_KEY_NEEDS, NODE, NODE_NEEDS, REGISTER, SERVER_NEEDS, SSH_NEEDS,
};
use super::root::{DEFAULTS, JENKINS, NODES, PROVIDER, ROOT};

/// Returns the schema of `mita.yaml`.
pub fn json_schema() -> Json {
    json_schema_with(&KINDS)
}

/// Like [`json_schema`], with the given kinds of clouds.
pub fn json_schema_with(kinds: &[&'static Kind]) -> Json {
    let mut root = keys(&[&ROOT]);
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = "mita.yaml".into();
    root["description"] = "What mita may create, where, and for whom.".into();
    root["required"] = json!([JENKINS.name(), NODES.name()]);
    // For anchors that are used elsewhere.
    root["patternProperties"] = json!({"^x-": true});
    for name in spellings(&PROVIDER) {
        put(&mut root, name, json!({"$ref": "#/$defs/providers"}));
    }
    let mut template = json!({"$ref": "#/$defs/node"});
    put(
        &mut root,
        NODES.name(),
        json!({"type": ["object", "null"], "additionalProperties": template.clone()}),
    );
    template["type"] = json!(["object", "null"]);
    put(
        &mut root,
        DEFAULTS.name(),
        json!({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}),
    );
    let mut conditions = vec![provider_is_there()];
    conditions.extend(NODE_NEEDS.iter().map(|need| of_templates(need, None)));
    conditions.extend(SERVER_NEEDS.iter().map(|need| of_templates(need, Some(kinds))));
    conditions.extend(with_ssh());
    add_all(&mut root, conditions);
    root["$defs"] = all_definitions(kinds).into();
    root
}

/// Replaces what a key of the top level takes; what is said of it stays.
fn put(root: &mut Json, key: &str, mut value: Json) {
    let described = root["properties"][key]["description"].take();
    value["description"] = described;
    root["properties"][key] = value;
}

fn spellings(key: &KeySpec) -> impl Iterator<Item = &'static str> {
    std::iter::once(key.name).chain(key.aliases.iter().copied())
}

fn all_definitions(kinds: &[&'static Kind]) -> Map<String, Json> {
    let mut all = definitions();
    let tables: Vec<&'static Schema> = std::iter::once(&NODE as &'static Schema)
        .chain(kinds.iter().map(|kind| kind.node_keys))
        .collect();
    all.insert("node".to_owned(), keys(&tables));
    for kind in kinds {
        all.insert(definition_of(kind), of_kind(kind, kinds));
    }
    all.insert("providers".to_owned(), providers(kinds));
    all
}

fn definition_of(kind: &Kind) -> String {
    format!("provider-{}", kind.name)
}

/// The entry of a kind. An empty text of another kind's key means that it is not there.
fn of_kind(kind: &'static Kind, kinds: &[&'static Kind]) -> Json {
    let mut entry = section(&[kind.schema]);
    let others = kinds.iter().filter(|other| other.name != kind.name);
    for key in others.flat_map(|other| other.schema.all()) {
        if matches!(key.kind, ValueKind::TextOrNone) && kind.schema.key(key.name).is_none() {
            for name in spellings(key) {
                entry["properties"][name] = json!({"type": ["string", "null"], "pattern": "^\\s*$"});
            }
        }
    }
    entry
}

/// The entries of `provider:`: of the kind that their type names, else of the kind that their own name is.
fn providers(kinds: &[&'static Kind]) -> Json {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    let reference = |kind: &Kind| json!({"$ref": format!("#/$defs/{}", definition_of(kind))});
    let is = |kind: &Kind| json!({"properties": {TYPE.name: {"const": kind.name}}, "required": [TYPE.name]});
    let by_type = kinds.iter().rev().fold(
        json!(false),
        |rest, kind| json!({"if": is(kind), "then": reference(kind), "else": rest}),
    );
    let typed = json!({"properties": {TYPE.name: {"type": "string"}}, "required": [TYPE.name]});
    let by_name = kinds.iter().map(|kind| {
        let entry = json!({"if": typed, "then": by_type, "else": reference(kind)});
        (kind.name.to_owned(), entry)
    });
    let other = json!({
        "type": "object",
        "required": [TYPE.name],
        "properties": {TYPE.name: {"enum": names}},
        "allOf": [by_type],
    });
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": by_name.collect::<Map<String, Json>>(),
        "additionalProperties": other,
    })
}

fn provider_is_there() -> Json {
    given_any(&[&ROOT], &[PROVIDER.spec()])
}

/// What every template must have, itself or by `defaults`. With kinds, templates on some of them need it alone: then
/// it is needed where no entry of `provider` is of another kind, for a template names its providers.
fn of_templates(need: &Need, kinds: Option<&[&'static Kind]>) -> Json {
    let tables: &[&'static Schema] = &[&NODE];
    let there = given_any(tables, need.any_of);
    let mut inherited = there.clone();
    inherited["type"] = "object".into();
    let mut cases = vec![json!({
        "properties": {DEFAULTS.name(): inherited},
        "required": [DEFAULTS.name()],
    })];
    for kind in kinds.unwrap_or_default().iter().filter(|kind| !kind.needs_image) {
        let names: Vec<&str> = spellings(&PROVIDER).collect();
        cases.extend(names.iter().map(|name| {
            let entries = json!({"not": entries_that_are_not(kind)});
            json!({"properties": {*name: entries}, "required": [name]})
        }));
    }
    let mut template = there;
    template["type"] = "object".into();
    let then = json!({"properties": {NODES.name(): {"additionalProperties": template}}});
    json!({"if": {"anyOf": cases}, "else": then})
}

/// What templates need with `register: ssh`, their own or that of `defaults`. A template's own `agent` replaces that of
/// `defaults` as a whole.
fn with_ssh() -> [Json; 3] {
    let mut host_key = given_any(&[&HOST_KEY_KEYS], HOST_KEY_NEEDS.any_of);
    host_key["type"] = "object".into();
    let host_key = json!({"properties": {HOST_KEY.name(): host_key}, "required": [HOST_KEY.name()]});
    let agent = json!({"type": "object", "allOf": [given_any(&[&AGENT_KEYS], SSH_NEEDS.any_of), host_key]});
    let good_if_there = json!({"properties": {AGENT.name(): agent}});
    let there = json!({"required": [AGENT.name()]});
    let good = json!({"properties": {AGENT.name(): agent}, "required": [AGENT.name()], "type": "object"});
    let is_ssh =
        json!({"properties": {REGISTER.name(): {"const": "ssh"}}, "required": [REGISTER.name()], "type": "object"});
    let says_how = json!({"required": [REGISTER.name()]});
    let of_all = |template: Json| json!({"properties": {NODES.name(): {"additionalProperties": template}}});
    let defaults = |section: &Json| json!({"properties": {DEFAULTS.name(): section}, "required": [DEFAULTS.name()]});
    // By its own key, or by that of `defaults`.
    let by_any = |then: &Json| {
        let own = of_all(json!({"if": is_ssh, "then": then}));
        let inherited = of_all(json!({"if": says_how, "else": then}));
        [own, json!({"if": defaults(&is_ssh), "then": inherited})]
    };
    let [own, inherited] = by_any(&good_if_there);
    let without = json!({"if": defaults(&good), "else": {"allOf": by_any(&there)}});
    [own, inherited, without]
}

/// Entries none of which is of a kind.
fn entries_that_are_not(kind: &Kind) -> Json {
    let typed = json!({"properties": {TYPE.name: {"const": kind.name}}, "required": [TYPE.name]});
    let untyped = json!({"not": {"properties": {TYPE.name: {"type": "string"}}, "required": [TYPE.name]}});
    json!({
        "properties": {kind.name: {"not": {"anyOf": [typed, untyped]}}},
        "additionalProperties": {"not": typed},
    })
}
