//! What goes: what failed, what is lost, what bears our mark, and what stands idle and nobody needs.
//!
//! Where a node stands is decided in `phase`; taking it down in the right order is left to the pass.

use foldhash::HashSet;

use crate::model::Computer;
use crate::model::{MARK_PREFIX, SPENT_PREFIX};
use crate::plan::action::{Drain, Removal, Unmark};
use crate::plan::clock::{SIGHTINGS, since};
use crate::plan::create::grow::Growth;
use crate::plan::demand::items::Demand;
use crate::plan::demand::need::{Need, named_nodes};
use crate::plan::fleet::agent::{Link, Standing, Unit};
use crate::plan::fleet::{Stray, Survey, adopt, agent_state, builds, hold};
use crate::plan::refusals;
use crate::plan::remove::removal::{removal, stray_removal, untouchable};
use crate::plan::remove::{guard, idle, make_room};
use crate::plan::report::persistent;
use crate::plan::why::Why;
use crate::plan::words::shown;
use crate::state::Sighting;

/// What goes.
#[derive(Default)]
pub struct Reaped {
    /// Marks to be taken off.
    pub unmarks: Vec<Unmark>,
    /// Nodes that had all their builds but for those that run.
    pub drains: Vec<Drain>,
    /// Removals, in order.
    pub removals: Vec<Removal>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// What the guard held back.
    pub warnings: Vec<String>,
}

