//! The journal: JSON lines, one per event. Appends to it, begins it anew at its largest size, and reads it.
//!
//! The state holds the events that the journal may not have yet. A pass saves the state first and appends then; the next
//! one looks at the end of the journal for what arrived there (`settle`).

#![expect(clippy::disallowed_methods, reason = "an edge: reads and writes the journal")]

use std::io;
use std::path::Path;

use crate::model::Event;
use crate::state::EventMemory;

/// Drops the events that the journal has.
pub fn settle(path: &Path, memory: &mut EventMemory) {
    let _ = (path, memory);
}

/// Appends events; at `max` bytes the journal is begun anew and the old one kept as `.1`.
pub fn append(path: &Path, max: u64, events: &[Event]) -> io::Result<()> {
    let _ = (path, max, events);
    Ok(())
}
