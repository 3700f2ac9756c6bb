//! What an operator names to be removed now.
//!
//! It goes by the same safe order as everything else that goes; only the busy check can be lifted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::config::Config;
use crate::model::{Computer, Observed};
use crate::plan::action::{Plan, Removal};
use crate::plan::context::Context;
use crate::plan::fleet::agent::{Link, Unit};
use crate::plan::fleet::look::survey;
use crate::plan::fleet::{Survey, adopt};
use crate::plan::remove::removal::{removal, stray_removal};
use crate::plan::report::assemble;
use crate::plan::resources::upkeep::with_floating_ips;
use crate::plan::why::Why;
use crate::plan::words::shown;
use crate::state::State;

/// Plans the removal of what is named: by server, by our id, or by Jenkins node. What is refused stands in the
/// warnings. With `force` a busy node goes, too; one that a person took offline never does.
pub fn destroy(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    names: &[String],
    force: bool,
) -> Plan {
    let survey = survey(observed, config, state, context, &[]);
    let mut removals: Vec<Removal> = Vec::new();
    let mut warnings = Vec::new();
    for name in names {
        match remove(name, &survey, force) {
            Ok(removal) if removals.contains(&removal) => {}
            Ok(removal) => removals.push(removal),
            Err(reason) => warnings.push(format!("\"{}\" is not removed: {reason}", shown(name))),
        }
    }
    let mut asks = BTreeMap::new();
    with_floating_ips(&survey, &mut removals, &mut asks);
    let mut plan = assemble::empty(survey, 0);
    plan.asks = asks;
    keep_sightings(&mut plan.state, state);
    plan.removals = removals;
    plan.warnings.extend(warnings);
    plan
}

/// Keeps what counts passes as it was: an operator's command between two passes is none.
pub fn keep_sightings(after: &mut State, before: &State) {
    after.last_pass.clone_from(&before.last_pass);
    after.gaps.clone_from(&before.gaps);
    after.stray_nodes.clone_from(&before.stray_nodes);
    after.clashes.clone_from(&before.clashes);
    for (name, entry) in &mut after.leaving {
        entry.sightings = before.leaving.get(name).map_or(0, |entry| entry.sightings);
    }
    for (id, node) in &mut after.nodes {
        node.missing = before.nodes.get(id).and_then(|node| node.missing);
    }
}

fn remove(name: &str, survey: &Survey<'_>, force: bool) -> Result<Removal, String> {
    if survey.is_quieting() {
        return Err("Jenkins is quieting down".to_owned());
    }
    match meant(name, survey)? {
        Meant::Unit(unit) => remove_unit(unit, force),
        Meant::Stray(computer) => {
            refuse(computer, force)?;
            let mut removal = stray_removal(computer, survey, Why::Asked);
            lift(&mut removal, force);
            Ok(removal)
        }
    }
}

/// What an operator named.
pub enum Meant<'s, 'a> {
    /// A node of ours.
    Unit(&'s Unit<'a>),
    /// A Jenkins node of ours without a server.
    Stray(&'a Computer),
}

/// Finds what is named: by server, by our id, or by Jenkins node; says why not, if so.
pub fn meant<'s, 'a>(name: &str, survey: &'s Survey<'a>) -> Result<Meant<'s, 'a>, String> {
    let is_meant = |unit: &&Unit<'_>| {
        unit.name == name
            || unit.id.as_str() == name
            || unit.computer().is_some_and(|computer| computer.name.as_str() == name)
    };
    let meant: Vec<&Unit<'_>> = survey.units.iter().filter(is_meant).collect();
    if let [unit] = meant[..] {
        return Ok(Meant::Unit(unit));
    }
    if !meant.is_empty() {
        return Err("several servers bear this name".to_owned());
    }
    if let Some(stray) = survey.strays.iter().find(|stray| stray.computer.name.as_str() == name) {
        return Ok(Meant::Stray(stray.computer));
    }
    Err(unknown(name, survey))
}

fn remove_unit(unit: &Unit<'_>, force: bool) -> Result<Removal, String> {
    if !unit.readable {
        return Err(format!("provider {} cannot be read", unit.provider));
    }
    if let Link::Many(_) = unit.link {
        return Err("it is not clear which Jenkins node is its own".to_owned());
    }
    if let Some(computer) = unit.computer() {
        refuse(computer, force)?;
    }
    if let Some(hold) = unit.held.filter(|_| !force && unit.computer().is_none()) {
        let node = shown(hold.node().name.as_str());
        return Err(format!(
            "Jenkins node \"{node}\" works at its address and may be its agent (--force removes the server nevertheless)"
        ));
    }
    let mut removal = removal(unit, Why::Asked).ok_or("its server is not there yet; the next pass will see it")?;
    lift(&mut removal, force);
    Ok(removal)
}

fn refuse(computer: &Computer, force: bool) -> Result<(), String> {
    if computer.is_held_by_person() {
        Err("a person took its Jenkins node offline; bring it back online first".to_owned())
    } else if !force && !computer.is_idle() {
        Err("its Jenkins node is busy (--force removes it nevertheless)".to_owned())
    } else {
        Ok(())
    }
}

fn lift(removal: &mut Removal, force: bool) {
    if let Some(node) = &mut removal.node {
        node.even_if_busy = force;
    }
    if let Some(server) = &mut removal.server {
        server.look_first &= !force;
    }
}

fn unknown(name: &str, survey: &Survey<'_>) -> String {
    let foreign = survey
        .observed
        .clouds
        .values()
        .filter_map(|cloud| cloud.ok())
        .flat_map(|cloud| &cloud.servers);
    if let Some(server) = foreign.into_iter().find(|server| server.name == name) {
        let mut reason = format!("that server does not bear the mark of \"{}\"", survey.config.owner);
        if let Some(template) = adopt::would_take(server, survey.config) {
            let _ = write!(reason, "; with adopt: true in \"{template}\" it would be taken over");
        }
        return reason;
    }
    if survey
        .observed
        .jenkins
        .computers
        .iter()
        .any(|computer| computer.name.as_str() == name)
    {
        return "that Jenkins node is not ours".to_owned();
    }
    "there is no such node of ours".to_owned()
}
