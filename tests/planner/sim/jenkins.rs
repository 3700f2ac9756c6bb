//! The Jenkins of a simulated world: nodes, persons, strangers, and what a pass sees of them.

use jiff::Timestamp;
use mita::labels::Label;
use mita::model::{Computer, JenkinsView, NodeName, QueueItem, ServerId, ServerStatus};
use mita::plan::{DRAIN_PREFIX, MARK_PREFIX};

use super::configs::DRIFT;
use super::names::{Form, ODD, Tie};
use super::queue::told;
use super::{Sim, mins, secs};
use crate::facts;

/// The class of a mark or a disconnect by a person.
pub(super) const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";

/// The classes that *Disconnect* leaves: on the page, and by `disconnect-node`.
const CUTS: [&str; 2] = [PERSON, "hudson.slaves.OfflineCause$ByCLI"];

/// What a person says who marks a node.
pub(super) const MINE: &str = "mine";

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
    /// Until when it is gone from Jenkins.
    pub gone_until: Option<Timestamp>,
    /// Until when the list lacks it, which is there and works.
    pub unlisted_until: Option<Timestamp>,
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
            unlisted_until: None,
            cut: None,
            mark: None,
        }
    }

    pub fn is_busy(&self) -> bool {
        !self.busy_until.is_empty()
    }

    pub fn is_there(&self) -> bool {
        self.gone_until.is_none()
    }

    pub fn is_listed(&self) -> bool {
        self.is_there() && self.unlisted_until.is_none()
    }

    pub fn is_online(&self) -> bool {
        self.mark.is_none() && self.offline_until.is_none() && self.cut.is_none() && self.is_there()
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

    pub fn takes(&self, label: &Label) -> bool {
        self.is_free() && label.matches(&self.all_labels().into_iter().collect())
    }

    pub fn begin(&mut self, until: Timestamp, build: u64, now: Timestamp) {
        self.busy_until.push((until, build));
        self.taken += 1;
        self.used = now;
    }

    fn computer(&self, dead: bool, tells_labels: bool) -> Computer {
        let busy = u32::try_from(self.busy_until.len()).unwrap();
        let (reason, class) = self.mark.clone().unzip();
        Computer {
            idle: busy == 0,
            offline: dead || !self.is_online(),
            temporarily_offline: self.mark.is_some(),
            offline_reason: reason.unwrap_or_default(),
            offline_class: class.or_else(|| self.cut.map(str::to_owned)),
            idle_executors: self.executors - busy.min(self.executors),
            running: self
                .busy_until
                .iter()
                .map(|(_, build)| format!("{build:016x}"))
                .collect(),
            labels: tells_labels.then(|| self.all_labels()),
            ..facts::computer(self.name.as_str(), self.executors)
        }
    }
}

