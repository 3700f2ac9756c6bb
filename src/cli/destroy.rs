//! `destroy`: removes named nodes now, by the same safe order as a pass.

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long the command takes")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::pass::{self, Decision, Live, observe};
use crate::plan::{self, Context};

use super::args::{Cli, DestroyArgs};
use super::passes::{How, finish};
use super::{Console, setup};

/// Removes the named nodes.
pub fn destroy(cli: &Cli, args: &DestroyArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let mut config = setup::config(cli, console)?;
    let now = console.surroundings.now;
    let context = Context {
        now,
        pass: setup::pass_id()?,
        create: false,
        remove: true,
        force: args.force,
        created: 0,
    };
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: true,
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
    let mut live = Live::connect(&config, &console.surroundings.stop)?;
    let mut observed = observe::look(&mut live, &state)?;
    let mut plan = plan::destroy(&observed, &config, &state, &context, &args.names, args.force);
    while live.must_end().is_none() && pass::settle(&mut live, &config, &mut observed, &plan)? {
        plan = plan::destroy(&observed, &config, &state, &context, &args.names, args.force);
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
