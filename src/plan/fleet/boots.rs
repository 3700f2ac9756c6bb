//! What is known of boots: how long those of a template take, and whether one that fails is evidence against its template.
//!
//! Counting failures is left to `memory`, what is held back to `create::backoff`.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Template};
use crate::model::{TemplateName, digest_u64};
use crate::plan::create::creating::placement;
use crate::plan::create::ids::mix;
use crate::plan::fleet::Fleet;
use crate::plan::fleet::agent::{Agent, AgentState};
use crate::state::{BOOT_TIMES, BootMemory, BootRank, EndedBoots, State};

/// So many of the last boots must fail until one that fails is evidence, though a later one joined.
const MANY_FAILED: usize = 5;

/// So many boot times of a template must be known until a boot may be late.
const ENOUGH_TIMES: usize = 5;

/// A boot is never late before that.
const LEAST_LATE: SignedDuration = SignedDuration::from_mins(2);

/// A boot is late after so many times what 95 of 100 take.
const LATE_FACTOR: i32 = 2;

/// Returns how long a boot of a template takes: the median of the last 20; `None` where none is known.
pub fn median(state: &State, template: &TemplateName) -> Option<SignedDuration> {
    at(state, template, |count| count / 2)
}

/// Returns in what time 95 of 100 boots of a template end, by the last 20; `None` where none is known.
pub fn most_take(state: &State, template: &TemplateName) -> Option<SignedDuration> {
    at(state, template, |count| (count * 95).div_ceil(100) - 1)
}

/// Returns one of the known boot times, by its place among all of them, shortest first.
fn at(state: &State, template: &TemplateName, place: impl Fn(usize) -> usize) -> Option<SignedDuration> {
    let mut sorted = state.boots.get(template)?.seconds.clone();
    sorted.sort_unstable();
    let seconds = sorted.get(place(sorted.len().max(1)))?;
    Some(SignedDuration::from_secs(i64::from(*seconds)))
}

/// Returns the age at which a server is late that still boots, where a pass comes so often; `None` where too few boots of its
/// template are known. A gap is added since a server that has joined is seen to by the next pass alone.
pub fn late_after(state: &State, template: &TemplateName, gap: SignedDuration) -> Option<SignedDuration> {
    let known = state.boots.get(template)?.seconds.len();
    let most = most_take(state, template).filter(|_| known >= ENOUGH_TIMES)?;
    Some(LEAST_LATE.max(most.saturating_mul(LATE_FACTOR)).saturating_add(gap))
}

/// Returns whether a server of the same template, placement and configuration has joined that was asked for when this one was,
/// or later.
pub fn later_joined(state: &State, config: &Config, agent: &Agent<'_>) -> bool {
    let is_later = |ended: &EndedBoots| {
        let newest = ended.joined.last().map(|newest| newest.second());
        newest >= agent.created.map(Timestamp::as_second)
    };
    agent.created.is_some() && ended(state, config, agent).is_some_and(is_later)
}

/// Returns whether a server that timed out is no evidence against its template: one that was asked for later has joined, and
/// few of the last failed.
pub fn is_excused(agent: &Agent<'_>, config: &Config, state: &State) -> bool {
    config.rules.evidence
        && agent.state == AgentState::TimedOut
        && later_joined(state, config, agent)
        && ended(state, config, agent).is_some_and(|ended| ended.failed.len() < MANY_FAILED)
}

/// Returns how the last boots ended that are to be compared with one: those of its template, placement and configuration.
fn ended<'s>(state: &'s State, config: &Config, agent: &Agent<'_>) -> Option<&'s EndedBoots> {
    let memory = state.boots.get(&agent.template)?;
    let ended = memory.ended.get(&placement(agent.provider, agent.zone_asked(config)))?;
    (agent.digest() == Some(ended.config.as_str())).then_some(ended)
}

