//! What is left of servers that are gone: floating IPs, ports and volumes that have our mark and that nothing uses.
//!
//! A server that is gone is remembered until what it had was seen gone, too. What has a server, or may get one, is never
//! touched, nor what is in use or has no mark of ours.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Template};
use crate::model::{
    CloudView, ProviderName, Reading, Resource, ResourceKind, Resources, ServerId, TemplateName, split_server_name,
};
use crate::plan::action::Leftover;
use crate::plan::clock::SIGHTINGS;
use crate::plan::fleet::Fleet;
use crate::state::{GoneServer, State};
use crate::text::{shown, span};

/// A server is forgotten that long after it is gone, whatever is left of it: the hourly sweep finds that by its mark.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How Nova names a blank volume that it makes with a server: after the server's id.
const BLANK_VOLUME: &str = "-blank-vol";

/// Whether a server's name is of the form that we give: what names another one was marked by hand, and only an operator's
/// word removes it.
fn may_be_ours(server: &str) -> bool {
    split_server_name(server).is_some()
}

/// Returns the id of the server that Nova made an unmarked blank volume for.
pub fn blank_volume_of(resource: &Resource) -> Option<&str> {
    let is_bare = resource.kind == ResourceKind::Volume && resource.mark.is_none();
    let id = resource.name.strip_suffix(BLANK_VOLUME)?;
    (is_bare && id.len() == 36).then_some(id)
}

/// A thing whose server is gone.
pub struct Left<'a> {
    /// The entry of `provider:`.
    pub provider: &'a ProviderName,
    pub resource: &'a Resource,
    /// The name of its server.
    pub server: String,
}

/// Remembers which servers are gone, and forgets those of which nothing is left.
pub fn remember(fleet: &mut Fleet<'_>, before: &State) {
    let mut gone_servers = before.gone_servers.clone();
    add_gone(fleet, before, &mut gone_servers);
    if gone_servers.is_empty() && read(fleet).next().is_none() {
        return;
    }
    let now = fleet.context.now;
    let config = fleet.config;
    let living = living(fleet);
    gone_servers.retain(|name, entry| {
        let age = now.duration_since(entry.since);
        !living.contains(name.as_str())
            && config.providers.contains_key(&entry.provider)
            && age >= -FORGET_AFTER
            && age < FORGET_AFTER
    });
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for left in left(fleet, &gone_servers, &living) {
        if !may_be_ours(&left.server) {
            continue;
        }
        let entry = gone_servers.entry(left.server.clone()).or_insert_with(|| GoneServer {
            provider: left.provider.clone(),
            server_id: left.resource.server.clone(),
            kinds: BTreeSet::new(),
            since: now,
            sightings: 0,
        });
        entry.kinds.insert(left.resource.kind);
        if seen.insert(left.server) {
            entry.sightings = entry.sightings.saturating_add(1);
        }
    }
    let views: BTreeMap<&ProviderName, &CloudView> = read(fleet).collect();
    gone_servers.retain(|name, entry| {
        let looked = views.get(&entry.provider).and_then(|view| listed(view));
        let looked = looked.is_some_and(|looked| entry.kinds.is_subset(&looked.kinds));
        !looked || seen.contains(name)
    });
    fleet.state.gone_servers = gone_servers;
}

/// Adds the servers that were there in the last pass, and the creates that were given up.
fn add_gone(fleet: &Fleet<'_>, before: &State, gone_servers: &mut BTreeMap<String, GoneServer>) {
    let now = fleet.context.now;
    let after = &fleet.state;
    let mut add = |name: &str, provider: &ProviderName, id: Option<&ServerId>, kinds: BTreeSet<ResourceKind>| {
        let is_read = matches!(fleet.observed.clouds.get(provider), Some(Reading::Read(_)));
        if is_read && !kinds.is_empty() {
            gone_servers.entry(name.to_owned()).or_insert_with(|| GoneServer {
                provider: provider.clone(),
                server_id: id.cloned(),
                kinds,
                since: now,
                sightings: 0,
            });
        }
    };
    for (id, memory) in &before.nodes {
        if !memory.had.is_empty() && !after.nodes.contains_key(id) {
            add(
                &memory.name,
                &memory.provider,
                Some(&memory.server_id),
                memory.had.clone(),
            );
        }
    }
    for (id, intent) in &before.intents {
        if !after.intents.contains_key(id) && !after.nodes.contains_key(id) {
            let template = fleet.config.templates.iter().find(|t| t.name == intent.template);
            let kinds = template.map(kinds_of).unwrap_or_default();
            add(&intent.name, &intent.provider, intent.server_id.as_ref(), kinds);
        }
    }
}

fn read<'a>(fleet: &Fleet<'a>) -> impl Iterator<Item = (&'a ProviderName, &'a CloudView)> + use<'a> {
    let clouds = fleet.observed.clouds.iter();
    clouds.filter_map(|(name, reading)| Some((name, reading.ok().filter(|view| listed(view).is_some())?)))
}

