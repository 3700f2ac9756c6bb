//! Idle nodes that go before they were idle for `idle_grace`: too many at every pass, or paid for only a little longer.

use mita::config::MinReady;
use mita::plan::Plan;

use crate::world::{CLOUD, World, busy, marked, mins, removed, secs, template, with};

const NODES: u64 = 6;

/// Six nodes of one template under `idle_grace` 10m, an hour old.
fn fleet() -> World {
    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    world.state.gaps = vec![60; 10];
    world.config.templates[0].idle_grace = mins(10);
    for number in 1..=NODES {
        world.up("a", number, mins(60));
    }
    world
}

fn name(number: u64) -> String {
    format!("a__{number:012x}")
}

fn is_there(world: &World, number: u64) -> bool {
    let name = name(number);
    world
        .observed
        .jenkins
        .computers
        .iter()
        .any(|node| node.name.as_str() == name)
}

/// Lets just these nodes work.
fn work(world: &mut World, numbers: &[u64]) {
    for number in (1..=NODES)
        .filter(|number| is_there(world, *number))
        .collect::<Vec<_>>()
    {
        let node = world.node_mut(&name(number));
        (node.idle, node.idle_executors) = (true, node.executors);
        if numbers.contains(&number) {
            busy(node);
        }
    }
}

/// A pass a minute, two jobs that go round among the nodes; returns what the last plan removes.
fn spread(world: &mut World, passes: u64) -> Vec<Plan> {
    let plans = (0..passes).map(|pass| {
        work(world, &[1 + pass % NODES, 1 + (pass + 3) % NODES]);
        world.pass(mins(1))
    });
    plans.collect()
}

#[test]
fn as_many_go_as_were_idle_at_every_pass_though_none_was_for_long() {
    let mut world = fleet();
    let plans = spread(&mut world, 11);
    assert!(
        plans[..10].iter().all(|plan| removed(plan).is_empty()),
        "not all of the grace was seen"
    );
    assert_eq!(removed(&plans[10]).len(), 4);
    assert_eq!(
        plans[10].removals[0].why.to_string(),
        "it has been idle for 1m and nobody needs it: jobs keep each node of its template from being idle for 10m \
         (idle_grace), but 4 nodes were idle and not needed at every pass of that time (rules.surplus)"
    );
    let since: Vec<String> = plans[10]
        .removals
        .iter()
        .map(|removal| removal.why.to_string())
        .collect();
    assert!(
        since[1].contains("1m") && since[2].contains("0s"),
        "the longest idle come first: {since:?}"
    );
}

#[test]
fn a_single_busy_pass_keeps_the_nodes_for_a_whole_grace() {
    let mut world = fleet();
    spread(&mut world, 5);
    work(&mut world, &[1, 2, 3, 4, 5]);
    world.pass(mins(1));
    let plans = spread(&mut world, 11);
    let gone: Vec<usize> = plans.iter().map(|plan| removed(plan).len()).collect();
    // The plans are not carried out.
    assert_eq!(gone, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 4]);
}

/// A fleet with two busy nodes in each pass, and something else: how many go?
fn check(change: impl FnOnce(&mut World), goes: usize, what: &str) {
    let mut world = fleet();
    spread(&mut world, 12);
    change(&mut world);
    let plan = world.plan();
    assert_eq!(plan.removals.len(), goes, "{what}: {:?}", plan.removals);
}

