//! What a pass remembers of what it saw, and what it learns from it: back-offs, images, label drift.
//!
//! Nothing is decided here; the state that comes of it is saved by the pass.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::{FaultKind, NodeId, Observed, ProviderName};
use crate::plan::clock::SIGHTINGS;
use crate::plan::context::Context;
use crate::plan::create::creating::placement;
use crate::plan::create::{backoff, creating, images, registration};
use crate::plan::demand::drift;
use crate::plan::events::lives;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state, boots, builds, hold, late, look};
use crate::plan::resources::{leftovers, upkeep};
use crate::plan::usage::{self, Gap};
use crate::queue::LabelRequest;
use crate::state::{BackoffKey, NodeMemory, Phase, State};
use crate::text::{shown, span};

/// Looks at the world, remembers it, and learns from it. `label_requests` are those of the queue, where that was read.
pub fn look_and_remember<'a>(
    observed: &'a Observed,
    config: &'a Config,
    state: &'a State,
    context: &'a Context,
    label_requests: &[LabelRequest],
) -> Fleet<'a> {
    let mut fleet = look::look(observed, config, state, context);
    let gap = Gap::between(fleet.last_pass, context.now, fleet.restart);
    remember(&mut fleet, gap);
    registration::remember(&mut fleet, state);
    leftovers::remember(&mut fleet, state);
    learn(&mut fleet, state);
    late::mark(&mut fleet);
    drift::learn(&mut fleet, label_requests);
    lives::note(&mut fleet, state, gap);
    lives::note_rollbacks(&mut fleet, state);
    fleet
}

/// Returns what the next pass must know of an agent; `None` for one without a server's id.
fn memory(agent: &Agent<'_>, config: &Config, now: Timestamp) -> Option<NodeMemory> {
    if matches!(agent.state, AgentState::Intent) {
        return None;
    }
    let mut memory = NodeMemory {
        template: agent.template.clone(),
        provider: agent.provider.clone(),
        zone: agent.zone_asked(config).cloned(),
        image: agent.image().map(str::to_owned),
        name: agent.name.to_owned(),
        server_id: agent.server_id()?.clone(),
        created: agent.created?,
        joined: agent.joined,
        idle_since: None,
        offline_since: None,
        jenkins_node: agent.computer().map(|c| c.name.clone()),
        missing: None,
        unlisted: agent.unlisted,
        held_since: hold::since(agent, now),
        held_by: hold::by(agent),
        failure_counted: agent.before.is_some_and(|before| before.failure_counted),
        failure_noted: agent.before.is_some_and(|before| before.failure_noted),
        deleted: agent.before.is_some_and(|before| before.deleted),
        deleting_since: agent.before.and_then(|before| before.deleting_since),
        delete_failed: agent.before.is_some_and(|before| before.delete_failed),
        had: upkeep::had(agent, config),
        volumes_settled: agent.before.is_some_and(|before| before.volumes_settled),
        adopted: agent.adopted,
        builds: agent.builds.clone(),
        draining_since: None,
        undrained: agent_state::given_back(agent, now),
        busy_seconds: agent.before.map_or(0, |before| before.busy_seconds),
        idle_seconds: agent.before.map_or(0, |before| before.idle_seconds),
        phase: agent.state.phase(),
        phase_since: None,
        offline_by: agent.offline_by(),
    };
    if memory.jenkins_node.is_none() {
        memory.jenkins_node = agent.before.and_then(|before| before.jenkins_node.clone());
    }
    match agent.state {
        AgentState::Up { idle_since, .. } => memory.idle_since = idle_since,
        AgentState::Monitored { idle_since } => memory.offline_since = idle_since,
        AgentState::Offline { since, .. } => memory.offline_since = Some(since),
        AgentState::Orphan { seen } => memory.missing = Some(seen),
        AgentState::Deleting { since, .. } => memory.deleting_since = Some(since),
        AgentState::Drained { idle: false, .. } => {
            let before = agent.before.and_then(|before| before.draining_since);
            memory.draining_since = Some(before.unwrap_or(now));
        }
        AgentState::Unseen => carry_over(&mut memory, agent),
        _ => {}
    }
    let is_told = matches!(
        agent.state,
        AgentState::Booting { .. }
            | AgentState::Up {
                idle_since: Some(_),
                ..
            }
            | AgentState::Offline { .. }
            | AgentState::Orphan { .. }
            | AgentState::Deleting { .. }
    );
    memory.phase_since = if is_told { None } else { agent.since(now) };
    Some(memory)
}

/// Keeps what was known of an agent whose cloud cannot be read: not seen is no break of what was seen so, and no sighting.
/// Its idle time starts again all the same.
fn carry_over(memory: &mut NodeMemory, agent: &Agent<'_>) {
    let Some(before) = agent.before else { return };
    memory.missing = before.missing;
    memory.offline_since = before.offline_since;
    // Where it is in its life says what a later pass may do; of one that worked nothing is known.
    if matches!(before.phase, Phase::Deleting | Phase::Orphan) {
        memory.phase = before.phase;
    }
}

