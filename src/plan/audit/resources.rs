//! Checks what a plan does about floating IPs, ports and volumes.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::model::{Observed, ProviderName, Reading, Resource, ResourceKind, ServerStatus};
use crate::plan::action::{Leftover, NewFloatingIp, Plan, Removal};
use crate::plan::audit::world::World;
use crate::state::State;

/// Lists the rules that the plan breaks.
pub fn check(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    let &World {
        observed,
        config,
        state,
        ..
    } = world;
    let mut seen = BTreeSet::new();
    let going = plan.removals.iter().flat_map(|removal| &removal.floating_ips);
    for target in plan.sweeps.iter().chain(going) {
        if !seen.insert((&target.provider, target.kind, &target.id)) {
            broken.push(format!("{} is removed twice", kind_and_name(target)));
        }
    }
    if !plan.sweeps.is_empty() {
        let listed: BTreeSet<&str> = clouds(observed).map(|server| server.name.as_str()).collect();
        for target in &plan.sweeps {
            broken.extend(check_sweep(target, observed, config, state, &listed));
        }
    }
    for removal in &plan.removals {
        broken.extend(
            removal
                .floating_ips
                .iter()
                .find_map(|target| check_own(target, removal, observed, config)),
        );
    }
    let mut servers = BTreeSet::new();
    for wanted in &plan.floating_ips {
        if !servers.insert((&wanted.provider, &wanted.server_id)) {
            broken.push(format!("server {} gets two floating IPs", wanted.server));
        }
        broken.extend(check_new(wanted, plan, observed, config));
    }
}

fn kind_and_name(target: &Leftover) -> String {
    format!("{} {}", target.kind.noun(), target.name)
}

fn clouds(observed: &Observed) -> impl Iterator<Item = &crate::model::Server> {
    let read = observed.clouds.values().filter_map(Reading::ok);
    read.flat_map(|cloud| &cloud.servers)
}

fn find<'a>(provider: &ProviderName, kind: ResourceKind, id: &str, observed: &'a Observed) -> Option<&'a Resource> {
    let cloud = observed.clouds.get(provider).and_then(Reading::ok)?;
    let listed = cloud.resources.as_ref().and_then(Reading::ok)?;
    listed.all.iter().find(|found| found.kind == kind && found.id == id)
}

fn bears_mark(resource: &Resource, server: &str, config: &Config) -> bool {
    resource.server_marked(&config.owner) == Some(server)
}

/// Checks what is swept: listed, unused, ours, and of a server that is not there and was not begun.
fn check_sweep(
    target: &Leftover,
    observed: &Observed,
    config: &Config,
    state: &State,
    listed: &BTreeSet<&str>,
) -> Option<String> {
    let name = kind_and_name(target);
    let Some(resource) = find(&target.provider, target.kind, &target.id, observed) else {
        return Some(format!("{name} is removed, and {} does not list it", target.provider));
    };
    if resource.in_use {
        return Some(format!("{name} is removed and is in use"));
    }
    // One that Nova made is named after its server, which must have been ours.
    let after = resource.name.strip_suffix("-blank-vol");
    let ours = |id: &str| {
        let memories = state.nodes.values().map(|node| &node.server_id);
        let gone = state.gone_servers.values().filter_map(|gone| gone.server_id.as_ref());
        let begun = state.intents.values().filter_map(|intent| intent.server_id.as_ref());
        memories.chain(gone).chain(begun).any(|known| known.as_str() == id)
    };
    let by_name = target.kind == ResourceKind::Volume && resource.mark.is_none() && after.is_some_and(ours);
    if !bears_mark(resource, &target.server, config) && !by_name {
        return Some(format!("{name} is removed and is not ours"));
    }
    let used_by = |id: &str| clouds(observed).any(|server| server.id.as_str() == id);
    if listed.contains(target.server.as_str()) || by_name && after.is_some_and(used_by) {
        return Some(format!("{name} is removed and its server is there"));
    }
    let hidden = |provider: &ProviderName| {
        let read = observed.clouds.get(provider).and_then(Reading::ok).is_some();
        config.providers.contains_key(provider) && !read
    };
    let mut remembered = state.nodes.values();
    if remembered.any(|node| node.name == target.server && hidden(&node.provider)) {
        return Some(format!("{name} is removed and its server cannot be seen"));
    }
    None
}

/// Checks a floating IP that goes with its server.
fn check_own(target: &Leftover, removal: &Removal, observed: &Observed, config: &Config) -> Option<String> {
    let name = kind_and_name(target);
    let found = find(&target.provider, target.kind, &target.id, observed);
    let (Some(resource), Some(server)) = (found, &removal.server) else {
        return Some(format!("{name} is removed with a server, and one of them is not there"));
    };
    let of_another = resource.in_use && resource.server.as_ref().is_none_or(|user| *user != server.id);
    if target.provider != server.provider || of_another || !bears_mark(resource, &server.name, config) {
        return Some(format!(
            "{name} is removed with server {}, which is not its own",
            server.name
        ));
    }
    None
}

/// Checks a floating IP that is made: for a server of ours that is up or boots, has none, and does not go.
fn check_new(wanted: &NewFloatingIp, plan: &Plan, observed: &Observed, config: &Config) -> Option<String> {
    let name = &wanted.server;
    let cloud = observed.clouds.get(&wanted.provider).and_then(Reading::ok);
    let Some(server) = cloud.and_then(|cloud| cloud.servers.iter().find(|server| server.id == wanted.server_id)) else {
        return Some(format!("{name} gets a floating IP, and no cloud lists it"));
    };
    let goes = plan.removals.iter().filter_map(|removal| removal.server.as_ref());
    let goes = goes
        .into_iter()
        .any(|going| going.id == server.id && going.provider == wanted.provider);
    if !server.is_marked(&config.owner) {
        return Some(format!("{name} gets a floating IP and has no mark of ours"));
    }
    if server.name != *name || goes || server.status == ServerStatus::Error {
        return Some(format!("{name} gets a floating IP and is not to be kept"));
    }
    if server.addresses.iter().any(|at| at.floating) {
        return Some(format!("{name} gets a floating IP and has one"));
    }
    let listed = cloud.and_then(|cloud| cloud.resources.as_ref()).and_then(Reading::ok);
    let mut made = listed.into_iter().flat_map(|listed| &listed.all);
    let made = made.any(|found| found.kind == ResourceKind::FloatingIp && bears_mark(found, name, config));
    made.then(|| format!("{name} gets a floating IP, and one was made for it"))
}
