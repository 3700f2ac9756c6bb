//! What is made, where, and why not.

use jiff::SignedDuration;
use mita::config::{MinReady, ReadyWindow};
use mita::model::{Headroom, Offers, PortOffer, Reading, ServerStatus, TaskLabel, Unavailable};
use mita::plan::{Plan, UnmetReason};
use mita::state::BackoffKey;

use crate::world::{CLOUD, World, busy, mins, offline, place, reasons, secs, template, with, world};

/// How many servers of each template a plan makes.
fn made(plan: &Plan) -> Vec<(&str, &str, usize)> {
    let mut made: Vec<(&str, &str, usize)> = Vec::new();
    for create in &plan.creates {
        let key = (create.template.as_str(), create.provider.as_str());
        match made
            .iter_mut()
            .find(|(template, provider, _)| (*template, *provider) == key)
        {
            Some(entry) => entry.2 += 1,
            None => made.push((key.0, key.1, 1)),
        }
    }
    made
}

#[test]
fn nothing_waits_and_nothing_is_made() {
    let plan = world().plan();
    assert_eq!((plan.creates.len(), plan.removals.len(), plan.unmet.len()), (0, 0, 0));
}

#[test]
fn each_waiting_item_gets_a_server() {
    let mut world = world();
    world.items(3, "linux");
    let plan = world.plan();
    assert_eq!(made(&plan), [("small", CLOUD, 3)]);
    assert_eq!(
        plan.creates[0].because,
        "queue item 100 (job 100) has waited 1m for linux"
    );
    assert_eq!(plan.waiting.len(), 1);
    assert_eq!(plan.waiting[0].items, 3);
    assert_eq!(plan.waiting_items, 3);
}

#[test]
fn executors_of_a_server_serve_several_items() {
    let mut world = world();
    world.config.templates[0].executors = 4;
    world.items(10, "linux");
    assert_eq!(made(&world.plan()), [("small", CLOUD, 3)]);
}

#[test]
fn what_boots_and_what_is_idle_counts_as_supply() {
    let mut world = world();
    world.items(4, "linux");
    world.server("small", 1, mins(1));
    world.up("small", 2, mins(30));
    let plan = world.pass(secs(30));
    assert_eq!(plan.creates.len(), 2);
    let served: Vec<(&str, u64)> = plan
        .waiting
        .iter()
        .map(|row| (row.reason.as_str(), row.items))
        .collect();
    let expected = [
        ("an executor is idle", 1),
        ("the next pass makes a server for it", 2),
        ("waits for a booting server", 1),
    ];
    assert_eq!(served, expected);
}

#[test]
fn an_intent_counts_until_its_grace_is_over() {
    let mut world = world();
    world.items(1, "linux");
    let plan = world.plan();
    let create = &plan.creates[0];
    world.state = plan.state.clone();
    let intent = mita::state::Intent {
        name: create.name.clone(),
        template: create.template.clone(),
        config: "digest of small".to_owned(),
        provider: create.provider.clone(),
        zone: None,
        image: None,
        at: world.now(),
        server_id: None,
        made_for: None,
    };
    world.state.intents.insert(create.id.clone(), intent);
    world.later(mins(2));
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.state.intents.len()), (0, 1));
    world.close(CLOUD);
    world.later(mins(60));
    assert_eq!(
        world.plan().state.intents.len(),
        1,
        "nobody can know while the cloud is closed"
    );
    let mut lost = world.clone();
    lost.observed
        .clouds
        .insert(CLOUD.into(), Reading::Read(crate::world::cloud()));
    let plan = lost.plan();
    assert_eq!((plan.creates.len(), plan.state.intents.len()), (1, 0));
}

#[test]
fn dead_and_draining_nodes_give_no_slots() {
    let mut world = world();
    world.items(1, "linux");
    let name = world.up("small", 1, mins(30));
    assert_eq!(world.plan().creates.len(), 0);
    let changes: [fn(&mut mita::model::Computer); 3] = [
        busy,
        |node| crate::world::marked(node, "gone fishing", "hudson.slaves.OfflineCause$UserCause"),
        |node| {
            crate::world::marked(
                node,
                "disk full",
                "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace",
            );
        },
    ];
    for change in changes {
        let mut world = world.clone();
        change(world.node_mut(&name));
        assert_eq!(world.plan().creates.len(), 1);
    }
    world.pass(secs(60));
    offline(world.node_mut(&name));
    assert_eq!(world.plan().creates.len(), 1);
    world.server_mut(&name).status = ServerStatus::Error;
    assert_eq!(world.plan().creates.len(), 1);
}

