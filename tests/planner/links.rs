//! Which agent is whose, under every name that agents choose, while clouds forget addresses and servers and people edit
//! labels: nothing busy ever goes.

use mita::config::Register;
use mita::model::{Address, NodeName, Presence, Server, ServerStatus};
use mita::plan::{Plan, Targets, agent_of, destroy};
use mita::state::Phase;

use crate::world::{CLOUD, World, busy, id, marked, mins, offline, removed, secs, template, with, world};

/// Every form of a name in which the agent of the server `small__000000000001` at 10.0.0.2 may join.
const FORMS: [&str; 13] = [
    "small__000000000001",
    "SMALL__000000000001",
    "agent-000000000001-b",
    "small__000000000001-1a2b3c4d",
    "10.0.0.9+small__000000000001",
    "small+10.0.0.2",
    "10.0.0.2+small",
    "10.0.0.2+small__0a1b2c3d-4e5f-4a6b-8c7d-0123456789ab",
    "small-10.0.0.2",
    "small+10-0-0-2",
    "10.0.0.2",
    "ip-10-0-0-2",
    "builder+10.0.0.2",
];

/// What is changed of a server, and by which word it is said.
type Change<'f> = (&'static str, &'f dyn Fn(&mut World, &str));

/// A node with the labels that its template promises.
fn agent<'w>(world: &'w mut World, name: &str) -> &'w mut mita::model::Computer {
    let labels = [name, "small", "linux"].map(str::to_owned).to_vec();
    let node = world.node(name, 1);
    node.labels = Some(labels);
    node
}

fn linked(plan: &Plan, server: &str) -> Option<String> {
    let row = plan.servers.iter().find(|row| row.name == server)?;
    row.jenkins_node.as_ref().map(NodeName::to_string)
}

/// Makes passes of a minute; returns the servers that they remove.
fn minutes(world: &mut World, count: usize) -> Vec<String> {
    let mut gone = Vec::new();
    for _ in 0..count {
        gone.extend(removed(&world.pass(mins(1))).into_iter().map(str::to_owned));
    }
    gone
}

#[test]
fn an_agent_is_known_under_every_name_that_agents_choose() {
    for name in FORMS {
        let mut world = world();
        let server = world.server("small", 1, mins(3));
        busy(agent(&mut world, name));
        assert_eq!(linked(&world.plan(), &server).as_deref(), Some(name));
        assert!(minutes(&mut world, 60).is_empty(), "{name}");
    }
}

#[test]
fn an_agent_may_be_named_by_the_clouds_id_of_its_server() {
    const UUID: &str = "0a1b2c3d-4e5f-4a6b-8c7d-0123456789ab";
    for name in [
        UUID.to_owned(),
        UUID.to_uppercase(),
        format!("agent-{UUID}.example.com"),
    ] {
        let mut world = world();
        let server = world.server("small", 1, mins(3));
        world.server_mut(&server).id = UUID.into();
        let node = agent(&mut world, &name);
        node.labels = Some(vec![name.clone()]);
        busy(node);
        assert_eq!(linked(&world.plan(), &server).as_deref(), Some(name.as_str()));
        assert!(minutes(&mut world, 60).is_empty(), "{name}");
    }
    // An id of our form is the better word.
    let mut world = world();
    let [first, second] = [world.server("small", 1, mins(3)), world.server("small", 2, mins(3))];
    world.server_mut(&first).id = UUID.into();
    let name = format!("small__000000000002-{UUID}");
    busy(agent(&mut world, &name));
    let plan = world.plan();
    assert_eq!((linked(&plan, &first), linked(&plan, &second)), (None, Some(name)));
}

#[test]
fn a_busy_agent_keeps_its_server_while_the_cloud_forgets_its_addresses() {
    for name in FORMS {
        let mut world = world();
        let server = world.server("small", 1, mins(30));
        busy(agent(&mut world, name));
        world.pass(mins(1));
        world.server_mut(&server).addresses.clear();
        assert_eq!(linked(&world.plan(), &server).as_deref(), Some(name));
        assert!(minutes(&mut world, 120).is_empty(), "{name}");
        // Idle again, it goes as any other.
        let node = world.node_mut(name);
        (node.idle, node.idle_executors) = (true, 1);
        assert_eq!(minutes(&mut world, 41), [server], "{name}");
    }
}

