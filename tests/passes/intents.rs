//! Intents on disk: all of a round by one write before its first request, and none of what was not begun.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fakes::{Fault, Reply, Service, When};
use super::site::{NODES, Site, job};

/// A state file as it was when a request came.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

fn create() -> When {
    When::on(Service::Nova).method("POST")
}

/// A site at which so many jobs wait and may all get a server at once.
fn site(jobs: usize, more: &str) -> Site {
    let nodes = NODES.replace("size: m1.small", "size: m1.small\n    max: 40");
    let site = Site::with(&nodes, &format!("limits: {{canary: 0}}\n{more}"));
    for name in 0..jobs {
        site.world.submit(job(&format!("job-{name}"), "linux").seconds(20_000));
    }
    site
}

/// Takes down the state file at each create.
fn watch(site: &Site) -> Seen {
    let (seen, path) = (Seen::default(), site.state_file());
    let own = Arc::clone(&seen);
    site.world.before(create().always(), move |_| {
        own.lock().unwrap().push(fs::read(&path).unwrap_or_default());
    });
    seen
}

fn names_of_intents(state: &[u8]) -> BTreeSet<String> {
    let state: serde_json::Value = serde_json::from_slice(state).unwrap();
    let intents = state["intents"].as_object().unwrap().values();
    intents
        .map(|intent| intent["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn one_write_before_the_first_request_has_the_intents_of_all() {
    for jobs in [1, 2, 20] {
        let site = site(jobs, "");
        let seen = watch(&site);
        site.pass();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), jobs);
        let different: BTreeSet<&Vec<u8>> = seen.iter().collect();
        assert_eq!(
            different.len(),
            1,
            "the file stays as it is from the first to the last request"
        );
        let made = site.world.with(|world| {
            let servers = &world.cloud("openstack").servers;
            servers
                .iter()
                .map(|server| server.name.clone())
                .collect::<BTreeSet<_>>()
        });
        assert_eq!(names_of_intents(&seen[0]), made);
    }
}

#[test]
fn what_was_not_begun_leaves_no_intent() {
    let site = site(5, "");
    let seen = watch(&site);
    let body = serde_json::json!({"forbidden": {"code": 403,
        "message": "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances"}});
    site.world
        .fault(create().skip(1).always(), Fault::Instead(Reply::json(403, &body)));
    site.run();
    let seen = seen.lock().unwrap();
    assert_eq!(
        (seen.len(), names_of_intents(&seen[0]).len()),
        (2, 5),
        "the third is not asked for"
    );
    let state = fs::read(site.state_file()).unwrap();
    assert_eq!(names_of_intents(&state).len(), 1, "that of the server that was made");
}

#[test]
fn intents_are_written_anew_before_their_grace_is_used_up() {
    let site = site(3, "timing: {intent_grace: 1s}");
    let seen = watch(&site);
    site.world.fault(create(), Fault::Late(Duration::from_millis(400)));
    site.run();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert_ne!(seen[0], seen[1], "a quarter of the grace was over");
}
