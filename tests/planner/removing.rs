//! What goes, what stays, and in which order.

use mita::config::MinReady;
use mita::model::{Computer, ServerStatus, TaskLabel};
use mita::plan::{LimitReached, MARK_PREFIX, Plan, Why, mark_text};
use mita::state::Phase;

use crate::world::{CLOUD, World, busy, found, marked, mins, offline, removed, secs, template, with, world};

const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";
const MONITOR: &str = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace";

/// A world with one node that was idle for 41 minutes, seen so by passes.
fn idle() -> (World, String) {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(mins(41));
    (world, name)
}

#[test]
fn an_idle_node_goes_after_its_grace() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    assert_eq!(world.pass(mins(39)).removals.len(), 0);
    assert_eq!(world.pass(mins(1)).removals.len(), 0);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    let removal = &plan.removals[0];
    assert_eq!(removal.why.to_string(), "it has been idle for 40m and nobody needs it");
    assert_eq!(removal.node.as_ref().unwrap().name.as_str(), name);
    assert_eq!(plan.servers[0].idle_seconds, Some(2400));
}

#[test]
fn work_or_silence_restarts_the_idle_time() {
    let changes: [fn(&mut Computer); 4] = [
        busy,
        offline,
        |node| node.one_off_busy = true,
        |node| {
            node.executors = 2;
            node.idle_executors = 1;
        },
    ];
    for change in changes {
        let (mut world, name) = idle();
        let before = world.node_mut(&name).clone();
        change(world.node_mut(&name));
        assert_eq!(world.pass(secs(60)).removals.len(), 0);
        *world.node_mut(&name) = before;
        let plan = world.plan();
        assert_eq!((plan.removals.len(), plan.servers[0].idle_seconds), (0, Some(0)));
    }
}

#[test]
fn a_node_that_an_item_needs_stays() {
    let (mut world, _) = idle();
    world.items(1, "linux");
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.creates.len()), (0, 0));
    // A booting server does not free it: the item would wait for the boot.
    world.server("small", 2, mins(1));
    assert_eq!(world.plan().removals.len(), 0);
}

#[test]
fn a_warm_pool_keeps_as_many_as_it_needs() {
    let mut world = world();
    world.config.templates[0].min_ready = MinReady::Always(2);
    for number in 1..=4 {
        world.up("small", number, mins(30 + i64::try_from(number).unwrap()));
        world.pass(secs(60));
    }
    world.later(mins(60));
    let plan = world.plan();
    assert_eq!(
        removed(&plan),
        ["small__000000000001", "small__000000000002"],
        "the longest idle go first"
    );
    assert_eq!(plan.creates.len(), 0);
}

#[test]
fn an_idle_node_may_go_when_another_template_serves_its_item() {
    let mut world = with(vec![template("a", &["x"]), template("b", &["x", "y"])]);
    let a = world.up("a", 1, mins(30));
    world.pass(secs(60));
    world.up("b", 2, mins(30));
    world.pass(mins(41));
    world.items(1, "x");
    assert_eq!(
        removed(&world.plan()),
        [a.as_str()],
        "either may go, the longer idle does"
    );
    world.items(1, "y");
    assert_eq!(world.plan().removals.len(), 0);
}

#[test]
fn outdated_idle_nodes_go_first() {
    let mut world = world();
    world.config.limits.max_deletes_per_pass = 1;
    world.up("small", 1, mins(90));
    world.pass(secs(60));
    let outdated = world.up("small", 2, mins(30));
    world.server_mut(&outdated).mark.as_mut().unwrap().config = Some("older".to_owned());
    world.pass(mins(41));
    let plan = world.plan();
    assert_eq!(removed(&plan), [outdated.as_str()]);
    assert_eq!(
        plan.removals[0].why.to_string(),
        "it has been idle for 41m, its template was changed, and nobody needs it"
    );
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
}

#[test]
fn no_more_than_the_limit_goes_and_the_dead_go_first() {
    let mut world = world();
    world.config.limits.max_deletes_per_pass = 3;
    for number in 1..=4 {
        world.up("small", number, mins(30));
    }
    world.pass(mins(41));
    for number in 5..=6 {
        let name = world.server("small", number, mins(3));
        world.server_mut(&name).status = ServerStatus::Error;
    }
    let plan = world.plan();
    assert_eq!(
        removed(&plan),
        ["small__000000000005", "small__000000000006", "small__000000000001"]
    );
}

