//! The world that a plan is checked against, indexed when a rule first asks.

use std::cell::OnceCell;

use foldhash::HashMap;

use crate::config::Config;
use crate::model::{Computer, Observed, ProviderName, Reading, Server, ServerId};
use crate::plan::context::Context;
use crate::plan::fleet::mapping::{Linked, linked};
use crate::state::State;

/// What a plan is held against.
pub struct World<'a> {
    pub observed: &'a Observed,
    pub config: &'a Config,
    pub state: &'a State,
    pub context: &'a Context,
    /// All computers by name; found out when a rule first asks.
    nodes: OnceCell<HashMap<&'a str, &'a Computer>>,
    /// What is ours, with its nodes; found out when a rule first asks: most plans do nothing.
    linked: OnceCell<Linked<'a>>,
}

impl<'a> World<'a> {
    pub fn new(observed: &'a Observed, config: &'a Config, state: &'a State, context: &'a Context) -> Self {
        Self {
            observed,
            config,
            state,
            context,
            nodes: OnceCell::new(),
            linked: OnceCell::new(),
        }
    }

    pub fn node(&self, name: &str) -> Option<&'a Computer> {
        let computers = self.observed.jenkins.computers.iter();
        let by_name = || computers.map(|computer| (computer.name.as_str(), computer)).collect();
        self.nodes.get_or_init(by_name).get(name).copied()
    }

    pub fn linked(&self) -> &Linked<'a> {
        let link = || linked(self.observed, self.config, self.state, self.context.now);
        self.linked.get_or_init(link)
    }

    /// Returns what all clouds that were read list.
    pub fn servers(&self) -> impl Iterator<Item = &'a Server> {
        let views = self.observed.clouds.values().filter_map(Reading::ok);
        views.flat_map(|cloud| &cloud.servers)
    }

    /// Returns a server that a cloud which was read lists.
    pub fn server(&self, provider: &ProviderName, id: &ServerId) -> Option<&'a Server> {
        let cloud = self.observed.clouds.get(provider).and_then(Reading::ok)?;
        cloud.servers.iter().find(|server| server.id == *id)
    }
}
