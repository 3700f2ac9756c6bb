//! The end of every command that acts: audits the plan, executes it unless it is a dry run, saves and reports.

use std::mem::forget;

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::model::{Observed, Problem};
use crate::pass::{Audit, Executed, Pass, rows, unreadable};
use crate::plan::problems::{Finding, Line};
use crate::plan::{Context, Plan};
use crate::report::view::Saw;
use crate::report::{Action, Outcome, PassReport, Seen, json, text};
use crate::state::{State, file};

use super::args::Output;
use super::conclude::{Concluded, Ended, conclude};
use super::console::Console;
use super::mode::Mode;
use super::problems::{self, Audience};

/// Audits a plan, executes it unless it is a dry run, saves, and reports. Returns the exit code.
pub fn finish(
    mut pass: Pass<'_>,
    plan: Plan,
    mode: Mode,
    audit: Audit,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    pass.check(audit, &plan)?;
    let end = if mode.dry_run {
        let known = pass.state().problems_only();
        let around = pass.take_around();
        dry(plan, pass.observed(), known, around, pass.context(), mode, console)
    } else {
        execute(&mut pass, plan, mode, console)
    };
    let end = End {
        seen: pass.seen(&end.plan),
        seconds: pass.seconds(),
        ..end
    };
    Ok(end.report(pass.context(), mode, console))
}

/// Ends a pass that only prints what it would do.
pub fn dry(
    mut plan: Plan,
    observed: &Observed,
    mut known: State,
    around: Option<Vec<Finding>>,
    context: &Context,
    mode: Mode,
    console: &mut Console<'_, '_>,
) -> End {
    let actions = print_planned(&plan, mode, console);
    let mut faults = Faults::of_plan(observed, &plan);
    faults.leave_unmade(&mut plan, mode);
    let changes = around.map(|around| {
        let evidence = std::mem::take(&mut plan.problems);
        problems::remember(&mut known, evidence, around, context.now)
    });
    let changes = changes.unwrap_or_default();
    End {
        seen: Seen::default(),
        seconds: 0.0,
        exit: faults.exit(&actions, mode),
        lines: Audience::Reader.lines(&mut known, &changes, context.now, jiff::SignedDuration::ZERO),
        problems: known.open_problems(),
        plan,
        actions,
        faults,
    }
}

fn execute(pass: &mut Pass<'_>, plan: Plan, mode: Mode, console: &mut Console<'_, '_>) -> End {
    let prints = mode.prints_text(console);
    let mut faults = Faults::of_plan(pass.observed(), &plan);
    let path = &pass.config().state_file;
    let save = |state: &State| file::save(path, state).map_err(Error::from);
    let out = &mut *console.io.out;
    let mut heard = |action: &Action| {
        if prints {
            let _ = text::action(out, action).and_then(|()| out.flush());
        }
    };
    let Executed {
        mut state,
        actions,
        mut plan,
        ended,
        left,
        evidence,
        broken,
    } = pass.act(plan, &save, &mut heard);
    faults.partly |= left || plan.partly;
    faults.leave_unmade(&mut plan, mode);
    faults.ended = ended;
    faults.error = broken;
    let exit = faults.exit(&actions, mode);
    // A command by hand is no pass: the last one is kept.
    if !mode.named
        && let Some(last) = &mut state.last_pass
    {
        last.exit = Some(exit);
        last.milliseconds = Some(pass.milliseconds());
    }
    let seen = pass.seen(&plan);
    let seconds = pass.seconds();
    let around = pass.take_around();
    let ended = Ended {
        config: pass.config(),
        context: pass.context(),
        exit,
        seconds,
        saw: Some(Saw {
            observed: pass.observed(),
            plan: &plan,
            seen: &seen,
        }),
        around,
    };
    // Even if it was stopped, what was done is saved, if possible, and reported.
    let Concluded { lines, error } = conclude(ended, &mut state, evidence, Audience::of(mode, console));
    faults.error = faults.error.or(error);
    let problems = state.open_problems();
    forget(state);
    End {
        seen,
        seconds,
        exit: faults.exit(&actions, mode),
        plan,
        actions,
        faults,
        lines,
        problems,
    }
}

/// Prints what would be done, as it is planned.
fn print_planned(plan: &Plan, mode: Mode, console: &mut Console<'_, '_>) -> Vec<Action> {
    let actions = rows::planned(plan);
    if mode.prints_text(console) {
        for action in &actions {
            let _ = text::action(console.io.out, action);
        }
    }
    actions
}

