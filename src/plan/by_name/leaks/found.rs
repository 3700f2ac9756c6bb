//! What looks like ours and is accounted for nowhere: the rows of `mita leaks`.

use serde::Serialize;

use crate::model::{ProviderName, ResourceKind};
use crate::plan::action::{Leftover, Removal};

/// What leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// A server of Nova.
    Server,
    /// A floating IP of Neutron.
    FloatingIp,
    /// A port of Neutron.
    Port,
    /// A volume of Cinder.
    Volume,
    /// A Jenkins node.
    JenkinsNode,
}

impl LeakKind {
    /// All that there are.
    pub const ALL: [Self; 5] = [
        Self::Server,
        Self::FloatingIp,
        Self::Port,
        Self::Volume,
        Self::JenkinsNode,
    ];

    /// Returns its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::FloatingIp => "floating_ip",
            Self::Port => "port",
            Self::Volume => "volume",
            Self::JenkinsNode => "jenkins_node",
        }
    }
}

impl From<ResourceKind> for LeakKind {
    fn from(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::FloatingIp => Self::FloatingIp,
            ResourceKind::Port => Self::Port,
            ResourceKind::Volume => Self::Volume,
        }
    }
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakOwner {
    /// It has our mark, or is remembered as ours.
    Ours,
    /// It has the mark of another owner.
    Foreign,
    /// It has no mark.
    Unknown,
}

/// One thing that is accounted for nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leak {
    /// What it is.
    pub kind: LeakKind,
    /// The cloud; `None` for a Jenkins node.
    pub provider: Option<ProviderName>,
    /// Its name or address.
    pub name: String,
    /// The cloud's id; `None` for a Jenkins node.
    pub id: Option<String>,
    /// Whose it is.
    pub owner: LeakOwner,
    /// Whether it is ours.
    pub ours: bool,
    /// Its age by the cloud's clock, where that is told.
    pub age_seconds: Option<i64>,
    /// Why it is listed.
    pub because: String,
    /// Whether `--delete` removes it.
    pub removable: bool,
}

/// What was found so far.
#[derive(Default)]
pub struct Findings {
    /// What is listed.
    pub leaks: Vec<Leak>,
    /// What `--delete` removes of agents.
    pub removals: Vec<Removal>,
    /// What `--delete` removes beside them.
    pub sweeps: Vec<Leftover>,
}
