//! A cloud as it was seen in one pass: its servers, and what it offers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{NodeId, Offers, Reading, Resources, ServerId, TemplateName, Zone};

/// The status of a server (an open set; task state comes first, see `Server::task_state`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// `ACTIVE`.
    Active,
    /// `BUILD`.
    Build,
    /// `ERROR`.
    Error,
    /// Deleted, though still listed for a moment (`DELETED`, `SOFT_DELETED`).
    Deleted,
    /// Any other, as the cloud named it (`SHUTOFF`, …).
    Other(String),
}

/// The marks that mita writes into a server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// `mita-owner`.
    pub owner: String,
    /// `mita-node`: the template.
    pub template: Option<TemplateName>,
    /// `mita-id`.
    pub id: Option<NodeId>,
    /// `mita-config`: the digest of what defined the server when it was made.
    pub config: Option<String>,
}

/// One server of a cloud, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The cloud's id.
    pub id: ServerId,
    /// Its name; not unique.
    pub name: String,
    /// `status`; `task_state` counts more.
    pub status: ServerStatus,
    /// `OS-EXT-STS:task_state`; `deleting` means it goes, whatever the status says.
    pub task_state: Option<String>,
    /// When it was made, by the cloud's clock; `None` where that cannot be read.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// `OS-SRV-USG:launched_at`: when it began to run and to be paid for, by the cloud's clock; `None` before, and where
    /// that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched: Option<Timestamp>,
    /// All its addresses, in the order in which the cloud lists them.
    pub addresses: Vec<Address>,
    /// Its availability zone, once it has one.
    pub zone: Option<Zone>,
    /// The id of its image; `None` for boot from volume.
    pub image: Option<String>,
    /// The ids of the volumes that are attached to it.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// The message of its fault, where the list shows one.
    pub fault: Option<String>,
    /// Our marks, if it has `mita-owner`.
    pub mark: Option<Mark>,
}

/// One address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// IPv4 or IPv6.
    pub ip: IpAddr,
    /// Whether it is a floating one, which was given to a fixed one.
    pub floating: bool,
}

impl Address {
    /// Makes a fixed address.
    pub fn fixed(ip: IpAddr) -> Self {
        Self { ip, floating: false }
    }
}

impl Server {
    /// Returns whether it has the mark of an owner.
    pub fn is_marked(&self, owner: &str) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.owner == owner)
    }

    /// Returns whether it has the mark of another owner.
    pub fn is_of_another(&self, owner: &str) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.owner != owner)
    }

    /// Returns whether the cloud deletes it or has deleted it, whatever the status says.
    pub fn is_deleting(&self) -> bool {
        let task = self.task_state.as_deref();
        self.status == ServerStatus::Deleted || matches!(task, Some("deleting" | "soft-deleting"))
    }

    /// Returns the address at which others reach it best: floating before fixed, IPv4 before IPv6.
    pub fn address(&self) -> Option<IpAddr> {
        let best = self.addresses.iter().min_by_key(|at| (!at.floating, at.ip.is_ipv6()));
        best.map(|at| at.ip)
    }

    /// Returns whether it has a port, so that a floating IP can be given to it.
    pub fn has_port(&self) -> bool {
        self.addresses.iter().any(|at| !at.floating)
    }
}

/// Which of the bases that a service may have is the right one, by service; nothing where it is the first.
pub type ServiceBases = BTreeMap<String, ServiceBase>;

/// The base of a service that is not the likeliest one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceBase {
    /// The digest of all the bases it may have: with another endpoint or project it is another one.
    pub endpoint: String,
    /// Which of them, counted from 0.
    pub base: usize,
}

/// A cloud as it was seen in one pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudView {
    /// Every server of the project, foreign ones among them.
    pub servers: Vec<Server>,
    /// The cloud's clock (the `Date` of its answer), for ages.
    pub clock: Option<Timestamp>,
    /// What it offers; `None` until it was asked.
    pub offers: Option<Reading<Offers>>,
    /// Floating IPs, ports and volumes, of the kinds that were asked for; `None` until one was.
    #[serde(default, rename = "belongings")]
    pub resources: Option<Reading<Resources>>,
    /// Servers of ours that the list lacked and that were asked for one by one. What is there is among `servers`, too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub looked_up: BTreeMap<ServerId, Presence>,
    /// What could not be read of its answers and was left alone, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

/// What a cloud answered when it was asked for one server that its list lacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there: the list was short.
    There,
    /// The service itself says that it has none.
    Gone,
    /// Any other answer, which proves nothing.
    NotKnown(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_by_its_floating_address_first() {
        let at = |text: &str, floating| Address {
            ip: text.parse().unwrap(),
            floating,
        };
        let mut addresses = Vec::new();
        for (next, best) in [
            (at("2001:db8::1", false), "2001:db8::1"),
            (at("10.0.0.1", false), "10.0.0.1"),
            (at("10.0.0.2", false), "10.0.0.1"),
            (at("2001:db8::2", true), "2001:db8::2"),
            (at("198.51.100.1", true), "198.51.100.1"),
        ] {
            addresses.push(next);
            let server = Server {
                id: ServerId::new("s"),
                name: String::new(),
                status: ServerStatus::Active,
                task_state: None,
                created: None,
                launched: None,
                addresses: addresses.clone(),
                zone: None,
                image: None,
                volumes: Vec::new(),
                fault: None,
                mark: None,
            };
            assert_eq!(server.address().unwrap().to_string(), best);
        }
    }
}
