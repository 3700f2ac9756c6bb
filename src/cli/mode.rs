//! Whether a command acts, and how it prints.

use super::args::{ActArgs, Cli, Output};
use super::console::Console;

/// Whether a command acts, and how it prints.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Whether it only prints.
    pub dry_run: bool,
    /// The format that was asked for.
    pub output: Option<Output>,
    /// Whether an operator named the nodes: then a skipped action is a failure.
    pub named: bool,
}

impl Mode {
    /// For a pass over all that there is.
    pub fn whole(cli: &Cli, args: &ActArgs) -> Self {
        Self {
            dry_run: args.dry_run,
            output: cli.output,
            named: false,
        }
    }

    /// For what an operator named.
    pub fn named(cli: &Cli, args: &ActArgs) -> Self {
        Self {
            named: true,
            ..Self::whole(cli, args)
        }
    }

    /// Returns whether text is printed: on request, on a terminal, and by every dry run.
    pub fn prints_text(self, console: &Console<'_, '_>) -> bool {
        match self.output {
            Some(Output::Text) => true,
            Some(Output::Json | Output::Csv) => false,
            None => self.dry_run || (console.io.terminal && !console.quiet),
        }
    }
}
