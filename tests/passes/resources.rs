//! Floating IPs, ports and volumes in whole passes: made once, gone with their server, never left, never taken.

use serde_json::Value;

use super::fakes::{Fault, FloatingIp, JoinsAs, Kind, Port, Reply, Service, Volume, When};
use super::site::{Site, job};

/// A template whose servers get floating IPs.
pub const FLOATING: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    networks: [private]
    floating_ip_pool: public
    labels: [linux, x86_64]
    provider: openstack
    idle_grace: 5m
";

/// One whose servers get a volume.
const STORED: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    networks: [private]
    storage: 10
    labels: [linux, x86_64]
    provider: openstack
    idle_grace: 5m
";

/// A site in which a server was asked for and runs, without a floating IP yet.
fn with_a_server() -> Site {
    let site = Site::with(FLOATING, "");
    site.world.submit(job("build", "linux").seconds(60));
    assert_eq!(site.pass().actions(), ["create done small"]);
    site.world.advance(60);
    site
}

/// A site with one server that has its floating IP.
fn with_an_address() -> Site {
    let site = with_a_server();
    assert_eq!(site.pass().actions(), ["create_floating_ip done small"]);
    site.world.advance(60);
    site
}

pub fn floating_ips(site: &Site) -> Vec<FloatingIp> {
    site.world.with(|world| world.cloud("openstack").floating_ips.clone())
}

pub fn post_floating_ip() -> When {
    When::on(Service::Neutron).method("POST").part("floatingips")
}

pub fn delete_floating_ip() -> When {
    When::on(Service::Neutron).method("DELETE").part("floatingips")
}

pub fn leftover(id: &str, description: &str, created: i64) -> FloatingIp {
    FloatingIp {
        id: id.to_owned(),
        address: format!("198.51.100.{}", id.len()),
        network: "public".to_owned(),
        port: None,
        description: description.to_owned(),
        created,
        project: None,
    }
}

fn broken(status: u16) -> Reply {
    Reply::json(status, &serde_json::json!({"message": "broken"}))
}

pub const GONE: &str = "mita-owner=tester mita-server=small__00000000dead";

/// Makes passes, a minute apart, and lists what they did.
fn passes(site: &Site, count: u32) -> Vec<String> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.extend(site.pass().actions());
        site.world.advance(60);
    }
    seen
}

/// Takes a server away as a person at the cloud does.
fn behind_our_back(site: &Site) {
    site.world.with(|world| {
        let clock = world.clock;
        world.cloud("openstack").servers[0].deleting = Some(clock);
    });
    site.world.advance(30);
    assert_eq!(site.servers(), 0);
}

#[test]
fn a_floating_ip_is_made_once_and_goes_with_its_server() {
    let site = with_a_server();
    let done = site.pass();
    let action = &done.json()["actions"][0];
    let made = floating_ips(&site);
    assert_eq!(made.len(), 1);
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    assert_eq!(made[0].description, format!("mita-owner=tester mita-server={name}"));
    assert_eq!(
        (&action["do"], &action["name"]),
        (&Value::from("create_floating_ip"), &Value::from(name))
    );
    assert_eq!(action["target"], Value::from(made[0].address.as_str()));
    // Nova does not show it yet.
    assert!(site.pass().actions().is_empty(), "one is enough");
    site.world.advance(60);
    site.world.forget_calls();
    assert!(site.pass().actions().is_empty());
    let asked = site.requests(Service::Neutron);
    assert_eq!(asked, 0, "a pass that changes nothing asks nothing of the network");
    let status = site.mita(&["status", "-o", "json"]).json();
    assert_eq!(
        status["servers"][0]["floating_ip"],
        Value::from(made[0].address.as_str())
    );
    assert_eq!(status["servers"][0]["address"], status["servers"][0]["floating_ip"]);
    assert!(site.mita(&["status"]).out.contains(&made[0].address));
    let seen = passes(&site, 12);
    assert_eq!(
        seen,
        [
            "offline done small",
            "delete_node done small",
            "delete_floating_ip done small",
            "delete_server done small"
        ]
    );
    assert!(
        floating_ips(&site).is_empty() && site.state().get("leaving").is_none(),
        "{}",
        site.state()
    );
}

