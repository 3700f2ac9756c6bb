//! Busy nodes that are too old or outdated are drained, so many at a time.

use jiff::SignedDuration;
use mita::config::{Budget, CronWindow};
use mita::model::{Headroom, Reading};
use mita::plan::{Plan, Targets, undrain};

use crate::world::{World, busy, id, marked, mins, template, with};

const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";

/// Busy nodes, each an hour older than the one after it; all but the last are over `max_lifetime`.
fn old(count: u64) -> (World, Vec<String>) {
    let mut kind = template("small", &["linux"]);
    (kind.max, kind.max_lifetime) = (200, Some(mins(90)));
    let mut world = with(vec![kind]);
    let names = (1..=count).map(|number| {
        let age = i64::try_from(1 + count - number).unwrap();
        world.up("small", number, mins(60 * age))
    });
    let names: Vec<String> = names.collect();
    for name in &names {
        busy(world.node_mut(name));
    }
    world.offers("openstack", Headroom::default());
    (world, names)
}

fn drained(plan: &Plan) -> Vec<&str> {
    plan.drains.iter().map(|drain| drain.node.as_str()).collect()
}

/// Marks what a plan drains, as the pass does.
fn carry_out(world: &mut World, plan: &Plan) {
    for drain in &plan.drains {
        marked(world.node_mut(drain.node.as_str()), &drain.mark, PERSON);
    }
}

#[test]
fn one_node_in_ten_at_a_time_the_oldest_first() {
    for (nodes, at_a_time) in [(2, 1), (10, 1), (11, 2), (30, 3)] {
        let (mut world, names) = old(nodes);
        let plan = world.pass(mins(1));
        assert_eq!(drained(&plan), names[..at_a_time], "of {nodes}");
        carry_out(&mut world, &plan);
        // Not one more, not even when the memory is lost.
        world.state = mita::state::State::default();
        let plan = world.pass(mins(1));
        assert!(plan.drains.is_empty(), "of {nodes}: {:?}", drained(&plan));
    }
}

#[test]
fn a_budget_is_a_share_or_a_number_and_none_switches_it_off() {
    for (budget, at_a_time) in [
        (Budget::Percent(50), 5),
        (Budget::Percent(0), 0),
        (Budget::Nodes(0), 0),
        (Budget::Nodes(3), 3),
        (Budget::Nodes(30), 9),
    ] {
        let (mut world, _) = old(10);
        world.config.templates[0].refresh.budget = budget;
        let plan = world.pass(mins(1));
        assert_eq!(plan.drains.len(), at_a_time, "{budget:?}");
        if at_a_time == 0 {
            assert!(
                plan.notes.is_empty() && plan.offers_wanted.is_empty(),
                "{:?}",
                plan.notes
            );
        }
    }
}

#[test]
fn the_cloud_is_asked_before_and_a_full_one_not_in_each_pass() {
    let (mut world, names) = old(3);
    world.cloud("openstack").offers = None;
    let plan = world.plan();
    assert_eq!((drained(&plan), plan.offers_wanted.len()), (vec![names[0].as_str()], 1));
    let full = Headroom {
        instances: Some(0),
        ..Headroom::default()
    };
    world.offers("openstack", full);
    let plan = world.pass(mins(1));
    assert!(
        plan.drains.is_empty() && plan.offers_wanted.is_empty(),
        "{:?}",
        drained(&plan)
    );
    assert!(plan.notes.iter().any(|note| note.contains("quota")), "{:?}", plan.notes);
    world.cloud("openstack").offers = None;
    for pass in 1..=9 {
        let plan = world.pass(mins(1));
        assert!(plan.drains.is_empty() && plan.offers_wanted.is_empty(), "pass {pass}");
        assert!(plan.notes.iter().any(|note| note.contains("quota")), "pass {pass}");
    }
    let plan = world.pass(mins(1));
    assert_eq!(
        (plan.drains.len(), plan.offers_wanted.len()),
        (1, 1),
        "after ten minutes"
    );
}

#[test]
fn nothing_is_drained_where_the_cloud_cannot_be_asked() {
    let (mut world, _) = old(3);
    world.cloud("openstack").offers = Some(Reading::Unreadable("timeout".to_owned()));
    let plan = world.plan();
    assert!(plan.drains.is_empty(), "{:?}", drained(&plan));
    world.close("openstack");
    assert!(world.plan().drains.is_empty());
}

