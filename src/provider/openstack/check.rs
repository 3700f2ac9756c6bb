//! `check --online`: reads every list that a pass reads, and looks up everything that the templates name: one sentence
//! for each thing that is found or missing.
//!
//! A list that cannot be read is a sentence as well, so that one dead service hides nothing else.

mod found;

use std::collections::BTreeSet;

use super::catalog::Service;
use super::error::parse;
use super::names::{missing, nearest};
use super::resolve::{Stock, image_name, image_of_id};
use super::session::Session;
use super::wire::{Network, VolumeTypesBody, ZoneInfo, ZonesBody};
use super::{compute, network, resources};
use crate::model::{
    Checked, ImageRef, Offer, PortOffer, PortSpec, ResourceKind, ServerSpec, TemplateName, Zone, is_uuid,
};
use crate::provider::ProviderError;
use crate::text::{plural, printable};

/// A template, and the zones for its servers here.
pub(super) type Wanted<'a> = (&'a TemplateName, &'a ServerSpec, &'a [Zone]);

pub(super) fn check(session: &mut Session, wanted: &[Wanted<'_>]) -> Result<Checked, ProviderError> {
    session.ensure_login()?;
    let mut found = Findings::default();
    let project = session.project().map(found::id);
    found.there(format!(
        "login, project {}",
        project.as_deref().unwrap_or("of the token")
    ));
    if let Some(lost) = session.lost_region() {
        // No service would be found, each with a sentence of its own.
        found.note(lost);
        return Ok(found.checked);
    }
    servers(session, &mut found);
    limits(session, &mut found);
    stock(session, wanted, &mut found);
    images_by_id(session, wanted, &mut found);
    networks(session, wanted, &mut found);
    server_groups(session, wanted, &mut found);
    volume_types(session, wanted, &mut found);
    key_pairs(session, wanted, &mut found);
    security_groups(session, wanted, &mut found);
    zones(session, wanted, &mut found);
    attached(session, wanted, &mut found);
    found.checked.warnings = session.odd.sentences();
    Ok(found.checked)
}

/// Sentences in the order in which they were found, none of them twice.
#[derive(Default)]
struct Findings {
    seen: BTreeSet<String>,
    checked: Checked,
}

impl Findings {
    fn add(&mut self, template: &TemplateName, wrong: impl std::fmt::Display) {
        self.note(format!("nodes.{template}: {wrong}"));
    }

    fn note(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.checked.missing.push(text);
        }
    }

    fn there_if(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.there(text);
        }
    }

    fn there(&mut self, text: String) {
        if self.seen.insert(text.clone()) {
            self.checked.found.push(text);
        }
    }
}

/// Lists the servers: what a pass does first. Who may not, gets no pass.
fn servers(session: &mut Session, found: &mut Findings) {
    match compute::servers(session) {
        Ok(list) => found.there(format!("{} in the list", plural(list.servers.len(), "server"))),
        Err(error) => found.note(format!("{error}; without the list of servers a pass does nothing here")),
    }
}

/// Reads the limits, after the servers, which count.
fn limits(session: &mut Session, found: &mut Findings) {
    match compute::limits(session) {
        Ok(Ok(limits)) => found::limits(&limits).into_iter().for_each(|text| found.there(text)),
        Ok(Err(text)) => found.note(format!("limits: {text}; a pass asks for servers until one is refused")),
        Err(error) => found.note(error.to_string()),
    }
}

/// Looks up what an offer is made of.
fn stock(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let specs: Vec<&ServerSpec> = wanted.iter().map(|(_, spec, _)| *spec).collect();
    let stock = match Stock::load(session, &specs) {
        Ok(stock) => stock,
        Err(error) => return found.note(error.to_string()),
    };
    let failed = stock.failed();
    failed.iter().cloned().for_each(|text| found.note(text));
    for (name, spec, _) in wanted {
        let (image, flavor) = stock.found(spec);
        found.there_if(image.map(|image| found::image(&spec.image, image)));
        found.there_if(flavor.map(|flavor| found::flavor(&spec.size, flavor)));
        match stock.offer(spec) {
            Ok(offer) => offered(spec, &offer, found),
            Err(wrong) => {
                let own = wrong
                    .into_iter()
                    .map(|lack| lack.text)
                    .filter(|text| !failed.contains(text));
                own.for_each(|text| found.add(name, text));
            }
        }
    }
}

