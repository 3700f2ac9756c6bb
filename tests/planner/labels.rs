//! Online nodes serve what their own labels satisfy, whatever their template promises.

use jiff::SignedDuration;
use mita::config::MinReady;
use mita::plan::Plan;

use crate::fleet::Fleet;
use crate::world::{World, busy, mins, reasons, removed, secs, template, with};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A template `big` that promises `linux` and `huge`.
fn world() -> World {
    with(vec![template("big", &["linux", "huge"])])
}

/// The same, whose script registers `linux` alone.
fn drifted() -> Fleet {
    let mut fleet = Fleet::new(world());
    fleet.registrations("big", &["linux"]);
    fleet
}

/// What serves waiting items: the label, the reason, and how many.
fn served(plan: &Plan) -> Vec<(&str, &str, u64)> {
    let rows = plan.waiting.iter();
    rows.map(|row| (row.label.as_deref().unwrap_or("-"), row.reason.as_str(), row.items))
        .collect()
}

/// How many templates are known to differ from their nodes.
fn drifts(plan: &Plan) -> usize {
    plan.state.drifts.values().filter(|drift| !drift.is_none()).count()
}

/// The warnings that plans give about labels.
fn warned(plans: &[Plan]) -> usize {
    let news = plans.iter().flat_map(|plan| &plan.news);
    news.filter(|text| text.contains("promises the label")).count()
}

const LACKS: &str = "the newest server of \"big\" joined without the label \"huge\", which `labels` promises: let its \
                     script register the label, or take it out of `labels`; one server a day tries again";

#[test]
fn an_idle_node_without_the_label_is_no_supply() {
    let mut world = world();
    let name = world.up("big", 1, mins(30));
    world.labels(&name, ["linux"]);
    world.items(1, "huge");
    let plan = world.plan();
    assert_eq!(
        served(&plan),
        [("huge", "the next pass makes a server for it", 1)],
        "it joined before labels were looked at: nothing is known of the script"
    );
    world.observed.jenkins.queue.clear();
    world.items(1, "linux");
    assert_eq!(served(&world.plan()), [("linux", "an executor is idle", 1)]);
}

#[test]
fn a_label_that_the_script_does_not_register_is_said_and_costs_one_server_a_day() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    let mut plans = fleet.passes(HOUR, mins(1));
    assert_eq!(fleet.made.len(), 1, "one server was made, and joined without the label");
    assert_eq!(
        (removed(&plans[45]).len(), fleet.servers("big")),
        (0, 0),
        "idle, it went after idle_grace"
    );
    let last = plans.last().unwrap();
    assert_eq!(reasons(last), [LACKS]);
    let note = "template \"big\" promises the label \"huge\", and its newest server joined Jenkins without it";
    assert!(last.notes.iter().any(|text| text.starts_with(note)), "{:?}", last.notes);
    assert!(plans.iter().all(|plan| plan.warnings.is_empty()));
    assert!(
        plans
            .iter()
            .flat_map(|plan| &plan.notes)
            .all(|text| !text.contains("should take it")),
        "no throttle is to blame"
    );
    assert_eq!(warned(&plans), 1);
    // Three days and an hour: the next tries are a day after it was known, and a day after each other.
    plans.extend(fleet.passes(HOUR * 72, mins(5)));
    assert_eq!(fleet.made.len(), 4);
    let days: Vec<_> = fleet
        .made
        .windows(2)
        .map(|two| two[1].0.duration_since(two[0].0))
        .collect();
    assert!(days.iter().all(|day| *day >= HOUR * 24), "{days:?}");
    assert!(fleet.made[1..].iter().all(|(_, create)| create.retry));
    assert!(!fleet.made[0].1.retry);
    let because = &fleet.made[1].1.because;
    assert!(
        because.ends_with("for huge; the last server had other labels than its template, one a day tries again"),
        "{because}"
    );
    assert_eq!(warned(&plans), 4);
}

