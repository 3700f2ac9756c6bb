//! Odd answers of a cloud in whole passes: one odd thing spoils no more than itself, and nothing is gone that the service
//! does not say is gone.

use super::fakes::{Fault, JoinsAs, Kind, Reply, Service, When};
use super::site::{NODES, Site, job};

fn servers() -> When {
    When::on(Service::Nova).method("GET").path("/servers").always()
}

fn edited(from: &'static [u8], to: &'static [u8]) -> Fault {
    Fault::Edited { from, to }
}

#[test]
fn a_server_whose_metadata_is_a_list_is_kept_and_counts() {
    let more = "limits: {max_servers: 1}\n";
    let site = Site::with(NODES, more);
    site.world.submit(job("long", "linux").seconds(3600));
    site.minutes(4);
    let odd = edited(b"\"metadata\":{", b"\"metadata\":[],\"was\":{");
    site.world.fault(servers(), odd);
    site.world.submit(job("next", "linux"));
    let mut said = Vec::new();
    for _ in 0..10 {
        site.world.advance(60);
        let done = site.pass();
        assert_eq!(done.actions(), [] as [&str; 0], "{}", done.out);
        let notes = done.json()["notes"].to_string();
        assert!(notes.contains("metadata is a list"), "{notes}");
        let problems = done.json()["problems"].to_string();
        assert!(problems.contains("odd-data/openstack"), "{problems}");
        said.push(site.mita(&["run"]).err);
    }
    let said: Vec<&String> = said.iter().filter(|text| text.contains("metadata is a list")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(site.world.with(|w| w.jenkins.killed()), 0);
    site.world.clear_script();
    site.minutes(2);
    assert_eq!(site.servers(), 1);
}

#[test]
fn a_server_without_a_name_or_an_id_is_asked_for_and_counts() {
    for (from, to) in [
        (&b"\"name\":\"small__"[..], &b"\"nom\":\"small__"[..]),
        (b"\"id\":\"", b"\"di\":\""),
    ] {
        let site = Site::new();
        site.world.submit(job("long", "linux").seconds(3600));
        site.minutes(4);
        site.world.fault(servers(), edited(from, to));
        for _ in 0..5 {
            site.world.advance(60);
            assert_eq!(site.pass().actions(), [] as [&str; 0]);
        }
        assert_eq!((site.servers(), site.world.with(|w| w.jenkins.killed())), (1, 0));
    }
}

#[test]
fn a_server_whose_age_is_not_told_times_out_all_the_same() {
    for to in [
        &b"\"created\":null,\"was\":\""[..],
        b"\"created\":[],\"was\":\"",
        b"\"created\":\"on ",
    ] {
        let site = Site::new();
        site.world.kind("small", Kind::new(&["linux"]).joins_as(JoinsAs::Never));
        site.world.fault(servers(), edited(b"\"created\":\"", to));
        site.world.submit(job("a", "linux"));
        assert_eq!(site.pass().actions(), ["create done small"]);
        let mut ends = 0;
        for minute in 1..=20 {
            site.world.advance(60);
            if site.pass().actions().contains(&"delete_server done small".to_owned()) {
                ends = minute;
                break;
            }
        }
        assert!((15..=17).contains(&ends), "{ends}");
    }
}

#[test]
fn addresses_links_and_limits_that_are_odd_close_no_cloud() {
    let site = Site::new();
    let limits = When::on(Service::Nova).path("/limits").always();
    site.world.fault(limits, edited(b"\"absolute\":{", b"\"absolut\":{"));
    let flavors = When::on(Service::Nova).path("/flavors").always();
    site.world.fault(flavors, edited(b"\"vcpus\":4", b"\"vcpus\":\"four\""));
    let networks = When::on(Service::Neutron).path("/v2.0/networks").always();
    site.world
        .fault(networks, edited(b"\"shared\":false", b"\"shared\":\"no\""));
    let catalog = When::on(Service::Keystone).method("POST").always();
    site.world
        .fault(catalog, edited(b"\"type\":\"identity\"", b"\"type\":null"));
    site.world.submit(job("a", "linux"));
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"], "{}", done.out);
    let notes = done.json()["notes"].to_string();
    for part in ["vcpus is a text", "limits.absolute", "no readable type"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    site.world.fault(
        servers(),
        edited(b"\"addresses\":{", b"\"addresses\":{\"net\":null},\"was\":{"),
    );
    site.minutes(3);
    assert_eq!(site.servers(), 1);
}

#[test]
fn what_one_template_needs_and_nobody_answers_closes_that_template_alone() {
    let nodes = format!(
        "{NODES}
  grouped:
    image_name: ubuntu-24.04
    size: m1.small
    networks: []
    ports: [{{network: private, security_groups: [web]}}]
    labels: [web]
    provider: openstack
"
    );
    let refused =
        serde_json::json!({"NeutronError": {"type": "PolicyNotAuthorized", "message": "not for you", "detail": ""}});
    let missing = serde_json::json!({"message": "Api does not exist"});
    for reply in [
        Reply::json(403, &refused),
        Reply::json(404, &missing),
        Reply::html(502, "<html>bad gateway"),
    ] {
        let site = Site::with(&nodes, "");
        let groups = When::on(Service::Neutron).path("/v2.0/security-groups").always();
        site.world.fault(groups, Fault::Instead(reply));
        site.world.submit(job("web", "web"));
        site.world.submit(job("plain", "linux"));
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(done.actions(), ["create done small"], "{} {}", done.out, done.err);
        assert_eq!(done.code, 1, "{}", done.err);
        assert!(
            done.err.contains("template \"grouped\"") || done.err.contains("security groups"),
            "{}",
            done.err
        );
        let unmet = done.json()["unmet"].to_string();
        assert!(unmet.contains("security groups: "), "{unmet}");
    }
}

#[test]
fn the_404_of_a_gateway_is_no_end_of_a_server() {
    let site = Site::with(NODES, "timing: {idle_grace: 3m}");
    let body = serde_json::json!({"message": "Api does not exist"});
    let delete = When::on(Service::Nova).method("DELETE").times(2);
    site.world.fault(delete, Fault::Instead(Reply::json(404, &body)));
    site.world.submit(job("short", "linux").seconds(60));
    site.minutes(4);
    let mut failed = 0;
    for _ in 0..20 {
        site.world.advance(60);
        let done = site.mita(&["run", "-o", "json"]);
        let actions = done.actions();
        if actions.contains(&"delete_server failed small".to_owned()) {
            failed += 1;
            assert_eq!(done.code, 1);
            assert!(
                done.out.contains("is its endpoint right? Api does not exist"),
                "{}",
                done.out
            );
        }
        if site.servers() == 0 {
            break;
        }
    }
    assert_eq!((failed, site.servers()), (2, 0));
}

#[test]
fn a_security_group_of_another_project_is_not_meant() {
    let nodes = NODES.replace(
        "    networks: [private]\n",
        "    ports: [{network: private, security_groups: [default]}]\n",
    );
    let site = Site::with(&nodes, "");
    site.world.with(|w| {
        let cloud = w.cloud("openstack");
        cloud.admin = true;
        cloud.other_groups.insert("default".to_owned());
        cloud
            .security_groups
            .extend((0..1500).map(|number| format!("a-{number}")));
    });
    site.world.submit(job("a", "linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    let pages = site.world.count(|call| call.path.ends_with("/security-groups"));
    assert_eq!(pages, 2);
}
