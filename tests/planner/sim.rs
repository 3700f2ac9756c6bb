//! A Jenkins and its clouds, simulated pass by pass, with everything that goes wrong there: crashes before and after a
//! request, lists that lag, answers that lie, a lost state file, quotas, bad images, servers that never join.
//!
//! What must hold in every pass is checked here; which worlds are run, in `invariants.rs`.

#[path = "sim_floating.rs"]
mod floating;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mita::config::{Adopt, Config, MinReady};
use mita::labels::{Label, Labels};
use mita::model::{
    Address, CloudView, Computer, JenkinsView, Mark, NodeId, NodeName, Observed, Offer, Offers, Presence, ProviderName,
    QueueItem, Reading, Room, Server, ServerId, ServerStatus, Stage, TaskLabel, TemplateName, server_name,
};
use mita::plan::backoff::{begin, charge};
use mita::plan::{Context, Create, DRAIN_PREFIX, MARK_PREFIX, Plan, Removal};
use mita::state::{BackoffKey, Intent, State};

use crate::world::{config, mins, offer, place, provider, secs, template};

/// The planner, or one with a planted bug.
pub type Planner = dyn Fn(&Observed, &Config, &State, &Context) -> Plan;

/// Numbers that look random and are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            let other = usize::try_from(self.roll(place as u64 + 1)).unwrap();
            list.swap(place, other);
        }
    }
}

/// What goes wrong in a world, in percent, and what the executor gets wrong on purpose.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A pass ends before or after any of its requests.
    pub crash: u64,
    /// A POST is answered by 5xx; half of these made the server all the same.
    pub lie: u64,
    /// A cloud cannot be read.
    pub closed: u64,
    /// The state file is lost.
    pub lost_state: u64,
    /// A server goes to ERROR.
    pub error: u64,
    /// A server never joins.
    pub never_joins: u64,
    /// A node loses its connection for some minutes.
    pub disconnect: u64,
    /// A person takes a node offline.
    pub person: u64,
    /// Seconds until the list shows a new server.
    pub lag: i64,
    /// A template whose image is refused.
    pub bad_image: bool,
    /// A server is deleted behind mita's back, and its node with it.
    pub vanish: u64,
    /// The newest image of every template never joins; the one before it does.
    pub broken_image: bool,
    /// Every template adopts, and servers of another program are there at the beginning.
    pub adopt: bool,
    /// Templates limit the builds of a node, and every build is long enough to be seen.
    pub max_builds: bool,
    /// A planted bug: the intent of a create whose outcome is unknown is dropped.
    pub forget_unknown: bool,
}

impl Faults {
    /// Whether the world does what it is told.
    pub fn none(self) -> bool {
        self.crash + self.lie + self.closed + self.lost_state + self.error + self.never_joins == 0
            && self.disconnect + self.person + self.vanish == 0
            && self.lag == 0
            && !self.bad_image
            && !self.broken_image
    }
}

/// How another program or a person made a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    /// `<template>__<uuid>`.
    ByName,
    /// By hand, with the Jenkins node `<template>+<ip>`.
    ByNode,
}

struct Machine {
    old: Option<Old>,
    /// Whether its agent was ever seen: before, nothing makes one that was made by hand ours.
    joined: bool,
    server: Server,
    provider: ProviderName,
    template: TemplateName,
    id: NodeId,
    image: String,
    ours: bool,
    visible_at: Timestamp,
    joins_at: Option<Timestamp>,
    fails_at: Option<Timestamp>,
    gone_at: Option<Timestamp>,
    node: Option<Node>,
}

#[derive(Clone)]
struct Node {
    name: NodeName,
    executors: u32,
    /// When the running builds end, and their numbers.
    busy_until: Vec<(Timestamp, u64)>,
    /// How many builds began on it.
    taken: u32,
    /// Whether a pass saw it with all the builds that it may have.
    closed: bool,
    offline_until: Option<Timestamp>,
    /// Offline reason and cause.
    mark: Option<(String, String)>,
}

/// A simulated world.
pub struct Sim {
    dice: Dice,
    pub faults: Faults,
    config: Config,
    now: Timestamp,
    passes: u64,
    state: State,
    machines: Vec<Machine>,
    /// Jenkins nodes whose server is gone.
    strays: Vec<Node>,
    floating_ips: Vec<floating::FloatingIp>,
    next_floating_ip: u64,
    queue: Vec<QueueItem>,
    next_item: u64,
    next_server: u64,
    quota: BTreeMap<ProviderName, usize>,
    tells_offers: bool,
    posted: BTreeSet<NodeId>,
    /// The images that the cloud had from the beginning, and the pass in which a newer one comes.
    newer_image: u64,
    /// The images of which a server joined.
    joined: BTreeSet<(TemplateName, ProviderName, String)>,
    /// Whether nothing ever goes wrong here and no limit per pass delays anything.
    calm: bool,
    /// The longest build, in seconds.
    longest: u64,
    pub created: usize,
    pub removed: usize,
    /// How many nodes had all their builds.
    pub spent: usize,
    next_build: u64,
    /// A rule that the world saw broken between two passes.
    broken: Option<String>,
}

const LABELS: [&str; 7] = [
    "linux",
    "arm",
    "linux && big",
    "windows",
    "linux || arm",
    "big",
    "!linux && arm",
];
const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";

