//! What a server has beside itself: floating IPs, ports, volumes; made, told, removed with it, swept when left behind.

use serde_json::{Value, json};

use super::cloud::{NEUTRON, NOVA};
use super::patience::poll;
use super::site::{LINUX, LOGIN, Site, text};

const FOREIGN_MARK: &str = "mita-owner=somebody-else mita-server=linux__0123456789ab";

/// The mark on what belongs to a server of a site.
fn mark(site: &Site, server: &str) -> String {
    format!("mita-owner={} mita-server={server}", site.owner)
}

/// Makes a floating IP by hand. That it is the test's is told by the address of the network, not by a mark of ours.
fn floating_ip(site: &Site, description: &str) -> Value {
    let body = json!({"floatingip": {"floating_network_id": site.cloud.id("networks", "public"),
        "description": description}});
    site.cloud.must("POST", &format!("{NEUTRON}/floatingips"), Some(&body))["floatingip"].clone()
}

fn port(site: &Site, name: &str, description: &str) -> Value {
    let body = json!({"port": {"network_id": site.cloud.id("networks", "private"), "name": name,
        "description": description}});
    site.cloud.must("POST", &format!("{NEUTRON}/ports"), Some(&body))["port"].clone()
}

fn volume(site: &Site, name: &str, metadata: &Value) -> Value {
    let body = json!({"volume": {"size": 1, "name": name, "metadata": metadata}});
    let volume = site
        .cloud
        .must("POST", &format!("{}/volumes", site.cloud.cinder()), Some(&body))["volume"]
        .clone();
    let id = text(&volume, "id").to_owned();
    poll("the volume is there", || {
        let status = site.cloud.volume(&id)?["status"].clone();
        assert_ne!(status, "error", "cinder could not make the volume");
        (status == "available").then_some(())
    });
    volume
}

/// Whether a thing is still there.
fn stands(site: &Site, what: &str, thing: &Value) -> bool {
    site.cloud.all(what).iter().any(|other| other["id"] == thing["id"])
}

/// Removes what has no mark of the test.
fn remove(site: &Site, what: &str, thing: &Value) {
    let base = if what == "volumes" {
        site.cloud.cinder()
    } else {
        NEUTRON.to_owned()
    };
    site.cloud
        .ask("DELETE", &format!("{base}/{what}/{}", text(thing, "id")), None);
}

