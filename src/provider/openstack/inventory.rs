//! What a cloud offers to choose from, for `mita init`: regions, images, flavors, networks, key pairs.

use std::collections::BTreeSet;

use super::catalog::{self, Service};
use super::session::Session;
use super::wire::{Flavor, Image};
use super::{compute, image, network};
use crate::model::{FlavorChoice, ImageChoice, Inventory};
use crate::provider::ProviderError;
use crate::text::printable;

/// The length of a date without its time.
const DAY: usize = 10;
/// The longest name of an architecture that is shown.
const MAX_REMARK: usize = 20;
/// No name of an OpenStack is longer.
const MAX_NAME: usize = 255;

/// Lists what there is. A list that cannot be read does not hide the others.
pub(super) fn inventory(session: &mut Session) -> Result<Inventory, ProviderError> {
    session.ensure_login()?;
    let regions = catalog::regions(session.catalog(), Service::Compute);
    let region = session.region().or_else(|| match regions.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    });
    let mut inventory = Inventory {
        region,
        regions,
        ..Inventory::default()
    };
    if inventory.region.is_none() && !inventory.regions.is_empty() {
        return Ok(inventory);
    }
    let unread = &mut inventory.unread;
    inventory.images = images(listed(image::all(session), unread));
    inventory.flavors = flavors(&listed(compute::flavors(session), unread));
    let networks = listed(network::networks(session), unread);
    inventory.networks = network::usable_names(&networks, session.project());
    inventory.key_pairs = listed(compute::key_pairs(session), unread);
    for names in [&mut inventory.networks, &mut inventory.key_pairs] {
        names.retain(|name| is_name(name));
        names.sort();
    }
    Ok(inventory)
}

fn listed<T>(list: Result<Vec<T>, ProviderError>, unread: &mut Vec<String>) -> Vec<T> {
    list.unwrap_or_else(|error| {
        unread.push(error.to_string());
        Vec::new()
    })
}

/// A name that can be written into a file as it is.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.trim() == name && printable(name, MAX_NAME) == name
}

fn images(mut images: Vec<Image>) -> Vec<ImageChoice> {
    images.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
    let mut seen = BTreeSet::new();
    let named = images.into_iter().filter(|image| image.status == "active");
    let choices = named.filter_map(|image| {
        let name = image.name.clone().filter(|name| is_name(name))?;
        seen.insert(name.clone()).then(|| ImageChoice {
            name,
            created: image.created_at.get(..DAY).unwrap_or_default().to_owned(),
            min_ram_mb: image.min_ram.size().unwrap_or(0),
            min_disk_gb: image.min_disk.size().unwrap_or(0),
            remark: remark(&image),
        })
    });
    choices.collect()
}

/// Says why an image is hardly the one that agents are made of.
fn remark(image: &Image) -> Option<String> {
    let architecture = image.architecture.to_lowercase();
    if image.origin == "snapshot" {
        Some("a snapshot".to_owned())
    } else if image.disk_format == "iso" {
        Some("an ISO image".to_owned())
    } else if !["", "x86_64", "amd64"].contains(&architecture.as_str()) {
        Some(printable(&image.architecture, MAX_REMARK))
    } else {
        None
    }
}

fn flavors(flavors: &[Flavor]) -> Vec<FlavorChoice> {
    let usable = flavors
        .iter()
        .filter(|flavor| !flavor.is_disabled() && is_name(&flavor.name));
    let mut choices: Vec<FlavorChoice> = usable
        .filter_map(|flavor| {
            Some(FlavorChoice {
                name: flavor.name.clone(),
                vcpus: flavor.vcpus.size()?,
                ram_mb: flavor.ram.size()?,
                disk_gb: flavor.disk.size()?,
            })
        })
        .collect();
    choices.sort_by(|a, b| {
        let key = |flavor: &FlavorChoice| (flavor.vcpus, flavor.ram_mb, flavor.disk_gb);
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    choices
}
