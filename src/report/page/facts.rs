//! What several parts of the page need, put together once.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::model::{Problem, Severity};
use crate::plan::{LEAST_GAP, ServerRow, TemplateRow, Waiting, overdue_after, usual_gap};
use crate::report::view::PassView;

/// What the page shows.
pub struct Facts<'a> {
    /// The pass.
    pub view: &'a PassView<'a>,
    /// Every server of ours.
    pub servers: &'a [ServerRow],
    /// Every template.
    pub templates: &'a [TemplateRow],
    /// The problems that are open, errors first.
    pub problems: Vec<Problem>,
    /// What waits, the oldest first; `None` where nobody knows.
    pub waiting: Option<Vec<&'a Waiting>>,
}

impl<'a> Facts<'a> {
    /// Puts it together.
    pub fn new(view: &'a PassView<'a>) -> Self {
        let waiting = view.saw.as_ref().map(|saw| {
            let mut rows: Vec<&Waiting> = saw.plan.waiting.iter().collect();
            rows.sort_by_key(|row| (Reverse(row.oldest_seconds), Reverse(row.items)));
            rows
        });
        Self {
            view,
            servers: &view.rows.servers,
            templates: &view.rows.templates,
            problems: view.state.open_problems(),
            waiting,
        }
    }

    /// Returns how much the worst problem matters.
    pub fn worst(&self) -> Option<Severity> {
        self.problems.iter().map(|problem| problem.severity).max()
    }

    /// Returns the items that wait.
    pub fn items(&self) -> Option<u64> {
        Some(self.waiting.as_ref()?.iter().map(|row| row.items).sum())
    }

    /// Returns for how many seconds the oldest of them waits; 0 where nothing does.
    pub fn oldest(&self) -> Option<u64> {
        let oldest = self.waiting.as_ref()?.first().map_or(0, |row| row.oldest_seconds);
        Some(u64::try_from(oldest).unwrap_or(0))
    }

    /// Returns the items that wait and get nothing.
    pub fn unserved(&self) -> u64 {
        let rows = self.waiting.iter().flatten();
        rows.filter(|row| row.served_by.is_none()).map(|row| row.items).sum()
    }

    /// Returns the sum of a number of the templates.
    pub fn sum(&self, part: fn(&TemplateRow) -> u32) -> u64 {
        self.templates.iter().map(|row| u64::from(part(row))).sum()
    }

    /// Returns when a pass last saw the site; `None`: never.
    pub fn seen(&self) -> Option<Timestamp> {
        match &self.view.saw {
            Some(_) => Some(self.view.now),
            None => self.view.state.last_pass.as_ref().map(|pass| pass.at),
        }
    }

    /// Returns the seconds that usually are between two passes.
    pub fn usual_gap(&self) -> i64 {
        usual_gap(self.view.state).unwrap_or(LEAST_GAP).max(LEAST_GAP)
    }

    /// Returns after how many seconds the page is stale: by then three passes are missing.
    pub fn stale_after(&self) -> i64 {
        overdue_after(self.view.state)
    }
}
