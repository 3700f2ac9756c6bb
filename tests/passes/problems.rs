//! What cron mails of whole passes: problems that begin, last and end, and the command that hears of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::fakes::{Agent, Fault, JoinsAs, Reply, Service, When};
use super::site::{NODES, Site, job};

fn broken(status: u16) -> Reply {
    Reply::json(status, &serde_json::json!({"message": "broken"}))
}

/// How the servers made from now on join.
fn joins(site: &Site, how: JoinsAs) {
    site.world.with(|world| {
        for kind in world.kinds.values_mut() {
            kind.joins_as = how;
        }
    });
}

/// Makes a pass as cron does each minute; returns what it prints.
fn minute(site: &Site) -> String {
    site.world.advance(60);
    let done = site.mita(&["run"]);
    assert_eq!(done.out, "");
    done.err
}

/// Makes so many passes and returns the lines of them all.
fn minutes(site: &Site, count: usize) -> Vec<String> {
    let all = (0..count).map(|_| minute(site)).collect::<String>();
    all.lines().map(str::to_owned).collect()
}

fn keys(json: &Value) -> Vec<&str> {
    let rows = json["problems"].as_array().expect("problems");
    rows.iter().map(|row| row["key"].as_str().expect("a key")).collect()
}

#[test]
fn a_jenkins_that_is_away_is_said_when_it_goes_and_when_it_is_back() {
    let site = Site::new();
    site.pass();
    let down = When::on(Service::Jenkins).always();
    site.world.fault(down, Fault::Instead(broken(503)));
    let lines = minutes(&site, 30);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("mita: error: Jenkins cannot be read"),
        "{lines:#?}"
    );
    assert!(
        lines[0].contains("Jenkins is not ready"),
        "the reason is named: {lines:#?}"
    );
    let state = site.state();
    assert_eq!(state["problems"]["jenkins-unreadable"]["kind"], "jenkins-unreadable");
    assert_eq!(state["blind"]["exit"], 4, "{}", state["blind"]);
    let done = site.mita(&["run"]);
    assert_eq!((done.code, done.err.as_str()), (4, ""));
    site.world.clear_script();
    let lines = minutes(&site, 3);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("mita: ended after 30m: Jenkins cannot be read"),
        "{lines:#?}"
    );
    assert!(site.state()["blind"].is_null());
    assert!(site.pass().json()["problems"].as_array().unwrap().is_empty());
}

#[test]
fn a_cloud_that_is_away_is_one_problem_and_its_templates_are_none() {
    let site = Site::new();
    site.pass();
    site.world.submit(job("build", "linux"));
    site.world.advance(3600);
    let down = When::on(Service::Keystone).always();
    site.world.fault(down, Fault::Instead(broken(503)));
    let lines = minutes(&site, 60);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("provider openstack cannot be read"), "{lines:#?}");
    site.world.clear_script();
    let lines = minutes(&site, 2);
    assert!(lines[0].starts_with("mita: ended after 1h"), "{lines:#?}");
    assert_eq!(lines.len(), 1, "{lines:#?}");
}

#[test]
fn servers_that_never_join_are_said_after_three_in_a_row() {
    // Nothing registers: the total failure that was silent.
    let site = Site::with(
        NODES,
        "limits: {canary: 1}\ntiming: {boot_grace: 5m, backoff_first: 1s, backoff_max: 1m}\n",
    );
    joins(&site, JoinsAs::Never);
    site.world.submit(job("build", "linux"));
    site.world.agent(Agent::new("old", &["mac"]));
    let lines = minutes(&site, 60);
    let failing: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("fail one after the other"))
        .collect();
    assert_eq!(failing.len(), 1, "{lines:#?}");
    assert!(
        failing[0].starts_with("mita: error: servers of template \"small\" at openstack"),
        "{lines:#?}"
    );
    assert!(failing[0].contains("did not join Jenkins within 5m"), "{lines:#?}");
    assert!(keys(&site.pass().json()).contains(&"create-failing/small@openstack"));
    joins(&site, JoinsAs::ServerName);
    let lines = minutes(&site, 30);
    let ended = lines.iter().filter(|line| line.contains("fail one after the other"));
    assert_eq!(
        ended.filter(|line| line.starts_with("mita: ended after")).count(),
        1,
        "{lines:#?}"
    );
}

#[test]
fn a_missing_permission_is_a_problem_until_a_removal_goes_through() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(3);
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Delete"));
    let lines = minutes(&site, 180);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].contains("refuses to remove nodes") && lines[0].contains("Agent/Delete"),
        "{lines:#?}"
    );
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.permissions.insert("hudson.model.Computer.Delete".to_owned());
    });
    let lines = minutes(&site, 70);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("mita: ended after"), "{lines:#?}");
    assert_eq!(site.servers(), 0);
}

