//! What the outcome of actions says of problems: what was refused, what fails in each pass, what was left, and what went
//! through again.

use jiff::{SignedDuration, Timestamp};

use super::execute::Executor;
use crate::model::{ProblemKind, problem_key};
use crate::plan::creating;
use crate::plan::problems::{self, Evidence, Finding};
use crate::report::{Action, ActionKind, Outcome};
use crate::state::{FailingAction, State};

/// An action that did not fail for so long is not tried any more, or went through.
const FORGET_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The most failing actions that are remembered.
const MOST: usize = 1_000;

/// Adds to what a plan found what became of its actions. `at_deadline`: whether the pass left actions since it came near
/// its deadline; `None` where something else ended it.
pub fn of_actions(executor: &mut Executor<'_>, mut evidence: Evidence, at_deadline: Option<bool>) -> Evidence {
    let now = executor.now();
    for (provider, reason) in &executor.closed {
        // That nothing more is asked there is the one cause.
        let is_alike = |finding: &Finding| {
            finding.kind == ProblemKind::ProviderUnreadable && finding.provider.as_ref() == Some(provider)
        };
        evidence.found.retain(|_, finding| !is_alike(finding));
        evidence.add(problems::unreadable(provider, reason));
    }
    executor.found.drain(..).for_each(|finding| evidence.add(finding));
    let refused = executor.removal_refused();
    let is_refused = refused.is_some();
    if let Some((lacks, user)) = refused {
        evidence.add(problems::removal_refused(&lacks, user));
    }
    let state = &mut executor.state;
    // What Jenkins refuses for want of a permission is that problem, and no other.
    let is_counted = |action: &&Action| !(is_refused && action.kind == ActionKind::DeleteNode);
    remember_failing(state, executor.actions.iter().filter(is_counted), now);
    let is_removed = |action: &Action| action.kind == ActionKind::DeleteNode && action.result == Outcome::Done;
    if executor.actions.iter().any(is_removed) {
        end_all(&mut evidence, state, ProblemKind::RemovalRefused);
    }
    for (template, provider, zone) in &executor.taken {
        let placement = creating::placement(provider, zone.as_ref());
        let held = [placement.as_str(), provider.as_str()].map(|place| problem_key(ProblemKind::PlacementHeld, place));
        let key_pair = format!("{template}@{provider}: {}", problems::creating::KEY_PAIR);
        evidence.over.extend(held);
        evidence.over.insert(problem_key(ProblemKind::NotOffered, &key_pair));
    }
    unfinished(&mut evidence, at_deadline);
    evidence
}

fn end_all(evidence: &mut Evidence, state: &State, kind: ProblemKind) {
    let alike = state.problems.iter().filter(|(_, problem)| problem.kind == kind);
    evidence.over.extend(alike.map(|(key, _)| key.clone()));
}

fn unfinished(evidence: &mut Evidence, at_deadline: Option<bool>) {
    if at_deadline == Some(true) {
        let sentence = "a pass came near limits.pass_deadline and left actions to the next one: a service is slow, or there \
                        is too much to do; look with -vv how long its requests take";
        evidence.add(Finding::new(ProblemKind::Unfinished, "", sentence));
    } else if at_deadline.is_some() {
        evidence.over.insert(problem_key(ProblemKind::Unfinished, ""));
    }
}

/// Remembers since when actions fail; of servers that are refused the planner keeps account.
fn remember_failing<'a>(state: &mut State, actions: impl Iterator<Item = &'a Action>, now: Timestamp) {
    for action in actions {
        let is_of_template = action.kind == ActionKind::Register && action.node.is_some();
        if action.kind == ActionKind::Create || is_of_template {
            continue;
        }
        let name = action.target.as_ref().unwrap_or(&action.name);
        let key = format!("{} {name}", action.kind.word());
        match action.result {
            Outcome::Failed | Outcome::Unknown => fails(state, key, name, action, now),
            Outcome::Done => drop(state.failing.remove(&key)),
            Outcome::Planned | Outcome::Refused | Outcome::Skipped => {}
        }
    }
    let is_recent = |failing: &FailingAction| now.duration_since(failing.last).abs() < FORGET_AFTER;
    state.failing.retain(|_, failing| is_recent(failing));
}

fn fails(state: &mut State, key: String, name: &str, action: &Action, now: Timestamp) {
    if state.failing.len() >= MOST && !state.failing.contains_key(&key) {
        return;
    }
    let since = state.failing.get(&key).map_or(now, |before| before.since.min(now));
    let failing = FailingAction {
        name: name.to_owned(),
        action: action.kind.word().to_owned(),
        makes: matches!(action.kind, ActionKind::Register | ActionKind::CreateFloatingIp),
        provider: action.provider.clone(),
        since,
        last: now,
        error: action.error.clone().unwrap_or_default(),
    };
    state.failing.insert(key, failing);
}
