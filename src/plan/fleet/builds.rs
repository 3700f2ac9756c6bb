//! Counts the builds of an agent, for `max_builds`, the journal and the metrics.
//!
//! Jenkins has no such number: what runs now is compared with what ran in the last pass, so a build that begins and ends
//! between two passes is missed. Only for `max_builds` is Jenkins asked which builds run. Elsewhere each executor that
//! works beyond those of the last pass counts as one that began: of two builds one after the other, with no pass between
//! them that saw the executor idle, the second is missed, too. `remove` takes the agent away.

use crate::config::Config;
use crate::plan::action::{Drain, builds_reached_text};
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::plan::why::LimitReached;
use crate::state::{BuildCount, Counters};

/// Counts the builds of a node; `None` where there was none and its template does not limit them.
pub fn count(agent: &Agent<'_>, config: &Config) -> Option<BuildCount> {
    let before = agent.before.and_then(|before| before.builds.clone());
    let limits = agent
        .template(config)
        .is_some_and(|template| template.max_builds.is_some());
    let Some(computer) = agent.computer() else {
        return before.or_else(|| limits.then(BuildCount::default));
    };
    let running: &[String] = if limits { &computer.running } else { &[] };
    let count = counted(&before.unwrap_or_default(), running, computer.busy_executors());
    Some(count).filter(|count| limits || *count != BuildCount::default())
}

/// `running`: the builds that are told; `busy`: how many executors work, on these and others.
fn counted(before: &BuildCount, running: &[String], busy: u32) -> BuildCount {
    let mut running = running.to_vec();
    running.sort_unstable();
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

/// Adds the builds that began since the last pass to the counters.
pub fn add(counters: &mut Counters, agent: &Agent<'_>) {
    let seen = |builds: Option<&BuildCount>| builds.map_or(0, |builds| builds.seen);
    let before = agent.before.and_then(|before| before.builds.as_ref());
    let begun = seen(agent.builds.as_ref()).saturating_sub(seen(before));
    if begun > 0 {
        let number = counters.builds.entry(agent.template.clone()).or_default();
        *number = number.saturating_add(begun.into());
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
            let running: Vec<String> = running.iter().map(ToString::to_string).collect();
            count = counted(&count, &running, number(running.len()) + unnamed);
            assert_eq!(count.seen, seen, "{running:?} and {unnamed} more");
        }
    }
}
