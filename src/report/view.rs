//! What an ended pass shows to those who read its metrics or its page.

use jiff::Timestamp;

use crate::config::Config;
use crate::model::Observed;
use crate::plan::{Plan, ServerRow, TemplateRow, after_acting, remembered};
use crate::report::Seen;
use crate::state::State;

/// A pass that has ended.
pub struct PassView<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// When it looked.
    pub now: Timestamp,
    /// Its id.
    pub pass: &'a str,
    /// Its exit code.
    pub exit: u8,
    /// How long it took.
    pub seconds: f64,
    /// What it saw and did; `None` where it could not read Jenkins, or any provider.
    pub saw: Option<Saw<'a>>,
    /// The servers and templates as it left them.
    pub rows: &'a Rows,
    /// The memory that it left.
    pub state: &'a State,
}

/// What a pass saw and did.
pub struct Saw<'a> {
    /// Jenkins and the clouds.
    pub observed: &'a Observed,
    /// The last plan: what waits, the templates, the notes.
    pub plan: &'a Plan,
    /// Counts, and the requests that were made.
    pub seen: &'a Seen,
}

/// The servers and the templates as a pass left them; of one that saw nothing, as they were last known.
pub struct Rows {
    /// Every server of ours.
    pub servers: Vec<ServerRow>,
    /// Every template.
    pub templates: Vec<TemplateRow>,
}

impl Rows {
    /// Puts them together, from what a pass saw and from the memory that it leaves.
    pub fn new(saw: Option<&Saw<'_>>, config: &Config, state: &State, now: Timestamp) -> Self {
        let (servers, templates) = match saw {
            Some(saw) => after_acting(&saw.plan.servers, config, state, now),
            None => remembered(config, state, now),
        };
        Self { servers, templates }
    }
}
