//! What is known of boots, and what follows: servers that are late, and failures that are no evidence against a template.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use mita::config::MinReady;
use mita::plan::{Create, Plan, Why};
use mita::state::{BackoffKey, Phase};

use crate::facts;
use crate::random::Random;
use crate::world::{CLOUD, World, busy, mins, place, removed, secs, world};

/// A world with a pass each minute, in which so many boots took 60 seconds.
fn known(boots: usize) -> World {
    let mut world = world();
    world.state.gaps = vec![60; 10];
    world.state.boots.entry("small".into()).or_default().seconds = vec![60; boots];
    world
}

/// The same with server 1, which has booted for so long, and server 2, which was asked for later and has joined; both were
/// seen to boot, and a job runs on server 2.
fn one_is_late(boots: usize, age: SignedDuration) -> World {
    let mut world = known(boots);
    world.server("small", 1, age - mins(1));
    let second = world.server("small", 2, mins(1));
    world.pass(mins(1));
    busy(world.node(&second, 1));
    world.items(1, "linux");
    world
}

fn why(plan: &Plan, name: &str) -> Option<String> {
    let row = plan.servers.iter().find(|row| row.name == name);
    row.and_then(|row| row.why.clone())
}

fn late(plan: &Plan) -> Vec<&str> {
    let rows = plan.servers.iter();
    let is_late = |why: &str| why.starts_with("late: ");
    rows.filter(|row| row.phase == Phase::Booting && row.why.as_deref().is_some_and(is_late))
        .map(|row| row.name.as_str())
        .collect()
}

#[test]
fn one_server_is_made_in_the_place_of_a_late_one_and_once() {
    let mut world = one_is_late(5, mins(6));
    let plan = world.pass(mins(1));
    assert_eq!((late(&plan), plan.creates.len()), (vec!["small__000000000001"], 1));
    assert_eq!(
        plan.creates[0].because,
        "queue item 100 (job 100) has waited 1m for linux"
    );
    let why = why(&plan, "small__000000000001").unwrap();
    assert!(
        why.contains("usually joins within 2m") && why.contains("one is made in its place"),
        "{why}"
    );
    world.server("small", 3, secs(50));
    for _ in 0..4 {
        let plan = world.pass(mins(1));
        assert_eq!((plan.creates.len(), removed(&plan).len()), (0, 0), "{:?}", plan.creates);
    }
    // It joins after all and takes the job.
    busy(world.node("small__000000000001", 1));
    world.observed.jenkins.queue.clear();
    let plan = world.pass(mins(1));
    assert_eq!((late(&plan).len(), plan.creates.len()), (0, 0));
    assert_eq!(plan.servers[0].phase, Phase::Busy);
    assert_eq!(plan.state.boots["small"].seconds.last(), Some(&660));
}

/// Is server 1 late, and is another one made?
fn check(boots: usize, age: SignedDuration, change: impl FnOnce(&mut World), is_late: bool, what: &str) {
    let mut world = one_is_late(boots, age);
    change(&mut world);
    let plan = world.plan();
    assert_eq!(late(&plan).len(), usize::from(is_late), "{what}");
    assert_eq!(plan.creates.len(), usize::from(is_late), "{what}: {:?}", plan.creates);
}

#[test]
fn a_server_is_late_only_with_evidence() {
    // Its own boot of two minutes is a sixth, known by now: twice that and a gap.
    check(5, mins(5), |_| {}, false, "five minutes are not more than five");
    check(5, mins(5) + secs(1), |_| {}, true, "a second more is");
    check(3, mins(9), |_| {}, false, "four boots are known");
    check(4, mins(9), |_| {}, true, "five boots are known");
    check(
        20,
        mins(3) + secs(1),
        |_| {},
        true,
        "one of 21 took longer; two minutes and a gap are over",
    );
    check(20, mins(3), |_| {}, false, "two minutes and a gap are not over");
    check(
        5,
        mins(9),
        |w| w.state.gaps = vec![600; 10],
        false,
        "passes are ten minutes apart",
    );
    check(
        5,
        mins(9),
        |w| w.config.rules.late_boots = false,
        false,
        "the rule is off",
    );
    check(
        5,
        mins(9),
        |w| w.config.rules.evidence = false,
        true,
        "that is another rule",
    );
    let earlier = |w: &mut World| {
        let created = w.now() - mins(10);
        w.server_mut("small__000000000002").created = Some(created);
    };
    check(5, mins(9), earlier, false, "the one that joined was asked for earlier");
    let changed = |w: &mut World| {
        let mark = w.server_mut("small__000000000001").mark.as_mut().unwrap();
        mark.config = Some("another".to_owned());
    };
    check(
        5,
        mins(9),
        changed,
        false,
        "the one that joined was made from another configuration",
    );
    let elsewhere = |w: &mut World| {
        w.add_cloud("spare");
        w.config.templates[0].placements.push(place("spare", None));
        let all = std::mem::take(&mut w.cloud(CLOUD).servers);
        let (first, second) = all.into_iter().partition(|server| server.id.as_str() == "server-1");
        (w.cloud("spare").servers, w.cloud(CLOUD).servers) = (first, second);
        w.state.nodes.get_mut(&crate::world::id(1)).unwrap().provider = "spare".into();
    };
    check(
        5,
        mins(9),
        elsewhere,
        false,
        "the one that joined is at another placement",
    );
    check(5, mins(9), World::restart_jenkins, false, "Jenkins was away");
}

