//! `destroy`: removes named nodes now, by the same safe order as a pass; and the way of every command that is given names.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long the command takes")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::pass::{self, Decision, Live, observe};
use crate::plan::{self, Context, Plan};
use crate::state::State;

use super::args::{Cli, DestroyArgs};
use super::console::Console;
use super::passes::{How, finish};
use super::setup;

/// Plans what is to be done with the nodes that were named.
pub type Planner<'p> = dyn Fn(&Observed, &Config, &State, &Context) -> Plan + 'p;

/// Removes the named nodes.
pub fn destroy(cli: &Cli, args: &DestroyArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: true,
    };
    let plan = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        plan::destroy(observed, config, state, context, &args.names, args.force)
    };
    by_name(cli, how, args.force, &plan, console)
}

/// Looks, plans, does and reports, under the lock unless it is a dry run.
pub fn by_name(
    cli: &Cli,
    how: How,
    force: bool,
    planner: &Planner<'_>,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mut config = setup::config(cli, console)?;
    let now = console.io.now;
    let context = Context {
        now,
        pass: setup::pass_id()?,
        create: false,
        remove: true,
        force,
        created: 0,
    };
    let _lock = if how.dry_run {
        None
    } else {
        let lock = setup::lock(&config, Duration::ZERO, console)?;
        config.write_tokens();
        Some(lock)
    };
    let state = setup::state(&config, !how.dry_run, console)?;
    let began = Instant::now();
    let mut live = Live::connect(&config, &console.io.stop)?;
    let mut observed = observe::look(&mut live, &state)?;
    let mut plan = planner(&observed, &config, &state, &context);
    while live.must_end().is_none() && pass::settle(&mut live, &config, &mut observed, &plan)? {
        plan = planner(&observed, &config, &state, &context);
    }
    finish(
        &config,
        live,
        &state,
        Decision {
            observed,
            plan,
            missing: BTreeSet::new(),
        },
        &context,
        how,
        plan::audit_destroy,
        began,
        console,
    )
}
