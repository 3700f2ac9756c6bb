//! Whether a server that is about to be deleted may have an agent after all: the question before the DELETE.

use crate::config::Config;
use crate::model::{Computer, NodeId, NodeName, Observed, ProviderName, Reading, ServerId};
use crate::plan::context::Context;
use crate::plan::fleet::agent::Hold;
use crate::plan::fleet::look::look;
use crate::plan::fleet::node_match::may_be_of;
use crate::state::{Phase, State};

/// A node that keeps a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundAgent {
    /// Its name.
    pub node: NodeName,
    /// Whether it is the one node of the server. Else it may be another server's, too.
    pub is_its_own: bool,
}

impl FoundAgent {
    /// Remembers a server's own node, for Jenkins' list may lack it in the next pass: a server without its node is then no
    /// longer one that never joined. Linked by mistake, another server's node could be taken for this one's.
    pub fn remember(&self, state: &mut State, server: &NodeId) {
        if let Some(memory) = state.nodes.get_mut(server).filter(|_| self.is_its_own) {
            memory.jenkins_node = Some(self.node.clone());
            memory.phase = Phase::Orphan;
        }
    }
}

/// Returns a Jenkins node that is, or may be, the agent of a server, and that works or is held by a person: what is asked
/// once more before a server goes of which none was seen.
pub fn agent_of(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    provider: &ProviderName,
    server: &ServerId,
) -> Option<FoundAgent> {
    // The whole of it: which busy nodes at unknown addresses hold which servers depends on all of them.
    let fleet = look(observed, config, state, context);
    let works = |computer: &&Computer| computer.offline_signs().keeps_server(computer.is_idle());
    let mut agents = fleet.agents.iter();
    if let Some(agent) = agents.find(|agent| agent.provider == provider && agent.server_id() == Some(server)) {
        let found = agent.link.all().chain(agent.held.map(Hold::node)).find(works)?;
        return Some(FoundAgent {
            node: found.name.clone(),
            is_its_own: agent.computer().is_some_and(|own| own.name == found.name),
        });
    }
    let view = observed.clouds.get(provider).and_then(Reading::ok)?;
    let server = view.servers.iter().find(|listed| listed.id == *server)?;
    let mut computers = observed.jenkins.computers.iter();
    let found = computers.find(|computer| works(computer) && may_be_of(computer, server));
    found.map(|computer| FoundAgent {
        node: computer.name.clone(),
        is_its_own: false,
    })
}
