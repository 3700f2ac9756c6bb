//! A Jenkins without any agent: the anchor, the first server, and what is said of what is hidden.

use mita::model::{Computer, Reading, ServerStatus};
use mita::plan::{ANCHOR_TEXT, Anchor, MARK_PREFIX};

use crate::world::{CLOUD, World, marked, mins, reasons, removed, secs, template, with, world};

const PLAIN: &str = "Waiting for next available executor";
const BLOCK: &str = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

/// A world with the built-in node alone, in which pipelines wait whose label Jenkins hides.
fn hidden(items: u64) -> World {
    let mut world = with(vec![
        template("small", &["small", "linux"]),
        template("first", &["first"]),
    ]);
    world.node("Built-In Node", 0).built_in = true;
    world.items(items, "linux");
    for item in &mut world.observed.jenkins.queue {
        item.why = Some(PLAIN.into());
        item.task_class = Some(BLOCK.into());
        item.task_url = Some("job/p/1/".into());
        item.label = mita::model::TaskLabel::Absent;
    }
    world.config.labels.bootstrap = Some("first".into());
    world
}

fn created(world: &World) -> Vec<String> {
    let plan = world.plan();
    plan.creates.iter().map(|create| create.template.to_string()).collect()
}

#[test]
fn one_server_is_made_where_labels_are_hidden() {
    let mut world = hidden(5);
    let plan = world.pass(mins(1));
    assert_eq!(plan.creates.len(), 1);
    let because = &plan.creates[0].because;
    assert!(
        because.contains("jenkins.bootstrap") && because.contains("queue item 100"),
        "{because}"
    );
    assert_eq!(plan.unmet.len(), 1, "they are told to wait all the same");
    assert_eq!(plan.unmet[0].items, 5);
    world.config.labels.bootstrap = None;
    assert!(created(&world).is_empty(), "only who asks for it gets it");
}

#[test]
fn no_second_one_is_made_while_the_first_may_join() {
    let mut world = hidden(5);
    let boots = world.server("first", 1, mins(3));
    assert!(created(&world).is_empty());
    world.server_mut(&boots).status = ServerStatus::Error;
    let plan = world.plan();
    assert!(plan.creates.is_empty());
    let note = plan.notes.iter().find(|note| note.contains("jenkins.bootstrap"));
    assert!(note.is_some_and(|note| note.contains("held back")), "{:?}", plan.notes);
    world.lose_server(&boots);
    assert_eq!(created(&world), ["first"]);
    // Any agent makes labels show, ours or not, online or not.
    marked(world.node("mac", 1), "on leave", "hudson.slaves.OfflineCause$UserCause");
    assert!(created(&world).is_empty());
}

#[test]
fn a_server_that_is_made_for_others_is_enough() {
    let mut world = hidden(2);
    world.items(1, "linux");
    assert_eq!(created(&world), ["small"]);
}

#[test]
fn nothing_is_made_for_labels_that_are_known() {
    let mut world = hidden(1);
    let id = world.observed.jenkins.queue[0].id;
    world.observed.jenkins.labels = Some(Reading::Read([(id, Some("mac".to_owned()))].into()));
    assert!(created(&world).is_empty());
    world.observed.jenkins.labels = Some(Reading::Unreadable("403".to_owned()));
    assert_eq!(created(&world), ["first"]);
    world.observed.jenkins.queue.clear();
    assert!(created(&world).is_empty());
}

#[test]
fn the_first_server_keeps_to_every_limit() {
    let mut limited = hidden(1);
    limited.config.limits.max_servers = Some(0);
    let plan = limited.plan();
    assert!(plan.creates.is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("jenkins.bootstrap") && note.contains("limits.max_servers")),
        "{:?}",
        plan.notes
    );
    let mut quiet = hidden(1);
    quiet.observed.jenkins.quieting_down = Some(true);
    assert!(created(&quiet).is_empty());
    let mut reap = hidden(1);
    reap.context.create = false;
    assert!(created(&reap).is_empty());
    // One that never joins holds its template back, as any other does.
    let mut world = hidden(1);
    let failed = world.server("first", 1, mins(1));
    world.pass(mins(20));
    let plan = world.pass(secs(1));
    assert_eq!(removed(&plan), [failed.as_str()]);
    assert!(plan.creates.is_empty(), "{:?}", plan.creates);
}