#[test]
fn a_lost_answer_and_a_crash_make_no_second_one() {
    // The answer is lost.
    let site = with_a_server();
    site.world.fault(post_floating_ip(), Fault::DropAfter);
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["create_floating_ip unknown small".to_owned()]),
        "{}",
        done.err
    );
    assert_eq!(floating_ips(&site).len(), 1);
    for _ in 0..5 {
        site.world.advance(1);
        assert!(site.pass().actions().is_empty());
    }
    // The pass dies before it saves.
    let site = with_a_server();
    let before = std::fs::read(site.state_file()).unwrap();
    site.pass();
    std::fs::write(site.state_file(), before).unwrap();
    assert!(site.pass().actions().is_empty());
    site.world.advance(60);
    assert!(site.pass().actions().is_empty());
    assert_eq!(floating_ips(&site).len(), 1);
}

#[test]
fn what_a_server_leaves_that_others_deleted_is_swept() {
    let site = with_an_address();
    site.world.with(|world| {
        let clock = world.clock;
        let foreign = leftover(
            "foreign",
            "mita-owner=others mita-server=small__00000000dead",
            clock - 9000,
        );
        world.cloud("openstack").floating_ips.push(foreign);
        let bare = leftover("a person's", "", clock - 9000);
        world.cloud("openstack").floating_ips.push(bare);
    });
    site.pass();
    behind_our_back(&site);
    site.world.advance(60);
    let seen = passes(&site, 5);
    assert!(seen.contains(&"delete_floating_ip done small".to_owned()), "{seen:?}");
    let left: Vec<String> = floating_ips(&site).into_iter().map(|ip| ip.id).collect();
    assert_eq!(left, ["foreign", "a person's"]);
    assert!(site.state().get("leaving").is_none());
}

#[test]
fn a_lost_state_file_leaves_nothing_behind() {
    let site = with_an_address();
    behind_our_back(&site);
    site.world.advance(300);
    std::fs::remove_file(site.state_file()).unwrap();
    let seen = passes(&site, 2);
    assert_eq!(seen[0], "delete_floating_ip done small");
    assert!(floating_ips(&site).is_empty());
}

#[test]
fn no_floating_ip_left_holds_new_servers_back_and_is_no_failure() {
    let site = Site::with(FLOATING, "");
    site.world.with(|world| world.cloud("openstack").quota.floating_ips = 0);
    site.world.submit(job("one", "linux").seconds(60));
    site.world.submit(job("two", "linux").seconds(60));
    site.pass();
    site.world.advance(30);
    site.world.submit(job("three", "linux").seconds(60));
    let done = site.pass();
    let refused = ["create_floating_ip refused small", "create_floating_ip skipped small"];
    assert_eq!(done.actions(), refused, "and no server is made for the third item");
    site.world.forget_calls();
    site.world.advance(10);
    let done = site.pass();
    assert!(done.actions().is_empty());
    assert_eq!(site.requests(Service::Neutron), 0, "it is not asked in each pass");
    let json = done.json();
    let unmet = json["unmet"][0]["reason"].as_str().unwrap_or_default();
    let notes = json["notes"].to_string();
    assert!(unmet.contains("floating IPs of template small"), "{json}");
    assert!(
        notes.contains("2 servers wait for a floating IP") && notes.contains("over quota"),
        "{notes}"
    );
    site.world.with(|world| world.cloud("openstack").quota.floating_ips = 5);
    site.world.advance(90);
    let made = site.pass().actions();
    assert_eq!(
        made[..2],
        ["create_floating_ip done small", "create_floating_ip done small"]
    );
    assert!(site.state()["backoffs"].as_object().unwrap().is_empty());
}

#[test]
fn an_address_that_stays_does_not_keep_its_server() {
    let site = with_an_address();
    site.world
        .fault(delete_floating_ip().times(2), Fault::Instead(broken(500)));
    let mut failed = 0;
    for _ in 0..15 {
        let done = site.mita(&["run", "-o", "json"]);
        failed += u32::from(done.code == 1);
        site.world.advance(60);
    }
    assert_eq!(site.servers(), 0);
    assert!(floating_ips(&site).is_empty(), "the sweep finds it");
    assert_eq!(failed, 2, "each failure is said once");
}

