//! Which nodes serve what items wait for, so that the last one stays.

use foldhash::HashSet;

use crate::plan::demand::items::Demand;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, builds};

/// How many nodes serve the items that wait.
pub struct Serving<'d> {
    /// For each class of items that wait, the groups of slots that serve it.
    waiting: Vec<&'d [usize]>,
    /// The nodes of each group.
    nodes: Vec<u32>,
}

impl<'d> Serving<'d> {
    /// Counts the nodes that are online and stay. `goes`: those that are removed or drained anyway.
    pub fn new(fleet: &Fleet<'_>, demand: &'d Demand<'_>, goes: &HashSet<&str>) -> Self {
        let mut waits = vec![false; demand.classes.len()];
        for item in &demand.items {
            if let Some(class) = demand.class_of[item.label_request] {
                waits[class] = true;
            }
        }
        let waiting = demand.classes.iter().zip(waits).filter(|(_, waits)| *waits);
        let mut nodes = vec![0; demand.slots.len()];
        for (agent, group) in fleet.agents.iter().zip(demand.slots.of_agents()) {
            if let Some(group) = group.filter(|_| serves(agent, fleet, goes)) {
                nodes[group] += 1;
            }
        }
        Self {
            waiting: waiting.map(|(groups, _)| &groups[..]).collect(),
            nodes,
        }
    }

    /// Returns whether items wait that nodes of a group serve.
    pub fn is_waited_for(&self, group: usize) -> bool {
        self.waiting.iter().any(|groups| groups.contains(&group))
    }

    /// Returns whether all that waits is served by others, too, and counts a node of a group as gone then.
    pub fn spares(&mut self, group: usize) -> bool {
        let count = |groups: &[usize]| groups.iter().map(|group| self.nodes[*group]).sum::<u32>();
        let mut served = self.waiting.iter().filter(|groups| groups.contains(&group));
        let spares = served.all(|groups| count(groups) > 1);
        if spares {
            self.nodes[group] = self.nodes[group].saturating_sub(1);
        }
        spares
    }
}

fn serves(agent: &Agent<'_>, fleet: &Fleet<'_>, goes: &HashSet<&str>) -> bool {
    let is_up = matches!(agent.state, AgentState::Up { .. });
    let stays = |name: &str| !goes.contains(name);
    let node = agent.computer().map(|computer| computer.name.as_str());
    is_up && node.is_some_and(stays) && !builds::has_all_builds(agent, fleet.config)
}
