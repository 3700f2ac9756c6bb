//! A small HTTP/1.1 server on loopback: one thread per connection, keep-alive, and every way to spoil an answer.
//!
//! Written by hand so that half an answer, a slow one or none at all can be given; what an answer says is left to the
//! fakes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query, still percent-encoded.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// With some bytes of the body replaced wherever they are.
    #[must_use]
    pub fn edited(mut self, from: &[u8], to: &[u8]) -> Self {
        let mut body = Vec::with_capacity(self.body.len());
        let mut rest = self.body.as_slice();
        while let Some(first) = rest.first() {
            if let Some(after) = rest.strip_prefix(from) {
                body.extend_from_slice(to);
                rest = after;
            } else {
                body.push(*first);
                rest = &rest[1..];
            }
        }
        self.body = body;
        self
    }

    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json", body.to_string())
    }

    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::typed(status, "text/html; charset=UTF-8", body.into())
    }

    pub fn typed(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut reply = Self::new(status).header("Content-Type", content_type);
        reply.body = body.into();
        reply
    }

    /// A redirect as a proxy in front of the service gives it.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status).header("Location", to)
    }

    /// The page of a proxy whose upstream is gone.
    pub fn proxy_page(status: u16) -> Self {
        let title = format!("{status} {}", reason(status));
        Self::html(
            status,
            format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
            ),
        )
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// How an answer is put on the wire.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// As it should be.
    Whole,
    /// The connection is closed without a byte.
    Drop,
    /// The whole length is promised, half of the body is sent, the connection is closed.
    Half,
    /// A few bytes at a time.
    Drip { bytes: usize, pause: Duration },
    /// So many bytes of JSON-like filling instead of the body.
    Huge(u64),
    /// After a while.
    Late(Duration),
    /// Once the gate is opened.
    Held(Gate),
}

/// Holds an answer back until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.0.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

type Handler = Arc<dyn Fn(Request) -> (Reply, Delivery) + Send + Sync>;

/// A listening server; it stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    stopped: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Server {
    pub fn start(handler: impl Fn(Request) -> (Reply, Delivery) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("a bound address");
        let server = Self {
            address,
            stopped: Arc::default(),
            connections: Arc::default(),
        };
        let (stopped, connections) = (Arc::clone(&server.stopped), Arc::clone(&server.connections));
        let handler: Handler = Arc::new(handler);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(copy) = stream.try_clone() {
                    connections.lock().unwrap_or_else(PoisonError::into_inner).push(copy);
                }
                let handler = Arc::clone(&handler);
                thread::spawn(move || {
                    let _ = converse(&stream, &handler);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        server
    }

    /// Closes the port and every connection: from now on nobody is there.
    pub fn stop(&self) {
        if !self.stopped.swap(true, Ordering::SeqCst) {
            let _ = TcpStream::connect(self.address);
            self.hang_up();
        }
    }

    /// Closes the connections that are open; new ones are taken.
    pub fn hang_up(&self) {
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn converse(stream: &TcpStream, handler: &Handler) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    while let Some(request) = read(&mut reader)? {
        let head_only = request.method == "HEAD";
        let last = request.headers.get("connection").is_some_and(|v| v == "close");
        let (reply, delivery) = handler(request);
        let on = write(&mut writer, &reply, delivery, head_only)?;
        if last || !on {
            break;
        }
    }
    Ok(())
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let name = name.to_ascii_lowercase();
        request.headers.insert(name, value.trim().to_owned());
    }
    if request
        .headers
        .get("transfer-encoding")
        .is_some_and(|v| v.contains("chunked"))
    {
        request.body = read_chunks(reader)?;
    } else if let Some(length) = request.headers.get("content-length").and_then(|v| v.parse().ok()) {
        request.body = vec![0; length];
        reader.read_exact(&mut request.body)?;
    }
    Ok(Some(request))
}

fn read_chunks(reader: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..])?;
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// Returns whether the connection goes on.
fn write(stream: &mut TcpStream, reply: &Reply, delivery: Delivery, head_only: bool) -> std::io::Result<bool> {
    let length = match delivery {
        Delivery::Huge(bytes) => bytes,
        _ => reply.body.len() as u64,
    };
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status)).into_bytes();
    for (name, value) in &reply.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if reply.status != 204 {
        bytes.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    let head = bytes.len();
    if !head_only {
        bytes.extend_from_slice(&reply.body);
    }
    match delivery {
        Delivery::Whole => {}
        Delivery::Drop => return Ok(false),
        Delivery::Late(span) => thread::sleep(span),
        Delivery::Held(gate) => gate.pass(),
        Delivery::Half => {
            let half = head + (bytes.len() - head) / 2;
            stream.write_all(&bytes[..half])?;
            return Ok(false);
        }
        Delivery::Drip { bytes: few, pause } => {
            for piece in bytes.chunks(few.max(1)) {
                stream.write_all(piece)?;
                stream.flush()?;
                thread::sleep(pause);
            }
            return Ok(true);
        }
        Delivery::Huge(total) => {
            stream.write_all(&bytes[..head])?;
            stream.write_all(b"{\"filling\":\"")?;
            let block = [b'x'; 16 * 1024];
            let mut left = total.saturating_sub(12);
            while left > 0 {
                let now = usize::try_from(left).unwrap_or(block.len()).min(block.len());
                stream.write_all(&block[..now])?;
                left -= now as u64;
            }
            return Ok(true);
        }
    }
    stream.write_all(&bytes)?;
    Ok(true)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        500 => "Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}

/// Undoes percent-encoding; `form` also reads `+` as a blank.
pub fn decoded(text: &str, form: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = |b: u8| char::from(b).to_digit(16);
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    rest = after;
                } else {
                    bytes.push(b'%');
                }
            }
            (b'+', _) if form => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Splits a query or form into decoded pairs, in order.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        })
        .collect()
}
