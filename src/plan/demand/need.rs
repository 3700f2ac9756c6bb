//! Decides which idle slots are needed: the items that they serve, and the nodes that items name.

use foldhash::HashSet;

use crate::plan::demand::eligible;
use crate::plan::demand::items::Demand;
use crate::plan::demand::matching::Flow;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::queue::LabelRequest;

/// Who needs the nodes that are idle now, found out once somebody asks: what was taken away for one removal is not there
/// for the next one.
pub struct Need<'d> {
    fleet: &'d Fleet<'d>,
    demand: &'d Demand<'d>,
    flow: Option<Flow<'d>>,
    named: Option<HashSet<&'d str>>,
}

impl<'d> Need<'d> {
    pub fn new(fleet: &'d Fleet<'d>, demand: &'d Demand<'d>) -> Self {
        Self {
            fleet,
            demand,
            flow: None,
            named: None,
        }
    }

    /// Takes the slots of an idle node away if nobody needs them; says whether it did.
    pub fn withdraw(&mut self, group: Option<usize>, slots: u32) -> bool {
        group.is_none_or(|group| self.flow().withdraw(group, slots))
    }

    /// Counts how many of these nodes could be withdrawn, each with its group and slots, and withdraws none of them.
    pub fn count_spare(&mut self, nodes: &[(Option<usize>, u32)]) -> usize {
        let in_groups = nodes.iter().filter_map(|&(group, slots)| Some((group?, slots)));
        let unneeded = nodes.iter().filter(|(group, _)| group.is_none()).count();
        unneeded + self.flow().count_spare(in_groups)
    }

    /// Whether a queue item names the Jenkins node of an agent.
    pub fn is_named(&mut self, agent: &Agent<'_>) -> bool {
        let named = self.named.get_or_insert_with(|| named_nodes(self.fleet, self.demand));
        let node = agent.computer();
        node.is_some_and(|node| named.contains(node.name.as_str()))
    }

    fn flow(&mut self) -> &mut Flow<'d> {
        self.flow.get_or_insert_with(|| need_of(self.fleet, self.demand))
    }
}

/// Matches everything that is wanted to the slots that are idle now. What is needed there is needed all the more when
/// servers that still boot are left out, so that no item loses an idle node for the promise of another.
fn need_of<'d>(fleet: &Fleet<'_>, demand: &'d Demand<'_>) -> Flow<'d> {
    let mut idle = vec![0_u32; demand.slots.len()];
    for (agent, group) in fleet.agents.iter().zip(demand.slots.of_agents()) {
        if let (
            Some(group),
            AgentState::Up {
                idle_slots,
                limit_reached: None,
                ..
            },
        ) = (*group, &agent.state)
        {
            idle[group] = idle[group].saturating_add(*idle_slots);
        }
    }
    let mut flow = Flow::new(&demand.classes, idle);
    for item in &demand.items {
        if let Some(class) = demand.class_of[item.label_request] {
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
pub fn named_nodes<'a>(fleet: &'a Fleet<'_>, demand: &'a Demand<'_>) -> HashSet<&'a str> {
    let ours: HashSet<&str> = fleet
        .agents
        .iter()
        .filter_map(Agent::computer)
        .map(|c| c.name.as_str())
        .collect();
    let mut named = HashSet::default();
    let mut tied = vec![false; demand.label_requests.len()];
    for (label_request, tied) in demand.label_requests.iter().zip(&mut tied) {
        match label_request {
            LabelRequest::Template(_) => *tied = true,
            LabelRequest::Label(label) => {
                named.extend(eligible::atoms(label).into_iter().filter(|atom| ours.contains(atom)));
            }
            _ => {}
        }
    }
    let mut is_read = vec![false; demand.queue.len()];
    for item in &demand.items {
        is_read[item.place] = !tied[item.label_request];
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
