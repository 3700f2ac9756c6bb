//! Idle nodes of one template that keep another below a limit that both share.

use jiff::SignedDuration;
use mita::model::{Headroom, Offers, Reading, ServerStatus};
use mita::plan::Plan;

use crate::world::{CLOUD, World, busy, mins, offer, place, removed, secs, template, with};

/// So many idle nodes of `a` under a fleet of as many; a job for `b` begins to wait.
fn full(nodes: u32) -> World {
    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    world.state.gaps = vec![60; 10];
    world.config.limits.max_servers = Some(nodes);
    for number in 1..=nodes {
        world.up("a", u64::from(number), mins(60));
    }
    world.pass(mins(1));
    world.pass(mins(1));
    world
}

/// A job for a label that has waited for this long.
fn wait(world: &mut World, label: &str, waited: SignedDuration) {
    world.items(1, label);
    let now = world.now();
    world.observed.jenkins.queue.last_mut().unwrap().since = now - waited;
}

/// Carries out what a plan removes: the server is being deleted, its node is gone.
fn begin_to_remove(world: &mut World, plan: &Plan) {
    for name in removed(plan) {
        world.server_mut(name).task_state = Some("deleting".to_owned());
        world.lose_node(name);
    }
}

fn finish_removal(world: &mut World, plan: &Plan) {
    for name in removed(plan) {
        world.lose_server(name);
    }
}

#[test]
fn one_idle_node_goes_for_one_job_and_the_server_comes_once_it_is_gone() {
    let mut world = full(3);
    wait(&mut world, "b", mins(2));
    let plan = world.pass(mins(1));
    assert_eq!(removed(&plan), ["a__000000000001"]);
    assert_eq!(
        plan.removals[0].why.to_string(),
        "it has been idle for 2m and nobody needs it, while queue item 100 (job 100) waits: the fleet is at its max of 3 \
         servers (limits.max_servers)"
    );
    assert!(plan.creates.is_empty(), "the place is not free yet");
    begin_to_remove(&mut world, &plan);
    let next = world.pass(mins(1));
    assert!(removed(&next).is_empty() && next.creates.is_empty(), "one goes already");
    finish_removal(&mut world, &plan);
    let next = world.pass(mins(1));
    assert_eq!((next.creates.len(), next.removals.len()), (1, 0));
    assert_eq!(next.creates[0].template.as_str(), "b");
    assert!(next.state.going.is_empty(), "nothing is kept of it");
}

/// A full fleet, a job for `b`, and something else: does a node go?
fn check(change: impl FnOnce(&mut World), goes: usize, what: &str) {
    let mut world = full(3);
    wait(&mut world, "b", mins(2));
    change(&mut world);
    let plan = world.plan();
    assert_eq!(plan.removals.len(), goes, "{what}: {:?}", plan.removals);
}

#[test]
fn only_a_limit_that_is_shared_lets_a_node_go() {
    check(|_| {}, 1, "the fleet is full");
    check(|w| w.config.limits.max_servers = Some(4), 0, "there is room");
    check(|w| w.config.templates[1].max = 0, 0, "its own maximum");
    check(|w| w.config.limits.max_creates_per_pass = 0, 0, "nothing is created");
    check(|w| w.config.limits.max_booting = 0, 0, "too many boot");
    check(|w| w.context.create = false, 0, "the command creates nothing");
    check(|w| w.context.remove = false, 0, "the command removes nothing");
    check(
        |w| w.observed.jenkins.quieting_down = Some(true),
        0,
        "Jenkins is quieting down",
    );
    check(|w| w.config.limits.max_deletes_per_pass = 0, 0, "nothing is removed");
    let held = |w: &mut World| {
        let key = mita::state::BackoffKey::TemplateAt("b".into(), CLOUD.into(), None);
        let (now, timing) = (w.now(), w.config.timing.clone());
        mita::plan::backoff::record_failure(&mut w.state, &key, now, "no host", None, &timing);
    };
    check(held, 0, "its template is held back here");
    let missing = |w: &mut World| {
        let reason = "no flavor".to_owned();
        let unavailable = Err(mita::model::Unavailable::new(reason));
        w.cloud(CLOUD).offers = Some(Reading::Read(Offers {
            room: Headroom::default(),
            templates: [("b".into(), unavailable)].into(),
        }));
    };
    check(missing, 0, "it cannot be had");
    let provider = |w: &mut World| {
        w.config.limits.max_servers = None;
        w.config.providers.get_mut(CLOUD).unwrap().max_servers = Some(3);
    };
    check(provider, 1, "the provider is full");
    let elsewhere = |w: &mut World| {
        provider(w);
        w.add_cloud("spare");
        w.config.providers.get_mut("spare").unwrap().max_servers = Some(0);
        w.config.templates[1].placements = vec![place("spare", None)];
    };
    check(elsewhere, 0, "another provider is full");
}

