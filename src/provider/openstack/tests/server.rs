//! A server on the loopback that answers a script: request by request, in order.

#![expect(clippy::disallowed_methods, reason = "the server of a test runs beside its client")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::recorded;
use crate::http::Reply;

/// What is done with a request.
pub(super) enum Answer {
    /// Status, headers (each with its line end), body.
    Say(u16, String, String),
    /// The connection is closed without an answer.
    Hang,
    /// The head of an answer and less of the body than it announces, then the end.
    Cut,
    /// The head of an answer and then nothing, until the client gives up.
    Stall,
}

/// An answer with a JSON body.
pub(super) fn json(status: u16, body: &str) -> Answer {
    let headers = "Content-Type: application/json\r\nDate: Sun, 22 Nov 2026 12:00:08 GMT\r\n";
    Answer::Say(status, headers.to_owned(), body.to_owned())
}

/// A recorded answer.
pub(super) fn like(reply: &Reply) -> Answer {
    let mut headers = String::new();
    for (name, value) in &reply.headers {
        if !["content-length", "connection"].contains(&name.as_str()) {
            write!(headers, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
    }
    Answer::Say(reply.status, headers, String::from_utf8(reply.body.clone()).unwrap())
}

/// The recorded login; the catalog points to the scripted server.
pub(super) fn login() -> Answer {
    like(&recorded!("auth-ok"))
}

pub(super) struct Scripted {
    pub url: String,
    thread: JoinHandle<(Vec<String>, usize)>,
}

impl Scripted {
    /// Starts with a script of `METHOD /path?query` and answer. A request in a microversion has that behind it.
    pub(super) fn new(script: Vec<(&str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script: Vec<(String, Answer)> = script.into_iter().map(|(line, a)| (line.to_owned(), a)).collect();
        let own = url.clone();
        let thread = std::thread::spawn(move || serve(&listener, script, &own));
        Self { url, thread }
    }

    /// Ends it: the script must have been used up, no more and no less. Returns the bodies of the requests.
    pub(super) fn finish(self) -> Vec<String> {
        drop(TcpStream::connect(self.url.trim_start_matches("http://")).unwrap());
        let (bodies, left) = self.thread.join().unwrap();
        assert_eq!(left, 0, "steps of the script that were not asked for");
        bodies
    }
}

fn serve(listener: &TcpListener, script: Vec<(String, Answer)>, url: &str) -> (Vec<String>, usize) {
    let mut bodies = Vec::new();
    let mut script = script.into_iter();
    loop {
        let (mut stream, _) = listener.accept().unwrap();
        let Some((line, body)) = request(&mut stream) else {
            return (bodies, script.len());
        };
        let (expected, answer) = script.next().unwrap_or_else(|| panic!("one request too many: {line}"));
        assert_eq!(line, expected);
        bodies.push(body);
        respond(&mut stream, answer, url);
    }
}

fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut line = first.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim_end().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if let Some(value) = header.strip_prefix("openstack-api-version: compute") {
            line.push_str(value);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((line, String::from_utf8(body).unwrap()))
}

fn respond(stream: &mut TcpStream, answer: Answer, url: &str) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n";
    match answer {
        Answer::Say(status, headers, body) => {
            let body = ["8774", "8776", "9292", "9696"].iter().fold(body, |body, port| {
                body.replace(&format!("http://127.0.0.1:{port}"), url)
            });
            let length = if status == 204 {
                String::new()
            } else {
                format!("Content-Length: {}\r\n", body.len())
            };
            let text = format!("HTTP/1.1 {status} Said\r\n{headers}{length}Connection: close\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).unwrap();
        }
        Answer::Hang => {}
        Answer::Cut => stream.write_all(format!("{head}{{\"servers\": [").as_bytes()).unwrap(),
        Answer::Stall => {
            stream.write_all(format!("{head}{{\"serv").as_bytes()).unwrap();
            // Comes back when the client has closed its end.
            drop(stream.read(&mut [0]));
        }
    }
}
