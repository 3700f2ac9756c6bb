//! From what a template names to ids: image, flavor, networks, ports, server group.
//!
//! The same look-up serves a pass, where it becomes an `Offer`, and `check --online`, which reports what is wrong.

use std::collections::BTreeSet;

use log::debug;

use super::catalog::Service;
use super::error::{Fault, parse};
use super::names::{missing, nearest};
use super::port::{self, Port};
use super::session::Session;
use super::wire::{Flavor, Image, Named, Network};
use super::{compute, flavor, image, network};
use crate::model::{ImageRef, Offer, PortOffer, PortSpec, ServerSpec, is_uuid};
use crate::pattern::WholeName;
use crate::provider::ProviderError;
use crate::text::printable;

/// The lists of a cloud in which names are looked up. Each but flavors may have failed, with the reason: that closes
/// the templates that need it, and no other.
#[derive(Debug)]
pub(super) struct Stock {
    project: Option<String>,
    flavors: Vec<Flavor>,
    images: Looked<Vec<Image>>,
    /// `None` where they were not needed.
    networks: Option<Looked<Vec<Network>>>,
    ports: Looked<Vec<Port>>,
    security_groups: Looked<Vec<Named>>,
    server_groups: Looked<Vec<Named>>,
    /// Ports that servers have which do not show on them yet.
    taken_ports: BTreeSet<String>,
}

/// Something that a spec names and the cloud does not have.
#[derive(Debug)]
pub(super) struct Lack {
    /// The key of the template.
    pub key: &'static str,
    /// Whether only its list could not be read.
    pub unread: bool,
    /// What is wrong and what to do.
    pub text: String,
}

/// A list, or why it could not be read.
type Looked<T> = Result<T, ProviderError>;

/// How many other images an offer names at most.
const OLDER_IMAGES: usize = 5;

impl Stock {
    /// Lists what the specs name: images in one query, all flavors, and of the rest what cannot be done without.
    pub(super) fn load(session: &mut Session, specs: &[&ServerSpec]) -> Result<Self, ProviderError> {
        let project = session.ensure_login()?.project.clone();
        let made = |spec: &&ServerSpec| spec.ports.iter().any(|port| matches!(port, PortSpec::Made { .. }));
        let grouped = specs.iter().any(made) && specs.iter().any(|spec| names_groups(spec));
        let named_group = |spec: &&ServerSpec| group_name(spec).is_some();
        Ok(Self {
            project,
            images: images(session, specs),
            networks: networks(session, specs),
            ports: ports(session, specs),
            security_groups: listed(grouped, || network::security_groups(session)),
            server_groups: listed(specs.iter().any(named_group), || compute::server_groups(session)),
            flavors: compute::flavors(session)?,
            taken_ports: session.taken_ports.clone(),
        })
    }

    /// Returns why lists could not be read, each once.
    pub(super) fn failed(&self) -> BTreeSet<String> {
        [
            self.images.as_ref().err(),
            self.networks.as_ref().and_then(|networks| networks.as_ref().err()),
            self.ports.as_ref().err(),
            self.security_groups.as_ref().err(),
            self.server_groups.as_ref().err(),
        ]
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect()
    }

    /// Resolves a spec, or returns all that is wrong with it.
    pub(super) fn offer(&self, spec: &ServerSpec) -> Result<Offer, Vec<Lack>> {
        let mut lacks = Vec::new();
        let mut note = |key, unread, texts: Vec<String>| {
            lacks.extend(texts.into_iter().map(|text| Lack { key, unread, text }));
        };
        let mut wrong = Vec::new();
        let image = self.image(&spec.image).map_err(|text| wrong.push(text)).ok();
        let (image, known, older_images) = image.unwrap_or_default();
        note("image", self.images.is_err(), std::mem::take(&mut wrong));
        let flavor = flavor::choose(&self.flavors, spec, known);
        let flavor = flavor.map_err(|text| wrong.push(text)).ok();
        note("size", false, std::mem::take(&mut wrong));
        let networks = self.networks(spec, &mut wrong);
        note(
            "networks",
            matches!(self.networks, Some(Err(_))),
            std::mem::take(&mut wrong),
        );
        let ports = self.ports(spec, &mut wrong);
        let unread = self.ports.is_err() || self.security_groups.is_err();
        note("ports", unread, std::mem::take(&mut wrong));
        let group = group_name(spec).map(|name| {
            let groups = self.server_groups.as_ref().map_err(ToString::to_string)?;
            network::named("server group", groups, name)
        });
        let server_group = group.and_then(|found| found.map_err(|text| wrong.push(text)).ok());
        note(
            "scheduler_hints",
            self.server_groups.is_err(),
            std::mem::take(&mut wrong),
        );
        if let (Some(image), Some(flavor)) = (known, flavor) {
            wrong.extend(flavor::misfit(image, flavor, spec.boot_volume));
        }
        note("size", false, wrong);
        match flavor {
            Some(flavor) if lacks.is_empty() => Ok(Offer {
                flavor: flavor.id.clone(),
                image,
                older_images,
                networks,
                ports,
                server_group,
                // An unknown amount counts as zero.
                vcpus: flavor.vcpus.size().unwrap_or(0),
                ram_mb: flavor.ram.size().unwrap_or(0),
            }),
            _ => Err(lacks),
        }
    }

