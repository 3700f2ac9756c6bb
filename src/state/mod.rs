//! What mita remembers between passes: a memory, not the truth. Losing it costs cool-downs, never a server.
//!
//! Pure types; reading and saving them is left to `file`.

mod backoff;
mod boots;
mod counters;
mod drift;
mod events;
pub mod file;
mod images;
mod load;
mod page;
pub mod pauses;
mod problems;
mod refresh;
mod refusals;
mod surplus;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{
    Headroom, JobConfig, MadeFor, NodeId, NodeName, OfflineTaker, ProviderName, ResourceKind, ServerId, ServiceBases,
    TemplateName, Zone,
};

pub use backoff::{Backoff, BackoffKey};
pub use boots::{BOOT_TIMES, BootMemory, BootRank, ENDED_BOOTS, EndedBoots};
pub use counters::{BOOT_BOUNDS, ByPlace, Counters, Histogram, Request};
pub use drift::{LabelDrift, LabelRetry};
pub use events::{EventMemory, MOST_PENDING};
pub use images::{FailedImage, ImageMemory};
pub use load::{Burst, Bursts, LoadCurve, LoadMemory, LoadStep};
pub use page::{DAY, PageMemory, SLOT, Sample};
pub use problems::{CreateRecord, FailingAction, Notice, NotifyMemory, ProblemMemory, Told};
pub use refresh::RefreshMemory;
pub use refusals::{Asker, Refusal, RefusalKey};
pub use surplus::SurplusMemory;

/// The format written by this program. A file with a larger number is refused.
pub const VERSION: u32 = 1;

/// The whole state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Version of the file format; a newer one is refused.
    pub version: u32,
    /// The last pass that was saved.
    #[serde(default)]
    pub last_pass: Option<LastPass>,
    /// The controller as it last started.
    #[serde(default)]
    pub controller: Option<Controller>,
    /// The language that Jenkins answers in whatever it is asked for, which was said already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Seconds between the last passes, oldest first, ten at most.
    #[serde(default)]
    pub gaps: Vec<i64>,
    /// Our servers, by id.
    #[serde(default)]
    pub nodes: BTreeMap<NodeId, NodeMemory>,
    /// Creates that were begun and whose server was not seen yet.
    #[serde(default)]
    pub intents: BTreeMap<NodeId, Intent>,
    /// What is held back after failures, by [`BackoffKey`] as text.
    #[serde(default)]
    pub backoffs: BTreeMap<String, Backoff>,
    /// Since when servers that are to go are seen to go, as long as items wait for their room: one that is stuck gives none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub going: BTreeMap<NodeId, Timestamp>,
    /// How many idle nodes were to spare in the last passes, by template; only where some were in the last one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub surplus: BTreeMap<TemplateName, SurplusMemory>,
    /// The digest with which a server of the template last joined (no canary is needed for it any more).
    #[serde(default)]
    pub proved: BTreeMap<TemplateName, String>,
    /// How long boots of the templates take, and how the last ones ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub boots: BTreeMap<TemplateName, BootMemory>,
    /// What became of the images of the templates, at each provider.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<TemplateName, BTreeMap<ProviderName, ImageMemory>>,
    /// What is remembered for the replacing of nodes that are too old or outdated.
    #[serde(default, skip_serializing_if = "RefreshMemory::is_empty")]
    pub refresh: RefreshMemory,
    /// The labels that templates promise and their newest nodes joined without.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drifts: BTreeMap<TemplateName, LabelDrift>,
    /// Jenkins nodes of ours that have no server, with how often they were seen so.
    #[serde(default, rename = "stray_nodes")]
    pub orphan_nodes: BTreeMap<NodeName, Sighting>,
    /// Servers of ours that are gone and whose floating IPs, ports and volumes were not seen gone yet, by server name.
    #[serde(default, rename = "leaving", skip_serializing_if = "BTreeMap::is_empty")]
    pub gone_servers: BTreeMap<String, GoneServer>,
    /// When everything that has our mark was last looked through, by provider.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub swept: BTreeMap<ProviderName, Timestamp>,
    /// The public host keys that were made for servers whose node Jenkins does not have yet. The private ones are nowhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub host_keys: BTreeMap<NodeId, String>,
    /// The last servers of each template that failed, oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<TemplateName, Vec<Failure>>,
    /// `config.xml` of jobs, by the path of the job's URL. Under its first name, `jobs`, it had the axes of a matrix in
    /// another order.
    #[serde(default, rename = "job_configs")]
    pub jobs: BTreeMap<String, Cached<JobConfig>>,
    /// Since when items of a label wait beside an idle executor that has it, by label (empty for none).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ignored: BTreeMap<String, Timestamp>,
    /// Labels of foreign nodes where the computer list does not tell them.
    #[serde(default)]
    pub node_labels: BTreeMap<NodeName, Cached<Vec<String>>>,
    /// When items were first seen that may still be too young to count (`queue_grace`), by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queue_seen: BTreeMap<u64, Timestamp>,
    /// What Jenkins refused, by [`RefusalKey`] as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, Refusal>,
    /// The session of Jenkins (empty where it tells none) in which it last made a node that it connects to by SSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_made_in: Option<String>,
    /// Where services of the clouds answer, where that is not where almost all do.
    #[serde(default, rename = "spoken", skip_serializing_if = "BTreeMap::is_empty")]
    pub service_bases: BTreeMap<ProviderName, ServiceBases>,
    /// The problems that are open, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub problems: BTreeMap<String, ProblemMemory>,
    /// How the servers of templates fare that fail, by `template@placement`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creating: BTreeMap<String, CreateRecord>,
    /// The actions that fail in each pass, by what is done and to what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failing: BTreeMap<String, FailingAction>,
    /// What the command of `notify` was not told yet.
    #[serde(default, skip_serializing_if = "NotifyMemory::is_empty")]
    pub notify: NotifyMemory,
    /// The last pass that could not read Jenkins, or any provider. It saw nothing: `last_pass` is the last that did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<LastPass>,
    /// The events that the journal does not have yet.
    #[serde(default, skip_serializing_if = "EventMemory::is_empty")]
    pub events: EventMemory,
    /// The items that waited in the last pass, by label (empty for none): each with its id and since when, in seconds since
    /// 1970. Only the oldest of a long queue are here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiting: BTreeMap<String, Vec<(u64, i64)>>,
    /// What is counted for the metrics file; `None` where none is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Box<Counters>>,
    /// What the status page shows of the past; `None` where none is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Box<PageMemory>>,
    /// What was last read of the quotas of the clouds, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headroom: BTreeMap<ProviderName, Cached<Headroom>>,
    /// What was seen of the load of the templates whose `min_ready` is learned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loads: BTreeMap<TemplateName, LoadMemory>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            last_pass: None,
            controller: None,
            language: None,
            gaps: Vec::new(),
            nodes: BTreeMap::new(),
            intents: BTreeMap::new(),
            backoffs: BTreeMap::new(),
            going: BTreeMap::new(),
            surplus: BTreeMap::new(),
            proved: BTreeMap::new(),
            boots: BTreeMap::new(),
            images: BTreeMap::new(),
            refresh: RefreshMemory::default(),
            drifts: BTreeMap::new(),
            orphan_nodes: BTreeMap::new(),
            gone_servers: BTreeMap::new(),
            swept: BTreeMap::new(),
            host_keys: BTreeMap::new(),
            failures: BTreeMap::new(),
            jobs: BTreeMap::new(),
            ignored: BTreeMap::new(),
            node_labels: BTreeMap::new(),
            queue_seen: BTreeMap::new(),
            refusals: BTreeMap::new(),
            ssh_made_in: None,
            service_bases: BTreeMap::new(),
            problems: BTreeMap::new(),
            creating: BTreeMap::new(),
            failing: BTreeMap::new(),
            notify: NotifyMemory::default(),
            blind: None,
            events: EventMemory::default(),
            waiting: BTreeMap::new(),
            counters: None,
            page: None,
            headroom: BTreeMap::new(),
            loads: BTreeMap::new(),
        }
    }
}

