//! The shapes of what OpenStack sends, and nothing but the fields that are needed.
//!
//! A list that is not there is an error, never an empty list. What the fields mean is left to the other files here,
//! servers to `server`.

use serde::Deserialize;

use super::entry::ListEntry;
use crate::lenient::{FlagOrText, LenientText, List, NumberOrText, Object, Odd, filled, text};

#[derive(Debug, Deserialize)]
pub(super) struct PageLink {
    #[serde(default)]
    pub rel: LenientText,
    #[serde(default)]
    pub href: LenientText,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Flavor {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    #[serde(default)]
    pub vcpus: NumberOrText,
    /// MiB.
    #[serde(default)]
    pub ram: NumberOrText,
    /// GB of the root disk; 0 is as large as the image.
    #[serde(default)]
    pub disk: NumberOrText,
    /// Whether no new server may have it.
    #[serde(default, rename = "OS-FLV-DISABLED:disabled")]
    pub disabled: FlagOrText,
}

impl Flavor {
    /// Returns whether no new server may have it.
    pub(super) fn is_disabled(&self) -> bool {
        self.disabled.0 == Some(true)
    }
}

impl ListEntry for Flavor {
    const NOUN: &'static str = "flavor";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![
            ("vcpus", self.vcpus.odd),
            ("ram", self.ram.odd),
            ("disk", self.disk.odd),
        ]
    }
}

/// A page of Glance's images.
#[derive(Debug, Deserialize)]
pub(super) struct ImagesPage {
    #[serde(default)]
    pub images: List<Image>,
    #[serde(default)]
    pub next: LenientText,
}

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
    pub min_disk: NumberOrText,
    /// MiB.
    #[serde(default)]
    pub min_ram: NumberOrText,
    /// `snapshot` where Nova made it of a server.
    #[serde(default, rename = "image_type", deserialize_with = "text")]
    pub origin: String,
    #[serde(default, deserialize_with = "text")]
    pub disk_format: String,
    /// A property that the owner may have set.
    #[serde(default, deserialize_with = "text")]
    pub architecture: String,
}

impl ListEntry for Image {
    const NOUN: &'static str = "image";

    fn id(&self) -> &str {
        &self.id
    }

    fn odd(&self) -> Vec<(&'static str, Odd)> {
        vec![("min_disk", self.min_disk.odd), ("min_ram", self.min_ram.odd)]
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Network {
    #[serde(default, deserialize_with = "text")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: String,
    /// Whether it is shared with this project.
    #[serde(default)]
    pub shared: FlagOrText,
    /// Whether floating IPs are of it. Some clouds hide that of networks of other projects, which external ones are.
    #[serde(default, rename = "router:external")]
    pub external: FlagOrText,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "filled")]
    pub project_id: Option<String>,
}

impl ListEntry for Network {
    const NOUN: &'static str = "network";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The answer of `os-server-groups`.
#[derive(Debug, Deserialize)]
pub(super) struct ServerGroupsBody {
    pub server_groups: List<Named>,
}

/// The answer of Cinder's `types`.
#[derive(Debug, Deserialize)]
pub(super) struct VolumeTypesBody {
    pub volume_types: List<Named>,
}

/// The answer of `limits`.
#[derive(Debug, Deserialize)]
pub(super) struct LimitsBody {
    #[serde(default)]
    pub limits: Object<LimitsPart>,
}

/// Its one part of interest.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LimitsPart {
    #[serde(default)]
    pub absolute: Object<Absolute>,
}

/// What a project may have and has; -1 is unlimited.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Absolute {
    #[serde(default)]
    pub max_total_instances: NumberOrText,
    #[serde(default)]
    pub total_instances_used: NumberOrText,
    #[serde(default)]
    pub max_total_cores: NumberOrText,
    #[serde(default)]
    pub total_cores_used: NumberOrText,
    #[serde(default, rename = "maxTotalRAMSize")]
    pub max_total_ram: NumberOrText,
    #[serde(default, rename = "totalRAMUsed")]
    pub total_ram_used: NumberOrText,
}

impl Absolute {
    /// Returns its fields, each with what it holds instead of a number.
    pub(super) fn odd(&self) -> [(&'static str, Odd); 6] {
        [
            ("maxTotalInstances", self.max_total_instances.odd),
            ("totalInstancesUsed", self.total_instances_used.odd),
            ("maxTotalCores", self.max_total_cores.odd),
            ("totalCoresUsed", self.total_cores_used.odd),
            ("maxTotalRAMSize", self.max_total_ram.odd),
            ("totalRAMUsed", self.total_ram_used.odd),
        ]
    }
}

/// The answer to POST /servers. `adminPass`, beside the id, is not read.
#[derive(Debug, Deserialize)]
pub(super) struct CreatedBody {
    pub server: CreatedServer,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreatedServer {
    pub id: String,
}

/// The answer of `os-keypairs`.
#[derive(Debug, Deserialize)]
pub(super) struct KeyPairsBody {
    pub keypairs: List<KeyPairEntry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct KeyPairEntry {
    #[serde(default)]
    pub keypair: Object<Named>,
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
    pub security_groups: List<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct SecurityGroup(pub Named);

impl ListEntry for SecurityGroup {
    const NOUN: &'static str = "security group";

    fn id(&self) -> &str {
        &self.0.id
    }
}

/// The answer of `os-availability-zone`.
#[derive(Debug, Deserialize)]
pub(super) struct ZonesBody {
    #[serde(rename = "availabilityZoneInfo")]
    pub zones: List<ZoneInfo>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ZoneInfo {
    #[serde(default, rename = "zoneName", deserialize_with = "text")]
    pub name: String,
    #[serde(default, rename = "zoneState")]
    state: Object<ZoneState>,
}

impl ZoneInfo {
    /// Returns whether it takes servers, as far as is known.
    pub(super) fn is_available(&self) -> bool {
        let available = self.state.0.as_ref().and_then(|state| state.available.0);
        available.unwrap_or(true)
    }
}

/// Whether it takes servers.
#[derive(Debug, Deserialize)]
struct ZoneState {
    #[serde(default)]
    available: FlagOrText,
}
