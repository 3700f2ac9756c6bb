//! Back-off after failures: what is held back, until when, and that one probe may go first afterwards.
//!
//! A failure is charged to the pair of template and placement. The placement as a whole is held back when two templates
//! failed there and no server joined from there in between: then it is not one template's flavor or volume. Seeing the
//! failures is left to `fleet` (servers) and to the pass (answers), sharing out the probes to `turns`.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Placement, Template, Timing};
use crate::model::{ProviderName, TemplateName, Zone, digest_u64};
use crate::plan::create::ids::mix;
use crate::state::{Backoff, BackoffKey, State};
use crate::text::{left, plural};

/// A key that failed no more for so long is forgotten.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(3);

/// Failures of many are spread by up to this share, in thousandths, so that they do not come back at once.
const JITTER_THOUSANDTHS: i64 = 200;

/// Records a failure: the key is held back for twice as long as after the one before, and for as long as the service asked
/// at least, but never for longer than `timing.backoff_max`: what a service asks for may be a mistake.
pub fn record_failure(
    state: &mut State,
    key: &BackoffKey,
    now: Timestamp,
    reason: &str,
    retry_after: Option<SignedDuration>,
    timing: &Timing,
) {
    let name = key.to_string();
    let backoff = state.backoffs.entry(name.clone()).or_insert_with(|| never(now));
    backoff.failures = backoff.failures.saturating_add(1);
    // A service that asks for two seconds each time would be asked in each pass.
    let asked = retry_after.unwrap_or_default().min(timing.backoff_max);
    let pause = asked.max(pause(&name, backoff.failures, timing));
    backoff.until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
    reason.clone_into(&mut backoff.reason);
}

fn never(now: Timestamp) -> Backoff {
    Backoff {
        failures: 0,
        until: now,
        reason: String::new(),
        settled: false,
        failed: None,
        probed: Vec::new(),
    }
}

/// Charges a failure of a template to a key, and to the placement where that is not the only template that fails there.
/// Returns what is held back by it.
pub fn charge(
    state: &mut State,
    config: &Config,
    key: &BackoffKey,
    template: &TemplateName,
    now: Timestamp,
    reason: &str,
    retry_after: Option<SignedDuration>,
) -> Vec<BackoffKey> {
    record_failure(state, key, now, reason, retry_after, &config.timing);
    let mut held = vec![key.clone()];
    match key {
        BackoffKey::TemplateAt(_, provider, zone) => {
            if let Some(backoff) = state.backoffs.get_mut(&key.to_string()) {
                backoff.failed = Some(now);
            }
            held.extend(hold_placement(
                state,
                config,
                (template, provider, zone.as_ref()),
                now,
                reason,
            ));
        }
        BackoffKey::Placement(..) | BackoffKey::Provider(_) => {
            if let Some(backoff) = state.backoffs.get_mut(&key.to_string()) {
                took_turn(backoff, template);
            }
        }
        BackoffKey::Template(_) | BackoffKey::FloatingIp(..) => {}
    }
    held
}

/// Holds a placement back if a template that failed there is not the only one. The pause doubles with each further
/// template, not with each failure: how often one template fails tells nothing of the others.
fn hold_placement(
    state: &mut State,
    config: &Config,
    (template, provider, zone): (&TemplateName, &ProviderName, Option<&Zone>),
    now: Timestamp,
    reason: &str,
) -> Option<BackoffKey> {
    let failing = failing_at(state, config, provider, zone);
    let others = u32::try_from(failing.len()).unwrap_or(u32::MAX).saturating_sub(1);
    if others == 0 {
        return None;
    }
    let key = BackoffKey::Placement(provider.clone(), zone.cloned());
    let name = key.to_string();
    let until = now.saturating_add(pause(&name, others, &config.timing)).unwrap_or(now);
    let backoff = state.backoffs.entry(name).or_insert_with(|| never(now));
    backoff.failures = backoff.failures.max(others.saturating_add(1));
    backoff.until = backoff.until.max(until);
    reason.clone_into(&mut backoff.reason);
    for other in failing {
        if !backoff.probed.contains(&other) {
            backoff.probed.push(other);
        }
    }
    took_turn(backoff, template);
    Some(key)
}

