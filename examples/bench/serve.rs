//! Jenkins, Keystone and Nova as two ports that hand out a world: bodies are made once, requests are written down.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;

use crate::Outcome;
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

/// Both ports.
pub struct Server {
    shared: Arc<Shared>,
    jenkins: String,
    cloud: String,
}

struct Shared {
    world: World,
    requests: Mutex<Vec<Request>>,
    bodies: Mutex<HashMap<String, Arc<Vec<u8>>>>,
}

struct Reply {
    status: &'static str,
    headers: &'static str,
    body: Arc<Vec<u8>>,
}

impl Server {
    /// Listens on two free ports of the loopback.
    pub fn start(world: World) -> Outcome<Self> {
        let shared = Arc::new(Shared {
            world,
            requests: Mutex::default(),
            bodies: Mutex::default(),
        });
        Ok(Self {
            jenkins: listen(&shared)?,
            cloud: listen(&shared)?,
            shared,
        })
    }

    /// Returns a configuration for this world, with the state below `folder`.
    pub fn config(&self, folder: &Path) -> String {
        self.shared.world.config(&self.jenkins, &self.cloud, folder)
    }

    /// Returns the requests since the last call.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *locked(&self.shared.requests))
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

/// Starts to listen; returns the base URL.
fn listen(shared: &Arc<Shared>) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", listener.local_addr()?);
    let shared = Arc::clone(shared);
    let own = base.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (shared, base) = (Arc::clone(&shared), own.clone());
            // A client that goes away in the middle is no concern of ours.
            thread::spawn(move || converse(&shared, &base, stream).ok());
        }
    });
    Ok(base)
}

fn converse(shared: &Shared, base: &str, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let length = content_length(&mut reader)?;
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let reply = shared.reply(base, &method, &path);
        let url = format!("{base}{path}");
        locked(&shared.requests).push(Request { method, path, url });
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let (Reply { status, headers, body }, server) = (reply, "Server: bench");
        write!(
            stream,
            "HTTP/1.1 {status}\r\nDate: {date}\r\n{server}\r\nContent-Type: application/json;charset=utf-8\r\n\
             {headers}Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)?;
    }
}

/// Reads the headers to their end; returns the length of the body.
fn content_length(reader: &mut BufReader<TcpStream>) -> std::io::Result<u64> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(length);
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
}

const JENKINS: &str = "X-Content-Type-Options: nosniff\r\nX-Jenkins: 2.544\r\nX-Frame-Options: deny\r\n";
const KEYSTONE: &str = "X-Subject-Token: gAAAAAbench\r\nVary: X-Auth-Token\r\n";
const NOVA: &str = "OpenStack-API-Version: compute 2.1\r\nx-openstack-request-id: req-bench\r\n";

impl Shared {
    fn reply(&self, base: &str, method: &str, path: &str) -> Reply {
        let (place, query) = path.split_once('?').unwrap_or((path, ""));
        let (status, headers) = match (method, place) {
            ("GET", "/jenkins/queue/api/json" | "/jenkins/computer/api/json") => ("200 OK", JENKINS),
            ("POST", "/v3/auth/tokens") => ("201 Created", KEYSTONE),
            ("GET", "/v2.1/servers/detail") => ("200 OK", NOVA),
            _ => ("404 Not Found", ""),
        };
        let mut bodies = locked(&self.bodies);
        let body = bodies.entry(path.to_owned()).or_insert_with(|| {
            Arc::new(match place {
                "/jenkins/queue/api/json" => self.world.queue(query),
                "/jenkins/computer/api/json" => self.world.computers(query),
                "/v3/auth/tokens" => self.world.login(base),
                "/v2.1/servers/detail" => self.world.servers(base, query),
                _ => b"{}".to_vec(),
            })
        });
        Reply {
            status,
            headers,
            body: Arc::clone(body),
        }
    }
}
