//! From what a template names to ids: image, flavor, networks, and whether image and flavor fit together.
//!
//! The same look-up serves a pass, where it becomes an `Offer`, and `check --online`, where what is wrong is told.

use std::collections::BTreeSet;

use super::catalog::Service;
use super::names::{is_uuid, missing};
use super::session::Session;
use super::wire::{Flavor, Image, Network};
use super::{compute, image, network};
use crate::http::printable;
use crate::model::{ImageRef, Offer, ServerSpec, SizeRef};
use crate::provider::ProviderError;

/// What a cloud has of what was named.
#[derive(Debug)]
pub(super) struct Stock {
    pub project: Option<String>,
    pub flavors: Vec<Flavor>,
    pub images: Vec<Image>,
    pub networks: Vec<Network>,
}

impl Stock {
    /// Lists what the specs name: images in one query, all flavors, and networks where one is named that is no id.
    pub(super) fn of(session: &mut Session, specs: &[&ServerSpec]) -> Result<Self, ProviderError> {
        let project = session.ensure_login()?.project.clone();
        let names: BTreeSet<&str> = specs.iter().filter_map(|spec| image_name(&spec.image)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut images = if names.is_empty() {
            Vec::new()
        } else {
            image::by_name(session, &names)?
        };
        if names.iter().any(|name| image::choose(&images, name, None).is_none()) {
            // What there is instead helps the operator, and is asked only when something is amiss.
            images = image::all(session)?;
        }
        let mut wanted = specs.iter().flat_map(|spec| &spec.networks);
        let networks = if wanted.any(|name| !is_uuid(name)) {
            network::networks(session, &["id", "name"])?
        } else {
            Vec::new()
        };
        Ok(Self {
            project,
            flavors: compute::flavors(session)?,
            images,
            networks,
        })
    }

    /// Resolves a spec, or tells all that is wrong with it.
    pub(super) fn offer(&self, spec: &ServerSpec) -> Result<Offer, Vec<String>> {
        let mut wrong = Vec::new();
        let image = self.image(&spec.image).map_err(|text| wrong.push(text)).ok();
        let flavor = self.flavor(&spec.size).map_err(|text| wrong.push(text)).ok();
        let mut networks = Vec::new();
        for name in &spec.networks {
            match network::resolve(&self.networks, name) {
                Ok(id) => networks.push(id),
                Err(text) => wrong.push(text),
            }
        }
        if let (Some((_, Some(image))), Some(flavor)) = (&image, flavor) {
            wrong.extend(misfit(image, flavor, spec.boot_volume));
        }
        match (image, flavor) {
            (Some((image, _)), Some(flavor)) if wrong.is_empty() => Ok(Offer {
                flavor: flavor.id.clone(),
                image,
                older_images: Vec::new(),
                networks,
                ports: Vec::new(),
                vcpus: flavor.vcpus,
                ram_mb: flavor.ram,
            }),
            _ => Err(wrong),
        }
    }

    /// Finds an image: its id, and what is known of it. An id is not looked up: it may be of an image that no list
    /// shows (community, hidden), and boots all the same.
    fn image(&self, wanted: &ImageRef) -> Result<(String, Option<&Image>), String> {
        match (image_name(wanted), wanted) {
            (Some(name), _) => match image::choose(&self.images, name, self.project.as_deref()) {
                Some(image) => Ok((image.id.clone(), Some(image))),
                None => Err(missing(
                    "image",
                    name,
                    self.images.iter().filter_map(|i| i.name.as_deref()),
                )),
            },
            (None, ImageRef::Id(id) | ImageRef::Name(id) | ImageRef::Regex(id)) => {
                Ok((id.clone(), self.images.iter().find(|image| image.id == *id)))
            }
        }
    }

    fn flavor(&self, wanted: &SizeRef) -> Result<&Flavor, String> {
        let SizeRef::Named(wanted) = wanted else {
            return Err("not built yet".to_owned());
        };
        let named = self.flavors.iter().find(|flavor| flavor.name == *wanted);
        named
            .or_else(|| self.flavors.iter().find(|flavor| flavor.id == *wanted))
            .ok_or_else(|| missing("flavor", wanted, self.flavors.iter().map(|f| f.name.as_str())))
    }
}

/// The name to look an image up by; `None` where its id is given.
pub(super) fn image_name(image: &ImageRef) -> Option<&str> {
    match image {
        ImageRef::Name(name) if !is_uuid(name) => Some(name),
        _ => None,
    }
}

/// Tells why an image does not fit a flavor: Nova would refuse the server.
fn misfit(image: &Image, flavor: &Flavor, boot_volume: Option<u32>) -> Vec<String> {
    let name = format!("image {:?}", printable(image.name.as_deref().unwrap_or(&image.id), 100));
    let size = format!("flavor {:?}", printable(&flavor.name, 100));
    let mut wrong = Vec::new();
    if image.min_ram > flavor.ram {
        wrong.push(format!(
            "{name} needs {} MiB of memory, {size} has {}",
            image.min_ram, flavor.ram
        ));
    }
    match boot_volume {
        Some(gb) if image.min_disk > u64::from(gb) => {
            wrong.push(format!(
                "{name} needs a disk of {} GB, boot_volume is {gb}",
                image.min_disk
            ));
        }
        // A root disk of 0 GB is as large as the image.
        None if flavor.disk > 0 && image.min_disk > flavor.disk => {
            wrong.push(format!(
                "{name} needs a disk of {} GB, that of {size} has {}",
                image.min_disk, flavor.disk
            ));
        }
        _ => {}
    }
    wrong
}

/// Looks an image up by its id, for `check`.
pub(super) fn image_exists(session: &mut Session, id: &str) -> Result<bool, ProviderError> {
    let path = format!("/images/{}", crate::http::escaped(id));
    let reply = session.get("image", Service::Image, &path)?;
    match reply.status {
        404 => Ok(false),
        _ => super::error::parse::<Image>("image", &reply).map(|image| image.status == "active"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many things are wrong with an image of some needs on a flavor of some size.
    fn check(needs: (u64, u64), has: (u64, u64), boot_volume: Option<u32>, expected: &[&str]) {
        let image: Image = serde_json::from_str(r#"{"id":"i","name":"big"}"#).unwrap();
        let (min_ram, min_disk) = needs;
        let image = Image {
            min_disk,
            min_ram,
            ..image
        };
        let flavor = Flavor {
            id: "f".to_owned(),
            name: "tiny".to_owned(),
            vcpus: 1,
            ram: has.0,
            disk: has.1,
        };
        let wrong = misfit(&image, &flavor, boot_volume);
        assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
        for (text, part) in wrong.iter().zip(expected) {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn an_image_must_fit_its_flavor() {
        check((512, 10), (512, 10), None, &[]);
        check((513, 11), (512, 10), None, &["513 MiB", "11 GB, that of flavor"]);
        check((0, 11), (512, 0), None, &[]);
        check((0, 11), (512, 0), Some(10), &["11 GB, boot_volume is 10"]);
        check((0, 11), (512, 1), Some(11), &[]);
    }
}
