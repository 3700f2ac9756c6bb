//! `status` and `status --check` of the whole program.

use std::fs;
use std::sync::Arc;

use mita::Io;
use serde_json::{Value, json};

use super::fakes::{Fault, Mark, Reply, Service, When};
use super::site::{NODES, Site, job};

/// A site with one node that works for a long time.
fn at_work() -> (Site, String) {
    let site = Site::with(NODES, "");
    site.world.submit(job("team/build", "linux").seconds(6000));
    site.minutes(6);
    let name = site
        .world
        .with(|world| world.jenkins.agents.keys().next().unwrap().clone());
    site.world.forget_calls();
    (site, name)
}

fn status(site: &Site) -> Value {
    site.mita(&["status", "-o", "json"]).good().json()
}

/// The program on a terminal of so many columns.
fn at(site: &Site, columns: u16, arguments: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io::new(site.world.now(), &mut out, &mut err);
    (io.terminal, io.columns) = (true, Some(columns));
    let config = site.config().display().to_string();
    let words = ["mita", "-c", &config, "status"];
    let code = mita::run(words.iter().chain(arguments), &mut io);
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).unwrap()
}

/// Changes the state file.
fn edit(site: &Site, change: impl FnOnce(&mut Value)) {
    let mut state = site.state();
    change(&mut state);
    fs::write(site.state_file(), state.to_string()).unwrap();
}

