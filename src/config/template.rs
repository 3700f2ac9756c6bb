//! A node template as the program uses it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::labels::Labels;
use crate::model::{ProviderName, ServerSpec, TemplateName, Zone};

/// A node template, an entry of `nodes:`.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name.
    pub name: TemplateName,
    /// Where its servers may be made, first choice first: every provider with every zone of the template.
    pub placements: Vec<Placement>,
    /// What its servers are made of.
    pub spec: ServerSpec,
    /// The script (user data), placeholders not yet replaced.
    pub script: Option<String>,
    /// What its nodes can do.
    pub labels: Labels,
    /// Executors of each node; at least 1.
    pub executors: u32,
    /// Whether jobs without a label may start it.
    pub accepts_unlabelled: bool,
    /// Smaller is chosen first; ties go by the order of the file.
    pub priority: i64,
    /// The most servers of it.
    pub max: u32,
    /// The warm pool: how many nodes are to be ready.
    pub min_ready: MinReady,
    /// What a server of it is paid by, counted from its launch; `None`: by the second.
    pub billing_period: Option<SignedDuration>,
    /// How its nodes are replaced that are over `max_lifetime`, or outdated.
    pub refresh: Refresh,
    /// Idle that long, a node goes.
    pub idle_grace: SignedDuration,
    /// Not joined by then, a server goes.
    pub boot_grace: SignedDuration,
    /// Older than this, a node is drained, and goes once idle.
    pub max_lifetime: Option<SignedDuration>,
    /// So many builds, and a node goes once idle.
    pub max_builds: Option<u32>,
    /// What a server of it costs per hour; `None`: nobody said.
    pub price: Option<Price>,
    /// Who makes the Jenkins node.
    pub register: Register,
    /// What the Jenkins node is like that mita makes.
    pub agent: AgentSettings,
    /// Which servers without our mark are taken over that the original tool or a person made for this template.
    pub adopt: Adopt,
    /// The digest of all that defines a server of it (`mita-config`).
    pub digest: String,
}

/// What a server costs per hour, in millionths of the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Price(pub u64);

/// Which servers without our mark are taken over (`adopt`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Adopt {
    /// None (`false`).
    #[default]
    No,
    /// Those that fit (`true`); one taken by its name alone is removed as absent from Jenkins only if a node of this
    /// Jenkins was linked to it once, since another controller may have made it.
    Yes,
    /// The same, and one taken by its name alone is also removed when this Jenkins never knew it (`all`).
    All,
}

impl Adopt {
    /// Returns whether servers without our mark are taken over.
    pub fn is_on(self) -> bool {
        self != Self::No
    }

    /// Returns whether a server taken by its name alone may be removed though no node of this Jenkins was ever linked to
    /// it.
    pub fn removes_never_linked(self) -> bool {
        self == Self::All
    }
}

/// Who makes the Jenkins node of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Register {
    /// The script inside the server (`self`).
    #[default]
    Own,
    /// mita, before the server; the agent connects to Jenkins with the secret that the script is given.
    Inbound,
    /// mita, once the server has its address; Jenkins connects to it by SSH.
    Ssh,
}

/// What the Jenkins node is like that mita makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentSettings {
    /// The id of Jenkins' credentials for SSH; not empty with [`Register::Ssh`].
    pub credentials_id: String,
    /// The port of the SSH server.
    pub port: u16,
    /// The path of Java on the server; `None`: Jenkins looks for it.
    pub java_path: Option<String>,
    /// The agent's directory on the server.
    pub remote_dir: String,
    /// Whether only jobs whose label asks for it run there.
    pub exclusive: bool,
    /// The description on the node's page.
    pub description: String,
    /// Whether an inbound agent connects by WebSocket.
    pub web_socket: bool,
    /// How the host key of the SSH server is verified.
    pub host_key: HostKey,
}

/// How the host key of an agent's SSH server is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum HostKey {
    /// It is this one, which all servers of the template have.
    Provided(String),
    /// It is one that mita makes for each server and the script installs.
    Made,
    /// It is in Jenkins' `known_hosts`.
    KnownHosts,
    /// The first one that is seen is trusted.
    TrustFirst,
    /// It is not verified.
    None,
}

/// One place where a server can be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placement {
    /// The entry of `provider:`.
    pub provider: ProviderName,
    /// The availability zone; `None`: the cloud's choice.
    pub zone: Option<Zone>,
}

/// The size of a warm pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MinReady {
    /// The same at all times.
    Always(u32),
    /// By cron window; the largest of those that are open, 0 when none is.
    Windows(Vec<ReadyWindow>),
    /// What is learned, and by cron window; the larger counts.
    Learned(LearnedReady),
}

/// A warm pool whose size is learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearnedReady {
    /// Whether a spare is learned from how far the load rises while a server boots; a node of it is to be used once in so
    /// long.
    pub auto: Option<SignedDuration>,
    /// Whether bursts are learned that come again and again after the same time.
    pub rhythm: bool,
    /// At least so many are ready at these times.
    pub windows: Vec<ReadyWindow>,
}

impl LearnedReady {
    /// How often a node of a spare is to be used where nothing else is written.
    pub const USED_EVERY: SignedDuration = SignedDuration::from_mins(40);
}

/// A cron window of a warm pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyWindow {
    /// When it is open.
    pub window: CronWindow,
    /// How many nodes are ready while it is open.
    pub ready: u32,
}

/// A cron window: open in every minute that the expression matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronWindow {
    /// Five cron fields, as written.
    pub cron: String,
    /// IANA time zone name; UTC where none is given.
    pub timezone: String,
}

impl Refresh {
    /// Returns whether outdated nodes may be replaced at a moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.is_open(now))
    }
}

/// How nodes are replaced that are over `max_lifetime`, or outdated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Whether outdated nodes are replaced, too.
    pub outdated: bool,
    /// The most nodes of the template that are replaced at a time.
    pub budget: Budget,
    /// When outdated nodes are replaced; none: at all times.
    pub windows: Vec<CronWindow>,
}

/// A number of the nodes of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many.
    Nodes(u32),
    /// So many of 100, rounded up.
    Percent(u32),
}

impl Budget {
    /// Returns whether it is nothing, whatever the number of nodes.
    pub fn is_none(self) -> bool {
        matches!(self, Self::Nodes(0) | Self::Percent(0))
    }

    /// Returns how many of so many nodes that is.
    pub fn of(self, nodes: u32) -> u32 {
        match self {
            Self::Nodes(most) => most,
            Self::Percent(percent) => {
                let part = (u64::from(nodes) * u64::from(percent)).div_ceil(100);
                u32::try_from(part).unwrap_or(u32::MAX)
            }
        }
    }
}