impl Sim {
    /// Makes a world from a seed.
    pub fn new(seed: u64, faults: Faults) -> Self {
        let mut dice = Dice::new(seed);
        let config = some_config(&mut dice, faults);
        let quota = config
            .providers
            .keys()
            .map(|name| (name.clone(), usize::try_from(3 + dice.roll(12)).unwrap()));
        let mut sim = Self {
            quota: quota.collect(),
            tells_offers: dice.chance(50) || faults.broken_image,
            newer_image: if seed.is_multiple_of(2) { 0 } else { 40 },
            joined: BTreeSet::new(),
            faults,
            config,
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
            passes: 0,
            state: State::default(),
            machines: Vec::new(),
            strays: Vec::new(),
            floating_ips: Vec::new(),
            next_floating_ip: 1,
            queue: Vec::new(),
            next_item: 1,
            next_server: 1,
            posted: BTreeSet::new(),
            calm: faults.none(),
            longest: 1800,
            created: 0,
            removed: 0,
            spent: 0,
            next_build: 0,
            broken: None,
            dice,
        };
        for number in 0..sim.dice.roll(3) {
            sim.foreign_server(number);
        }
        sim.foreign_floating_ips();
        if faults.adopt {
            for number in 0..2 + sim.dice.roll(6) {
                sim.old_server(number);
            }
        }
        sim
    }

    /// Runs passes a minute apart; the first rule that breaks ends it.
    pub fn run(&mut self, passes: u64, planner: &Planner) -> Result<(), String> {
        for _ in 0..passes {
            self.arrive();
            self.live();
            self.pass(planner)
                .and_then(|()| self.broken.take().map_or(Ok(()), Err))
                .map_err(|broken| format!("pass {}: {broken}", self.passes))?;
            self.now += secs(50 + i64::try_from(self.dice.roll(20)).unwrap());
        }
        Ok(())
    }

    /// Lets the faults end and the queue run dry: then nothing but the warm pools may be left.
    pub fn settle(&mut self, planner: &Planner) -> Result<(), String> {
        self.faults = Faults {
            broken_image: self.faults.broken_image,
            ..Faults::default()
        };
        self.longest = 60;
        // A pool whose servers grow old has one too many while it replaces them.
        self.config
            .templates
            .iter_mut()
            .for_each(|template| (template.max_lifetime, template.max_builds) = (None, None));
        self.quota.values_mut().for_each(|quota| *quota = 1000);
        for machine in &mut self.machines {
            if let Some(node) = &mut machine.node {
                node.closed = false;
            }
            if let Some(node) = &mut machine.node
                && node
                    .mark
                    .as_ref()
                    .is_some_and(|(_, class)| class == PERSON && !is_our_mark(node))
            {
                node.mark = None;
            }
        }
        for _ in 0..240 {
            self.live();
            self.pass(planner)
                .map_err(|broken| format!("settling, pass {}: {broken}", self.passes))?;
            self.now += secs(60);
        }
        let served = |item: &QueueItem| self.config.templates.iter().all(|t| !fits(item, &t.labels));
        if let Some(item) = self.queue.iter().find(|item| !served(item)).cloned() {
            let (observed, context) = (self.observe(), self.context());
            let unmet = planner(&observed, &self.config, &self.state, &context).unmet;
            return Err(format!(
                "item {} ({:?}) was never served: {unmet:?}",
                item.id, item.label
            ));
        }
        // One made by hand is ours only by its node: without it and without a memory nobody knows it.
        let known = |machine: &&Machine| machine.ours && (machine.old != Some(Old::ByNode) || machine.node.is_some());
        let left = self.machines.iter().filter(known).count();
        let warm: u32 = self.config.templates.iter().map(|t| warm(&t.min_ready)).sum();
        if left != usize::try_from(warm).unwrap() || !self.strays.is_empty() {
            return Err(format!(
                "{left} servers and {} strays are left, {warm} wanted",
                self.strays.len()
            ));
        }
        self.nothing_is_left()
    }

    fn foreign_server(&mut self, number: u64) {
        let provider = self.config.providers.keys().next().unwrap().clone();
        let template = self.config.templates[0].name.clone();
        let id = NodeId::new(format!("f{number:011x}"));
        let server = self.new_server(&template, &id, Some("somebody"));
        self.machines.push(Machine {
            old: None,
            joined: false,
            server,
            provider,
            template,
            id,
            image: String::new(),
            ours: false,
            visible_at: self.now,
            joins_at: Some(self.now),
            fails_at: self.dice.chance(50).then_some(self.now),
            gone_at: None,
            node: None,
        });
    }

