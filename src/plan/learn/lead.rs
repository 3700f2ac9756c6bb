//! The times that what is learned is measured by.

use crate::model::TemplateName;
use crate::plan::clock::usual_gap;
use crate::plan::fleet::boots;
use crate::state::State;

/// Over how many seconds a spare is learned.
pub const HISTORY: i64 = 2 * 60 * 60;

/// Returns the seconds from the moment at which more is needed to the one at which a node that was asked for then has
/// joined: the median boot and the usual gap between passes. `None` where no boot or no gap is known.
pub fn lead(state: &State, template: &TemplateName) -> Option<i64> {
    let boot = boots::median(state, template)?.as_secs();
    Some(boot.saturating_add(usual_gap(state)?).max(1))
}
