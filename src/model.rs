//! Names and facts: what mita knows of Jenkins and of the clouds after looking.
//!
//! Plain data, no behaviour beyond construction. Reading it from the wire is left to `jenkins` and `provider`,
//! deciding on it to `plan`.

mod fault;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use fault::FaultKind;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text that is already known to be such a name.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

name_type! {
    /// The name of a node template, an entry of `nodes:`.
    TemplateName
}
name_type! {
    /// The name of an entry of `provider:`.
    ProviderName
}
name_type! {
    /// The cloud's own id of a server.
    ServerId
}
name_type! {
    /// The display name of a Jenkins node (agent).
    NodeName
}
name_type! {
    /// An availability zone.
    Zone
}
name_type! {
    /// The random part of a server's name: 12 lower-case hexadecimal digits, never used twice.
    NodeId
}

/// Separates the template from the id in a server's name.
pub const NAME_SEPARATOR: &str = "__";

impl NodeId {
    /// Reads an id: exactly 12 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self::new(text))
    }
}

/// Makes the name of a server: `<template>__<id>`.
pub fn server_name(template: &TemplateName, id: &NodeId) -> String {
    format!("{template}{NAME_SEPARATOR}{id}")
}

/// Takes a name of the form `<template>__<id>` apart.
pub fn split_server_name(name: &str) -> Option<(TemplateName, NodeId)> {
    let (template, id) = name.rsplit_once(NAME_SEPARATOR)?;
    let id = NodeId::parse(id)?;
    (!template.is_empty()).then(|| (TemplateName::new(template), id))
}

/// Returns the id under which a server is known that bears none of ours, since another program or a person made it: a
/// digest of where it stands and of the cloud's id, the same in every pass.
pub fn adopted_id(provider: &ProviderName, server: &ServerId) -> NodeId {
    let digest = digest_u64(format!("{provider} {server}").as_bytes());
    NodeId::new(format!("{:012x}", digest >> 16))
}

/// Returns whether a text is a UUID in its usual form, as the original tool put it behind `<template>__`.
pub fn is_uuid(text: &str) -> bool {
    let good = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(good)
}

/// Takes a name apart that mita or the original tool gave: `<template>__<id>` or `<template>__<uuid>`. Returns the
/// template.
pub fn template_in_name(name: &str) -> Option<&str> {
    let (template, id) = name.rsplit_once(NAME_SEPARATOR)?;
    let good = NodeId::parse(id).is_some() || is_uuid(id);
    (good && !template.is_empty()).then_some(template)
}

/// Takes a name of the form `<front>+<ip>` apart. Jenkins allows no colon in a name, so IPv6 is written with `-`.
pub fn split_address_name(name: &str) -> Option<(&str, IpAddr)> {
    let (front, text) = name.rsplit_once('+')?;
    let address = text.parse().ok().or_else(|| text.replace('-', ":").parse().ok())?;
    Some((front, address))
}

/// Something that could be read, or the reason why not. An unreadable list is never an empty one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// The whole of it.
    Read(T),
    /// Why it could not be had.
    Unreadable(String),
}

impl<T> Reading<T> {
    /// Returns what was read.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unreadable(_) => None,
        }
    }
}

// ---------------------------------------------------------------------------------------------- Jenkins

/// The stage of a queue item (`hudson.model.Queue$…Item`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In its quiet period.
    Waiting,
    /// Held back by something that no server helps.
    Blocked,
    /// Waits for an executor.
    Buildable,
    /// Buildable and already handed to an executor.
    Pending,
}

/// What `task[labelExpression]` said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskLabel {
    /// The field was not there: an old Jenkins, a pipeline, or a task of another kind.
    Untold,
    /// The field was null: the job may run anywhere (never trusted for a matrix child).
    Anywhere,
    /// The raw text the user entered.
    Expression(String),
}

/// One item of the build queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueItem {
    /// The queue id, stable over all stages.
    pub id: u64,
    /// Its stage.
    pub stage: Stage,
    /// Jenkins' own `stuck` flag.
    pub stuck: bool,
    /// When it entered the queue.
    pub since: Timestamp,
    /// The `why` sentence as Jenkins sent it.
    pub why: Option<String>,
    /// The `_class` of the task; absent before Jenkins 2.
    pub task_class: Option<String>,
    /// The most telling name of the task (`fullName`, else `fullDisplayName`, else `name`).
    pub task: String,
    /// The bare `name` of the task: for a matrix child its combination, `AXIS=value,AXIS2=value2`.
    pub task_name: String,
    /// The task's URL as Jenkins sent it; absolute or relative, never to be followed blindly.
    pub task_url: Option<String>,
    /// `task[labelExpression]`.
    pub label: TaskLabel,
}

