//! Creates servers: the intents first, then the requests; and holds back what was refused.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::prepared::Prepared;
use super::{Executor, Live};
use crate::config::script::HostKeyPair;
use crate::config::{Config, Template};
use crate::error::Error;
use crate::model::{Event, EventKind, FaultKind, NodeId, ResourceMark, ServerId};
use crate::pass::rows::create_action;
use crate::plan::backoff::{begin, charge, record_failure};
use crate::plan::events::server::{created, of_create};
use crate::plan::{Create, creating, problems};
use crate::provider::{CreateServer, ProviderError};
use crate::report::Outcome;
use crate::state::{BackoffKey, Intent, pauses};

/// Why a server is not created if its intent cannot be saved.
const UNWRITTEN: &str = "the state file cannot be written, and nothing is asked for that is not written down";

/// Intents are written anew when this part of their grace is over: three quarters are left for the request in flight.
const STALE: i32 = 4;

/// What became of a list of creates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch {
    /// How many were asked for.
    pub asked: u32,
    /// Whether some were not, because a placement or template failed: plan again.
    pub held_back: bool,
}

/// A create whose intent is written down and whose request is still to come.
struct Begun<'p> {
    create: &'p Create,
    host_key: Option<HostKeyPair>,
}

impl Executor<'_> {
    /// Creates servers. The intents of all of them are durable before the first request goes out, by one write: what an
    /// intent costs does not depend on how much is remembered. If they cannot be saved, none is begun.
    ///
    /// A pass that is killed leaves intents of servers that were never asked for; they count as booting for
    /// `intent_grace`, as those whose answer was lost.
    pub fn create(&mut self, live: &mut Live, creates: &[Create]) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        let mut begun = self.begin_all(live, creates, &mut batch);
        let mut written = self.time(live);
        self.write_intents(&begun, written)?;
        for at in 0..begun.len() {
            let create = begun[at].create;
            // A pass with many creates takes minutes.
            if !self.may_begin(live, create, &mut batch) {
                self.is_not_begun(create);
                continue;
            }
            let now = self.time(live);
            if self.is_stale(written, now) {
                self.write_intents(&begun[at..], now)?;
                written = now;
            }
            self.intend(create, now);
            batch.asked += 1;
            let host_key = begun[at].host_key.take();
            batch.held_back |= !self.create_one(live, create, host_key);
        }
        Ok(batch)
    }

    /// Intends all creates that may be begun, in memory.
    fn begin_all<'p>(&mut self, live: &Live, creates: &'p [Create], batch: &mut Batch) -> Vec<Begun<'p>> {
        let mut begun = Vec::with_capacity(creates.len());
        for create in creates {
            if !self.may_begin(live, create, batch) {
                continue;
            }
            match self.host_key(create) {
                Ok(host_key) => begun.push(Begun { create, host_key }),
                Err(reason) => {
                    self.note_unmade(live, create, EventKind::Failed, &reason);
                    self.record(create_action(create), Outcome::Failed, Some(reason));
                    self.failed_keys.insert(BackoffKey::Template(create.template.clone()));
                    batch.held_back = true;
                }
            }
        }
        begun
    }

    /// Returns whether a create may be begun now; if not, says why or holds it back for another plan.
    fn may_begin(&mut self, live: &Live, create: &Create, batch: &mut Batch) -> bool {
        let failed = keys_of(create).iter().any(|key| self.failed_keys.contains(key));
        if failed || self.is_closed(live, &create.provider).is_some() {
            batch.held_back = true;
            return false;
        }
        let action = create_action(create);
        if self.skips(live, &action) {
            return false;
        }
        let paused = self.paused_meanwhile(live, create);
        if paused.is_some() {
            self.record(action, Outcome::Skipped, paused.clone());
        }
        paused.is_none()
    }

    /// Says that an operator forbade it since the pass looked. A pass with many creates takes minutes.
    fn paused_meanwhile(&self, live: &Live, create: &Create) -> Option<String> {
        let pauses = pauses::load(&self.config.state_file);
        pauses.at(&create.template, &create.provider, self.time(live))
    }

    /// Writes down that servers are about to be asked for: all by one write. If that fails, none of them is.
    fn write_intents(&mut self, begun: &[Begun<'_>], now: Timestamp) -> Result<(), Error> {
        if begun.is_empty() {
            return Ok(());
        }
        for Begun { create, .. } in begun {
            self.intend(create, now);
            begin(
                &mut self.state,
                &create.template,
                &create.provider,
                create.zone.as_ref(),
            );
        }
        let saved = (self.save)(&self.state);
        if saved.is_err() {
            for Begun { create, .. } in begun {
                self.is_not_begun(create);
            }
            self.leave(
                begun.iter().map(|begun| create_action(begun.create)).collect(),
                UNWRITTEN,
            );
        }
        saved
    }

    /// Remembers that a server is about to be asked for.
    fn intend(&mut self, create: &Create, now: Timestamp) {
        let intent = self.intent(create, now);
        self.state.intents.insert(create.id.clone(), intent);
        if create.retry {
            self.state.begin_retry(&create.template, &create.id, now);
        }
    }

    /// Forgets what was intended and not begun.
    fn is_not_begun(&mut self, create: &Create) {
        self.state.drop_intent(&create.id);
        self.state.host_keys.remove(&create.id);
    }

    /// Returns whether intents were written so long ago that a pass which is killed now would leave a request that the
    /// next one does not wait for: their grace began when they were written.
    fn is_stale(&self, written: Timestamp, now: Timestamp) -> bool {
        now.duration_since(written) > self.config.timing.intent_grace / STALE
    }

    /// Returns whether the cloud took it.
    fn create_one(&mut self, live: &mut Live, create: &Create, host_key: Option<HostKeyPair>) -> bool {
        let mut action = create_action(create);
        let Some(joining) = self.prepare(live, create, host_key) else {
            let reason = "its Jenkins node could not be made".to_owned();
            self.note_unmade(live, create, EventKind::Failed, &reason);
            self.record(action, Outcome::Skipped, Some(reason));
            return false;
        };
        match self.post(live, create, &joining) {
            Ok(id) => {
                if let Some(intent) = self.state.intents.get_mut(&create.id) {
                    intent.server_id = Some(id.clone());
                }
                let event = created(create, &id, self.time(live), &self.context.pass);
                self.state.note(event);
                action.server_id = Some(id);
                self.is_taken(create);
                self.record(action, Outcome::Done, None);
                true
            }
            Err(error) => {
                let exists = self.failed(create, &error, self.time(live));
                self.note_unmade(live, create, event_of(&error), &error.to_string());
                self.record(action, outcome_of(&error), Some(error.to_string()));
                if create.node_first && !exists {
                    self.take_back(live, create);
                }
                false
            }
        }
    }

    /// Notes as an event that a server was not made, or that nobody knows.
    fn note_unmade(&mut self, live: &Live, create: &Create, kind: EventKind, error: &str) {
        let event = of_create(kind, create, self.time(live), &self.context.pass);
        self.state.note(Event {
            error: Some(error.to_owned()),
            ..event
        });
    }

    /// Remembers that a cloud took a server.
    fn is_taken(&mut self, create: &Create) {
        let zone = create.zone.clone();
        let place = creating::placement(&create.provider, zone.as_ref());
        creating::taken(&mut self.state, &create.template, &place);
        self.taken
            .push((create.template.clone(), create.provider.clone(), zone));
    }

    /// Remembers that a server cannot be made, for another reason than a quota.
    pub(super) fn is_refused(&mut self, create: &Create, reason: &str, now: Timestamp) {
        if let Some(template) = self.config.template(create.template.as_str()) {
            let place = creating::placement(&create.provider, create.zone.as_ref());
            creating::refused(&mut self.state, template, &place, reason, now);
        }
    }

    /// Returns the creates that were begun, none of them later than a time: for a plan at that time, those
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
            made_for: Some(create.made_for.clone()),
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
        let user_data = config.user_data(template, create.id.as_str(), &create.name, joining.values());
        let metadata = metadata(config, template, create);
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
        let (key, exists) = (key_of(create, error), may_exist(error));
        if !exists && let Some(intent) = self.state.drop_intent(&create.id) {
            self.state.host_keys.remove(&create.id);
            self.may_have_ports(&intent, now);
        }
        let (reason, after) = (error.to_string(), retry_after(error));
        if is_of_the_pair(error) {
            self.is_refused(create, &reason, now);
        }
        let template = self.config.template(create.template.as_str());
        if let Some(template) = template.filter(|_| FaultKind::blames_key_pair(&reason)) {
            self.found
                .push(problems::refused_key_pair(template, &create.provider, &reason));
        }
        // A wrong key, image or group is the template's fault, not the placement's.
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
}