    /// Adds a server without a mark: it runs, boots, or failed long ago.
    fn old_server(&mut self, number: u64) {
        let kind = usize::try_from(self.dice.roll(self.config.templates.len() as u64)).unwrap();
        let (template, provider) = {
            let template = &self.config.templates[kind];
            (template.name.clone(), template.placements[0].provider.clone())
        };
        let id = NodeId::new(format!("d{number:011x}"));
        let old = if self.dice.chance(60) { Old::ByName } else { Old::ByNode };
        let mut server = self.new_server(&template, &id, None);
        server.mark = None;
        server.status = ServerStatus::Active;
        server.created = Some(self.now - mins(i64::try_from(self.dice.roll(600)).unwrap()));
        server.name = match old {
            Old::ByName => format!("{template}__7d0f4c1e-9a53-4c44-8f3e-{id}"),
            Old::ByNode => format!("box {number}"),
        };
        let never = self.dice.chance(self.faults.never_joins);
        let fails = self.dice.chance(self.faults.error);
        let joins = secs(i64::try_from(self.dice.roll(600)).unwrap());
        let joins = if self.dice.chance(60) { secs(0) } else { joins };
        self.machines.push(Machine {
            old: Some(old),
            joined: false,
            image: String::new(),
            server,
            provider,
            template,
            id,
            ours: true,
            visible_at: self.now,
            joins_at: (!never).then(|| self.now + joins),
            fails_at: fails.then_some(self.now),
            gone_at: None,
            node: None,
        });
    }

    fn new_server(&mut self, template: &TemplateName, id: &NodeId, owner: Option<&str>) -> Server {
        let number = self.next_server;
        self.next_server += 1;
        let digest = self
            .config
            .templates
            .iter()
            .find(|t| t.name == *template)
            .map(|t| t.digest.clone());
        Server {
            id: ServerId::new(format!("s{number}")),
            name: server_name(template, id),
            status: ServerStatus::Build,
            task_state: None,
            created: Some(self.now),
            addresses: vec![Address::fixed(
                format!("10.{}.{}.{}", number / 62_500, number / 250 % 250, number % 250)
                    .parse()
                    .unwrap(),
            )],
            zone: None,
            image: None,
            volumes: Vec::new(),
            fault: None,
            mark: Some(Mark {
                owner: owner.unwrap_or(&self.config.owner).to_owned(),
                template: Some(template.clone()),
                id: Some(id.clone()),
                config: digest,
            }),
        }
    }

    /// Lets items arrive, in bursts.
    fn arrive(&mut self) {
        let burst = if self.dice.chance(10) {
            1 + self.dice.roll(12)
        } else {
            0
        };
        for _ in 0..burst {
            let label = LABELS[usize::try_from(self.dice.roll(LABELS.len() as u64)).unwrap()];
            self.queue.push(QueueItem {
                id: self.next_item,
                stage: Stage::Buildable,
                stuck: true,
                since: self.now - secs(i64::try_from(self.dice.roll(90)).unwrap()),
                why: Some(format!("Waiting for next available executor on ‘{label}’")),
                task_class: Some("hudson.model.FreeStyleProject".to_owned()),
                task: format!("job {}", self.next_item),
                task_name: format!("job-{}", self.next_item),
                task_url: None,
                label: TaskLabel::Expression(label.to_owned()),
            });
            self.next_item += 1;
        }
        if self.dice.chance(3) {
            self.queue.clear();
        }
    }

    /// Lets the world go on until now: servers boot, fail and vanish, builds end and begin.
    fn live(&mut self) {
        let now = self.now;
        for machine in self
            .machines
            .extract_if(.., |machine| machine.gone_at.is_some_and(|at| at <= now))
        {
            self.strays.extend(machine.node);
        }
        self.unbind();
        for machine in &mut self.machines {
            if machine.fails_at.is_some_and(|at| at <= now) {
                machine.server.status = ServerStatus::Error;
            } else if machine.joins_at.is_some_and(|at| at <= now) {
                machine.server.status = ServerStatus::Active;
                if machine.node.is_none() && machine.ours && machine.gone_at.is_none() {
                    machine.joins_at = None;
                    machine.joined = true;
                    machine.node = Some(node_of(machine, &self.config));
                    let (template, provider) = (machine.template.clone(), machine.provider.clone());
                    self.joined.insert((template, provider, machine.image.clone()));
                }
            }
            if machine.ours && self.dice.chance(self.faults.vanish) {
                machine.gone_at.get_or_insert(now);
                machine.node = None;
            }
            if let Some(node) = &mut machine.node {
                node.busy_until.retain(|(until, _)| *until > now);
                if node.offline_until.is_some_and(|until| until <= now) {
                    node.offline_until = None;
                }
                if self.dice.chance(self.faults.disconnect) {
                    node.offline_until = Some(now + mins(1 + i64::try_from(self.dice.roll(9)).unwrap()));
                }
                if node.mark.is_none() && self.dice.chance(self.faults.person) {
                    node.mark = Some(("mine".to_owned(), PERSON.to_owned()));
                }
            }
        }
        self.schedule(100);
    }

