//! Templates that fail, or stand idle, beside others that wait: real passes against the simulated services.

use serde_json::json;

use super::fakes::{Call, Fault, Kind, Reply, Service, When};
use super::site::{Site, job};

/// `gpu` fails in one way or another, `plain` does not.
const NODES: &str = "
  gpu: {image_name: ubuntu-24.04, size: m1.small, networks: [private], labels: [gpu], provider: openstack}
  plain: {image_name: ubuntu-24.04, size: m1.small, networks: [private], labels: [plain], provider: openstack}
";

/// A site where a job for `gpu` has waited for an hour and jobs for `plain` come.
fn site() -> Site {
    let site = Site::with(NODES, "limits: {canary: 0}");
    site.world.kind("gpu", Kind::new(&["gpu"]));
    site.world.kind("plain", Kind::new(&["plain"]));
    site.world.submit(job("train", "gpu"));
    site.world.advance(3600);
    site
}

/// How often a template was asked for.
fn asked(site: &Site, template: &str) -> usize {
    let calls = site.world.calls();
    let is_create = |call: &&Call| call.service == Service::Nova && call.method == "POST";
    let creates = calls.iter().filter(is_create).filter(|call| is_of(call, template));
    creates.count()
}

fn is_of(call: &Call, template: &str) -> bool {
    let name = call.json()["server"]["name"].as_str().unwrap_or_default().to_owned();
    name.starts_with(&format!("{template}__"))
}

/// Answers every create of `gpu` so.
fn answer(site: &Site, reply: Reply) {
    let when = When::on(Service::Nova).method("POST").test(|call| is_of(call, "gpu"));
    site.world.fault(when.always(), Fault::Instead(reply));
}

/// Lets passes be made for so many minutes, a job for `plain` in each fifth; all of these must run.
fn plain_jobs_run(site: &Site, minutes: u32, what: &str) {
    for minute in 0..minutes {
        if minute % 5 == 0 {
            site.world.submit(job(&format!("plain{minute}"), "plain").seconds(60));
        }
        site.world.advance(60);
        let done = site.mita(&["run", "-o", "json"]);
        assert!(done.code <= 1, "{what}: {}", done.err);
    }
    for _ in 0..6 {
        site.world.advance(60);
        site.mita(&["run", "-o", "json"]);
    }
    let began: Vec<i64> = site.world.with(|world| {
        let builds = world.jenkins.builds.iter();
        builds.map(|build| build.began - build.queued).collect()
    });
    assert_eq!(began.len(), minutes as usize / 5, "{what}: all plain jobs ran");
    assert!(began.iter().all(|wait| *wait <= 300), "{what}: {began:?}");
    let tries = asked(site, "gpu");
    assert!((2..15).contains(&tries), "{what}: {tries} creates of gpu");
}

#[test]
fn a_flavor_without_a_host_keeps_no_server_from_other_jobs() {
    let site = site();
    site.world
        .with(|world| world.kinds.get_mut("gpu").unwrap().no_host_until = i64::MAX);
    plain_jobs_run(&site, 60, "no valid host");
    let status = site.mita(&["status", "-o", "json"]).json();
    let keys: Vec<&str> = status["backoffs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["template gpu at openstack"]);
}

#[test]
fn a_refusal_of_one_template_keeps_no_server_from_other_jobs() {
    let cores = "Quota exceeded for cores: Requested 64, but already used 8 of 40 cores";
    let volumes = "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'.";
    let policy = "Policy doesn't allow os_compute_api:servers:create:attach_volume to be performed.";
    for (status, reply) in [
        (403, json!({"forbidden": {"code": 403, "message": cores}})),
        (403, json!({"forbidden": {"code": 403, "message": policy}})),
        (400, json!({"badRequest": {"code": 400, "message": volumes}})),
        (
            500,
            json!({"computeFault": {"code": 500, "message": "Unexpected API Error."}}),
        ),
        (503, json!({})),
    ] {
        let site = site();
        answer(&site, Reply::json(status, &reply));
        plain_jobs_run(&site, 20, &reply.to_string());
    }
}

#[test]
fn a_quota_of_servers_is_said_of_the_placement() {
    let site = site();
    let full = "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances";
    answer(
        &site,
        Reply::json(403, &json!({"forbidden": {"code": 403, "message": full}})),
    );
    site.world.submit(job("plain", "plain"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create refused gpu"], "{}", done.out);
    let held: Vec<String> = site.state()["backoffs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(held, ["placement openstack"]);
    // The probe is another template's, though the job of the first one is older.
    site.world.advance(120);
    let done = site.pass();
    assert_eq!(done.actions(), ["create done plain"], "{}", done.out);
}

#[test]
fn two_templates_that_are_refused_close_the_placement_in_the_same_pass() {
    let nodes = format!(
        "{NODES}  huge: {{image_name: ubuntu-24.04, size: m1.small, networks: [private], labels: [huge], provider: openstack}}\n"
    );
    let site = Site::with(&nodes, "limits: {canary: 0}");
    site.world.kind("plain", Kind::new(&["plain"]));
    for label in ["gpu", "huge", "plain"] {
        site.world.submit(job(label, label));
        site.world.advance(1);
    }
    let when = When::on(Service::Nova)
        .method("POST")
        .test(|call| !is_of(call, "plain"));
    let no_port = json!({"forbidden": {"code": 403, "message": "Maximum number of ports exceeded"}});
    site.world
        .fault(when.always(), Fault::Instead(Reply::json(403, &no_port)));
    let done = site.pass();
    assert_eq!(
        done.actions(),
        ["create refused gpu", "create refused huge"],
        "{}",
        done.out
    );
    assert!(
        done.out.contains("placement openstack: held back after 2 failures"),
        "{}",
        done.out
    );
    site.world.advance(120);
    let done = site.pass();
    assert_eq!(
        done.actions(),
        ["create done plain"],
        "the one that did not fail probes: {}",
        done.out
    );
}

#[test]
fn an_idle_node_makes_room_for_a_job_of_another_template() {
    let more = "limits: {canary: 0, max_servers: 2}\ntiming: {idle_grace: 2h}";
    let site = Site::with(&NODES.replace("gpu", "old"), more);
    site.world.kind("old", Kind::new(&["old"]));
    site.world.kind("plain", Kind::new(&["plain"]));
    for name in ["one", "two"] {
        site.world.submit(job(name, "old").seconds(30));
    }
    site.minutes(8);
    assert_eq!(site.servers(), 2);
    site.world.submit(job("plain", "plain"));
    let mut actions = Vec::new();
    for _ in 0..7 {
        site.world.advance(60);
        let done = site.pass();
        actions.extend(done.actions());
        if actions.iter().any(|action| action == "delete_server done old") {
            assert!(!done.out.contains("\"warnings\""), "{}", done.out);
        }
    }
    assert_eq!(
        actions,
        [
            "offline done old",
            "delete_node done old",
            "delete_server done old",
            "create done plain"
        ]
    );
    let waited: Vec<i64> = site.world.with(|world| {
        let builds = world.jenkins.builds.iter().filter(|build| build.job == "plain");
        builds.map(|build| build.began - build.queued).collect()
    });
    assert_eq!(waited.len(), 1, "it runs");
    assert!(waited[0] <= 330, "{waited:?}");
}
