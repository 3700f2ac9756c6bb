//! Removes nodes: the Jenkins node first, then its server.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: a Jenkins older than 2.503 needs a second after each mark"
)]

use std::thread::sleep;

use jiff::Timestamp;

use super::{Executor, Live};
use crate::error::chain;
use crate::jenkins::{JenkinsError, NodeRemoval, RemoveNode};
use crate::model::{Event, NodeName, Observed};
use crate::pass::rows::{leftover_action, node_action, removal_actions, server_action};
use crate::plan::events::server::removed;
use crate::plan::{NodeToRemove, Removal, ServerToRemove, mark_text};
use crate::provider::Deleted;
use crate::report::{Action, ActionKind, Outcome};
use crate::state::{Phase, RefusalKey};

impl Executor<'_> {
    /// Removes nodes: the Jenkins node first, then its server.
    pub fn remove(&mut self, live: &mut Live, observed: &mut Observed, removals: &[Removal]) {
        for removal in removals {
            let actions = removal_actions(removal);
            if let Some(reason) = live.must_end() {
                self.leave(actions, reason);
                continue;
            }
            if let Some(reason) = removal
                .server
                .as_ref()
                .and_then(|at| self.is_closed(live, &at.provider))
            {
                for action in actions {
                    self.record(action, Outcome::Skipped, Some(reason.clone()));
                }
                continue;
            }
            let node_gone = match &removal.node {
                Some(node) => self.remove_node(live, removal, node),
                None => true,
            };
            let Some(server) = &removal.server else { continue };
            let action = server_action(removal, server);
            if node_gone {
                self.remove_server(live, observed, removal, server, action);
            } else {
                for floating_ip in &removal.floating_ips {
                    let action = leftover_action(floating_ip);
                    self.record(action, Outcome::Skipped, Some("its Jenkins node stays".to_owned()));
                }
                self.record(action, Outcome::Skipped, Some("its Jenkins node stays".to_owned()));
            }
        }
    }

    fn remove_node(&mut self, live: &Live, removal: &Removal, node: &NodeToRemove) -> bool {
        let delete = node_action(removal, node, ActionKind::DeleteNode);
        if let Some(lacks) = &self.removal_refused {
            let reason = format!("Jenkins refused to remove another node: the user lacks {lacks}");
            self.record(delete, Outcome::Skipped, Some(reason));
            return false;
        }
        let mark = mark_text(&self.context.pass);
        let request = RemoveNode {
            name: &node.name,
            mark: &mark,
            even_if_busy: node.even_if_busy,
            by_monitor: node.by_monitor,
        };
        let removed = match live.jenkins.remove_node(&request, &sleep) {
            Ok(removed) => removed,
            Err(error) => {
                self.removal_is_refused(live, &node.name, &error);
                self.record(delete, Outcome::Failed, Some(chain(&error)));
                return false;
            }
        };
        if removed.marked {
            let offline = node_action(removal, node, ActionKind::Offline);
            self.record(offline, Outcome::Done, None);
        }
        self.record_removal(live, removal, node, removed.outcome, delete)
    }

    /// Records how the removal of a node ended. Returns whether the node is gone.
    fn record_removal(
        &mut self,
        live: &Live,
        removal: &Removal,
        node: &NodeToRemove,
        outcome: NodeRemoval,
        delete: Action,
    ) -> bool {
        match &outcome {
            NodeRemoval::Failed(error) => self.removal_is_refused(live, &node.name, error),
            NodeRemoval::Deleted => self.state.allow(&RefusalKey::Removal),
            _ => {}
        }
        let (result, error) = node_outcome(outcome);
        let gone = result == Outcome::Done;
        if gone {
            self.state.orphan_nodes.remove(&node.name);
            // If the server outlives this pass, the next one knows why its node is absent.
            if let Some(server) = &removal.server {
                self.leaves(server);
            }
        }
        self.record(delete, result, error);
        gone
    }

    /// Remembers that the user may not remove nodes, if so: then no other node is marked in vain.
    fn removal_is_refused(&mut self, live: &Live, node: &NodeName, error: &JenkinsError) {
        if let JenkinsError::Forbidden { permission, .. } = error {
            self.refuse(live, &RefusalKey::Removal, permission, Some(node.as_str()));
            self.removal_refused = Some(permission.clone());
        }
    }

    fn leaves(&mut self, server: &ServerToRemove) {
        if let Some(memory) = self.state.nodes.get_mut(&server.node_id) {
            memory.phase = Phase::Deleting;
        }
    }

    fn remove_server(
        &mut self,
        live: &mut Live,
        observed: &mut Observed,
        removal: &Removal,
        server: &ServerToRemove,
        action: Action,
    ) {
        match self.joined(live, observed, server) {
            Ok(None) => {}
            Ok(Some(reason)) => {
                return self.record(action, Outcome::Skipped, Some(reason));
            }
            Err(error) => return self.record(action, Outcome::Failed, Some(chain(&error))),
        }
        self.keep_failure(live, removal, server);
        // A floating IP that stays does not keep its server: the sweep finds it by its mark.
        for floating_ip in &removal.floating_ips {
            self.remove_leftover(live, floating_ip, leftover_action(floating_ip));
        }
        let Some(cloud) = live.clouds.get_mut(&server.provider) else {
            return self.record(
                action,
                Outcome::Failed,
                Some("its provider is not configured".to_owned()),
            );
        };
        match cloud.delete(&server.id) {
            Ok(Deleted::Accepted | Deleted::AlreadyGone) => {
                self.note_removed(observed, removal, server, self.time(live));
                self.leaves(server);
                self.was_asked(server, true);
                self.record(action, Outcome::Done, None);
            }
            Err(error) => {
                self.was_asked(server, false);
                self.record(action, Outcome::Failed, Some(error.to_string()));
            }
        }
    }

    /// Notes as an event that a server is removed, when its cloud takes that for the first time.
    fn note_removed(&mut self, observed: &Observed, removal: &Removal, server: &ServerToRemove, now: Timestamp) {
        let node = self.state.nodes.get(&server.node_id);
        if node.is_some_and(|node| node.deleted) {
            return;
        }
        let event = removed(server, node, observed, now, &self.context.pass);
        self.state.note(Event {
            node: event.node.or_else(|| removal.template.clone()),
            because: Some(removal.why.to_string()),
            ..event
        });
    }

    /// Notes that the cloud was asked to delete a server, and whether it accepted.
    fn was_asked(&mut self, server: &ServerToRemove, accepted: bool) {
        let now = self.context.now;
        if let Some(memory) = self.state.nodes.get_mut(&server.node_id) {
            memory.deleting_since.get_or_insert(now);
            memory.deleted |= accepted;
            memory.delete_failed = !accepted;
        }
    }
}

