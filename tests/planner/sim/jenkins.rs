//! The Jenkins of a simulated world: nodes and the names under which they join, persons, the queue.

use std::net::IpAddr;

use jiff::Timestamp;
use mita::labels::{Label, Labels};
use mita::model::{Computer, JenkinsView, NodeId, NodeName, QueueItem, ServerId, ServerStatus, Stage, TaskLabel};
use mita::plan::{DRAIN_PREFIX, MARK_PREFIX};

use super::cloud::Machine;
use super::configs::{DRIFT, SHARED};
use super::rules::Tie;
use super::{Sim, mins, secs};

const LABELS: [&str; 7] = [
    "linux",
    "arm",
    "linux && big",
    "windows",
    "linux || arm",
    "big",
    "!linux && arm",
];

/// The labels where one drifts: nothing but what it is asked for leads to the template that really has it.
const OF_DRIFT: [&str; 4] = ["linux", "arm", "linux && big", "big"];

/// The label that only the template has that may be broken.
const OF_BROKEN: &str = "windows";

/// The class of a mark or a disconnect by a person.
pub(super) const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";

/// The classes that *Disconnect* leaves: on the page, and by `disconnect-node`.
const CUTS: [&str; 2] = [PERSON, "hudson.slaves.OfflineCause$ByCLI"];

/// What a person says who marks a node.
pub(super) const MINE: &str = "mine";

const PIPELINE: &str = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

/// The name under which an agent joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `t0__0123456789ab`, the server's name.
    Server,
    /// `agent-0123456789ab`.
    Id,
    /// `t0__0123456789ab-1a2b3c4d`: Swarm adds a suffix.
    Swarm,
    /// `AGENT-0123456789AB`.
    UpperId,
    /// `agent-t0__<uuid>`, the name of a server of the original somewhere in it.
    OfServer,
    /// `t0+10.0.0.1`.
    TemplateAtAddress,
    /// `10.0.0.1+t0`.
    AddressOfTemplate,
    /// `10.0.0.1+t0__<uuid>`, as sites of the original have it.
    AddressOfOriginal,
    /// `t0-10.0.0.1`.
    TemplateDashAddress,
    /// `builder+10.0.0.1`.
    BuilderAtAddress,
    /// `10.0.0.1`.
    Address,
    /// `ip-10-0-0-1`.
    DashedAddress,
}

/// All forms that are not the usual ones.
pub(super) const ODD: [Form; 10] = [
    Form::Id,
    Form::Swarm,
    Form::UpperId,
    Form::TemplateAtAddress,
    Form::AddressOfTemplate,
    Form::AddressOfOriginal,
    Form::TemplateDashAddress,
    Form::BuilderAtAddress,
    Form::Address,
    Form::DashedAddress,
];

impl Form {
    fn name(self, machine: &Machine, ip: IpAddr, uuid: &str) -> String {
        // Jenkins takes no colon in a name.
        let (ip, dashed) = (
            ip.to_string().replace(':', "-"),
            ip.to_string().replace([':', '.'], "-"),
        );
        let (template, id, server) = (&machine.template, &machine.id, &machine.server.name);
        match self {
            Self::Server => server.clone(),
            Self::Id => format!("agent-{id}"),
            Self::OfServer => format!("agent-{server}"),
            Self::Swarm => format!("{server}-1a2b3c4d"),
            Self::UpperId => format!("AGENT-{}", id.to_string().to_uppercase()),
            Self::TemplateAtAddress => format!("{template}+{ip}"),
            Self::AddressOfTemplate => format!("{ip}+{template}"),
            Self::AddressOfOriginal => format!("{ip}+{template}__{uuid}"),
            Self::TemplateDashAddress => format!("{template}-{ip}"),
            Self::BuilderAtAddress => format!("builder+{ip}"),
            Self::Address => ip,
            Self::DashedAddress => format!("ip-{dashed}"),
        }
    }
}

/// A Jenkins node.
#[derive(Clone)]
pub(super) struct Node {
    pub name: NodeName,
    /// Its labels, its own name not among them.
    pub labels: Vec<String>,
    /// The labels with which it joined.
    pub joined_with: Vec<String>,
    pub executors: u32,
    /// When the running builds end, and their numbers.
    pub busy_until: Vec<(Timestamp, u64)>,
    /// How many builds began on it.
    pub taken: u32,
    /// When a build last began on it.
    pub used: Timestamp,
    /// Whether a pass saw it with all the builds that it may have.
    pub closed: bool,
    pub offline_until: Option<Timestamp>,
    /// Until when it is gone from the list.
    pub gone_until: Option<Timestamp>,
    /// The class of a person's disconnect.
    pub cut: Option<&'static str>,
    /// Offline reason and cause.
    pub mark: Option<(String, String)>,
}