/// Decides what goes.
pub fn reap(survey: &mut Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Reaped {
    let mut reaped = Reaped::default();
    if !survey.context.remove || survey.is_quieting() {
        return reaped;
    }
    let asks = |unit: &Unit<'_>| is_drained_idle(unit) || builds::is_spent(unit, survey.config);
    let named = if survey.units.iter().any(asks) {
        named_nodes(survey, demand)
    } else {
        HashSet::default()
    };
    unmark(survey, &named, &mut reaped);
    if let Some(settling) = &survey.settling {
        reaped.notes.push(settling.clone());
        return reaped;
    }
    let kept: Vec<&Unit<'_>> = survey.units.iter().filter(|unit| is_kept(unit, &named)).collect();
    reaped.notes.extend(kept.iter().filter_map(|unit| why_kept(unit)));
    let mut dead: Vec<Removal> = survey
        .units
        .iter()
        .filter(|unit| !is_kept(unit, &named))
        .filter_map(|unit| dead(unit, survey))
        .collect();
    dead.extend(survey.strays.iter().filter_map(|stray| lost(stray, survey)));
    hold_back(&mut dead, survey, &mut reaped);
    reaped.notes.extend(persistent::nameless(survey.observed));
    // A locked server fails in each pass: those that may go must not wait behind it.
    dead.sort_by_key(|removal| was_asked(removal, survey));
    reaped.removals = dead;
    let most = usize::try_from(survey.config.limits.max_deletes_per_pass).unwrap_or(usize::MAX);
    let left = reaped.removals.len().saturating_sub(most);
    reaped.removals.truncate(most);
    let room = most - reaped.removals.len();
    let mut need = Need::default();
    let held = idle::idle(survey, demand, room, &mut need, &mut reaped.removals);
    reaped.notes.extend(refusals::removals(survey, &mut reaped.removals));
    let going = make_room::going(survey, growth, &reaped.removals);
    let room = most.saturating_sub(reaped.removals.len());
    let made = make_room::make_room(survey, demand, growth, &mut need, &going);
    let held = held + made.len().saturating_sub(room);
    reaped.removals.extend(made.into_iter().take(room));
    drain_spent(survey, &named, &mut reaped);
    survey.state.going = going;
    if left + held > 0 {
        let left = left + held;
        reaped.notes.push(format!(
            "{left} more to remove: {most} are the most for one pass, the rest goes in the next"
        ));
    }
    reaped
}

/// Whether the cloud was asked to delete the server before, and refused or did not do it.
fn was_asked(removal: &Removal, survey: &Survey<'_>) -> bool {
    let server = removal.server.as_ref();
    let memory = server.and_then(|server| survey.state.nodes.get(&server.node_id));
    memory.is_some_and(|memory| memory.delete_failed || memory.deleted)
}

fn is_drained_idle(unit: &Unit<'_>) -> bool {
    matches!(unit.standing, Standing::Drained { idle: true, .. })
}

/// Whether a drained node is idle and stays all the same, since an item of the queue waits for it by its name: a pipeline
/// that goes on there after Jenkins was started again has not ended.
fn is_kept(unit: &Unit<'_>, named: &HashSet<&str>) -> bool {
    is_drained_idle(unit) && is_named(unit, named)
}

fn is_named(unit: &Unit<'_>, named: &HashSet<&str>) -> bool {
    unit.computer()
        .is_some_and(|computer| named.contains(computer.name.as_str()))
}

/// Says that a node stays which an operator drained.
fn why_kept(unit: &Unit<'_>) -> Option<String> {
    let Standing::Drained { spent: false, .. } = unit.standing else {
        return None;
    };
    let name = shown(unit.computer()?.name.as_str());
    Some(format!(
        "Jenkins node \"{name}\" is drained and idle, and stays, since the queue waits for it by its name: `mita undrain` \
         lets it go on, `mita destroy` removes it"
    ))
}

/// Keeps further builds from the nodes that had all of theirs: those that work, and those that are idle and cannot be
/// removed in this pass.
fn drain_spent(survey: &Survey<'_>, named: &HashSet<&str>, reaped: &mut Reaped) {
    let goes = |drain: &Drain| {
        let mut nodes = reaped.removals.iter().filter_map(|removal| removal.node.as_ref());
        nodes.any(|node| node.name == drain.node)
    };
    let spent = survey.units.iter().filter(|unit| {
        let idle = unit.computer().is_some_and(Computer::is_idle);
        !idle || !is_named(unit, named)
    });
    reaped.drains = spent
        .filter_map(|unit| builds::drain(unit, survey))
        .filter(|drain| !goes(drain))
        .collect();
}

/// Takes our mark off nodes that turned busy, and off those that had all their builds and are to go on with one of them.
fn unmark(survey: &Survey<'_>, named: &HashSet<&str>, reaped: &mut Reaped) {
    let marked = survey
        .units
        .iter()
        .filter(|unit| unit.standing == Standing::Marked { idle: false });
    let nodes = marked.filter_map(|unit| Some((unit.computer()?, Some(unit.template.clone()))));
    let strays = survey.strays.iter().map(|stray| stray.computer);
    let strays = strays.filter(|computer| computer.is_marked() && !computer.is_idle());
    for (computer, template) in nodes.chain(strays.map(|computer| (computer, None))) {
        let because = "it bears our mark and works again".to_owned();
        reaped.unmarks.push(Unmark {
            node: computer.name.clone(),
            template,
            prefix: MARK_PREFIX,
            because,
        });
    }
    for unit in survey.units.iter().filter(|unit| is_drained_idle(unit)) {
        let Some(computer) = unit.computer().filter(|_| is_named(unit, named)) else {
            continue;
        };
        if unit.standing
            == (Standing::Drained {
                idle: true,
                spent: true,
            })
        {
            reaped.unmarks.push(Unmark {
                node: computer.name.clone(),
                template: Some(unit.template.clone()),
                prefix: SPENT_PREFIX,
                because: "the queue waits for it by its name".to_owned(),
            });
        }
    }
}

/// Proposes what failed, is lost, or was begun to be removed.
fn dead(unit: &Unit<'_>, survey: &Survey<'_>) -> Option<Removal> {
    if !unit.readable || unit.twin || is_held(unit, survey) {
        return None;
    }
    let template = unit.template(survey.config);
    let timing = &survey.config.timing;
    let now = survey.context.now;
    let why = match &unit.standing {
        Standing::Failed(fault) => Why::Failed(fault.clone()),
        Standing::TimedOut => Why::TimedOut(agent_state::boot_grace(template, timing)),
        Standing::Drained { idle: true, .. } => {
            let reason = unit.computer().map(Computer::mark_text);
            Why::Drained(reason.unwrap_or_default().to_owned())
        }
        Standing::Marked { idle: true } => Why::Marked,
        Standing::Monitored { idle_since: Some(then) } => {
            let idle = since(now, *then);
            if idle < timing.offline_grace || survey.restart {
                return None;
            }
            let reason = unit.computer().map(|computer| computer.offline_reason.clone());
            Why::Monitored {
                idle,
                reason: reason.unwrap_or_default(),
            }
        }
        Standing::Offline { since: then, .. } if since(now, *then) > timing.offline_grace => {
            Why::Offline(since(now, *then))
        }
        Standing::Leaving => Why::Begun,
        Standing::Deleting { again: true, .. } => Why::StillThere,
        Standing::Orphan { seen } if is_lost(unit, *seen, survey) => Why::UnknownToJenkins { passes: seen.passes },
        _ => return None,
    };
    if matches!(unit.link, Link::Many(_)) || unit.computer().is_some_and(|computer| untouchable(computer).is_some()) {
        return None;
    }
    removal(unit, why)
}

/// Whether a server that looks absent from Jenkins is kept: a node may be its agent, or its name cannot be read, or the
/// server may be another program's.
fn is_held(unit: &Unit<'_>, survey: &Survey<'_>) -> bool {
    let nameless = survey.observed.jenkins.nameless > 0;
    hold::holds(unit) || hold::is_absent(unit) && (nameless || adopt::may_be_anothers(unit, survey.config))
}

/// Whether Jenkins does not know a server for long enough. Agents come back: some plugins delete a node as soon as its
/// connection breaks.
fn is_lost(unit: &Unit<'_>, seen: Sighting, survey: &Survey<'_>) -> bool {
    let grace = survey.config.timing.offline_grace;
    seen.passes >= SIGHTINGS && (unit.joined.is_none() || since(survey.context.now, seen.first) >= grace)
}

/// Proposes a Jenkins node of ours that has no server.
fn lost(stray: &Stray<'_>, survey: &Survey<'_>) -> Option<Removal> {
    let computer = stray.computer;
    if stray.seen.passes < SIGHTINGS || untouchable(computer).is_some() {
        return None;
    }
    let passes = stray.seen.passes;
    Some(stray_removal(computer, survey, Why::WithoutServer { passes }))
}

/// Holds back what goes because something is absent, when it is much.
fn hold_back(dead: &mut Vec<Removal>, survey: &Survey<'_>, reaped: &mut Reaped) {
    let known = guard::known_nodes(survey);
    let counts = |removal: &&Removal| {
        let is_double =
            removal.server.is_none() && removal.node.as_ref().is_some_and(|node| known.contains(&node.name));
        removal.why.is_absence() && !is_double
    };
    let absent = dead.iter().filter(counts).count();
    let fleet = guard::fleet(survey);
    if survey.context.force || !guard::holds(absent, fleet) {
        return;
    }
    dead.retain(|removal| !removal.why.is_absence());
    reaped.warnings.push(guard::warning(absent, fleet));
}
