//! Looks at the world: agents linked to their Jenkins nodes, where each is in its life, and orphan nodes.
//!
//! What is remembered and learned of it is left to `memory`, deciding to `create` and `remove`.

use std::collections::BTreeMap;

use foldhash::HashSet;

use crate::config::Config;
use crate::model::{Computer, NodeName, Observed, ProviderName, Reading, ServerId, digest_u64};
use crate::plan::clock;
use crate::plan::context::Context;
use crate::plan::create::{ids, zero_agents};
use crate::plan::fleet::agent::{Agent, AgentState, Link};
use crate::plan::fleet::agent_state::Measures;
use crate::plan::fleet::inventory::Inventory;
use crate::plan::fleet::linker::Fit;
use crate::plan::fleet::mapping::{Linked, linked};
use crate::plan::fleet::orphans::orphans;
use crate::plan::fleet::{Fleet, agent_state, hold};
use crate::state::{Controller, LastPass, State, VERSION};
use crate::text::span;

/// Looks at the clouds and at Jenkins. The memory of the fleet holds what is carried over; `memory` adds what was seen.
pub fn look<'a>(observed: &'a Observed, config: &'a Config, state: &'a State, context: &'a Context) -> Fleet<'a> {
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
        news,
    } = inventory;
    contradictions.extend(ambiguities);
    let session = observed.jenkins.session.as_ref();
    let controller = clock::controller(state.controller.as_ref(), session, context.now);
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
    notes.extend(contradictions.iter().map(|found| found.sentence.clone()));
    let free = computers.iter().zip(&fits).filter(|(_, fit)| **fit == Fit::Free);
    let free: Vec<&Computer> = free.map(|(computer, _)| *computer).collect();
    let (orphans, sightings) = orphans(&free, observed, config, state, context, &mut notes);
    let is_restart = restart.is_some();
    notes.extend(restart);
    Fleet {
        observed,
        config,
        context,
        agents,
        orphans,
        state: State {
            controller,
            orphan_nodes: sightings,
            counters: config
                .outputs
                .metrics_file
                .is_some()
                .then(|| state.counters.clone().unwrap_or_default()),
            page: config
                .outputs
                .status_page
                .is_some()
                .then(|| state.page.clone().unwrap_or_default()),
            ..carried_over(state, observed, context)
        },
        last_pass: state.last_pass.as_ref().map(|last| last.at),
        restart: is_restart,
        settling,
        contradictions,
        notes,
        news,
        partly: false,
        lookups: lookups_of(lookups, observed, context),
    }
}

/// Returns the memory of the last pass without what this pass sees anew. Field by field, so that each new one is decided
/// on.
fn carried_over(before: &State, observed: &Observed, context: &Context) -> State {
    State {
        version: VERSION,
        last_pass: Some(LastPass::begun_after(before.latest_pass(), &context.pass, context.now)),
        controller: None,
        language: zero_agents::language(observed),
        gaps: clock::gaps(before, context.now),
        nodes: BTreeMap::new(),
        intents: BTreeMap::new(),
        backoffs: before.backoffs.clone(),
        going: before.going.clone(),
        // A pass that saw nothing did not see how many were idle.
        surplus: match before.blind {
            Some(_) => BTreeMap::new(),
            None => before.surplus.clone(),
        },
        proved: before.proved.clone(),
        boots: before.boots.clone(),
        images: before.images.clone(),
        refresh: before.refresh.clone(),
        drifts: before.drifts.clone(),
        orphan_nodes: BTreeMap::new(),
        gone_servers: BTreeMap::new(),
        swept: before.swept.clone(),
        host_keys: BTreeMap::new(),
        failures: before.failures.clone(),
        jobs: before.jobs.clone(),
        ignored: before.ignored.clone(),
        node_labels: before.node_labels.clone(),
        queue_seen: before.queue_seen.clone(),
        refusals: before.refusals.clone(),
        ssh_made_in: before.ssh_made_in.clone(),
        service_bases: before.service_bases.clone(),
        problems: before.problems.clone(),
        creating: before.creating.clone(),
        failing: before.failing.clone(),
        notify: before.notify.clone(),
        // This pass sees.
        blind: None,
        events: before.events.clone(),
        waiting: before.waiting.clone(),
        counters: before.counters.clone(),
        page: before.page.clone(),
        headroom: before.headroom.clone(),
        loads: before.loads.clone(),
    }
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

/// Lends the idle slots of ambiguous nodes to each agent that may own them. Too many slots delay a server by a pass or two;
/// too few make one that nobody needs.
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
                *slots = (*slots).max(node.free_executors());
            }
        }
    }
}
