//! Names and facts: what mita knows of Jenkins and of the clouds after looking.
//!
//! Plain data, no behaviour beyond construction. Reading it from the wire is left to `jenkins` and `provider`,
//! deciding on it to `plan`.

mod belonging;
mod fault;
pub mod node_name;
mod offline;
mod spec;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use belonging::{Belonging, BelongingKind, BelongingMark, Belongings};
pub use fault::FaultKind;
pub use offline::{DRAIN_PREFIX, MARK_PREFIX, OfflineBy, OfflineSigns, SPENT_PREFIX, Work};
pub use spec::{ImageRef, Offer, Offers, PortOffer, PortSpec, Room, ServerSpec, SizeRef, Unavailable};

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

/// Takes a name of the form `<ip>+<rest>` apart.
pub fn split_name_address(name: &str) -> Option<(IpAddr, &str)> {
    let (text, rest) = name.split_once('+')?;
    let address = text.parse().ok().or_else(|| text.replace('-', ":").parse().ok())?;
    Some((address, rest))
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
    /// The names of the matrix axes that are labels, in the order of the file, in which Jenkins joins them.
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
    /// The clock of Jenkins (the `Date` of its reply), for ages of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// How many computers are listed whose name could not be read. Any server that seems to have no node may have one of
    /// them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nameless: u64,
    /// What could not be read of the queue and the computers, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
    /// When mita itself first saw items that may still be too young to count (`queue_grace`), by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub first_seen: BTreeMap<u64, Timestamp>,
    /// How many items Jenkins shows only as discoverable: the user may not read their jobs.
    #[serde(default)]
    pub hidden: u64,
    /// The labels of the queue's items by the script console, `None` for an item that may run anywhere; the whole is
    /// `None` where the console was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Reading<BTreeMap<u64, Option<String>>>>,
    /// `config.xml` of the jobs whose label the queue does not tell, by the path of the job's URL (`job/a/job/b`).
    pub jobs: BTreeMap<String, Reading<JobConfig>>,
    /// Jobs whose `config.xml` Jenkins refuses, by their paths: the permission that is missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused_jobs: BTreeMap<String, String>,
    /// Labels of nodes where the computer list does not tell them.
    pub node_labels: BTreeMap<NodeName, Reading<Vec<String>>>,
}

impl JenkinsView {
    /// Returns how long an item has been in the queue: by the clock of Jenkins, which may differ from ours, or since we
    /// first saw it, whichever is longer.
    pub fn age(&self, item: &QueueItem, now: Timestamp) -> SignedDuration {
        let told = self.clock.unwrap_or(now).duration_since(item.since);
        let seen = self.first_seen.get(&item.id).map(|seen| now.duration_since(*seen));
        told.max(seen.unwrap_or_default()).max(SignedDuration::ZERO)
    }
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
    /// When it was made, by the cloud's clock; `None` where that cannot be read.
    #[serde(default)]
    pub created: Option<Timestamp>,
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
    /// Returns whether it bears the mark of an owner.
    pub fn is_marked(&self, owner: &str) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.owner == owner)
    }

    /// Returns whether the cloud deletes it or has deleted it, whatever the status says.
    pub fn is_deleting(&self) -> bool {
        let task = self.task_state.as_deref();
        self.status == ServerStatus::Deleted || matches!(task, Some("deleting" | "soft-deleting"))
    }

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

/// Which of the bases that a service may have is the right one, by service; nothing where it is the first.
pub type Spoken = BTreeMap<String, SpokenBase>;

/// The base of a service that is not the likeliest one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenBase {
    /// The digest of all the bases it may have: with another endpoint or project it is another one.
    pub endpoint: String,
    /// Which of them, counted from 0.
    pub base: usize,
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
    /// Servers of ours that the list lacked and that were asked for one by one. What is there is among `servers`, too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub looked_up: BTreeMap<ServerId, Presence>,
    /// What could not be read of its answers and was left alone, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

/// What a cloud answered when it was asked for one server that its list lacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there: the list was short.
    There,
    /// The service itself says that it has none.
    Gone,
    /// Any other answer, which proves nothing.
    NotKnown(String),
}

/// The world as it was seen in one pass. Jenkins could be read whole, or there is no `Observed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Jenkins.
    pub jenkins: JenkinsView,
    /// The clouds, one entry for every configured provider.
    pub clouds: BTreeMap<ProviderName, Reading<CloudView>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
                created: None,
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
