//! The shapes of what OpenStack sends, and nothing but the fields that are needed.
//!
//! A list that is not there is an error, never an empty list. Everything else about a server may be missing: with a
//! cell down a server may have little more than its id. What the fields mean is left to the other files here.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::told::{FromText, Id, Inner, Loose, Message, Told, object, or_default};
use crate::model::{Address, Mark, NodeId, Server, ServerId, ServerStatus, TemplateName, Zone};

/// A link to another page.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    pub rel: Loose,
    #[serde(default)]
    pub href: Loose,
}

/// A page of `servers/detail`.
#[derive(Debug, Deserialize)]
pub(super) struct ServersPage {
    pub servers: Vec<WireServer>,
    #[serde(default)]
    pub servers_links: Vec<Link>,
}

/// The answer where one server is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct OneServer<T> {
    pub server: T,
}

/// Why a server is in ERROR.
#[derive(Debug, Deserialize)]
pub(super) struct Failed {
    #[serde(default)]
    fault: Inner<Message>,
}

impl Failed {
    pub(super) fn reason(self) -> Option<String> {
        self.fault.0.map(|text| crate::http::printable(&text, 300))
    }
}

/// A server as the list shows it.
#[derive(Debug, Deserialize)]
pub(super) struct WireServer {
    pub id: String,
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    status: Told<ServerStatus>,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    task_state: Loose,
    #[serde(default)]
    created: Told<Timestamp>,
    #[serde(default)]
    addresses: Addresses,
    #[serde(default, rename = "OS-EXT-AZ:availability_zone")]
    zone: Loose,
    #[serde(default, rename = "os-extended-volumes:volumes_attached")]
    volumes: Vec<Named>,
    #[serde(default)]
    image: Inner<Id>,
    #[serde(default)]
    fault: Inner<Message>,
    #[serde(default)]
    metadata: Marks,
}

impl WireServer {
    /// Makes it a server. One whose age is not told is given `youngest` as its birth, so that no age limit holds
    /// against it: what is not known must not be a reason to remove it.
    pub(super) fn into_server(self, youngest: Timestamp) -> Server {
        Server {
            id: ServerId::new(self.id),
            name: self.name.0.unwrap_or_default(),
            status: self
                .status
                .0
                .unwrap_or_else(|| ServerStatus::Other("UNKNOWN".to_owned())),
            task_state: self.task_state.filled(),
            created: self.created.0.unwrap_or(youngest),
            addresses: self.addresses.0,
            zone: self.zone.filled().map(Zone::new),
            image: self.image.0,
            volumes: self
                .volumes
                .into_iter()
                .filter_map(|volume| volume.id.filled())
                .collect(),
            fault: self.fault.0.map(|text| crate::http::printable(&text, 300)),
            mark: self.metadata.mark,
        }
    }

    /// Returns the existing port that it was given when it was made.
    pub(super) fn port(&self) -> Option<&str> {
        self.metadata.port.as_deref()
    }
}

/// The metadata key under which a server of ours says which existing port it was given.
pub(super) const PORT_MARK: &str = "mita-port";

/// Our marks among a server's metadata; the rest is not kept.
#[derive(Debug, Default)]
struct Marks {
    mark: Option<Mark>,
    port: Option<String>,
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found: [Option<String>; 5] = [None, None, None, None, None];
        let index = |key: &str| match key {
            "mita-owner" => Some(0),
            "mita-node" => Some(1),
            "mita-id" => Some(2),
            "mita-config" => Some(3),
            PORT_MARK => Some(4),
            _ => None,
        };
        object(deserializer, index, |at: usize, text| found[at] = Some(text))?;
        let [owner, template, id, config, port] = found;
        let mark = owner.map(|owner| Mark {
            owner,
            template: template.map(TemplateName::new),
            id: id.as_deref().and_then(NodeId::parse),
            config,
        });
        Ok(Self { mark, port })
    }
}

/// The addresses of all networks, in the order of the answer.
#[derive(Debug, Default)]
struct Addresses(Vec<Address>);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            addr: Told<IpAddr>,
            #[serde(default, rename = "OS-EXT-IPS:type")]
            kind: Told<Floating>,
        }
        struct Networks;
        impl<'de> Visitor<'de> for Networks {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("addresses by network")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Addresses, A::Error> {
                let mut all = Vec::new();
                while let Some((_, entries)) = map.next_entry::<IgnoredAny, Vec<Entry>>()? {
                    all.extend(entries.into_iter().filter_map(|entry| {
                        Some(Address {
                            ip: entry.addr.0?,
                            floating: entry.kind.0.is_some(),
                        })
                    }));
                }
                Ok(Addresses(all))
            }

            fn visit_unit<E>(self) -> Result<Addresses, E> {
                Ok(Addresses::default())
            }
        }
        deserializer.deserialize_any(Networks)
    }
}

