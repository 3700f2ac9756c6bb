//! A Jenkins and its clouds, simulated pass by pass, with everything that goes wrong there: crashes before and after a
//! request, lists that lag or lack servers, answers that lie, a lost state file, quotas, bad images, servers that never
//! join, agents under odd names, persons, strangers.
//!
//! What goes wrong is a field of [`Faults`]; what must hold in every pass is in `rules`; which worlds are run, in
//! `invariants`. All that is random comes from one [`Random`], so that a seed is a world.

mod charge;
mod cloud;
mod configs;
mod events;
mod execute;
mod faults;
mod floating;
mod jenkins;
mod names;
mod queue;
mod replaced;
mod rules;
mod spare;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mita::config::Config;
use mita::model::{NodeId, Observed, Pauses, ProviderName, Reading, ServerId, TemplateName};
use mita::plan::{Context, Plan, audit};
use mita::state::State;

use crate::random::Random;
use crate::world::{mins, secs};
use cloud::{Machine, Maker, Short};
use configs::{Broken, SHARED, break_template, some_config};
use jenkins::Node;
use names::{Form, Tie, shows_id};
use queue::Job;
use rules::{idle_removals, warm};

pub use faults::Faults;

/// The planner, or one with a planted bug.
pub type Planner = dyn Fn(&Observed, &Config, &State, &Context) -> Plan;

/// How many passes in a row must find nothing left before a world has settled.
const STILL: u32 = 12;

/// A simulated world.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Sim {
    random: Random,
    pub faults: Faults,
    config: Config,
    now: Timestamp,
    passes: u64,
    state: State,
    machines: Vec<Machine>,
    /// Jenkins nodes whose server is gone.
    orphans: Vec<Node>,
    /// Jenkins nodes of other networks.
    strangers: Vec<Node>,
    floating_ips: Vec<floating::FloatingIp>,
    next_floating_ip: u64,
    queue: Vec<Job>,
    next_item: u64,
    next_server: u64,
    quota: BTreeMap<ProviderName, usize>,
    tells_offers: bool,
    /// Whether Jenkins tells the labels of nodes (since 2.94).
    tells_labels: bool,
    /// Whether a proxy leaves the `Date` of Jenkins' replies.
    tells_clock: bool,
    posted: BTreeSet<NodeId>,
    /// The template whose creates fail.
    broken: Option<Broken>,
    /// The lists that lack servers.
    short: BTreeMap<ProviderName, Short>,
    /// The images that the cloud had from the beginning, and the pass in which a newer one comes.
    newer_image: u64,
    /// The images of which a server joined.
    joined: BTreeSet<(TemplateName, ProviderName, String)>,
    /// Whether nothing ever goes wrong here and no limit per pass delays anything.
    calm: bool,
    /// In how many passes whatever can be served is served.
    patience: Option<u64>,
    /// Whether each plan is audited, as the program does.
    audits: bool,
    /// Whether the operator says that so much is really lost (`--force`).
    lifts_guard: bool,
    /// The longest build, in seconds.
    longest: u64,
    pub created: usize,
    pub removed: usize,
    /// How many nodes had all their builds.
    pub spent: usize,
    /// How many boots were late, summed over the passes.
    pub late: usize,
    /// How many nodes were drained to be replaced.
    pub replaced: usize,
    next_build: u64,
    /// The lives that the events tell of and that have not ended, with whether each joined.
    lives: BTreeMap<(String, ServerId), bool>,
    /// What the last passes saw of idle nodes.
    idle_counts: Vec<spare::IdleCount>,
    /// How many nodes went since they were too many, and how many since their paid period ended.
    pub too_many: usize,
    pub period_ends: usize,
    /// A rule that the world saw broken between two passes.
    broken_rule: Option<String>,
}

impl Sim {
    /// Makes a world from a seed.
    pub fn new(seed: u64, faults: Faults) -> Self {
        let mut random = Random::new(seed);
        let mut config = some_config(&mut random, faults);
        config.outputs.journal = Some("journal.jsonl".into());
        let broken = faults.broken_template.then(|| break_template(&mut config, &mut random));
        // A limit that two templates share may be the quota; else there is room.
        let roomy = faults.is_roomy();
        let limited = config.limits.max_servers.is_some() || config.providers.values().any(|p| p.max_servers.is_some());
        let shares_quota = faults.shared_limit && !limited;
        let quota = config.providers.keys().map(|name| {
            let some = usize::try_from(3 + random.roll(12)).unwrap();
            let quota = match roomy {
                _ if shares_quota => SHARED as usize,
                true => 1000,
                false => some,
            };
            (name.clone(), quota)
        });
        let mut sim = Self {
            quota: quota.collect(),
            tells_offers: random.chance(50) || faults.broken_image || shares_quota,
            tells_labels: !faults.old_jenkins
                && (random.chance(80) || faults.drift || faults.pipelines || faults.strangers),
            tells_clock: random.chance(50),
            newer_image: if seed.is_multiple_of(2) { 0 } else { 40 },
            joined: BTreeSet::new(),
            faults,
            config,
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
            passes: 0,
            state: State::default(),
            machines: Vec::new(),
            orphans: Vec::new(),
            strangers: Vec::new(),
            floating_ips: Vec::new(),
            next_floating_ip: 1,
            queue: Vec::new(),
            next_item: 1,
            next_server: 1,
            posted: BTreeSet::new(),
            broken,
            short: BTreeMap::new(),
            calm: faults.none(),
            patience: faults.patience(),
            audits: false,
            lifts_guard: false,
            longest: match faults {
                Faults { shared_limit: true, .. } | Faults { light_load: true, .. } => 60,
                Faults { pipelines: true, .. } => 3600,
                _ => 1800,
            },
            created: 0,
            removed: 0,
            spent: 0,
            late: 0,
            replaced: 0,
            next_build: 0,
            lives: BTreeMap::new(),
            idle_counts: Vec::new(),
            too_many: 0,
            period_ends: 0,
            broken_rule: None,
            random,
        };
        sim.fill();
        sim
    }

