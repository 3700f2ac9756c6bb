//! The life of a server: asked for, booting, joined, idle, removed; and what each pass costs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fakes::{JoinsAs, Kind, Service};
use super::site::{NODES, Site, job};

#[test]
fn a_job_gets_a_server_and_the_server_goes_when_it_stands_idle() {
    let site = Site::new();
    site.world.submit(job("build", "linux&&x86_64").seconds(300));

    let first = site.pass();
    assert_eq!(first.actions(), ["create done small"]);
    assert_eq!(site.servers(), 1);

    site.world.advance(60);
    let second = site.pass();
    assert!(
        second.actions().is_empty(),
        "a booting server is supply: {}",
        second.out
    );

    site.minutes(10);
    site.world.with(|world| {
        assert_eq!(world.jenkins.builds.len(), 1, "the job ran");
        assert_eq!(world.jenkins.agents.len(), 1);
    });
    assert_eq!(site.servers(), 1, "idle for less than idle_grace");

    let mut seen = Vec::new();
    for _ in 0..45 {
        site.world.advance(60);
        seen.extend(site.pass().actions());
    }
    assert_eq!(
        seen,
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    assert_eq!(site.servers(), 0);
    site.world.with(|world| {
        assert!(world.jenkins.agents.is_empty());
        assert_eq!(world.jenkins.killed(), 0);
    });
    site.world.advance(60);
    site.pass();
    assert!(
        site.state()["nodes"].as_object().unwrap().is_empty(),
        "nothing is remembered of what is gone"
    );
}

#[test]
fn a_node_that_joins_as_name_and_address_is_known() {
    let site = Site::new();
    site.world.kind(
        "small",
        Kind::new(&["linux", "x86_64"]).joins_as(JoinsAs::TemplateAndAddress),
    );
    site.world.submit(job("build", "linux").seconds(60));
    site.minutes(5);
    let status = site.mita(&["status", "-o", "json"]).json();
    let server = &status["servers"][0];
    assert!(
        server["jenkins_node"].as_str().unwrap().starts_with("small+"),
        "{server}"
    );
    site.minutes(60);
    assert_eq!(site.servers(), 0, "removed once idle");
    assert!(site.world.with(|world| world.jenkins.agents.is_empty()));
}

#[test]
fn a_quiet_pass_costs_two_requests_to_each_service() {
    let site = Site::new();
    site.pass();
    site.world.forget_calls();
    let report = site.pass().json();
    assert_eq!(
        report["observed"]["requests"],
        serde_json::json!({"jenkins": 2, "openstack": 2})
    );
    assert_eq!(site.requests(Service::Jenkins), 2);
    assert_eq!((site.requests(Service::Keystone), site.requests(Service::Nova)), (1, 1));
    assert_eq!(site.world.calls().len(), 4);
}

#[test]
fn a_pass_that_creates_costs_what_the_design_says() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux"));
    }
    let report = site.pass().json();
    // queue, computers, quieting down; flavors, limits, list and a POST for each server
    assert_eq!(site.requests(Service::Jenkins), 3);
    assert_eq!(site.requests(Service::Keystone), 1);
    assert_eq!(site.requests(Service::Glance), 1);
    assert_eq!(site.requests(Service::Nova), 1 + 2 + 3);
    assert_eq!(report["actions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_removal_costs_four_requests_to_jenkins_and_one_to_the_cloud() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(6);
    assert_eq!(site.servers(), 1);
    site.world.forget_calls();
    site.world.advance(300);
    let done = site.pass();
    assert_eq!(
        done.actions(),
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    assert_eq!(site.requests(Service::Jenkins), 2 + 1 + 4);
    assert_eq!(site.requests(Service::Nova), 1 + 1);
}

#[test]
fn a_server_carries_our_marks_and_its_script() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    site.pass();
    let server = site.world.with(|world| world.cloud("openstack").servers[0].clone());
    let id = server.name.strip_prefix("small__").unwrap();
    assert_eq!((id.len(), server.metadata["mita-owner"].as_str()), (12, "tester"));
    assert_eq!(
        (
            server.metadata["mita-node"].as_str(),
            server.metadata["mita-id"].as_str()
        ),
        ("small", id)
    );
    assert!(server.metadata.contains_key("mita-config"));
    let script = STANDARD.decode(server.user_data.unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(script).unwrap(),
        format!("#!/bin/sh\necho {}\n", server.name)
    );
}

#[test]
fn a_lost_state_file_costs_nothing_but_idle_time() {
    let site = Site::new();
    for name in ["a", "b"] {
        site.world.submit(job(name, "linux").seconds(600));
    }
    for _ in 0..20 {
        site.world.advance(60);
        let _ = std::fs::remove_file(site.state_file());
        let done = site.pass();
        assert!(site.servers() <= 2, "{}", done.out);
    }
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
    assert_eq!(site.servers(), 2, "idle times start again with each lost file");
    site.minutes(50);
    assert_eq!(site.servers(), 0);
}

#[test]
fn a_volume_goes_with_its_server() {
    let site = Site::with(&NODES.replace("    keyname", "    storage: 10\n    keyname"), "");
    site.world.submit(job("build", "linux").seconds(30));
    site.pass();
    site.world.advance(60);
    assert_eq!(site.world.with(|world| world.cloud("openstack").volumes.len()), 1);
    site.minutes(60);
    assert_eq!(site.servers(), 0);
    assert!(
        site.world.with(|world| world.cloud("openstack").volumes.is_empty()),
        "the volume goes with the server"
    );
}
