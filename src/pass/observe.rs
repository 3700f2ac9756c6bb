//! Fills an [`Observed`] from Jenkins and the clouds, and asks what the first look leaves open.
//!
//! Decides nothing: `queue` and a first plan name the questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::Live;
use crate::config::Config;
use crate::error::{Blind, Error, chain};
use crate::jenkins::JenkinsError;
use crate::model::{
    CloudView, NodeName, Observed, Presence, ProviderName, Reading, ResourceKind, Resources, Server, ServerSpec,
    ServerStatus, ServiceBases, Stage, TemplateName,
};
use crate::plan::{self, Plan};
use crate::provider::Lookup;
use crate::queue::{self, Ask, LabelRequests};
use crate::state::{Cached, RefusalKey, State, pauses};

/// The most `config.xml` and node labels that are fetched in one pass; the rest is fetched in the next ones.
const MAX_ASKS: usize = 50;

/// The most servers in ERROR that are asked why; more at a time have the same reason.
const MAX_FAULTS: usize = 5;

/// The most items whose first sighting is remembered.
const MAX_SIGHTED: usize = 10_000;

/// How long a job's label or a node's labels are believed: as long as a person would wait for a change to show.
const CACHE_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Reads Jenkins and every cloud. An error means that nothing may be done: Jenkins, or every cloud, cannot be read, or
/// a signal came.
pub fn look(live: &mut Live, config: &Config, state: &State) -> Result<Observed, Error> {
    let observed = look_at_all(live, config, state)?;
    blind(&observed).map_or(Ok(observed), |blind| Err(Error::Blind(blind)))
}

/// Returns why nothing may be done, where no cloud could be read.
pub fn blind(observed: &Observed) -> Option<Blind> {
    let clouds = &observed.clouds;
    if clouds.is_empty() || clouds.values().any(|cloud| cloud.ok().is_some()) {
        return None;
    }
    let reasons = clouds.iter().filter_map(|(name, cloud)| match cloud {
        Reading::Read(_) => None,
        Reading::Unreadable(reason) => Some((name.clone(), reason.clone())),
    });
    Some(Blind::Providers(reasons.collect()))
}

/// Reads Jenkins and every cloud that can be read.
pub fn look_at_all(live: &mut Live, config: &Config, state: &State) -> Result<Observed, Error> {
    let jenkins = live
        .jenkins
        .view()
        .map_err(|error| Error::Blind(Blind::Jenkins(chain(&error))))?;
    // Jenkins always lists its built-in node. Without it, what joined before would look lost and go with its builds.
    if jenkins.computers.is_empty() && state.nodes.values().any(|node| node.joined.is_some()) {
        return Err(Error::Blind(Blind::Jenkins(
            "the list of computers is empty, not even the built-in node is in it".to_owned(),
        )));
    }
    let mut clouds = BTreeMap::new();
    for (name, cloud) in &mut live.clouds {
        if live.stop.load(Ordering::Relaxed) {
            return Err(Error::Stopped);
        }
        cloud.recall(state.service_bases.get(name).unwrap_or(&ServiceBases::new()));
        let reading = match cloud.servers() {
            Ok(list) => Reading::Read(CloudView {
                servers: list.servers,
                clock: list.clock,
                offers: None,
                resources: None,
                looked_up: BTreeMap::new(),
                odd: cloud.odd(),
            }),
            Err(error) => Reading::Unreadable(error.to_string()),
        };
        clouds.insert(name.clone(), reading);
    }
    Ok(Observed {
        jenkins,
        clouds,
        pauses: pauses::load(&config.state_file),
    })
}

/// Takes over what could not be read since, for the next plan to report.
pub fn take_odd(live: &Live, observed: &mut Observed) {
    for (name, cloud) in &live.clouds {
        if let Some(Reading::Read(view)) = observed.clouds.get_mut(name) {
            view.odd = cloud.odd();
        }
    }
}

/// Remembers the endpoints of the clouds, for the next pass to ask there first.
pub fn remember_bases(live: &Live, state: &mut State) {
    let service_bases = live
        .clouds
        .iter()
        .map(|(name, cloud)| (name.clone(), cloud.service_bases()));
    state.service_bases = service_bases
        .filter(|(_, service_bases)| !service_bases.is_empty())
        .collect();
}

/// Returns why a provider cannot be read, in words.
pub fn unreadable((name, cloud): (&ProviderName, &Reading<CloudView>)) -> Option<String> {
    match cloud {
        Reading::Read(_) => None,
        Reading::Unreadable(reason) => Some(format!("provider {name}: {reason}")),
    }
}