/// The type of a floating address; of any other nothing is made.
#[derive(Debug)]
struct Floating;

impl FromText for Floating {
    fn from_text(text: &str) -> Option<Self> {
        (text == "floating").then_some(Self)
    }
}

/// A page of `flavors/detail`.
#[derive(Debug, Deserialize)]
pub(super) struct FlavorsPage {
    pub flavors: Vec<Flavor>,
    #[serde(default)]
    pub flavors_links: Vec<Link>,
}

/// A flavor.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Flavor {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub vcpus: u64,
    /// MiB.
    #[serde(default, deserialize_with = "or_default")]
    pub ram: u64,
    /// GB of the root disk; 0 is as large as the image.
    #[serde(default, deserialize_with = "or_default")]
    pub disk: u64,
    /// Whether no new server may have it.
    #[serde(default, rename = "OS-FLV-DISABLED:disabled", deserialize_with = "or_default")]
    pub disabled: bool,
}

/// A page of Glance's images.
#[derive(Debug, Deserialize)]
pub(super) struct ImagesPage {
    pub images: Vec<Image>,
    #[serde(default)]
    pub next: Option<String>,
}

/// An image.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Image {
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub created_at: String,
    /// GB.
    #[serde(default, deserialize_with = "or_default")]
    pub min_disk: u64,
    /// MiB.
    #[serde(default, deserialize_with = "or_default")]
    pub min_ram: u64,
}

/// A page of Neutron's networks.
#[derive(Debug, Deserialize)]
pub(super) struct NetworksPage {
    pub networks: Vec<Network>,
    #[serde(default)]
    pub networks_links: Vec<Link>,
}

/// A network.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Network {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Whether it is shared with this project.
    #[serde(default, deserialize_with = "or_default")]
    pub shared: bool,
    /// Whether floating IPs are of it. Some clouds hide that of networks of other projects, which external ones are.
    #[serde(default, rename = "router:external")]
    pub external: Option<bool>,
    /// The project that it belongs to.
    #[serde(default)]
    pub project_id: Option<String>,
}

/// The answer of `os-server-groups`.
#[derive(Debug, Deserialize)]
pub(super) struct ServerGroupsBody {
    pub server_groups: Vec<Named>,
}

/// The answer of Cinder's `types`.
#[derive(Debug, Deserialize)]
pub(super) struct VolumeTypesBody {
    pub volume_types: Vec<Named>,
}

/// The answer of `limits`.
#[derive(Debug, Deserialize)]
pub(super) struct LimitsBody {
    pub limits: Limits,
}

/// Its one part of interest.
#[derive(Debug, Deserialize)]
pub(super) struct Limits {
    pub absolute: Absolute,
}

/// What a project may have and has; -1 is unlimited.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Absolute {
    #[serde(default = "unlimited")]
    pub max_total_instances: i64,
    #[serde(default)]
    pub total_instances_used: i64,
    #[serde(default = "unlimited")]
    pub max_total_cores: i64,
    #[serde(default)]
    pub total_cores_used: i64,
    #[serde(default = "unlimited", rename = "maxTotalRAMSize")]
    pub max_total_ram: i64,
    #[serde(default, rename = "totalRAMUsed")]
    pub total_ram_used: i64,
}

fn unlimited() -> i64 {
    -1
}

/// The answer to POST /servers. `adminPass` stands beside the id and is not read.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedBody {
    pub server: CreatedServer,
}

/// The new server.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedServer {
    pub id: String,
}

/// The answer of `os-keypairs`.
#[derive(Debug, Deserialize)]
pub(super) struct KeyPairsBody {
    pub keypairs: Vec<KeyPairEntry>,
}

/// An entry of it.
#[derive(Debug, Deserialize)]
pub(super) struct KeyPairEntry {
    pub keypair: Named,
}

/// Something of which only name and id are needed.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    pub id: Loose,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// The answer of `security-groups` (Neutron) and `os-security-groups` (Nova).
#[derive(Debug, Deserialize)]
pub(super) struct SecurityGroupsBody {
    pub security_groups: Vec<Named>,
}

/// The answer of `os-availability-zone`.
#[derive(Debug, Deserialize)]
pub(super) struct ZonesBody {
    #[serde(rename = "availabilityZoneInfo")]
    pub zones: Vec<ZoneInfo>,
}

/// An availability zone.
#[derive(Debug, Deserialize)]
pub(super) struct ZoneInfo {
    #[serde(default, rename = "zoneName")]
    pub name: String,
    #[serde(default, rename = "zoneState")]
    pub state: ZoneState,
}

/// Whether it takes servers.
#[derive(Debug, Deserialize)]
pub(super) struct ZoneState {
    #[serde(default)]
    pub available: bool,
}

impl Default for ZoneState {
    fn default() -> Self {
        Self { available: true }
    }
}