#[test]
fn a_young_node_is_not_removed_for_being_idle() {
    let (mut world, _) = idle();
    world.config.timing.min_lifetime = mins(90);
    assert_eq!(world.plan().removals.len(), 0);
    world.config.timing.min_lifetime = mins(60);
    assert_eq!(world.plan().removals.len(), 1, "it was 30 minutes old 41 minutes ago");
}

#[test]
fn over_its_age_an_idle_node_goes_at_once_and_gives_no_slots() {
    let mut world = world();
    world.config.templates[0].max_lifetime = Some(mins(120));
    let name = world.up("small", 1, mins(121));
    world.items(1, "linux");
    let plan = world.plan();
    assert_eq!((removed(&plan), plan.creates.len()), (vec![name.as_str()], 1));
    assert_eq!(plan.servers[0].phase, Phase::Idle);
    assert_eq!(plan.servers[0].why.as_deref(), Some("older than 2h (max_lifetime)"));
    assert_eq!(
        plan.removals[0].why.to_string(),
        "it is idle and 2h 1m old, over 2h (max_lifetime)"
    );
    busy(world.node_mut(&name));
    assert_eq!(world.plan().removals.len(), 0);
}

#[test]
fn a_server_in_error_goes_at_once() {
    let mut world = world();
    let name = world.server("small", 1, mins(1));
    world.server_mut(&name).status = ServerStatus::Error;
    world.server_mut(&name).fault = Some("boom\u{1b}".to_owned());
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    assert_eq!(plan.removals[0].why.to_string(), "the cloud says ERROR: boom\\u{1b}");
    assert!(plan.removals[0].node.is_none());
    busy(world.node(&name, 1));
    let plan = world.plan();
    assert_eq!(plan.removals.len(), 0);
    assert_eq!(
        plan.notes,
        [format!(
            "server \"{name}\" (openstack) is in ERROR and stays: of its Jenkins node \"{name}\", Jenkins counts builds on it; \
             abort its builds or give the node back, then both are removed"
        )]
    );
}

#[test]
fn what_the_cloud_deletes_already_is_left_to_it() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(mins(1));
    world.server_mut(&name).task_state = Some("deleting".to_owned());
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.servers[0].phase), (0, Phase::Deleting));
}

#[test]
fn joined_and_then_offline_it_goes_after_the_offline_grace() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(secs(60));
    offline(world.node_mut(&name));
    assert_eq!(world.pass(mins(5)).removals.len(), 0);
    assert_eq!(world.pass(secs(1)).removals.len(), 0);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    assert_eq!(plan.servers[0].phase, Phase::Offline);
    // A build still hangs on it.
    busy(world.node_mut(&name));
    assert_eq!(world.plan().removals.len(), 0);
}

#[test]
fn what_a_person_took_offline_stays_whatever_it_is() {
    for fate in 0..5 {
        let (mut world, name) = idle();
        match fate {
            0 => marked(world.node_mut(&name), "mine", PERSON),
            1 => marked(world.node_mut(&name), "", PERSON),
            2 => {
                marked(world.node_mut(&name), "mine", PERSON);
                world.server_mut(&name).status = ServerStatus::Error;
            }
            _ => {
                // "Disconnect" sets no mark, and neither does `disconnect-node`.
                let class = if fate == 3 {
                    PERSON
                } else {
                    "hudson.slaves.OfflineCause$ByCLI"
                };
                offline(world.node_mut(&name));
                world.node_mut(&name).offline_class = Some(class.to_owned());
            }
        }
        for _ in 0..3 {
            assert_eq!(world.pass(mins(9)).removals.len(), 0, "case {fate}");
        }
    }
}

#[test]
fn the_audit_refuses_a_reason_that_is_not_so() {
    let (world, name) = idle();
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    let text = String::new;
    let idle = mins(41);
    let untrue = [
        Why::Failed(text()),
        Why::TimedOut(idle),
        Why::Offline(idle),
        Why::UnknownToJenkins { passes: 2 },
        Why::WithoutServer { passes: 2 },
        Why::Monitored { idle, reason: text() },
        Why::Drained(text()),
        Why::Marked,
        Why::Begun,
        Why::StillThere,
    ];
    let broken = |why: Why| {
        let mut plan = plan.clone();
        plan.removals[0].why = why;
        mita::plan::audit(&plan, &world.observed, &world.config, &world.state, &world.context).join("; ")
    };
    for why in untrue {
        let found = broken(why.clone());
        assert!(found.contains("for a reason that is not so"), "{why:?}: {found}");
    }
    assert_eq!(
        broken(Why::LimitReached(LimitReached::MaxBuilds { seen: 1, most: 1 })),
        ""
    );
}