#[test]
fn an_action_that_fails_in_each_pass_is_said_after_ten_minutes() {
    let site = Site::with(NODES, "timing: {idle_grace: 1m}\n");
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(3);
    let delete = When::on(Service::Jenkins).method("POST").path("/computer/").always();
    site.world.fault(delete, Fault::Instead(broken(500)));
    let lines = minutes(&site, 30);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("fails in each pass for more than 10m"), "{lines:#?}");
    site.world.clear_script();
    let lines = minutes(&site, 5);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("mita: ended after"), "{lines:#?}");
}

#[test]
fn an_anchor_that_cannot_be_made_is_said() {
    let site = Site::new();
    site.change_config("  token: 11token", "  token: 11token\n  anchor: true");
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Create"));
    let lines = minutes(&site, 30);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("mita: error: register of \"mita-anchor\" fails"),
        "{lines:#?}"
    );
    assert!(lines[0].contains("Agent/Create"), "{lines:#?}");
    assert!(keys(&site.run().json()).contains(&"create-failing/mita-anchor"));
    site.world.with(|world| {
        let user = world.jenkins.users.iter_mut().find(|user| user.name == "mita").unwrap();
        user.permissions.insert("hudson.model.Computer.Create".to_owned());
    });
    let lines = minutes(&site, 5);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("mita: ended after"), "{lines:#?}");
}

#[test]
fn who_looks_on_sees_all_and_uses_nothing_up() {
    let site = Site::new();
    site.world.submit(job("build", "nowhere"));
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.advance(3600);
    for arguments in [
        &["run", "-o", "json"][..],
        &["run", "--dry-run"],
        &["provision", "-o", "json"],
    ] {
        let done = site.mita(arguments);
        assert!(
            done.err.contains("items wait for nowhere"),
            "{arguments:?}: {}",
            done.err
        );
    }
    let done = site.mita(&["run", "-q"]);
    assert_eq!((done.out.as_str(), done.err.as_str()), ("", ""));
    // Cron hears of it, once.
    let lines = minutes(&site, 10);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("mita: warning: items wait for nowhere, and no server is made for them"));
    // A dry run remembers nothing.
    site.world.with(|world| world.jenkins.queue.clear());
    let before = site.state();
    let done = site.mita(&["run", "--dry-run"]);
    assert!(!done.err.contains("nowhere"), "{}", done.err);
    assert_eq!(site.state(), before);
    let lines = minutes(&site, 1);
    assert!(lines[0].starts_with("mita: ended after"), "{lines:#?}");
}

#[test]
fn a_label_of_a_foreign_node_is_nobody_s_problem() {
    let site = Site::new();
    site.world.agent(Agent::new("mac-1", &["mac"]));
    site.world.submit(job("build", "mac"));
    site.world.submit(job("other", "mac"));
    site.world.advance(7200);
    assert_eq!(minutes(&site, 10), [] as [&str; 0]);
}

/// Adds a command that writes what it is told to a file beside the configuration, and ends with the code in another one.
fn notified(site: &Site) {
    let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\ncat >> told\necho >> told\n[ ! -f broken ] || { echo no way >&2; exit 3; }\n";
    let path = site.path("notify.sh");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), format!("notify: {{command: [./notify.sh]}}\n{text}")).unwrap();
}

fn told(site: &Site) -> Vec<Value> {
    let text = fs::read_to_string(site.path("told")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn of(told: &Value, list: &str) -> Vec<String> {
    let rows = told[list].as_array().expect("a list");
    rows.iter()
        .map(|row| row["key"].as_str().expect("a key").to_owned())
        .collect()
}

#[test]
fn the_command_hears_once_of_what_began_and_ended() {
    let site = Site::new();
    notified(&site);
    minutes(&site, 2);
    assert!(told(&site).is_empty(), "nothing began");
    site.world.submit(job("build", "nowhere"));
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.advance(3600);
    minutes(&site, 5);
    let all = told(&site);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["version"], &all[0]["owner"]), (&1.into(), &"tester".into()));
    assert_eq!(of(&all[0], "began"), ["unserved/nowhere"]);
    assert_eq!(
        (of(&all[0], "ended").len(), of(&all[0], "open")),
        (0, vec!["unserved/nowhere".to_owned()])
    );
    site.world.with(|world| world.jenkins.queue.clear());
    minutes(&site, 5);
    let all = told(&site);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(of(&all[1], "ended"), ["unserved/nowhere"]);
    assert_eq!((of(&all[1], "began").len(), of(&all[1], "open").len()), (0, 0));
    assert!(all[1]["ended"][0]["ended"].is_string(), "{}", all[1]);
    assert!(site.state()["notify"].is_null(), "{}", site.state()["notify"]);
}

