//! Back-off after failures: what is held back, until when, and that one probe may go first afterwards.
//!
//! Seeing the failures is left to `survey` (servers) and to the pass (answers).

use jiff::{SignedDuration, Timestamp};

use super::ids::mix;
use crate::config::Timing;
use crate::model::digest_u64;
use crate::state::{Backoff, BackoffKey, State};

/// A key that failed no more for so long is forgotten.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// The longest pause that a service may ask for; more than a day is a mistake of the service.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Failures of many are spread by up to this share, in thousandths, so that they do not come back at once.
const JITTER_THOUSANDTHS: i64 = 200;

/// Records a failure: the key is held back for twice as long as after the one before, or for as long as the service
/// asked.
pub fn record_failure(
    state: &mut State,
    key: &BackoffKey,
    now: Timestamp,
    reason: &str,
    retry_after: Option<SignedDuration>,
    timing: &Timing,
) {
    let name = key.to_string();
    let failures = state.backoffs.get(&name).map_or(0, |b| b.failures).saturating_add(1);
    let pause = match retry_after {
        Some(asked) => asked.clamp(SignedDuration::from_secs(1), LONGEST_RETRY_AFTER),
        None => pause(&name, failures, timing),
    };
    let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
    state.backoffs.insert(
        name,
        Backoff {
            failures,
            until,
            reason: reason.to_owned(),
        },
    );
}

/// Forgets the failures of a key.
pub fn clear(state: &mut State, key: &BackoffKey) {
    state.backoffs.remove(&key.to_string());
}

/// Forgets what failed long ago, and what is held back for longer than anything may be: there the clock was wrong.
pub(super) fn forget_old(state: &mut State, now: Timestamp) {
    state.backoffs.retain(|_, backoff| {
        let over = now.duration_since(backoff.until);
        over < FORGET_AFTER && over >= -LONGEST_RETRY_AFTER
    });
}

/// How far a key is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It never failed lately.
    Open,
    /// It failed and its time is over: one server may boot at a time until one has joined.
    Probe,
    /// It is held back: why.
    Closed(String),
}

/// Returns how far a key is open.
pub(super) fn gate(state: &State, key: &BackoffKey, now: Timestamp) -> Gate {
    if state.backoffs.is_empty() {
        return Gate::Open;
    }
    match state.backoffs.get(&key.to_string()) {
        None => Gate::Open,
        Some(backoff) if now < backoff.until => Gate::Closed(format!(
            "{key}: held back after {} until {}: {}",
            counted(backoff.failures),
            super::words::moment(backoff.until),
            backoff.reason
        )),
        Some(_) => Gate::Probe,
    }
}

fn counted(failures: u32) -> String {
    if failures == 1 {
        "1 failure".to_owned()
    } else {
        format!("{failures} failures")
    }
}

fn pause(key: &str, failures: u32, timing: &Timing) -> SignedDuration {
    let doublings = failures.saturating_sub(1).min(32);
    let doubled = timing.backoff_first.as_secs().saturating_mul(1_i64 << doublings);
    let plain = doubled.min(timing.backoff_max.as_secs()).max(1);
    let hash = mix(digest_u64(format!("{key} {failures}").as_bytes())) % JITTER_THOUSANDTHS.unsigned_abs();
    let jitter = plain.saturating_mul(i64::try_from(hash).unwrap_or(0)) / 1000;
    SignedDuration::from_secs(plain.saturating_add(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing() -> Timing {
        Timing {
            idle_grace: SignedDuration::from_mins(40),
            boot_grace: SignedDuration::from_mins(15),
            offline_grace: SignedDuration::from_mins(5),
            min_lifetime: SignedDuration::ZERO,
            intent_grace: SignedDuration::from_mins(2),
            restart_grace: SignedDuration::ZERO,
            queue_grace: SignedDuration::ZERO,
            backoff_first: SignedDuration::from_secs(60),
            backoff_max: SignedDuration::from_mins(30),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn key() -> BackoffKey {
        BackoffKey::Template("small".into())
    }

    #[test]
    fn pauses_double_up_to_the_longest_with_a_fifth_of_spread() {
        let timing = timing();
        let now = now();
        let mut state = State::default();
        for plain in [60, 120, 240, 480, 960, 1800, 1800, 1800] {
            record_failure(&mut state, &key(), now, "no host", None, &timing);
            let pause = state.backoffs["template small"].until.duration_since(now).as_secs();
            assert!((plain..plain + plain / 5).contains(&pause), "{pause} for {plain}");
        }
        for _ in 0..100 {
            record_failure(&mut state, &key(), now, "no host", None, &timing);
        }
        assert_eq!(state.backoffs["template small"].failures, 108);
    }

    #[test]
    fn a_key_closes_then_probes_then_is_forgotten() {
        let timing = timing();
        let now = now();
        let mut state = State::default();
        assert_eq!(gate(&state, &key(), now), Gate::Open);
        record_failure(
            &mut state,
            &key(),
            now,
            "no host",
            Some(SignedDuration::from_secs(30)),
            &timing,
        );
        let Gate::Closed(why) = gate(&state, &key(), now) else {
            panic!("open")
        };
        assert_eq!(
            why,
            "template small: held back after 1 failure until 2026-11-22T12:00:30Z: no host"
        );
        let later = now + SignedDuration::from_secs(30);
        assert_eq!(gate(&state, &key(), later), Gate::Probe);
        forget_old(&mut state, later);
        assert_eq!(state.backoffs.len(), 1);
        forget_old(&mut state, later + FORGET_AFTER);
        assert!(state.backoffs.is_empty());
        record_failure(&mut state, &key(), now, "no host", Some(SignedDuration::MAX), &timing);
        clear(&mut state, &key());
        assert!(state.backoffs.is_empty());
    }
}
