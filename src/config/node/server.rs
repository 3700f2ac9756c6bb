//! What a template asks of a server: image, flavor, disks, networks, ports, metadata.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::model::{ImageRef, PortSpec, ServerSpec, SizeRef};
use crate::pattern::WholeName;
use crate::settings::key::{Key, Need};
use crate::settings::problem::{Place, join, quoted};
use crate::settings::section::{Given, ListItem, Section};
use crate::settings::{keys, names};

use super::clouds::Clouds;

keys! {
    /// What a server is made of.
    pub SERVER;
    /// The key pair that lets you log in.
    KEYNAME: Option<String> = Key::text("keyname").also(&["key_name"]);
    /// The image, by name.
    pub IMAGE_NAME: Option<String> = Key::text("image_name").also(&["image"]);
    /// The image, by id.
    pub IMAGE_ID: Option<String> = Key::text("image_id");
    /// The image, by a regular expression that its whole name must match.
    pub IMAGE_REGEX: Option<String> = Key::text("image_regex");
    /// The flavor by name, or what it must have.
    SIZE: Option<String> = Key::text_or_section("size", &LEAST).also(&["flavor"]);
    /// A blank volume of so many GB beside the root disk; 0: none.
    pub STORAGE: u32 = Key::count("storage").or("0");
    /// A volume of so many GB as root disk; 0: the flavor's own.
    pub BOOT_VOLUME: u32 = Key::count("boot_volume").also(&["boot_from_volume", "volume_size"]).or("0");
    /// The type of these volumes.
    pub VOLUME_TYPE: Option<String> = Key::text("volume_type");
    /// Networks by name or id.
    NETWORKS: Vec<String> = Key::texts("networks");
    /// Ports behind the networks: those that exist, and those that are made for each server.
    PORTS: Vec<String> = Key::texts_or_sections("ports", &PORT);
    /// The external network from which each server gets a floating IP.
    FLOATING_IP_POOL: Option<String> = Key::text("floating_ip_pool");
    /// Security groups by name or id.
    SECURITY_GROUPS: Vec<String> = Key::texts("security_groups");
    /// Whether a server has a config drive.
    CONFIG_DRIVE: Option<bool> = Key::flag("config_drive");
    /// More metadata of the server.
    METADATA: BTreeMap<String, String> = Key::text_map("metadata");
    /// Hints for the cloud's scheduler.
    SCHEDULER_HINTS: BTreeMap<String, Json> = Key::free("scheduler_hints").also(&["os_scheduler_hints"]);
}

keys! {
    /// `size:` by what a flavor must have.
    pub LEAST { needs: &[Need::of(&[VCPUS.spec(), RAM.spec(), DISK.spec()])] };
    /// So many virtual processors.
    VCPUS: Option<u32> = Key::count("vcpus").at_least(1, ANY_WILL_DO);
    /// So many MiB of memory.
    RAM: Option<u32> = Key::count("ram").at_least(1, ANY_WILL_DO);
    /// So many GB of disk.
    DISK: Option<u32> = Key::count("disk").at_least(1, ANY_WILL_DO);
}

/// What a server needs at a cloud that has images: a template has it itself or by `defaults`.
pub static SERVER_NEEDS: [Need; 2] = [
    Need::of(&[IMAGE_NAME.spec(), IMAGE_ID.spec(), IMAGE_REGEX.spec()]),
    Need::of(&[SIZE.spec()]),
];

const ANY_WILL_DO: &str = "; leave it out where any will do";

keys! {
    /// A port of `ports:` that is made for each server.
    pub PORT { needs: &[Need::of(&[NETWORK.spec()])] };
    /// The network that the port is made in.
    NETWORK: Option<String> = Key::text("network");
    /// Its security groups; without them it has those of the template.
    PORT_SECURITY_GROUPS: Vec<String> = Key::texts("security_groups");
    /// How it is bound, as Neutron has it.
    VNIC_TYPE: Option<String> = Key::text("vnic_type");
    /// Whether Neutron filters it.
    PORT_SECURITY: Option<bool> = Key::flag("port_security");
}

/// Nova's default of 128 without our four marks.
const MAX_METADATA: usize = 124;
/// What to write for a size.
const WHICH_SIZE: &str = "write the name of a flavor, or what it must have: {vcpus: 4, ram: 8192}";

/// Reads what a server of a template needs.
pub fn spec(at: &Section<'_>, clouds: &Clouds<'_>) -> ServerSpec {
    // What is not there is looked at where it must be.
    let absent = |key: &Key<Option<String>>| at.given(key) == Given::Absent;
    let no_image = !clouds.need_image() && absent(&IMAGE_NAME) && absent(&IMAGE_ID) && absent(&IMAGE_REGEX);
    let no_size = !clouds.need_image() && absent(&SIZE);
    let mut spec = ServerSpec {
        image: if no_image {
            ImageRef::Name(String::new())
        } else {
            image(at)
        },
        size: if no_size {
            SizeRef::Named(String::new())
        } else {
            size(at)
        },
        key_pair: names::optional(at, &KEYNAME),
        // 0 is none: so a template can do without the disk of `defaults`.
        storage: gigabytes(at, &STORAGE),
        boot_volume: gigabytes(at, &BOOT_VOLUME),
        volume_type: volume_type(at),
        networks: names::list(at, &NETWORKS),
        ports: ports(at),
        floating_ip_pool: names::optional(at, &FLOATING_IP_POOL),
        security_groups: names::list(at, &SECURITY_GROUPS),
        config_drive: at.get(&CONFIG_DRIVE),
        metadata: metadata(at),
        scheduler_hints: at.get(&SCHEDULER_HINTS),
        options: BTreeMap::new(),
        more: BTreeMap::new(),
    };
    clouds.read(at, &mut spec);
    spec
}

