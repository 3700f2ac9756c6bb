//! `config`: prints the effective configuration as YAML.

use crate::error::{EXIT_DONE, Error};
use crate::text::visible;

use super::args::Cli;
use super::console::Console;
use super::setup;

/// Prints the effective configuration.
pub fn config(cli: &Cli, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (path, yaml) = setup::effective(cli, console)?;
    let out = &mut console.io.out;
    // What stdout could not take is known to `main`.
    let _ = write!(
        out,
        "# The effective configuration of {}, defaults included. Secrets are shown as ***.\n\
         # Relative paths are relative to the folder of that file.\n{yaml}",
        visible(&path.display().to_string())
    );
    Ok(EXIT_DONE)
}
