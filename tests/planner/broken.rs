//! A site where some templates fail in one way or another, played pass by pass as the real executor does it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mita::model::{Address, QueueItem, Reading, ServerStatus, Zone};
use mita::plan::backoff::{begin, charge};
use mita::plan::{Create, Plan, spend};
use mita::state::{BackoffKey, State};

use crate::facts;
use crate::world::{World, busy, secs};

/// Seconds between two passes.
pub const EVERY: i64 = 60;

/// From the create until the agent is online.
const BOOT: i64 = 90;

/// How a server of a template fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is accepted and goes to ERROR with this message.
    Error(&'static str),
    /// The create is refused, and nothing is made: 4xx, a quota that this template alone meets.
    Refused,
    /// The create is answered by 5xx, and nothing is made.
    Broken,
    /// The create is answered by 5xx, and the server is there and goes to ERROR.
    BrokenAndMade,
    /// It boots, and never joins.
    NeverJoins,
    /// The cloud says that no further server fits.
    ServerQuota,
}

pub const NO_HOST: Failure = Failure::Error("No valid host was found. There are not enough hosts available.");

struct Job {
    item: QueueItem,
    label: String,
}

struct Machine {
    name: String,
    joins: Option<Timestamp>,
    fails: Option<(Timestamp, &'static str)>,
    ends: Option<Timestamp>,
    label: String,
}

/// The site. A template serves the label of its own name.
pub struct Broken {
    pub world: World,
    failures: BTreeMap<(String, String), Failure>,
    jobs: Vec<Job>,
    machines: Vec<Machine>,
    next: u64,
    /// The templates and placements that were asked for a server, pass by pass.
    pub asked: Vec<Vec<(String, String)>>,
    /// For each job the pass in which it began.
    pub began: BTreeMap<u64, usize>,
}

fn place_of(provider: &str, zone: Option<&str>) -> String {
    zone.map_or_else(|| provider.to_owned(), |zone| format!("{provider}/{zone}"))
}

impl Broken {
    pub fn new(mut world: World) -> Self {
        world.state.gaps = vec![EVERY; 10];
        Self {
            world,
            failures: BTreeMap::new(),
            jobs: Vec::new(),
            machines: Vec::new(),
            next: 1,
            asked: Vec::new(),
            began: BTreeMap::new(),
        }
    }

    /// Lets servers of a template fail at a placement (`provider`, `provider/zone`).
    pub fn fails(&mut self, template: &str, place: &str, failure: Failure) {
        self.failures.insert((template.to_owned(), place.to_owned()), failure);
    }

    pub fn mends(&mut self, template: &str, place: &str) {
        self.failures.remove(&(template.to_owned(), place.to_owned()));
    }

    /// Adds a job for a template that has waited for so long; returns its id.
    pub fn job(&mut self, label: &str, waited: SignedDuration) -> u64 {
        let id = self.next;
        self.next += 1;
        let item = facts::item(id, Some(label), self.world.now() - waited);
        let label = label.to_owned();
        self.jobs.push(Job { item, label });
        id
    }

    /// Makes passes.
    pub fn passes(&mut self, count: usize) {
        for _ in 0..count {
            self.pass();
        }
    }

    /// Makes passes until a job has begun; returns how many, or fails after so many.
    pub fn until_begun(&mut self, job: u64, most: usize) -> usize {
        for pass in 0..most {
            if self.began.contains_key(&job) {
                return pass;
            }
            self.pass();
        }
        let held = &self.world.state.backoffs;
        panic!("job {job} has not begun in {most} passes: {held:#?}\n{:?}", self.asked);
    }

    /// Returns how often a template was asked for.
    pub fn asked_of(&self, template: &str) -> usize {
        self.asked.iter().flatten().filter(|(name, _)| name == template).count()
    }

    pub fn pass(&mut self) -> Plan {
        self.live();
        self.world.observed.jenkins.queue = self.jobs.iter().map(|job| job.item.clone()).collect();
        let first = self.world.plan();
        let base = self.world.state.clone();
        let mut state = first.state.clone();
        for removal in &first.removals {
            let server = removal.server.as_ref().expect("no strays here");
            self.machines.retain(|machine| machine.name != server.name);
            self.world.lose_server(&server.name);
            self.world.lose_node(&server.name);
        }
        let (mut failed, mut asked) = (BTreeSet::new(), Vec::new());
        let mut again = self.world.clone();
        let mut creates = first.creates.clone();
        for round in 0..20 {
            let whole = self.create(&creates, &mut state, &mut failed, &mut asked);
            if whole {
                break;
            }
            for create in creates.iter().filter(|create| state.intents.contains_key(&create.id)) {
                spend(&mut again.observed, create);
            }
            again.state = State {
                last_pass: base.last_pass.clone(),
                gaps: base.gaps.clone(),
                ..state.clone()
            };
            again.context.remove = false;
            again.context.created = u32::try_from(asked.len()).unwrap();
            again.context.pass = format!("{}-{round}", self.world.context.pass);
            creates = again.plan().creates;
        }
        self.asked.push(asked);
        self.world.state = state;
        self.world.later(secs(EVERY));
        first
    }