/// Reads what the queue waits for. Labels that it does not show are fetched, each at most once; answers of earlier
/// passes are used while fresh.
pub fn label_requests(
    live: &Live,
    config: &Config,
    observed: &mut Observed,
    state: &mut State,
    now: Timestamp,
) -> LabelRequests {
    let fresh = |at: Timestamp| now >= at && now.duration_since(at) < CACHE_FOR;
    state.jobs.retain(|_, cached| fresh(cached.at));
    state.node_labels.retain(|_, cached| fresh(cached.at));
    state.forget_refusals(now);
    for (path, cached) in &state.jobs {
        observed
            .jenkins
            .jobs
            .insert(path.clone(), Reading::Read(cached.value.clone()));
    }
    for (node, cached) in &state.node_labels {
        observed
            .jenkins
            .node_labels
            .insert(node.clone(), Reading::Read(cached.value.clone()));
    }
    sight(observed, state, config, now);
    ask_labels(live, config, observed);
    let read = |observed: &Observed, state: &State| plan::label_requests(observed, config, state, now);
    let mut asked = BTreeSet::new();
    // An answer can lead to one more question (a matrix child to its parent); a third round has nothing left to ask.
    for _ in 0..3 {
        let label_requests = read(observed, state);
        let open: Vec<Ask> = queue::asks(&label_requests)
            .into_iter()
            .filter(|ask| !asked.contains(ask))
            .collect();
        // What the script console does not list has left the queue.
        if open.is_empty() || matches!(observed.jenkins.labels, Some(Reading::Read(_))) {
            return label_requests;
        }
        for ask in open {
            if is_refused(config, observed, state, now, &ask) {
                continue;
            }
            if asked.len() >= MAX_ASKS || live.must_end().is_some() {
                return read(observed, state);
            }
            answer(live, config, observed, state, now, &ask);
            asked.insert(ask);
        }
    }
    read(observed, state)
}

/// Remembers when items were first seen that are younger than `queue_grace` by the clock of Jenkins, which may be
/// wrong.
fn sight(observed: &mut Observed, state: &mut State, config: &Config, now: Timestamp) {
    let grace = config.timing.queue_grace;
    let jenkins = &mut observed.jenkins;
    jenkins.first_seen.clear();
    if !grace.is_zero() {
        let young = jenkins.queue.iter().filter(|item| jenkins.age(item, now) < grace);
        let seen = |id: u64| state.queue_seen.get(&id).copied().filter(|then| *then <= now);
        let first: BTreeMap<u64, Timestamp> = young
            .take(MAX_SIGHTED)
            .map(|item| (item.id, seen(item.id).unwrap_or(now)))
            .collect();
        jenkins.first_seen = first;
    }
    state.queue_seen.clone_from(&jenkins.first_seen);
}

/// Asks the script console for the labels of all items, if it is to be asked and something waits. A dry run asks, too:
/// the script changes nothing.
fn ask_labels(live: &Live, config: &Config, observed: &mut Observed) {
    let waits = observed.jenkins.queue.iter().any(|item| item.stage == Stage::Buildable);
    if config.labels.script && waits && observed.jenkins.labels.is_none() {
        observed.jenkins.labels = Some(reading(live.jenkins.queue_labels()));
    }
}

/// Returns whether Jenkins refused an answer lately, and notes the refusal in the view.
fn is_refused(config: &Config, observed: &mut Observed, state: &State, now: Timestamp, ask: &Ask) -> bool {
    let Ask::Job(path) = ask else { return false };
    let refusal = state.refused(
        &RefusalKey::Job(path.clone()),
        plan::asker(observed.jenkins.session.as_deref(), config, now),
    );
    let lacks = refusal.map(|refusal| refusal.lacks.clone());
    let is_refused = lacks.is_some();
    observed
        .jenkins
        .refused_jobs
        .extend(lacks.map(|lacks| (path.clone(), lacks)));
    is_refused
}

fn answer(live: &Live, config: &Config, observed: &mut Observed, state: &mut State, now: Timestamp, ask: &Ask) {
    match ask {
        Ask::Job(path) => {
            let answer = live.jenkins.job_config(path);
            if let Err(JenkinsError::Forbidden { permission, .. }) = &answer {
                let asker = plan::asker(observed.jenkins.session.as_deref(), config, now);
                state.refuse(&RefusalKey::Job(path.clone()), asker, permission, None);
                observed.jenkins.refused_jobs.insert(path.clone(), permission.clone());
                return;
            }
            let reading = reading(answer);
            if let Reading::Read(value) = &reading {
                state.jobs.insert(
                    path.clone(),
                    Cached {
                        at: now,
                        value: value.clone(),
                    },
                );
            }
            observed.jenkins.jobs.insert(path.clone(), reading);
        }
        Ask::NodeLabels(node) => {
            let reading = reading(live.jenkins.node_labels(node));
            if let Reading::Read(value) = &reading {
                state.node_labels.insert(
                    node.clone(),
                    Cached {
                        at: now,
                        value: value.clone(),
                    },
                );
            }
            observed.jenkins.node_labels.insert(NodeName::clone(node), reading);
        }
    }
}