#[test]
fn what_the_command_did_not_take_is_offered_again() {
    let site = Site::new();
    notified(&site);
    fs::write(site.path("broken"), "").unwrap();
    site.world.submit(job("build", "nowhere"));
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.advance(3600);
    let lines = minutes(&site, 4);
    let failed = lines
        .iter()
        .filter(|line| line.contains("the command of `notify` failed"));
    assert_eq!(failed.count(), 1, "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("exit code 3: no way")),
        "{lines:#?}"
    );
    assert_eq!(told(&site).len(), 4, "in each pass");
    fs::remove_file(site.path("broken")).unwrap();
    let lines = minutes(&site, 3);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("mita: ended after") && line.contains("notify")),
        "{lines:#?}"
    );
    let all = told(&site);
    assert_eq!(of(&all[4], "began"), ["unserved/nowhere", "notify-failed"], "{all:?}");
    // It is told of the end of its own failure, and then of nothing more.
    assert_eq!(all.len(), 6, "{all:?}");
    assert_eq!(of(&all[5], "ended"), ["notify-failed"]);
    // A day later it is given up.
    fs::write(site.path("broken"), "").unwrap();
    site.world.with(|world| world.jenkins.queue.clear());
    minutes(&site, 1);
    site.world.advance(90_000);
    minutes(&site, 1);
    let pending = site.state()["notify"]["pending"].to_string();
    assert!(!pending.contains("unserved/nowhere"), "{pending}");
}

#[test]
fn a_readable_secret_is_a_problem_until_it_is_mended() {
    let site = Site::new();
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o644)).unwrap();
    let lines = minutes(&site, 10);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("mita: warning: ") && lines[0].contains("can be read by"),
        "{lines:#?}"
    );
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
    let lines = minutes(&site, 3);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("mita: ended after 10m: "), "{lines:#?}");
}

#[test]
fn a_lock_that_is_held_for_longer_than_a_pass_may_take_is_said() {
    let site = Site::new();
    let lock = fs::File::create(site.path("state.json.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    for (age, said) in [(0, false), (299, false), (300, true), (3600, true)] {
        let began = site.world.now() - jiff::SignedDuration::from_secs(age);
        fs::write(
            site.path("state.json.lock"),
            format!("4711 {}\n", began.strftime("%Y-%m-%dT%H:%M:%SZ")),
        )
        .unwrap();
        let done = site.mita(&["run"]);
        assert_eq!((done.code, done.out.as_str()), (75, ""));
        assert_eq!(
            done.err.contains("another pass holds the lock"),
            said,
            "{age}: {}",
            done.err
        );
        assert_eq!(done.err.is_empty(), !said, "{age}: {}", done.err);
        // Whoever names nodes waits for an answer.
        assert!(!site.mita(&["destroy", "small__0123456789ab"]).err.is_empty());
    }
    site.world.assert_no_writes();
}

#[test]
fn who_wants_errors_alone_hears_of_each_once() {
    let site = Site::new();
    site.pass();
    site.world.submit(job("build", "nowhere"));
    site.world.agent(Agent::new("old", &["mac"]));
    site.world.advance(3600);
    let quiet = |site: &Site| {
        site.world.advance(60);
        site.mita(&["run", "-q"])
    };
    assert_eq!(quiet(&site).err, "", "a warning is none");
    let down = When::on(Service::Keystone).always();
    site.world.fault(down, Fault::Instead(broken(503)));
    let first = quiet(&site);
    assert_eq!((first.code, first.err.lines().count()), (4, 1), "{}", first.err);
    for _ in 0..5 {
        let done = quiet(&site);
        assert_eq!((done.code, done.err.as_str()), (4, ""));
    }
    // It was not said where cron mails it.
    let lines = minutes(&site, 3);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    site.world.clear_script();
    let done = site.mita(&["destroy", "-q", "nosuch"]);
    assert!(done.code == 1 && done.err.contains("nosuch"), "{}", done.err);
}

#[test]
fn what_is_no_matter_of_security_is_said_by_check_alone() {
    let site = Site::with(" {}", "");
    assert_eq!(minutes(&site, 3), [] as [&str; 0]);
    let check = site.mita(&["check"]);
    assert!(
        check.code == 0 && check.err.contains("nodes: is empty"),
        "{}",
        check.err
    );
    assert_eq!(site.mita(&["check", "--strict"]).code, 1);
}