impl Node {
    pub fn new(name: String, labels: Vec<String>, executors: u32, now: Timestamp) -> Self {
        Self {
            name: NodeName::new(name),
            joined_with: labels.clone(),
            labels,
            executors,
            busy_until: Vec::new(),
            taken: 0,
            used: now,
            closed: false,
            offline_until: None,
            gone_until: None,
            cut: None,
            mark: None,
        }
    }

    pub fn is_busy(&self) -> bool {
        !self.busy_until.is_empty()
    }

    pub fn is_listed(&self) -> bool {
        self.gone_until.is_none()
    }

    pub fn is_online(&self) -> bool {
        self.mark.is_none() && self.offline_until.is_none() && self.cut.is_none() && self.is_listed()
    }

    /// Whether a person took it offline, by a mark or by a disconnect.
    pub fn is_persons(&self) -> bool {
        self.cut.is_some() || self.mark.as_ref().is_some_and(|(reason, _)| reason == MINE)
    }

    pub fn has_our_mark(&self) -> bool {
        let ours = |reason: &str| [MARK_PREFIX, DRAIN_PREFIX].iter().any(|mark| reason.starts_with(mark));
        self.mark.as_ref().is_some_and(|(reason, _)| ours(reason))
    }

    /// Its labels as Jenkins lists them.
    pub fn all_labels(&self) -> Vec<String> {
        self.labels.iter().cloned().chain([self.name.to_string()]).collect()
    }

    fn is_free(&self) -> bool {
        self.is_online() && self.busy_until.len() < self.executors as usize
    }

    fn takes(&self, label: &Label) -> bool {
        self.is_free() && label.matches(&self.all_labels().into_iter().collect())
    }

    fn begin(&mut self, until: Timestamp, build: u64, now: Timestamp) {
        self.busy_until.push((until, build));
        self.taken += 1;
        self.used = now;
    }

    fn computer(&self, dead: bool, tells_labels: bool) -> Computer {
        let busy = u32::try_from(self.busy_until.len()).unwrap();
        let (reason, class) = self.mark.clone().unzip();
        Computer {
            name: self.name.clone(),
            built_in: false,
            idle: busy == 0,
            offline: dead || !self.is_online(),
            temporarily_offline: self.mark.is_some(),
            offline_reason: reason.unwrap_or_default(),
            offline_class: class.or_else(|| self.cut.map(str::to_owned)),
            executors: self.executors,
            idle_executors: self.executors - busy.min(self.executors),
            one_off_busy: false,
            running: self
                .busy_until
                .iter()
                .map(|(_, build)| format!("{build:016x}"))
                .collect(),
            labels: tells_labels.then(|| self.all_labels()),
        }
    }
}

/// A queue item with its true label.
#[derive(Clone)]
pub(super) struct Job {
    pub item: QueueItem,
    /// The pass before which it came.
    pub arrived: u64,
    /// Whether Jenkins tells its label only in `why`.
    pub pipeline: bool,
}

fn label_of(item: &QueueItem) -> Label {
    let TaskLabel::Expression(text) = &item.label else {
        panic!("every item of a simulated world has a label")
    };
    Label::read(text).unwrap()
}

/// Whether an item runs on a node with these labels.
fn fits(item: &QueueItem, labels: &Labels) -> bool {
    label_of(item).matches(labels)
}

impl Sim {
    /// Lets items arrive, in bursts.
    pub(super) fn arrive(&mut self) {
        if self.faults.shared_limit {
            return self.arrive_behind_a_limit();
        }
        if self.faults.pipelines {
            return self.arrive_at_one_node();
        }
        let burst = if self.dice.chance(10) {
            1 + self.dice.roll(12)
        } else {
            0
        };
        for _ in 0..burst {
            let label = if self.faults.drift {
                self.dice.pick(&OF_DRIFT)
            } else {
                self.dice.pick(&LABELS)
            };
            self.submit(label);
        }
        if self.broken.is_some() && self.passes == 0 {
            self.submit(OF_BROKEN);
        }
        if self.patience.is_none() && self.dice.chance(3) {
            self.queue.clear();
        }
    }

