//! What Nova lists: servers, flavors, limits. Making and removing servers is left to `create`.

use foldhash::HashSet;

use super::catalog::Service;
use super::entry::ListEntry as _;
use super::error::{Fault, parse};
use super::pages::{Markers, next_marker, page, pages};
use super::server::{Failed, OneServer, WireServer};
use super::session::Session;
use super::wire::{Flavor, KeyPairsBody, LimitsBody, Named, ServerGroupsBody};
use crate::http::escaped;
use crate::lenient::{NumberOrText, Object};
use crate::model::{Headroom, Quota, Server, ServerId, ServerStatus};
use crate::provider::{Lookup, ProviderError, ServerList};
use crate::text::printable;

/// Lists every server of the project, whole or not at all.
pub(super) fn servers(session: &mut Session) -> Result<ServerList, ProviderError> {
    match list(session)? {
        Listing::Whole(list) => Ok(list),
        // The server that was the marker is gone meanwhile: Nova knows no place in the list any more.
        Listing::LostMarker(_) => match list(session)? {
            Listing::Whole(list) => Ok(list),
            Listing::LostMarker(fault) => Err(ProviderError::Unavailable(format!(
                "servers: the list changed under our hands, twice: {}",
                fault.text()
            ))),
        },
    }
}

/// Asks for one server. Only Nova's own 404 means that it is gone: one of a gateway or a proxy does not.
pub(super) fn server(session: &mut Session, id: &ServerId) -> Result<Lookup, ProviderError> {
    let what = format!("server {}", printable(id.as_str(), 60));
    if id.as_str().is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let path = format!("/servers/{}", escaped(id.as_str()));
    let reply = session.get(&what, Service::Compute, &path)?;
    if Fault::read(&reply).is_gone(Service::Compute) {
        return Ok(Lookup::Gone);
    }
    let found = parse::<OneServer<WireServer>>(&what, &reply)?.server;
    if !found.is_usable(&mut session.odd) {
        return Err(ProviderError::BadAnswer(format!("{what}: the answer names no server")));
    }
    if !found.is_attributable(&mut session.odd) {
        let text = format!("{what}: its name or its metadata cannot be read");
        return Err(ProviderError::BadAnswer(text));
    }
    Ok(Lookup::There(Box::new(found.into_server())))
}

/// Asks one server why it is in ERROR: the list does not show it of one that never got a host.
pub(super) fn fault(session: &mut Session, id: &ServerId) -> Result<Option<String>, ProviderError> {
    let what = "server in ERROR";
    let path = format!("/servers/{}", escaped(id.as_str()));
    let reply = session.get(what, Service::Compute, &path)?;
    Ok(parse::<OneServer<Failed>>(what, &reply)?.server.reason())
}

enum Listing {
    Whole(ServerList),
    LostMarker(Fault),
}

fn list(session: &mut Session) -> Result<Listing, ProviderError> {
    let what = "servers";
    let mut servers: Vec<Server> = Vec::new();
    let mut clock = None;
    let mut markers = Markers::default();
    let mut building = false;
    session.listed = 0;
    loop {
        let reply = session.get(what, Service::Compute, &markers.path("/servers/detail"))?;
        if reply.status == 400 && markers.last().is_some() {
            return Ok(Listing::LostMarker(Fault::read(&reply)));
        }
        let page = page::<WireServer>(what, "servers", &reply, &mut session.odd)?;
        clock = clock.or(reply.date());
        let had = servers.len();
        let last = page.entries.iter().rev().map(WireServer::id).find(|id| !id.is_empty());
        let last = last.map(str::to_owned);
        take(session, page.entries, &mut servers);
        let Some(last) = last else { break };
        building = building || servers[had..].iter().any(|s| s.status == ServerStatus::Build);
        let linked = next_marker(&page.links, &last);
        // While servers are being scheduled a page may be short and have no link, though more follow.
        if linked.is_none() && !building {
            break;
        }
        let must = linked.is_some();
        if !markers.advance(linked.unwrap_or(last)) {
            if must {
                return Err(markers.stuck(what));
            }
            // It was asked beyond a page without a link, and gave the same again: there is nothing beyond.
            break;
        }
    }
    without_doubles(&mut servers);
    Ok(Listing::Whole(ServerList { servers, clock }))
}

