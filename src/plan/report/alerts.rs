//! What an operator must hear of at once, since nothing ends it but a person: dead servers whose node holds them, and
//! deletes that the cloud does not carry out.
//!
//! How often it is said is left to `lasting`; each sentence is the same from pass to pass.

use crate::model::{Computer, ServerStatus};
use crate::plan::clock::since;
use crate::plan::fleet::agent::{Standing, Unit};
use crate::plan::fleet::agent_state::GONE_AFTER;
use crate::plan::fleet::{Survey, agent_state};
use crate::plan::words::{shown, span};

/// Lists what must be said.
pub fn alerts(survey: &Survey<'_>) -> Vec<String> {
    let dead = survey.units.iter().filter_map(dead_server);
    let gone = survey.strays.iter().filter_map(|stray| {
        let (node, why) = keeper(stray.computer)?;
        Some(format!(
            "the server of Jenkins node \"{node}\" is gone, and the node stays: {why}; abort its builds or give the node \
             back, then it is removed"
        ))
    });
    let unjoined = survey.units.iter().filter_map(|unit| unjoined(unit, survey));
    let stuck = survey.units.iter().filter_map(|unit| stuck_delete(unit, survey));
    dead.chain(gone).chain(unjoined).chain(stuck).collect()
}

/// Says which dead server stays, and for which node.
fn dead_server(unit: &Unit<'_>) -> Option<String> {
    let status = match &unit.server?.status {
        ServerStatus::Error => "in ERROR",
        ServerStatus::Other(status) if status == "SHUTOFF" => "SHUTOFF",
        _ if matches!(unit.standing, Standing::Deleting { .. }) => "being deleted",
        _ => return None,
    };
    let (node, why) = unit.link.all().find_map(keeper)?;
    let server = shown(unit.name);
    Some(format!(
        "server \"{server}\" ({}) is {status} and stays: of its Jenkins node \"{node}\", {why}; abort its builds or give \
         the node back, then both are removed",
        unit.provider
    ))
}

/// Says which server never joined in time and stays, since a person took its node offline.
fn unjoined(unit: &Unit<'_>, survey: &Survey<'_>) -> Option<String> {
    let template = unit.template(survey.config);
    let late = unit.age > agent_state::boot_grace(template, &survey.config.timing);
    let held = unit.joined.is_none() && unit.standing == Standing::Person && late;
    let node = unit.computer().filter(|_| held)?;
    let (server, node) = (shown(unit.name), shown(node.name.as_str()));
    Some(format!(
        "server \"{server}\" ({}) never joined and stays, since a person took its Jenkins node \"{node}\" offline; give the node \
         back, then both are removed",
        unit.provider
    ))
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
fn stuck_delete(unit: &Unit<'_>, survey: &Survey<'_>) -> Option<String> {
    let server = unit.server?;
    let first = match unit.standing {
        Standing::Deleting { since, .. } => since,
        _ => unit.before.and_then(|before| before.deleting_since)?,
    };
    let long = since(survey.context.now, first) > GONE_AFTER;
    let name = shown(unit.name);
    long.then(|| {
        format!(
            "server \"{name}\" ({}, {}) is still there more than {} after it began to go; each pass asks again; look \
             at it with the cloud's own tools (openstack server show, reset-state)",
            unit.provider,
            server.id,
            span(GONE_AFTER)
        )
    })
}