    /// Gives waiting items to idle executors, as Jenkins does.
    fn schedule(&mut self, percent: u64) {
        self.queue.sort_by_key(|item| (item.since, item.id));
        let (now, longest) = (self.now, self.longest);
        let (machines, dice, config) = (&mut self.machines, &mut self.dice, &self.config);
        let (next_build, broken) = (&mut self.next_build, &mut self.broken);
        // Every pass sees a build that is longer than the time to the next one.
        let shortest = if self.faults.max_builds { 120 } else { 60 };
        self.queue.retain(|item| {
            let takes = machines.iter_mut().find(|machine| {
                let labels = config
                    .templates
                    .iter()
                    .find(|t| t.name == machine.template)
                    .map(|t| &t.labels);
                let free = machine.node.as_ref().is_some_and(|node| {
                    node.mark.is_none()
                        && node.offline_until.is_none()
                        && node.busy_until.len() < node.executors as usize
                });
                free && machine.server.status == ServerStatus::Active && labels.is_some_and(|l| fits(item, l))
            });
            let Some(node) = takes
                .and_then(|machine| machine.node.as_mut())
                .filter(|_| dice.chance(percent))
            else {
                return true;
            };
            let until = now + secs(shortest + i64::try_from(dice.roll(longest)).unwrap());
            node.busy_until.push((until, *next_build));
            *next_build += 1;
            node.taken += 1;
            if node.closed {
                *broken = Some(format!("I13: {} had all its builds and takes one more", node.name));
            }
            false
        });
    }

    fn observe(&mut self) -> Observed {
        let mut clouds = BTreeMap::new();
        for name in self.config.providers.keys().cloned().collect::<Vec<_>>() {
            let reading = if self.dice.chance(self.faults.closed) {
                Reading::Unreadable("timeout".to_owned())
            } else {
                Reading::Read(self.cloud(&name))
            };
            clouds.insert(name, reading);
        }
        let nodes = self
            .machines
            .iter()
            .filter_map(|machine| Some((machine.node.as_ref()?, machine.dead())));
        let strays = self.strays.iter().map(|node| (node, true));
        let mut computers: Vec<Computer> = nodes.chain(strays).map(|(node, dead)| computer(node, dead)).collect();
        self.dice.shuffle(&mut computers);
        let mut queue = self.queue.clone();
        self.dice.shuffle(&mut queue);
        let jenkins = JenkinsView {
            queue,
            computers,
            quieting_down: Some(false),
            ..JenkinsView::default()
        };
        Observed { jenkins, clouds }
    }

    fn cloud(&mut self, name: &ProviderName) -> CloudView {
        let here = |machine: &&Machine| machine.provider == *name && machine.visible_at <= self.now;
        let mut servers: Vec<Server> = self
            .machines
            .iter()
            .filter(here)
            .map(|machine| self.with_floating_ip(machine))
            .collect();
        let used = self.machines.iter().filter(|machine| machine.provider == *name).count();
        let room = self.quota[name].saturating_sub(used) as u64;
        let offers = self.tells_offers.then(|| {
            let room = Room {
                instances: Some(room),
                ..Room::default()
            };
            let templates = self
                .config
                .templates
                .iter()
                .map(|template| (template.name.clone(), Ok(self.offer())));
            Reading::Read(Offers {
                room,
                templates: templates.collect(),
            })
        });
        self.dice.shuffle(&mut servers);
        let looked_up = self.look_up(name);
        CloudView {
            servers,
            clock: Some(self.now),
            offers,
            belongings: None,
            looked_up,
            odd: Vec::new(),
        }
    }

    /// Answers for every server of ours that the list lacks.
    fn look_up(&self, name: &ProviderName) -> BTreeMap<ServerId, Presence> {
        let nodes = self.state.nodes.values().filter(|node| node.provider == *name);
        let intents = self.state.intents.values().filter(|intent| intent.provider == *name);
        let known = nodes
            .map(|node| &node.server_id)
            .chain(intents.filter_map(|intent| intent.server_id.as_ref()));
        let answer = |id: &ServerId| match self.machines.iter().find(|machine| machine.server.id == *id) {
            None => Some(Presence::Gone),
            Some(machine) if machine.visible_at > self.now => Some(Presence::NotKnown("not yet".to_owned())),
            Some(_) => None,
        };
        known.filter_map(|id| Some((id.clone(), answer(id)?))).collect()
    }

    fn offer(&self) -> Offer {
        let mut offer = offer(4);
        if self.faults.broken_image && self.passes >= self.newer_image {
            offer.older_images = vec![std::mem::replace(&mut offer.image, "broken".to_owned())];
        }
        offer
    }

    fn pass(&mut self, planner: &Planner) -> Result<(), String> {
        self.passes += 1;
        if self.dice.chance(self.faults.lost_state) {
            self.state = State::default();
        }
        let mut observed = self.observe();
        let context = self.context();
        let mut plan = planner(&observed, &self.config, &self.state, &context);
        if self.tell(&plan, &mut observed) {
            plan = planner(&observed, &self.config, &self.state, &context);
        }
        self.check(&plan, &observed)?;
        self.check_floating_ips(&plan, &observed)?;
        self.same_for_any_order(&plan, &observed, &context, planner)?;
        self.check_drains(&plan)?;
        let reaped: BTreeSet<TemplateName> = idle_removals(&plan).filter_map(|r| r.template.clone()).collect();
        let full = self.full();
        let whole = self.execute(&plan)?;
        let seen = self.faults.crash + self.faults.closed + self.faults.lost_state == 0 && self.faults.lag == 0;
        for name in full.iter().filter(|_| seen) {
            if let Some(node) = self.node_mut(name).filter(|node| !node.closed) {
                node.closed = true;
                self.spent += 1;
            }
        }
        self.check_maxima()?;
        if self.calm && whole {
            self.stands_still(&reaped, planner)?;
        }
        Ok(())
    }