#[test]
fn a_server_that_has_the_label_ends_it() {
    let mut fleet = drifted();
    fleet.world.items(3, "huge");
    fleet.passes(HOUR, mins(1));
    assert_eq!(fleet.made.len(), 3);
    // The image that the script fetches its client from was mended; the configuration is the same.
    fleet.registrations("big", &["linux", "huge"]);
    let plans = fleet.passes(HOUR * 25, mins(5));
    assert_eq!(drifts(plans.last().unwrap()), 0);
    assert!(
        plans
            .last()
            .unwrap()
            .notes
            .iter()
            .all(|note| !note.contains("promises the label"))
    );
    assert_eq!(fleet.made.len(), 6, "one tried, and then each item got its server");
    assert_eq!(fleet.made.iter().filter(|(_, create)| create.retry).count(), 1);
}

#[test]
fn while_one_tries_no_other_is_made() {
    let mut fleet = drifted();
    fleet.world.config.templates[0].boot_grace = HOUR * 48;
    fleet.world.items(3, "huge");
    fleet.passes(HOUR, mins(1));
    fleet.boots = u32::MAX;
    let plans = fleet.passes(HOUR * 60, mins(15));
    assert_eq!(fleet.made.len(), 4, "two days are over, and the first still boots");
    let waits = plans.iter().flat_map(|plan| &plan.waiting);
    let booting = waits.filter(|row| row.reason == "waits for a booting server");
    assert_eq!(booting.map(|row| row.items).max(), Some(1));
}

#[test]
fn another_configuration_ends_it() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    fleet.passes(HOUR, mins(1));
    assert_eq!(fleet.made.len(), 1);
    fleet.world.config.templates[0].digest = "another script".to_owned();
    let plan = fleet.pass(mins(1));
    assert_eq!((plan.creates.len(), plan.creates[0].retry), (1, false));
    assert_eq!(drifts(&plan), 0);
}

#[test]
fn what_a_refused_try_leaves_may_try_again() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    fleet.passes(HOUR * 24, mins(5));
    let plan = loop {
        let plan = fleet.pass(mins(5));
        if !plan.creates.is_empty() {
            break plan;
        }
    };
    // The cloud refused it: no server was made.
    let id = &plan.creates[0].id;
    fleet.world.state.drop_intent(id).unwrap();
    fleet.world.lose_server(&plan.creates[0].name);
    assert!(fleet.pass(mins(5)).creates[0].retry);
}

#[test]
fn other_labels_of_the_template_are_served_as_ever() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    fleet.passes(mins(5), mins(1));
    fleet.world.items(3, "linux");
    let plan = fleet.pass(mins(1));
    assert_eq!(
        served(&plan),
        [
            ("huge", LACKS, 1),
            ("linux", "an executor is idle", 1),
            ("linux", "the next pass makes a server for it", 2),
        ]
    );
    let plan = fleet.pass(mins(1));
    assert_eq!(
        served(&plan),
        [
            ("huge", LACKS, 1),
            ("linux", "an executor is idle", 1),
            ("linux", "waits for a booting server", 2),
        ],
        "what boots is no supply for the label that the last one lacked"
    );
    assert_eq!(fleet.made.len(), 3);
    // Nobody is promised a node without the label, either.
    fleet.world.items(1, "linux && !huge");
    let plan = fleet.pass(mins(1));
    assert_eq!(plan.creates.len(), 0);
}

#[test]
fn another_template_serves_the_label_instead() {
    let mut world = with(vec![
        template("big", &["linux", "huge"]),
        template("dear", &["linux", "huge"]),
    ]);
    world.config.templates[1].priority = 200;
    let mut fleet = Fleet::new(world);
    fleet.registrations("big", &["linux"]);
    fleet.world.items(1, "huge");
    fleet.passes(mins(10), mins(1));
    let made: Vec<&str> = fleet.made.iter().map(|(_, create)| create.template.as_str()).collect();
    assert_eq!(made, ["big", "dear"]);
}

