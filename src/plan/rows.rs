//! What `status` and the report of a pass show of the fleet and of the queue.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{NodeName, OfflineTaker, ProviderName, ServerId, TemplateName, Zone};
use crate::state::Phase;

/// Waiting items of one label and one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The printed label expression; `None` for items without a label or whose label is not known.
    pub label: Option<String>,
    /// Whether they are known to have no label; not of those whose label is not known.
    #[serde(skip)]
    pub unlabelled: bool,
    /// Why they get nothing, or what they wait for.
    pub reason: String,
    /// Number of items.
    pub items: u64,
    /// Age of the oldest, in seconds.
    pub oldest_seconds: i64,
    /// The item that waits longest.
    pub example: Example,
    /// The template that serves them; in `unmet` always `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_by: Option<TemplateName>,
    /// The templates that promise what the items need, first choice first.
    #[serde(skip)]
    pub fitting: Vec<TemplateName>,
    /// The class of the reason; `None` where something serves them.
    #[serde(skip)]
    pub class: Option<UnmetReason>,
}

/// The class of a reason why items get nothing, as the metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnmetReason {
    /// No template promises what they need.
    NoTemplate,
    /// A maximum of the configuration.
    Maximum,
    /// The quota of a provider.
    Quota,
    /// A back-off after failures.
    Backoff,
    /// The first servers of a template or image are to join before others are made.
    Canary,
    /// As many servers boot, or were made in this pass, as may.
    BootingLimit,
    /// An operator paused it.
    Paused,
    /// The provider cannot be read or does not offer what the template names, Jenkins refuses the node, or nothing at all is
    /// made now.
    Closed,
    /// What they wait for cannot be had from Jenkins.
    LabelUnknown,
    /// Another reason.
    Other,
}

impl UnmetReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NoTemplate,
        Self::Maximum,
        Self::Quota,
        Self::Backoff,
        Self::Canary,
        Self::BootingLimit,
        Self::Paused,
        Self::Closed,
        Self::LabelUnknown,
        Self::Other,
    ];

    /// Returns its word in the metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoTemplate => "no_template",
            Self::Maximum => "maximum",
            Self::Quota => "quota",
            Self::Backoff => "backoff",
            Self::Canary => "canary",
            Self::BootingLimit => "booting_limit",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::LabelUnknown => "label_unknown",
            Self::Other => "other",
        }
    }
}

/// One queue item, to be found again in Jenkins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The queue id.
    pub item: u64,
    /// The task's name.
    pub task: String,
}

/// One server of ours, for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerRow {
    /// `<template>__<id>`.
    pub name: String,
    /// The entry of `nodes:`.
    pub node: TemplateName,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The availability zone; `None`: the cloud's choice.
    pub zone: Option<Zone>,
    /// Its id; `None` for an intent.
    pub server_id: Option<ServerId>,
    /// Where it is in its life.
    pub phase: Phase,
    /// Since when it is in that phase, as far as passes saw it; `None` where nobody knows.
    pub since: Option<Timestamp>,
    /// Who wanted its Jenkins node offline: a person, a monitor of Jenkins, or mita.
    pub offline_by: Option<OfflineTaker>,
    /// Why its Jenkins node is offline, in the words of Jenkins or of who wanted it.
    pub offline_reason: Option<String>,
    /// The executors of its Jenkins node; `None` without one.
    pub executors: Option<u32>,
    /// How many of them are at work.
    pub busy_executors: Option<u32>,
    /// The builds that run there, where they were asked for.
    pub jobs: Vec<String>,
    /// What else there is to say of its phase.
    pub why: Option<String>,
    /// Age in seconds, by the cloud's clock.
    pub age_seconds: i64,
    /// Seconds since it is idle; `None` when it is not.
    pub idle_seconds: Option<i64>,
    /// Its Jenkins node.
    pub jenkins_node: Option<NodeName>,
    /// Its first address.
    pub address: Option<String>,
    /// Its floating IP.
    pub floating_ip: Option<String>,
    /// Its image's id.
    pub image: Option<String>,
    /// Whether the template was changed since it was made.
    pub outdated: bool,
    /// Whether it has no mark of ours and was taken over (`adopt: true`).
    pub adopted: bool,
    /// How many builds were seen on it; only where its template has `max_builds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builds: Option<u32>,
}

/// One template, for `status`. Its servers are the sum of those that boot, are idle, are busy, and are off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateRow {
    /// The entry of `nodes:`.
    pub node: TemplateName,
    /// Whether there still is such an entry; servers of one that was taken out of the file stay until they are idle.
    pub configured: bool,
    /// Servers that count against its maximum.
    pub servers: u32,
    /// Of these, booting (intents among them).
    pub booting: u32,
    /// Of these, online and idle.
    pub idle: u32,
    /// Of these, online and at work.
    pub busy: u32,
    /// Of these, all others: they take no work, though some may still have a build.
    pub off: u32,
    /// `max` of the template.
    pub max: u32,
    /// Its warm pool at this time.
    pub min_ready: u32,
    /// The spare that `min_ready: auto` learned; `None` where nothing is learned.
    pub spare: Option<Spare>,
    /// What is ready for bursts that come again (`rhythm`); `None` where nothing is learned of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm: Option<Spare>,
    /// The images that are left for older ones, since their servers never joined.
    pub rollbacks: Vec<Rollback>,
}

/// What a learned `min_ready` keeps ready, for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spare {
    /// How many nodes.
    pub nodes: u32,
    /// Why so many, as a sentence.
    pub because: String,
}

/// An image that is left for an older one, for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The id of the newest image, which is not used.
    pub image: String,
    /// How many of its servers never joined.
    pub servers: u32,
    /// The id of the one that is used.
    pub instead: String,
    /// When one server of the newest is tried again.
    pub try_again: Timestamp,
}
