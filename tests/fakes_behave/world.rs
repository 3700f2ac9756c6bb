//! The world behind the fakes: servers become agents, races can be played, answers spoilt.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fakes::{
    Agent, FakeJenkins, FakeOpenStack, Fault, Gate, Hidden, JoinsAs, Kind, Reply, Service, Task, When, World,
};
use super::recorded::{Got, send};

struct Setup {
    world: World,
    jenkins: FakeJenkins,
    cloud: FakeOpenStack,
}

fn setup() -> Setup {
    let world = World::new(5);
    let jenkins = FakeJenkins::start(&world, "");
    let cloud = FakeOpenStack::start(&world, "main");
    world.with(|w| w.cloud("main").tokens.insert("t".to_owned(), i64::MAX));
    Setup { world, jenkins, cloud }
}

impl Setup {
    fn jenkins(&self, method: &str, target: &str) -> Got {
        let basic = format!("Basic {}", STANDARD.encode("mita:11token"));
        let headers = [
            ("Authorization".to_owned(), basic),
            ("Accept-Language".to_owned(), "en".to_owned()),
        ];
        send(self.jenkins.port(), method, target, &headers, "")
    }

    fn nova(&self, method: &str, target: &str, body: &str) -> Got {
        let token = [("X-Auth-Token".to_owned(), "t".to_owned())];
        send(
            self.cloud.port(),
            method,
            &format!("/compute/v2.1{target}"),
            &token,
            body,
        )
    }

    fn create(&self, name: &str, more: Value) -> Got {
        let image = self.world.with(|w| w.cloud("main").images[0].id.clone());
        let mut body = json!({"server": {"name": name, "imageRef": image, "flavorRef": "2"}});
        if let (Some(server), Value::Object(more)) = (body["server"].as_object_mut(), more) {
            server.extend(more);
        }
        self.nova("POST", "/servers", &body.to_string())
    }

    fn why(&self) -> String {
        let got = self.jenkins("GET", "/queue/api/json?tree=items[why]").json();
        got["items"][0]["why"].as_str().unwrap_or("-").to_owned()
    }
}

#[test]
fn a_server_boots_joins_builds_and_goes() {
    let s = setup();
    s.world.kind("trusty", Kind::new(&["linux"]).boot(60));
    s.world.submit(Task::freestyle("a").label("linux").seconds(100));
    assert_eq!(s.why(), "Waiting for next available executor");
    let id = s.create("trusty__0123456789ab", json!({})).json()["server"]["id"].clone();
    let id = id.as_str().expect("an id");
    s.world.advance(79);
    assert_eq!(s.why(), "Waiting for next available executor", "not joined yet");
    s.world.advance(1);
    assert_eq!(s.why(), "-");
    s.world.with(|w| {
        assert_eq!(w.jenkins.builds[0].agent, "trusty__0123456789ab");
        assert!(!w.jenkins.agent("trusty__0123456789ab").idle());
    });
    s.world.advance(100);
    s.world
        .with(|w| assert!(w.jenkins.agent("trusty__0123456789ab").idle()));
    s.world.submit(Task::freestyle("b").label("linux").seconds(100));
    assert_eq!(s.nova("DELETE", &format!("/servers/{id}"), "").status, 204);
    s.world.advance(10);
    s.world.with(|w| {
        assert_eq!(w.jenkins.killed(), 1, "its machine went away under it");
        assert!(w.jenkins.agent("trusty__0123456789ab").offline());
        assert_eq!(w.cloud("main").past.len(), 1);
    });
}

#[test]
fn an_agent_may_join_under_template_and_address() {
    let s = setup();
    s.world.kind(
        "trusty",
        Kind::new(&["linux"]).joins_as(JoinsAs::TemplateAndAddress).executors(2),
    );
    s.create("anything", json!({"metadata": {"mita-node": "trusty"}}));
    s.world.advance(200);
    s.world.with(|w| {
        let address = w.cloud("main").servers[0].addresses[0].clone();
        assert_eq!(w.jenkins.agent(&format!("trusty+{address}")).executors.len(), 2);
    });
}

#[test]
fn volumes_go_with_their_server_or_leak() {
    let s = setup();
    let image = s.world.with(|w| w.cloud("main").images[0].id.clone());
    let mapping = |dies: bool| {
        json!({"block_device_mapping_v2": [
            {"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local"},
            {"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": 10,
             "delete_on_termination": dies}]})
    };
    let ids = [("a", true), ("b", false)].map(|(name, dies)| {
        let id = s.create(name, mapping(dies)).json()["server"]["id"].clone();
        id.as_str().expect("an id").to_owned()
    });
    // They are made on the server's host.
    s.world.advance(5);
    assert_eq!(s.world.with(|w| w.cloud("main").volumes.len()), 2);
    for id in ids {
        s.nova("DELETE", &format!("/servers/{id}"), "");
    }
    s.world.advance(10);
    s.world.with(|w| {
        let left = &w.cloud("main").volumes;
        assert_eq!((left.len(), left[0].status.as_str()), (1, "available"));
    });
}

