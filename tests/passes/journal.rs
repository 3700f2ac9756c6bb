//! The journal: what it says of a life, once, and what becomes of it where it cannot be written.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::site::{Site, job};

/// Reads the events of a journal; a line that is no JSON is none.
fn events(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Lists the events that are no readings, each as its word and the template of its server.
fn words(events: &[Value]) -> Vec<String> {
    let happened = events.iter().filter(|event| event["event"] != "pass");
    happened
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

fn of<'e>(events: &'e [Value], word: &str) -> Vec<&'e Value> {
    events.iter().filter(|event| event["event"] == word).collect()
}

#[test]
fn a_life_is_told_from_its_job_to_its_end() {
    let site = Site::new();
    site.world.submit(job("folder/build", "linux&&x86_64").seconds(300));
    site.pass();
    site.minutes(30);
    let events = events(&site.path("journal.jsonl"));
    assert_eq!(words(&events), ["created", "joined", "served", "removed"]);
    let [created] = of(&events, "created")[..] else {
        panic!()
    };
    assert_eq!(created["for"], "folder/build");
    assert_eq!(created["label"], "linux&&x86_64");
    assert_eq!(created["node"], "small");
    let [joined] = of(&events, "joined")[..] else { panic!() };
    let [removed] = of(&events, "removed")[..] else {
        panic!()
    };
    let [served] = of(&events, "served")[..] else { panic!() };
    for event in [created, joined, removed] {
        assert_eq!(event["name"], created["name"]);
        assert_eq!(event["server_id"], created["server_id"]);
        assert!(event["server_id"].is_string());
    }
    let boot = joined["seconds"].as_f64().unwrap();
    let sum = boot + removed["busy_seconds"].as_f64().unwrap() + removed["idle_seconds"].as_f64().unwrap();
    let life = removed["seconds"].as_f64().unwrap();
    assert!((life - sum).abs() <= 60.0, "{joined} {removed}");
    let busy = removed["busy_seconds"].as_f64().unwrap();
    assert!((busy - 300.0).abs() <= 60.0, "{removed}");
    assert_eq!(removed["builds"], 1);
    assert!(removed["because"].as_str().unwrap().contains("idle"), "{removed}");
    assert_eq!(served["items"], 1);
    assert_eq!(served["label"], "linux&&x86_64");
    let mut numbers: Vec<(String, u64)> = Vec::new();
    for event in &events {
        let number = (event["pass"].as_str().unwrap().to_owned(), event["n"].as_u64().unwrap());
        assert!(!numbers.contains(&number), "{event}");
        numbers.push(number);
    }
    assert!(
        site.state()["events"]["pending"]
            .as_array()
            .is_none_or(|left| left.len() <= 2)
    );
}
