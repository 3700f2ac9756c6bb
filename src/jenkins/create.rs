//! Makes nodes, and reads the secret with which an inbound agent joins.
//!
//! The form of `computer/doCreateItem` is known to every Jenkins; the newer `createItem` with XML is not (2.539). What
//! a node should be like is decided elsewhere.

use serde_json::{Value, json};

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::address::node_path;
use crate::jenkins::client::{Client, bad_answer};
use crate::jenkins::job;
use crate::model::NodeName;
use crate::secret::Secret;
use crate::text::printable;

const CREATE: &str = "computer/doCreateItem";

/// The class names of the choices in Jenkins' form.
const NODE_CLASS: &str = "hudson.slaves.DumbSlave";
const ALWAYS_CLASS: &str = "hudson.slaves.RetentionStrategy$Always";
const INBOUND_CLASS: &str = "hudson.slaves.JNLPLauncher";
const SSH_CLASS: &str = "hudson.plugins.sshslaves.SSHLauncher";
const VERIFIERS: &str = "hudson.plugins.sshslaves.verifiers";

/// The hexadecimal digits of an agent's secret (an HMAC-SHA256 of its name).
const SECRET_DIGITS: usize = 64;

/// A node to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewNode<'a> {
    /// Its name. Never one that was used before: the secret of an inbound agent depends on the name alone.
    pub name: &'a NodeName,
    /// What its page says.
    pub description: &'a str,
    /// Executors; at least 1, since a node without any is not listed.
    pub executors: u32,
    /// The agent's directory on its machine.
    pub remote_dir: &'a str,
    /// Its labels, a blank between.
    pub labels: &'a str,
    /// Which jobs it takes.
    pub mode: NodeUsage,
    /// How its agent is started.
    pub launcher: Launcher<'a>,
}

/// Which jobs a node takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeUsage {
    /// Any that fits.
    Normal,
    /// Only those whose label asks for it.
    Exclusive,
}

/// How an agent is started.
#[derive(Clone, Copy, Debug)]
pub enum Launcher<'a> {
    /// It connects to Jenkins by itself.
    Inbound {
        /// Whether by WebSocket, over Jenkins' own port, instead of its TCP port for agents.
        web_socket: bool,
    },
    /// Jenkins connects to it.
    Ssh {
        host: &'a str,
        /// The port of its SSH server.
        port: u16,
        /// The id of Jenkins' credentials.
        credentials_id: &'a str,
        /// The path of Java there; `None`: Jenkins looks for it.
        java_path: Option<&'a str>,
        /// How its host key is verified.
        host_key: HostKeyCheck<'a>,
    },
}

/// How the host key of an SSH server is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyCheck<'a> {
    /// It must be this one: `ssh-ed25519 AAAA...`.
    Provided(&'a str),
    /// The key must be in the `known_hosts` of Jenkins.
    KnownHosts,
    /// The first one that is seen is trusted from then on.
    TrustFirst,
    None,
}

/// What became of a node to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was made.
    Now,
    /// There is a node of that name already.
    Before,
}

impl Client {
    /// Makes a node. An existing one of that name is left as it is.
    pub fn create_node(&self, node: &NewNode<'_>) -> Result<Created, JenkinsError> {
        // A name that is no path segment is refused before Jenkins is asked.
        node_path(node.name)?;
        let form = format!(
            "name={}&type={}&json={}",
            escaped(node.name.as_str()),
            escaped(NODE_CLASS),
            escaped(&form(node).to_string())
        );
        let reply = self.post_form(CREATE, Some(&form))?;
        if reply.status == 400 && self.node(node.name)?.is_some() {
            return Ok(Created::Before);
        }
        self.accepted(CREATE, &reply).map(|()| Created::Now)
    }

    /// Reads the secret of an inbound agent. Whoever knows it can join as that node.
    pub fn agent_secret(&self, name: &NodeName) -> Result<Secret, JenkinsError> {
        // The old name of the page is answered by every version.
        let path = format!("{}/slave-agent.jnlp", node_path(name)?);
        let reply = self.get(&path)?;
        if reply.status != 200 {
            return Err(self.refusal("GET", &path, &reply));
        }
        let page = String::from_utf8_lossy(&reply.body);
        job::first_argument(&page)
            .filter(|text| text.len() == SECRET_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(Secret::new)
            .ok_or_else(|| bad_answer("GET", &path, "it holds no secret of an inbound agent"))
    }
}

/// Returns what Jenkins' form would send. Both spellings of the class key: which one counts depends on the version.
fn form(node: &NewNode<'_>) -> Value {
    let mode = match node.mode {
        NodeUsage::Normal => "NORMAL",
        NodeUsage::Exclusive => "EXCLUSIVE",
    };
    json!({
        "name": node.name,
        "nodeDescription": printable(node.description, 500),
        "numExecutors": node.executors,
        "remoteFS": node.remote_dir,
        "labelString": node.labels,
        "mode": mode,
        "retentionStrategy": of_class(ALWAYS_CLASS, json!({})),
        "nodeProperties": {"stapler-class-bag": "true"},
        "launcher": launcher(&node.launcher),
    })
}

fn launcher(launcher: &Launcher<'_>) -> Value {
    match launcher {
        Launcher::Inbound { web_socket } => {
            let work_dir = json!({"disabled": false, "workDirPath": "", "internalDir": "remoting",
                "failIfWorkDirIsMissing": false});
            of_class(
                INBOUND_CLASS,
                json!({"webSocket": web_socket, "workDirSettings": work_dir}),
            )
        }
        Launcher::Ssh {
            host,
            port,
            credentials_id,
            java_path,
            host_key,
        } => {
            let mut ssh = json!({"host": host, "port": port, "credentialsId": credentials_id,
                "sshHostKeyVerificationStrategy": verifier(*host_key)});
            if let Some(path) = java_path {
                ssh["javaPath"] = json!(path);
            }
            of_class(SSH_CLASS, ssh)
        }
    }
}

/// Without it Jenkins would verify nothing.
fn verifier(host_key: HostKeyCheck<'_>) -> Value {
    let class = |name: &str| format!("{VERIFIERS}.{name}KeyVerificationStrategy");
    match host_key {
        HostKeyCheck::Provided(key) => of_class(&class("ManuallyProvided"), json!({"key": key})),
        HostKeyCheck::KnownHosts => of_class(&class("KnownHostsFile"), json!({})),
        HostKeyCheck::TrustFirst => of_class(&class("ManuallyTrusted"), json!({"requireInitialManualTrust": false})),
        HostKeyCheck::None => of_class(&class("NonVerifying"), json!({})),
    }
}

fn of_class(class: &str, mut value: Value) -> Value {
    value["stapler-class"] = json!(class);
    value["$class"] = json!(class);
    value
}
