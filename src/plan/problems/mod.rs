//! Problems: what an operator should know, derived anew by each pass from what it saw.
//!
//! A pass says what it found, and which of the open problems it has evidence against; `remember` makes of the two what is
//! open afterwards, `say` what cron mails. A problem that a pass neither finds nor has evidence against goes on: not known
//! is not over.

pub mod creating;
pub mod finding;
pub mod grounds;
pub mod linking;
pub mod pausing;
pub mod reading;
pub mod remember;
pub mod say;
pub mod staying;
pub mod waiting;

use crate::config::Config;
use crate::model::{Observed, ProblemKind, ProviderName};
use crate::plan::remove::guard;
use crate::state::{ProblemMemory, State};

pub use creating::refused_key_pair;
pub use finding::{Evidence, Finding};
pub use grounds::Grounds;
pub use reading::{jenkins_unreadable, unreadable};
pub use remember::{Changes, remember};
pub use say::Line;
pub use staying::removal_refused;

/// Finds the problems, and the open ones that are over.
pub fn judge(grounds: &Grounds<'_, '_>) -> Evidence {
    let mut evidence = Evidence::default();
    reading::find(grounds.fleet, &mut evidence);
    creating::find(grounds, &mut evidence);
    waiting::find(grounds, &mut evidence);
    staying::find(grounds, &mut evidence);
    linking::find(grounds, &mut evidence);
    pausing::find(grounds.fleet, &mut evidence);
    for (key, problem) in grounds.open.iter().filter(|(_, problem)| problem.ended.is_none()) {
        if is_over(problem, grounds) {
            evidence.over.insert(key.clone());
        }
    }
    evidence
}

/// Whether this pass has evidence that an open problem is over.
fn is_over(problem: &ProblemMemory, grounds: &Grounds<'_, '_>) -> bool {
    let fleet = grounds.fleet;
    if is_without_need(problem, fleet.config) {
        return true;
    }
    match problem.kind {
        // Each pass reads Jenkins and the pauses: what it does not find is over.
        ProblemKind::JenkinsUnreadable | ProblemKind::PausedForLong | ProblemKind::PausesUnreadable => true,
        ProblemKind::ProviderUnreadable => reading::is_readable(problem, fleet),
        ProblemKind::OddData => reading::is_even(problem, fleet),
        ProblemKind::NotOffered => creating::is_offered(problem, fleet),
        ProblemKind::CreateFailing => creating::has_joined(problem, fleet),
        ProblemKind::PlacementHeld => creating::was_taken(problem, fleet),
        ProblemKind::RolledBack => creating::is_rolled_forward(problem, fleet),
        ProblemKind::Unserved => waiting::is_served(problem, grounds),
        ProblemKind::AtMax => waiting::is_below_max(problem, grounds),
        ProblemKind::HiddenLabels => waiting::shows_labels(problem, grounds),
        ProblemKind::GuardHeld => {
            let holds_nothing = grounds.guard.is_some_and(|(held, _)| held == 0);
            // A provider that is not read shows fewer absent servers, and one that is read again shows them for the first
            // time: neither says that they are back.
            holds_nothing && sees_all_of(problem, fleet.observed) && !guard::may_hold(fleet)
        }
        ProblemKind::LinkUnsure | ProblemKind::DeadServer | ProblemKind::RefreshStuck => {
            sees_all_of(problem, fleet.observed)
        }
        ProblemKind::DeleteStuck => staying::is_gone(problem, fleet),
        ProblemKind::LabelDrift => linking::has_labels(problem, fleet),
        // What happens at the end of a pass or outside of it tells whether these are over.
        ProblemKind::RemovalRefused
        | ProblemKind::Insecure
        | ProblemKind::CannotWrite
        | ProblemKind::NotifyFailed
        | ProblemKind::Unfinished => false,
    }
}

/// Whether nothing in the configuration is what a problem is about any more.
fn is_without_need(problem: &ProblemMemory, config: &Config) -> bool {
    let forgotten = |provider: &ProviderName| !config.providers.contains_key(provider);
    problem.provider.as_ref().is_some_and(forgotten)
}

/// Whether the lists that would show a problem were read.
fn sees_all_of(problem: &ProblemMemory, observed: &Observed) -> bool {
    let is_read = |provider: &ProviderName| observed.clouds.get(provider).is_some_and(|cloud| cloud.ok().is_some());
    match &problem.provider {
        Some(provider) => is_read(provider),
        None => observed.clouds.values().all(|cloud| cloud.ok().is_some()),
    }
}

/// Takes over what a later plan of the same pass shows of the queue and of what can be made; of the rest the first knows
/// more, since the later one removes nothing.
pub fn follow(first: &mut Evidence, later: Evidence, open: &State) {
    let replaced = |kind: ProblemKind| {
        matches!(
            kind,
            ProblemKind::ProviderUnreadable
                | ProblemKind::NotOffered
                | ProblemKind::CreateFailing
                | ProblemKind::PlacementHeld
                | ProblemKind::Unserved
                | ProblemKind::AtMax
                | ProblemKind::HiddenLabels
        )
    };
    let is_replaced = |key: &String| open.problems.get(key).is_some_and(|problem| replaced(problem.kind));
    first.found.retain(|_, finding| !replaced(finding.kind));
    first.over.retain(|key| !is_replaced(key));
    let found = later.found.into_iter().filter(|(_, finding)| replaced(finding.kind));
    first.found.extend(found);
    first.over.extend(later.over.into_iter().filter(is_replaced));
}
