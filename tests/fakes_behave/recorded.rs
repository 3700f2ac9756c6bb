//! Recorded replies, the requests they answer, and how a fake's reply is held against one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

/// A reply: status, headers in lower case, body.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// A recorded exchange.
pub struct Recorded {
    pub method: String,
    /// The port it was sent to, which tells the service.
    pub port: u16,
    /// Path and query as they were sent.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub reply: Got,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

/// Reads `tests/fixtures/recorded/<server>/<name>.txt`.
pub fn load(server: &str, name: &str) -> Recorded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/recorded/{server}/{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut recorded = Recorded {
        method: String::new(),
        port: 0,
        target: String::new(),
        headers: Vec::new(),
        body: String::new(),
        reply: Got {
            status: 0,
            headers: BTreeMap::new(),
            body: String::new(),
        },
    };
    let (head, body) = text.split_once("\n\n").expect("a blank line before the body");
    body.trim_end().clone_into(&mut recorded.reply.body);
    for line in head.lines().filter(|l| !l.starts_with('#')) {
        if let Some(line) = line.strip_prefix("< ") {
            match line.split_once(": ") {
                Some((name, value)) => {
                    recorded.reply.headers.insert(name.to_lowercase(), value.to_owned());
                }
                None => recorded.reply.status = line.parse().unwrap_or(0),
            }
        } else if let Some(line) = line.strip_prefix("> ") {
            match line.split_once(": ") {
                Some((name, value)) if !line.starts_with(['{', '[']) && !name.contains('=') => {
                    recorded.headers.push((name.to_owned(), value.to_owned()));
                }
                _ => line.clone_into(&mut recorded.body),
            }
        } else if let Some((method, url)) = line.split_once(' ') {
            method.clone_into(&mut recorded.method);
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let (host, target) = rest.split_at(rest.find('/').unwrap_or(0));
            recorded.port = host.rsplit(':').next().and_then(|p| p.parse().ok()).unwrap_or(0);
            target.clone_into(&mut recorded.target);
        }
    }
    recorded
}

/// Sends a request and reads the whole reply.
pub fn send(port: u16, method: &str, target: &str, headers: &[(String, String)], body: &str) -> Got {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the fake listens");
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("read");
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|l| l.split(' ').nth(1))
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let headers = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
        .collect();
    Got {
        status,
        headers,
        body: body.to_owned(),
    }
}

/// Puts a value into a form that can be compared: what differs from run to run becomes its kind, sets are sorted.
pub fn settled(value: &Value, volatile: &[&str]) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let value = if volatile.contains(&key.as_str()) && !value.is_null() {
                    Value::from(format!("<{}>", kind(value)))
                } else {
                    settled(value, volatile)
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|v| settled(v, volatile)).collect();
            // Label names come in the order of a hash.
            if items
                .iter()
                .all(|v| v.as_object().is_some_and(|o| o.len() == 1 && o.contains_key("name")))
            {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        leaf => leaf.clone(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Panics with both when they differ.
pub fn same(name: &str, recorded: &Value, fake: &Value, volatile: &[&str]) {
    let (recorded, fake) = (settled(recorded, volatile), settled(fake, volatile));
    let pretty = |v: &Value| serde_json::to_string_pretty(v).unwrap_or_default();
    assert!(
        recorded == fake,
        "{name}\n--- recorded\n{}\n--- fake\n{}",
        pretty(&recorded),
        pretty(&fake)
    );
}
