//! The floor: fetches what mita fetched and reads the fields that mita needs, and does nothing with them.

#![expect(dead_code, reason = "the fields are read from JSON and kept in memory, that is all")]

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use crate::Outcome;
use crate::serve::Request;

/// Writes requests down for `run`.
pub fn written(requests: &[Request]) -> String {
    let lines: Vec<String> = requests.iter().map(|r| format!("{} {}", r.method, r.url)).collect();
    lines.join("\n")
}

/// Makes the requests of a list.
pub fn run(list: &Path) -> Outcome<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let mut kept = Vec::new();
    for line in fs::read_to_string(list)?.lines() {
        let (method, url) = line.split_once(' ').ok_or("not a request")?;
        let mut response = match method {
            "POST" => agent.post(url).content_type("application/json").send("{}")?,
            _ => agent.get(url).header("accept-language", "en").call()?,
        };
        let length = response.body().content_length().unwrap_or(0);
        let mut body = Vec::with_capacity(usize::try_from(length)?);
        let mut reader = response.body_mut().with_config().limit(1 << 30).reader();
        reader.read_to_end(&mut body)?;
        kept.push(Read::of(url, &body)?);
    }
    black_box(kept);
    Ok(())
}

enum Read {
    Queue(Queue),
    Computers(Computers),
    Servers(Servers),
    Login(Login),
}

impl Read {
    fn of(url: &str, body: &[u8]) -> serde_json::Result<Self> {
        Ok(if url.contains("/queue/") {
            Self::Queue(serde_json::from_slice(body)?)
        } else if url.contains("/computer/") {
            Self::Computers(serde_json::from_slice(body)?)
        } else if url.contains("/servers/") {
            Self::Servers(serde_json::from_slice(body)?)
        } else {
            Self::Login(serde_json::from_slice(body)?)
        })
    }
}

#[derive(Deserialize)]
struct Queue {
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "as Jenkins sends it")]
struct Item {
    #[serde(rename = "_class")]
    class: String,
    id: u64,
    why: Option<String>,
    stuck: bool,
    blocked: bool,
    buildable: bool,
    #[serde(default)]
    pending: bool,
    in_queue_since: u64,
    task: Task,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    #[serde(rename = "_class")]
    class: String,
    name: String,
    full_name: Option<String>,
    url: Option<String>,
    label_expression: Option<String>,
}

#[derive(Deserialize)]
struct Computers {
    computer: Vec<Computer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Computer {
    #[serde(rename = "_class")]
    class: String,
    display_name: String,
    idle: bool,
    offline: bool,
    temporarily_offline: bool,
    offline_cause_reason: String,
    offline_cause: Option<Cause>,
    assigned_labels: Vec<Label>,
    executors: Vec<Executor>,
    one_off_executors: Vec<Executor>,
}

#[derive(Deserialize)]
struct Cause {
    #[serde(rename = "_class")]
    class: String,
    timestamp: u64,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Executor {
    idle: bool,
}

#[derive(Deserialize)]
struct Servers {
    servers: Vec<Server>,
    #[serde(default)]
    servers_links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

#[derive(Deserialize)]
struct Server {
    id: String,
    name: String,
    status: String,
    #[serde(rename = "OS-EXT-STS:task_state")]
    task_state: Option<String>,
    created: String,
    addresses: BTreeMap<String, Vec<Address>>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    zone: Option<String>,
    image: Image,
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Address {
    addr: String,
}

#[derive(Deserialize)]
struct Image {
    id: String,
}

#[derive(Deserialize)]
struct Login {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    expires_at: String,
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    r#type: String,
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: String,
    url: String,
}