#[test]
fn the_newest_node_counts() {
    let mut fleet = Fleet::new(world());
    fleet.world.items(2, "huge");
    fleet.boots = 5;
    fleet.pass(mins(1));
    // Two slow ones, made before the third, join after it and lack the label: they have an older image.
    fleet.world.items(1, "huge");
    fleet.boots = 2;
    fleet.passes(mins(3), mins(1));
    fleet.registrations("big", &["linux"]);
    fleet.pass(mins(1));
    fleet.registrations("big", &["linux", "huge"]);
    let plans = fleet.passes(mins(5), mins(1));
    assert!(plans.iter().all(|plan| plan.state.drifts.is_empty()));
    assert_eq!(fleet.made.len(), 5, "those without the label are no supply");
}

#[test]
fn of_two_of_one_second_the_one_with_the_label_counts() {
    for first in [true, false] {
        let mut world = world();
        let names = [world.server("big", 1, mins(1)), world.server("big", 2, mins(1))];
        world.pass(mins(1));
        for (name, with) in names.iter().zip([first, !first]) {
            world.node(name, 1);
            world.labels(
                name,
                if with { &["linux", "huge"][..] } else { &["linux"] }.iter().copied(),
            );
        }
        assert!(world.pass(mins(1)).state.drifts.is_empty());
        assert!(world.pass(mins(1)).state.drifts.is_empty());
    }
}

#[test]
fn labels_that_come_a_moment_later_count() {
    let mut world = world();
    let name = world.server("big", 1, mins(1));
    world.pass(mins(1));
    world.node(&name, 1);
    world.labels(&name, ["linux"]);
    assert_eq!(world.pass(mins(1)).state.drifts.len(), 1);
    let mut late = world.clone();
    late.later(mins(10));
    for (mut world, known) in [(world, 0), (late, 1)] {
        world.labels(&name, ["linux", "huge"]);
        assert_eq!(drifts(&world.pass(mins(1))), known);
    }
}

#[test]
fn a_label_that_a_person_takes_off_teaches_nothing() {
    let mut fleet = Fleet::new(world());
    fleet.world.config.templates[0].max = 2;
    fleet.world.items(1, "huge");
    fleet.passes(mins(5), mins(1));
    let name = fleet.made[0].1.name.clone();
    fleet.world.labels(&name, ["linux"]);
    let plan = fleet.pass(mins(1));
    assert_eq!(
        (plan.creates.len(), plan.state.drifts.len()),
        (1, 0),
        "the item waits for nobody"
    );
    let plans = fleet.passes(mins(10), mins(1));
    assert!(plans.iter().all(|plan| plan.creates.is_empty()));
    // Again and again, the maximum holds, and a server that is gone makes room.
    let second = fleet.made[1].1.name.clone();
    fleet.world.labels(&second, ["linux"]);
    let plan = fleet.pass(mins(1));
    assert_eq!(reasons(&plan), ["template \"big\" is at its max of 2 servers"]);
    fleet.passes(mins(45), mins(1));
    assert_eq!((fleet.made.len(), fleet.servers("big")), (3, 1));
}

#[test]
fn a_lost_state_teaches_nothing_of_nodes_that_are_there() {
    let mut world = world();
    let name = world.up("big", 1, mins(30));
    world.labels(&name, ["linux"]);
    world.items(1, "huge");
    let plan = world.plan();
    assert_eq!((plan.creates.len(), plan.state.drifts.len()), (1, 0));
}

#[test]
fn what_jenkins_does_not_tell_is_as_promised() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    let name = fleet.pass(mins(1)).creates[0].name.clone();
    fleet.pass(mins(1));
    fleet.world.node_mut(&name).labels = None;
    let plan = fleet.pass(mins(1));
    assert_eq!(served(&plan), [("huge", "an executor is idle", 1)]);
    assert_eq!(drifts(&plan), 0);
}

