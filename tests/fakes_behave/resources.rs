//! Neutron's floating IPs and ports, Cinder's volumes and Nova's consoles, against Zed.

use serde_json::{Value, json};

use super::fakes::World;
use super::openstack::{EXTERNAL, IMAGE, NETWORK, Setup, setup};
use super::recorded::{Recorded, load};

/// The ids of the project, server, port, network and external network in the recordings of one server's resources.
const THEIR_PROJECT: &str = "d636d003bf6a4ce6a3c91d95a7153e0d";
const THEIR_PORT: &str = "a15ae29c-aee5-4d5f-965f-65baa46664d5";
const THEIR_EXTERNAL: &str = "2f0eb122-a5f0-4184-853d-c6f612a7872d";
const THEIR_VOLUME: &str = "93700c12-800f-43cd-ae64-a660274456e8";

fn project(world: &World) -> String {
    world.with(|w| w.cloud("main").project_id.clone())
}

/// A running server with a blank volume; returns its id, and the id of its port.
fn server(s: &Setup) -> (String, String) {
    let body = json!({"server": {"name": "cdev__0123456789ab", "imageRef": IMAGE, "flavorRef": "1",
        "block_device_mapping_v2": [
            {"boot_index": 0, "uuid": IMAGE, "source_type": "image", "destination_type": "local"},
            {"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": 1,
             "delete_on_termination": true}]}});
    let id = s.send("POST", "/compute/v2.1/servers", &[], &body.to_string()).json()["server"]["id"].clone();
    s.world.advance(60);
    let port = s.world.with(|w| w.cloud("main").servers[0].port.clone());
    (id.as_str().expect("an id").to_owned(), port)
}

/// Puts our ids into a recorded request.
fn ours(s: &Setup, port: &str, volume: &str) -> impl Fn(&mut Recorded) {
    let pairs = [
        (THEIR_PROJECT, project(&s.world)),
        (THEIR_EXTERNAL, EXTERNAL.to_owned()),
        (THEIR_PORT, port.to_owned()),
        (THEIR_VOLUME, volume.to_owned()),
    ];
    move |r| {
        for (theirs, own) in &pairs {
            r.target = r.target.replace(theirs, own);
            r.body = r.body.replace(theirs, own);
        }
    }
}

