//! What Nova lists: servers, flavors, limits. Making and removing servers is left to `create`.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: a reply without a Date has this machine's clock"
)]

use foldhash::HashSet;

use jiff::Timestamp;

use super::catalog::Service;
use super::error::{Fault, parse};
use super::pages::{Markers, next_marker, pages};
use super::session::{Session, date};
use super::wire::{
    Failed, Flavor, FlavorsPage, LimitsBody, Named, OneServer, ServerGroupsBody, ServersPage, WireServer,
};
use crate::http::{Reply, escaped, printable};
use crate::model::{Room, Server, ServerId, ServerStatus};
use crate::provider::{Lookup, ProviderError, ServerList};

/// Lists every server of the project, whole or not at all.
pub(super) fn servers(session: &mut Session) -> Result<ServerList, ProviderError> {
    match list(session)? {
        Listing::Whole(list) => Ok(list),
        // The server that was the marker is gone meanwhile: Nova knows no place in the list any more.
        Listing::LostMarker(_) => match list(session)? {
            Listing::Whole(list) => Ok(list),
            Listing::LostMarker(fault) => Err(ProviderError::Unavailable(format!(
                "servers: the list changed under our hands, twice: {}",
                fault.said()
            ))),
        },
    }
}

/// Asks for one server. Only Nova's own 404 says that it is gone: a gateway's or a proxy's says nothing of it.
pub(super) fn server(session: &mut Session, id: &ServerId) -> Result<Lookup, ProviderError> {
    let what = format!("server {}", printable(id.as_str(), 60));
    if id.as_str().is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let path = format!("/servers/{}", escaped(id.as_str()));
    let reply = session.get(&what, Service::Compute, &path)?;
    if Fault::of(&reply).is_gone(Service::Compute) {
        return Ok(Lookup::Gone);
    }
    let youngest = date(&reply).unwrap_or_else(Timestamp::now);
    let found = parse::<OneServer<WireServer>>(&what, &reply)?.server;
    Ok(Lookup::There(Box::new(found.into_server(youngest))))
}

/// Asks one server why it is in ERROR: of one that never got a host, the list does not tell.
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
    loop {
        let reply = session.get(what, Service::Compute, &markers.path("/servers/detail"))?;
        if reply.status == 400 && markers.last().is_some() {
            return Ok(Listing::LostMarker(Fault::of(&reply)));
        }
        let page: ServersPage = parse(what, &reply)?;
        let told = date(&reply);
        clock = clock.or(told);
        let youngest = told.or(clock).unwrap_or_else(Timestamp::now);
        let had = servers.len();
        for port in page.servers.iter().filter_map(WireServer::port) {
            session.taken_ports.insert(port.to_owned());
        }
        servers.extend(page.servers.into_iter().map(|server| server.into_server(youngest)));
        let Some(last) = servers
            .get(had..)
            .and_then(<[Server]>::last)
            .map(|s| s.id.as_str().to_owned())
        else {
            break;
        };
        building = building || servers[had..].iter().any(|s| s.status == ServerStatus::Build);
        let linked = next_marker(&page.servers_links, &last);
        // While servers are being scheduled a page may be short and bear no link, though more follow.
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

/// A server can move between two pages while both are read.
fn without_doubles(servers: &mut Vec<Server>) {
    let mut seen: HashSet<&ServerId> =
        HashSet::with_capacity_and_hasher(servers.len(), foldhash::fast::RandomState::default());
    let first: Vec<bool> = servers.iter().map(|server| seen.insert(&server.id)).collect();
    let mut first = first.into_iter();
    servers.retain(|_| first.next().unwrap_or(true));
}

/// Lists all flavors.
pub(super) fn flavors(session: &mut Session) -> Result<Vec<Flavor>, ProviderError> {
    let what = "flavors";
    let read = |reply: &Reply| {
        let page: FlavorsPage = parse(what, reply)?;
        Ok((page.flavors, page.flavors_links))
    };
    pages(session, (Service::Compute, what, "/flavors/detail"), read, |flavor| {
        &flavor.id
    })
}

/// Lists the server groups of the project.
pub(super) fn server_groups(session: &mut Session) -> Result<Vec<Named>, ProviderError> {
    let what = "server groups";
    let reply = session.get(what, Service::Compute, "/os-server-groups")?;
    let body: ServerGroupsBody = parse(what, &reply)?;
    Ok(body.server_groups)
}

/// Reads what is left of the quota. `listed` servers are known to exist: Nova counts one only once it has reached a cell,
/// which takes seconds where many are being made.
pub(super) fn room(session: &mut Session, listed: usize) -> Result<Room, ProviderError> {
    let reply = session.get("limits", Service::Compute, "/limits")?;
    let body: LimitsBody = parse("limits", &reply)?;
    let limits = body.limits.absolute;
    let listed = i64::try_from(listed).unwrap_or(i64::MAX);
    Ok(Room {
        instances: left(limits.max_total_instances, limits.total_instances_used.max(listed)),
        vcpus: left(limits.max_total_cores, limits.total_cores_used),
        ram_mb: left(limits.max_total_ram, limits.total_ram_used),
    })
}

/// What is left; a negative maximum is none, and a project may use more than it may (the quota was lowered).
fn left(most: i64, used: i64) -> Option<u64> {
    let most = u64::try_from(most).ok()?;
    Some(most.saturating_sub(u64::try_from(used).unwrap_or(0)))
}