/// Returns the names of everything that is there or may be: listed servers, ours or not, creates that were begun, and what
/// stands at clouds that cannot be read.
pub fn living<'a>(fleet: &Fleet<'a>) -> HashSet<&'a str> {
    let views = fleet.observed.clouds.values().filter_map(Reading::ok);
    let listed = views.flat_map(|view| &view.servers).map(|server| server.name.as_str());
    listed.chain(fleet.agents.iter().map(|agent| agent.name)).collect()
}

/// Finds everything of ours whose server is gone, in the order of providers, kinds and ids.
pub fn left<'a>(
    fleet: &Fleet<'a>,
    gone_servers: &BTreeMap<String, GoneServer>,
    living: &HashSet<&str>,
) -> Vec<Left<'a>> {
    let mut found = Vec::new();
    for (provider, view) in read(fleet) {
        for resource in listed(view).into_iter().flat_map(|listed| &listed.all) {
            let server = match resource.server_marked(&fleet.config.owner) {
                Some(server) => Some(server.to_owned()),
                None => remembered(resource, provider, gone_servers),
            };
            if let Some(server) = server.filter(|server| !living.contains(server.as_str())) {
                found.push(Left {
                    provider,
                    resource,
                    server,
                });
            }
        }
    }
    found.sort_by(|a, b| {
        let key = |left: &Left<'a>| (left.provider, left.resource.kind, &left.resource.id);
        key(a).cmp(&key(b))
    });
    found
}

/// Returns the server of ours, gone by now, after whose id Nova named a volume.
fn remembered(
    resource: &Resource,
    provider: &ProviderName,
    gone_servers: &BTreeMap<String, GoneServer>,
) -> Option<String> {
    let id = blank_volume_of(resource)?;
    let is_its =
        |entry: &GoneServer| entry.provider == *provider && entry.server_id.as_ref().is_some_and(|s| s.as_str() == id);
    let found = gone_servers.iter().find(|(_, entry)| is_its(entry));
    found.map(|(name, _)| name.clone())
}

/// Returns what the servers that are gone for no longer than that had.
pub fn kinds_since(
    state: &State,
    provider: &ProviderName,
    now: Timestamp,
    most: SignedDuration,
) -> BTreeSet<ResourceKind> {
    let here = state.gone_servers.values().filter(|entry| entry.provider == *provider);
    let fresh = here.filter(|entry| now.duration_since(entry.since) <= most);
    fresh.flat_map(|entry| &entry.kinds).copied().collect()
}

/// Returns what was left and goes in this pass: not in use, and neither just made nor seen for the first time.
pub fn ripe(fleet: &Fleet<'_>) -> Vec<Leftover> {
    if fleet.state.gone_servers.is_empty() {
        return Vec::new();
    }
    let living = living(fleet);
    let found = left(fleet, &fleet.state.gone_servers, &living);
    found.into_iter().filter_map(|left| ripened(left, fleet)).collect()
}

fn ripened(left: Left<'_>, fleet: &Fleet<'_>) -> Option<Leftover> {
    let Left {
        provider,
        resource,
        server,
    } = left;
    let sightings = fleet.state.gone_servers.get(&server).map_or(0, |entry| entry.sightings);
    let age = age(resource, provider, fleet);
    let old = match age {
        Some(age) => age > fleet.config.timing.intent_grace,
        None => sightings >= SIGHTINGS,
    };
    if resource.in_use || !old || !may_be_ours(&server) {
        return None;
    }
    let age = age.map_or_else(
        || format!("seen in {sightings} passes"),
        |age| format!("{} old", span(age)),
    );
    let because = format!(
        "server \"{}\", for which it was made, is gone; nothing uses it, {age}",
        shown(&server)
    );
    Some(leftover(resource, provider, server, fleet.config, because))
}

/// Returns how old a thing is by the cloud's clock, where the cloud tells.
pub fn age(resource: &Resource, provider: &ProviderName, fleet: &Fleet<'_>) -> Option<SignedDuration> {
    let view = fleet.observed.clouds.get(provider).and_then(Reading::ok)?;
    let now = view.clock.unwrap_or(fleet.context.now);
    Some(now.duration_since(resource.created?))
}

/// Makes the removal of a thing.
pub fn leftover(
    resource: &Resource,
    provider: &ProviderName,
    server: String,
    config: &Config,
    because: String,
) -> Leftover {
    Leftover {
        kind: resource.kind,
        id: resource.id.clone(),
        name: resource.name.clone(),
        provider: provider.clone(),
        template: template_of(&server, config),
        server,
        because,
    }
}

fn template_of(server: &str, config: &Config) -> Option<TemplateName> {
    let (template, _) = split_server_name(server)?;
    config.templates.iter().any(|t| t.name == template).then_some(template)
}

/// Returns what servers of a template have that can outlive them.
pub fn kinds_of(template: &Template) -> BTreeSet<ResourceKind> {
    template.spec.resource_kinds()
}

/// Returns what was listed of a cloud beside its servers.
pub fn listed(view: &CloudView) -> Option<&Resources> {
    view.resources.as_ref().and_then(Reading::ok)
}
