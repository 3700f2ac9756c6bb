//! Counts how many nodes each template is asked for, and remembers it, with the bursts.
//!
//! An item counts for the template that is its first choice, an executor at work for the template of its node. What nobody
//! saw is remembered as unknown: a break between passes, passes that could not read, and the minutes in which the agents
//! of a Jenkins that was started again come back.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::config::{Config, Template};
use crate::plan::clock::usual_gap;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::learn::lead::{HISTORY, lead};
use crate::state::{Burst, LoadCurve, LoadMemory, LoadStep, State};

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
            look.note(&mut memory, nodes, kept);
            (template.name.clone(), memory)
        })
        .collect();
}

/// Returns how many nodes each template is asked for: those that the executors at work and the waiting items fill.
fn nodes_asked_for(fleet: &Fleet<'_>, demand: &Demand<'_>, config: &Config) -> Vec<u32> {
    let mut executors = demand.first_choices(config.templates.len());
    for agent in &fleet.agents {
        if let (Some(index), Some(computer)) = (agent.template_index, agent.computer()) {
            executors[index] += u64::from(computer.busy_executors());
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
pub struct Look {
    /// When, in seconds since 1970.
    pub now: i64,
    /// The usual gap between passes, in seconds.
    pub gap: i64,
    /// Whether nobody looked since the last pass that is remembered.
    pub was_away: bool,
    /// Whether the agents of Jenkins are still to come back.
    pub is_settling: bool,
}

impl Look {
    /// Remembers how many nodes a template is asked for; its load is kept for so many seconds.
    pub fn note(&self, memory: &mut LoadMemory, nodes: u32, kept: i64) {
        if memory.at > self.now {
            // The clock went back.
            *memory = LoadMemory::default();
        }
        // The same pass plans several times; and one right behind another sees nothing new.
        if self.now.saturating_sub(memory.at) < LEAST_GAP {
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
        let rises = known_before.is_some_and(|before| before < nodes);
        if rises && !self.is_settling {
            self.note_rise(memory, nodes);
        }
        memory.bursts.forget_before(self.now - BURSTS_KEPT.as_secs());
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

#[cfg(test)]
mod tests {
    use super::*;
    const START: i64 = 1_800_000_000;

    /// A pass a minute, each with so many nodes; `None`: nobody looks, and the next pass knows it.
    fn watched(nodes: &[Option<u32>]) -> LoadMemory {
        let mut memory = LoadMemory::default();
        let mut was_away = false;
        for (pass, nodes) in nodes.iter().enumerate() {
            let now = START + 60 * i64::try_from(pass).unwrap();
            if let Some(nodes) = nodes {
                let look = Look {
                    now,
                    gap: 60,
                    was_away,
                    is_settling: false,
                };
                look.note(&mut memory, *nodes, HISTORY);
            }
            was_away = nodes.is_none();
        }
        memory
    }

    fn bursts(nodes: &[Option<u32>]) -> Vec<(i64, u32)> {
        let memory = watched(nodes);
        memory
            .bursts
            .list()
            .iter()
            .map(|burst| ((burst.at - START) / 60, burst.nodes))
            .collect()
    }

    #[test]
    fn a_burst_is_a_rise_by_three_within_two_passes() {
        assert_eq!(bursts(&[Some(1), Some(3), Some(3)]), []);
        assert_eq!(bursts(&[Some(1), Some(4), Some(4), Some(2)]), [(1, 3)]);
        assert_eq!(bursts(&[Some(1), Some(2), Some(4), Some(4)]), [(2, 3)]);
        assert_eq!(
            bursts(&[Some(1), Some(1), Some(21), Some(41), Some(40), Some(39)]),
            [(2, 40)],
            "one burst"
        );
        assert_eq!(
            bursts(&[Some(0), Some(1), Some(1), Some(2), Some(2), Some(3), Some(3)]),
            [],
            "it grows slowly"
        );
        assert_eq!(bursts(&[Some(0), Some(5), Some(0), Some(0), Some(5)]), [(1, 5), (4, 5)]);
    }

    #[test]
    fn what_nobody_saw_is_no_burst() {
        assert_eq!(bursts(&[Some(40)]), []);
        assert_eq!(bursts(&[Some(0), None, Some(40)]), []);
        let memory = watched(&[Some(2), Some(2), None, None, Some(5), Some(5)]);
        let steps: Vec<(i64, Option<u32>)> = memory
            .curve
            .steps()
            .iter()
            .map(|step| (step.at - START, step.nodes))
            .collect();
        assert_eq!(steps, [(0, Some(2)), (60, None), (240, Some(5))]);
    }

    #[test]
    fn a_pass_that_plans_twice_looks_once() {
        let mut memory = watched(&[Some(1), Some(1), Some(5)]);
        let before = memory.clone();
        for later in 0..LEAST_GAP {
            let look = Look {
                now: START + 120 + later,
                gap: 60,
                was_away: false,
                is_settling: false,
            };
            look.note(&mut memory, 9, HISTORY);
        }
        assert_eq!(memory, before);
    }

    #[test]
    fn while_agents_come_back_the_load_is_unknown() {
        let mut memory = watched(&[Some(8), Some(8)]);
        for (later, nodes, is_settling) in [(120, 0, true), (180, 3, true), (240, 8, false)] {
            let look = Look {
                now: START + later,
                gap: 60,
                was_away: false,
                is_settling,
            };
            look.note(&mut memory, nodes, HISTORY);
        }
        let steps: Vec<Option<u32>> = memory.curve.steps().iter().map(|step| step.nodes).collect();
        assert_eq!(steps, [Some(8), None, Some(8)]);
        assert!(memory.bursts.is_empty());
    }

    #[test]
    fn a_clock_that_went_back_begins_anew() {
        let mut memory = watched(&[Some(1), Some(9), Some(9)]);
        let look = Look {
            now: START - 60,
            gap: 60,
            was_away: true,
            is_settling: false,
        };
        look.note(&mut memory, 2, HISTORY);
        assert_eq!((memory.curve.steps().len(), memory.bursts.is_empty()), (1, true));
    }

    #[test]
    fn a_memory_of_no_time_does_no_harm() {
        let mut memory = watched(&[Some(1), Some(9), Some(9)]);
        memory.at = i64::MIN;
        let look = Look {
            now: START + 180,
            gap: 60,
            was_away: true,
            is_settling: false,
        };
        look.note(&mut memory, 2, HISTORY);
        assert_eq!((memory.at, memory.curve.steps().len()), (START + 180, 1));
    }

    #[test]
    fn the_most_of_a_time_is_known_if_all_of_it_is() {
        let memory = watched(&[Some(1), Some(7), Some(2), None, Some(3), Some(4)]);
        let most = |from: i64, until: i64| memory.curve.most_between(START + from, START + until);
        assert_eq!(most(0, 59), Some(1));
        assert_eq!(most(30, 60), Some(7));
        assert_eq!((most(-1, 60), most(60, 200), most(240, 900)), (None, None, Some(4)));
    }
}
