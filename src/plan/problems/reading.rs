//! Problems of reading: a provider, one of its services, something odd in a reply.

use std::collections::BTreeSet;

use crate::model::{CloudView, JenkinsView, Observed, ProblemKind, ProviderName, Reading, ResourceKind, Unavailable};
use crate::plan::fleet::Fleet;
use crate::plan::problems::finding::{Evidence, Finding};
use crate::state::ProblemMemory;
use crate::text::shown;

/// The subject of what is odd in Jenkins' replies.
const JENKINS: &str = "jenkins";
/// The subject of the language that Jenkins answers in.
const LANGUAGE: &str = "jenkins: language";
/// The subject of labels that the script console does not give.
const LABELS: &str = "jenkins: labels_from";

/// What of a provider could not be read: the subject behind its name.
const OFFERS: &str = "what it offers";

/// Finds what could not be read.
pub fn find(fleet: &Fleet<'_>, evidence: &mut Evidence) {
    for (provider, reading) in &fleet.observed.clouds {
        match reading {
            Reading::Unreadable(reason) => evidence.add(unreadable(provider, reason)),
            Reading::Read(view) => of_cloud(provider, view, evidence),
        }
    }
    of_jenkins(fleet, evidence);
}

/// Says that a provider cannot be read.
pub fn unreadable(provider: &ProviderName, reason: &str) -> Finding {
    let sentence = format!(
        "provider {provider} cannot be read: nothing is made or removed there, and its servers count on; look with \
         `mita check --online`"
    );
    Finding::new(ProblemKind::ProviderUnreadable, provider.as_str(), sentence)
        .fact("reason", shown(reason))
        .at(provider)
}

/// Says that Jenkins cannot be read.
pub fn jenkins_unreadable(reason: &str) -> Finding {
    let sentence = "Jenkins cannot be read: nothing is made or removed; look with `mita check --online`";
    Finding::new(ProblemKind::JenkinsUnreadable, "", sentence).fact("reason", shown(reason))
}

fn of_cloud(provider: &ProviderName, view: &CloudView, evidence: &mut Evidence) {
    if let Some(Reading::Unreadable(reason)) = &view.offers {
        let sentence = format!("provider {provider} does not say what it offers: nothing is made there");
        evidence.add(service(provider, OFFERS, sentence, reason));
    }
    if let Some(Reading::Read(listed)) = &view.resources {
        for (kind, reason) in &listed.failed {
            let things = things(*kind);
            let sentence = format!("provider {provider} does not list its {things}: what is left of them stays");
            evidence.add(service(provider, &things, sentence, reason));
        }
    }
    if !view.odd.is_empty() {
        let mut finding = odd(provider.as_str(), &format!("provider {provider}"), &view.odd).at(provider);
        finding.read = parts_read(view);
        evidence.add(finding);
    }
}

fn service(provider: &ProviderName, what: &str, sentence: String, reason: &str) -> Finding {
    Finding::new(ProblemKind::ProviderUnreadable, format!("{provider}: {what}"), sentence)
        .fact("reason", shown(reason))
        .at(provider)
}

fn things(kind: ResourceKind) -> String {
    format!("{}s", kind.noun())
}

/// Returns which parts of a provider were read.
fn parts_read(view: &CloudView) -> BTreeSet<String> {
    let resources = view.resources.as_ref().and_then(Reading::ok);
    let listed = resources.into_iter().flat_map(|listed| &listed.kinds);
    let offers = matches!(view.offers, Some(Reading::Read(_)));
    listed
        .map(|kind| things(*kind))
        .chain(offers.then(|| OFFERS.to_owned()))
        .collect()
}

fn odd(subject: &str, whose: &str, sentences: &[String]) -> Finding {
    let first = sentences.iter().min().map_or("", String::as_str);
    let sentence = format!("{whose} says something that cannot be read: what it is of is left alone");
    let finding = Finding::new(ProblemKind::OddData, subject, sentence).fact("first", shown(first));
    match sentences.len() {
        1 => finding,
        many => finding.fact("others", many - 1),
    }
}

fn of_jenkins(fleet: &Fleet<'_>, evidence: &mut Evidence) {
    let JenkinsView {
        odd: sentences, labels, ..
    } = &fleet.observed.jenkins;
    if !sentences.is_empty() {
        evidence.add(odd(JENKINS, "Jenkins", sentences));
    }
    if let Some(Reading::Unreadable(reason)) = labels {
        let sentence = "the script console does not give the labels of the queue (jenkins.labels_from): they are read as \
                        without it";
        evidence.add(Finding::new(ProblemKind::OddData, LABELS, sentence).fact("reason", shown(reason)));
    }
    if let Some(language) = &fleet.state.language {
        let sentence = "Jenkins answers in its own language whatever it is asked for: items stay unmet whose sentence \
                        cannot be read; let its locale plugin heed the browser's language";
        evidence
            .add(Finding::new(ProblemKind::OddData, LANGUAGE, sentence).fact("X-Jenkins-Language", shown(language)));
    }
}

/// Whether what could not be read of a provider is read now.
pub fn is_readable(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let view = view_of(problem, fleet.observed);
    let Some((view, provider)) = view.zip(problem.provider.as_ref()) else {
        return false;
    };
    let part = problem.subject.strip_prefix(&format!("{provider}: "));
    part.is_none_or(|part| parts_read(view).contains(part) || is_listed(view, part))
}

/// Whether the list is read in which a key of templates is looked up.
fn is_listed(view: &CloudView, key: &str) -> bool {
    let Some(Reading::Read(offers)) = &view.offers else {
        return false;
    };
    let unread = |unavailable: &Unavailable| unavailable.parts.iter().any(|part| part.unread && part.key == key);
    key != OFFERS
        && !offers
            .templates
            .values()
            .any(|offer| offer.as_ref().err().is_some_and(unread))
}

/// Whether a whole reading showed nothing odd: one that read less tells nothing.
pub fn is_even(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    if problem.provider.is_none() {
        // Labels are asked for only while something waits.
        return problem.subject != LABELS || matches!(fleet.observed.jenkins.labels, Some(Reading::Read(_)));
    }
    view_of(problem, fleet.observed).is_some_and(|view| problem.read.is_subset(&parts_read(view)))
}

fn view_of<'o>(problem: &ProblemMemory, observed: &'o Observed) -> Option<&'o CloudView> {
    observed.clouds.get(problem.provider.as_ref()?)?.ok()
}
