//! Tells the command of `notify` which problems began and ended.
//!
//! It is called when the state is saved and the lock is free again, so that a slow command holds no pass up. What it did not
//! take is kept in the state and offered again, for a day.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: waits for the lock to write down what was told"
)]

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use log::{debug, warn};
use serde::Serialize;

use crate::config::{Config, Notify};
use crate::error::{Error, chain};
use crate::lock::{self, Patience};
use crate::model::Problem;
use crate::plan::problems::Changes;
use crate::process::{self, Program, Ran, RunEnd};
use crate::state::file::{self, StateFile};
use crate::state::{Notice, State};
use crate::text::printable;

/// What was not taken for so long is given up.
const OFFER_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The most notices that are kept.
const MOST: usize = 1_000;

/// How long the lock is waited for, to write down what was taken. Who has it meanwhile offers nothing again.
const LOCK_FOR: Duration = Duration::from_secs(5);

/// The largest output of the command that is read.
const MAX_OUTPUT: u64 = 64 << 10;

/// Remembers what the command is owed, and that this pass is about to call it.
pub fn owe(state: &mut State, config: &Config, changes: Changes, now: Timestamp) {
    let Some(notify) = &config.notify else {
        state.notify = crate::state::NotifyMemory::default();
        return;
    };
    let memory = &mut state.notify;
    let notice = |ended: bool| {
        move |problem| Notice {
            at: now,
            ended,
            problem,
        }
    };
    memory.pending.extend(changes.ended.into_iter().map(notice(true)));
    memory.pending.extend(changes.began.into_iter().map(notice(false)));
    memory
        .pending
        .retain(|notice| now.duration_since(notice.at).abs() < OFFER_FOR);
    let surplus = memory.pending.len().saturating_sub(MOST);
    memory.pending.drain(..surplus);
    // A pass that came just before may still be calling.
    let busy = notify.timeout + LOCK_FOR;
    let is_called = memory
        .called
        .is_some_and(|then| now.duration_since(then).unsigned_abs() < busy);
    memory.called = match memory.called {
        Some(then) if is_called => Some(then),
        _ => (!memory.pending.is_empty()).then_some(now),
    };
}

#[derive(Serialize)]
struct Message<'m> {
    version: u32,
    owner: &'m str,
    began: Vec<&'m Problem>,
    ended: Vec<&'m Problem>,
    open: Vec<Problem>,
}

/// Calls the command, if this pass is to; the lock must be free. Nothing that goes wrong here is an error of the pass.
pub fn call(config: &Config, now: Timestamp) {
    let Some(notify) = &config.notify else { return };
    let Ok(StateFile::State(state)) = file::load(&config.state_file) else {
        return;
    };
    let pending = &state.notify.pending;
    if pending.is_empty() || state.notify.called != Some(now) {
        return;
    }
    let of = |ended: bool| {
        pending
            .iter()
            .filter(move |notice| notice.ended == ended)
            .map(|notice| &notice.problem)
    };
    let message = Message {
        version: 1,
        owner: &config.owner,
        began: of(false).collect(),
        ended: of(true).collect(),
        open: state.open_problems(),
    };
    let outcome = serde_json::to_vec(&message)
        .map_err(|error| error.to_string())
        .and_then(|text| run(notify, &text));
    if let Err(reason) = &outcome {
        debug!("notify: {reason}");
    }
    if let Err(error) = write_down(config, pending, outcome.err(), now) {
        warn!(
            "notify: what it was told cannot be written down, it is told again: {}",
            chain(&error)
        );
    }
}

fn run(notify: &Notify, text: &[u8]) -> Result<(), String> {
    let environment: BTreeMap<&str, &str> = notify
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let program = Program {
        executable: &notify.program,
        arguments: notify.arguments.iter().map(String::as_str).collect(),
        folder: &notify.folder,
        environment,
        max_output: MAX_OUTPUT,
    };
    let ran = process::run(&program, text, notify.timeout).map_err(|error| format!("it cannot be run: {error}"))?;
    if ran.ended == RunEnd::Code(0) {
        return Ok(());
    }
    Err(format!("{}{}", ran.ended, last_line(&ran)))
}

/// Returns the last line of stderr, behind a colon.
fn last_line(ran: &Ran) -> String {
    let text = String::from_utf8_lossy(&ran.stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(String::new, |line| format!(": {}", printable(line.trim(), 300)))
}

/// Writes down what the command was told, or why it was not.
fn write_down(config: &Config, told: &[Notice], failed: Option<String>, now: Timestamp) -> Result<(), Error> {
    let stop = AtomicBool::new(false);
    let patience = Patience {
        wait: LOCK_FOR,
        stop: &stop,
    };
    let _lock = lock::take(&lock::path_for(&config.state_file), &patience, now, &sleep)?;
    let StateFile::State(mut state) = file::load(&config.state_file)? else {
        return Ok(());
    };
    if failed.is_none() {
        state.notify.pending.retain(|notice| !told.contains(notice));
    }
    state.notify.failed = failed;
    // The next pass may call.
    state.notify.called = None;
    Ok(file::save(&config.state_file, &state)?)
}
