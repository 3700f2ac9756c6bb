//! What `status` shows of the fleet: a row for each server, and one for each template that adds up.
//!
//! It decides nothing.

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::{Computer, Server, TemplateName};
use crate::plan::clock::since;
use crate::plan::create::images;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::agent_state::boot_grace;
use crate::plan::fleet::{Fleet, boots, late};
use crate::plan::learn::ready::ready;
use crate::plan::remove::{billing, least};
use crate::plan::rows::{ServerRow, TemplateRow};
use crate::plan::why::LimitReached;
use crate::state::{BuildCount, Phase, State};
use crate::text::{plural, shown, span};

/// Returns one row for each server of ours.
pub fn servers(fleet: &Fleet<'_>) -> Vec<ServerRow> {
    fleet.agents.iter().map(|agent| server(agent, fleet)).collect()
}

fn server(agent: &Agent<'_>, fleet: &Fleet<'_>) -> ServerRow {
    let (config, now) = (fleet.config, fleet.context.now);
    let computer = agent.computer();
    let seen = agent.server;
    ServerRow {
        name: agent.name.to_owned(),
        node: agent.template.clone(),
        provider: agent.provider.clone(),
        zone: seen
            .and_then(|server| server.zone.clone())
            .or_else(|| agent.zone_asked(config).cloned()),
        server_id: agent.server_id().cloned(),
        phase: agent.state.phase(),
        since: agent.since(now),
        offline_by: agent.offline_by(),
        offline_reason: computer.and_then(Computer::offline_text),
        executors: computer.map(|computer| computer.executors),
        busy_executors: computer.map(Computer::busy_executors),
        jobs: computer.map_or_else(Vec::new, |computer| computer.jobs.clone()),
        why: why(agent, fleet).or_else(|| why_it_stays(agent, fleet)),
        age_seconds: agent.age.as_secs(),
        idle_seconds: idle_since(&agent.state).map(|then| since(now, then).as_secs()),
        jenkins_node: computer.map(|computer| computer.name.clone()),
        address: seen.and_then(Server::address).map(|address| address.to_string()),
        floating_ip: seen
            .and_then(|server| server.addresses.iter().find(|at| at.floating))
            .map(|at| at.ip.to_string()),
        image: seen.and_then(|server| server.image.clone()),
        outdated: agent.outdated(config),
        adopted: agent.adopted,
        builds: shown_builds(agent.builds.as_ref(), agent.template(config)),
    }
}

/// Returns how many builds a server had, where its template limits them: elsewhere the number is a guess.
pub fn shown_builds(builds: Option<&BuildCount>, template: Option<&Template>) -> Option<u32> {
    template?.max_builds?;
    builds.map(|builds| builds.seen)
}

fn idle_since(state: &AgentState) -> Option<Timestamp> {
    match state {
        AgentState::Up { idle_since, .. } | AgentState::Monitored { idle_since } => *idle_since,
        _ => None,
    }
}

