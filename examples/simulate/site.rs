//! The world of a play: a Jenkins with a queue and agents, and a cloud whose servers become agents. Events alone move it;
//! what is created and removed is decided by a rule.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use mita::config::Config;
use mita::labels::Label;

use super::conditions::Conditions;
use super::outcome::Outcome;
use super::random::Random;
use super::trace::Job;

/// From a delete that the cloud took to the end of the server, in seconds.
pub const DELETE_SECONDS: i64 = 5;

/// What the servers of a template are.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Executors of each node.
    pub executors: usize,
    /// The most servers of it.
    pub max: usize,
}

/// A server from its request to its end.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its template, by its place in the configuration.
    pub kind: usize,
    /// When it was asked for.
    pub asked: i64,
    /// When its agent came online.
    pub joined: Option<i64>,
    /// Executors that run something.
    pub busy: usize,
    /// Since when nothing runs on it; of use only once it has joined.
    pub idle_since: i64,
    /// Builds that ran on it, or run.
    pub builds: usize,
    /// When its delete was asked for.
    pub deleting: Option<i64>,
}

impl Server {
    /// Whether its agent is online.
    pub fn online(&self) -> bool {
        self.joined.is_some() && self.deleting.is_none()
    }

    /// Whether its agent is online and runs nothing.
    pub fn idle(&self) -> bool {
        self.online() && self.busy == 0
    }

    /// Whether it was asked for, is not to go, and has not joined.
    pub fn booting(&self) -> bool {
        self.joined.is_none() && self.deleting.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ends(u32),
    Joins(u32),
    Gone(u32),
}

/// The world. Times are seconds since the start of the trace.
pub struct Site<'j> {
    /// What time it is.
    pub clock: i64,
    /// The templates, in the order of the configuration.
    pub kinds: Vec<Kind>,
    /// The servers that are there, by number.
    pub servers: BTreeMap<u32, Server>,
    /// Goes up with everything that a rule could see.
    pub version: u64,
    conditions: &'j Conditions,
    jobs: &'j [Job],
    next_job: usize,
    /// The label of each job, by its place in `fits`.
    asks: Vec<usize>,
    /// By label: which templates satisfy it.
    fits: Vec<Vec<bool>>,
    queue: VecDeque<usize>,
    events: BinaryHeap<Reverse<(i64, Event)>>,
    most_servers: usize,
    made: u32,
    /// How much longer requests keep the rule busy that it made since it looked.
    requests_take: f64,
    outcome: Outcome,
    last_end: i64,
}

