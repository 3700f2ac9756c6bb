//! Problems: a day of passes with each kind, counted in the lines that cron mails.

use std::collections::BTreeMap;

use mita::model::{ProblemKind, Reading, ServerStatus, Unavailable, problem_key};
use mita::state::{Backoff, CreateRecord, FailedImage, ImageMemory, LabelDrift, State};

use crate::world::{CLOUD, World, busy, cloud, id, marked, mins, offer, offline, world};
use mita::plan::problems::{self, Evidence, Finding};

/// A problem: how it begins, what happens meanwhile, how it ends.
struct Case {
    kind: ProblemKind,
    subject: &'static str,
    world: fn() -> World,
    begin: fn(&mut World),
    /// What changes in a minute without changing the problem.
    tick: fn(&mut World, i64),
    end: fn(&mut World),
}

const DAY: i64 = 24 * 60;

impl Case {
    fn key(&self) -> String {
        problem_key(self.kind, self.subject)
    }

    /// Plays a day and an hour with the problem, and two hours without; returns the lines about it, with their minutes.
    fn play(&self, disturb: &mut dyn FnMut(&mut World, i64)) -> Vec<(i64, String)> {
        let mut world = (self.world)();
        world.pass(mins(1));
        (self.begin)(&mut world);
        let (mut lines, mut sentences) = (Vec::new(), Vec::new());
        for minute in 0..DAY + 180 {
            if minute == DAY + 60 {
                (self.end)(&mut world);
            } else if minute < DAY + 60 {
                (self.tick)(&mut world, minute);
            }
            disturb(&mut world, minute);
            let plan = world.pass(mins(1));
            if let Some(memory) = world.state.problems.get(&self.key())
                && !sentences.contains(&memory.sentence)
            {
                sentences.push(memory.sentence.clone());
            }
            let is_ours = |line: &&String| sentences.iter().any(|sentence| line.contains(sentence.as_str()));
            lines.extend(plan.news.iter().filter(is_ours).map(|line| (minute, line.clone())));
        }
        assert_eq!(
            sentences.len(),
            1,
            "{}: its sentence changes: {sentences:#?}",
            self.key()
        );
        lines
    }

    /// Holds that a day with it is three lines: its beginning, one reminder, its end.
    fn check(&self, what: &str, disturb: &mut dyn FnMut(&mut World, i64)) {
        let lines = self.play(disturb);
        let key = self.key();
        assert_eq!(lines.len(), 3, "{key}, {what}: {lines:#?}");
        let [(begin, first), (reminded, still), (end, last)] = &lines[..] else {
            unreachable!()
        };
        assert!(*begin <= 10 && !first.starts_with("ended"), "{key}, {what}: {lines:#?}");
        assert!(
            *reminded == begin + DAY && still.starts_with("still, for 1d"),
            "{key}, {what}: {lines:#?}"
        );
        assert!(
            *end >= DAY + 60 && *end <= DAY + 75 && last.starts_with("ended after 1d "),
            "{key}, {what}: {lines:#?}"
        );
    }
}

fn nothing(_: &mut World, _: i64) {}

fn two_clouds() -> World {
    let mut world = world();
    world.add_cloud("spare");
    world
}

fn old_item(world: &mut World, label: &str) {
    world.items(1, label);
    let since = world.now() - mins(45);
    for item in &mut world.observed.jenkins.queue {
        item.since = since;
    }
}

fn offers(world: &mut World, offered: Result<mita::model::Offer, Unavailable>) {
    let offers = mita::model::Offers {
        templates: BTreeMap::from([("small".into(), offered)]),
        ..mita::model::Offers::default()
    };
    world.cloud(CLOUD).offers = Some(Reading::Read(offers));
}

fn missing_image() -> Result<mita::model::Offer, Unavailable> {
    let part = mita::model::MissingPart {
        key: "image".to_owned(),
        unread: false,
    };
    Err(Unavailable {
        parts: vec![part],
        ..Unavailable::new("no image named \"x\"")
    })
}

fn held(world: &mut World) {
    let backoff = Backoff {
        failures: 2,
        until: world.now() + mins(5),
        reason: format!("quota, asked at {}", world.now()),
        settled: false,
        failed: None,
        probed: Vec::new(),
    };
    world.state.backoffs.insert(format!("placement {CLOUD}"), backoff);
}

/// A Jenkins without agents.
fn agentless() -> World {
    let mut world = world();
    world.node("Built-In Node", 0).built_in = true;
    world
}

/// The same, and an item whose label it hides.
fn hidden() -> World {
    let mut world = agentless();
    world.items(1, "linux");
    let item = &mut world.observed.jenkins.queue[0];
    item.why = Some("Waiting for next available executor".into());
    item.task_class = Some("org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask".into());
    item.label = mita::model::TaskLabel::Absent;
    world
}

