//! The past, from events made by hand.

use std::path::Path;

use jiff::Timestamp;

use super::lives::{Ending, Life, Past, remembered};
use super::{By, Groups, Window, group, group_sheet, trace};
use crate::config::{Config, load_text};
use crate::model::{Event, EventKind, Seconds, WaitSeconds};
use crate::state::{LastPass, NodeMemory, State};

const HOUR: i64 = 3600;

/// 2026-03-02T00:00:00Z.
const DAY: i64 = 1_772_409_600;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An event of a server at a second after the beginning of the day.
fn event(kind: EventKind, second: i64, name: &str) -> Event {
    Event {
        name: Some(name.to_owned()),
        node: Some(name.split("__").next().unwrap().into()),
        provider: Some("cloud".into()),
        server_id: Some(format!("id of {name}").as_str().into()),
        ..Event::new(kind, at(DAY + second), "p")
    }
}

fn created(second: i64, name: &str) -> Event {
    Event {
        made_for: Some("team/build".to_owned()),
        label: Some("linux".to_owned()),
        ..event(EventKind::Created, second, name)
    }
}

fn joined(second: i64, name: &str, seconds: i64) -> Event {
    Event {
        seconds: Some(Seconds::whole(seconds)),
        ..event(EventKind::Joined, second, name)
    }
}

fn ended(kind: EventKind, second: i64, name: &str, seconds: i64, busy: u64) -> Event {
    Event {
        seconds: Some(Seconds::whole(seconds)),
        busy_seconds: Some(busy),
        idle_seconds: Some(60),
        builds: Some(2),
        ..event(kind, second, name)
    }
}

fn removed(second: i64, name: &str, seconds: i64, busy: u64) -> Event {
    ended(EventKind::Removed, second, name, seconds, busy)
}

fn served(second: i64, label: Option<&str>, items: u64, median: u64, longest: u64) -> Event {
    Event {
        label: label.map(str::to_owned),
        items: Some(items),
        wait_seconds: Some(WaitSeconds { median, longest }),
        ..Event::new(EventKind::Served, at(DAY + second), "p")
    }
}

/// A state whose last pass was at a second of the day.
fn state(second: i64) -> State {
    State {
        last_pass: Some(LastPass::begun("p", at(DAY + second))),
        ..State::default()
    }
}

fn living(name: &str, created: i64) -> NodeMemory {
    let json = serde_json::json!({
        "template": name.split("__").next(), "provider": "cloud", "zone": null, "name": name,
        "server_id": format!("id of {name}"), "created": at(DAY + created), "phase": "idle",
    });
    serde_json::from_value(json).unwrap()
}

fn past(events: &[Event], state: &State, now: i64) -> Past {
    let mut past = Past::default();
    for event in events {
        past.add(event);
    }
    past.settle(state, at(DAY + now));
    past
}

/// A life as seconds of the day: begin, joined, end.
fn times(life: &Life) -> (i64, Option<i64>, Option<(i64, Ending)>) {
    let second = |millis: i64| millis / 1000 - DAY;
    (
        second(life.begin),
        life.joined.map(second),
        life.end.map(|(at, how)| (second(at), how)),
    )
}

#[test]
fn an_id_that_the_cloud_gives_again_is_of_another_life() {
    let reused = |event: Event| Event {
        server_id: Some("101".into()),
        ..event
    };
    let events = [
        created(0, "small__a"),
        removed(3_600, "small__a", 3_600, 900),
        created(7_200, "small__b"),
        joined(7_260, "small__b", 60),
        removed(10_800, "small__b", 3_600, 1_800),
        created(10_900, "small__c"),
    ];
    let mut state = state(11_000);
    let mut node = living("small__c", 10_900);
    node.server_id = "101".into();
    state.nodes.insert("c".into(), node);
    let past = past(&events.map(reused), &state, 11_000);
    let lives: Vec<_> = past
        .lives
        .iter()
        .map(|life| (life.name.as_str(), times(life), life.busy))
        .collect();
    assert_eq!(
        lives,
        [
            ("small__a", (0, None, Some((3_600, Ending::Removed))), 900),
            ("small__b", (7_200, Some(7_260), Some((10_800, Ending::Removed))), 1_800),
            ("small__c", (10_900, None, None), 0),
        ]
    );
}

#[test]
fn a_life_is_put_together() {
    let events = [
        created(10, "small__a"),
        joined(95, "small__a", 85),
        removed(3_610, "small__a", 3_600, 900),
    ];
    let past = past(&events, &state(4_000), 4_000);
    let [life] = &past.lives[..] else { panic!("{past:?}") };
    assert_eq!(times(life), (10, Some(95), Some((3_610, Ending::Removed))));
    assert_eq!((life.boot, life.busy, life.idle, life.builds), (Some(85), 900, 60, 2));
    assert_eq!(
        (life.made_for.as_deref(), life.label.as_deref()),
        (Some("team/build"), Some("linux"))
    );
}