/// One computer of `/computer/api/json`.
#[expect(clippy::struct_excessive_bools, reason = "these are Jenkins' own fields")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computer {
    /// Its display name; for agents the node's name.
    pub name: NodeName,
    /// Whether it is the built-in node (by `_class`, the display name is localized).
    pub built_in: bool,
    /// Jenkins' `idle`: no executor works. True for offline and booting nodes, too.
    pub idle: bool,
    /// No channel, or marked offline.
    pub offline: bool,
    /// Marked offline, by a person, a monitor or mita.
    pub temporarily_offline: bool,
    /// `offlineCauseReason`; not empty for unmarked nodes either.
    pub offline_reason: String,
    /// The `_class` of the offline cause.
    pub offline_class: Option<String>,
    /// Number of executors.
    pub executors: u32,
    /// How many of them are idle.
    pub idle_executors: u32,
    /// Whether a one-off executor (a matrix parent, …) is at work.
    pub one_off_busy: bool,
    /// Digests of the URLs of the builds that run there; only where builds are counted (`max_builds`), and only of those
    /// that mita may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<String>,
    /// Its labels, its own name among them; `None` where Jenkins did not tell (before 2.94).
    pub labels: Option<Vec<String>>,
}

impl Computer {
    /// The name of the node that `jenkins.anchor` keeps. One for all owners: any node that is offline serves all of them.
    pub const ANCHOR: &'static str = "mita-anchor";

    /// Returns whether it is the node that keeps labels readable, on which nothing ever runs.
    pub fn is_anchor(&self) -> bool {
        !self.built_in && self.name.as_str() == Self::ANCHOR
    }
}

/// What a job's `config.xml` says of where it may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobConfig {
    /// `<assignedNode>`, unless the job may roam.
    pub assigned_node: Option<String>,
    /// The names of the matrix axes that are labels: every `LabelAxis`, then every `LabelExpAxis` (the order in which
    /// Jenkins joins them), each in the order of the file.
    pub label_axes: Vec<String>,
}

/// Jenkins as it was seen in one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JenkinsView {
    /// The queue, in the order in which Jenkins sent it.
    pub queue: Vec<QueueItem>,
    /// All computers, the built-in node among them.
    pub computers: Vec<Computer>,
    /// `X-Jenkins`, the version.
    pub version: Option<String>,
    /// `X-Jenkins-Language`: set where the locale plugin overrides our `Accept-Language`.
    pub language: Option<String>,
    /// `X-Jenkins-Session`: another one with each start of the controller.
    #[serde(default)]
    pub session: Option<String>,
    /// Whether Jenkins is quieting down; `None` until it was asked, which is done before the first action.
    pub quieting_down: Option<bool>,
    /// How many items Jenkins shows only as discoverable: the user may not read their jobs.
    #[serde(default)]
    pub hidden: u64,
    /// The labels of the queue's items by the script console, `None` for an item that may run anywhere; the whole is
    /// `None` where the console was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Reading<BTreeMap<u64, Option<String>>>>,
    /// `config.xml` of the jobs whose label the queue does not tell, by the path of the job's URL (`job/a/job/b`).
    pub jobs: BTreeMap<String, Reading<JobConfig>>,
    /// Labels of nodes where the computer list does not tell them.
    pub node_labels: BTreeMap<NodeName, Reading<Vec<String>>>,
}

// ----------------------------------------------------------------------------------------------- clouds

/// The status of a server (an open set; task state comes first, see `Server::task_state`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// Up.
    Active,
    /// Being built.
    Build,
    /// Failed.
    Error,
    /// Deleted, though still listed for a moment (`DELETED`, `SOFT_DELETED`).
    Deleted,
    /// Any other, as the cloud named it (`SHUTOFF`, …).
    Other(String),
}

