//! Judges what a template asks of a server: image, flavor, disks, networks, ports, metadata.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ImageRef, PortSpec, ServerSpec, SizeRef};
use crate::pattern::WholeName;

use super::super::at::{At, Given};
use super::super::problem::{Place, Report, join, quoted};
use super::super::raw::{RawNode, RawPort, RawSize};
use super::exec::Part;
use super::text;

/// Nova's default of 128 without our four marks.
const MAX_METADATA: usize = 124;
/// What to write for a size.
const SIZE: &str = "write the name of a flavor, or what it must have: {vcpus: 4, ram: 8192}";

/// Makes what a server of a template needs.
pub fn spec(at: &At<'_>, raw: &RawNode, exec: Part, report: &mut Report) -> ServerSpec {
    if exec == Part::Nothing && at.given("options") == Given::Value {
        let text = "is for providers of type exec, and this template has none; remove it";
        report.error(&at.place("options"), text);
    }
    // What is not there is looked at where it must be.
    let images = ["image_name", "image_id", "image_regex"];
    let no_image = exec == Part::All && images.iter().all(|key| at.given(key) == Given::Absent);
    let no_size = exec == Part::All && at.given("size") == Given::Absent && raw.size_section.is_none();
    ServerSpec {
        image: if no_image {
            ImageRef::Name(String::new())
        } else {
            image(at, raw, report)
        },
        size: if no_size {
            SizeRef::Named(String::new())
        } else {
            size(at, raw, report)
        },
        key_pair: text::optional(at, "keyname", raw.keyname.as_ref(), report),
        // 0 is none: so a template can do without the disk of `defaults`.
        storage: raw.storage.filter(|gb| *gb > 0),
        boot_volume: raw.boot_volume.filter(|gb| *gb > 0),
        volume_type: volume_type(at, raw, report),
        networks: text::list(at, "networks", raw.networks.as_ref(), report),
        ports: ports(at, raw, report),
        floating_ip_pool: text::optional(at, "floating_ip_pool", raw.floating_ip_pool.as_ref(), report),
        security_groups: text::list(at, "security_groups", raw.security_groups.as_ref(), report),
        config_drive: raw.config_drive,
        metadata: metadata(at, raw, report),
        scheduler_hints: raw.scheduler_hints.clone(),
        options: raw.options.clone(),
    }
}

fn image(at: &At<'_>, raw: &RawNode, report: &mut Report) -> ImageRef {
    let given = [
        ("image_name", raw.image_name.is_some()),
        ("image_id", raw.image_id.is_some()),
        ("image_regex", raw.image_regex.is_some()),
    ];
    let mut given = given.iter().filter(|(_, given)| *given).map(|(key, _)| *key);
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        report.error(&at.place(second), format!("{first} is given, too; keep one of the two"));
    }
    if at.given("image_id") == Given::Value {
        let id = text::optional(at, "image_id", raw.image_id.as_ref(), report);
        return ImageRef::Id(id.unwrap_or_default());
    }
    if at.given("image_regex") == Given::Value {
        let regex = text::optional(at, "image_regex", raw.image_regex.as_ref(), report).unwrap_or_default();
        if let Err(fault) = WholeName::new(&regex) {
            let text = format!("{} is no regular expression: {fault}; correct it", quoted(&regex));
            report.error(&at.place("image_regex"), text);
        }
        return ImageRef::Regex(regex);
    }
    let what = "write the name of an image, or image_id or image_regex";
    ImageRef::Name(text::required(at, "image_name", raw.image_name.as_ref(), what, report))
}

fn size(at: &At<'_>, raw: &RawNode, report: &mut Report) -> SizeRef {
    match &raw.size_section {
        None => SizeRef::Named(text::required(at, "size", raw.size.as_ref(), SIZE, report)),
        Some(least) => constraint(at, raw, least, report),
    }
}