    /// Finds an image: its id, what is known of it, and the ids of those that would do as well. An id is not looked up:
    /// it may be of an image that no list shows (community, hidden), and boots all the same.
    fn image(&self, wanted: &ImageRef) -> Result<(String, Option<&Image>, Vec<String>), String> {
        let images = self.images.as_deref().map_err(ToString::to_string);
        let mut found = match wanted {
            ImageRef::Regex(text) => {
                let pattern = WholeName::new(text)?;
                self.candidates(images.clone()?, |name| pattern.matches(name))
            }
            ImageRef::Name(name) if !is_uuid(name) => self.candidates(images.clone()?, |other| other == name),
            ImageRef::Id(id) | ImageRef::Name(id) => {
                let known = images.unwrap_or_default().iter().find(|image| image.id == *id);
                return Ok((id.clone(), known, Vec::new()));
            }
        }
        .into_iter();
        let Some(image) = found.next() else {
            let names = images?.iter().filter_map(|image| image.name.as_deref());
            return Err(match wanted {
                ImageRef::Regex(text) => format!(
                    "no image has a name that \"{}\" matches as a whole ({})",
                    printable(text, 100),
                    nearest(text, names)
                ),
                ImageRef::Id(name) | ImageRef::Name(name) => missing("image", name, names),
            });
        };
        let older = found.take(OLDER_IMAGES).map(|image| image.id.clone()).collect();
        Ok((image.id.clone(), Some(image), older))
    }

    fn candidates<'i>(&self, images: &'i [Image], wanted: impl Fn(&str) -> bool) -> Vec<&'i Image> {
        image::candidates(images, wanted, self.project.as_deref())
    }

    /// Returns the image of a spec and its flavor, as far as they were found in the lists.
    pub(super) fn found(&self, spec: &ServerSpec) -> (Option<&Image>, Option<&Flavor>) {
        let image = self.image(&spec.image).ok().and_then(|(_, image, _)| image);
        (image, flavor::choose(&self.flavors, spec, image).ok())
    }

    /// Says which image was chosen where that was open.
    pub(super) fn chosen(&self, spec: &ServerSpec) -> Option<String> {
        if let ImageRef::Id(_) = spec.image {
            return None;
        }
        let (_, image, older) = self.image(&spec.image).ok()?;
        let image = image?;
        let name = printable(image.name.as_deref().unwrap_or_default(), 100);
        let (id, made) = (printable(&image.id, 60), printable(&image.created_at, 40));
        Some(format!(
            "image \"{name}\" ({id}) of {made}, {} others would do",
            older.len()
        ))
    }

    fn networks(&self, spec: &ServerSpec, wrong: &mut Vec<String>) -> Vec<String> {
        let mut add = |found: Result<String, String>| found.map_err(|text| wrong.push(text)).ok();
        if !spec.networks.is_empty() || !spec.ports.is_empty() {
            let named = spec.networks.iter().map(|name| self.network(name));
            return named.filter_map(add).collect();
        }
        let only = match &self.networks {
            Some(Ok(networks)) => network::only(networks, self.project.as_deref()),
            // Nova could not do without it either.
            Some(Err(error @ (ProviderError::Unavailable(_) | ProviderError::Throttled { .. }))) => {
                Err(error.to_string())
            }
            // A cloud without Neutron, or one that does not show its networks: Nova may know better.
            Some(Err(error)) => {
                debug!("openstack: {error}; the choice of the network is left to Nova");
                Ok(None)
            }
            None => Ok(None),
        };
        match only {
            // From 2.37 on Nova requires `networks`, and "auto" would make networks where there are none.
            Ok(None) if spec.volume_type.is_some() => {
                let text = "with volume_type the network must be known, and none is seen: name one under `networks`";
                add(Err(text.to_owned())).into_iter().collect()
            }
            Ok(only) => only.into_iter().collect(),
            Err(text) => add(Err(text)).into_iter().collect(),
        }
    }

    /// Finds a network that is named; an id needs no list.
    fn network(&self, wanted: &str) -> Result<String, String> {
        match &self.networks {
            Some(Err(error)) if !is_uuid(wanted) => Err(error.to_string()),
            Some(Ok(networks)) => network::resolve(networks, wanted),
            _ => network::resolve(&[], wanted),
        }
    }

    fn ports(&self, spec: &ServerSpec, wrong: &mut Vec<String>) -> Vec<PortOffer> {
        let mut offers = Vec::new();
        let mut pooled = false;
        for port in &spec.ports {
            match port {
                // All of them together are one: each server takes one of those that are free.
                PortSpec::Existing(_) if pooled => {}
                PortSpec::Existing(_) => {
                    pooled = true;
                    let pool: Vec<&str> = pool(spec).collect();
                    match &self.ports {
                        Ok(ports) => {
                            let free = port::free(ports, &pool, &self.taken_ports, wrong);
                            offers.push(PortOffer::OneOf(free));
                        }
                        Err(error) => wrong.push(error.to_string()),
                    }
                }
                PortSpec::Made {
                    network,
                    security_groups,
                    port_security,
                    ..
                } => {
                    let inherits = security_groups.is_empty() && *port_security != Some(false);
                    let groups = if inherits {
                        &spec.security_groups
                    } else {
                        security_groups
                    };
                    offers.extend(self.new_port(network, groups, wrong));
                }
            }
        }
        offers
    }

    fn new_port(&self, network: &str, groups: &[String], wrong: &mut Vec<String>) -> Option<PortOffer> {
        let mut keep = |found: Result<String, String>| found.map_err(|text| wrong.push(text)).ok();
        let groups = groups.iter().map(|name| self.security_group(name));
        let security_groups = groups.filter_map(&mut keep).collect();
        Some(PortOffer::New {
            network: keep(self.network(network))?,
            security_groups,
        })
    }

    fn security_group(&self, wanted: &str) -> Result<String, String> {
        if is_uuid(wanted) {
            return Ok(wanted.to_owned());
        }
        let groups = self.security_groups.as_ref().map_err(ToString::to_string)?;
        network::named("security group", groups, wanted)
    }
}

