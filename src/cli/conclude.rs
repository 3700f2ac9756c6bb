//! The end of a pass, whether or not it saw anything: its problems, its events, the state, and what it leaves for others.

use crate::config::Config;
use crate::error::Error;
use crate::plan::Context;
use crate::plan::problems::{Changes, Evidence, Finding, Line, remember};
use crate::report::record::{Record, record};
use crate::report::view::{PassView, Rows, Saw};
use crate::state::{State, file};

use super::notify;
use super::outputs;
use super::problems::{self, Audience};

/// A pass that has done all that it does.
pub struct Ended<'a> {
    pub config: &'a Config,
    pub context: &'a Context,
    /// Its exit code, if the state can be saved.
    pub exit: u8,
    pub seconds: f64,
    /// What it saw and did; `None` where it saw nothing.
    pub saw: Option<Saw<'a>>,
    /// The problems that no look at the world shows; `None` for a command by hand, which is no pass.
    pub around: Option<Vec<Finding>>,
}

/// What is left to be said.
pub struct Concluded {
    /// What is said of problems.
    pub lines: Vec<Line>,
    /// Why the state could not be saved.
    pub error: Option<Error>,
}

/// Ends a pass: brings the problems up to date, saves the state, and leaves for others what they read.
pub fn conclude(ended: Ended<'_>, state: &mut State, evidence: Evidence, audience: Audience) -> Concluded {
    let Ended {
        config,
        context,
        exit,
        seconds,
        saw,
        around,
    } = ended;
    let is_pass = around.is_some();
    let mut lines = Vec::new();
    let is_shown = is_pass && (config.outputs.metrics_file.is_some() || config.outputs.status_page.is_some());
    let rows = is_shown.then(|| Rows::new(saw.as_ref(), config, state, context.now));
    outputs::settle(config, &mut state.events);
    if let Some(around) = around {
        let changes = problems::remember(state, evidence, around, context.now);
        problems::note(state, &changes, context);
        lines = audience.lines(state, &changes, context.now, config.remind);
        notify::owe(state, config, changes, context.now);
        record(
            state,
            &Record {
                config,
                context,
                exit,
                seconds,
                saw: saw.as_ref(),
                rows: rows.as_ref(),
            },
        );
    }
    outputs::forget(config, &mut state.events);
    let save = |state: &State| file::save(&config.state_file, state).map_err(Error::from);
    let mut error = save(state).err();
    let mut unwritten = Evidence::default();
    if let Some(rows) = &rows {
        unwritten = outputs::leave(&PassView {
            config,
            now: context.now,
            pass: &context.pass,
            exit: error.as_ref().map_or(exit, Error::exit_code),
            seconds,
            saw,
            rows,
            state,
        });
    }
    // The events of a state that is not saved are derived again by the next pass.
    if error.is_none() {
        outputs::append(config, state, &mut unwritten);
    }
    // What is written as before is no news, and needs no second look at the state.
    if is_pass && outputs::is_news(&unwritten, state) {
        let changes = remember(state, unwritten, context.now);
        problems::note(state, &changes, context);
        audience.add_lines(&mut lines, state, &changes, context.now, config.remind);
        notify::owe(state, config, changes, context.now);
        outputs::forget(config, &mut state.events);
        error = error.or(save(state).err());
    }
    Concluded { lines, error }
}

impl Audience {
    /// Adds what a later change of the same pass leaves to be said.
    fn add_lines(
        self,
        lines: &mut Vec<Line>,
        state: &mut State,
        changes: &Changes,
        now: jiff::Timestamp,
        remind: jiff::SignedDuration,
    ) {
        let later = self.lines(state, changes, now, remind);
        match self {
            // Who looks on is shown all that is open.
            Self::Reader => *lines = later,
            Self::Cron | Self::Quiet => lines.extend(later),
        }
    }
}