fn constraint(at: &At<'_>, raw: &RawNode, least: &RawSize, report: &mut Report) -> SizeRef {
    let here = at.section("size_section");
    let keys = [("vcpus", least.vcpus), ("ram", least.ram), ("disk", least.disk)];
    if keys.iter().all(|(key, _)| here.given(key) != Given::Value) {
        report.error(&here.here(), format!("names nothing that a flavor must have; {SIZE}"));
    }
    for (key, value) in keys {
        if value == Some(0) {
            report.error(
                &here.place(key),
                "must be at least 1, is 0; leave it out where any will do",
            );
        }
    }
    if let (Some(disk), Some(volume)) = (least.disk, raw.boot_volume.filter(|gb| *gb > 0))
        && disk > volume
    {
        let text =
            format!("must be at most boot_volume ({volume}), which is the root disk, is {disk}; change one of them");
        report.error(&here.place("disk"), text);
    }
    SizeRef::Least {
        vcpus: least.vcpus.unwrap_or(0).into(),
        ram_mb: least.ram.unwrap_or(0).into(),
        disk_gb: least.disk.unwrap_or(0).into(),
    }
}

/// A type that comes from `defaults` counts only where there is a volume.
fn volume_type(at: &At<'_>, raw: &RawNode, report: &mut Report) -> Option<String> {
    let wanted = text::optional(at, "volume_type", raw.volume_type.as_ref(), report)?;
    let there = ["storage", "boot_volume"]
        .iter()
        .zip([raw.storage, raw.boot_volume])
        .any(|(key, gb)| gb.is_some_and(|gb| gb > 0) || at.is_bad(key));
    if !there && !at.is_inherited("volume_type") {
        let text = "is given, but there is no volume; set storage or boot_volume, or remove it";
        report.error(&at.place("volume_type"), text);
    }
    Some(wanted).filter(|_| there)
}

/// Makes the ports in the order in which they are written.
fn ports(at: &At<'_>, raw: &RawNode, report: &mut Report) -> Vec<PortSpec> {
    let none = (Vec::new(), Vec::new());
    let texts = raw.ports.as_ref().unwrap_or(&none.0);
    let sections = raw.ports_sections.as_ref().unwrap_or(&none.1);
    let mut seen = BTreeSet::new();
    let mut ports = Vec::new();
    for index in 0..texts.len().max(sections.len()) {
        if let Some(Some(name)) = texts.get(index) {
            text::item(&at.item("ports", index), name, &mut seen, report);
            ports.push(PortSpec::Existing(name.clone()));
        }
        if let Some(Some(port)) = sections.get(index) {
            ports.push(made(&at.item_section("ports_sections", index), port, report));
        }
    }
    ports
}

fn made(here: &At<'_>, port: &RawPort, report: &mut Report) -> PortSpec {
    let what = "write the network that the port is made in";
    let security_groups = text::list(here, "security_groups", port.security_groups.as_ref(), report);
    if port.port_security == Some(false) && !security_groups.is_empty() {
        let text = "cannot be given with port_security: false, which switches them off; remove one of the two";
        report.error(&here.place("security_groups"), text);
    }
    PortSpec::Made {
        network: text::required(here, "network", port.network.as_ref(), what, report),
        security_groups,
        vnic_type: text::optional(here, "vnic_type", port.vnic_type.as_ref(), report),
        port_security: port.port_security,
    }
}

fn metadata(at: &At<'_>, raw: &RawNode, report: &mut Report) -> BTreeMap<String, String> {
    // One more mark says which of the existing ports a server has.
    let pool = raw.ports.iter().flatten().any(Option::is_some);
    let most = MAX_METADATA - usize::from(pool);
    if raw.metadata.len() > most {
        let text = format!(
            "must have at most {most} entries, has {}; remove some",
            raw.metadata.len()
        );
        report.error(&at.place("metadata"), text);
    }
    let section = at.place("metadata");
    for (key, value) in &raw.metadata {
        let place = Place {
            path: join(&section.path, key),
            at: at.section("metadata").place(key).at,
        };
        let good = |c: char| c.is_ascii_alphanumeric() || "-_:. ".contains(c);
        if key.is_empty() || key.len() > 255 || !key.chars().all(good) {
            let text = "a key has 1 to 255 letters, digits, blanks or - _ : . characters; rename it";
            report.error(&place, text);
        }
        if key.to_ascii_lowercase().starts_with("mita-") {
            report.error(&place, "keys that begin with mita- are mita's own marks; rename it");
        }
        if value.chars().count() > 255 {
            report.error(&place, "a value has at most 255 characters; shorten it");
        }
    }
    raw.metadata.clone()
}
