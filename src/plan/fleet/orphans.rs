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
    if free.is_empty() {
        return (Vec::new(), BTreeMap::new());
    }
    let all_read = config
        .providers
        .keys()
        .all(|p| matches!(observed.clouds.get(p), Some(Reading::Read(_))));
    let mut remembered: Vec<&NodeName> = state
        .nodes
        .values()
        .filter(|memory| !adopt::is_given_back(memory, observed, config))
        .filter_map(|node| node.jenkins_node.as_ref())
        .collect();
    remembered.sort_unstable();
    let mut found = Vec::new();
    let mut sightings = BTreeMap::new();
    for &computer in free {
        let seen = state.orphan_nodes.get(&computer.name).copied();
        let split = split_server_name(computer.name.as_str());
        let memory = split.as_ref().and_then(|(_, id)| state.nodes.get(id));
        if memory.is_some_and(|memory| !config.providers.contains_key(&memory.provider)) {
            continue;
        }
        let known_id = split
            .as_ref()
            .is_some_and(|(_, id)| memory.is_some() || state.intents.contains_key(id));
        let known =
            known_id || seen.is_some_and(|seen| seen.known) || remembered.binary_search(&&computer.name).is_ok();
        let named = split
            .as_ref()
            .is_some_and(|(name, _)| config.templates.iter().any(|t| t.name == *name))
            || adopt::is_name_of_original(computer.name.as_str(), config);
        if !known && !named {
            continue;
        }
        if !all_read {
            sightings.extend(seen.map(|seen| (computer.name.clone(), seen)));
            continue;
        }
        if !known && !computer.offline {
            let name = shown(computer.name.as_str());
            notes.push(format!(
                "Jenkins node \"{name}\" is online, bears a name of ours and has no server here: left alone"
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
