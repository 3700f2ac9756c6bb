//! Floating IPs: listed, and made for a port in one request, so that none is left behind without its server's name.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::listed::{Device, Listed, mark_of, name_of};
use super::port::{self, Way};
use crate::http::Reply;
use crate::lenient::{Lenient, LenientText, Object, Odd, Utc, text};
use crate::model::{Resource, ResourceKind, ResourceMark, is_uuid};
use crate::provider::openstack::catalog::Service;
use crate::provider::openstack::entry::ListEntry;
use crate::provider::openstack::error::{Fault, unreachable};
use crate::provider::openstack::network;
use crate::provider::openstack::pages::pages;
use crate::provider::openstack::session::{Call, CallError, Session};
use crate::provider::openstack::wire::Network;
use crate::provider::{AddFloatingIp, ProviderError};
use crate::text::printable;

/// The fields that are asked for; a cloud ignores those that it does not know.
const FIELDS: &str = "fields=id&fields=floating_ip_address&fields=port_id&fields=port_details&fields=description\
    &fields=created_at&fields=project_id&fields=tenant_id";

/// The external networks, once they were asked for.
pub(in crate::provider::openstack) type Pools = Option<Vec<Network>>;

#[derive(Deserialize)]
struct Shown {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    floating_ip_address: LenientText,
    #[serde(default)]
    port_id: LenientText,
    #[serde(default)]
    port_details: Object<Device>,
    #[serde(default)]
    description: LenientText,
    #[serde(default)]
    created_at: Lenient<Utc>,
    #[serde(default)]
    project_id: LenientText,
    #[serde(default)]
    tenant_id: LenientText,
}

impl ListEntry for Shown {
    const NOUN: &'static str = "floating IP";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("port_id", self.port_id.odd), ("description", self.description.odd)]
    }
}

impl Shown {
    fn listed(self) -> Listed {
        Listed {
            project: self.project_id.filled().or_else(|| self.tenant_id.filled()),
            resource: Resource {
                kind: ResourceKind::FloatingIp,
                name: name_of(self.floating_ip_address, &self.id),
                id: self.id,
                // What cannot be read may be a port.
                in_use: self.port_id.odd.is_some() || self.port_id.filled().is_some(),
                server: self.port_details.0.and_then(Device::server),
                created: self.created_at.value.map(|at| at.0),
                mark: mark_of(self.description),
            },
        }
    }
}

pub(super) fn list(session: &mut Session, project: Option<&str>) -> Result<Vec<Listed>, ProviderError> {
    let path = format!("/floatingips?{FIELDS}{}", network::of_project(project));
    match pages::<Shown>(session, (Service::Network, "floating IPs", &path), "floatingips") {
        Ok(all) => Ok(all.into_iter().map(Shown::listed).collect()),
        // A Neutron without routers knows no floating IPs, and says so itself.
        Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Gives a server a floating IP. A server with several ports is tried port by port until the pool's router reaches one.
pub(in crate::provider::openstack) fn add(
    session: &mut Session,
    pools: &mut Pools,
    wanted: &AddFloatingIp<'_>,
) -> Result<IpAddr, ProviderError> {
    let what = format!("floating IP for {}", printable(&wanted.mark.server, 100));
    if wanted.server.as_str().is_empty() {
        return Err(ProviderError::Refused(format!("{what}: the server has no id")));
    }
    let network = pool(session, pools, wanted.pool)?;
    let ways = port::ways(session, wanted.server)?;
    let mut none = if ways.iter().any(|way| way.ipv4.is_none()) {
        ProviderError::Refused(format!(
            "{what}: its ports have no IPv4 address, and floating IPs are IPv4 only"
        ))
    } else {
        ProviderError::Conflict(format!("{what}: the server has no port yet"))
    };
    for way in &ways {
        let Some(address) = &way.ipv4 else { continue };
        match make(session, &what, &network, way, address, wanted.mark) {
            Ok(ip) => return Ok(ip),
            Err(Missed::Way(error)) => none = error,
            Err(Missed::All(error)) => return Err(error),
        }
    }
    Err(none)
}

/// Why there is no floating IP.
enum Missed {
    /// The pool does not reach this port.
    Way(ProviderError),
    /// Another port would fare no better.
    All(ProviderError),
}

/// Finds the id of a pool; an id needs no list, the cloud checks it.
fn pool(session: &mut Session, pools: &mut Pools, wanted: &str) -> Result<String, ProviderError> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    let external = match pools.take() {
        Some(known) => known,
        None => external_networks(session)?,
    };
    network::resolve(pools.insert(external), wanted)
        .map_err(|wrong| ProviderError::Refused(format!("floating_ip_pool: of the external networks, {wrong}")))
}

fn external_networks(session: &mut Session) -> Result<Vec<Network>, ProviderError> {
    let path = "/networks?router:external=True&fields=id&fields=name";
    pages(session, (Service::Network, "external networks", path), "networks")
}

fn make(
    session: &mut Session,
    what: &str,
    network: &str,
    way: &Way,
    address: &str,
    mark: &ResourceMark,
) -> Result<IpAddr, Missed> {
    let mut floating = json!({"floating_network_id": network, "port_id": way.port, "description": mark.description()});
    if way.several {
        floating["fixed_ip_address"] = json!(address);
    }
    let body = json!({ "floatingip": floating }).to_string();
    let call = Call {
        method: Method::POST,
        service: Service::Network,
        path: "/floatingips",
        body: Some(body.as_bytes()),
    };
    match session.call(&call) {
        Ok(reply) => made(what, &reply),
        Err(CallError::NotMade(error)) => Err(Missed::All(error)),
        Err(CallError::Http(error)) if error.not_sent() => Err(Missed::All(unreachable(what, &error))),
        Err(CallError::Http(error)) => Err(Missed::All(ProviderError::Unknown(format!("{what}: {error}")))),
    }
}

#[derive(Deserialize)]
struct Made {
    floatingip: MadeIp,
}

#[derive(Deserialize)]
struct MadeIp {
    floating_ip_address: IpAddr,
}

fn made(what: &str, reply: &Reply) -> Result<IpAddr, Missed> {
    let fault = Fault::read(reply);
    match reply.status {
        200..=299 => {
            let body: Option<Made> = serde_json::from_slice(&reply.body).ok();
            body.map(|body| body.floatingip.floating_ip_address).ok_or_else(|| {
                Missed::All(ProviderError::Unknown(format!(
                    "{what}: accepted (status {}), but the answer names no address",
                    reply.status
                )))
            })
        }
        _ if fault.is_no_way() => Err(Missed::Way(fault.of_floating_ip(what))),
        _ => Err(Missed::All(fault.of_floating_ip(what))),
    }
}
