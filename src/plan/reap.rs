//! What goes: what failed, what is lost, what bears our mark, and what stands idle and nobody needs.
//!
//! Where a node stands is decided in `phase`; taking it down in the right order is left to the pass.

use foldhash::HashSet;

use super::adopt;
use super::builds;
use super::clock::since;
use super::demand::Demand;
use super::eligible;
use super::grow::Growth;
use super::lasting;
use super::make_room;
use super::matching::Flow;
use super::phase::{self, Standing};
use super::refused;
use super::supply::{Link, Unit};
use super::survey::{Stray, Survey};
use super::take_down::{removal, stray_removal};
use super::words::{shown, span};
use super::{Drain, MARK_PREFIX, Removal, SPENT_PREFIX, Unmark, guard, hold};
use crate::config::Template;
use crate::model::Computer;
use crate::queue::Wish;
use crate::state::Sighting;

/// Things that are absent must be seen so in as many passes before they are acted on.
pub(super) const SIGHTINGS: u32 = 2;

/// What goes.
#[derive(Default)]
pub(super) struct Reaped {
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

/// A removal that is proposed.
struct Candidate {
    removal: Removal,
    /// Whether it is proposed because something is not there.
    absence: bool,
}

/// Decides what goes.
pub(super) fn reap(survey: &mut Survey<'_>, demand: &Demand<'_>, growth: &Growth<'_>) -> Reaped {
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
    let mut dead: Vec<Candidate> = survey
        .units
        .iter()
        .filter(|unit| !is_kept(unit, &named))
        .filter_map(|unit| dead(unit, survey))
        .collect();
    dead.extend(survey.strays.iter().filter_map(|stray| lost(stray, survey)));
    hold_back(&mut dead, survey, &mut reaped);
    reaped.notes.extend(lasting::nameless(survey.observed));
    // A locked server fails in each pass: those that may go must not wait behind it.
    dead.sort_by_key(|candidate| was_asked(candidate, survey));
    reaped.removals = dead.into_iter().map(|candidate| candidate.removal).collect();
    let most = usize::try_from(survey.config.limits.max_deletes_per_pass).unwrap_or(usize::MAX);
    let left = reaped.removals.len().saturating_sub(most);
    reaped.removals.truncate(most);
    let room = most - reaped.removals.len();
    let mut need = Need::default();
    let held = idle(survey, demand, room, &mut need, &mut reaped.removals);
    reaped.notes.extend(refused::removals(survey, &mut reaped.removals));
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
fn was_asked(candidate: &Candidate, survey: &Survey<'_>) -> bool {
    let server = candidate.removal.server.as_ref();
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
        let idle = unit.computer().is_some_and(phase::is_idle);
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
    let strays = strays.filter(|computer| phase::is_marked(computer) && !phase::is_idle(computer));
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
fn dead(unit: &Unit<'_>, survey: &Survey<'_>) -> Option<Candidate> {
    if !unit.readable || unit.twin || is_held(unit, survey) {
        return None;
    }
    let template = unit.template(survey.config);
    let timing = &survey.config.timing;
    let now = survey.context.now;
    let mut absence = false;
    let because = match &unit.standing {
        Standing::Failed(fault) if fault.is_empty() => "the cloud says ERROR".to_owned(),
        Standing::Failed(fault) => format!("the cloud says ERROR: {}", shown(fault)),
        Standing::TimedOut => {
            format!(
                "it did not join Jenkins within {} (boot_grace)",
                span(phase::boot_grace(template, timing))
            )
        }
        Standing::Drained { idle: true, .. } => {
            let said = unit.computer().map(|computer| shown(phase::text_of(computer)));
            format!("it was drained and is idle: {}", said.unwrap_or_default())
        }
        Standing::Marked { idle: true } => "an earlier pass marked it for removal".to_owned(),
        Standing::Monitored { idle_since: Some(idle) }
            if since(now, *idle) >= timing.offline_grace && !survey.restart =>
        {
            let reason = unit.computer().map(|c| shown(&c.offline_reason)).unwrap_or_default();
            format!(
                "a monitor of Jenkins took it offline, idle for {}: {reason}",
                span(since(now, *idle))
            )
        }
        Standing::Offline { since: then, .. } if since(now, *then) > timing.offline_grace => {
            absence = true;
            format!(
                "it joined and has been offline for {} (offline_grace)",
                span(since(now, *then))
            )
        }
        Standing::Leaving => "an earlier pass began to remove it".to_owned(),
        Standing::Deleting { again: true, .. } => "it was asked to go before and is still there".to_owned(),
        Standing::Orphan { seen } if is_lost(unit, *seen, survey) => {
            absence = true;
            format!("Jenkins does not know it, seen in {} passes", seen.passes)
        }
        _ => return None,
    };
    if matches!(unit.link, Link::Many(_)) || unit.computer().is_some_and(|computer| untouchable(computer).is_some()) {
        return None;
    }
    Some(Candidate {
        removal: removal(unit, because)?,
        absence,
    })
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

/// Says why a node may not be touched whatever it is.
pub(super) fn untouchable(computer: &Computer) -> Option<&'static str> {
    if !phase::is_idle(computer) {
        Some("its Jenkins node is busy")
    } else if phase::is_persons(computer) {
        Some("a person took its Jenkins node offline")
    } else {
        None
    }
}

/// Proposes a Jenkins node of ours that has no server.
fn lost(stray: &Stray<'_>, survey: &Survey<'_>) -> Option<Candidate> {
    let computer = stray.computer;
    if stray.seen.passes < SIGHTINGS || untouchable(computer).is_some() {
        return None;
    }
    let because = format!("no cloud has a server for it, seen in {} passes", stray.seen.passes);
    Some(Candidate {
        removal: stray_removal(computer, survey, because),
        absence: true,
    })
}

/// Holds back what goes because something is absent, when it is much.
fn hold_back(dead: &mut Vec<Candidate>, survey: &Survey<'_>, reaped: &mut Reaped) {
    let known = guard::known_nodes(survey);
    let counts = |candidate: &&Candidate| {
        let removal = &candidate.removal;
        let is_double =
            removal.server.is_none() && removal.node.as_ref().is_some_and(|node| known.contains(&node.name));
        candidate.absence && !is_double
    };
    let absent = dead.iter().filter(counts).count();
    let fleet = guard::fleet(survey);
    if survey.context.force || !guard::holds(absent, fleet) {
        return;
    }
    dead.retain(|candidate| !candidate.absence);
    reaped.warnings.push(guard::warning(absent, fleet));
}

/// A node that stands idle and may go if nobody needs it.
struct Idle<'u, 'a> {
    unit: &'u Unit<'a>,
    /// The group of its slots; `None` where its template is no longer configured.
    group: Option<usize>,
    slots: u32,
    since: jiff::Timestamp,
    outdated: bool,
    over_age: bool,
}

/// Who needs the slots that are idle now, once somebody asked: what was taken away for one removal is not there for the
/// next one.
#[derive(Default)]
pub(super) struct Need<'d>(Option<Flow<'d>>);

impl<'d> Need<'d> {
    /// Takes the slots of an idle node away if nobody needs them; says whether it did.
    pub(super) fn withdraw(
        &mut self,
        survey: &Survey<'_>,
        demand: &'d Demand<'_>,
        group: Option<usize>,
        slots: u32,
    ) -> bool {
        group.is_none_or(|group| {
            let flow = self.0.get_or_insert_with(|| need_of(survey, demand));
            flow.withdraw(group, slots)
        })
    }
}

/// Adds the idle nodes that nobody needs, outdated ones first, then the longest idle; returns how many are left over.
fn idle<'d>(
    survey: &Survey<'_>,
    demand: &'d Demand<'_>,
    room: usize,
    need: &mut Need<'d>,
    removals: &mut Vec<Removal>,
) -> usize {
    if survey.restart {
        return 0;
    }
    let mut found: Vec<Idle<'_, '_>> = survey
        .units
        .iter()
        .zip(demand.slots.of_units())
        .filter_map(|(unit, group)| ripe(unit, *group, survey))
        .collect();
    if found.is_empty() {
        return 0;
    }
    let named = named_nodes(survey, demand);
    found.retain(|idle| {
        idle.unit
            .computer()
            .is_some_and(|computer| !named.contains(computer.name.as_str()))
    });
    found.sort_by_key(|idle| (!idle.over_age, !idle.outdated, idle.since, idle.unit.name));
    let mut taken = 0;
    let mut left = 0;
    for idle in found {
        if taken == room && left > 0 {
            // How many more could go is not counted out: the matching would have to be asked for each.
            break;
        }
        let free = idle.over_age || need.withdraw(survey, demand, idle.group, idle.slots);
        if !free {
            continue;
        }
        if taken == room {
            left += 1;
        } else if let Some(removal) = removal(idle.unit, why_idle(&idle, survey)) {
            removals.push(removal);
            taken += 1;
        }
    }
    left
}

/// Returns a node that stood idle long enough, or is over its age and idle.
fn ripe<'u, 'a>(unit: &'u Unit<'a>, group: Option<usize>, survey: &Survey<'_>) -> Option<Idle<'u, 'a>> {
    let Standing::Up {
        idle_slots,
        idle_since: Some(since),
        over_age,
    } = unit.standing
    else {
        return None;
    };
    let long = super::clock::since(survey.context.now, since)
        >= phase::idle_grace(unit.template(survey.config), &survey.config.timing);
    let old = unit.age >= survey.config.timing.min_lifetime;
    let ripe = unit.readable && !unit.twin && (over_age || long && old);
    let outdated = unit.outdated(survey.config);
    ripe.then_some(Idle {
        unit,
        group,
        slots: idle_slots,
        since,
        outdated,
        over_age,
    })
}

fn why_idle(idle: &Idle<'_, '_>, survey: &Survey<'_>) -> String {
    let template = idle.unit.template(survey.config);
    if let Some(oldest) = template.and_then(|template: &Template| template.max_lifetime)
        && idle.unit.age > oldest
    {
        return format!(
            "it is idle and {} old, over {} (max_lifetime)",
            span(idle.unit.age),
            span(oldest)
        );
    }
    if let Some((seen, most)) = builds::spent(idle.unit, survey.config) {
        return builds::why_spent(seen, most);
    }
    let length = span(since(survey.context.now, idle.since));
    if idle.outdated {
        format!("it has been idle for {length}, its template was changed, and nobody needs it")
    } else {
        format!("it has been idle for {length} and nobody needs it")
    }
}

/// Matches everything that is wanted to the slots that are idle now. What is needed there is needed all the more when
/// servers that still boot are left out, so that no item loses an idle node for the promise of another.
fn need_of<'d>(survey: &Survey<'_>, demand: &'d Demand<'_>) -> Flow<'d> {
    let mut idle = vec![0_u32; demand.slots.len()];
    for (unit, group) in survey.units.iter().zip(demand.slots.of_units()) {
        if let (
            Some(group),
            Standing::Up {
                idle_slots,
                over_age: false,
                ..
            },
        ) = (*group, &unit.standing)
        {
            idle[group] = idle[group].saturating_add(*idle_slots);
        }
    }
    let mut flow = Flow::new(&demand.classes, idle);
    for item in &demand.items {
        if let Some(class) = demand.class_of[item.wish] {
            flow.place(class, |_| None);
        }
    }
    for pool in &demand.warm {
        for _ in 0..pool.slots {
            flow.place(pool.class, |_| None);
        }
    }
    flow
}