#[test]
fn the_cheapest_template_is_tried_first() {
    let mut templates = vec![template("a", &["x"]), template("b", &["x"]), template("c", &["x"])];
    templates[1].priority = 10;
    templates[1].max = 1;
    let mut world = with(templates);
    world.items(2, "x");
    assert_eq!(made(&world.plan()), [("b", CLOUD, 1), ("a", CLOUD, 1)]);
}

#[test]
fn a_flexible_item_leaves_the_only_slot_of_another() {
    let mut templates = vec![template("a", &["x", "y"]), template("b", &["x"])];
    templates[0].max = 1;
    let mut world = with(templates);
    // The older item could run on both and would take `a`; the younger runs on `a` alone.
    world.items(1, "x");
    world.items(1, "y");
    let plan = world.plan();
    assert_eq!(made(&plan), [("a", CLOUD, 1), ("b", CLOUD, 1)]);
    assert_eq!(plan.unmet.len(), 0);
}

/// Eight items wait; a limit lets so many servers be made, and says so.
fn check_limit(change: impl Fn(&mut World), made: usize, reason: &str) {
    let mut world = world();
    world.items(8, "linux");
    change(&mut world);
    let plan = world.plan();
    assert_eq!((plan.creates.len(), reasons(&plan)), (made, vec![reason]));
}

#[test]
fn limits_are_kept_and_named() {
    let check = |change: fn(&mut World), made, reason| check_limit(change, made, reason);
    check(
        |w| w.config.templates[0].max = 3,
        3,
        "template \"small\" is at its max of 3 servers",
    );
    check(
        |w| w.config.templates[0].max = 0,
        0,
        "template \"small\" is at its max of 0 servers",
    );
    let rest = "2 creates are the most for one pass; the rest goes in the next passes";
    check(|w| w.config.limits.max_creates_per_pass = 2, 2, rest);
    check(
        |w| w.config.limits.max_creates_per_pass = 0,
        0,
        "limits.max_creates_per_pass is 0: nothing is created",
    );
    check(
        |w| w.config.limits.max_servers = Some(4),
        4,
        "the fleet is at its max of 4 servers (limits.max_servers)",
    );
    check(
        |w| w.config.limits.max_booting = 5,
        5,
        "5 servers are booting, the most at a time (limits.max_booting)",
    );
    check(
        |w| w.config.limits.canary = 1,
        1,
        "canary: waiting for the first server of \"small\" to join",
    );
    let one = |w: &mut World| w.config.providers.get_mut(CLOUD).unwrap().max_servers = Some(1);
    check(one, 1, "provider openstack is at its max of 1 server");
    check(|w| w.context.create = false, 0, "this command creates nothing");
    check(
        |w| w.observed.jenkins.quieting_down = Some(true),
        0,
        "Jenkins is quieting down: nothing is created",
    );
}

#[test]
fn what_the_cloud_has_no_room_for_is_not_asked_for() {
    let check = |room: Headroom, made, reason| check_limit(|world| world.offers(CLOUD, room.clone()), made, reason);
    let (instances, vcpus, ram_mb) = (Some(6), Some(11), Some(1500));
    check(
        Headroom {
            instances,
            ..Headroom::default()
        },
        6,
        "openstack: needs 1 server, 0 left in the quota",
    );
    check(
        Headroom {
            vcpus,
            ..Headroom::default()
        },
        2,
        "openstack: needs 4 vCPUs, 3 left in the quota",
    );
    check(
        Headroom {
            ram_mb,
            ..Headroom::default()
        },
        1,
        "openstack: needs 1024 MiB of memory, 476 left in the quota",
    );
}

