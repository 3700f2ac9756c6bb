//! Finds out which events the journal has.

#![expect(clippy::disallowed_methods, reason = "an edge: reads the end of the journal")]

use std::fs::{self, File};
use std::io::{Error, Read as _, Result, Seek as _, SeekFrom};
use std::path::Path;

use serde::Deserialize;

use super::{LONGEST_LINE, older};
use crate::disk;
use crate::state::EventMemory;

/// How much of the end of the journal is read: a whole line at least, if the last one is cut off.
const TAIL: u64 = 2 * LONGEST_LINE as u64;

/// Drops the events that the journal has. They are written in their order, so the last one that is found there tells all.
///
/// What cannot be read has none of them: `append` will say so. Events that are written twice by that are equal.
pub fn settle(path: &Path, memory: &mut EventMemory) {
    if memory.pending.is_empty() {
        return;
    }
    // It may have been moved after they were written.
    let arrived = [path, &older(path)].into_iter().find_map(|path| {
        let tail = tail(path).ok()?;
        last_of(&tail, memory)
    });
    if let Some(last) = arrived {
        memory.pending.drain(..=last);
    }
}

/// What names an event.
#[derive(Deserialize)]
struct Named {
    pass: String,
    #[serde(default)]
    n: u32,
}

/// Returns the place of the last event in memory that stands in the end of a journal. A line that lacks only its end is
/// whole; of one that is cut off nothing is known.
fn last_of(tail: &[u8], memory: &EventMemory) -> Option<usize> {
    let lines = tail.rsplit(|byte| *byte == b'\n');
    let names = lines.filter_map(|line| serde_json::from_slice::<Named>(line).ok());
    let place = |name: Named| {
        let mut pending = memory.pending.iter();
        pending.rposition(|event| event.n == name.n && event.pass == name.pass)
    };
    names.into_iter().find_map(place)
}

fn tail(path: &Path) -> Result<Vec<u8>> {
    if let Some(instead) = disk::no_file(&fs::symlink_metadata(path)?) {
        return Err(Error::other(instead));
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(bytes)
}
