//! `run`, `provision` and `reap`: one pass, from the lock to the exit code.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long the pass takes")]

use std::collections::BTreeMap;
use std::mem::{ManuallyDrop, forget};
use std::time::Instant;

use jiff::SignedDuration;

use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_PARTLY, Error, chain};
use crate::model::Observed;
use crate::pass::saved::Saved;
use crate::pass::{self, Decision, Live, rows};
use crate::plan::{self, Context, Plan};
use crate::report::{Action, Outcome, Report, Seen, json, text};
use crate::state::{State, file};

use super::args::{Cli, Output, PassArgs};
use super::console::Console;
use super::setup;

/// The passes that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Creates and removes.
    Run,
    /// Only creates.
    Provision,
    /// Only removes.
    Reap,
}

/// Makes one pass.
pub fn pass(cli: &Cli, args: &PassArgs, kind: Kind, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let mut config = setup::config(cli, console)?;
    let mut context = Context {
        now: console.io.now,
        pass: setup::pass_id()?,
        create: kind != Kind::Reap,
        remove: kind != Kind::Provision,
        force: args.force,
        created: 0,
    };
    if let Some(path) = &args.replay {
        let saved = Saved::read(path)?;
        (context.now, context.pass) = (saved.now, saved.pass);
        return replay(&config, &context, &saved.observed, &saved.state, args.output, console);
    }
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: false,
    };
    if how.dry_run {
        let state = setup::state(&config, false, console)?;
        return live_pass(&config, args, state, &context, how, console);
    }
    let lock = setup::lock(&config, args.wait, console)?;
    config.write_tokens();
    // What the pass before did while this one waited is not to look as if it came from the future.
    context.now = SignedDuration::try_from(lock.waited)
        .ok()
        .and_then(|waited| context.now.checked_add(waited).ok())
        .unwrap_or(context.now);
    let state = setup::state(&config, true, console)?;
    live_pass(&config, args, state, &context, how, console)
}

/// Whether a command acts, and how it prints.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Whether it only prints.
    pub dry_run: bool,
    /// The format that was asked for.
    pub output: Option<Output>,
    /// Whether an operator named what is to be done: then what is skipped is a failure.
    pub named: bool,
}

impl How {
    /// Returns whether text is printed: on request, on a terminal, and by every dry run.
    fn prints_text(self, console: &Console<'_, '_>) -> bool {
        match self.output {
            Some(Output::Text) => true,
            Some(Output::Json) => false,
            None => self.dry_run || (console.io.terminal && !console.quiet),
        }
    }
}

fn live_pass(
    config: &Config,
    args: &PassArgs,
    mut state: State,
    context: &Context,
    how: How,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let began = Instant::now();
    let mut live = Live::connect(config, &console.io.stop)?;
    let decision = pass::decide(&mut live, config, &mut state, context)?;
    if let Some(path) = &args.save_observation {
        let observed = decision.observed.clone();
        Saved::new(context.now, context.pass.clone(), observed, state.clone()).write(path)?;
    }
    // Not given back text by text, as the process ends after it.
    let state = ManuallyDrop::new(state);
    finish(
        config,
        live,
        &state,
        decision,
        context,
        how,
        plan::audit,
        began,
        console,
    )
}

/// Audits a decision, executes it unless it is a dry run, saves, and reports.
#[expect(
    clippy::too_many_arguments,
    reason = "the last step of a pass, called from two places"
)]
pub fn finish(
    config: &Config,
    mut live: Live,
    state: &State,
    decision: Decision,
    context: &Context,
    how: How,
    audit: pass::Audit,
    began: Instant,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let Decision {
        mut observed,
        plan,
        missing,
    } = decision;
    pass::refuse_bad_plan(audit, &plan, &observed, config, state, context)?;
    let prints = how.prints_text(console);
    let mut troubles = Troubles::of(&observed, &plan);
    troubles.warnings.extend(missing);
    let (actions, plan) = if how.dry_run {
        let actions = rows::planned(&plan);
        print_actions(&actions, prints, console);
        (actions, plan)
    } else {
        let save = |state: &State| file::save(&config.state_file, state).map_err(Error::from);
        let out = &mut *console.io.out;
        let mut told = |action: &Action| {
            if prints {
                let _ = text::action(out, action).and_then(|()| out.flush());
            }
        };
        let done = pass::act(&mut live, config, state, &mut observed, plan, context, &save, &mut told);
        // Whatever stopped it: what was done is remembered, if that is possible, and reported.
        let saved = save(&done.state);
        troubles.error = done.broken.or(saved.err());
        forget(done.state);
        let ended = done.ended;
        let left = ended.map(|reason| format!("{reason}; the rest is left to the next pass"));
        troubles.warnings.extend(left);
        troubles.warnings.extend(done.left);
        (done.actions, done.plan)
    };
    let seen = pass::seen(&observed, &plan, live.requests());
    // The process ends here: giving back some hundred thousand texts one by one would cost a tenth of the pass.
    forget(observed);
    let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok(conclude(context, how, seen, plan, actions, &troubles, seconds, console))
}

