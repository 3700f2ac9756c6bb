//! Floating IPs, ports and volumes: making, marking and removing what a plan names.

use std::net::IpAddr;

use jiff::Timestamp;
use log::info;

use super::Executor;
use super::create::{outcome_of, retry_after};
use crate::model::{PortSpec, ResourceKind, ResourceMark};
use crate::pass::Live;
use crate::pass::rows::{floating_ip_action, leftover_action};
use crate::plan::backoff::{clear, record_failure};
use crate::plan::{Leftover, NewFloatingIp, VolumeMark};
use crate::provider::{AddFloatingIp, Deleted, ProviderError};
use crate::report::{Action, Outcome};
use crate::state::{BackoffKey, GoneServer, Intent};
use crate::text::printable;

/// Why a floating IP is not asked for after one of the same pool was refused.
const REFUSED_BEFORE: &str = "another one was refused in this pass; a later pass tries again";

impl Executor<'_> {
    /// Removes the leftovers of servers that are gone.
    pub fn sweep(&mut self, live: &mut Live, sweeps: &[Leftover]) {
        for target in sweeps {
            let action = leftover_action(target);
            if !self.skips(live, &action) {
                self.remove_leftover(live, target, action);
            }
        }
    }

    /// Removes one thing. What cannot be removed is found again by a later pass, by its mark.
    pub(super) fn remove_leftover(&mut self, live: &mut Live, target: &Leftover, action: Action) {
        let Some(cloud) = live.clouds.get_mut(&target.provider) else {
            return self.record(
                action,
                Outcome::Failed,
                Some("its provider is not configured".to_owned()),
            );
        };
        match cloud.remove(target.kind, &target.id) {
            Ok(Deleted::Accepted | Deleted::AlreadyGone) => self.record(action, Outcome::Done, None),
            Err(error) => self.record(action, Outcome::Failed, Some(error.to_string())),
        }
    }

    /// Gives servers their floating IPs. One that is refused holds the others of its template back, and new servers of
    /// it.
    pub fn add_floating_ips(&mut self, live: &mut Live, wanted: &[NewFloatingIp]) {
        for wanted in wanted {
            let mut action = floating_ip_action(wanted);
            if self.skips(live, &action) {
                continue;
            }
            let key = BackoffKey::FloatingIp(wanted.template.clone(), wanted.provider.clone());
            if self.failed_keys.contains(&key) {
                self.record(action, Outcome::Skipped, Some(REFUSED_BEFORE.to_owned()));
                continue;
            }
            match self.add_floating_ip(live, wanted) {
                Ok(address) => {
                    clear(&mut self.state, &key);
                    action.target = Some(address.to_string());
                    self.record(action, Outcome::Done, None);
                }
                Err(error) => {
                    let (now, after) = (self.time(live), retry_after(&error));
                    let timing = &self.config.timing;
                    record_failure(&mut self.state, &key, now, &error.to_string(), after, timing);
                    self.failed_keys.insert(key);
                    self.record(action, outcome_of(&error), Some(error.to_string()));
                }
            }
        }
    }

    fn add_floating_ip(&self, live: &mut Live, wanted: &NewFloatingIp) -> Result<IpAddr, ProviderError> {
        let mark = ResourceMark {
            owner: self.config.owner.clone(),
            server: wanted.server.clone(),
        };
        let Some(cloud) = live.clouds.get_mut(&wanted.provider) else {
            return Err(ProviderError::Unavailable("its provider is not configured".to_owned()));
        };
        cloud.add_floating_ip(&AddFloatingIp {
            pool: &wanted.pool,
            server: &wanted.server_id,
            mark: &mark,
        })
    }

    /// Writes our mark on volumes that Nova made. What fails is tried again in the next pass, as long as the server is
    /// new.
    pub fn mark_volumes(&mut self, live: &mut Live, marks: &[VolumeMark]) {
        for wanted in marks {
            if live.must_end().is_some() {
                return;
            }
            let Some(cloud) = live.clouds.get_mut(&wanted.provider) else {
                continue;
            };
            let mark = ResourceMark {
                owner: self.config.owner.clone(),
                server: wanted.server.clone(),
            };
            let outcome = wanted.volumes.iter().try_for_each(|id| cloud.mark_volume(id, &mark));
            match outcome {
                Ok(()) => {
                    if let Some(memory) = self.state.nodes.get_mut(&wanted.node_id) {
                        memory.volumes_settled = true;
                    }
                }
                Err(error) => info!(
                    "{}",
                    printable(
                        &format!("the volumes of {} are not marked: {error}", wanted.server),
                        1000
                    )
                ),
            }
        }
    }

    /// Remembers that ports may have been made for a server that was refused then: the next pass looks.
    pub(super) fn may_have_ports(&mut self, intent: &Intent, now: Timestamp) {
        let template = self.config.template(intent.template.as_str());
        let is_made = |port: &PortSpec| matches!(port, PortSpec::Made { .. });
        if template.is_some_and(|template| template.spec.ports.iter().any(is_made)) {
            let gone_servers = GoneServer {
                provider: intent.provider.clone(),
                server_id: None,
                kinds: [ResourceKind::Port].into(),
                since: now,
                sightings: 0,
            };
            self.state.gone_servers.insert(intent.name.clone(), gone_servers);
        }
    }
}
