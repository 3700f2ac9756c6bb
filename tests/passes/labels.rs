//! A script that does not register a label which its template promises.

use super::fakes::{Fault, Reply, Service, When};
use super::site::{NODES, Site, job};

/// The node that joins has `linux` and `x86_64` alone.
fn site() -> Site {
    Site::with(&NODES.replace("[linux, x86_64]", "[linux, x86_64, huge]"), "")
}

/// Passes half an hour apart until one acts; returns how many hours that took, and what it did.
fn until_it_acts(site: &Site) -> (f64, Vec<String>) {
    for pass in 1..100 {
        site.world.advance(1800);
        let done = site.mita(&["run", "-o", "json"]);
        if !done.actions().is_empty() {
            return (f64::from(pass) / 2.0, done.actions());
        }
    }
    panic!("nothing was done in two days");
}

#[test]
fn a_label_that_nobody_registers_is_named() {
    let site = site();
    site.world.submit(job("build", "huge"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    let mut actions = Vec::new();
    for _ in 0..60 {
        site.world.advance(60);
        actions.extend(site.pass().actions());
    }
    assert_eq!(
        actions,
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    let mailed = self::site();
    mailed.world.submit(job("build", "huge"));
    let mut errors = String::new();
    for _ in 0..60 {
        errors.push_str(&mailed.mita(&["run"]).err);
        mailed.world.advance(60);
    }
    assert_eq!(
        errors.trim_end(),
        "mita: warning: template \"small\" promises the label \"huge\", and its newest server joined Jenkins without \
         it: let its script register the label, or take it out of `labels`; until then one server a day is made for \
         this label, to see whether it is there"
    );
    let lacks = "the newest server of \"small\" joined without the label \"huge\", which `labels` promises: let its \
                 script register the label, or take it out of `labels`; one server a day tries again";
    let status = site.mita(&["status", "-o", "json"]).json();
    assert_eq!(status["waiting"][0]["reason"], lacks);
    assert_eq!(site.pass().json()["unmet"][0]["reason"], lacks);
    let explained = site.mita(&["explain", "huge", "-o", "json"]).json();
    assert_eq!(
        (&explained["chosen"], &explained["reason"]),
        (&serde_json::Value::Null, &lacks.into())
    );
    let text = site.mita(&["explain", "huge"]).out;
    assert!(text.contains("template small"), "{text}");
    assert_eq!(text.matches(lacks).count(), 2, "{text}");
    let chosen = site.mita(&["explain", "linux", "-o", "json"]).json();
    assert_eq!(chosen["chosen"], "small");
}

#[test]
fn a_try_that_the_cloud_refuses_does_not_count() {
    let site = site();
    site.world.submit(job("build", "huge"));
    site.minutes(60);
    let known = &site.state()["drifts"]["small"];
    assert!(
        known["lacks"]["huge"].is_string() && known["retry"].is_null(),
        "{known}"
    );
    let body = serde_json::json!({"badRequest": {"code": 400, "message": "no"}});
    site.world.fault(
        When::on(Service::Nova).method("POST"),
        Fault::Instead(Reply::json(400, &body)),
    );
    let (hours, done) = until_it_acts(&site);
    assert!((22.0..25.0).contains(&hours), "{hours}");
    assert_eq!(done, ["create failed small"]);
    assert!(site.state()["drifts"]["small"]["retry"].is_null());
    let (hours, done) = until_it_acts(&site);
    assert!(hours < 2.0, "{hours}");
    assert_eq!(done, ["create done small"]);
    let state = site.state();
    let id = state["drifts"]["small"]["retry"]["node"].as_str().unwrap();
    assert!(!state["intents"][id].is_null(), "{state}");
}
