//! Everything that a pass knows before it decides: units with their standing, strays, and the memory after looking.
//!
//! Deciding is left to `grow` and `reap`.

use std::collections::BTreeMap;

use foldhash::HashSet;
use jiff::Timestamp;

use super::backoff;
use super::belongings;
use super::lasting::{AT_ONCE, Due, LASTING};
use super::link::{Fit, Linked, linked};
use super::phase::{self, Measures, Standing};
use super::reap::SIGHTINGS;
use super::supply::{Link, Supply, Unit};
use super::words::{shown, span};
use super::{Context, adopt, alerts, clock, drift, hidden, hold, ids, images, lasting, leaving, registers};
use crate::config::{Config, Template};
use crate::model::{
    Computer, FaultKind, NodeId, NodeName, Observed, ProviderName, Reading, ServerId, digest_u64, split_server_name,
};
use crate::queue::Wish;
use crate::state::{BackoffKey, Controller, LastPass, NodeMemory, Phase, Sighting, State, VERSION};

/// What a pass knows.
pub(super) struct Survey<'a> {
    /// The world.
    pub observed: &'a Observed,
    /// The configuration.
    pub config: &'a Config,
    /// What the pass may do.
    pub context: &'a Context,
    /// Our nodes, by name.
    pub units: Vec<Unit<'a>>,
    /// Jenkins nodes of ours without a server, by name.
    pub strays: Vec<Stray<'a>>,
    /// The memory after looking.
    pub state: State,
    /// When the last pass looked.
    pub last_pass: Option<Timestamp>,
    /// Whether idle times restart, so that nothing idle goes.
    pub restart: bool,
    /// Why nothing at all is removed: the controller has just started, and its agents are still to come back.
    pub settling: Option<String>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// What an operator must hear of.
    pub warnings: Vec<String>,
    /// What an operator hears once a day, and what is no failure of the pass.
    pub news: Vec<String>,
    /// Servers that a list lacks and that are to be asked for one by one.
    pub lookups: Vec<(ProviderName, ServerId)>,
}

/// A Jenkins node of ours without a server.
pub(super) struct Stray<'a> {
    /// The node.
    pub computer: &'a Computer,
    /// How often it was seen so.
    pub seen: Sighting,
}

impl Survey<'_> {
    /// Returns whether Jenkins said that it is quieting down.
    pub(super) fn is_quieting(&self) -> bool {
        self.observed.jenkins.quieting_down == Some(true)
    }
}

/// Looks at everything. `wishes` are those of the queue, where that was read.
pub(super) fn survey<'a>(
    observed: &'a Observed,
    config: &'a Config,
    state: &'a State,
    context: &'a Context,
    wishes: &[Wish],
) -> Survey<'a> {
    let Linked {
        supply,
        computers,
        fits,
        contradictions: ambiguities,
        homeless,
    } = linked(observed, config, state, context.now);
    let Supply {
        mut units,
        foreign: _,
        clashes: mut contradictions,
        lookups,
        mut notes,
        mut warnings,
    } = supply;
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
    for unit in &mut units {
        phase::classify(unit, &measures);
    }
    lend_slots(&mut units);
    hold::at_unknown_addresses(&mut units, &homeless, context.now);
    contradictions.extend(units.iter().filter_map(hold::why));
    let (clashes, due) = lasting::clashes(&state.clashes, &contradictions, LASTING, context.now);
    warnings.extend(due.iter().map(Due::for_a_person));
    notes.extend(contradictions);
    let free = computers
        .iter()
        .zip(&fits)
        .filter(|(_, fit)| **fit == Fit::Free)
        .map(|(c, _)| *c);
    let free: Vec<&Computer> = free.collect();
    let (strays, stray_nodes) = strays(&free, observed, config, state, context, &mut notes);
    let mut survey = Survey {
        observed,
        config,
        context,
        units,
        strays,
        state: State {
            version: VERSION,
            last_pass: Some(LastPass {
                id: context.pass.clone(),
                at: context.now,
            }),
            controller,
            language: hidden::language(observed),
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
    survey.notes.extend(restart);
    remember(&mut survey);
    registers::remember(&mut survey, state);
    leaving::remember(&mut survey, state);
    learn(&mut survey, state);
    drift::learn(&mut survey, wishes);
    alert(&mut survey, state);
    survey
}

/// Says at once what nothing but a person ends.
fn alert(survey: &mut Survey<'_>, state: &State) {
    let alerts = alerts::alerts(survey);
    let (clashes, due) = lasting::clashes(&state.clashes, &alerts, AT_ONCE, survey.context.now);
    survey.state.clashes.extend(clashes);
    survey.news.extend(due.iter().map(Due::since));
    survey.notes.extend(alerts);
    let odd = lasting::odd(survey.observed);
    let (clashes, due) = lasting::clashes(&state.clashes, &odd, LASTING, survey.context.now);
    survey.state.clashes.extend(clashes);
    survey.news.extend(due.iter().map(Due::for_a_person));
    survey.notes.extend(odd);
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

/// Gives the units of which nobody knows which node is theirs the slots of the nodes that may be: too much supply
/// delays a server by a pass or two, too little makes one that nobody needs.
fn lend_slots(units: &mut [Unit<'_>]) {
    let mut lent: HashSet<&NodeName> = HashSet::default();
    for unit in units {
        let (Link::Many(nodes), Standing::Ambiguous { slots }, Some(_)) = (&unit.link, &mut unit.standing, unit.kind)
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

/// Finds the Jenkins nodes of ours that have no server. Only when every cloud was read is that known.
fn strays<'a>(
    free: &[&'a Computer],
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    notes: &mut Vec<String>,
) -> (Vec<Stray<'a>>, BTreeMap<NodeName, Sighting>) {
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
        let seen = state.stray_nodes.get(&computer.name).copied();
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
        let mut seen = phase::sighted_again(seen, context.now);
        seen.known = known;
        sightings.insert(computer.name.clone(), seen);
        if known || !registers::may_wait_for_its_server(computer, seen, config, context.now) {
            found.push(Stray { computer, seen });
        }
    }
    (found, sightings)
}

/// Writes down what was seen of the units.
fn remember(survey: &mut Survey<'_>) {
    let mut nodes: Vec<(NodeId, NodeMemory)> = Vec::with_capacity(survey.units.len());
    let known = |unit: &Unit<'_>| {
        unit.before
            .is_some_and(|before| unit.server_id() == Some(&before.server_id))
    };
    let mut order: Vec<&Unit<'_>> = survey.units.iter().collect();
    // Of two servers with one id the one that was known comes last and stays in memory.
    order.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| known(a).cmp(&known(b))));
    for unit in order {
        if let Some(memory) = phase::memory(unit, survey.config, survey.context.now) {
            nodes.push((unit.id.clone(), memory));
        } else if let Some(intent) = unit.intent {
            survey.state.intents.insert(unit.id.clone(), intent.clone());
        }
    }
    survey.state.nodes = nodes.into_iter().collect();
}

/// Draws the lessons: a server that joined opens what was held back, one that failed holds it back. Of servers that
/// another program made there is nothing to learn for ours.
fn learn(survey: &mut Survey<'_>, before: &State) {
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
                if belongings::lacks_address(unit, template) {
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
