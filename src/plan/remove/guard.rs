//! The guard: holds back removals for an absence when they are many, since a half-read Jenkins or cloud looks like that.

use foldhash::HashSet;

use crate::model::NodeName;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};

/// So many removals because of an absence are held back when they are more than half of the fleet.
const LEAST: usize = 5;

/// Returns whether so many absent agents of a fleet look like a half-read world.
pub fn holds(absent: usize, size: usize) -> bool {
    absent >= LEAST && absent * 2 > size
}

/// Whether so many agents are absent that their removal would be held back, however often they were seen so.
pub fn may_hold(fleet: &Fleet<'_>) -> bool {
    let is_absent = |agent: &&Agent<'_>| matches!(agent.state, AgentState::Orphan { .. } | AgentState::Offline { .. });
    let absent = fleet.agents.iter().filter(is_absent).count();
    holds(absent + fleet.orphans.len(), fleet_size(fleet))
}

/// Returns how many agents there are. One whose server and node are both seen, though nothing links them any more, is one.
pub fn fleet_size(fleet: &Fleet<'_>) -> usize {
    let known = known_nodes(fleet);
    let others = fleet
        .orphans
        .iter()
        .filter(|orphan| !known.contains(&orphan.computer.name));
    fleet.agents.len() + others.count()
}

/// Returns the nodes that earlier passes saw of servers which are there.
pub fn known_nodes<'a>(fleet: &Fleet<'a>) -> HashSet<&'a NodeName> {
    let agents = fleet.agents.iter();
    agents.filter_map(|agent| agent.before?.jenkins_node.as_ref()).collect()
}

/// Says what was held back.
pub fn sentence(absent: usize, size: usize) -> String {
    format!(
        "the guard holds back {absent} removals out of {size} nodes: so many lost at once look like a half-read Jenkins or \
         cloud; if they are really lost, run again with --force"
    )
}