/// The marks that mita writes into a server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// `mita-owner`.
    pub owner: String,
    /// `mita-node`: the template.
    pub template: Option<TemplateName>,
    /// `mita-id`.
    pub id: Option<NodeId>,
    /// `mita-config`: the digest of what defined the server when it was made.
    pub config: Option<String>,
}

/// One server of a cloud, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The cloud's id.
    pub id: ServerId,
    /// Its name; not unique.
    pub name: String,
    /// Its status.
    pub status: ServerStatus,
    /// `OS-EXT-STS:task_state`; `deleting` means it goes, whatever the status says.
    pub task_state: Option<String>,
    /// When it was made, by the cloud's clock.
    pub created: Timestamp,
    /// All its addresses, in the order in which the cloud lists them.
    pub addresses: Vec<Address>,
    /// Its availability zone, once it has one.
    pub zone: Option<Zone>,
    /// The id of its image; `None` for boot from volume.
    pub image: Option<String>,
    /// The ids of the volumes that are attached to it.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// The message of its fault, where the list shows one.
    pub fault: Option<String>,
    /// Our marks, if it bears `mita-owner`.
    pub mark: Option<Mark>,
}

/// One address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Whether it is a floating one, which was given to a fixed one.
    pub floating: bool,
}

impl Address {
    /// Makes a fixed address.
    pub fn fixed(ip: IpAddr) -> Self {
        Self { ip, floating: false }
    }
}

impl Server {
    /// Returns the address at which others reach it best: floating before fixed, IPv4 before IPv6.
    pub fn address(&self) -> Option<IpAddr> {
        let best = self.addresses.iter().min_by_key(|at| (!at.floating, at.ip.is_ipv6()));
        best.map(|at| at.ip)
    }

    /// Returns whether it has a port, so that a floating IP can be given to it.
    pub fn has_port(&self) -> bool {
        self.addresses.iter().any(|at| !at.floating)
    }
}

/// What belongs to a server and can outlive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelongingKind {
    /// A floating IP.
    FloatingIp,
    /// A port.
    Port,
    /// A volume.
    Volume,
}

impl BelongingKind {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::FloatingIp, Self::Port, Self::Volume];

    /// Returns what a person calls it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::FloatingIp => "floating IP",
            Self::Port => "port",
            Self::Volume => "volume",
        }
    }
}

/// A floating IP, port or volume of the project, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belonging {
    /// What it is.
    pub kind: BelongingKind,
    /// The cloud's id.
    pub id: String,
    /// Its address (floating IP) or name; the id where it has none.
    pub name: String,
    /// Whether something uses it: a floating IP that has a port, a port that has a device, a volume that is attached or
    /// in a state in which it cannot be removed.
    pub in_use: bool,
    /// The server that uses it, or used it last, where the cloud tells.
    pub server: Option<ServerId>,
    /// When it was made, where the cloud tells.
    pub created: Option<Timestamp>,
    /// Our mark, if it bears one.
    pub mark: Option<BelongingMark>,
}

/// The mark on what belongs to a server: in the description of a floating IP or port, in the metadata of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BelongingMark {
    /// `mita-owner`.
    pub owner: String,
    /// `mita-server`: the name of the server, `<template>__<id>`.
    pub server: String,
}

impl BelongingMark {
    /// Its keys, of owner and server, in metadata and in a description.
    pub const KEYS: [&str; 2] = ["mita-owner", "mita-server"];

    /// Writes it into a description: `mita-owner=OWNER mita-server=NAME`, blanks and `%` in them percent-encoded.
    pub fn description(&self) -> String {
        let plain = |text: &str| text.replace('%', "%25").replace(' ', "%20");
        let [owner, server] = Self::KEYS;
        format!("{owner}={} {server}={}", plain(&self.owner), plain(&self.server))
    }

    /// Reads it from a description that is a mark as a whole. With anything else beside it a person wrote the description
    /// anew, and keeps the thing for a purpose of their own.
    pub fn of_description(text: &str) -> Option<Self> {
        let plain = |text: &str| text.replace("%20", " ").replace("%25", "%");
        let value = |key: &str| {
            let mut words = text.split(' ');
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('=').map(plain))
        };
        let [owner, server] = Self::KEYS;
        let mark = Self {
            owner: value(owner)?,
            server: value(server)?,
        };
        (mark.description() == text).then_some(mark)
    }
}

