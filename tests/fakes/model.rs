//! The state of the fake Jenkins: users, agents, queue, builds, and how it schedules. What it says of them over HTTP is
//! in `jenkins` and `why`.

use std::collections::{BTreeMap, BTreeSet};

use super::dispatch::Round;
use super::label::Asked;

/// How long a deleted node with running builds stays listed.
const LINGERS: i64 = 3;

/// Every permission that the fake knows.
pub const PERMISSIONS: [&str; 10] = [
    "hudson.model.Hudson.Administer",
    "hudson.model.Hudson.Read",
    "hudson.model.Item.Read",
    "hudson.model.Item.ExtendedRead",
    "hudson.model.Computer.Connect",
    "hudson.model.Computer.Disconnect",
    "hudson.model.Computer.Delete",
    "hudson.model.Computer.Create",
    "hudson.model.Computer.Configure",
    "hudson.model.Item.Discover",
];

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub token: String,
    pub password: Option<String>,
    pub permissions: BTreeSet<String>,
}

impl User {
    /// A user who may do all but administer.
    pub fn new(name: &str, token: &str) -> Self {
        let permissions = PERMISSIONS.iter().skip(1).map(ToString::to_string).collect();
        Self {
            name: name.to_owned(),
            token: token.to_owned(),
            password: None,
            permissions,
        }
    }

    pub fn may(&self, permission: &str) -> bool {
        let has = |p: &str| self.permissions.contains(p);
        has(permission)
            || has("hudson.model.Hudson.Administer")
            || (permission == "hudson.model.Computer.Connect" && has("hudson.model.Computer.Disconnect"))
    }
}

#[derive(Clone, Debug)]
pub struct Jenkins {
    pub version: String,
    pub session: String,
    /// By how many seconds its clock is ahead of ours.
    pub ahead: i64,
    pub quieting_down: bool,
    pub starting: bool,
    /// Whether the JVM's own language is German: that is what a request without Accept-Language gets.
    pub german: bool,
    /// The locale plugin: the language in which everything is answered, whatever is asked for.
    pub language: Option<String>,
    /// Crumbs are asked of those who log in with a password.
    pub crumbs: bool,
    /// Whether the plugin SSH Build Agents is installed.
    pub ssh_plugin: bool,
    pub builtin_executors: u32,
    pub builtin_builds: Vec<Option<usize>>,
    pub users: Vec<User>,
    pub agents: BTreeMap<String, Agent>,
    pub queue: Vec<Item>,
    pub builds: Vec<Build>,
    /// Last build number of each job.
    pub numbers: BTreeMap<String, u64>,
    /// A config.xml that is not the generated one, by full job name.
    pub config_xml: BTreeMap<String, String>,
    /// Sessions by cookie; the user where a password logged in.
    pub sessions: BTreeMap<String, Option<String>>,
    pub cancelled: BTreeMap<u64, Item>,
    /// Work is handed out by the steps of `dispatch` alone.
    pub by_hand: bool,
    /// The scheduling round in progress.
    pub round: Option<Round>,
    next_item: u64,
}

/// Who put a node offline, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub message: String,
    pub by: String,
    pub at: i64,
    /// The class of the cause; a monitor's or a user's.
    pub class: String,
}

impl Mark {
    /// A cause that is no user's: `OfflineCause$ChannelTermination`, `OfflineCause$LaunchFailed`.
    pub fn system(class: &str, at: i64) -> Self {
        Self {
            message: String::new(),
            by: String::new(),
            at,
            class: format!("hudson.slaves.{class}"),
        }
    }

    /// The disk-space monitor's mark.
    pub fn monitor(message: &str, at: i64) -> Self {
        Self {
            message: message.to_owned(),
            by: String::new(),
            at,
            class: "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace".to_owned(),
        }
    }

    /// What `disconnect-node` and `offline-node` of the command line leave.
    pub fn by_cli(message: &str, at: i64) -> Self {
        Self {
            class: "hudson.slaves.OfflineCause$ByCLI".to_owned(),
            ..Self::by("", message, at)
        }
    }

    pub fn by(user: &str, message: &str, at: i64) -> Self {
        Self {
            message: message.to_owned(),
            by: user.to_owned(),
            at,
            class: "hudson.slaves.OfflineCause$UserCause".to_owned(),
        }
    }
}