#[test]
fn an_adopted_server_teaches_nothing() {
    let mut world = world();
    world.config.templates[0].adopt = mita::config::Adopt::Yes;
    let name = world.server("big", 1, mins(1));
    world.server_mut(&name).mark = None;
    world.pass(mins(1));
    world.node(&name, 1);
    world.labels(&name, ["linux"]);
    world.items(1, "huge");
    let plan = world.plan();
    assert!(plan.servers[0].adopted && plan.state.drifts.is_empty());
    assert_eq!(plan.creates.len(), 1, "it is no supply all the same");
}

#[test]
fn what_only_a_node_with_labels_of_its_own_can_serve_gets_no_server() {
    let mut world = world();
    let name = world.up("big", 1, mins(30));
    world.labels(&name, ["linux", "huge", "usb"]);
    world.items(1, "linux");
    world.items(2, "usb");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 0, "not in the place of the older item, either");
    assert_eq!(
        served(&plan),
        [
            ("linux", "an executor is idle", 1),
            ("usb", "no template has the labels usb", 2)
        ]
    );
    world.observed.jenkins.queue.remove(0);
    let plan = world.plan();
    assert_eq!(
        served(&plan),
        [
            ("usb", "an executor is idle", 1),
            ("usb", "no template has the labels usb", 1)
        ]
    );
}

#[test]
fn a_further_label_may_keep_work_away() {
    let mut world = world();
    let name = world.up("big", 1, mins(30));
    world.labels(&name, ["linux", "huge", "broken"]);
    world.items(1, "linux && !broken");
    let plan = world.plan();
    assert_eq!(plan.creates.len(), 1);
    world.labels(&name, ["linux", "huge", "mended"]);
    assert_eq!(world.plan().creates.len(), 0);
}

#[test]
fn a_node_is_a_label_of_its_own() {
    let mut world = world();
    let mine = world.up("big", 1, mins(300));
    let other = world.up("big", 2, mins(300));
    for name in [&mine, &other] {
        world.labels(name, ["linux", "huge"]);
    }
    world.items(2, &mine);
    let itself = format!("it waits for node \"{mine}\" itself; a new server would not help it");
    let check = |world: &World| {
        let plan = world.plan();
        let expected = [
            (mine.as_str(), "an executor is idle", 1),
            (mine.as_str(), itself.as_str(), 1),
        ];
        assert_eq!(served(&plan), expected);
        assert_eq!(plan.creates.len(), 0);
    };
    check(&world);
    // Where labels are not told, its name is known all the same.
    world.node_mut(&mine).labels = None;
    check(&world);
    busy(world.node_mut(&mine));
    assert_eq!(served(&world.plan()), [(mine.as_str(), itself.as_str(), 2)]);
}

#[test]
fn an_item_gets_the_note_only_beside_a_node_that_has_its_labels() {
    let mut world = world();
    let (bare, whole) = (world.up("big", 1, mins(300)), world.up("big", 2, mins(300)));
    world.labels(&bare, ["linux"]);
    world.labels(&whole, ["linux", "huge"]);
    // Both idle for long, the one without the label for longer.
    busy(world.node_mut(&whole));
    world.pass(mins(1));
    let node = world.node_mut(&whole);
    (node.idle, node.idle_executors) = (true, 1);
    world.items(1, "huge");
    world.pass(mins(6));
    let plan = world.pass(mins(6));
    let said = plan.notes.iter().find(|text| text.contains("should take it")).unwrap();
    assert!(said.contains(&whole) && !said.contains(&bare), "{said}");
    // The one that has the label stays for the item, the other goes.
    let plans: Vec<Plan> = (0..8).map(|_| world.pass(mins(10))).collect();
    let gone: Vec<&str> = plans.iter().flat_map(removed).collect();
    assert!(
        gone.contains(&bare.as_str()) && !gone.contains(&whole.as_str()),
        "{gone:?}"
    );
}