fn lost_fleet() -> World {
    let mut world = world();
    for number in 1..=9 {
        world.up("small", number, mins(90));
    }
    world
}

fn image_memory(world: &mut World, joined: &[&str]) {
    let now = world.now();
    let memory = ImageMemory {
        config: world.config.templates[0].digest.clone(),
        candidates: vec!["new".to_owned(), "old".to_owned()],
        joined: joined.iter().map(|image| (*image).to_owned()).collect(),
        failed: if joined.contains(&"new") {
            BTreeMap::new()
        } else {
            BTreeMap::from([("new".to_owned(), FailedImage { servers: 3, last: now })])
        },
        instead: None,
    };
    let places = world.state.images.entry("small".into()).or_default();
    places.insert(CLOUD.into(), memory);
}

fn drift(world: &mut World, labels: &[&str]) {
    let now = world.now();
    let mut drift = LabelDrift::new(&world.config.templates[0].digest.clone(), &id(1), now);
    drift.lacks = labels.iter().map(|label| ((*label).to_owned(), now)).collect();
    world.state.drifts = BTreeMap::from([("small".into(), drift)]);
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let case = |kind, subject, begin: fn(&mut World), end: fn(&mut World)| Case {
        kind,
        subject,
        world,
        begin,
        tick: nothing,
        end,
    };
    vec![
        Case {
            world: two_clouds,
            ..case(
                ProblemKind::ProviderUnreadable,
                "spare",
                |world| world.close("spare"),
                |world| drop(world.observed.clouds.insert("spare".into(), Reading::Read(cloud()))),
            )
        },
        Case {
            // It is looked up only when something is to be made.
            tick: |world, minute| match minute % 7 {
                _ if world.observed.clouds[CLOUD].ok().is_none() => {}
                0 => offers(world, missing_image()),
                _ => world.cloud(CLOUD).offers = None,
            },
            ..case(
                ProblemKind::NotOffered,
                "small@openstack: image",
                |_| {},
                |world| offers(world, Ok(offer(1))),
            )
        },
        case(
            ProblemKind::CreateFailing,
            "small@openstack",
            |world| {
                let record = CreateRecord {
                    config: world.config.templates[0].digest.clone(),
                    failed: 3,
                    ..CreateRecord::default()
                };
                world.state.creating.insert("small@openstack".to_owned(), record);
            },
            |world| drop(world.up("small", 7, mins(2))),
        ),
        Case {
            // Held back for five minutes of ten: between them one probe goes at a time.
            tick: |world, minute| {
                if minute % 10 == 0 {
                    held(world);
                }
            },
            ..case(
                ProblemKind::PlacementHeld,
                CLOUD,
                |_| {},
                |world| {
                    world.state.backoffs.clear();
                    let name = world.server("small", 7, mins(0));
                    world.server_mut(&name).created = Some(world.now());
                },
            )
        },
        case(
            ProblemKind::Unserved,
            "nowhere",
            |world| old_item(world, "nowhere"),
            |world| world.observed.jenkins.queue.clear(),
        ),
        case(
            ProblemKind::AtMax,
            "small",
            |world| {
                world.config.templates[0].max = 1;
                let name = world.up("small", 1, mins(30));
                busy(world.node_mut(&name));
                old_item(world, "linux");
            },
            |world| world.observed.jenkins.queue.clear(),
        ),
        Case {
            world: lost_fleet,
            ..case(
                ProblemKind::GuardHeld,
                "",
                |world| {
                    world.observed.jenkins.computers.retain(|computer| computer.built_in);
                    world.later(mins(6));
                },
                |world| {
                    for number in 1..=9 {
                        let name = format!("small__{number:012x}");
                        world.node(&name, 1);
                    }
                },
            )
        },
        Case {
            world: agentless,
            ..case(
                ProblemKind::HiddenLabels,
                "",
                |world| world.observed.jenkins.queue = hidden().observed.jenkins.queue,
                |world| {
                    world.node("mac", 1);
                },
            )
        },
        case(
            ProblemKind::RolledBack,
            "small",
            |world| image_memory(world, &["old"]),
            |world| image_memory(world, &["old", "new"]),
        ),
        case(
            ProblemKind::LinkUnsure,
            "small+10.0.0.2",
            |world| {
                world.server("small", 1, mins(30));
                world.node("small+10.0.0.2", 1);
                world.node("other+10.0.0.2", 1).labels = Some(vec!["small".to_owned(), "linux".to_owned()]);
            },
            |world| world.lose_node("other+10.0.0.2"),
        ),
        case(
            ProblemKind::DeadServer,
            "small__000000000001",
            |world| {
                let name = world.up("small", 1, mins(30));
                world.server_mut(&name).status = ServerStatus::Other("SHUTOFF".to_owned());
                busy(world.node_mut(&name));
                offline(world.node_mut(&name));
            },
            |world| {
                world.lose_server("small__000000000001");
                world.lose_node("small__000000000001");
            },
        ),
        case(
            ProblemKind::DeleteStuck,
            "small__000000000001",
            |world| {
                let name = world.server("small", 1, mins(30));
                let now = world.now();
                world.pass(mins(1));
                let memory = world.state.nodes.get_mut(&id(1)).unwrap();
                memory.deleting_since = Some(now - mins(11));
                memory.deleted = true;
                world.server_mut(&name).task_state = Some("deleting".to_owned());
            },
            |world| world.lose_server("small__000000000001"),
        ),
        case(
            ProblemKind::LabelDrift,
            "small: docker",
            |world| drift(world, &["docker"]),
            |world| drift(world, &[]),
        ),
        case(
            ProblemKind::RefreshStuck,
            "small__000000000001",
            |world| {
                let name = world.up("small", 1, mins(30));
                let node = world.node_mut(&name);
                busy(node);
                marked(node, "mita: draining, by hand", "hudson.slaves.OfflineCause$UserCause");
                let day_ago = world.now() - mins(DAY);
                world.pass(mins(1));
                world.state.nodes.get_mut(&id(1)).unwrap().draining_since = Some(day_ago);
            },
            |world| {
                let node = world.node_mut("small__000000000001");
                (node.offline, node.temporarily_offline) = (false, false);
                (node.offline_reason, node.offline_class) = (String::new(), None);
            },
        ),
        case(
            ProblemKind::OddData,
            "jenkins",
            |world| world.observed.jenkins.odd = vec!["an item has no id".to_owned()],
            |world| world.observed.jenkins.odd.clear(),
        ),
    ]
}

