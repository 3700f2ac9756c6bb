//! Problems of removing: what the guard holds back, what is dead and stays, what is not gone long after it should be.

use jiff::SignedDuration;

use crate::model::{Computer, ProblemKind, ProviderName, ServerStatus};
use crate::plan::clock::since;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::agent_state::GONE_AFTER;
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::problems::finding::{Evidence, Finding};
use crate::plan::problems::grounds::Grounds;
use crate::plan::refusals;
use crate::state::{FailingAction, ProblemMemory};
use crate::text::{shown, span};

/// A node that is drained for so long and still works is a problem.
const DRAINED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Finds what stays though it should go.
pub fn find(grounds: &Grounds<'_, '_>, evidence: &mut Evidence) {
    let fleet = grounds.fleet;
    if let Some((held, size)) = grounds.guard.filter(|(held, _)| *held > 0) {
        let sentence = "the guard holds removals back: so many nodes lost at once look like a half-read Jenkins or cloud; if \
                        they are really lost, run again with --force";
        let finding = Finding::new(ProblemKind::GuardHeld, "", sentence);
        evidence.add(finding.fact("removals", held).fact("nodes", size));
    }
    if let Some((lacks, user)) = refusals::of_removal(fleet) {
        evidence.add(removal_refused(lacks, user));
    }
    for finding in of_fleet(fleet) {
        evidence.add(finding);
    }
    for action in fleet.state.failing.values() {
        if since(fleet.context.now, action.since) >= GONE_AFTER {
            evidence.add(failing(action));
        }
    }
}

/// Says that the user may not remove nodes.
pub fn removal_refused(lacks: &str, user: &str) -> Finding {
    let sentence = format!(
        "Jenkins refuses to remove nodes: the user lacks {}; what is to go stays until it is granted",
        shown(lacks)
    );
    Finding::new(ProblemKind::RemovalRefused, shown(lacks), sentence).fact("user", shown(user))
}

/// Lists the agents and nodes that stay though they should go.
pub fn of_fleet(fleet: &Fleet<'_>) -> Vec<Finding> {
    let agents = fleet.agents.iter();
    let found = agents.flat_map(|agent| {
        [
            dead_server(agent),
            unjoined(agent, fleet),
            stuck_delete(agent, fleet),
            stuck_drain(agent, fleet),
        ]
    });
    let gone = fleet.orphans.iter().filter_map(|orphan| gone(orphan.computer));
    found.flatten().chain(gone).collect()
}

/// Says which dead server stays, and for which node.
fn dead_server(agent: &Agent<'_>) -> Option<Finding> {
    let status = match &agent.server?.status {
        ServerStatus::Error => "in ERROR",
        ServerStatus::Other(status) if status == "SHUTOFF" => "SHUTOFF",
        _ if matches!(agent.state, AgentState::Deleting { .. }) => "being deleted",
        _ => return None,
    };
    let (node, why) = agent.link.all().find_map(keeper)?;
    let server = shown(agent.name);
    let sentence = format!(
        "server \"{server}\" ({}) is {status} and stays: of its Jenkins node \"{node}\", {why}; abort its builds or give the \
         node back, then both are removed",
        agent.provider
    );
    Some(Finding::new(ProblemKind::DeadServer, server, sentence).at(agent.provider))
}

/// Says which node stays though its server is gone.
fn gone(computer: &Computer) -> Option<Finding> {
    let (node, why) = keeper(computer)?;
    let sentence = format!(
        "the server of Jenkins node \"{node}\" is gone, and the node stays: {why}; abort its builds or give the node back, \
         then it is removed"
    );
    Some(Finding::new(ProblemKind::DeadServer, node, sentence))
}

/// Says which server never joined in time and stays, since a person took its node offline.
fn unjoined(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Finding> {
    let template = agent.template(fleet.config);
    let late = agent.age > agent_state::boot_grace(template, &fleet.config.timing);
    let held = agent.joined.is_none() && agent.state == AgentState::Person && late;
    let node = agent.computer().filter(|_| held)?;
    let (server, node) = (shown(agent.name), shown(node.name.as_str()));
    let sentence = format!(
        "server \"{server}\" ({}) never joined and stays, since a person took its Jenkins node \"{node}\" offline; give the \
         node back, then both are removed",
        agent.provider
    );
    Some(Finding::new(ProblemKind::DeadServer, server, sentence).at(agent.provider))
}

/// Returns the name of a node that may not be touched, and why.
fn keeper(computer: &Computer) -> Option<(String, &'static str)> {
    let why = if computer.is_held_by_person() {
        "a person took it offline"
    } else if computer.offline && !computer.is_idle() {
        "it is offline and Jenkins still counts builds on it"
    } else if !computer.is_idle() {
        "Jenkins counts builds on it"
    } else {
        return None;
    };
    Some((shown(computer.name.as_str()), why))
}

/// Says which server is there long after it was asked to go.
fn stuck_delete(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Finding> {
    let server = agent.server?;
    let first = match agent.state {
        AgentState::Deleting { since, .. } => since,
        _ => agent.before.and_then(|before| before.deleting_since)?,
    };
    let is_long = since(fleet.context.now, first) > GONE_AFTER;
    is_long.then(|| {
        let name = shown(agent.name);
        let sentence = format!(
            "server \"{name}\" ({}) is still there more than {} after it began to go; each pass asks again; look at it with \
             the cloud's own tools (openstack server show, reset-state)",
            agent.provider,
            span(GONE_AFTER)
        );
        let finding = Finding::new(ProblemKind::DeleteStuck, name, sentence).at(agent.provider);
        finding.fact("server_id", server.id.as_str())
    })
}

/// Says which drained node still works after a day.
fn stuck_drain(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Finding> {
    let AgentState::Drained { idle: false, .. } = agent.state else {
        return None;
    };
    let since_when = agent.before.and_then(|before| before.draining_since)?;
    let node = shown(agent.computer()?.name.as_str());
    (since(fleet.context.now, since_when) >= DRAINED_FOR).then(|| {
        let sentence = format!(
            "Jenkins node \"{node}\" is drained for a day and still works: abort its builds, or give it back by `mita undrain`"
        );
        Finding::new(ProblemKind::RefreshStuck, node, sentence).at(agent.provider)
    })
}

/// Says what fails in each pass.
fn failing(action: &FailingAction) -> Finding {
    let (name, word) = (shown(&action.name), &action.action);
    let at = action
        .provider
        .as_ref()
        .map_or_else(String::new, |provider| format!(" at {provider}"));
    let sentence = format!(
        "{word} of \"{name}\"{at} fails in each pass for more than {}",
        span(GONE_AFTER)
    );
    let kind = if action.makes {
        ProblemKind::CreateFailing
    } else {
        ProblemKind::DeleteStuck
    };
    let finding = Finding {
        provider: action.provider.clone(),
        ..Finding::new(kind, name, sentence)
    };
    finding.fact("reason", shown(&action.error))
}

/// Whether what was to go is gone: no list shows it, and nothing is asked for it in vain.
pub fn is_gone(problem: &ProblemMemory, fleet: &Fleet<'_>) -> bool {
    let fails = fleet
        .state
        .failing
        .values()
        .any(|action| shown(&action.name) == problem.subject);
    let is_read = |provider: &ProviderName| {
        fleet
            .observed
            .clouds
            .get(provider)
            .is_some_and(|cloud| cloud.ok().is_some())
    };
    let is_seen = problem.provider.as_ref().is_none_or(is_read);
    let is_there = fleet
        .agents
        .iter()
        .any(|agent| shown(agent.name) == problem.subject && agent.server.is_some());
    is_seen && !fails && !is_there
}
