//! Plans `drain` and `undrain`.
//!
//! A drained node takes no new work; `remove` takes it away once it is idle.

use crate::config::Config;
use crate::model::{Computer, DRAIN_PREFIX, MARK_PREFIX, Observed, TemplateName, split_server_name};
use crate::plan::action::{Drain, Plan, Unmark, drain_text};
use crate::plan::by_name::destroy::keep_sightings;
use crate::plan::by_name::targets::{LeftOut, Target, Targets, matches_nothing, meant};
use crate::plan::context::Context;
use crate::plan::fleet::agent::{Agent, Link};
use crate::plan::fleet::{Fleet, builds};
use crate::plan::memory::look_and_remember;
use crate::plan::report::assemble;
use crate::plan::why::LimitReached;
use crate::state::State;
use crate::text::shown;

/// Plans that what is named or selected takes no new work. What is refused to a name stands in the warnings; of a
/// selection, what cannot be drained is left out, and the notes say so.
pub fn drain(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    targets: &Targets,
    reason: Option<&str>,
) -> Plan {
    let fleet = look_and_remember(observed, config, state, context, &[]);
    let mark = drain_text(reason);
    let (drains, said) = each(targets, &fleet, &DRAIN, |target| drained(target, &mark));
    let plan = empty_with(fleet, state, said);
    Plan { drains, ..plan }
}

/// Plans that the marks of ours are taken off what is named or selected. What is refused to a name stands in the warnings;
/// of a selection, what has no mark of ours is passed over.
pub fn undrain(observed: &Observed, config: &Config, state: &State, context: &Context, targets: &Targets) -> Plan {
    let mut fleet = look_and_remember(observed, config, state, context, &[]);
    let (unmarks, said) = each(targets, &fleet, &UNDRAIN, |target| undrained(target, targets));
    remember(&mut fleet, &unmarks);
    let plan = empty_with(fleet, state, said);
    Plan { unmarks, ..plan }
}

/// Remembers which nodes are given back, so that no pass drains them again for a while.
fn remember(fleet: &mut Fleet<'_>, unmarks: &[Unmark]) {
    let given_back = |agent: &&Agent<'_>| {
        let node = agent.computer().map(|computer| &computer.name);
        unmarks.iter().any(|unmark| Some(&unmark.node) == node)
    };
    for agent in fleet.agents.iter().filter(given_back) {
        if let Some(memory) = fleet.state.nodes.get_mut(&agent.id) {
            memory.undrained = Some(fleet.context.now);
        }
    }
}

/// How a command speaks of what it does.
struct Verb {
    done: &'static str,
    /// Whether it is said of a selection what cannot be done.
    says_left_out: bool,
}

const DRAIN: Verb = Verb {
    done: "drained",
    says_left_out: true,
};
/// What has no mark of ours was never meant.
const UNDRAIN: Verb = Verb {
    done: "undrained",
    says_left_out: false,
};

/// What is to be done with a node.
enum Planned<T> {
    Todo(T),
    /// It is done, and the operator should know something of it.
    Note(T, String),
    /// Nothing, for this reason.
    Nothing(String),
    /// Nothing, and a selection did not mean it.
    NotMeant(String),
}

/// What is said beside what is done.
#[derive(Default)]
struct Said {
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// A node that an operator means, with the name that it was given.
struct Node<'a> {
    name: String,
    computer: &'a Computer,
    template: Option<TemplateName>,
    limit_reached: Option<LimitReached>,
}

