//! Replies of Jenkins that are 200 and odd, and a clock that is wrong: one odd thing spoils no more than itself.

use super::fakes::{Agent, Fault, Service, When};
use super::site::{NODES, Site, job};

fn on(path: &'static str) -> When {
    When::on(Service::Jenkins).path(path).always()
}

#[test]
fn a_control_character_or_half_a_pair_in_a_name_does_not_end_the_pass() {
    for to in [&b"od\x07d"[..], b"od\\ud800d", b"od\xe9d"] {
        let site = Site::new();
        site.world
            .fault(on("/queue/api/json"), Fault::Edited { from: b"ODDNAME", to });
        site.world.submit(job("ODDNAME", "linux"));
        site.world.submit(job("good", "linux"));
        let done = site.pass();
        assert_eq!(
            done.actions(),
            ["create done small"; 2],
            "both are served, by their labels"
        );
        let notes = done.json()["notes"].to_string();
        assert!(notes.contains("holds what is no text"), "{notes}");
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.json()["problems"][0]["key"] == "odd-data/jenkins", "{}", done.out);
    }
}

#[test]
fn a_label_that_is_no_text_is_not_known_and_nothing_is_guessed() {
    let site = Site::new();
    site.world.fault(
        on("/queue/api/json"),
        Fault::Edited {
            from: b"ODDLABEL",
            to: b"li\x07nux",
        },
    );
    site.world.submit(job("odd", "ODDLABEL"));
    site.world.submit(job("good", "linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"]);
    assert_eq!(done.json()["unmet"][0]["example"]["task"], "odd");
}

#[test]
fn a_node_that_cannot_be_read_whole_is_neither_absent_nor_idle() {
    let site = Site::with(NODES, "timing:\n  idle_grace: 60\n");
    site.world.submit(job("build", "linux").seconds(30));
    let joined = || site.world.with(|world| world.jenkins.agents.keys().next().cloned());
    while joined().is_none() {
        site.minutes(1);
    }
    let name = joined().expect("it joined");
    let odd = Fault::Edited {
        from: b"\"idle\":true",
        to: b"\"idle\":\"yes\"",
    };
    site.world.fault(on("/computer/api/json"), odd);
    site.minutes(2);
    for _ in 0..10 {
        site.world.advance(60);
        let done = site.pass();
        assert!(done.actions().is_empty(), "{}", done.out);
        assert!(
            done.out.contains(&format!(
                "node \\\"{name}\\\" could not be read whole and counts as busy"
            )),
            "{}",
            done.out
        );
    }
    site.world.clear_script();
    site.minutes(4);
    assert_eq!(site.servers(), 0);
}

#[test]
fn a_list_that_is_cut_off_is_no_list() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    site.world
        .fault(on("/computer/api/json"), Fault::Edited { from: b"]}", to: b"]" });
    assert_eq!(site.mita(&["run", "-o", "json"]).code, 4);
}

#[test]
fn the_clock_of_jenkins_may_be_wrong_by_an_hour() {
    for ahead in [3600, -3600, 0] {
        let site = Site::with(NODES, "timing:\n  queue_grace: 120\n");
        site.world.with(|world| world.jenkins.ahead = ahead);
        site.world.submit(job("build", "linux"));
        site.pass();
        assert_eq!(site.servers(), 0, "{ahead}");
        site.minutes(1);
        assert_eq!(site.servers(), 0, "{ahead}");
        site.minutes(1);
        assert_eq!(site.servers(), 1, "{ahead}");
    }
}

#[test]
fn without_a_date_the_first_sighting_counts() {
    let site = Site::with(NODES, "timing:\n  queue_grace: 120\n");
    site.world.with(|world| world.jenkins.ahead = 3600);
    // The item seems to come from the future, and nothing tells Jenkins' clock.
    site.world.fault(
        on("/queue/api/json"),
        Fault::Edited {
            from: b"\"inQueueSince\":",
            to: b"\"inQueueSince\":9",
        },
    );
    site.world.submit(job("build", "linux"));
    site.pass();
    assert!(!site.state()["queue_seen"].as_object().expect("sightings").is_empty());
    site.minutes(1);
    assert_eq!(site.servers(), 0);
    site.minutes(1);
    assert_eq!(site.servers(), 1);
    site.world.with(|world| world.jenkins.queue.clear());
    site.minutes(1);
    assert!(
        site.state().get("queue_seen").is_none(),
        "what left the queue is forgotten"
    );
}

#[test]
fn that_jenkins_is_quieting_down_is_said() {
    let site = Site::new();
    site.world.with(|world| {
        world
            .jenkins
            .agents
            .insert("other".to_owned(), Agent::new("other", &["x"]).online());
        world.jenkins.quieting_down = true;
    });
    site.world.submit(job("build", "linux"));
    let done = site.pass();
    assert!(done.actions().is_empty());
    assert!(
        done.out.contains("Jenkins is quieting down: nothing is made"),
        "{}",
        done.out
    );
    let status = site.mita(&["status"]);
    assert!(status.out.contains("note: Jenkins is quieting down"), "{}", status.out);
}
