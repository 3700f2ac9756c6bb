//! `completions`: prints what makes a shell complete commands, options and values.

use clap::CommandFactory as _;
use clap_complete::generate;

use crate::error::EXIT_DONE;

use super::args::{Cli, CompletionsArgs};
use super::console::Console;

/// Prints the completions.
pub fn completions(args: &CompletionsArgs, console: &mut Console<'_, '_>) -> u8 {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "mita", &mut text);
    // What stdout could not take is known to `main`; `generate` would panic.
    let _ = console.io.out.write_all(&text);
    EXIT_DONE
}
