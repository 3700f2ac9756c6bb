//! Bad weather in the cloud: refusals, lost answers, outages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fakes::{Fault, Reply, Service, When};
use super::site::{NODES, Site, job};

fn posts(site: &Site) -> usize {
    site.world
        .count(|call| call.service == Service::Nova && call.method == "POST")
}

#[test]
fn a_create_whose_answer_is_lost_is_not_repeated() {
    for fault in [
        Fault::DropAfter,
        Fault::DoneBut(Reply::html(504, "<html>gateway timeout")),
        Fault::DoneBut(Reply::html(503, "no")),
        Fault::Half,
    ] {
        let site = Site::new();
        site.world.fault(When::on(Service::Nova).method("POST"), fault.clone());
        site.world.submit(job("build", "linux"));
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(
            (done.code, done.actions()),
            (1, vec!["create unknown small".to_owned()]),
            "{fault:?} {}",
            done.err
        );
        site.world.advance(60);
        site.pass();
        site.minutes(5);
        assert_eq!(
            (posts(&site), site.servers()),
            (1, 1),
            "{fault:?}: found by its mark, not made again"
        );
        assert!(site.state()["intents"].as_object().unwrap().is_empty());
    }
}

#[test]
fn a_create_that_never_arrived_is_dropped_after_a_while() {
    let site = Site::new();
    site.world
        .fault(When::on(Service::Nova).method("POST"), Fault::DropBefore);
    site.world.submit(job("build", "linux"));
    assert_eq!(site.mita(&["run", "-o", "json"]).code, 1);
    site.world.advance(60);
    site.pass();
    assert_eq!(posts(&site), 1, "the intent counts as supply for intent_grace");
    site.minutes(4);
    assert_eq!((posts(&site), site.servers()), (2, 1));
}

#[test]
fn a_quota_refuses_and_is_no_failure() {
    let site = Site::new();
    // The limits say there is room, the POST says there is none: somebody else was faster.
    let body = serde_json::json!({"forbidden": {"code": 403,
        "message": "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances"}});
    site.world.fault(
        When::on(Service::Nova).method("POST").always(),
        Fault::Instead(Reply::json(403, &body)),
    );
    site.world.submit(job("build", "linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create refused small"]);
    let unmet = &done.json()["unmet"][0];
    assert!(
        unmet["reason"]
            .as_str()
            .unwrap()
            .contains("Quota exceeded for instances"),
        "{unmet}"
    );
    assert_eq!(unmet["label"], "linux");
    site.world.advance(30);
    site.pass();
    assert_eq!(posts(&site), 1, "held back");
}

#[test]
fn room_is_read_before_creating() {
    let site = Site::new();
    site.world.with(|world| world.cloud("openstack").quota.instances = 2);
    for name in ["a", "b", "c", "d"] {
        site.world.submit(job(name, "linux"));
    }
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small", "create done small"]);
    assert_eq!(done.json()["unmet"][0]["items"], 2, "{}", done.out);
    assert_eq!(posts(&site), 2, "no request that must be refused");
}

#[test]
fn what_the_limits_do_not_count_yet_takes_room_all_the_same() {
    let site = Site::new();
    site.world.with(|world| world.cloud("openstack").quota.instances = 1);
    site.world.submit(job("a", "linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    // It is listed and still being scheduled: Nova's limits say that nothing is used.
    site.world.submit(job("b", "linux"));
    let done = site.pass();
    assert_eq!(done.actions(), [] as [&str; 0], "{}", done.out);
    let unmet = &done.json()["unmet"][0];
    assert!(
        unmet["reason"].as_str().unwrap().contains("0 left in the quota"),
        "{unmet}"
    );
    assert_eq!(posts(&site), 1);
}

#[test]
fn the_next_zone_is_taken_in_the_same_pass() {
    let nodes = NODES.replace(
        "    provider: openstack",
        "    provider: openstack\n    availability_zone: [az1, az2]",
    );
    let site = Site::with(&nodes, "");
    let body = serde_json::json!({"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 1"}});
    site.world.fault(
        When::on(Service::Nova)
            .method("POST")
            .test(|call| call.json()["server"]["availability_zone"] == "az1")
            .always(),
        Fault::Instead(Reply::json(403, &body)),
    );
    site.world.submit(job("a", "linux"));
    site.world.submit(job("b", "linux"));
    let done = site.pass();
    assert_eq!(
        done.actions(),
        ["create refused small", "create done small", "create done small"]
    );
    site.world.with(|world| {
        assert!(
            world
                .cloud("openstack")
                .servers
                .iter()
                .all(|server| server.zone == "az2")
        );
    });
}

#[test]
fn a_zone_that_is_not_there_leaves_the_next_one_its_chance() {
    let nodes = NODES.replace(
        "    provider: openstack",
        "    provider: openstack\n    availability_zone: [nowhere, az2]",
    );
    let site = Site::with(&nodes, "");
    site.world.submit(job("a", "linux"));
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(done.actions(), ["create failed small", "create done small"]);
    assert_eq!(done.code, 1, "cron must hear of it");
    assert!(done.err.contains("availability zone"), "{}", done.err);
}

#[test]
fn an_image_that_is_not_there_is_said() {
    let site = Site::with(&NODES.replace("ubuntu-24.04", "ubuntu-24.40"), "");
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(posts(&site), 0);
    assert_eq!(done.code, 1, "cron must hear of it");
    assert!(
        done.err.contains("ubuntu-24.40") && done.err.contains("ubuntu-24.04"),
        "{}",
        done.err
    );
    assert!(
        done.json()["unmet"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("ubuntu-24.40"),
        "{}",
        done.out
    );
}

#[test]
fn a_cloud_that_cannot_be_read_gets_nothing_and_loses_nothing() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(5);
    site.world.submit(job("more", "linux"));
    for fault in [
        Fault::Instead(Reply::json(
            500,
            &serde_json::json!({"computeFault": {"code": 500, "message": "neutron is down"}}),
        )),
        Fault::Instead(Reply::proxy_page(200)),
        Fault::Instead(Reply::typed(200, "application/json", "{}")),
        Fault::Half,
        Fault::DropBefore,
    ] {
        site.world.clear_script();
        site.world.forget_calls();
        site.world.advance(600);
        site.world
            .fault(When::on(Service::Nova).path("/servers/detail").times(2), fault.clone());
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(done.code, 4, "{fault:?}: the only cloud: {}", done.err);
        assert!(done.err.contains("openstack"), "{}", done.err);
        site.world.assert_no_writes();
    }
    assert_eq!(site.servers(), 1);
}

#[test]
fn a_slow_drip_is_cut_by_the_timeout() {
    let site = Site::new();
    let text = std::fs::read_to_string(site.config())
        .unwrap()
        .replace("timeout: 5", "timeout: 1");
    std::fs::write(site.config(), text).unwrap();
    let drip = Fault::Drip {
        bytes: 1,
        pause: Duration::from_millis(300),
    };
    site.world.fault(When::on(Service::Jenkins).path("/queue"), drip);
    let began = std::time::Instant::now();
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "the request has a limit of its own"
    );
}

