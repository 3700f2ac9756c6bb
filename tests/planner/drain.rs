//! What an operator drains, and gives back.

use mita::plan::{
    DRAIN_PREFIX, MARK_PREFIX, Plan, Targets, audit, audit_destroy, drain, drain_text, mark_text, undrain,
};
use mita::state::Phase;

use crate::world::{World, busy, id, marked, mins, offline, removed, secs, world};

const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";
const MONITOR: &str = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace";

fn audited(world: &World, plan: Plan) -> Plan {
    let broken = audit_destroy(&plan, &world.observed, &world.config, &world.state, &world.context);
    assert_eq!(broken, Vec::<String>::new());
    plan
}

fn names(names: &[&str]) -> Targets {
    Targets::Names(names.iter().map(|name| (*name).to_owned()).collect())
}

fn drained(world: &World, given: &[&str], reason: Option<&str>) -> Plan {
    let (observed, names) = (&world.observed, names(given));
    let plan = drain(observed, &world.config, &world.state, &world.context, &names, reason);
    audited(world, plan)
}

fn undrained(world: &World, given: &[&str]) -> Plan {
    let names = names(given);
    audited(
        world,
        undrain(&world.observed, &world.config, &world.state, &world.context, &names),
    )
}

/// The only node, busy and drained.
fn at_work() -> (World, String) {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(mins(1));
    busy(world.node_mut(&name));
    marked(world.node_mut(&name), &drain_text(None), PERSON);
    (world, name)
}

#[test]
fn what_is_named_is_drained_once() {
    let mut world = world();
    world.server("small", 1, mins(3));
    let node = "small+10.0.0.2";
    world.node(node, 1);
    busy(world.node_mut(node));
    let plan = drained(
        &world,
        &["small__000000000001", "000000000001", node],
        Some("new kernel"),
    );
    assert_eq!((plan.drains.len(), plan.warnings.len()), (1, 0), "{:?}", plan.warnings);
    assert_eq!(plan.drains[0].node.as_str(), node);
    assert_eq!(plan.drains[0].mark, "mita: draining, by hand, new kernel");
    assert!(plan.acts() && plan.removals.is_empty());
}

#[test]
fn the_last_builds_of_a_drained_node_are_work() {
    let (mut world, name) = at_work();
    let seconds = |world: &World| {
        let node = &world.state.nodes[&id(1)];
        (node.busy_seconds, node.idle_seconds)
    };
    let (busy, idle) = seconds(&world);
    for _ in 0..60 {
        world.pass(mins(1));
    }
    assert_eq!(
        seconds(&world),
        (busy + 60 * 60 - 30, idle + 30),
        "until it was marked it stood idle"
    );
    offline(world.node_mut(&name));
    world.pass(mins(1));
    assert_eq!(
        seconds(&world).0,
        busy + 60 * 60 - 30 + 60,
        "a person's mark ends no build"
    );
}

#[test]
fn a_drain_is_never_taken_back_and_ends_with_the_builds() {
    let (mut world, name) = at_work();
    world.items(1, "linux");
    for _ in 0..100 {
        let plan = world.pass(mins(1));
        assert_eq!((plan.unmarks.len(), plan.drains.len(), plan.removals.len()), (0, 0, 0));
        assert_eq!(plan.servers[0].phase, Phase::Draining);
        assert_eq!(plan.creates.len(), 1, "it is no supply");
    }
    let node = world.node_mut(&name);
    (node.idle, node.idle_executors) = (true, 1);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()], "at once, whatever waits");
    assert!(
        plan.removals[0].why.to_string().contains("by hand"),
        "{}",
        plan.removals[0].why
    );
    assert!(plan.removals[0].node.as_ref().unwrap().marked);
}

#[test]
fn what_must_not_be_drained_is_refused_by_name() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    let other = world.up("small", 2, mins(3));
    world.server("small", 3, mins(3));
    world.node("builder", 1);
    marked(world.node_mut(&name), "mine", PERSON);
    let plan = drained(
        &world,
        &[&name, &other, "builder", "nothing", "small__000000000003"],
        None,
    );
    assert_eq!(plan.drains.len(), 1, "the rest is done");
    for (warning, words) in plan.warnings.iter().zip([
        [name.as_str(), "a person took its Jenkins node offline: mine"],
        ["builder", "is not ours"],
        ["nothing", "no such node"],
        ["small__000000000003", "no Jenkins node yet"],
    ]) {
        assert!(words.iter().all(|word| warning.contains(word)), "{warning}");
    }
    assert_eq!(plan.warnings.len(), 4);
    world.observed.jenkins.quieting_down = Some(true);
    let plan = drained(&world, &[&other], None);
    assert!(
        !plan.acts() && plan.warnings[0].contains("quieting"),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn other_marks_are_replaced_or_stay() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    marked(world.node_mut(&name), &mark_text("p0"), PERSON);
    assert_eq!(drained(&world, &[&name], None).drains.len(), 1, "no pass undoes it now");
    marked(world.node_mut(&name), "disk full", MONITOR);
    assert!(drained(&world, &[&name], None).drains[0].by_monitor);
    marked(world.node_mut(&name), &drain_text(Some("first")), PERSON);
    let plan = drained(&world, &[&name], Some("second"));
    assert!(!plan.acts() && plan.warnings.is_empty());
    assert!(plan.notes.iter().any(|note| note.contains("first")), "{:?}", plan.notes);
    // An agent without a connection is drained, too: it must not take work when it comes back.
    let other = world.up("small", 2, mins(3));
    offline(world.node_mut(&other));
    assert_eq!(drained(&world, &[&other], None).drains.len(), 1);
}