#[test]
fn the_anchor_is_made_once_and_marked() {
    let mut world = hidden(1);
    assert_eq!(world.plan().anchor, None);
    world.config.labels.anchor = true;
    let plan = world.plan();
    assert_eq!(plan.anchor, Some(Anchor::Make));
    assert!(plan.acts(), "quieting down is asked about first");
    assert!(plan.creates.is_empty(), "it does what a first server would do");
    let anchor = world.node(Computer::ANCHOR, 1);
    anchor.offline = true;
    assert_eq!(
        world.plan().anchor,
        Some(Anchor::Mark),
        "the pass before ended between the two"
    );
    for reason in [ANCHOR_TEXT, "a person's own words"] {
        marked(
            world.node_mut(Computer::ANCHOR),
            reason,
            "hudson.slaves.OfflineCause$UserCause",
        );
        assert_eq!(world.plan().anchor, None);
    }
    assert!(!ANCHOR_TEXT.starts_with(MARK_PREFIX));
}

#[test]
fn the_anchor_is_not_made_by_reap_or_while_jenkins_quiets_down() {
    let mut world = world();
    world.config.labels.anchor = true;
    world.context.create = false;
    assert_eq!(world.plan().anchor, None);
    world.context.create = true;
    world.observed.jenkins.quieting_down = Some(true);
    assert_eq!(world.plan().anchor, None);
    world.observed.jenkins.quieting_down = Some(false);
    assert_eq!(world.plan().anchor, Some(Anchor::Make));
}

#[test]
fn the_anchor_is_nothing_that_goes() {
    let mut world = with(vec![template("mita-anchor", &["linux"])]);
    world.config.labels.anchor = true;
    marked(
        world.node(Computer::ANCHOR, 1),
        ANCHOR_TEXT,
        "hudson.slaves.OfflineCause$UserCause",
    );
    for anchor in [true, false] {
        world.config.labels.anchor = anchor;
        for _ in 0..50 {
            let plan = world.pass(mins(5));
            assert!(plan.removals.is_empty() && plan.orphan_nodes.is_empty());
            assert!(plan.servers.is_empty());
        }
    }
    assert!(world.cloud(CLOUD).servers.is_empty());
}

#[test]
fn what_the_user_may_not_read_is_counted() {
    let mut world = world();
    assert!(world.plan().notes.is_empty());
    world.observed.jenkins.hidden = 3;
    let notes = world.plan().notes;
    assert!(
        notes[0].starts_with("3 items") && notes[0].contains("Job/Read"),
        "{notes:?}"
    );
}

#[test]
fn a_language_of_jenkins_own_is_news_once() {
    let mut world = hidden(1);
    world.config.labels.bootstrap = None;
    world.node("mac", 1);
    world.observed.jenkins.queue[0].why = Some("Es gibt keine Knoten mit dem Label „linux“".into());
    assert!(world.plan().news.is_empty());
    for (language, news) in [
        (Some("de"), 1),
        (Some("de"), 0),
        (Some("fr-FR"), 0),
        // Its end.
        (Some("en-GB"), 1),
        // Again, soon after: it is not said within the hour.
        (Some("fr-FR"), 0),
        (None, 0),
    ] {
        world.observed.jenkins.language = language.map(str::to_owned);
        let plan = world.pass(mins(1));
        assert_eq!(plan.news.len(), news, "{language:?}");
        let foreign = language.is_some_and(|language| !language.starts_with("en"));
        assert_eq!(plan.notes.len(), usize::from(foreign), "{:?}", plan.notes);
        let said = reasons(&plan)[0].contains("X-Jenkins-Language");
        assert_eq!(said, language.is_some(), "{:?}", reasons(&plan));
    }
}
