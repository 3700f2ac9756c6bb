//! `schema`: prints the JSON Schema of the configuration file.

use crate::config;
use crate::error::EXIT_DONE;

use super::console::Console;

/// Prints the schema.
pub fn schema(console: &mut Console<'_, '_>) -> u8 {
    // What stdout could not take is known to `main`.
    let _ = writeln!(console.io.out, "{:#}", config::json_schema());
    EXIT_DONE
}