/// The pass that saved the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPass {
    /// Its random id, hexadecimal.
    pub id: String,
    /// When it looked at Jenkins and the clouds.
    pub at: Timestamp,
    /// Its exit code; `None` as long as it runs, and for ever if it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// How many milliseconds it took; `None` like `exit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// The exit code of the pass before it: what counts as long as this one runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_before: Option<u8>,
}

impl State {
    /// Returns the last pass, whether or not it saw anything.
    pub fn latest_pass(&self) -> Option<&LastPass> {
        let passes = self.last_pass.iter().chain(&self.blind);
        passes.max_by_key(|pass| pass.at)
    }
}

impl LastPass {
    /// A pass that has looked and has not ended.
    pub fn begun(id: &str, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            at,
            exit: None,
            milliseconds: None,
            exit_before: None,
        }
    }

    /// The same, after another one.
    pub fn begun_after(before: Option<&Self>, id: &str, at: Timestamp) -> Self {
        Self {
            exit_before: before.and_then(|before| before.exit),
            ..Self::begun(id, at)
        }
    }
}

/// The controller as it last started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// Its `X-Jenkins-Session`.
    pub session: String,
    /// When a pass first saw it, if another one was known before: only then did it start again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted: Option<Timestamp>,
}

/// A create that was begun. Written before the request, dropped on a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The server's name, `<template>__<id>`.
    pub name: String,
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The template's digest.
    pub config: String,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The zone asked for.
    pub zone: Option<Zone>,
    /// The id of the image asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the create was begun.
    pub at: Timestamp,
    /// The server's id, once the cloud accepted (the list may lag behind).
    #[serde(default)]
    pub server_id: Option<ServerId>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_for: Option<MadeFor>,
}

