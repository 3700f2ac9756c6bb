//! Removes idle nodes that were too many at every pass of the last `idle_grace`.
//!
//! Jenkins spreads work: under a light load each node gets a job now and then, and none is ever idle for `idle_grace`. How
//! many were idle in each pass and not needed says how many are too many, whichever they were.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};
use jiff::{SignedDuration, Timestamp};

use crate::model::{Computer, NodeId, TemplateName};
use crate::plan::action::Removal;
use crate::plan::clock::since;
use crate::plan::demand::need::Need;
use crate::plan::demand::slots::SlotGroups;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, agent_state};
use crate::plan::remove::least::{self, Count};
use crate::plan::remove::removal::removal;
use crate::plan::why::Why;
use crate::state::{Phase, SurplusMemory};

/// What a pass counted, and the nodes that may go.
#[derive(Default)]
pub struct Surplus<'u, 'a> {
    /// The counts of the last passes, by template.
    memory: BTreeMap<TemplateName, SurplusMemory>,
    /// How many nodes may go, by template.
    may_go: BTreeMap<&'u TemplateName, u32>,
    /// The idle nodes of these templates, the longest idle first.
    idle: Vec<Idle<'u, 'a>>,
}

/// A node that is idle and may go if nobody needs it.
struct Idle<'u, 'a> {
    agent: &'u Agent<'a>,
    /// The group of its slots; `None` where its template is no longer configured.
    group: Option<usize>,
    slots: u32,
    since: Timestamp,
}

/// The nodes of a template.
#[derive(Default)]
struct Nodes<'u, 'a> {
    /// How many take work, or end what they took.
    up: u32,
    /// How many of these did not in the last pass.
    joined: u32,
    /// Whether one is at a cloud that could not be read, or is not known to be there.
    unknown: bool,
    idle: Vec<Idle<'u, 'a>>,
    /// Labels that nodes have and their template does not promise, with how many have them.
    extra: HashMap<&'u str, u32>,
}

impl<'u, 'a> Surplus<'u, 'a> {
    /// Counts the idle nodes to spare, before any is removed. It starts anew where idle times do, and where not all of a
    /// template could be seen.
    pub fn count(fleet: &'u Fleet<'a>, slots: &SlotGroups, need: &mut Need<'_>) -> Self {
        let mut surplus = Self::default();
        if !fleet.config.rules.surplus || fleet.restart || fleet.settling.is_some() {
            return surplus;
        }
        for (template, mut nodes) in nodes_by_template(fleet, slots) {
            nodes.keep_like(need);
            if !nodes.unknown && !nodes.idle.is_empty() {
                surplus.add(template, nodes, fleet, need);
            }
        }
        surplus.idle.sort_by_key(|idle| (idle.since, idle.agent.name));
        surplus
    }

    fn add(&mut self, template: &'u TemplateName, nodes: Nodes<'u, 'a>, fleet: &Fleet<'_>, need: &mut Need<'_>) {
        let idle: Vec<_> = nodes.idle.iter().map(|idle| (idle.group, idle.slots)).collect();
        let spare = u32::try_from(need.count_spare(&idle)).unwrap_or(u32::MAX);
        if spare == 0 {
            // Counting on would find nothing until this pass is forgotten.
            return;
        }
        let count = Count {
            at: fleet.context.now,
            spare,
            nodes: nodes.up,
            joined: nodes.joined,
        };
        let grace = grace_of(nodes.idle[0].agent, fleet);
        let memory = least::add(fleet.state.surplus.get(template).cloned(), count, grace);
        let may_go = least::least(&memory, count.at, grace);
        self.memory.insert(template.clone(), memory);
        if may_go > 0 {
            self.may_go.insert(template, may_go);
            self.idle.extend(nodes.idle);
        }
    }

    /// Returns the nodes that were too many and that nobody needs, the longest idle first, beside those that go already.
    pub fn removals(&self, fleet: &Fleet<'_>, need: &mut Need<'_>, begun: &[Removal]) -> Vec<Removal> {
        let mut may_go = self.may_go.clone();
        for removal in begun.iter().filter(|removal| removal.why.is_idle()) {
            if let Some(left) = removal.template.as_ref().and_then(|template| may_go.get_mut(template)) {
                *left = left.saturating_sub(1);
            }
        }
        let begun: HashSet<&NodeId> = begun
            .iter()
            .filter_map(|removal| Some(&removal.server.as_ref()?.node_id))
            .collect();
        let stays = |idle: &&Idle<'_, '_>| !begun.contains(&idle.agent.id);
        let goes = self.idle.iter().filter(stays).filter(|idle| {
            let left = may_go.get_mut(&idle.agent.template).filter(|left| **left > 0);
            left.is_some_and(|left| {
                let free = need.withdraw(idle.group, idle.slots);
                *left -= u32::from(free);
                free
            })
        });
        goes.filter_map(|idle| removal(idle.agent, self.why(idle, fleet)))
            .collect()
    }

