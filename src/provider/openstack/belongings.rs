//! What belongs to servers and can outlive them: floating IPs, ports, volumes, listed and removed.
//!
//! Ours are told by their mark, which is read here and judged in the plan. What the three look like is left to
//! `floating_ip`, `port` and `volume`, making ports to `create`.

mod floating_ip;
mod port;
mod volume;

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize;
use ureq::http::Method;

use super::catalog::Service;
use super::compute::{Markers, next_marker};
use super::error::{Fault, unreachable};
use super::session::{Call, CallError, Session};
use super::told::Loose;
use super::wire::Link;
use crate::http::{HttpError, Reply, escaped, printable};
use crate::model::{Belonging, BelongingKind, ServerId};
use crate::provider::{Deleted, ProviderError};

pub(super) use floating_ip::{Pools, add as add_floating_ip};
pub(super) use volume::mark as mark_volume;

/// The longest name that is kept.
const LONGEST_NAME: usize = 100;

/// Lists everything of some kinds, whole or not at all. Of a service that the cloud lacks there is nothing.
pub(super) fn belongings(
    session: &mut Session,
    kinds: &BTreeSet<BelongingKind>,
) -> Result<Vec<Belonging>, ProviderError> {
    let mut all = Vec::new();
    for kind in kinds {
        if !session.has(place(*kind).0)? {
            continue;
        }
        let project = session.project().map(str::to_owned);
        let listed = match kind {
            BelongingKind::FloatingIp => floating_ip::list(session, project.as_deref()),
            BelongingKind::Port => port::list(session, project.as_deref()),
            BelongingKind::Volume => volume::list(session),
        }?;
        // Neutron shows an administrator what all projects have.
        let of_ours = |one: &Listed| project.is_none() || one.project.is_none() || one.project == project;
        all.extend(listed.into_iter().filter(of_ours).map(|one| one.belonging));
    }
    Ok(all)
}

/// Asks for the end of one.
pub(super) fn remove(session: &mut Session, kind: BelongingKind, id: &str) -> Result<Deleted, ProviderError> {
    let (service, path, noun) = place(kind);
    let what = format!("delete {noun} {}", printable(id, 60));
    if id.is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let call = Call {
        method: Method::DELETE,
        service,
        path: &format!("{path}/{}", escaped(id)),
        body: None,
    };
    let reply = match session.call(&call) {
        Ok(reply) => reply,
        Err(CallError::NotMade(error)) => return Err(error),
        // Nothing is lost by asking again in the next pass.
        Err(CallError::Http(error @ HttpError::Broken { .. })) => {
            return Err(ProviderError::Unknown(format!("{what}: {error}")));
        }
        Err(CallError::Http(error)) => return Err(unreachable(&what, &error)),
    };
    let fault = Fault::of(&reply);
    match reply.status {
        200..=299 => Ok(Deleted::Accepted),
        // A page of a proxy is no proof that it is gone: forgetting it would leak it.
        404 if fault.json || reply.body.is_empty() => Ok(Deleted::AlreadyGone),
        _ => Err(fault.of_delete(&what)),
    }
}

/// Where a kind lives, and how it is called.
fn place(kind: BelongingKind) -> (Service, &'static str, &'static str) {
    match kind {
        BelongingKind::FloatingIp => (Service::Network, "/floatingips", "floating IP"),
        BelongingKind::Port => (Service::Network, "/ports", "port"),
        BelongingKind::Volume => (Service::Volume, "/volumes", "volume"),
    }
}

/// An entry of a list, and whose it is.
struct Listed {
    belonging: Belonging,
    project: Option<String>,
}

/// What uses a port.
#[derive(Debug, Default, Deserialize)]
struct Device {
    #[serde(default)]
    device_id: Loose,
    #[serde(default)]
    device_owner: Loose,
}

impl Device {
    /// Returns its id where it is a server.
    fn server(self) -> Option<ServerId> {
        let by_nova = self
            .device_owner
            .filled()
            .is_some_and(|owner| owner.starts_with("compute:"));
        self.device_id.filled().filter(|_| by_nova).map(ServerId::new)
    }
}

/// Returns a name as it may be shown, the id where there is none.
fn name_of(name: Loose, id: &str) -> String {
    let name = printable(&name.0.unwrap_or_default(), LONGEST_NAME);
    if name.is_empty() { id.to_owned() } else { name }
}

/// Reads all pages of a list. An entry that moved between two pages is kept once.
fn pages<T>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    read: impl Fn(&Reply) -> Result<(Vec<T>, Vec<Link>), ProviderError>,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ProviderError> {
    for _ in 0..2 {
        if let Some(mut all) = attempt(session, (service, what, path), &read, &id)? {
            let mut seen = HashSet::new();
            all.retain(|one| seen.insert(id(one).to_owned()));
            return Ok(all);
        }
    }
    Err(ProviderError::Unavailable(format!(
        "{what}: the list changed under our hands, twice"
    )))
}

/// Reads them once; `None` when the entry that was the marker is gone meanwhile.
fn attempt<T>(
    session: &mut Session,
    (service, what, path): (Service, &str, &str),
    read: &impl Fn(&Reply) -> Result<(Vec<T>, Vec<Link>), ProviderError>,
    id: &impl Fn(&T) -> &str,
) -> Result<Option<Vec<T>>, ProviderError> {
    let mut all = Vec::new();
    let mut markers = Markers::default();
    loop {
        let reply = session.get(what, service, &markers.path(path))?;
        if matches!(reply.status, 400 | 404) && markers.last().is_some() {
            return Ok(None);
        }
        let (mut entries, links) = read(&reply)?;
        let next = entries.last().and_then(|last| next_marker(&links, id(last)));
        all.append(&mut entries);
        let Some(next) = next else {
            return Ok(Some(all));
        };
        if !markers.advance(next) {
            return Err(markers.stuck(what));
        }
    }
}