    fn context(&self) -> Context {
        let pass = format!("pass{:06}", self.passes);
        Context {
            now: self.now,
            pass,
            create: true,
            remove: true,
            force: false,
            created: 0,
        }
    }

    /// What no plan may do, seen from the true world.
    fn check(&self, plan: &Plan, observed: &Observed) -> Result<(), String> {
        let limits = &self.config.limits;
        if plan.creates.len() > limits.max_creates_per_pass as usize {
            return Err("I4: more creates than a pass may make".to_owned());
        }
        if plan.removals.len() > limits.max_deletes_per_pass as usize {
            return Err("more removals than a pass may make".to_owned());
        }
        let warm: u32 = self
            .config
            .templates
            .iter()
            .map(|t| warm(&t.min_ready) * t.executors)
            .sum();
        if plan.creates.len() > self.queue.len() + warm as usize {
            return Err("I6: more creates than are wanted".to_owned());
        }
        for removal in &plan.removals {
            self.check_removal(removal, observed)?;
        }
        for create in &plan.creates {
            if observed.clouds[&create.provider].ok().is_none() {
                return Err("I8: a create at a closed cloud".to_owned());
            }
        }
        self.check_backoffs(plan)?;
        self.check_images(plan)?;
        check_order(plan, &self.queue)
    }

    /// The nodes that had all the builds that they may have.
    fn full(&self) -> Vec<NodeName> {
        let most = |machine: &Machine| {
            let mut templates = self.config.templates.iter();
            templates
                .find(|t| t.name == machine.template)
                .and_then(|t| t.max_builds)
        };
        let full = self.machines.iter().filter_map(|machine| {
            let node = machine.node.as_ref()?;
            most(machine)
                .filter(|most| machine.ours && node.taken >= *most)
                .map(|_| node.name.clone())
        });
        full.collect()
    }

    /// I13: only nodes that had all their builds are drained, and no person's.
    fn check_drains(&self, plan: &Plan) -> Result<(), String> {
        let full = self.full();
        for drain in &plan.drains {
            let mut nodes = self.machines.iter().filter_map(|machine| machine.node.as_ref());
            let node = nodes.find(|node| node.name == drain.node);
            if node.is_none_or(|node| node.mark.as_ref().is_some_and(|(reason, _)| reason == "mine")) {
                return Err(format!("I13: {} is a person's and is drained", drain.node));
            }
            if !full.contains(&drain.node) {
                return Err(format!("I13: {} is drained before it had all its builds", drain.node));
            }
        }
        Ok(())
    }

    fn check_removal(&self, removal: &Removal, observed: &Observed) -> Result<(), String> {
        let mut nodes: Vec<&Node> = Vec::new();
        if let Some(server) = &removal.server {
            if observed.clouds[&server.provider].ok().is_none() {
                return Err("I8: a removal at a closed cloud".to_owned());
            }
            let machine = self.machines.iter().find(|machine| machine.server.id == server.id);
            let may_go = |machine: &&Machine| machine.ours && (machine.joined || machine.old != Some(Old::ByNode));
            let Some(machine) = machine.filter(may_go) else {
                return Err(format!("I9: {} is not ours", server.name));
            };
            nodes.extend(&machine.node);
        }
        if let Some(target) = &removal.node {
            let all = self
                .machines
                .iter()
                .filter_map(|machine| machine.node.as_ref())
                .chain(&self.strays);
            nodes.extend(all.filter(|node| node.name == target.name));
        }
        for node in nodes {
            if !node.busy_until.is_empty() {
                return Err(format!(
                    "I1: {} is busy and is removed because {}",
                    node.name, removal.because
                ));
            }
            if node.mark.as_ref().is_some_and(|(reason, _)| reason == "mine") {
                return Err(format!("I1: {} is a person's and is removed", node.name));
            }
        }
        Ok(())
    }

    /// I11: nothing where it is held back, and one probe where that is over.
    fn check_backoffs(&self, plan: &Plan) -> Result<(), String> {
        for (key, backoff) in &plan.state.backoffs {
            let under = |create: &&Create| keys(create).iter().any(|k| k.to_string() == *key);
            let count = plan.creates.iter().filter(under).count();
            if count > usize::from(self.now >= backoff.until) {
                return Err(format!("I11: {count} creates under {key}, which is held back"));
            }
        }
        Ok(())
    }

    /// I13: few servers of an image that nobody has seen join, where others did.
    fn check_images(&self, plan: &Plan) -> Result<(), String> {
        let canary = self.config.limits.canary as usize;
        let mut made: BTreeMap<(TemplateName, ProviderName, String), usize> = BTreeMap::new();
        for create in &plan.creates {
            if let Some(offer) = &create.offer {
                let key = (create.template.clone(), create.provider.clone(), offer.image.clone());
                *made.entry(key).or_default() += 1;
            }
        }
        for (key, made) in made {
            let (template, provider, image) = &key;
            let memory = plan.state.images.get(template).and_then(|places| places.get(provider));
            let others = memory.is_some_and(|memory| !memory.joined.is_empty());
            let known = |create: &Machine| {
                plan.state.nodes.contains_key(&create.id) || plan.state.intents.contains_key(&create.id)
            };
            let boots = |machine: &&Machine| {
                let late = machine
                    .server
                    .created
                    .is_none_or(|then| self.now.duration_since(then) > mins(15));
                (&machine.template, &machine.provider, &machine.image) == (template, provider, image)
                    && machine.node.is_none()
                    && !machine.dead()
                    && !late
                    && known(machine)
            };
            let booting = self.machines.iter().filter(boots).count();
            if canary > 0 && others && !self.joined.contains(&key) && booting + made > canary {
                return Err(format!(
                    "I13: {booting} and {made} servers of image {image} of {template}"
                ));
            }
        }
        Ok(())
    }

