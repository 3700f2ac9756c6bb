//! What servers are made of: images by expression, flavors by size, typed volumes, networks, ports, server groups.

use serde_json::{Value, json};

use super::fakes::{Cloud, Fault, Image, Network, Port, Reply, Service, When};
use super::site::{NODES, Site, job};

/// The template of the other tests with some lines instead of others.
fn site(changes: &[(&str, &str)]) -> Site {
    let nodes = changes.iter().fold(NODES.to_owned(), |nodes, (line, instead)| {
        assert!(nodes.contains(line), "{line}");
        nodes.replace(line, instead)
    });
    Site::with(&nodes, "")
}

const IMAGE: &str = "    image_name: ubuntu-24.04\n";
const SIZE: &str = "    size: m1.small\n";
const NETWORKS: &str = "    networks: [private]\n";

fn with<T>(site: &Site, act: impl FnOnce(&mut Cloud) -> T) -> T {
    site.world.with(|world| act(world.cloud("openstack")))
}

/// What the servers were asked for by.
fn requests(site: &Site) -> Vec<Value> {
    with(site, |cloud| {
        cloud.servers.iter().map(|server| server.request.clone()).collect()
    })
}

fn jobs(site: &Site, count: usize) {
    for at in 0..count {
        site.world.submit(job(&format!("build-{at}"), "linux"));
    }
}

fn reason(done: &Value) -> &str {
    done["unmet"][0]["reason"].as_str().expect("a reason")
}

/// Makes a pass that creates nothing and says why: what a template asks for is not there.
fn nothing_for(site: &Site) -> String {
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!((done.code, done.actions()), (1, Vec::new()), "{}", done.out);
    reason(&done.json()).to_owned()
}

#[test]
fn the_newest_image_that_matches_is_booted() {
    let site = site(&[(IMAGE, "    image_regex: ci-\\d+\n")]);
    with(&site, |cloud| {
        for (id, name, created) in [
            ("1", "ci-1", 30),
            ("2", "ci-2", 20),
            ("3", "ci-3-test", 90),
            ("4", "my-ci-4", 90),
        ] {
            let id = format!("00000000-0000-4000-8000-00000000000{id}");
            cloud.images.push(Image::new(&id, name, 1_771_000_000 + created));
        }
        // More than one page of Glance's, the images in question on the last.
        for at in 0..1100 {
            let id = format!("00000000-0000-4000-9000-{at:012}");
            cloud.images.push(Image::new(&id, "other", 1_772_000_000 + at));
        }
    });
    jobs(&site, 1);
    site.pass();
    let booted = |site: &Site| requests(site).last().expect("a server")["server"]["imageRef"].clone();
    assert_eq!(booted(&site), "00000000-0000-4000-8000-000000000001");
    assert_eq!(site.requests(Service::Glance), 2);
    // The project's own goes before a newer one, and a rotten one is none.
    with(&site, |cloud| {
        let image = |id: &str| {
            cloud
                .images
                .iter()
                .position(|image| image.id.ends_with(id))
                .expect("an image")
        };
        let own = image("8000-000000000002");
        cloud.images[own].visibility = "private".to_owned();
    });
    jobs(&site, 1);
    site.minutes(1);
    assert_eq!(booted(&site), "00000000-0000-4000-8000-000000000002");
}

#[test]
fn an_image_that_nothing_matches_is_told() {
    let site = site(&[(IMAGE, "    image_regex: ubuntu-26.*\n")]);
    jobs(&site, 1);
    let reason = nothing_for(&site);
    assert!(
        reason.contains("no image has a name that \"ubuntu-26.*\" matches"),
        "{reason}"
    );
    assert!(reason.contains("ubuntu-24.04"), "{reason}");
}

#[test]
fn the_smallest_flavor_is_taken_that_the_image_fits() {
    let size = "    size: {vcpus: 1, ram: 1024}\n";
    let plain = site(&[(SIZE, size)]);
    jobs(&plain, 1);
    plain.pass();
    assert_eq!(requests(&plain)[0]["server"]["flavorRef"], "2");

    let large = site(&[(SIZE, size)]);
    with(&large, |cloud| {
        cloud.images[0].min_disk = 30;
        cloud.flavors[2].disabled = true;
    });
    jobs(&large, 1);
    large.pass();
    assert_eq!(requests(&large)[0]["server"]["flavorRef"], "4", "m1.medium is disabled");

    let volume = site(&[(SIZE, "    size: {ram: 1024}\n    boot_volume: 40\n")]);
    jobs(&volume, 1);
    volume.pass();
    let flavor = requests(&volume)[0]["server"]["flavorRef"].clone();
    let name = with(&volume, |cloud| {
        cloud
            .flavor_of(flavor.as_str().expect("an id"))
            .expect("a flavor")
            .name
            .clone()
    });
    assert_eq!(name, "m1.nodisk", "its own disk is not used");

    let none = site(&[(SIZE, "    size: {vcpus: 64}\n")]);
    jobs(&none, 1);
    let reason = nothing_for(&none);
    assert!(
        reason.contains("no flavor has 64 vCPUs (the largest: \"m1.large\" with 4 vCPUs"),
        "{reason}"
    );
}

