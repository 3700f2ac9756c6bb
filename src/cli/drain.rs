//! `drain` and `undrain`: nodes take no new work, or work again. The passes remove drained ones afterwards.

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::plan::{self, Context, Targets};
use crate::state::State;

use super::args::{Cli, DrainArgs, UndrainArgs};
use super::by_name::ByName;
use super::console::Console;
use super::mode::Mode;

pub fn drain(cli: &Cli, args: &DrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let reason = args.reason.as_deref();
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context, targets: &Targets| {
        plan::drain(observed, config, state, context, targets, reason)
    };
    let command = ByName::new(cli, &args.targets, Mode::named(cli, &args.act), console)?;
    command.execute(&planner, console)
}

/// Lets nodes work again.
pub fn undrain(cli: &Cli, args: &UndrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let command = ByName::new(cli, &args.targets, Mode::named(cli, &args.act), console)?;
    command.execute(&plan::undrain, console)
}
