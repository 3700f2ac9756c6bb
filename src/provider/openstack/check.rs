//! `check --online`: everything that the templates name is looked up, and what is missing is told, one sentence each.
//!
//! A list that cannot be read is a sentence as well, so that one dead service hides nothing else.

use std::collections::BTreeSet;

use super::catalog::Service;
use super::error::parse;
use super::names::{is_uuid, missing};
use super::network;
use super::resolve::{Stock, image_exists, image_name};
use super::session::Session;
use super::wire::{KeyPairsBody, Network, ZoneInfo, ZonesBody};
use crate::http::printable;
use crate::model::{ImageRef, ServerSpec, TemplateName, Zone};
use crate::provider::ProviderError;

/// A template, and the zones its servers may stand in here.
pub(super) type Wanted<'a> = (&'a TemplateName, &'a ServerSpec, &'a [Zone]);

/// Looks everything up.
pub(super) fn check(session: &mut Session, wanted: &[Wanted<'_>]) -> Result<Vec<String>, ProviderError> {
    session.ensure_login()?;
    let mut found = Findings(BTreeSet::new(), Vec::new());
    let specs: Vec<&ServerSpec> = wanted.iter().map(|(_, spec, _)| *spec).collect();
    match Stock::of(session, &specs) {
        Ok(stock) => {
            for (name, spec, _) in wanted {
                for wrong in stock.offer(spec).err().unwrap_or_default() {
                    found.add(name, wrong);
                }
            }
        }
        Err(error) => found.note(error.to_string()),
    }
    images_by_id(session, wanted, &mut found);
    networks(session, wanted, &mut found);
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
        let (None, ImageRef::Id(id) | ImageRef::Name(id) | ImageRef::Regex(id)) =
            (image_name(&spec.image), &spec.image)
        else {
            continue;
        };
        match image_exists(session, id) {
            Ok(true) => {}
            Ok(false) => found.add(name, format!("no usable image has the id {:?}", printable(id, 60))),
            Err(error) => found.add(name, error),
        }
    }
}

fn networks(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    let seen = match network::networks(session, &["id", "name", "shared", "project_id"]) {
        Ok(seen) => seen,
        Err(error) => return found.note(error.to_string()),
    };
    // As Nova chooses where none is named: the project's own, and those that are shared.
    let project = session.project();
    let usable = |n: &&Network| n.shared || (project.is_some() && n.project_id.as_deref() == project);
    let usable: Vec<&str> = seen.iter().filter(usable).map(|n| n.name.as_str()).collect();
    for (name, spec, _) in wanted {
        if spec.networks.is_empty() && usable.len() > 1 {
            let there = printable(&usable.join(", "), 200);
            found.add(
                name,
                format!("the project sees several networks ({there}): name one under `networks`"),
            );
        }
        for id in spec.networks.iter().filter(|id| is_uuid(id)) {
            if !seen.iter().any(|network| network.id.eq_ignore_ascii_case(id)) {
                found.add(name, format!("no network has the id {id:?}"));
            }
        }
    }
}

fn key_pairs(session: &mut Session, wanted: &[Wanted<'_>], found: &mut Findings) {
    if wanted.iter().all(|(_, spec, _)| spec.key_pair.is_none()) {
        return;
    }
    let what = "key pairs";
    let reply = session.get(what, Service::Compute, "/os-keypairs");
    let pairs: Result<KeyPairsBody, _> = reply.and_then(|reply| parse(what, &reply));
    let names: Vec<String> = match pairs {
        Ok(body) => body.keypairs.into_iter().map(|entry| entry.keypair.name).collect(),
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
    if wanted.iter().all(|(_, spec, _)| spec.security_groups.is_empty()) {
        return;
    }
    let groups = match network::security_groups(session) {
        Ok(groups) => groups,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, spec, _) in wanted {
        for group in &spec.security_groups {
            let bearers = groups.iter().filter(|g| g.name == *group).count();
            let by_id = groups.iter().any(|g| g.id.0.as_deref() == Some(group));
            match bearers {
                _ if by_id => {}
                0 => found.add(
                    name,
                    missing("security group", group, groups.iter().map(|g| g.name.as_str())),
                ),
                1 => {}
                many => found.add(
                    name,
                    format!("{many} security groups are named {group:?}: name one by its id"),
                ),
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
        Ok(body) => body.zones,
        Err(error) => return found.note(error.to_string()),
    };
    for (name, _, zones) in wanted {
        for zone in *zones {
            // An administrator may name a host behind a colon.
            let bare = zone.as_str().split(':').next().unwrap_or_default();
            match there.iter().find(|z| z.name == bare) {
                Some(info) if info.state.available => {}
                Some(_) => found.add(name, format!("the availability zone {bare:?} takes no servers now")),
                None => found.add(
                    name,
                    missing("availability zone", bare, there.iter().map(|z| z.name.as_str())),
                ),
            }
        }
    }
}
