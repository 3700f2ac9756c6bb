//! The rows of `status` by the memory alone, for a site that cannot be observed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::model::{ProviderName, TemplateName};
use crate::plan::clock::since;
use crate::plan::report::fleet_rows::{count, row_of, shown_builds, template_rows};
use crate::plan::rows::{ServerRow, TemplateRow};
use crate::state::{Intent, NodeMemory, Phase, State};

/// Returns the servers and templates as the last pass saw them.
pub fn remembered(config: &Config, state: &State, now: Timestamp) -> (Vec<ServerRow>, Vec<TemplateRow>) {
    let known = state.nodes.values().map(|node| of_node(node, config, now));
    let asked = state.intents.iter().filter(|(id, _)| !state.nodes.contains_key(*id));
    let asked = asked.map(|(_, intent)| of_intent(intent, now));
    let mut servers: Vec<ServerRow> = known.chain(asked).collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut rows = template_rows(config, state, now);
    for server in &servers {
        count(row_of(&mut rows, &server.node), server.phase);
    }
    (servers, rows)
}

/// Returns the rows of a pass that acted: what it saw, in the phases that it left, with the servers that it asked for.
pub fn after_acting(
    seen: &[ServerRow],
    config: &Config,
    state: &State,
    now: Timestamp,
) -> (Vec<ServerRow>, Vec<TemplateRow>) {
    let (mut servers, templates) = remembered(config, state, now);
    let seen: BTreeMap<&str, &ServerRow> = seen.iter().map(|row| (row.name.as_str(), row)).collect();
    for row in &mut servers {
        if let Some(known) = seen.get(row.name.as_str()).filter(|known| known.node == row.node) {
            *row = ServerRow {
                phase: row.phase,
                ..(*known).clone()
            };
        }
    }
    (servers, templates)
}

fn of_node(node: &NodeMemory, config: &Config, now: Timestamp) -> ServerRow {
    let told = match node.phase {
        Phase::Booting => Some(node.created),
        Phase::Idle => node.idle_since,
        Phase::Offline => node.offline_since,
        Phase::Deleting => node.deleting_since,
        _ => None,
    };
    ServerRow {
        zone: node.zone.clone(),
        server_id: Some(node.server_id.clone()),
        since: node.phase_since.or(told),
        offline_by: node.offline_by,
        idle_seconds: node.idle_since.map(|then| since(now, then).as_secs()),
        jenkins_node: node.jenkins_node.clone(),
        image: node.image.clone(),
        adopted: node.adopted,
        builds: shown_builds(node.builds.as_ref(), config.template(node.template.as_str())),
        ..bare(
            &node.name,
            &node.template,
            &node.provider,
            node.phase,
            since(now, node.created),
        )
    }
}

fn of_intent(intent: &Intent, now: Timestamp) -> ServerRow {
    ServerRow {
        zone: intent.zone.clone(),
        server_id: intent.server_id.clone(),
        since: Some(intent.at),
        image: intent.image.clone(),
        ..bare(
            &intent.name,
            &intent.template,
            &intent.provider,
            Phase::Intent,
            since(now, intent.at),
        )
    }
}

/// Returns the row of a server of which nothing else is known.
fn bare(name: &str, node: &TemplateName, provider: &ProviderName, phase: Phase, age: SignedDuration) -> ServerRow {
    ServerRow {
        name: name.to_owned(),
        node: node.clone(),
        provider: provider.clone(),
        zone: None,
        server_id: None,
        phase,
        since: None,
        offline_by: None,
        offline_reason: None,
        executors: None,
        busy_executors: None,
        jobs: Vec::new(),
        why: None,
        age_seconds: age.as_secs(),
        idle_seconds: None,
        jenkins_node: None,
        address: None,
        floating_ip: None,
        image: None,
        outdated: false,
        adopted: false,
        builds: None,
    }
}
