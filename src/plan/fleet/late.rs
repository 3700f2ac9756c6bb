//! Finds the servers that boot for far longer than those of their template usually do: most of them never join.
//!
//! They give no slots from then on, so that `create` makes one server in the place of each that is needed. They count
//! against every maximum, and one that joins after all is as any other.

use jiff::SignedDuration;

use crate::plan::clock::{LEAST_GAP, usual_gap};
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::fleet::{Fleet, boots};
use crate::state::State;
use crate::text::{shown, span};

/// Marks the servers that are late. A later one that joined shows that it is not the template, its image or the cloud that is
/// slow.
pub fn mark(fleet: &mut Fleet<'_>) {
    // While no pass was made, or while Jenkins was away, nothing could be seen to join.
    if !fleet.config.rules.late_boots || fleet.restart || fleet.settling.is_some() {
        return;
    }
    let gap = SignedDuration::from_secs(usual_gap(&fleet.state).unwrap_or(LEAST_GAP));
    for agent in &mut fleet.agents {
        let is_booting = matches!(agent.state, AgentState::Booting { .. }) && !agent.adopted;
        if is_booting
            && boots::late_after(&fleet.state, &agent.template, gap).is_some_and(|most| agent.age > most)
            && boots::later_joined(&fleet.state, fleet.config, agent)
        {
            agent.state = AgentState::Booting { late: true };
        }
    }
}

/// Says that a server is late, and what follows.
pub fn sentence(agent: &Agent<'_>, state: &State) -> Option<String> {
    let most = boots::most_take(state, &agent.template)?;
    Some(format!(
        "late: a server of \"{}\" usually joins within {}, and one that was asked for later has joined; where it is needed, \
         one is made in its place",
        shown(agent.template.as_str()),
        span(most)
    ))
}
