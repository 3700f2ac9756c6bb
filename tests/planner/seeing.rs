//! What is ours, which node belongs to which server, and what a lost memory may not do.

use mita::model::{Address, NodeName, ServerId};
use mita::plan::{eligible, plan, why_not};
use mita::queue::LabelRequest;
use mita::state::{Phase, State};

use crate::world::{CLOUD, busy, found, mins, offline, removed, secs, template, with, world};

fn linked(world: &crate::world::World, server: &str) -> Option<String> {
    let plan = world.plan();
    let row = plan
        .servers
        .iter()
        .find(|row| row.name == server)
        .expect("no such server");
    row.jenkins_node.as_ref().map(NodeName::to_string)
}

#[test]
fn an_address_alone_makes_no_node_ours() {
    // The template "small" has the labels small and linux.
    for (node, labels, fits) in [
        ("small+10.0.0.2", &["other"][..], true),
        ("agent+10.0.0.2", &["agent+10.0.0.2", "linux", "small", "more"], true),
        ("builder+10.0.0.2", &["builder+10.0.0.2", "linux"], false),
        ("big+10.0.0.2", &["big", "arm"], false),
    ] {
        let mut world = world();
        let server = world.server("small", 1, mins(3));
        let labels = labels.iter().map(ToString::to_string).collect();
        world.node(node, 1).labels = Some(labels);
        assert_eq!(linked(&world, &server), fits.then(|| node.to_owned()), "{node}");
    }
}

#[test]
fn a_node_belongs_to_the_server_of_its_name_id_or_address() {
    for (node, fits) in [
        ("small__000000000001", true),
        ("agent-000000000001-b", true),
        ("small+10.0.0.2", true),
        ("any+thing+10.0.0.2", false),
        ("small+10.0.0.3", false),
        ("small+", false),
        ("10.0.0.2", false),
        ("000000000002", false),
    ] {
        let mut world = world();
        let server = world.server("small", 1, mins(3));
        world.node(node, 1);
        assert_eq!(linked(&world, &server), fits.then(|| node.to_owned()), "{node}");
    }
}

#[test]
fn nodes_of_several_templates_are_found_by_their_addresses() {
    let mut world = with(vec![template("big", &["big"]), template("small", &["small"])]);
    let servers = [
        world.server("big", 1, mins(3)),
        world.server("big", 2, mins(3)),
        world.server("small", 3, mins(3)),
    ];
    let nodes = ["big+10.0.0.2", "big+10.0.0.3", "small+10.0.0.4"];
    // The last stands at an address of ours, and is not ours.
    for node in nodes.into_iter().chain(["zeta+10.0.0.2"]) {
        let label = node.split('+').next().unwrap().to_owned();
        world.node(node, 1).labels = Some([label].into());
    }
    for (server, node) in servers.iter().zip(nodes) {
        assert_eq!(linked(&world, server).as_deref(), Some(node));
    }
    assert_eq!(world.plan().notes, Vec::<String>::new());
}

#[test]
fn an_ipv6_address_is_written_with_dashes() {
    for (node, fits) in [
        ("small+2001-db8--1", true),
        ("small+2001-0db8-0-0-0-0-0-1", true),
        ("small+2001-db8--2", false),
    ] {
        let mut world = world();
        let server = world.server("small", 1, mins(3));
        world
            .server_mut(&server)
            .addresses
            .push(Address::fixed("2001:db8::1".parse().unwrap()));
        world.node(node, 1);
        assert_eq!(linked(&world, &server), fits.then(|| node.to_owned()), "{node}");
    }
}

#[test]
fn the_name_goes_before_the_address() {
    let mut world = world();
    let server = world.server("small", 1, mins(3));
    world.node("small+10.0.0.2", 1);
    world.node(&server, 1);
    assert_eq!(linked(&world, &server), Some(server.clone()));
}

#[test]
fn work_at_the_address_of_a_server_keeps_the_server() {
    let mut world = world();
    let server = world.server("small", 1, mins(90));
    busy(world.node("small+10.0.0.2", 1));
    world.node(&server, 1);
    for _ in 0..9 {
        let plan = world.pass(mins(9));
        assert_eq!((plan.removals.len(), plan.notes.len()), (0, 1));
    }
}

