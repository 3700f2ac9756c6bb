//! How long servers boot, work and stand idle, as passes see it.
//!
//! Nobody sees what happens between two passes: half of the time counts for the phase of the pass before, and half for
//! that of this one. A gap in which idle times restart counts for neither.

use jiff::Timestamp;

use crate::model::{ProviderName, TemplateName};
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::state::{Counters, NodeMemory, Phase};

/// What a server does, as the counters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It was asked for and has not joined.
    Booting,
    /// It works, with all of its executors or some.
    Busy,
    /// It is online and idle.
    Idle,
    /// It takes no new work and has none.
    Off,
}

impl Activity {
    /// Returns what a server does in a phase.
    pub fn in_phase(phase: Phase) -> Self {
        match phase {
            Phase::Intent | Phase::Booting => Self::Booting,
            Phase::Online | Phase::Busy => Self::Busy,
            Phase::Idle => Self::Idle,
            Phase::Draining | Phase::Offline | Phase::Error | Phase::Deleting | Phase::Orphan => Self::Off,
        }
    }

    /// Returns its word in the counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Busy => "busy",
            Self::Idle => "idle",
            Self::Off => "off",
        }
    }
}

/// The time since the last pass, in whole seconds; 0 where it counts for nothing.
///
/// The seconds of the clock are subtracted, not the times themselves: what is cut off one gap is in the next, so that sums
/// stay true over many passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap(u32);

impl Gap {
    /// Takes the gap between two passes; `restarts`: idle times restart in this one.
    pub fn between(last: Option<Timestamp>, now: Timestamp, restarts: bool) -> Self {
        let gap = last
            .filter(|_| !restarts)
            .map_or(0, |last| now.as_second() - last.as_second());
        Self(u32::try_from(gap).unwrap_or(0))
    }

    /// Returns the halves of a server that is so many seconds old: what counts for the pass before, and for this one.
    fn halves(self, age: i64) -> (u32, u32) {
        let whole = self.0.min(u32::try_from(age.max(0)).unwrap_or(u32::MAX));
        (whole / 2, whole - whole / 2)
    }
}

/// Returns what an agent did since the last pass: so many seconds of each. One that nobody remembers did something else
/// before, or was not there.
///
/// One that takes no new work may still have some. Whether it had is not remembered: if not, as now.
pub fn of_agent(agent: &Agent<'_>, gap: Gap) -> [(Activity, u32); 2] {
    let before = agent.before.map(|before| before.phase);
    let before = before.or(agent.intent.map(|_| Phase::Intent));
    let (first, second) = gap.halves(agent.age.as_secs());
    let now = does(agent);
    let is_off = Activity::in_phase(agent.state.phase()) == Activity::Off;
    let did = |phase| match Activity::in_phase(phase) {
        Activity::Off if is_off => now,
        did => did,
    };
    let before = before.map_or((Activity::Off, 0), |phase| (did(phase), first));
    [before, (now, second)]
}

/// Returns what an agent does. The last builds of one that is drained are work, too.
fn does(agent: &Agent<'_>) -> Activity {
    let has_work = match agent.state {
        AgentState::Drained { idle, .. } | AgentState::Marked { idle } => !idle,
        AgentState::Monitored { .. } | AgentState::Person => agent.computer().is_some_and(|node| !node.is_idle()),
        _ => false,
    };
    if has_work {
        Activity::Busy
    } else {
        Activity::in_phase(agent.state.phase())
    }
}

/// Adds to a server what it did.
pub fn add(node: &mut NodeMemory, did: &[(Activity, u32)]) {
    for (activity, seconds) in did {
        count(node, *activity, *seconds);
    }
}

/// Adds to the counters what a server did.
pub fn add_all(counters: &mut Counters, template: &TemplateName, provider: &ProviderName, did: &[(Activity, u32)]) {
    for (activity, seconds) in did.iter().filter(|(_, seconds)| *seconds > 0) {
        Counters::add(
            &mut counters.server_seconds,
            template,
            provider,
            activity.word(),
            (*seconds).into(),
        );
    }
}

/// Returns a server that is gone, with what it did until then: half of the gap.
pub fn until_gone(node: &NodeMemory, gap: Gap) -> NodeMemory {
    let mut node = node.clone();
    let activity = Activity::in_phase(node.phase);
    count(&mut node, activity, gap.halves(i64::MAX).0);
    node
}

fn count(node: &mut NodeMemory, activity: Activity, seconds: u32) {
    let counted = match activity {
        Activity::Busy => &mut node.busy_seconds,
        Activity::Idle => &mut node.idle_seconds,
        Activity::Booting | Activity::Off => return,
    };
    *counted = counted.saturating_add(seconds);
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn nothing_is_lost_where_passes_come_at_odd_times() {
        let start = Timestamp::from_second(1_000_000).unwrap();
        let (mut last, mut sum) = (start, 0);
        for _ in 0..1_000 {
            let now = last + SignedDuration::from_millis(60_417);
            let (first, second) = Gap::between(Some(last), now, false).halves(i64::MAX);
            assert!(second - first <= 1, "{first} {second}");
            sum += i64::from(first + second);
            last = now;
        }
        assert_eq!(sum, last.as_second() - start.as_second());
    }

    #[test]
    fn a_gap_counts_for_no_more_than_the_age_and_not_after_a_break() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let gap = |last, now, restarts| Gap::between(last, at(now), restarts);
        assert_eq!(gap(Some(at(100)), 161, false).halves(1_000), (30, 31));
        assert_eq!(gap(Some(at(100)), 161, false).halves(10), (5, 5));
        assert_eq!(gap(Some(at(100)), 161, false).halves(-1), (0, 0));
        for none in [
            gap(Some(at(100)), 161, true),
            gap(None, 161, false),
            gap(Some(at(200)), 161, false),
        ] {
            assert_eq!(none.halves(1_000), (0, 0));
        }
    }
}
