//! The world behind the fakes: one clock, a Jenkins, some clouds, and what joins them.
//!
//! Nothing happens but in `advance`, at a request, or by a test's hand; all of it is decided by the seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::cloud::{Cloud, CloudEvent};
use super::model::{Agent, Jenkins, Mark, Task, secret_of};
use super::random::Random;
use super::script::{Call, Fault, Script, Service, When};

/// Where the clock starts: 2026-03-02T06:00:00Z.
pub const START: i64 = 1_772_431_200;

/// A handle on the world; copies are of the same world.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

/// Everything there is.
pub struct State {
    /// Seconds since 1970.
    pub clock: i64,
    pub random: Random,
    pub jenkins: Jenkins,
    pub clouds: BTreeMap<String, Cloud>,
    /// By template.
    pub kinds: BTreeMap<String, Kind>,
    pub calls: Vec<Call>,
    pub script: Script,
    /// The agents that came online on a server of a cloud: their names, the server's id, when.
    pub joins: Vec<(String, String, i64)>,
    agenda: Vec<Due>,
}

struct Due {
    at: i64,
    act: Box<dyn FnOnce(&mut State) + Send>,
}

/// Under what name an agent joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinsAs {
    ServerName,
    TemplateAndAddress,
    /// As the node of the server's name, if there is one and the user data holds its secret.
    BySecret,
    /// The controller connects to it, if there is a node with one of its addresses and its host key is trusted; it tries
    /// again each minute.
    BySsh,
    Never,
}

/// What the servers of a template become once they run.
#[derive(Clone, Debug)]
pub struct Kind {
    pub labels: Vec<String>,
    pub executors: u32,
    /// From ACTIVE to the agent's first word, in seconds.
    pub boot: i64,
    /// So much longer at most.
    pub jitter: i64,
    pub joins_as: JoinsAs,
    /// Until then its servers find no host.
    pub no_host_until: i64,
}

impl Kind {
    pub fn new(labels: &[&str]) -> Self {
        Self {
            labels: labels.iter().map(ToString::to_string).collect(),
            executors: 1,
            boot: 60,
            jitter: 0,
            joins_as: JoinsAs::ServerName,
            no_host_until: 0,
        }
    }

    #[must_use]
    pub fn executors(mut self, count: u32) -> Self {
        self.executors = count;
        self
    }

    #[must_use]
    pub fn boot(mut self, seconds: i64) -> Self {
        self.boot = seconds;
        self
    }

    #[must_use]
    pub fn jitter(mut self, seconds: i64) -> Self {
        self.jitter = seconds;
        self
    }

    #[must_use]
    pub fn joins_as(mut self, how: JoinsAs) -> Self {
        self.joins_as = how;
        self
    }
}

/// What services make up.
impl Random {
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text += &format!("{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            clock: START,
            random: Random::new(seed),
            jenkins: Jenkins::new(),
            clouds: BTreeMap::new(),
            kinds: BTreeMap::new(),
            calls: Vec::new(),
            script: Script::default(),
            joins: Vec::new(),
            agenda: Vec::new(),
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the world, or changes it.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.lock().clock).unwrap()
    }

    /// Lets time pass, with all that happens in it.
    pub fn advance(&self, seconds: i64) {
        self.lock().advance(seconds);
    }

    /// Says what the servers of a template become.
    pub fn kind(&self, template: &str, kind: Kind) {
        self.lock().kinds.insert(template.to_owned(), kind);
    }

    /// Puts a task into Jenkins' queue and returns the item's id. It is scheduled at once where it can run.
    pub fn submit(&self, task: Task) -> u64 {
        self.lock().submit(task)
    }

    /// Puts an agent into Jenkins that is none of ours.
    pub fn agent(&self, agent: Agent) {
        let mut state = self.lock();
        state.jenkins.agents.insert(agent.name.clone(), agent);
        state.settle();
    }

    pub fn before(&self, when: When, act: impl FnMut(&mut State) + Send + 'static) {
        self.lock().script.before(when, act);
    }

    pub fn after(&self, when: When, act: impl FnMut(&mut State) + Send + 'static) {
        self.lock().script.after(when, act);
    }

    pub fn fault(&self, when: When, fault: Fault) {
        self.lock().script.fault(when, fault);
    }

    /// Takes back every hook and fault.
    pub fn clear_script(&self) {
        self.lock().script.clear();
    }

    /// The requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    pub fn forget_calls(&self) {
        self.lock().calls.clear();
    }

    pub fn count(&self, test: impl Fn(&Call) -> bool) -> usize {
        self.lock().calls.iter().filter(|c| test(c)).count()
    }

    pub fn count_on(&self, service: Service) -> usize {
        self.count(|c| c.service == service)
    }

    /// Panics with the list of requests when one of them asked for a change.
    pub fn assert_no_writes(&self) {
        let writes: Vec<String> = self
            .lock()
            .calls
            .iter()
            .filter(|c| c.writes())
            .map(ToString::to_string)
            .collect();
        assert!(writes.is_empty(), "wrote:\n{}", writes.join("\n"));
    }
}

