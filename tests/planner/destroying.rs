//! What an operator names, what an audit refuses, and what a plan looks like.

use mita::config::Config;
use mita::plan::{Plan, Targets, audit, audit_destroy, destroy};

use crate::world::{CLOUD, World, busy, marked, mins, offline, removed, secs, world};

fn run(world: &World, names: &[&str], force: bool) -> Plan {
    let names = Targets::Names(names.iter().map(|name| (*name).to_owned()).collect());
    let plan = destroy(
        &world.observed,
        &world.config,
        &world.state,
        &world.context,
        &names,
        force,
    );
    let broken = audit_destroy(&plan, &world.observed, &world.config, &world.state, &world.context);
    assert_eq!(broken, Vec::<String>::new());
    plan
}

#[test]
fn what_is_named_goes() {
    let mut world = world();
    let name = world.server("small", 1, mins(3));
    world.node("small+10.0.0.2", 1);
    for way in [name.as_str(), "000000000001", "small+10.0.0.2"] {
        let plan = run(&world, &[way, way], false);
        assert_eq!((removed(&plan), plan.warnings.len()), (vec![name.as_str()], 0), "{way}");
        assert_eq!(plan.removals[0].node.as_ref().unwrap().name.as_str(), "small+10.0.0.2");
    }
}

#[test]
fn what_must_not_go_is_refused() {
    let check = |change: fn(&mut World), name: &str, reason: &str, with_force: bool| {
        let mut world = world();
        let up = world.up("small", 1, mins(3));
        assert_eq!(up, "small__000000000001");
        change(&mut world);
        let plan = run(&world, &[name], false);
        assert_eq!(plan.removals.len(), 0);
        assert!(plan.warnings[0].contains(reason), "{}", plan.warnings[0]);
        assert_eq!(
            run(&world, &[name], true).removals.len(),
            usize::from(with_force),
            "{reason}"
        );
    };
    let name = "small__000000000001";
    check(|w| busy(w.node_mut("small__000000000001")), name, "busy", true);
    check(
        |w| marked(w.node_mut("small__000000000001"), "mine", "x$UserCause"),
        name,
        "a person",
        false,
    );
    check(
        |w| w.observed.jenkins.quieting_down = Some(true),
        name,
        "quieting down",
        false,
    );
    check(
        |w| {
            let plan = w.plan();
            w.state = plan.state;
            w.close(CLOUD);
        },
        name,
        "cannot be read",
        false,
    );
    check(|_| {}, "nobody", "no such node", false);
    check(
        |w| {
            let server = w.server("small", 2, mins(3));
            w.server_mut(&server).mark = None;
        },
        "small__000000000002",
        "does not have the mark of \"ci\"",
        false,
    );
    check(|w| drop(w.node("somebody", 1).clone()), "somebody", "not ours", false);
}

#[test]
fn a_stray_node_goes_by_name_at_once() {
    let mut world = world();
    offline(world.node("small__00000000000b", 1));
    let plan = run(&world, &["small__00000000000b"], false);
    assert_eq!((plan.removals.len(), plan.warnings.len()), (1, 0));
}

#[test]
fn a_broken_plan_is_found_out() {
    let mut world = world();
    let name = world.up("small", 1, mins(90));
    let idle = world.server("small", 2, mins(90));
    world.node(&idle, 1);
    let foreign = world.server("small", 3, mins(90));
    world.server_mut(&foreign).mark.as_mut().unwrap().owner = "somebody".to_owned();
    world.pass(mins(41));
    world.items(2, "linux");
    world.config.templates[0].max = 4;
    world.up("small", 4, mins(3));
    for node in [&name, "small__000000000004"] {
        busy(world.node_mut(node));
    }
    world.items(2, "linux");
    let good = world.plan();
    assert_eq!(good.creates.len(), 1);
    let check = |change: &dyn Fn(&mut Plan, &mut World), reason: &str| {
        let mut world = world.clone();
        let mut plan = good.clone();
        change(&mut plan, &mut world);
        let broken = audit(&plan, &world.observed, &world.config, &world.state, &world.context);
        assert!(
            broken.iter().any(|sentence| sentence.contains(reason)),
            "wanted {reason}: {broken:?}"
        );
    };
    let remove = |plan: &mut Plan, world: &World, name: &str| {
        let mut source = world.clone();
        source.node_mut("small__000000000001").idle = true;
        source.node_mut("small__000000000001").idle_executors = 1;
        if name == "small__000000000003" {
            source.server_mut(name).mark.as_mut().unwrap().owner = "ci".to_owned();
        }
        let names = [name.to_owned()];
        let mut made = destroy(
            &source.observed,
            &source.config,
            &source.state,
            &source.context,
            &Targets::Names(names.to_vec()),
            false,
        );
        assert_eq!(made.removals.len(), 1, "{:?}", made.warnings);
        plan.removals.append(&mut made.removals);
    };
    check(&|plan, world| remove(plan, world, "small__000000000001"), "busy");
    check(&|plan, world| remove(plan, world, "small__000000000003"), "not ours");
    check(
        &|plan, world| {
            remove(plan, world, &idle);
            marked(world.node_mut(&idle), "mine", "x$UserCause");
        },
        "a person took it offline",
    );
    check(
        &|plan, world| {
            remove(plan, world, &idle);
            world.close(CLOUD);
        },
        "cannot be read",
    );
    check(
        &|plan, world| {
            remove(plan, world, &idle);
            remove(plan, world, &idle);
        },
        "twice",
    );
    check(
        &|plan, world| {
            remove(plan, world, &idle);
            world.config.limits.max_deletes_per_pass = 0;
        },
        "at most 0 in a pass",
    );
    let limit = |change: fn(&mut Config), reason: &str| check(&|_, world| change(&mut world.config), reason);
    limit(|c| c.templates[0].max = 3, "4 servers of small, at most 3");
    limit(|c| c.limits.max_servers = Some(3), "4 servers in all, at most 3");
    limit(
        |c| c.providers.get_mut(CLOUD).unwrap().max_servers = Some(3),
        "4 servers at openstack, at most 3",
    );
    limit(|c| c.limits.max_creates_per_pass = 0, "1 creates, at most 0");
    limit(|c| c.templates[0].placements.clear(), "is no placement of its template");
    limit(|c| c.templates[0].name = "large".into(), "not configured");
    check(
        &|plan, _| plan.creates.push(plan.creates[0].clone()),
        "was given before",
    );
    check(&|plan, _| plan.creates[0].name.push('x'), "no name of ours");
    check(&|_, world| world.context.create = false, "creates nothing");
    check(
        &|_, world| world.observed.jenkins.quieting_down = Some(true),
        "quieting down",
    );
}

#[test]
fn the_audit_has_its_own_guard() {
    let mut world = world();
    for number in 1..=8 {
        world.up("small", number, mins(30));
    }
    world.pass(secs(60));
    for number in 1..=5 {
        world.lose_node(&format!("small__00000000000{number}"));
    }
    world.pass(mins(5));
    world.context.force = true;
    let plan = world.plan();
    assert_eq!(plan.removals.len(), 5);
    world.context.force = false;
    let broken = audit(&plan, &world.observed, &world.config, &world.state, &world.context);
    assert_eq!(
        broken,
        ["5 of 8 nodes are removed because something is absent; --force allows it"]
    );
}