/// What a server of a template needs, independent of any cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSpec {
    /// The image.
    pub image: ImageRef,
    /// The flavor.
    pub size: SizeRef,
    /// The key pair.
    pub key_pair: Option<String>,
    /// GB of a blank volume that lives as long as the server.
    pub storage: Option<u32>,
    /// GB of the root volume, when the server boots from one.
    pub boot_volume: Option<u32>,
    /// The type of both volumes; `None`: the cloud's default.
    pub volume_type: Option<String>,
    /// Networks, by name or id; empty: the cloud's choice.
    pub networks: Vec<String>,
    /// Ports, after the networks.
    pub ports: Vec<PortSpec>,
    /// The external network, by name or id, from which each server gets a floating IP.
    pub floating_ip_pool: Option<String>,
    /// Security groups, by name or id; empty: the cloud's default.
    pub security_groups: Vec<String>,
    /// Whether a config drive is asked for; `None`: the cloud's choice.
    pub config_drive: Option<bool>,
    /// The template's own metadata.
    pub metadata: BTreeMap<String, String>,
    /// Scheduler hints, passed on as they are.
    pub scheduler_hints: BTreeMap<String, serde_json::Value>,
    /// What else a provider of type exec is told, passed on as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, serde_json::Value>,
}

/// How an image is named. A template that has none, as a provider of type exec allows, has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageRef {
    /// By its name (or its id, where the text is a UUID).
    Name(String),
    /// By its id.
    Id(String),
    /// The newest whose whole name a regular expression matches.
    Regex(String),
}

/// How a flavor is named. A template that has none, as a provider of type exec allows, has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeRef {
    /// By its name or id.
    Named(String),
    /// The smallest that has all of this.
    Least {
        /// vCPUs.
        vcpus: u64,
        /// MiB of memory.
        ram_mb: u64,
        /// GB of the root disk.
        disk_gb: u64,
    },
}

/// A port of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortSpec {
    /// One of the ports that a person made, by name or id: each server takes one that is free.
    Existing(String),
    /// One that is made for the server and removed with it.
    Made {
        /// The network, by name or id.
        network: String,
        /// Security groups, by name or id; empty: those of the server, or else the project's default.
        security_groups: Vec<String>,
        /// `normal`, `direct`, `macvtap`, …; `None`: the cloud's default.
        vnic_type: Option<String>,
        /// Whether the port's addresses are enforced; `None`: as the network says.
        port_security: Option<bool>,
    },
}

/// What a cloud resolved a [`ServerSpec`] to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The flavor's id.
    pub flavor: String,
    /// The image's id.
    pub image: String,
    /// The ids of the other images that bear the name or match the expression, newest first: for the way back.
    #[serde(default)]
    pub older_images: Vec<String>,
    /// The networks' ids.
    pub networks: Vec<String>,
    /// The ports, each with what stands for it.
    #[serde(default)]
    pub ports: Vec<PortOffer>,
    /// The id of the server group that the scheduler hints name by its name.
    #[serde(default)]
    pub server_group: Option<String>,
    /// vCPUs of the flavor.
    pub vcpus: u64,
    /// MiB of memory of the flavor.
    pub ram_mb: u64,
}

/// What a port resolved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortOffer {
    /// Any of these ports, which were free, in the order in which they are taken: each server takes one.
    OneOf(Vec<String>),
    /// A port to be made in this network, with these security groups, by id.
    New {
        /// The network's id.
        network: String,
        /// The groups' ids.
        security_groups: Vec<String>,
    },
}

/// Room that is left in a project. `None` is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Servers.
    pub instances: Option<u64>,
    /// vCPUs.
    pub vcpus: Option<u64>,
    /// MiB of memory.
    pub ram_mb: Option<u64>,
}

/// Why a template cannot be had from a cloud, or not now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What is wrong and what to do: `no flavor named "m3.xlrge" (nearest: "m3.xlarge")`.
    pub reason: String,
}

/// What a cloud offers for creating: asked only when something is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// What is left of the quota.
    pub room: Room,
    /// The outcome of the look-up, by template.
    pub templates: BTreeMap<TemplateName, Result<Offer, Unavailable>>,
}

