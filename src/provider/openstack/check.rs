//! `check --online`: looks up everything that the templates name, and reports what is missing, one sentence each.
//!
//! A list that cannot be read is a sentence as well, so that one dead service hides nothing else.

use std::collections::BTreeSet;

use super::catalog::Service;
use super::error::parse;
use super::names::{missing, nearest};
use super::resolve::{Stock, image_exists, image_name};
use super::session::Session;
use super::wire::{Network, VolumeTypesBody, ZoneInfo, ZonesBody};
use super::{compute, network};
use crate::model::{ImageRef, PortSpec, ServerSpec, TemplateName, Zone, is_uuid};
use crate::provider::ProviderError;
use crate::text::printable;

/// A template, and the zones for its servers here.
pub(super) type Wanted<'a> = (&'a TemplateName, &'a ServerSpec, &'a [Zone]);

pub(super) fn check(session: &mut Session, wanted: &[Wanted<'_>]) -> Result<Vec<String>, ProviderError> {
    session.ensure_login()?;
    let mut found = Findings(BTreeSet::new(), Vec::new());
    let specs: Vec<&ServerSpec> = wanted.iter().map(|(_, spec, _)| *spec).collect();
    match Stock::load(session, &specs) {
        Ok(stock) => {
            let failed = stock.failed();
            failed.iter().cloned().for_each(|text| found.note(text));
            for (name, spec, _) in wanted {
                let wrong = stock.offer(spec).err().unwrap_or_default();
                wrong
                    .into_iter()
                    .map(|lack| lack.text)
                    .filter(|text| !failed.contains(text))
                    .for_each(|text| found.add(name, text));
            }
        }
        Err(error) => found.note(error.to_string()),
    }
    images_by_id(session, wanted, &mut found);
    networks(session, wanted, &mut found);
    server_groups(session, wanted, &mut found);
    volume_types(session, wanted, &mut found);
    key_pairs(session, wanted, &mut found);
    security_groups(session, wanted, &mut found);
    zones(session, wanted, &mut found);
    Ok(found.1)
}

/// Sentences in the order in which they were found, none of them twice.
struct Findings(BTreeSet<String>, Vec<String>);

impl Findings {
    fn add(&mut self, template: &TemplateName, wrong: impl std::fmt::Display) {
        self.note(format!("nodes.{template}: {wrong}"));
    }

    fn note(&mut self, text: String) {
        if self.0.insert(text.clone()) {
            self.1.push(text);
        }
    }
}

fn images_by_id(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    for (name, spec, _) in wanted {
        let (None, ImageRef::Id(id) | ImageRef::Name(id)) = (image_name(&spec.image), &spec.image) else {
            continue;
        };
        match image_exists(session, id) {
            Ok(true) => {}
            Ok(false) => found.add(name, format!("no usable image has the id \"{}\"", printable(id, 60))),
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
            if !seen.iter().any(|network| network.id.eq_ignore_ascii_case(id)) {
                found.add(name, format!("no network has the id \"{id}\""));
            }
        }
        if let Some(wrong) = spec.floating_ip_pool.as_ref().and_then(|pool| no_pool(&seen, pool)) {
            found.add(name, wrong);
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
        if let Some(Err(wrong)) = of_id(spec).map(|id| network::named("server group", &groups, &id)) {
            found.add(name, wrong);
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
        let wrong = spec
            .volume_type
            .as_ref()
            .map(|kind| network::named("volume type", &types, kind));
        if let Some(Err(wrong)) = wrong {
            found.add(name, wrong);
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
        if let Some(pair) = spec.key_pair.as_ref().filter(|pair| !names.contains(pair)) {
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
            if let Err(wrong) = network::named("security group", &groups, group) {
                found.add(name, wrong);
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
                Some(info) if info.is_available() => {}
                Some(_) => found.add(name, format!("the availability zone \"{bare}\" takes no servers now")),
                None => found.add(
                    name,
                    missing("availability zone", bare, there.iter().map(|z| z.name.as_str())),
                ),
            }
        }
    }
}