/// Where a node of ours is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Create begun, server not seen.
    Intent,
    /// Server there, never joined, within its boot grace.
    Booting,
    /// Joined and online, some executors at work and some idle.
    Online,
    /// Joined, online and idle.
    Idle,
    /// Joined and all executors at work.
    Busy,
    /// Has mita's own mark, of a drain or of a removal: takes no work.
    Draining,
    /// Joined before, now offline: a person's, a monitor's, or without a connection.
    Offline,
    /// The cloud says ERROR, or it never joined in time.
    Error,
    /// The cloud deletes it.
    Deleting,
    /// A server of ours without a Jenkins node that joined once, or with several candidates.
    Orphan,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Intent,
        Self::Booting,
        Self::Online,
        Self::Idle,
        Self::Busy,
        Self::Draining,
        Self::Offline,
        Self::Error,
        Self::Deleting,
        Self::Orphan,
    ];
}

/// What is remembered of one server.
#[expect(clippy::struct_excessive_bools, reason = "independent flags; false is omitted")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMemory {
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The zone asked for or seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The id of the image asked for or seen (a server that boots from a volume does not show it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The server's name, `<template>__<id>`.
    pub name: String,
    /// The server's id.
    pub server_id: ServerId,
    /// When it was made.
    pub created: Timestamp,
    /// When its Jenkins node was first seen online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// Since when it is idle with no break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Timestamp>,
    /// Since when it is offline after it had joined; where a monitor took it offline, since when it is idle there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_since: Option<Timestamp>,
    /// Its Jenkins node, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jenkins_node: Option<NodeName>,
    /// Passes in a row that saw it without a Jenkins node after `boot_grace` or after it had joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Sighting>,
    /// Whether its failure was counted in a back-off already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failure_counted: bool,
    /// Whether it was noted as an event that it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failure_noted: bool,
    /// Passes in a row whose list lacked it, where the cloud cannot be asked for one server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<Sighting>,
    /// Since when it is kept though Jenkins does not know it, since a busy node at an unknown address may be its agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// The node that worked at its address and may be its agent: it holds the server when the cloud forgets the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<NodeName>,
    /// Whether the cloud refused to delete it: then the others that are to go come first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_failed: bool,
    /// Whether the cloud accepted to delete it when mita asked: a list without it then says that it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// When it was first asked to go, or first seen to be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting_since: Option<Timestamp>,
    /// What it has that can outlive it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub had: BTreeSet<ResourceKind>,
    /// Whether its volumes have our mark, or it was settled that they get none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub volumes_settled: bool,
    /// Whether it has no mark of ours and was taken over (`adopt: true`): it is ours as long as its template says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// The builds that were seen on it; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<BuildCount>,
    /// Since when it is drained and still works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draining_since: Option<Timestamp>,
    /// When an operator gave it back that was drained: it is not replaced for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undrained: Option<Timestamp>,
    /// How long passes saw it at work, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub busy_seconds: u32,
    /// How long passes saw it idle, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_seconds: u32,
    /// The phase in which the last pass saw it.
    pub phase: Phase,
    /// Since when passes saw it in that phase, where no other time tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<Timestamp>,
    /// Who wanted its Jenkins node offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_by: Option<OfflineTaker>,
}

/// The builds that were seen on a node. One that began and ended between two passes is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildCount {
    /// How many, those that run among them.
    pub seen: u32,
    /// Digests of the URLs of those that ran in the last pass, sorted; only where the template limits them (`max_builds`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<String>,
    /// How many more ran there, by the executors that worked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unnamed: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A server of ours that is gone; what it had may still be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneServer {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// Its id, where it is known.
    #[serde(default)]
    pub server_id: Option<ServerId>,
    /// What it had.
    pub kinds: BTreeSet<ResourceKind>,
    /// Since when it is gone.
    pub since: Timestamp,
    /// In how many passes something of it was seen.
    #[serde(default)]
    pub sightings: u32,
}

/// A server that failed, kept for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The server's name, `<template>__<id>`.
    pub server: String,
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// When it was removed.
    pub at: Timestamp,
    /// Why, in the words of the cloud where it gave any.
    pub reason: String,
    /// The last lines of its console.
    #[serde(default)]
    pub console: Vec<String>,
}

/// Something that must be seen in two passes before it is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When it was seen first.
    pub first: Timestamp,
    /// In how many passes in a row.
    pub passes: u32,
    /// Whether it was known to be ours by more than its name when it was seen first.
    #[serde(default)]
    pub known: bool,
}

/// An answer that is kept for later passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cached<T> {
    /// When it was fetched.
    pub at: Timestamp,
    /// What it was.
    pub value: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_before_is_read_and_its_old_order_of_axes_is_dropped() {
        let old = r#"{"version":1,"jobs":{"job/m":{"at":"2026-01-01T00:00:00Z","value":{"assigned_node":null,
            "label_axes":["B","A"]}}},"node_labels":{}}"#;
        let state: State = serde_json::from_str(old).unwrap();
        assert_eq!(state, State::default());
        let text = serde_json::to_string(&state).unwrap();
        assert!(!text.contains("\"jobs\"") && text.contains("\"job_configs\""));
    }
}