#[test]
fn a_race_is_played_between_two_requests() {
    let s = setup();
    s.world.agent(Agent::new("n", &["linux"]).online());
    s.world
        .after(When::on(Service::Jenkins).part("changeOfflineCause"), |w| {
            w.begin_build("n", 60)
        });
    s.world
        .before(When::on(Service::Jenkins).method("POST").part("doDelete"), |w| {
            w.unmark("n")
        });
    let idle = |s: &Setup| s.jenkins("GET", "/computer/n/api/json?tree=idle,offline").json()["idle"].clone();
    assert_eq!(idle(&s), true);
    s.jenkins("POST", "/computer/n/changeOfflineCause?offlineMessage=m");
    assert_eq!(idle(&s), false);
    s.jenkins("POST", "/computer/n/doDelete");
    s.world.with(|w| assert_eq!(w.jenkins.killed(), 1));
    assert_eq!(s.world.count(super::fakes::Call::writes), 2);
}

#[test]
fn a_marked_node_is_given_nothing_and_an_unmarked_one_at_once() {
    let s = setup();
    s.world.agent(Agent::new("n", &["linux"]).online());
    s.jenkins("POST", "/computer/n/changeOfflineCause?offlineMessage=m");
    s.world.submit(Task::freestyle("a").label("linux"));
    assert_eq!(s.why(), "‘n’ is offline");
    s.jenkins("POST", "/computer/n/toggleOffline");
    assert_eq!(s.why(), "-");
}

#[test]
fn answers_are_spoilt_as_told() {
    let s = setup();
    let post = || When::on(Service::Nova).method("POST");
    s.world.fault(post(), Fault::DropBefore);
    s.world.fault(post(), Fault::DropAfter);
    s.world.fault(post(), Fault::DoneBut(Reply::proxy_page(504)));
    s.world.fault(
        post(),
        Fault::Instead(Reply::json(429, &json!({"error": {"message": "Too Many Requests"}}))),
    );
    let servers = || s.world.with(|w| w.cloud("main").servers.len());
    assert_eq!((s.create("a", json!({})).status, servers()), (0, 0));
    assert_eq!((s.create("b", json!({})).status, servers()), (0, 1));
    assert_eq!((s.create("c", json!({})).status, servers()), (504, 2));
    assert_eq!((s.create("d", json!({})).status, servers()), (429, 2));
    assert_eq!((s.create("e", json!({})).status, servers()), (202, 3));
    s.world.fault(When::on(Service::Jenkins).skip(1), Fault::Half);
    assert_eq!(s.jenkins("GET", "/api/json").headers["content-length"].len(), 3);
    let half = s.jenkins("GET", "/api/json");
    assert!(half.headers["content-length"].parse::<usize>().expect("a number") > half.body.len());
    s.world.fault(When::any(), Fault::Huge(100_000));
    assert_eq!(s.jenkins("GET", "/api/json").body.len(), 100_000);
    s.world.fault(
        When::any(),
        Fault::Drip {
            bytes: 64,
            pause: std::time::Duration::ZERO,
        },
    );
    assert_eq!(s.jenkins("GET", "/api/json").status, 200);
}

#[test]
fn an_answer_is_held_until_the_gate_opens_and_the_connection_is_kept() {
    let s = setup();
    let gate = Gate::default();
    s.world.fault(When::on(Service::Nova), Fault::Held(gate.clone()));
    let mut stream = TcpStream::connect(("127.0.0.1", s.cloud.port())).expect("connects");
    let request = b"GET /compute/v2.1/limits HTTP/1.1\r\nHost: h\r\nX-Auth-Token: t\r\n\r\n";
    stream.write_all(request).expect("sent");
    gate.open();
    stream
        .write_all(request)
        .expect("a second request on the same connection");
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .expect("a limit");
    let mut seen = String::new();
    while seen.matches("HTTP/1.1 200 OK").count() < 2 {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).expect("two answers");
        assert!(count > 0, "closed after {seen}");
        seen.push_str(&String::from_utf8_lossy(&some[..count]));
    }
}

#[test]
fn nobody_is_there_after_a_stop() {
    let s = setup();
    s.jenkins.stop();
    let connected = TcpStream::connect(("127.0.0.1", s.jenkins.port()));
    let silent = connected.map_or(true, |mut c| {
        let _ = c.write_all(b"GET / HTTP/1.1\r\n\r\n");
        c.read(&mut [0; 1]).map_or(true, |n| n == 0)
    });
    assert!(silent);
}

#[test]
fn a_list_can_lack_servers_and_addresses_for_a_while() {
    let s = setup();
    let id = s.create("trusty__0123456789ab", json!({})).json()["server"]["id"].clone();
    let id = id.as_str().expect("an id").to_owned();
    s.world.advance(30);
    let until = s.world.now().as_second() + 60;
    let list = || s.nova("GET", "/servers/detail", "").json()["servers"].clone();
    let show = || s.nova("GET", &format!("/servers/{id}"), "");
    let whole = show().json()["server"]["addresses"].clone();
    s.world
        .with(|w| w.cloud("main").hide_from_list.insert(id.clone(), until));
    assert_eq!(list(), json!([]));
    assert_eq!(show().status, 200);
    s.world.with(|w| w.cloud("main").hide_from_list.clear());
    for (what, expected) in [
        (Hidden::All, json!({})),
        (Hidden::Entries, json!({"private": []})),
        (Hidden::Floating, whole.clone()),
    ] {
        s.world
            .with(|w| w.cloud("main").hide_addresses.insert(id.clone(), (what, until)));
        assert_eq!(list()[0]["addresses"], expected);
        assert_eq!(show().json()["server"]["addresses"], expected);
    }
    s.world
        .with(|w| w.cloud("main").hide_from_list.insert(id.clone(), until));
    s.world
        .with(|w| w.cloud("main").hide_addresses.insert(id.clone(), (Hidden::All, until)));
    s.world.advance(60);
    assert_eq!(list()[0]["addresses"], whole);
}
