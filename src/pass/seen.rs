//! What was seen, for the report: the numbers, and what could not be read.

use std::collections::BTreeMap;

use super::observe;
use crate::model::{Observed, ProviderName, Reading};
use crate::plan::Plan;
use crate::report::Seen;

/// Returns what could not be read, in sentences: each makes the exit code 1.
pub fn unreadable(observed: &Observed) -> Vec<String> {
    let mut sentences: Vec<String> = observed.clouds.iter().filter_map(observe::unreadable).collect();
    sentences.extend(observed.pauses.unreadable.clone());
    if let Some(Reading::Unreadable(reason)) = &observed.jenkins.labels {
        sentences.push(format!(
            "jenkins.labels_from: the script console does not give the labels, so that they are read as without it: \
             {reason}"
        ));
    }
    for (name, cloud) in &observed.clouds {
        if let Some(Reading::Unreadable(reason)) = cloud.ok().and_then(|view| view.offers.as_ref()) {
            sentences.push(format!("provider {name}: cannot read what it offers: {reason}"));
        }
        if let Some(Reading::Read(listed)) = cloud.ok().and_then(|view| view.resources.as_ref()) {
            let failed = listed.failed.iter();
            sentences.extend(failed.map(|(kind, reason)| {
                let noun = kind.noun();
                format!("provider {name}: cannot list its {noun}s: {reason}")
            }));
        }
    }
    sentences
}

/// Counts what was seen.
pub fn count(observed: &Observed, plan: &Plan, requests: BTreeMap<String, u64>) -> Seen {
    let mut servers: BTreeMap<ProviderName, u64> = observed.clouds.keys().map(|name| (name.clone(), 0)).collect();
    for row in plan.servers.iter().filter(|row| row.server_id.is_some()) {
        *servers.entry(row.provider.clone()).or_default() += 1;
    }
    Seen {
        queue_items: observed.jenkins.queue.len() as u64,
        waiting: plan.waiting_items,
        jenkins_nodes: observed
            .jenkins
            .computers
            .iter()
            .filter(|computer| !computer.built_in && !computer.is_anchor())
            .count() as u64,
        servers,
        requests,
    }
}