/// A cloud as it was seen in one pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudView {
    /// Every server of the project, foreign ones among them.
    pub servers: Vec<Server>,
    /// The cloud's clock (the `Date` of its answer), for ages.
    pub clock: Option<Timestamp>,
    /// What it offers; `None` until it was asked.
    pub offers: Option<Reading<Offers>>,
    /// Floating IPs, ports and volumes, of the kinds that were asked for; `None` until one was.
    #[serde(default)]
    pub belongings: Option<Reading<Belongings>>,
}

/// What a cloud has beside servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Belongings {
    /// The kinds that were read: of the others nothing is known.
    pub kinds: std::collections::BTreeSet<BelongingKind>,
    /// All of these kinds, foreign ones among them.
    pub all: Vec<Belonging>,
    /// The kinds that were asked for and could not be read, each with the reason.
    #[serde(default)]
    pub failed: BTreeMap<BelongingKind, String>,
}

/// The world as it was seen in one pass. Jenkins could be read whole, or there is no `Observed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Jenkins.
    pub jenkins: JenkinsView,
    /// The clouds, one entry for every configured provider.
    pub clouds: BTreeMap<ProviderName, Reading<CloudView>>,
}

/// Digests bytes to 16 hexadecimal digits (FNV-1a, 64 bit): stable over versions, not for secrets.
pub fn digest(bytes: &[u8]) -> String {
    format!("{:016x}", digest_u64(bytes))
}

/// Digests bytes to a number (FNV-1a, 64 bit).
pub fn digest_u64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_and_an_id_stand_behind_a_template() {
        let uuid = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1A2B3C4D";
        assert!(is_uuid(uuid));
        for (name, template) in [
            (format!("small__{uuid}"), Some("small")),
            (format!("small__x__{uuid}"), Some("small__x")),
            ("small__0123456789ab".to_owned(), Some("small")),
            (format!("__{uuid}"), None),
            (format!("small_{uuid}"), None),
            (format!("small__{uuid}0"), None),
            (format!("small__{}", uuid.replace('-', "0")), None),
            (format!("small__{}", &uuid[..35]), None),
            ("small__".to_owned(), None),
        ] {
            assert_eq!(template_in_name(&name), template, "{name}");
        }
    }

    #[test]
    fn the_id_of_an_adopted_server_is_its_own_and_stays() {
        let id = |provider: &str, server: &str| adopted_id(&provider.into(), &server.into());
        assert_eq!(id("east", "1"), id("east", "1"));
        assert!(NodeId::parse(id("east", "1").as_str()).is_some());
        assert_ne!(id("east", "1"), id("east", "2"));
        assert_ne!(id("east", "1"), id("west", "1"));
    }

    #[test]
    fn a_mark_is_read_back_from_a_description() {
        for (owner, server) in [
            ("ci.example.com", "linux__0123456789ab"),
            ("the 100% owner", "a%20b__0123456789ab"),
        ] {
            let mark = BelongingMark {
                owner: owner.to_owned(),
                server: server.to_owned(),
            };
            assert_eq!(BelongingMark::of_description(&mark.description()), Some(mark));
        }
        for foreign in [
            "",
            "for mita",
            "mita-owner=x",
            "mita-server=x",
            "xmita-owner=a mita-server=b",
            "once mita-owner=a mita-server=b, now of the web shop",
            "mita-owner=a mita-server=b keep!",
            "mita-owner=a mita-server=b mita-owner=c",
        ] {
            assert_eq!(BelongingMark::of_description(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_server_is_reached_by_its_floating_address_first() {
        let at = |text: &str, floating| Address {
            ip: text.parse().unwrap(),
            floating,
        };
        let mut addresses = Vec::new();
        for (next, best) in [
            (at("2001:db8::1", false), "2001:db8::1"),
            (at("10.0.0.1", false), "10.0.0.1"),
            (at("10.0.0.2", false), "10.0.0.1"),
            (at("2001:db8::2", true), "2001:db8::2"),
            (at("198.51.100.1", true), "198.51.100.1"),
        ] {
            addresses.push(next);
            let server = Server {
                id: ServerId::new("s"),
                name: String::new(),
                status: ServerStatus::Active,
                task_state: None,
                created: Timestamp::UNIX_EPOCH,
                addresses: addresses.clone(),
                zone: None,
                image: None,
                volumes: Vec::new(),
                fault: None,
                mark: None,
            };
            assert_eq!(server.address().unwrap().to_string(), best);
        }
    }
}