impl<'j> Site<'j> {
    /// A site without servers, at the start of a trace.
    pub fn new(config: &Config, jobs: &'j [Job], conditions: &'j Conditions) -> Self {
        let mut labels: Vec<Option<&str>> = Vec::new();
        let mut place = |label: Option<&'j str>| {
            labels.iter().position(|known| *known == label).unwrap_or_else(|| {
                labels.push(label);
                labels.len() - 1
            })
        };
        let asks = jobs.iter().map(|job| place(job.label.as_deref())).collect();
        let fits = labels.iter().map(|label| fitting(config, *label)).collect();
        let kinds = config.templates.iter().map(|template| Kind {
            executors: template.executors.max(1) as usize,
            max: template.max as usize,
        });
        let limits = [config.limits.max_servers.map(|most| most as usize), conditions.quota];
        Self {
            clock: 0,
            kinds: kinds.collect(),
            servers: BTreeMap::new(),
            version: 0,
            conditions,
            jobs,
            next_job: 0,
            asks,
            fits,
            queue: VecDeque::new(),
            events: BinaryHeap::new(),
            most_servers: limits.into_iter().flatten().min().unwrap_or(usize::MAX),
            made: 0,
            requests_take: 0.0,
            outcome: Outcome::default(),
            last_end: 0,
        }
    }

    /// Lets time pass, with all that happens until then.
    pub fn advance_to(&mut self, until: i64) {
        while let Some(at) = self.next_event().filter(|at| *at <= until) {
            self.clock = at;
            self.happen();
            self.dispatch();
        }
        self.clock = until;
    }

    /// When something happens next that no rule brings about.
    pub fn next_event(&self) -> Option<i64> {
        let arrives = self.jobs.get(self.next_job).map(|job| job.at);
        let happens = self.events.peek().map(|Reverse((at, _))| *at);
        arrives.into_iter().chain(happens).min()
    }

    fn happen(&mut self) {
        self.version += 1;
        while self.jobs.get(self.next_job).is_some_and(|job| job.at <= self.clock) {
            self.queue.push_back(self.next_job);
            self.next_job += 1;
        }
        while let Some(Reverse((at, event))) = self.events.peek().copied().filter(|Reverse((at, _))| *at <= self.clock)
        {
            self.events.pop();
            self.occur(at, event);
        }
    }

    fn occur(&mut self, at: i64, event: Event) {
        match event {
            Event::Ends(number) => {
                self.last_end = at;
                if let Some(server) = self.servers.get_mut(&number) {
                    server.busy = server.busy.saturating_sub(1);
                    server.idle_since = at;
                }
            }
            Event::Joins(number) => {
                if let Some(server) = self.servers.get_mut(&number).filter(|server| server.deleting.is_none()) {
                    (server.joined, server.idle_since) = (Some(at), at);
                }
            }
            Event::Gone(number) => {
                if let Some(server) = self.servers.remove(&number) {
                    self.outcome.lives.push(at - server.asked);
                }
            }
        }
    }

    /// Gives free executors to what waits, oldest first.
    fn dispatch(&mut self) {
        let mut without = vec![false; self.fits.len()];
        let mut at = 0;
        while at < self.queue.len() && without.contains(&false) {
            let job = self.queue[at];
            let label = self.asks[job];
            if let Some(number) = (!without[label]).then(|| self.node_for(job)).flatten() {
                self.queue.remove(at);
                self.begin(job, number);
            } else {
                without[label] = true;
                at += 1;
            }
        }
    }

    /// The node for a job: of those that can take it the first by a hash, so that work is spread as Jenkins spreads it.
    fn node_for(&self, job: usize) -> Option<u32> {
        let fits = &self.fits[self.asks[job]];
        let free =
            |server: &Server| fits[server.kind] && server.online() && server.busy < self.kinds[server.kind].executors;
        let numbers = self
            .servers
            .iter()
            .filter(|(_, server)| free(server))
            .map(|(number, _)| *number);
        numbers.min_by_key(|number| self.conditions.draw(job as u64, u64::from(*number)).next())
    }

    fn begin(&mut self, job: usize, number: u32) {
        let job = &self.jobs[job];
        if let Some(server) = self.servers.get_mut(&number) {
            server.busy += 1;
            server.builds += 1;
        }
        self.outcome.waits.push(self.clock - job.at);
        self.outcome.busy_seconds += job.seconds;
        self.events
            .push(Reverse((self.clock + job.seconds, Event::Ends(number))));
    }

    /// Whether one server more of a template keeps its maximum, `max_servers` and the quota.
    pub fn has_room(&self, kind: usize) -> bool {
        self.servers.len() < self.most_servers && self.count(|server| server.kind == kind) < self.kinds[kind].max
    }

    /// How many servers more the quota allows, where there is one.
    pub fn quota_left(&self) -> Option<usize> {
        self.conditions
            .quota
            .map(|quota| quota.saturating_sub(self.servers.len()))
    }

    /// Servers of a kind, or in a state.
    pub fn count(&self, test: impl Fn(&Server) -> bool) -> usize {
        self.servers.values().filter(|server| test(server)).count()
    }

    /// Asks the cloud for a server, once the requests before it are through. `None`: there is no room for it.
    pub fn create(&mut self, kind: usize) -> Option<u32> {
        if !self.has_room(kind) {
            return None;
        }
        self.requests_take += self.conditions.post_seconds;
        let asked = self.clock + self.busy_seconds();
        let number = self.made;
        self.made += 1;
        self.version += 1;
        let mut chance = self.conditions.draw(u64::MAX, u64::from(number));
        let boots = self.conditions.boot.draw(&mut chance);
        if !self.conditions.fails(&mut chance) {
            self.events.push(Reverse((asked + boots, Event::Joins(number))));
        }
        let server = Server {
            kind,
            asked,
            joined: None,
            busy: 0,
            idle_since: asked,
            builds: 0,
            deleting: None,
        };
        self.servers.insert(number, server);
        Some(number)
    }

    /// Asks the cloud to delete a server. One that runs something is left alone.
    pub fn remove(&mut self, number: u32) {
        let clock = self.clock;
        let idle = |server: &&mut Server| server.busy == 0 && server.deleting.is_none();
        if let Some(server) = self.servers.get_mut(&number).filter(idle) {
            server.deleting = Some(clock.max(server.asked));
            self.version += 1;
            self.events
                .push(Reverse((clock.max(server.asked) + DELETE_SECONDS, Event::Gone(number))));
        }
    }

    /// How long the requests since the last look take, in whole seconds.
    #[expect(clippy::cast_possible_truncation, reason = "seconds of requests")]
    pub fn busy_seconds(&self) -> i64 {
        self.requests_take.floor() as i64
    }

    /// The requests are through.
    pub fn rest(&mut self) {
        self.requests_take = 0.0;
    }

    /// The jobs that wait, oldest first: each by its number, and its label's number.
    pub fn queue(&self) -> impl Iterator<Item = (usize, usize)> {
        self.queue.iter().map(|job| (*job, self.asks[*job]))
    }

    /// The jobs that wait, by the number of their label.
    pub fn waiting(&self) -> Vec<usize> {
        let mut counts = vec![0; self.fits.len()];
        for (_, label) in self.queue() {
            counts[label] += 1;
        }
        counts
    }

    /// The number of a job's label.
    pub fn label_of(&self, job: usize) -> usize {
        self.asks[job]
    }

    /// How many labels the trace has.
    pub fn labels(&self) -> usize {
        self.fits.len()
    }

    /// Whether a template satisfies a label.
    pub fn fits(&self, label: usize, kind: usize) -> bool {
        self.fits[label][kind]
    }

    /// The first template that satisfies a label.
    pub fn first_fit(&self, label: usize) -> Option<usize> {
        self.fits[label].iter().position(|fits| *fits)
    }

    /// A job of the trace.
    pub fn job(&self, number: usize) -> &'j Job {
        &self.jobs[number]
    }

    /// Whether no job is to come, to wait or to run any more.
    pub fn is_done(&self) -> bool {
        self.next_job == self.jobs.len() && self.queue.is_empty() && !self.runs()
    }

    /// Whether anything runs.
    pub fn runs(&self) -> bool {
        self.servers.values().any(|server| server.busy > 0)
    }

    /// When the last build ended.
    pub fn last_end(&self) -> i64 {
        self.last_end
    }

    /// How the trace went until now.
    pub fn outcome(mut self) -> Outcome {
        let clock = self.clock;
        self.outcome.lives.extend(
            self.servers
                .values()
                .map(|server| clock.max(server.asked) - server.asked),
        );
        self.outcome.unserved = self.jobs.len() - self.outcome.waits.len();
        self.outcome.waits.sort_unstable();
        self.outcome
    }
}

/// Which templates satisfy a label; no label: those that take jobs without one.
fn fitting(config: &Config, label: Option<&str>) -> Vec<bool> {
    let label = label.and_then(Label::read);
    let templates = config.templates.iter();
    templates
        .map(|template| {
            let labels = template.labels.iter().map(|label| label.as_str().to_owned()).collect();
            label
                .as_ref()
                .map_or(template.accepts_unlabelled, |label| label.matches(&labels))
        })
        .collect()
}

impl Conditions {
    /// Random numbers that depend on the seed and two numbers alone, whatever was drawn before: one server boots as long
    /// under each rule.
    fn draw(&self, one: u64, two: u64) -> Random {
        let mixed = Random::new(self.seed ^ one.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next();
        Random::new(mixed ^ two.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }
}