#[test]
fn a_dry_run_says_exactly_what_a_pass_does() {
    let site = with_a_server();
    site.world.with(|world| {
        let old = world.clock - 3600;
        let left = leftover("left", GONE, old);
        world.cloud("openstack").floating_ips.push(left);
    });
    // The state file was lost, so that everything is looked through.
    std::fs::remove_file(site.state_file()).unwrap();
    site.world.forget_calls();
    let dry = site.mita(&["run", "-n", "-o", "json"]);
    site.world.assert_no_writes();
    assert!(!site.state_file().exists());
    let planned = ["delete_floating_ip planned small", "create_floating_ip planned small"];
    assert_eq!(dry.actions(), planned);
    let text = site.mita(&["run", "-n"]).out;
    assert!(
        text.contains("delete_floating_ip 198.51.100.4 of small__00000000dead at openstack; because"),
        "{text}"
    );
    let done: Vec<String> = planned.iter().map(|row| row.replace("planned", "done")).collect();
    assert_eq!(site.pass().actions(), done);
}

#[test]
fn destroy_takes_the_floating_ip_too() {
    let site = with_an_address();
    site.minutes(2);
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    let done = site.mita(&["destroy", "--force", &name, "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.actions().contains(&"delete_floating_ip done small".to_owned()),
        "{:?}",
        done.actions()
    );
    assert!(floating_ips(&site).is_empty());
}

#[test]
fn a_volume_is_marked_and_swept_when_it_was_left() {
    let site = Site::with(STORED, "");
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    site.world.advance(60);
    let person = Volume {
        id: "aaaaaaaa-0000-4000-8000-000000000001".to_owned(),
        name: "mine".to_owned(),
        size: 1,
        status: "available".to_owned(),
        server: None,
        delete_on_termination: false,
        metadata: std::collections::BTreeMap::new(),
        created: 0,
    };
    // Cinder is away when the server is seen first.
    site.world.fault(
        When::on(Service::Cinder).method("POST").part("metadata").times(1),
        Fault::Instead(broken(503)),
    );
    assert_eq!(site.mita(&["run", "-o", "json"]).actions(), Vec::<String>::new());
    site.world.advance(10);
    site.pass();
    site.world.with(|world| {
        let cloud = world.cloud("openstack");
        let volume = &mut cloud.volumes[0];
        assert_eq!(volume.metadata.get("mita-owner").map(String::as_str), Some("tester"));
        assert_eq!(volume.metadata.get("mita-server"), Some(&cloud.servers[0].name));
        // Cinder keeps it when its server goes.
        volume.delete_on_termination = false;
        cloud.volumes.push(person);
    });
    site.world.forget_calls();
    site.world.advance(60);
    site.pass();
    assert_eq!(site.requests(Service::Cinder), 0, "a volume is marked once");
    site.world.advance(60);
    let seen = passes(&site, 15);
    assert_eq!(
        seen[2..],
        ["delete_server done small", "delete_volume done small"],
        "{seen:?}"
    );
    site.world.with(|world| {
        let left: Vec<&str> = world
            .cloud("openstack")
            .volumes
            .iter()
            .map(|v| v.name.as_str())
            .collect();
        assert_eq!(left, ["mine"]);
    });
}

#[test]
fn one_service_that_is_down_does_not_harm_the_other() {
    let nodes = FLOATING.replace("floating_ip_pool: public", "floating_ip_pool: public\n    storage: 5");
    let site = Site::with(&nodes, "");
    site.world
        .fault(When::on(Service::Cinder).always(), Fault::Instead(broken(503)));
    site.world.submit(job("build", "linux").seconds(60));
    let first = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        (first.code, first.actions()),
        (1, vec!["create done small".to_owned()]),
        "{}",
        first.err
    );
    assert!(
        first.err.contains("provider openstack does not list its volumes"),
        "{}",
        first.err
    );
    site.world.advance(60);
    let second = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        (second.code, second.actions()),
        (0, vec!["create_floating_ip done small".to_owned()]),
        "{}",
        second.err
    );
}

#[test]
fn ports_of_ours_are_swept_and_others_are_not() {
    let nodes = FLOATING.replace("networks: [private]", "ports: [{network: private}]");
    let site = Site::with(&nodes, "");
    site.world.with(|world| {
        let clock = world.clock;
        let cloud = world.cloud("openstack");
        let port = |id: &str, description: &str, created| Port {
            id: id.to_owned(),
            network: cloud.networks[0].id.clone(),
            description: description.to_owned(),
            created,
            ..Port::default()
        };
        let made = [
            port("left", GONE, clock - 3600),
            port("young", GONE, clock - 60),
            port("foreign", "mita-owner=others mita-server=a", clock - 3600),
            port("bare", "", clock - 3600),
        ];
        cloud.ports.extend(made);
    });
    assert_eq!(site.pass().actions(), ["delete_port done small"]);
    site.world.advance(120);
    assert_eq!(
        site.pass().actions(),
        ["delete_port done small"],
        "it is old enough by now"
    );
    site.world.with(|world| {
        let ports = world.cloud("openstack").ports.iter();
        let left: Vec<&str> = ports.filter(|p| p.owner.is_empty()).map(|p| p.id.as_str()).collect();
        assert_eq!(left, ["foreign", "bare"]);
    });
}

