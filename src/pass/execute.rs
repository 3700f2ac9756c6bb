//! Doing what a plan says, or recording why it could not be done. Makes no choices.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: a Jenkins older than 2.503 needs a second after each mark"
)]

mod anchor;
mod console;
mod last_look;
mod prepared;
mod register;
mod resources;

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;

use jiff::{SignedDuration, Timestamp};
use log::info;

use self::prepared::Prepared;
use super::Live;
use super::rows::{
    create_action, drain_action, leftover_action, node_action, removal_actions, server_action, unmark_action,
};
use crate::config::script::{self, HostKeyPair};
use crate::config::{Config, Template};
use crate::error::{Error, chain};
use crate::jenkins::{Drained, JenkinsError, NodeRemoval, RemoveNode};
use crate::model::{NodeId, NodeName, Observed, ProviderName, ResourceMark, ServerId};
use crate::plan::backoff::{begin, charge, record_failure};
use crate::plan::{Context, Create, Drain, NodeToRemove, Removal, ServerToRemove, Unmark, mark_text};
use crate::provider::{CreateServer, Deleted, ProviderError};
use crate::report::{Action, ActionKind, Outcome};
use crate::state::{Asker, BackoffKey, Intent, Phase, RefusalKey, State};
use crate::text::printable;

/// Why a server is not asked for whose intent cannot be saved.
const UNWRITTEN: &str = "the state file cannot be written, and nothing is asked for that is not written down";

/// Carries a plan out, action by action.
pub struct Executor<'a> {
    config: &'a Config,
    context: &'a Context,
    save: &'a dyn Fn(&State) -> Result<(), Error>,
    told: &'a mut dyn FnMut(&Action),
    failed_keys: BTreeSet<BackoffKey>,
    /// For want of which permission Jenkins refused to remove a node in this pass.
    removal_refused: Option<String>,
    /// How many consoles were read.
    consoles: u32,
    /// The memory, kept up to date with what was done.
    pub state: State,
    /// What was done.
    pub actions: Vec<Action>,
    /// Whether an action was not begun because the pass had to end.
    pub left_undone: bool,
    /// The clouds that had more to do and are asked no more, with why.
    pub closed: BTreeMap<ProviderName, String>,
}

/// What became of a list of creates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch {
    /// How many were asked for.
    pub asked: u32,
    /// Whether some were not, because a placement or template failed: plan again.
    pub held_back: bool,
}

impl<'a> Executor<'a> {
    /// Begins with the memory of a plan.
    pub fn new(
        config: &'a Config,
        context: &'a Context,
        state: State,
        save: &'a dyn Fn(&State) -> Result<(), Error>,
        told: &'a mut dyn FnMut(&Action),
    ) -> Self {
        let (failed_keys, actions) = (BTreeSet::new(), Vec::new());
        Self {
            config,
            context,
            save,
            told,
            failed_keys,
            removal_refused: None,
            consoles: 0,
            state,
            actions,
            left_undone: false,
            closed: BTreeMap::new(),
        }
    }

    /// Takes marks of ours back off.
    pub fn unmark(&mut self, live: &Live, unmarks: &[Unmark]) {
        for unmark in unmarks {
            let action = unmark_action(unmark);
            if self.skips(live, &action) {
                continue;
            }
            match live.jenkins.unmark(&unmark.node, unmark.prefix) {
                Ok(true) => self.tell(action, Outcome::Done, None),
                Ok(false) => self.tell(action, Outcome::Skipped, Some("our mark is gone by now".to_owned())),
                Err(error) => self.tell(action, Outcome::Failed, Some(chain(&error))),
            }
        }
    }