#[test]
fn a_beginning_that_was_rotated_away_is_told_by_the_end() {
    let check = |events: &[Event], begin: i64, known: bool| {
        let past = past(events, &state(9_000), 9_000);
        assert_eq!(
            (times(&past.lives[0]).0, past.lives[0].begin_known),
            (begin, known),
            "{events:?}"
        );
        assert_eq!(past.lives.len(), 1);
    };
    check(&[removed(3_610, "small__a", 3_600, 0)], 10, false);
    check(
        &[joined(95, "small__a", 85), removed(3_610, "small__a", 3_000, 0)],
        10,
        false,
    );
    let bare = Event {
        seconds: None,
        ..removed(3_610, "small__a", 0, 0)
    };
    check(std::slice::from_ref(&bare), 3_610, false);
    check(
        &[created(20, "small__a"), removed(3_610, "small__a", 3_600, 0)],
        20,
        true,
    );
    // Nobody lives that long.
    let endless = Event {
        seconds: Some(Seconds(u64::MAX)),
        ..bare
    };
    check(&[endless], 3_610, false);
}

#[test]
fn what_is_told_twice_counts_once() {
    // The state was lost: the server was found by its mark, and removed a second time.
    let again = Event {
        because: Some("found by its mark".to_owned()),
        ..event(EventKind::Created, 10, "small__a")
    };
    let events = [
        created(10, "small__a"),
        joined(95, "small__a", 85),
        again,
        joined(700, "small__a", 690),
        removed(3_610, "small__a", 3_600, 300),
        removed(3_670, "small__a", 3_660, 0),
    ];
    let past = past(&events, &state(4_000), 4_000);
    assert_eq!(past.lives.len(), 1);
    let life = &past.lives[0];
    assert_eq!(times(life), (10, Some(95), Some((3_670, Ending::Removed))));
    assert_eq!((life.boot, life.busy), (Some(85), 300));
    assert_eq!(life.made_for.as_deref(), Some("team/build"));
}

#[test]
fn what_lives_is_known_by_the_state() {
    let mut state = state(4_000);
    state.nodes.insert("0123456789ab".into(), living("small__a", 10));
    // Nothing of this one is in the journal.
    let joined_before = NodeMemory {
        joined: Some(at(DAY + 500)),
        busy_seconds: 120,
        ..living("small__b", 400)
    };
    state.nodes.insert("0123456789ac".into(), joined_before);
    let events = [
        created(12, "small__a"),
        // It was lost for a while.
        ended(EventKind::Lost, 1_000, "small__a", 988, 50),
        created(3_000, "small__gone"),
    ];
    let past = past(&events, &state, 4_100);
    let lives: Vec<_> = past.lives.iter().map(times).collect();
    assert_eq!(
        lives,
        [
            (10, None, None),
            (3_000, None, Some((3_000, Ending::Unknown))),
            (400, Some(500), None),
        ]
    );
    assert_eq!((past.lives[0].busy, past.lives[2].busy), (50, 120));
}

#[test]
fn without_a_state_what_has_no_end_lives() {
    let past = past(&[created(10, "small__a")], &State::default(), 500);
    assert_eq!(times(&past.lives[0]), (10, None, None));
}

#[test]
fn what_is_being_deleted_ended_when_that_was_asked() {
    let node = NodeMemory {
        deleted: true,
        deleting_since: Some(at(DAY + 3_610)),
        busy_seconds: 77,
        ..living("small__a", 10)
    };
    let mut state = state(4_000);
    state.nodes.insert("0123456789ab".into(), node);
    let with = past(
        &[created(10, "small__a"), removed(3_600, "small__a", 3_590, 70)],
        &state,
        4_000,
    );
    assert_eq!(times(&with.lives[0]).2, Some((3_600, Ending::Removed)));
    assert_eq!(with.lives[0].busy, 70, "the event has it already");
    let without = past(&[created(10, "small__a")], &state, 4_000);
    assert_eq!(times(&without.lives[0]).2, Some((3_610, Ending::Removed)));
    assert_eq!(without.lives[0].busy, 77);
}