#[test]
fn a_lost_floating_address_loses_no_link() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    let floating = Address {
        ip: "198.51.100.7".parse().unwrap(),
        floating: true,
    };
    world.server_mut(&server).addresses.push(floating);
    busy(agent(&mut world, "small+198.51.100.7"));
    world.pass(mins(1));
    world.server_mut(&server).addresses.pop();
    assert!(minutes(&mut world, 60).is_empty());
}

#[test]
fn addresses_that_all_vanish_at_once_lose_nothing() {
    let mut world = world();
    let servers: Vec<String> = (1..=8).map(|number| world.server("small", number, mins(30))).collect();
    for number in 2..=9 {
        busy(agent(&mut world, &format!("small+10.0.0.{number}")));
    }
    world.pass(mins(1));
    for server in &servers {
        world.server_mut(server).addresses.clear();
    }
    assert!(minutes(&mut world, 60).is_empty());
    // Without a memory nobody knows which is whose: as many servers stay as agents work.
    world.state = mita::state::State {
        gaps: vec![60; 10],
        ..mita::state::State::default()
    };
    assert!(minutes(&mut world, 60).is_empty());
}

#[test]
fn the_guard_counts_an_agent_once() {
    let mut world = world();
    for number in 1..=8 {
        world.server("small", number, mins(30));
        world.node(&format!("small+10.0.0.{}", number + 1), 1);
    }
    world.pass(mins(1));
    // A reply of Jenkins lacks the nodes that were linked, and others, of servers that are gone, are still there.
    world.observed.jenkins.computers.clear();
    world.node("(built-in)", 0).built_in = true;
    world.pass(mins(6));
    let plan = world.plan();
    assert_eq!(removed(&plan), Vec::<&str>::new());
    assert!(
        plan.notes.iter().any(|note| note.contains("8 removals out of 8 nodes")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn labels_that_people_edit_lose_no_link() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    busy(agent(&mut world, "builder+10.0.0.2"));
    world.pass(mins(1));
    world.node_mut("builder+10.0.0.2").labels = Some(vec!["linux".to_owned()]);
    assert_eq!(linked(&world.plan(), &server).as_deref(), Some("builder+10.0.0.2"));
    assert!(minutes(&mut world, 60).is_empty());
}

#[test]
fn an_address_alone_holds_the_server_and_never_touches_the_node() {
    let mut world = world();
    let server = world.server("small", 1, mins(3));
    busy(agent(&mut world, "builder+10.0.0.2"));
    world.node_mut("builder+10.0.0.2").labels = Some(vec!["linux".to_owned()]);
    assert_eq!(linked(&world.plan(), &server), None);
    assert!(minutes(&mut world, 120).is_empty());
    let plan = world.plan();
    assert!(plan.removals.is_empty() && plan.unmarks.is_empty() && plan.drains.is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("\"builder+10.0.0.2\" works at its address but"))
    );
    // By hand it takes the operator's word.
    let ask = |world: &World, force| {
        let names = [server.clone()];
        destroy(
            &world.observed,
            &world.config,
            &world.state,
            &world.context,
            &Targets::Names(names.to_vec()),
            force,
        )
    };
    assert!(ask(&world, false).warnings[0].contains("may be its agent (--force"));
    let forced = ask(&world, true);
    assert_eq!(removed(&forced), [server.as_str()]);
    assert!(forced.removals[0].node.is_none());
    // An idle one that is online holds it, too; one that is offline does not.
    let node = world.node_mut("builder+10.0.0.2");
    (node.idle, node.idle_executors) = (true, 1);
    assert!(minutes(&mut world, 20).is_empty());
    offline(world.node_mut("builder+10.0.0.2"));
    assert_eq!(minutes(&mut world, 1), [server]);
}

#[test]
fn one_in_error_is_held_by_no_address() {
    let mut world = world();
    let server = world.server("small", 1, mins(3));
    busy(world.node("x-10.0.0.2", 1));
    world.node_mut("x-10.0.0.2").labels = Some(Vec::new());
    world.server_mut(&server).status = ServerStatus::Error;
    assert_eq!(removed(&world.plan()), [server.as_str()]);
}

#[test]
fn a_name_with_another_id_of_ours_is_nobody_else_s() {
    for name in ["10.0.0.2+small__00000000000f", "small__00000000000f-10.0.0.2"] {
        let mut world = world();
        let server = world.server("small", 1, mins(30));
        agent(&mut world, name);
        let plan = world.pass(mins(1));
        assert_eq!(linked(&plan, &server), None, "{name}");
        // It works at the address, which only holds the server.
        assert!(minutes(&mut world, 30).is_empty(), "{name}");
        offline(world.node_mut(name));
        assert_eq!(removed(&world.plan()), [server.as_str()], "{name}");
    }
}

#[test]
fn a_remembered_node_that_is_another_server_s_by_now_is_that_one_s() {
    let mut world = world();
    let old = world.server("small", 1, mins(30));
    agent(&mut world, "small+10.0.0.2");
    world.pass(mins(1));
    world.server_mut(&old).addresses.clear();
    let new = world.server("small", 2, mins(1));
    world.server_mut(&new).addresses = vec![Address::fixed("10.0.0.2".parse().unwrap())];
    let plan = world.plan();
    assert_eq!(linked(&plan, &new).as_deref(), Some("small+10.0.0.2"));
    assert_eq!(linked(&plan, &old).as_deref(), None);
}

#[test]
fn a_node_at_the_address_of_another_owner_s_server_too_is_left_alone() {
    let mut world = world();
    let server = world.server("small", 1, mins(3));
    let theirs = world.server("small", 2, mins(3));
    let other = world.server_mut(&theirs);
    other.mark.as_mut().unwrap().owner = "other".to_owned();
    other.addresses = vec![Address::fixed("10.0.0.2".parse().unwrap())];
    agent(&mut world, "small+10.0.0.2");
    let plan = world.plan();
    assert_eq!(linked(&plan, &server), None);
    assert!(
        minutes(&mut world, 120).is_empty(),
        "the node works: it may be the agent of either"
    );
}

#[test]
fn the_longest_template_in_a_name_is_meant() {
    let mut world = with(vec![template("small", &["small"]), template("small-gpu", &["gpu"])]);
    let small = world.server("small", 1, mins(3));
    world.node("small-gpu+10.0.0.2", 1).labels = Some(vec!["gpu".to_owned()]);
    assert_eq!(linked(&world.plan(), &small), None);
}

#[test]
fn a_node_that_blinks_costs_nothing_before_the_offline_grace() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    busy(agent(&mut world, "small__000000000001-1a2b3c4d"));
    world.pass(secs(15));
    world.lose_node("small__000000000001-1a2b3c4d");
    for _ in 0..19 {
        assert!(world.pass(secs(15)).removals.is_empty());
    }
    busy(agent(&mut world, "small__000000000001-9f8e7d6c"));
    assert!(minutes(&mut world, 60).is_empty());
    world.lose_node("small__000000000001-9f8e7d6c");
    assert!(minutes(&mut world, 5).is_empty());
    assert_eq!(minutes(&mut world, 1), [server]);
}

