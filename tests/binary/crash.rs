//! The real binary: two at once, killed in the middle, told to end.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::fakes::{Fault, Gate, Service, When};
use super::site::{NODES, Site, job};

/// Far longer than a pass takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

/// Starts a pass that is held in the middle of a request, and waits until it is there.
fn held(site: &Site, when: impl Fn() -> When) -> (Child, Gate) {
    held_in(site, &["run"], when)
}

/// The same for any command.
pub fn held_in(site: &Site, arguments: &[&str], when: impl Fn() -> When) -> (Child, Gate) {
    let (gate, (tell, told)) = (Gate::default(), mpsc::channel());
    site.world.fault(when(), Fault::Held(gate.clone()));
    site.world.after(when(), move |_| {
        let _ = tell.send(());
    });
    let mut command = site.command(arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    told.recv_timeout(LONG).expect("the request is made");
    (child, gate)
}

/// The world's clock is set to the real one: the binary reads that.
pub fn now(site: &Site) {
    let now = jiff::Timestamp::now().as_second();
    site.world.with(|world| world.clock = now);
}

#[test]
fn a_second_pass_is_told_that_it_is_not_alone() {
    let site = Site::new();
    now(&site);
    let (first, gate) = held(&site, || When::on(Service::Jenkins).path("/queue"));
    let second = site.binary(&["run"]);
    assert_eq!(second.status.code(), Some(75));
    assert!(
        second.stdout.is_empty() && second.stderr.is_empty(),
        "cron need not mail it"
    );
    let second = site.binary(&["run", "-o", "json"]);
    assert_eq!(second.status.code(), Some(75));
    let text = String::from_utf8(second.stdout).unwrap();
    assert!(
        text.contains("another pass holds the lock") && text.contains(&first.id().to_string()),
        "{text}"
    );
    assert_eq!(
        site.binary(&["status", "-o", "json"]).status.code(),
        Some(0),
        "looking needs no lock"
    );
    gate.open();
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0));
    assert!(
        first.stdout.is_empty() && first.stderr.is_empty(),
        "a good pass prints nothing"
    );
}

#[test]
fn a_pass_can_wait_for_another() {
    let site = Site::new();
    now(&site);
    let (first, gate) = held(&site, || When::on(Service::Jenkins).path("/queue"));
    let second = site
        .command(&["run", "--wait", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    gate.open();
    assert_eq!(second.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn killed_between_the_request_and_the_answer_no_server_is_made_twice() {
    let site = Site::new();
    now(&site);
    site.world.submit(job("build", "linux"));
    let (mut first, gate) = held(&site, || When::on(Service::Nova).method("POST"));
    first.kill().unwrap();
    first.wait().unwrap();
    gate.open();
    assert_eq!(site.servers(), 1, "the cloud had made it");
    assert_eq!(
        site.state()["intents"].as_object().unwrap().len(),
        1,
        "the intent was written before"
    );
    for _ in 0..3 {
        assert_eq!(site.binary(&["run"]).status.code(), Some(0));
    }
    assert_eq!(site.servers(), 1);
    assert_eq!(site.state()["nodes"].as_object().unwrap().len(), 1);
    let posts = site
        .world
        .count(|call| call.service == Service::Nova && call.method == "POST");
    assert_eq!(posts, 1);
}

#[test]
fn killed_at_any_create_of_a_round_each_server_is_made_once() {
    const JOBS: u32 = 5;
    for made in 0..JOBS {
        let site = Site::with(NODES, "limits: {canary: 0}");
        now(&site);
        for name in 0..JOBS {
            site.world.submit(job(&format!("job-{name}"), "linux").seconds(20_000));
        }
        let (mut first, gate) = held(&site, || When::on(Service::Nova).method("POST").skip(made));
        first.kill().unwrap();
        first.wait().unwrap();
        gate.open();
        assert_eq!(site.servers(), made as usize + 1, "the cloud had made them");
        let intents = site.state()["intents"].as_object().unwrap().clone();
        assert_eq!(
            intents.len(),
            JOBS as usize,
            "all were written before the first request"
        );
        for _ in 0..12 {
            site.world.advance(30);
            site.pass();
        }
        // What was asked for is known by its mark; what was not is asked for once its intent is given up.
        assert_eq!(site.servers(), JOBS as usize);
        let names = site.world.with(|world| {
            let servers = &world.cloud("openstack").servers;
            servers
                .iter()
                .map(|server| server.name.clone())
                .collect::<BTreeSet<_>>()
        });
        let kept = intents
            .values()
            .filter(|intent| names.contains(intent["name"].as_str().unwrap()));
        assert_eq!(kept.count(), made as usize + 1, "none of them was removed");
        assert!(site.state()["intents"].as_object().unwrap().is_empty());
    }
}

#[test]
fn a_signal_ends_the_pass_after_the_request_in_flight() {
    let site = Site::new();
    now(&site);
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux"));
    }
    let (first, gate) = held(&site, || When::on(Service::Nova).method("POST"));
    let signalled = Command::new("kill")
        .args(["-TERM", &first.id().to_string()])
        .status()
        .unwrap();
    assert!(signalled.success());
    gate.open();
    let first = first.wait_with_output().unwrap();
    let text = String::from_utf8(first.stderr).unwrap();
    assert_eq!(first.status.code(), Some(1), "{text}");
    assert!(text.contains("signal"), "{text}");
    assert_eq!(site.servers(), 1, "the request in flight was finished, no other begun");
    let state = site.state();
    assert_eq!(state["intents"].as_object().unwrap().len(), 1, "saved: {state}");
    assert!(
        state["intents"]
            .as_object()
            .unwrap()
            .values()
            .all(|intent| intent["server_id"].is_string())
    );
}

#[test]
fn a_second_signal_ends_the_pass_at_once() {
    let site = Site::new();
    now(&site);
    site.world.submit(job("build", "linux"));
    let (mut first, gate) = held(&site, || When::on(Service::Nova).method("POST"));
    // Two of one kind may be delivered as one.
    for signal in ["-TERM", "-INT"] {
        let id = first.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
    let ended = first.wait().unwrap();
    gate.open();
    assert!(ended.signal().is_some(), "{ended}");
    assert_eq!(site.binary(&["run"]).status.code(), Some(0));
    assert_eq!(site.servers(), 1, "what was begun is found, not made again");
}