impl Sim {
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
        let (random, faults) = (&mut self.random, self.faults);
        for machine in &mut self.machines {
            let Some(node) = &mut machine.node else { continue };
            node.busy_until.retain(|(until, _)| *until > now);
            if node.offline_until.is_some_and(|until| until <= now) {
                node.offline_until = None;
            }
            if node.gone_until.is_some_and(|until| until <= now) {
                node.gone_until = None;
            }
            if node.unlisted_until.is_some_and(|until| until <= now) {
                node.unlisted_until = None;
            }
            if random.chance(faults.disconnect) {
                node.offline_until = Some(now + mins(1 + random.below(9)));
            }
            if node.mark.is_none() && random.chance(faults.person) {
                node.mark = Some((MINE.to_owned(), PERSON.to_owned()));
            }
            if random.chance(10) {
                node.cut = None;
            }
            if node.is_online() && random.chance(faults.cut_by_person) {
                node.cut = Some(random.pick(&CUTS));
            }
            if node.is_online() && random.chance(faults.blink) {
                node.gone_until = Some(now + secs(30 + random.below(200)));
            }
            if node.is_online() && machine.seen.up && random.chance(faults.unlisted) {
                node.unlisted_until = Some(now + mins(2 + random.below(40)));
            }
            // What lacks a label when it is first seen says that its template is wrong.
            if machine.seen.up && !node.labels.is_empty() && random.chance(faults.label_off) {
                let off = random.index(node.labels.len());
                node.labels.remove(off);
            }
        }
        for orphan in &mut self.orphans {
            orphan.unlisted_until = orphan.unlisted_until.filter(|until| *until > now);
            orphan.busy_until.retain(|(until, _)| *until > now);
        }
    }

    /// Makes the node of a server whose agent joins.
    fn node_of(&mut self, at: usize) -> Node {
        let addresses = self.with_floating_ip(&self.machines[at]).addresses;
        let ip = addresses[self.random.index(addresses.len())].ip;
        let uuid = format!("7d0f4c1e-9a53-4c44-8f3e-{:012x}", self.random.roll(1 << 48));
        let machine = &self.machines[at];
        let mut templates = self.config.templates.iter();
        let place = templates.position(|template| template.name == machine.template);
        let template = &self.config.templates[place.unwrap_or(0)];
        let name = machine.form.name(machine, ip, &uuid);
        let mut labels: Vec<String> = template.labels.iter().cloned().collect();
        if self.faults.drift && place == Some(DRIFT.0) {
            labels.retain(|label| label != DRIFT.1);
        }
        if self.random.chance(self.faults.few_labels) {
            let off = self.random.index(labels.len());
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
        if self.random.chance(self.faults.names) {
            return self.random.pick(&ODD);
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
        if !may || machine.joined || !self.random.chance(self.faults.late) {
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
        if self.random.chance(5 * self.faults.cut_by_person) {
            let class = self.random.pick(&CUTS);
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
        let (now, random) = (self.now, &mut self.random);
        self.strangers.retain(|_| !random.chance(2));
        for stranger in &mut self.strangers {
            stranger.busy_until.retain(|(until, _)| *until > now);
            if stranger.offline_until.is_some_and(|until| until <= now) {
                stranger.offline_until = None;
            }
            match random.roll(20) {
                0 => stranger.offline_until = Some(now + mins(5)),
                1 | 2 if !stranger.is_busy() => stranger.begin(now + mins(10), 0, now),
                _ => {}
            }
        }
        if self.machines.is_empty() || !random.chance(10) {
            return;
        }
        let mut place = random.index(self.machines.len());
        if random.chance(50) {
            // One that has no node of its own.
            place = self
                .machines
                .iter()
                .position(|machine| machine.node.is_none())
                .unwrap_or(place);
        }
        let machine = &self.machines[place];
        let ip = machine.server.addresses[0].ip.to_string().replace(':', "-");
        let name = if random.chance(50) {
            format!("mac{}+{ip}", self.next_server)
        } else {
            format!("mac{}-{}", self.next_server, ip.replace('.', "-"))
        };
        self.next_server += 1;
        let node = Node::new(name, vec!["mac".to_owned()], 2, now);
        self.strangers.push(node);
    }

    /// Jenkins as a pass sees it.
    pub(super) fn jenkins(&mut self) -> JenkinsView {
        let tells = self.tells_labels;
        let nodes = self
            .machines
            .iter()
            .filter_map(|machine| Some((machine.node.as_ref()?, machine.is_dead())));
        let orphans = self.orphans.iter().map(|node| (node, true));
        let strangers = self.strangers.iter().map(|node| (node, false));
        let all = nodes.chain(orphans).chain(strangers);
        let listed = all.filter(|(node, _)| node.is_listed());
        let mut computers: Vec<Computer> = listed.map(|(node, dead)| node.computer(dead, tells)).collect();
        let mut queue: Vec<QueueItem> = self.queue.iter().map(|job| told(job, &computers)).collect();
        let ahead = secs(self.faults.clock_ahead);
        for item in &mut queue {
            item.since += ahead;
        }
        self.random.shuffle(&mut computers);
        self.random.shuffle(&mut queue);
        JenkinsView {
            queue,
            computers,
            quieting_down: Some(false),
            clock: self.tells_clock.then(|| self.now + ahead),
            ..JenkinsView::default()
        }
    }

    /// Returns a node that Jenkins has.
    pub(super) fn node_mut(&mut self, name: &NodeName) -> Option<&mut Node> {
        let nodes = self.machines.iter_mut().filter_map(|machine| machine.node.as_mut());
        let all = nodes.chain(&mut self.orphans).chain(&mut self.strangers);
        all.filter(|node| node.is_there()).find(|node| node.name == *name)
    }
}