/// Says what a phase alone does not say, and neither does the reason of a node that is offline.
fn why(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<String> {
    let config = fleet.config;
    match &agent.state {
        AgentState::Intent => Some("asked for, and not in the cloud's list yet".to_owned()),
        AgentState::Failed(fault) if fault.is_empty() => Some("the cloud says ERROR".to_owned()),
        AgentState::Failed(fault) => Some(shown(fault)),
        AgentState::Booting { late: true } => late::sentence(agent, &fleet.state),
        AgentState::TimedOut => {
            let grace = boot_grace(agent.template(config), &config.timing);
            let excuse = if boots::is_excused(agent, config, &fleet.state) {
                "; nothing is held back for that, since one that was asked for later has joined"
            } else {
                ""
            };
            Some(format!("did not join Jenkins within {}{excuse}", span(grace)))
        }
        AgentState::Up {
            limit_reached: Some(limit),
            ..
        } => Some(match limit {
            LimitReached::MaxLifetime { most, .. } => format!("older than {} (max_lifetime)", span(*most)),
            LimitReached::MaxBuilds { most, .. } => format!("had {} (max_builds)", plural(*most, "build")),
        }),
        AgentState::Offline { returns: true, .. } => Some("Jenkins has just started: to come back".to_owned()),
        AgentState::Removing => Some("removed from Jenkins, the server goes next".to_owned()),
        AgentState::Orphan { .. } => Some("Jenkins has no node for it".to_owned()),
        AgentState::Ambiguous { .. } => Some("several Jenkins nodes or servers fit it".to_owned()),
        AgentState::Unseen => Some("its cloud cannot be read".to_owned()),
        AgentState::Deleting { .. }
        | AgentState::Booting { late: false }
        | AgentState::Up { .. }
        | AgentState::Drained { .. }
        | AgentState::Marked { .. }
        | AgentState::Monitored { .. }
        | AgentState::Person
        | AgentState::Offline { .. } => None,
    }
}

/// Says of an idle node what decides when it goes, where that is not its own idle time alone.
fn why_it_stays(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<String> {
    let is_idle = agent.state.phase() == Phase::Idle;
    if let Some(paid) = billing::paid_period(agent, fleet).filter(|_| is_idle) {
        let (left, length) = (span(paid.left), span(paid.length));
        return Some(format!("paid for another {left} (billing_period {length})"));
    }
    let memory = fleet.state.surplus.get(&agent.template).filter(|_| is_idle)?;
    let (spare, length) = least::so_far(memory, fleet.context.now)?;
    let (nodes, length) = (plural(spare, "node"), span(length));
    Some(format!(
        "idle and not needed at every pass of the last {length}: {nodes} of {}",
        agent.template
    ))
}

/// Returns one row for each template, then one for each that has servers and is no longer configured.
pub fn templates(fleet: &Fleet<'_>) -> Vec<TemplateRow> {
    let mut rows = template_rows(fleet.config, &fleet.state, fleet.context.now);
    for agent in &fleet.agents {
        let row = match agent.template_index {
            Some(index) => &mut rows[index],
            None => row_of(&mut rows, &agent.template),
        };
        count(row, agent.state.phase());
    }
    rows
}

/// Returns the rows of the templates without any server.
pub fn template_rows(config: &Config, state: &State, now: Timestamp) -> Vec<TemplateRow> {
    let row = |template: &Template| {
        let ready = ready(template, state, now);
        TemplateRow {
            configured: true,
            max: template.max,
            min_ready: ready.configured,
            spare: ready.spare,
            rhythm: ready.rhythm,
            rollbacks: images::rollbacks(state, template),
            ..gone(&template.name)
        }
    };
    config.templates.iter().map(row).collect()
}

/// Returns the row of a template; one that is not configured gets one behind the others.
pub fn row_of<'r>(rows: &'r mut Vec<TemplateRow>, name: &TemplateName) -> &'r mut TemplateRow {
    let known = rows.iter().position(|row| row.node == *name);
    let at = known.unwrap_or_else(|| {
        rows.push(gone(name));
        rows.len() - 1
    });
    &mut rows[at]
}

/// Returns the row of a template that is no longer configured.
fn gone(name: &TemplateName) -> TemplateRow {
    TemplateRow {
        node: name.clone(),
        configured: false,
        servers: 0,
        booting: 0,
        idle: 0,
        busy: 0,
        off: 0,
        max: 0,
        min_ready: 0,
        spare: None,
        rhythm: None,
        rollbacks: Vec::new(),
    }
}

/// Counts a server into one of the four parts.
pub fn count(row: &mut TemplateRow, phase: Phase) {
    row.servers += 1;
    let part = match phase {
        Phase::Intent | Phase::Booting => &mut row.booting,
        Phase::Idle => &mut row.idle,
        Phase::Online | Phase::Busy => &mut row.busy,
        Phase::Draining | Phase::Offline | Phase::Error | Phase::Deleting | Phase::Orphan => &mut row.off,
    };
    *part += 1;
}