/// What makes the exit code other than 0, beside failed actions.
pub struct Faults {
    /// Whether something could not be read, was held back or was left undone.
    partly: bool,
    /// What was refused of that which an operator named.
    refused: Vec<String>,
    /// Why the pass ended early.
    ended: Option<&'static str>,
    /// What stopped the pass in the middle.
    error: Option<Error>,
}

impl Faults {
    /// Begins with what could not be read, and with what the plan holds back.
    fn of_plan(observed: &Observed, plan: &Plan) -> Self {
        Self {
            partly: !unreadable(observed).is_empty() || plan.partly || lacks(observed),
            refused: plan.warnings.clone(),
            ended: None,
            error: None,
        }
    }

    /// Takes over why servers that an operator asked for are not made; programs read it among the notes.
    fn leave_unmade(&mut self, plan: &mut Plan, mode: Mode) {
        if let Some(unmade) = plan.unmade.take() {
            if mode.output == Some(Output::Json) {
                plan.notes.push(unmade.clone());
            }
            self.refused.push(unmade);
        }
    }

    fn exit(&self, actions: &[Action], mode: Mode) -> u8 {
        if let Some(error) = &self.error {
            return error.exit_code();
        }
        let is_good = !self.partly && self.refused.is_empty() && self.ended.is_none();
        if is_good && !actions.iter().any(|action| is_failure(action, mode)) {
            EXIT_DONE
        } else {
            EXIT_PARTLY
        }
    }
}

/// Returns whether an action failed, so that it is an error in the exit code.
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
    pub exit: u8,
    /// The last plan: what is unmet, and the notes.
    pub plan: Plan,
    /// What was done, or would be.
    pub actions: Vec<Action>,
    pub faults: Faults,
    /// What is said of problems.
    pub lines: Vec<Line>,
    /// The problems that are open.
    pub problems: Vec<Problem>,
}

impl End {
    /// Prints the report, and on stderr what went wrong. Returns the exit code.
    pub fn report(self, context: &Context, mode: Mode, console: &mut Console<'_, '_>) -> u8 {
        let Plan {
            unmet,
            notes,
            news,
            servers,
            ..
        } = self.plan;
        forget(servers);
        let report = PassReport {
            version: 1,
            pass: context.pass.clone(),
            dry_run: mode.dry_run,
            started: context.now,
            seconds: self.seconds,
            observed: self.seen,
            exit: self.exit,
            actions: self.actions,
            unmet,
            notes,
            problems: self.problems,
        };
        if mode.output == Some(Output::Json) {
            let _ = json::print(console.io.out, &report);
        } else if mode.prints_text(console) {
            let _ = text::closing(console.io.out, &report, !mode.named);
        }
        let _ = console.io.out.flush();
        for sentence in &news {
            console.warn(sentence);
        }
        for sentence in &self.faults.refused {
            // Whoever named it waits for an answer.
            if console.quiet {
                console.error(sentence);
            } else {
                console.warn(sentence);
            }
        }
        for line in &self.lines {
            console.say(line);
        }
        complain(&self.faults, &report, mode, console);
        report.exit
    }
}

/// Prints on stderr what went wrong. A failed action of a pass belongs to a problem: its own line is for who looks on.
fn complain(faults: &Faults, report: &PassReport, mode: Mode, console: &mut Console<'_, '_>) {
    if let Some(reason) = faults.ended {
        console.warn(&format!("{reason}; the rest is left to the next pass"));
    }
    // A terminal that shows the actions has shown their errors.
    let is_shown = console.io.terminal && mode.prints_text(console);
    let is_read = mode.named || Audience::of(mode, console) == Audience::Reader;
    if is_read && !is_shown {
        for action in &report.actions {
            if let Some(error) = action.error.as_ref().filter(|_| is_failure(action, mode)) {
                console.error(&format!("{} {}: {error}", action.kind.word(), action.name));
            }
        }
    }
    if let Some(error) = &faults.error {
        console.error(&chain(error));
    }
}

/// Whether a template names what its provider does not have.
fn lacks(observed: &Observed) -> bool {
    let views = observed.clouds.values().filter_map(|cloud| cloud.ok());
    let offers = views.filter_map(|view| view.offers.as_ref()?.ok());
    offers.flat_map(|offers| offers.templates.values()).any(Result::is_err)
}