#[test]
fn nothing_is_drained_where_nothing_is_removed() {
    let (mut world, names) = old(3);
    world.config.limits.max_deletes_per_pass = 0;
    let plan = world.pass(mins(1));
    assert!(
        plan.drains.is_empty(),
        "it would stand drained for ever: {:?}",
        drained(&plan)
    );
    let said = "2 nodes of \"small\" are to be replaced: none is drained while none is removed \
                (limits.max_deletes_per_pass is 0)";
    assert!(plan.notes.iter().any(|note| note == said), "{:?}", plan.notes);
    world.config.limits.max_deletes_per_pass = 1;
    assert_eq!(drained(&world.plan()), names[..1]);
}

#[test]
fn outdated_nodes_are_drained_within_windows() {
    let (mut world, names) = old(3);
    let kind = &mut world.config.templates[0];
    (kind.max_lifetime, kind.digest) = (None, "new".to_owned());
    assert!(world.plan().drains.is_empty(), "nobody asked for it");
    let refresh = &mut world.config.templates[0].refresh;
    (refresh.outdated, refresh.budget) = (true, Budget::Nodes(2));
    assert_eq!(drained(&world.plan()), names[..2]);
    let never = CronWindow {
        cron: "0 0 30 2 *".to_owned(),
        timezone: "UTC".to_owned(),
    };
    world.config.templates[0].refresh.windows = vec![never];
    let plan = world.plan();
    assert!(plan.drains.is_empty());
    assert!(
        plan.notes.iter().any(|note| note.contains("refresh.windows")),
        "{:?}",
        plan.notes
    );
}

#[test]
fn images_are_looked_up_once_an_hour_where_outdated_nodes_are_replaced() {
    let (mut world, names) = old(2);
    world.config.templates[0].max_lifetime = None;
    for name in &names {
        world.server_mut(name).image = Some("image-1".to_owned());
    }
    world.cloud("openstack").offers = None;
    assert!(world.plan().offers_wanted.is_empty(), "nobody needs them");
    world.config.templates[0].refresh.outdated = true;
    assert_eq!(world.plan().offers_wanted.len(), 1);
    world.offers("openstack", Headroom::default());
    world.cloud("openstack").offers = world.cloud("openstack").offers.clone().map(|mut offers| {
        if let Reading::Read(offers) = &mut offers {
            for offer in offers.templates.values_mut().flatten() {
                offer.image = "image-1".to_owned();
            }
        }
        offers
    });
    assert!(world.pass(mins(1)).drains.is_empty(), "they have it");
    world.cloud("openstack").offers = None;
    for pass in 1..60 {
        let plan = world.pass(mins(1));
        assert!(plan.offers_wanted.is_empty() && plan.drains.is_empty(), "pass {pass}");
    }
    assert_eq!(world.pass(mins(1)).offers_wanted.len(), 1, "after an hour");
}

#[test]
fn what_an_operator_gave_back_is_left_alone_for_a_day() {
    let (mut world, names) = old(1);
    world.server_mut(&names[0]).created = Some(world.now() - mins(600));
    let plan = world.pass(mins(1));
    assert_eq!(drained(&plan), [names[0].as_str()]);
    carry_out(&mut world, &plan);
    world.pass(mins(1));
    let targets = Targets::Names(vec![names[0].clone()]);
    let plan = undrain(&world.observed, &world.config, &world.state, &world.context, &targets);
    assert_eq!((plan.unmarks.len(), plan.warnings.len()), (1, 0), "{:?}", plan.warnings);
    assert!(plan.state.nodes[&id(1)].undrained.is_some());
    world.state = plan.state;
    let node = world.node_mut(&names[0]);
    (node.temporarily_offline, node.offline, node.offline_class) = (false, false, None);
    node.offline_reason.clear();
    for _ in 0..5 {
        let plan = world.pass(mins(1));
        assert!(plan.drains.is_empty(), "{:?}", plan.drains);
    }
    world.later(SignedDuration::from_hours(24));
    world.pass(mins(1));
    let plan = world.pass(mins(1));
    assert_eq!(drained(&plan), [names[0].as_str()]);
}
