//! Pauses: nothing is created there, removals go on, and nothing loses a pause.

use std::os::unix::fs::PermissionsExt as _;

use super::fakes::{Service, When};
use super::site::{NODES, Site, job};

fn paused(site: &Site) -> String {
    std::fs::read_to_string(site.path("state.json.paused")).unwrap_or_default()
}

#[test]
fn a_pause_holds_until_it_is_resumed() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["pause", "--template", "small", "--reason", "new\timage", "-o", "json"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let json = done.json();
    assert_eq!(
        (&json["version"], &json["do"], &json["exit"]),
        (&1.into(), &"pause".into(), &0.into())
    );
    let row = &json["pauses"][0];
    assert_eq!(
        (row["template"].as_str(), row["reason"].as_str()),
        (Some("small"), Some("new image"))
    );
    assert!(
        row["provider"].is_null() && row["until"].is_null() && row["since"].is_string(),
        "{row}"
    );
    let mode = std::fs::metadata(site.path("state.json.paused"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let pass = site.pass();
    assert!(pass.actions().is_empty(), "{}", pass.out);
    let unmet = &pass.json()["unmet"][0];
    assert_eq!(
        unmet["reason"],
        "template \"small\" is paused until somebody resumes it: new image"
    );
    // It outlives the state.
    std::fs::remove_file(site.state_file()).unwrap();
    assert!(site.pass().actions().is_empty());
    let asked = site.mita(&["provision", "--template", "small"]);
    assert!(asked.code == 1 && asked.err.contains("paused"), "{}", asked.err);
    let resumed = site.mita_typed(&["resume", "--template", "small"], "");
    assert_eq!(
        (resumed.code, resumed.out.as_str()),
        (0, "template \"small\" is resumed\n")
    );
    assert_eq!(paused(&site), "", "no file is left");
    assert_eq!(site.pass().actions(), ["create done small"]);
}

#[test]
fn removals_go_on_and_warm_pools_are_not_filled() {
    let site = Site::with(
        &NODES.replace("provider: openstack", "provider: openstack\n    min_ready: 1"),
        "timing: {idle_grace: 5m}",
    );
    site.minutes(4);
    assert_eq!(site.servers(), 1);
    let name = site
        .world
        .with(|world| world.jenkins.agents.keys().next().unwrap().clone());
    assert_eq!(site.mita(&["pause"]).code, 0);
    assert_eq!(site.mita(&["destroy", &name]).code, 0);
    for _ in 0..5 {
        site.world.advance(60);
        let pass = site.pass();
        assert!(
            pass.actions().iter().all(|action| !action.starts_with("create")),
            "{}",
            pass.out
        );
    }
    assert_eq!(site.servers(), 0);
    assert_eq!(site.mita(&["resume"]).code, 0);
    site.minutes(1);
    assert_eq!(site.servers(), 1);
}

#[test]
fn a_pause_ends_by_itself_and_is_swept_by_the_next() {
    let site = Site::new();
    let until = (site.world.now() + jiff::SignedDuration::from_mins(5)).to_string();
    let done = site.mita_typed(&["pause", "--provider", "openstack", "--until", &until], "");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.starts_with("provider \"openstack\" is paused until "),
        "{}",
        done.out
    );
    site.world.submit(job("build", "linux"));
    site.minutes(4);
    assert_eq!(site.servers(), 0);
    site.minutes(1);
    assert_eq!(site.servers(), 1, "it is over");
    assert!(paused(&site).contains("openstack"));
    assert_eq!(site.mita(&["pause", "--template", "small"]).code, 0);
    assert!(!paused(&site).contains("openstack"), "{}", paused(&site));
}

#[test]
fn the_same_pause_is_one_and_keeps_its_beginning() {
    let site = Site::new();
    let first = site.mita(&["pause", "-o", "json"]).json()["pauses"][0]["since"].clone();
    site.world.advance(600);
    let again = site.mita(&["pause", "--reason", "budget", "-o", "json"]).json();
    assert_eq!(again["pauses"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&again["pauses"][0]["since"], &again["pauses"][0]["reason"]),
        (&first, &"budget".into())
    );
    site.mita(&["pause", "--template", "small"]);
    // The pause of everything ends alone.
    let left = site.mita(&["resume", "-o", "json"]).json();
    assert_eq!(left["changed"].as_array().unwrap().len(), 1);
    assert_eq!(left["pauses"][0]["template"], "small");
    let nothing = site.mita_typed(&["resume"], "");
    assert_eq!(nothing.code, 0);
    assert!(
        nothing
            .out
            .starts_with("there is no such pause\nalso: template \"small\" is paused"),
        "{}",
        nothing.out
    );
    assert_eq!(
        site.mita(&["resume", "--all", "-o", "json"]).json()["pauses"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn what_is_wrong_is_a_usage_error() {
    let site = Site::new();
    for (wrong, words) in [
        (&["pause", "--template", "smal"][..], "did you mean small?"),
        (&["pause", "--provider", "nowhere"], "configured: openstack"),
        (
            &["pause", "--template", "small", "--provider", "openstack"],
            "cannot be used with",
        ),
        (&["pause", "--until", "tomorrow"], "write it like 2030-01-31T06:00:00Z"),
        (&["pause", "--until", "2020-01-01T00:00:00Z"], "is over"),
        (&["resume", "--template", "smal"], "did you mean small?"),
        (&["resume", "--all", "--template", "small"], "cannot be used with"),
    ] {
        let done = site.mita(wrong);
        assert_eq!(done.code, 2, "{wrong:?}: {}", done.err);
        assert!(done.err.contains(words), "{wrong:?}: {}", done.err);
    }
    assert_eq!(paused(&site), "");
}

#[test]
fn a_pause_of_a_template_that_is_gone_can_be_ended() {
    let site = Site::new();
    site.mita(&["pause", "--template", "small"]);
    site.configure(&NODES.replace("  small:", "  other:"), "");
    assert_eq!(
        site.mita(&["resume", "--template", "small", "-o", "json"]).json()["changed"][0]["template"],
        "small"
    );
}

#[test]
fn a_damaged_file_forbids_everything_and_says_so() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    std::fs::write(site.path("state.json.paused"), "{\"version\":1,\"pau").unwrap();
    let done = site.run();
    assert_eq!((done.code, done.actions().len()), (1, 0), "{}", done.out);
    assert!(
        done.err.contains("paused cannot be read") && done.err.contains("resume --all"),
        "{}",
        done.err
    );
    assert!(done.unmet().contains("nothing is created"), "{}", done.out);
    // What nobody can read is not overwritten, since it may forbid more than what is known.
    for command in [&["pause"][..], &["pause", "--template", "small"], &["resume"]] {
        let done = site.mita(command);
        assert_eq!(done.code, 3, "{}", done.err);
    }
    assert_eq!(paused(&site), "{\"version\":1,\"pau");
    let lifted = site.mita(&["resume", "--all"]);
    assert!(lifted.code == 0 && lifted.err.contains("moved to"), "{}", lifted.err);
    assert_eq!(site.pass().actions(), ["create done small"]);
}

#[test]
fn a_pause_does_not_wait_for_a_pass_and_holds_in_it() {
    let site = Site::with(NODES, "limits: {canary: 0}");
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux"));
    }
    // Behind the first create of the running pass, which holds the lock, somebody pauses.
    let (config, now) = (site.config(), site.world.now());
    let paused = std::sync::atomic::AtomicBool::new(false);
    site.world
        .after(When::on(Service::Nova).method("POST").part("/servers"), move |_| {
            if !paused.swap(true, std::sync::atomic::Ordering::Relaxed) {
                let done =
                    super::program::run_at(now, &config, &["pause", "--reason", "stop"], std::sync::Arc::default());
                assert_eq!(done.code, 0, "{}", done.err);
            }
        });
    let done = site.run();
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.actions(),
        ["create done small", "create skipped small", "create skipped small"]
    );
    assert!(
        done.out
            .contains("everything is paused until somebody resumes it: stop"),
        "{}",
        done.out
    );
    assert_eq!(site.servers(), 1);
    assert!(site.pass().unmet().contains("everything is paused"));
}

#[test]
fn a_saved_observation_holds_its_pauses() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    site.mita(&["pause", "--template", "small"]);
    let file = site.path("seen.json");
    let file = file.to_str().unwrap();
    assert_eq!(site.mita(&["run", "-n", "--save-observation", file]).code, 0);
    site.mita(&["resume", "--all"]);
    let replayed = site.mita(&["run", "--replay", file, "-o", "json"]);
    assert!(
        replayed.actions().is_empty() && replayed.unmet().contains("paused"),
        "{}",
        replayed.out
    );
}