#[test]
fn a_late_server_counts_against_every_maximum() {
    for limit in [
        |w: &mut World| w.config.templates[0].max = 2,
        |w: &mut World| w.config.limits.max_servers = Some(2),
        |w: &mut World| w.config.limits.max_booting = 1,
        |w: &mut World| w.config.providers.get_mut(CLOUD).unwrap().max_servers = Some(2),
    ] {
        let mut world = one_is_late(5, mins(9));
        limit(&mut world);
        let plan = world.plan();
        assert_eq!((late(&plan).len(), plan.creates.len()), (1, 0));
    }
}

#[test]
fn a_late_server_is_not_ready() {
    let mut world = one_is_late(5, mins(9));
    world.observed.jenkins.queue.clear();
    world.config.templates[0].min_ready = MinReady::Always(1);
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 1);
    assert_eq!(plan.creates[0].because, "the warm pool of \"small\" is to have 1 ready");
}

#[test]
fn nothing_is_made_where_nothing_waits() {
    let mut world = one_is_late(5, mins(9));
    world.observed.jenkins.queue.clear();
    let plan = world.plan();
    assert_eq!((late(&plan).len(), plan.creates.len()), (1, 0));
}

#[test]
fn boot_times_are_of_servers_that_were_seen_before() {
    let mut world = known(0);
    world.up("small", 1, mins(50));
    let adopted = world.up("small", 2, mins(3));
    world.server_mut(&adopted).mark = None;
    world.config.templates[0].adopt = mita::config::Adopt::All;
    let asked = world.server("small", 3, secs(30));
    let plan = world.pass(mins(1));
    assert!(plan.state.boots.is_empty(), "{:?}", plan.state.boots);
    world.node(&asked, 1);
    let plan = world.pass(mins(1));
    assert_eq!(plan.state.boots["small"].seconds, [90]);
    // A template that is gone is forgotten.
    world.config.templates.clear();
    assert!(world.plan().state.boots.is_empty());
}

/// The failures for which the template is held back at its placement.
fn charged(plan: &Plan) -> u32 {
    let key = BackoffKey::TemplateAt("small".into(), CLOUD.into(), None);
    plan.state
        .backoffs
        .get(&key.to_string())
        .map_or(0, |backoff| backoff.failures)
}

/// Server 1 times out, and server 2 boots that was asked for later.
fn times_out() -> World {
    let mut world = known(0);
    world.server("small", 1, mins(14) + secs(30));
    world.server("small", 2, mins(9));
    world.pass(mins(1));
    world
}

#[test]
fn a_boot_that_timed_out_is_no_evidence_where_a_later_one_joined() {
    let mut world = times_out();
    let plan = world.plan();
    assert_eq!(charged(&plan), 1, "the later one still boots");
    assert!(matches!(plan.removals[0].why, Why::TimedOut(_)));

    // It joins in the same pass.
    world.node("small__000000000002", 1);
    let plan = world.plan();
    assert_eq!(charged(&plan), 0, "{:?}", plan.state.backoffs);
    assert_eq!(removed(&plan), ["small__000000000001"]);
    assert!(plan.state.creating.is_empty(), "and it is no row of failures");
    let boots = &plan.state.boots["small"].ended["openstack"];
    assert_eq!((boots.joined.len(), boots.failed.len()), (1, 1));

    let mut off = world.clone();
    off.config.rules.evidence = false;
    assert_eq!(charged(&off.plan()), 1, "the rule is off");

    // It joined before.
    let mut before = times_out();
    before.context.now -= secs(40);
    before.node("small__000000000002", 1);
    before.pass(mins(1));
    assert_eq!(charged(&before.plan()), 0);
}

