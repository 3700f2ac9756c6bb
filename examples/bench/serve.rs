//! Jenkins, Keystone and Nova as two ports that hand out a world: bodies are made once, requests are written down.
//! They are compressed for a client that takes gzip, and come over a slower link, where the bench wants that.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::http_server::{self, Delivery, Reply};
use crate::link::{Link, Shaped};
use crate::world::World;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The whole URL.
    pub url: String,
}

/// How replies are served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serving {
    /// Whether they are compressed for a client that takes that.
    pub gzip: bool,
    /// How they come.
    pub link: Link,
}

/// Bodies by path and query, and whether they are packed.
type Bodies = HashMap<(String, bool), Arc<Vec<u8>>>;

/// Both ports.
pub struct Server {
    shared: Arc<Shared>,
    jenkins: http_server::Server,
    cloud: http_server::Server,
}

struct Shared {
    world: World,
    gzip: bool,
    requests: Mutex<Vec<Request>>,
    bodies: Mutex<Bodies>,
}

impl Server {
    /// Listens on two free ports of the loopback.
    pub fn start(world: World, serving: Serving) -> Self {
        let shared = Arc::new(Shared {
            world,
            gzip: serving.gzip,
            requests: Mutex::default(),
            bodies: Mutex::default(),
        });
        let listen = || {
            let shared = Arc::clone(&shared);
            let link = serving.link;
            http_server::Server::start_over(
                move |stream| Shaped::new(stream, link),
                move |request| (shared.reply(&request), Delivery::Whole),
            )
        };
        Self {
            jenkins: listen(),
            cloud: listen(),
            shared,
        }
    }

    /// Returns a configuration for this world, with the state below `folder` and room for so many further servers.
    pub fn config(&self, folder: &Path, room: usize) -> String {
        let url = |server: &http_server::Server| format!("http://{}", server.address);
        let compress = self.shared.gzip;
        self.shared
            .world
            .config(&url(&self.jenkins), &url(&self.cloud), folder, room, compress)
    }

    /// Returns the requests since the last call.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *locked(&self.shared.requests))
    }

    /// Returns how many connections were made since the start.
    pub fn connections(&self) -> usize {
        self.jenkins.connections() + self.cloud.connections()
    }

    /// Returns the last requests.
    pub fn take_last(&self, count: usize) -> Vec<Request> {
        let mut all = self.take();
        all.split_off(all.len().saturating_sub(count))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const JENKINS: &[(&str, &str)] = &[
    ("X-Content-Type-Options", "nosniff"),
    ("X-Jenkins", "2.544"),
    ("X-Frame-Options", "deny"),
];
const KEYSTONE: &[(&str, &str)] = &[("X-Subject-Token", "gAAAAAbench"), ("Vary", "X-Auth-Token")];
const NOVA: &[(&str, &str)] = &[
    ("OpenStack-API-Version", "compute 2.1"),
    ("x-openstack-request-id", "req-bench"),
];

impl Shared {
    fn reply(&self, request: &http_server::Request) -> Reply {
        let (method, path, base) = (&request.method, &request.target, request.base());
        let place = path.split('?').next().unwrap_or_default();
        let (status, headers) = match (method.as_str(), place) {
            ("POST", "/v3/auth/tokens") => (201, KEYSTONE),
            ("GET", "/jenkins/queue/api/json" | "/jenkins/computer/api/json" | "/jenkins/api/json") => (200, JENKINS),
            ("GET", "/v2.1/servers/detail" | "/v2.1/flavors/detail" | "/v2.1/limits") => (200, NOVA),
            ("GET", "/v2/images") => (200, &[][..]),
            ("POST", "/v2.1/servers") => (202, NOVA),
            _ => (404, &[][..]),
        };
        let accepted = request.headers.get("accept-encoding");
        let packed = self.gzip && method == "GET" && accepted.is_some_and(|names| names.contains("gzip"));
        let body = match method.as_str() {
            "POST" if place == "/v2.1/servers" => Arc::new(self.world.made()),
            _ => self.body(&base, path, packed),
        };
        locked(&self.requests).push(Request {
            method: method.clone(),
            path: path.clone(),
            url: format!("{base}{path}"),
        });
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let reply = Reply::typed(status, "application/json;charset=utf-8", body.to_vec());
        let mut reply = reply.header("Date", date).header("Server", "bench");
        if packed {
            reply = reply.header("Content-Encoding", "gzip");
        }
        headers
            .iter()
            .fold(reply, |reply, (name, value)| reply.header(name, *value))
    }

    fn body(&self, base: &str, path: &str, packed: bool) -> Arc<Vec<u8>> {
        let key = (path.to_owned(), packed);
        let mut bodies = locked(&self.bodies);
        let body = bodies.entry(key).or_insert_with(|| {
            let plain = self.plain_body(base, path);
            Arc::new(if packed { gzipped(&plain) } else { plain })
        });
        Arc::clone(body)
    }

    fn plain_body(&self, base: &str, path: &str) -> Vec<u8> {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        match place {
            "/jenkins/queue/api/json" => self.world.queue(query),
            "/jenkins/computer/api/json" => self.world.computers(query),
            "/v3/auth/tokens" => self.world.login(base),
            "/v2.1/servers/detail" => self.world.servers(base, query),
            "/v2.1/flavors/detail" => World::flavors(),
            "/v2.1/limits" => World::limits(),
            "/v2/images" => World::images(),
            "/jenkins/api/json" => World::root(),
            _ => b"{}".to_vec(),
        }
    }
}

/// Packs as servers do: at the usual level of Jetty and Apache.
fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // A vector takes all that is written.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}
