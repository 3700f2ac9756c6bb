//! Judges who makes the Jenkins node of a template, and what it is like: `register` and `agent`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::at::{At, Given};
use super::super::problem::{Report, quoted};
use super::super::raw::RawNode;
use super::super::{Agent, HostKey, Register, suggest};
use super::text;

/// The usual port of SSH.
const SSH_PORT: u32 = 22;
/// Where an agent keeps its files unless told.
const REMOTE_DIR: &str = "/home/jenkins";
/// What a node's page says unless told.
const DESCRIPTION: &str = "made by mita";
/// The kinds of host keys that Jenkins' SSH client knows.
const KEY_KINDS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];
/// The strategies of `agent.host_key`.
const STRATEGIES: [&str; 4] = ["provided", "known_hosts", "trust_first", "none"];

/// Reads who makes the node.
pub fn register(at: &At<'_>, raw: &RawNode, report: &mut Report) -> Register {
    match raw.register.as_deref() {
        None | Some("self") => Register::Own,
        Some("inbound") => Register::Inbound,
        Some("ssh") => Register::Ssh,
        Some(text) => {
            let known = ["self", "inbound", "ssh"];
            let fault = format!(
                "{} is no way to register{}",
                quoted(text),
                suggest::did_you_mean(text, known)
            );
            report.error(&at.place("register"), fault);
            Register::Own
        }
    }
}

/// Reads what the node is like.
pub fn agent(at: &At<'_>, raw: &RawNode, register: Register, report: &mut Report) -> Agent {
    let here = at.section("agent");
    if register == Register::Own && here.names().next().is_some() {
        let text = "has no meaning with register: self, where the script makes the node; set register, or remove it";
        report.error(&at.place("agent"), text);
    }
    let credentials_id = text::optional(&here, "credentials_id", raw.agent.credentials_id.as_ref(), report);
    if register == Register::Ssh && credentials_id.is_none() && here.given("credentials_id") != Given::Value {
        let text = "missing; with register: ssh write the id of Jenkins' credentials for the servers";
        report.error(&here.place("credentials_id"), text);
    }
    Agent {
        credentials_id: credentials_id.unwrap_or_default(),
        port: port(&here, raw, report),
        java_path: text::optional(&here, "java_path", raw.agent.java_path.as_ref(), report),
        remote_dir: text::optional(&here, "remote_dir", raw.agent.remote_dir.as_ref(), report)
            .unwrap_or_else(|| REMOTE_DIR.to_owned()),
        exclusive: exclusive(&here, raw, report),
        description: text::optional(&here, "description", raw.agent.description.as_ref(), report)
            .unwrap_or_else(|| DESCRIPTION.to_owned()),
        web_socket: raw.agent.web_socket.unwrap_or(true),
        host_key: host_key(&here.section("host_key"), raw, register, report),
    }
}

fn port(at: &At<'_>, raw: &RawNode, report: &mut Report) -> u16 {
    let port = raw.agent.port.unwrap_or(SSH_PORT);
    match u16::try_from(port) {
        Ok(port) if port > 0 => port,
        _ => {
            let text = format!("must be a port from 1 to 65535, is {port}; the default is {SSH_PORT}");
            report.error(&at.place("port"), text);
            0
        }
    }
}

fn exclusive(at: &At<'_>, raw: &RawNode, report: &mut Report) -> bool {
    let known = ["normal", "exclusive"];
    let text = raw.agent.mode.as_deref().unwrap_or(known[0]);
    let lower = text.to_ascii_lowercase();
    if !known.contains(&lower.as_str()) {
        let fault = format!(
            "{} is no mode of a node{}",
            quoted(text),
            suggest::did_you_mean(&lower, known)
        );
        report.error(&at.place("mode"), fault);
    }
    lower == known[1]
}

/// Reads a public key as OpenSSH writes it, and leaves its comment out: Jenkins knows none.
fn public_key(at: &At<'_>, text: &str, report: &mut Report) -> String {
    let mut words = text.split_whitespace();
    let (kind, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fault = if !KEY_KINDS.contains(&kind) {
        let what = quoted(kind);
        format!("{what} is no kind of key; write it as in a .pub file, like ssh-ed25519 AAAA...")
    } else if !holds_key(kind, body) {
        "is no whole key; copy it from the server's /etc/ssh/ssh_host_..._key.pub".to_owned()
    } else {
        return format!("{kind} {body}");
    };
    report.error(&at.place("key"), fault);
    String::new()
}

/// Whether a text is Base64 of a key that calls itself so: its kind stands at its beginning, after its length.
fn holds_key(kind: &str, body: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(body) else { return false };
    let named = bytes.get(4..4 + kind.len()).is_some_and(|name| name == kind.as_bytes());
    named && bytes.len() > 4 + kind.len() + 4
}

/// Jenkins verifies nothing unless told to, so how it does must be said.
fn host_key(at: &At<'_>, raw: &RawNode, register: Register, report: &mut Report) -> HostKey {
    let key = text::optional(at, "key", raw.agent.host_key.key.as_ref(), report);
    let Some(strategy) = raw.agent.host_key.strategy.as_deref() else {
        if register == Register::Ssh && at.given("strategy") != Given::Value {
            let text =
                "missing; write how the server's host key is verified: provided, known_hosts, trust_first or none";
            report.error(&at.place("strategy"), text);
        }
        return HostKey::None;
    };
    if key.is_some() && strategy != "provided" {
        report.error(&at.place("key"), "is used with strategy: provided alone; remove it");
    }
    match (strategy, key) {
        ("provided", Some(key)) => HostKey::Provided(public_key(at, &key, report)),
        ("provided", None) => HostKey::Made,
        ("known_hosts", _) => HostKey::KnownHosts,
        ("trust_first", _) => HostKey::TrustFirst,
        ("none", _) => HostKey::None,
        (other, _) => {
            let hint = suggest::did_you_mean(other, STRATEGIES);
            report.error(&at.place("strategy"), format!("{} is no strategy{hint}", quoted(other)));
            HostKey::None
        }
    }
}
