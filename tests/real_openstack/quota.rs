//! A project with room for two servers.

use std::process::Stdio;

use super::patience::poll;
use super::services::hold;
use super::site::{LINUX, LOGIN, Site};

fn small(name: &str) -> Site {
    furnish(Site::new(name, "ci-small"))
}

fn furnish(site: Site) -> Site {
    site.configure(&LINUX.replace("private", "small-net"), LOGIN);
    site
}

#[test]
fn no_more_is_asked_for_than_there_is_room() {
    let site = small("room");
    for name in ["a", "b", "c", "d"] {
        site.job(name, "linux");
    }
    let done = site.pass();
    assert_eq!(
        (done.actions(), done.posts()),
        (vec!["create done linux".to_owned(); 2], 2),
        "{}",
        done.out
    );
    assert_eq!(done.json()["unmet"][0]["items"], 2, "{}", done.out);
    assert!(done.unmet().contains("quota"), "{}", done.unmet());
    // Nova counts a server only once it is scheduled.
    poll("both count", || {
        let servers = site.servers();
        servers.iter().all(|server| server["status"] == "ACTIVE").then_some(())
    });
    let again = site.pass();
    assert_eq!((again.actions(), again.posts()), (Vec::new(), 0), "{}", again.out);
    assert!(again.unmet().contains("quota"), "{}", again.unmet());
}

#[test]
fn memory_and_cores_are_room_as_well() {
    let site = small("memory");
    let nodes = LINUX.replace("private", "small-net").replace("m1.tiny", "m3.xlarge");
    site.configure(&nodes, LOGIN);
    site.job("large", "linux");
    let done = site.pass();
    assert_eq!(
        (done.actions(), done.posts()),
        (Vec::new(), 0),
        "15 GB do not fit into 8: {}",
        done.out
    );
    assert!(done.unmet().contains("quota"), "{}", done.unmet());
}

#[test]
fn a_refusal_is_no_failure_when_somebody_else_was_faster() {
    let site = furnish(Site::alone("refused", "ci-small"));
    site.cloud.foreign_server(&site.owner, "other-1", "small-net");
    site.job("build", "linux");
    let request = hold("create", "nova", "POST", "/servers$");
    let first = site
        .command(&["-vv", "run", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    request.met();
    // It is ACTIVE before the request goes on: Nova counts a server only once it is scheduled.
    site.cloud.foreign_server(&site.owner, "other-2", "small-net");
    request.release();
    let first = super::site::Done::of(first.wait_with_output().unwrap());
    assert_eq!((first.code, first.posts()), (0, 1), "{}\n{}", first.out, first.err);
    assert_eq!(first.actions(), ["create refused linux"]);
    assert!(
        first.unmet().contains("Quota exceeded for instances"),
        "{}",
        first.unmet()
    );
    let second = site.pass();
    assert_eq!(
        (second.actions(), second.posts()),
        (Vec::new(), 0),
        "held back: {}",
        second.out
    );
    assert!(site.servers().is_empty());
    assert_eq!(site.cloud.servers().len(), 2, "those of others stand");
}
