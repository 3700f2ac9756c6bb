//! The real client removes a node while everybody else is at it too: thousands of random orders of events, and not one
//! build may be killed but by the one race that Jenkins leaves open.
//!
//! The controller is the fake one, whose queue and executors go step by step (`tests/fakes/dispatch.rs`); between any two
//! requests, and between a request and its answer, `others` act. A failure prints its seed and what happened in order.
//! `MITA_RACES=10000` sets how many orders are tried.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reads its environment and says what it counted"
)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::*;

mod others;
mod planted;

use crate::endpoint::Compress;
use crate::fakes::{Agent, FakeJenkins, Fault, Mark, Reply, Service, When, World};
use others::{NODE, Others};

use crate::jenkins::remove::Removed;

const PREFIX: &str = "mita: removing";
const MARK: &str = "mita: removing, pass 17";

/// Of the versions: a mark waits for the round in progress; as the first that did; it does not; it may go unseen.
const VERSIONS: [&str; 4] = ["2.544", "2.503", "2.492.3", "2.401.1"];

/// What came of many orders of events.
#[derive(Debug, Default)]
struct Tally {
    orders: u64,
    deleted: u64,
    kept_busy: u64,
    mark_lost: u64,
    disconnected: u64,
    other: u64,
    /// Builds killed after somebody took our mark off, between our last reading and our delete.
    by_lifted_mark: usize,
    /// Builds killed on a node that somebody made anew under the name of the one that we read.
    by_new_node: usize,
    /// What must not be: the seed, what is wrong, and what happened.
    wrong: Vec<String>,
}