    /// Asks for servers; returns whether none was refused or held back.
    fn create(
        &mut self,
        creates: &[Create],
        state: &mut State,
        failed: &mut BTreeSet<BackoffKey>,
        asked: &mut Vec<(String, String)>,
    ) -> bool {
        let mut whole = true;
        for create in creates {
            let pair = pair(create);
            let provider = BackoffKey::Provider(create.provider.clone());
            let placement = BackoffKey::Placement(create.provider.clone(), create.zone.clone());
            if [&pair, &provider, &placement].iter().any(|key| failed.contains(key)) {
                whole = false;
                continue;
            }
            let place = place_of(create.provider.as_str(), create.zone.as_ref().map(Zone::as_str));
            asked.push((create.template.to_string(), place.clone()));
            self.intend(create, state);
            let failure = self.failures.get(&(create.template.to_string(), place)).copied();
            let (key, made) = match failure {
                None | Some(Failure::Error(_) | Failure::NeverJoins) => {
                    self.boot(create, failure);
                    continue;
                }
                Some(Failure::Refused) => (pair, false),
                Some(Failure::ServerQuota) => (placement, false),
                Some(Failure::Broken) => (pair, true),
                Some(Failure::BrokenAndMade) => {
                    self.boot(create, failure);
                    (pair, true)
                }
            };
            if !made {
                state.intents.remove(&create.id);
            }
            let reason = format!("{failure:?}");
            let (config, now) = (&self.world.config, self.world.now());
            failed.extend(charge(state, config, &key, &create.template, now, &reason, None));
            whole = false;
        }
        whole
    }

    fn intend(&self, create: &Create, state: &mut State) {
        let digest = format!("digest of {}", create.template);
        let intent = facts::intent(create, digest, self.world.now());
        state.intents.insert(create.id.clone(), intent);
        begin(state, &create.template, &create.provider, create.zone.as_ref());
    }

    fn boot(&mut self, create: &Create, failure: Option<Failure>) {
        let now = self.world.now();
        let owner = self.world.config.owner.clone();
        let digest = format!("digest of {}", create.template);
        let mut server = facts::server(format!("server of {}", create.id), &create.name, now);
        server.addresses = vec![Address::fixed("10.0.0.1".parse().unwrap())];
        server.zone.clone_from(&create.zone);
        server.mark = Some(facts::mark(&owner, &create.template, &create.id, Some(digest)));
        let Some(Reading::Read(cloud)) = self.world.observed.clouds.get_mut(&create.provider) else {
            panic!("a create at a closed cloud");
        };
        cloud.servers.push(server);
        let fault = match failure {
            Some(Failure::Error(fault)) => Some(fault),
            Some(Failure::BrokenAndMade) => Some("Build of instance aborted"),
            _ => None,
        };
        self.machines.push(Machine {
            name: create.name.clone(),
            joins: failure.is_none().then(|| now + secs(BOOT)),
            fails: fault.map(|fault| (now + secs(20), fault)),
            ends: None,
            label: create.template.to_string(),
        });
    }

    /// Lets the world go on: servers fail and join, jobs begin and end, and a server is gone with its job.
    fn live(&mut self) {
        let now = self.world.now();
        let gone = self
            .machines
            .extract_if(.., |machine| machine.ends.is_some_and(|at| at <= now));
        for machine in gone.collect::<Vec<_>>() {
            self.world.lose_server(&machine.name);
            self.world.lose_node(&machine.name);
        }
        self.jobs.sort_by_key(|job| (job.item.since, job.item.id));
        for machine in &mut self.machines {
            if let Some((_, fault)) = machine.fails.filter(|(at, _)| *at <= now) {
                let server = self.world.server_mut(&machine.name);
                server.status = ServerStatus::Error;
                server.fault = Some(fault.to_owned());
            }
            if machine.joins.is_some_and(|at| at <= now) {
                machine.joins = None;
                self.world.node(&machine.name, 1);
            } else if machine.joins.is_some() || machine.fails.is_some() || machine.ends.is_some() {
                continue;
            }
            let joined = self.world.observed.jenkins.computers.iter();
            if !joined.clone().any(|node| node.name.as_str() == machine.name) {
                continue;
            }
            let Some(at) = self.jobs.iter().position(|job| job.label == machine.label) else {
                continue;
            };
            let job = self.jobs.remove(at);
            self.began.insert(job.item.id, self.asked.len());
            busy(self.world.node_mut(&machine.name));
            machine.ends = Some(now + secs(300));
        }
    }
}

/// The key of the template and placement of a create.
pub fn pair(create: &Create) -> BackoffKey {
    BackoffKey::TemplateAt(create.template.clone(), create.provider.clone(), create.zone.clone())
}
