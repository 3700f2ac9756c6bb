//! From what was seen to what is to be done: a pure function that cannot fail.
//!
//! `plan` looks at nothing but its arguments; it reads no clock and makes no request. Doing what it says is left to
//! `pass`, which makes no choices of its own.

mod adopt;
mod alerts;
mod audit;
pub mod backoff;
mod belongings;
mod builds;
mod clock;
mod demand;
mod destroy;
mod drain;
mod drift;
mod eligible;
mod grow;
mod guard;
mod hidden;
mod hold;
mod ids;
mod images;
mod lasting;
mod leaks;
mod leaving;
mod link;
mod make_room;
mod matching;
mod overview;
mod phase;
mod reap;
mod refused;
mod registers;
mod report;
mod room;
mod slots;
mod supply;
mod survey;
mod take_down;
mod turns;
mod words;
mod yard;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, Template};
use crate::model::{
    BelongingKind, NodeId, NodeName, Observed, Offer, ProviderName, SPENT_PREFIX, ServerId, TemplateName, Zone,
};
use crate::queue::{self, Kind, NodeTemplates, Wishes};
use crate::state::{Phase, State};
use crate::text::is_hidden;

pub use crate::model::{DRAIN_PREFIX, MARK_PREFIX};
pub use audit::{audit, audit_destroy, audit_leaks};
pub use destroy::destroy;
pub use drain::{drain, undrain};
pub use drift::lacks_for;
pub use eligible::{eligible, why_none, why_not, wish_text};
pub use hidden::{ANCHOR_TEXT, Anchor};
pub use images::Rollback;
pub use leaks::{Leak, LeakKind, LeakOwner, everything, leaks};
pub use link::{agent_of, linked_templates};
pub use refused::asker;
pub use room::spend;

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
pub(crate) fn spent_text(most: u32) -> String {
    format!("{SPENT_PREFIX} of {most} reached")
}

/// What a pass may do, and when and as what it does it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The one reading of the clock.
    pub now: Timestamp,
    /// The id of the pass: random, hexadecimal; the ids of new nodes are made from it.
    pub pass: String,
    /// Whether servers may be made (`run`, `provision`).
    pub create: bool,
    /// Whether nodes and servers may be removed (`run`, `reap`).
    pub remove: bool,
    /// Lifts the deletion guard (`--force`).
    pub force: bool,
    /// Creates that were asked for already in this pass (it planned again after a refusal).
    pub created: u32,
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
    pub registers: Vec<Registration>,
    /// Volumes that Nova made for our servers and that are to get our mark.
    pub volume_marks: Vec<VolumeMark>,
    /// Servers of ours that a list lacks: each must be asked for before this plan says all that there is to do.
    pub lookups: Vec<(ProviderName, ServerId)>,
    /// What must be listed, beside servers, before this plan says all that there is to do.
    pub asks: BTreeMap<ProviderName, BTreeSet<BelongingKind>>,
    /// What is made, in order.
    pub creates: Vec<Create>,
    /// Waiting items that get nothing in this pass, by label and reason.
    pub unmet: Vec<Waiting>,
    /// All waiting items, by label, with what serves them.
    pub waiting: Vec<Waiting>,
    /// Sentences that an operator should know.
    pub notes: Vec<String>,
    /// Sentences that make the pass end with exit code 1 (the guard held something back, …), printed as warnings.
    pub warnings: Vec<String>,
    /// Sentences that an operator hears once, as a warning, when what they say begins; the exit code does not heed them.
    pub news: Vec<String>,
    /// Every server of ours.
    pub servers: Vec<ServerRow>,
    /// Jenkins nodes of ours without a server.
    pub stray_nodes: Vec<NodeName>,
    /// One row for each template.
    pub templates: Vec<TemplateRow>,
    /// How many items wait for an executor.
    pub waiting_items: u64,
}

/// A server to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Create {
    /// Its id, chosen here.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// The template.
    pub template: TemplateName,
    /// The cloud.
    pub provider: ProviderName,
    /// The zone.
    pub zone: Option<Zone>,
    /// What the cloud resolved the template to; `None` as long as it was not asked.
    pub offer: Option<Offer>,
    /// Whether its Jenkins node is made before it (`register: inbound`).
    pub node_first: bool,
    /// Whether it is made to see if nodes of its template have the promised labels by now, and no others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
    /// Why.
    pub because: String,
}

/// A Jenkins node to be made for a server that is up, so that Jenkins connects to it by SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registration {
    /// The node's name: the server's.
    pub name: NodeName,
    /// The template.
    pub template: TemplateName,
    /// The cloud.
    pub provider: ProviderName,
    /// The server.
    pub server_id: ServerId,
    /// Where Jenkins connects to.
    pub address: IpAddr,
    /// The public host key that was made for it; `None` where its template has another way to verify it.
    pub host_key: Option<String>,
    /// Why.
    pub because: String,
}

/// A node to be removed: its Jenkins node first, then its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// The Jenkins node, if there is one.
    pub node: Option<NodeToRemove>,
    /// The server, if there is one.
    pub server: Option<ServerToRemove>,
    /// Its floating IPs, which go before it.
    pub floating_ips: Vec<Leftover>,
    /// Why.
    pub because: String,
}

/// A floating IP, port or volume to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What it is.
    pub kind: BelongingKind,
    /// The cloud's id.
    pub id: String,
    /// Its address or name.
    pub name: String,
    /// The cloud.
    pub provider: ProviderName,
    /// The name of the server that it was made for.
    pub server: String,
    /// The template of that server, where it is configured.
    pub template: Option<TemplateName>,
    /// Why.
    pub because: String,
}

