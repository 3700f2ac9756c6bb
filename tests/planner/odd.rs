//! What is odd, hidden or not to be helped in what Jenkins says, and how that is told.

use mita::model::TaskLabel;
use mita::plan::Plan;

use crate::world::{CLOUD, mins, offline, removed, secs, template, with, world};

const ODD: &str = "the queue item of \"x\" does not say all that it should";

#[test]
fn what_could_not_be_read_is_noted_and_said_once_a_day_without_being_a_failure() {
    let mut world = world();
    world.observed.jenkins.odd = vec![ODD.to_owned()];
    let mut said = Vec::new();
    for pass in 0..12 {
        let plan = world.pass(mins(1));
        assert_eq!(plan.notes, [format!("Jenkins: {ODD}")]);
        assert!(plan.warnings.is_empty());
        if !plan.news.is_empty() {
            said.push(pass);
        }
    }
    assert_eq!(said, [0], "when it begins");
    world.pass(mins(25 * 60));
    assert_eq!(world.pass(mins(1)).news.len(), 1, "once a day");
    world.observed.jenkins.odd.clear();
    assert!(world.pass(mins(1)).notes.is_empty());
    assert!(world.state.open_problems().is_empty());
}

#[test]
fn no_server_goes_for_want_of_a_node_while_a_name_cannot_be_read() {
    let mut world = world();
    let lost = world.up("small", 1, mins(30));
    world.server("small", 2, mins(14));
    world.pass(secs(60));
    world.lose_node(&lost);
    world.observed.jenkins.nameless = 1;
    for _ in 0..4 {
        let plan = world.pass(mins(5));
        assert!(plan.removals.is_empty());
        assert!(
            plan.notes.iter().any(|note| note.contains("whose name cannot be read")),
            "{:?}",
            plan.notes
        );
    }
    world.observed.jenkins.nameless = 0;
    assert_eq!(removed(&world.plan()).len(), 2);
}

#[test]
fn a_server_in_error_goes_all_the_same() {
    let mut world = world();
    let name = world.server("small", 1, mins(3));
    world.server_mut(&name).status = mita::model::ServerStatus::Error;
    world.observed.jenkins.nameless = 1;
    assert_eq!(removed(&world.plan()), [name.as_str()]);
}

fn says_quieting(plan: &Plan) -> bool {
    plan.notes
        .iter()
        .any(|note| note.starts_with("Jenkins is quieting down: nothing is made"))
}

#[test]
fn that_jenkins_is_quieting_down_is_said_where_it_is_asked_and_where_the_queue_tells() {
    let mut world = world();
    world.items(1, "linux");
    assert!(!says_quieting(&world.plan()));
    world.observed.jenkins.quieting_down = Some(true);
    assert!(says_quieting(&world.plan()));
    world.observed.jenkins.quieting_down = None;
    world.observed.jenkins.queue[0].why = Some("Jenkins is about to shut down".into());
    let plan = world.plan();
    assert!(says_quieting(&plan) && plan.waiting_items == 0);
    world.observed.jenkins.quieting_down = Some(false);
    world.observed.jenkins.queue[0].why = Some("Jenkins is about to shut down for good".into());
    assert!(!says_quieting(&world.plan()));
}

#[test]
fn an_item_that_a_returning_node_serves_waits_for_no_booting_server() {
    let mut world = world();
    world.observed.jenkins.session = Some("one".to_owned());
    let name = world.up("small", 1, mins(30));
    world.pass(secs(60));
    world.items(1, "linux");
    world.observed.jenkins.session = Some("two".to_owned());
    offline(world.node_mut(&name));
    let plan = world.pass(secs(60));
    assert!(plan.creates.is_empty());
    assert_eq!(
        plan.waiting[0].reason,
        "waits for a server whose node is offline and about to come back"
    );
    let mut world = crate::world::world();
    world.server("small", 1, mins(1));
    world.items(1, "linux");
    assert_eq!(world.plan().waiting[0].reason, "waits for a booting server");
}

#[test]
fn a_job_without_a_label_is_told_from_one_whose_label_is_not_known() {
    let mut world = with(vec![template("small", &["small", "linux"])]);
    world.node("somebody's", 1);
    world.items(2, "linux");
    world.observed.jenkins.queue[0].label = TaskLabel::Anywhere;
    world.observed.jenkins.queue[1].label = TaskLabel::Absent;
    for item in &mut world.observed.jenkins.queue {
        item.why = Some("Waiting for next available executor".into());
        item.task_url = None;
        item.task_class = Some("hudson.model.FreeStyleProject".into());
    }
    world.observed.jenkins.queue[1].why = Some("Something else".into());
    let plan = world.plan();
    let kinds: Vec<(bool, bool)> = plan
        .unmet
        .iter()
        .map(|row| (row.label.is_none(), row.unlabelled))
        .collect();
    assert!(
        kinds.contains(&(true, true)) && kinds.contains(&(true, false)),
        "{:?}",
        plan.unmet
    );
}

#[test]
fn an_age_is_by_the_clock_of_jenkins() {
    let mut world = world();
    world.items(1, "nobody");
    let now = world.now();
    let item = &mut world.observed.jenkins.queue[0];
    // Jenkins is an hour ahead, and the item came two minutes ago.
    item.since = now + mins(58);
    let id = item.id;
    assert_eq!(world.plan().unmet[0].oldest_seconds, 0);
    world.observed.jenkins.clock = Some(now + mins(60));
    assert_eq!(world.plan().unmet[0].oldest_seconds, 120);
    world.config.timing.queue_grace = mins(3);
    assert_eq!(world.plan().waiting_items, 0);
    world.observed.jenkins.first_seen.insert(id, now - mins(3));
    let plan = world.plan();
    assert_eq!((plan.waiting_items, plan.unmet[0].oldest_seconds), (1, 180));
}

#[test]
fn what_a_cloud_answered_oddly_is_told_with_its_name() {
    let mut world = world();
    world.cloud(CLOUD).odd = vec!["flavor 5: vcpus is a text".to_owned()];
    let said: Vec<usize> = (0..12).map(|_| world.pass(mins(1)).news.len()).collect();
    assert_eq!(said.iter().sum::<usize>(), 1, "{said:?}");
    let plan = world.plan();
    assert_eq!(plan.notes, [format!("provider \"{CLOUD}\": flavor 5: vcpus is a text")]);
    assert!(plan.warnings.is_empty());
}

#[test]
fn a_server_whose_age_is_not_told_ages_from_when_it_was_first_seen() {
    let mut world = world();
    let server = world.server("small", 1, mins(600));
    world.server_mut(&server).created = None;
    assert!(removed(&world.pass(mins(5))).is_empty(), "it may be new");
    let first = world.state.nodes.values().next().expect("it is remembered").created;
    assert!(removed(&world.pass(mins(5))).is_empty());
    assert_eq!(world.state.nodes.values().next().expect("still").created, first);
    world.pass(mins(6));
    assert_eq!(removed(&world.plan()).len(), 1);
}