    /// Marks nodes offline that are to take no new work.
    pub fn drain(&mut self, live: &Live, drains: &[Drain]) {
        for drain in drains {
            let action = drain_action(drain);
            if self.skips(live, &action) {
                continue;
            }
            let request = RemoveNode {
                name: &drain.node,
                mark: &drain.mark,
                even_if_busy: true,
                by_monitor: drain.by_monitor,
            };
            match live.jenkins.drain(&request) {
                Ok(Drained::Now | Drained::Before) => self.tell(action, Outcome::Done, None),
                Ok(Drained::Gone) => self.tell(
                    action,
                    Outcome::Skipped,
                    Some("Jenkins has no such node by now".to_owned()),
                ),
                Ok(Drained::HeldByPerson { reason }) => {
                    let reason = format!("somebody took it offline by now: {reason}");
                    self.tell(action, Outcome::Skipped, Some(reason));
                }
                Err(error) => self.tell(action, Outcome::Failed, Some(chain(&error))),
            }
        }
    }

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
                    self.tell(action, Outcome::Skipped, Some(reason.clone()));
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
                    self.tell(action, Outcome::Skipped, Some("its Jenkins node stays".to_owned()));
                }
                self.tell(action, Outcome::Skipped, Some("its Jenkins node stays".to_owned()));
            }
        }
    }

    /// Returns why nothing more is asked of a cloud, and remembers that there was more to do.
    fn is_closed(&mut self, live: &Live, provider: &ProviderName) -> Option<String> {
        let reason = live.closed(provider)?;
        self.closed.insert(provider.clone(), reason.clone());
        Some(format!(
            "nothing more is asked of provider {provider} in this pass: {reason}"
        ))
    }

    fn remove_node(&mut self, live: &Live, removal: &Removal, node: &NodeToRemove) -> bool {
        let mark = mark_text(&self.context.pass);
        let request = RemoveNode {
            name: &node.name,
            mark: &mark,
            even_if_busy: node.even_if_busy,
            by_monitor: node.by_monitor,
        };
        let offline = node_action(removal, node, ActionKind::Offline);
        let delete = node_action(removal, node, ActionKind::DeleteNode);
        if let Some(lacks) = &self.removal_refused {
            let reason = format!("Jenkins refused to remove another node: the user lacks {lacks}");
            self.tell(delete, Outcome::Skipped, Some(reason));
            return false;
        }
        let removed = match live.jenkins.remove_node(&request, &sleep) {
            Ok(removed) => removed,
            Err(error) => {
                self.removal_is_refused(live, &node.name, &error);
                self.tell(delete, Outcome::Failed, Some(chain(&error)));
                return false;
            }
        };
        if removed.marked {
            self.tell(offline, Outcome::Done, None);
        }
        match &removed.outcome {
            NodeRemoval::Failed(error) => self.removal_is_refused(live, &node.name, error),
            NodeRemoval::Deleted => self.state.allow(&RefusalKey::Removal),
            _ => {}
        }
        let (result, error) = node_outcome(removed.outcome);
        let gone = result == Outcome::Done;
        if gone {
            self.state.orphan_nodes.remove(&node.name);
            // Should the server outlive this pass, the next one knows that its node is not absent by accident.
            if let Some(server) = &removal.server {
                self.leaves(server);
            }
        }
        self.tell(delete, result, error);
        gone
    }

    /// Remembers that nodes cannot be removed, if that is what an error says: then no other is marked in vain.
    fn removal_is_refused(&mut self, live: &Live, node: &NodeName, error: &JenkinsError) {
        if let JenkinsError::Forbidden { permission, .. } = error {
            self.refuse(live, &RefusalKey::Removal, permission, Some(node.as_str()));
            self.removal_refused = Some(permission.clone());
        }
    }

    /// Remembers that Jenkins refused something.
    fn refuse(&mut self, live: &Live, key: &RefusalKey, lacks: &str, about: Option<&str>) {
        let session = live.jenkins.session();
        let asker = Asker {
            session: session.as_deref(),
            user: &self.config.jenkins.user,
            now: self.time(live),
        };
        self.state.refuse(key, asker, lacks, about);
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
                return self.tell(action, Outcome::Skipped, Some(reason));
            }
            Err(error) => return self.tell(action, Outcome::Failed, Some(chain(&error))),
        }
        self.keep_failure(live, removal, server);
        // An address that stays does not keep its server: the sweep finds it by its mark.
        for floating_ip in &removal.floating_ips {
            self.remove_leftover(live, floating_ip, leftover_action(floating_ip));
        }
        let Some(cloud) = live.clouds.get_mut(&server.provider) else {
            return self.tell(
                action,
                Outcome::Failed,
                Some("its provider is not configured".to_owned()),
            );
        };
        match cloud.delete(&server.id) {
            Ok(Deleted::Accepted | Deleted::AlreadyGone) => {
                self.leaves(server);
                self.was_asked(server, true);
                self.tell(action, Outcome::Done, None);
            }
            Err(error) => {
                self.was_asked(server, false);
                self.tell(action, Outcome::Failed, Some(error.to_string()));
            }
        }
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

    /// Creates servers. The intent of each is durable before its request goes out; where it cannot be made so, this and
    /// all that follow are not begun.
    pub fn create(&mut self, live: &mut Live, creates: &[Create]) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        for (at, create) in creates.iter().enumerate() {
            let failed = keys_of(create).iter().any(|key| self.failed_keys.contains(key));
            if failed || self.is_closed(live, &create.provider).is_some() {
                batch.held_back = true;
                continue;
            }
            let action = create_action(create);
            if self.skips(live, &action) {
                continue;
            }
            let host_key = match self.host_key(create) {
                Ok(host_key) => host_key,
                Err(reason) => {
                    self.tell(action, Outcome::Failed, Some(reason));
                    self.failed_keys.insert(BackoffKey::Template(create.template.clone()));
                    batch.held_back = true;
                    continue;
                }
            };
            if let Err(error) = self.intend(create, self.time(live)) {
                self.state.host_keys.remove(&create.id);
                self.leave(creates[at..].iter().map(create_action).collect(), UNWRITTEN);
                return Err(error);
            }
            batch.asked += 1;
            batch.held_back |= !self.create_one(live, create, host_key, action);
        }
        Ok(batch)
    }

    /// Writes down that a server is about to be asked for.
    fn intend(&mut self, create: &Create, now: Timestamp) -> Result<(), Error> {
        let intent = self.intent(create, now);
        self.state.intents.insert(create.id.clone(), intent);
        begin(
            &mut self.state,
            &create.template,
            &create.provider,
            create.zone.as_ref(),
        );
        if create.retry {
            self.state.begin_retry(&create.template, &create.id, now);
        }
        (self.save)(&self.state).inspect_err(|_| drop(self.state.drop_intent(&create.id)))
    }

    /// Returns whether the cloud took it.
    fn create_one(
        &mut self,
        live: &mut Live,
        create: &Create,
        host_key: Option<HostKeyPair>,
        mut action: Action,
    ) -> bool {
        let Some(joining) = self.prepare(live, create, host_key) else {
            let reason = "its Jenkins node could not be made".to_owned();
            self.tell(action, Outcome::Skipped, Some(reason));
            return false;
        };
        match self.post(live, create, &joining) {
            Ok(id) => {
                if let Some(intent) = self.state.intents.get_mut(&create.id) {
                    intent.server_id = Some(id.clone());
                }
                action.server_id = Some(id);
                self.tell(action, Outcome::Done, None);
                true
            }
            Err(error) => {
                let exists = self.failed(create, &error, self.time(live));
                self.tell(action, outcome_of(&error), Some(error.to_string()));
                if create.node_first && !exists {
                    self.take_back(live, create);
                }
                false
            }
        }
    }

    /// Returns the time: a pass may take minutes, and what is begun now is waited for from now.
    fn time(&self, live: &Live) -> Timestamp {
        let elapsed = SignedDuration::try_from(live.elapsed()).unwrap_or_default();
        self.context.now.saturating_add(elapsed).unwrap_or(self.context.now)
    }

    /// Returns the creates that were begun, none of them later than a time: in the eyes of a plan for that time, those
    /// of the pass itself are new.
    pub fn intents_seen_from(&self, now: Timestamp) -> BTreeMap<NodeId, Intent> {
        let mut intents = self.state.intents.clone();
        for intent in intents.values_mut().filter(|intent| intent.at > now) {
            intent.at = now;
        }
        intents
    }

    fn intent(&self, create: &Create, at: Timestamp) -> Intent {
        Intent {
            name: create.name.clone(),
            template: create.template.clone(),
            config: self
                .config
                .template(create.template.as_str())
                .map(|template| template.digest.clone())
                .unwrap_or_default(),
            provider: create.provider.clone(),
            zone: create.zone.clone(),
            image: create.offer.as_ref().map(|offer| offer.image.clone()),
            at,
            server_id: None,
        }
    }

    fn post(&self, live: &mut Live, create: &Create, joining: &Prepared) -> Result<ServerId, ProviderError> {
        let config = self.config;
        let (Some(template), Some(cloud), Some(offer)) = (
            config.template(create.template.as_str()),
            live.clouds.get_mut(&create.provider),
            &create.offer,
        ) else {
            return Err(ProviderError::Unavailable(
                "the plan names what is not there".to_owned(),
            ));
        };
        let labels = labels_of(template);
        let values = script::Values {
            id: create.id.as_str(),
            name: &create.name,
            node: template.name.as_str(),
            labels: &labels,
            owner: &config.owner,
            executors: template.executors,
            jenkins_url: &config.jenkins.url,
            joining: joining.values(),
        };
        let user_data = template.script.as_deref().map(|text| script::render(text, &values));
        let mut metadata: BTreeMap<String, String> = template.spec.metadata.clone();
        metadata.insert("mita-owner".to_owned(), config.owner.clone());
        metadata.insert("mita-node".to_owned(), template.name.to_string());
        metadata.insert("mita-id".to_owned(), create.id.to_string());
        metadata.insert("mita-config".to_owned(), template.digest.clone());
        let mark = ResourceMark {
            owner: config.owner.clone(),
            server: create.name.clone(),
        };
        cloud.create(&CreateServer {
            name: &create.name,
            spec: &template.spec,
            offer,
            zone: create.zone.as_ref(),
            metadata: &metadata,
            mark: &mark,
            user_data: user_data.as_deref(),
        })
    }

    /// Holds back what failed; forgets the intent unless the server may exist, and returns whether it may.
    fn failed(&mut self, create: &Create, error: &ProviderError, now: Timestamp) -> bool {
        let (key, exists) = match error {
            // What may be due to this template's flavor, volumes, image or network. What of it is due to the placement
            // shows when a second template fails there.
            ProviderError::Quota(_)
            | ProviderError::Capacity(_)
            | ProviderError::Zone(_)
            | ProviderError::Refused(_)
            | ProviderError::NotFound(_)
            | ProviderError::Conflict(_)
            | ProviderError::Failed(_) => (pair_of(create), false),
            ProviderError::Unknown(_) | ProviderError::BadAnswer(_) => (pair_of(create), true),
            ProviderError::ServerQuota(_) => (
                BackoffKey::Placement(create.provider.clone(), create.zone.clone()),
                false,
            ),
            ProviderError::Auth(_)
            | ProviderError::Unavailable(_)
            | ProviderError::Misrouted(_)
            | ProviderError::Throttled { .. } => (BackoffKey::Provider(create.provider.clone()), false),
        };
        if !exists && let Some(intent) = self.state.drop_intent(&create.id) {
            self.state.host_keys.remove(&create.id);
            self.may_have_ports(&intent, now);
        }
        let (reason, after) = (error.to_string(), retry_after(error));
        // What names a wrong key, image or group is the template's own fault, and says nothing of the placement.
        if let ProviderError::Refused(_) | ProviderError::NotFound(_) = error {
            record_failure(&mut self.state, &key, now, &reason, after, &self.config.timing);
            self.failed_keys.insert(key);
            return exists;
        }
        let held = charge(
            &mut self.state,
            self.config,
            &key,
            &create.template,
            now,
            &reason,
            after,
        );
        self.failed_keys.extend(held);
        exists
    }

    /// Returns whether an action may not be begun any more, in this pass or at its cloud, and records it then.
    fn skips(&mut self, live: &Live, action: &Action) -> bool {
        if let Some(reason) = live.must_end() {
            self.leave(vec![action.clone()], reason);
            return true;
        }
        let closed = action.provider.as_ref();
        let Some(reason) = closed.and_then(|provider| self.is_closed(live, provider)) else {
            return false;
        };
        self.tell(action.clone(), Outcome::Skipped, Some(reason));
        true
    }

    fn leave(&mut self, actions: Vec<Action>, reason: &str) {
        self.left_undone = true;
        for action in actions {
            self.tell(action, Outcome::Skipped, Some(reason.to_owned()));
        }
    }

    fn tell(&mut self, mut action: Action, result: Outcome, error: Option<String>) {
        action.result = result;
        action.error = error;
        let error = action
            .error
            .as_ref()
            .map_or_else(String::new, |error| format!(": {error}"));
        let (kind, name, because) = (action.kind.word(), &action.name, &action.because);
        let result = result.word();
        info!(
            "{}",
            printable(&format!("{kind} {name}: {result}{error}; because {because}"), 1000)
        );
        (self.told)(&action);
        self.actions.push(action);
    }
}

