//! The journal of the real binary: killed at every request, and on a disk that is full.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::crash::{held_in, now};
use super::fakes::When;
use super::removal::{KINDS, with_a_node};
use super::site::{Site, job};

/// Counts the events of each server by their kind. None may be there twice.
fn lives(site: &Site) -> BTreeMap<String, BTreeMap<String, u32>> {
    let text = fs::read_to_string(site.path("journal.jsonl")).unwrap_or_default();
    let mut lives: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let mut numbers = Vec::new();
    for line in text.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let number = (event["pass"].to_string(), event["n"].to_string());
        assert!(!numbers.contains(&number), "twice: {event}");
        numbers.push(number);
        if let (Some(name), Some(kind)) = (event["name"].as_str(), event["event"].as_str()) {
            let life = lives.entry(name.to_owned()).or_default();
            *life.entry(kind.to_owned()).or_default() += 1;
        }
    }
    lives
}

/// Kills a command at a request, whose answer it does not get.
fn kill(site: &Site, arguments: &[&str], request: u32) {
    let (mut child, gate) = held_in(site, arguments, || When::any().skip(request));
    child.kill().unwrap();
    child.wait().unwrap();
    gate.open();
}

fn passes(site: &Site, count: u32) {
    for _ in 0..count {
        site.world.advance(60);
        let done = site.binary(&["run"]);
        assert_eq!(done.status.code(), Some(0), "{done:?}");
    }
}

fn fresh() -> Site {
    let site = Site::new();
    now(&site);
    site.world.submit(job("build", "linux"));
    site
}

/// Counts the requests of a command.
fn requests(site: &Site, arguments: &[&str]) -> u32 {
    let before = site.world.calls().len();
    assert_eq!(site.binary(arguments).status.code(), Some(0));
    u32::try_from(site.world.calls().len() - before).unwrap()
}

#[test]
fn killed_at_any_request_a_pass_tells_of_its_server_once() {
    let all = requests(&fresh(), &["run"]);
    assert!(all > 6, "{all}");
    for request in 0..all {
        let site = fresh();
        kill(&site, &["run"], request);
        passes(&site, 4);
        let lives = lives(&site);
        let told: Vec<_> = lives.values().collect();
        assert_eq!(told.len(), 1, "killed at request {request}: {lives:?}");
        assert_eq!(
            told[0].get("created"),
            Some(&1),
            "killed at request {request}: {lives:?}"
        );
        assert!(
            told[0].keys().all(|kind| kind == "created" || kind == "joined"),
            "{lives:?}"
        );
    }
}

#[test]
fn killed_at_any_request_a_removal_is_told_once() {
    let (site, name) = with_a_node(KINDS[0]);
    let all = requests(&site, &["destroy", &name]);
    assert!(all > 6, "{all}");
    for request in 0..all {
        let (site, name) = with_a_node(KINDS[0]);
        kill(&site, &["destroy", &name], request);
        // What was not begun is asked for again.
        site.binary(&["destroy", &name]);
        passes(&site, 4);
        assert_eq!(
            site.servers(),
            1,
            "killed at request {request}: the foreign one is left"
        );
        let lives = lives(&site);
        let life = &lives[&name];
        let count = |kind: &str| life.get(kind).copied().unwrap_or(0);
        assert_eq!((count("created"), count("joined")), (1, 1), "{lives:?}");
        assert_eq!(
            count("removed") + count("lost"),
            1,
            "killed at request {request}: {lives:?}"
        );
    }
}

#[test]
fn a_full_disk_costs_a_problem_and_no_event() {
    let site = fresh();
    let journal = site.path("journal.jsonl");
    // The state fits, and of the events the half of a line.
    fs::write(&journal, "x\n".repeat((32 << 10) / 2 - 60)).unwrap();
    let command = site.command(&["run"]);
    let full = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .unwrap();
    let said = String::from_utf8(full.stderr).unwrap();
    assert_eq!(full.status.code(), Some(0), "{said}");
    assert!(said.contains("journal.jsonl: cannot be written"), "{said}");
    assert_eq!(site.servers(), 1);
    assert_eq!(fs::metadata(&journal).unwrap().len(), 32 << 10, "half a line is there");
    assert!(lives(&site).is_empty());
    passes(&site, 2);
    let lives = lives(&site);
    assert_eq!(lives.len(), 1);
    assert!(lives.values().all(|life| life["created"] == 1), "{lives:?}");
    let text = fs::read_to_string(&journal).unwrap();
    let broken = text
        .lines()
        .filter(|line| *line != "x" && serde_json::from_str::<Value>(line).is_err());
    assert_eq!(broken.count(), 1, "the half of a line stands alone");
}
