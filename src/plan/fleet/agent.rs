//! An agent of ours: one server with its Jenkins node, from the moment its create was begun until the cloud no longer
//! lists it.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Template};
use crate::model::{
    BUILDS_REACHED_PREFIX, Computer, NodeId, OfflineTaker, ProviderName, REFRESH_PREFIX, Server, ServerId,
    TemplateName, Zone, split_server_name,
};
use crate::plan::why::LimitReached;
use crate::state::{BuildCount, Intent, NodeMemory, Phase, Sighting};

/// The place of a template in `Config::templates`.
pub type TemplateIndex = usize;

/// One node of ours, from the moment its create was begun until the cloud no longer lists it.
#[derive(Debug)]
pub struct Agent<'a> {
    pub id: NodeId,
    pub name: &'a str,
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// The template's place in the configuration; `None` for one that is no longer there.
    pub template_index: Option<TemplateIndex>,
    /// The entry of `provider:`.
    pub provider: &'a ProviderName,
    /// The server as the cloud shows it; `None` for an intent, where the cloud could not be read, or where its list lacks the
    /// server and nobody knows why.
    pub server: Option<&'a Server>,
    /// What the last pass remembered.
    pub before: Option<&'a NodeMemory>,
    /// The create that was begun for it.
    pub intent: Option<&'a Intent>,
    /// Whether its cloud could be read, the server with it.
    pub readable: bool,
    /// In how many passes the list of a cloud that cannot be asked for one server lacked it.
    pub unlisted: Option<Sighting>,
    /// Whether another server has the same id.
    pub duplicate: bool,
    /// Whether it was taken over, not made by us.
    pub adopted: bool,
    /// Its Jenkins node.
    pub link: Link<'a>,
    /// A node that may be its agent and works: as long as it does, the server is not absent.
    pub held: Option<Hold<'a>>,
    /// When it was made, by the cloud's clock; where the cloud does not tell, when it was asked for or first seen. `None`
    /// for an intent.
    pub created: Option<Timestamp>,
    /// Its age by the cloud's clock.
    pub age: SignedDuration,
    /// When it joined Jenkins.
    pub joined: Option<Timestamp>,
    /// The builds that were seen on it.
    pub builds: Option<BuildCount>,
    /// Where it is in its life.
    pub state: AgentState,
}

