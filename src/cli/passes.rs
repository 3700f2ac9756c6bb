//! `run`, `provision` and `reap`: one pass, from the lock to the exit code.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::Config;
use crate::error::Error;
use crate::pass::saved::Saved;
use crate::pass::{self, Inquiry, Pass};
use crate::plan::{self, Asked, Context};

use super::args::{Cli, PassArgs, ProvisionArgs, RunArgs};
use super::console::Console;
use super::finish::{End, Problems, finish, print_planned};
use super::known;
use super::mode::Mode;
use super::setup;

/// Makes a pass that creates and removes.
pub fn run(cli: &Cli, args: &RunArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let context = Context {
        force: args.force,
        ..setup::context(console)?
    };
    pass(cli, &args.pass, config, context, console)
}

/// Makes a pass that only creates.
pub fn provision(cli: &Cli, args: &ProvisionArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let asked = match &args.template {
        Some(name) => Some(Asked {
            template: known::template(name, &config)?,
            count: args.count.unwrap_or(1),
        }),
        None => None,
    };
    let context = Context {
        remove: false,
        asked,
        ..setup::context(console)?
    };
    pass(cli, &args.pass, config, context, console)
}

/// Makes a pass that only removes.
pub fn reap(cli: &Cli, args: &RunArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let config = setup::config(cli, console)?;
    let context = Context {
        create: false,
        force: args.force,
        ..setup::context(console)?
    };
    pass(cli, &args.pass, config, context, console)
}

fn pass(
    cli: &Cli,
    args: &PassArgs,
    mut config: Config,
    context: Context,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mode = match &context.asked {
        Some(_) => Mode::named(cli, &args.act),
        None => Mode::whole(cli, &args.act),
    };
    if let Some(path) = &args.replay {
        return replay(&config, &context, path, mode, console);
    }
    let is_asked = context.asked.is_some();
    let begun = setup::begin(&mut config, context, !mode.dry_run, args.wait, console)?;
    let mut pass = Pass::look(&config, begun.context, begun.state, &console.io.stop)?;
    let plan = if is_asked {
        // Nothing is made for the queue, so it is not read further.
        pass.plan(Inquiry::Actions, &mut plan::plan)?
    } else {
        pass.decide()?
    };
    if let Some(path) = &args.save_observation {
        pass.save_observation(path)?;
    }
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
    let mut plan = plan;
    let mut problems = Problems::new(observed, &plan);
    problems.leave_unmade(&mut plan, mode);
    let end = End {
        seen: pass::count(observed, &plan, BTreeMap::new()),
        seconds: 0.0,
        actions: print_planned(&plan, mode, console),
        problems,
        plan,
    };
    Ok(end.report(&context, mode, console))
}
