//! Lists what looks like ours and is accounted for nowhere, without waiting for a second sighting. What has no mark of
//! ours is listed and never touched.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use jiff::SignedDuration;

use crate::config::Config;
use crate::model::{Computer, Observed, ProviderName, Reading, Resource, ResourceKind};
use crate::plan::action::Plan;
use crate::plan::by_name::destroy::keep_sightings;
use crate::plan::by_name::leaks::found::{Findings, Leak, LeakKind, LeakOwner};
use crate::plan::by_name::leaks::servers;
use crate::plan::context::Context;
use crate::plan::fleet::Fleet;
use crate::plan::memory::look_and_remember;
use crate::plan::remove::removal::{orphan_removal, untouchable};
use crate::plan::report::assemble;
use crate::plan::resources::leftovers;
use crate::plan::resources::leftovers::{Left, listed};
use crate::plan::resources::upkeep::with_floating_ips;
use crate::plan::why::Why;
use crate::state::State;
use crate::text::shown;

/// Returns everything that can be listed beside servers, to be asked before [`leaks`].
pub fn everything(config: &Config) -> BTreeMap<ProviderName, BTreeSet<ResourceKind>> {
    let providers = config.providers.keys();
    providers
        .map(|provider| (provider.clone(), ResourceKind::ALL.into()))
        .collect()
}

/// Lists what is accounted for nowhere, and plans the removal of what is ours and older than `boot_grace`.
pub fn leaks(observed: &Observed, config: &Config, state: &State, context: &Context) -> (Vec<Leak>, Plan) {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let mut found = Findings::default();
    for agent in &fleet.agents {
        servers::agent_leak(agent, &fleet, &mut found);
    }
    servers::other_servers(&fleet, &mut found);
    resources(&fleet, &mut found);
    for orphan in &fleet.orphans {
        orphan_leak(orphan.computer, &fleet, &mut found);
    }
    anchor(&fleet, &mut found);
    let mut asks = everything(config);
    let Findings {
        mut leaks,
        mut removals,
        sweeps,
    } = found;
    let quiet = fleet.is_quieting();
    if quiet {
        removals.clear();
    }
    with_floating_ips(&fleet, &mut removals, &mut asks);
    leaks.sort();
    let mut plan = assemble::empty(fleet, 0);
    keep_sightings(&mut plan.state, state);
    plan.removals = removals;
    plan.sweeps = if quiet { Vec::new() } else { sweeps };
    plan.asks = asks;
    if quiet {
        plan.warnings
            .push("Jenkins is quieting down: nothing is removed".to_owned());
    }
    (leaks, plan)
}

/// Lists floating IPs, ports and volumes whose server is gone.
fn resources(fleet: &Fleet<'_>, found: &mut Findings) {
    let living = leftovers::living(fleet);
    for left in leftovers::left(fleet, &fleet.state.gone_servers, &living) {
        ours_left(left, fleet, found);
    }
    let ids: HashSet<&str> = fleet
        .observed
        .clouds
        .values()
        .filter_map(Reading::ok)
        .flat_map(|view| &view.servers)
        .map(|server| server.id.as_str())
        .collect();
    let known: HashSet<(String, String)> = found
        .leaks
        .iter()
        .filter_map(|leak| Some((leak.provider.as_ref()?.to_string(), leak.id.clone()?)))
        .collect();
    for (provider, reading) in &fleet.observed.clouds {
        let all = reading.ok().and_then(listed).into_iter().flat_map(|listed| &listed.all);
        for resource in all {
            if known.contains(&(provider.to_string(), resource.id.clone())) {
                continue;
            }
            let Some((owner, because)) = strange(resource, fleet.config, &living, &ids) else {
                continue;
            };
            let age = leftovers::age(resource, provider, fleet);
            found
                .leaks
                .push(leak_of(resource, provider, owner, age, because, false));
        }
    }
}

