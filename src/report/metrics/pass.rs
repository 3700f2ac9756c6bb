//! The metrics of the pass itself, and of its problems.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{ProblemKind, Severity, problem_key};
use crate::report::metrics::list;
use crate::report::metrics::writer::Writer;
use crate::report::view::PassView;
use crate::state::State;
use crate::version;

/// Writes which program it was, and how the pass ended.
pub fn write_end(writer: &mut Writer, view: &PassView<'_>) {
    writer.sample(&list::BUILD_INFO, &[version::VERSION, version::COMMIT], 1);
    writer.sample(&list::PASS_SUCCESS, &[], u8::from(view.exit == 0));
    writer.sample(&list::PASS_EXIT_CODE, &[], view.exit);
    writer.sample(&list::PASS_DURATION, &[], view.seconds);
    writer.sample(&list::LAST_PASS, &[], view.now.as_second());
    let last = view.state.counters.as_ref().and_then(|counters| counters.last_success);
    // One that did all and could not save its memory had counted itself.
    let last = last.filter(|last| view.exit == 0 || *last != view.now);
    writer.sample(&list::LAST_SUCCESS, &[], last.map_or(0, Timestamp::as_second));
}

/// Writes how many problems are open: a row for each kind, so that an alert sees one begin.
pub fn write_problems(writer: &mut Writer, view: &PassView<'_>) {
    let mut counts: BTreeMap<&str, (Severity, u64)> = BTreeMap::new();
    for kind in ProblemKind::ALL {
        counts.insert(kind.word(), (kind.severity(), 0));
    }
    for problem in view.state.problems.values().filter(|problem| problem.ended.is_none()) {
        let kind = problem.kind;
        counts.entry(kind.word()).or_insert((kind.severity(), 0)).1 += 1;
    }
    for (kind, (severity, count)) in counts {
        writer.sample(&list::PROBLEMS, &[kind, word(severity)], count);
    }
    let held = problem_key(ProblemKind::GuardHeld, "");
    writer.sample(&list::GUARD_HELD, &[], u8::from(is_open(view.state, &held)));
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Returns whether a problem is open.
pub fn is_open(state: &State, key: &str) -> bool {
    state.problems.get(key).is_some_and(|problem| problem.ended.is_none())
}