/// The world of a plan as the audit sees it without `--force`, under another reason.
fn audited_as(world: &World, plan: &Plan, why: &Why) -> String {
    let mut plan = plan.clone();
    for removal in &mut plan.removals {
        removal.why = why.clone();
    }
    mita::plan::audit(&plan, &world.observed, &world.config, &world.state, &world.context).join("; ")
}

/// Makes the plan of a command that lifts the guard; the audit holds it against a pass that does not.
fn forced(world: &mut World, count: usize) -> Plan {
    world.context.force = true;
    let plan = world.plan();
    world.context.force = false;
    assert_eq!(plan.removals.len(), count);
    plan
}

#[test]
fn no_reason_leads_lost_agents_past_the_guard() {
    let mut world = world();
    for number in 1..=8 {
        world.up("small", number, mins(30));
    }
    world.pass(secs(60));
    world.observed.jenkins.computers.clear();
    world.pass(mins(5));
    world.later(mins(5));
    let plan = forced(&mut world, 8);
    let idle = mins(60);
    let outdated = false;
    for why in [
        Why::UnknownToJenkins { passes: 2 },
        Why::Asked,
        Why::Leaked("x".to_owned()),
        Why::TimedOut(mins(15)),
        Why::Idle { idle, outdated },
        Why::Begun,
    ] {
        assert_ne!(audited_as(&world, &plan, &why), "", "{why:?}");
    }
}

#[test]
fn no_reason_leads_nodes_without_servers_past_the_guard() {
    let mut world = world();
    for number in 1..=6 {
        world.up("small", number, mins(30));
    }
    world.pass(secs(60));
    for number in 1..=6 {
        world.lose_server(&format!("small__00000000000{number}"));
    }
    world.pass(mins(5));
    let plan = forced(&mut world, 6);
    assert!(plan.removals.iter().all(|removal| removal.server.is_none()));
    let idle = Why::Idle {
        idle: mins(60),
        outdated: false,
    };
    for why in [Why::WithoutServer { passes: 2 }, idle, Why::Marked, Why::Asked] {
        assert_ne!(audited_as(&world, &plan, &why), "", "{why:?}");
    }
}

#[test]
fn a_server_that_was_found_without_a_node_did_not_time_out() {
    let mut world = world();
    for number in 1..=8 {
        world.server("small", number, mins(90));
    }
    world.pass(secs(60));
    world.pass(secs(60));
    let plan = forced(&mut world, 8);
    for why in [Why::UnknownToJenkins { passes: 2 }, Why::TimedOut(mins(15))] {
        assert_ne!(audited_as(&world, &plan, &why), "", "{why:?}");
    }
}

#[test]
fn the_audit_knows_a_person_as_the_plan_does() {
    let (world, name) = idle();
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    let broken = |change: &dyn Fn(&mut Computer)| {
        let mut world = world.clone();
        change(world.node_mut(&name));
        mita::plan::audit(&plan, &world.observed, &world.config, &world.state, &world.context).join("; ")
    };
    assert_eq!(broken(&|_| {}), "");
    let by_us = broken(&|node| marked(node, &mark_text("p0"), PERSON));
    assert!(!by_us.contains("person"), "{by_us}");
    assert!(broken(&|node| marked(node, "mine", PERSON)).contains("a person took it offline"));
    for class in [PERSON, "hudson.slaves.OfflineCause$ByCLI"] {
        let disconnect = |node: &mut Computer| {
            offline(node);
            node.offline_class = Some(class.to_owned());
        };
        assert!(broken(&disconnect).contains("a person took it offline"), "{class}");
    }
}

#[test]
fn what_a_monitor_took_offline_goes_once_idle() {
    let (mut world, name) = idle();
    marked(world.node_mut(&name), "Disk space is too low", MONITOR);
    busy(world.node_mut(&name));
    assert_eq!(world.pass(mins(6)).removals.len(), 0);
    let node = world.node_mut(&name);
    node.idle = true;
    node.idle_executors = 1;
    assert_eq!(world.pass(mins(4)).removals.len(), 0);
    assert_eq!(world.pass(mins(1)).removals.len(), 0);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    let node = plan.removals[0].node.as_ref().unwrap();
    assert!(node.by_monitor && !node.marked);
}