/// Makes a list where it is needed.
fn listed<T: Default>(needed: bool, list: impl FnOnce() -> Looked<T>) -> Looked<T> {
    if needed { list() } else { Ok(T::default()) }
}

/// Lists the images that are named; all images where a template has an expression.
fn images(session: &mut Session, specs: &[&ServerSpec]) -> Result<Vec<Image>, ProviderError> {
    let names: BTreeSet<&str> = specs.iter().filter_map(|spec| image_name(&spec.image)).collect();
    let names: Vec<&str> = names.into_iter().collect();
    if specs.iter().any(|spec| matches!(spec.image, ImageRef::Regex(_))) {
        return image::all(session);
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let images = image::by_name(session, &names)?;
    let there = |name: &&str| {
        images
            .iter()
            .any(|i| i.status == "active" && i.name.as_deref() == Some(*name))
    };
    if names.iter().all(there) {
        return Ok(images);
    }
    // What there is instead helps the operator, and is asked only when something is amiss.
    image::all(session)
}

/// Lists the networks where one is named that is no id, or where Nova would have to choose.
fn networks(session: &mut Session, specs: &[&ServerSpec]) -> Option<Looked<Vec<Network>>> {
    let named = |spec: &&ServerSpec| {
        let of_ports = spec.ports.iter().filter_map(|port| match port {
            PortSpec::Made { network, .. } => Some(network),
            PortSpec::Existing(_) => None,
        });
        spec.networks.iter().chain(of_ports).any(|name| !is_uuid(name))
    };
    let open = |spec: &&ServerSpec| spec.networks.is_empty() && spec.ports.is_empty();
    let needed = specs.iter().any(|spec| named(spec) || open(spec));
    needed.then(|| network::networks(session))
}

/// Lists the existing ports that are named.
fn ports(session: &mut Session, specs: &[&ServerSpec]) -> Result<Vec<Port>, ProviderError> {
    let wanted: BTreeSet<&str> = specs.iter().flat_map(|spec| pool(spec)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let found = port::ports(session, &wanted)?;
    if wanted.iter().all(|name| found.iter().any(|port| port.is(name))) {
        return Ok(found);
    }
    port::ports(session, &BTreeSet::new())
}

/// The names and ids of the existing ports of a spec.
fn pool(spec: &ServerSpec) -> impl Iterator<Item = &str> {
    spec.ports.iter().filter_map(|port| match port {
        PortSpec::Existing(name) => Some(name.as_str()),
        PortSpec::Made { .. } => None,
    })
}

/// Whether a spec names security groups by which ports are made.
fn names_groups(spec: &ServerSpec) -> bool {
    let of_ports = spec.ports.iter().filter_map(|port| match port {
        PortSpec::Made { security_groups, .. } => Some(security_groups),
        PortSpec::Existing(_) => None,
    });
    of_ports
        .chain([&spec.security_groups])
        .flatten()
        .any(|name| !is_uuid(name))
}

/// The server group of a spec, where it is given by its name.
fn group_name(spec: &ServerSpec) -> Option<&str> {
    spec.scheduler_hints
        .get("group")?
        .as_str()
        .filter(|group| !is_uuid(group))
}

/// The name to look an image up by; `None` where its id is given.
pub(super) fn image_name(image: &ImageRef) -> Option<&str> {
    match image {
        ImageRef::Name(name) if !is_uuid(name) => Some(name),
        _ => None,
    }
}

/// Looks an image up by its id, for `check`; `None` where there is none that can be used.
pub(super) fn image_of_id(session: &mut Session, id: &str) -> Result<Option<Image>, ProviderError> {
    let path = format!("/images/{}", crate::http::escaped(id));
    let reply = session.get("image", Service::Image, &path)?;
    if Fault::read(&reply).is_gone(Service::Image) {
        return Ok(None);
    }
    let image: Image = parse("image", &reply)?;
    Ok(Some(image).filter(|image| image.status == "active"))
}
