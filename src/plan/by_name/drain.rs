//! Plans `drain` and `undrain`.
//!
//! A drained node takes no new work; `remove` takes it away once it is idle.

use crate::config::Config;
use crate::model::{Computer, DRAIN_PREFIX, MARK_PREFIX, Observed, TemplateName, split_server_name};
use crate::plan::action::{Drain, Plan, Unmark, drain_text};
use crate::plan::by_name::destroy::{Target, keep_sightings, target};
use crate::plan::context::Context;
use crate::plan::fleet::agent::Link;
use crate::plan::fleet::{Fleet, builds};
use crate::plan::memory::look_and_remember;
use crate::plan::report::assemble;
use crate::state::State;
use crate::text::shown;

/// Plans that the named nodes take no new work: by server, by our id, or by Jenkins node. What is refused stands in the
/// warnings.
pub fn drain(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    names: &[String],
    reason: Option<&str>,
) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let mark = drain_text(reason);
    let (mut drains, mut notes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        match drained(name, &fleet, &mark) {
            Ok(Planned::Todo(drain)) if drains.contains(&drain) => {}
            Ok(Planned::Todo(drain)) => drains.push(drain),
            Ok(Planned::Nothing(note)) => notes.push(note),
            Err(reason) => warnings.push(format!("\"{}\" is not drained: {reason}", shown(name))),
        }
    }
    let plan = empty_with(fleet, state, notes, warnings);
    Plan { drains, ..plan }
}

/// Plans that the marks of ours are taken off the named nodes. What is refused stands in the warnings.
pub fn undrain(observed: &Observed, config: &Config, state: &State, context: &Context, names: &[String]) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let (mut unmarks, mut notes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        match undrained(name, &fleet, &mut notes) {
            Ok(Planned::Todo(unmark)) if unmarks.contains(&unmark) => {}
            Ok(Planned::Todo(unmark)) => unmarks.push(unmark),
            Ok(Planned::Nothing(note)) => notes.push(note),
            Err(reason) => warnings.push(format!("\"{}\" is not undrained: {reason}", shown(name))),
        }
    }
    let plan = empty_with(fleet, state, notes, warnings);
    Plan { unmarks, ..plan }
}

/// What is to be done with a name.
enum Planned<T> {
    Todo(T),
    /// Nothing, for this reason.
    Nothing(String),
}

fn empty_with(fleet: Fleet<'_>, state: &State, notes: Vec<String>, warnings: Vec<String>) -> Plan {
    let mut plan = assemble::empty(fleet, 0);
    keep_sightings(&mut plan.state, state);
    plan.notes.extend(notes);
    plan.warnings.extend(warnings);
    plan
}

fn drained(name: &str, fleet: &Fleet<'_>, mark: &str) -> Result<Planned<Drain>, String> {
    let (computer, template) = node(name, fleet)?;
    if computer.is_held_by_person() {
        let said = shown(&computer.offline_reason);
        return Err(format!("a person took its Jenkins node offline: {said}"));
    }
    if computer.is_drained() {
        let (name, said) = (shown(name), shown(computer.mark_text()));
        return Ok(Planned::Nothing(format!("\"{name}\" is drained already: {said}")));
    }
    Ok(Planned::Todo(Drain {
        node: computer.name.clone(),
        template,
        mark: mark.to_owned(),
        by_monitor: computer.is_monitored(),
        because: "drain was asked for".to_owned(),
    }))
}

fn undrained(name: &str, fleet: &Fleet<'_>, notes: &mut Vec<String>) -> Result<Planned<Unmark>, String> {
    let (computer, template) = node(name, fleet)?;
    let said = shown(&computer.offline_reason);
    if computer.is_held_by_person() {
        return Err(format!("a person took its Jenkins node offline, not mita: {said}"));
    }
    if computer.is_monitored() {
        return Err(format!("a monitor of Jenkins took its node offline, not mita: {said}"));
    }
    let prefix = if computer.is_drained() {
        DRAIN_PREFIX
    } else if computer.is_marked_for_removal() {
        MARK_PREFIX
    } else {
        return Ok(Planned::Nothing(format!("\"{}\" is not drained", shown(name))));
    };
    if let Ok(Target::Agent(agent)) = target(name, fleet)
        && let Some(limit_reached) = builds::limit_reached(agent, fleet.config)
    {
        notes.push(format!("\"{}\" goes all the same: {limit_reached}", shown(name)));
    }
    Ok(Planned::Todo(Unmark {
        node: computer.name.clone(),
        template,
        prefix,
        because: "undrain was asked for".to_owned(),
    }))
}

/// Finds the Jenkins node that a name means, with its template.
fn node<'a>(name: &str, fleet: &Fleet<'a>) -> Result<(&'a Computer, Option<TemplateName>), String> {
    if fleet.is_quieting() {
        return Err("Jenkins is quieting down".to_owned());
    }
    let agent = match target(name, fleet)? {
        Target::Agent(agent) => agent,
        Target::OrphanNode(computer) => {
            let template = split_server_name(computer.name.as_str()).map(|(template, _)| template);
            return Ok((computer, template));
        }
    };
    match agent.link {
        Link::One(computer) => Ok((computer, Some(agent.template.clone()))),
        Link::Many(_) => Err("it is not clear which Jenkins node is its own".to_owned()),
        Link::None => Err("it has no Jenkins node yet (`mita destroy` removes it)".to_owned()),
    }
}
