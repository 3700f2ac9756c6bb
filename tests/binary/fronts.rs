//! What stands between mita and the services: a balancer that speaks TLS for them, and a company's proxy.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fakes::http_server::{Delivery, Reply, Request, Server};

/// Speaks TLS with the certificate of `tests/fixtures/http` for a service on a port.
pub struct TlsFront {
    server: Server,
}

impl TlsFront {
    pub fn start(port: u16) -> Self {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/http");
        let certificate = CertificateDer::from_pem_file(format!("{fixtures}/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(format!("{fixtures}/server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let wrap = move |stream| StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let server = Server::start_over(wrap, move |request| {
            let host = request.headers.get("host").cloned().unwrap_or_default();
            // The services know that the balancer speaks TLS, and name themselves so.
            let (from, to) = (format!("http://{host}"), format!("https://{host}"));
            let reply = forward(&request, &request.target, port).edited(from.as_bytes(), to.as_bytes());
            (reply, Delivery::Whole)
        });
        Self { server }
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }
}

/// A proxy: plain http is forwarded, a tunnel is made for the rest. It knows the hosts by name.
pub struct FakeProxy {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// Which host, as `HOST:PORT`, is on which port here.
type Hosts = BTreeMap<String, u16>;

impl FakeProxy {
    /// A proxy that wants this `Proxy-Authorization`, if any.
    pub fn start(hosts: &[(&str, u16)], login: Option<&str>) -> Self {
        let hosts: Hosts = hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect();
        let login = login.map(str::to_owned);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let list = Arc::clone(&seen);
        // The thread lives as long as the test process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (hosts, login, list) = (hosts.clone(), login.clone(), Arc::clone(&list));
                thread::spawn(move || converse(stream, &hosts, login.as_deref(), &list));
            }
        });
        Self { address, seen }
    }

    /// The first lines of the requests so far, without the protocol and the query.
    pub fn lines(&self) -> Vec<String> {
        let line = |request: &Request| {
            let target = request.target.split('?').next().unwrap_or_default();
            format!("{} {target}", request.method)
        };
        self.seen.lock().unwrap().iter().map(line).collect()
    }
}

fn converse(stream: TcpStream, hosts: &Hosts, login: Option<&str>, seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = Request::read(&mut reader) {
        seen.lock().unwrap().push(request.clone());
        let sent = request.headers.get("proxy-authorization").map(String::as_str);
        let reply = if login.is_some() && sent != login {
            Reply::html(407, "who are you?").header("Proxy-Authenticate", "Basic realm=\"proxy\"")
        } else if request.method == "CONNECT" {
            match hosts.get(&request.target) {
                Some(port) => return tunnel(reader.into_inner(), *port),
                None => Reply::html(503, "no such host"),
            }
        } else {
            by_url(&request, hosts)
        };
        if !reply.write(reader.get_mut(), Delivery::Whole, false).unwrap_or(false) {
            return;
        }
    }
}

/// Forwards a request that names the whole URL.
fn by_url(request: &Request, hosts: &Hosts) -> Reply {
    let Some((host, path)) = request
        .target
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return Reply::html(400, "a proxy wants the whole URL");
    };
    let port = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    match hosts.get(&port) {
        Some(port) => forward(request, &format!("/{path}"), *port),
        None => Reply::html(503, "no such host"),
    }
}

fn tunnel(mut client: TcpStream, port: u16) {
    let mut service = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut service, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}

/// Hands a request to a service on a port, and its reply back.
fn forward(request: &Request, target: &str, port: u16) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "{} {target} HTTP/1.1\r\n", request.method).unwrap();
    for (name, value) in &request.headers {
        if name != "connection" && !name.starts_with("proxy-") {
            write!(stream, "{name}: {value}\r\n").unwrap();
        }
    }
    stream.write_all(b"connection: close\r\n\r\n").unwrap();
    stream.write_all(&request.body).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    read_reply(&all)
}

fn read_reply(all: &[u8]) -> Reply {
    let end = all.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply::new(status);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        if !["content-length", "connection", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str()) {
            reply = reply.header(name, value);
        }
    }
    reply.body = all[end + 4..].to_vec();
    reply
}