#[test]
fn a_disconnected_node_is_a_person_s_whoever_asks() {
    for class in [
        "hudson.slaves.OfflineCause$UserCause",
        "hudson.slaves.OfflineCause$ByCLI",
    ] {
        let mut world = world();
        let server = world.up("small", 1, mins(30));
        world.pass(mins(1));
        let node = world.node_mut(&server);
        (node.offline, node.offline_class) = (true, Some(class.to_owned()));
        assert!(minutes(&mut world, 120).is_empty(), "{class}");
        let plan = destroy(
            &world.observed,
            &world.config,
            &world.state,
            &world.context,
            &Targets::Names(vec![server]),
            true,
        );
        assert!(
            plan.removals.is_empty() && plan.warnings[0].contains("a person took"),
            "{:?}",
            plan.warnings
        );
    }
}

#[test]
fn a_dead_server_that_its_node_keeps_is_said_at_once() {
    let shutoff =
        |world: &mut World, name: &str| world.server_mut(name).status = ServerStatus::Other("SHUTOFF".to_owned());
    let error = |world: &mut World, name: &str| world.server_mut(name).status = ServerStatus::Error;
    let gone = |world: &mut World, name: &str| world.lose_server(name);
    let changes: [Change<'_>; 3] = [("SHUTOFF", &shutoff), ("ERROR", &error), ("gone", &gone)];
    for (word, change) in changes {
        let mut world = world();
        let server = world.up("small", 1, mins(30));
        busy(world.node_mut(&server));
        world.pass(mins(1));
        change(&mut world, &server);
        offline(world.node_mut(&server));
        let plan = world.pass(mins(1));
        assert!(plan.removals.is_empty(), "{word}");
        assert_eq!(plan.news.len(), 1, "{word}: {:?}", plan.news);
        let said = &plan.news[0];
        for part in [word, server.as_str(), "abort its builds"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        // Once a day, not once a pass.
        let mut again = 0;
        for _ in 0..1440 {
            again += world.pass(mins(1)).news.len();
        }
        assert_eq!(again, 1, "{word}");
    }
}

#[test]
fn a_person_s_node_on_a_dead_server_is_said_too() {
    let mut world = world();
    let server = world.up("small", 1, mins(30));
    world.pass(mins(1));
    marked(world.node_mut(&server), "mine", "hudson.slaves.OfflineCause$UserCause");
    world.server_mut(&server).status = ServerStatus::Error;
    let plan = world.pass(mins(1));
    assert!(plan.removals.is_empty());
    assert!(plan.news[0].contains("a person took it offline"), "{:?}", plan.news);
}

#[test]
fn servers_that_a_list_lacks_count_until_the_cloud_says_that_they_are_gone() {
    let mut world = world();
    world.config.templates[0].max = 3;
    let servers: Vec<String> = (1..=3).map(|number| world.up("small", number, mins(30))).collect();
    for server in &servers {
        busy(world.node_mut(server));
    }
    world.pass(mins(1));
    world.items(3, "linux");
    let mut hidden: Vec<Server> = Vec::new();
    for server in &servers {
        hidden.extend(world.hide_server(server).into_iter().map(|(_, server)| server));
    }
    for _ in 0..30 {
        let plan = world.pass(mins(1));
        assert!(plan.creates.is_empty() && plan.removals.is_empty());
        assert_eq!(plan.lookups.len(), 3, "each is to be asked for");
    }
    // Any other answer than its own 404 keeps them.
    for server in &hidden {
        let answer = Presence::NotKnown("500".to_owned());
        world.cloud(CLOUD).looked_up.insert(server.id.clone(), answer);
    }
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.lookups.len(), plan.servers.len()), (0, 0, 3));
    for server in &hidden {
        world.cloud(CLOUD).looked_up.insert(server.id.clone(), Presence::Gone);
    }
    let plan = world.plan();
    assert_eq!(
        (plan.creates.len(), plan.servers.len()),
        (3, 0),
        "gone, even against an online node"
    );
}

