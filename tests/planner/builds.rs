//! A node goes after so many builds (`max_builds`).

use mita::plan::DRAIN_PREFIX;
use mita::state::Phase;

use crate::world::{World, busy, marked, mins, offline, removed, secs, template, with};

const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";

/// A node whose template allows so many builds.
fn limited(most: u32, executors: u32) -> (World, String) {
    let mut kind = template("small", &["small", "linux"]);
    (kind.max_builds, kind.executors) = (Some(most), executors);
    let mut world = with(vec![kind]);
    let name = world.up("small", 1, mins(10));
    (world, name)
}

/// Lets these builds run.
fn runs(world: &mut World, name: &str, builds: &[&str]) {
    let node = world.node_mut(name);
    node.running = builds.iter().map(ToString::to_string).collect();
    node.idle = builds.is_empty();
    node.idle_executors = node.executors - u32::try_from(builds.len()).unwrap();
}

#[test]
fn a_node_of_one_build_is_closed_while_it_runs_and_goes_right_after() {
    let (mut world, name) = limited(1, 1);
    let plan = world.pass(mins(1));
    assert_eq!((plan.drains.len(), plan.servers[0].builds), (0, Some(0)));
    runs(&mut world, &name, &["a"]);
    let plan = world.pass(mins(1));
    assert_eq!(plan.drains.len(), 1);
    assert_eq!(plan.drains[0].node.as_str(), name);
    let mark = plan.drains[0].mark.clone();
    assert!(
        mark.starts_with(DRAIN_PREFIX) && mark.contains("max_builds of 1"),
        "{mark}"
    );
    let row = &plan.servers[0];
    assert_eq!((row.builds, row.phase), (Some(1), Phase::Busy), "it has no mark yet");
    assert_eq!(row.why.as_deref(), Some("had 1 build (max_builds)"));
    marked(world.node_mut(&name), &mark, PERSON);
    let plan = world.pass(mins(1));
    assert_eq!((plan.servers[0].phase, plan.templates[0].off), (Phase::Draining, 1));
    assert_eq!((plan.drains.len(), plan.unmarks.len(), plan.removals.len()), (0, 0, 0));
    runs(&mut world, &name, &[]);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()], "without waiting for idle_grace");
    assert!(
        plan.removals[0].why.to_string().contains("max_builds"),
        "{}",
        plan.removals[0].why
    );
}

#[test]
fn builds_are_counted_over_all_executors() {
    let (mut world, name) = limited(3, 2);
    for (builds, seen, drains) in [
        (&["a", "b"][..], 2, 0),
        (&["b"], 2, 0),
        (&[], 2, 0),
        (&["c"], 3, 1),
        (&["c"], 3, 1),
    ] {
        runs(&mut world, &name, builds);
        let plan = world.pass(mins(1));
        assert_eq!(
            (plan.servers[0].builds, plan.drains.len()),
            (Some(seen), drains),
            "{builds:?}"
        );
    }
}

#[test]
fn a_node_that_had_its_builds_is_no_supply() {
    let (mut world, name) = limited(1, 2);
    runs(&mut world, &name, &["a"]);
    world.items(1, "linux");
    let plan = world.pass(mins(1));
    assert_eq!(plan.creates.len(), 1, "its second executor takes nothing");
    runs(&mut world, &name, &[]);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    assert!(
        plan.removals[0].why.to_string().contains("1 of 1 build (max_builds)"),
        "{}",
        plan.removals[0].why
    );
    assert!(plan.drains.is_empty(), "it goes already");
    world.config.limits.max_deletes_per_pass = 0;
    let plan = world.plan();
    assert_eq!(
        (plan.removals.len(), plan.drains.len()),
        (0, 1),
        "it takes nothing until it goes"
    );
    assert_eq!(
        plan.notes,
        ["1 to remove: none goes while limits.max_deletes_per_pass is 0"]
    );
}