/// Returns the templates whose last failure at a placement is evidence against it: no server joined from there since.
fn failing_at(state: &State, config: &Config, provider: &ProviderName, zone: Option<&Zone>) -> Vec<TemplateName> {
    let failing = pairs_at(config, provider, zone).filter(|(_, key)| {
        let backoff = state.backoffs.get(&key.to_string());
        backoff.is_some_and(|backoff| !backoff.settled)
    });
    failing.map(|(template, _)| template.clone()).collect()
}

/// Returns the templates that may use a placement, each with the key of the two.
fn pairs_at<'c>(
    config: &'c Config,
    provider: &ProviderName,
    zone: Option<&Zone>,
) -> impl Iterator<Item = (&'c TemplateName, BackoffKey)> {
    let is_here = move |place: &&Placement| place.provider == *provider && place.zone.as_ref() == zone;
    config.templates.iter().filter_map(move |template| {
        let place = template.placements.iter().find(is_here)?;
        let key = BackoffKey::TemplateAt(template.name.clone(), place.provider.clone(), place.zone.clone());
        Some((&template.name, key))
    })
}

/// Remembers that a server of a template is about to be asked for: where a placement or provider was held back, it is
/// the probe, and the next one is another template's.
pub fn begin(state: &mut State, template: &TemplateName, provider: &ProviderName, zone: Option<&Zone>) {
    if state.backoffs.is_empty() {
        return;
    }
    let shared = [
        BackoffKey::Provider(provider.clone()),
        BackoffKey::Placement(provider.clone(), zone.cloned()),
    ];
    for key in shared {
        if let Some(backoff) = state.backoffs.get_mut(&key.to_string()) {
            took_turn(backoff, template);
        }
    }
}

fn took_turn(backoff: &mut Backoff, template: &TemplateName) {
    backoff.probed.retain(|other| other != template);
    backoff.probed.push(template.clone());
}

/// Returns the placements of a template in the order in which they are tried, each with its place in the configuration:
/// as configured; after a failure those first that did not fail lately, then those that failed the longest ago. So one
/// where a server boots in vain is not tried over and over while another one would do.
pub fn order<'c>(state: &State, template: &'c Template) -> Vec<(usize, &'c Placement)> {
    let mut places: Vec<(usize, &Placement)> = template.placements.iter().enumerate().collect();
    if state.backoffs.is_empty() || places.len() < 2 {
        return places;
    }
    let known = |place: &Placement| {
        let key = BackoffKey::TemplateAt(template.name.clone(), place.provider.clone(), place.zone.clone());
        state.backoffs.get(&key.to_string())
    };
    let failed = |place: &Placement| known(place).and_then(|backoff| backoff.failed);
    if places.iter().any(|(_, place)| failed(place).is_some()) {
        places.sort_by_cached_key(|(_, place)| (failed(place), known(place).is_some()));
    }
    places
}

/// Learns that a server of a template joined from a placement: it works, and what failed there before says nothing
/// against it.
pub fn joined(state: &mut State, config: &Config, template: &Template, provider: &ProviderName, zone: Option<&Zone>) {
    for place in &template.placements {
        let key = BackoffKey::TemplateAt(template.name.clone(), place.provider.clone(), place.zone.clone());
        if let Some(backoff) = state.backoffs.get_mut(&key.to_string()) {
            backoff.failed = None;
        }
    }
    clear(state, &BackoffKey::Placement(provider.clone(), zone.cloned()));
    clear(state, &BackoffKey::Provider(provider.clone()));
    for (_, key) in pairs_at(config, provider, zone) {
        if let Some(backoff) = state.backoffs.get_mut(&key.to_string()) {
            backoff.settled = true;
        }
    }
}

/// Forgets the failures of a key.
pub fn clear(state: &mut State, key: &BackoffKey) {
    state.backoffs.remove(&key.to_string());
}

/// A pass notes a failure later than it began, and may plan again from where it began.
const LONGEST_PASS: SignedDuration = SignedDuration::from_hours(1);

