//! `run`, `provision` and `reap`: one pass, from the lock to the exit code.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::Config;
use crate::error::Error;
use crate::pass::saved::Saved;
use crate::pass::{self, Pass};
use crate::plan::problems::Finding;
use crate::plan::{self, Context};

use super::args::{Cli, PassArgs};
use super::blind;
use super::console::Console;
use super::finish::{End, dry, finish};
use super::mode::Mode;
use super::notify;
use super::setup;
use crate::state::State;

/// The passes that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// Creates and removes.
    Run,
    /// Only creates.
    Provision,
    /// Only removes.
    Reap,
}

pub fn pass(cli: &Cli, args: &PassArgs, kind: PassKind, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (mut config, around) = setup::config_and_findings(cli)?;
    let context = Context {
        create: kind != PassKind::Reap,
        remove: kind != PassKind::Provision,
        force: args.force,
        ..setup::context(console)?
    };
    let mode = Mode::whole(&args.act);
    if let Some(path) = &args.replay {
        return replay(&config, &context, path, mode, console);
    }
    let mut begun = setup::begin(&mut config, context, !mode.dry_run, args.wait, console)?;
    let now = begun.context.now;
    let state = std::mem::take(&mut begun.state);
    let result = observed(
        &config,
        &begun.context,
        state,
        around,
        args.save_observation.as_deref(),
        mode,
        console,
    );
    drop(begun);
    if !mode.dry_run {
        notify::call(&config, now);
    }
    result
}

/// Makes the pass under the lock.
fn observed(
    config: &Config,
    context: &Context,
    state: State,
    around: Vec<Finding>,
    save_observation: Option<&Path>,
    mode: Mode,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mut pass = match Pass::look_with(config, context.clone(), state, &console.io.stop) {
        Ok(pass) => pass,
        Err((error, state)) => return blind::end(error, *state, config, context, around, mode, console),
    };
    let plan = match pass.decide() {
        Ok(plan) => plan,
        Err(error) => return blind::end(error, pass.into_state(), config, context, around, mode, console),
    };
    if let Some(path) = save_observation {
        pass.save_observation(path)?;
    }
    pass.derive_problems(around);
    finish(pass, plan, mode, plan::audit, console)
}

/// Makes the decision of a saved observation again, and prints it.
fn replay(
    config: &Config,
    context: &Context,
    path: &Path,
    mode: Mode,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let saved = Saved::read(path)?;
    let (observed, state) = (&saved.observed, &saved.state);
    let context = Context {
        now: saved.now,
        pass: saved.pass,
        ..context.clone()
    };
    let mode = Mode { dry_run: true, ..mode };
    let plan = plan::plan(observed, config, state, &context);
    pass::check(&plan::audit(&plan, observed, config, state, &context))?;
    let seen = pass::count(observed, &plan, BTreeMap::new());
    let known = state.problems_only();
    let end = dry(plan, observed, known, Some(Vec::new()), &context, mode, console);
    Ok(End { seen, ..end }.report(&context, mode, console))
}