#[test]
fn the_warm_pool_counts_nodes_whatever_their_labels() {
    let mut fleet = drifted();
    fleet.world.config.templates[0].min_ready = MinReady::Always(2);
    fleet.passes(HOUR * 2, mins(1));
    assert_eq!((fleet.made.len(), fleet.servers("big")), (2, 2));
    fleet.world.items(2, "huge");
    let plan = fleet.pass(mins(1));
    assert_eq!((plan.creates.len(), reasons(&plan)), (0, vec![LACKS]));
}

#[test]
fn jobs_without_a_label_go_by_the_template() {
    let mut world = world();
    let name = world.up("big", 1, mins(30));
    world.labels(&name, ["other"]);
    world.items(1, "x");
    let item = &mut world.observed.jenkins.queue[0];
    item.label = mita::model::TaskLabel::Anywhere;
    item.why = Some("Waiting for next available executor".into());
    let none = "no template accepts jobs without a label (accepts_unlabelled)";
    assert_eq!(served(&world.plan()), [("-", none, 1)]);
    world.config.templates[0].accepts_unlabelled = true;
    assert_eq!(served(&world.plan()), [("-", "an executor is idle", 1)]);
}

#[test]
fn a_node_that_stands_in_for_a_foreign_one_must_have_its_labels() {
    let mut world = world();
    world.node("foreign", 1);
    world.labels("foreign", ["linux", "huge"]);
    busy(world.node_mut("foreign"));
    let name = world.up("big", 1, mins(30));
    world.items(1, "foreign");
    let item = &mut world.observed.jenkins.queue[0];
    item.label = mita::model::TaskLabel::Absent;
    item.why = Some("Waiting for next available executor on ‘foreign’".into());
    for (labels, made) in [(&["linux", "huge"][..], 0), (&["linux"], 1)] {
        world.labels(&name, labels.iter().copied());
        let plan = world.plan();
        assert_eq!(plan.creates.len(), made, "{labels:?}: {:?}", plan.waiting);
    }
}

#[test]
fn the_state_keeps_what_is_known_of_labels() {
    let mut fleet = drifted();
    fleet.world.items(1, "huge");
    fleet.passes(mins(50), mins(1));
    assert_eq!(fleet.servers("big"), 0);
    let text = serde_json::to_string(&fleet.world.state).unwrap();
    let read: mita::state::State = serde_json::from_str(&text).unwrap();
    assert_eq!((&read, read.drifts.len()), (&fleet.world.state, 1));
    let old: mita::state::State = serde_json::from_str("{\"version\":1}").unwrap();
    assert!(old.drifts.is_empty());
    fleet.world.later(secs(1));
    assert_eq!(reasons(&fleet.pass(mins(1))), [LACKS]);
}

/// A template `small` that promises `linux`, whose agents join with `swarm`, too.
fn swarming() -> Fleet {
    let mut fleet = Fleet::new(with(vec![template("small", &["linux"])]));
    fleet.registrations("small", &["linux", "swarm"]);
    fleet
}

const ADDS: &str = "the newest server of \"small\" joined with the label \"swarm\" beside its `labels`: keep the script \
                    from registering it, or add it to `labels`; one server a day tries again";