/// Forgets what failed long ago, and what is held back for longer than anything may be: there the clock was wrong.
pub fn forget_old(state: &mut State, longest: SignedDuration, now: Timestamp) {
    state.backoffs.retain(|_, backoff| {
        let over = now.duration_since(backoff.until);
        over < FORGET_AFTER && over >= -longest.saturating_add(LONGEST_PASS)
    });
}

/// How far a key is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It never failed lately.
    Open,
    /// It failed and its time is over: one server may boot at a time until one has joined.
    Probe,
    /// It is held back: why.
    Closed(String),
}

/// Returns how far a key is open.
pub fn gate(state: &State, key: &BackoffKey, now: Timestamp) -> Gate {
    if state.backoffs.is_empty() {
        return Gate::Open;
    }
    match state.backoffs.get(&key.to_string()) {
        None => Gate::Open,
        Some(backoff) if now < backoff.until => Gate::Closed(format!(
            "{key}: held back after {}, {}: {}",
            plural(backoff.failures, "failure"),
            left(now, backoff.until),
            backoff.reason
        )),
        Some(_) => Gate::Probe,
    }
}

fn pause(key: &str, failures: u32, timing: &Timing) -> SignedDuration {
    let doublings = failures.saturating_sub(1).min(32);
    let doubled = timing.backoff_first.as_secs().saturating_mul(1_i64 << doublings);
    let most = timing.backoff_max.as_secs().max(1);
    let plain = doubled.clamp(1, most);
    let hash = mix(digest_u64(format!("{key} {failures}").as_bytes())) % JITTER_THOUSANDTHS.unsigned_abs();
    let jitter = plain.saturating_mul(i64::try_from(hash).unwrap_or(0)) / 1000;
    let longer = plain.saturating_add(jitter);
    SignedDuration::from_secs(if longer > most { most - jitter } else { longer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn key() -> BackoffKey {
        BackoffKey::Template("small".into())
    }

    #[test]
    fn pauses_double_up_to_the_longest_with_a_fifth_of_spread() {
        let timing = Timing::default();
        let now = now();
        let mut state = State::default();
        for (least, most) in [
            (60, 72),
            (120, 144),
            (240, 288),
            (480, 576),
            (960, 1152),
            (1440, 1800),
            (1440, 1800),
            (1440, 1800),
        ] {
            record_failure(&mut state, &key(), now, "no host", None, &timing);
            let pause = state.backoffs["template small"].until.duration_since(now).as_secs();
            assert!(
                (least..=most).contains(&pause),
                "{pause} is not within {least} and {most}"
            );
        }
        for _ in 0..100 {
            record_failure(&mut state, &key(), now, "no host", None, &timing);
        }
        assert_eq!(state.backoffs["template small"].failures, 108);
    }

    #[test]
    fn a_key_closes_then_probes_then_is_forgotten() {
        let timing = Timing::default();
        let now = now();
        let mut state = State::default();
        assert_eq!(gate(&state, &key(), now), Gate::Open);
        record_failure(
            &mut state,
            &key(),
            now,
            "no host",
            Some(SignedDuration::from_secs(90)),
            &timing,
        );
        let Gate::Closed(why) = gate(&state, &key(), now) else {
            panic!("open")
        };
        assert_eq!(why, "template small: held back after 1 failure, 2m left: no host");
        let later = now + SignedDuration::from_secs(90);
        assert_eq!(gate(&state, &key(), later), Gate::Probe);
        forget_old(&mut state, timing.backoff_max, later);
        assert_eq!(state.backoffs.len(), 1);
        forget_old(&mut state, timing.backoff_max, later + FORGET_AFTER);
        assert!(state.backoffs.is_empty());
        record_failure(&mut state, &key(), now, "no host", Some(SignedDuration::MAX), &timing);
        assert_eq!(state.backoffs["template small"].until, now + timing.backoff_max);
        forget_old(&mut state, timing.backoff_max, now - SignedDuration::from_secs(30));
        assert_eq!(state.backoffs.len(), 1, "the pass that notes it began before");
        clear(&mut state, &key());
        assert!(state.backoffs.is_empty());
        record_failure(&mut state, &key(), now, "no host", None, &timing);
        forget_old(&mut state, timing.backoff_max, now - SignedDuration::from_hours(2));
        assert!(state.backoffs.is_empty(), "the clock went back");
    }
}
