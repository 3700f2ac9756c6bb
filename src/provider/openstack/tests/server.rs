//! A server that replies by a script, request by request, in order, and holds the client to the script.

use std::sync::{Arc, Mutex};
use std::vec;

use super::recorded;
use crate::fakes::http_server::{Delivery, Reply as Wire, Request, Server};
use crate::http::Reply;

pub(super) use crate::fakes::http_server::Canned;

/// A reply with a JSON body.
pub(super) fn json(status: u16, body: &str) -> Canned {
    let headers = ["Content-Type: application/json", "Date: Sun, 22 Nov 2026 12:00:08 GMT"];
    Canned::new(status, &headers, body)
}

/// The head of a reply and less of the body than it announces, then the end.
pub(super) fn cut() -> Canned {
    json(200, r#"{"servers": [], "further": []}"#).half()
}

/// The head of a reply, some of the body, and then nothing, until the client gives up.
pub(super) fn stall() -> Canned {
    json(200, r#"{"servers": [], "further": []}"#).stalling()
}

/// A recorded reply.
pub(super) fn like(reply: &Reply) -> Canned {
    let mut canned = Canned::new(reply.status, &[], &reply.body);
    for (name, value) in &reply.headers {
        if !["content-length", "connection"].contains(&name.as_str()) {
            canned.reply = canned.reply.header(name.as_str(), value.to_str().unwrap());
        }
    }
    canned
}

/// The recorded login; the catalog points to the scripted server.
pub(super) fn login() -> Canned {
    like(&recorded!("auth-ok"))
}

pub(super) struct Scripted {
    pub url: String,
    script: Arc<Mutex<Script>>,
    _server: Server,
}

struct Script {
    steps: vec::IntoIter<(String, Canned)>,
    bodies: Vec<String>,
}

impl Scripted {
    /// Starts with a script of `METHOD /path?query` and reply. A request in a microversion has that behind it.
    pub(super) fn new(script: Vec<(&str, Canned)>) -> Self {
        let steps: Vec<(String, Canned)> = script
            .into_iter()
            .map(|(line, reply)| (line.to_owned(), reply))
            .collect();
        let script = Arc::new(Mutex::new(Script {
            steps: steps.into_iter(),
            bodies: Vec::new(),
        }));
        let own = Arc::clone(&script);
        let server = Server::start(move |request| own.lock().unwrap().step(request));
        Self {
            url: format!("http://{}", server.address),
            script,
            _server: server,
        }
    }

    /// Ends it: the script must have been used up, no more and no less. Returns the bodies of the requests.
    pub(super) fn finish(self) -> Vec<String> {
        let script = self.script.lock().expect("the requests were those of the script");
        assert_eq!(script.steps.len(), 0, "steps of the script that were not asked for");
        script.bodies.clone()
    }
}

impl Script {
    /// Panics at a request that is not the next one: its client is hung up on, and `finish` fails.
    fn step(&mut self, request: Request) -> (Wire, Delivery) {
        let base = request.base();
        let version = request.headers.get("openstack-api-version").map_or("", String::as_str);
        let version = version.strip_prefix("compute").unwrap_or("");
        let line = format!("{} {}{version}", request.method, request.target);
        let next = self.steps.next();
        let (expected, canned) = next.unwrap_or_else(|| panic!("one request too many: {line}"));
        assert_eq!(line, expected);
        self.bodies.push(String::from_utf8(request.body).unwrap());
        let mut reply = canned.reply.header("Connection", "close");
        for port in ["8774", "8776", "9292", "9696"] {
            reply = reply.edited(format!("http://127.0.0.1:{port}").as_bytes(), base.as_bytes());
        }
        (reply, canned.delivery)
    }
}
