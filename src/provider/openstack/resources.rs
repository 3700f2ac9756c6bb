//! Resources that are attached to servers and can outlive them: floating IPs, ports, volumes, listed and removed.
//!
//! Ours have a mark, which is read here and judged in the plan. What the three look like is left to
//! `floating_ip`, `port` and `volume`, making ports to `create`.

mod floating_ip;
mod listed;
mod port;
mod volume;

use std::collections::BTreeSet;

use super::catalog::Service;
use super::delete;
use super::session::Session;
use crate::model::{Resource, ResourceKind};
use crate::provider::{Deleted, ProviderError};

use crate::text::printable;
use listed::Listed;

pub(super) use floating_ip::{Pools, add as add_floating_ip};
pub(super) use volume::mark as mark_volume;

/// Lists all resources of some kinds, whole or not at all; none of a service that the cloud lacks.
pub(super) fn resources(session: &mut Session, kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError> {
    let mut all = Vec::new();
    for kind in kinds {
        if !session.has(place(*kind).0)? {
            continue;
        }
        let project = session.project().map(str::to_owned);
        let listed = match kind {
            ResourceKind::FloatingIp => floating_ip::list(session, project.as_deref()),
            ResourceKind::Port => port::list(session, project.as_deref()),
            ResourceKind::Volume => volume::list(session),
        }?;
        // Neutron shows an administrator what all projects have.
        let of_ours = |one: &Listed| project.is_none() || one.project.is_none() || one.project == project;
        all.extend(listed.into_iter().filter(of_ours).map(|one| one.resource));
    }
    Ok(all)
}

/// Deletes one.
pub(super) fn remove(session: &mut Session, kind: ResourceKind, id: &str) -> Result<Deleted, ProviderError> {
    let (service, path, noun) = place(kind);
    let what = format!("delete {noun} {}", printable(id, 60));
    delete::one(session, (service, path), id, &what)
}

/// Returns what a kind is called.
pub(super) fn noun(kind: ResourceKind) -> &'static str {
    place(kind).2
}

/// The service, the path and the noun of a kind.
fn place(kind: ResourceKind) -> (Service, &'static str, &'static str) {
    match kind {
        ResourceKind::FloatingIp => (Service::Network, "/floatingips", "floating IP"),
        ResourceKind::Port => (Service::Network, "/ports", "port"),
        ResourceKind::Volume => (Service::Volume, "/volumes", "volume"),
    }
}