/// Plans something for each node that is meant.
fn each<T: PartialEq>(
    targets: &Targets,
    fleet: &Fleet<'_>,
    verb: &Verb,
    plan: impl Fn(&Node<'_>) -> Result<Planned<T>, String>,
) -> (Vec<T>, Said) {
    let done = verb.done;
    let (mut todo, mut said, mut left_out) = (Vec::new(), Said::default(), LeftOut::default());
    let meant = meant(targets, fleet);
    said.notes.extend(matches_nothing(targets, &meant));
    if targets.is_selector() && !meant.is_empty() && fleet.is_quieting() {
        said.warnings
            .push(format!("Jenkins is quieting down: nothing is {done}"));
        return (todo, said);
    }
    for (name, target) in meant {
        let planned = target
            .and_then(|target| node(name.clone(), &target, fleet))
            .and_then(|node| plan(&node));
        let (next, note) = match planned {
            Ok(Planned::Todo(next)) => (Some(next), None),
            Ok(Planned::Note(next, note)) => (Some(next), Some(note)),
            Ok(Planned::Nothing(note)) => (None, Some(note)),
            Ok(Planned::NotMeant(note)) => (None, Some(note).filter(|_| !targets.is_selector())),
            Err(reason) if targets.is_selector() => {
                left_out.add(&name, reason);
                (None, None)
            }
            Err(reason) => {
                said.warnings
                    .push(format!("\"{}\" is not {done}: {reason}", shown(&name)));
                (None, None)
            }
        };
        said.notes.extend(note);
        todo.extend(next.filter(|next| !todo.contains(next)));
    }
    if verb.says_left_out {
        said.notes.extend(left_out.sentences(done));
    }
    (todo, said)
}

fn empty_with(fleet: Fleet<'_>, state: &State, said: Said) -> Plan {
    let mut plan = assemble::empty(fleet, 0);
    keep_sightings(&mut plan.state, state);
    plan.notes.extend(said.notes);
    plan.warnings.extend(said.warnings);
    plan
}

fn drained(node: &Node<'_>, mark: &str) -> Result<Planned<Drain>, String> {
    let computer = node.computer;
    if computer.is_held_by_person() {
        let said = shown(&computer.offline_reason);
        return Err(format!("a person took its Jenkins node offline: {said}"));
    }
    if computer.is_drained() {
        let (name, said) = (shown(&node.name), shown(computer.mark_text()));
        return Ok(Planned::NotMeant(format!("\"{name}\" is drained already: {said}")));
    }
    Ok(Planned::Todo(Drain {
        node: computer.name.clone(),
        template: node.template.clone(),
        mark: mark.to_owned(),
        by_monitor: computer.is_monitored(),
        because: "drain was asked for".to_owned(),
    }))
}

fn undrained(node: &Node<'_>, targets: &Targets) -> Result<Planned<Unmark>, String> {
    let computer = node.computer;
    let (name, said) = (shown(&node.name), shown(&computer.offline_reason));
    // Of a selection those are meant that have a mark of ours; nothing is said of the others.
    let refused = |reason: String| match targets {
        Targets::Selected(_) => Ok(Planned::NotMeant(reason)),
        Targets::Names(_) => Err(reason),
    };
    if computer.is_held_by_person() {
        return refused(format!("a person took its Jenkins node offline, not mita: {said}"));
    }
    if computer.is_monitored() {
        return refused(format!("a monitor of Jenkins took its node offline, not mita: {said}"));
    }
    let prefix = if computer.is_drained() {
        DRAIN_PREFIX
    } else if computer.is_marked_for_removal() {
        MARK_PREFIX
    } else {
        return Ok(Planned::NotMeant(format!("\"{name}\" is not drained")));
    };
    let unmark = Unmark {
        node: computer.name.clone(),
        template: node.template.clone(),
        prefix,
        by_hand: true,
        because: "undrain was asked for".to_owned(),
    };
    Ok(match (&node.limit_reached, targets) {
        (None, _) => Planned::Todo(unmark),
        (Some(limit), Targets::Names(_)) => Planned::Note(unmark, format!("\"{name}\" goes all the same: {limit}")),
        // It would get another build until the next pass takes it away again.
        (Some(limit), Targets::Selected(_)) => Planned::Nothing(format!("\"{name}\" stays drained: {limit}")),
    })
}

/// Returns the Jenkins node of what is meant.
fn node<'a>(name: String, target: &Target<'_, 'a>, fleet: &Fleet<'a>) -> Result<Node<'a>, String> {
    if fleet.is_quieting() {
        return Err("Jenkins is quieting down".to_owned());
    }
    let agent = match target {
        Target::Agent(agent) => agent,
        Target::OrphanNode(computer) => {
            return Ok(Node {
                name,
                template: split_server_name(computer.name.as_str()).map(|(template, _)| template),
                computer,
                limit_reached: None,
            });
        }
    };
    match agent.link {
        Link::One(computer) => Ok(Node {
            name,
            computer,
            template: Some(agent.template.clone()),
            limit_reached: builds::limit_reached(agent, fleet.config),
        }),
        Link::Many(_) => Err("it is not clear which Jenkins node is its own".to_owned()),
        Link::None => Err("it has no Jenkins node yet (`mita destroy` removes it)".to_owned()),
    }
}
