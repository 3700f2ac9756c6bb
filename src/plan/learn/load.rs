//! Counts how many nodes each template is asked for, and remembers it, with the bursts.
//!
//! An item counts for the template that is its first choice, an executor at work for the template of its node. What nobody
//! saw is remembered as unknown: a break between passes, passes that could not read, and the minutes in which the agents
//! of a Jenkins that was started again come back.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::config::{Config, Template};
use crate::model::{Computer, TemplateName};
use crate::plan::clock::usual_gap;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::{Fleet, boots};
use crate::state::{Burst, Bursts, LoadCurve, LoadMemory, LoadStep, State};

/// Over how many seconds a spare is learned.
pub const HISTORY: i64 = 2 * 60 * 60;

/// Passes in less than so many seconds are one: a history of two hours is to fit into the memory.
const LEAST_GAP: i64 = 10;

/// Items of one burst come within so many seconds, or within two passes.
const TOGETHER: i64 = 60;

/// So many nodes more at once are a burst. Two come by chance wherever jobs are started by hand.
const LEAST_BURST: u32 = 3;

/// How long bursts are remembered: four that come once a week.
const BURSTS_KEPT: SignedDuration = SignedDuration::from_hours(29 * 24);

/// How long it takes at most until a boot that is asked for helps, where no boot is known.
const UNKNOWN_LEAD: i64 = 15 * 60;

/// Returns the seconds from the moment at which more is needed to the one at which a node that was asked for then has
/// joined: the median boot and the usual gap between passes.
pub fn lead(state: &State, template: &TemplateName) -> Option<i64> {
    let boot = boots::median(state, template)?.as_secs();
    Some(boot.saturating_add(usual_gap(state)?).max(1))
}

/// Remembers the load of the templates that learn from it.
pub fn note(fleet: &mut Fleet<'_>, demand: &Demand<'_>, before: &State) {
    let config = fleet.config;
    let learns = |template: &&Template| template.min_ready.is_auto() || template.min_ready.is_rhythmic();
    if !config.templates.iter().any(|template| learns(&template)) {
        fleet.state.loads = BTreeMap::new();
        return;
    }
    let look = Look {
        now: fleet.context.now.as_second(),
        gap: usual_gap(&fleet.state).unwrap_or(0),
        was_away: fleet.restart || before.blind.is_some(),
        is_settling: fleet.settling.is_some(),
    };
    let nodes = nodes_asked_for(fleet, demand, config);
    let mut loads = std::mem::take(&mut fleet.state.loads);
    let templates = config
        .templates
        .iter()
        .zip(nodes)
        .filter(|(template, _)| learns(template));
    fleet.state.loads = templates
        .map(|(template, nodes)| {
            let mut memory = loads.remove(&template.name).unwrap_or_default();
            let kept = HISTORY + lead(&fleet.state, &template.name).unwrap_or(UNKNOWN_LEAD);
            look.note(&mut memory, template, nodes, kept);
            (template.name.clone(), memory)
        })
        .collect();
}

/// Returns how many nodes each template is asked for: those that the executors at work and the waiting items fill.
fn nodes_asked_for(fleet: &Fleet<'_>, demand: &Demand<'_>, config: &Config) -> Vec<u32> {
    let mut executors = demand.first_choices(config.templates.len());
    for agent in &fleet.agents {
        if let (Some(index), Some(computer)) = (agent.template_index, agent.computer()) {
            executors[index] += u64::from(Computer::busy_executors(computer));
        }
    }
    let nodes = executors.iter().zip(&config.templates);
    nodes
        .map(|(executors, template)| {
            let nodes = executors.div_ceil(u64::from(template.executors.max(1)));
            u32::try_from(nodes).unwrap_or(u32::MAX)
        })
        .collect()
}

/// How a pass looks at the load.
struct Look {
    /// When, in seconds since 1970.
    now: i64,
    /// The usual gap between passes, in seconds.
    gap: i64,
    /// Whether nobody looked since the last pass that is remembered.
    was_away: bool,
    /// Whether the agents of Jenkins are still to come back.
    is_settling: bool,
}

impl Look {
    fn note(&self, memory: &mut LoadMemory, template: &Template, nodes: u32, kept: i64) {
        if memory.at > self.now {
            // The clock went back.
            *memory = LoadMemory::default();
        }
        // The same pass plans several times; and one right behind another sees nothing new.
        if self.now - memory.at < LEAST_GAP {
            return;
        }
        if self.was_away || self.is_settling {
            memory.curve.unknown_since(memory.at);
        }
        let known_before = memory.curve.steps().last().and_then(|step| step.nodes);
        memory.at = self.now;
        if !self.is_settling {
            let (at, nodes) = (self.now, Some(nodes));
            memory.curve.push(LoadStep { at, nodes });
        }
        if template.min_ready.is_rhythmic() {
            let rises = !self.is_settling && known_before.is_some_and(|before| before < nodes);
            if rises {
                self.note_rise(memory, nodes);
            }
            memory.bursts.forget_before(self.now - BURSTS_KEPT.as_secs());
        } else {
            memory.bursts = Bursts::default();
        }
        memory.curve.forget_before(self.now.saturating_sub(kept));
    }

    /// Notes a burst, or what came of one after the pass that saw it first.
    fn note_rise(&self, memory: &mut LoadMemory, nodes: u32) {
        let together = TOGETHER.max(2 * self.gap);
        let rise = |at: i64| nodes.saturating_sub(least_since(&memory.curve, at - together, nodes));
        let last = memory.bursts.list().last();
        match last.filter(|last| self.now - last.at <= together).copied() {
            Some(last) => {
                let grown = last.nodes.max(rise(last.at));
                if let Some(last) = memory.bursts.last_mut() {
                    last.nodes = grown;
                }
            }
            None if rise(self.now) >= LEAST_BURST => {
                let (at, nodes) = (self.now, rise(self.now));
                memory.bursts.push(Burst { at, nodes });
            }
            None => {}
        }
    }
}

/// Returns the fewest nodes that were asked for since a time, as far back as is known without a break.
fn least_since(curve: &LoadCurve, time: i64, now: u32) -> u32 {
    let mut least = now;
    for step in curve.steps().iter().rev() {
        let Some(nodes) = step.nodes else { break };
        least = least.min(nodes);
        if step.at <= time {
            break;
        }
    }
    least
}

/// Returns the most nodes that were asked for between two seconds; `None` where some of it is unknown.
pub fn most_between(curve: &LoadCurve, from: i64, until: i64) -> Option<u32> {
    let steps = curve.steps();
    let first = steps.partition_point(|step| step.at <= from).checked_sub(1)?;
    let end = steps.partition_point(|step| step.at <= until);
    let mut most = 0;
    for step in &steps[first..end.max(first)] {
        most = most.max(step.nodes?);
    }
    Some(most)
}