#[test]
fn a_day_with_a_problem_is_three_lines() {
    for case in cases() {
        case.check("each minute", &mut nothing);
    }
}

#[test]
fn provision_and_reap_as_two_lines_of_a_crontab_make_nothing_flap() {
    for case in cases() {
        case.check("in halves", &mut |world, minute| {
            (world.context.create, world.context.remove) = (minute % 2 == 0, minute % 2 == 1);
        });
    }
}

#[test]
fn a_provider_that_is_unread_for_a_while_ends_nothing() {
    for case in cases()
        .iter()
        .filter(|case| case.kind != ProblemKind::ProviderUnreadable)
    {
        let mut kept = None;
        case.check("unread for half an hour", &mut |world, minute| {
            if minute == 100 {
                let down = Reading::Unreadable("down".to_owned());
                kept = world.observed.clouds.insert(CLOUD.into(), down);
            }
            if let (130, Some(view)) = (minute, kept.take_if(|_| minute == 130)) {
                world.observed.clouds.insert(CLOUD.into(), view);
            }
        });
    }
}

/// Plays minutes in which a problem is found or over, as `is_there` says; returns the lines that cron mails.
fn mailed(minutes: i64, is_there: impl Fn(i64) -> bool) -> Vec<String> {
    let mut state = State::default();
    let mut lines = Vec::new();
    for minute in 0..minutes {
        let now = world().now() + mins(minute);
        let mut evidence = Evidence::default();
        if is_there(minute) {
            evidence.add(Finding::new(ProblemKind::RemovalRefused, "Agent/Delete", "refused").fact("pass", minute));
        } else {
            evidence.over.insert("removal-refused/Agent/Delete".to_owned());
        }
        problems::remember(&mut state, evidence, now);
        let due = problems::say::due(&mut state, now, mins(DAY));
        lines.extend(due.into_iter().map(|line| line.text));
    }
    lines
}

#[test]
fn what_begins_and_ends_again_and_again_is_a_line_an_hour_at_most() {
    for period in [2, 3, 10, 31, 59] {
        let lines = mailed(DAY, |minute| minute / period % 2 == 0 && minute < DAY - 180);
        assert!(lines.len() <= 26, "{period}: {lines:#?}");
        // Never a beginning without an end, nor an end without a beginning.
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(line.starts_with("ended after"), at % 2 == 1, "{period}: {lines:#?}");
        }
        assert_eq!(lines.len() % 2, 0, "{period}: {lines:#?}");
        assert!(
            lines.iter().skip(2).step_by(2).all(|line| line.starts_with("again: ")),
            "{period}: {lines:#?}"
        );
    }
}

