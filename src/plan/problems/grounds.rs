//! What the problems of a pass are derived from.

use std::collections::BTreeMap;

use crate::plan::create::grow::Growth;
use crate::plan::demand::items::Demand;
use crate::plan::fleet::Fleet;
use crate::plan::report::overview::Group;
use crate::state::ProblemMemory;

/// What the problems of a pass are derived from.
pub struct Grounds<'g, 'a> {
    /// What the pass knows.
    pub fleet: &'g Fleet<'a>,
    /// What waits.
    pub demand: &'g Demand<'a>,
    /// What is made, and why no more.
    pub growth: &'g Growth<'g>,
    /// For each label request its items by what serves them.
    pub groups: &'g [Vec<Group>],
    /// How many removals the guard held back, of how many agents; `None` where it was not asked.
    pub guard: Option<(usize, usize)>,
    /// The problems that are open.
    pub open: &'g BTreeMap<String, ProblemMemory>,
}
