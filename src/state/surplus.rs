//! How many idle nodes of a template were to spare in the last passes.
//!
//! What follows from it is decided in `plan::remove`.

use serde::{Deserialize, Serialize};

/// The least number of idle nodes that were to spare, over a window of passes that slides. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurplusMemory {
    /// Since when each pass counted.
    pub since: i64,
    /// When the last three passes counted, oldest first.
    pub passes: Vec<i64>,
    /// How many nodes took work in the last pass.
    pub nodes: u32,
    /// Passes and how many nodes were to spare in each, oldest first; without those that a later pass with as few or fewer
    /// follows, so that the first is the least of all. 64 at most.
    pub least: Vec<(i64, u32)>,
}