#[test]
fn booting_servers_that_a_list_lacks_are_not_made_again() {
    let mut world = world();
    world.items(3, "linux");
    let plan = world.pass(secs(15));
    assert_eq!(plan.creates.len(), 3);
    for (number, create) in plan.creates.iter().enumerate() {
        let name = world.server("small", 20 + number as u64, secs(1));
        let server = world.server_mut(&name);
        server.status = ServerStatus::Build;
        server.name.clone_from(&create.name);
        server.mark.as_mut().unwrap().id = Some(create.id.clone());
    }
    world.pass(secs(15));
    let names: Vec<String> = plan.creates.iter().map(|create| create.name.clone()).collect();
    for name in &names {
        world.hide_server(name);
    }
    for _ in 0..20 {
        assert!(world.pass(secs(30)).creates.is_empty());
    }
}

#[test]
fn at_most_twenty_servers_are_asked_for_and_others_in_each_pass() {
    let mut world = world();
    world.config.templates[0].max = 200;
    for number in 1..=60 {
        world.up("small", number, mins(30));
    }
    world.pass(mins(1));
    world.cloud(CLOUD).servers.clear();
    let mut asked = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let plan = world.pass(mins(1));
        assert_eq!(plan.lookups.len(), 20);
        asked.extend(plan.lookups);
    }
    assert_eq!(asked.len(), 60, "none waits for ever");
}