#[test]
fn the_console_of_a_server_that_never_joined_is_kept() {
    let site = Site::with(FLOATING, "");
    site.world.kind("small", Kind::new(&["linux"]).joins_as(JoinsAs::Never));
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    site.world.advance(60);
    site.pass();
    site.world.with(|world| {
        let cloud = world.cloud("openstack");
        let id = cloud.servers[0].id.clone();
        let text = (0..30).fold(String::new(), |text, n| format!("{text}line {n}\n"));
        let text = format!("{text}\u{1b}[31mcurl: (7) no route, token 11token\u{1b}[0m\n");
        cloud.consoles.insert(id, text);
    });
    site.world.with(|world| world.jenkins.queue.clear());
    let mut consoles = 0;
    for _ in 0..20 {
        site.world.advance(60);
        site.world.forget_calls();
        site.pass();
        consoles += site.world.count(|call| call.path.ends_with("/action"));
    }
    assert_eq!((site.servers(), consoles), (0, 1));
    let status = site.mita(&["status", "-o", "json"]).json();
    let failure = &status["failures"][0];
    assert_eq!(
        (&failure["node"], &failure["provider"]),
        (&Value::from("small"), &Value::from("openstack"))
    );
    assert!(
        failure["reason"]
            .as_str()
            .unwrap()
            .contains("did not join Jenkins within 15m"),
        "{failure}"
    );
    let lines: Vec<&str> = failure["console"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert_eq!(
        (lines.len(), lines.last().copied()),
        (20, Some("curl: (7) no route, token ***")),
        "{lines:?}"
    );
    let text = site.mita(&["status"]).out;
    assert!(
        text.contains("failed: small__") && text.contains("\n    line 29\n"),
        "{text}"
    );
    assert!(!std::fs::read_to_string(site.state_file()).unwrap().contains("11token"));
}

/// A template whose servers get a port that is made for them.
const PORTS: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    ports: [{network: private}]
    labels: [linux, x86_64]
    provider: openstack
    idle_grace: 5m
";

/// The ports that are neither a router's nor Nova's own.
fn ports(site: &Site) -> Vec<Port> {
    site.world.with(|world| {
        let ports = world.cloud("openstack").ports.iter();
        ports
            .filter(|port| !port.owner.starts_with("network:"))
            .cloned()
            .collect()
    })
}

#[test]
fn a_port_that_was_made_goes_after_its_server() {
    let site = Site::with(PORTS, "");
    site.world.submit(job("build", "linux").seconds(60));
    site.pass();
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    let made: Vec<String> = ports(&site).into_iter().map(|port| port.description).collect();
    assert_eq!(made, [format!("mita-owner=tester mita-server={name}")]);
    site.world.advance(60);
    let seen = passes(&site, 14);
    assert_eq!(
        seen,
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small",
            "delete_port done small"
        ]
    );
    assert!(ports(&site).is_empty());
    site.world.forget_calls();
    site.pass();
    assert_eq!(site.requests(Service::Neutron), 0);
}

#[test]
fn a_port_without_a_server_is_swept_after_a_crash() {
    let site = Site::with(PORTS, "");
    site.world.submit(job("build", "linux").seconds(60));
    // The port is made, and the answer to the server's request is lost: it was never made.
    site.world.fault(
        When::on(Service::Nova).method("POST").part("/servers"),
        Fault::DropBefore,
    );
    site.world.with(|world| world.jenkins.queue.clear());
    site.world.submit(job("build", "linux").seconds(60));
    let first = site.mita(&["provision", "-o", "json"]);
    assert_eq!(first.actions(), ["create unknown small"], "{}", first.err);
    site.world.with(|world| world.jenkins.queue.clear());
    let left = ports(&site).len();
    let seen = passes(&site, 8);
    assert_eq!(seen.len(), left, "{seen:?}");
    assert!(ports(&site).is_empty());
}