#[test]
fn a_floating_ip_comes_with_the_port_and_goes_with_the_server() {
    let site = Site::new("address", "ci");
    let strangers = [floating_ip(&site, "of a person"), floating_ip(&site, FOREIGN_MARK)];
    let nodes = LINUX.replace(
        "    size",
        "    floating_ip_pool: public\n    storage: 1\n    volume_type: ssd\n    size",
    );
    site.configure(&nodes, LOGIN);
    site.job("build", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"]);
    let (given, seen) = site.passes("it has a floating IP", |_| {
        let server = site.servers().pop()?;
        floating(&server).map(|address| (server, address))
    });
    assert_eq!(seen, ["create_floating_ip done linux"], "one, once the port exists");
    let (server, address) = given;
    let name = text(&server, "name");
    let ours = site.cloud.resources("floatingips", &site.owner);
    assert_eq!(ours.len(), 1, "{ours:#?}");
    assert_eq!(
        (text(&ours[0], "description"), text(&ours[0], "floating_ip_address")),
        (mark(&site, name).as_str(), address.as_str())
    );
    let server = site.active();
    let volume = text(&server["os-extended-volumes:volumes_attached"][0], "id").to_owned();
    site.passes("the volume has our mark", |_| {
        let volume = site.cloud.volume(&volume)?;
        assert_eq!(volume["volume_type"], "ssd");
        (volume["metadata"]["mita-owner"] == site.owner.as_str()).then_some(())
    });

    site.join(&format!("linux+{address}"), &["linux", "x86_64"]);
    let status = site.status();
    assert_eq!(
        status["servers"][0]["address"], address,
        "what others reach it by: {status:#}"
    );
    assert_eq!(status["servers"][0]["jenkins_node"], format!("linux+{address}"));
    let seen = site.until_empty();
    let before = ["offline done linux", "delete_node done linux"];
    assert_eq!(seen[..2], before, "{seen:?}");
    let mut rest = seen[2..].to_vec();
    rest.sort();
    assert_eq!(rest, ["delete_floating_ip done linux", "delete_server done linux"]);
    assert!(site.cloud.resources("floatingips", &site.owner).is_empty());
    poll("the volume is gone", || {
        site.cloud.volume(&volume).is_none().then_some(())
    });
    for stranger in &strangers {
        assert!(stands(&site, "floatingips", stranger), "{stranger:#}");
        remove(&site, "floatingips", stranger);
    }
}

/// The floating address of a server, by the list of Nova.
fn floating(server: &Value) -> Option<String> {
    let networks = server["addresses"].as_object()?;
    let mut addresses = networks.values().filter_map(Value::as_array).flatten();
    let found = addresses.find(|address| address["OS-EXT-IPS:type"] == "floating")?;
    Some(text(found, "addr").to_owned())
}

#[test]
fn what_a_deleted_server_leaves_behind_is_swept() {
    let site = Site::new("swept", "ci");
    let nodes = LINUX.replace("    size", "    floating_ip_pool: public\n    size");
    site.configure(&nodes, LOGIN);
    site.job("build", "linux");
    let (server, _) = site.passes("it has a floating IP", |_| {
        let server = site.servers().pop()?;
        floating(&server).map(|_| server)
    });
    let stranger = floating_ip(&site, FOREIGN_MARK);
    // Behind our back: the server goes, its address stays; and nothing is remembered.
    site.world.with(|world| world.jenkins.queue.clear());
    site.cloud
        .must("DELETE", &format!("{NOVA}/servers/{}", text(&server, "id")), None);
    poll("the server is gone", || site.servers().is_empty().then_some(()));
    assert_eq!(site.cloud.resources("floatingips", &site.owner).len(), 1);
    site.forget_state();
    // What is younger might belong to a server that is only just coming.
    site.configure_with(
        &nodes,
        &format!("real: {{type: openstack, {LOGIN}, tenant_name: ci}}"),
        ", intent_grace: 1s",
    );
    let ((), seen) = site.passes("the address is swept", |_| {
        site.cloud
            .resources("floatingips", &site.owner)
            .is_empty()
            .then_some(())
    });
    assert_eq!(seen, ["delete_floating_ip done linux"]);
    assert!(stands(&site, "floatingips", &stranger));
    remove(&site, "floatingips", &stranger);
}

#[test]
fn leaks_are_listed_and_only_ours_removed() {
    let site = Site::new("leaks", "ci");
    site.configure_with(
        LINUX,
        &format!("real: {{type: openstack, {LOGIN}, tenant_name: ci}}"),
        ", boot_grace: 1s",
    );
    let owner = site.owner.clone();
    // A name that no test beside this one gives to a server.
    let gone = "linux__fedcba987654";
    let ours = [
        ("floatingips", floating_ip(&site, &mark(&site, gone))),
        ("ports", port(&site, "a port", &mark(&site, gone))),
        (
            "volumes",
            volume(&site, "a volume", &json!({"mita-owner": owner, "mita-server": gone})),
        ),
    ];
    let foreign = [
        ("floatingips", floating_ip(&site, FOREIGN_MARK)),
        ("ports", port(&site, &format!("{owner}-port"), FOREIGN_MARK)),
        (
            "volumes",
            volume(
                &site,
                &format!("{owner}-volume"),
                &json!({"mita-owner": "somebody-else", "mita-server": gone}),
            ),
        ),
    ];
    // They are to be older than boot_grace.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let list = site.mita(&["leaks", "-o", "json"]);
    assert_eq!(list.code, 0, "{}{}", list.out, list.err);
    for (_, thing) in &ours {
        assert!(list.out.contains(text(thing, "id")), "{thing:#}\n{}", list.out);
    }
    let dry = site.mita(&["leaks", "--delete", "-n", "-o", "json"]);
    assert_eq!(dry.code, 0, "{}{}", dry.out, dry.err);
    for (what, thing) in &ours {
        assert!(stands(&site, what, thing), "a dry run removes nothing");
    }
    let done = site.mita(&["leaks", "--delete", "-o", "json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    for (what, thing) in &ours {
        poll("what was ours is gone", || (!stands(&site, what, thing)).then_some(()));
    }
    for (what, thing) in &foreign {
        assert!(stands(&site, what, thing), "{thing:#}");
        remove(&site, what, thing);
    }
}

#[test]
fn the_console_of_a_server_that_never_joined_is_kept() {
    let site = Site::new("console", "ci");
    site.job("build", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"]);
    site.active();
    site.configure_with(
        LINUX,
        &format!("real: {{type: openstack, {LOGIN}, tenant_name: ci}}"),
        ", boot_grace: 1s",
    );
    let seen = site.until_empty();
    assert!(
        seen.iter().all(|action| action == "delete_server done linux") && !seen.is_empty(),
        "{seen:?}"
    );
    // What Nova's fake driver has for a console.
    let state = std::fs::read_to_string(site.state_file()).unwrap();
    assert!(state.contains("FAKE CONSOLE OUTPUT"), "{state}");
    assert!(
        site.status().to_string().contains("FAKE CONSOLE OUTPUT"),
        "{:#}",
        site.status()
    );
}