#[test]
fn one_that_mita_deleted_is_gone_when_the_list_lacks_it() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    let mut state = world.pass(mins(1)).state;
    state.nodes.get_mut(&id(1)).unwrap().deleted = true;
    world.state = state;
    world.hide_server(&server);
    let plan = world.plan();
    assert!(plan.servers.is_empty() && plan.lookups.is_empty());
}

#[test]
fn a_delete_is_repeated_while_the_server_is_listed_and_said_after_ten_minutes() {
    for status in [ServerStatus::Active, ServerStatus::Error] {
        let mut world = world();
        let server = world.server("small", 1, mins(30));
        let mut state = world.pass(mins(1)).state;
        let memory = state.nodes.get_mut(&id(1)).unwrap();
        (memory.deleted, memory.phase) = (true, Phase::Deleting);
        memory.deleting_since = Some(world.now());
        world.state = state;
        let listed = world.server_mut(&server);
        (listed.status, listed.task_state) = (status, Some("deleting".to_owned()));
        let mut said = 0;
        for minute in 1..=60 {
            let plan = world.pass(mins(1));
            assert_eq!(removed(&plan), [server.as_str()], "minute {minute}");
            assert!(!plan.removals[0].server.as_ref().unwrap().look_first);
            said += plan
                .news
                .iter()
                .filter(|news| news.contains("still there more than 10m"))
                .count();
            assert_eq!(said, usize::from(minute >= 12), "minute {minute}: {:?}", plan.news);
        }
    }
}

#[test]
fn what_somebody_else_deletes_is_left_alone_unless_it_takes_long() {
    let mut world = world();
    let server = world.up("small", 1, mins(30));
    world.pass(mins(1));
    world.server_mut(&server).task_state = Some("deleting".to_owned());
    assert!(minutes(&mut world, 11).is_empty());
    assert_eq!(minutes(&mut world, 1), [server]);
}

#[test]
fn a_server_whose_inbound_node_was_deleted_goes_in_the_second_pass() {
    let mut world = world();
    world.config.templates[0].register = Register::Inbound;
    let server = world.server("small", 1, mins(2));
    offline(world.node(&server, 1));
    world.pass(mins(1));
    world.lose_node(&server);
    world.items(1, "linux");
    let plan = world.pass(mins(1));
    assert!(plan.removals.is_empty());
    assert_eq!(plan.creates.len(), 1, "it is no supply any more");
    world.observed.jenkins.queue.clear();
    assert_eq!(removed(&world.plan()), [server.as_str()]);
}

#[test]
fn the_last_look_is_by_the_link() {
    for (name, labels, is_its_own) in [
        ("small+10.0.0.2", &["other"][..], Some(true)),
        ("10.0.0.2", &["small", "linux"], Some(true)),
        ("builder+10.0.0.2", &["other"], Some(false)),
        ("000000000001", &[], Some(true)),
        ("builder+10.0.0.3", &["small", "linux"], None),
    ] {
        let mut world = world();
        let server = world.server("small", 1, mins(30));
        world.node(name, 1).labels = Some(labels.iter().map(ToString::to_string).collect());
        let (provider, id) = (CLOUD.into(), world.server_mut(&server).id.clone());
        let agent = agent_of(
            &world.observed,
            &world.config,
            &world.state,
            &world.context,
            &provider,
            &id,
        );
        assert_eq!(agent.map(|agent| agent.is_its_own), is_its_own, "{name}");
    }
}

