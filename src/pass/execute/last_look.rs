//! The last look before the removal of a server that had no Jenkins node when Jenkins was read.

use std::collections::BTreeSet;

use super::Executor;
use crate::jenkins::{JenkinsError, may_be_agent};
use crate::model::{Computer, NodeName, Observed};
use crate::pass::Live;
use crate::plan::{ServerToRemove, agent_of};
use crate::text::printable;

impl Executor<'_> {
    /// Asks Jenkins once more for the agent of a server that had none when Jenkins was read: by the link, since agents
    /// choose their names.
    pub(super) fn joined(
        &mut self,
        live: &Live,
        observed: &mut Observed,
        server: &ServerToRemove,
    ) -> Result<Option<String>, JenkinsError> {
        if !server.look_first {
            return Ok(None);
        }
        let seen = live.jenkins.computers()?;
        if seen.nameless > 0 {
            return Ok(Some("Jenkins lists a node now whose name cannot be read".to_owned()));
        }
        let before = std::mem::replace(&mut observed.jenkins.computers, seen.all);
        let found = agent_of(
            observed,
            self.config,
            &self.state,
            self.context,
            &server.provider,
            &server.id,
        );
        let listed = std::mem::replace(&mut observed.jenkins.computers, before);
        let reason = |node: NodeName| {
            format!(
                "its agent joined Jenkins meanwhile, as \"{}\"",
                printable(node.as_str(), 200)
            )
        };
        match found {
            Some(found) => {
                found.remember(&mut self.state, &server.node_id);
                Ok(Some(reason(found.node)))
            }
            None => self.unlisted(live, &listed, server),
        }
    }

    /// Asks for the nodes that may be a server's by their names: Jenkins leaves a node out of its list that fails to be
    /// exported.
    fn unlisted(
        &self,
        live: &Live,
        listed: &[Computer],
        server: &ServerToRemove,
    ) -> Result<Option<String>, JenkinsError> {
        let known = self.state.nodes.get(&server.node_id);
        let known = known.and_then(|memory| memory.jenkins_node.clone());
        let names: BTreeSet<NodeName> = known.into_iter().chain([NodeName::new(&server.name)]).collect();
        for name in names {
            if listed.iter().any(|computer| computer.name == name) || !may_be_agent(&name) {
                continue;
            }
            let node = live.jenkins.node(&name)?;
            if node.is_some_and(|node| node.offline_signs().keeps_server(node.is_idle())) {
                let name = printable(name.as_str(), 200);
                return Ok(Some(format!(
                    "its node \"{name}\" is there, though Jenkins' list lacks it"
                )));
            }
        }
        Ok(None)
    }
}
