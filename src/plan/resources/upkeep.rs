//! Floating IPs that servers lack or that are removed with them, volumes that get our mark, and what must be listed to
//! know.
//!
//! `leftovers` finds what is left of servers that are gone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::config::{Config, Template};
use crate::model::{CloudView, ProviderName, Reading, Resource, ResourceKind, Server, ServerStatus};
use crate::plan::action::{Leftover, NewFloatingIp, Removal, VolumeMark};
use crate::plan::create::backoff::{Gate, gate};
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::resources::leftovers;
use crate::plan::resources::leftovers::{kinds_of, listed};
use crate::state::{BackoffKey, State};
use crate::text::{are, plural, shown};

/// How often everything that has our mark is looked through, where a template makes such things.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// For so long after a server is gone each pass looks whether something of it was left; later the sweep does.
const LOOK_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What is to be done about resources.
#[derive(Default)]
pub struct Upkeep {
    /// What was left of servers that are gone.
    pub sweeps: Vec<Leftover>,
    /// Floating IPs to be made.
    pub floating_ips: Vec<NewFloatingIp>,
    /// Volumes to be marked.
    pub volume_marks: Vec<VolumeMark>,
    /// What must be listed first.
    pub asks: BTreeMap<ProviderName, BTreeSet<ResourceKind>>,
    /// What an operator should know.
    pub notes: Vec<String>,
}

/// Returns what servers at a provider have that can outlive them.
fn kinds_at(config: &Config, provider: &ProviderName) -> BTreeSet<ResourceKind> {
    let here = |template: &&Template| template.placements.iter().any(|place| place.provider == *provider);
    config.templates.iter().filter(here).flat_map(kinds_of).collect()
}

/// Returns what an agent has that can outlive it: by its template, and by what it was made from. What another program gave
/// to a server that was taken over is not ours.
pub fn had(agent: &Agent<'_>, config: &Config) -> BTreeSet<ResourceKind> {
    if agent.adopted {
        return BTreeSet::new();
    }
    let mut had = agent.template(config).map(kinds_of).unwrap_or_default();
    if let Some(before) = agent.before {
        had.extend(&before.had);
    }
    had
}

/// Whether a server of a template that wants floating IPs has none.
pub fn lacks_address(agent: &Agent<'_>, template: &Template) -> bool {
    let server = agent.server.filter(|_| !agent.adopted);
    template.spec.floating_ip_pool.is_some() && server.is_some_and(|server| !has_floating(server))
}

fn has_floating(server: &Server) -> bool {
    server.addresses.iter().any(|at| at.floating)
}

/// Whether a kind was listed.
fn is_known(view: &CloudView, kind: ResourceKind) -> bool {
    listed(view).is_some_and(|resources| resources.kinds.contains(&kind))
}

/// Whether a kind was asked for, with or without success.
fn was_asked(view: &CloudView, kind: ResourceKind) -> bool {
    match &view.resources {
        None => false,
        Some(Reading::Unreadable(_)) => true,
        Some(Reading::Read(resources)) => resources.kinds.contains(&kind) || resources.failed.contains_key(&kind),
    }
}

fn view<'a>(fleet: &Fleet<'a>, provider: &ProviderName) -> Option<&'a CloudView> {
    fleet.observed.clouds.get(provider).and_then(Reading::ok)
}

/// Decides what is done about resources, and completes the removals.
pub fn upkeep(fleet: &mut Fleet<'_>, removals: &mut [Removal]) -> Upkeep {
    let mut upkeep = Upkeep::default();
    settle_volumes(fleet, &mut upkeep);
    if fleet.is_quieting() {
        return upkeep;
    }
    with_floating_ips(fleet, removals, &mut upkeep.asks);
    if fleet.context.create {
        new_floating_ips(fleet, removals, &mut upkeep);
    }
    if fleet.context.remove {
        look_through(fleet, &mut upkeep);
        let most = usize::try_from(fleet.config.limits.max_deletes_per_pass).unwrap_or(usize::MAX);
        upkeep.sweeps = leftovers::ripe(fleet);
        let left = upkeep.sweeps.len().saturating_sub(most.saturating_sub(removals.len()));
        upkeep.sweeps.truncate(most.saturating_sub(removals.len()));
        if left > 0 {
            upkeep.notes.push(format!(
                "{left} more to remove of what was left of servers: {most} {} the most for one pass, the rest goes in the \
                 next",
                are(most)
            ));
        }
    }
    upkeep
}

