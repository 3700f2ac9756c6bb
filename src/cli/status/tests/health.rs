//! `status --check`: one line and an exit code, by the state alone.

use jiff::SignedDuration;
use serde_json::json;

use super::site::{ago, now};
use crate::cli::status::health::{Level, Passes};
use crate::lock::Held;
use crate::model::ProblemKind;
use crate::state::{LastPass, ProblemMemory, State};

/// A state whose last pass was so long ago, with its exit code, and the seconds between passes.
fn state(seconds: i64, exit: Option<u8>, gaps: &[i64]) -> State {
    State {
        last_pass: Some(LastPass {
            exit,
            milliseconds: exit.map(|_| 1300),
            ..LastPass::begun("p", ago(seconds))
        }),
        gaps: gaps.to_vec(),
        ..State::default()
    }
}

fn with(kinds: &[ProblemKind], mut state: State) -> State {
    for kind in kinds {
        let memory: ProblemMemory = serde_json::from_value(json!({
            "kind": kind, "sentence": format!("it is {} | so", kind.word()), "since": ago(90), "seen": ago(30),
        }))
        .unwrap();
        state.problems.insert(kind.word().to_owned(), memory);
    }
    state
}

fn passes(state: &State) -> Passes<'_> {
    Passes {
        state,
        now: now(),
        running: None,
        deadline: SignedDuration::from_mins(5),
    }
}

#[track_caller]
fn check(passes: Passes<'_>, level: Level, text: &str) {
    let verdict = passes.verdict();
    assert_eq!((verdict.level, verdict.text.as_str()), (level, text));
}

#[test]
fn a_pass_that_ended_well_is_fine_until_it_is_overdue() {
    let minutely = [60; 10];
    check(
        passes(&state(40, Some(0), &minutely)),
        Level::Ok,
        "last pass 40s ago, no problems",
    );
    check(
        passes(&state(180, Some(0), &minutely)),
        Level::Ok,
        "last pass 3m ago, no problems",
    );
    check(
        passes(&state(181, Some(0), &minutely)),
        Level::Critical,
        "no pass for 3m, usually one every 1m",
    );
    check(
        passes(&state(10_800, Some(0), &[3600; 4])),
        Level::Ok,
        "last pass 3h 00m ago, no problems",
    );
    // `reap` right behind `provision`, every minute.
    check(
        passes(&state(62, Some(0), &[2, 58, 2, 58, 2])),
        Level::Ok,
        "last pass 1m ago, no problems",
    );
    // One pass by hand; nobody knows when the next is due, but some day it is.
    check(
        passes(&state(7200, Some(0), &[])),
        Level::Ok,
        "last pass 2h 00m ago, no problems",
    );
    check(
        passes(&state(14_400, Some(0), &[])),
        Level::Critical,
        "no pass for 4h 00m",
    );
}

#[test]
fn the_exit_code_of_the_last_pass_counts() {
    for (exit, level, text) in [
        (1, Level::Warning, "exit 1 (something failed or was left undone)"),
        (3, Level::Critical, "exit 3 (configuration or state file unusable)"),
        (4, Level::Critical, "exit 4 (could not observe)"),
    ] {
        check(
            passes(&state(40, Some(exit), &[60])),
            level,
            &format!("the last pass ended with {text}"),
        );
    }
}

#[test]
fn none_ever_and_one_that_was_cut_off_are_errors() {
    check(passes(&State::default()), Level::Critical, "no pass was ever made");
    check(
        passes(&state(40, None, &[60])),
        Level::Critical,
        "the last pass was cut off, 40s ago",
    );
}

/// The same while a pass holds the lock.
fn run(state: &State) -> Passes<'_> {
    Passes {
        running: Some(Held { since: Some(ago(45)) }),
        ..passes(state)
    }
}

#[test]
fn a_pass_that_runs_is_not_cut_off_and_the_one_before_counts() {
    let mut running = state(40, None, &[60]);
    check(run(&running), Level::Ok, "a pass has been running for 40s, no problems");
    running.last_pass.as_mut().unwrap().exit_before = Some(1);
    let text = "the last pass ended with exit 1 (something failed or was left undone)";
    check(run(&running), Level::Warning, text);
    // It saved nothing yet, and the last one was long ago.
    check(
        run(&state(240, Some(0), &[60])),
        Level::Ok,
        "last pass 4m ago, no problems",
    );
    check(run(&State::default()), Level::Ok, "the first pass is running");
}

#[test]
fn a_pass_that_does_not_end_is_an_error() {
    let running = state(500, None, &[60]);
    for since in [Some(ago(500)), None] {
        let run = Passes {
            running: Some(Held { since }),
            ..passes(&running)
        };
        check(
            run,
            Level::Critical,
            "a pass has been running for 8m (limits.pass_deadline)",
        );
    }
}

#[test]
fn problems_count_by_their_severity_and_the_worst_is_said() {
    let warned = with(&[ProblemKind::AtMax], state(40, Some(0), &[60]));
    check(passes(&warned), Level::Warning, "1 warning: it is at-max | so");
    let failed = with(
        &[ProblemKind::AtMax, ProblemKind::GuardHeld, ProblemKind::Unserved],
        state(40, Some(1), &[60]),
    );
    let text = "the last pass ended with exit 1 (something failed or was left undone); 1 error, 2 warnings: it is \
                guard-held | so";
    check(passes(&failed), Level::Critical, text);
}

#[test]
fn the_line_is_one_line_that_nagios_reads_whole() {
    let line = Level::Critical.line("linux||x86\u{1b}[31m\nno\u{202e} host");
    assert_eq!(line, "MITA CRITICAL: linux//x86\\u{1b}[31m no\\u{202e} host");
    assert!(Level::Unknown.line(&"x ".repeat(1000)).chars().count() < 450);
    let codes = [Level::Ok, Level::Warning, Level::Critical, Level::Unknown].map(Level::exit_code);
    assert_eq!(codes, [0, 1, 2, 3]);
}

#[test]
fn the_lock_is_looked_at_only_in_doubt() {
    for (state, doubt) in [
        (state(40, Some(0), &[60]), false),
        (state(40, None, &[60]), true),
        (state(400, Some(0), &[60]), true),
        (State::default(), true),
    ] {
        assert_eq!(passes(&state).is_in_doubt(), doubt, "{state:?}");
    }
}
