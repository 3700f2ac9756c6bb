//! Ports: listed, and those of a server by which a floating IP can reach it.

use std::net::Ipv4Addr;

use serde::Deserialize;

use super::listed::{Device, Listed, mark_of, name_of};
use crate::http::escaped;
use crate::lenient::{Lenient, LenientText, List, Odd, Utc, text};
use crate::model::{Resource, ResourceKind, ServerId};
use crate::provider::ProviderError;
use crate::provider::openstack::catalog::Service;
use crate::provider::openstack::entry::ListEntry;
use crate::provider::openstack::network;
use crate::provider::openstack::pages::pages;
use crate::provider::openstack::session::Session;

/// The fields that are asked for; a cloud ignores those that it does not know.
const FIELDS: &str = "fields=id&fields=name&fields=device_id&fields=device_owner&fields=description&fields=created_at\
    &fields=project_id&fields=tenant_id";

#[derive(Deserialize)]
struct Shown {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    device_id: LenientText,
    #[serde(default)]
    device_owner: LenientText,
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
    const NOUN: &'static str = "port";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("device_id", self.device_id.odd), ("description", self.description.odd)]
    }
}

impl Shown {
    fn listed(self) -> Listed {
        let device = Device {
            device_id: self.device_id,
            device_owner: self.device_owner,
        };
        Listed {
            project: self.project_id.filled().or_else(|| self.tenant_id.filled()),
            resource: Resource {
                kind: ResourceKind::Port,
                name: name_of(self.name, &self.id),
                id: self.id,
                // What cannot be read may be a device.
                in_use: device.device_id.odd.is_some()
                    || device.device_id.value.as_ref().is_some_and(|id| !id.is_empty()),
                server: device.server(),
                created: self.created_at.value.map(|at| at.0),
                mark: mark_of(self.description),
            },
        }
    }
}

pub(super) fn list(session: &mut Session, project: Option<&str>) -> Result<Vec<Listed>, ProviderError> {
    let path = format!("/ports?{FIELDS}{}", network::of_project(project));
    let all: Vec<Shown> = pages(session, (Service::Network, "ports", &path), "ports")?;
    Ok(all.into_iter().map(Shown::listed).collect())
}

/// A port of a server, as a way for a floating IP.
pub(super) struct Way {
    pub port: String,
    /// Its first IPv4 address, if it has one.
    pub ipv4: Option<String>,
    /// Whether it has more of them, so that the request must name the one that is meant.
    pub several: bool,
}

#[derive(Deserialize)]
struct Addressed {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    fixed_ips: List<FixedIp>,
}

impl ListEntry for Addressed {
    const NOUN: &'static str = "port";

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Deserialize)]
struct FixedIp {
    #[serde(default)]
    ip_address: LenientText,
}

/// Asks for the ports of a server: those with an IPv4 address first.
pub(super) fn ways(session: &mut Session, server: &ServerId) -> Result<Vec<Way>, ProviderError> {
    let path = format!(
        "/ports?device_id={}&fields=id&fields=fixed_ips",
        escaped(server.as_str())
    );
    let ports: Vec<Addressed> = pages(session, (Service::Network, "ports of a server", &path), "ports")?;
    let mut ways: Vec<Way> = ports.into_iter().map(way).collect();
    ways.sort_by_key(|way| way.ipv4.is_none());
    Ok(ways)
}

fn way(port: Addressed) -> Way {
    let texts = port
        .fixed_ips
        .all
        .into_iter()
        .filter_map(|fixed| fixed.ip_address.value);
    let mut v4 = texts.filter(|text| text.parse::<Ipv4Addr>().is_ok());
    Way {
        port: port.id,
        ipv4: v4.next(),
        several: v4.next().is_some(),
    }
}