#[test]
fn servers_of_one_name_are_told_apart_by_their_ids() {
    let of = |kind, second, id: &str| Event {
        server_id: Some(id.into()),
        ..event(kind, second, "pet")
    };
    let events = [
        of(EventKind::Created, 10, "1"),
        of(EventKind::Created, 20, "2"),
        of(EventKind::Lost, 30, "1"),
        of(EventKind::Removed, 40, "2"),
    ];
    let past = past(&events, &state(50), 50);
    let lives: Vec<_> = past.lives.iter().map(times).collect();
    assert_eq!(
        lives,
        [
            (10, None, Some((30, Ending::Lost))),
            (20, None, Some((40, Ending::Removed)))
        ]
    );
}

#[test]
fn times_in_the_future_and_in_disorder_are_bounded() {
    let events = [
        created(500, "small__a"),
        removed(100, "small__a", 50, u64::MAX),
        created(90_000_000, "small__b"),
        Event {
            at: Timestamp::MIN,
            ..created(0, "small__c")
        },
        Event {
            at: Timestamp::MAX,
            ..removed(0, "small__c", 5, 5)
        },
    ];
    let past = past(&events, &State::default(), 1_000);
    for life in &past.lives {
        let end = life.end_or(at(DAY + 1_000).as_millisecond());
        assert!(life.begin <= end && end <= (DAY + 1_000) * 1000, "{life:?}");
        let busy = life.busy_within((i64::MIN, i64::MAX), end);
        assert!(busy <= u128::try_from(end - life.begin).unwrap(), "{life:?}");
    }
    for by in By::ALL {
        let groups = group(
            &past,
            &config(""),
            by,
            Window::new(None, None, at(DAY + 1_000)),
            None,
            (DAY + 1_000) * 1000,
        );
        assert!(groups.rows.len() < 4_000, "{}", groups.rows.len());
    }
}

fn config(more: &str) -> Config {
    let text = format!(
        "state_file: /x/state.json\njenkins: {{url: 'http://127.0.0.1:1', user: u, token: t}}\ncurrency: EUR\nprovider: {{cloud: {{type: openstack, auth_url: \
         'http://127.0.0.1:1', auth_version: 3.x_password, username: u, password: p, tenant_name: t, service_region: r}}}}\n\
         defaults: {{provider: cloud, image_name: i, size: s, keyname: k, script: '#!/bin/sh'}}\nnodes:\n  \
         small: {{labels: [linux, x86_64], price: 0.085}}\n  arm: {{labels: [linux, arm64], priority: 50, price: 0.1}}\n  \
         free: {{labels: [tiny], accepts_unlabelled: true}}\n{more}"
    );
    load_text(&text, Path::new("/x/mita.yaml"), &|_| None).unwrap().config
}

/// Two days: a server over midnight, one of a template that is gone, a create that failed, one that was lost.
fn two_days() -> Vec<Event> {
    vec![
        created(22 * HOUR, "small__a"),
        joined(22 * HOUR + 100, "small__a", 100),
        served(22 * HOUR + 120, Some("x86_64"), 1, 110, 110),
        served(22 * HOUR + 180, Some("linux&&arm64"), 2, 30, 300),
        removed(26 * HOUR, "small__a", 4 * HOUR, 7_150),
        created(25 * HOUR, "old__b"),
        joined(25 * HOUR + 40, "old__b", 40),
        ended(EventKind::Lost, 26 * HOUR, "old__b", HOUR, 0),
        Event {
            server_id: None,
            error: Some("no".to_owned()),
            ..event(EventKind::Failed, 25 * HOUR, "arm__c")
        },
        served(25 * HOUR, None, 1, 20, 20),
    ]
}

fn grouped(by: By, window: (Option<i64>, Option<i64>), only: Option<&str>) -> Groups {
    let now = 48 * HOUR;
    let past = past(&two_days(), &state(now), now);
    let bound = |second: Option<i64>| second.map(|second| at(DAY + second));
    let window = Window::new(bound(window.0), bound(window.1), at(DAY + now));
    group(&past, &config(""), by, window, only, (DAY + now) * 1000)
}

fn csv(groups: &Groups) -> String {
    group_sheet(groups, "EUR").csv().replace("\r\n", "\n")
}

const HEAD: &str = "by,key,servers,failures,lost,server_hours,busy_share,boots,boot_seconds_median,boot_seconds_p95,items,\
                    wait_seconds_median,wait_seconds_p95,cost,currency,unpriced_hours\n";

#[test]
fn templates_are_counted() {
    let text = csv(&grouped(By::Node, (None, None), None));
    let wanted = "node,small,1,0,0,4,0.496528,1,100,100,1,110,110,0.34,EUR,0\n\
                  node,old,1,0,1,1,0,1,40,40,0,,,,,1\n\
                  node,arm,0,1,0,0,,0,,,2,30,300,,,0\n\
                  node,free,0,0,0,0,,0,,,1,20,20,,,0\n\
                  total,,2,1,1,5,0.397222,2,40,100,4,30,300,0.34,EUR,1\n";
    assert_eq!(text, format!("{HEAD}{wanted}"));
}