/// Returns how the deletion of a node is reported; `Done` alone lets its server go.
fn node_outcome(outcome: NodeRemoval) -> (Outcome, Option<String>) {
    let kept = |reason: String| (Outcome::Skipped, Some(reason));
    match outcome {
        NodeRemoval::Deleted | NodeRemoval::Gone => (Outcome::Done, None),
        NodeRemoval::Busy => kept("it is busy by now".to_owned()),
        NodeRemoval::HeldByPerson { reason } => kept(format!("a person took it offline by now: {reason}")),
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
        NodeRemoval::MarkLost => kept("somebody took our mark off by now".to_owned()),
        NodeRemoval::Failed(error) => (Outcome::Failed, Some(chain(&error))),
    }
}

/// Returns the labels of a template, a blank between.
fn labels_of(template: &Template) -> String {
    let labels: Vec<&str> = template.labels.iter().map(String::as_str).collect();
    labels.join(" ")
}

fn keys_of(create: &Create) -> [BackoffKey; 5] {
    [
        BackoffKey::Template(create.template.clone()),
        BackoffKey::Placement(create.provider.clone(), create.zone.clone()),
        pair_of(create),
        BackoffKey::FloatingIp(create.template.clone(), create.provider.clone()),
        BackoffKey::Provider(create.provider.clone()),
    ]
}

fn pair_of(create: &Create) -> BackoffKey {
    BackoffKey::TemplateAt(create.template.clone(), create.provider.clone(), create.zone.clone())
}

/// Returns how long a service asked to be left alone.
fn retry_after(error: &ProviderError) -> Option<SignedDuration> {
    let ProviderError::Throttled { retry_after, .. } = error else {
        return None;
    };
    retry_after.map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn outcome_of(error: &ProviderError) -> Outcome {
    match error {
        ProviderError::ServerQuota(_) | ProviderError::Quota(_) | ProviderError::Capacity(_) => Outcome::Refused,
        ProviderError::Unknown(_) | ProviderError::BadAnswer(_) => Outcome::Unknown,
        ProviderError::Refused(_)
        | ProviderError::Zone(_)
        | ProviderError::Auth(_)
        | ProviderError::NotFound(_)
        | ProviderError::Conflict(_)
        | ProviderError::Throttled { .. }
        | ProviderError::Misrouted(_)
        | ProviderError::Unavailable(_)
        | ProviderError::Failed(_) => Outcome::Failed,
    }
}