impl State {
    pub fn cloud(&mut self, name: &str) -> &mut Cloud {
        self.clouds.get_mut(name).expect("a cloud of that name")
    }

    /// A build begins on an agent whatever its marks say: it was assigned a moment before.
    pub fn begin_build(&mut self, agent: &str, seconds: i64) {
        self.jenkins.begin_build(agent, self.clock, seconds);
    }

    /// Somebody puts an agent offline.
    pub fn mark(&mut self, agent: &str, by: &str, message: &str) {
        let clock = self.clock;
        self.jenkins.set_mark(agent, Mark::by(by, message, clock), clock);
    }

    /// Somebody brings an agent back.
    pub fn unmark(&mut self, agent: &str) {
        self.jenkins.agent(agent).mark = None;
        self.settle();
    }

    pub fn millis(&self) -> i64 {
        self.clock * 1000
    }

    /// Lets something happen later.
    pub fn at(&mut self, at: i64, act: impl FnOnce(&mut State) + Send + 'static) {
        self.agenda.push(Due { at, act: Box::new(act) });
    }

    pub fn submit(&mut self, task: Task) -> u64 {
        let id = self.jenkins.enqueue(task, self.clock);
        self.settle();
        id
    }

    pub fn advance(&mut self, seconds: i64) {
        let end = self.clock + seconds;
        self.settle();
        while let Some(next) = self.next_event().filter(|&at| at <= end) {
            self.clock = next.max(self.clock);
            self.settle();
        }
        self.clock = end;
        self.settle();
    }

    /// Does all that is due now, and lets Jenkins schedule.
    pub fn settle(&mut self) {
        loop {
            let clock = self.clock;
            let (due, later): (Vec<Due>, Vec<Due>) = std::mem::take(&mut self.agenda)
                .into_iter()
                .partition(|d| d.at <= clock);
            self.agenda = later;
            if due.is_empty() {
                break;
            }
            for one in due {
                (one.act)(self);
            }
        }
        self.step_clouds();
        self.jenkins.step(self.clock);
        self.jenkins.schedule(self.clock);
    }

    fn next_event(&self) -> Option<i64> {
        let agenda = self.agenda.iter().map(|d| d.at);
        let clouds = self.clouds.values().filter_map(|c| c.next_event(self.clock));
        let jenkins = self.jenkins.next_event(self.clock);
        agenda.chain(clouds).chain(jenkins).filter(|&at| at > self.clock).min()
    }

    fn step_clouds(&mut self) {
        let mut events = Vec::new();
        for (name, cloud) in &mut self.clouds {
            for event in cloud.step(self.clock, &self.kinds, &mut self.random) {
                events.push((name.clone(), event));
            }
        }
        for (cloud, event) in events {
            match event {
                CloudEvent::Active(id) => self.plan_join(cloud, id),
                CloudEvent::Gone(id) => self.lose_agent(&cloud, &id),
            }
        }
    }

