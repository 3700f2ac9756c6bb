//! The journal: what it says of a life, once, and what becomes of it where it cannot be written.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::fakes::{Fault, JoinsAs, Kind, Reply, Service, When};
use super::site::{NODES, Site, job};

/// Reads the events of a journal; a line that is no JSON is none.
fn events_in(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Reads the journal of a site. No event of it may be there twice.
fn events(site: &Site) -> Vec<Value> {
    let events = events_in(&site.path("journal.jsonl"));
    let mut numbers: Vec<(&str, u64)> = Vec::new();
    for event in &events {
        let number = (event["pass"].as_str().unwrap(), event["n"].as_u64().unwrap());
        assert!(!numbers.contains(&number), "twice: {event}");
        numbers.push(number);
    }
    events
}

/// Lists the events that are no readings of passes, by their words.
fn words(events: &[Value]) -> Vec<&str> {
    let words = events.iter().map(|event| event["event"].as_str().unwrap());
    words.filter(|word| *word != "pass").collect()
}

/// Returns the only event of a kind.
#[track_caller]
fn only<'e>(events: &'e [Value], word: &str) -> &'e Value {
    let found: Vec<&Value> = events.iter().filter(|event| event["event"] == word).collect();
    assert_eq!(found.len(), 1, "{word}: {events:#?}");
    found[0]
}

fn number(event: &Value, key: &str) -> f64 {
    event[key].as_f64().unwrap_or_else(|| panic!("no {key}: {event}"))
}

fn broken(status: u16) -> Fault {
    Fault::Instead(Reply::json(status, &serde_json::json!({"message": "broken"})))
}

#[test]
fn a_life_is_told_from_its_job_to_its_end() {
    let site = Site::new();
    site.world.submit(job("folder/build", "linux&&x86_64").seconds(300));
    site.pass();
    site.minutes(60);
    let events = events(&site);
    assert_eq!(words(&events), ["created", "joined", "served", "removed"]);
    let created = only(&events, "created");
    assert_eq!(created["for"], "folder/build");
    assert_eq!(created["label"], "linux&&x86_64");
    assert_eq!(
        (&created["node"], &created["provider"]),
        (&"small".into(), &"openstack".into())
    );
    let (joined, removed) = (only(&events, "joined"), only(&events, "removed"));
    for event in [joined, removed] {
        assert_eq!(event["name"], created["name"]);
        assert_eq!(event["server_id"], created["server_id"]);
        assert!(event["server_id"].is_string());
    }
    let (busy, idle) = (number(removed, "busy_seconds"), number(removed, "idle_seconds"));
    let off = number(removed, "seconds") - number(joined, "seconds") - busy - idle;
    assert!(off.abs() <= 60.0, "{joined} {removed}");
    assert!((busy - 300.0).abs() <= 60.0, "{removed}");
    assert_eq!(removed["builds"], 1);
    assert!(removed["because"].as_str().unwrap().contains("idle"), "{removed}");
    let served = only(&events, "served");
    assert_eq!(
        (&served["items"], &served["label"]),
        (&1.into(), &"linux&&x86_64".into())
    );
    assert_eq!(served["wait_seconds"]["median"], served["wait_seconds"]["longest"]);
    let readings = events.iter().filter(|event| event["event"] == "pass").count();
    assert!((6..30).contains(&readings), "{readings} readings of 61 passes");
}

#[test]
fn a_lost_answer_is_unknown_until_the_server_is_found() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(60));
    let post = || When::on(Service::Nova).method("POST");
    site.world.fault(post(), Fault::DropAfter);
    site.run();
    assert_eq!(words(&events(&site)), ["unknown"]);
    site.world.advance(60);
    site.run();
    site.minutes(5);
    let events = events(&site);
    let (unknown, created) = (only(&events, "unknown"), only(&events, "created"));
    assert_eq!(unknown["name"], created["name"]);
    assert_eq!(created["for"], "build", "the intent remembers it");
    assert!(created["because"].as_str().unwrap().contains("its mark"), "{created}");
    only(&events, "joined");
}