/// The settings of the SSH launcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    pub host: String,
    pub port: u64,
    pub credentials: String,
    /// The class of the strategy, without its package: how the host key is verified.
    pub strategy: String,
    /// The key that was given.
    pub key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    /// Without its own name.
    pub labels: Vec<String>,
    pub description: String,
    pub remote_dir: String,
    /// Whether its channel stands.
    pub connected: bool,
    /// The temporary offline mark.
    pub mark: Option<Mark>,
    /// The threads of the queue and the executors do not see the mark yet.
    pub mark_unseen: bool,
    /// Why the channel does not stand.
    pub cause: Option<Mark>,
    pub exclusive: bool,
    pub accepting: bool,
    pub inbound: bool,
    pub launcher: String,
    /// What the controller connects to by SSH.
    pub ssh: Option<Ssh>,
    /// Builds by index, one place for each executor.
    pub executors: Vec<Option<usize>>,
    /// When it was deleted while busy.
    pub removed: Option<i64>,
    /// The machine it runs on: cloud and server id.
    pub server: Option<(String, String)>,
    /// Whether something in it fails to be exported, so that the list of computers lacks it.
    pub unlisted: bool,
}

impl Agent {
    /// An agent with one executor, not yet connected.
    pub fn new(name: &str, labels: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            labels: labels.iter().map(ToString::to_string).collect(),
            description: String::new(),
            remote_dir: "/srv/jenkins".to_owned(),
            connected: false,
            mark: None,
            mark_unseen: false,
            cause: None,
            exclusive: false,
            accepting: true,
            inbound: true,
            launcher: "hudson.slaves.JNLPLauncher".to_owned(),
            ssh: None,
            executors: vec![None],
            removed: None,
            server: None,
            unlisted: false,
        }
    }

    #[must_use]
    pub fn online(mut self) -> Self {
        self.connected = true;
        self
    }

    #[must_use]
    pub fn executors(mut self, count: u32) -> Self {
        self.executors = vec![None; count as usize];
        self
    }

    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    #[must_use]
    pub fn on_server(mut self, cloud: &str, id: &str) -> Self {
        self.server = Some((cloud.to_owned(), id.to_owned()));
        self
    }

    pub fn connect(&mut self, server: Option<(String, String)>) {
        self.connected = true;
        self.cause = None;
        self.server = server;
    }

    pub fn offline(&self) -> bool {
        !self.connected || self.mark.is_some() || self.removed.is_some()
    }

    pub fn idle(&self) -> bool {
        self.executors.iter().all(Option::is_none)
    }

    pub fn free(&self) -> usize {
        self.executors.iter().filter(|e| e.is_none()).count()
    }

    pub fn all_labels(&self) -> BTreeSet<String> {
        self.labels.iter().cloned().chain([self.name.clone()]).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskClass {
    FreeStyle,
    MatrixChild {
        parent: String,
    },
    /// The number of the run that asks for a node.
    PipelinePart {
        run: u64,
    },
}

/// Something to run.
#[derive(Clone, Debug)]
pub struct Task {
    /// The full name of the job; of a matrix child its combination, `ARCH=x86_64,DIST=trusty`.
    pub name: String,
    pub class: TaskClass,
    /// As the user wrote it.
    pub label: Option<String>,
    /// What the job says where this build has a label of its own; empty: nothing.
    pub of_job: Option<String>,
    pub seconds: i64,
    pub quiet: i64,
    /// A text: it is blocked for that reason.
    pub blocked: Option<String>,
    /// A text: every node refuses it with that.
    pub refused: Option<String>,
    /// Its label throws whenever it is asked for.
    pub throws: bool,
}

impl Task {
    pub fn freestyle(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            class: TaskClass::FreeStyle,
            label: None,
            of_job: None,
            seconds: 300,
            quiet: 0,
            blocked: None,
            refused: None,
            throws: false,
        }
    }

    /// A child of a matrix job.
    pub fn matrix(parent: &str, combination: &str) -> Self {
        Self {
            class: TaskClass::MatrixChild {
                parent: parent.to_owned(),
            },
            ..Self::freestyle(combination)
        }
    }

    /// A `node` block of a pipeline run.
    pub fn pipeline(job: &str, run: u64) -> Self {
        Self {
            class: TaskClass::PipelinePart { run },
            ..Self::freestyle(job)
        }
    }

    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// The job's own label, or none (empty), where the build was given another one.
    #[must_use]
    pub fn of_job(mut self, label: &str) -> Self {
        self.of_job = Some(label.to_owned());
        self
    }

    /// The label that the job's configuration holds.
    pub fn job_label(&self) -> Option<&str> {
        let label = self.of_job.as_deref().or(self.label.as_deref());
        label.filter(|label| !label.is_empty())
    }

    #[must_use]
    pub fn seconds(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    #[must_use]
    pub fn quiet(mut self, seconds: i64) -> Self {
        self.quiet = seconds;
        self
    }

    #[must_use]
    pub fn blocked(mut self, why: &str) -> Self {
        self.blocked = Some(why.to_owned());
        self
    }

    #[must_use]
    pub fn refused(mut self, why: &str) -> Self {
        self.refused = Some(why.to_owned());
        self
    }

    pub fn asked(&self) -> Option<Asked> {
        self.label.as_deref().and_then(Asked::read)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Waiting {
        until: i64,
    },
    Blocked,
    Buildable,
    /// An executor was chosen; it has not begun.
    Pending,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub id: u64,
    pub task: Task,
    pub since: i64,
    pub buildable_since: i64,
    pub stage: Stage,
}

/// A build: how long it waited, where it ran, how it ended.
#[derive(Clone, Debug)]
pub struct Build {
    pub job: String,
    pub number: u64,
    pub item: u64,
    pub agent: String,
    pub label: Option<String>,
    pub queued: i64,
    pub began: i64,
    pub ends: i64,
    pub done: bool,
    /// It failed because its node or machine went away.
    pub killed: bool,
    /// A work unit that has not begun: how often its thread has asked whether its node is online.
    pub unit: Option<u8>,
}

impl Jenkins {
    /// A fresh 2.544 with the user `mita` (token `11token`, password `mita-pass`) and a German JVM.
    pub fn new() -> Self {
        let mut mita = User::new("mita", "11token");
        mita.password = Some("mita-pass".to_owned());
        let mut admin = User::new("admin", "11admin");
        admin.permissions.insert(PERMISSIONS[0].to_owned());
        Self {
            version: "2.544".to_owned(),
            session: "73190dce".to_owned(),
            ahead: 0,
            quieting_down: false,
            starting: false,
            german: true,
            language: None,
            crumbs: true,
            ssh_plugin: true,
            builtin_executors: 0,
            builtin_builds: Vec::new(),
            users: vec![mita, admin],
            agents: BTreeMap::new(),
            queue: Vec::new(),
            builds: Vec::new(),
            numbers: BTreeMap::new(),
            config_xml: BTreeMap::new(),
            sessions: BTreeMap::new(),
            cancelled: BTreeMap::new(),
            by_hand: false,
            round: None,
            next_item: 1,
        }
    }

    /// Takes a permission from a user.
    pub fn revoke(&mut self, user: &str, permission: &str) {
        for one in self.users.iter_mut().filter(|u| u.name == user) {
            one.permissions.remove(permission);
        }
    }

    /// Whether the version is at least 2.`minor`.
    pub fn at_least(&self, minor: u32) -> bool {
        let mut parts = self.version.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
        let (major, second) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        (major, second) >= (2, minor)
    }

    /// The controller starts again: another session, every channel is gone, and the builds of the agents with them.
    pub fn restart(&mut self, session: &str, clock: i64) {
        session.clone_into(&mut self.session);
        self.sessions.clear();
        let connected = self.agents.values().filter(|a| a.connected);
        let names: Vec<String> = connected.map(|a| a.name.clone()).collect();
        for name in names {
            self.break_channel(&name, clock);
            self.agent(&name).cause = None;
        }
    }

    /// Before 2.96 a token needs a crumb, too.
    pub fn token_needs_crumb(&self) -> bool {
        self.crumbs && !self.at_least(96)
    }

    /// The header of a crumb.
    pub fn crumb_field(&self) -> &'static str {
        if self.at_least(0) { "Jenkins-Crumb" } else { ".crumb" }
    }

    pub fn builtin_label(&self) -> &'static str {
        if self.at_least(307) { "built-in" } else { "master" }
    }

    /// The agents that Jenkins still counts as nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values().filter(|a| a.removed.is_none())
    }

    /// The message of the mark with which an agent was put offline.
    pub fn mark_text(&self, name: &str) -> Option<String> {
        let mark = self.agents.get(name)?.mark.as_ref()?;
        Some(mark.message.clone())
    }

    pub fn agent(&mut self, name: &str) -> &mut Agent {
        self.agents.get_mut(name).expect("an agent of that name")
    }

    pub fn enqueue(&mut self, task: Task, clock: i64) -> u64 {
        let id = self.next_item;
        self.next_item += 1;
        let stage = match (&task.blocked, task.quiet) {
            (_, quiet) if quiet > 0 => Stage::Waiting { until: clock + quiet },
            (Some(_), _) => Stage::Blocked,
            _ => Stage::Buildable,
        };
        self.queue.push(Item {
            id,
            task,
            since: clock,
            buildable_since: clock,
            stage,
        });
        id
    }

    /// Takes an item out of the queue, as a user does.
    pub fn cancel(&mut self, id: u64) {
        if let Some(at) = self.queue.iter().position(|i| i.id == id) {
            let item = self.queue.remove(at);
            self.cancelled.insert(id, item);
        }
    }

    pub fn next_event(&self, clock: i64) -> Option<i64> {
        let waiting = self.queue.iter().filter_map(|i| match i.stage {
            Stage::Waiting { until } => Some(until),
            _ => None,
        });
        let builds = self.builds.iter().filter(|b| !b.done).map(|b| b.ends);
        let removed = self.agents.values().filter_map(|a| a.removed.map(|at| at + LINGERS));
        waiting.chain(builds).chain(removed).filter(|&at| at > clock).min()
    }

    /// Ends builds, lets quiet periods run out, lets removed nodes vanish.
    pub fn step(&mut self, clock: i64) {
        for item in &mut self.queue {
            if matches!(item.stage, Stage::Waiting { until } if until <= clock) {
                item.buildable_since = clock;
                item.stage = if item.task.blocked.is_some() {
                    Stage::Blocked
                } else {
                    Stage::Buildable
                };
            }
        }
        for build in (self.builds.iter_mut()).filter(|b| !b.done && b.unit.is_none() && b.ends <= clock) {
            build.done = true;
        }
        let builds = &self.builds;
        for slots in self
            .agents
            .values_mut()
            .filter(|a| a.removed.is_none())
            .map(|a| &mut a.executors)
        {
            free_done(slots, builds);
        }
        free_done(&mut self.builtin_builds, builds);
        self.agents
            .retain(|_, a| a.removed.is_none_or(|at| at + LINGERS > clock));
    }

    /// Gives free executors to buildable items, oldest first; offline marks and modes are obeyed.
    pub fn schedule(&mut self, clock: i64) {
        self.builtin_builds.resize(self.builtin_executors as usize, None);
        if self.quieting_down || self.starting || self.by_hand {
            return;
        }
        let ids: Vec<u64> = self
            .queue
            .iter()
            .filter(|i| i.stage == Stage::Buildable)
            .map(|i| i.id)
            .collect();
        for id in ids {
            let Some(item) = self.queue.iter().find(|i| i.id == id).cloned() else {
                continue;
            };
            if let Some(place) = self.place_for(&item.task) {
                self.start(&item, &place, clock);
            }
        }
    }

    /// The node for a task: of those that can take it, always the same ones first, as Jenkins' consistent hashing does.
    fn place_for(&self, task: &Task) -> Option<String> {
        if task.refused.is_some() {
            return None;
        }
        let asked = task.asked();
        let builtin = BTreeSet::from([self.builtin_label().to_owned()]);
        if self.builtin_builds.iter().any(Option::is_none) && asked.as_ref().is_none_or(|l| l.matches(&builtin)) {
            return Some(String::new());
        }
        self.nodes()
            .filter(|a| !a.offline() && a.accepting && a.free() > 0)
            .filter(|a| asked.as_ref().map_or(!a.exclusive, |l| l.matches(&a.all_labels())))
            .min_by_key(|a| hash(&[&task.name, &a.name]))
            .map(|a| a.name.clone())
    }

    fn start(&mut self, item: &Item, place: &str, clock: i64) {
        self.queue.retain(|i| i.id != item.id);
        let number = self.numbers.entry(item.task.name.clone()).or_default();
        *number += 1;
        let build = Build {
            job: item.task.name.clone(),
            number: *number,
            item: item.id,
            agent: place.to_owned(),
            label: item.task.label.clone(),
            queued: item.since,
            began: clock,
            ends: clock + item.task.seconds,
            done: false,
            killed: false,
            unit: None,
        };
        self.occupy(place, build);
    }

    pub(super) fn occupy(&mut self, place: &str, build: Build) {
        let index = self.builds.len();
        let slots = match self.agents.get_mut(place) {
            Some(agent) => &mut agent.executors,
            None => &mut self.builtin_builds,
        };
        if let Some(slot) = slots.iter_mut().find(|s| s.is_none()) {
            *slot = Some(index);
            self.builds.push(build);
        }
    }

    /// A build begins on a node whatever its marks say: it was assigned a moment before.
    pub fn begin_build(&mut self, agent: &str, clock: i64, seconds: i64) {
        let build = Build {
            job: "race".to_owned(),
            number: self.builds.len() as u64 + 1,
            item: 0,
            agent: agent.to_owned(),
            label: None,
            queued: clock,
            began: clock,
            ends: clock + seconds,
            done: false,
            killed: false,
            unit: None,
        };
        self.occupy(agent, build);
    }

    /// Every running build of a node ends well now.
    pub fn end_builds(&mut self, agent: &str, clock: i64) {
        for build in self.builds.iter_mut().filter(|b| !b.done && b.agent == agent) {
            build.ends = clock;
        }
        self.step(clock);
    }

    /// Deletes a node as doDelete does: no look at its builds, which fail at once; while busy it stays listed a little.
    pub fn delete(&mut self, name: &str, clock: i64) {
        self.out_of_round(name);
        if self.kill_builds(name, clock) == 0 {
            self.agents.remove(name);
        } else if let Some(agent) = self.agents.get_mut(name) {
            agent.removed = Some(clock);
        }
    }

    /// The channel of an agent breaks: it is offline and its builds fail.
    pub fn break_channel(&mut self, name: &str, clock: i64) {
        self.kill_builds(name, clock);
        if let Some(agent) = self.agents.get_mut(name) {
            agent.connected = false;
            agent.cause = Some(Mark::system("OfflineCause$ChannelTermination", clock));
            agent.executors.fill(None);
        }
    }

    /// A person disconnects a node: on its page, or with `disconnect-node` (another class of cause). Before 2.482 a mark
    /// and a disconnect share one cause, and the later one counts; since then a mark hides the other.
    pub fn disconnect(&mut self, name: &str, cause: Mark) {
        self.break_channel(name, cause.at);
        let one_cause = !self.at_least(482);
        if let Some(agent) = self.agents.get_mut(name) {
            if let Some(mark) = agent.mark.as_mut().filter(|_| one_cause) {
                *mark = cause.clone();
            }
            agent.cause = Some(cause);
        }
    }

    fn kill_builds(&mut self, name: &str, clock: i64) -> usize {
        // What has not begun goes back into the queue.
        self.unwind_all(name);
        let mut killed = 0;
        for build in self.builds.iter_mut().filter(|b| !b.done && b.agent == name) {
            (build.done, build.killed, build.ends) = (true, true, clock);
            killed += 1;
        }
        killed
    }

    /// Builds that failed since their node or machine went away.
    pub fn killed(&self) -> usize {
        self.builds.iter().filter(|b| b.killed).count()
    }
}

impl Default for Jenkins {
    fn default() -> Self {
        Self::new()
    }
}

fn free_done(slots: &mut [Option<usize>], builds: &[Build]) {
    for slot in slots {
        if slot.is_some_and(|at| builds[at].done) {
            *slot = None;
        }
    }
}

/// The secret of an inbound agent: it depends on the name alone.
pub fn secret_of(name: &str) -> String {
    format!("{:016x}", hash(&["secret", name])).repeat(4)
}

/// FNV-1a.
pub fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|p| p.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}