/// Writes down what was seen of the agents.
fn remember(fleet: &mut Fleet<'_>, gap: Gap) {
    let mut nodes: Vec<(NodeId, NodeMemory)> = Vec::with_capacity(fleet.agents.len());
    let known = |agent: &Agent<'_>| {
        agent
            .before
            .is_some_and(|before| agent.server_id() == Some(&before.server_id))
    };
    let mut order: Vec<&Agent<'_>> = fleet.agents.iter().collect();
    // Of two servers with one id the one that was known comes last and stays in memory.
    order.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| known(a).cmp(&known(b))));
    for agent in order {
        let did = usage::of_agent(agent, gap);
        if let Some(counters) = &mut fleet.state.counters {
            usage::add_all(counters, &agent.template, agent.provider, &did);
            builds::add(counters, agent);
        }
        if let Some(mut memory) = memory(agent, fleet.config, fleet.context.now) {
            usage::add(&mut memory, &did);
            nodes.push((agent.id.clone(), memory));
        } else if let Some(intent) = agent.intent {
            fleet.state.intents.insert(agent.id.clone(), intent.clone());
        }
    }
    fleet.state.nodes = nodes.into_iter().collect();
}

/// Draws the lessons: a server that joined opens what was held back, one that failed holds it back. Of servers that
/// another program made there is nothing to learn for ours.
fn learn(fleet: &mut Fleet<'_>, before: &State) {
    let (config, now) = (fleet.config, fleet.context.now);
    backoff::forget_old(&mut fleet.state, config.timing.backoff_max, now);
    images::refresh(&mut fleet.state, config);
    boots::forget_unconfigured(&mut fleet.state, config);
    fleet
        .state
        .proved
        .retain(|name, _| config.templates.iter().any(|template| template.name == *name));
    fleet
        .state
        .failures
        .retain(|name, _| config.templates.iter().any(|template| template.name == *name));
    creating::forget(&mut fleet.state, config);
    learn_of_joined(fleet);
    boots::learn_of_joined(fleet);
    images::remember_candidates(fleet);
    let failures = failures(fleet, before);
    // While no pass was made Jenkins may have been away, and no image is to blame for that.
    for failure in failures.iter().filter(|_| !fleet.restart) {
        if let Some(image) = &failure.image {
            images::failed(&mut fleet.state, failure.template, failure.provider, image, now);
        }
    }
    images::decide(fleet);
    // What failed in one pass counts once for each key: a burst that meets one full cloud is one failure. What was due to
    // an image that is left by now holds nothing else back, and what is excused holds nothing back at all.
    let mut found = BTreeMap::new();
    for failure in failures.into_iter().filter(|failure| !failure.is_excused) {
        let Failure { template, provider, .. } = failure;
        let left = |image| images::is_left(&fleet.state, config, template, provider, image);
        if !failure.image.as_deref().is_some_and(left) {
            if !failure.is_quota {
                creating::failed(&mut fleet.state, template, &failure.placement, &failure.reason);
            }
            found.entry(failure.key).or_insert((&template.name, failure.reason));
        }
    }
    for (key, (template, reason)) in found {
        backoff::charge(&mut fleet.state, config, &key, template, now, &reason, None);
    }
}

fn learn_of_joined(fleet: &mut Fleet<'_>) {
    let (config, state) = (fleet.config, &mut fleet.state);
    for agent in fleet.agents.iter().filter(|agent| !agent.adopted) {
        let (AgentState::Up { .. }, Some(template)) = (&agent.state, agent.template(config)) else {
            continue;
        };
        let current = !agent.outdated(config);
        if current && state.proved.get(&template.name) != Some(&template.digest) {
            state.proved.insert(template.name.clone(), template.digest.clone());
        }
        let first = agent.before.and_then(|before| before.joined).is_none();
        // A memory without images was written before they were counted.
        if let Some(image) = agent.image()
            && (first || agent.before.is_some_and(|before| before.image.is_none()))
        {
            images::joined(state, template, agent.provider, image);
        }
        if first && !state.creating.is_empty() {
            creating::joined(state, template, &placement(agent.provider, agent.zone_asked(config)));
        }
        if !state.backoffs.is_empty() && first {
            let zone = agent.zone_asked(config);
            backoff::joined(state, config, template, agent.provider, zone);
            if current {
                let (name, provider) = (template.name.clone(), agent.provider.clone());
                backoff::clear(state, &BackoffKey::Template(name.clone()));
                backoff::clear(state, &BackoffKey::TemplateAt(name, provider, zone.cloned()));
            }
        }
    }
}

/// A server that failed before it joined.
struct Failure<'a> {
    key: BackoffKey,
    reason: String,
    template: &'a Template,
    provider: &'a ProviderName,
    /// The image that may be to blame.
    image: Option<String>,
    /// Where it was made, as `provider` or `provider/zone`.
    placement: String,
    /// Whether it was for want of quota.
    is_quota: bool,
    /// Whether it is no evidence against its template: a server that was asked for later has joined.
    is_excused: bool,
}