/// Says what an offer has beside image and size.
fn offered(spec: &ServerSpec, offer: &Offer, found: &mut Findings) {
    for (name, id) in spec.networks.iter().zip(&offer.networks) {
        found.there(found::named("network", name, id));
    }
    if spec.networks.is_empty() && spec.ports.is_empty() {
        let only = offer.networks.first();
        found.there_if(only.map(|id| format!("network {}, the only one", found::id(id))));
    }
    for port in &offer.ports {
        found.there(match port {
            PortOffer::OneOf(free) => format!("{} free of those that are named", plural(free.len(), "port")),
            PortOffer::New { network, .. } => format!("network {} for ports", found::id(network)),
        });
    }
    let group = spec.scheduler_hints.get("group").and_then(|group| group.as_str());
    let group = group.zip(offer.server_group.as_deref());
    found.there_if(group.map(|(name, id)| found::named("server group", name, id)));
}

fn images_by_id(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    for (name, spec, _) in wanted {
        let (None, ImageRef::Id(id) | ImageRef::Name(id)) = (image_name(&spec.image), &spec.image) else {
            continue;
        };
        match image_of_id(session, id) {
            Ok(Some(image)) => found.there(found::image(&spec.image, &image)),
            Ok(None) => found.add(name, format!("no usable image has the id \"{}\"", printable(id, 60))),
            Err(error) => found.add(name, error),
        }
    }
}

fn networks(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let seen = match network::networks(session) {
        Ok(seen) => seen,
        Err(error) => return found.note(error.to_string()),
    };
    let only = network::only(&seen, session.project());
    for (name, spec, _) in wanted {
        // An offer reports it as well, unless another dead service prevents the offer.
        if let (true, true, Err(several)) = (spec.networks.is_empty(), spec.ports.is_empty(), &only) {
            found.add(name, several);
        }
        for id in network_ids(spec) {
            match seen.iter().find(|network| network.id.eq_ignore_ascii_case(id)) {
                Some(network) => found.there(found::named("network", &network.name, id)),
                None => found.add(name, format!("no network has the id \"{id}\"")),
            }
        }
        if let Some(pool) = &spec.floating_ip_pool {
            match no_pool(&seen, pool) {
                Some(wrong) => found.add(name, wrong),
                None => found.there(found::there("floating IP pool", pool)),
            }
        }
    }
}

/// Lists what servers have that can outlive them, as a pass does for templates that use it.
fn attached(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let kinds: BTreeSet<ResourceKind> = wanted.iter().flat_map(|(_, spec, _)| spec.resource_kinds()).collect();
    for kind in kinds {
        let noun = resources::noun(kind);
        match resources::resources(session, &[kind].into()) {
            Ok(all) => found.there(format!("{} in the list", plural(all.len(), noun))),
            Err(error) => found.note(error.to_string()),
        }
    }
}

/// The ids among the networks of a spec and of its ports; names are looked up for an offer.
fn network_ids(spec: &ServerSpec) -> impl Iterator<Item = &String> {
    let of_ports = spec.ports.iter().filter_map(|port| match port {
        PortSpec::Made { network, .. } => Some(network),
        PortSpec::Existing(_) => None,
    });
    spec.networks.iter().chain(of_ports).filter(|name| is_uuid(name))
}

/// Returns why a network has no floating IPs.
fn no_pool(seen: &[Network], pool: &str) -> Option<String> {
    let meant = |network: &&Network| network.name == pool || network.id.eq_ignore_ascii_case(pool);
    let mut meant = seen.iter().filter(meant).peekable();
    let may_be = |network: &&Network| network.external.0 != Some(false);
    let external = seen.iter().filter(may_be);
    if meant.peek().is_none() {
        return Some(missing("floating IP pool", pool, external.map(|n| n.name.as_str())));
    }
    match meant.filter(may_be).count() {
        0 => {
            let near = nearest(pool, external.map(|n| n.name.as_str()));
            Some(format!(
                "the network \"{pool}\" is not external, so it has no floating IPs ({near})"
            ))
        }
        1 => None,
        many => Some(format!(
            "{many} external networks are named \"{pool}\": name one by its id"
        )),
    }
}

