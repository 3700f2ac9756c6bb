//! The fleet as one pass sees it: our agents, each with its server and its Jenkins node, and where it is in its life.

pub mod adopt;
pub mod agent;
pub mod agent_state;
pub mod boots;
pub mod builds;
pub mod contradiction;
pub mod hold;
pub mod inventory;
pub mod late;
pub mod linker;
pub mod look;
pub mod mapping;
pub mod node_match;
pub mod orphans;

use jiff::Timestamp;

use crate::config::Config;
use crate::model::{Computer, Observed, ProviderName, ServerId};
use crate::plan::context::Context;
use crate::plan::fleet::agent::Agent;
use crate::plan::fleet::contradiction::Contradiction;
use crate::state::{Sighting, State};

/// What a pass knows.
pub struct Fleet<'a> {
    pub observed: &'a Observed,
    pub config: &'a Config,
    /// What the pass may do.
    pub context: &'a Context,
    /// Our nodes, by name.
    pub agents: Vec<Agent<'a>>,
    /// Jenkins nodes of ours without a server, by name.
    pub orphans: Vec<OrphanNode<'a>>,
    /// The memory after looking.
    pub state: State,
    /// When the last pass looked.
    pub last_pass: Option<Timestamp>,
    /// Whether idle times restart, so that nothing idle goes.
    pub restart: bool,
    /// Why nothing at all is removed: the controller has just started, and its agents are still to come back.
    pub settling: Option<String>,
    /// What fits twice or not at all, so that a person must clear it.
    pub contradictions: Vec<Contradiction>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// What happened and lasts no longer than that: an operator hears of it once.
    pub news: Vec<String>,
    /// Whether something was decided in this pass that makes its exit code 1: a bad image is left for an older one.
    pub partly: bool,
    /// Servers that a list lacks and that are to be asked for one by one.
    pub lookups: Vec<(ProviderName, ServerId)>,
}

impl Fleet<'_> {
    /// Returns whether Jenkins said that it is quieting down.
    pub fn is_quieting(&self) -> bool {
        self.observed.jenkins.quieting_down == Some(true)
    }
}

/// A Jenkins node of ours without a server.
pub struct OrphanNode<'a> {
    pub computer: &'a Computer,
    /// How often it was seen so.
    pub seen: Sighting,
}
