//! Orphan nodes: Jenkins nodes of ours that have no server.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::{Computer, NodeName, Observed, Reading, split_server_name};
use crate::plan::clock::sighted_again;
use crate::plan::context::Context;
use crate::plan::create::registration;
use crate::plan::fleet::{OrphanNode, adopt};
use crate::state::{Sighting, State};
use crate::text::shown;

/// Finds the Jenkins nodes of ours that have no server. Only when every cloud was read is that known.
pub fn orphans<'a>(
    free: &[&'a Computer],
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    notes: &mut Vec<String>,
) -> (Vec<OrphanNode<'a>>, BTreeMap<NodeName, Sighting>) {
    let (mut found, mut sightings) = (Vec::new(), BTreeMap::new());
    if free.is_empty() {
        return (found, sightings);
    }
    let is_read = |provider| observed.clouds.get(provider).and_then(Reading::ok).is_some();
    let all_read = config.providers.keys().all(is_read);
    let remembered = remembered(observed, config, state);
    for &computer in free {
        let seen = state.orphan_nodes.get(&computer.name).copied();
        let known = match whose(&computer.name, config, state) {
            NodeOwner::Forgotten => continue,
            NodeOwner::Ours => true,
            claim => {
                let known = seen.is_some_and(|seen| seen.known) || remembered.binary_search(&&computer.name).is_ok();
                if !known && claim == NodeOwner::Unknown {
                    continue;
                }
                known
            }
        };
        if !all_read {
            sightings.extend(seen.map(|seen| (computer.name.clone(), seen)));
            continue;
        }
        if !known && !computer.offline {
            let name = shown(computer.name.as_str());
            notes.push(format!(
                "Jenkins node \"{name}\" is online, has a name of ours and has no server here: left alone"
            ));
            continue;
        }
        let mut seen = sighted_again(seen, context.now);
        seen.known = known;
        sightings.insert(computer.name.clone(), seen);
        if known || !registration::may_wait_for_its_server(computer, seen, config, context.now) {
            found.push(OrphanNode { computer, seen });
        }
    }
    (found, sightings)
}

/// Returns the nodes that earlier passes saw of servers which were not given back, sorted.
fn remembered<'s>(observed: &Observed, config: &Config, state: &'s State) -> Vec<&'s NodeName> {
    let kept = state
        .nodes
        .values()
        .filter(|memory| !adopt::is_given_back(memory, observed, config));
    let mut remembered: Vec<&NodeName> = kept.filter_map(|node| node.jenkins_node.as_ref()).collect();
    remembered.sort_unstable();
    remembered
}

/// What the name of a Jenkins node says of whose it is.
#[derive(PartialEq, Eq)]
enum NodeOwner {
    /// Its id is one of ours.
    Ours,
    /// Its id is one of ours, at a provider that is no longer configured.
    Forgotten,
    /// It has the name of a template.
    Named,
    Unknown,
}

fn whose(name: &NodeName, config: &Config, state: &State) -> NodeOwner {
    if let Some((template, id)) = split_server_name(name.as_str()) {
        match state.nodes.get(&id) {
            Some(memory) if !config.providers.contains_key(&memory.provider) => return NodeOwner::Forgotten,
            Some(_) => return NodeOwner::Ours,
            None if state.intents.contains_key(&id) => return NodeOwner::Ours,
            None if config.template(template.as_str()).is_some() => return NodeOwner::Named,
            None => {}
        }
    }
    if adopt::is_name_of_original(name.as_str(), config) {
        NodeOwner::Named
    } else {
        NodeOwner::Unknown
    }
}
