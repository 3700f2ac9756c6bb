//! Ports: which of those that exist are free, and those that are made for a server.
//!
//! Ports that outlive their server are in `resources`.

use std::collections::BTreeSet;

use log::warn;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::catalog::Service;
use super::entry::ListEntry;
use super::error::{Fault, parse};
use super::names::missing;
use super::network;
use super::pages::pages;
use super::session::{Call, CallError, Session};
use crate::http::escaped;
use crate::lenient::{LenientText, Odd, text};
use crate::model::{PortOffer, PortSpec, is_uuid};
use crate::provider::{CreateServer, ProviderError};
use crate::text::printable;

#[derive(Debug, Deserialize)]
pub(super) struct Port {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    name: String,
    /// The server that has it; empty where it is free.
    #[serde(default)]
    device_id: LenientText,
}

impl ListEntry for Port {
    const NOUN: &'static str = "port";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("device_id", self.device_id.odd)]
    }
}

/// The answer to POST /ports.
#[derive(Debug, Deserialize)]
struct CreatedPort {
    port: Port,
}

/// Lists the ports with one of the names or ids; with neither, all of the project.
pub(super) fn ports(session: &mut Session, wanted: &BTreeSet<&str>) -> Result<Vec<Port>, ProviderError> {
    let (ids, names): (Vec<&str>, Vec<&str>) = wanted.iter().partition(|text| is_uuid(text));
    let mut all = Vec::new();
    if wanted.is_empty() {
        all = filtered(session, "")?;
    }
    // Neutron takes several values of one filter for "or", and two filters for "and".
    for (filter, texts) in [("id", ids), ("name", names)] {
        for some in texts.chunks(50) {
            let filters: Vec<String> = some.iter().map(|text| format!("&{filter}={}", escaped(text))).collect();
            all.append(&mut filtered(session, &filters.concat())?);
        }
    }
    Ok(all)
}

fn filtered(session: &mut Session, filters: &str) -> Result<Vec<Port>, ProviderError> {
    // To an administrator Neutron shows those of every project.
    let project = session.ensure_login()?.project.clone();
    let project = network::of_project(project.as_deref());
    let path = format!("/ports?fields=id&fields=name&fields=device_id{project}{filters}");
    pages(session, (Service::Network, "ports", &path), "ports")
}

/// Returns the ids of the free ones among ports that are named by name or id; a name may be that of several.
pub(super) fn free(ports: &[Port], wanted: &[&str], taken: &BTreeSet<String>, wrong: &mut Vec<String>) -> Vec<String> {
    let mut free = Vec::new();
    for name in wanted {
        let mut named = ports.iter().filter(|port| port.is(name)).peekable();
        if named.peek().is_none() {
            wrong.push(missing("port", name, ports.iter().map(|port| port.name.as_str())));
        }
        for port in named {
            let unused = port.device_id.odd.is_none() && port.device_id.value.as_deref().unwrap_or_default().is_empty();
            if unused && !taken.contains(&port.id) && !free.contains(&port.id) {
                free.push(port.id.clone());
            }
        }
    }
    free
}

impl Port {
    /// Returns whether it is meant by a name or id.
    pub(super) fn is(&self, wanted: &str) -> bool {
        self.name == wanted || self.id.eq_ignore_ascii_case(wanted)
    }
}

/// What a server is given, in the order of its ports.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// All of them, by id.
    pub all: Vec<String>,
    /// The one that a person made.
    pub existing: Option<String>,
    /// Those that were made for it.
    made: Vec<String>,
}

