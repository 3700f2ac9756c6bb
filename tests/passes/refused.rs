//! What Jenkins refuses is said, and not tried again in every pass: an hour, a start of Jenkins, or another user later.

use super::fakes::{Agent, Service, Task};
use super::safety::about_to_reap;
use super::site::{NODES, Site, job};

const EXTENDED_READ: &str = "hudson.model.Item.ExtendedRead";
const DELETE: &str = "hudson.model.Computer.Delete";
const DISCONNECT: &str = "hudson.model.Computer.Disconnect";

const MATRIX: &str = "<matrix-project><axes><hudson.matrix.TextAxis><name>KIND</name></hudson.matrix.TextAxis>\
                      <hudson.matrix.LabelAxis><name>OS</name></hudson.matrix.LabelAxis></axes></matrix-project>";

fn revoke(site: &Site, permission: &str) {
    site.world.with(|world| world.jenkins.revoke("mita", permission));
}

fn grant(site: &Site, permission: &str) {
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.permissions.insert(permission.to_owned());
    });
}

/// Another start of Jenkins, which no pass sees in between.
fn restart(site: &Site) {
    site.world.with(|world| world.jenkins.session.push('x'));
}

fn count(site: &Site, part: &str) -> usize {
    site.world
        .count(|call| call.service == Service::Jenkins && call.path.contains(part))
}

/// Eight matrix jobs wait, Jenkins has no agent, and the user may not see the configuration of any.
fn matrix_site() -> Site {
    let site = Site::new();
    for n in 0..8 {
        let name = format!("matrix{n}");
        let axes = MATRIX.to_owned();
        site.world
            .with(|world| world.jenkins.config_xml.insert(name.clone(), axes));
        // The values are labels of the template, though only one of the axes asks for one.
        let child = Task::matrix(&name, "KIND=x86_64,OS=linux").label("linux");
        site.world.submit(child);
    }
    revoke(&site, EXTENDED_READ);
    site
}

#[test]
fn a_label_that_jenkins_refuses_to_tell_is_not_made_up() {
    let site = matrix_site();
    let done = site.pass();
    assert!(done.actions().is_empty(), "{}", done.out);
    let unmet = &done.json()["unmet"][0];
    assert_eq!((unmet["label"].as_str(), unmet["items"].as_u64()), (None, Some(8)));
    let reason = unmet["reason"].as_str().unwrap();
    assert!(
        reason.contains("Job/ExtendedRead") && reason.contains("jenkins.anchor: true"),
        "{reason}"
    );
    let said = |err: &str| err.matches("Job/ExtendedRead").count();
    assert_eq!(said(&done.err), 1, "{}", done.err);
    assert_eq!(count(&site, "config.xml"), 8);
    assert_eq!(said(&site.mita(&["run"]).err), 1, "said where cron mails it");
    for _ in 0..58 {
        site.world.advance(60);
        let done = site.mita(&["run"]);
        assert_eq!((said(&done.err), site.servers()), (0, 0), "said once: {}", done.err);
    }
    assert_eq!(count(&site, "config.xml"), 8, "a refusal is remembered");
    site.minutes(3);
    assert_eq!(count(&site, "config.xml"), 16, "for an hour");
}

#[test]
fn a_start_of_jenkins_or_another_user_ends_a_refusal() {
    let site = matrix_site();
    site.pass();
    grant(&site, EXTENDED_READ);
    site.minutes(1);
    assert_eq!((count(&site, "config.xml"), site.servers()), (8, 0));
    restart(&site);
    site.world.advance(60);
    let done = site.pass();
    assert_eq!(
        (count(&site, "config.xml"), done.actions().len()),
        (16, 3),
        "canary: {}",
        done.out
    );

    let site = matrix_site();
    site.pass();
    site.world.with(|world| {
        let mut other = world.jenkins.users[0].clone();
        other.name = "other".to_owned();
        world.jenkins.users.push(other);
    });
    site.change_config("user: mita", "user: other");
    site.minutes(1);
    assert_eq!(count(&site, "config.xml"), 16);
}

#[test]
fn the_last_resort_by_values_stays_where_it_is_no_refusal() {
    let site = matrix_site();
    grant(&site, EXTENDED_READ);
    site.world.with(|world| {
        for xml in world.jenkins.config_xml.values_mut() {
            "<html>".clone_into(xml);
        }
    });
    let done = site.pass();
    assert_eq!(done.actions().len(), 3, "{}", done.out);
}

