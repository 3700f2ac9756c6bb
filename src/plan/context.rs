//! What a pass may do, and when.

use jiff::Timestamp;

use crate::model::TemplateName;

/// What a pass may do, and when and as what it does it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The one reading of the clock.
    pub now: Timestamp,
    /// The id of the pass: random, hexadecimal; the ids of new nodes are made from it.
    pub pass: String,
    /// Whether servers may be made (`run`, `provision`).
    pub create: bool,
    /// Whether nodes and servers may be removed (`run`, `reap`).
    pub remove: bool,
    /// Lifts the deletion guard (`--force`).
    pub force: bool,
    /// Creates that were asked for already in this pass (it planned again after a refusal).
    pub created: u32,
    /// What an operator asked for (`provision --template`): then nothing else is done.
    pub asked: Option<Asked>,
}

/// Servers that an operator asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The entry of `nodes:`.
    pub template: TemplateName,
    /// How many are still to be made.
    pub count: u32,
}
