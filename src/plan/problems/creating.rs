//! Problems of making servers: what a cloud lacks, what fails there again and again, what is held back.

use jiff::SignedDuration;

use crate::config::{Config, Template};
use crate::model::{Offer, ProblemKind, ProviderName, TemplateName, Unavailable};
use crate::plan::clock::since;
use crate::plan::create::creating::{pair, placement};
use crate::plan::create::images;
use crate::plan::fleet::Fleet;
use crate::plan::problems::finding::{Evidence, Finding};
use crate::plan::problems::grounds::Grounds;
use crate::state::{BackoffKey, CreateRecord, ProblemMemory};
use crate::text::shown;

/// So many servers in a row that never join, or go to ERROR, are a problem.
const FAILED_IN_A_ROW: u32 = 3;

/// Requests that are refused for so long are a problem.
const REFUSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Finds what keeps servers from being made.
pub fn find(grounds: &Grounds<'_, '_>, evidence: &mut Evidence) {
    let fleet = grounds.fleet;
    for template in &fleet.config.templates {
        for place in &template.placements {
            if let Some(Err(unavailable)) = offer_of(fleet, &template.name, &place.provider) {
                not_offered(template, &place.provider, unavailable, evidence);
            }
        }
        rolled_back(template, fleet, evidence);
    }
    create_failing(fleet, evidence);
    placement_held(fleet, evidence);
}

/// Returns what a provider said of a template; `None` where it was not asked.
fn offer_of<'f>(
    fleet: &'f Fleet<'_>,
    template: &TemplateName,
    provider: &ProviderName,
) -> Option<&'f Result<Offer, Unavailable>> {
    let offers = fleet.observed.clouds.get(provider)?.ok()?.offers.as_ref()?.ok()?;
    offers.templates.get(template)
}

fn not_offered(template: &Template, provider: &ProviderName, unavailable: &Unavailable, evidence: &mut Evidence) {
    let reason = || shown(&unavailable.reason);
    if unavailable.parts.is_empty() {
        evidence.add(missing(template, provider, "what it names").fact("reason", reason()));
    }
    for part in &unavailable.parts {
        let finding = if part.unread {
            let sentence = format!("provider {provider} does not list what `{}` is looked up in", part.key);
            let subject = format!("{provider}: {}", part.key);
            let finding = Finding::new(ProblemKind::ProviderUnreadable, subject, sentence);
            Finding {
                config: None,
                ..finding.at(provider)
            }
        } else {
            missing(template, provider, &part.key)
        };
        evidence.add(finding.fact("reason", reason()));
    }
}

/// Says that a provider does not have what a key of a template names.
pub fn missing(template: &Template, provider: &ProviderName, key: &str) -> Finding {
    let name = &template.name;
    let sentence = format!(
        "provider {provider} does not have what template \"{name}\" names ({key}): none of its servers is made there"
    );
    let subject = format!("{name}@{provider}: {key}");
    Finding {
        config: Some(template.digest.clone()),
        ..Finding::new(ProblemKind::NotOffered, subject, sentence).at(provider)
    }
}

/// Returns the template and the key of the subject of a missing part.
fn part_of<'p>(problem: &'p ProblemMemory, config: &'p Config) -> Option<(&'p Template, &'p str)> {
    let provider = problem.provider.as_ref()?;
    config.templates.iter().find_map(|template| {
        let rest = problem
            .subject
            .strip_prefix(&format!("{}@{provider}: ", template.name))?;
        Some((template, rest))
    })
}

/// Whether a provider has by now what a template names, or the template is there no longer or otherwise.
pub fn is_offered(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let Some(((template, key), provider)) = part_of(problem, fleet.config).zip(problem.provider.as_ref()) else {
        return true;
    };
    let is_placed = template.placements.iter().any(|place| place.provider == *provider);
    if !is_placed || problem.config.as_ref() != Some(&template.digest) {
        return true;
    }
    match offer_of(fleet, &template.name, provider) {
        // A key pair is not looked up: that a server was taken tells.
        _ if key == KEY_PAIR => false,
        Some(Ok(_)) => true,
        Some(Err(unavailable)) => !unavailable.parts.is_empty() && unavailable.parts.iter().all(|part| part.key != key),
        None => false,
    }
}

/// The key of a template that no list is asked for: the cloud refuses the server.
pub const KEY_PAIR: &str = "keyname";

fn create_failing(fleet: &Fleet<'_>, evidence: &mut Evidence) {
    for (key, record) in &fleet.state.creating {
        let CreateRecord {
            failed,
            refused_since,
            reason,
            ..
        } = record;
        let Some((template, provider)) = fleet.config.templates.iter().find_map(|template| {
            let mut places = template.placements.iter();
            let place =
                places.find(|place| *key == pair(&template.name, &placement(&place.provider, place.zone.as_ref())))?;
            Some((template, &place.provider))
        }) else {
            continue;
        };
        let is_refused = refused_since.is_some_and(|then| since(fleet.context.now, then) >= REFUSED_FOR);
        let name = &template.name;
        let place = key.strip_prefix(&format!("{name}@")).unwrap_or(key);
        let sentence = if *failed >= FAILED_IN_A_ROW {
            format!("servers of template \"{name}\" at {place} fail one after the other: none of them joins Jenkins")
        } else if is_refused && !is_explained(evidence, template, provider) {
            format!("no server of template \"{name}\" can be made at {place}: each request is refused")
        } else {
            continue;
        };
        let mut finding = Finding::new(ProblemKind::CreateFailing, key, sentence).at(provider);
        if *failed > 0 {
            finding = finding.fact("failed", *failed);
        }
        evidence.add(finding.fact("reason", shown(reason)));
    }
}