#[test]
fn days_are_split_at_midnight_and_add_up() {
    let groups = grouped(By::Day, (None, None), None);
    // Joined at 22:01:40: of 14,300 s until the end 7,100 are on the first day, and half of all were at work.
    let wanted = "day,2026-03-02,1,0,0,2,0.493056,1,100,100,3,110,300,0.17,EUR,0\n\
                  day,2026-03-03,1,1,1,3,0.333333,1,40,40,1,20,20,0.17,EUR,1\n\
                  total,,2,1,1,5,0.397222,2,40,100,4,30,300,0.34,EUR,1\n";
    assert_eq!(csv(&groups), format!("{HEAD}{wanted}"));
    let sum = |of: fn(&super::Row) -> u128| groups.rows.iter().map(|(_, row)| of(row)).sum::<u128>();
    assert_eq!(sum(|row| row.millis), groups.total.millis);
    assert_eq!(sum(|row| row.busy_millis), groups.total.busy_millis);
}

#[test]
fn labels_jobs_and_providers_are_counted() {
    let text = csv(&grouped(By::Label, (None, None), None));
    assert!(text.contains("label,linux,2,0,1,5,"), "{text}");
    assert!(text.contains("label,linux&&arm64,0,0,0,0,,0,,,2,30,300,"), "{text}");
    assert!(text.contains("label,,0,1,0,0,,0,,,1,20,20,"), "{text}");
    let text = csv(&grouped(By::MadeFor, (None, None), None));
    assert!(
        text.contains("made_for,team/build,2,0,1,5,0.397222,2,40,100,,,,0.34,EUR,1"),
        "{text}"
    );
    let text = csv(&grouped(By::Provider, (None, None), None));
    assert!(
        text.contains("provider,cloud,2,1,1,5,0.397222,2,40,100,,,,0.34,EUR,1"),
        "{text}"
    );
}

#[test]
fn a_window_cuts_lives_and_counts_what_was_in_it() {
    let text = csv(&grouped(By::Node, (Some(24 * HOUR), Some(25 * HOUR)), None));
    let wanted = "node,small,0,0,0,1,0.5,0,,,0,,,0.085,EUR,0\ntotal,,0,0,0,1,0.5,0,,,0,,,0.085,EUR,0\n";
    assert_eq!(text, format!("{HEAD}{wanted}"));
    let text = csv(&grouped(By::Provider, (None, None), Some("arm")));
    assert_eq!(
        text,
        format!("{HEAD}provider,cloud,0,1,0,0,,0,,,,,,,,0\ntotal,,0,1,0,0,,0,,,2,30,300,,,0\n")
    );
}

#[test]
fn a_trace_has_a_line_for_each_item() {
    let now = 48 * HOUR;
    let counted = past(&two_days(), &state(now), now);
    let all = Window::new(None, None, at(DAY + now));
    let found = trace(&counted, &config(""), all, None);
    // small: 7,150 s for 2 builds; arm and free have none, so all count: 7,150 s for 4.
    let jobs = [
        (0, 1_787, "linux&&arm64"),
        (130, 3_575, "x86_64"),
        (270, 1_787, "linux&&arm64"),
        (3 * HOUR.unsigned_abs() + 100, 1_787, ""),
    ];
    let found_jobs: Vec<_> = found
        .jobs
        .iter()
        .map(|(came, runs, label)| (*came, *runs, label.as_str()))
        .collect();
    assert_eq!(found_jobs, jobs);
    assert_eq!(found.start, Some((DAY + 22 * HOUR - 120) * 1000));
    let mut hostile = two_days();
    hostile.push(served(26 * HOUR, Some("a\nb\u{1b}"), u64::MAX, u64::MAX, u64::MAX));
    let counted = past(&hostile, &state(now), now);
    let found = trace(&counted, &config(""), all, None);
    assert_eq!((found.jobs.len(), found.left_out), (5_004, u64::MAX - 5_000));
    assert!(found.jobs.iter().all(|(.., label)| !label.contains(['\n', '\u{1b}'])));
}

#[test]
fn without_a_journal_the_state_tells_what_lives() {
    let mut state = state(4_000);
    let node = NodeMemory {
        joined: Some(at(DAY + 100)),
        ..living("small__a", 10)
    };
    state.nodes.insert("0123456789ab".into(), node);
    let events = remembered(&state);
    let kinds: Vec<_> = events
        .iter()
        .map(|event| (event.event, event.at.as_second() - DAY))
        .collect();
    assert_eq!(kinds, [(EventKind::Created, 10), (EventKind::Joined, 100)]);
}