    /// Keeps the nodes of one template at work now and then, so that none is ever idle for long; an item for the other
    /// template comes once in a while.
    fn arrive_behind_a_limit(&mut self) {
        if self.passes % 8 == 0 {
            (0..SHARED).for_each(|_| self.submit("linux"));
        }
        if self.passes % 50 == 30 {
            self.submit("arm");
        }
    }

    /// Many items for a label that one node has by now.
    fn arrive_at_one_node(&mut self) {
        if !self.queue.is_empty() || !self.dice.chance(20) {
            return;
        }
        let ours: Vec<&Machine> = self.machines.iter().filter(|machine| machine.is_ours()).collect();
        match ours[..] {
            [] => self.submit("arm"),
            [only] if only.node.is_some() => (0..12).for_each(|_| self.submit("arm")),
            _ => {}
        }
    }

    fn submit(&mut self, label: &str) {
        // The items of the template that is broken are the oldest.
        let age = if self.broken.is_some() && label == OF_BROKEN {
            86_400
        } else {
            i64::try_from(self.dice.roll(90)).unwrap()
        };
        let item = QueueItem {
            id: self.next_item,
            stage: Stage::Buildable,
            stuck: true,
            since: self.now - secs(age),
            why: Some(waits_for(label)),
            task_class: Some("hudson.model.FreeStyleProject".to_owned()),
            task: format!("job {}", self.next_item),
            task_name: format!("job-{}", self.next_item),
            task_url: None,
            label: TaskLabel::Expression(label.to_owned()),
        };
        self.queue.push(Job {
            item,
            arrived: self.passes,
            pipeline: self.faults.pipelines,
        });
        self.next_item += 1;
    }

    /// Lets nodes join, lose their connection, and end their builds.
    pub(super) fn agents_go_on(&mut self) {
        let now = self.now;
        for at in 0..self.machines.len() {
            let machine = &self.machines[at];
            let joins = machine.joins && machine.node.is_none() && machine.gone_at.is_none();
            if !joins || machine.joins_at.is_none_or(|joins| joins > now) || machine.fails_at.is_some_and(|f| f <= now)
            {
                continue;
            }
            self.join(at);
        }
        let (dice, faults) = (&mut self.dice, self.faults);
        for machine in &mut self.machines {
            let Some(node) = &mut machine.node else { continue };
            node.busy_until.retain(|(until, _)| *until > now);
            if node.offline_until.is_some_and(|until| until <= now) {
                node.offline_until = None;
            }
            if node.gone_until.is_some_and(|until| until <= now) {
                node.gone_until = None;
            }
            if dice.chance(faults.disconnect) {
                node.offline_until = Some(now + mins(1 + i64::try_from(dice.roll(9)).unwrap()));
            }
            if node.mark.is_none() && dice.chance(faults.person) {
                node.mark = Some((MINE.to_owned(), PERSON.to_owned()));
            }
            if dice.chance(10) {
                node.cut = None;
            }
            if node.is_online() && dice.chance(faults.cut_by_person) {
                node.cut = Some(dice.pick(&CUTS));
            }
            if node.is_online() && dice.chance(faults.blink) {
                node.gone_until = Some(now + secs(30 + dice.up_to(200)));
            }
            // What lacks a label when it is first seen says that its template is wrong.
            if machine.seen.up && !node.labels.is_empty() && dice.chance(faults.label_off) {
                let off = usize::try_from(dice.roll(node.labels.len() as u64)).unwrap();
                node.labels.remove(off);
            }
        }
        for stray in &mut self.strays {
            stray.busy_until.retain(|(until, _)| *until > now);
        }
    }

    /// Makes the node of a server whose agent joins.
    fn node_of(&mut self, at: usize) -> Node {
        let addresses = self.with_floating_ip(&self.machines[at]).addresses;
        let ip = addresses[usize::try_from(self.dice.roll(addresses.len() as u64)).unwrap()].ip;
        let uuid = format!("7d0f4c1e-9a53-4c44-8f3e-{:012x}", self.dice.roll(1 << 48));
        let machine = &self.machines[at];
        let mut templates = self.config.templates.iter();
        let place = templates.position(|template| template.name == machine.template);
        let template = &self.config.templates[place.unwrap_or(0)];
        let name = machine.form.name(machine, ip, &uuid);
        let mut labels: Vec<String> = template.labels.iter().cloned().collect();
        if self.faults.drift && place == Some(DRIFT.0) {
            labels.retain(|label| label != DRIFT.1);
        }
        if self.dice.chance(self.faults.few_labels) {
            let off = usize::try_from(self.dice.roll(labels.len() as u64)).unwrap();
            labels.remove(off);
        }
        if !machine.is_ours() {
            labels = vec!["theirs".to_owned()];
        } else if machine.form == Form::Swarm || self.faults.pipelines {
            labels.push("swarm".to_owned());
        }
        Node::new(name, labels, template.executors, self.now)
    }