#[test]
fn an_earlier_one_that_joined_is_no_excuse() {
    let mut world = known(0);
    world.server("small", 1, mins(14) + secs(30));
    world.server("small", 2, mins(14) + secs(40));
    world.pass(mins(1));
    world.node("small__000000000002", 1);
    assert_eq!(charged(&world.plan()), 1);
    // In the same second it is as good as later.
    let created = world.now() - mins(15) - secs(40);
    world.server_mut("small__000000000001").created = Some(created);
    assert_eq!(charged(&world.plan()), 0);
}

#[test]
fn many_failures_are_evidence_whatever_joined() {
    for (fail, charge) in [(4, 0), (5, 1)] {
        let mut world = known(0);
        for number in 1..=fail {
            world.server("small", number, mins(14) + secs(30));
        }
        for number in 11..20_u64 - fail {
            world.server("small", number, mins(14));
        }
        let last = world.server("small", 30, mins(10));
        world.pass(mins(1));
        for number in 11..20_u64 - fail {
            world.node(&format!("small__{number:012x}"), 1);
        }
        world.node(&last, 1);
        let plan = world.plan();
        assert_eq!(removed(&plan).len() as u64, fail);
        assert_eq!(charged(&plan), charge, "{fail} failed");
        // The bad ones of a burst are seen last, and are the oldest all the same.
        let boots = &plan.state.boots["small"].ended["openstack"];
        assert_eq!(boots.failed.len() as u64, fail);
        assert_eq!(boots.joined.len() as u64, 10 - fail);
    }
}

#[test]
fn an_error_is_evidence_as_before() {
    let mut world = times_out();
    world.node("small__000000000002", 1);
    let failed = world.server_mut("small__000000000001");
    failed.status = mita::model::ServerStatus::Error;
    assert_eq!(charged(&world.plan()), 1);
}

/// How a boot goes on.
#[derive(Clone, Copy)]
enum Boot {
    Joins(Timestamp),
    Never,
}

/// One template whose servers join at once, late or never, and jobs that come and end.
struct Site {
    world: World,
    random: Random,
    booting: Vec<(String, Boot)>,
    working: Vec<(String, Timestamp)>,
    next_item: u64,
    /// Jobs that came, and nodes that are to be ready.
    wanted: usize,
    made: usize,
    late: BTreeSet<String>,
    /// The servers that gave slots and gave none any more before they joined: late, or timed out.
    lost: BTreeSet<String>,
    /// When each boot that ended was asked for, its server, and whether it joined.
    ended: BTreeSet<(Timestamp, String, bool)>,
    excused: usize,
}