/// What went wrong beside the actions.
struct Troubles {
    /// What makes the pass end with exit code 1.
    warnings: Vec<String>,
    /// What an operator hears once, without any effect on the exit code.
    news: Vec<String>,
    /// What stopped it in the middle.
    error: Option<Error>,
}

impl Troubles {
    fn of(observed: &Observed, plan: &Plan) -> Self {
        let mut warnings = pass::unreadable(observed);
        warnings.extend(plan.warnings.iter().cloned());
        Self {
            warnings,
            news: plan.news.clone(),
            error: None,
        }
    }
}

fn replay(
    config: &Config,
    context: &Context,
    observed: &Observed,
    state: &State,
    output: Option<Output>,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let how = How {
        dry_run: true,
        output,
        named: false,
    };
    let plan: Plan = plan::plan(observed, config, state, context);
    pass::refuse_bad_plan(plan::audit, &plan, observed, config, state, context)?;
    let actions = rows::planned(&plan);
    let prints = how.prints_text(console);
    print_actions(&actions, prints, console);
    let troubles = Troubles::of(observed, &plan);
    let seen = pass::seen(observed, &plan, BTreeMap::new());
    Ok(conclude(context, how, seen, plan, actions, &troubles, 0.0, console))
}

/// Whether an action did not do what it was to do, so that it is said and shows in the exit code.
fn is_failure(action: &Action, how: How) -> bool {
    match action.result {
        Outcome::Failed | Outcome::Unknown => true,
        Outcome::Skipped => how.named,
        Outcome::Planned | Outcome::Done | Outcome::Refused => false,
    }
}

fn exit(troubles: &Troubles, actions: &[Action], how: How) -> u8 {
    if let Some(error) = &troubles.error {
        error.exit_code()
    } else if troubles.warnings.is_empty() && !actions.iter().any(|action| is_failure(action, how)) {
        EXIT_DONE
    } else {
        EXIT_PARTLY
    }
}

fn print_actions(actions: &[Action], prints: bool, console: &mut Console<'_, '_>) {
    if prints {
        for action in actions {
            let _ = text::action(console.io.out, action);
        }
    }
}

/// Prints the end of a pass: the report, and on stderr what went wrong. Returns the exit code.
#[expect(clippy::too_many_arguments, reason = "everything that a report is made of")]
fn conclude(
    context: &Context,
    how: How,
    seen: Seen,
    plan: Plan,
    actions: Vec<Action>,
    troubles: &Troubles,
    seconds: f64,
    console: &mut Console<'_, '_>,
) -> u8 {
    let Plan {
        unmet, notes, servers, ..
    } = plan;
    forget(servers);
    let report = Report {
        version: 1,
        pass: context.pass.clone(),
        dry_run: how.dry_run,
        started: context.now,
        seconds,
        observed: seen,
        exit: exit(troubles, &actions, how),
        actions,
        unmet,
        notes,
    };
    if how.output == Some(Output::Json) {
        let _ = json::print(console.io.out, &report);
    } else if how.prints_text(console) {
        let _ = text::closing(console.io.out, &report, !how.named);
    }
    let _ = console.io.out.flush();
    for warning in troubles.news.iter().chain(&troubles.warnings) {
        console.warn(warning);
    }
    for action in &report.actions {
        if let Some(error) = action.error.as_ref().filter(|_| is_failure(action, how)) {
            console.error(&format!("{} {}: {error}", action.kind.word(), action.name));
        }
    }
    if let Some(error) = &troubles.error {
        console.error(&chain(error));
    }
    report.exit
}
