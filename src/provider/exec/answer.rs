//! The program's answers. Anything unexpected makes the whole answer unusable: a list that is half
//! understood would lack servers that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::request::VERSION;
use crate::model::{Address, Headroom, Mark, NodeId, Quota, Server, ServerId, ServerStatus, TemplateName, Zone};
use crate::text::printable;

/// The largest id: far more than any cloud has.
const MAX_ID: usize = 255;

#[derive(Debug, Deserialize)]
pub(super) struct ListAnswer {
    pub servers: Vec<Value>,
    #[serde(default)]
    pub clock: Option<Timestamp>,
    /// The optional verbs that it knows.
    #[serde(default, deserialize_with = "or_default")]
    pub verbs: BTreeSet<String>,
}

/// The answer to `create`.
#[derive(Debug, Deserialize)]
pub(super) struct CreateAnswer {
    pub id: String,
}

/// The answer to `check`.
#[derive(Debug, Deserialize)]
pub(super) struct CheckAnswer {
    pub missing: Vec<String>,
}

/// The answer to `console`.
#[derive(Debug, Deserialize)]
pub(super) struct ConsoleAnswer {
    #[serde(default)]
    pub text: Option<String>,
}

/// The answer to `offers`.
#[derive(Debug, Deserialize)]
pub(super) struct OffersAnswer {
    #[serde(default, deserialize_with = "or_default")]
    room: HeadroomAnswer,
    #[serde(default, deserialize_with = "or_default")]
    pub templates: BTreeMap<TemplateName, TemplateAnswer>,
}

/// What is left; an absent field is unlimited.
#[derive(Debug, Default, Deserialize)]
struct HeadroomAnswer {
    servers: Option<u64>,
    vcpus: Option<u64>,
    ram: Option<u64>,
}

/// What a server of a template takes, or why there can be none.
#[derive(Debug, Deserialize)]
pub(super) struct TemplateAnswer {
    #[serde(default)]
    pub unavailable: Option<String>,
    #[serde(default)]
    pub vcpus: Option<u64>,
    #[serde(default)]
    pub ram: Option<u64>,
}

impl OffersAnswer {
    pub(super) fn room(&self) -> Headroom {
        Headroom {
            instances: self.room.servers,
            vcpus: self.room.vcpus,
            ram_mb: self.room.ram,
            quota: Quota::default(),
        }
    }
}

/// A server of the list.
#[derive(Debug, Deserialize)]
struct ListedServer {
    id: String,
    name: String,
    status: String,
    /// Required, even if empty: without it every server of ours would look foreign.
    metadata: BTreeMap<String, Value>,
    #[serde(default)]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    addresses: Vec<IpAddr>,
    #[serde(default)]
    zone: Option<String>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    fault: Option<String>,
}

/// Reads null as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads an answer: one JSON object of our version. The error is a fragment for a message.
pub(super) fn read<'a, T: Deserialize<'a>>(stdout: &'a [u8]) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default)]
        version: Option<u64>,
    }
    let bad = |error: serde_json::Error| {
        let begins = printable(&String::from_utf8_lossy(&stdout[..stdout.len().min(120)]), 60);
        let error = printable(&error.to_string(), 150);
        format!("the answer is not what the protocol says: {error}; it begins \"{begins}\"")
    };
    // serde would take a list for the fields of an object, in their order.
    if stdout.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(bad(serde::de::Error::custom("expected an object")));
    }
    let answer: Versioned = serde_json::from_slice(stdout).map_err(bad)?;
    match answer.version {
        None | Some(VERSION) => serde_json::from_slice(stdout).map_err(bad),
        Some(other) => Err(format!(
            "it speaks version {other} of the protocol, mita speaks {VERSION}"
        )),
    }
}

/// Makes the servers of a list.
pub(super) fn servers(list: Vec<Value>) -> Result<Vec<Server>, String> {
    let mut ids = BTreeSet::new();
    let mut servers = Vec::with_capacity(list.len());
    for (index, entry) in list.into_iter().enumerate() {
        if !entry.is_object() {
            return Err(format!("servers[{index}]: expected an object"));
        }
        let entry: ListedServer = serde_json::from_value(entry)
            .map_err(|error| format!("servers[{index}]: {}", printable(&error.to_string(), 150)))?;
        id(&entry.id).map_err(|error| format!("servers[{index}]: {error}"))?;
        if !ids.insert(entry.id.clone()) {
            let shown = printable(&entry.id, 60);
            return Err(format!("servers[{index}]: the id \"{shown}\" is there twice"));
        }
        servers.push(server(entry));
    }
    Ok(servers)
}

pub(super) fn id(id: &str) -> Result<(), String> {
    if id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control) {
        return Err(format!(
            "\"{}\" is no id: it must have 1 to {MAX_ID} bytes and no control character",
            printable(id, 60)
        ));
    }
    Ok(())
}

fn server(listed: ListedServer) -> Server {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let status = listed.status.to_ascii_uppercase();
    Server {
        id: ServerId::new(listed.id),
        name: listed.name,
        task_state: (status == "DELETING").then(|| "deleting".to_owned()),
        status: match status.as_str() {
            "ACTIVE" => ServerStatus::Active,
            "BUILD" => ServerStatus::Build,
            "ERROR" => ServerStatus::Error,
            "DELETED" => ServerStatus::Deleted,
            _ => ServerStatus::Other(status),
        },
        created: listed.created,
        launched: None,
        // The program gives all addresses itself, so each counts as floating: mita adds none.
        addresses: listed.addresses.into_iter().map(given).collect(),
        zone: filled(listed.zone).map(Zone::new),
        image: filled(listed.image),
        volumes: Vec::new(),
        fault: filled(listed.fault).map(|text| printable(&text, 300)),
        mark: mark(&listed.metadata),
    }
}

fn given(ip: IpAddr) -> Address {
    Address { ip, floating: true }
}

fn mark(metadata: &BTreeMap<String, Value>) -> Option<Mark> {
    let text = |key: &str| metadata.get(key).and_then(Value::as_str);
    Some(Mark {
        owner: text("mita-owner")?.to_owned(),
        template: text("mita-node").map(TemplateName::new),
        id: text("mita-id").and_then(NodeId::parse),
        config: text("mita-config").map(str::to_owned),
    })
}
