//! A server that gives scripted replies, whatever it is asked, and remembers the requests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Delivery, Reply, Request, Server, locked};

/// One scripted reply.
#[derive(Clone, Debug)]
pub struct Canned {
    pub reply: Reply,
    pub delivery: Delivery,
}

impl Canned {
    /// A reply with headers, each in one text, and a body.
    pub fn new(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let mut reply = Reply::new(status);
        for header in headers {
            let (name, value) = header.split_once(": ").expect("`name: value`");
            reply = reply.header(name, value);
        }
        reply.body = body.as_ref().to_vec();
        Self {
            reply,
            delivery: Delivery::Whole,
        }
    }

    /// Closes the connection without a reply.
    pub fn hang_up() -> Self {
        Self::new(500, &[], "").by(Delivery::Drop)
    }

    /// Half of the body, then the connection is closed.
    #[must_use]
    pub fn half(self) -> Self {
        self.by(Delivery::Half)
    }

    /// Half of the body, then nothing until the client goes.
    #[must_use]
    pub fn stalling(self) -> Self {
        self.by(Delivery::Stall)
    }

    /// The last 800 bytes of the body one by one, with pauses, until the client goes.
    #[must_use]
    pub fn dripping(self) -> Self {
        let after = self.reply.length() - 800;
        self.by(Delivery::Drip {
            after,
            bytes: 1,
            pause: Duration::from_millis(20),
        })
    }

    fn by(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }
}

/// The server.
#[derive(Debug)]
pub struct Scripted {
    server: Server,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Starts a server that gives these replies in this order, and hangs up when there are no more.
    pub fn start(script: Vec<Canned>) -> Self {
        Self::start_over(|stream| stream, script)
    }

    /// Does what [`start`](Self::start) does with each connection wrapped first.
    pub fn start_over<S: Read + Write>(
        wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static,
        script: Vec<Canned>,
    ) -> Self {
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (script, list) = (Mutex::new(script.into_iter()), Arc::clone(&seen));
        let server = Server::start_over(wrap, move |request| {
            locked(&list).push(request);
            let next = locked(&script).next().unwrap_or_else(Canned::hang_up);
            (next.reply, next.delivery)
        });
        Self { server, seen }
    }

    /// Makes a URL of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// Returns the requests so far, head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        let whole = |request: &Request| format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
        locked(&self.seen).iter().map(whole).collect()
    }

    /// Returns the first lines of the requests so far, without the protocol.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &Request| format!("{} {}", request.method, request.target);
        locked(&self.seen).iter().map(line).collect()
    }

    /// Returns how many connections were made.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }
}