#[test]
fn what_is_not_made_is_said_with_the_reason() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let post = || When::on(Service::Nova).method("POST");
    site.world.fault(post(), broken(500));
    site.run();
    site.minutes(4);
    let unknown = events(&site);
    let unknown = only(&unknown, "unknown");
    let lost = events(&site);
    let lost = lost.iter().find(|event| event["event"] == "failed").unwrap();
    assert_eq!(lost["name"], unknown["name"]);
    assert!(lost["error"].as_str().unwrap().contains("intent_grace"), "{lost}");

    let site = Site::new();
    site.world.submit(job("build", "linux"));
    site.world.fault(post(), broken(400));
    site.run();
    let events = events(&site);
    let failed = only(&events, "failed");
    assert!(failed["error"].as_str().unwrap().contains("broken"), "{failed}");
    assert!(failed["because"].as_str().unwrap().contains("queue item"), "{failed}");
}

#[test]
fn a_server_that_never_joins_fails_once_and_is_removed_once() {
    let site = Site::with(NODES, "limits: {canary: 1}\ntiming: {boot_grace: 5m}\n");
    site.world
        .kind("small", Kind::new(&["linux", "x86_64"]).joins_as(JoinsAs::Never));
    site.world.submit(job("build", "linux"));
    site.pass();
    site.minutes(7);
    let events = events(&site);
    let created: Vec<&Value> = events.iter().filter(|event| event["event"] == "created").collect();
    let of_first = events.iter().filter(|event| event["name"] == created[0]["name"]);
    let of_first: Vec<Value> = of_first.cloned().collect();
    assert_eq!(words(&of_first), ["created", "failed", "removed"]);
    let (failed, removed) = (only(&of_first, "failed"), only(&of_first, "removed"));
    assert!(failed["error"].as_str().unwrap().contains("did not join"), "{failed}");
    assert_eq!(
        (number(removed, "busy_seconds"), number(removed, "idle_seconds")),
        (0.0, 0.0)
    );
}

#[test]
fn a_server_that_somebody_else_deletes_is_lost() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    site.minutes(8);
    site.world.with(|world| {
        world.cloud("openstack").servers.clear();
        world.jenkins.agents.clear();
    });
    site.minutes(4);
    let events = events(&site);
    let lost = only(&events, "lost");
    assert!(
        number(lost, "seconds") >= 480.0 && number(lost, "idle_seconds") > 60.0,
        "{lost}"
    );
    assert!(!words(&events).contains(&"removed"));
}

#[test]
fn without_a_memory_servers_are_found_by_their_mark() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    site.minutes(8);
    fs::remove_file(site.state_file()).unwrap();
    fs::remove_file(site.path("journal.jsonl")).unwrap();
    site.minutes(3);
    let events = events(&site);
    let (created, joined) = (only(&events, "created"), only(&events, "joined"));
    assert!(created["for"].is_null(), "{created}");
    assert!(
        created["because"].as_str().unwrap().contains("no pass remembers it"),
        "{created}"
    );
    assert!(joined["seconds"].is_null(), "nobody knows how long it took: {joined}");
    let at = |event: &Value| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(
        at(joined).duration_since(at(created)).as_secs() >= 480,
        "by the cloud's time: {created}"
    );
}