#[test]
fn what_fits_twice_is_not_touched() {
    let mut world = world();
    world.add_cloud("spare");
    let a = world.server("small", 1, mins(90));
    let b = world.server_at("spare", "small", 2, mins(90));
    world.server_mut(&b).addresses = vec![Address::fixed("10.0.0.2".parse().unwrap())];
    offline(world.node("small+10.0.0.2", 1));
    for _ in 0..3 {
        let plan = world.pass(mins(9));
        assert_eq!(
            (plan.removals.len(), plan.notes.len(), plan.orphan_nodes.len()),
            (0, 1, 0)
        );
        assert!(
            plan.servers
                .iter()
                .all(|row| row.phase == Phase::Orphan && row.jenkins_node.is_none())
        );
    }
    let mut world = crate::world::world();
    world.server("small", 1, mins(90));
    world.node("x-000000000001", 1);
    world.node("y-000000000001", 1);
    world.items(1, "linux");
    for _ in 0..3 {
        let plan = world.pass(mins(9));
        assert_eq!(
            (plan.removals.len(), plan.creates.len(), plan.notes.len()),
            (0, 0, 2),
            "{:?}",
            plan.notes
        );
    }
    assert_eq!(a, "small__000000000001");
}

#[test]
fn two_servers_with_one_id_both_count_and_neither_is_touched() {
    let mut world = world();
    world.add_cloud("spare");
    world.config.templates[0].max = 2;
    let name = world.server("small", 1, mins(90));
    world.server_at("spare", "small", 1, mins(90));
    world.cloud("spare").servers[0].id = ServerId::new("another");
    offline(world.node(&name, 1));
    world.items(5, "linux");
    for _ in 0..3 {
        let plan = world.pass(mins(9));
        assert_eq!((plan.removals.len(), plan.creates.len(), plan.servers.len()), (0, 0, 2));
        assert_eq!(plan.templates[0].servers, 2);
        assert!(
            plan.notes.iter().any(|note| note.contains("have one id")),
            "{:?}",
            plan.notes
        );
        assert!(plan.orphan_nodes.is_empty());
    }
}

#[test]
fn two_providers_that_are_one_place_are_warned_of() {
    let mut world = world();
    world.add_cloud("spare");
    for number in 1..=3 {
        world.server("small", number, mins(90));
        world.server_at("spare", "small", number, mins(90));
    }
    for pass in 0..3 {
        let plan = world.pass(mins(9));
        assert_eq!((plan.removals.len(), plan.notes.len()), (0, 1));
        let sentence = "the providers \"openstack\" and \"spare\" list the same servers: they are one place, and nothing \
                        there is removed; keep one of the two entries";
        assert_eq!(found(&plan), [sentence]);
        assert_eq!(plan.news.len(), usize::from(pass == 0), "{:?}", plan.news);
    }
}

#[test]
fn a_server_listed_twice_is_one() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    let twice = world.server_mut(&name).clone();
    world.cloud(CLOUD).servers.push(twice);
    let plan = world.plan();
    assert_eq!((plan.servers.len(), plan.servers[0].phase), (1, Phase::Idle));
}

#[test]
fn phases() {
    let mut world = world();
    world.config.templates[0].executors = 2;
    let name = world.server("small", 1, mins(3));
    let phase = |world: &crate::world::World| world.plan().servers[0].phase;
    assert_eq!(phase(&world), Phase::Booting);
    offline(world.node(&name, 2));
    assert_eq!(phase(&world), Phase::Booting, "a node that is not connected yet");
    world.node_mut(&name).offline = false;
    assert_eq!(phase(&world), Phase::Idle);
    world.node_mut(&name).idle = false;
    world.node_mut(&name).idle_executors = 1;
    assert_eq!(phase(&world), Phase::Online);
    busy(world.node_mut(&name));
    assert_eq!(phase(&world), Phase::Busy);
    let row = &world.plan().templates[0];
    assert_eq!((row.servers, row.booting, row.idle, row.busy), (1, 0, 0, 1));
    world.pass(secs(60));
    offline(world.node_mut(&name));
    assert_eq!(phase(&world), Phase::Offline);
    world.lose_node(&name);
    assert_eq!(phase(&world), Phase::Orphan);
}

