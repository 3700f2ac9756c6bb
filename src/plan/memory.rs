//! What a pass remembers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::{FaultKind, NodeId, ProviderName};
use crate::plan::clock::SIGHTINGS;
use crate::plan::create::{backoff, images};
use crate::plan::fleet::agent::{Standing, Unit};
use crate::plan::fleet::{Survey, hold};
use crate::plan::resources::upkeep;
use crate::plan::words::{shown, span};
use crate::state::{BackoffKey, NodeMemory, Phase, State};

/// Returns what the next pass must know of a unit; `None` for one without a server's id.
fn memory(unit: &Unit<'_>, config: &Config, now: Timestamp) -> Option<NodeMemory> {
    if matches!(unit.standing, Standing::Intent) {
        return None;
    }
    let mut memory = NodeMemory {
        template: unit.template.clone(),
        provider: unit.provider.clone(),
        zone: unit.zone_asked(config).cloned(),
        image: unit.image().map(str::to_owned),
        name: unit.name.to_owned(),
        server_id: unit.server_id()?.clone(),
        created: unit.created?,
        joined: unit.joined,
        idle_since: None,
        offline_since: None,
        jenkins_node: unit.computer().map(|c| c.name.clone()),
        missing: None,
        unlisted: unit.unlisted,
        held_since: hold::since(unit, now),
        held_by: hold::by(unit),
        failure_counted: unit.before.is_some_and(|before| before.failure_counted),
        deleted: unit.before.is_some_and(|before| before.deleted),
        deleting_since: unit.before.and_then(|before| before.deleting_since),
        delete_failed: unit.before.is_some_and(|before| before.delete_failed),
        had: upkeep::had(unit, config),
        volumes_settled: unit.before.is_some_and(|before| before.volumes_settled),
        adopted: unit.adopted,
        builds: unit.builds.clone(),
        phase: unit.standing.phase(),
    };
    if memory.jenkins_node.is_none() {
        memory.jenkins_node = unit.before.and_then(|before| before.jenkins_node.clone());
    }
    match unit.standing {
        Standing::Up { idle_since, .. } => memory.idle_since = idle_since,
        Standing::Monitored { idle_since } => memory.offline_since = idle_since,
        Standing::Offline { since, .. } => memory.offline_since = Some(since),
        Standing::Orphan { seen } => memory.missing = Some(seen),
        Standing::Deleting { since, .. } => memory.deleting_since = Some(since),
        _ => {}
    }
    Some(memory)
}

/// Writes down what was seen of the units.
pub fn remember(survey: &mut Survey<'_>) {
    let mut nodes: Vec<(NodeId, NodeMemory)> = Vec::with_capacity(survey.units.len());
    let known = |unit: &Unit<'_>| {
        unit.before
            .is_some_and(|before| unit.server_id() == Some(&before.server_id))
    };
    let mut order: Vec<&Unit<'_>> = survey.units.iter().collect();
    // Of two servers with one id the one that was known comes last and stays in memory.
    order.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| known(a).cmp(&known(b))));
    for unit in order {
        if let Some(memory) = memory(unit, survey.config, survey.context.now) {
            nodes.push((unit.id.clone(), memory));
        } else if let Some(intent) = unit.intent {
            survey.state.intents.insert(unit.id.clone(), intent.clone());
        }
    }
    survey.state.nodes = nodes.into_iter().collect();
}

/// Draws the lessons: a server that joined opens what was held back, one that failed holds it back. Of servers that
/// another program made there is nothing to learn for ours.
pub fn learn(survey: &mut Survey<'_>, before: &State) {
    let (config, now) = (survey.config, survey.context.now);
    backoff::forget_old(&mut survey.state, config.timing.backoff_max, now);
    images::refresh(&mut survey.state, config);
    survey
        .state
        .proved
        .retain(|name, _| config.templates.iter().any(|template| template.name == *name));
    survey
        .state
        .failures
        .retain(|name, _| config.templates.iter().any(|template| template.name == *name));
    learn_of_joined(survey);
    images::remember_candidates(survey);
    let failures = failures(survey, before);
    // While no pass was made Jenkins may have been away, and no image is to blame for that.
    for failure in failures.iter().filter(|_| !survey.restart) {
        if let Some(image) = &failure.image {
            images::failed(&mut survey.state, failure.template, failure.provider, image, now);
        }
    }
    images::decide(survey);
    // What failed in one pass counts once for each key: a burst that meets one full cloud is one failure. What was due to
    // an image that is left by now holds nothing else back.
    let mut found = BTreeMap::new();
    for Failure {
        key,
        reason,
        template,
        provider,
        image,
    } in failures
    {
        let left = |image| images::is_left(&survey.state, config, template, provider, image);
        if !image.as_deref().is_some_and(left) {
            found.entry(key).or_insert((&template.name, reason));
        }
    }
    for (key, (template, reason)) in found {
        backoff::charge(&mut survey.state, config, &key, template, now, &reason, None);
    }
}