/// Returns the nodes of ours that queue items name themselves: jobs tied to a node, pipelines that resume on it. Those
/// that do not wait for an executor yet (blocked, in the quiet period) will.
pub(super) fn named_nodes<'a>(survey: &'a Survey<'_>, demand: &'a Demand<'_>) -> HashSet<&'a str> {
    let ours: HashSet<&str> = survey
        .units
        .iter()
        .filter_map(Unit::computer)
        .map(|c| c.name.as_str())
        .collect();
    let mut named = HashSet::default();
    let mut tied = vec![false; demand.wishes.len()];
    for (wish, tied) in demand.wishes.iter().zip(&mut tied) {
        match wish {
            Wish::Template(_) => *tied = true,
            Wish::Label(label) => {
                named.extend(eligible::atoms(label).into_iter().filter(|atom| ours.contains(atom)));
            }
            _ => {}
        }
    }
    let mut is_read = vec![false; demand.queue.len()];
    for item in &demand.items {
        is_read[item.place] = !tied[item.wish];
    }
    for (item, _) in demand.queue.iter().zip(is_read).filter(|(_, is_read)| !is_read) {
        let label = match &item.label {
            crate::model::TaskLabel::Expression(text) => text.as_str(),
            _ => "",
        };
        let words = item
            .why
            .as_deref()
            .unwrap_or_default()
            .split(|c: char| c.is_whitespace() || ";‘’'\"".contains(c));
        let atoms = label.split(|c: char| c.is_whitespace() || "&|!()<>\"'".contains(c));
        named.extend(words.chain(atoms).filter(|word| ours.contains(word)));
    }
    named
}