#[test]
fn nothing_goes_that_something_speaks_for() {
    check(|_| {}, 4, "too many");
    check(|w| w.config.rules.surplus = false, 0, "switched off");
    check(|w| w.items(2, "a"), 2, "jobs need two");
    check(
        |w| w.config.templates[0].min_ready = MinReady::Always(3),
        1,
        "the pool needs three",
    );
    check(|w| w.config.timing.min_lifetime = mins(90), 0, "all are too young");
    check(
        |w| w.config.templates[0].idle_grace = mins(20),
        0,
        "not all of the grace was seen",
    );
    check(|w| w.config.templates[0].idle_grace = mins(5), 4, "a shorter grace");
    check(
        |w| w.config.templates[0].billing_period = Some(mins(60)),
        0,
        "it is paid by the hour",
    );
    check(|w| w.context.remove = false, 0, "the command removes nothing");
    check(
        |w| w.observed.jenkins.quieting_down = Some(true),
        0,
        "Jenkins is quieting down",
    );
    check(|w| w.close(CLOUD), 0, "its cloud cannot be read");
    check(|w| w.config.limits.max_deletes_per_pass = 3, 3, "three at most");
    check(World::pause_passes, 0, "idle times restart");
    check(World::restart_jenkins, 0, "Jenkins has just started");
    check(
        |w| w.state.blind = w.state.last_pass.clone(),
        0,
        "the last pass saw nothing",
    );
    let offline = |w: &mut World| w.node_mut(&name(1)).offline = true;
    check(offline, 3, "a node without a connection gives nothing");
    let persons = |w: &mut World| marked(w.node_mut(&name(1)), "mine", "hudson.slaves.OfflineCause$UserCause");
    check(persons, 3, "a person has one");
    let named = |w: &mut World| {
        w.items(1, "b");
        w.observed.jenkins.queue[0].why = Some(format!("‘{}’ is offline", name(1)).into());
        w.observed.jenkins.queue[0].stage = mita::model::Stage::Blocked;
    };
    check(named, 3, "a job names one");
    let own = |w: &mut World| {
        w.config.templates[0].labels = ["a".to_owned()].into();
        for number in 1..=NODES {
            w.labels(&name(number), ["a", "swarm"]);
        }
        w.labels(&name(1), ["a", "swarm", "debug"]);
    };
    check(own, 3, "a person gave a label to one");
    let shared = |w: &mut World| {
        w.node_mut(&name(1)).executors = 2;
        w.node_mut(&name(1)).idle_executors = 1;
        w.node_mut(&name(1)).idle = false;
    };
    check(shared, 3, "only wholly idle nodes go");
}

#[test]
fn what_is_begun_anew_needs_a_whole_grace() {
    let mut world = fleet();
    spread(&mut world, 12);
    let mut closed = world.clone();
    closed.close(CLOUD);
    world.state = closed.plan().state;
    world.later(mins(1));
    let plans = spread(&mut world, 11);
    assert!(plans[..10].iter().all(|plan| removed(plan).is_empty()));
    assert_eq!(removed(&plans[10]).len(), 4);
}

#[test]
fn what_went_is_subtracted() {
    let mut world = fleet();
    spread(&mut world, 8);
    // Somebody removes two busy nodes, and their jobs end with them: as many as before are idle.
    work(&mut world, &[1, 2]);
    for number in [1, 2] {
        world.lose_node(&name(number));
        world.lose_server(&name(number));
    }
    let plans = spread(&mut world, 4);
    assert!(removed(&plans[3]).len() <= 2, "{:?}", plans[3].removals);
    let plan = world.plan();
    assert!(removed(&plan).len() <= 2);
}

#[test]
fn one_that_worked_until_it_was_too_old_is_subtracted() {
    let mut world = fleet();
    world.config.templates[0].max_lifetime = Some(mins(100));
    world.server_mut(&name(1)).created = Some(world.now() - mins(120));
    for pass in 0..11 {
        work(&mut world, &[1, 2 + pass % 5]);
        world.pass(mins(1));
    }
    // Its builds ended and it went. The next job that it would have taken is for the others.
    world.lose_node(&name(1));
    world.lose_server(&name(1));
    work(&mut world, &[2]);
    let plan = world.plan();
    assert_eq!(removed(&plan).len(), 3, "{:?}", plan.removals);
}

#[test]
fn idle_times_come_first_and_count() {
    let mut world = fleet();
    // Four nodes never work, two always do.
    for _ in 0..10 {
        work(&mut world, &[1, 2]);
        world.pass(mins(1));
    }
    work(&mut world, &[1, 2]);
    let plan = world.plan();
    assert_eq!(removed(&plan).len(), 4);
    assert!(
        plan.removals
            .iter()
            .all(|removal| removal.why.to_string().ends_with("and nobody needs it"))
    );
}

#[test]
fn a_fleet_that_is_carried_out_settles_at_what_it_needs() {
    let mut world = fleet();
    let mut left = Vec::new();
    for pass in 0..60 {
        let up: Vec<u64> = (1..=NODES).filter(|number| is_there(&world, *number)).collect();
        let at = |place: u64| up[usize::try_from(place).unwrap() % up.len()];
        work(&mut world, &[at(pass), at(pass + 1)]);
        let plan = world.pass(mins(1));
        for name in removed(&plan) {
            world.lose_node(name);
            world.lose_server(name);
        }
        left.push(up.len());
    }
    assert_eq!((left[10], left[11], left[59]), (6, 2, 2), "{left:?}");
}

