//! `run`, `provision` and `reap`: one pass, from the lock to the exit code.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: looks at a lock twice, and measures how long a pass takes that sees nothing"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::config::Config;
use crate::error::Error;
use crate::lock::{self, LockError};
use crate::pass::saved::Saved;
use crate::pass::{self, Inquiry, Pass};
use crate::plan::problems::Finding;
use crate::plan::{self, Asked, Context};

use super::args::{Cli, PassArgs, ProvisionArgs, RunArgs};
use super::blind;
use super::console::Console;
use super::finish::{End, dry, finish};
use super::known;
use super::mode::Mode;
use super::notify;
use super::setup;
use crate::state::State;

/// Makes a pass that creates and removes.
pub fn run(cli: &Cli, args: &RunArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let context = Context {
        force: args.force,
        ..setup::context(console)?
    };
    pass(cli, &args.pass, setup::config_and_findings(cli)?, context, console)
}

/// Makes a pass that only creates.
pub fn provision(cli: &Cli, args: &ProvisionArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let context = Context {
        remove: false,
        ..setup::context(console)?
    };
    let Some(name) = &args.template else {
        return pass(cli, &args.pass, setup::config_and_findings(cli)?, context, console);
    };
    let config = setup::config(cli, console)?;
    let asked = Some(Asked {
        template: known::template(name, &config)?,
        count: args.count.unwrap_or(1),
    });
    asked_for(cli, &args.pass, config, Context { asked, ..context }, console)
}

/// Makes a pass that only removes.
pub fn reap(cli: &Cli, args: &RunArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let context = Context {
        create: false,
        force: args.force,
        ..setup::context(console)?
    };
    pass(cli, &args.pass, setup::config_and_findings(cli)?, context, console)
}

fn pass(
    cli: &Cli,
    args: &PassArgs,
    (mut config, around): (Config, Vec<Finding>),
    context: Context,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mode = Mode::whole(cli, &args.act);
    if let Some(path) = &args.replay {
        return replay(&config, &context, path, mode, console);
    }
    let begun = setup::begin(&mut config, context, !mode.dry_run, args.wait, console);
    let mut begun = begun.map_err(|error| busy(error, &config, console))?;
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

/// Makes the servers that an operator asks for. It is no pass, and derives no problems.
fn asked_for(
    cli: &Cli,
    args: &PassArgs,
    mut config: Config,
    context: Context,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mode = Mode::named(cli, &args.act);
    if let Some(path) = &args.replay {
        return replay(&config, &context, path, mode, console);
    }
    let begun = setup::begin(&mut config, context, !mode.dry_run, args.wait, console)?;
    let mut pass = Pass::look(&config, begun.context, begun.state, &console.io.stop)?;
    // Nothing is made for the queue, so it is not read further.
    let plan = pass.plan(Inquiry::Actions, &mut plan::plan)?;
    if let Some(path) = &args.save_observation {
        pass.save_observation(path)?;
    }
    finish(pass, plan, mode, plan::audit, console)
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
    let began = Instant::now();
    let mut pass = match Pass::look_with(config, context.clone(), state, &console.io.stop) {
        Ok(pass) => pass,
        Err((error, state)) => {
            let seconds = began.elapsed().as_secs_f64();
            return blind::end(error, *state, config, context, (around, seconds), mode, console);
        }
    };
    let plan = match pass.decide() {
        Ok(plan) => plan,
        Err(error) => {
            let seconds = pass.seconds();
            return blind::end(
                error,
                pass.into_state(),
                config,
                context,
                (around, seconds),
                mode,
                console,
            );
        }
    };
    if let Some(path) = save_observation {
        pass.save_observation(path)?;
    }
    pass.derive_problems(around);
    finish(pass, plan, mode, plan::audit, console)
}

/// How long a pass that has just taken the lock may need to write down since when it holds it.
const WRITES_WITHIN: Duration = Duration::from_millis(200);

/// Tells a pass that has just begun, and holds the lock, from one that hangs.
fn busy(error: Error, config: &Config, console: &Console<'_, '_>) -> Error {
    let Error::Lock(held @ LockError::Held { since, .. }) = error else {
        return error;
    };
    let is_young = |since: Option<Timestamp>| {
        since.is_some_and(|since| console.io.now.duration_since(since) < config.limits.pass_deadline)
    };
    if is_young(since) {
        return Error::Busy(held);
    }
    // What is read may be of the pass before: it is looked at once more when whoever has the lock has written.
    sleep(WRITES_WITHIN);
    match lock::held(&lock::path_for(&config.state_file)) {
        Some(other) if !is_young(other.since) => Error::Lock(held),
        _ => Error::Busy(held),
    }
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