    /// I10: the order of the lists changes nothing.
    fn same_for_any_order(
        &mut self,
        plan: &Plan,
        observed: &Observed,
        context: &Context,
        planner: &Planner,
    ) -> Result<(), String> {
        if self.passes % 16 != 1 {
            return Ok(());
        }
        let mut other = observed.clone();
        self.dice.shuffle(&mut other.jenkins.queue);
        self.dice.shuffle(&mut other.jenkins.computers);
        for cloud in other.clouds.values_mut() {
            if let Reading::Read(cloud) = cloud {
                self.dice.shuffle(&mut cloud.servers);
                if let Some(Reading::Read(listed)) = &mut cloud.belongings {
                    self.dice.shuffle(&mut listed.all);
                }
            }
        }
        let again = planner(&other, &self.config, &self.state, context);
        if format!("{again:?}") == format!("{plan:?}") {
            Ok(())
        } else {
            Err("I10: the order shows".to_owned())
        }
    }

    /// I2: every maximum, in the true world.
    fn check_maxima(&self) -> Result<(), String> {
        // What another program made may be more than the configuration allows, and is not known before it was seen.
        let made = |machine: &&Machine| machine.ours && machine.old.is_none();
        let ours: Vec<&Machine> = self.machines.iter().filter(made).collect();
        for template in &self.config.templates {
            let count = ours.iter().filter(|machine| machine.template == template.name).count();
            if count > template.max as usize {
                return Err(format!(
                    "I2: {count} servers of {}, at most {}",
                    template.name, template.max
                ));
            }
        }
        for provider in self.config.providers.values() {
            let count = ours.iter().filter(|machine| machine.provider == provider.name).count();
            if provider.max_servers.is_some_and(|most| count > most as usize) {
                return Err(format!("I2: {count} servers at {}", provider.name));
            }
        }
        if self
            .config
            .limits
            .max_servers
            .is_some_and(|most| ours.len() > most as usize)
        {
            return Err(format!("I2: {} servers", ours.len()));
        }
        Ok(())
    }

    /// I5 and I7: a second pass on the same world makes nothing, least of all what was just removed.
    fn stands_still(&mut self, reaped: &BTreeSet<TemplateName>, planner: &Planner) -> Result<(), String> {
        let held = &self.state.backoffs;
        if !held.is_empty() {
            return Ok(());
        }
        self.passes += 1;
        let (observed, context) = (self.observe(), self.context());
        let again = planner(&observed, &self.config, &self.state, &context);
        if let Some(create) = again.creates.iter().find(|create| reaped.contains(&create.template)) {
            return Err(format!(
                "I7: {} is made right after one was removed: {}",
                create.name, create.because
            ));
        }
        if let Some(create) = again.creates.first() {
            return Err(format!("I5: a second pass makes {}: {}", create.name, create.because));
        }
        Ok(())
    }

    /// Does what a plan says, as the real executor does; returns whether it came to its end with nothing refused.
    fn execute(&mut self, plan: &Plan) -> Result<bool, String> {
        let mut state = plan.state.clone();
        let mut whole = true;
        for unmark in &plan.unmarks {
            if let Some(node) = self.node_mut(&unmark.node) {
                node.mark = None;
            }
        }
        for drain in &plan.drains {
            if let Some(node) = self.node_mut(&drain.node) {
                node.mark = Some((drain.mark.clone(), PERSON.to_owned()));
            }
        }
        for removal in &plan.removals {
            if self.dice.chance(self.faults.crash) {
                return Ok(false);
            }
            whole &= self.remove(removal);
        }
        if !self.upkeep(&plan.sweeps, &plan.floating_ips) {
            return Ok(false);
        }
        for create in &plan.creates {
            if keys(create).iter().any(|key| held(&state, key, self.now)) {
                whole = false;
                continue;
            }
            self.begin(&mut state, create);
            self.state = state.clone();
            if self.dice.chance(self.faults.crash) {
                return Ok(false);
            }
            whole &= self.post(&mut state, create)?;
            if self.dice.chance(self.faults.crash) {
                return Ok(false);
            }
        }
        self.state = state;
        Ok(whole)
    }

    fn begin(&self, state: &mut State, create: &Create) {
        let template = self
            .config
            .templates
            .iter()
            .find(|t| t.name == create.template)
            .expect("a known template");
        let intent = Intent {
            name: create.name.clone(),
            template: create.template.clone(),
            config: template.digest.clone(),
            provider: create.provider.clone(),
            zone: create.zone.clone(),
            image: create.offer.as_ref().map(|offer| offer.image.clone()),
            at: self.now,
            server_id: None,
        };
        state.intents.insert(create.id.clone(), intent);
        begin(state, &create.template, &create.provider, create.zone.as_ref());
    }

