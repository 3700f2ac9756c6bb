//! Counts the builds of an agent, for `max_builds`.
//!
//! Jenkins has no such number: what runs now is compared with what ran in the last pass, so a build that begins and ends
//! between two passes is missed. `remove` takes the agent away.

use crate::config::Config;
use crate::model::Computer;
use crate::plan::action::{Drain, builds_reached_text};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::why::LimitReached;
use crate::state::BuildCount;

/// Counts the builds of a node, where its template limits them.
pub fn count(agent: &Agent<'_>, config: &Config) -> Option<BuildCount> {
    agent.template(config)?.max_builds?;
    let before = agent
        .before
        .and_then(|before| before.builds.clone())
        .unwrap_or_default();
    Some(match agent.computer() {
        Some(computer) => counted(&before, computer),
        None => before,
    })
}

fn counted(before: &BuildCount, computer: &Computer) -> BuildCount {
    let mut running = computer.running.clone();
    running.sort_unstable();
    let busy = computer.busy_executors();
    let unnamed = busy.saturating_sub(number(running.len()));
    let mut ended = before.running.clone();
    let is_new = |build: &&String| match ended.iter().position(|other| other == *build) {
        Some(place) => {
            ended.swap_remove(place);
            false
        }
        None => true,
    };
    let begun = number(running.iter().filter(is_new).count());
    // What was just handed out has no URL yet: it is the same build once it has one.
    let named_since = before.unnamed.saturating_sub(unnamed);
    let begun = begun.saturating_sub(named_since) + unnamed.saturating_sub(before.unnamed);
    BuildCount {
        seen: before.seen.saturating_add(begun),
        running,
        unnamed,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Returns the builds that a node had, if it had all that it may have.
pub fn limit_reached(agent: &Agent<'_>, config: &Config) -> Option<LimitReached> {
    let most = agent.template(config)?.max_builds?;
    let seen = agent.builds.as_ref()?.seen;
    (seen >= most).then_some(LimitReached::MaxBuilds { seen, most })
}

/// Whether a node had all its builds: it takes no work any more.
pub fn has_all_builds(agent: &Agent<'_>, config: &Config) -> bool {
    limit_reached(agent, config).is_some()
}

/// Returns what keeps further builds from a node that had all of its own and may take one, now or when it comes back.
pub fn drain(agent: &Agent<'_>, fleet: &Fleet<'_>) -> Option<Drain> {
    let by_monitor = match agent.state {
        AgentState::Up { .. } | AgentState::Offline { .. } => false,
        AgentState::Monitored { .. } => true,
        _ => return None,
    };
    let most = agent.template(fleet.config)?.max_builds?;
    let limit_reached = limit_reached(agent, fleet.config).filter(|_| !agent.duplicate)?;
    Some(Drain {
        node: agent.computer()?.name.clone(),
        template: Some(agent.template.clone()),
        mark: builds_reached_text(most),
        by_monitor,
        because: format!("{limit_reached}, and takes no further one"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(running: &[&str], unnamed: u32) -> Computer {
        let busy = number(running.len()) + unnamed;
        Computer {
            name: "n".into(),
            built_in: false,
            idle: busy == 0,
            offline: false,
            temporarily_offline: false,
            offline_reason: String::new(),
            offline_class: None,
            executors: 4,
            idle_executors: 4 - busy,
            one_off_busy: false,
            running: running.iter().map(ToString::to_string).collect(),
            jobs: Vec::new(),
            labels: None,
        }
    }

    #[test]
    fn each_build_counts_once() {
        let mut count = BuildCount::default();
        for (running, unnamed, seen) in [
            (&[][..], 0, 0),
            (&["a"], 0, 1),
            (&["a"], 0, 1),
            (&["b"], 0, 2),
            // Two blocks of one pipeline at a time.
            (&["b", "b"], 0, 3),
            (&[], 0, 3),
            // Handed out, and not begun yet.
            (&[], 1, 4),
            (&["c"], 0, 4),
            (&["c"], 1, 5),
            (&["c"], 2, 6),
            (&["c", "d"], 1, 6),
            (&[], 0, 6),
            (&[], 2, 8),
        ] {
            count = counted(&count, &node(running, unnamed));
            assert_eq!(count.seen, seen, "{running:?} and {unnamed}");
        }
    }
}