#[test]
fn a_label_beside_the_promised_ones_that_items_exclude_costs_one_server_a_day() {
    let mut fleet = swarming();
    fleet.world.items(2, "linux && !swarm");
    let mut plans = fleet.passes(HOUR, mins(1));
    assert_eq!(fleet.made.len(), 2, "one for each item, before a node was seen");
    assert_eq!(fleet.servers("small"), 0, "idle, they went after idle_grace");
    let last = plans.last().unwrap();
    assert_eq!(reasons(last), [ADDS]);
    let note = "the newest server of template \"small\" joined Jenkins with the label \"swarm\" beside its `labels`, and \
                items wait that need a node without it";
    assert!(last.notes.iter().any(|text| text.starts_with(note)), "{:?}", last.notes);
    let said = |plans: &[Plan]| {
        let news = plans.iter().flat_map(|plan| &plan.news);
        news.filter(|text| text.contains(note)).count()
    };
    assert_eq!(said(&plans), 1);
    plans.extend(fleet.passes(HOUR * 72, mins(5)));
    assert_eq!(fleet.made.len(), 5);
    assert!(fleet.made[2..].iter().all(|(_, create)| create.retry));
    assert_eq!(said(&plans), 4);
    // Once the script leaves it out, the next try ends it.
    fleet.registrations("small", &["linux"]);
    let plans = fleet.passes(HOUR * 25, mins(5));
    assert_eq!(drifts(plans.last().unwrap()), 0);
    assert_eq!(fleet.made.len(), 7, "one tried, and the other item got its server");
}

#[test]
fn a_label_beside_the_promised_ones_stops_nothing_else() {
    let mut fleet = swarming();
    fleet.world.items(1, "linux");
    let plans = fleet.passes(mins(10), mins(1));
    assert!(plans.iter().all(|plan| plan.news.is_empty()), "nobody excludes it");
    let drift = &plans.last().unwrap().state.drifts.values().next().unwrap();
    assert_eq!(
        drift.adds.keys().collect::<Vec<_>>(),
        ["swarm"],
        "the node's own name is none of them"
    );
    fleet.world.items(2, "linux");
    assert_eq!(fleet.pass(mins(1)).creates.len(), 2);
    fleet.world.observed.jenkins.queue.clear();
    // What only such a node serves gets no server: the template does not promise it.
    fleet.world.items(5, "swarm && linux");
    assert_eq!(
        fleet
            .passes(mins(20), mins(1))
            .iter()
            .flat_map(|plan| &plan.creates)
            .count(),
        0
    );
    fleet.world.observed.jenkins.queue.clear();
    // Known from a node that joined for another item: no server but one is made.
    fleet.world.items(3, "!swarm");
    assert_eq!(
        fleet
            .passes(HOUR, mins(1))
            .iter()
            .flat_map(|plan| &plan.creates)
            .count(),
        0
    );
    assert_eq!(
        fleet
            .passes(HOUR * 24, mins(5))
            .iter()
            .flat_map(|plan| &plan.creates)
            .count(),
        1
    );
}

#[test]
fn a_label_that_a_person_adds_later_says_nothing_of_the_template() {
    let mut fleet = Fleet::new(with(vec![template("small", &["linux"])]));
    fleet.world.items(1, "linux");
    fleet.passes(mins(10), mins(1));
    let name = fleet.world.observed.jenkins.computers[0].name.to_string();
    fleet.world.labels(&name, ["linux", "quarantine"]);
    fleet.world.observed.jenkins.queue.clear();
    fleet.world.items(1, "linux && !quarantine");
    let plan = fleet.pass(mins(1));
    assert_eq!((plan.creates.len(), plan.state.drifts.len()), (1, 0));
}

#[test]
fn labels_beside_the_promised_ones_that_come_a_moment_later_count() {
    for first in [&["linux"][..], &["linux", "first"]] {
        let mut fleet = swarming();
        fleet.registrations("small", first);
        fleet.world.items(1, "linux && !swarm && !first");
        fleet.passes(mins(3), mins(1));
        let name = fleet.world.observed.jenkins.computers[0].name.to_string();
        fleet.world.labels(&name, ["linux", "swarm"]);
        let plan = fleet.pass(mins(1));
        let drift = plan.state.drifts.values().next().unwrap();
        assert_eq!(drift.adds.keys().collect::<Vec<_>>(), ["swarm"]);
        assert_eq!(reasons(&plan), [ADDS]);
    }
}

