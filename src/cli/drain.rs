//! `drain` and `undrain`: named nodes take no new work, or work again. The passes remove them afterwards.

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::plan::{self, Context};
use crate::state::State;

use super::args::{Cli, DrainArgs, UndrainArgs};
use super::by_name::by_name;
use super::console::Console;
use super::mode::Mode;

pub fn drain(cli: &Cli, args: &DrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let planner = &mut |observed: &Observed, config: &Config, state: &State, context: &Context| {
        plan::drain(
            observed,
            config,
            state,
            context,
            &args.nodes.names,
            args.reason.as_deref(),
        )
    };
    by_name(cli, Mode::named(cli, &args.act), false, planner, console)
}

/// Lets the named nodes work again.
pub fn undrain(cli: &Cli, args: &UndrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let planner = &mut |observed: &Observed, config: &Config, state: &State, context: &Context| {
        plan::undrain(observed, config, state, context, &args.nodes.names)
    };
    by_name(cli, Mode::named(cli, &args.act), false, planner, console)
}