/// Looks up server groups that are given by their ids; names are looked up for an offer.
fn server_groups(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let group = |spec: &ServerSpec| spec.scheduler_hints.get("group")?.as_str().map(str::to_owned);
    let of_id = |spec: &ServerSpec| group(spec).filter(|group| is_uuid(group));
    if wanted.iter().all(|(_, spec, _)| of_id(spec).is_none()) {
        return;
    }
    let groups = match compute::server_groups(session) {
        Ok(groups) => groups,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, spec, _) in wanted {
        if let Some(id) = of_id(spec) {
            match network::named("server group", &groups, &id) {
                Ok(id) => found.there(found::named("server group", &id, &id)),
                Err(wrong) => found.add(name, wrong),
            }
        }
    }
}

fn volume_types(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    if wanted.iter().all(|(_, spec, _)| spec.volume_type.is_none()) {
        return;
    }
    let what = "volume types";
    let reply = session.get(what, Service::Volume, "/types");
    let types: Result<VolumeTypesBody, _> = reply.and_then(|reply| parse(what, &reply));
    let types = match types {
        Ok(body) => body.volume_types.all,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, spec, _) in wanted {
        if let Some(kind) = &spec.volume_type {
            match network::named("volume type", &types, kind) {
                Ok(id) => found.there(found::named("volume type", kind, &id)),
                Err(wrong) => found.add(name, wrong),
            }
        }
    }
}

fn key_pairs(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    if wanted.iter().all(|(_, spec, _)| spec.key_pair.is_none()) {
        return;
    }
    let names = match compute::key_pairs(session) {
        Ok(names) => names,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, spec, _) in wanted {
        let Some(pair) = &spec.key_pair else { continue };
        if names.contains(pair) {
            found.there(found::there("key pair", pair));
        } else {
            let wrong = missing("key pair", pair, names.iter().map(String::as_str));
            found.add(
                name,
                format!("{wrong}; key pairs belong to the user, not to the project"),
            );
        }
    }
}

fn security_groups(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let of_ports = |spec: &ServerSpec| {
        let made = spec.ports.iter().filter_map(|port| match port {
            // Names are looked up for an offer.
            PortSpec::Made { security_groups, .. } => Some(security_groups),
            PortSpec::Existing(_) => None,
        });
        made.flatten()
            .filter(|id| is_uuid(id))
            .cloned()
            .collect::<Vec<String>>()
    };
    if wanted
        .iter()
        .all(|(_, spec, _)| spec.security_groups.is_empty() && of_ports(spec).is_empty())
    {
        return;
    }
    let groups = match network::security_groups(session) {
        Ok(groups) => groups,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, spec, _) in wanted {
        for group in spec.security_groups.iter().chain(&of_ports(spec)) {
            match network::named("security group", &groups, group) {
                Ok(id) => found.there(found::named("security group", group, &id)),
                Err(wrong) => found.add(name, wrong),
            }
        }
    }
}

fn zones(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    if wanted.iter().all(|(_, _, zones)| zones.is_empty()) {
        return;
    }
    let what = "availability zones";
    let reply = session.get(what, Service::Compute, "/os-availability-zone");
    let there: Result<ZonesBody, _> = reply.and_then(|reply| parse(what, &reply));
    let there: Vec<ZoneInfo> = match there {
        Ok(body) => body.zones.all,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, _, zones) in wanted {
        for zone in *zones {
            // An administrator may name a host behind a colon.
            let bare = zone.as_str().split(':').next().unwrap_or_default();
            match there.iter().find(|z| z.name == bare) {
                Some(info) if info.is_available() => found.there(found::there("availability zone", bare)),
                Some(_) => found.add(name, format!("the availability zone \"{bare}\" takes no servers now")),
                None => found.add(
                    name,
                    missing("availability zone", bare, there.iter().map(|z| z.name.as_str())),
                ),
            }
        }
    }
}
