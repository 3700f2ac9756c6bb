//! Nodes that mita makes, in the eyes of the planner: when a server gets its node, and what a node without one means.

use mita::config::{HostKey, Register};
use mita::model::{Address, ServerStatus, TemplateName};
use mita::plan::Plan;

use super::world::{CLOUD, World, id, mins, offline, template, with};

fn ssh() -> World {
    let mut small = template("small", &["small", "linux"]);
    small.register = Register::Ssh;
    "ci".clone_into(&mut small.agent.credentials_id);
    with(vec![small])
}

fn inbound() -> World {
    let mut small = template("small", &["small", "linux"]);
    small.register = Register::Inbound;
    with(vec![small])
}

fn registered(plan: &Plan) -> Vec<(&str, String)> {
    let wanted = plan.registrations.iter();
    wanted
        .map(|wanted| (wanted.name.as_str(), wanted.address.to_string()))
        .collect()
}

/// A node that never connected.
fn waiting(world: &mut World, name: &str) {
    offline(world.node(name, 1));
}

#[test]
fn a_server_that_is_up_gets_its_node_once() {
    let mut world = ssh();
    let name = world.server("small", 1, mins(1));
    let plan = world.pass(mins(1));
    assert_eq!(registered(&plan), [(name.as_str(), "10.0.0.2".to_owned())]);
    assert_eq!(
        (
            plan.registrations[0].template.clone(),
            plan.registrations[0].host_key.clone()
        ),
        (TemplateName::new("small"), None)
    );
    waiting(&mut world, &name);
    let plan = world.pass(mins(1));
    assert!(plan.registrations.is_empty() && plan.removals.is_empty(), "{plan:?}");
    assert_eq!(plan.templates[0].booting, 1, "it is still to join");
}

#[test]
fn only_those_that_can_be_reached_and_stay_are_registered() {
    let check = |why: &str, change: &dyn Fn(&mut World, &str)| {
        let mut world = ssh();
        let name = world.server("small", 1, mins(1));
        change(&mut world, &name);
        assert_eq!(registered(&world.plan()), [], "{why}");
    };
    check("not up", &|world, name| {
        world.server_mut(name).status = ServerStatus::Build;
    });
    check("failed", &|world, name| {
        world.server_mut(name).status = ServerStatus::Error;
    });
    check("no address", &|world, name| world.server_mut(name).addresses.clear());
    check("going", &|world, name| {
        world.server_mut(name).task_state = Some("deleting".to_owned());
    });
    check("not ours", &|world, name| world.server_mut(name).mark = None);
    check("too late", &|world, name| {
        world.server_mut(name).created = Some(world_time() - mins(16));
    });
    check("the cloud cannot be read", &|world, _| world.close(CLOUD));
    check("reap", &|world, _| world.context.create = false);
    check("quieting down", &|world, _| {
        world.observed.jenkins.quieting_down = Some(true);
    });
    check("the script registers", &|world, _| {
        world.config.templates[0].register = Register::Own;
    });
    check("its key was lost", &|world, _| {
        world.config.templates[0].agent.host_key = HostKey::Made;
    });
    check("no floating IP yet", &|world, _| {
        world.config.templates[0].spec.floating_ip_pool = Some("public".to_owned());
    });
}

fn world_time() -> jiff::Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

#[test]
fn one_that_had_joined_and_lost_its_node_is_not_registered_again() {
    let mut world = ssh();
    let name = world.server("small", 1, mins(5));
    world.node(&name, 1);
    world.pass(mins(1));
    world.observed.jenkins.computers.clear();
    let plan = world.pass(mins(1));
    assert!(plan.registrations.is_empty(), "{:?}", plan.registrations);
}

#[test]
fn a_floating_address_comes_first() {
    let mut world = ssh();
    world.config.templates[0].spec.floating_ip_pool = Some("public".to_owned());
    let name = world.server("small", 1, mins(1));
    let address = Address {
        ip: "198.51.100.7".parse().unwrap(),
        floating: true,
    };
    world.server_mut(&name).addresses.push(address);
    assert_eq!(registered(&world.plan()), [(name.as_str(), "198.51.100.7".to_owned())]);
}

#[test]
fn a_key_that_was_made_is_used_and_then_forgotten() {
    let mut world = ssh();
    world.config.templates[0].agent.host_key = HostKey::Made;
    let name = world.server("small", 1, mins(1));
    world.state.host_keys.insert(id(1), "ssh-ed25519 AAAA".to_owned());
    world
        .state
        .host_keys
        .insert(id(2), "of a server that is gone".to_owned());
    let plan = world.pass(mins(1));
    assert_eq!(plan.registrations[0].host_key.as_deref(), Some("ssh-ed25519 AAAA"));
    assert_eq!(world.state.host_keys.len(), 1);
    waiting(&mut world, &name);
    world.pass(mins(1));
    assert!(world.state.host_keys.is_empty());
}

#[test]
fn a_node_that_waits_for_its_server_is_no_loss() {
    let mut world = inbound();
    let name = world.server("small", 1, mins(1));
    waiting(&mut world, &name);
    for _ in 0..15 {
        let plan = world.pass(mins(1));
        assert!(plan.removals.is_empty(), "{plan:?}");
        assert_eq!((plan.templates[0].booting, plan.templates[0].idle), (1, 0));
    }
    let plan = world.pass(mins(1));
    let removal = &plan.removals[0];
    assert!(removal.why.to_string().contains("boot_grace"), "{}", removal.why);
    assert!(
        removal.node.is_some() && removal.server.is_some(),
        "the node goes, too: {removal:?}"
    );
}

#[test]
fn an_intents_node_is_ours_and_goes_once_the_intent_is_given_up() {
    let mut world = inbound();
    world.items(1, "linux");
    world.offers(CLOUD, mita::model::Headroom::default());
    let create = world.plan().creates.remove(0);
    assert!(create.node_first);
    world.observed.jenkins.queue.clear();
    let intent = mita::state::Intent {
        name: create.name.clone(),
        template: create.template.clone(),
        config: String::new(),
        provider: create.provider.clone(),
        zone: None,
        image: None,
        at: world.now(),
        server_id: None,
        made_for: None,
    };
    world.state.intents.insert(create.id.clone(), intent);
    waiting(&mut world, &create.name);
    for _ in 0..3 {
        let plan = world.pass(mins(1));
        assert!(
            plan.removals.is_empty() && plan.orphan_nodes.is_empty(),
            "the intent is open"
        );
    }
    assert!(world.pass(mins(1)).removals.is_empty(), "seen without a server once");
    let plan = world.pass(mins(1));
    assert_eq!(plan.removals.len(), 1, "{plan:?}");
    assert!(plan.removals[0].server.is_none() && plan.removals[0].node.is_some());
}

#[test]
fn a_nodes_name_alone_is_no_proof_before_its_server_may_have_come() {
    let mut world = inbound();
    waiting(&mut world, "small__0123456789ab");
    let mut gone_after = 0;
    while world.pass(mins(1)).removals.is_empty() {
        gone_after += 1;
        assert!(gone_after < 30);
    }
    assert!(gone_after >= 15, "{gone_after}");
    let mut world = inbound();
    world.config.templates[0].register = Register::Own;
    waiting(&mut world, "small__0123456789ab");
    world.pass(mins(1));
    assert_eq!(
        world.pass(mins(1)).removals.len(),
        1,
        "nothing but a lost node looks like that"
    );
}