#[test]
fn a_lost_state_file_removes_nothing_that_lives() {
    let mut world = world();
    for number in 1..=3 {
        world.up("small", number, mins(90));
    }
    offline(world.node_mut("small__000000000002"));
    world.lose_node("small__000000000003");
    world.state = State::default();
    for _ in 0..2 {
        let plan = world.plan();
        assert_eq!(plan.removals.len(), 0);
        world.state = State::default();
        world.later(mins(20));
    }
    // With a memory again, what is really lost goes in its time.
    world.pass(secs(60));
    assert_eq!(removed(&world.plan()), ["small__000000000003"]);
    world.pass(mins(6));
    assert_eq!(removed(&world.plan()), ["small__000000000002", "small__000000000003"]);
}

#[test]
fn a_memory_of_a_server_that_is_gone_is_dropped() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    assert_eq!(world.pass(secs(60)).state.nodes.len(), 1);
    world.lose_server(&name);
    world.lose_node(&name);
    assert_eq!(world.pass(secs(60)).state.nodes.len(), 0);
}

#[test]
fn a_provider_that_is_no_longer_configured_is_forgotten_with_a_warning() {
    let mut world = world();
    world.add_cloud("spare");
    let name = world.server_at("spare", "small", 1, mins(30));
    world.node(&name, 1);
    world.pass(secs(60));
    world.observed.clouds.remove("spare");
    world.config.providers.remove("spare");
    let plan = world.pass(secs(60));
    assert_eq!((plan.state.nodes.len(), plan.orphan_nodes.len()), (0, 0));
    assert!(plan.news[0].contains("no longer configured"), "{:?}", plan.news);
    assert!(world.pass(secs(60)).news.is_empty(), "said once");
}

#[test]
fn the_order_of_the_lists_does_not_matter() {
    let mut templates = vec![
        template("a", &["x", "y"]),
        template("b", &["x"]),
        template("c", &["y", "z"]),
    ];
    for template in &mut templates {
        template.max = 4;
    }
    let mut world = with(templates);
    for (number, name) in ["a", "b", "c", "a", "b"].into_iter().enumerate() {
        world.up(name, number as u64, mins(60));
    }
    world.pass(mins(41));
    for label in ["x", "y", "z", "x || z", "nothing", "y && z", "x"] {
        world.items(3, label);
    }
    let first = format!("{:?}", world.plan());
    for turn in 1..7 {
        world.observed.jenkins.queue.rotate_left(turn);
        world.observed.jenkins.computers.rotate_left(turn % 4);
        world.cloud(CLOUD).servers.rotate_left(turn % 3);
        assert_eq!(format!("{:?}", world.plan()), first);
    }
}

#[test]
fn a_wish_finds_its_templates() {
    let mut templates = vec![template("a", &["x", "y"]), template("b", &["x"])];
    templates[1].priority = 1;
    let config = with(templates).config;
    let check = |label_request: LabelRequest, expected: &[&str]| {
        let found: Vec<&str> = eligible(&label_request, &config)
            .iter()
            .map(|template| template.name.as_str())
            .collect();
        assert_eq!(found, expected, "{label_request:?}");
        for template in &config.templates {
            let because = why_not(&label_request, template);
            assert_eq!(
                because.ends_with("serves it"),
                found.contains(&template.name.as_str()),
                "{because}"
            );
        }
    };
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let like = |l: &[&str]| LabelRequest::Like {
        node: "n".into(),
        labels: labels(l).into_iter().collect(),
    };
    check(
        LabelRequest::Label(mita::labels::Label::read("x").unwrap()),
        &["b", "a"],
    );
    check(
        LabelRequest::Label(mita::labels::Label::read("x && !y").unwrap()),
        &["b"],
    );
    check(LabelRequest::Label(mita::labels::Label::read("a").unwrap()), &[]);
    check(LabelRequest::Template("a".into()), &["a"]);
    check(LabelRequest::Template("gone".into()), &[]);
    check(LabelRequest::Unlabelled, &[]);
    check(like(&["x", "y"]), &["a"]);
    check(like(&[]), &[]);
    check(LabelRequest::Values(labels(&["x"])), &["b", "a"]);
    check(LabelRequest::Values(Vec::new()), &[]);
    check(LabelRequest::GoneNode("n".into()), &[]);
    check(
        LabelRequest::Unknown {
            reason: mita::queue::Cause::Matrix.into(),
            ask: None,
        },
        &[],
    );
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let mut world = world();
    world.items(5, "linux");
    let plans: Vec<String> = (0..3)
        .map(|_| {
            format!(
                "{:?}",
                plan(&world.observed, &world.config, &world.state, &world.context)
            )
        })
        .collect();
    assert!(plans.iter().all(|plan| *plan == plans[0]));
}
