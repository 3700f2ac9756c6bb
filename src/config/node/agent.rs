//! Who makes the Jenkins node of a template, and what it is like: `register` and `agent`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::settings::key::{Key, Need, Nested, Words};
use crate::settings::problem::quoted;
use crate::settings::section::{Given, Section};
use crate::settings::{keys, names};

use super::super::template::{AgentSettings, HostKey, Register};

keys! {
    /// How an agent joins Jenkins.
    pub JOINING;
    /// Who makes the Jenkins node.
    pub REGISTER: &'static str = Key::word("register", &WAYS).or("self");
    /// What the node is like that mita makes.
    pub AGENT: Nested = Key::section("agent", &AGENT_KEYS);
}

keys! {
    /// `agent:`, the Jenkins node that mita makes.
    pub AGENT_KEYS;
    /// The id of Jenkins' credentials for SSH.
    CREDENTIALS_ID: Option<String> = Key::text("credentials_id");
    /// The port of the SSH server.
    PORT: u32 = Key::count("port").or("22").at_least(1, "").at_most(65_535, "");
    /// The path of Java on the server.
    JAVA_PATH: Option<String> = Key::text("java_path");
    /// The agent's directory on the server.
    REMOTE_DIR: String = Key::text("remote_dir").also(&["remote_fs"]).or("/home/jenkins");
    /// Whether only jobs whose label asks for it run there.
    MODE: &'static str = Key::word("mode", &MODES).or("normal");
    /// The description on the node's page.
    DESCRIPTION: String = Key::text("description").or("made by mita");
    /// Whether an inbound agent connects by WebSocket.
    WEB_SOCKET: bool = Key::flag("web_socket").also(&["websocket"]).or("true");
    /// How the host key of the SSH server is verified.
    pub HOST_KEY: Nested = Key::section("host_key", &HOST_KEY_KEYS);
}

keys! {
    /// `agent.host_key:`.
    pub HOST_KEY_KEYS;
    /// The way to verify it.
    STRATEGY: Option<&'static str> = Key::word("strategy", &STRATEGIES);
    /// The key of all servers of the template.
    KEY: Option<String> = Key::text("key");
}

/// What `agent:` must have with `register: ssh`.
pub static SSH_NEEDS: Need = Need::of(&[CREDENTIALS_ID.spec()]);
/// What its `host_key:` must have then.
pub static HOST_KEY_NEEDS: Need = Need::of(&[STRATEGY.spec()]);

static WAYS: Words = Words {
    words: &["self", "inbound", "ssh"],
    spellings: &[],
    any_case: false,
    what: "way to register",
};
static MODES: Words = Words {
    words: &["normal", "exclusive"],
    spellings: &[],
    any_case: true,
    what: "mode of a node",
};
static STRATEGIES: Words = Words {
    words: &["provided", "known_hosts", "trust_first", "none"],
    spellings: &[],
    any_case: false,
    what: "strategy",
};

/// The kinds of host keys that Jenkins' SSH client knows.
const KEY_KINDS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
];

/// Reads who makes the node.
pub fn register(at: &Section<'_>) -> Register {
    match at.get(&REGISTER) {
        "inbound" => Register::Inbound,
        "ssh" => Register::Ssh,
        _ => Register::Own,
    }
}

/// Reads what the node is like.
pub fn agent(at: &Section<'_>, register: Register) -> AgentSettings {
    let here = at.section(&AGENT);
    if register == Register::Own && here.names().next().is_some() {
        let text = "has no meaning with register: self, where the script makes the node; set register, or remove it";
        at.error(&AGENT, text);
    }
    let credentials_id = names::optional(&here, &CREDENTIALS_ID);
    if register == Register::Ssh && credentials_id.is_none() && here.given(&CREDENTIALS_ID) != Given::Value {
        let text = "missing; with register: ssh write the id of Jenkins' credentials for the servers";
        here.error(&CREDENTIALS_ID, text);
    }
    AgentSettings {
        credentials_id: credentials_id.unwrap_or_default(),
        port: u16::try_from(here.get(&PORT)).unwrap_or(0),
        java_path: names::optional(&here, &JAVA_PATH),
        remote_dir: names::or_default(&here, &REMOTE_DIR),
        exclusive: here.get(&MODE) == "exclusive",
        description: names::or_default(&here, &DESCRIPTION),
        web_socket: here.get(&WEB_SOCKET),
        host_key: host_key(&here.section(&HOST_KEY), register),
    }
}

/// Reads a public key as OpenSSH writes it, and leaves its comment out: Jenkins knows none.
fn public_key(at: &Section<'_>, text: &str) -> String {
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
    at.error(&KEY, fault);
    String::new()
}

/// Whether a text is Base64 of a key that calls itself so: its kind is at its beginning, after its length.
fn holds_key(kind: &str, body: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(body) else { return false };
    let named = bytes.get(4..4 + kind.len()).is_some_and(|name| name == kind.as_bytes());
    named && bytes.len() > 4 + kind.len() + 4
}

/// Jenkins verifies nothing by default, so the strategy is mandatory.
fn host_key(at: &Section<'_>, register: Register) -> HostKey {
    let key = names::optional(at, &KEY);
    let Some(strategy) = at.get(&STRATEGY) else {
        if register == Register::Ssh && at.given(&STRATEGY) != Given::Value {
            let text =
                "missing; write how the server's host key is verified: provided, known_hosts, trust_first or none";
            at.error(&STRATEGY, text);
        }
        return HostKey::None;
    };
    if key.is_some() && strategy != "provided" {
        at.error(&KEY, "is used with strategy: provided alone; remove it");
    }
    match (strategy, key) {
        ("provided", Some(key)) => HostKey::Provided(public_key(at, &key)),
        ("provided", None) => HostKey::Made,
        ("known_hosts", _) => HostKey::KnownHosts,
        ("trust_first", _) => HostKey::TrustFirst,
        _ => HostKey::None,
    }
}