type Remover<'a> = &'a dyn Fn(&Client, &RemoveNode<'_>, &dyn Fn(Duration)) -> Result<Removed, JenkinsError>;

fn real(client: &Client, request: &RemoveNode<'_>, pause: &dyn Fn(Duration)) -> Result<Removed, JenkinsError> {
    client.remove_node(request, pause)
}

fn lock(others: &Mutex<Others>) -> MutexGuard<'_, Others> {
    others.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A fake controller with the hooks that let others act, and a client that keeps its connection.
struct Arena {
    world: World,
    _jenkins: FakeJenkins,
    client: Client,
    others: Arc<Mutex<Others>>,
}

impl Arena {
    fn new() -> Self {
        let world = World::new(1);
        let jenkins = FakeJenkins::start(&world, "");
        let others: Arc<Mutex<Others>> = Arc::default();
        let before = Arc::clone(&others);
        world.before(When::on(Service::Jenkins).always(), move |state| {
            lock(&before).before(state);
        });
        let after = Arc::clone(&others);
        world.after(When::on(Service::Jenkins).always(), move |state| {
            lock(&after).after(state);
        });
        let endpoint = JenkinsEndpoint {
            url: jenkins.url(),
            user: "mita".to_owned(),
            credential: JenkinsCredential::Token(Secret::new("11token")),
            transport: Transport {
                ca_file: None,
                ca_file_only: false,
                compress: Compress::Auto,
                verify: true,
                proxy: None,
                connect_timeout: SignedDuration::from_secs(5),
                timeout: SignedDuration::from_secs(5),
                max_body: 1 << 20,
            },
        };
        let client = Client::new(&endpoint, Deadline::none()).unwrap();
        Self {
            world,
            _jenkins: jenkins,
            client,
            others,
        }
    }

    /// A fresh controller with one node of ours, online; what else there is, the seed says.
    fn begin(&self, seed: u64, lifting: bool) {
        let mut others = Others::new(lifting);
        self.world.with(|state| {
            state.script.clear_faults();
            state.calls.clear();
            state.random = crate::fakes::Random::new(seed);
            state.jenkins = crate::fakes::Jenkins::new();
            state.jenkins.by_hand = true;
            let version = VERSIONS[usize::try_from(seed % 4).unwrap()];
            version.clone_into(&mut state.jenkins.version);
            let executors = 1 + u32::from(state.random.below(4) == 0);
            let agent = Agent::new(NODE, &["linux"]).online().executors(executors);
            state.jenkins.agents.insert(NODE.to_owned(), agent);
            if state.random.below(6) == 0 {
                let earlier = Mark::by("mita", "mita: removing, pass 3", state.clock);
                state.jenkins.agent(NODE).mark = Some(earlier);
            }
            others.log(format!("Jenkins {version}, {executors} executors"));
            others.act(state, 6);
            if state.random.below(10) == 0 {
                let fault = match state.random.below(3) {
                    0 => Fault::DropBefore,
                    1 => Fault::DropAfter,
                    _ => Fault::Instead(Reply::proxy_page(503)),
                };
                let nth = u32::try_from(state.random.below(5)).unwrap();
                others.log(format!("request {nth}: {fault:?}"));
                state.script.fault(When::any().skip(nth), fault);
            }
        });
        *lock(&self.others) = others;
    }

    /// Removes the node in one order of events.
    fn play(&self, seed: u64, lifting: bool, remover: Remover<'_>, tally: &mut Tally) {
        self.begin(seed, lifting);
        let name = NodeName::new(NODE);
        let request = RemoveNode {
            name: &name,
            mark: MARK,
            even_if_busy: false,
            by_monitor: false,
        };
        let pause = |_: Duration| {
            self.world.with(|state| {
                let mut others = lock(&self.others);
                others.act(state, 4);
                others.log("a second passes".to_owned());
                state.jenkins.settle_down(state.clock);
            });
        };
        let end = remover(&self.client, &request, &pause);
        let mut others = lock(&self.others);
        self.world.with(|state| others.finish(state, &end));
        tally.orders += 1;
        tally.by_lifted_mark += others.killed_after_lift;
        tally.by_new_node += others.killed_on_new_node;
        match end.map(|r| r.outcome) {
            Ok(NodeRemoval::Deleted) => tally.deleted += 1,
            Ok(NodeRemoval::Busy | NodeRemoval::TurnedBusy { .. }) => tally.kept_busy += 1,
            Ok(NodeRemoval::MarkLost) => tally.mark_lost += 1,
            Ok(NodeRemoval::Disconnected { .. }) => tally.disconnected += 1,
            _ => tally.other += 1,
        }
        if !others.wrong.is_empty() {
            let (wrong, log) = (others.wrong.join("; "), others.told.join("\n  "));
            tally
                .wrong
                .push(format!("seed {seed}, lifting {lifting}: {wrong}\n  {log}"));
        }
    }

    fn play_all(&self, seeds: impl IntoIterator<Item = u64>, lifting: bool, remover: Remover<'_>) -> Tally {
        let mut tally = Tally::default();
        for seed in seeds {
            self.play(seed, lifting, remover, &mut tally);
        }
        tally
    }
}

/// How many orders of events each of the two tests tries.
fn orders() -> u64 {
    let asked = std::env::var("MITA_RACES").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(10_000) / 2
}

fn assert_right(tally: &Tally) {
    assert!(
        tally.wrong.is_empty(),
        "{} wrong, the first:\n{}",
        tally.wrong.len(),
        tally.wrong[0]
    );
    // Every way to end was gone many times, or the orders tried say little.
    let few = tally.orders / 100;
    let ends = [tally.deleted, tally.kept_busy, tally.disconnected, tally.other];
    assert!(ends.iter().all(|&n| n > few), "{tally:?}");
}

#[test]
fn no_build_is_killed_while_nobody_takes_our_mark_off() {
    let tally = Arena::new().play_all(0..orders(), false, &real);
    assert_right(&tally);
    assert_eq!((tally.by_lifted_mark, tally.by_new_node), (0, 0), "{tally:?}");
}

/// The one that stays open: Jenkins has no "delete if idle".
#[test]
fn a_build_is_killed_only_after_our_mark_was_taken_off_behind_our_last_reading() {
    let tally = Arena::new().play_all(0..orders(), true, &real);
    println!(
        "{} orders: {} killed after the mark was taken off",
        tally.orders, tally.by_lifted_mark
    );
    assert_right(&tally);
    assert!(tally.mark_lost > tally.orders / 100, "{tally:?}");
    assert!(tally.by_lifted_mark > 0, "the race is among the orders: {tally:?}");
    // Others do this far more often here than between two requests a millisecond apart.
    assert!((tally.by_lifted_mark as u64) < tally.orders / 20, "{tally:?}");
}
