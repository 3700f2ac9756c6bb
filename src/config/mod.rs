//! The configuration as the program uses it: every default filled in, every reference checked.
//!
//! Reading the file is in `load`, its YAML in `tree`, its keys in `schema` and `check`, what it says in `raw`, judging
//! that in `validate`.

mod at;
mod check;
mod clouds;
mod command;
mod cron;
mod durations;
mod libcloud;
mod load;
mod problem;
mod raw;
mod schema;
pub mod script;
mod secrets;
mod suggest;
mod tree;
mod validate;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Serialize;

use crate::access::{ExecAccess, JenkinsAccess, OpenStackAccess, TokenCache};
use crate::labels::Labels;
use crate::model::{ProviderName, ServerSpec, TemplateName, Zone};

pub use durations::parse as parse_duration;
pub use load::{Loaded, find, load};
pub use problem::{ConfigError, Warning};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The mark of this mita on its servers.
    pub owner: String,
    /// The state file; the lock is beside it.
    pub state_file: PathBuf,
    /// The controller.
    pub jenkins: JenkinsAccess,
    /// The clouds, by name.
    pub providers: BTreeMap<ProviderName, ProviderConfig>,
    /// The node templates in the order of the file.
    pub templates: Vec<Template>,
    /// Bounds of a pass and of the fleet.
    pub limits: Limits,
    /// Graces and back-offs.
    pub timing: Timing,
    /// How the label of a queue item is found where the queue does not tell it.
    pub labels: LabelSources,
}

/// How the label of a queue item is found where the queue does not tell it (`jenkins.anchor`, …).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSources {
    /// Whether one permanent offline node is kept in Jenkins, so that the texts of the queue name labels.
    pub anchor: bool,
    /// Whether the script console is asked for the exact labels.
    pub script: bool,
    /// The template of which one server is started when no agent exists and labels are hidden.
    pub bootstrap: Option<TemplateName>,
}

impl Config {
    /// Returns the template of a name.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.name.as_str() == name)
    }

    /// Lets tokens be kept for later passes: only who holds the lock may, so that a dry run writes nothing.
    pub fn write_tokens(&mut self) {
        for cache in self.token_caches().flatten() {
            cache.writes = true;
        }
    }

    /// Makes every login a fresh one.
    pub fn log_in_afresh(&mut self) {
        self.token_caches().for_each(|cache| *cache = None);
    }

    fn token_caches(&mut self) -> impl Iterator<Item = &mut Option<TokenCache>> {
        self.providers
            .values_mut()
            .filter_map(|provider| match &mut provider.kind {
                ProviderKind::OpenStack(access) => Some(&mut access.token_cache),
                ProviderKind::Exec(_) => None,
            })
    }

    /// Returns the provider of a name.
    pub fn provider(&self, name: &str) -> Option<&ProviderConfig> {
        self.providers.get(name)
    }
}

/// One entry of `provider:`.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name.
    pub name: ProviderName,
    /// What kind of cloud it is, and how to get in.
    pub kind: ProviderKind,
    /// The most servers of ours here at a time; `None`: no bound of its own.
    pub max_servers: Option<u32>,
}

/// The kinds of cloud: the one place that names them.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// OpenStack.
    OpenStack(Box<OpenStackAccess>),
    /// An executable of the operator.
    Exec(Box<ExecAccess>),
}

/// A node template, an entry of `nodes:`.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name.
    pub name: TemplateName,
    /// Where its servers may stand, first choice first: every provider with every zone of the template.
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
    /// The warm pool: how many nodes are to stand ready.
    pub min_ready: MinReady,
    /// Idle that long, a node goes.
    pub idle_grace: SignedDuration,
    /// Not joined by then, a server goes.
    pub boot_grace: SignedDuration,
    /// Older than this, a node goes once idle.
    pub max_lifetime: Option<SignedDuration>,
    /// So many builds, and a node goes once idle.
    pub max_builds: Option<u32>,
    /// Who makes the Jenkins node.
    pub register: Register,
    /// What the Jenkins node is like that mita makes.
    pub agent: Agent,
    /// Which servers without our mark are taken over that the original tool or a person made for this template.
    pub adopt: Adopt,
    /// The digest of all that defines a server of it (`mita-config`).
    pub digest: String,
}

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
pub struct Agent {
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
    /// What the node's page says.
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
    /// It stands in Jenkins' `known_hosts`.
    KnownHosts,
    /// The first one that is seen is trusted.
    TrustFirst,
    /// It is not verified.
    None,
}

/// One place where a server can be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placement {
    /// The cloud.
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
}

/// A cron window of a warm pool: open in every minute that the expression matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyWindow {
    /// Five cron fields, as written.
    pub cron: String,
    /// IANA time zone name; UTC where none is given.
    pub timezone: String,
    /// How many nodes stand ready while it is open.
    pub ready: u32,
}

/// `limits:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most servers of ours in all clouds; `None`: no bound of its own.
    pub max_servers: Option<u32>,
    /// The most creates in one pass; 0 creates nothing.
    pub max_creates_per_pass: u32,
    /// The most removals in one pass.
    pub max_deletes_per_pass: u32,
    /// The most servers that boot at a time.
    pub max_booting: u32,
    /// The most servers that boot at a time of a template of which none has ever joined; 0: off.
    pub canary: u32,
    /// A pass that nears this stops starting new actions.
    pub pass_deadline: SignedDuration,
}

/// `timing:`. What a template may override stands in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a node may stand idle whose template is no longer configured; the others have their own.
    pub idle_grace: SignedDuration,
    /// How long a server may take to join whose template is no longer configured; the others have their own.
    pub boot_grace: SignedDuration,
    /// Joined and then offline for longer, a node is dead.
    pub offline_grace: SignedDuration,
    /// Younger servers are not removed for being idle.
    pub min_lifetime: SignedDuration,
    /// How long an intent without a server is kept.
    pub intent_grace: SignedDuration,
    /// How long nothing is removed after the controller was seen to have started again.
    pub restart_grace: SignedDuration,
    /// Younger queue items do not count yet.
    pub queue_grace: SignedDuration,
    /// The first back-off.
    pub backoff_first: SignedDuration,
    /// The longest back-off.
    pub backoff_max: SignedDuration,
}