#[test]
fn only_marks_of_ours_are_taken_off() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    for (reason, class, prefix, words) in [
        (drain_text(None).as_str(), PERSON, Some(DRAIN_PREFIX), ""),
        (
            &format!("Disconnected by mita : {}", drain_text(Some("x"))),
            PERSON,
            Some(DRAIN_PREFIX),
            "",
        ),
        (&mark_text("p0"), PERSON, Some(MARK_PREFIX), ""),
        ("mita, hands off", PERSON, None, "a person"),
        ("disk full", MONITOR, None, "a monitor"),
    ] {
        marked(world.node_mut(&name), reason, class);
        let plan = undrained(&world, &[&name]);
        assert_eq!(plan.unmarks.first().map(|unmark| unmark.prefix), prefix, "{reason}");
        assert_eq!(plan.warnings.len(), usize::from(prefix.is_none()));
        assert!(
            plan.warnings.iter().all(|warning| warning.contains(words)),
            "{:?}",
            plan.warnings
        );
    }
    world.lose_node(&name);
    world.node(&name, 1);
    let plan = undrained(&world, &[&name]);
    assert!(!plan.acts() && plan.warnings.is_empty(), "nothing to do is no failure");
}

#[test]
fn what_the_queue_waits_for_by_name_is_kept() {
    let (mut world, name) = at_work();
    let node = world.node_mut(&name);
    (node.idle, node.idle_executors) = (true, 1);
    world.items(1, &name);
    let plan = world.plan();
    assert_eq!(
        (plan.removals.len(), plan.unmarks.len()),
        (0, 0),
        "a pipeline may go on there"
    );
    assert!(
        plan.notes.iter().any(|note| note.contains("mita undrain")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_controller_that_just_started_removes_nothing_drained() {
    let (mut world, name) = at_work();
    world.observed.jenkins.session = Some("a".to_owned());
    world.pass(secs(60));
    let node = world.node_mut(&name);
    (node.idle, node.idle_executors) = (true, 1);
    world.observed.jenkins.session = Some("b".to_owned());
    assert_eq!(world.pass(mins(6)).removals.len(), 0);
    assert_eq!(removed(&world.plan()), [name.as_str()]);
}

#[test]
fn what_a_person_says_survives_the_way_through_jenkins() {
    for (reason, text) in [
        (None, "mita: draining, by hand"),
        (Some("  "), "mita: draining, by hand"),
        (
            Some("a : b <c> & \"d\" 'e'\n\u{1b}[2J"),
            "mita: draining, by hand, a b c d e [2J",
        ),
        (Some("host7:disk"), "mita: draining, by hand, host7:disk"),
    ] {
        assert_eq!(drain_text(reason), text);
    }
    assert!(drain_text(Some(&"x".repeat(10_000))).len() < 200);
    assert!(!drain_text(None).starts_with(MARK_PREFIX) && drain_text(None).starts_with(DRAIN_PREFIX));
}

#[test]
fn an_audit_refuses_what_must_not_be_drained() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    world.node("builder", 1);
    let good = drained(&world, &[&name], None);
    let broken = |change: &dyn Fn(&mut World, &mut Plan)| {
        let (mut world, mut plan) = (world.clone(), good.clone());
        change(&mut world, &mut plan);
        audit(&plan, &world.observed, &world.config, &world.state, &world.context).join("; ")
    };
    assert_eq!(broken(&|_, _| {}), "");
    for (change, word) in [
        (
            &(|_: &mut World, plan: &mut Plan| plan.drains[0].node = "builder".into())
                as &dyn Fn(&mut World, &mut Plan),
            "not ours",
        ),
        (&|_, plan| plan.drains[0].node = "gone".into(), "none of this name"),
        (
            &|_, plan| "out of order".clone_into(&mut plan.drains[0].mark),
            "none of a drain",
        ),
        (
            &|_, plan| "mita: draining, max_builds of 1".clone_into(&mut plan.drains[0].mark),
            "no max_builds",
        ),
        (
            &|world, _| marked(world.node_mut("small__000000000001"), "mine", PERSON),
            "a person",
        ),
        (&|world, _| world.context.remove = false, "removes nothing"),
        (
            &|world, _| world.observed.jenkins.quieting_down = Some(true),
            "quieting",
        ),
    ] {
        assert!(broken(change).contains(word), "{word}: {}", broken(change));
    }
}
