//! What is taken over without our mark: servers of the original and hand-made ones; and what stays foreign.

use jiff::SignedDuration;
use mita::config::{Adopt, Template};
use mita::model::{Address, NodeId, Reading, ResourceKind, Resources, ServerStatus};
use mita::plan::{Plan, Targets, audit, destroy, plan};
use mita::state::{Phase, State};

use crate::facts::{self, bare_mark};
use crate::world::{CLOUD, World, busy, marked, mins, offline, place, reasons, removed, secs, template, with};

const UUID: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

/// What is changed, and how.
type Change = (&'static str, fn(&mut World));

/// A template that adopts.
fn adopting(name: &str) -> Template {
    Template {
        adopt: Adopt::Yes,
        ..template(name, &[name, "linux"])
    }
}

/// A world whose template "small" adopts.
fn world() -> World {
    with(vec![adopting("small")])
}

/// Adds a server without any mark at 10.0.9.`number`; returns its name.
fn unmarked(world: &mut World, name: &str, number: u8, age: SignedDuration) -> String {
    unmarked_at(world, CLOUD, name, number, age)
}

fn unmarked_at(world: &mut World, provider: &str, name: &str, number: u8, age: SignedDuration) -> String {
    let id = format!("made-by-others-{provider}-{name}-{number}");
    let mut server = facts::server(id, name, world.now() - age);
    server.addresses = vec![Address::fixed(format!("10.0.9.{number}").parse().unwrap())];
    world.cloud(provider).servers.push(server);
    name.to_owned()
}

/// A name as the original gave it.
fn original(template: &str, number: u64) -> String {
    format!("{template}__0a1b2c3d-4e5f-4a6b-8c7d-{number:012x}")
}

fn row<'p>(plan: &'p Plan, name: &str) -> Option<&'p mita::plan::ServerRow> {
    plan.servers.iter().find(|row| row.name == name)
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.servers.iter().map(|row| row.name.as_str()).collect()
}

/// Makes passes, a minute apart; returns what they removed.
fn minutes(world: &mut World, count: usize) -> Vec<String> {
    let mut gone = Vec::new();
    for _ in 0..count {
        let plan = world.pass(mins(1));
        for name in removed(&plan) {
            gone.push(name.to_owned());
        }
        for name in &gone {
            world.lose_server(name);
        }
        for node in plan.removals.iter().filter_map(|removal| removal.node.as_ref()) {
            world.lose_node(node.name.as_str());
        }
    }
    gone
}

#[test]
fn a_server_is_taken_by_its_name_where_its_template_adopts() {
    for (name, taken) in [
        (format!("small__{UUID}"), true),
        ("small__0123456789ab".to_owned(), true),
        ("small__x".to_owned(), true),
        ("small__".to_owned(), false),
        ("small".to_owned(), false),
        (format!("small_{UUID}"), false),
        (format!("xsmall__{UUID}"), false),
        (format!("Small__{UUID}"), false),
        (format!("other__{UUID}"), false),
        (UUID.to_owned(), false),
    ] {
        let mut world = world();
        unmarked(&mut world, &name, 1, mins(3));
        assert_eq!(row(&world.plan(), &name).is_some(), taken, "{name}");
        world.config.templates[0].adopt = Adopt::No;
        assert!(world.plan().servers.is_empty(), "{name}");
    }
}

#[test]
fn the_mark_of_another_owner_is_respected() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(600));
    world.node("small+10.0.9.1", 1);
    world.server_mut(&name).mark = Some(bare_mark("another"));
    assert!(minutes(&mut world, 100).is_empty());
    assert!(world.plan().servers.is_empty());
}

#[test]
fn our_own_mark_on_a_name_that_is_not_ours_does_no_harm() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(600));
    world.server_mut(&name).mark = Some(bare_mark(&world.config.owner));
    world.node("small+10.0.9.1", 1);
    assert!(row(&world.plan(), &name).unwrap().adopted);
    assert_eq!(minutes(&mut world.clone(), 45), [name]);
    world.config.templates[0].adopt = Adopt::No;
    assert!(world.plan().servers.is_empty());
}

