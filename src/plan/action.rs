//! What a pass is to do, action by action: the plan that execution follows without a choice of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::{
    BUILDS_REACHED_PREFIX, DRAIN_PREFIX, MARK_PREFIX, MadeFor, NodeId, NodeName, Offer, ProviderName, REFRESH_PREFIX,
    ResourceKind, ServerId, TemplateName, Zone,
};
use crate::plan::problems::Evidence;
use crate::plan::rows::{ServerRow, TemplateRow, Waiting};
use crate::plan::why::Why;
use crate::state::State;
use crate::text::is_hidden;

/// Returns the offline reason with which a pass marks a node that it removes.
pub fn mark_text(pass: &str) -> String {
    format!("{MARK_PREFIX}, pass {pass}")
}

/// The most characters of what an operator says of a drain.
const MAX_REASON: usize = 120;

/// Returns the offline reason of a node that an operator drains, with what he says of it.
pub fn drain_text(reason: Option<&str>) -> String {
    // What Jenkins strips or escapes would not come back as it was sent.
    let plain = |c: char| if is_hidden(c) || "<>&\"'".contains(c) { ' ' } else { c };
    let said: String = reason.unwrap_or_default().chars().map(plain).collect();
    let words: Vec<&str> = said.split_whitespace().filter(|word| *word != ":").collect();
    let said: String = words.join(" ").chars().take(MAX_REASON).collect();
    if said.is_empty() {
        format!("{DRAIN_PREFIX}, by hand")
    } else {
        format!("{DRAIN_PREFIX}, by hand, {said}")
    }
}

/// Returns the offline reason of a node that had all its builds.
pub(crate) fn builds_reached_text(most: u32) -> String {
    format!("{BUILDS_REACHED_PREFIX} of {most} reached")
}

/// Returns the offline reason of a node that is replaced, with what is said of it.
pub(crate) fn refresh_text(reason: &str) -> String {
    format!("{REFRESH_PREFIX}, {reason}")
}

/// What one pass is to do, and why; and what it remembers of what it saw.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The memory after looking, before acting.
    pub state: State,
    /// What is to be done about the node that keeps labels readable (`jenkins.anchor`).
    pub anchor: Option<Anchor>,
    /// Marks of ours to be taken back off nodes that turned busy.
    pub unmarks: Vec<Unmark>,
    /// Nodes that are to take no new work.
    pub drains: Vec<Drain>,
    /// What goes, in order.
    pub removals: Vec<Removal>,
    /// What was left of servers that are gone, and goes now.
    pub sweeps: Vec<Leftover>,
    /// Floating IPs to be made for servers that are there.
    pub floating_ips: Vec<NewFloatingIp>,
    /// Jenkins nodes to be made for servers that are there (`register: ssh`).
    pub registrations: Vec<Registration>,
    /// Volumes that Nova made for our servers and that are to get our mark.
    pub volume_marks: Vec<VolumeMark>,
    /// Servers of ours that a list lacks: each must be asked for before this plan says all that there is to do.
    pub lookups: Vec<(ProviderName, ServerId)>,
    /// What must be listed, beside servers, before this plan says all that there is to do.
    pub asks: BTreeMap<ProviderName, BTreeSet<ResourceKind>>,
    /// The clouds that must be asked what they offer before this plan says which nodes are to be replaced.
    pub offers_wanted: BTreeSet<ProviderName>,
    /// What is made, in order.
    pub creates: Vec<Create>,
    /// Waiting items that get nothing in this pass, by label and reason.
    pub unmet: Vec<Waiting>,
    /// All waiting items, by label, with what serves them.
    pub waiting: Vec<Waiting>,
    /// Sentences that an operator should know.
    pub notes: Vec<String>,
    /// What was refused of that which an operator named; it makes the exit code 1.
    pub warnings: Vec<String>,
    /// Why servers that an operator asked for are not made (`provision --template`).
    pub unmade: Option<String>,
    /// What happened and lasts no longer than that: an operator hears of it once.
    pub news: Vec<String>,
    /// What is wrong, and what is over.
    pub problems: Evidence,
    /// Whether the exit code is 1 whatever becomes of the actions: the guard held something back, or a bad image is left
    /// for an older one.
    pub partly: bool,
    /// Every server of ours.
    pub servers: Vec<ServerRow>,
    /// Jenkins nodes of ours without a server.
    pub orphan_nodes: Vec<NodeName>,
    /// One row for each template.
    pub templates: Vec<TemplateRow>,
    /// How many items wait for an executor.
    pub waiting_items: u64,
    /// How many things of ours are accounted for nowhere; empty where nobody reads it.
    pub leaks: LeakCounts,
}

/// How many things of ours are accounted for nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeakCounts {
    /// Servers without a Jenkins node that should have one by now, or without a template.
    pub servers: u64,
    /// Jenkins nodes without a server.
    pub jenkins_nodes: u64,
    /// What outlived its server, of the clouds and kinds that were listed in this pass.
    pub resources: BTreeMap<ProviderName, BTreeMap<ResourceKind, u64>>,
}