#[test]
fn our_mark_is_finished_when_idle_and_taken_off_when_busy() {
    let mut world = world();
    let name = world.up("small", 1, mins(3));
    assert!(mark_text("abc").starts_with(MARK_PREFIX));
    assert!(!mark_text("abc").contains(" : ") && !mark_text("abc").contains(['<', '>', '&', '"', '\'']));
    marked(world.node_mut(&name), &mark_text("p"), PERSON);
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    assert!(plan.removals[0].node.as_ref().unwrap().marked);
    busy(world.node_mut(&name));
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.unmarks.len()), (0, 1));
    assert_eq!(plan.unmarks[0].node.as_str(), name);
}

#[test]
fn a_server_that_jenkins_lost_goes_when_seen_so_twice() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(secs(60));
    world.lose_node(&name);
    for _ in 0..5 {
        assert_eq!(world.pass(secs(60)).removals.len(), 0);
    }
    let plan = world.plan();
    assert_eq!(removed(&plan), [name.as_str()]);
    assert_eq!(
        plan.removals[0].why.to_string(),
        "Jenkins does not know it, seen in 6 passes"
    );
    // Seen in between, the count starts again.
    world.node(&name, 1);
    world.pass(secs(60));
    world.lose_node(&name);
    assert_eq!(world.pass(secs(60)).removals.len(), 0);
}

#[test]
fn a_node_without_its_server_goes_when_seen_so_twice() {
    let mut world = world();
    let name = world.up("small", 1, mins(30));
    world.pass(secs(60));
    world.lose_server(&name);
    assert_eq!(world.pass(secs(60)).removals.len(), 0);
    let plan = world.plan();
    assert_eq!(plan.removals.len(), 1);
    let removal = &plan.removals[0];
    assert!(removal.server.is_none());
    assert_eq!(removal.node.as_ref().unwrap().name.as_str(), name);
    assert_eq!(plan.orphan_nodes.len(), 1);
    busy(world.node_mut(&name));
    assert_eq!(world.plan().removals.len(), 0);
}

#[test]
fn a_node_with_an_address_is_ours_only_if_remembered() {
    let mut world = world();
    world.server("small", 1, mins(30));
    world.node("small+10.0.0.2", 1);
    world.node("small+10.0.0.9", 1);
    world.pass(secs(60));
    world.lose_server("small__000000000001");
    world.pass(secs(60));
    let plan = world.plan();
    let names: Vec<&str> = plan.orphan_nodes.iter().map(mita::model::NodeName::as_str).collect();
    assert_eq!(names, ["small+10.0.0.2"]);
    assert_eq!(plan.removals.len(), 1);
}

#[test]
fn no_stray_is_known_while_a_cloud_is_closed() {
    let mut world = world();
    world.add_cloud("spare");
    let name = world.up("small", 1, mins(30));
    world.pass(secs(60));
    world.lose_server(&name);
    world.close("spare");
    for _ in 0..3 {
        let plan = world.pass(secs(60));
        assert_eq!((plan.removals.len(), plan.orphan_nodes.len()), (0, 0));
    }
}

#[test]
fn a_strange_node_that_is_online_has_a_server_somewhere() {
    let mut world = world();
    world.node("small__00000000000a", 1);
    offline(world.node("small__00000000000b", 1));
    offline(world.node("other__00000000000c", 1));
    world.pass(secs(60));
    let plan = world.plan();
    let names: Vec<&str> = plan
        .removals
        .iter()
        .map(|r| r.node.as_ref().unwrap().name.as_str())
        .collect();
    assert_eq!(names, ["small__00000000000b"]);
    assert_eq!(plan.notes.len(), 1);
}

#[test]
fn a_strange_node_that_came_online_is_left_alone() {
    let mut world = world();
    offline(world.node("small__00000000000b", 1));
    world.pass(secs(60));
    world.node_mut("small__00000000000b").offline = false;
    for _ in 0..3 {
        assert_eq!(world.pass(secs(60)).removals.len(), 0);
    }
}

#[test]
fn nothing_foreign_is_touched() {
    let mut world = world();
    let other = world.server("small", 1, mins(90));
    world.server_mut(&other).mark.as_mut().unwrap().owner = "somebody".to_owned();
    let bare = world.server("small", 2, mins(90));
    world.server_mut(&bare).mark = None;
    let odd = world.server("small", 3, mins(90));
    world.server_mut(&odd).name = "small-3".to_owned();
    for name in [&other, &bare] {
        offline(world.node(name, 1));
        world.server_mut(name).status = ServerStatus::Error;
    }
    for _ in 0..4 {
        let plan = world.pass(mins(9));
        assert_eq!(
            (plan.removals.len(), plan.servers.len(), plan.orphan_nodes.len()),
            (0, 0, 0)
        );
    }
}