#[test]
fn demand_and_planner_share_the_link() {
    for name in [
        "small__000000000001-1a2b3c4d",
        "10.0.0.9+small__000000000001",
        "builder+10.0.0.2",
    ] {
        let mut world = world();
        world.config.templates[0].max = 20;
        world.server("small", 1, mins(30));
        offline(agent(&mut world, name));
        let labels = [name, "small", "linux", "extra"].map(str::to_owned).to_vec();
        world.node_mut(name).labels = Some(labels);
        world.pass(mins(1));
        for item in 0..10 {
            world.items(1, "linux");
            let item = &mut world.observed.jenkins.queue[item];
            item.why = Some(format!("‘{name}’ is offline").into());
            item.task_class =
                Some("org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask".into());
            item.label = mita::model::TaskLabel::Absent;
        }
        let plan = world.plan();
        assert_eq!(plan.creates.len(), 10, "{name}: {:?}", plan.unmet);
    }
}

#[test]
fn what_a_list_of_an_executable_lacks_twice_is_gone() {
    let mut world = world();
    let provider = world.config.providers.get_mut(CLOUD).unwrap();
    provider.kind = &mita::provider::exec::settings::KIND;
    provider.settings = Box::new(mita::provider::exec::program::ExecProgram {
        provider: CLOUD.to_owned(),
        owner: "test".to_owned(),
        program: "/bin/true".into(),
        arguments: Vec::new(),
        folder: "/".into(),
        inherited: std::collections::BTreeMap::new(),
        environment: std::collections::BTreeMap::new(),
        timeout: mins(1),
        max_output: 1 << 20,
    });
    let server = world.server("small", 1, mins(30));
    world.node(&server, 1);
    world.pass(mins(1));
    world.hide_server(&server);
    let plan = world.pass(mins(1));
    assert_eq!((plan.servers.len(), plan.lookups.len()), (1, 0));
    assert!(world.pass(mins(1)).servers.is_empty());
}

#[test]
fn a_hold_is_remembered_while_the_cloud_forgets_the_address() {
    let mut world = world();
    let server = world.server("small", 1, mins(3));
    busy(world.node("ip-10-0-0-2", 1));
    world.node_mut("ip-10-0-0-2").labels = Some(vec!["linux".to_owned()]);
    world.pass(mins(1));
    world.server_mut(&server).addresses.clear();
    assert!(minutes(&mut world, 120).is_empty());
    world.lose_node("ip-10-0-0-2");
    assert_eq!(minutes(&mut world, 1), [server], "only while the node is there");
}

#[test]
fn a_node_with_another_id_holds_the_server_at_its_address() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    busy(agent(&mut world, "10.0.0.2+small__00000000000f"));
    assert_eq!(linked(&world.plan(), &server), None);
    assert!(minutes(&mut world, 120).is_empty());
}

#[test]
fn a_node_at_the_address_keeps_a_server_whose_own_node_is_offline() {
    let mut world = world();
    let server = world.up("small", 1, mins(30));
    world.pass(mins(1));
    offline(world.node_mut(&server));
    busy(world.node("ip-10-0-0-2", 1));
    world.node_mut("ip-10-0-0-2").labels = Some(Vec::new());
    assert!(minutes(&mut world, 60).is_empty());
}

#[test]
fn the_last_look_knows_busy_nodes_at_unknown_addresses() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    world.server_mut(&server).addresses.clear();
    world.pass(mins(1));
    world.node("small+10.9.9.9", 1);
    assert_eq!(removed(&world.plan()), [server.as_str()], "an idle one holds nothing");
    busy(world.node_mut("small+10.9.9.9"));
    let (provider, id) = (CLOUD.into(), world.server_mut(&server).id.clone());
    let agent = agent_of(
        &world.observed,
        &world.config,
        &world.state,
        &world.context,
        &provider,
        &id,
    );
    let found = agent.unwrap();
    assert_eq!(found.node.as_str(), "small+10.9.9.9");
    assert!(!found.is_its_own, "it may be another server's");
}