impl Plan {
    /// Returns whether anything is done about nodes, servers or what belongs to them.
    pub fn acts(&self) -> bool {
        !(self.anchor.is_none()
            && self.creates.is_empty()
            && self.removals.is_empty()
            && self.unmarks.is_empty()
            && self.drains.is_empty()
            && self.sweeps.is_empty()
            && self.registrations.is_empty()
            && self.floating_ips.is_empty())
    }
}

/// A server to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// Its id, chosen here.
    pub id: NodeId,
    /// `<template>__<id>`.
    pub name: String,
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The availability zone; `None`: the cloud's choice.
    pub zone: Option<Zone>,
    /// What the cloud resolved the template to; `None` as long as it was not asked.
    pub offer: Option<Offer>,
    /// Whether its Jenkins node is made before it (`register: inbound`).
    pub node_first: bool,
    /// Whether it is made to see if nodes of its template have the promised labels by now, and no others.
    pub retry: bool,
    /// What it is for.
    pub made_for: MadeFor,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// A Jenkins node to be made for a server that is up, so that Jenkins connects to it by SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The node's name: the server's.
    pub name: NodeName,
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The cloud's id of it.
    pub server_id: ServerId,
    /// Where Jenkins connects to.
    pub address: IpAddr,
    /// The public host key that was made for it; `None` where its template has another way to verify it.
    pub host_key: Option<String>,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// A node to be removed: its Jenkins node first, then its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// The Jenkins node, if there is one.
    pub node: Option<NodeToRemove>,
    /// The server, if there is one.
    pub server: Option<ServerToRemove>,
    /// Its floating IPs, which go before it.
    pub floating_ips: Vec<Leftover>,
    /// The reason.
    pub why: Why,
}

/// A floating IP, port or volume to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: ResourceKind,
    /// The cloud's id.
    pub id: String,
    /// Its address or name.
    pub name: String,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The name of the server that it was made for.
    pub server: String,
    /// The template of that server, where it is configured.
    pub template: Option<TemplateName>,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// A floating IP to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFloatingIp {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The server that gets it.
    pub server_id: ServerId,
    /// Our id of it.
    pub node_id: NodeId,
    /// The server's name, `<template>__<id>`.
    pub server: String,
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The external network, by name or id.
    pub pool: String,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// Volumes of one server that are to be marked as ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMark {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// Our id of the server.
    pub node_id: NodeId,
    /// The server's name, `<template>__<id>`.
    pub server: String,
    /// The volumes' ids.
    pub volumes: Vec<String>,
}

/// The Jenkins side of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeToRemove {
    /// Its display name.
    pub name: NodeName,
    /// Whether it has our mark already (an earlier pass was cut short, or drains it).
    pub marked: bool,
    /// Whether it is removed although busy (`destroy --force`).
    pub even_if_busy: bool,
    /// Whether a monitor of Jenkins took it offline: then the mark that is found there is not a person's.
    pub by_monitor: bool,
}

/// The cloud side of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerToRemove {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The cloud's id.
    pub id: ServerId,
    /// `<template>__<id>`.
    pub name: String,
    /// Our id in its name.
    pub node_id: NodeId,
    /// Whether its agent may have joined since Jenkins was read: then it is looked for once more.
    pub look_first: bool,
    /// Whether it goes because it failed, and what is kept of that.
    pub failure: FailureRecord,
}

/// What is kept of a server that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureRecord {
    /// Nothing: it worked, or nobody knows.
    Nothing,
    /// That it failed, and why.
    Failure,
    /// The last lines of its console, too: it had been up.
    Console,
}

/// A mark of ours that is to be taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmark {
    /// The node's display name.
    pub node: NodeName,
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// How the mark begins: another one that is found there stays.
    pub prefix: &'static str,
    /// Whether an operator gives the node back: then it is not replaced for a day.
    pub by_hand: bool,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// A node that is marked offline, so that its builds end and no other begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// The node's display name.
    pub node: NodeName,
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// The offline reason; begins with [`DRAIN_PREFIX`].
    pub mark: String,
    /// Whether a monitor's mark is replaced.
    pub by_monitor: bool,
    /// The reason, as a sentence without a period.
    pub because: String,
}

/// The offline reason and the description of the node that `jenkins.anchor` keeps. It is no mark of a removal: it begins
/// with other words than [`super::MARK_PREFIX`].
pub const ANCHOR_TEXT: &str = "kept offline by mita, no job runs here: while Jenkins has a node its queue names labels";

/// What is done about the node that keeps labels readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It is not there: it is made, and marked offline.
    Make,
    /// It is there without a mark: it is marked offline, so that nobody can use it.
    Mark,
}

impl Anchor {
    /// Returns why it is done.
    pub fn because(self) -> &'static str {
        match self {
            Self::Make => "without any node Jenkins hides the labels that jobs wait for (jenkins.anchor)",
            Self::Mark => "nothing is to run on the anchor (jenkins.anchor)",
        }
    }
}