#[test]
fn the_reason_of_what_gets_nothing_is_one_word() {
    let check = |change: &dyn Fn(&mut World), word: &str| {
        let mut world = world();
        world.items(8, "linux");
        change(&mut world);
        let rows = world.plan().unmet;
        let words: Vec<&str> = rows.iter().filter_map(|row| row.class).map(UnmetReason::word).collect();
        assert_eq!(words, [word], "{rows:?}");
    };
    let full = Headroom {
        instances: Some(6),
        ..Headroom::default()
    };
    check(&|w| w.config.templates[0].max = 3, "maximum");
    check(&|w| w.config.limits.max_servers = Some(4), "maximum");
    check(&|w| w.config.limits.max_booting = 5, "booting_limit");
    check(&|w| w.config.limits.max_creates_per_pass = 5, "booting_limit");
    check(&|w| w.config.limits.canary = 1, "canary");
    check(&|w| w.offers(CLOUD, full.clone()), "quota");
    check(&|w| w.close(CLOUD), "closed");
    check(&|w| w.context.create = false, "closed");
    check(&|w| w.observed.jenkins.quieting_down = Some(true), "closed");
    check(&|w| w.config.templates.clear(), "no_template");
    // Of two templates that which is open sooner.
    let second = |w: &mut World| {
        w.config.templates.push(template("other", &["linux"]));
        w.config.templates[0].max = 1;
        w.config.limits.canary = 1;
    };
    check(&second, "canary");
}

#[test]
fn no_more_servers_are_made_than_there_are_free_ports() {
    let pool = |world: &mut World, ids: &[&str]| {
        world.offers(CLOUD, Headroom::default());
        let Some(Reading::Read(offers)) = &mut world.cloud(CLOUD).offers else {
            panic!("no offers")
        };
        for offer in offers.templates.values_mut().flatten() {
            let new = PortOffer::New {
                network: "n".to_owned(),
                security_groups: Vec::new(),
            };
            let ids = ids.iter().map(|&id| id.to_owned()).collect();
            offer.ports = vec![new, PortOffer::OneOf(ids)];
        }
    };
    let reason = "openstack: needs a port, 0 left: every one of `ports` is in use";
    check_limit(|world| pool(world, &["p", "q", "r"]), 3, reason);
    check_limit(|world| pool(world, &[]), 0, reason);

    let mut world = with(vec![template("a", &["a"]), template("b", &["b"])]);
    world.items(2, "a");
    world.items(2, "b");
    pool(&mut world, &["p", "q", "r"]);
    let plan = world.plan();
    assert_eq!(
        made(&plan),
        [("a", CLOUD, 2), ("b", CLOUD, 1)],
        "a port serves two templates, not two servers"
    );
}

#[test]
fn a_cloud_that_does_not_answer_or_lacks_something_is_closed() {
    let unreadable = |w: &mut World| w.cloud(CLOUD).offers = Some(Reading::Unreadable("no images".to_owned()));
    check_limit(unreadable, 0, "provider openstack cannot be read: no images");
    check_limit(|w| w.close(CLOUD), 0, "provider openstack cannot be read: timeout");
    let lacks = |w: &mut World| {
        let wrong = Unavailable::new("no flavor named \"m1.smal\"".to_owned());
        let offers = Offers {
            room: Headroom::default(),
            templates: [("small".into(), Err(wrong))].into(),
        };
        w.cloud(CLOUD).offers = Some(Reading::Read(offers));
    };
    check_limit(lacks, 0, "openstack: no flavor named \"m1.smal\"");
}

#[test]
fn every_server_counts_against_the_maximum_until_it_is_gone() {
    let mut world = world();
    world.config.templates[0].max = 3;
    world.items(9, "linux");
    let error = world.server("small", 1, mins(3));
    world.server_mut(&error).status = ServerStatus::Error;
    let deleting = world.server("small", 2, mins(3));
    world.server_mut(&deleting).task_state = Some("deleting".to_owned());
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 0, "the failed one blocks its placement");
    world.server_mut(&error).status = ServerStatus::Active;
    assert_eq!(world.plan().creates.len(), 1);
}

#[test]
fn the_next_place_is_taken_in_the_same_pass() {
    let mut world = world();
    world.add_cloud("spare");
    world.config.templates[0].placements = vec![place(CLOUD, Some("a")), place(CLOUD, Some("b")), place("spare", None)];
    world.items(2, "linux");
    world.offers(
        CLOUD,
        Headroom {
            instances: Some(1),
            ..Headroom::default()
        },
    );
    assert_eq!(made(&world.plan()), [("small", CLOUD, 1), ("small", "spare", 1)]);
    world.close(CLOUD);
    assert_eq!(made(&world.plan()), [("small", "spare", 2)]);
    world.close("spare");
    let plan = world.plan();
    let both = "provider openstack cannot be read: timeout; provider spare cannot be read: timeout";
    assert_eq!(reasons(&plan), [both]);
}