/// Finds the failures that were not counted yet.
fn failures<'a>(fleet: &mut Fleet<'a>, before: &State) -> Vec<Failure<'a>> {
    let (config, settling) = (fleet.config, fleet.settling.is_some());
    let mut found = Vec::new();
    for agent in &fleet.agents {
        let Some(failure) = failure_of(agent, config, settling) else {
            continue;
        };
        if !failure.is_quota && !matches!(agent.state, AgentState::Orphan { .. }) {
            boots::failed(&mut fleet.state, config, agent);
        }
        found.push((agent, failure));
        if let Some(memory) = fleet.state.nodes.get_mut(&agent.id) {
            memory.failure_counted = true;
        }
    }
    // What failed in this pass counts before any of it is excused.
    let state = &fleet.state;
    let excused = found.into_iter().map(|(agent, failure)| Failure {
        is_excused: boots::is_excused(agent, config, state),
        ..failure
    });
    let mut failures: Vec<Failure<'a>> = excused.collect();
    failures.extend(vanished(fleet, before));
    failures
}

/// Returns the failure of an agent that did not join. `settling`: the controller has just started, and nothing could join
/// while it was down.
fn failure_of<'a>(agent: &Agent<'a>, config: &'a Config, settling: bool) -> Option<Failure<'a>> {
    let counted = agent.before.is_some_and(|before| before.failure_counted);
    if agent.joined.is_some() || counted || agent.duplicate || agent.adopted {
        return None;
    }
    let template = agent.template(config)?;
    let failed = |key, reason, image: Option<&str>| Failure {
        key,
        reason,
        template,
        provider: agent.provider,
        image: image.map(str::to_owned),
        placement: placement(agent.provider, agent.zone_asked(config)),
        is_quota: false,
        is_excused: false,
    };
    let name = agent.name;
    let image = agent.image().filter(|_| !agent.outdated(config));
    match &agent.state {
        AgentState::Failed(fault) => {
            let said = Some(shown(fault)).filter(|fault| !fault.is_empty());
            let said = said.as_deref().unwrap_or("no reason given");
            let reason = format!("server \"{name}\" went to ERROR: {said}");
            let blamed = FaultKind::blames_image(fault, agent.image());
            let kind = FaultKind::from_message(fault);
            let key = key_of_error(agent, template, fault, config);
            Some(Failure {
                is_quota: matches!(kind, FaultKind::ServerQuota | FaultKind::Quota),
                ..failed(key, reason, image.filter(|_| blamed))
            })
        }
        AgentState::TimedOut if agent.readable && !agent.outdated(config) && !settling => {
            let reason = format!(
                "server \"{name}\" did not join Jenkins within {}",
                span(template.boot_grace)
            );
            // Nobody reached it: that says nothing of its script or image.
            if upkeep::lacks_address(agent, template) {
                let key = BackoffKey::FloatingIp(template.name.clone(), agent.provider.clone());
                return Some(failed(key, reason, None));
            }
            Some(failed(pair_of(agent, template, config), reason, image))
        }
        // Whoever deletes nodes of servers that boot, or such servers, does so again: each time a server is made.
        AgentState::Orphan { seen } if seen.passes == SIGHTINGS && agent.readable && !settling => {
            let reason = format!("the Jenkins node of server \"{name}\" was deleted before its agent joined");
            Some(failed(pair_of(agent, template, config), reason, None))
        }
        _ => None,
    }
}

/// Returns what an ERROR is charged to: the placement where the quota of servers is used up, else the template there.
fn key_of_error(agent: &Agent<'_>, template: &Template, fault: &str, config: &Config) -> BackoffKey {
    match FaultKind::from_message(fault) {
        FaultKind::ServerQuota => BackoffKey::Placement(agent.provider.clone(), agent.zone_asked(config).cloned()),
        _ => pair_of(agent, template, config),
    }
}

fn pair_of(agent: &Agent<'_>, template: &Template, config: &Config) -> BackoffKey {
    let zone = agent.zone_asked(config).cloned();
    BackoffKey::TemplateAt(template.name.clone(), agent.provider.clone(), zone)
}

/// Finds the servers that somebody else removed while they booted.
fn vanished<'a>(fleet: &Fleet<'a>, before: &State) -> Vec<Failure<'a>> {
    let config = fleet.config;
    let is_gone = |(id, memory): &(&NodeId, &NodeMemory)| {
        memory.phase == Phase::Booting
            && memory.joined.is_none()
            && !(memory.adopted || memory.deleted || memory.failure_counted)
            && !fleet.state.nodes.contains_key(*id)
    };
    let gone = before.nodes.iter().filter(is_gone);
    let failures = gone.filter_map(|(_, memory)| {
        let template = config.template(memory.template.as_str())?;
        let (provider, _) = config.providers.get_key_value(&memory.provider)?;
        let zone = memory.zone.clone();
        Some(Failure {
            placement: placement(provider, zone.as_ref()),
            is_quota: false,
            is_excused: false,
            key: BackoffKey::TemplateAt(template.name.clone(), provider.clone(), zone),
            reason: format!(
                "server \"{}\" was removed by somebody else before it joined Jenkins",
                memory.name
            ),
            template,
            provider,
            image: None,
        })
    });
    failures.collect()
}