#[test]
fn a_server_that_loses_its_marks_or_its_name_counts_on() {
    let unmarked = |server: &mut Server| server.mark = None;
    let renamed = |server: &mut Server| "pet".clone_into(&mut server.name);
    let changes: [fn(&mut Server); 2] = [unmarked, renamed];
    for change in changes {
        let mut world = world();
        world.config.templates[0].max = 1;
        let server = world.up("small", 1, mins(30));
        busy(world.node_mut(&server));
        world.pass(mins(1));
        change(world.server_mut(&server));
        world.items(1, "linux");
        let plan = world.plan();
        assert_eq!((plan.creates.len(), plan.removals.len(), plan.servers.len()), (0, 0, 1));
        assert!(
            plan.notes
                .iter()
                .any(|note| note.contains("it counts, and mita does not")),
            "{:?}",
            plan.notes
        );
        assert!(
            plan.news.iter().all(|news| !news.contains("is gone")),
            "{:?}",
            plan.news
        );
    }
}

#[test]
fn agents_that_are_to_come_back_are_supply_whether_their_node_is_listed_or_not() {
    let mut world = world();
    world.observed.jenkins.session = Some("one".to_owned());
    let server = world.up("small", 1, mins(30));
    world.pass(mins(1));
    world.observed.jenkins.session = Some("two".to_owned());
    world.lose_node(&server);
    world.items(1, "linux");
    assert!(world.pass(mins(1)).creates.is_empty());
    world.later(mins(5));
    assert_eq!(world.plan().creates.len(), 1, "for restart_grace");
}

#[test]
fn a_server_in_error_that_is_being_deleted_gets_its_delete_in_each_pass() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    world.pass(mins(1));
    let listed = world.server_mut(&server);
    (listed.status, listed.task_state) = (ServerStatus::Error, Some("deleting".to_owned()));
    assert_eq!(minutes(&mut world, 3).len(), 3);
}

#[test]
fn a_server_from_the_future_is_as_old_as_what_is_known_of_it() {
    let mut world = world();
    let server = world.server("small", 1, mins(2));
    world.server_mut(&server).created = Some(world.now() + mins(60 * 24 * 365));
    assert!(minutes(&mut world, 15).is_empty());
    assert_eq!(minutes(&mut world, 2)[0], server);
}

#[test]
fn a_server_that_never_joined_and_that_a_person_holds_is_said() {
    let mut world = world();
    let server = world.server("small", 1, mins(30));
    let node = world.node(&server, 1);
    marked(node, "mine", "hudson.slaves.OfflineCause$UserCause");
    world.state.nodes.clear();
    let mut state = world.pass(mins(1)).state;
    state.nodes.get_mut(&id(1)).unwrap().joined = None;
    world.state = state;
    let plan = world.plan();
    assert!(plan.removals.is_empty());
    assert!(
        plan.news
            .iter()
            .chain(&plan.notes)
            .any(|said| said.contains("never joined and stays")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn nodes_that_somebody_deletes_each_time_cost_no_server_a_minute() {
    let mut world = world();
    world.config.templates[0].register = Register::Inbound;
    world.items(1, "linux");
    let mut made = 0;
    for minute in 0..60 {
        let plan = world.pass(mins(1));
        for name in removed(&plan) {
            world.lose_server(name);
        }
        for create in &plan.creates {
            made += 1;
            let name = world.server("small", 100 + minute, secs(1));
            let server = world.server_mut(&name);
            (server.name, server.status) = (create.name.clone(), ServerStatus::Build);
            server.mark.as_mut().unwrap().id = Some(create.id.clone());
        }
    }
    assert!((2..=8).contains(&made), "{made} servers");
}

#[test]
fn servers_that_somebody_removes_while_they_boot_hold_their_template_back() {
    let mut world = world();
    let name = world.server("small", 1, mins(1));
    world.items(1, "linux");
    world.pass(mins(1));
    world.lose_server(&name);
    let plan = world.pass(secs(15));
    assert!(plan.creates.is_empty(), "{:?}", plan.creates);
    assert!(
        plan.unmet[0]
            .reason
            .contains("removed by somebody else before it joined"),
        "{:?}",
        plan.unmet
    );
    world.later(mins(3));
    assert_eq!(world.plan().creates.len(), 1);
}
