//! Everything that a pass knows before it decides: agents with their standing, orphans, and the memory after looking.
//!
//! Deciding is left to `grow` and `reap`.

use std::collections::BTreeMap;

use foldhash::HashSet;

use crate::config::Config;
use crate::model::{Computer, NodeName, Observed, ProviderName, Reading, ServerId, digest_u64};
use crate::plan::context::Context;
use crate::plan::create::{ids, registration, zero_agents};
use crate::plan::demand::drift;
use crate::plan::fleet::agent::{Agent, AgentState, Link};
use crate::plan::fleet::agent_state::Measures;
use crate::plan::fleet::inventory::Inventory;
use crate::plan::fleet::mapping::{Fit, Linked, linked};
use crate::plan::fleet::orphans::orphans;
use crate::plan::fleet::{Fleet, agent_state, hold};
use crate::plan::report::persistent::{AT_ONCE, Due, LASTING};
use crate::plan::report::{alerts, persistent};
use crate::plan::resources::leftovers;
use crate::plan::words::span;
use crate::plan::{clock, memory};
use crate::queue::Wish;
use crate::state::{Controller, LastPass, State, VERSION};

/// Looks at everything. `wishes` are those of the queue, where that was read.
pub fn look<'a>(
    observed: &'a Observed,
    config: &'a Config,
    state: &'a State,
    context: &'a Context,
    wishes: &[Wish],
) -> Fleet<'a> {
    let Linked {
        inventory,
        computers,
        fits,
        contradictions: ambiguities,
        homeless,
    } = linked(observed, config, state, context.now);
    let Inventory {
        mut agents,
        foreign: _,
        clashes: mut contradictions,
        lookups,
        mut notes,
        mut warnings,
    } = inventory;
    contradictions.extend(ambiguities);
    let controller = clock::controller(
        state.controller.as_ref(),
        observed.jenkins.session.as_ref(),
        context.now,
    );
    let settling = settling(controller.as_ref(), config, context);
    let restart = clock::restart(state, context.now);
    let measures = Measures {
        config,
        now: context.now,
        // Every node was offline: what was idle or offline before says nothing.
        restart: restart.is_some() || settling.is_some(),
        settling: settling.is_some(),
    };
    for agent in &mut agents {
        agent_state::classify(agent, &measures);
    }
    lend_slots(&mut agents);
    hold::at_unknown_addresses(&mut agents, &homeless, context.now);
    contradictions.extend(agents.iter().filter_map(hold::why));
    let (clashes, due) = persistent::clashes(&state.clashes, &contradictions, LASTING, context.now);
    warnings.extend(due.iter().map(Due::for_a_person));
    notes.extend(contradictions);
    let free = computers
        .iter()
        .zip(&fits)
        .filter(|(_, fit)| **fit == Fit::Free)
        .map(|(c, _)| *c);
    let free: Vec<&Computer> = free.collect();
    let (orphans, stray_nodes) = orphans(&free, observed, config, state, context, &mut notes);
    let mut fleet = Fleet {
        observed,
        config,
        context,
        agents,
        orphans,
        state: State {
            version: VERSION,
            last_pass: Some(LastPass {
                id: context.pass.clone(),
                at: context.now,
            }),
            controller,
            language: zero_agents::language(observed),
            gaps: clock::gaps(state, context.now),
            nodes: BTreeMap::new(),
            intents: BTreeMap::new(),
            backoffs: state.backoffs.clone(),
            going: state.going.clone(),
            proved: state.proved.clone(),
            images: state.images.clone(),
            drifts: state.drifts.clone(),
            stray_nodes,
            leaving: BTreeMap::new(),
            swept: state.swept.clone(),
            host_keys: BTreeMap::new(),
            failures: state.failures.clone(),
            jobs: state.jobs.clone(),
            ignored: state.ignored.clone(),
            clashes,
            node_labels: state.node_labels.clone(),
            queue_seen: state.queue_seen.clone(),
            refusals: state.refusals.clone(),
            ssh_made_in: state.ssh_made_in.clone(),
            spoken: state.spoken.clone(),
        },
        last_pass: state.last_pass.as_ref().map(|last| last.at),
        restart: restart.is_some(),
        settling,
        notes,
        warnings,
        news: Vec::new(),
        lookups: lookups_of(lookups, observed, context),
    };
    fleet.notes.extend(restart);
    memory::remember(&mut fleet);
    registration::remember(&mut fleet, state);
    leftovers::remember(&mut fleet, state);
    memory::learn(&mut fleet, state);
    drift::learn(&mut fleet, wishes);
    alert(&mut fleet, state);
    fleet
}

/// Says at once what nothing but a person ends.
fn alert(fleet: &mut Fleet<'_>, state: &State) {
    let alerts = alerts::alerts(fleet);
    let (clashes, due) = persistent::clashes(&state.clashes, &alerts, AT_ONCE, fleet.context.now);
    fleet.state.clashes.extend(clashes);
    fleet.news.extend(due.iter().map(Due::since));
    fleet.notes.extend(alerts);
    let odd = persistent::odd(fleet.observed);
    let (clashes, due) = persistent::clashes(&state.clashes, &odd, LASTING, fleet.context.now);
    fleet.state.clashes.extend(clashes);
    fleet.news.extend(due.iter().map(Due::for_a_person));
    fleet.notes.extend(odd);
}

/// The most servers that are asked for one by one in a pass; the rest counts on.
const MOST_LOOKUPS: usize = 20;

/// Chooses which of the servers that lists lack are asked for, others in each pass, so that none waits for ever.
fn lookups_of(
    mut found: Vec<(ProviderName, ServerId)>,
    observed: &Observed,
    context: &Context,
) -> Vec<(ProviderName, ServerId)> {
    let views = observed.clouds.values().filter_map(Reading::ok);
    let asked: usize = views.map(|view| view.looked_up.len()).sum();
    let pass = &context.pass;
    found.sort_by_key(|(provider, server)| ids::mix(digest_u64(format!("{pass} {provider} {server}").as_bytes())));
    found.truncate(MOST_LOOKUPS.saturating_sub(asked));
    found
}

/// Says that the controller has just started, if so: half of what it lists may not be there yet, and a build that it
/// resumes may wait for a node that looks idle.
fn settling(controller: Option<&Controller>, config: &Config, context: &Context) -> Option<String> {
    let age = clock::since(context.now, controller?.restarted?);
    let grace = config.timing.restart_grace;
    (age < grace).then(|| {
        let (age, grace) = (span(age), span(grace));
        format!(
            "Jenkins was seen to have started again {age} ago: nothing is removed for {grace} (timing.restart_grace)"
        )
    })
}

/// Gives the agents of which nobody knows which node is theirs the slots of the nodes that may be: too much inventory
/// delays a server by a pass or two, too little makes one that nobody needs.
fn lend_slots(agents: &mut [Agent<'_>]) {
    let mut lent: HashSet<&NodeName> = HashSet::default();
    for agent in agents {
        let (Link::Many(nodes), AgentState::Ambiguous { slots }, Some(_)) =
            (&agent.link, &mut agent.state, agent.template_index)
        else {
            continue;
        };
        for node in nodes.iter().filter(|node| !node.offline) {
            if lent.insert(&node.name) {
                *slots = (*slots).max(node.idle_executors.min(node.executors));
            }
        }
    }
}
