//! The shapes of what OpenStack sends, and nothing but the fields that are needed.
//!
//! A list that is not there is an error, never an empty list. Everything else about a server may be missing: with a
//! cell down a server may have little more than its id. What the fields mean is left to the other files here.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess};

use super::lax::{Flag, Lax, Many, Number};
use super::odd::Oddities;
use super::pages::Entry;
use super::told::{FromText, Id, Inner, Loose, Message, Odd, Taker, Told, Utc, any, filled, object, text};
use crate::model::{Address, Mark, NodeId, Server, ServerId, ServerStatus, TemplateName, Zone};

/// A link to another page.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    pub rel: Loose,
    #[serde(default)]
    pub href: Loose,
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
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    status: Told<ServerStatus>,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    task_state: Loose,
    #[serde(default)]
    created: Told<Utc>,
    #[serde(default)]
    addresses: Addresses,
    #[serde(default, rename = "OS-EXT-AZ:availability_zone")]
    zone: Loose,
    #[serde(default, rename = "os-extended-volumes:volumes_attached")]
    volumes: Many<Named>,
    #[serde(default)]
    image: Inner<Id>,
    #[serde(default)]
    fault: Inner<Message>,
    #[serde(default)]
    metadata: Marks,
}

impl Entry for WireServer {
    const NOUN: &'static str = "server";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        let fields = [
            ("status", self.status.1),
            ("task_state", self.task_state.1),
            ("created", self.created.1),
            ("addresses", self.addresses.1),
            ("availability_zone", self.zone.1),
            ("volumes_attached", self.volumes.odd),
            ("metadata", self.metadata.odd),
        ];
        if fields.iter().all(|(_, odd)| odd.is_none()) {
            return Vec::new();
        }
        fields.to_vec()
    }
}

impl WireServer {
    /// Returns whether it is told whose it is: by its name and its metadata. One of which that cannot be read is neither
    /// ours nor anybody else's.
    pub(super) fn is_told(&self, oddities: &mut Oddities) -> bool {
        if self.name.0.is_none() {
            oddities.note(Self::NOUN, &self.id, "it has no readable name");
        }
        self.name.0.is_some() && self.metadata.odd.is_none()
    }

    /// Makes it a server.
    pub(super) fn into_server(self) -> Server {
        Server {
            id: ServerId::new(self.id),
            name: self.name.0.unwrap_or_default(),
            status: self
                .status
                .0
                .unwrap_or_else(|| ServerStatus::Other("UNKNOWN".to_owned())),
            task_state: self.task_state.filled(),
            created: self.created.0.map(|at| at.0),
            addresses: self.addresses.0,
            zone: self.zone.filled().map(Zone::new),
            image: self.image.0,
            volumes: self
                .volumes
                .all
                .into_iter()
                .map(|volume| volume.id)
                .filter(|id| !id.is_empty())
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
    odd: Odd,
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
        let odd = object(deserializer, index, |at: usize, text| found[at] = Some(text))?;
        let [owner, template, id, config, port] = found;
        let mark = owner.map(|owner| Mark {
            owner,
            template: template.map(TemplateName::new),
            id: id.as_deref().and_then(NodeId::parse),
            config,
        });
        Ok(Self { mark, port, odd })
    }
}

/// The addresses of all networks, in the order of the answer, and what stands there instead of some.
#[derive(Debug, Default)]
struct Addresses(Vec<Address>, Odd);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(default)]
            addr: Told<IpAddr>,
            #[serde(default, rename = "OS-EXT-IPS:type")]
            kind: Told<Floating>,
        }
        struct Networks;
        impl<'de> Taker<'de> for Networks {
            type Out = Addresses;

            fn nothing(self, odd: Odd) -> Addresses {
                Addresses(Vec::new(), odd)
            }

            fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Addresses, A::Error> {
                let mut all = Addresses::default();
                while let Some((_, entries)) = map.next_entry::<IgnoredAny, Many<Shown>>()? {
                    if !entries.listed || entries.odd.is_some() {
                        all.1 = Some("not a list of addresses in one of its networks");
                    }
                    for Shown { addr, kind } in entries.all {
                        match addr.0 {
                            Some(ip) => all.0.push(Address {
                                ip,
                                floating: kind.0.is_some(),
                            }),
                            None => all.1 = Some("not made of addresses only"),
                        }
                    }
                }
                Ok(all)
            }
        }
        any(deserializer, Networks)
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

/// A flavor.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Flavor {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    #[serde(default)]
    pub vcpus: Number,
    /// MiB.
    #[serde(default)]
    pub ram: Number,
    /// GB of the root disk; 0 is as large as the image.
    #[serde(default)]
    pub disk: Number,
    /// Whether no new server may have it.
    #[serde(default, rename = "OS-FLV-DISABLED:disabled")]
    pub disabled: Flag,
}