fn shared(id: &str, name: &str) -> Network {
    Network {
        id: format!("00000000-0000-4000-8000-00000000000{id}"),
        name: name.to_owned(),
        external: true,
        shared: true,
    }
}

#[test]
fn several_networks_are_told_before_a_server_is_asked_for() {
    let site = site(&[(NETWORKS, "")]);
    jobs(&site, 1);
    site.pass();
    assert_eq!(site.servers(), 1);
    assert_eq!(site.requests(Service::Neutron), 1);
    site.world.advance(60);
    site.pass();
    assert_eq!(site.requests(Service::Neutron), 1, "nothing is created, nothing asked");

    with(&site, |cloud| cloud.networks.push(shared("7", "Ext-Net")));
    jobs(&site, 1);
    site.world.advance(60);
    let reason = nothing_for(&site);
    assert!(
        reason.contains("the project sees several networks (Ext-Net, private): name one under `networks`"),
        "{reason}"
    );
}

#[test]
fn a_cloud_without_neutron_makes_servers() {
    let site = site(&[(NETWORKS, "")]);
    let none = json!({"NeutronError": {"type": "HTTPNotFound", "message": "", "detail": ""}});
    site.world.fault(
        When::on(Service::Neutron).always(),
        Fault::Instead(Reply::json(404, &none)),
    );
    jobs(&site, 1);
    assert_eq!(site.pass().actions(), ["create done small"]);
    assert_eq!(requests(&site)[0]["server"]["networks"], Value::Null);
}

fn port(id: u8, name: &str) -> Port {
    Port {
        id: format!("00000000-0000-4000-8000-0000000000{id:02}"),
        name: name.to_owned(),
        addresses: vec![format!("10.50.0.{id}")],
        ..Port::default()
    }
}

#[test]
fn each_server_takes_a_free_port_until_there_is_none() {
    let site = site(&[(NETWORKS, "    ports: [ci-1, ci-2, ci-3]\n")]);
    with(&site, |cloud| {
        let network = cloud.networks[0].id.clone();
        for at in 1..=3 {
            let network = network.clone();
            cloud.ports.push(Port {
                network,
                ..port(at, &format!("ci-{at}"))
            });
        }
        (cloud.ports[2].device, cloud.ports[2].owner) = ("somebody".to_owned(), "compute:az1".to_owned());
    });
    jobs(&site, 1);
    assert_eq!(site.pass().actions(), ["create done small"]);
    // It is being scheduled: its port does not show that it is taken.
    assert_eq!(with(&site, |cloud| cloud.ports[1].device.clone()), "");
    jobs(&site, 2);
    site.world.advance(1);
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"]);
    assert!(
        reason(&done.json()).contains("every one of `ports` is in use"),
        "{}",
        done.out
    );
    site.world.advance(60);
    with(&site, |cloud| {
        let active = cloud.servers.iter().filter(|server| server.status == "ACTIVE").count();
        assert_eq!(
            active,
            2,
            "{:?}",
            cloud.servers.iter().map(|s| &s.fault).collect::<Vec<_>>()
        );
        let mut addresses: Vec<&String> = cloud.servers.iter().flat_map(|server| &server.addresses).collect();
        addresses.sort();
        assert_eq!(addresses, ["10.50.0.1", "10.50.0.3"]);
    });
    // Once a server is gone its port is free for the next.
    site.minutes(70);
    assert_eq!(site.servers(), 0);
    jobs(&site, 1);
    site.world.advance(60);
    assert_eq!(site.pass().actions(), ["create done small"]);
    assert_eq!(with(&site, |cloud| cloud.ports.len()), 4, "they are not ours to remove");
}