#[test]
fn one_that_begins_long_after_its_end_is_another_one() {
    let lines = mailed(400, |minute| !(10..=200).contains(&minute));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(lines[1], "ended after 10m: refused");
    assert_eq!(lines[2], "refused (pass: 201)");
}

#[test]
fn a_changed_sentence_is_said_within_the_hour_and_what_changes_in_each_pass_is_not() {
    let mut state = State::default();
    let mut said = Vec::new();
    for minute in 0..180 {
        let now = world().now() + mins(minute);
        let mut evidence = Evidence::default();
        // It changes every ten minutes for an hour, then no more.
        let words = format!("reason {}", (minute / 10).min(6));
        evidence.add(Finding::new(ProblemKind::AtMax, "small", words).fact("items", minute));
        problems::remember(&mut state, evidence, now);
        let due = problems::say::due(&mut state, now, mins(DAY));
        said.extend(due.into_iter().map(|line| (minute, line.text)));
    }
    let said: Vec<(i64, &str)> = said.iter().map(|(minute, text)| (*minute, text.as_str())).collect();
    assert_eq!(said, [(0, "reason 0 (items: 0)"), (60, "reason 6 (items: 60)")]);
}

#[test]
fn all_that_is_open_is_said_together_once_a_day_or_never() {
    for (remind, reminders) in [(mins(DAY), 3), (mins(0), 0)] {
        let mut state = State::default();
        let mut said = Vec::new();
        for hour in 0..80 {
            let now = world().now() + mins(hour * 60);
            let mut evidence = Evidence::default();
            evidence.add(Finding::new(ProblemKind::AtMax, "small", "first"));
            if hour >= 5 {
                evidence.add(Finding::new(ProblemKind::AtMax, "big", "second"));
            }
            problems::remember(&mut state, evidence, now);
            let due = problems::say::due(&mut state, now, remind);
            said.extend((due.len() > 1).then_some(hour));
            assert!(due.len() < 2 || due.iter().all(|line| line.text.starts_with("still, for ")));
        }
        assert_eq!(said.len(), reminders, "{said:?}");
        assert!(said.iter().all(|hour| hour % 24 == 0), "{said:?}");
    }
}

#[test]
fn of_many_problems_of_a_kind_some_are_listed_and_the_rest_is_counted() {
    let mut state = State::default();
    let mut evidence = Evidence::default();
    for number in 0..1000 {
        evidence.add(Finding::new(
            ProblemKind::Unserved,
            format!("label-{number:04}"),
            "waits",
        ));
    }
    evidence.add(Finding::new(ProblemKind::AtMax, "small", "full"));
    let changes = problems::remember(&mut state, evidence.clone(), world().now());
    assert_eq!((state.problems.len(), changes.began.len()), (27, 27));
    assert_eq!(state.problems["unserved/(others)"].facts["others"], 975);
    let changes = problems::remember(&mut state, evidence, world().now() + mins(1));
    assert!(changes.is_empty());
    // A pass that does not look at the queue ends nothing.
    let changes = problems::remember(&mut state, Evidence::default(), world().now() + mins(2));
    assert!(changes.is_empty());
    let evidence = Evidence {
        over: state.problems.keys().cloned().collect(),
        ..Evidence::default()
    };
    let changes = problems::remember(&mut state, evidence, world().now() + mins(3));
    assert_eq!((changes.ended.len(), state.open_problems().len()), (27, 0));
}

#[test]
fn an_unread_provider_neither_sees_nor_breaks_what_was_seen() {
    // Jenkins does not know a server: it goes after two sightings and offline_grace, whatever is unread in between.
    let mut world = world();
    let name = world.up("small", 1, mins(60));
    world.pass(mins(1));
    world.lose_node(&name);
    let mut removed = None;
    for minute in 0..30 {
        let view = (minute % 3 != 0).then(|| {
            let down = Reading::Unreadable("down".to_owned());
            world.observed.clouds.insert(CLOUD.into(), down).unwrap()
        });
        let plan = world.pass(mins(1));
        if !plan.removals.is_empty() {
            removed.get_or_insert(minute);
        }
        if let Some(view) = view {
            world.observed.clouds.insert(CLOUD.into(), view);
        }
    }
    assert!(removed.is_some_and(|minute| minute <= 9), "{removed:?}");
    // One that was asked to go is asked again in each pass that reads its cloud.
    let memory = world.state.nodes.get_mut(&id(1)).unwrap();
    (memory.deleted, memory.phase) = (true, mita::state::Phase::Deleting);
    world.close(CLOUD);
    world.pass(mins(1));
    assert_eq!(world.state.nodes[&id(1)].phase, mita::state::Phase::Deleting);
}