#[test]
fn a_node_goes_only_if_nothing_speaks_for_it() {
    let fresh = |w: &mut World| w.observed.jenkins.queue[0].since = w.now() - secs(30);
    check(fresh, 0, "no earlier pass saw it wait");
    check(|w| w.state.last_pass = None, 0, "the first look");
    check(|w| w.config.timing.min_lifetime = mins(120), 0, "all are too young");
    check(
        |w| w.config.templates[0].min_ready = mita::config::MinReady::Always(3),
        0,
        "the warm pool needs them",
    );
    check(
        |w| w.config.templates[0].min_ready = mita::config::MinReady::Always(2),
        1,
        "the warm pool needs two",
    );
    let needed = |w: &mut World| (0..3).for_each(|_| wait(w, "a", secs(0)));
    check(needed, 0, "jobs need them");
    let at_work = |w: &mut World| (1..=3).for_each(|n| busy(w.node_mut(&format!("a__{n:012x}"))));
    check(at_work, 0, "they work");
    let just_now = |w: &mut World| w.state.nodes.values_mut().for_each(|n| n.idle_since = None);
    check(just_now, 0, "idle for the first time");
    check(World::pause_passes, 0, "idle times restart");
    check(World::restart_jenkins, 0, "Jenkins has just started");
    let other = |w: &mut World| {
        w.observed.jenkins.queue.clear();
        wait(w, "windows", mins(2));
    };
    check(other, 0, "no template serves it");
}

