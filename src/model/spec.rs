//! What a server is made of, what a cloud offers of that, and the quota headroom that is left.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ResourceKind, TemplateName};

/// What a server of a template needs, independent of any cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSpec {
    /// By name, id or regular expression.
    pub image: ImageRef,
    /// A flavor by name, or what it must have.
    pub size: SizeRef,
    /// The name of a key pair of Nova.
    pub key_pair: Option<String>,
    /// GB of a blank volume that lives as long as the server.
    pub storage: Option<u32>,
    /// GB of the root volume, when the server boots from one.
    pub boot_volume: Option<u32>,
    /// The type of both volumes; `None`: the cloud's default.
    pub volume_type: Option<String>,
    /// Networks, by name or id; empty: the cloud's choice.
    pub networks: Vec<String>,
    /// Ports, after the networks.
    pub ports: Vec<PortSpec>,
    /// The external network, by name or id, from which each server gets a floating IP.
    pub floating_ip_pool: Option<String>,
    /// Security groups, by name or id; empty: the cloud's default.
    pub security_groups: Vec<String>,
    /// Whether a config drive is asked for; `None`: the cloud's choice.
    pub config_drive: Option<bool>,
    /// The template's own metadata.
    pub metadata: BTreeMap<String, String>,
    /// Scheduler hints, passed on as they are.
    pub scheduler_hints: BTreeMap<String, serde_json::Value>,
    /// What else a provider of type exec is told, passed on as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, serde_json::Value>,
    /// What a kind of cloud reads of a template for itself, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, serde_json::Value>,
}

impl ServerSpec {
    /// Returns what its servers have that can outlive them.
    pub fn resource_kinds(&self) -> BTreeSet<ResourceKind> {
        let makes_ports = self.ports.iter().any(|port| matches!(port, PortSpec::Made { .. }));
        let has = [
            (ResourceKind::FloatingIp, self.floating_ip_pool.is_some()),
            (ResourceKind::Port, makes_ports),
            (
                ResourceKind::Volume,
                self.storage.is_some() || self.boot_volume.is_some(),
            ),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect()
    }
}

/// How an image is named. A template that has none, as a provider of type exec allows, has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageRef {
    /// By its name (or its id, where the text is a UUID).
    Name(String),
    /// By its id.
    Id(String),
    /// The newest whose whole name a regular expression matches.
    Regex(String),
}

/// How a flavor is named. A template that has none, as a provider of type exec allows, has an empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeRef {
    /// By its name or id.
    Named(String),
    /// The smallest that has all of this.
    Least {
        /// vCPUs.
        vcpus: u64,
        /// MiB of memory.
        ram_mb: u64,
        /// GB of the root disk.
        disk_gb: u64,
    },
}

/// A port of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortSpec {
    /// One of the ports that a person made, by name or id: each server takes one that is free.
    Existing(String),
    /// One that is made for the server and removed with it.
    Made {
        /// The network, by name or id.
        network: String,
        /// Security groups, by name or id; empty: those of the server, or else the project's default.
        security_groups: Vec<String>,
        /// `normal`, `direct`, `macvtap`, …; `None`: the cloud's default.
        vnic_type: Option<String>,
        /// Whether the port's addresses are enforced; `None`: as the network says.
        port_security: Option<bool>,
    },
}

/// What a cloud resolved a [`ServerSpec`] to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The flavor's id.
    pub flavor: String,
    /// The image's id.
    pub image: String,
    /// The ids of the other images that have the name or match the expression, newest first: for the way back.
    #[serde(default)]
    pub older_images: Vec<String>,
    /// The ids of the networks, in the order of the template.
    pub networks: Vec<String>,
    /// The ports, each with what stands for it.
    #[serde(default)]
    pub ports: Vec<PortOffer>,
    /// The id of the server group that the scheduler hints name by its name.
    #[serde(default)]
    pub server_group: Option<String>,
    /// vCPUs of the flavor.
    pub vcpus: u64,
    /// MiB of memory of the flavor.
    pub ram_mb: u64,
}

/// What a port resolved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortOffer {
    /// Any of these ports, which were free, in the order in which they are taken: each server takes one.
    OneOf(Vec<String>),
    /// A port to be made in this network, with these security groups, by id.
    New {
        /// The network's id.
        network: String,
        /// The groups' ids.
        security_groups: Vec<String>,
    },
}

/// Headroom that is left in a project. `None` is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headroom {
    /// Servers.
    pub instances: Option<u64>,
    /// vCPUs.
    pub vcpus: Option<u64>,
    /// MiB of memory.
    pub ram_mb: Option<u64>,
    /// The quota itself, of which that is left.
    #[serde(default, rename = "limit", skip_serializing_if = "Quota::is_unknown")]
    pub quota: Quota,
}

/// The quota of a project. `None` is unlimited, or not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Servers.
    #[serde(default)]
    pub instances: Option<u64>,
    /// vCPUs.
    #[serde(default)]
    pub vcpus: Option<u64>,
    /// MiB of memory.
    #[serde(default)]
    pub ram_mb: Option<u64>,
}

impl Quota {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

impl Headroom {
    /// Says what is left, as far as it is limited.
    pub fn sentences(&self) -> Vec<String> {
        let left = [
            (self.instances, "servers left"),
            (self.vcpus, "vCPUs left"),
            (self.ram_mb, "MiB of memory left"),
        ];
        let known = left
            .iter()
            .filter_map(|(left, what)| Some(format!("{} {what}", (*left)?)));
        known.collect()
    }
}

/// Why a template cannot be had from a cloud, or not now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What is wrong and what to do: `no flavor named "m3.xlrge" (nearest: "m3.xlarge")`.
    pub reason: String,
    /// What is missing or ambiguous, each once; empty where the cloud does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<MissingPart>,
}

impl Unavailable {
    /// Makes one of which the parts are not known.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            parts: Vec::new(),
        }
    }
}

/// A part of a template that a cloud does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingPart {
    /// `image`, `size`, `networks`, `ports`, `scheduler_hints`, `keyname`: the key of the template.
    pub key: String,
    /// Whether only the list could not be read in which it is looked up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

/// What a cloud offers for creating: asked only when something is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// What is left of the quota.
    pub room: Headroom,
    /// The outcome of the look-up, by template.
    pub templates: BTreeMap<TemplateName, Result<Offer, Unavailable>>,
}