/// Adds to each removal of a server the floating IPs that were made for it, and asks for what is not listed yet.
pub fn with_floating_ips(
    fleet: &Fleet<'_>,
    removals: &mut [Removal],
    asks: &mut BTreeMap<ProviderName, BTreeSet<ResourceKind>>,
) {
    for removal in removals {
        let Some(target) = &removal.server else { continue };
        let Some(view) = view(fleet, &target.provider) else {
            continue;
        };
        let made = fleet.state.nodes.get(&target.node_id);
        let made = made.is_some_and(|memory| memory.had.contains(&ResourceKind::FloatingIp));
        let server = || view.servers.iter().find(|server| server.id == target.id);
        if !made && !server().is_some_and(has_floating) {
            continue;
        }
        asks.entry(target.provider.clone())
            .or_default()
            .insert(ResourceKind::FloatingIp);
        // One that something else uses by now, say a load balancer, was moved there by a person. Where the cloud does not
        // tell what uses it, it goes once the server's port is gone.
        let own = |resource: &&Resource| {
            resource.kind == ResourceKind::FloatingIp
                && resource.server_marked(&fleet.config.owner) == Some(target.name.as_str())
                && (!resource.in_use || resource.server.as_ref() == Some(&target.id))
        };
        let found = listed(view).into_iter().flat_map(|listed| &listed.all).filter(own);
        removal.floating_ips = found
            .map(|resource| Leftover {
                kind: resource.kind,
                id: resource.id.clone(),
                name: resource.name.clone(),
                provider: target.provider.clone(),
                server: target.name.clone(),
                template: removal.template.clone(),
                because: "it was made for the server, which is removed".to_owned(),
            })
            .collect();
        removal.floating_ips.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

/// Whether a server that we made is to be reached, now or soon.
fn is_wanted(agent: &Agent<'_>) -> bool {
    let stays = matches!(
        agent.state,
        AgentState::Booting { .. }
            | AgentState::Up {
                limit_reached: None,
                ..
            }
            | AgentState::Offline { .. }
            | AgentState::Person
    );
    // One that was taken over is reached as it was.
    stays && agent.readable && !agent.duplicate && !agent.adopted
}

/// Plans a floating IP for each server that has a port and lacks one. The list of servers lags behind: one that was made
/// for it is looked for among the floating IPs themselves.
fn new_floating_ips(fleet: &Fleet<'_>, removals: &[Removal], upkeep: &mut Upkeep) {
    let going: Vec<_> = removals.iter().filter_map(|removal| removal.server.as_ref()).collect();
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    for agent in fleet.agents.iter().filter(|agent| is_wanted(agent)) {
        let (Some(template), Some(server), Some(view)) =
            (agent.template(fleet.config), agent.server, view(fleet, agent.provider))
        else {
            continue;
        };
        let Some(pool) = &template.spec.floating_ip_pool else {
            continue;
        };
        let goes = || {
            going
                .iter()
                .any(|target| target.provider == *agent.provider && target.id == server.id)
        };
        if has_floating(server) || !server.has_port() || goes() {
            continue;
        }
        let key = BackoffKey::FloatingIp(template.name.clone(), agent.provider.clone());
        if let Gate::Closed(why) = gate(&fleet.state, &key, fleet.context.now) {
            *held.entry(why).or_default() += 1;
            continue;
        }
        let asks = upkeep.asks.entry(agent.provider.clone()).or_default();
        asks.insert(ResourceKind::FloatingIp);
        if was_asked(view, ResourceKind::FloatingIp) && !is_known(view, ResourceKind::FloatingIp) {
            continue;
        }
        if let Some(resource) = its_own(agent, server, view, fleet.config) {
            if !resource.in_use {
                upkeep.notes.push(format!(
                    "server \"{}\" has no floating IP, and {} that was made for it is unused: give it back, or release it",
                    agent.name,
                    shown(&resource.name)
                ));
            }
            continue;
        }
        upkeep.floating_ips.push(NewFloatingIp {
            provider: agent.provider.clone(),
            server_id: server.id.clone(),
            node_id: agent.id.clone(),
            server: agent.name.to_owned(),
            template: template.name.clone(),
            pool: pool.clone(),
            because: format!("it has its port, and floating_ip_pool is \"{pool}\""),
        });
    }
    let held = held.into_iter().map(|(why, count)| {
        let verb = if count == 1 { "waits" } else { "wait" };
        format!("{} {verb} for a floating IP: {}", plural(count, "server"), shown(&why))
    });
    upkeep.notes.extend(held);
}

/// Finds the floating IP that a server has, or that was made for it.
fn its_own<'a>(agent: &Agent<'_>, server: &Server, view: &'a CloudView, config: &Config) -> Option<&'a Resource> {
    let own = |resource: &&Resource| {
        resource.kind == ResourceKind::FloatingIp
            && (resource.server_marked(&config.owner) == Some(agent.name)
                || resource.in_use && resource.server.as_ref() == Some(&server.id))
    };
    listed(view)?.all.iter().find(own)
}

/// Asks for what may have been left: soon after a server is gone, once an hour where templates make such things, and at
/// once where no earlier look is remembered.
fn look_through(fleet: &mut Fleet<'_>, upkeep: &mut Upkeep) {
    let now = fleet.context.now;
    let mut swept = std::mem::take(&mut fleet.state.swept);
    swept.retain(|provider, _| fleet.config.providers.contains_key(provider));
    for (provider, reading) in &fleet.observed.clouds {
        let Reading::Read(view) = reading else { continue };
        let mut wanted = leftovers::kinds_since(&fleet.state, provider, now, LOOK_FOR);
        let due = swept
            .get(provider)
            .is_none_or(|at| *at > now || now.duration_since(*at) >= SWEEP_EVERY);
        if due {
            let mut all = kinds_at(fleet.config, provider);
            all.extend(leftovers::kinds_since(&fleet.state, provider, now, SignedDuration::MAX));
            if !all.is_empty() && all.iter().all(|kind| was_asked(view, *kind)) {
                swept.insert(provider.clone(), now);
            }
            wanted.extend(all);
        }
        if !wanted.is_empty() {
            upkeep.asks.entry(provider.clone()).or_default().extend(wanted);
        }
    }
    fleet.state.swept = swept;
}

/// Finds volumes that Nova made for our servers and that are to get our mark: when a server is first seen up, with exactly
/// as many as its template asked for. What is attached later is somebody else's.
fn settle_volumes(fleet: &mut Fleet<'_>, upkeep: &mut Upkeep) {
    let config = fleet.config;
    for agent in fleet.agents.iter().filter(|agent| !agent.adopted) {
        let (Some(template), Some(server)) = (agent.template(config), agent.server) else {
            continue;
        };
        let asked = usize::from(template.spec.storage.is_some()) + usize::from(template.spec.boot_volume.is_some());
        let settled = agent.before.is_some_and(|before| before.volumes_settled);
        if asked == 0 || settled || agent.duplicate || server.status != ServerStatus::Active || server.is_deleting() {
            continue;
        }
        // One that is not seen for the first time may have got other volumes by now.
        let fresh = agent.age <= agent_state::boot_grace(Some(template), &config.timing);
        if fresh && server.volumes.len() == asked && !agent.outdated(config) {
            let mut volumes = server.volumes.clone();
            volumes.sort_unstable();
            upkeep.volume_marks.push(VolumeMark {
                provider: agent.provider.clone(),
                node_id: agent.id.clone(),
                server: agent.name.to_owned(),
                volumes,
            });
        } else {
            settle(&mut fleet.state, agent);
        }
    }
}

fn settle(state: &mut State, agent: &Agent<'_>) {
    if let Some(memory) = state.nodes.get_mut(&agent.id) {
        memory.volumes_settled = true;
    }
}