impl Site {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut world = known(0);
        let ready = u32::try_from(random.roll(3)).unwrap();
        let template = &mut world.config.templates[0];
        template.max = 4 + u32::try_from(random.roll(16)).unwrap();
        template.min_ready = MinReady::Always(ready);
        template.idle_grace = mins(5);
        Self {
            world,
            random,
            booting: Vec::new(),
            working: Vec::new(),
            next_item: 100,
            wanted: ready as usize,
            made: 0,
            late: BTreeSet::new(),
            lost: BTreeSet::new(),
            ended: BTreeSet::new(),
            excused: 0,
        }
    }

    /// Lets jobs come, begin and end, and servers join.
    fn live(&mut self) {
        let now = self.world.now();
        for (name, _) in self.working.extract_if(.., |(_, until)| *until <= now) {
            let node = self.world.node_mut(&name);
            (node.idle, node.idle_executors) = (true, 1);
        }
        for (name, _) in self
            .booting
            .extract_if(.., |(_, boot)| matches!(boot, Boot::Joins(at) if *at <= now))
        {
            self.world.node(&name, 1);
        }
        for _ in 0..self.random.roll(4) {
            let item = facts::item(self.next_item, Some("linux"), now);
            self.world.observed.jenkins.queue.push(item);
            self.next_item += 1;
            self.wanted += 1;
        }
        let World { observed, .. } = &mut self.world;
        for node in observed.jenkins.computers.iter_mut().filter(|node| node.idle) {
            if observed.jenkins.queue.is_empty() {
                break;
            }
            observed.jenkins.queue.remove(0);
            busy(node);
            let length = mins(1 + i64::try_from(self.random.roll(9)).unwrap());
            self.working.push((node.name.to_string(), now + length));
        }
    }

    fn make(&mut self, create: &Create, number: i64) {
        let created = self.world.now() + secs(number);
        let mut server = facts::server(format!("server-{}", create.id), &create.name, created);
        let digest = self.world.config.templates[0].digest.clone();
        server.mark = Some(facts::mark(
            &self.world.config.owner,
            &create.template,
            &create.id,
            Some(digest.clone()),
        ));
        let intent = facts::intent(create, digest, self.world.now());
        self.world.state.intents.insert(create.id.clone(), intent);
        self.world.cloud(CLOUD).servers.push(server);
        let boot = match self.random.roll(20) {
            0..=2 => Boot::Never,
            3 => Boot::Joins(created + mins(3 + i64::try_from(self.random.roll(10)).unwrap())),
            _ => Boot::Joins(created + secs(40 + i64::try_from(self.random.roll(30)).unwrap())),
        };
        self.booting.push((create.name.clone(), boot));
        self.made += 1;
    }

    /// Notes how boots ended; returns whether one timed out that is evidence, and whether any did.
    fn end_boots(&mut self, plan: &Plan) -> (bool, bool) {
        let created = |name: &str| {
            let servers = &self.world.observed.clouds[CLOUD].ok().unwrap().servers;
            servers
                .iter()
                .find(|server| server.name == name)
                .unwrap()
                .created
                .unwrap()
        };
        let timed_out: Vec<(Timestamp, String)> = plan
            .removals
            .iter()
            .filter(|removal| matches!(removal.why, Why::TimedOut(_)))
            .map(|removal| removal.server.as_ref().unwrap().name.clone())
            .map(|name| (created(&name), name))
            .collect();
        let up = self.world.observed.jenkins.computers.iter();
        let joined: Vec<(Timestamp, String, bool)> = up
            .map(|node| (created(node.name.as_str()), node.name.to_string(), true))
            .collect();
        self.ended.extend(joined);
        let failed = timed_out.iter().map(|(at, name)| (*at, name.clone(), false));
        self.ended.extend(failed);
        let bad = self.ended.iter().rev().take(10).filter(|(.., joined)| !joined).count();
        let later = |at: Timestamp| self.ended.iter().any(|(other, _, joined)| *joined && *other >= at);
        let is_evidence = timed_out.iter().any(|(at, _)| bad >= 5 || !later(*at));
        (is_evidence, !timed_out.is_empty())
    }

    fn pass(&mut self) {
        let before = self.world.state.clone();
        let plan = self.world.plan();
        let now_late: Vec<String> = late(&plan).into_iter().map(str::to_owned).collect();
        self.late.extend(now_late.iter().cloned());
        self.lost.extend(now_late);
        let (is_evidence, timed_out) = self.end_boots(&plan);
        let key = BackoffKey::TemplateAt("small".into(), CLOUD.into(), None).to_string();
        let count = |state: &mita::state::State| state.backoffs.get(&key).map_or(0, |backoff| backoff.failures);
        assert!(
            is_evidence || count(&plan.state) <= count(&before),
            "held back without evidence"
        );
        assert!(!is_evidence || count(&plan.state) > 0, "evidence was overlooked");
        self.excused += usize::from(timed_out && !is_evidence);
        for removal in &plan.removals {
            let name = removal.server.as_ref().unwrap().name.clone();
            self.world.lose_node(&name);
            self.world.lose_server(&name);
            self.booting.retain(|(other, _)| *other != name);
            if matches!(removal.why, Why::TimedOut(_)) {
                self.lost.insert(name);
            }
        }
        self.world.state = plan.state.clone();
        for (number, create) in plan.creates.iter().enumerate() {
            self.make(create, i64::try_from(number).unwrap());
        }
        self.world.later(mins(1));
        let servers = self.world.cloud(CLOUD).servers.len();
        assert!(
            servers <= self.world.config.templates[0].max as usize,
            "over the maximum"
        );
        assert!(
            self.made <= self.wanted + self.lost.len(),
            "{} made for {} that were wanted and {} that were late or failed",
            self.made,
            self.wanted,
            self.lost.len()
        );
    }
}

#[test]
fn at_most_one_server_more_is_made_for_each_late_or_failed_one() {
    let (mut late, mut excused) = (0, 0);
    for seed in 0..12 {
        let mut site = Site::new(seed);
        for _ in 0..120 {
            site.live();
            site.pass();
        }
        late += site.late.len();
        excused += site.excused;
    }
    assert!(
        late > 10 && excused > 10,
        "the worlds were dull: {late} late, {excused} excused"
    );
}
