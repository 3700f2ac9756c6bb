//! The format of a scenario. Whatever is not said has the usual value; `with` changes any field of the model by the name
//! that it has in a saved observation or in the state file.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mita::model::Pause;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One world, and what is asked of mita.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `run`, `provision`, `reap`, `leaks`, `destroy NAME...`, `drain NAME...` or `undrain NAME...`; `run --force` and
    /// `destroy --force NAME...`; in place of names `--all`, `--outdated`, `--template=NAME`, `--provider=NAME`;
    /// `provision --template=NAME --count=N`.
    #[serde(default = "run")]
    pub command: String,
    /// When.
    #[serde(default = "noon")]
    pub now: Timestamp,
    /// How many passes see this world, a minute apart; the plan is the last one's.
    #[serde(default = "one")]
    pub passes: u64,
    /// What `mita.yaml` says beside the base of all scenarios: logins, an image and a size.
    pub config: Value,
    /// What waits.
    #[serde(default)]
    pub queue: Vec<Item>,
    /// Our servers, each with its Jenkins node.
    #[serde(default)]
    pub agents: Vec<Agent>,
    /// Other Jenkins nodes.
    #[serde(default)]
    pub nodes: Vec<OtherNode>,
    /// What is special about a cloud, by its name in the configuration.
    #[serde(default)]
    pub clouds: BTreeMap<String, Cloud>,
    /// Where an operator wants nothing to be created.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// What else is special about Jenkins.
    #[serde(default)]
    pub jenkins: Value,
    /// What the state remembers beside the agents.
    #[serde(default)]
    pub state: Value,
}

fn run() -> String {
    "run".to_owned()
}

fn noon() -> Timestamp {
    Timestamp::constant(1_772_452_800, 0)
}

/// Queue items that wait for one label; without one they have none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub label: Option<String>,
    #[serde(default = "one")]
    pub items: u64,
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub age: SignedDuration,
    /// Fields of the queue item.
    #[serde(default)]
    pub with: Value,
}

/// A server of ours and its Jenkins node, as the last pass left them: up for an hour and idle for a minute.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    pub template: String,
    /// The number that becomes its id.
    pub id: u64,
    pub cloud: Option<String>,
    #[serde(default = "an_hour", deserialize_with = "duration")]
    pub age: SignedDuration,
    /// For how long the last passes saw the node idle.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub idle: SignedDuration,
    /// For how long they saw it offline.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub offline: SignedDuration,
    /// The server: `active`, `build`, `error`, `deleting`, `none`, or another status of Nova in capitals.
    #[serde(default = "active")]
    pub server: String,
    /// The node: `idle`, `busy`, `offline` or `none`; none by default where the server is not active.
    pub node: Option<NodeIs>,
    /// The reason of a node that is marked offline.
    pub marked: Option<String>,
    /// Who marked it: `person` (or mita, by the reason), `monitor`, or `disconnect` by a person without a mark.
    #[serde(default)]
    pub by: By,
    /// Whether its node was online before; by default where it has one.
    pub joined: Option<bool>,
    /// Whether an earlier pass saw it.
    #[serde(default = "yes")]
    pub known: bool,
    #[serde(default)]
    pub with: AgentDetails,
}

/// Fields of the three records that make an agent.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDetails {
    /// Of the server, as the cloud lists it.
    #[serde(default)]
    pub server: Value,
    /// Of the node, as Jenkins lists it.
    #[serde(default)]
    pub node: Value,
    /// Of what the state remembers.
    #[serde(default)]
    pub memory: Value,
}

/// A Jenkins node that has no server of ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherNode {
    pub name: String,
    #[serde(default)]
    pub labels: Vec<String>,
    #[serde(default)]
    pub node: NodeIs,
    pub marked: Option<String>,
    #[serde(default)]
    pub by: By,
    /// Fields of the node.
    #[serde(default)]
    pub with: Value,
}

/// What a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeIs {
    #[default]
    Idle,
    Busy,
    Offline,
    None,
}

/// Who took a node offline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    #[default]
    Person,
    Monitor,
    Disconnect,
}

/// A cloud. By default it can be read, has room for everything, and has every template's image and flavor.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Why it could not be read.
    pub unreadable: Option<String>,
    /// What is left of its quota: `instances`, `vcpus`, `ram_mb`.
    #[serde(default)]
    pub room: Value,
    /// Whether the pass has not asked it yet what it offers.
    #[serde(default)]
    pub unasked: bool,
    /// Fields of what it offers for a template, by template.
    #[serde(default)]
    pub offers: BTreeMap<String, Value>,
    /// Why it cannot make a template, by template.
    #[serde(default)]
    pub lacks: BTreeMap<String, String>,
    /// Servers of others, or with a mark of their own.
    #[serde(default)]
    pub servers: Vec<Value>,
    /// Floating IPs, ports and volumes.
    #[serde(default)]
    pub resources: Vec<Value>,
    /// Fields of the cloud as it was seen.
    #[serde(default)]
    pub with: Value,
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

fn active() -> String {
    "active".to_owned()
}

fn a_minute() -> SignedDuration {
    SignedDuration::from_mins(1)
}

fn an_hour() -> SignedDuration {
    SignedDuration::from_hours(1)
}

/// Reads a duration as `mita.yaml` has it.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    mita::config::parse_duration(&text).map_err(serde::de::Error::custom)
}