#[test]
fn a_row_says_what_runs_since_when_and_of_how_many_executors() {
    let (site, name) = at_work();
    let json = status(&site);
    site.world.assert_no_writes();
    let row = &json["servers"][0];
    assert_eq!(
        (&row["name"], &row["phase"], &row["busy_executors"], &row["executors"]),
        (&json!(name), &json!("busy"), &json!(1), &json!(1)),
        "{row}"
    );
    assert_eq!(row["jobs"], json!(["team/build #1"]));
    assert_eq!(
        (&row["offline_by"], &row["offline_reason"], &row["why"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let since: jiff::Timestamp = row["since"].as_str().unwrap().parse().unwrap();
    let age = site.world.now().duration_since(since).as_secs();
    assert!(
        (60..=300).contains(&age),
        "it is busy for {age} s, and was booting before"
    );
    site.minutes(2);
    assert_eq!(status(&site)["servers"][0]["since"], row["since"], "it is remembered");
    let text = site.mita(&["status"]).good().out;
    let line = text.lines().find(|line| line.starts_with(&name)).unwrap();
    for part in ["busy", "1/1", "openstack", "team/build #1"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn a_person_a_monitor_and_mita_are_told_apart() {
    let (site, name) = at_work();
    let row = || status(&site)["servers"][0].clone();
    site.world.with(|world| world.mark(&name, "anna", "looking at <it>"));
    site.minutes(1);
    let marked = row();
    assert_eq!(
        (&marked["phase"], &marked["offline_by"], &marked["offline_reason"]),
        (&json!("offline"), &json!("person"), &json!("looking at <it>"))
    );
    let template = status(&site)["templates"][0].clone();
    assert_eq!(
        (&template["servers"], &template["busy"], &template["off"]),
        (&json!(1), &json!(0), &json!(1))
    );
    let text = site.mita(&["status"]).good().out;
    assert!(text.contains("a person: looking at <it>, team/build #1"), "{text}");
    let at = site.world.now().as_millisecond();
    site.world.with(|world| {
        world.jenkins.agents.get_mut(&name).unwrap().mark = Some(Mark::monitor("Disk space is too low", at));
    });
    site.minutes(1);
    let monitored = row();
    assert_eq!(
        (&monitored["phase"], &monitored["offline_by"]),
        (&json!("offline"), &json!("monitor"))
    );
    assert_ne!(monitored["since"], marked["since"], "another reason, another time");
    site.world.with(|world| world.unmark(&name));
    assert_eq!(site.mita(&["drain", &name, "--reason", "new kernel"]).code, 0);
    let drained = row();
    assert_eq!(
        (&drained["phase"], &drained["offline_by"], &drained["offline_reason"]),
        (
            &json!("draining"),
            &json!("mita"),
            &json!("mita: draining, by hand, new kernel")
        )
    );
}

#[test]
fn the_controller_the_queue_the_quota_and_the_last_pass_are_said() {
    let (site, _) = at_work();
    site.world.with(|world| world.cloud("openstack").quota.instances = 7);
    site.world.submit(job("waits", "plan9"));
    site.world.advance(30);
    let json = status(&site);
    assert_eq!(json["owner"], "tester");
    assert!(
        json["controller"]["url"].as_str().unwrap().ends_with("/jenkins"),
        "{json}"
    );
    assert_eq!(
        (&json["queue"]["items"], &json["queue"]["waiting"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(json["last_pass"]["age_seconds"], 30);
    assert_eq!(json["last_pass"]["every_seconds"], 60);
    assert_eq!(json["providers"][0]["quota"]["instances"], 6, "{json}");
    assert_eq!(
        (&json["pauses"], &json["templates"][0]["spare"]),
        (&json!([]), &json!(null))
    );
    let limits = site.world.count(|call| call.path.ends_with("/limits"));
    assert_eq!(limits, 1, "one request for it");
    let text = site.mita(&["status"]).good().out;
    for part in [
        "Owner      tester",
        "1 item, waiting for an executor for 30s",
        "6 servers",
        "Last pass  30s ago",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn what_is_paused_is_said() {
    let (site, _) = at_work();
    let pause = site.mita(&["pause", "--template", "small", "--reason", "new kernel"]);
    assert_eq!(pause.code, 0, "{}", pause.err);
    let json = status(&site);
    assert_eq!(
        (&json["pauses"][0]["template"], &json["pauses"][0]["until"]),
        (&json!("small"), &json!(null))
    );
    let text = site.mita(&["status"]).good().out;
    assert!(
        text.contains("PAUSED") && text.contains("template \"small\"") && text.contains("new kernel"),
        "{text}"
    );
    assert_eq!(site.mita(&["resume", "--all"]).code, 0);
    assert_eq!(status(&site)["pauses"], json!([]));
}

#[test]
fn a_pass_that_saw_nothing_is_the_last_one() {
    let (site, _) = at_work();
    let down = Fault::Instead(Reply::html(503, "restarting"));
    site.world.fault(When::on(Service::Jenkins).times(1), down);
    site.world.advance(60);
    assert_eq!(site.mita(&["run"]).code, 4);
    site.world.advance(5);
    nagios(&site, 2, "exit 4 (could not observe)");
    let json = status(&site);
    assert_eq!(
        (&json["last_pass"]["exit"], &json["last_pass"]["age_seconds"]),
        (&json!(4), &json!(5))
    );
}

#[test]
fn a_quota_that_is_not_shown_is_no_failure() {
    let (site, _) = at_work();
    site.world.fault(
        When::on(Service::Nova).path("/limits"),
        Fault::Instead(Reply::html(403, "no")),
    );
    assert_eq!(status(&site)["providers"][0]["quota"]["instances"], Value::Null);
}

#[test]
fn the_answers_come_in_the_order_in_which_they_are_asked() {
    let (site, _) = at_work();
    site.world.submit(job("waits", "plan9"));
    let text = site.mita(&["status"]).good().out;
    let places = [
        "Jenkins ",
        "Owner ",
        "Queue ",
        "Last pass ",
        "Problems ",
        "PROVIDER ",
        "TEMPLATE ",
        "WAITS ",
        "SERVER ",
    ];
    let places: Vec<usize> = places
        .iter()
        .map(|word| text.find(word).unwrap_or_else(|| panic!("{word}\n{text}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}\n{text}");
}

#[test]
fn it_fits_the_terminal_and_nothing_is_cut_without_one() {
    let long = "a-template-whose-name-does-not-fit-into-80";
    let site = Site::with(&NODES.replace("  small:", &format!("  {long}:")), "");
    site.world.submit(job("build", "linux").seconds(6000));
    site.minutes(3);
    for columns in [80, 100, 200] {
        let text = at(&site, columns, &[]);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(columns), "{columns}: {text}");
        assert_eq!(text.contains('…'), columns < 200, "{text}");
    }
    assert!(
        at(&site, 40, &[]).lines().any(|line| line.chars().count() > 60),
        "less than 80 cannot be read"
    );
    let text = site.mita(&["status"]).good().out;
    assert!(text.contains(&format!("{long}__")) && !text.contains('…'), "{text}");
}

#[test]
fn filters_narrow_it_and_an_unknown_template_is_a_usage_error() {
    let (site, name) = at_work();
    let has = |arguments: &[&str]| at(&site, 120, arguments).contains(&name);
    assert!(has(&["--template", "small"]) && has(&["--phase", "busy"]) && has(&["--phase", "idle,busy"]));
    assert!(!has(&["--phase", "idle"]) && !has(&["--problems"]));
    let servers = |arguments: &[&str]| site.mita(arguments).json()["servers"].as_array().unwrap().len();
    assert_eq!(servers(&["status", "--phase", "error", "-o", "json"]), 0);
    assert_eq!(servers(&["status", "--template", "small", "-o", "json"]), 1);
    for (arguments, said) in [
        (["status", "--template", "smal"], "did you mean small?"),
        (["status", "--phase", "lost"], "possible values: intent, booting"),
    ] {
        let done = site.mita(&arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""));
        assert!(done.err.contains(said), "{}", done.err);
    }
}

#[test]
fn a_jenkins_that_is_down_leaves_what_the_last_pass_saw() {
    let (site, name) = at_work();
    site.world.fault(
        When::on(Service::Jenkins).times(20),
        Fault::Instead(Reply::html(503, "restarting")),
    );
    let done = site.mita(&["status"]);
    assert_eq!(done.code, 4, "{}", done.err);
    for part in [
        name.as_str(),
        "below is what the last pass saw",
        "Queue      not known",
        "busy",
    ] {
        assert!(done.out.contains(part), "{part} in\n{}", done.out);
    }
    assert!(done.err.contains("nothing was changed"), "{}", done.err);
}

#[test]
fn a_cloud_that_is_down_hides_neither_the_queue_nor_the_nodes() {
    let (site, name) = at_work();
    site.world.submit(job("waits", "plan9"));
    site.world.fault(
        When::on(Service::Keystone).times(20),
        Fault::Instead(Reply::html(503, "down")),
    );
    let done = site.mita(&["status"]);
    assert_eq!(done.code, 4, "it is the only one: {}", done.err);
    for part in [name.as_str(), "plan9", "cannot be read", "1/1"] {
        assert!(done.out.contains(part), "{part} in\n{}", done.out);
    }
}

/// What the line of Nagios says, and its exit code; it makes no request.
#[track_caller]
fn nagios(site: &Site, code: i32, text: &str) {
    site.world.forget_calls();
    let done = site.mita(&["status", "--check"]);
    assert_eq!(
        (done.code, done.out.lines().count()),
        (code, 1),
        "{}{}",
        done.out,
        done.err
    );
    let word = ["MITA OK: ", "MITA WARNING: ", "MITA CRITICAL: ", "MITA UNKNOWN: "][usize::try_from(code).unwrap()];
    assert!(done.out.starts_with(word) && done.out.contains(text), "{}", done.out);
    assert!(site.world.calls().is_empty(), "it reads the state alone");
}

#[test]
fn check_says_in_one_line_whether_all_is_well() {
    let site = Site::new();
    nagios(&site, 2, "no pass was ever made");
    site.minutes(3);
    nagios(&site, 0, "last pass 0s ago, no problems");
    let ended = |exit: Value| edit(&site, |state| state["last_pass"]["exit"] = exit);
    ended(json!(0));
    nagios(&site, 0, "last pass 0s ago, no problems");
    ended(json!(1));
    nagios(&site, 1, "exit 1");
    ended(json!(4));
    nagios(&site, 2, "exit 4 (could not observe)");
    ended(json!(0));
    let problem = json!({"kind": "at-max", "subject": "small", "sentence": "small is full", "since": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:00:00Z"});
    edit(&site, |state| state["problems"] = json!({"at-max/small": problem}));
    nagios(&site, 1, "1 warning: small is full");
    edit(&site, |state| {
        state["problems"]["at-max/small"]["kind"] = json!("guard-held");
    });
    nagios(&site, 2, "1 error: small is full");
    let json = site.mita(&["status", "--check", "-o", "json"]).json();
    assert_eq!((&json["exit"], &json["level"]), (&json!(2), &json!("critical")));
    assert_eq!(json["problems"][0]["key"], "guard-held/small");
    edit(&site, |state| state["problems"] = json!({}));
    nagios(&site, 0, "no problems");
    site.world.advance(181);
    nagios(&site, 2, "no pass for 3m, usually one every 1m");
}

#[test]
fn check_says_that_a_configuration_cannot_be_used() {
    let site = Site::with(&NODES.replace("size:", "sizes:"), "limitz: {}");
    nagios(&site, 3, "sizes");
    let state = Site::new();
    fs::write(state.state_file(), r#"{"version": 99}"#).unwrap();
    nagios(&state, 3, "newer mita");
    let wrong = state.mita(&["status", "--check", "--phase", "idle"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}

#[test]
fn check_tells_a_pass_that_runs_from_one_that_was_cut_off() {
    let site = Site::new();
    site.minutes(3);
    edit(&site, |state| {
        drop(state["last_pass"].as_object_mut().unwrap().remove("exit"));
    });
    nagios(&site, 2, "the last pass was cut off");
    let lock = site.path("state.json.lock");
    let held = fs::OpenOptions::new().read(true).write(true).open(&lock).unwrap();
    fs2::FileExt::try_lock_exclusive(&held).unwrap();
    nagios(&site, 0, "a pass has been running");
    fs2::FileExt::unlock(&held).unwrap();
    nagios(&site, 2, "the last pass was cut off");
    let stop = Arc::default();
    assert_eq!(
        site.mita_with_signal(&["run"], stop).code,
        0,
        "the lock was only looked at"
    );
}

#[test]
fn usage_errors_take_colors_by_their_own_stream() {
    let site = Site::new();
    let config = site.config().display().to_string();
    for colors in [[true, false], [false, true]] {
        for (word, of_err) in [("--help", false), ("--phasee", true)] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut io = Io::new(site.world.now(), &mut out, &mut err);
            io.colors = colors;
            mita::run(["mita", "-c", &config, "status", word], &mut io);
            let text = String::from_utf8(if of_err { err } else { out }).unwrap();
            assert_eq!(
                text.contains('\u{1b}'),
                colors[usize::from(of_err)],
                "{word} {colors:?}"
            );
        }
    }
}
