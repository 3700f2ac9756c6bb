//! What belongs to a server and can outlive it: floating IPs, ports and volumes, and the mark by which ours are known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ServerId;

/// What belongs to a server and can outlive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A floating IP of Neutron.
    FloatingIp,
    /// A port of Neutron.
    Port,
    /// A volume of Cinder.
    Volume,
}

impl ResourceKind {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::FloatingIp, Self::Port, Self::Volume];

    /// Returns what a person calls it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::FloatingIp => "floating IP",
            Self::Port => "port",
            Self::Volume => "volume",
        }
    }
}

/// A floating IP, port or volume of the project, ours or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// The cloud's id.
    pub id: String,
    /// Its address (floating IP) or name; the id where it has none.
    pub name: String,
    /// Whether something uses it: a floating IP that has a port, a port that has a device, a volume that is attached or
    /// in a state in which it cannot be removed.
    pub in_use: bool,
    /// The server that uses it, or used it last, where the cloud tells.
    pub server: Option<ServerId>,
    /// When it was made, where the cloud tells.
    pub created: Option<Timestamp>,
    /// Our mark, if it has one.
    pub mark: Option<ResourceMark>,
}

/// The mark on what belongs to a server: in the description of a floating IP or port, in the metadata of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceMark {
    /// `mita-owner`.
    pub owner: String,
    /// `mita-server`: the name of the server, `<template>__<id>`.
    pub server: String,
}

impl ResourceMark {
    /// Its keys, of owner and server, in metadata and in a description.
    pub const KEYS: [&str; 2] = ["mita-owner", "mita-server"];

    /// Writes it into a description: `mita-owner=OWNER mita-server=NAME`, blanks and `%` in them percent-encoded.
    pub fn description(&self) -> String {
        let plain = |text: &str| text.replace('%', "%25").replace(' ', "%20");
        let [owner, server] = Self::KEYS;
        format!("{owner}={} {server}={}", plain(&self.owner), plain(&self.server))
    }

    /// Reads it from a description that is a mark as a whole. With anything else beside it a person wrote the description
    /// anew, and keeps the thing for a purpose of their own.
    pub fn of_description(text: &str) -> Option<Self> {
        let plain = |text: &str| text.replace("%20", " ").replace("%25", "%");
        let value = |key: &str| {
            let mut words = text.split(' ');
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('=').map(plain))
        };
        let [owner, server] = Self::KEYS;
        let mark = Self {
            owner: value(owner)?,
            server: value(server)?,
        };
        (mark.description() == text).then_some(mark)
    }
}

impl Resource {
    /// Returns the server for which an owner made it, by its mark.
    pub fn server_marked(&self, owner: &str) -> Option<&str> {
        let mark = self.mark.as_ref().filter(|mark| mark.owner == owner)?;
        Some(&mark.server)
    }
}

/// What a cloud has beside servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// The kinds that were read: of the others nothing is known.
    pub kinds: BTreeSet<ResourceKind>,
    /// All of these kinds, foreign ones among them.
    pub all: Vec<Resource>,
    /// The kinds that were asked for and could not be read, each with the reason.
    #[serde(default)]
    pub failed: BTreeMap<ResourceKind, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_from_a_description() {
        for (owner, server) in [
            ("ci.example.com", "linux__0123456789ab"),
            ("the 100% owner", "a%20b__0123456789ab"),
        ] {
            let mark = ResourceMark {
                owner: owner.to_owned(),
                server: server.to_owned(),
            };
            assert_eq!(ResourceMark::of_description(&mark.description()), Some(mark));
        }
        for foreign in [
            "",
            "for mita",
            "mita-owner=x",
            "mita-server=x",
            "xmita-owner=a mita-server=b",
            "once mita-owner=a mita-server=b, now of the web shop",
            "mita-owner=a mita-server=b keep!",
            "mita-owner=a mita-server=b mita-owner=c",
        ] {
            assert_eq!(ResourceMark::of_description(foreign), None, "{foreign}");
        }
    }
}