fn reading<T, E: std::error::Error>(outcome: Result<T, E>) -> Reading<T> {
    outcome.map_or_else(|error| Reading::Unreadable(chain(&error)), Reading::Read)
}

/// Asks why servers in ERROR failed that are to be removed, where the list does not show it. Returns whether anything
/// was asked.
pub fn ask_faults(live: &mut Live, observed: &mut Observed, plan: &Plan) -> bool {
    let mut asked = 0;
    for target in plan.removals.iter().filter_map(|removal| removal.server.as_ref()) {
        let (Some(cloud), Some(Reading::Read(view))) = (
            live.clouds.get_mut(&target.provider),
            observed.clouds.get_mut(&target.provider),
        ) else {
            continue;
        };
        let silent = |server: &&mut Server| {
            server.id == target.id && server.status == ServerStatus::Error && server.fault.is_none()
        };
        let Some(server) = view.servers.iter_mut().find(silent) else {
            continue;
        };
        // It is removed all the same.
        let reason = if asked < MAX_FAULTS {
            cloud.fault(&target.id).ok().flatten()
        } else {
            None
        };
        server.fault = Some(reason.unwrap_or_default());
        asked += 1;
    }
    asked > 0
}

/// Asks for the servers of ours that a list lacks, one by one. Returns whether anything was asked.
pub fn ask_servers(live: &mut Live, observed: &mut Observed, plan: &Plan) -> bool {
    let mut asked = false;
    for (provider, id) in &plan.lookups {
        let (Some(cloud), Some(Reading::Read(view))) =
            (live.clouds.get_mut(provider), observed.clouds.get_mut(provider))
        else {
            continue;
        };
        let answer = match cloud.server(id) {
            Ok(Lookup::There(server)) => {
                view.servers.push(*server);
                Presence::There
            }
            Ok(Lookup::Gone) => Presence::Gone,
            Ok(Lookup::NotAsked) => Presence::NotKnown("this kind of cloud cannot be asked".to_owned()),
            Err(error) => Presence::NotKnown(error.to_string()),
        };
        view.looked_up.insert(id.clone(), answer);
        asked = true;
    }
    asked
}

/// The kinds that are listed together: those of the network, and volumes. One of the two services may be down.
const TOGETHER: [&[ResourceKind]; 2] = [&[ResourceKind::FloatingIp, ResourceKind::Port], &[ResourceKind::Volume]];

/// Lists the floating IPs, ports and volumes that the plan must know of. Returns whether anything was asked.
pub fn ask_resources(live: &mut Live, observed: &mut Observed, plan: &Plan) -> bool {
    let mut asked = false;
    for (name, kinds) in &plan.asks {
        let (Some(cloud), Some(Reading::Read(view))) = (live.clouds.get_mut(name), observed.clouds.get_mut(name))
        else {
            continue;
        };
        let Reading::Read(known) = view
            .resources
            .get_or_insert_with(|| Reading::Read(Resources::default()))
        else {
            continue;
        };
        for group in TOGETHER {
            let group = group.iter().copied();
            let open = |kind: &ResourceKind| {
                kinds.contains(kind) && !known.kinds.contains(kind) && !known.failed.contains_key(kind)
            };
            let wanted: BTreeSet<ResourceKind> = group.filter(open).collect();
            if wanted.is_empty() {
                continue;
            }
            asked = true;
            match cloud.resources(&wanted) {
                Ok(all) => {
                    known
                        .all
                        .extend(all.into_iter().filter(|found| wanted.contains(&found.kind)));
                    known.kinds.extend(wanted);
                }
                Err(error) => known
                    .failed
                    .extend(wanted.into_iter().map(|kind| (kind, error.to_string()))),
            }
        }
    }
    asked
}

/// Asks the clouds in which the plan wants to create, now or in the place of nodes that it drains, what they offer. Returns
/// whether anything was asked.
pub fn ask_offers(live: &mut Live, config: &Config, observed: &mut Observed, plan: &Plan) -> bool {
    let creates = plan.creates.iter().map(|create| &create.provider);
    let wanted: BTreeSet<&ProviderName> = creates.chain(&plan.offers_wanted).collect();
    let mut asked = false;
    for name in wanted {
        let (Some(cloud), Some(Reading::Read(view))) = (live.clouds.get_mut(name), observed.clouds.get_mut(name))
        else {
            continue;
        };
        if view.offers.is_some() {
            continue;
        }
        // All templates of the cloud at once: it is the same three requests, and a failover needs no more.
        let specs: Vec<(&TemplateName, &ServerSpec)> = config
            .templates
            .iter()
            .filter(|template| template.placements.iter().any(|placement| &placement.provider == name))
            .map(|template| (&template.name, &template.spec))
            .collect();
        view.offers = Some(match cloud.offers(&specs) {
            Ok(offers) => Reading::Read(offers),
            Err(error) => Reading::Unreadable(error.to_string()),
        });
        asked = true;
    }
    asked
}