#[test]
fn floating_ips_from_post_to_gone() {
    let s = setup();
    let (id, port) = server(&s);
    let ours = ours(&s, &port, "");
    let create = json!({"floatingip": {"floating_network_id": EXTERNAL, "port_id": port,
        "description": "mita-owner=ci.example.com mita-server=cdev__0123456789ab"}});
    let made = s.send("POST", "/network/v2.0/floatingips", &[], &create.to_string());
    assert_eq!(made.status, 201);
    s.agrees_with("fip-list", &ours);
    s.agrees_with("fip-page1", &ours);
    s.agrees_with("fip-on-same-port", |r| {
        r.body = create.to_string();
        let (theirs, own) = ("198.18.0.148", "198.18.0.10");
        r.reply.body = r.reply.body.replace(theirs, own);
        let fixed = s.world.with(|w| w.cloud("main").servers[0].addresses[0].clone());
        r.reply.body = r.reply.body.replace("10.20.1.254", &fixed);
    });
    s.send("DELETE", &format!("/compute/v2.1/servers/{id}"), &[], "");
    s.world.advance(30);
    s.agrees_with("fip-list-left", &ours);
    let fip = made.json()["floatingip"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/network/v2.0/floatingips/{fip}");
    assert_eq!(s.send("DELETE", &path, &[], "").status, 204);
    s.agrees("fip-delete-unknown");
}

#[test]
fn floating_ips_refused() {
    let s = setup();
    let (_, port) = server(&s);
    let ours = ours(&s, &port, "");
    s.agrees_with("fip-unknown-network", &ours);
    s.agrees_with("fip-unknown-port", &ours);
    s.world.with(|w| w.cloud("main").unrouted.insert(NETWORK.to_owned()));
    s.agrees_with("fip-no-router", |r| {
        r.body = r.body.replace("07fc692a-84d2-4513-a888-dae56c6f2c56", &port);
        r.reply.body = r.reply.body.replace("e5a3ba09-8afc-4af8-b3af-2581afb72643", "subnet");
    });
    s.world.with(|w| w.cloud("main").quota.floating_ips = 0);
    s.agrees("quota-floatingip-2");
}

#[test]
fn a_floating_ip_is_seen_by_nova_a_little_later() {
    let s = setup();
    let (id, port) = server(&s);
    let create = json!({"floatingip": {"floating_network_id": EXTERNAL, "port_id": port}});
    s.send("POST", "/network/v2.0/floatingips", &[], &create.to_string());
    let addresses = || {
        let shown = s.send("GET", &format!("/compute/v2.1/servers/{id}"), &[], "").json();
        shown["server"]["addresses"]["private"].as_array().map(Vec::len)
    };
    assert_eq!(addresses(), Some(1));
    s.world.advance(4);
    assert_eq!(addresses(), Some(2));
}

#[test]
fn ports() {
    let s = setup();
    let (_, port) = server(&s);
    let recorded = load("openstack-zed", "port-list");
    let mut theirs = recorded.reply.json();
    let target = recorded.target.replace(THEIR_PROJECT, &project(&s.world));
    let mut own = s.send("GET", &format!("/network{target}"), &[], "").json();
    for body in [&mut theirs, &mut own] {
        let all = body["ports"].as_array_mut().expect("ports");
        all.sort_by_key(|p| p["device_owner"].to_string());
        for port in all {
            for volatile in ["id", "device_id", "tenant_id", "project_id", "created_at"] {
                port[volatile] = Value::Null;
            }
        }
    }
    assert_eq!(theirs["ports"], own["ports"]);
    s.agrees_with("port-create", |r| {
        r.body = r.body.replace("9e198179-a967-4b73-9c20-0f093fed5a2a", NETWORK);
        r.reply.body = r.reply.body.replace("\"revision_number\":1", "\"revision_number\":3");
    });
    s.agrees("port-create-unknown-network");
    s.agrees_with("port-create-bad-group", |r| {
        r.body = r.body.replace("9e198179-a967-4b73-9c20-0f093fed5a2a", NETWORK);
    });
    s.agrees("port-delete-unknown");
    let router = s.world.with(|w| w.cloud("main").ports[0].id.clone());
    s.agrees_with("port-delete-router", |r| {
        r.target = r.target.replace("75c3aed7-0a7c-4c58-908c-292e4883b34f", &router);
    });
    let made = s.world.with(|w| w.cloud("main").ports[1].id.clone());
    assert_eq!(
        s.send("DELETE", &format!("/network/v2.0/ports/{made}"), &[], "").status,
        204
    );
    assert_eq!(
        s.send("DELETE", &format!("/network/v2.0/ports/{port}"), &[], "").status,
        204
    );
}

#[test]
fn volumes() {
    let s = setup();
    server(&s);
    let volume = s.world.with(|w| w.cloud("main").volumes[0].id.clone());
    let ours = ours(&s, "", &volume);
    let recorded = load("openstack-zed", "volume-list");
    let target = recorded.target.replace(THEIR_PROJECT, &project(&s.world));
    let own = s.send("GET", &format!("/volume{target}"), &[], "").json();
    let theirs = recorded.reply.json();
    let keys = |v: &Value| {
        v["volumes"][0]
            .as_object()
            .map(|o| o.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(keys(&own), keys(&theirs));
    for field in [
        "status",
        "size",
        "availability_zone",
        "description",
        "metadata",
        "bootable",
        "volume_type",
    ] {
        assert_eq!(own["volumes"][0][field], theirs["volumes"][0][field], "{field}");
    }
    let named = own["volumes"][0]["name"].as_str().expect("a name");
    assert!(named.ends_with("-blank-vol") && named.len() == 46, "{named}");
    s.agrees_with("volume-metadata", &ours);
    s.agrees_with("volume-delete-attached", &ours);
    s.agrees_with("volume-metadata-unknown", &ours);
    s.agrees_with("volume-delete-unknown", &ours);
    s.agrees_with("volume-bad-marker", &ours);
    s.agrees("volume-wrong-project");
    s.agrees("err-get-unknown-volume");
    let small = |r: &mut Recorded| r.target = r.target.replace("36d03b70bae74453bfb50095a5b40c92", &project(&s.world));
    s.world.with(|w| {
        let cloud = w.cloud("main");
        cloud.volumes.clear();
        (cloud.quota.gigabytes, cloud.quota.volumes) = (10, 1);
    });
    s.agrees_with("quota-cinder-gigabytes", small);
    s.agrees_with("cinder-volume-ok", small);
    s.agrees_with("quota-cinder-volumes", small);
}

#[test]
fn a_server_fails_on_its_host_when_its_volume_is_over_quota() {
    let s = setup();
    s.world.with(|w| w.cloud("main").quota.gigabytes = 0);
    server(&s);
    let theirs = load("openstack-zed", "volume-over-quota-list").reply.json();
    let own = s.send("GET", "/compute/v2.1/servers/detail", &[], "").json();
    let fault = |v: &Value| {
        v["servers"][0]["fault"]["message"]
            .as_str()
            .expect("a fault")
            .to_owned()
    };
    let (theirs, own) = (fault(&theirs), fault(&own));
    let tail = |text: &str| text.split_once(" aborted: ").map(|(_, tail)| tail.to_owned());
    let theirs = tail(&theirs).map(|t| t.replace("500G", "1G").replace("10G", "0G"));
    assert_eq!(tail(&own), theirs);
    assert!(s.world.with(|w| w.cloud("main").volumes.is_empty()));
}

#[test]
fn consoles() {
    let s = setup();
    let (id, _) = server(&s);
    let path = format!("/v2.1/servers/{id}/action");
    s.agrees_with("console-output", |r| r.target.clone_from(&path));
    s.world.with(|w| w.cloud("main").servers[0].launched = None);
    s.world.with(|w| w.cloud("main").servers[0].status = "ERROR".to_owned());
    s.agrees_with("console-not-ready", |r| r.target.clone_from(&path));
}
