//! The steps of every command that is given names: look, plan, act and report, under the lock unless it is a dry run.

use std::time::Duration;

use crate::error::Error;
use crate::pass::{Inquiry, Pass, Planner};
use crate::plan::{self, Context};

use super::args::Cli;
use super::console::Console;
use super::finish::finish;
use super::mode::Mode;
use super::setup;

/// Executes what a planner plans for the names. `force` also removes busy nodes.
pub fn by_name(
    cli: &Cli,
    mode: Mode,
    force: bool,
    planner: &mut Planner<'_>,
    console: &mut Console<'_, '_>,
) -> Result<u8, Error> {
    let mut config = setup::config(cli, console)?;
    let context = Context {
        create: false,
        force,
        ..setup::context(console)?
    };
    let begun = setup::begin(&mut config, context, !mode.dry_run, Duration::ZERO, console)?;
    let mut pass = Pass::look(&config, begun.context, begun.state, &console.io.stop)?;
    let plan = pass.plan(Inquiry::Actions, planner)?;
    finish(pass, plan, mode, plan::audit_destroy, console)
}