#[test]
fn the_longest_idle_goes_and_no_more_than_is_needed() {
    let mut world = full(4);
    let idle_since = |w: &mut World, number: u64, ago: i64| {
        let (id, then) = (crate::world::id(number), w.now() - mins(ago));
        w.state.nodes.get_mut(&id).unwrap().idle_since = Some(then);
    };
    for (number, ago) in [(1, 3), (2, 9), (3, 5), (4, 7)] {
        idle_since(&mut world, number, ago);
    }
    wait(&mut world, "b", mins(2));
    assert_eq!(removed(&world.plan()), ["a__000000000002"]);
    wait(&mut world, "b", mins(2));
    wait(&mut world, "b", secs(10));
    assert_eq!(
        removed(&world.plan()),
        ["a__000000000002", "a__000000000004"],
        "one has just come"
    );
    // Two executors serve two jobs.
    world.config.templates[1].executors = 2;
    assert_eq!(removed(&world.plan()), ["a__000000000002"]);
    // What goes anyway gives its place.
    world.config.templates[1].executors = 1;
    world.config.templates[0].idle_grace = mins(9);
    let plan = world.plan();
    assert_eq!(removed(&plan), ["a__000000000002", "a__000000000004"]);
    assert!(plan.removals[0].why.to_string().ends_with("and nobody needs it"));
    // A fleet that is too large already needs more to go.
    world.config.templates[0].idle_grace = mins(40);
    world.config.limits.max_servers = Some(3);
    assert_eq!(removed(&world.plan()).len(), 3);
    world.config.limits.max_deletes_per_pass = 2;
    let plan = world.plan();
    assert_eq!(removed(&plan).len(), 2);
    assert!(
        plan.notes.iter().any(|note| note.contains("1 more to remove")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_node_stays_idle_for_as_long_as_a_boot_takes() {
    let mut world = full(2);
    world.config.templates[1].max = 10;
    for (number, boot, goes) in [(1_u64, 10_u32, 0), (1, 1, 1)] {
        let mut world = world.clone();
        world.state.boots.entry("a".into()).or_default().seconds = vec![boot * 60; 3];
        wait(&mut world, "b", mins(2));
        assert_eq!(removed(&world.plan()).len(), goes, "a boot of {boot} minutes, {number}");
    }
    // After a lost memory nobody knows how long a boot takes.
    wait(&mut world, "b", mins(2));
    assert_eq!(removed(&world.plan()).len(), 1, "two minutes then");
}

fn quota(world: &mut World, room: Headroom, sizes: &[(&str, u64)]) {
    world.config.limits.max_servers = None;
    let templates = sizes.iter().map(|(name, vcpus)| ((*name).into(), Ok(offer(*vcpus))));
    world.cloud(CLOUD).offers = Some(Reading::Read(Offers {
        room,
        templates: templates.collect(),
    }));
}

#[test]
fn a_quota_of_cores_is_a_limit_like_the_others() {
    let vcpus = |left| Headroom {
        vcpus: Some(left),
        ..Headroom::default()
    };
    let sizes = [("a", 2), ("b", 8)];
    let mut world = full(6);
    wait(&mut world, "b", mins(2));
    quota(&mut world, vcpus(3), &sizes);
    assert_eq!(removed(&world.plan()).len(), 3, "5 cores are lacking, each gives 2");
    quota(&mut world, vcpus(8), &sizes);
    let plan = world.plan();
    assert_eq!((removed(&plan).len(), plan.creates.len()), (0, 1));
    let instances = Headroom {
        instances: Some(0),
        ..Headroom::default()
    };
    quota(&mut world, instances, &sizes);
    assert_eq!(removed(&world.plan()).len(), 1);
    quota(&mut world, vcpus(0), &[("a", 1), ("b", 8)]);
    assert_eq!(removed(&world.plan()).len(), 0, "all together do not give it");
    // A large node is better than many small ones, though they are idle for longer.
    world.config.templates.push(template("c", &["c"]));
    let large = world.up("c", 20, mins(30));
    world.pass(mins(1));
    world.later(mins(2));
    let now = world.now();
    world.state.last_pass.as_mut().unwrap().at = now - mins(1);
    quota(&mut world, vcpus(0), &[("a", 2), ("b", 8), ("c", 8)]);
    assert_eq!(removed(&world.plan()), [large.as_str()]);
    // What nobody knows the size of goes one by one.
    quota(&mut world, vcpus(0), &[("b", 8)]);
    assert_eq!(removed(&world.plan()).len(), 1);
}

#[test]
fn a_server_that_never_goes_is_not_waited_for() {
    let mut world = full(3);
    wait(&mut world, "b", mins(2));
    let first = world.pass(mins(1));
    begin_to_remove(&mut world, &first);
    for _ in 0..10 {
        assert!(removed(&world.pass(mins(1))).is_empty());
    }
    let second = world.pass(mins(1));
    assert_eq!(removed(&second), ["a__000000000002"]);
    begin_to_remove(&mut world, &second);
    finish_removal(&mut world, &second);
    wait(&mut world, "b", secs(10));
    assert_eq!(world.plan().creates.len(), 1, "the stuck one still counts");
}

#[test]
fn the_place_of_a_node_that_goes_is_no_absence() {
    let mut world = full(8);
    for _ in 0..8 {
        wait(&mut world, "b", mins(2));
    }
    let plan = world.plan();
    assert_eq!((removed(&plan).len(), plan.warnings.len()), (8, 0));
}

#[test]
fn a_node_in_error_gives_its_place_first() {
    let mut world = full(3);
    wait(&mut world, "b", mins(2));
    world.server_mut("a__000000000003").status = ServerStatus::Error;
    world.lose_node("a__000000000003");
    let plan = world.plan();
    assert_eq!(removed(&plan), ["a__000000000003"]);
}

#[test]
fn two_templates_do_not_take_turns() {
    // One place, and both always have a job that waits; a boot takes a pass, a job three.
    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    world.state.gaps = vec![60; 10];
    world.config.limits.max_servers = Some(1);
    let mut changes: Vec<(i64, String)> = Vec::new();
    let mut runs: Option<(String, i64)> = None;
    for minute in 0..240_i64 {
        // Each label gets a job once its last one is done, so that both wait nearly always.
        for label in ["a", "b"] {
            let waits = |w: &World| {
                w.observed
                    .jenkins
                    .queue
                    .iter()
                    .any(|item| item.why.as_ref().unwrap().contains(label))
            };
            if !waits(&world) && runs.as_ref().is_none_or(|(name, _)| !name.starts_with(label)) {
                wait(&mut world, label, secs(0));
            }
        }
        let plan = world.pass(mins(1));
        for name in removed(&plan) {
            world.lose_node(name);
            world.lose_server(name);
            runs = None;
        }
        for create in &plan.creates {
            let name = world.up(create.template.as_str(), changes.len() as u64 + 1, secs(30));
            changes.push((minute, create.template.to_string()));
            runs = Some((name.clone(), minute + 3));
            let label = create.template.to_string();
            let queue = &mut world.observed.jenkins.queue;
            queue.retain(|item| !item.why.as_ref().unwrap().contains(&label));
            busy(world.node_mut(&name));
        }
        if let Some((name, ends)) = &runs
            && minute >= *ends
        {
            let node = world.node_mut(name);
            (node.idle, node.idle_executors) = (true, node.executors);
        }
    }
    assert!(changes.len() >= 8, "both are served: {changes:?}");
    for pair in changes.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= 5, "{changes:?}");
    }
}

#[test]
fn many_idle_nodes_of_many_flavors_are_soon_chosen_from() {
    let flavors = [
        (1, 9000),
        (2, 700),
        (3, 5000),
        (4, 300),
        (5, 4000),
        (6, 100),
        (7, 2500),
        (8, 1300),
    ];
    let mut kinds: Vec<_> = (0..8).map(|kind| template(&format!("k{kind}"), &["k"])).collect();
    kinds.push(template("huge", &["huge"]));
    for kind in &mut kinds {
        kind.max = 10_000;
    }
    let mut world = with(kinds);
    world.state.gaps = vec![60; 10];
    world.config.rules.surplus = false;
    for number in 0..2000 {
        world.up(&format!("k{}", number % 8), number, mins(60));
    }
    for _ in 0..3 {
        world.pass(mins(1));
    }
    for _ in 0..300 {
        wait(&mut world, "huge", mins(5));
    }
    let flavors = flavors.into_iter().chain([(64, 60_000)]);
    let templates = world.config.templates.iter().zip(flavors);
    let templates = templates.map(|(template, (vcpus, ram_mb))| {
        let offer = mita::model::Offer { ram_mb, ..offer(vcpus) };
        (template.name.clone(), Ok(offer))
    });
    let templates = templates.collect();
    let room = Headroom {
        vcpus: Some(0),
        ram_mb: Some(0),
        ..Headroom::default()
    };
    world.cloud(CLOUD).offers = Some(Reading::Read(Offers { room, templates }));
    let plan = world.plan();
    assert_eq!(removed(&plan).len(), 100, "as many as a pass may remove");
}