#[test]
fn the_guard_holds_back_what_looks_like_a_half_read_world() {
    let mut world = world();
    for number in 1..=9 {
        world.up("small", number, mins(30));
    }
    world.pass(secs(60));
    for number in 1..=5 {
        world.lose_node(&format!("small__00000000000{number}"));
    }
    world.pass(mins(5));
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.partly), (0, true));
    assert!(found(&plan)[0].contains("--force"), "{:?}", found(&plan));
    assert!(
        plan.notes.iter().any(|note| note.contains("holds back 5 removals")),
        "{:?}",
        plan.notes
    );
    let mut forced = world.clone();
    forced.context.force = true;
    assert_eq!(forced.plan().removals.len(), 5);
    // Fewer than five, or no more than half, are let through.
    world.node("small__000000000005", 1);
    assert_eq!(world.plan().removals.len(), 4);
    world.lose_node("small__000000000005");
    world.up("small", 10, mins(30));
    assert_eq!(world.plan().removals.len(), 5);
}

#[test]
fn failed_servers_are_no_absence() {
    let mut world = world();
    for number in 1..=9 {
        let name = world.server("small", number, mins(3));
        world.server_mut(&name).status = ServerStatus::Error;
    }
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.partly), (9, false));
}

#[test]
fn a_clock_that_cannot_be_trusted_removes_nothing_idle() {
    let (mut world, _) = idle();
    world.later(-mins(60));
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.notes.len()), (0, 1));
    assert_eq!(plan.servers[0].idle_seconds, Some(0));
    let (mut world, _) = idle();
    world.state.gaps = vec![60; 10];
    let plan = world.plan();
    assert_eq!((plan.removals.len(), plan.servers[0].idle_seconds), (0, Some(0)));
    assert_eq!(
        plan.notes,
        ["41m since the last pass: idle times restart, nothing idle is removed"]
    );
    world.state.gaps = vec![900; 10];
    assert_eq!(world.plan().removals.len(), 1);
}

#[test]
fn nothing_goes_when_it_must_not() {
    let changes: [fn(&mut World); 3] = [
        |w| w.observed.jenkins.quieting_down = Some(true),
        |w| w.context.remove = false,
        |w| w.close(CLOUD),
    ];
    for change in changes {
        let (mut world, _) = idle();
        assert_eq!(world.plan().removals.len(), 1);
        change(&mut world);
        let plan = world.plan();
        assert_eq!((plan.removals.len(), plan.unmarks.len()), (0, 0));
    }
}

#[test]
fn a_node_that_an_item_names_stays() {
    let (mut world, name) = idle();
    world.items(1, "linux");
    let item = &mut world.observed.jenkins.queue[0];
    item.label = TaskLabel::Absent;
    item.why = Some(format!("Waiting for next available executor on ‘{name}’").into());
    item.task_class = Some("org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask".into());
    // A second node takes the item, as far as slots go; the first is the one that is named.
    let second = world.up("small", 2, mins(90));
    world.pass(mins(41));
    assert_eq!(removed(&world.plan()), [second.as_str()]);
    world.observed.jenkins.queue.clear();
    world.items(1, &format!("{name} && linux"));
    let plan = world.plan();
    assert_eq!(removed(&plan), [second.as_str()]);
    assert_eq!(plan.waiting[0].reason, "an executor is idle");
    busy(world.node_mut(&name));
    let itself = format!("it waits for node \"{name}\" itself; a new server would not help it");
    assert_eq!(world.plan().unmet[0].reason, itself);
    let node = world.node_mut(&name);
    (node.idle, node.idle_executors) = (true, 1);
    world.observed.jenkins.queue.clear();
    assert_eq!(world.plan().removals.len(), 2);
}

#[test]
fn a_node_of_a_template_that_is_gone_goes_by_the_defaults() {
    let mut world = world();
    let name = world.up("old", 1, mins(30));
    world.config.timing.idle_grace = mins(20);
    world.pass(mins(21));
    assert_eq!(removed(&world.plan()), [name.as_str()]);
    let late = world.server("old", 2, mins(14));
    world.pass(mins(2));
    assert_eq!(removed(&world.plan()), [late.as_str(), name.as_str()]);
}