#[test]
fn what_is_done_by_hand_is_told_and_is_no_pass() {
    let site = Site::new();
    let made = site.mita(&["provision", "--template", "small", "-o", "json"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let told = events(&site);
    assert_eq!(only(&told, "created")["for"], "by hand");
    assert_eq!(told.len(), 1, "{told:#?}");
    site.minutes(4);
    let name = only(&events(&site), "joined")["name"].as_str().unwrap().to_owned();
    let before = events(&site).len();
    assert_eq!(site.mita(&["destroy", &name]).code, 0);
    let told = events(&site);
    assert_eq!(told.len(), before + 1);
    assert_eq!(only(&told, "removed")["because"], "destroy was asked for");
    site.minutes(3);
    only(&events(&site), "removed");
}

#[test]
fn a_pass_that_sees_nothing_is_told_when_it_begins_and_every_ten_minutes() {
    let site = Site::new();
    site.pass();
    site.world.fault(When::on(Service::Jenkins).always(), broken(503));
    for _ in 0..12 {
        site.world.advance(60);
        assert_eq!(site.run().code, 4);
    }
    let events = events(&site);
    let blind: Vec<&Value> = events.iter().filter(|event| event["exit"] == 4).collect();
    assert_eq!(blind.len(), 2, "{events:#?}");
    assert!(blind[0]["queue"].is_null() && blind[0]["servers"].is_object());
    assert_eq!(only(&events, "problem")["key"], "jenkins-unreadable");
}

#[test]
fn a_journal_that_cannot_be_written_costs_a_problem_and_no_event() {
    let site = Site::new();
    let journal = site.path("journal.jsonl");
    fs::create_dir(&journal).unwrap();
    site.world.submit(job("build", "linux").seconds(60));
    let first = site.pass().json();
    assert_eq!(first["problems"][0]["key"], "cannot-write/journal", "{first}");
    assert_eq!(first["exit"], 0);
    let said: String = (0..5)
        .map(|_| {
            site.world.advance(60);
            site.mita(&["run"]).err
        })
        .collect();
    assert_eq!(said.matches("journal.jsonl").count(), 1, "said once: {said}");
    let pending = site.state()["events"]["pending"].as_array().unwrap().len();
    assert!(pending > 4, "kept meanwhile: {pending}");
    fs::remove_dir(&journal).unwrap();
    site.minutes(3);
    let events = events(&site);
    assert_eq!(words(&events)[..3], ["created", "problem", "joined"], "in their order");
    let states: Vec<&Value> = events
        .iter()
        .map(|event| &event["state"])
        .filter(|state| state.is_string())
        .collect();
    assert_eq!(states, ["begin", "end"]);
    assert!(site.pass().json()["problems"].as_array().unwrap().is_empty());
}

#[test]
fn what_a_killed_pass_did_not_append_the_next_one_does() {
    let site = Site::new();
    let journal = site.path("journal.jsonl");
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    let whole = fs::read(&journal).unwrap();
    // Killed after the state was saved: before the append, in the middle of it, behind it.
    for cut in [0, 1, whole.len() / 2, whole.len() - 1, whole.len()] {
        fs::write(&journal, &whole[..cut]).unwrap();
        let state = fs::read(site.state_file()).unwrap();
        site.pass();
        let events = events(&site);
        only(&events, "created");
        fs::write(site.state_file(), state).unwrap();
    }
}

#[test]
fn a_full_journal_is_moved_aside_by_the_pass() {
    let site = Site::with(NODES, "journal: other.jsonl\njournal_max: 64KiB\n");
    let journal = site.path("other.jsonl");
    fs::write(&journal, "x\n".repeat(32 << 10)).unwrap();
    site.world.submit(job("build", "linux"));
    site.pass();
    assert_eq!(words(&events_in(&journal)), ["created"]);
    assert_eq!(fs::metadata(site.path("other.jsonl.1")).unwrap().len(), 64 << 10);
    assert!(!site.path("journal.jsonl").exists());
}

#[test]
fn without_a_journal_nothing_is_kept_for_it() {
    let site = Site::with(NODES, "journal: false\n");
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    site.minutes(4);
    assert!(!site.path("journal.jsonl").exists());
    let state = site.state();
    assert!(state["events"].is_null() && state["waiting"].is_null(), "{state}");
}

#[test]
fn a_dry_run_tells_nothing() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    site.mita(&["run", "--dry-run"]).good();
    assert!(!site.path("journal.jsonl").exists() && !site.state_file().exists());
    site.pass();
    let before = (fs::read(site.path("journal.jsonl")).unwrap(), site.state());
    site.world.advance(60);
    site.mita(&["run", "--dry-run"]).good();
    assert_eq!((fs::read(site.path("journal.jsonl")).unwrap(), site.state()), before);
}