#[test]
fn a_failed_server_moves_the_next_one_elsewhere() {
    let mut world = world();
    world.config.templates[0].placements = vec![place(CLOUD, Some("a")), place(CLOUD, Some("b"))];
    world.items(1, "linux");
    let name = world.server("small", 1, mins(2));
    let server = world.server_mut(&name);
    server.status = ServerStatus::Error;
    server.zone = Some("a".into());
    server.fault = Some("No valid host was found.".to_owned());
    let plan = world.pass(secs(60));
    assert_eq!(plan.creates[0].zone, Some("b".into()));
    let backoff = &plan.state.backoffs["template small at openstack/a"];
    assert_eq!((backoff.failures, plan.removals.len()), (1, 1));
    assert!(
        backoff.reason.ends_with("went to ERROR: No valid host was found."),
        "{}",
        backoff.reason
    );
    // It is counted once, however long it stands.
    let again = world.pass(secs(60));
    assert_eq!(again.state.backoffs["template small at openstack/a"].failures, 1);
    assert_eq!(again.removals.len(), 1, "deleting is tried again");
}

#[test]
fn after_a_back_off_one_probe_goes_and_a_join_opens_the_gate() {
    let mut world = world();
    world.items(5, "linux");
    let key = BackoffKey::Template("small".into());
    let (now, timing) = (world.now(), world.config.timing.clone());
    mita::plan::backoff::record_failure(&mut world.state, &key, now, "never joined", Some(secs(60)), &timing);
    let plan = world.pass(secs(60));
    assert_eq!(plan.creates.len(), 0);
    let held = "template small: held back after 1 failure, 1m left: never joined";
    assert_eq!(reasons(&plan), [held]);
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 1);
    assert_eq!(
        reasons(&plan),
        ["template small: after its failures one server at a time, until one has joined"]
    );
    world.server("small", 1, secs(30));
    assert_eq!(world.plan().creates.len(), 0);
    world.node("small__000000000001", 1);
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.state.backoffs.len()), (4, 0));
    assert_eq!(plan.state.proved["small"], "digest of small");
}

#[test]
fn a_server_that_never_joins_holds_its_template_back() {
    let mut world = world();
    world.items(1, "linux");
    world.server("small", 1, mins(14));
    world.pass(mins(2));
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.removals.len()), (0, 1));
    assert_eq!(
        plan.removals[0].why.to_string(),
        "it did not join Jenkins within 15m (boot_grace)"
    );
    assert!(plan.state.backoffs.contains_key("template small at openstack"));
}

#[test]
fn a_proved_template_needs_no_canary() {
    let mut world = world();
    world.config.limits.canary = 1;
    let name = world.up("small", 1, mins(30));
    busy(world.node_mut(&name));
    world.items(5, "linux");
    assert_eq!(world.plan().creates.len(), 5);
    world.config.templates[0].digest = "another".to_owned();
    let plan = world.plan();
    assert_eq!(
        plan.creates.len(),
        1,
        "the server that joined was made from the old template"
    );
    assert!(plan.servers[0].outdated);
}

#[test]
fn warm_pools_come_behind_all_items() {
    let mut world = world();
    world.config.templates[0].min_ready = MinReady::Always(2);
    assert_eq!(made(&world.plan()), [("small", CLOUD, 2)]);
    world.config.templates[0].max = 3;
    world.items(2, "linux");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 3);
    assert_eq!(plan.creates[2].because, "the warm pool of \"small\" is to have 2 ready");
    let note = "the warm pool of \"small\" lacks 1 of 2 slots: template \"small\" is at its max of 3 servers";
    assert_eq!((plan.unmet.len(), plan.notes), (0, vec![note.to_owned()]));
}

#[test]
fn a_warm_pool_follows_its_windows() {
    let mut world = world();
    let window = |cron: &str, ready| ReadyWindow {
        window: mita::config::CronWindow {
            cron: cron.to_owned(),
            timezone: "UTC".to_owned(),
        },

        ready,
    };
    world.config.templates[0].min_ready = MinReady::Windows(vec![window("* 12 * * *", 2), window("* 8-18 * * *", 1)]);
    assert_eq!(world.plan().templates[0].min_ready, 2);
    assert_eq!(world.plan().creates.len(), 2);
    world.later(mins(60));
    assert_eq!(world.plan().creates.len(), 1);
    world.later(mins(600));
    assert_eq!(world.plan().creates.len(), 0);
}

