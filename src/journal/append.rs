//! Appends events to the journal, and begins it anew at its largest size.

#![expect(clippy::disallowed_methods, reason = "an edge: writes the journal")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{LONGEST_LINE, older};
use crate::disk;
use crate::model::Event;
use crate::state::file::make_folder;

/// Appends events, in one write. A journal that would grow beyond `max` bytes is moved to its name with `.1` behind it
/// first, and begun anew; one older is kept. Events that are more than that together are written all the same.
pub fn append(path: &Path, max: u64, events: &[Event]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let text = lines(events)?;
    make_folder(path).map_err(Error::other)?;
    let length = length(path)?;
    if length > 0 && length.saturating_add(text.len() as u64) > max {
        fs::rename(path, older(path))?;
    }
    write(path, text)
}

/// Returns the length of the journal, 0 where there is none. A link, a device or a pipe is left alone.
fn length(path: &Path) -> Result<u64> {
    match fs::symlink_metadata(path) {
        Ok(found) => disk::no_file(&found).map_or(Ok(found.len()), |instead| Err(Error::other(instead))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, mut text: Vec<u8>) -> Result<()> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
    if !ends_a_line(&mut file)? {
        text.insert(0, b'\n');
    }
    file.write_all(&text)?;
    file.sync_all()?;
    if is_new && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Returns whether the last line is whole. One of a pass that was killed, or of a full disk, is not.
fn ends_a_line(file: &mut File) -> Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

fn lines(events: &[Event]) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(events.len() * 256);
    for event in events {
        let start = text.len();
        serde_json::to_writer(&mut text, event)?;
        if text.len() - start >= LONGEST_LINE {
            text.truncate(start);
            serde_json::to_writer(&mut text, &shortened(event))?;
        }
        text.push(b'\n');
    }
    Ok(text)
}

/// The most characters of each text of an event that would be too long.
const SHORT: usize = 200;

/// Cuts the texts of an event, and leaves out what else can be long. A character takes 6 bytes at most.
fn shortened(event: &Event) -> Event {
    Event {
        facts: BTreeMap::new(),
        zone: None,
        server_id: event.server_id.clone().filter(|id| id.as_str().len() <= SHORT),
        ..event.clone().cut(SHORT)
    }
}