#[test]
fn passes_far_apart_look_back_at_the_last_three() {
    let mut world = fleet();
    world.state.gaps = vec![1200; 10];
    let mut gone = Vec::new();
    for pass in 0..5_u64 {
        work(&mut world, &[1 + pass, 1 + (pass + 1) % NODES]);
        let plan = world.plan();
        // An idle time of 20 minutes is over the grace: those go anyway.
        gone.push(
            plan.removals
                .iter()
                .filter(|removal| removal.why.to_string().contains("surplus"))
                .count(),
        );
        world.pass(mins(20));
    }
    assert_eq!(gone[..2], [0, 0]);
}

fn billed(period: i64) -> World {
    let mut world = fleet();
    world.config.templates[0].billing_period = Some(secs(period));
    world
}

#[test]
fn a_paid_hour_is_used_up() {
    let mut world = billed(3600);
    for number in 1..=NODES {
        let created = world.now() - mins(50);
        world.server_mut(&name(number)).created = Some(created);
    }
    let plans: Vec<Plan> = (0..25).map(|_| world.pass(mins(1))).collect();
    let gone: Vec<usize> = plans.iter().map(|plan| removed(plan).len()).collect();
    assert_eq!(
        gone[..12],
        [0, 0, 0, 0, 0, 0, 0, 6, 6, 6, 0, 0],
        "the last three minutes"
    );
    assert!(
        gone[12..].iter().all(|gone| *gone == 0),
        "the next hour is paid, whatever the grace is"
    );
    assert_eq!(
        plans[7].removals[0].why.to_string(),
        "it has been idle for 7m and nobody needs it, and what is paid for it ends in 3m (billing_period 1h)"
    );
}

#[test]
fn a_period_counts_from_the_launch_by_the_clock_of_the_cloud() {
    let ages = |created: i64, launched: Option<i64>, goes: usize| {
        let mut world = billed(3600);
        // Jenkins and cloud are an hour apart.
        let clock = world.now() + mins(67);
        world.cloud(CLOUD).clock = Some(clock);
        for number in 1..=NODES {
            let server = world.server_mut(&name(number));
            server.created = Some(clock - mins(created));
            server.launched = launched.map(|ago| clock - mins(ago));
        }
        let idle = world.plan().state;
        world.state = idle;
        let (now, clock) = (world.now() + secs(10), clock + secs(10));
        (world.context.now, world.cloud(CLOUD).clock) = (now, Some(clock));
        assert_eq!(removed(&world.plan()).len(), goes, "{created}, {launched:?}");
    };
    ages(58, None, 6);
    ages(55, None, 0);
    ages(58, Some(55), 0);
    ages(64, Some(58), 6);
    ages(58, Some(-30), 6);
}

#[test]
fn a_node_at_the_end_of_its_period_goes_only_if_idle_for_a_pass_and_not_needed() {
    let check = |change: fn(&mut World), goes: usize, what: &str| {
        let mut world = billed(3600);
        for number in 1..=NODES {
            let created = world.now() - mins(57);
            world.server_mut(&name(number)).created = Some(created);
        }
        world.pass(mins(1));
        change(&mut world);
        let plan = world.plan();
        assert_eq!(plan.removals.len(), goes, "{what}: {:?}", plan.removals);
    };
    check(|_| {}, 6, "the hour ends");
    check(
        |w| w.state.nodes.values_mut().for_each(|node| node.idle_since = None),
        0,
        "idle for the first time",
    );
    check(|w| work(w, &[1, 2]), 4, "two work");
    check(|w| w.items(2, "a"), 4, "two jobs wait");
    check(
        |w| w.config.templates[0].min_ready = MinReady::Always(5),
        1,
        "the pool needs five",
    );
    check(|w| w.config.timing.min_lifetime = mins(90), 0, "too young");
    check(
        |w| w.config.templates[0].idle_grace = mins(0),
        6,
        "whatever the grace is",
    );
    check(
        |w| w.config.templates[0].max_lifetime = Some(mins(30)),
        6,
        "over its age",
    );
    // Far from its end.
    check(
        |w| w.config.templates[0].billing_period = Some(mins(90)),
        0,
        "the period is longer",
    );
    let makes_room = |w: &mut World| {
        w.config.templates[0].billing_period = Some(mins(90));
        w.config.limits.max_servers = Some(6);
        w.later(mins(2));
        w.state.last_pass.as_mut().unwrap().at = w.now() - secs(30);
        w.items(1, "b");
    };
    check(makes_room, 1, "a job waits for its place");
    check(|w| w.state.gaps = vec![900; 10], 6, "passes are far apart");
}

#[test]
fn a_period_shorter_than_the_gap_lets_it_go_once_idle_for_a_pass() {
    let mut world = billed(60);
    assert!(removed(&world.pass(mins(1))).is_empty());
    assert_eq!(removed(&world.pass(mins(1))).len(), 6);
}
