//! Between two bursts of a rhythm: nodes go before `idle_grace` that were not used at this point after the last one.
//!
//! The rhythm says when nodes are made ready for the next burst. Those that would only be idle until then cost more than
//! they give. How many were used one period ago is known for as long as the load is remembered: only for periods up to
//! that the rule applies.

use jiff::SignedDuration;

use crate::config::Template;
use crate::plan::clock::usual_gap;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::AgentState;
use crate::plan::learn::lead::HISTORY;
use crate::plan::learn::rhythm;

/// A node is idle for at least this long: one that just ended a build may get another at once.
const LEAST_IDLE: SignedDuration = SignedDuration::from_mins(2);

/// What may go of a template before the next burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lull {
    /// So long a node that goes was idle.
    pub grace: SignedDuration,
    /// How many nodes may go.
    pub may_go: u32,
    /// How long it is until nodes are made ready for the next burst.
    pub left: SignedDuration,
}

/// Returns the lull that each template is in; `None` where it is in none, and where no node of it is idle.
pub fn lulls(fleet: &Fleet<'_>) -> Vec<Option<Lull>> {
    let mut is_idle = vec![false; fleet.config.templates.len()];
    for agent in &fleet.agents {
        if let (
            Some(index),
            AgentState::Up {
                idle_since: Some(_), ..
            },
        ) = (agent.template_index, &agent.state)
        {
            is_idle[index] = true;
        }
    }
    let templates = fleet.config.templates.iter().zip(is_idle).enumerate();
    templates
        .map(|(index, (template, is_idle))| is_idle.then(|| lull(fleet, index, template)).flatten())
        .collect()
}

fn lull(fleet: &Fleet<'_>, index: usize, template: &Template) -> Option<Lull> {
    let now = fleet.context.now;
    let expected = rhythm::expected(template, &fleet.state, now);
    let next = expected.iter().min_by_key(|next| (next.from, next.period))?;
    let gap = SignedDuration::from_secs(usual_gap(&fleet.state)?);
    let grace = LEAST_IDLE.max(gap * 2);
    let left = SignedDuration::from_secs(next.from - now.as_second());
    if left <= grace || next.period > HISTORY {
        return None;
    }
    let memory = fleet.state.loads.get(&template.name)?;
    let used = memory
        .curve
        .most_between(now.as_second() - next.period, next.from - next.period)?;
    let used = used.max(memory.curve.steps().last()?.nodes?);
    Some(Lull {
        grace,
        may_go: nodes(fleet, index).saturating_sub(used),
        left,
    })
}

/// Returns how many nodes of a template work or will.
fn nodes(fleet: &Fleet<'_>, index: usize) -> u32 {
    let counts = |state: &AgentState| {
        let is_up = matches!(state, AgentState::Up { limit_reached, .. } if limit_reached.is_none());
        is_up || state.is_booting()
    };
    let agents = fleet.agents.iter().filter(|agent| agent.template_index == Some(index));
    let nodes = agents.filter(|agent| counts(&agent.state)).count();
    u32::try_from(nodes).unwrap_or(u32::MAX)
}