#[test]
fn the_longest_template_name_counts() {
    let mut world = with(vec![adopting("small"), template("small__x", &["x"])]);
    let of_small = unmarked(&mut world, &original("small", 1), 1, mins(3));
    let of_x = unmarked(&mut world, &original("small__x", 2), 2, mins(3));
    assert_eq!(names(&world.plan()), [of_small.as_str()], "small__x does not adopt");
    world.config.templates[1].adopt = Adopt::Yes;
    let plan = world.plan();
    assert_eq!(row(&plan, &of_x).unwrap().node.as_str(), "small__x");
    assert_eq!(row(&plan, &of_small).unwrap().node.as_str(), "small");
    world.config.templates.pop();
    assert_eq!(row(&world.plan(), &of_x).unwrap().node.as_str(), "small");
}

#[test]
fn a_name_of_a_template_that_does_not_stand_there_is_left_alone() {
    let mut world = world();
    world.add_cloud("second");
    unmarked_at(&mut world, "second", &original("small", 1), 1, mins(600));
    let plan = world.plan();
    assert!(plan.servers.is_empty());
    assert!(
        plan.notes.iter().any(|note| note.contains("does not stand there")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_node_of_a_template_leads_to_the_server_at_its_address() {
    for (node, taken) in [
        ("small+10.0.9.1", true),
        ("small+10.0.9.2", false),
        ("other+10.0.9.1", false),
        ("10.0.9.1", false),
        ("small-10.0.9.1", false),
        ("small+", false),
    ] {
        let mut world = world();
        unmarked(&mut world, "jenkins-box", 1, mins(600));
        world.node(node, 1);
        let plan = world.plan();
        assert_eq!(row(&plan, "jenkins-box").is_some(), taken, "{node}");
        if taken {
            let row = row(&plan, "jenkins-box").unwrap();
            assert_eq!(row.jenkins_node.as_ref().unwrap().as_str(), node);
            assert!(row.adopted && !row.outdated && row.phase == Phase::Idle);
        }
        world.config.templates[0].adopt = Adopt::No;
        assert!(world.plan().servers.is_empty(), "{node}");
        assert!(minutes(&mut world, 100).is_empty());
    }
}

#[test]
fn a_floating_address_and_one_of_ipv6_lead_to_a_server_too() {
    for (address, node) in [
        ("198.51.100.7", "small+198.51.100.7"),
        ("2001:db8::7", "small+2001-db8--7"),
    ] {
        let mut world = world();
        let name = unmarked(&mut world, "box", 1, mins(600));
        world.server_mut(&name).addresses.push(Address {
            ip: address.parse().unwrap(),
            floating: true,
        });
        world.node(node, 1);
        assert!(row(&world.plan(), "box").is_some(), "{node}");
    }
}

#[test]
fn an_address_that_two_servers_have_leads_to_none() {
    let mut world = world();
    unmarked(&mut world, "one", 1, mins(600));
    unmarked(&mut world, "two", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    let plan = world.plan();
    assert!(plan.servers.is_empty());
    assert!(
        plan.notes.iter().any(|note| note.contains("address of 2 servers")),
        "{:?}",
        plan.notes
    );
    assert!(minutes(&mut world, 100).is_empty());
}

#[test]
fn the_same_address_in_another_cloud_of_the_template_leads_to_none() {
    let mut world = world();
    world.add_cloud("second");
    unmarked(&mut world, "one", 1, mins(600));
    unmarked_at(&mut world, "second", "two", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    assert_eq!(
        names(&world.plan()),
        ["one"],
        "its template does not stand in the second"
    );
    world.config.templates[0].placements.push(place("second", None));
    assert!(world.plan().servers.is_empty());
    // Nor when the second cannot be read: it may have this address, too.
    world.close("second");
    assert!(world.plan().servers.is_empty());
}

#[test]
fn a_server_of_ours_at_the_address_is_the_one() {
    let mut world = world();
    let ours = world.server("small", 1, mins(3));
    let address = world.server_mut(&ours).addresses[0];
    unmarked(&mut world, "other", 1, mins(600));
    world.server_mut("other").addresses = vec![address];
    world.node(&format!("small+{}", address.ip), 1);
    let plan = world.plan();
    assert_eq!(names(&plan), [ours.as_str()]);
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn two_templates_at_one_address_take_nothing() {
    let mut world = with(vec![adopting("small"), adopting("big")]);
    unmarked(&mut world, "box", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    world.node("big+10.0.9.1", 1);
    let plan = world.plan();
    assert!(plan.servers.is_empty());
    assert!(
        plan.notes.iter().any(|note| note.contains("of several templates")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_server_with_the_name_of_a_template_that_does_not_adopt_stays_foreign() {
    let mut world = with(vec![adopting("small"), template("big", &["big"])]);
    unmarked(&mut world, &original("big", 1), 1, mins(600));
    world.node("small+10.0.9.1", 1);
    assert!(world.plan().servers.is_empty());
}

#[test]
fn what_was_taken_counts_and_works_and_makes_no_double() {
    let mut world = world();
    world.config.templates[0].max = 4;
    let booting = unmarked(&mut world, &original("small", 1), 1, mins(3));
    let idle = unmarked(&mut world, &original("small", 2), 2, mins(600));
    world.node("small+10.0.9.2", 1);
    world.items(2, "linux");
    let plan = world.plan();
    assert!(plan.creates.is_empty(), "one boots, one is idle: {:?}", plan.creates);
    assert_eq!(row(&plan, &booting).unwrap().phase, Phase::Booting);
    assert_eq!(row(&plan, &idle).unwrap().phase, Phase::Idle);
    world.items(3, "linux");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 2, "two more are the maximum");
    assert!(reasons(&plan)[0].contains("max of 4"), "{:?}", reasons(&plan));
}

#[test]
fn idle_counts_from_the_first_sight() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(60 * 24 * 30));
    world.node("small+10.0.9.1", 1);
    assert!(minutes(&mut world, 40).is_empty());
    assert_eq!(minutes(&mut world, 1), [name]);
    assert!(world.observed.jenkins.computers.is_empty(), "its node went first");
}

#[test]
fn a_busy_node_and_one_that_a_person_holds_stay() {
    let mut world = world();
    for (number, name) in [
        (1, original("small", 1)),
        (2, original("small", 2)),
        (3, "box".to_owned()),
    ] {
        unmarked(&mut world, &name, number, mins(600));
    }
    busy(world.node("small+10.0.9.1", 1));
    marked(
        world.node("small+10.0.9.2", 1),
        "hands off",
        "hudson.slaves.OfflineCause$UserCause",
    );
    busy(world.node("small+10.0.9.3", 1));
    assert!(minutes(&mut world, 200).is_empty());
    assert_eq!(world.plan().servers.len(), 3);
}

#[test]
fn one_that_never_joined_gets_the_benefit_of_the_doubt() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(600));
    let plan = world.pass(mins(1));
    assert!(plan.removals.is_empty(), "{:?}", plan.removals);
    assert_eq!(row(&plan, &name).unwrap().phase, Phase::Orphan);
    // Its agent comes.
    world.node("small+10.0.9.1", 1);
    assert!(minutes(&mut world, 20).is_empty());
    world.lose_node("small+10.0.9.1");
    assert_eq!(
        minutes(&mut world, 8),
        [name],
        "joined, then unknown to Jenkins for the offline_grace"
    );
}

#[test]
fn a_fleet_that_jenkins_does_not_know_is_held_by_the_guard() {
    let mut world = world();
    world.config.templates[0].adopt = Adopt::All;
    for number in 1..=6 {
        unmarked(&mut world, &original("small", number.into()), number, mins(600));
    }
    assert!(minutes(&mut world, 1).is_empty());
    let plan = world.plan();
    assert!(plan.removals.is_empty());
    assert!(
        plan.notes.iter().any(|note| note.contains("the guard holds back 6")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn busy_nodes_at_addresses_that_the_cloud_does_not_know_keep_as_many_servers() {
    let mut world = world();
    world.config.templates[0].adopt = Adopt::All;
    for number in 1..=3 {
        unmarked(&mut world, &original("small", number.into()), number, mins(600));
    }
    // Behind a router, Jenkins knows other addresses than the cloud.
    busy(world.node("small+198.51.100.1", 1));
    busy(world.node("198.51.100.2+small", 1));
    world.node("small+198.51.100.3", 1);
    let removed = minutes(&mut world, 10);
    assert_eq!(removed.len(), 1, "{removed:?}");
    world.lose_server(&removed[0]);
    let plan = world.plan();
    let held = plan
        .notes
        .iter()
        .filter(|note| note.contains("no server has the address"));
    assert_eq!(held.count(), 2, "{:?}", plan.notes);
    world.lose_node("small+198.51.100.1");
    let removed = minutes(&mut world, 2);
    assert_eq!(removed.len(), 1, "one node works, one server stays: {removed:?}");
    world.lose_server(&removed[0]);
    assert!(minutes(&mut world, 60 * 23).is_empty());
    assert_eq!(minutes(&mut world, 70).len(), 1, "for a day at most");
}

#[test]
fn one_taken_by_its_name_that_this_jenkins_never_knew_may_serve_another() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(600));
    assert!(minutes(&mut world, 60).is_empty());
    assert_eq!(row(&world.plan(), &name).unwrap().phase, Phase::Orphan, "it counts");
    let mut failed = world.clone();
    failed.server_mut(&name).status = ServerStatus::Error;
    assert_eq!(removed(&failed.plan()), [name.as_str()]);
    let mut all = world.clone();
    all.config.templates[0].adopt = Adopt::All;
    assert_eq!(removed(&all.plan()), [name.as_str()]);
}

#[test]
fn one_taken_for_its_node_is_still_known_when_the_node_is_gone() {
    let mut world = world();
    unmarked(&mut world, "box", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    assert!(minutes(&mut world, 2).is_empty());
    world.lose_node("small+10.0.9.1");
    assert_eq!(minutes(&mut world, 8), ["box"]);
}

#[test]
fn one_taken_for_its_node_is_known_while_its_cloud_is_closed() {
    let mut world = world();
    unmarked(&mut world, "box", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    world.pass(mins(1));
    world.close(CLOUD);
    let plan = world.plan();
    assert_eq!(
        row(&plan, "box").unwrap().jenkins_node.as_ref().unwrap().as_str(),
        "small+10.0.9.1"
    );
    assert!(plan.removals.is_empty());
    world.config.templates[0].adopt = Adopt::No;
    assert!(world.plan().servers.is_empty());
}

#[test]
fn what_was_taken_is_foreign_again_once_adopt_is_off() {
    let mut world = world();
    unmarked(&mut world, "box", 1, mins(600));
    let named = unmarked(&mut world, &original("small", 2), 2, mins(600));
    world.node("small+10.0.9.1", 1);
    world.node("small+10.0.9.2", 1);
    world.node(&named, 1);
    world.lose_node(&named);
    world.pass(mins(30));
    world.config.templates[0].adopt = Adopt::No;
    let plan = world.plan();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("no longer ours") && note.contains("box")),
        "{:?}",
        plan.notes
    );
    offline(world.node_mut("small+10.0.9.1"));
    assert!(minutes(&mut world, 100).is_empty());
    assert_eq!(world.observed.jenkins.computers.len(), 2, "their nodes stay, too");
    assert!(world.state.nodes.is_empty());
    assert!(world.plan().notes.is_empty());
}

#[test]
fn one_that_another_owner_marks_by_now_keeps_its_node() {
    let mut world = world();
    unmarked(&mut world, "box", 1, mins(600));
    offline(world.node("small+10.0.9.1", 1));
    world.pass(mins(1));
    world.server_mut("box").mark = Some(bare_mark("another"));
    assert!(minutes(&mut world, 100).is_empty());
    assert_eq!(world.observed.jenkins.computers.len(), 1);
}

#[test]
fn a_second_node_on_the_same_server_keeps_it() {
    for second in ["box", "small+198.51.100.7"] {
        let mut world = world();
        unmarked(&mut world, "box", 1, mins(600));
        world.server_mut("box").addresses.push(Address {
            ip: "198.51.100.7".parse().unwrap(),
            floating: true,
        });
        world.node("small+10.0.9.1", 1);
        busy(world.node(second, 1));
        assert!(minutes(&mut world, 100).is_empty(), "{second}");
        world.lose_node(second);
        assert_eq!(minutes(&mut world, 60), ["box"], "{second}");
    }
}

#[test]
fn a_node_is_known_by_the_server_s_name_and_by_its_uuid() {
    for node in [format!("small__{UUID}"), format!("agent-{UUID}"), UUID.to_owned()] {
        let mut world = world();
        let name = unmarked(&mut world, &format!("small__{UUID}"), 1, mins(600));
        world.node(&node, 1);
        let plan = world.plan();
        assert_eq!(row(&plan, &name).unwrap().jenkins_node.as_ref().unwrap().as_str(), node);
        assert_eq!(minutes(&mut world, 45), [name], "{node}");
    }
}

#[test]
fn a_node_of_the_original_without_its_server_goes_and_a_hand_made_one_stays() {
    for (node, adopt, goes) in [
        (original("small", 1), Adopt::Yes, true),
        (original("small", 1), Adopt::No, false),
        ("small+10.0.9.1".to_owned(), Adopt::Yes, false),
        ("small__docker".to_owned(), Adopt::Yes, false),
    ] {
        let mut world = world();
        world.config.templates[0].adopt = adopt;
        offline(world.node(&node, 1));
        minutes(&mut world, 5);
        assert_eq!(world.observed.jenkins.computers.is_empty(), goes, "{node} {adopt:?}");
    }
}

#[test]
fn nothing_is_learned_from_what_another_program_made() {
    let mut world = world();
    world.config.limits.canary = 1;
    let failed = unmarked(&mut world, &original("small", 1), 1, mins(600));
    world.server_mut(&failed).status = ServerStatus::Error;
    let up = unmarked(&mut world, &original("small", 2), 2, mins(600));
    busy(world.node("small+10.0.9.2", 1));
    for number in 3..=4 {
        unmarked(&mut world, &original("small", number.into()), number, mins(3));
    }
    world.items(5, "linux");
    let plan = world.plan();
    assert_eq!(removed(&plan), [failed.as_str()]);
    assert!(plan.state.backoffs.is_empty(), "{:?}", plan.state.backoffs);
    assert!(plan.state.proved.is_empty());
    assert_eq!(plan.creates.len(), 1, "one canary, beside the two that boot");
    assert_eq!(row(&plan, &up).unwrap().phase, Phase::Busy);
}

#[test]
fn a_lost_mark_keeps_the_id() {
    let mut world = world();
    let name = world.up("small", 7, mins(60));
    world.pass(mins(1));
    world.server_mut(&name).mark = None;
    let plan = world.plan();
    assert_eq!(
        plan.state.nodes.keys().collect::<Vec<_>>(),
        [&NodeId::new("000000000007")]
    );
    assert!(row(&plan, &name).unwrap().adopted);
    // Without `adopt` it counts all the same, since mita made it, and is left alone.
    world.config.templates[0].adopt = Adopt::No;
    let plan = world.plan();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("lost the name or the metadata")),
        "{:?}",
        plan.notes
    );
    assert_eq!(plan.servers.len(), 1);
    assert!(minutes(&mut world, 100).is_empty());
}

#[test]
fn destroy_finds_them_by_server_and_by_node() {
    let mut world = world();
    let name = unmarked(&mut world, &original("small", 1), 1, mins(600));
    world.node("small+10.0.9.1", 1);
    unmarked(&mut world, "box", 2, mins(600));
    world.node("small+10.0.9.2", 1);
    unmarked(&mut world, "foreign", 3, mins(600));
    let destroyed = |world: &World, asked: &str| {
        let asked = [asked.to_owned()];
        destroy(
            &world.observed,
            &world.config,
            &world.state,
            &world.context,
            &Targets::Names(asked.to_vec()),
            false,
        )
    };
    for (asked, server) in [
        (name.as_str(), name.as_str()),
        ("small+10.0.9.1", &name),
        ("box", "box"),
        ("small+10.0.9.2", "box"),
    ] {
        let plan = destroyed(&world, asked);
        assert_eq!(removed(&plan), [server], "{asked}: {:?}", plan.warnings);
        assert!(plan.removals[0].node.is_some());
        let broken = mita::plan::audit_destroy(&plan, &world.observed, &world.config, &world.state, &world.context);
        assert!(broken.is_empty(), "{broken:?}");
    }
    assert!(removed(&destroyed(&world, "foreign")).is_empty());
    world.config.templates[0].adopt = Adopt::No;
    let plan = destroyed(&world, &name);
    assert!(removed(&plan).is_empty());
    assert!(plan.warnings[0].contains("adopt: true"), "{:?}", plan.warnings);
}

#[test]
fn the_audit_refuses_what_may_not_be_taken() {
    let mut world = world();
    world.config.templates[0].idle_grace = secs(0);
    unmarked(&mut world, "box", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    let good = plan(&world.observed, &world.config, &State::default(), &world.context);
    assert_eq!(removed(&good), ["box"]);
    let broken = |world: &World| audit(&good, &world.observed, &world.config, &world.state, &world.context);
    assert!(broken(&world).is_empty());
    let changes: [Change; 5] = [
        ("adopt is off", |world| world.config.templates[0].adopt = Adopt::No),
        ("its node has another address", |world| {
            world.server_mut("box").addresses.clear();
        }),
        ("another has its address", |world| {
            unmarked(world, "other", 1, mins(1));
        }),
        ("another owner", |world| {
            world.server_mut("box").mark = Some(bare_mark("another"));
        }),
        ("its name is of a template that does not adopt", |world| {
            world.config.templates.push(template("box", &[]));
            world.server_mut("box").name = "box__1".to_owned();
        }),
    ];
    for (what, change) in changes {
        let mut world = world.clone();
        change(&mut world);
        assert!(!broken(&world).is_empty(), "{what}");
    }
}

#[test]
fn what_was_taken_does_not_hang_on_the_order_of_anything() {
    let mut world = world();
    for number in 1..=4 {
        unmarked(&mut world, &original("small", number.into()), number, mins(600));
        world.node(&format!("small+10.0.9.{number}"), 1);
    }
    unmarked(&mut world, "box", 9, mins(600));
    world.node("small+10.0.9.9", 1);
    let one = world.plan();
    world.cloud(CLOUD).servers.reverse();
    world.observed.jenkins.computers.reverse();
    let other = world.plan();
    assert_eq!(one.servers, other.servers);
    assert_eq!(one.state, other.state);
    assert_eq!(one.notes, other.notes);
}

#[test]
fn two_idle_nodes_on_one_server_are_left_to_a_person() {
    let mut world = world();
    unmarked(&mut world, "box", 1, mins(600));
    world.node("small+10.0.9.1", 1);
    world.node("box", 1);
    assert!(minutes(&mut world, 100).is_empty());
    let plan = world.plan();
    assert!(
        plan.notes.iter().any(|note| note.contains("\"box\"")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn a_server_that_its_name_gives_to_a_template_is_not_claimed_by_others() {
    let mut world = with(vec![adopting("small"), adopting("big"), adopting("huge")]);
    let name = unmarked(&mut world, &original("small", 1), 1, mins(3));
    world.node("big+10.0.9.1", 1).labels = Some(Vec::new());
    world.node("huge+10.0.9.1", 1).labels = Some(Vec::new());
    let plan = world.plan();
    assert_eq!(row(&plan, &name).unwrap().node.as_str(), "small");
    assert!(
        !plan.notes.iter().any(|note| note.contains("of several templates")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn what_belongs_to_one_that_was_taken_is_not_ours() {
    let mut world = world();
    world.config.templates[0].spec.floating_ip_pool = Some("public".to_owned());
    world.config.templates[0].spec.storage = Some(10);
    // As fresh as one of ours that is to get an address, and whose volume is to get our mark.
    let name = unmarked(&mut world, &original("small", 1), 1, mins(3));
    world.server_mut(&name).volumes = vec!["data of a person".to_owned()];
    world.cloud(CLOUD).resources = Some(Reading::Read(Resources {
        kinds: ResourceKind::ALL.into(),
        ..Resources::default()
    }));
    let plan = world.pass(mins(1));
    assert!(plan.floating_ips.is_empty() && plan.volume_marks.is_empty(), "{plan:?}");
    assert!(plan.state.nodes.values().all(|node| node.had.is_empty()));
    world.lose_server(&name);
    let plan = world.plan();
    assert!(plan.state.gone_servers.is_empty() && plan.sweeps.is_empty(), "{plan:?}");
}
