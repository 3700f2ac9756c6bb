//! The end of every command that acts: audits the plan, executes it unless it is a dry run, saves and reports.

use std::mem::forget;

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::model::Observed;
use crate::pass::{Audit, Pass, rows, unreadable};
use crate::plan::{Context, Plan};
use crate::report::{Action, Outcome, PassReport, Seen, json, text};
use crate::state::{State, file};

use super::args::Output;
use super::console::Console;
use super::mode::Mode;

/// Audits a plan, executes it unless it is a dry run, saves, and reports. Returns the exit code.
pub fn finish(
    mut pass: Pass<'_>,
    plan: Plan,
    mode: Mode,
    audit: Audit,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    pass.check(audit, &plan)?;
    let mut problems = Problems::new(pass.observed(), &plan);
    problems.warnings.extend(pass.missing());
    let (actions, mut plan) = if mode.dry_run {
        (print_planned(&plan, mode, console), plan)
    } else {
        execute(&mut pass, plan, mode, &mut problems, console)
    };
    problems.leave_unmade(&mut plan, mode);
    let end = End {
        seen: pass.seen(&plan),
        seconds: pass.seconds(),
        plan,
        actions,
        problems,
    };
    Ok(end.report(pass.context(), mode, console))
}

fn execute(
    pass: &mut Pass<'_>,
    plan: Plan,
    mode: Mode,
    problems: &mut Problems,
    console: &mut Console<'_, '_>,
) -> (Vec<Action>, Plan) {
    let prints = mode.prints_text(console);
    let path = &pass.config().state_file;
    let save = |state: &State| file::save(path, state).map_err(Error::from);
    let out = &mut *console.io.out;
    let mut heard = |action: &Action| {
        if prints {
            let _ = text::action(out, action).and_then(|()| out.flush());
        }
    };
    let done = pass.act(plan, &save, &mut heard);
    // Even if it was stopped, what was done is saved, if possible, and reported.
    let saved = save(&done.state);
    problems.error = done.broken.or(saved.err());
    forget(done.state);
    let left = done
        .ended
        .map(|reason| format!("{reason}; the rest is left to the next pass"));
    problems.warnings.extend(left);
    problems.warnings.extend(done.left);
    (done.actions, done.plan)
}

/// Prints what would be done, as it is planned.
pub fn print_planned(plan: &Plan, mode: Mode, console: &mut Console<'_, '_>) -> Vec<Action> {
    let actions = rows::planned(plan);
    if mode.prints_text(console) {
        for action in &actions {
            let _ = text::action(console.io.out, action);
        }
    }
    actions
}

/// What went wrong beside the actions.
pub struct Problems {
    /// What makes the exit code 1.
    warnings: Vec<String>,
    /// What an operator reads once, without any effect on the exit code.
    news: Vec<String>,
    /// What stopped the pass in the middle.
    error: Option<Error>,
}

impl Problems {
    /// Begins with what could not be read, and with what the plan warns of.
    pub fn new(observed: &Observed, plan: &Plan) -> Self {
        let mut warnings = unreadable(observed);
        warnings.extend(plan.warnings.iter().cloned());
        Self {
            warnings,
            news: plan.news.clone(),
            error: None,
        }
    }

    /// Takes over why servers that an operator asked for are not made; programs read it among the notes.
    pub fn leave_unmade(&mut self, plan: &mut Plan, mode: Mode) {
        if let Some(unmade) = plan.unmade.take() {
            if mode.output == Some(Output::Json) {
                plan.notes.push(unmade.clone());
            }
            self.warnings.push(unmade);
        }
    }

    fn exit(&self, actions: &[Action], mode: Mode) -> u8 {
        if let Some(error) = &self.error {
            error.exit_code()
        } else if self.warnings.is_empty() && !actions.iter().any(|action| is_failure(action, mode)) {
            EXIT_DONE
        } else {
            EXIT_PARTLY
        }
    }
}

/// Returns whether an action failed, so that it is an error on stderr and in the exit code.
fn is_failure(action: &Action, mode: Mode) -> bool {
    match action.result {
        Outcome::Failed | Outcome::Unknown => true,
        Outcome::Skipped => mode.named,
        Outcome::Planned | Outcome::Done | Outcome::Refused => false,
    }
}

/// All that a report is made of.
pub struct End {
    pub seen: Seen,
    pub seconds: f64,
    /// The last plan: what is unmet, and the notes.
    pub plan: Plan,
    /// What was done, or would be.
    pub actions: Vec<Action>,
    pub problems: Problems,
}

impl End {
    /// Prints the report, and on stderr what went wrong. Returns the exit code.
    pub fn report(self, context: &Context, mode: Mode, console: &mut Console<'_, '_>) -> u8 {
        let Plan {
            unmet, notes, servers, ..
        } = self.plan;
        forget(servers);
        let report = PassReport {
            version: 1,
            pass: context.pass.clone(),
            dry_run: mode.dry_run,
            started: context.now,
            seconds: self.seconds,
            observed: self.seen,
            exit: self.problems.exit(&self.actions, mode),
            actions: self.actions,
            unmet,
            notes,
        };
        if mode.output == Some(Output::Json) {
            let _ = json::print(console.io.out, &report);
        } else if mode.prints_text(console) {
            let _ = text::closing(console.io.out, &report, !mode.named);
        }
        let _ = console.io.out.flush();
        complain(&self.problems, &report, mode, console);
        report.exit
    }
}

/// Prints on stderr what went wrong.
fn complain(problems: &Problems, report: &PassReport, mode: Mode, console: &mut Console<'_, '_>) {
    for warning in problems.news.iter().chain(&problems.warnings) {
        console.warn(warning);
    }
    for action in &report.actions {
        if let Some(error) = action.error.as_ref().filter(|_| is_failure(action, mode)) {
            console.error(&format!("{} {}: {error}", action.kind.word(), action.name));
        }
    }
    if let Some(error) = &problems.error {
        console.error(&chain(error));
    }
}
