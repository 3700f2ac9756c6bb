//! A controller that was started again: nothing is removed until its agents had time to come back.

use mita::plan::mark_text;
use mita::state::State;

use crate::world::{CLOUD, World, marked, mins, offline, removed, secs, with, world};

/// A world with a node that is idle for 41 minutes, one that is offline for 6, and one in ERROR, in the eyes of a
/// controller that was seen before.
fn ripe() -> World {
    let mut world = world();
    world.observed.jenkins.session = Some("1a2b3c4d".to_owned());
    world.up("small", 1, mins(30));
    let lost = world.up("small", 2, mins(30));
    let failed = world.server("small", 3, mins(30));
    world.server_mut(&failed).status = mita::model::ServerStatus::Error;
    world.context.remove = false;
    world.pass(mins(35));
    offline(world.node_mut(&lost));
    world.pass(mins(6));
    world.context.remove = true;
    world
}

#[test]
fn nothing_is_removed_until_its_agents_had_time_to_come_back() {
    let mut world = ripe();
    assert_eq!(removed(&world.plan()).len(), 3, "all of it is to go");
    world.observed.jenkins.session = Some("5e6f7a8b".to_owned());
    for _ in 0..5 {
        let plan = world.pass(mins(1));
        assert_eq!(removed(&plan), [] as [&str; 0]);
        assert!(
            plan.notes.iter().any(|note| note.contains("restart_grace")),
            "{:?}",
            plan.notes
        );
        assert_eq!(
            plan.state
                .backoffs
                .values()
                .filter(|backoff| backoff.reason.contains("did not join"))
                .count(),
            0
        );
    }
    // What is idle or offline counts from here on; the cloud's ERROR is none of Jenkins'.
    let plan = world.pass(mins(1));
    assert_eq!(plan.removals.len(), 1);
    assert!(
        plan.removals[0].why.to_string().contains("ERROR"),
        "{}",
        plan.removals[0].why
    );
}

#[test]
fn a_first_look_or_an_old_jenkins_is_no_restart() {
    let mut fresh = ripe();
    fresh.state.controller = None;
    assert_eq!(removed(&fresh.plan()).len(), 3);
    let mut silent = ripe();
    silent.observed.jenkins.session = None;
    let plan = silent.plan();
    assert_eq!(removed(&plan).len(), 3);
    assert_eq!(
        plan.state.controller.unwrap().session,
        "1a2b3c4d",
        "it is still known when Jenkins tells again"
    );
}

#[test]
fn the_grace_ends_though_the_clock_goes_back() {
    let mut world = ripe();
    world.observed.jenkins.session = Some("5e6f7a8b".to_owned());
    world.pass(secs(1));
    world.context.now -= mins(120);
    for _ in 0..6 {
        world.pass(mins(1));
    }
    assert!(!world.plan().removals.is_empty());
}

#[test]
fn servers_are_made_and_marks_taken_off_all_the_same() {
    let mut world = with(vec![crate::world::template("small", &["small", "linux"])]);
    world.observed.jenkins.session = Some("1a2b3c4d".to_owned());
    let name = world.up("small", 1, mins(30));
    world.pass(mins(1));
    world.observed.jenkins.session = Some("5e6f7a8b".to_owned());
    world.items(2, "linux");
    marked(
        world.node_mut(&name),
        &mark_text("p9"),
        "hudson.slaves.OfflineCause$UserCause",
    );
    crate::world::busy(world.node_mut(&name));
    let plan = world.plan();
    assert_eq!((plan.unmarks.len(), plan.removals.len()), (1, 0));
    assert_eq!(plan.creates.len(), 2, "{:?}", plan.unmet);
    let state = serde_json::to_string(&plan.state).unwrap();
    let back: State = serde_json::from_str(&state).unwrap();
    assert_eq!(back.controller, plan.state.controller);
    assert_eq!(world.cloud(CLOUD).servers.len(), 1);
}

#[test]
fn agents_that_are_about_to_come_back_are_waited_for() {
    let mut world = world();
    world.observed.jenkins.session = Some("1a2b3c4d".to_owned());
    let name = world.up("small", 1, mins(30));
    world.pass(mins(1));
    offline(world.node_mut(&name));
    world.items(2, "linux");
    assert_eq!(
        world.plan().creates.len(),
        2,
        "one whose connection broke is not waited for"
    );
    world.observed.jenkins.session = Some("5e6f7a8b".to_owned());
    for _ in 0..4 {
        let plan = world.plan();
        assert_eq!(plan.creates.len(), 1, "{:?}", plan.creates);
        assert!(plan.removals.is_empty());
        world.state = plan.state;
        world.later(mins(1));
    }
    world.later(mins(2));
    assert_eq!(world.plan().creates.len(), 2, "not for ever");
}