#[test]
fn a_check_speaks_of_matrix_jobs() {
    let site = matrix_site();
    site.world
        .with(|world| world.jenkins.config_xml.insert("matrix0".to_owned(), MATRIX.to_owned()));
    let check = site.mita(&["check", "--online"]);
    assert!(
        check.err.contains("matrix jobs") || check.err.contains("no job can be seen"),
        "{}",
        check.err
    );
}

#[test]
fn a_node_that_may_not_be_deleted_does_not_blink() {
    for (permission, name) in [(DELETE, "Agent/Delete"), (DISCONNECT, "Agent/Disconnect")] {
        let (site, node) = about_to_reap();
        revoke(&site, permission);
        let done = site.mita(&["run", "-o", "json"]);
        assert!(done.code == 1 && done.err.contains(name), "{}", done.err);
        let marks = || count(&site, "changeOfflineCause");
        assert_eq!(marks(), 1);
        let is_marked = || site.world.with(|world| world.jenkins.agent(&node).mark.is_some());
        assert!(!is_marked());
        for _ in 0..58 {
            site.world.advance(60);
            site.world.with(|world| world.jenkins.agent(&node).mark = None);
            let done = site.mita(&["run", "-o", "json"]);
            assert!(done.code == 0 && done.actions().is_empty(), "{}", done.out);
            let notes = done.json()["notes"].to_string();
            assert!(
                notes.contains("1 to remove stays since Jenkins refused") && notes.contains(name),
                "{notes}"
            );
        }
        assert_eq!((marks(), site.servers()), (1, 1));
        site.world.advance(300);
        site.mita(&["run"]);
        assert_eq!(marks(), 2, "once an hour");
        // An operator's word is tried at once.
        site.mita(&["destroy", &node]);
        assert_eq!(marks(), 3);
        grant(&site, permission);
        site.minutes(1);
        assert_eq!(site.servers(), 1);
        restart(&site);
        site.minutes(20);
        assert_eq!(site.servers(), 0);
        assert!(
            site.state().get("refusals").is_none(),
            "what went through is no longer refused"
        );
    }
}

#[test]
fn one_refusal_is_enough_for_a_pass_and_the_refused_node_comes_last() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux").seconds(30));
    }
    site.minutes(6);
    assert_eq!(site.servers(), 3);
    revoke(&site, DELETE);
    site.world.advance(300);
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(count(&site, "changeOfflineCause"), 1);
    assert!(
        done.actions()
            .iter()
            .filter(|action| action.starts_with("delete_node skipped"))
            .count()
            == 2,
        "{}",
        done.out
    );
    let first = site.state()["refusals"]["removal"]["about"]
        .as_str()
        .unwrap()
        .to_owned();
    grant(&site, DELETE);
    restart(&site);
    site.world.advance(600);
    site.world.forget_calls();
    site.minutes(12);
    assert_eq!(site.servers(), 0);
    let calls = site.world.calls();
    let last = calls
        .iter()
        .rev()
        .find(|call| call.path.ends_with("/doDelete"))
        .unwrap();
    assert!(last.path.contains(&first), "{first}: {}", last.path);
}

#[test]
fn a_check_of_a_user_who_may_remove_nothing_fails() {
    for permissions in [&[DELETE, DISCONNECT][..], &[DELETE], &[DISCONNECT]] {
        let site = Site::new();
        site.world.agent(Agent::new("agent", &["x"]).online());
        assert_eq!(site.mita(&["check", "--online"]).code, 0);
        for permission in permissions {
            revoke(&site, permission);
        }
        let done = site.mita(&["check", "--online"]);
        assert_eq!(done.code, 1, "{}", done.err);
        for permission in permissions {
            let name = permission.replace("hudson.model.Computer.", "Agent/");
            assert!(done.err.contains(&name), "{}", done.err);
        }
    }
}

#[test]
fn a_user_whose_name_is_not_ascii_hides_no_permission() {
    let site = Site::new();
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.name = "jos\u{e9}".to_owned();
        user.permissions.remove("hudson.model.Hudson.Read");
    });
    site.change_config("user: mita", "user: jos\u{e9}");
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 4);
    assert!(done.err.contains("user jos\u{e9} lacks Overall/Read"), "{}", done.err);
}