/// Forgets what is no longer configured, and how servers fared that were made from another configuration of their template.
pub fn forget_unconfigured(state: &mut State, config: &Config) {
    state.boots.retain(|name, memory| {
        let Some(template) = config.template(name.as_str()) else {
            return false;
        };
        memory.ended.retain(|place, ended| {
            let mut places = template.placements.iter();
            ended.config == template.digest && places.any(|p| *place == placement(&p.provider, p.zone.as_ref()))
        });
        !(memory.seconds.is_empty() && memory.ended.is_empty())
    });
}

/// Learns of the servers that joined. Of what another program made, and of one that no pass saw before, nobody knows how
/// long it took.
pub fn learn_of_joined(fleet: &mut Fleet<'_>) {
    // While no pass was made, or while Jenkins was away, nothing could be seen to join.
    let is_timed = !fleet.restart && fleet.settling.is_none();
    for agent in &fleet.agents {
        let is_first = agent.joined.is_some() && agent.before.is_none_or(|before| before.joined.is_none());
        let is_known = agent.before.is_some() || agent.intent.is_some();
        if !is_first || !is_known || agent.adopted || agent.duplicate {
            continue;
        }
        let Some(template) = agent.template(fleet.config) else {
            continue;
        };
        if is_timed {
            let seconds = u32::try_from(agent.age.as_secs()).unwrap_or(u32::MAX);
            add_time(&mut memory(&mut fleet.state, template).seconds, seconds);
        }
        note(&mut fleet.state, fleet.config, agent, true);
    }
}

/// Remembers that a server failed before it joined.
pub fn failed(state: &mut State, config: &Config, agent: &Agent<'_>) {
    note(state, config, agent, false);
}

fn add_time(seconds: &mut Vec<u32>, last: u32) {
    seconds.push(last);
    seconds.drain(..seconds.len().saturating_sub(BOOT_TIMES));
}

fn memory<'s>(state: &'s mut State, template: &Template) -> &'s mut BootMemory {
    state.boots.entry(template.name.clone()).or_default()
}

/// Notes how a boot ended, if it was one of the template as it is configured now.
fn note(state: &mut State, config: &Config, agent: &Agent<'_>, joined: bool) {
    let (Some(template), Some(rank)) = (agent.template(config), rank(agent)) else {
        return;
    };
    if agent.digest() != Some(template.digest.as_str()) {
        return;
    }
    let place = placement(agent.provider, agent.zone_asked(config));
    let ended = memory(state, template).ended.entry(place);
    let ended = ended.or_insert_with(|| EndedBoots {
        config: template.digest.clone(),
        ..EndedBoots::default()
    });
    ended.note(rank, joined);
}

fn rank(agent: &Agent<'_>) -> Option<BootRank> {
    let hash = mix(digest_u64(agent.id.as_str().as_bytes()));
    agent.created.map(|created| BootRank::new(created.as_second(), hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: &[u32], middle: Option<i64>, most: Option<i64>) {
        let mut state = State::default();
        let memory = state.boots.entry("small".into()).or_default();
        for &last in seconds {
            add_time(&mut memory.seconds, last);
        }
        let secs = |time: Option<SignedDuration>| time.map(|time| time.as_secs());
        let name = &"small".into();
        assert_eq!(secs(median(&state, name)), middle, "{seconds:?}");
        assert_eq!(secs(most_take(&state, name)), most, "{seconds:?}");
    }

    #[test]
    fn the_median_and_what_95_of_100_take_are_of_the_last_20() {
        check(&[], None, None);
        check(&[90], Some(90), Some(90));
        check(&[70, 90, 60, 80, 500], Some(80), Some(500));
        let twenty: Vec<u32> = (1..=20).collect();
        check(&twenty, Some(11), Some(19));
        let more: Vec<u32> = (1..=100).rev().collect();
        check(&more, Some(11), Some(19));
        assert_eq!(median(&State::default(), &"small".into()), None);
    }
}