impl<'a> Agent<'a> {
    /// Returns its template where it is still configured.
    pub fn template<'c>(&self, config: &'c Config) -> Option<&'c Template> {
        self.template_index.map(|index| &config.templates[index])
    }

    /// Returns its Jenkins node if it is clear which it is.
    pub fn computer(&self) -> Option<&'a Computer> {
        match self.link {
            Link::One(computer) => Some(computer),
            Link::None | Link::Many(_) => None,
        }
    }

    /// Returns who wanted its Jenkins node offline.
    pub fn offline_by(&self) -> Option<OfflineTaker> {
        self.computer()?.offline_by().taker()
    }

    /// Returns since when it is in its phase, as far as passes saw it.
    pub fn since(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.state {
            AgentState::Intent => self.intent.map(|intent| intent.at),
            AgentState::Booting { .. } => self.created,
            AgentState::Up {
                idle_since: Some(since),
                ..
            }
            | AgentState::Offline { since, .. }
            | AgentState::Deleting { since, .. } => Some(*since),
            AgentState::Orphan { seen } => Some(seen.first),
            _ => self.phase_since(now),
        }
    }

    /// Returns since when passes saw it in its phase, where nothing else that is remembered tells that. One that nobody
    /// remembers may have been in it for long.
    fn phase_since(&self, now: Timestamp) -> Option<Timestamp> {
        match self.before {
            Some(before) if before.phase == self.state.phase() && before.offline_by == self.offline_by() => {
                before.phase_since.map(|since| since.min(now))
            }
            None if self.intent.is_none() => None,
            _ => Some(now),
        }
    }

    /// Returns the id that the cloud gave it.
    pub fn server_id(&self) -> Option<&'a ServerId> {
        let listed = self.server.map(|server| &server.id);
        let remembered = self.before.map(|before| &before.server_id);
        listed
            .or(remembered)
            .or_else(|| self.intent.and_then(|intent| intent.server_id.as_ref()))
    }

    /// Returns the digest of the template that it was made from.
    pub fn digest(&self) -> Option<&'a str> {
        let marked = self
            .server
            .and_then(|server| server.mark.as_ref())
            .and_then(|mark| mark.config.as_deref());
        marked.or_else(|| self.intent.map(|intent| intent.config.as_str()))
    }

    /// Returns the id of its image: what the cloud shows, else what was asked for.
    pub fn image(&self) -> Option<&'a str> {
        let shown = self.server.and_then(|server| server.image.as_deref());
        shown
            .or_else(|| self.intent.and_then(|intent| intent.image.as_deref()))
            .or_else(|| self.before.and_then(|before| before.image.as_deref()))
    }

    /// Returns the zone that was asked for, in the words of the configuration.
    pub fn zone_asked(&self, config: &Config) -> Option<&'a Zone> {
        if let Some(intent) = self.intent {
            return intent.zone.as_ref();
        }
        if let Some(before) = self.before {
            return before.zone.as_ref();
        }
        let seen = self.server?.zone.as_ref()?;
        let placements = &self.template(config)?.placements;
        placements
            .iter()
            .any(|p| p.provider == *self.provider && p.zone.as_ref() == Some(seen))
            .then_some(seen)
    }

    /// Returns whether its template was changed since it was made.
    pub fn outdated(&self, config: &Config) -> bool {
        match (self.digest(), self.template(config)) {
            (Some(digest), Some(template)) => digest != template.digest,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// The Jenkins node of an agent.
#[derive(Clone, Debug)]
pub enum Link<'a> {
    /// None that Jenkins shows.
    None,
    One(&'a Computer),
    /// Several, or one that fits several servers: nobody knows.
    Many(Vec<&'a Computer>),
}

impl<'a> Link<'a> {
    /// Returns every node that is or may be its own.
    pub fn all(&self) -> impl Iterator<Item = &'a Computer> + '_ {
        let nodes: &[&'a Computer] = match self {
            Self::None => &[],
            Self::One(computer) => std::slice::from_ref(computer),
            Self::Many(several) => several,
        };
        nodes.iter().copied()
    }
}

/// A node that holds a server which it may be the agent of.
#[derive(Clone, Copy, Debug)]
pub enum Hold<'a> {
    /// By an address of the server.
    Address(&'a Computer),
    /// By the name of its template, at an address that no server has.
    Template(&'a Computer),
}

impl<'a> Hold<'a> {
    pub fn node(self) -> &'a Computer {
        match self {
            Self::Address(computer) | Self::Template(computer) => computer,
        }
    }
}

/// Returns template and id of a server if it is ours by our mark and by its name.
pub fn marked(server: &Server, config: &Config) -> Option<(TemplateName, NodeId)> {
    let marked = server.is_marked(&config.owner);
    marked.then(|| split_server_name(&server.name)).flatten()
}

/// Why a node is drained, as its mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainCause {
    /// An operator asked for it.
    ByHand,
    /// It had all its builds.
    BuildsReached,
    /// It is too old, or outdated.
    Refresh,
}

impl DrainCause {
    /// Returns the cause of the drain of a node that is drained.
    pub fn of(computer: &Computer) -> Self {
        let has = |prefix| computer.offline_signs().has_mark(prefix);
        if has(BUILDS_REACHED_PREFIX) {
            Self::BuildsReached
        } else if has(REFRESH_PREFIX) {
            Self::Refresh
        } else {
            Self::ByHand
        }
    }

    /// Returns how the mark begins where a pass may take it off: an operator's stays until he takes it off.
    pub fn taken_off_by_passes(self) -> Option<&'static str> {
        match self {
            Self::ByHand => None,
            Self::BuildsReached => Some(BUILDS_REACHED_PREFIX),
            Self::Refresh => Some(REFRESH_PREFIX),
        }
    }
}

/// Where an agent stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// The create was begun, the server not seen.
    Intent,
    /// The cloud deletes it already.
    Deleting {
        /// Since when, as far as passes saw it.
        since: Timestamp,
        /// Whether another DELETE is to be sent: it was mita that asked, or it takes too long.
        again: bool,
    },
    /// The cloud says that it failed: with what message.
    Failed(String),
    /// Not joined yet, and there is still time.
    Booting {
        /// Whether it boots for so long that another server is made in its place where one is needed.
        late: bool,
    },
    /// Not joined in time.
    TimedOut,
    /// Joined and online.
    Up {
        /// Its idle executors.
        idle_slots: u32,
        /// Since when all of it is idle.
        idle_since: Option<Timestamp>,
        /// The limit of its template that it reached: it takes no work any more.
        limit_reached: Option<LimitReached>,
    },
    /// Is drained: it takes no work, and is removed once its builds ended.
    Drained {
        /// Whether nothing works on it.
        idle: bool,
        /// What for.
        cause: DrainCause,
    },
    /// Bears our mark.
    Marked {
        /// Whether nothing works on it.
        idle: bool,
    },
    /// A monitor of Jenkins took it offline.
    Monitored {
        /// Since when nothing works on it.
        idle_since: Option<Timestamp>,
    },
    /// A person took it offline.
    Person,
    /// Joined before, now without a connection.
    Offline {
        /// Since when.
        since: Timestamp,
        /// Whether it is about to come back: the controller has just started.
        returns: bool,
    },
    /// An earlier pass took its Jenkins node away and the cloud still has the server.
    Removing,
    /// Joined before, or found late, and Jenkins does not know it.
    Orphan {
        /// How often it was seen so.
        seen: Sighting,
    },
    /// Several Jenkins nodes or servers fit.
    Ambiguous {
        /// Slots that it may have.
        slots: u32,
    },
    /// Joined once, and its cloud cannot be read: nothing can be said of it.
    Unseen,
}

impl AgentState {
    /// Returns the phase that the state file and `status` show.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Intent => Phase::Intent,
            Self::Deleting { .. } | Self::Removing => Phase::Deleting,
            Self::Failed(_) | Self::TimedOut => Phase::Error,
            Self::Booting { .. } => Phase::Booting,
            Self::Drained { .. } | Self::Marked { .. } => Phase::Draining,
            Self::Up {
                idle_since: Some(_), ..
            } => Phase::Idle,
            Self::Up { idle_slots: 0, .. } => Phase::Busy,
            Self::Up { .. } => Phase::Online,
            Self::Monitored { .. } | Self::Person | Self::Offline { .. } | Self::Unseen => Phase::Offline,
            Self::Orphan { .. } | Self::Ambiguous { .. } => Phase::Orphan,
        }
    }

    /// Returns whether it has yet to join.
    pub fn is_booting(&self) -> bool {
        matches!(self, Self::Intent | Self::Booting { .. })
    }

    /// Returns the slots that it has, with this many executors.
    pub fn slots(&self, executors: u32) -> u32 {
        match self {
            // Another server in the place of one that comes back would be too many a minute later.
            Self::Intent | Self::Booting { late: false } | Self::Offline { returns: true, .. } => executors,
            Self::Up {
                idle_slots,
                limit_reached: None,
                ..
            } => *idle_slots,
            Self::Ambiguous { slots } => *slots,
            _ => 0,
        }
    }
}