/// A floating IP to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewFloatingIp {
    /// The cloud.
    pub provider: ProviderName,
    /// The server that gets it.
    pub server_id: ServerId,
    /// Our id of it.
    pub node_id: NodeId,
    /// Its name.
    pub server: String,
    /// Its template.
    pub template: TemplateName,
    /// The external network, by name or id.
    pub pool: String,
    /// Why.
    pub because: String,
}

/// Volumes of one server that are to be marked as ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeMark {
    /// The cloud.
    pub provider: ProviderName,
    /// Our id of the server.
    pub node_id: NodeId,
    /// The server's name.
    pub server: String,
    /// The volumes' ids.
    pub volumes: Vec<String>,
}

/// The Jenkins side of a removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeToRemove {
    /// Its name.
    pub name: NodeName,
    /// Whether it bears our mark already (an earlier pass was cut short, or drains it).
    pub marked: bool,
    /// Whether it is removed although busy (`destroy --force`).
    pub even_if_busy: bool,
    /// Whether a monitor of Jenkins took it offline: then the mark that is found there is not a person's.
    pub by_monitor: bool,
}

/// The cloud side of a removal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerToRemove {
    /// The cloud.
    pub provider: ProviderName,
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Our id in its name.
    pub node_id: NodeId,
    /// Whether its agent may have joined since Jenkins was read: then it is looked for once more.
    pub look_first: bool,
    /// Whether it goes because it failed, and what is kept of that.
    pub failure: FailureRecord,
}

/// What is kept of a server that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureRecord {
    /// Nothing: it worked, or nobody knows.
    Nothing,
    /// That it failed, and why.
    Failure,
    /// The last lines of its console, too: it had been up.
    Console,
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
            && self.registers.is_empty()
            && self.floating_ips.is_empty())
    }
}

/// A mark of ours that is to be taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmark {
    /// The Jenkins node.
    pub node: NodeName,
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// How the mark begins: another one that is found there stays.
    pub prefix: &'static str,
    /// Why.
    pub because: String,
}

/// A node that is marked offline, so that its builds end and no other begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drain {
    /// The Jenkins node.
    pub node: NodeName,
    /// The template, where it is known.
    pub template: Option<TemplateName>,
    /// The offline reason; begins with [`DRAIN_PREFIX`].
    pub mark: String,
    /// Whether a monitor's mark is replaced.
    pub by_monitor: bool,
    /// Why.
    pub because: String,
}

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
    /// How many.
    pub items: u64,
    /// Age of the oldest, in seconds.
    pub oldest_seconds: i64,
    /// The oldest.
    pub example: Example,
    /// The template that serves them; in `unmet` always `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served_by: Option<TemplateName>,
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
    /// Its name.
    pub name: String,
    /// The template.
    pub node: TemplateName,
    /// The cloud.
    pub provider: ProviderName,
    /// The zone.
    pub zone: Option<Zone>,
    /// Its id; `None` for an intent.
    pub server_id: Option<ServerId>,
    /// Where it is in its life.
    pub phase: Phase,
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
    /// Whether it bears no mark of ours and was taken over (`adopt: true`).
    pub adopted: bool,
    /// How many builds were seen on it; only where its template has `max_builds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builds: Option<u32>,
}

/// One template, for `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateRow {
    /// The template.
    pub node: TemplateName,
    /// Servers that count against its maximum.
    pub servers: u32,
    /// Of these, booting (intents among them).
    pub booting: u32,
    /// Of these, idle.
    pub idle: u32,
    /// Of these, with a busy executor.
    pub busy: u32,
    /// Its maximum.
    pub max: u32,
    /// Its warm pool at this time.
    pub min_ready: u32,
    /// The images that are left for older ones, since their servers never joined.
    pub rollbacks: Vec<Rollback>,
}

/// Returns what the reader of the queue needs to know of the templates.
pub fn kinds(config: &Config) -> Vec<Kind<'_>> {
    let templates = config.templates.iter();
    templates
        .map(|Template { name, labels, .. }| Kind { name, labels })
        .collect()
}

/// Decides what one pass does.
pub fn plan(observed: &Observed, config: &Config, state: &State, context: &Context) -> Plan {
    let wishes = wishes(observed, config, state, context.now);
    plan_for(observed, config, state, context, wishes)
}

/// Reads what the items of the queue wait for.
pub fn wishes(observed: &Observed, config: &Config, state: &State, now: Timestamp) -> Wishes {
    let kinds = kinds(config);
    let linked = NodeTemplates::new(|| linked_templates(observed, config, state, now));
    queue::wishes(&observed.jenkins, &kinds, &linked, now, config.timing.queue_grace)
}

/// The same for a queue that was read already: reading a long one takes a good part of the planning.
pub fn plan_for(observed: &Observed, config: &Config, state: &State, context: &Context, wishes: Wishes) -> Plan {
    let mut survey = survey::survey(observed, config, state, context, &wishes.distinct);
    let demand = demand::Demand::new(&survey, wishes);
    let growth = grow::grow(&survey, &demand);
    let mut reaped = reap::reap(&mut survey, &demand, &growth);
    let upkeep = belongings::upkeep(&mut survey, &mut reaped.removals);
    let registers = registers::registers(&mut survey, &reaped.removals);
    let mut plan = report::plan(survey, &demand, growth, reaped, upkeep, state);
    plan.registers = registers;
    plan
}
