//! A whole fleet that seems to be lost at once: nothing of it goes, whatever its agents are called.

use mita::model::{Computer, NodeName};
use mita::plan::Plan;

use crate::world::{World, busy, mins, secs, world};

/// The names under which agents join that the id of their server does not show.
const NAMES: [fn(&str) -> String; 6] = [
    |ip| format!("small+{ip}"),
    |ip| format!("{ip}+small"),
    |ip| format!("{ip}+small__7d0f4c1e-9a53-4c44-8f3e-0a1b2c3d4e5f"),
    |ip| format!("small-{ip}"),
    |ip| ip.to_owned(),
    |ip| format!("ip-{}", ip.replace('.', "-")),
];

/// So many agents of one template, all under one form of name, linked and at work.
fn fleet(count: u64, name: fn(&str) -> String) -> World {
    let mut world = world();
    for number in 1..=count {
        let server = world.server("small", number, mins(30));
        let ip = world.server_mut(&server).addresses[0].ip.to_string();
        let node = world.node(&name(&ip), 1);
        busy(node);
        node.labels = Some(vec!["small".to_owned(), "linux".to_owned(), node.name.to_string()]);
    }
    world.pass(secs(60));
    world
}

fn lose_addresses(world: &mut World) {
    for server in &mut world.cloud("openstack").servers {
        server.addresses.clear();
    }
}

fn each_node(world: &mut World, change: fn(&mut Computer)) {
    world.observed.jenkins.computers.iter_mut().for_each(change);
}

fn removes(plan: &Plan) -> usize {
    plan.removals.len()
}

/// The list of the cloud loses every address of a fleet that works: a link once made holds.
#[test]
fn no_busy_agent_goes_when_all_addresses_vanish() {
    for name in NAMES {
        for count in [1, 4, 5, 8, 12] {
            let mut world = fleet(count, name);
            lose_addresses(&mut world);
            for pass in 0..20 {
                let plan = world.pass(secs(60));
                assert_eq!(removes(&plan), 0, "{}, {count} agents, pass {pass}", name("IP"));
            }
        }
    }
}

/// The same where no pass remembers the links: then all of the fleet looks absent, and the guard counts agents, not
/// servers and nodes.
#[test]
fn the_guard_counts_agents() {
    for name in NAMES {
        for (count, works) in [(5, true), (8, true), (12, true), (5, false), (8, false), (12, false)] {
            let mut world = fleet(count, name);
            lose_addresses(&mut world);
            if !works {
                each_node(&mut world, |node| {
                    node.idle = true;
                    node.idle_executors = 1;
                });
            }
            for pass in 0..20 {
                for memory in world.state.nodes.values_mut() {
                    memory.jenkins_node = None::<NodeName>;
                }
                let plan = world.pass(secs(60));
                let what = name("IP");
                assert_eq!(removes(&plan), 0, "{what}, {count} agents, busy {works}, pass {pass}");
            }
        }
    }
}

/// Every server of a fleet is missing from the list, and the cloud answers nothing when it is asked for one: all count
/// on, and none of their nodes goes.
#[test]
fn no_agent_goes_when_the_list_is_empty() {
    for name in NAMES {
        let mut world = fleet(8, name);
        world.config.templates[0].max = 8;
        world.cloud("openstack").servers.clear();
        world.items(8, "linux");
        each_node(&mut world, |node| {
            node.idle = node.name.as_str().ends_with('3');
        });
        for pass in 0..20 {
            let plan = world.pass(secs(60));
            assert_eq!(
                (removes(&plan), plan.creates.len()),
                (0, 0),
                "{}, pass {pass}",
                name("IP")
            );
        }
    }
}