fn gigabytes(at: &Section<'_>, key: &Key<u32>) -> Option<u32> {
    Some(at.get(key)).filter(|gb| *gb > 0)
}

fn image(at: &Section<'_>) -> ImageRef {
    let images = [&IMAGE_NAME, &IMAGE_ID, &IMAGE_REGEX];
    let mut given = images.iter().filter(|key| at.has(key));
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        at.error(second, format!("{} is given, too; keep one of the two", first.name));
    }
    if at.given(&IMAGE_ID) == Given::Value {
        return ImageRef::Id(names::optional(at, &IMAGE_ID).unwrap_or_default());
    }
    if at.given(&IMAGE_REGEX) == Given::Value {
        let regex = names::optional(at, &IMAGE_REGEX).unwrap_or_default();
        if let Err(fault) = WholeName::new(&regex) {
            let text = format!("{} is no regular expression: {fault}; correct it", quoted(&regex));
            at.error(&IMAGE_REGEX, text);
        }
        return ImageRef::Regex(regex);
    }
    let what = "write the name of an image, or image_id or image_regex";
    ImageRef::Name(names::required(at, &IMAGE_NAME, what))
}

fn size(at: &Section<'_>) -> SizeRef {
    match at.section_in(&SIZE) {
        None => SizeRef::Named(names::required(at, &SIZE, WHICH_SIZE)),
        Some(least) => constraint(at, &least),
    }
}

fn constraint(at: &Section<'_>, here: &Section<'_>) -> SizeRef {
    if [&VCPUS, &RAM, &DISK].iter().all(|key| here.given(key) != Given::Value) {
        let text = format!("names nothing that a flavor must have; {WHICH_SIZE}");
        here.report().error(&here.here(), text);
    }
    if let (Some(disk), Some(volume)) = (here.get(&DISK), gigabytes(at, &BOOT_VOLUME))
        && disk > volume
    {
        let text =
            format!("must be at most boot_volume ({volume}), which is the root disk, is {disk}; change one of them");
        here.error(&DISK, text);
    }
    let least = |key: &Key<Option<u32>>| u64::from(here.get(key).unwrap_or(0));
    SizeRef::Least {
        vcpus: least(&VCPUS),
        ram_mb: least(&RAM),
        disk_gb: least(&DISK),
    }
}

/// Whether a template has a volume, good or bad, that a type may be given of.
pub fn has_volume(at: &Section<'_>) -> bool {
    [&STORAGE, &BOOT_VOLUME]
        .iter()
        .any(|key| gigabytes(at, key).is_some() || at.is_bad(key))
}

/// A type that comes from `defaults` counts only where there is a volume.
fn volume_type(at: &Section<'_>) -> Option<String> {
    let wanted = names::optional(at, &VOLUME_TYPE)?;
    let there = has_volume(at);
    if !there && !at.is_inherited(&VOLUME_TYPE) {
        let text = "is given, but there is no volume; set storage or boot_volume, or remove it";
        at.error(&VOLUME_TYPE, text);
    }
    Some(wanted).filter(|_| there)
}

/// Makes the ports in the order in which they are written.
fn ports(at: &Section<'_>) -> Vec<PortSpec> {
    let items = at.items(&PORTS).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut ports = Vec::new();
    for item in &items {
        ports.push(match item {
            ListItem::Text(name, place) => {
                names::item(place, name, &mut seen, at.report());
                PortSpec::Existing((*name).to_owned())
            }
            ListItem::Section(here) => made(here),
        });
    }
    ports
}

fn made(here: &Section<'_>) -> PortSpec {
    let security_groups = names::list(here, &PORT_SECURITY_GROUPS);
    let port_security = here.get(&PORT_SECURITY);
    if port_security == Some(false) && !security_groups.is_empty() {
        let text = "cannot be given with port_security: false, which switches them off; remove one of the two";
        here.error(&PORT_SECURITY_GROUPS, text);
    }
    PortSpec::Made {
        network: names::required(here, &NETWORK, "write the network that the port is made in"),
        security_groups,
        vnic_type: names::optional(here, &VNIC_TYPE),
        port_security,
    }
}

fn metadata(at: &Section<'_>) -> BTreeMap<String, String> {
    let metadata = at.get(&METADATA);
    // One more mark names the existing port that a server has.
    let pool = !at.get(&PORTS).is_empty();
    let most = MAX_METADATA - usize::from(pool);
    if metadata.len() > most {
        let text = format!("must have at most {most} entries, has {}; remove some", metadata.len());
        at.error(&METADATA, text);
    }
    let Some(section) = at.section_in(&METADATA) else {
        return metadata;
    };
    for (key, value) in &metadata {
        let place = Place {
            path: join(&at.place(&METADATA).path, key),
            at: section.place_of(key).at,
        };
        let error = |text| at.report().error(&place, text);
        let good = |c: char| c.is_ascii_alphanumeric() || "-_:. ".contains(c);
        if key.is_empty() || key.len() > 255 || !key.chars().all(good) {
            error("a key has 1 to 255 letters, digits, blanks or - _ : . characters; rename it");
        }
        if key.to_ascii_lowercase().starts_with("mita-") {
            error("keys that begin with mita- are mita's own marks; rename it");
        }
        if value.chars().count() > 255 {
            error("a value has at most 255 characters; shorten it");
        }
    }
    metadata
}