#[test]
fn a_port_is_made_for_a_server_and_goes_when_it_is_refused() {
    let ports = "    ports: [{network: private, security_groups: [default], vnic_type: direct}]\n";
    let site = site(&[(NETWORKS, ports)]);
    let made = |site: &Site| with(site, |cloud| cloud.ports.iter().skip(1).cloned().collect::<Vec<Port>>());
    let full = json!({"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1"}});
    let asking = || When::on(Service::Nova).method("POST");
    site.world.fault(asking(), Fault::Instead(Reply::json(403, &full)));
    jobs(&site, 1);
    assert_eq!(site.pass().actions(), ["create refused small"]);
    assert!(made(&site).is_empty(), "{:?}", made(&site));

    site.minutes(3);
    let [port] = &made(&site)[..] else {
        panic!("{:?}", made(&site))
    };
    let name = with(&site, |cloud| cloud.servers[0].name.clone());
    assert_eq!((&port.name, port.vnic_type.as_str()), (&name, "direct"));
    assert_eq!(port.description, format!("mita-owner=tester mita-server={name}"));
    let networks = requests(&site)[0]["server"]["networks"].clone();
    assert_eq!(networks, json!([{"port": port.id}]));
    site.minutes(1);
    assert_eq!(with(&site, |cloud| cloud.servers[0].addresses.clone()), port.addresses);

    // The answer is lost: the server may have it.
    site.world.fault(asking(), Fault::DropAfter);
    jobs(&site, 1);
    site.world.advance(60);
    assert_eq!(site.mita(&["run", "-o", "json"]).actions(), ["create unknown small"]);
    assert_eq!(made(&site).len(), 2);
}

#[test]
fn a_volume_of_a_type_asks_in_a_newer_version() {
    let volume = "    storage: 10\n    volume_type: ssd\n";
    let typed = || site(&[(NETWORKS, volume)]);
    let site = typed();
    jobs(&site, 1);
    assert_eq!(site.pass().actions(), ["create done small"]);
    let request = &requests(&site)[0]["server"];
    assert_eq!(request["block_device_mapping_v2"][1]["volume_type"], "ssd");
    let network = with(&site, |cloud| cloud.networks[0].id.clone());
    assert_eq!(
        request["networks"],
        json!([{"uuid": network}]),
        "newer versions want to be told"
    );
    let versions: Vec<bool> = site
        .world
        .calls()
        .iter()
        .filter(|call| call.service == Service::Nova)
        .map(|call| call.headers.contains_key("openstack-api-version"))
        .collect();
    assert_eq!(
        versions.iter().filter(|there| **there).count(),
        1,
        "one request of {}",
        versions.len()
    );

    let old = typed();
    with(&old, |cloud| cloud.newest = 60);
    jobs(&old, 1);
    let done = old.mita(&["run", "-o", "json"]);
    assert_eq!(done.actions(), ["create failed small"]);
    let error = done.json()["actions"][0]["error"]
        .as_str()
        .expect("an error")
        .to_owned();
    assert!(
        error.contains("2.67") && error.contains("maximum is 2.60") && error.contains("remove volume_type"),
        "{error}"
    );

    let deaf = typed();
    with(&deaf, |cloud| cloud.newest = 1);
    jobs(&deaf, 1);
    let error = deaf.mita(&["run", "-o", "json"]).json()["actions"][0]["error"].to_string();
    assert!(error.contains("speaks no microversions"), "{error}");
}

#[test]
fn a_server_group_may_be_named() {
    let site = site(&[(
        NETWORKS,
        "    networks: [private]\n    scheduler_hints: {group: apart}\n",
    )]);
    let id = "00000000-0000-4000-8000-000000000001";
    with(&site, |cloud| {
        cloud.server_groups.push((id.to_owned(), "apart".to_owned()));
    });
    jobs(&site, 1);
    assert_eq!(site.pass().actions(), ["create done small"]);
    assert_eq!(requests(&site)[0]["os:scheduler_hints"]["group"], id);
}

#[test]
fn check_online_names_what_is_missing() {
    let nodes = "
  small:
    image_regex: ubuntu-26.*
    size: {vcpus: 64}
    networks: [privat]
    labels: [linux]
    provider: openstack
    storage: 1
    volume_type: sdd
    floating_ip_pool: pubic
    ports: [ci-1, {network: fast, security_groups: [wep]}]
    scheduler_hints: {group: apart}
";
    let site = Site::with(nodes, "");
    with(&site, |cloud| cloud.ports.push(port(1, "ci-2")));
    let done = site.mita(&["check", "--online"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    let all = format!("{}{}", done.out, done.err);
    for part in [
        "no image has a name that \"ubuntu-26.*\" matches as a whole",
        "no flavor has 64 vCPUs",
        "no network named \"privat\" (nearest: \"private\"",
        "no network named \"fast\"",
        "no port named \"ci-1\" (nearest: \"ci-2\")",
        "no security group named \"wep\"",
        "no server group named \"apart\" (there is none at all)",
        "no volume type named \"sdd\" (nearest: ",
        "no floating IP pool named \"pubic\" (nearest: \"public\")",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
}