/// Returns how the deletion of a node is reported; `Done` alone lets its server go.
fn node_outcome(outcome: NodeRemoval) -> (Outcome, Option<String>) {
    let kept = |reason: String| (Outcome::Skipped, Some(reason));
    match outcome {
        NodeRemoval::Deleted | NodeRemoval::Gone => (Outcome::Done, None),
        NodeRemoval::Busy => kept("it is busy now".to_owned()),
        NodeRemoval::HeldByPerson { reason } => kept(format!("a person took it offline meanwhile: {reason}")),
        NodeRemoval::TurnedBusy { still_marked: None } => {
            kept("a build came first; our mark is taken off again".to_owned())
        }
        NodeRemoval::TurnedBusy {
            still_marked: Some(error),
        } => {
            let text = format!(
                "a build came first, and our mark could not be taken off again: {}",
                chain(&error)
            );
            (Outcome::Failed, Some(text))
        }
        NodeRemoval::Disconnected { still_marked: None } => {
            kept("its connection ended meanwhile; our mark is taken off again".to_owned())
        }
        NodeRemoval::Disconnected {
            still_marked: Some(error),
        } => {
            let text = format!(
                "its connection ended meanwhile, and our mark could not be taken off again: {}",
                chain(&error)
            );
            (Outcome::Failed, Some(text))
        }
        NodeRemoval::MarkLost => kept("somebody took our mark off meanwhile".to_owned()),
        NodeRemoval::Failed(error) => (Outcome::Failed, Some(chain(&error))),
    }
}
