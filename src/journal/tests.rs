//! What is appended is found again, whatever happened to the file between two passes.

#![expect(clippy::disallowed_methods, reason = "a test that writes journals")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::model::{Event, EventKind};
use crate::state::EventMemory;

const MAX: u64 = 1 << 20;

fn memory(passes: &[&str]) -> EventMemory {
    let mut memory = EventMemory::default();
    for pass in passes {
        for kind in [EventKind::Created, EventKind::Joined, EventKind::Pass] {
            memory.push(Event::new(kind, Timestamp::UNIX_EPOCH, pass));
        }
    }
    memory
}

fn left(path: &Path, mut memory: EventMemory) -> usize {
    settle(path, &mut memory);
    memory.pending.len()
}

fn whole_lines(path: &Path) -> Vec<Event> {
    let bytes = fs::read(path).unwrap();
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn in_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.jsonl");
    (folder, path)
}

#[test]
fn what_arrived_is_dropped_and_the_rest_is_kept() {
    let (_folder, path) = in_folder();
    let first = memory(&["a"]);
    assert_eq!(left(&path, first.clone()), 3, "there is no journal yet");
    append(&path, MAX, &first.pending).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(left(&path, first.clone()), 0);
    assert_eq!(left(&path, memory(&["a", "b"])), 3);
    assert_eq!(left(&path, memory(&["b"])), 3, "another pass");
    let mut both = memory(&["a", "b"]);
    settle(&path, &mut both);
    append(&path, MAX, &both.pending).unwrap();
    assert_eq!(whole_lines(&path), memory(&["a", "b"]).pending);
    append(&path, MAX, &[]).unwrap();
    assert_eq!(whole_lines(&path).len(), 6);
}

#[test]
fn a_line_that_was_cut_off_is_written_again_and_a_whole_one_is_not() {
    let (_folder, path) = in_folder();
    append(&path, MAX, &memory(&["a"]).pending).unwrap();
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut again = memory(&["a"]);
        settle(&path, &mut again);
        append(&path, MAX, &again.pending).unwrap();
        assert_eq!(whole_lines(&path), memory(&["a"]).pending, "{cut} bytes were left");
        assert_eq!(left(&path, memory(&["a"])), 0);
    }
}

#[test]
fn garbage_behind_or_between_does_not_matter() {
    let (_folder, path) = in_folder();
    append(&path, MAX, &memory(&["a"]).pending).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(b"\0\xff[1]\n{}\n{\"pass\":7}\n\n{\"pass\":\"a\",\"n\":");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(left(&path, memory(&["a"])), 0);
    append(&path, MAX, &memory(&["b"]).pending).unwrap();
    assert_eq!(whole_lines(&path), memory(&["a", "b"]).pending);
}

#[test]
fn a_full_journal_is_moved_and_begun_anew() {
    let (_folder, path) = in_folder();
    let events = memory(&["a"]).pending;
    append(&path, MAX, &events).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    append(&path, length * 2, &memory(&["b"]).pending).unwrap();
    assert_eq!(whole_lines(&path).len(), 6, "as large as it may be");
    append(&path, length * 2, &memory(&["c"]).pending).unwrap();
    assert_eq!(whole_lines(&path), memory(&["c"]).pending);
    assert_eq!(whole_lines(&older(&path)), memory(&["a", "b"]).pending);
    // It may be moved by another one, too.
    fs::rename(&path, older(&path)).unwrap();
    assert_eq!(left(&path, memory(&["c"])), 0);
    append(&path, 10, &memory(&["d"]).pending).unwrap();
    assert_eq!(whole_lines(&path), memory(&["d"]).pending, "more than the largest size");
    append(&path, 10, &memory(&["e"]).pending).unwrap();
    assert_eq!(whole_lines(&older(&path)), memory(&["d"]).pending, "one older is kept");
}

#[test]
fn what_is_no_file_is_left_alone() {
    let (folder, path) = in_folder();
    fs::create_dir(path.parent().unwrap()).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "mine").unwrap();
    symlink(&other, &path).unwrap();
    let events = memory(&["a"]).pending;
    for (path, what) in [
        (&*path, "it is a symbolic link"),
        (folder.path(), "it is a folder"),
        (Path::new("/dev/full"), "it is no regular file"),
    ] {
        let error = append(path, MAX, &events).unwrap_err().to_string();
        assert!(error.starts_with(what), "{error}");
        assert_eq!(left(path, memory(&["a"])), 3);
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
}

#[test]
fn no_line_is_longer_than_readers_take() {
    let (_folder, path) = in_folder();
    let long = Some("\u{1}".repeat(2_000));
    let event = Event {
        because: long.clone(),
        error: long.clone(),
        label: long.clone(),
        made_for: long.clone(),
        name: long.clone(),
        sentence: long,
        facts: (0..100).map(|n| (n.to_string(), "x".repeat(2_000).into())).collect(),
        ..Event::new(EventKind::Failed, Timestamp::UNIX_EPOCH, "a")
    };
    let mut memory = EventMemory::default();
    memory.push(event);
    memory.push(Event::new(EventKind::Pass, Timestamp::UNIX_EPOCH, "a"));
    append(&path, MAX, &memory.pending).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let longest = text.lines().map(str::len).max().unwrap();
    assert!(longest > 1_000 && longest < LONGEST_LINE, "{longest}");
    assert_eq!(whole_lines(&path).len(), 2);
    assert_eq!(left(&path, memory), 0);
}
