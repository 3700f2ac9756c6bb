//! The arguments of every command that acts.

use clap::Args;

/// Arguments of a command that acts.
#[derive(Debug, Args)]
pub struct ActArgs {
    /// Print exactly what would be done and why, and write nothing anywhere
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}
