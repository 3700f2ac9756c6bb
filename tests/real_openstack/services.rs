//! The services behind the cloud: stopped, paused, made to misbehave; and put right again.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use ureq::Agent;

use super::cloud::{Cloud, KEYSTONE, PASSWORD};
use super::patience::{REQUEST, TOKENS_VOID, poll};

/// Where `up` keeps its files.
pub fn folder() -> PathBuf {
    env::var_os("MITA_OPENSTACK_DIR").map_or_else(|| PathBuf::from("/var/tmp/mita-openstack"), PathBuf::from)
}

fn run_ctl(arguments: &[&str]) -> Output {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/openstack/ctl");
    Command::new(program).args(arguments).output().expect("ctl runs")
}

/// Calls `tests/openstack/ctl` and returns what it printed.
pub fn ctl(arguments: &[&str]) -> String {
    let output = run_ctl(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ctl {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Adds a fault rule.
pub fn fault(rule: &Value) {
    ctl(&["fault", "add", &rule.to_string()]);
}

/// A rule that keeps the requests it meets waiting at the door of a service until it is let go.
pub struct Held {
    name: &'static str,
}

/// Adds a fault rule that holds one request of a service: nothing of it is carried out before `release`.
pub fn hold(name: &'static str, service: &str, method: &str, path: &str) -> Held {
    fault(&json!({"service": service, "method": method, "path": path, "hold": name, "count": 1}));
    Held { name }
}

impl Held {
    /// Waits until the request has come.
    pub fn met(&self) {
        let rule = format!("\"hold\":\"{}\"", self.name);
        poll("the request that a fault rule holds", || {
            (!ctl(&["fault", "list"]).contains(&rule)).then_some(())
        });
    }

    /// Lets it go on.
    pub fn release(self) {
        ctl(&["fault", "release", self.name]);
    }
}

/// What answers at each API, once it is there.
const APIS: [(&str, &str); 5] = [
    ("keystone", KEYSTONE),
    ("nova-api", "http://127.0.0.1:8774/v2.1/servers"),
    ("neutron-server", "http://127.0.0.1:9696/v2.0/networks"),
    ("glance-api", "http://127.0.0.1:9292/v2/images"),
    ("cinder-api", "http://127.0.0.1:8776/v3/types"),
];

/// Waits until an API answers, after it was started again.
pub fn answers(service: &str) {
    let door = APIS.iter().find(|(name, _)| *name == service).expect("an API").1;
    let limits = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(REQUEST));
    let agent: Agent = limits.build().into();
    poll(&format!("{service} answers"), || {
        let status = agent.get(door).call().ok()?.status().as_u16();
        // Without a token: 200 (Keystone's front page), else 401; whatever else it says, it is not there yet.
        matches!(status, 200 | 401 | 404).then_some(())
    });
}

/// Ends every token of the user of the tests, as a changed password does, and lets the services forget that they knew
/// them: what was got before is 401 from now on.
pub fn revoke_tokens() {
    let admin = Cloud::admin();
    let users = admin.must("GET", &format!("{KEYSTONE}/users?name=ci"), None);
    let id = users["users"][0]["id"].as_str().unwrap();
    let password = json!({"user": {"password": PASSWORD}});
    admin.must("PATCH", &format!("{KEYSTONE}/users/{id}"), Some(&password));
    // Keystone reckons in whole seconds: a token of the same second would be as void.
    std::thread::sleep(TOKENS_VOID);
    let mut memcached = TcpStream::connect("127.0.0.1:13211").expect("memcached runs");
    memcached.write_all(b"flush_all\r\n").unwrap();
    let mut answer = [0; 4];
    memcached.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"OK\r\n");
}

/// A region beside the one that works: its Nova is not there.
pub const DEAD_REGION: &str = "RegionTwo";

/// Adds that region to the catalog; `restore` takes it out.
pub fn add_region() {
    let admin = Cloud::admin();
    let services = admin.must("GET", &format!("{KEYSTONE}/services?type=compute"), None);
    let region = json!({"region": {"id": DEAD_REGION}});
    admin.must("POST", &format!("{KEYSTONE}/regions"), Some(&region));
    let endpoint = json!({"endpoint": {"interface": "public", "region_id": DEAD_REGION,
        "url": "http://127.0.0.1:1/v2.1", "service_id": services["services"][0]["id"]}});
    admin.must("POST", &format!("{KEYSTONE}/endpoints"), Some(&endpoint));
}

fn remove_region() {
    let admin = Cloud::admin();
    let url = format!("{KEYSTONE}/endpoints?region_id={DEAD_REGION}");
    for endpoint in admin.must("GET", &url, None)["endpoints"].as_array().unwrap() {
        let id = endpoint["id"].as_str().unwrap();
        admin.must("DELETE", &format!("{KEYSTONE}/endpoints/{id}"), None);
    }
    admin.ask("DELETE", &format!("{KEYSTONE}/regions/{DEAD_REGION}"), None);
}

/// Undoes what a test did to the services, or one that was cut off.
pub fn restore() {
    let running = run_ctl(&["alive", "mariadb"]).status.success();
    assert!(running, "the OpenStack does not run: start it with tests/openstack/up");
    ctl(&["fault", "clear"]);
    ctl(&["start", "all"]);
    ctl(&["resume", "all"]);
    for (service, _) in APIS {
        answers(service);
    }
    remove_region();
}