/// Returns the metadata of the template with our marks, by which later passes know the server.
fn metadata(config: &Config, template: &Template, create: &Create) -> BTreeMap<String, String> {
    let mut metadata = template.spec.metadata.clone();
    metadata.insert("mita-owner".to_owned(), config.owner.clone());
    metadata.insert("mita-node".to_owned(), template.name.to_string());
    metadata.insert("mita-id".to_owned(), create.id.to_string());
    metadata.insert("mita-config".to_owned(), template.digest.clone());
    metadata
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

/// Returns what a failed create holds back.
fn key_of(create: &Create, error: &ProviderError) -> BackoffKey {
    match error {
        // These may be due to this template's flavor, volumes, image or network. If they are due to the placement, that
        // shows when a second template fails there.
        ProviderError::Quota(_)
        | ProviderError::Capacity(_)
        | ProviderError::Zone(_)
        | ProviderError::Refused(_)
        | ProviderError::NotFound(_)
        | ProviderError::Conflict(_)
        | ProviderError::Failed(_)
        | ProviderError::Unknown(_)
        | ProviderError::BadAnswer(_) => pair_of(create),
        ProviderError::ServerQuota(_) => BackoffKey::Placement(create.provider.clone(), create.zone.clone()),
        ProviderError::Auth(_)
        | ProviderError::Unavailable(_)
        | ProviderError::Misrouted(_)
        | ProviderError::Throttled { .. } => BackoffKey::Provider(create.provider.clone()),
    }
}

/// Whether a refusal says something of a template at a placement: a quota does not, nor does a provider that cannot be
/// reached.
fn is_of_the_pair(error: &ProviderError) -> bool {
    let is_quota = matches!(error, ProviderError::ServerQuota(_) | ProviderError::Quota(_));
    let is_provider = matches!(
        error,
        ProviderError::Auth(_)
            | ProviderError::Unavailable(_)
            | ProviderError::Misrouted(_)
            | ProviderError::Throttled { .. }
    );
    !is_quota && !is_provider
}

/// Returns whether the server may exist all the same.
fn may_exist(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Unknown(_) | ProviderError::BadAnswer(_))
}

fn pair_of(create: &Create) -> BackoffKey {
    BackoffKey::TemplateAt(create.template.clone(), create.provider.clone(), create.zone.clone())
}

/// Returns how long a service asked to be left alone.
pub(super) fn retry_after(error: &ProviderError) -> Option<SignedDuration> {
    let ProviderError::Throttled { retry_after, .. } = error else {
        return None;
    };
    retry_after.map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

pub(super) fn outcome_of(error: &ProviderError) -> Outcome {
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

/// Returns the event of a create without a server.
fn event_of(error: &ProviderError) -> EventKind {
    match outcome_of(error) {
        Outcome::Refused => EventKind::Refused,
        Outcome::Unknown => EventKind::Unknown,
        Outcome::Planned | Outcome::Done | Outcome::Failed | Outcome::Skipped => EventKind::Failed,
    }
}