#[test]
fn without_a_limit_executors_that_work_are_counted_and_nothing_is_drained() {
    let (mut world, name) = limited(1, 1);
    world.config.templates[0].max_builds = None;
    runs(&mut world, &name, &["a"]);
    let plan = world.pass(mins(1));
    assert_eq!((plan.drains.len(), plan.servers[0].builds), (0, None));
    let builds: Vec<_> = plan
        .state
        .nodes
        .values()
        .filter_map(|node| node.builds.clone())
        .collect();
    let [builds] = &builds[..] else { panic!("{builds:?}") };
    assert_eq!((builds.seen, builds.unnamed), (1, 1));
    assert!(builds.running.is_empty(), "no URL is kept that nobody needs");
}

#[test]
fn what_may_not_be_seen_counts_all_the_same() {
    let (mut world, name) = limited(2, 1);
    // Just handed out: no URL yet, or one that mita may not read.
    busy(world.node_mut(&name));
    assert_eq!(world.pass(mins(1)).servers[0].builds, Some(1));
    runs(&mut world, &name, &["a"]);
    assert_eq!(world.pass(mins(1)).servers[0].builds, Some(1), "the same one");
    runs(&mut world, &name, &["b"]);
    assert_eq!(world.pass(mins(1)).drains.len(), 1);
}

#[test]
fn a_lost_state_counts_anew_and_kills_nothing() {
    let (mut world, name) = limited(2, 1);
    runs(&mut world, &name, &["a"]);
    world.pass(mins(1));
    world.state = mita::state::State::default();
    runs(&mut world, &name, &["b"]);
    let plan = world.pass(mins(1));
    assert_eq!(
        (plan.servers[0].builds, plan.drains.len(), plan.removals.len()),
        (Some(1), 0, 0)
    );
}

#[test]
fn an_agent_that_lost_its_connection_is_closed_before_it_comes_back() {
    let (mut world, name) = limited(1, 1);
    world.pass(mins(1));
    runs(&mut world, &name, &["a"]);
    offline(world.node_mut(&name));
    assert_eq!(world.pass(secs(30)).drains.len(), 1);
    marked(world.node_mut(&name), "mine", PERSON);
    assert_eq!(world.pass(secs(30)).drains.len(), 0, "a person's mark stays");
}

#[test]
fn a_pipeline_that_goes_on_there_is_let_in() {
    let (mut world, name) = limited(1, 1);
    runs(&mut world, &name, &["a"]);
    let mark = world.pass(mins(1)).drains[0].mark.clone();
    marked(world.node_mut(&name), &mark, PERSON);
    runs(&mut world, &name, &[]);
    world.items(1, &name);
    let plan = world.pass(mins(1));
    assert_eq!((plan.removals.len(), plan.unmarks.len(), plan.drains.len()), (0, 1, 0));
    assert!(mark.starts_with(plan.unmarks[0].prefix));
    // Online again, and the queue still waits for it: it neither goes nor is it closed.
    let node = world.node_mut(&name);
    (node.offline, node.temporarily_offline, node.offline_class) = (false, false, None);
    node.offline_reason.clear();
    let plan = world.pass(mins(1));
    assert_eq!((plan.removals.len(), plan.unmarks.len(), plan.drains.len()), (0, 0, 0));
    world.observed.jenkins.queue.clear();
    runs(&mut world, &name, &["a"]);
    assert_eq!(world.pass(mins(1)).drains.len(), 1, "closed again at once");
}

#[test]
fn a_controller_that_just_started_closes_nothing() {
    let (mut world, name) = limited(1, 1);
    world.observed.jenkins.session = Some("a".to_owned());
    world.pass(mins(1));
    world.observed.jenkins.session = Some("b".to_owned());
    runs(&mut world, &name, &["a"]);
    assert_eq!(world.pass(mins(6)).drains.len(), 0);
    assert_eq!(world.pass(mins(1)).drains.len(), 1);
}