    fn why(&self, idle: &Idle<'_, '_>, fleet: &Fleet<'_>) -> Why {
        Why::Surplus {
            idle: since(fleet.context.now, idle.since),
            spare: self.may_go.get(&idle.agent.template).copied().unwrap_or_default(),
            grace: grace_of(idle.agent, fleet),
        }
    }

    /// Returns what the next pass must know.
    pub fn into_memory(self) -> BTreeMap<TemplateName, SurplusMemory> {
        self.memory
    }
}

impl<'u, 'a> Nodes<'u, 'a> {
    fn see(&mut self, agent: &'u Agent<'a>, group: Option<usize>, fleet: &'u Fleet<'a>) {
        self.unknown |= !agent.readable;
        let AgentState::Up {
            idle_slots,
            idle_since,
            limit_reached,
        } = agent.state
        else {
            return;
        };
        // One that reached a limit and works bears load that is for the others once it goes.
        if limit_reached.is_some() && idle_since.is_some() {
            return;
        }
        self.up += 1;
        self.joined += u32::from(!was_up(agent));
        for label in extra_labels(agent, fleet) {
            *self.extra.entry(label).or_default() += 1;
        }
        let old = agent.age >= fleet.config.timing.min_lifetime;
        if let Some(since) = idle_since.filter(|_| agent.readable && !agent.duplicate && old) {
            self.idle.push(Idle {
                agent,
                group,
                slots: idle_slots,
                since,
            });
        }
    }

    /// Leaves the idle nodes that are as good as any other of their template: none that a queue item names, and none with a
    /// label that somebody gave to it and not to all.
    fn keep_like(&mut self, need: &mut Need<'_>) {
        let (extra, up) = (&self.extra, self.up);
        self.idle.retain(|idle| {
            let labels = idle.agent.computer().and_then(|node| node.labels.as_ref());
            let is_own = |label: &String| extra.get(label.as_str()).is_some_and(|&nodes| nodes < up);
            !labels.into_iter().flatten().any(is_own) && !need.is_named(idle.agent)
        });
    }
}

/// Sorts the agents by template, without the templates to which the rule does not apply.
fn nodes_by_template<'u, 'a>(fleet: &'u Fleet<'a>, slots: &SlotGroups) -> BTreeMap<&'u TemplateName, Nodes<'u, 'a>> {
    let mut all: BTreeMap<&TemplateName, Nodes<'u, 'a>> = BTreeMap::new();
    for (agent, group) in fleet.agents.iter().zip(slots.of_agents()) {
        let template = agent.template(fleet.config);
        let is_billed = template.is_some_and(|template| template.billing_period.is_some());
        // Without a grace each node goes as soon as it is idle.
        if !is_billed && !grace_of(agent, fleet).is_zero() {
            all.entry(&agent.template).or_default().see(agent, *group, fleet);
        }
    }
    all
}

fn grace_of(agent: &Agent<'_>, fleet: &Fleet<'_>) -> SignedDuration {
    agent_state::idle_grace(agent.template(fleet.config), &fleet.config.timing)
}

/// Whether the last pass saw it take work.
fn was_up(agent: &Agent<'_>) -> bool {
    let phase = agent.before.map(|before| before.phase);
    matches!(phase, Some(Phase::Online | Phase::Idle | Phase::Busy))
}

/// Returns the labels of a node that its template does not promise, its own name aside.
fn extra_labels<'u>(agent: &'u Agent<'_>, fleet: &'u Fleet<'_>) -> impl Iterator<Item = &'u str> {
    let template = agent.template(fleet.config);
    let extra = move |computer: &'u Computer| {
        let labels = computer.labels.iter().flatten().map(String::as_str);
        labels.filter(move |label| {
            let promised = template.is_some_and(|template| template.labels.contains(*label));
            !promised && *label != computer.name.as_str()
        })
    };
    agent.computer().into_iter().flat_map(extra)
}
