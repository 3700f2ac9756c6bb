//! What a template asks for is what its servers are: image, size, networks, ports, groups.

use serde_json::{Value, json};

use super::cloud::{GLANCE, NEUTRON, NOVA};
use super::patience::{NEXT_SECOND, poll};
use super::site::{LOGIN, Site, text};

/// Makes an image of the project.
pub fn image(site: &Site, name: &str) -> String {
    let body = json!({"name": name, "disk_format": "raw", "container_format": "bare"});
    let made = site.cloud.must("POST", &format!("{GLANCE}/images"), Some(&body));
    let id = text(&made, "id").to_owned();
    site.cloud.upload(&id);
    poll("the image is active", || {
        let image = site.cloud.must("GET", &format!("{GLANCE}/images/{id}"), None);
        (image["status"] == "active").then_some(())
    });
    id
}

/// Two images of a pattern; Glance reckons in whole seconds which is newer.
pub fn two_images(site: &Site) -> (String, String) {
    let older = image(site, &format!("{}-image-1", site.owner));
    std::thread::sleep(NEXT_SECOND);
    (older, image(site, &format!("{}-image-0", site.owner)))
}

const FULL: &str = "
  linux:
    image_regex: e2e-asked-image-\\d
    size: {vcpus: 2, ram: 3000, disk: 10}
    networks: [dual]
    ports:
      - ci-port
      - {network: private, security_groups: [ci-open]}
    scheduler_hints: {group: ci-apart}
    metadata: {team: ci}
    config_drive: true
    labels: [linux]
    provider: real
";

#[test]
fn a_server_is_what_its_template_asks_for() {
    let site = Site::new("asked", "ci");
    let (_, newest) = two_images(&site);
    site.configure(FULL, LOGIN);
    site.job("build", "linux");
    let check = site.mita(&["check", "--online"]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let first = site.pass();
    assert_eq!(first.actions(), ["create done linux"], "{}", first.err);
    let server = site.active();
    let id = text(&server, "id");
    assert_eq!(server["image"]["id"], newest, "the newest, not the greatest name");
    assert_eq!(server["flavor"]["id"], "3", "m1.medium is the smallest that has it");
    assert_eq!(server["config_drive"], "True");
    let group = &site.cloud.must("GET", &format!("{NOVA}/os-server-groups"), None)["server_groups"];
    let group = group
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["name"] == "ci-apart");
    assert!(
        group.unwrap()["members"].as_array().unwrap().contains(&json!(id)),
        "{group:#?}"
    );

    let url = format!("{NEUTRON}/ports?device_id={id}");
    let ports = site.cloud.must("GET", &url, None)["ports"].as_array().unwrap().clone();
    assert_eq!(ports.len(), 3, "{ports:#?}");
    let existing = ports.iter().find(|port| port["name"] == "ci-port");
    assert!(existing.is_some(), "{ports:#?}");
    let made = ports
        .iter()
        .find(|port| port["description"].as_str().unwrap_or_default().contains(&site.owner));
    let open = site.cloud.id("security-groups", "ci-open");
    assert_eq!(made.unwrap()["security_groups"], json!([open]));
    ipv6_is_told(&site, &server);

    let name = text(&server, "name");
    let gone = site.mita(&["destroy", name, "-o", "json"]);
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    site.world.with(|world| world.jenkins.queue.clear());
    // What is younger might belong to a server that is only just coming.
    site.configure_with(
        FULL,
        &format!("real: {{type: openstack, {LOGIN}, tenant_name: ci}}"),
        ", intent_grace: 1s",
    );
    let made = made.unwrap()["id"].clone();
    site.passes("the port that was made goes with the server", |_| {
        let ports = site.cloud.all("ports");
        let has = |id: &Value| ports.iter().any(|port| port["id"] == *id);
        assert!(has(&existing.unwrap()["id"]), "the port of a person stays");
        (!has(&made) && site.servers().is_empty()).then_some(())
    });
    let port = site.cloud.must("GET", &format!("{NEUTRON}/ports?name=ci-port"), None)["ports"][0].clone();
    assert_eq!(port["device_id"], "", "it is free again");
}

/// A node that joined under its IPv6 address is known by it.
fn ipv6_is_told(site: &Site, server: &Value) {
    let dual = server["addresses"]["dual"].as_array().unwrap();
    let six = dual.iter().find(|address| address["version"] == 6).expect("IPv6");
    let name = format!("linux+{}", text(six, "addr").replace(':', "-"));
    site.join(&name, &["linux"]);
    let status = site.status();
    assert_eq!(status["servers"][0]["jenkins_node"], name, "{status:#}");
    site.world.with(|world| world.jenkins.agents.clear());
}
