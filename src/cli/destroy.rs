//! `destroy`: removes named nodes now, by the same safe order as a pass.

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::plan::{self, Context};
use crate::state::State;

use super::args::{Cli, DestroyArgs};
use super::by_name::by_name;
use super::console::Console;
use super::mode::Mode;

pub fn destroy(cli: &Cli, args: &DestroyArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let planner = &mut |observed: &Observed, config: &Config, state: &State, context: &Context| {
        plan::destroy(observed, config, state, context, &args.nodes.names, args.force)
    };
    by_name(cli, Mode::named(cli, &args.act), args.force, planner, console)
}