fn learn_of_joined(survey: &mut Survey<'_>) {
    let (config, state) = (survey.config, &mut survey.state);
    for unit in survey.units.iter().filter(|unit| !unit.adopted) {
        let (Standing::Up { .. }, Some(template)) = (&unit.standing, unit.template(config)) else {
            continue;
        };
        let current = !unit.outdated(config);
        if current && state.proved.get(&template.name) != Some(&template.digest) {
            state.proved.insert(template.name.clone(), template.digest.clone());
        }
        let first = unit.before.and_then(|before| before.joined).is_none();
        // A memory without images was written before they were counted.
        if let Some(image) = unit.image()
            && (first || unit.before.is_some_and(|before| before.image.is_none()))
        {
            images::joined(state, template, unit.provider, image);
        }
        if !state.backoffs.is_empty() && first {
            let zone = unit.zone_asked(config);
            backoff::joined(state, config, template, unit.provider, zone);
            if current {
                let (name, provider) = (template.name.clone(), unit.provider.clone());
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
}

/// Finds the failures that were not counted yet.
fn failures<'a>(survey: &mut Survey<'a>, before: &State) -> Vec<Failure<'a>> {
    let config = survey.config;
    let mut found = Vec::new();
    for unit in &survey.units {
        let uncounted = unit.before.is_none_or(|before| !before.failure_counted);
        let Some(template) = unit
            .template(config)
            .filter(|_| unit.joined.is_none() && uncounted && !unit.twin && !unit.adopted)
        else {
            continue;
        };
        let provider = unit.provider;
        let image = unit.image().filter(|_| !unit.outdated(config));
        let zone = unit.zone_asked(config).cloned();
        let pair = BackoffKey::TemplateAt(template.name.clone(), provider.clone(), zone.clone());
        let (key, reason, image) = match &unit.standing {
            Standing::Failed(fault) => {
                let blamed = images::is_blamed(fault, unit.image());
                let key = match FaultKind::of(fault) {
                    FaultKind::ServerQuota => BackoffKey::Placement(provider.clone(), zone),
                    _ => pair,
                };
                let fault = if fault.is_empty() {
                    "no reason given".to_owned()
                } else {
                    shown(fault)
                };
                let reason = format!("server \"{}\" went to ERROR: {fault}", unit.name);
                (key, reason, image.filter(|_| blamed))
            }
            // While the controller was down nothing could join.
            Standing::TimedOut if unit.readable && !unit.outdated(config) && survey.settling.is_none() => {
                let grace = span(template.boot_grace);
                let reason = format!("server \"{}\" did not join Jenkins within {grace}", unit.name);
                // Nobody reached it: that says nothing of its script or image.
                if upkeep::lacks_address(unit, template) {
                    let key = BackoffKey::FloatingIp(template.name.clone(), provider.clone());
                    (key, reason, None)
                } else {
                    (pair, reason, image)
                }
            }
            // Whoever deletes nodes of servers that boot, or such servers, does so again: each time a server is made.
            Standing::Orphan { seen } if seen.passes == SIGHTINGS && unit.readable && survey.settling.is_none() => {
                let name = unit.name;
                let reason = format!("the Jenkins node of server \"{name}\" was deleted before its agent joined");
                (pair, reason, None)
            }
            _ => continue,
        };
        found.push(Failure {
            key,
            reason,
            template,
            provider,
            image: image.map(str::to_owned),
        });
        if let Some(memory) = survey.state.nodes.get_mut(&unit.id) {
            memory.failure_counted = true;
        }
    }
    found.extend(vanished(survey, before));
    found
}

/// Finds the servers that somebody else removed while they booted.
fn vanished<'a>(survey: &Survey<'a>, before: &State) -> Vec<Failure<'a>> {
    let config = survey.config;
    let is_gone = |(id, memory): &(&NodeId, &NodeMemory)| {
        memory.phase == Phase::Booting
            && memory.joined.is_none()
            && !(memory.adopted || memory.deleted || memory.failure_counted)
            && !survey.state.nodes.contains_key(*id)
    };
    let gone = before.nodes.iter().filter(is_gone);
    let failures = gone.filter_map(|(_, memory)| {
        let template = config.template(memory.template.as_str())?;
        let (provider, _) = config.providers.get_key_value(&memory.provider)?;
        let zone = memory.zone.clone();
        Some(Failure {
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
