//! `drain` and `undrain`: named nodes take no new work, or work again. What goes afterwards, the passes remove.

use crate::config::Config;
use crate::error::Error;
use crate::model::Observed;
use crate::plan::{self, Context, Plan};
use crate::state::State;

use super::args::{Cli, DrainArgs, UndrainArgs};
use super::console::Console;
use super::destroy::by_name;
use super::passes::How;

/// Drains the named nodes.
pub fn drain(cli: &Cli, args: &DrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: true,
    };
    let plan = |observed: &Observed, config: &Config, state: &State, context: &Context| -> Plan {
        plan::drain(observed, config, state, context, &args.names, args.reason.as_deref())
    };
    by_name(cli, how, false, &plan, console)
}

/// Lets the named nodes work again.
pub fn undrain(cli: &Cli, args: &UndrainArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let how = How {
        dry_run: args.dry_run,
        output: args.output,
        named: true,
    };
    let plan = |observed: &Observed, config: &Config, state: &State, context: &Context| -> Plan {
        plan::undrain(observed, config, state, context, &args.names)
    };
    by_name(cli, how, false, &plan, console)
}
