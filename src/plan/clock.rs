//! Time between passes: whether idle times can be trusted, and how far apart passes are.
//!
//! Ages of servers follow the clock of their cloud; see `fleet::inventory`.

use jiff::{SignedDuration, Timestamp};

use crate::state::{Controller, Sighting, State};
use crate::text::span;

/// How many gaps between passes are remembered.
const GAPS: usize = 10;

/// A gap up to this is never a break.
const SHORT_GAP: SignedDuration = SignedDuration::from_mins(10);

/// A gap this many times the usual one is a break.
const BREAK_FACTOR: i64 = 5;

/// Returns why idle times restart in this pass, if they do.
pub fn restart(state: &State, now: Timestamp) -> Option<String> {
    let last = state.last_pass.as_ref()?.at;
    if now < last {
        return Some("the clock went back since the last pass: idle times restart, nothing idle is removed".to_owned());
    }
    let gap = now.duration_since(last);
    let usual = usual_gap(state)?;
    (gap > SHORT_GAP && gap.as_secs() > usual.saturating_mul(BREAK_FACTOR)).then(|| {
        format!(
            "{} since the last pass: idle times restart, nothing idle is removed",
            span(gap)
        )
    })
}

/// Returns what is to be remembered of the controller's start. A Jenkins that does not tell leaves it as it was.
pub fn controller(before: Option<&Controller>, session: Option<&String>, now: Timestamp) -> Option<Controller> {
    let Some(session) = session else {
        return before.cloned();
    };
    let restarted = match before {
        Some(before) if before.session == *session => before.restarted.map(|then| then.min(now)),
        Some(_) => Some(now),
        None => None,
    };
    Some(Controller {
        session: session.clone(),
        restarted,
    })
}

/// Returns the gaps to remember, this pass among them.
pub fn gaps(state: &State, now: Timestamp) -> Vec<i64> {
    let mut gaps = state.gaps.clone();
    if let Some(last) = &state.last_pass
        && now > last.at
    {
        gaps.push(now.duration_since(last.at).as_secs());
    }
    gaps.drain(..gaps.len().saturating_sub(GAPS));
    gaps
}

/// Returns the seconds that usually are between two passes: the median of the last gaps.
pub fn usual_gap(state: &State) -> Option<i64> {
    median(&state.gaps)
}

/// A pass is overdue after so many times the usual gap.
const OVERDUE: i64 = 3;

/// Cron starts nothing more often: what is closer together is no rhythm (`reap` right behind `provision`).
pub const LEAST_GAP: i64 = 60;

/// What is taken for the gap of passes as long as there was one alone.
const UNKNOWN_GAP: i64 = 60 * 60;

/// Returns after how many seconds without a pass the next one is overdue.
pub fn overdue_after(state: &State) -> i64 {
    let gap = usual_gap(state).map_or(UNKNOWN_GAP, |gap| gap.max(LEAST_GAP));
    OVERDUE.saturating_mul(gap)
}

fn median(gaps: &[i64]) -> Option<i64> {
    let mut sorted = gaps[gaps.len().saturating_sub(GAPS)..].to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Returns how long ago something was, never less than nothing.
pub fn since(now: Timestamp, then: Timestamp) -> SignedDuration {
    now.duration_since(then).max(SignedDuration::ZERO)
}

/// Things that are absent must be seen so in as many passes before they are acted on.
pub const SIGHTINGS: u32 = 2;

/// Counts one more sighting.
pub fn sighted_again(before: Option<Sighting>, now: Timestamp) -> Sighting {
    match before {
        Some(seen) => Sighting {
            passes: seen.passes.saturating_add(1),
            ..seen
        },
        None => Sighting {
            first: now,
            passes: 1,
            known: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LastPass;

    fn check(usual: &[i64], gap: i64, expected: bool) {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = now - SignedDuration::from_secs(gap);
        let state = State {
            gaps: usual.to_vec(),
            last_pass: Some(LastPass::begun("a", at)),
            ..State::default()
        };
        assert_eq!(restart(&state, now).is_some(), expected, "gaps {usual:?}, then {gap}");
    }

    #[test]
    fn a_break_is_long_and_unusual() {
        check(&[60, 60, 60], 601, true);
        check(&[60, 60, 60], 600, false);
        check(&[600, 600, 600], 3000, false);
        check(&[600, 600, 600], 3001, true);
        check(&[60, 60, 60], -1, true);
        check(&[], 100_000, false);
        // One odd gap among regular ones does not move the median.
        check(&[60, 60, 9000, 60], 601, true);
    }

    #[test]
    fn ten_gaps_are_kept_and_a_negative_one_is_not() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let last = |secs| Some(LastPass::begun("a", now - SignedDuration::from_secs(secs)));
        let state = State {
            gaps: (1..=10).collect(),
            last_pass: last(60),
            ..State::default()
        };
        assert_eq!(gaps(&state, now), [2, 3, 4, 5, 6, 7, 8, 9, 10, 60]);
        let state = State {
            gaps: vec![1],
            last_pass: last(-60),
            ..State::default()
        };
        assert_eq!(gaps(&state, now), [1]);
    }
}
