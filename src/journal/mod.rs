//! The journal: one JSON line for each event. Appends to it, begins it anew at its largest size, and reads it.
//!
//! The state holds the events that the journal may not have yet. A pass saves the state first and appends then; the next
//! one looks at the end of the journal for what arrived there (`settle`). So a pass that is killed anywhere loses no event,
//! and writes none twice; a line that was cut off is followed by a whole one that says the same.

mod append;
mod read;
mod settle;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::disk;

pub use append::append;
pub use read::{Journal, Unique};
pub use settle::settle;

/// The longest line, in bytes, with its end. Readers may pass over what is longer.
pub const LONGEST_LINE: usize = 64 << 10;

/// Returns where the journal is moved to when it is full.
pub fn older(path: &Path) -> PathBuf {
    disk::beside(path, ".1")
}