    /// Returns the form under which the agent of a new server joins.
    pub(super) fn some_form(&mut self, template: usize) -> Form {
        if self.dice.chance(self.faults.names) {
            return self.dice.pick(&ODD);
        }
        [Form::Server, Form::TemplateAtAddress, Form::Id][template % 3]
    }

    /// The agent of a server that looked absent joins and gets a build; returns whether a pass can know.
    pub(super) fn join_in_between(&mut self, server: &ServerId) -> bool {
        let Some(at) = self.machines.iter().position(|machine| machine.server.id == *server) else {
            return false;
        };
        let machine = &self.machines[at];
        let may = machine.is_ours() && machine.node.is_none() && machine.deletes == 0 && !machine.is_dead();
        if !may || machine.joined || !self.dice.chance(self.faults.late) {
            return false;
        }
        self.join(at);
        self.next_build += 1;
        let (now, build) = (self.now, self.next_build);
        let machine = &mut self.machines[at];
        machine.server.status = ServerStatus::Active;
        if let Some(node) = &mut machine.node {
            node.begin(now + mins(20), build, now);
        }
        let machine = &self.machines[at];
        let node = machine.node.as_ref();
        node.is_some_and(|node| self.tie(machine, node, &machine.server) != Tie::None)
    }

    fn join(&mut self, at: usize) {
        let node = self.node_of(at);
        let machine = &mut self.machines[at];
        machine.joins_at = None;
        machine.joined = true;
        machine.node = Some(node);
        let (template, provider) = (machine.template.clone(), machine.provider.clone());
        self.joined.insert((template, provider, machine.image.clone()));
    }

    /// A person disconnects a node that was just about to be removed.
    pub(super) fn cut_in_between(&mut self, name: &NodeName) {
        if self.dice.chance(5 * self.faults.cut_by_person) {
            let class = self.dice.pick(&CUTS);
            if let Some(node) = self.node_mut(name).filter(|node| node.is_online()) {
                node.cut = Some(class);
            }
        }
    }

    /// Nodes of another network, at private addresses that our servers have, too.
    pub(super) fn strangers_come_and_go(&mut self) {
        if !self.faults.strangers {
            return;
        }
        let (now, dice) = (self.now, &mut self.dice);
        self.strangers.retain(|_| !dice.chance(2));
        for stranger in &mut self.strangers {
            stranger.busy_until.retain(|(until, _)| *until > now);
            if stranger.offline_until.is_some_and(|until| until <= now) {
                stranger.offline_until = None;
            }
            match dice.roll(20) {
                0 => stranger.offline_until = Some(now + mins(5)),
                1 | 2 if !stranger.is_busy() => stranger.begin(now + mins(10), 0, now),
                _ => {}
            }
        }
        if self.machines.is_empty() || !dice.chance(10) {
            return;
        }
        let mut place = usize::try_from(dice.roll(self.machines.len() as u64)).unwrap();
        if dice.chance(50) {
            // One that has no node of its own.
            place = self
                .machines
                .iter()
                .position(|machine| machine.node.is_none())
                .unwrap_or(place);
        }
        let machine = &self.machines[place];
        let ip = machine.server.addresses[0].ip.to_string().replace(':', "-");
        let name = if dice.chance(50) {
            format!("mac{}+{ip}", self.next_server)
        } else {
            format!("mac{}-{}", self.next_server, ip.replace('.', "-"))
        };
        self.next_server += 1;
        let node = Node::new(name, vec!["mac".to_owned()], 2, now);
        self.strangers.push(node);
    }

    /// Gives waiting items to idle executors, as Jenkins does.
    pub(super) fn schedule(&mut self, percent: u64) {
        self.queue.sort_by_key(|job| (job.item.since, job.item.id));
        let (now, longest) = (self.now, self.longest);
        let (machines, dice) = (&mut self.machines, &mut self.dice);
        let (next_build, broken) = (&mut self.next_build, &mut self.broken_rule);
        // Every pass sees a build that is longer than the time to the next one.
        let shortest = if self.faults.max_builds { 120 } else { 60 };
        let spreads = self.faults.shared_limit;
        self.queue.retain(|job| {
            let label = label_of(&job.item);
            let takes =
                |machine: &&mut Machine| machine.runs() && machine.node.as_ref().is_some_and(|node| node.takes(&label));
            let mut free = machines.iter_mut().filter(takes);
            let machine = if spreads {
                free.min_by_key(|machine| machine.node.as_ref().map(|node| node.used))
            } else {
                free.next()
            };
            let node = machine.and_then(|machine| machine.node.as_mut());
            let Some(node) = node.filter(|_| dice.chance(percent)) else {
                return true;
            };
            let until = now + secs(shortest + i64::try_from(dice.roll(longest)).unwrap());
            node.begin(until, *next_build, now);
            *next_build += 1;
            if node.closed {
                *broken = Some(format!("I13: {} had all its builds and takes one more", node.name));
            }
            false
        });
    }

