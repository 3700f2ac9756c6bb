//! Several clouds and their room: what is lacking is said, and the next place gets its chance in the same pass.

use mita::model::{Headroom, Offers, PortOffer, Reading, ServerStatus};
use mita::plan::{Plan, spend};
use mita::state::BackoffKey;

use crate::world::{CLOUD, World, mins, offer, place, reasons, template, with, world};

/// A world with a second cloud, where everything may stand, in this order.
fn two(order: &[(&str, Option<&str>)]) -> World {
    let mut world = world();
    world.add_cloud("spare");
    world.config.templates[0].placements = order.iter().map(|(name, zone)| place(name, *zone)).collect();
    world
}

fn places(plan: &Plan) -> Vec<String> {
    let creates = plan.creates.iter();
    let place = |create: &mita::plan::Create| {
        let zone = create.zone.as_ref().map_or("", |zone| zone.as_str());
        format!("{}/{zone}", create.provider)
    };
    creates.map(place).collect()
}

fn vcpus(left: u64) -> Headroom {
    Headroom {
        vcpus: Some(left),
        ..Headroom::default()
    }
}

#[test]
fn what_is_lacking_is_said_for_each_cloud() {
    let mut world = two(&[(CLOUD, None), ("spare", None)]);
    world.offers(CLOUD, vcpus(7));
    world.offers("spare", vcpus(3));
    world.items(3, "linux");
    let plan = world.plan();
    assert_eq!(places(&plan), ["openstack/"], "each needs 4");
    assert_eq!(
        reasons(&plan),
        ["openstack: needs 4 vCPUs, 3 left in the quota; spare: needs 4 vCPUs, 3 left in the quota"]
    );
}

#[test]
fn a_full_cloud_overflows_into_the_next_one() {
    let mut world = two(&[(CLOUD, None), ("spare", None)]);
    world.offers(CLOUD, vcpus(8));
    world.offers("spare", Headroom::default());
    world.items(4, "linux");
    assert_eq!(places(&world.plan()), ["openstack/", "openstack/", "spare/", "spare/"]);
}

#[test]
fn a_fault_for_want_of_room_moves_on_in_the_same_pass() {
    for fault in [
        "No valid host was found. There are not enough hosts available.",
        "Maximum number of ports exceeded",
        "Quota exceeded for resources: ['port'].",
        "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota.",
        "Failed to allocate the network(s), not rescheduling.",
    ] {
        let mut world = two(&[(CLOUD, Some("a")), (CLOUD, Some("b")), ("spare", None)]);
        world.items(2, "linux");
        let name = world.server("small", 1, mins(1));
        let server = world.server_mut(&name);
        server.status = ServerStatus::Error;
        server.fault = Some(fault.to_owned());
        server.zone = Some("a".into());
        let plan = world.pass(mins(0));
        assert_eq!(places(&plan), ["openstack/b", "openstack/b"], "{fault}");
        let held: Vec<&String> = plan.state.backoffs.keys().collect();
        assert_eq!(held, ["template small at openstack/a"], "{fault}");
        // With nothing else left the reason is told.
        world.config.templates[0].placements.truncate(1);
        world.lose_server(&name);
        let plan = world.plan();
        assert!(
            plan.creates.is_empty() && reasons(&plan)[0].contains(&fault[..30]),
            "{:?}",
            plan.unmet
        );
    }
}

#[test]
fn each_zone_is_probed_for_itself() {
    let mut world = two(&[(CLOUD, Some("a")), (CLOUD, Some("b")), ("spare", None)]);
    let timing = world.config.timing.clone();
    let now = world.now();
    for zone in ["a", "b"] {
        let key = BackoffKey::Placement(CLOUD.into(), Some(zone.into()));
        mita::plan::backoff::record_failure(&mut world.state, &key, now, "no host", None, &timing);
    }
    world.items(4, "linux");
    assert_eq!(places(&world.plan()), ["spare/"; 4]);
    world.later(mins(2));
    assert_eq!(
        places(&world.plan()),
        ["openstack/a", "openstack/b", "spare/", "spare/"]
    );
}

#[test]
fn a_closed_cloud_hands_its_work_on_and_keeps_its_servers() {
    let mut world = two(&[("spare", None), (CLOUD, None)]);
    world.up("small", 1, mins(30));
    let name = world.server_at("spare", "small", 2, mins(30));
    world.node(&name, 1);
    world.pass(mins(1));
    world.close("spare");
    world.lose_node(&name);
    world.items(3, "linux");
    let plan = world.pass(mins(60));
    assert_eq!(places(&plan), ["openstack/", "openstack/"]);
    let plan = world.plan();
    assert!(
        plan.removals
            .iter()
            .all(|removal| removal.server.as_ref().is_none_or(|server| server.name != name))
    );
    assert!(
        plan.state.nodes.values().any(|node| node.name == name),
        "nothing is forgotten"
    );
}

/// A world with two templates whose servers take one of these ports each.
fn with_ports(ports: &[&str]) -> World {
    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    let mut offer = offer(1);
    offer.ports = vec![
        PortOffer::New {
            network: "n".to_owned(),
            security_groups: Vec::new(),
        },
        PortOffer::OneOf(ports.iter().map(|port| (*port).to_owned()).collect()),
    ];
    let templates = ["a", "b"].map(|name| (name.into(), Ok(offer.clone())));
    world.cloud(CLOUD).offers = Some(Reading::Read(Offers {
        room: vcpus(10),
        templates: templates.into(),
    }));
    world
}

fn ports(plan: &Plan) -> Vec<&str> {
    let offers = plan.creates.iter().map(|create| create.offer.as_ref().unwrap());
    let ports = offers.flat_map(|offer| &offer.ports).filter_map(|port| match port {
        PortOffer::OneOf(ids) => Some(ids),
        PortOffer::New { .. } => None,
    });
    ports.flatten().map(String::as_str).collect()
}

#[test]
fn a_port_is_given_to_one_server_only() {
    let mut world = with_ports(&["p1", "p2", "p3"]);
    world.items(2, "a");
    world.items(2, "b");
    let plan = world.plan();
    assert_eq!(ports(&plan), ["p1", "p2", "p3"]);
    assert!(
        plan.creates
            .iter()
            .all(|create| create.offer.as_ref().unwrap().ports.len() == 2)
    );
    assert_eq!(
        reasons(&plan),
        ["openstack: needs a port, 0 left: every one of `ports` is in use"]
    );
    // What was asked for is not given out again when the same pass plans once more.
    let first = plan.creates[0].clone();
    spend(&mut world.observed, &first);
    assert_eq!(ports(&world.plan()), ["p2", "p3"]);
    let Some(Reading::Read(offers)) = &world.cloud(CLOUD).offers else {
        panic!("no offers")
    };
    assert_eq!(offers.room.vcpus, Some(9));
}

#[test]
fn a_server_with_several_ports_takes_none_that_only_another_can_have() {
    let mut world = with_ports(&["p1", "p2"]);
    let Some(Reading::Read(offers)) = &mut world.cloud(CLOUD).offers else {
        panic!("no offers")
    };
    let offer = offers.templates.get_mut("a").unwrap().as_mut().unwrap();
    offer.ports.push(PortOffer::OneOf(vec!["p1".to_owned()]));
    world.items(1, "a");
    assert_eq!(ports(&world.plan()), ["p2", "p1"]);
}
