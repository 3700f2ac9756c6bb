//! Counts for the metrics what has our mark and is accounted for nowhere, from what a pass has read anyway.

use std::collections::BTreeMap;

use crate::model::{ProviderName, Reading, ResourceKind};
use crate::plan::action::LeakCounts;
use crate::plan::by_name::leaks::found::{Findings, Leak, LeakKind};
use crate::plan::by_name::leaks::servers;
use crate::plan::fleet::Fleet;
use crate::plan::resources::leftovers;

/// Counts them; nothing where no metrics are written. Of floating IPs, ports and volumes a pass knows only when it has
/// listed them.
pub fn count(fleet: &Fleet<'_>) -> LeakCounts {
    if fleet.config.outputs.metrics_file.is_none() {
        return LeakCounts::default();
    }
    let mut found = Findings::default();
    for agent in &fleet.agents {
        servers::agent_leak(agent, fleet, &mut found);
    }
    servers::other_servers(fleet, &mut found);
    let is_server = |leak: &&Leak| leak.kind == LeakKind::Server && leak.ours;
    LeakCounts {
        servers: found.leaks.iter().filter(is_server).count() as u64,
        jenkins_nodes: fleet.orphans.len() as u64,
        resources: resources(fleet),
    }
}

/// Counts what outlived its server, of the clouds and kinds that were listed.
fn resources(fleet: &Fleet<'_>) -> BTreeMap<ProviderName, BTreeMap<ResourceKind, u64>> {
    let mut counts: BTreeMap<ProviderName, BTreeMap<ResourceKind, u64>> = BTreeMap::new();
    for (provider, cloud) in &fleet.observed.clouds {
        let listed = cloud
            .ok()
            .and_then(|view| view.resources.as_ref())
            .and_then(Reading::ok);
        let kinds = listed.iter().flat_map(|listed| &listed.kinds);
        let zeros: BTreeMap<ResourceKind, u64> = kinds.map(|kind| (*kind, 0)).collect();
        if !zeros.is_empty() {
            counts.insert(provider.clone(), zeros);
        }
    }
    if counts.is_empty() {
        return counts;
    }
    let living = leftovers::living(fleet);
    for left in leftovers::left(fleet, &fleet.state.gone_servers, &living) {
        let count = counts
            .get_mut(left.provider)
            .and_then(|kinds| kinds.get_mut(&left.resource.kind));
        if let Some(count) = count {
            *count += 1;
        }
    }
    counts
}