#[test]
fn a_wrong_clock_holds_nothing_for_long() {
    let mut world = world();
    world.items(1, "linux");
    let key = BackoffKey::Template("small".into());
    let (future, timing) = (world.now() + mins(60 * 48), world.config.timing.clone());
    mita::plan::backoff::record_failure(&mut world.state, &key, future, "x", None, &timing);
    let intent = mita::state::Intent {
        name: "small__000000000009".to_owned(),
        template: "small".into(),
        config: "digest of small".to_owned(),
        provider: CLOUD.into(),
        zone: None,
        image: None,
        at: future,
        server_id: None,
        made_for: None,
    };
    world.state.intents.insert(crate::world::id(9), intent);
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.state.intents.len()), (1, 0));
}

#[test]
fn what_no_template_serves_is_reported_and_never_guessed() {
    let mut world = world();
    world.items(1, "windows && arm");
    world.items(2, "!linux");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 0);
    let rows: Vec<(Option<&str>, &str, u64)> = plan
        .unmet
        .iter()
        .map(|row| (row.label.as_deref(), row.reason.as_str(), row.items))
        .collect();
    let expected = [
        (Some("!linux"), "no template has the labels !linux", 2),
        (Some("windows&&arm"), "no template has the labels windows&&arm", 1),
    ];
    assert_eq!(rows, expected);
    assert_eq!(plan.unmet[1].example.item, 100);
    assert_eq!(plan.unmet[1].oldest_seconds, 60);
}

#[test]
fn an_item_without_a_label_needs_a_template_that_takes_it() {
    let mut world = world();
    world.items(1, "linux");
    let item = &mut world.observed.jenkins.queue[0];
    item.label = TaskLabel::Anywhere;
    item.why = Some("Waiting for next available executor".into());
    let mut built_in = world.node("Built-In Node", 1).clone();
    built_in.built_in = true;
    busy(&mut built_in);
    world.observed.jenkins.computers = vec![built_in];
    world.node("other", 1);
    assert_eq!(world.plan().creates.len(), 0);
    world.config.templates[0].accepts_unlabelled = true;
    assert_eq!(world.plan().creates.len(), 1);
}

#[test]
fn a_template_that_is_gone_is_never_made_again() {
    let mut world = world();
    world.server("old", 1, mins(5));
    world.items(1, "old");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 0);
    assert_eq!(plan.servers[0].node.as_str(), "old");
}

#[test]
fn a_closed_cloud_keeps_its_servers_in_the_count() {
    let mut world = world();
    world.add_cloud("spare");
    world.config.templates[0].placements.push(place("spare", None));
    world.config.templates[0].max = 3;
    for number in 1..=2 {
        let name = world.up("small", number, mins(30));
        busy(world.node_mut(&name));
    }
    world.items(5, "linux");
    world.pass(secs(60));
    world.close(CLOUD);
    let plan = world.pass(secs(60));
    assert_eq!(made(&plan), [("small", "spare", 1)]);
    assert_eq!((plan.removals.len(), plan.state.nodes.len()), (0, 2));
    // An idle executor there serves an item although its cloud is closed.
    let node = world.node_mut("small__000000000001");
    node.idle = true;
    node.idle_executors = 1;
    let plan = world.plan();
    let idle: Vec<u64> = plan
        .waiting
        .iter()
        .filter(|r| r.reason == "an executor is idle")
        .map(|r| r.items)
        .collect();
    assert_eq!(idle, [1]);
}

#[test]
fn the_cloud_tells_the_age_of_its_servers() {
    let mut world = world();
    world.items(1, "linux");
    world.server("small", 1, mins(20));
    let clock = world.now() - mins(15);
    world.cloud(CLOUD).clock = Some(clock);
    let plan = world.plan();
    assert_eq!(
        (plan.creates.len(), plan.removals.len(), plan.servers[0].age_seconds),
        (0, 0, 300)
    );
    world.cloud(CLOUD).clock = Some(clock - mins(60));
    assert_eq!(world.plan().servers[0].age_seconds, SignedDuration::ZERO.as_secs());
}
