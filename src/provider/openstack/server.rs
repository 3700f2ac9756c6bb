//! A server, as the list and the answer for one of them show it.
//!
//! Everything about a server may be missing: with a cell down it may have little more than its id.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess};

use super::entry::ListEntry;
use super::odd::Oddities;
use super::wire::Named;
use crate::lenient::{
    FieldName, FieldOf, FromText, Lenient, LenientText, List, Odd, Utc, ValueReader, any, object, text,
};
use crate::model::{Address, Mark, NodeId, Server, ServerId, ServerStatus, TemplateName, Zone};

/// The answer where one server is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct OneServer<T> {
    pub server: T,
}

/// Why a server is in ERROR.
#[derive(Debug, Deserialize)]
pub(super) struct Failed {
    #[serde(default)]
    fault: FieldOf<Message>,
}

impl Failed {
    pub(super) fn reason(self) -> Option<String> {
        self.fault.0.map(|text| crate::text::printable(&text, 300))
    }
}

/// A server as the list shows it.
#[derive(Debug, Deserialize)]
pub(super) struct WireServer {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    name: LenientText,
    #[serde(default)]
    status: Lenient<ServerStatus>,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    task_state: LenientText,
    #[serde(default)]
    created: Lenient<Utc>,
    #[serde(default, rename = "OS-SRV-USG:launched_at")]
    launched: Lenient<Utc>,
    #[serde(default)]
    addresses: Addresses,
    #[serde(default, rename = "OS-EXT-AZ:availability_zone")]
    zone: LenientText,
    #[serde(default, rename = "os-extended-volumes:volumes_attached")]
    volumes: List<Named>,
    #[serde(default)]
    image: FieldOf<Id>,
    #[serde(default)]
    fault: FieldOf<Message>,
    #[serde(default)]
    metadata: Marks,
}

impl ListEntry for WireServer {
    const NOUN: &'static str = "server";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        let fields = [
            ("status", self.status.odd),
            ("task_state", self.task_state.odd),
            ("created", self.created.odd),
            ("launched_at", self.launched.odd),
            ("addresses", self.addresses.1),
            ("availability_zone", self.zone.odd),
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
    /// Returns whether its name and metadata, which show its owner, could be read. A server without them is neither
    /// ours nor anybody else's.
    pub(super) fn is_attributable(&self, oddities: &mut Oddities) -> bool {
        if self.name.value.is_none() {
            oddities.note(Self::NOUN, &self.id, "it has no readable name");
        }
        self.name.value.is_some() && self.metadata.odd.is_none()
    }

    /// Makes it a server.
    pub(super) fn into_server(self) -> Server {
        Server {
            id: ServerId::new(self.id),
            name: self.name.value.unwrap_or_default(),
            status: self
                .status
                .value
                .unwrap_or_else(|| ServerStatus::Other("UNKNOWN".to_owned())),
            task_state: self.task_state.filled(),
            created: self.created.value.map(|at| at.0),
            launched: self.launched.value.map(|at| at.0),
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
            fault: self.fault.0.map(|text| crate::text::printable(&text, 300)),
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

/// The addresses of all networks, in the order of the answer, and what there is instead of some.
#[derive(Debug, Default)]
struct Addresses(Vec<Address>, Odd);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(default)]
            addr: Lenient<IpAddr>,
            #[serde(default, rename = "OS-EXT-IPS:type")]
            kind: Lenient<Floating>,
        }
        struct Networks;
        impl<'de> ValueReader<'de> for Networks {
            type Out = Addresses;

            fn other(self, odd: Odd) -> Addresses {
                Addresses(Vec::new(), odd)
            }

            fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Addresses, A::Error> {
                let mut all = Addresses::default();
                while let Some((_, entries)) = map.next_entry::<IgnoredAny, List<Shown>>()? {
                    if !entries.listed || entries.odd.is_some() {
                        all.1 = Some("not a list of addresses in one of its networks");
                    }
                    for Shown { addr, kind } in entries.all {
                        match addr.value {
                            Some(ip) => all.0.push(Address {
                                ip,
                                floating: kind.value.is_some(),
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

/// `id` of an inner object.
#[derive(Debug, Default)]
struct Id;

impl FieldName for Id {
    const NAME: &'static str = "id";
}

/// `message` of an inner object.
#[derive(Debug, Default)]
struct Message;

impl FieldName for Message {
    const NAME: &'static str = "message";
}

impl FromText for ServerStatus {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "ACTIVE" => Self::Active,
            "BUILD" => Self::Build,
            "ERROR" => Self::Error,
            "DELETED" | "SOFT_DELETED" => Self::Deleted,
            other => Self::Other(other.to_owned()),
        })
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
