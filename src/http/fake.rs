//! For tests: an HTTP server on the loopback that gives scripted replies, and can hang up, halve or drip them.

#![expect(
    clippy::disallowed_methods,
    reason = "a test server needs a thread, and a drip takes time"
)]

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use std::vec;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The first byte of a TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;

/// One scripted reply.
#[derive(Clone, Debug)]
pub struct Canned {
    bytes: Vec<u8>,
    drip: bool,
    close: bool,
}

impl Canned {
    /// A reply with a status line, headers and a body; its length is added.
    pub fn new(status: &str, headers: &[&str], body: &str) -> Self {
        Self::bytes(status, headers, body.as_bytes())
    }

    /// Like `new`, of bytes.
    pub fn bytes(status: &str, headers: &[&str], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        Self {
            bytes,
            drip: false,
            close: false,
        }
    }

    /// Half of the body, then the connection is closed.
    pub fn half(status: &str, headers: &[&str], body: &str) -> Self {
        let mut canned = Self::new(status, headers, body).closing();
        canned.bytes.truncate(canned.bytes.len() - body.len() / 2);
        canned
    }

    /// Closes the connection without a reply.
    pub fn hang_up() -> Self {
        Self {
            bytes: Vec::new(),
            drip: false,
            close: true,
        }
    }

    /// Closes the connection afterwards.
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Gives the last 800 bytes one by one, with pauses, until the client goes.
    pub fn dripping(mut self) -> Self {
        self.drip = true;
        self
    }
}

/// The server.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Fake {
    /// Starts a server that gives these replies in this order, and hangs up when there are no more.
    pub fn start(script: Vec<Canned>) -> Self {
        Self::start_with(script, serve)
    }

    /// Like `start`, over TLS, with the certificate of `tests/fixtures/http`.
    pub fn start_tls(script: Vec<Canned>) -> Self {
        let config = tls_config();
        Self::start_with(script, move |stream, script, seen| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            serve(StreamOwned::new(connection, stream), script, seen);
        })
    }

    fn start_with(
        script: Vec<Canned>,
        serve: impl Fn(TcpStream, &mut vec::IntoIter<Canned>, &Mutex<Vec<String>>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fake = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
            stop: Arc::default(),
        };
        let (seen, connections, stop) = (fake.seen.clone(), fake.connections.clone(), fake.stop.clone());
        thread::spawn(move || {
            let mut script = script.into_iter();
            loop {
                let (stream, _) = listener.accept().unwrap();
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                connections.fetch_add(1, Ordering::SeqCst);
                serve(stream, &mut script, &seen);
            }
        });
        fake
    }

    /// Makes a URL of this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the requests so far, head and body as they came.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the first lines of the requests so far, without the protocol.
    pub fn lines(&self) -> Vec<String> {
        let requests = self.requests();
        let lines = requests.iter().map(|request| request.lines().next().unwrap_or(""));
        lines
            .map(|line| line.trim_end_matches(" HTTP/1.1").to_owned())
            .collect()
    }

    /// Returns how many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // The thread is not joined: a client that outlives its server may still hold a connection.
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn tls_config() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../../tests/fixtures/http/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/fixtures/http/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

fn serve<S: Read + Write>(stream: S, script: &mut impl Iterator<Item = Canned>, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        seen.lock().unwrap().push(request);
        let Some(canned) = script.next() else { return };
        if give(reader.get_mut(), &canned).is_err() || canned.close {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<impl Read>) -> Option<String> {
    if reader.fill_buf().ok()?.first() == Some(&TLS_HANDSHAKE) {
        let all = reader.buffer().len();
        reader.consume(all);
        return Some("TLS".to_owned());
    }
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        let end = line == "\r\n";
        request.push_str(&line);
        if end {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.push_str(&String::from_utf8_lossy(&body));
    Some(request)
}

fn give(writer: &mut impl Write, canned: &Canned) -> std::io::Result<()> {
    if !canned.drip {
        writer.write_all(&canned.bytes)?;
        return writer.flush();
    }
    let (head, tail) = canned.bytes.split_at(canned.bytes.len() - 800);
    writer.write_all(head)?;
    for byte in tail {
        writer.write_all(&[*byte])?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
