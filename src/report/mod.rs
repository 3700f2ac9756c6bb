//! The report of a pass: one value, printed as text (`text`) or JSON (`json`); and tables for the commands that only
//! show something (`table`).

pub mod json;
pub mod metrics;
pub mod page;
pub mod record;
pub mod server_words;
pub mod table;
pub mod text;
pub mod view;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Problem, ProviderName, ServerId};
use crate::plan::Waiting;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// POST a server.
    Create,
    /// Make a Jenkins node.
    Register,
    /// Mark a Jenkins node offline.
    Offline,
    /// Take our mark back off.
    Online,
    /// Delete a Jenkins node.
    DeleteNode,
    /// Delete a server.
    DeleteServer,
    /// Give a server a floating IP.
    CreateFloatingIp,
    /// Delete a floating IP.
    DeleteFloatingIp,
    /// Delete a port.
    DeletePort,
    /// Delete a volume.
    DeleteVolume,
}

impl ActionKind {
    /// Returns the word of the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Register => "register",
            Self::Offline => "offline",
            Self::Online => "online",
            Self::DeleteNode => "delete_node",
            Self::DeleteServer => "delete_server",
            Self::CreateFloatingIp => "create_floating_ip",
            Self::DeleteFloatingIp => "delete_floating_ip",
            Self::DeletePort => "delete_port",
            Self::DeleteVolume => "delete_volume",
        }
    }
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not done: a dry run.
    Planned,
    /// Done.
    Done,
    /// Not done, something is wrong.
    Failed,
    /// Not done, for want of quota or capacity; the items that it leaves unserved are in `unmet`.
    Refused,
    /// The answer was lost; the next pass looks.
    Unknown,
    /// Not begun, or given up for a good reason.
    Skipped,
}

impl Outcome {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Unknown => "outcome unknown",
            Self::Skipped => "skipped",
        }
    }
}

/// One action of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    #[serde(rename = "do")]
    pub kind: ActionKind,
    pub node: Option<String>,
    /// The server or Jenkins node.
    pub name: String,
    pub provider: Option<ProviderName>,
    pub server_id: Option<ServerId>,
    /// The address of a floating IP, the id of a port or volume that was made for the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    pub because: String,
    pub result: Outcome,
    pub error: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Items of the queue.
    pub queue_items: u64,
    /// Of these, waiting for an executor.
    pub waiting: u64,
    /// Jenkins' nodes, the built-in one aside.
    pub jenkins_nodes: u64,
    /// Servers of ours, by provider.
    pub servers: BTreeMap<ProviderName, u64>,
    /// Requests made, by service.
    pub requests: BTreeMap<String, u64>,
}

/// The whole report of a pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassReport {
    pub version: u32,
    pub pass: String,
    pub dry_run: bool,
    /// When it looked.
    pub started: Timestamp,
    pub seconds: f64,
    pub observed: Seen,
    pub actions: Vec<Action>,
    /// What waits and gets nothing.
    pub unmet: Vec<Waiting>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// The problems that are open.
    pub problems: Vec<Problem>,
    pub exit: u8,
}