    fn post(&mut self, state: &mut State, create: &Create) -> Result<bool, String> {
        if !self.posted.insert(create.id.clone()) {
            return Err(format!("I3: {} is asked for twice", create.id));
        }
        let used = self
            .machines
            .iter()
            .filter(|machine| machine.provider == create.provider)
            .count();
        let bad = self.faults.bad_image && create.template == self.config.templates[0].name;
        if bad || used >= self.quota[&create.provider] {
            state.intents.remove(&create.id);
            let key = &keys(create)[if bad { 1 } else { 3 }];
            charge(state, &self.config, key, &create.template, self.now, "refused", None);
            return Ok(false);
        }
        let lies = self.dice.chance(self.faults.lie);
        let id = (!lies || self.dice.chance(50)).then(|| self.boot(create));
        if lies {
            if self.faults.forget_unknown {
                state.intents.remove(&create.id);
            }
            charge(
                state,
                &self.config,
                &keys(create)[1],
                &create.template,
                self.now,
                "500",
                None,
            );
            return Ok(false);
        }
        if let Some(intent) = state.intents.get_mut(&create.id) {
            intent.server_id = id;
        }
        Ok(true)
    }

    fn boot(&mut self, create: &Create) -> ServerId {
        self.created += 1;
        let mut server = self.new_server(&create.template, &create.id, None);
        let image = create
            .offer
            .as_ref()
            .map_or_else(String::new, |offer| offer.image.clone());
        // Half of the servers boot from a volume and do not show it.
        server.image = Some(image.clone()).filter(|image| !image.is_empty() && self.next_server.is_multiple_of(2));
        let id = server.id.clone();
        let lag = secs(i64::try_from(self.dice.roll(1 + self.faults.lag.unsigned_abs())).unwrap());
        let boot = secs(30 + i64::try_from(self.dice.roll(400)).unwrap());
        let fails = self.dice.chance(self.faults.error);
        let never = self.dice.chance(self.faults.never_joins) || image == "broken";
        self.machines.push(Machine {
            old: None,
            joined: false,
            server,
            provider: create.provider.clone(),
            template: create.template.clone(),
            id: create.id.clone(),
            image,
            ours: true,
            visible_at: self.now + lag,
            joins_at: (!never).then(|| self.now + boot),
            fails_at: fails.then(|| self.now + secs(20)),
            gone_at: None,
            node: None,
        });
        id
    }

    /// Removes in the safe order; work that came in the meantime wins.
    fn remove(&mut self, removal: &Removal) -> bool {
        if let Some(target) = &removal.node {
            self.schedule(30);
            let crash = self.dice.chance(self.faults.crash);
            let pass = self.context().pass;
            let Some(node) = self.node_mut(&target.name) else {
                return false;
            };
            if !node.busy_until.is_empty() {
                return false;
            }
            node.mark = Some((mita::plan::mark_text(&pass), PERSON.to_owned()));
            if crash {
                return false;
            }
            self.strays.retain(|stray| stray.name != target.name);
            for machine in &mut self.machines {
                if machine.node.as_ref().is_some_and(|node| node.name == target.name) {
                    machine.node = None;
                }
            }
        }
        if self.dice.chance(self.faults.crash) {
            return false;
        }
        if !self.upkeep(&removal.floating_ips, &[]) {
            return false;
        }
        if let Some(target) = &removal.server {
            let (now, pause) = (self.now, secs(i64::try_from(self.dice.roll(120)).unwrap()));
            if let Some(machine) = self.machines.iter_mut().find(|machine| machine.server.id == target.id) {
                machine.server.task_state = Some("deleting".to_owned());
                machine.gone_at.get_or_insert(now + pause);
                machine.joins_at = None;
                self.removed += 1;
            }
        }
        true
    }

    fn node_mut(&mut self, name: &NodeName) -> Option<&mut Node> {
        let nodes = self.machines.iter_mut().filter_map(|machine| machine.node.as_mut());
        nodes.chain(&mut self.strays).find(|node| node.name == *name)
    }
}

impl Machine {
    fn dead(&self) -> bool {
        self.server.status == ServerStatus::Error || self.gone_at.is_some()
    }
}

fn is_our_mark(node: &Node) -> bool {
    node.mark
        .as_ref()
        .is_some_and(|(reason, _)| [MARK_PREFIX, DRAIN_PREFIX].iter().any(|ours| reason.starts_with(ours)))
}

fn node_of(machine: &Machine, config: &Config) -> Node {
    let template = config
        .templates
        .iter()
        .position(|template| template.name == machine.template)
        .unwrap_or(0);
    let name = match template % 3 {
        _ if machine.old == Some(Old::ByNode) => format!("{}+{}", machine.template, machine.server.addresses[0].ip),
        2 if machine.old.is_some() => format!("agent-{}", machine.server.name),
        0 => machine.server.name.clone(),
        1 => format!("{}+{}", machine.template, machine.server.addresses[0].ip),
        _ => format!("agent-{}", machine.id),
    };
    let executors = config.templates[template].executors;
    Node {
        name: NodeName::new(name),
        executors,
        busy_until: Vec::new(),
        taken: 0,
        closed: false,
        offline_until: None,
        mark: None,
    }
}

