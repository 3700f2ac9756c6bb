//! Jenkins as it was seen in one pass: its queue and its nodes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{NodeName, Reading, SharedText};

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
    #[serde(rename = "untold")]
    Absent,
    /// The field was null: the job may run anywhere (never trusted for a matrix child).
    Anywhere,
    /// The raw text the user entered.
    Expression(SharedText),
}

/// One item of the build queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueItem {
    /// The queue id, stable over all stages.
    pub id: u64,
    /// By the `_class` of the item.
    pub stage: Stage,
    /// Jenkins' own `stuck` flag.
    pub stuck: bool,
    /// When it entered the queue.
    pub since: Timestamp,
    /// The `why` sentence as Jenkins sent it.
    pub why: Option<SharedText>,
    /// The `_class` of the task; absent before Jenkins 2.
    pub task_class: Option<SharedText>,
    /// The most telling name of the task (`fullName`, else `fullDisplayName`, else `name`).
    pub task: SharedText,
    /// The bare `name` of the task: for a matrix child its combination, `AXIS=value,AXIS2=value2`.
    pub task_name: SharedText,
    /// The task's URL as Jenkins sent it; absolute or relative, never to be followed blindly.
    pub task_url: Option<SharedText>,
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
    /// `numExecutors`.
    pub executors: u32,
    /// How many of them are idle.
    pub idle_executors: u32,
    /// Whether a one-off executor (a matrix parent, …) is at work.
    pub one_off_busy: bool,
    /// Digests of the URLs of the builds that run there; only where builds are counted (`max_builds`), and only of those
    /// that mita may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<String>,
    /// The names of the builds that run there, as Jenkins shows them; only for `status`, and only of those that mita may
    /// read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<String>,
    /// Its labels, its own name among them; `None` where Jenkins did not tell (before 2.94).
    pub labels: Option<Vec<String>>,
}

impl Computer {
    /// The name of the node that `jenkins.anchor` keeps. One for all owners: any node that is offline serves all of them.
    pub const ANCHOR: &'static str = "mita-anchor";

    /// Returns the executors that are idle.
    pub fn free_executors(&self) -> u32 {
        self.idle_executors.min(self.executors)
    }

    /// Returns the executors that work.
    pub fn busy_executors(&self) -> u32 {
        self.executors.saturating_sub(self.idle_executors)
    }

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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
