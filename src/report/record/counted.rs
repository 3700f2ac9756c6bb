//! What is counted for the metrics only when a pass ends; the rest is counted where it happens.

use std::collections::BTreeSet;

use crate::model::TemplateName;
use crate::report::record::ended::Record;
use crate::state::{Counters, State};

/// The service that is no provider.
const JENKINS: &str = "jenkins";

/// Counts a pass, where anything is counted.
pub fn count(state: &mut State, pass: &Record<'_>) {
    let nodes = alive(state);
    let Some(counters) = state.counters.as_deref_mut() else {
        return;
    };
    let config = pass.config;
    if pass.exit == 0 {
        counters.last_success = Some(pass.context.now);
    }
    count_seen(counters, pass);
    let is_configured = |node: &TemplateName| config.templates.iter().any(|template| template.name == *node);
    let is_provider = |provider: &str| config.providers.contains_key(provider);
    counters.keep(|node| is_configured(node) || nodes.contains(node), is_provider);
    counters
        .requests
        .retain(|service, _| service == JENKINS || is_provider(service));
}

fn count_seen(counters: &mut Counters, pass: &Record<'_>) {
    let Some(saw) = pass.saw else { return };
    for (service, made) in &saw.seen.requests {
        let requests = counters.requests.entry(service.clone()).or_default();
        *requests = requests.saturating_add(*made);
    }
    for (provider, kinds) in &saw.plan.leaks.resources {
        counters.left.entry(provider.clone()).or_default().extend(kinds);
    }
}

/// Returns the templates of the servers that are there, configured or not.
fn alive(state: &State) -> BTreeSet<TemplateName> {
    let known = state.nodes.values().map(|node| &node.template);
    known
        .chain(state.intents.values().map(|intent| &intent.template))
        .cloned()
        .collect()
}
