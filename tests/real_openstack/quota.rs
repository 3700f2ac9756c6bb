//! A project with room for two servers.

use std::process::Stdio;

use super::patience::poll;
use super::services::hold;
use super::site::{LINUX, LOGIN, Site, text};

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

#[test]
fn a_floating_ip_over_the_quota_is_said_and_harms_nobody() {
    let site = small("few-ips");
    let nodes = LINUX.replace("private", "small-net\n    floating_ip_pool: public".trim());
    let nodes = nodes.replace(
        "[small-net\n    floating_ip_pool: public]",
        "[small-net]\n    floating_ip_pool: public",
    );
    site.configure(&nodes, LOGIN);
    site.job("a", "linux");
    site.job("b", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"; 2]);
    poll("both are ACTIVE", || {
        let servers = site.servers();
        servers.iter().all(|server| server["status"] == "ACTIVE").then_some(())
    });
    let (said, seen) = site.passes("one has an address, the other is refused", |done| {
        let refused = done.actions().contains(&"create_floating_ip refused linux".to_owned());
        refused.then(|| done.out.clone())
    });
    assert!(said.to_lowercase().contains("quota"), "{said}");
    let made = seen
        .iter()
        .filter(|action| *action == "create_floating_ip done linux")
        .count();
    assert_eq!(made, 1, "{seen:?}");
    assert_eq!(site.cloud.resources("floatingips", &site.owner).len(), 1);
    let next = site.pass();
    assert!(
        next.actions().is_empty(),
        "it is not asked for again at once: {}",
        next.out
    );
    assert_eq!(site.servers().len(), 2, "nobody was removed for that");
}

#[test]
fn a_volume_over_the_quota_is_a_quota_and_no_bad_image() {
    let site = small("few-volumes");
    let nodes = LINUX
        .replace("private", "small-net")
        .replace("    size", "    storage: 1\n    size");
    site.configure(&nodes, LOGIN);
    site.job("a", "linux");
    site.job("b", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"; 2]);
    poll("one has its volume, the other fails", || {
        let servers = site.servers();
        let error = servers.iter().find(|server| server["status"] == "ERROR")?;
        let told = site.cloud.server(error["id"].as_str()?)?;
        let up = servers.iter().any(|server| server["status"] == "ACTIVE");
        (up && told["fault"]["message"].is_string()).then_some(())
    });
    let ((), seen) = site.passes("the failed one goes", |_| {
        let servers = site.servers();
        servers.iter().all(|server| server["status"] == "ACTIVE").then_some(())
    });
    assert_eq!(seen, ["delete_server done linux"]);
    let next = site.pass();
    assert_eq!((next.actions(), next.posts()), (Vec::new(), 0), "{}", next.out);
    assert!(next.unmet().contains("VolumeLimitExceeded"), "{}", next.unmet());
    let status = site.status();
    let key = text(&status["backoffs"][0], "key");
    assert!(
        key == "template linux at real",
        "a template without a volume may have room: {status:#}"
    );
}

#[test]
fn what_is_not_allowed_is_no_quota() {
    let site = Site::new("reader", "ci");
    site.configure(LINUX, &LOGIN.replace("username: ci", "username: ci-reader"));
    site.job("build", "linux");
    let done = site.attempt();
    assert_eq!(done.code, 1, "cron must hear of it: {}{}", done.out, done.err);
    assert_eq!(done.actions(), ["create failed linux"]);
    assert!(done.unmet().contains("Policy doesn't allow"), "{}", done.unmet());
    assert!(!done.out.to_lowercase().contains("quota"), "{}", done.out);
    let next = site.attempt();
    assert_eq!(next.posts(), 0, "held back: {}", next.out);
    assert!(site.servers().is_empty());
}