/// Takes the ports of a server: one of those that exist, and those that are made for it. When one is not available,
/// what was made is left to the sweep.
pub(super) fn take(session: &mut Session, server: &CreateServer<'_>) -> Result<Taken, ProviderError> {
    let mut taken = Taken::default();
    let mut made = server
        .spec
        .ports
        .iter()
        .filter(|port| matches!(port, PortSpec::Made { .. }));
    for port in &server.offer.ports {
        let id = match port {
            PortOffer::OneOf(ids) => pick(session, ids).inspect(|id| taken.existing = Some(id.clone())),
            PortOffer::New {
                network,
                security_groups,
            } => {
                make(session, server, made.next(), (network, security_groups)).inspect(|id| taken.made.push(id.clone()))
            }
        };
        match id {
            Ok(id) => taken.all.push(id),
            Err(error) => {
                give_back(session, taken);
                return Err(error);
            }
        }
    }
    Ok(taken)
}

/// Deletes the ports of a server that Nova surely refused.
pub(super) fn give_back(session: &mut Session, taken: Taken) {
    if let Some(id) = taken.existing {
        session.taken_ports.remove(&id);
    }
    for id in taken.made {
        let call = Call {
            method: Method::DELETE,
            service: Service::Network,
            path: &format!("/ports/{}", escaped(&id)),
            body: None,
        };
        let failed = match session.call(&call) {
            Ok(reply) if (200..300).contains(&reply.status) || Fault::read(&reply).is_gone(Service::Network) => {
                continue;
            }
            Ok(reply) => Fault::read(&reply).of_delete("port").to_string(),
            Err(CallError::NotMade(error)) => error.to_string(),
            Err(CallError::Http(error)) => error.to_string(),
        };
        warn!("openstack: the port {} stays for now: {failed}", printable(&id, 60));
    }
}

/// Picks a free port. A server that is only begun does not show on its port yet, so what was picked is remembered.
fn pick(session: &mut Session, ids: &[String]) -> Result<String, ProviderError> {
    let free = ids.iter().find(|id| !session.taken_ports.contains(*id)).cloned();
    let id = free.ok_or_else(|| ProviderError::Quota("every port of `ports` is in use".to_owned()))?;
    session.taken_ports.insert(id.clone());
    Ok(id)
}

fn make(
    session: &mut Session,
    server: &CreateServer<'_>,
    wanted: Option<&PortSpec>,
    (network, security_groups): (&str, &[String]),
) -> Result<String, ProviderError> {
    let what = format!("port of {}", printable(server.name, 100));
    let body = body(server, wanted, network, security_groups);
    let call = Call {
        method: Method::POST,
        service: Service::Network,
        path: "/ports",
        body: Some(body.as_bytes()),
    };
    // Without an answer the port may be there. No server was asked for, so the sweep finds it by its mark.
    let reply = session.call(&call).map_err(|error| match error {
        CallError::NotMade(ProviderError::BadAnswer(text)) => ProviderError::Unavailable(text),
        CallError::NotMade(error) => error,
        // Templates without ports get on without this service.
        CallError::Http(error) => ProviderError::Failed(format!("{what}: {error}")),
    })?;
    if !(200..300).contains(&reply.status) {
        return Err(Fault::read(&reply).of_port(&what));
    }
    let made: CreatedPort = parse(&what, &reply).map_err(|error| ProviderError::Failed(error.to_string()))?;
    Ok(made.port.id)
}

fn body(server: &CreateServer<'_>, wanted: Option<&PortSpec>, network: &str, security_groups: &[String]) -> String {
    let mut port = Map::new();
    port.insert("network_id".to_owned(), json!(network));
    port.insert("name".to_owned(), json!(server.name));
    port.insert("description".to_owned(), json!(server.mark.description()));
    if !security_groups.is_empty() {
        port.insert("security_groups".to_owned(), json!(security_groups));
    }
    if let Some(PortSpec::Made {
        vnic_type,
        port_security,
        ..
    }) = wanted
    {
        let vnic_type = vnic_type.as_ref().map(|kind| json!(kind));
        port.extend(vnic_type.map(|kind| ("binding:vnic_type".to_owned(), kind)));
        port.extend(port_security.map(|on| ("port_security_enabled".to_owned(), Value::Bool(on))));
    }
    json!({"port": port}).to_string()
}
