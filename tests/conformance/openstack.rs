//! The fake OpenStack as a cloud under test.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::cloud::{Seen, TestCloud, Trouble};
use super::fakes::{CloudServer, FakeOpenStack, Fault, Reply, Service, When, World};

pub struct OpenStack {
    fake: FakeOpenStack,
    world: World,
}

impl OpenStack {
    pub fn new(world: &World) -> Self {
        Self {
            fake: FakeOpenStack::start(world, "cloud"),
            world: world.clone(),
        }
    }

    fn count(&self, method: &str, path: &str) -> usize {
        self.world
            .count(|call| call.service == Service::Nova && call.method == method && call.path.contains(path))
    }
}

fn creates() -> When {
    When::on(Service::Nova).method("POST").part("/servers").always()
}

fn lists() -> When {
    When::on(Service::Nova).method("GET").part("/servers/detail").always()
}

fn refusal(status: u16, message: &str) -> Fault {
    Fault::Instead(Reply::json(
        status,
        &json!({"error": {"code": status, "message": message}}),
    ))
}

impl TestCloud for OpenStack {
    fn provider(&self) -> Vec<String> {
        let url = format!("auth_url: {}", self.fake.auth_url());
        let keys = [
            "type: openstack",
            &url,
            "auth_version: 3.x_password",
            "username: ci",
            "password: ci-pass",
            "tenant_name: ci",
        ];
        keys.map(str::to_owned).into()
    }

    fn node(&self) -> Vec<String> {
        let keys = [
            "image_name: ubuntu-24.04",
            "size: m1.small",
            "keyname: jenkins",
            "networks: [private]",
        ];
        keys.map(str::to_owned).into()
    }

    fn servers(&self) -> Vec<Seen> {
        let seen = |server: &CloudServer| Seen {
            name: server.name.clone(),
            metadata: server.metadata.clone(),
            user_data: server.user_data.as_ref().map(|text| {
                let bytes = STANDARD.decode(text).expect("base64");
                String::from_utf8(bytes).expect("UTF-8")
            }),
        };
        self.world
            .with(|world| world.cloud("cloud").servers.iter().map(seen).collect())
    }

    fn asked(&self) -> [usize; 3] {
        [
            self.count("POST", "/servers"),
            self.count("DELETE", "/servers/"),
            self.count("GET", "/servers/detail"),
        ]
    }

    fn add(&mut self, name: &str, metadata: &[(&str, &str)]) {
        self.world.with(|world| {
            let mut server = CloudServer::running(name, "ubuntu-24.04", "m1.small");
            let pairs = metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            server.metadata = pairs.collect();
            world.cloud("cloud").servers.push(server);
        });
    }

    fn trouble(&mut self, trouble: Trouble) {
        let (when, fault) = match trouble {
            Trouble::Quota => (creates(), refusal(403, "Quota exceeded for instances: Requested 1")),
            Trouble::Capacity => (
                creates(),
                refusal(400, "No valid host was found. There are not enough hosts"),
            ),
            Trouble::Refused => (creates(), refusal(400, "Invalid image: no image of that name")),
            Trouble::AnswerLost => (creates(), Fault::DropAfter),
            Trouble::NoAnswer => (creates(), Fault::DropBefore),
            Trouble::ListDown => (lists(), refusal(503, "the cloud does not work")),
            Trouble::ListGarbage => (lists(), Fault::Instead(Reply::html(200, "<html>hello"))),
            Trouble::ListHuge => (lists(), Fault::Huge(200_000)),
            Trouble::ListSlow => (lists(), Fault::Late(Duration::from_secs(2))),
            Trouble::DeleteDown => (
                When::on(Service::Nova).method("DELETE").always(),
                refusal(503, "the cloud does not work"),
            ),
        };
        self.world.fault(when, fault);
    }

    fn calm(&mut self) {
        self.world.clear_script();
    }

    fn fail_servers(&mut self, reason: &str) {
        self.world.with(|world| {
            for server in &mut world.cloud("cloud").servers {
                "ERROR".clone_into(&mut server.status);
                server.fault = Some(reason.to_owned());
            }
        });
    }

    fn vanish_after_list(&mut self) {
        self.world.after(lists(), |world| world.cloud("cloud").servers.clear());
    }

    fn advance(&mut self, world: &World, seconds: i64) {
        world.advance(seconds);
    }
}