    /// Lets each plan be audited.
    pub fn audited(mut self) -> Self {
        self.audits = true;
        self
    }

    /// Adds what is there before mita.
    fn fill(&mut self) {
        for number in 0..self.random.roll(3) {
            self.foreign_server(number);
        }
        self.foreign_floating_ips();
        if self.faults.adopt {
            for number in 0..2 + self.random.roll(6) {
                self.old_server(number);
            }
        }
        if self.faults.other_controller {
            for number in 0..=self.random.roll(3) {
                self.server_of_another_controller(number);
            }
        }
    }

    /// Runs passes a minute apart; the first rule that breaks ends it.
    pub fn run(&mut self, passes: u64, planner: &Planner) -> Result<(), String> {
        for _ in 0..passes {
            self.arrive();
            self.live();
            self.pass(planner)
                .and_then(|()| self.broken_rule.take().map_or(Ok(()), Err))
                .map_err(|broken| format!("pass {}: {broken}", self.passes))?;
            self.now += secs(50 + self.random.below(20));
        }
        Ok(())
    }

    /// Lets the faults end and the queue run dry: then nothing but the warm pools may be left.
    pub fn settle(&mut self, planner: &Planner) -> Result<(), String> {
        self.clear_up();
        let mut still = 0;
        for _ in 0..240 {
            self.live();
            self.pass(planner)
                .map_err(|broken| format!("settling, pass {}: {broken}", self.passes))?;
            self.now += secs(60);
            still = if self.settled().is_ok() { still + 1 } else { 0 };
            if still == STILL {
                return Ok(());
            }
        }
        let (observed, context) = (self.observe(), self.context());
        let unmet = planner(&observed, &self.config, &self.state, &context).unmet;
        let unmet: Vec<&str> = unmet.iter().map(|unmet| unmet.reason.as_str()).collect();
        self.settled().map_err(|left| format!("{left}: {unmet:?}"))
    }

    /// Lets the faults end, but for those that last, and persons and strangers go home.
    fn clear_up(&mut self) {
        self.faults = Faults {
            broken_image: self.faults.broken_image,
            drift: self.faults.drift,
            few_labels: self.faults.few_labels,
            ..Faults::default()
        };
        self.patience = None;
        self.longest = 60;
        self.broken = None;
        self.short.clear();
        self.strangers.clear();
        for template in &mut self.config.templates {
            // A pool whose servers grow old has one too many while it replaces them.
            (template.max_lifetime, template.max_builds) = (None, None);
            template.idle_grace = template.idle_grace.min(mins(3));
        }
        if self
            .machines
            .iter()
            .any(|machine| machine.maker == Maker::OtherController)
        {
            // Their servers stay and count.
            self.config.templates.iter_mut().for_each(|template| template.max += 10);
            self.config
                .providers
                .values_mut()
                .for_each(|provider| provider.max_servers = None);
            self.config.limits.max_servers = None;
        }
        self.quota.values_mut().for_each(|quota| *quota = 1000);
        if self.faults.few_labels > 0 {
            // What no node registers may be given up for a day.
            self.queue.clear();
        }
        for at in 0..self.machines.len() {
            let machine = &self.machines[at];
            let is_linked = |node: &Node| self.tie(machine, node, &machine.server) == Tie::Linked;
            let holds = machine.node.as_ref().is_some_and(|node| !is_linked(node));
            let machine = &mut self.machines[at];
            machine.hides = None;
            // A node that is linked to nothing is never touched: its agent ends, and its server is absent with it.
            if holds && machine.is_ours() {
                machine.node = None;
                self.lifts_guard = true;
            }
            // One that joins from now on does so under the name of its server.
            if machine.node.is_none() {
                machine.form = Form::Server;
            }
            if let Some(node) = &mut machine.node {
                node.closed = false;
                node.labels.clone_from(&node.joined_with);
                node.cut = None;
                node.gone_until = None;
                if !node.has_our_mark() {
                    node.mark = None;
                }
            }
        }
    }