#[test]
fn an_error_server_is_removed_and_its_placement_held_back() {
    let site = Site::new();
    site.world
        .with(|world| world.kinds.get_mut("small").unwrap().no_host_until = i64::MAX);
    site.world.submit(job("build", "linux"));
    site.pass();
    site.world.advance(60);
    let done = site.pass();
    assert!(
        done.actions().contains(&"delete_server done small".to_owned()),
        "{}",
        done.out
    );
    let status = site.mita(&["status", "-o", "json"]).json();
    assert_eq!(status["backoffs"].as_array().unwrap().len(), 1, "{status}");
    let reason = status["backoffs"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("No valid host was found"),
        "the list is silent, the server is asked: {reason}"
    );
    site.minutes(60);
    assert!(posts(&site) < 12, "{} creates in an hour", posts(&site));
}

#[test]
fn a_401_in_the_middle_logs_in_again_once() {
    let site = Site::new();
    let body = serde_json::json!({"error": {"code": 401, "title": "Unauthorized", "message": "expired"}});
    site.world.fault(
        When::on(Service::Nova).method("POST"),
        Fault::Instead(Reply::json(401, &body)),
    );
    site.world.submit(job("build", "linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    assert_eq!(site.requests(Service::Keystone), 2);
    assert_eq!(site.servers(), 1);
}

#[test]
fn what_a_pass_that_ran_out_of_time_left_is_said() {
    let site = Site::with(NODES, "limits: {canary: 0, pass_deadline: 2s}");
    for at in 0..4 {
        site.world.submit(job(&format!("j{at}"), "linux"));
    }
    site.world.fault(
        When::on(Service::Nova).method("POST"),
        Fault::Late(Duration::from_millis(2500)),
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let json = done.json();
    assert_eq!(json["actions"][0]["result"], "unknown");
    assert_eq!(json["unmet"][0]["items"], 3, "{}", done.out);
    // What was begun late is waited for from then on.
    let intents = site.state()["intents"].clone();
    let at = intents.as_object().and_then(|all| all.values().next()).unwrap()["at"]
        .as_str()
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap();
    assert!(at > site.world.now());
}

#[test]
fn a_signal_while_looking_ends_the_pass_after_the_request_in_flight() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let stop = Arc::new(AtomicBool::new(false));
    let signal = Arc::clone(&stop);
    site.world
        .after(When::on(Service::Jenkins).path("/computer"), move |_| {
            signal.store(true, Ordering::Relaxed);
        });
    let done = site.mita_with_signal(&["run"], stop);
    assert_eq!((done.code, done.out.as_str()), (1, ""), "{}", done.err);
    assert!(
        done.err.contains("signal") && done.err.contains("nothing was changed"),
        "{}",
        done.err
    );
    assert_eq!(site.requests(Service::Keystone) + site.requests(Service::Nova), 0);
    assert!(!site.state_file().exists());
}

#[test]
fn a_server_that_cannot_be_deleted_does_not_hold_up_the_others() {
    let site = Site::with(NODES, "limits: {max_deletes_per_pass: 1}");
    site.world
        .with(|world| world.kinds.get_mut("small").unwrap().no_host_until = i64::MAX);
    for name in ["a", "b"] {
        site.world.submit(job(name, "linux"));
    }
    site.pass();
    assert_eq!(site.servers(), 2);
    // The first by name is the first that is tried.
    site.world.with(|world| {
        let servers = &mut world.cloud("openstack").servers;
        let first = servers.iter_mut().min_by_key(|server| server.name.clone());
        first.unwrap().locked = true;
    });
    site.world.advance(60);
    let refused = site.mita(&["reap", "-o", "json"]);
    assert_eq!(
        (refused.code, refused.actions()),
        (1, vec!["delete_server failed small".to_owned()])
    );
    site.world.advance(60);
    assert_eq!(
        site.mita(&["reap", "-o", "json"]).actions(),
        ["delete_server done small"]
    );
    site.world.advance(60);
    assert_eq!(site.servers(), 1);
}