#[test]
fn no_label_that_an_item_excludes_is_forgotten_however_many_there_are() {
    let many: Vec<String> = (0..300).map(|number| format!("tool-{number:03}")).collect();
    let long = "x".repeat(400);
    for excluded in ["tool-299", &long] {
        let mut fleet = swarming();
        let all = many.iter().map(String::as_str).chain(["linux", &long]);
        fleet.registrations("small", &all.collect::<Vec<_>>());
        fleet.world.items(1, &format!("linux && !{excluded}"));
        let plans = fleet.passes(HOUR * 3, mins(1));
        assert_eq!(fleet.made.len(), 1, "{excluded}");
        let known = plans
            .last()
            .unwrap()
            .state
            .drifts
            .values()
            .map(|drift| drift.adds.len());
        assert!(known.max() <= Some(100));
    }
}

/// The news of labels beside the promised ones.
fn unwanted(plans: &[Plan]) -> Vec<&str> {
    let news = plans.iter().flat_map(|plan| &plan.news);
    let unwanted = news.filter(|text| text.contains("beside its `labels`"));
    unwanted.map(String::as_str).collect()
}

#[test]
fn a_label_is_said_once_a_day_though_items_and_nodes_come_and_go() {
    let mut fleet = swarming();
    let mut plans = Vec::new();
    for _ in 0..20 {
        fleet.world.items(1, "linux && !swarm");
        plans.extend(fleet.passes(mins(4), mins(1)));
        fleet.world.observed.jenkins.queue.clear();
        plans.extend(fleet.passes(mins(4), mins(1)));
    }
    assert_eq!(unwanted(&plans).len(), 1, "{:?}", unwanted(&plans));
    // Nodes join with one or the other, as others than this item make them.
    let mut fleet = Fleet::new(with(vec![template("small", &["linux"])]));
    let mut plans = Vec::new();
    for turn in 0..20 {
        fleet.registrations("small", &["linux", ["a", "b"][turn % 2]]);
        fleet.world.items(1, "linux && !a && !b");
        fleet.world.items(2, "linux");
        plans.extend(fleet.passes(mins(4), mins(1)));
        fleet.world.observed.jenkins.queue.clear();
        plans.extend(fleet.passes(mins(45), mins(5)));
    }
    // Two labels that come and go for sixteen hours: at most a line an hour each.
    assert!(unwanted(&plans).len() <= 32, "{:?}", unwanted(&plans));
}

#[test]
fn each_label_is_a_problem_of_its_own() {
    let mut fleet = swarming();
    fleet.registrations("small", &["linux", "a", "b", "c"]);
    fleet.world.items(1, "linux && !a && !b");
    let plans = fleet.passes(HOUR, mins(1));
    assert_eq!(
        unwanted(&plans),
        [
            "the newest server of template \"small\" joined Jenkins with the label \"a\" beside its `labels`, and items \
             wait that need a node without it: keep the script from registering it, or add it to `labels`; until then one \
             server a day is made for them, to see whether it is gone",
            "the newest server of template \"small\" joined Jenkins with the label \"b\" beside its `labels`, and items \
             wait that need a node without it: keep the script from registering it, or add it to `labels`; until then one \
             server a day is made for them, to see whether it is gone",
        ]
    );
}

#[test]
fn a_label_that_another_template_spares_is_no_news() {
    let mut fleet = Fleet::new(with(vec![template("small", &["linux"]), template("other", &["linux"])]));
    fleet.registrations("small", &["linux", "swarm"]);
    fleet.world.items(1, "linux && !swarm");
    let plans = fleet.passes(HOUR, mins(1));
    let made: Vec<&str> = fleet.made.iter().map(|(_, create)| create.template.as_str()).collect();
    assert_eq!((made, unwanted(&plans).len()), (vec!["small", "other"], 0));
}