    fn plan_join(&mut self, cloud: String, id: String) {
        let Some(server) = self.clouds.get(&cloud).and_then(|c| c.server(&id)) else {
            return;
        };
        let Some(kind) = self.kinds.get(server.template()).cloned() else {
            return;
        };
        if kind.joins_as == JoinsAs::Never {
            return;
        }
        let at = self.clock + kind.boot + self.random.below(kind.jitter + 1);
        self.at(at, move |state| state.join(&cloud, &id, &kind));
    }

    /// The agent inside a server says its first word to Jenkins.
    fn join(&mut self, cloud: &str, id: &str, kind: &Kind) {
        let Some(server) = self.clouds.get(cloud).and_then(|c| c.server(id)).filter(|s| s.runs()) else {
            return;
        };
        if kind.joins_as == JoinsAs::BySecret {
            let told = server.script().contains(&secret_of(&server.name));
            let node = self.jenkins.agents.get_mut(&server.name);
            if let Some(agent) = node.filter(|agent| told && agent.inbound) {
                agent.connect(Some((cloud.to_owned(), id.to_owned())));
                self.joins.push((server.name.clone(), id.to_owned(), self.clock));
            }
            return;
        }
        if kind.joins_as == JoinsAs::BySsh {
            return self.connect_by_ssh(cloud, id, kind);
        }
        let address = server.addresses.first().cloned().unwrap_or_default().replace(':', "-");
        let name = match kind.joins_as {
            JoinsAs::TemplateAndAddress => format!("{}+{address}", server.template()),
            _ => server.name.clone(),
        };
        let agent = self.jenkins.agents.entry(name.clone()).or_insert_with(|| {
            let labels: Vec<&str> = kind.labels.iter().map(String::as_str).collect();
            Agent::new(&name, &labels).executors(kind.executors)
        });
        agent.connect(Some((cloud.to_owned(), id.to_owned())));
        self.joins.push((name, id.to_owned(), self.clock));
    }

    /// The controller tries all nodes that have an address of a server.
    fn connect_by_ssh(&mut self, cloud: &str, id: &str, kind: &Kind) {
        let clock = self.clock;
        let Some(server) = self.clouds.get(cloud).and_then(|c| c.server(id)).cloned() else {
            return;
        };
        let mut addresses = server.addresses.clone();
        let floating = self.cloud(cloud).floating_ips.iter();
        addresses.extend(
            floating
                .filter(|ip| ip.port.as_ref() == Some(&server.port))
                .map(|ip| ip.address.clone()),
        );
        let agents = self.jenkins.agents.values_mut();
        for agent in agents.filter(|agent| !agent.connected) {
            let Some(ssh) = agent.ssh.as_ref().filter(|ssh| addresses.contains(&ssh.host)) else {
                continue;
            };
            if server.has_host_key(ssh) {
                agent.connect(Some((cloud.to_owned(), id.to_owned())));
                self.joins.push((agent.name.clone(), id.to_owned(), clock));
                return;
            }
            agent.cause = Some(Mark::system("OfflineCause$LaunchFailed", clock));
        }
        let (cloud, id, kind) = (cloud.to_owned(), id.to_owned(), kind.clone());
        self.at(clock + 60, move |state| state.join(&cloud, &id, &kind));
    }

    /// The machine under an agent is gone: its channel breaks, its builds fail.
    pub fn lose_agent(&mut self, cloud: &str, id: &str) {
        let clock = self.clock;
        let on = (cloud.to_owned(), id.to_owned());
        let names: Vec<String> = self
            .jenkins
            .agents
            .values()
            .filter(|a| a.server.as_ref() == Some(&on))
            .map(|a| a.name.clone())
            .collect();
        for name in names {
            self.jenkins.break_channel(&name, clock);
        }
    }
}
