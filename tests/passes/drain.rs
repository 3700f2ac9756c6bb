//! Draining by hand in whole passes: builds end, no other begins, the node goes, and nobody else's mark is touched.

use super::fakes::{Agent, Mark, Service, When};
use super::site::{NODES, Site, job};

/// A site with one node that works for ten more minutes.
fn at_work() -> (Site, String) {
    let site = Site::with(NODES, "timing: {idle_grace: 40m}");
    site.world.submit(job("build", "linux").seconds(600));
    site.minutes(4);
    let name = site.world.with(|world| {
        let name = world.jenkins.agents.keys().next().unwrap().clone();
        assert!(!world.jenkins.agent(&name).idle());
        name
    });
    site.world.forget_calls();
    (site, name)
}

fn mark(site: &Site, name: &str) -> Option<String> {
    site.world
        .with(|world| world.jenkins.agent(name).mark.as_ref().map(|mark| mark.message.clone()))
}

fn by_admin(site: &Site, name: &str) {
    site.world
        .with(|world| world.mark(name, "admin", "looking at a core dump"));
}

#[test]
fn a_drained_node_ends_its_builds_and_goes() {
    let (site, name) = at_work();
    let done = site.mita(&["drain", &name, "--reason", "new kernel", "-o", "json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
    assert_eq!(done.actions(), ["offline done small"]);
    assert_eq!(mark(&site, &name).unwrap(), "mita: draining, by hand, new kernel");
    assert_eq!(site.writes().len(), 1, "{:?}", site.writes());
    // What waits now gets another server.
    site.world.submit(job("next", "linux").seconds(30));
    assert_eq!(site.pass().actions(), ["create done small"]);
    assert_eq!(
        site.mita(&["status", "-o", "json"]).json()["servers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    site.minutes(3);
    let rows = site.mita(&["status", "-o", "json"]).json();
    let row = rows["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == name.as_str())
        .unwrap();
    assert_eq!(row["phase"], "draining");
    site.minutes(9);
    let (left, killed, on_it) = site.world.with(|world| {
        let on_it = world.jenkins.builds.iter().filter(|build| build.agent == name).count();
        (world.jenkins.agents.contains_key(&name), world.jenkins.killed(), on_it)
    });
    assert_eq!((left, killed, on_it), (false, 0, 1), "gone long before idle_grace");
    assert_eq!(site.servers(), 1);
}

#[test]
fn a_dry_run_says_it_and_writes_nothing() {
    let (site, name) = at_work();
    let before = std::fs::read(site.state_file()).unwrap();
    let done = site.mita(&["drain", &name, "-n"]);
    assert!(done.out.contains("offline") && done.out.contains(&name), "{}", done.out);
    assert_eq!((done.code, std::fs::read(site.state_file()).unwrap()), (0, before));
    site.world.assert_no_writes();
    site.mita(&["drain", &name]);
    let done = site.mita(&["undrain", &name, "--dry-run"]);
    assert!(done.out.contains("online") && done.out.contains(&name), "{}", done.out);
    assert_eq!(site.writes().len(), 1, "the drain alone: {:?}", site.writes());
}

#[test]
fn undrain_gives_the_node_back() {
    let (site, name) = at_work();
    site.mita(&["drain", &name]);
    let again = site.mita(&["drain", &name, "-o", "json"]);
    assert_eq!((again.code, again.actions().len()), (0, 0), "{}", again.out);
    assert!(again.out.contains("drained already"), "{}", again.out);
    let done = site.mita(&["undrain", &name, "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (0, vec!["online done small".to_owned()]),
        "{}",
        done.err
    );
    assert_eq!(mark(&site, &name), None);
    site.minutes(12);
    assert_eq!(site.servers(), 1, "it is one of many again");
    let nothing = site.mita(&["undrain", &name]);
    assert_eq!((nothing.code, nothing.err.as_str()), (0, ""));
}

#[test]
fn what_is_not_ours_or_a_person_s_is_refused() {
    let (site, name) = at_work();
    site.world.agent(Agent::new("permanent", &["solaris"]).online());
    by_admin(&site, &name);
    for command in ["drain", "undrain"] {
        let done = site.mita(&[command, &name, "permanent", "nobody"]);
        assert_eq!((done.code, done.out.as_str()), (1, ""), "{}", done.err);
        for words in [
            name.as_str(),
            "a person",
            "permanent",
            "not ours",
            "nobody",
            "no such node",
        ] {
            assert!(done.err.contains(words), "{words}: {}", done.err);
        }
    }
    site.world.assert_no_writes();
    assert_eq!(mark(&site, &name).unwrap(), "looking at a core dump");
}

#[test]
fn a_person_who_comes_first_wins() {
    let (site, name) = at_work();
    let path = format!("/computer/{name}/api");
    let admin = name.clone();
    site.world.before(When::on(Service::Jenkins).path(&path), move |world| {
        world.mark(&admin, "admin", "looking at a core dump");
    });
    let done = site.mita(&["drain", &name]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(
        done.err.contains(&name) && done.err.contains("core dump"),
        "{}",
        done.err
    );
    assert_eq!(mark(&site, &name).unwrap(), "looking at a core dump");
}

#[test]
fn a_person_s_mark_over_ours_keeps_the_node_for_good() {
    let (site, name) = at_work();
    site.mita(&["drain", &name]);
    by_admin(&site, &name);
    for _ in 0..20 {
        site.world.advance(600);
        site.mita(&["run"]);
    }
    assert_eq!(site.servers(), 1);
    assert_eq!(mark(&site, &name).unwrap(), "looking at a core dump");
    // At any point of the removal, too: the second look finds another mark.
    site.world.with(|world| world.unmark(&name));
    let admin = name.clone();
    let seen = When::on(Service::Jenkins).method("POST").part("changeOfflineCause");
    site.world
        .after(seen, move |world| world.mark(&admin, "admin", "mine again"));
    let done = site.mita(&["destroy", &name]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(
        (site.servers(), mark(&site, &name).unwrap().as_str()),
        (1, "mine again")
    );
}

#[test]
fn draining_needs_the_lock_and_a_permission() {
    let (site, name) = at_work();
    let held = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(site.path("state.json.lock"))
        .unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    assert_eq!(site.mita(&["drain", &name]).code, 75);
    assert_eq!(site.mita(&["drain", &name, "-n"]).code, 0, "looking needs none");
    drop(held);
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Disconnect"));
    let done = site.mita(&["drain", &name]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("Agent/Disconnect"), "{}", done.err);
    site.world.with(|world| world.jenkins.quieting_down = true);
    let done = site.mita(&["drain", &name]);
    assert!(done.code == 1 && done.err.contains("quieting down"), "{}", done.err);
}

#[test]
fn a_drained_node_that_may_not_be_deleted_stays_drained() {
    let (site, name) = at_work();
    site.mita(&["drain", &name]);
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Delete"));
    site.world.advance(1200);
    let done = site.mita(&["run"]);
    assert!(done.code == 1 && done.err.contains("Agent/Delete"), "{}", done.err);
    assert_eq!((site.servers(), mark(&site, &name).is_some()), (1, true));
}

#[test]
fn a_monitor_s_mark_is_no_person_s() {
    let (site, name) = at_work();
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.agent(&name).mark = Some(Mark::monitor("Disk space is too low", clock));
    });
    let refused = site.mita(&["undrain", &name]);
    assert!(
        refused.code == 1 && refused.err.contains("a monitor"),
        "{}",
        refused.err
    );
    assert_eq!(site.mita(&["drain", &name]).code, 0);
    assert!(mark(&site, &name).unwrap().starts_with("mita: draining"));
}