fn leak_of(
    resource: &Resource,
    provider: &ProviderName,
    owner: LeakOwner,
    age: Option<SignedDuration>,
    because: String,
    removable: bool,
) -> Leak {
    Leak {
        kind: resource.kind.into(),
        provider: Some(provider.clone()),
        name: resource.name.clone(),
        id: Some(resource.id.clone()),
        owner,
        ours: owner == LeakOwner::Ours,
        age_seconds: age.map(|age| age.as_secs()),
        because,
        removable,
    }
}

fn ours_left(left: Left<'_>, fleet: &Fleet<'_>, found: &mut Findings) {
    let Left {
        provider,
        resource,
        server,
    } = left;
    let age = leftovers::age(resource, provider, fleet);
    let old = age.is_none_or(|age| age > fleet.config.timing.boot_grace);
    let removable = old && !resource.in_use;
    let mut because = format!("server \"{}\", for which it was made, is gone", shown(&server));
    if resource.in_use {
        because.push_str("; it is in use");
    } else if !old {
        because.push_str("; it is younger than boot_grace");
    }
    found.leaks.push(leak_of(
        resource,
        provider,
        LeakOwner::Ours,
        age,
        because.clone(),
        removable,
    ));
    if removable {
        let config = fleet.config;
        found
            .sweeps
            .push(leftovers::leftover(resource, provider, server, config, because));
    }
}

/// Says whose a thing is that is not ours and looks as if nothing needed it.
fn strange(
    resource: &Resource,
    config: &Config,
    living: &HashSet<&str>,
    ids: &HashSet<&str>,
) -> Option<(LeakOwner, String)> {
    if let Some(mark) = &resource.mark {
        let is_left = mark.owner != config.owner && !living.contains(mark.server.as_str());
        return is_left.then(|| {
            let (server, owner) = (shown(&mark.server), shown(&mark.owner));
            let because = format!("its owner is \"{owner}\", and server \"{server}\", for which it was made, is gone");
            (LeakOwner::Foreign, because)
        });
    }
    if resource.in_use {
        return None;
    }
    let because = match resource.kind {
        ResourceKind::FloatingIp => "nothing uses it, and it has no mark".to_owned(),
        ResourceKind::Volume => {
            let server = leftovers::blank_volume_of(resource).filter(|id| !ids.contains(id))?;
            format!("Nova made it for server {}, which is gone", shown(server))
        }
        // Ports without a device are a router's, a load balancer's or a person's.
        ResourceKind::Port => return None,
    };
    Some((LeakOwner::Unknown, because))
}

/// Lists the anchor that nobody needs here any more.
fn anchor(fleet: &Fleet<'_>, found: &mut Findings) {
    let mut computers = fleet.observed.jenkins.computers.iter();
    let Some(computer) = computers.find(|computer| computer.is_anchor() && !fleet.config.labels.anchor) else {
        return;
    };
    found.leaks.push(Leak {
        kind: LeakKind::JenkinsNode,
        provider: None,
        name: computer.name.to_string(),
        id: None,
        owner: LeakOwner::Unknown,
        ours: false,
        age_seconds: None,
        because: "it is the node of jenkins.anchor, which is off here; another mita may need it".to_owned(),
        removable: false,
    });
}

/// Lists a Jenkins node of ours without a server.
fn orphan_leak(computer: &Computer, fleet: &Fleet<'_>, found: &mut Findings) {
    let held = untouchable(computer);
    let because = match held {
        None => "no cloud has a server for it".to_owned(),
        Some(reason) => format!("no cloud has a server for it; {reason}"),
    };
    found.leaks.push(Leak {
        kind: LeakKind::JenkinsNode,
        provider: None,
        name: computer.name.to_string(),
        id: None,
        owner: LeakOwner::Ours,
        ours: true,
        age_seconds: None,
        because: because.clone(),
        removable: held.is_none(),
    });
    if held.is_none() {
        found
            .removals
            .push(orphan_removal(computer, fleet, Why::Leaked(because)));
    }
}
