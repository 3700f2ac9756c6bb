//! Servers that are accounted for nowhere.

use foldhash::HashSet;
use jiff::SignedDuration;

use crate::config::Config;
use crate::model::{NodeId, ProviderName, Reading, Server, split_server_name};
use crate::plan::action::{FailureRecord, Removal, ServerToRemove};
use crate::plan::by_name::leaks::found::{Findings, Leak, LeakKind, LeakOwner};
use crate::plan::fleet::agent::{Agent, AgentState, Link};
use crate::plan::fleet::node_match::may_be_of;
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::remove::removal::removal;
use crate::plan::why::Why;
use crate::text::shown;

/// Lists a server of ours that no Jenkins node belongs to, or whose template is gone.
pub fn agent_leak(agent: &Agent<'_>, fleet: &Fleet<'_>, found: &mut Findings) {
    let Some(server) = agent
        .server
        .filter(|_| !matches!(agent.state, AgentState::Deleting { .. }))
    else {
        return;
    };
    let timing = &fleet.config.timing;
    let late = agent.age > agent_state::boot_grace(agent.template(fleet.config), timing);
    let alone = matches!(agent.link, Link::None);
    let because = match &agent.state {
        _ if !late => return,
        AgentState::Failed(_) if alone => "the cloud says ERROR, and Jenkins has no node for it".to_owned(),
        _ if alone => "Jenkins has no node for it".to_owned(),
        _ if agent.template_index.is_none() => {
            format!(
                "its template \"{}\" is not configured; it goes once it is idle",
                shown(agent.template.as_str())
            )
        }
        _ => return,
    };
    let ours = owner_of(server, fleet.config) == LeakOwner::Ours;
    let removable = alone && agent.held.is_none() && !agent.duplicate && ours;
    found.leaks.push(Leak {
        kind: LeakKind::Server,
        provider: Some(agent.provider.clone()),
        name: agent.name.to_owned(),
        id: Some(server.id.to_string()),
        owner: owner_of(server, fleet.config),
        ours,
        age_seconds: Some(agent.age.as_secs()),
        because: because.clone(),
        removable,
    });
    if removable {
        found.removals.extend(removal(agent, Why::Leaked(because)));
    }
}

fn owner_of(server: &Server, config: &Config) -> LeakOwner {
    match &server.mark {
        Some(_) if server.is_marked(&config.owner) => LeakOwner::Ours,
        Some(_) => LeakOwner::Foreign,
        None => LeakOwner::Unknown,
    }
}

/// Lists servers that have our mark and a name that is not of our form, and those with such a name that are not ours.
pub fn other_servers(fleet: &Fleet<'_>, found: &mut Findings) {
    let known: HashSet<(&str, &str)> = fleet
        .agents
        .iter()
        .filter_map(|agent| Some((agent.provider.as_str(), agent.server?.id.as_str())))
        .collect();
    for (provider, reading) in &fleet.observed.clouds {
        let Reading::Read(view) = reading else { continue };
        let others = view
            .servers
            .iter()
            .filter(|s| !known.contains(&(provider.as_str(), s.id.as_str())));
        for server in others.filter(|server| !server.is_deleting()) {
            let owner = owner_of(server, fleet.config);
            if owner != LeakOwner::Ours && split_server_name(&server.name).is_none() {
                continue;
            }
            let clock = view.clock.unwrap_or(fleet.context.now);
            // One whose age is not known is young: that must be no reason to remove it.
            let age = clock.duration_since(server.created.unwrap_or(clock));
            let (because, removable) = why_other(server, owner, age, fleet);
            found.leaks.push(Leak {
                kind: LeakKind::Server,
                provider: Some(provider.clone()),
                name: server.name.clone(),
                id: Some(server.id.to_string()),
                owner,
                ours: owner == LeakOwner::Ours,
                age_seconds: server.created.map(|_| age.as_secs()),
                because: because.clone(),
                removable,
            });
            if removable {
                found.removals.push(odd_removal(server, provider, Why::Leaked(because)));
            }
        }
    }
}

fn why_other(server: &Server, owner: LeakOwner, age: SignedDuration, fleet: &Fleet<'_>) -> (String, bool) {
    let sentence = match (owner, &server.mark) {
        (LeakOwner::Foreign, Some(mark)) => format!("its name is of our form, its owner is \"{}\"", shown(&mark.owner)),
        (LeakOwner::Foreign | LeakOwner::Unknown, _) => "its name is of our form, and it has no mark".to_owned(),
        (LeakOwner::Ours, _) => "it has our mark, and its name is not of our form".to_owned(),
    };
    if owner != LeakOwner::Ours {
        return (sentence, false);
    }
    if let Some(node) = fleet
        .observed
        .jenkins
        .computers
        .iter()
        .find(|node| may_be_of(node, server))
    {
        return (
            format!(
                "{sentence}; Jenkins node \"{}\" may be its own",
                shown(node.name.as_str())
            ),
            false,
        );
    }
    (sentence, age > fleet.config.timing.boot_grace)
}

fn odd_removal(server: &Server, provider: &ProviderName, why: Why) -> Removal {
    let id = server.mark.as_ref().and_then(|mark| mark.id.clone());
    Removal {
        template: None,
        node: None,
        server: Some(ServerToRemove {
            provider: provider.clone(),
            id: server.id.clone(),
            name: server.name.clone(),
            node_id: id.unwrap_or_else(|| NodeId::new("")),
            look_first: true,
            failure: FailureRecord::Nothing,
        }),
        floating_ips: Vec::new(),
        why,
    }
}