    /// Says what is left that should not be.
    fn settled(&self) -> Result<(), String> {
        let waits = |job: &&Job| self.can_be_served(&job.item);
        if let Some(job) = self.queue.iter().find(waits) {
            let item = &job.item;
            return Err(format!("I21: item {} ({:?}) was never served", item.id, item.label));
        }
        // One made by hand is ours only by its node: without it and without a memory nobody knows it.
        let known =
            |machine: &&Machine| machine.is_ours() && (machine.maker != Maker::Person || machine.node.is_some());
        let left = self.machines.iter().filter(known).count();
        let wanted: u32 = self.config.templates.iter().map(|t| warm(&t.min_ready)).sum();
        if left != usize::try_from(wanted).unwrap() || !self.orphans.is_empty() {
            return Err(format!(
                "I21: {left} servers and {} strays are left, {wanted} wanted",
                self.orphans.len()
            ));
        }
        self.nothing_is_left()
    }

    /// Lets the world go on until now.
    fn live(&mut self) {
        let now = self.now;
        let is_gone = |machine: &mut Machine| machine.gone_at.is_some_and(|at| at <= now);
        for machine in self.machines.extract_if(.., is_gone) {
            let Some(mut node) = machine.node else { continue };
            node.gone_until = None;
            // Where no pass ever saw the address in its name on the server, nobody knows whose node it is; nor where
            // Jenkins' list lacked it when its server went.
            let known = machine.seen.node.is_some() && node.unlisted_until.is_none();
            if known || shows_id(node.name.as_str(), &machine.id) {
                self.orphans.push(node);
            } else {
                node.offline_until = Some(Timestamp::MAX);
                self.strangers.push(node);
            }
        }
        self.unbind();
        self.clouds_go_on();
        self.agents_go_on();
        self.strangers_come_and_go();
        self.schedule(100);
    }

    fn observe(&mut self) -> Observed {
        let mut clouds = BTreeMap::new();
        for name in self.config.providers.keys().cloned().collect::<Vec<_>>() {
            let reading = if self.random.chance(self.faults.closed) {
                Reading::Unreadable("timeout".to_owned())
            } else {
                Reading::Read(self.cloud(&name))
            };
            clouds.insert(name, reading);
        }
        let jenkins = self.jenkins();
        Observed {
            jenkins,
            clouds,
            pauses: Pauses::default(),
        }
    }

    fn pass(&mut self, planner: &Planner) -> Result<(), String> {
        self.passes += 1;
        if self.random.chance(self.faults.lost_state) {
            self.state = State::default();
            self.idle_counts.clear();
            self.lives.clear();
            for machine in &mut self.machines {
                machine.seen = cloud::Seen::default();
            }
        }
        self.change_templates();
        let mut observed = self.observe();
        self.sight(&mut observed.jenkins);
        let context = self.context();
        let mut plan = planner(&observed, &self.config, &self.state, &context);
        // A pass that asks plans again, once for what it asks of servers and once for what belongs to them.
        if self.answer_look_ups(&plan, &mut observed) {
            plan = planner(&observed, &self.config, &self.state, &context);
        }
        if self.tell(&plan, &mut observed) {
            plan = planner(&observed, &self.config, &self.state, &context);
        }
        self.check(&plan, &observed)?;
        self.check_floating_ips(&plan, &observed)?;
        self.same_for_any_order(&plan, &observed, &context, planner)?;
        self.check_drains(&plan)?;
        self.late += self.check_late(&plan, &observed, &context, planner)?;
        let idle = self.count_idle();
        self.check_spare(&plan, &idle)?;
        self.check_replaced(&plan, &observed)?;
        if self.audits
            && let [first, ..] = &audit(&plan, &observed, &self.config, &self.state, &context)[..]
        {
            return Err(format!("audit: {first}"));
        }
        let reaped: BTreeSet<TemplateName> = idle_removals(&plan).filter_map(|r| r.template.clone()).collect();
        let full = self.full();
        let whole = self.execute(&plan, &observed)?;
        self.read_events()?;
        if self
            .state
            .last_pass
            .as_ref()
            .is_some_and(|last| last.id == context.pass)
        {
            self.remember(&observed);
            self.idle_counts.push(idle);
        }
        let seen = self.faults.crash + self.faults.closed + self.faults.lost_state == 0 && self.faults.lag == 0;
        for name in full.iter().filter(|_| seen) {
            if let Some(node) = self.node_mut(name).filter(|node| !node.closed) {
                node.closed = true;
                self.spent += 1;
            }
        }
        self.check_maxima()?;
        self.check_waits(&plan)?;
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
            force: self.lifts_guard,
            asked: None,
            created: 0,
        }
    }
}