/// Takes the servers of a page that can be used; notes their ports, and how many there are.
fn take(session: &mut Session, page: Vec<WireServer>, servers: &mut Vec<Server>) {
    servers.reserve(page.len());
    for one in page {
        if let Some(port) = one.port() {
            session.taken_ports.insert(port.to_owned());
        }
        session.listed += 1;
        if one.is_usable(&mut session.odd) && one.is_attributable(&mut session.odd) {
            servers.push(one.into_server());
        }
    }
}

/// A server can move between two pages while both are read.
fn without_doubles(servers: &mut Vec<Server>) {
    let mut seen: HashSet<&ServerId> =
        HashSet::with_capacity_and_hasher(servers.len(), foldhash::fast::RandomState::default());
    let first: Vec<bool> = servers.iter().map(|server| seen.insert(&server.id)).collect();
    let mut first = first.into_iter();
    servers.retain(|_| first.next().unwrap_or(true));
}

pub(super) fn flavors(session: &mut Session) -> Result<Vec<Flavor>, ProviderError> {
    pages(session, (Service::Compute, "flavors", "/flavors/detail"), "flavors")
}

/// Lists the names of the user's key pairs.
pub(super) fn key_pairs(session: &mut Session) -> Result<Vec<String>, ProviderError> {
    let what = "key pairs";
    let reply = session.get(what, Service::Compute, "/os-keypairs")?;
    let body: KeyPairsBody = parse(what, &reply)?;
    let pairs = body.keypairs.all.into_iter();
    Ok(pairs.filter_map(|entry| Some(entry.keypair.0?.name)).collect())
}

/// Lists the server groups of the project.
pub(super) fn server_groups(session: &mut Session) -> Result<Vec<Named>, ProviderError> {
    let what = "server groups";
    let reply = session.get(what, Service::Compute, "/os-server-groups")?;
    let body: ServerGroupsBody = parse(what, &reply)?;
    Ok(body.server_groups.all)
}

/// A limit of the project: what it may have, and what is left of that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limit {
    /// `None`: no limit, or none that is shown.
    pub most: Option<u64>,
    pub left: Option<u64>,
}

impl Limit {
    /// A negative or unknown maximum is no limit. A project may use more than its quota (the quota was lowered).
    fn new(most: NumberOrText, used: NumberOrText) -> Self {
        let most = most.size();
        Self {
            most,
            left: most.map(|most| most.saturating_sub(used.size().unwrap_or(0))),
        }
    }
}

/// The limits of a project.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub instances: Limit,
    pub vcpus: Limit,
    pub ram_mb: Limit,
}

/// Reads what is left of the quota. The headroom is advice: a cloud that does not show it refuses what is too much.
pub(super) fn headroom(session: &mut Session) -> Result<Headroom, ProviderError> {
    let limits = match limits(session)? {
        Ok(limits) => limits,
        Err(text) => {
            session.odd.note("limits", "", &text);
            Limits::default()
        }
    };
    Ok(Headroom {
        instances: limits.instances.left,
        vcpus: limits.vcpus.left,
        ram_mb: limits.ram_mb.left,
        quota: Quota {
            instances: limits.instances.most,
            vcpus: limits.vcpus.most,
            ram_mb: limits.ram_mb.most,
        },
    })
}

/// Reads the limits; the inner error says that they are not shown. Listed servers are known to exist: Nova counts one
/// only once it has reached a cell, which takes seconds where many are being made.
pub(super) fn limits(session: &mut Session) -> Result<Result<Limits, String>, ProviderError> {
    let reply = session.get("limits", Service::Compute, "/limits")?;
    // A token or a pace that is refused is another thing.
    if !matches!(reply.status, 200..=299 | 401 | 429 | 498) {
        return Ok(Err(format!("the quota is not shown (status {})", reply.status)));
    }
    let body: LimitsBody = parse("limits", &reply)?;
    let Object(Some(limits)) = body.limits.0.unwrap_or_default().absolute else {
        return Ok(Err("the quota is not shown (limits.absolute)".to_owned()));
    };
    for (field, odd) in limits.odd() {
        if let Some(odd) = odd {
            session.odd.note("limits", "", &format!("{field} is {odd}"));
        }
    }
    let listed = i64::try_from(session.listed).unwrap_or(i64::MAX);
    let used = limits.total_instances_used.value.unwrap_or(0).max(listed);
    Ok(Ok(Limits {
        instances: Limit::new(limits.max_total_instances, used.into()),
        vcpus: Limit::new(limits.max_total_cores, limits.total_cores_used),
        ram_mb: Limit::new(limits.max_total_ram, limits.total_ram_used),
    }))
}