fn computer(node: &Node, dead: bool) -> Computer {
    let busy = u32::try_from(node.busy_until.len()).unwrap();
    let (reason, class) = node.mark.clone().unzip();
    Computer {
        name: node.name.clone(),
        built_in: false,
        idle: busy == 0,
        offline: dead || node.mark.is_some() || node.offline_until.is_some(),
        temporarily_offline: node.mark.is_some(),
        offline_reason: reason.unwrap_or_default(),
        offline_class: class,
        executors: node.executors,
        idle_executors: node.executors - busy.min(node.executors),
        one_off_busy: false,
        running: node
            .busy_until
            .iter()
            .map(|(_, build)| format!("{build:016x}"))
            .collect(),
        labels: None,
    }
}

fn fits(item: &QueueItem, labels: &Labels) -> bool {
    let TaskLabel::Expression(text) = &item.label else {
        return false;
    };
    Label::read(text).is_some_and(|label| label.matches(labels))
}

fn warm(size: &MinReady) -> u32 {
    match size {
        MinReady::Always(ready) => *ready,
        MinReady::Windows(_) => 0,
    }
}

fn held(state: &State, key: &BackoffKey, now: Timestamp) -> bool {
    state
        .backoffs
        .get(&key.to_string())
        .is_some_and(|backoff| now < backoff.until)
}

/// The keys that hold a create back.
fn keys(create: &Create) -> [BackoffKey; 4] {
    let (template, provider) = (create.template.clone(), create.provider.clone());
    [
        BackoffKey::Template(template.clone()),
        BackoffKey::TemplateAt(template, provider.clone(), create.zone.clone()),
        BackoffKey::Placement(provider.clone(), create.zone.clone()),
        BackoffKey::Provider(provider),
    ]
}

fn idle_removals(plan: &Plan) -> impl Iterator<Item = &Removal> {
    plan.removals
        .iter()
        .filter(|removal| removal.because.contains("nobody needs it"))
}

/// I12: of the items of one label the youngest are those that get nothing.
fn check_order(plan: &Plan, queue: &[QueueItem]) -> Result<(), String> {
    for unmet in &plan.unmet {
        let text = |item: &QueueItem| match &item.label {
            TaskLabel::Expression(text) => Label::read(text).map(|label| label.to_string()),
            _ => None,
        };
        let mut same: Vec<&QueueItem> = queue.iter().filter(|item| text(item) == unmet.label).collect();
        same.sort_by_key(|item| (item.since, item.id));
        let served = same.len() - usize::try_from(unmet.items).unwrap();
        if same[served].id != unmet.example.item {
            return Err(format!(
                "I12: item {} is left out for a younger one",
                unmet.example.item
            ));
        }
    }
    Ok(())
}

fn some_config(dice: &mut Dice, faults: Faults) -> Config {
    let sets: [&[&str]; 4] = [&["linux"], &["linux", "big"], &["arm"], &["windows", "big"]];
    let mut templates = Vec::new();
    for (number, labels) in sets.into_iter().enumerate() {
        let mut template = template(&format!("t{number}"), labels);
        template.adopt = if faults.adopt { Adopt::All } else { Adopt::No };
        if faults.max_builds {
            template.max_builds = dice.chance(70).then(|| 1 + u32::try_from(dice.roll(3)).unwrap());
        }
        template.executors = 1 + u32::try_from(dice.roll(3)).unwrap();
        template.max = u32::try_from(1 + dice.roll(6)).unwrap();
        template.priority = i64::try_from(dice.roll(3)).unwrap();
        template.idle_grace = mins(1 + i64::try_from(dice.roll(15)).unwrap());
        if dice.chance(30) {
            template.min_ready = MinReady::Always(u32::try_from(dice.roll(3)).unwrap().min(template.max));
        }
        let places = [
            place("openstack", None),
            place("spare", Some("a")),
            place("spare", Some("b")),
        ];
        template.placements = places.into_iter().filter(|_| dice.chance(70)).collect();
        if template.placements.is_empty() {
            template.placements.push(place("openstack", None));
        }
        if number % 2 == 1 {
            template.spec.floating_ip_pool = Some("public".to_owned());
        }
        templates.push(template);
    }
    let mut config = config(templates);
    config.providers = [provider("openstack"), provider("spare")].into();
    if dice.chance(30) {
        config.providers.values_mut().for_each(|p| p.max_servers = Some(4));
    }
    // Limits per pass only delay: where a second pass is to make nothing they are off.
    let calm = faults.none();
    config.limits.max_servers = dice.chance(50).then(|| u32::try_from(8 + dice.roll(8)).unwrap());
    config.limits.max_creates_per_pass = if calm { 1000 } else { 5 };
    config.limits.max_deletes_per_pass = if calm { 1000 } else { 4 };
    config.limits.max_booting = if calm { 1000 } else { 10 };
    config.limits.canary = if calm || dice.chance(50) { 0 } else { 2 };
    if faults.broken_image {
        config.limits.canary = 1 + u32::try_from(dice.roll(2)).unwrap();
    }
    if !calm && dice.chance(20) {
        config.templates[1].max_lifetime = Some(mins(45));
    }
    config
}