impl Flavor {
    /// Returns whether no new server may have it.
    pub(super) fn is_disabled(&self) -> bool {
        self.disabled.0 == Some(true)
    }
}

impl Entry for Flavor {
    const NOUN: &'static str = "flavor";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("vcpus", self.vcpus.1), ("ram", self.ram.1), ("disk", self.disk.1)]
    }
}

/// A page of Glance's images.
#[derive(Debug, Deserialize)]
pub(super) struct ImagesPage {
    #[serde(default)]
    pub images: Many<Image>,
    #[serde(default)]
    pub next: Loose,
}

/// An image.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Image {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "filled")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub status: String,
    #[serde(default, deserialize_with = "filled")]
    pub owner: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub created_at: String,
    /// GB.
    #[serde(default)]
    pub min_disk: Number,
    /// MiB.
    #[serde(default)]
    pub min_ram: Number,
}

impl Entry for Image {
    const NOUN: &'static str = "image";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("min_disk", self.min_disk.1), ("min_ram", self.min_ram.1)]
    }
}

/// A network.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Network {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// Whether it is shared with this project.
    #[serde(default)]
    pub shared: Flag,
    /// Whether floating IPs are of it. Some clouds hide that of networks of other projects, which external ones are.
    #[serde(default, rename = "router:external")]
    pub external: Flag,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "filled")]
    pub project_id: Option<String>,
}

impl Entry for Network {
    const NOUN: &'static str = "network";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The answer of `os-server-groups`.
#[derive(Debug, Deserialize)]
pub(super) struct ServerGroupsBody {
    pub server_groups: Many<Named>,
}

/// The answer of Cinder's `types`.
#[derive(Debug, Deserialize)]
pub(super) struct VolumeTypesBody {
    pub volume_types: Many<Named>,
}

/// The answer of `limits`.
#[derive(Debug, Deserialize)]
pub(super) struct LimitsBody {
    #[serde(default)]
    pub limits: Lax<Limits>,
}

/// Its one part of interest.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Limits {
    #[serde(default)]
    pub absolute: Lax<Absolute>,
}

/// What a project may have and has; -1 is unlimited.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Absolute {
    #[serde(default)]
    pub max_total_instances: Number,
    #[serde(default)]
    pub total_instances_used: Number,
    #[serde(default)]
    pub max_total_cores: Number,
    #[serde(default)]
    pub total_cores_used: Number,
    #[serde(default, rename = "maxTotalRAMSize")]
    pub max_total_ram: Number,
    #[serde(default, rename = "totalRAMUsed")]
    pub total_ram_used: Number,
}

impl Absolute {
    /// Returns its fields, each with what it holds instead of a number.
    pub(super) fn odd(&self) -> [(&'static str, Odd); 6] {
        [
            ("maxTotalInstances", self.max_total_instances.1),
            ("totalInstancesUsed", self.total_instances_used.1),
            ("maxTotalCores", self.max_total_cores.1),
            ("totalCoresUsed", self.total_cores_used.1),
            ("maxTotalRAMSize", self.max_total_ram.1),
            ("totalRAMUsed", self.total_ram_used.1),
        ]
    }
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
    pub keypairs: Many<KeyPairEntry>,
}

/// An entry of it.
#[derive(Debug, Deserialize)]
pub(super) struct KeyPairEntry {
    #[serde(default)]
    pub keypair: Lax<Named>,
}

/// Something of which only name and id are needed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Named {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
}

/// The answer of `os-security-groups`, for clouds without Neutron.
#[derive(Debug, Deserialize)]
pub(super) struct SecurityGroupsBody {
    pub security_groups: Many<Named>,
}

/// A security group of Neutron.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct SecurityGroup(pub Named);

impl Entry for SecurityGroup {
    const NOUN: &'static str = "security group";

    fn id(&self) -> &str {
        &self.0.id
    }
}

/// The answer of `os-availability-zone`.
#[derive(Debug, Deserialize)]
pub(super) struct ZonesBody {
    #[serde(rename = "availabilityZoneInfo")]
    pub zones: Many<ZoneInfo>,
}

/// An availability zone.
#[derive(Debug, Deserialize)]
pub(super) struct ZoneInfo {
    #[serde(default, rename = "zoneName", deserialize_with = "text")]
    pub name: String,
    #[serde(default, rename = "zoneState")]
    state: Lax<ZoneState>,
}

impl ZoneInfo {
    /// Returns whether it takes servers, as far as is known.
    pub(super) fn is_available(&self) -> bool {
        let told = self.state.0.as_ref().and_then(|state| state.available.0);
        told.unwrap_or(true)
    }
}

/// Whether it takes servers.
#[derive(Debug, Deserialize)]
struct ZoneState {
    #[serde(default)]
    available: Flag,
}