/// Whether what is missing at a provider says already why requests are refused.
fn is_explained(evidence: &Evidence, template: &Template, provider: &ProviderName) -> bool {
    let start = format!("{}@{provider}: ", template.name);
    let mut found = evidence.found.values();
    found.any(|finding| finding.kind == ProblemKind::NotOffered && finding.subject.starts_with(&start))
}

fn placement_held(fleet: &Fleet<'_>, evidence: &mut Evidence) {
    for (place, provider, key) in placements(fleet.config) {
        // What cannot be read is a problem of its own.
        let is_read = fleet
            .observed
            .clouds
            .get(provider)
            .is_some_and(|cloud| cloud.ok().is_some());
        let Some(backoff) = fleet.state.backoffs.get(&key.to_string()).filter(|_| is_read) else {
            continue;
        };
        if backoff.until <= fleet.context.now {
            continue;
        }
        let sentence =
            format!("placement {place} takes no server for now, and is held back; one at a time tries it again");
        let finding = Finding::new(ProblemKind::PlacementHeld, &place, sentence).at(provider);
        evidence.add(
            finding
                .fact("failures", backoff.failures)
                .fact("reason", shown(&backoff.reason)),
        );
    }
}

/// Lists each placement and each provider that templates use, as written, with what holds it back.
fn placements(config: &Config) -> Vec<(String, &ProviderName, BackoffKey)> {
    let mut found: Vec<(String, &ProviderName, BackoffKey)> = Vec::new();
    for place in config.templates.iter().flat_map(|template| &template.placements) {
        let (provider, zone) = (&place.provider, place.zone.as_ref());
        let whole = (provider.to_string(), provider, BackoffKey::Provider(provider.clone()));
        let one = BackoffKey::Placement(provider.clone(), zone.cloned());
        for entry in [whole, (placement(provider, zone), provider, one)] {
            if !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    found
}

/// Whether a server joined where they failed, or what failed went through.
pub fn has_joined(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let state = &fleet.state;
    let fails = |name: &str| shown(name) == problem.subject;
    !state.creating.contains_key(&problem.subject) && !state.failing.values().any(|action| fails(&action.name))
}

/// Whether a server was taken at a placement since it was last seen held back, or no template uses it any more.
pub fn was_taken(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let is_here =
        |provider: &ProviderName, place: &str| problem.subject == place || problem.subject == provider.as_str();
    let is_used = placements(fleet.config)
        .iter()
        .any(|(place, ..)| *place == problem.subject);
    let taken = fleet.agents.iter().filter(|agent| !agent.adopted).any(|agent| {
        let place = placement(agent.provider, agent.zone_asked(fleet.config));
        let asked = agent
            .intent
            .filter(|intent| intent.server_id.is_some())
            .map(|intent| intent.at);
        let made = agent.created.filter(|_| agent.server.is_some()).or(asked);
        is_here(agent.provider, &place) && made.is_some_and(|made| made > problem.seen)
    });
    taken || !is_used
}

fn rolled_back(template: &Template, fleet: &Fleet<'_>, evidence: &mut Evidence) {
    let rollbacks = images::rollbacks(&fleet.state, template);
    let Some(rollback) = rollbacks.first() else { return };
    let name = &template.name;
    let sentence = format!(
        "servers of the newest image of template \"{name}\" never joined, it is rolled back to an older one; a newer image \
         is tried at once, this one again after a day"
    );
    let finding = Finding::new(ProblemKind::RolledBack, name.as_str(), sentence);
    evidence.add(
        finding
            .fact("image", shown(&rollback.image))
            .fact("instead", shown(&rollback.instead))
            .fact("provider", rollback.provider.as_str()),
    );
}

/// Whether the newest image of a template is used again and joined, or is gone.
pub fn is_rolled_forward(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let Some(template) = fleet.config.template(&problem.subject) else {
        return true;
    };
    let places = fleet.state.images.get(&template.name).into_iter().flatten();
    places.into_iter().all(|(_, memory)| {
        let newest = memory.candidates.first();
        let has_joined = newest.is_some_and(|newest| memory.joined.contains(newest));
        memory.instead.is_none() && (memory.failed.is_empty() || has_joined)
    })
}

/// Says that a template names what its provider refused in a request: the one cause is then known.
pub fn refused_key_pair(template: &Template, provider: &ProviderName, reason: &str) -> Finding {
    missing(template, provider, KEY_PAIR).fact("reason", shown(reason))
}
