//! What looks alive and is not: items beside idle executors, and nodes of which nobody knows whose they are.

use mita::config::Register;
use mita::model::TaskLabel;

use crate::world::{World, mins, offline, reasons, world};

fn ignored(world: &mut World, passes: u32) -> Vec<usize> {
    let mut noted = Vec::new();
    for _ in 0..passes {
        let plan = world.pass(mins(1));
        assert!(plan.creates.is_empty(), "no server helps");
        noted.push(
            plan.notes
                .iter()
                .filter(|note| note.contains("no server would help"))
                .count(),
        );
    }
    noted
}

#[test]
fn an_item_beside_an_idle_node_gets_a_note_once_it_lasts_and_never_a_server() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(mins(1));
    world.items(1, "linux");
    assert_eq!(ignored(&mut world, 7), [0, 0, 0, 0, 0, 1, 1]);
    let plan = world.plan();
    let note = plan
        .notes
        .iter()
        .find(|note| note.contains("no server would help"))
        .unwrap();
    for word in [
        "item 100 (job 100)",
        "for linux",
        name.as_str(),
        "8m",
        "throttle",
        "permission",
    ] {
        assert!(note.contains(word), "{word}: {note}");
    }
    assert!(!note.contains("exclusive"), "{note}");
    // Not the item and the node wait for five minutes, but one after the other.
    world.observed.jenkins.queue.clear();
    world.pass(mins(1));
    world.items(1, "linux");
    assert_eq!(ignored(&mut world, 3), [0, 0, 0]);
}

#[test]
fn a_node_that_was_busy_until_now_ignores_nobody() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.items(1, "linux");
    world.observed.jenkins.queue[0].since -= mins(600);
    for _ in 0..10 {
        let plan = world.pass(mins(1));
        assert!(plan.notes.is_empty() || plan.state.nodes.values().all(|n| n.idle_since.is_some()));
        crate::world::busy(world.node_mut(&name));
        world.items(0, "linux");
        world.context.create = false;
        assert!(world.pass(mins(1)).notes.is_empty());
        let node = world.node_mut(&name);
        (node.idle, node.idle_executors) = (true, 1);
    }
}

#[test]
fn nodes_in_mode_exclusive_take_no_job_without_a_label() {
    let mut world = world();
    world.config.templates[0].accepts_unlabelled = true;
    world.config.templates[0].agent.exclusive = true;
    world.up("small", 1, mins(30));
    world.items(1, "x");
    let item = &mut world.observed.jenkins.queue[0];
    (item.label, item.why) = (TaskLabel::Anywhere, Some("Waiting for next available executor".into()));
    // What registers itself chooses its mode itself: nobody knows.
    assert!(world.plan().unmet.is_empty());
    let mut unknown = world.clone();
    let plan = (0..8).map(|_| unknown.pass(mins(1))).last().unwrap();
    assert!(
        plan.notes.iter().any(|note| note.contains("mode is exclusive")),
        "{:?}",
        plan.notes
    );
    world.config.templates[0].register = Register::Inbound;
    let plan = world.plan();
    assert!(plan.creates.is_empty() && plan.unmet.len() == 1, "{:?}", plan.unmet);
    assert!(reasons(&plan)[0].contains("without a label"), "{:?}", plan.unmet);
}

/// Passes until a contradiction ends; returns in which of them it is noted, and in which a warning is given.
fn clash(world: &mut World, passes: u32) -> (u32, Vec<u32>) {
    let (mut noted, mut warned) = (0, Vec::new());
    for pass in 1..=passes {
        let plan = world.pass(mins(10));
        assert!(plan.removals.is_empty() && plan.unmarks.is_empty());
        noted += u32::from(plan.notes.iter().any(|note| note.contains("nothing of it is removed")));
        if plan.news.iter().any(|line| line.contains("nothing of it is removed")) {
            warned.push(pass);
        }
    }
    (noted, warned)
}

#[test]
fn two_nodes_at_one_address_are_noted_in_each_pass_and_mailed_once_a_day() {
    let mut world = world();
    world.server("small", 1, mins(30));
    world.node("small+10.0.0.2", 1);
    world.node("other+10.0.0.2", 1).labels = Some(vec!["small".to_owned(), "linux".to_owned()]);
    // Every ten minutes: 144 passes a day.
    let (noted, warned) = clash(&mut world, 300);
    assert_eq!((noted, warned), (300, vec![1, 145, 289]));
    world.lose_node("other+10.0.0.2");
    assert!(
        world.pass(mins(1)).news[0].starts_with("ended after"),
        "its end is said"
    );
}

#[test]
fn one_node_that_fits_two_servers_keeps_both() {
    let mut world = world();
    let name = world.server("small", 1, mins(30));
    let other = world.server("small", 2, mins(30));
    let addresses = world.server_mut(&name).addresses.clone();
    world.server_mut(&other).addresses = addresses;
    world.node("small+10.0.0.2", 1);
    let (noted, warned) = clash(&mut world, 6);
    assert_eq!((noted, warned), (6, vec![1]));
}

#[test]
fn two_servers_of_one_id_are_mailed_too_in_whatever_order_they_are_listed() {
    let mut world = world();
    world.server("small", 1, mins(30));
    let mut other = world.server_mut("small__000000000001").clone();
    other.id = "other".into();
    world.cloud(crate::world::CLOUD).servers.push(other);
    let mut warned = 0;
    for _ in 0..6 {
        let plan = world.pass(mins(1));
        warned += plan
            .news
            .iter()
            .filter(|warning| warning.contains("neither is touched"))
            .count();
        world.cloud(crate::world::CLOUD).servers.reverse();
    }
    assert_eq!(warned, 1);
}

#[test]
fn a_node_of_our_form_that_is_somebody_elses_is_left_alone() {
    let mut world = world();
    world.up("small", 1, mins(30));
    world.node("small__aaaaaaaaaaaa", 1);
    for _ in 0..10 {
        let plan = world.pass(mins(10));
        assert!(
            plan.notes.iter().any(|note| note.contains("left alone")),
            "{:?}",
            plan.notes
        );
        assert!(plan.removals.iter().all(|r| r.server.is_some()) && plan.drains.is_empty());
        world.lose_server("small__000000000001");
        world.lose_node("small__000000000001");
    }
    offline(world.node_mut("small__aaaaaaaaaaaa"));
    world.pass(mins(1));
    assert_eq!(world.pass(mins(1)).removals.len(), 1, "a dead one of our form goes");
}