    /// Jenkins as a pass sees it.
    pub(super) fn jenkins(&mut self) -> JenkinsView {
        let tells = self.tells_labels;
        let nodes = self
            .machines
            .iter()
            .filter_map(|machine| Some((machine.node.as_ref()?, machine.is_dead())));
        let strays = self.strays.iter().map(|node| (node, true));
        let strangers = self.strangers.iter().map(|node| (node, false));
        let all = nodes.chain(strays).chain(strangers);
        let listed = all.filter(|(node, _)| node.is_listed());
        let mut computers: Vec<Computer> = listed.map(|(node, dead)| node.computer(dead, tells)).collect();
        let mut queue: Vec<QueueItem> = self.queue.iter().map(|job| told(job, &computers)).collect();
        let ahead = secs(self.faults.clock_ahead);
        for item in &mut queue {
            item.since += ahead;
        }
        self.dice.shuffle(&mut computers);
        self.dice.shuffle(&mut queue);
        JenkinsView {
            queue,
            computers,
            quieting_down: Some(false),
            clock: self.tells_clock.then(|| self.now + ahead),
            ..JenkinsView::default()
        }
    }

    /// Remembers when items were first seen that are too young by the clock that Jenkins tells, as the pass does.
    pub(super) fn sight(&mut self, jenkins: &mut JenkinsView) {
        let grace = self.config.timing.queue_grace;
        if grace.is_zero() {
            return;
        }
        let young = jenkins.queue.iter().filter(|item| jenkins.age(item, self.now) < grace);
        let first = |id| self.state.queue_seen.get(&id).copied().unwrap_or(self.now);
        jenkins.first_seen = young.map(|item| (item.id, first(item.id))).collect();
        self.state.queue_seen.clone_from(&jenkins.first_seen);
    }

    /// Returns a node that Jenkins lists.
    pub(super) fn node_mut(&mut self, name: &NodeName) -> Option<&mut Node> {
        let nodes = self.machines.iter_mut().filter_map(|machine| machine.node.as_mut());
        let all = nodes.chain(&mut self.strays).chain(&mut self.strangers);
        all.filter(|node| node.is_listed()).find(|node| node.name == *name)
    }

    /// Whether a template that is not broken serves an item with the labels that its nodes really register.
    pub(super) fn can_be_served(&self, item: &QueueItem) -> bool {
        let mut templates = self.config.templates.iter().enumerate();
        templates.any(|(place, template)| {
            let mut labels: Vec<String> = template.labels.iter().cloned().collect();
            if self.faults.drift && place == DRIFT.0 {
                labels.retain(|label| label != DRIFT.1);
            }
            let works = |provider| !self.is_broken(&template.name, provider);
            fits(item, &labels.into_iter().collect()) && template.placements.iter().any(|at| works(&at.provider))
        })
    }
}

/// What Jenkins tells of an item. Where only one node has the label of a pipeline, it names that node.
fn told(job: &Job, computers: &[Computer]) -> QueueItem {
    let mut item = job.item.clone();
    if !job.pipeline {
        return item;
    }
    let has = |computer: &&Computer| {
        let labels = computer.labels.iter().flatten().cloned().collect();
        fits(&job.item, &labels)
    };
    let nodes: Vec<&Computer> = computers.iter().filter(has).collect();
    item.label = TaskLabel::Untold;
    item.task_class = Some(PIPELINE.to_owned());
    match nodes[..] {
        [only] if only.offline => item.why = Some(format!("‘{}’ is offline", only.name)),
        [only] => item.why = Some(waits_for(only.name.as_str())),
        _ => {}
    }
    item
}

fn waits_for(label: &str) -> String {
    format!("Waiting for next available executor on ‘{label}’")
}

/// Whether a name shows an id of ours, in either case.
pub(super) fn shows_id(name: &str, id: &NodeId) -> bool {
    name.to_lowercase().contains(id.as_str())
}
