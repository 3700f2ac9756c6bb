//! Reads the journal: the older file, then the newer one, line by line.
//!
//! A line that is no event of this version is passed over: one that was cut off by a full disk, one of a newer program,
//! one that is too long. An event that is there twice counts once.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use foldhash::HashSet;
use rustix::fs::OFlags;

use super::{LONGEST_LINE, older};
use crate::disk::no_file;
use crate::model::{EVENT_VERSION, Event};

/// What is read from a file at once, in bytes.
const CHUNK: usize = 64 << 10;

/// The journal, opened to be read.
#[derive(Debug)]
pub struct Journal {
    /// The files, the older one first, each with its size when it was opened: what is appended later is not read.
    files: Vec<(File, u64)>,
}

impl Journal {
    /// Opens both files, as far as they are there.
    pub fn open(path: &Path) -> io::Result<Self> {
        // The newer one first: if it is moved in between, it is found a second time, and not missed.
        let newer = open(path)?;
        let older = open(&older(path))?;
        let files = [older, newer].into_iter().flatten().collect();
        Ok(Self { files })
    }

    /// Returns whether there is no journal.
    pub fn is_missing(&self) -> bool {
        self.files.is_empty()
    }

    /// Hands out the events in the order of the file, as often as it is called; returns how many lines were passed over.
    pub fn each(&mut self, seen: &mut Unique, take: &mut dyn FnMut(Event)) -> io::Result<u64> {
        let mut passed_over = 0;
        for (file, size) in &mut self.files {
            file.rewind()?;
            let mut reader = BufReader::with_capacity(CHUNK, Read::take(&*file, *size));
            passed_over += each_line(&mut reader, &mut |line| match read(line) {
                Some(event) => {
                    if seen.is_new(&event) {
                        take(event);
                    }
                    true
                }
                None => line.trim_ascii().is_empty(),
            })?;
        }
        Ok(passed_over)
    }
}

/// Opens a file; `None` where there is none.
fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    // Neither a link nor a pipe is gone into.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let refused = |instead: &str| io::Error::other(format!("{}: {instead}", path.display()));
    match std::fs::symlink_metadata(path).as_ref().map(no_file) {
        Ok(Some(instead)) => return Err(refused(instead)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(None) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(flags.bits().cast_signed());
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    };
    let found = file.metadata()?;
    match no_file(&found) {
        Some(instead) => Err(refused(instead)),
        None => Ok(Some((file, found.len()))),
    }
}

/// Hands out each line that is not too long; returns how many were too long or not taken.
fn each_line(reader: &mut dyn BufRead, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<u64> {
    let mut line = Vec::new();
    let mut passed_over = 0;
    let mut too_long = false;
    loop {
        let chunk = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        too_long |= line.len() + part.len() >= LONGEST_LINE;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() || used == 0 {
            passed_over += u64::from(too_long || !take(&line));
            line.clear();
            too_long = false;
        }
        if used == 0 {
            return Ok(passed_over);
        }
    }
}

fn read(line: &[u8]) -> Option<Event> {
    let event: Event = serde_json::from_slice(line).ok()?;
    (event.v == EVENT_VERSION).then_some(event)
}

/// Tells which events were seen already.
#[derive(Debug, Default)]
pub struct Unique {
    passes: BTreeMap<String, u32>,
    seen: HashSet<(u32, u32)>,
}

impl Unique {
    /// Returns whether an event was not seen before; then it is from now on.
    pub fn is_new(&mut self, event: &Event) -> bool {
        let pass = if let Some(pass) = self.passes.get(&event.pass) {
            *pass
        } else {
            let pass = u32::try_from(self.passes.len()).unwrap_or(u32::MAX);
            self.passes.insert(event.pass.clone(), pass);
            pass
        };
        self.seen.insert((pass, event.n))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test that writes journals")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use jiff::Timestamp;

    use super::*;
    use crate::model::EventKind;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("journal.jsonl")
        }

        fn write(&self, bytes: impl AsRef<[u8]>) {
            fs::write(self.path(), bytes).unwrap();
        }

        /// The names of the events, and how many lines were passed over.
        fn read(&self) -> (Vec<String>, u64) {
            let mut names = Vec::new();
            let mut journal = Journal::open(&self.path()).unwrap();
            let skipped = journal.each(&mut Unique::default(), &mut |event| {
                names.push(event.name.unwrap_or_default());
            });
            (names, skipped.unwrap())
        }
    }

    fn line(name: &str, pass: &str, n: u32) -> String {
        let event = Event {
            n,
            name: Some(name.to_owned()),
            ..Event::new(EventKind::Created, Timestamp::UNIX_EPOCH, pass)
        };
        format!("{}\n", serde_json::to_string(&event).unwrap())
    }

    #[test]
    fn the_older_file_comes_first_and_an_event_counts_once() {
        let place = Place::new();
        assert!(Journal::open(&place.path()).unwrap().is_missing());
        place.write([line("b", "p", 1), line("c", "q", 1), line("b again", "p", 1)].concat());
        fs::write(older(&place.path()), [line("a", "p", 0), line("b", "p", 1)].concat()).unwrap();
        assert_eq!(place.read(), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 0));
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        let place = Place::new();
        let newer = line("newer", "p", 1).replace("\"v\":1", "\"v\":2");
        let half = &line("half", "p", 2)[..40];
        let long = line(&"x".repeat(LONGEST_LINE), "p", 3);
        let unknown = line("unknown", "p", 4).replace("created", "exploded");
        let text = [
            &line("a", "p", 0),
            &newer,
            half,
            "\n\n  \r\n",
            &long,
            "null\n[]\n\u{0}\n",
            &unknown,
        ]
        .concat();
        let mut bytes = text.into_bytes();
        bytes.extend(b"\xff\xfe{\"v\":1}\n");
        // The last line has no end.
        bytes.extend(line("b", "p", 5).trim_end().as_bytes());
        place.write(bytes);
        assert_eq!(place.read(), (vec!["a".to_owned(), "b".to_owned()], 8));
    }

    #[test]
    fn a_line_of_the_largest_size_is_read() {
        let place = Place::new();
        let bare = line("", "p", 0).len();
        // With its end it has LONGEST_LINE bytes.
        let name = "x".repeat(LONGEST_LINE - bare);
        place.write([line(&name, "p", 0), line("b", "p", 1)].concat());
        assert_eq!(place.read(), (vec![name.clone(), "b".to_owned()], 0));
        place.write([line(&format!("{name}x"), "p", 0), line("b", "p", 1)].concat());
        assert_eq!(place.read(), (vec!["b".to_owned()], 1));
    }

    #[test]
    fn numbers_out_of_range_are_passed_over_or_bounded() {
        let place = Place::new();
        let at = |at: &str| line("a", at, 0).replace("1970-01-01T00:00:00Z", at);
        let seconds = |n: &str| line(n, n, 0).replace("\"event\"", &format!("\"seconds\":{n},\"event\""));
        let text = [
            at("99999-01-01T00:00:00Z"),
            at("yesterday"),
            seconds("1e300"),
            seconds("-1e300"),
            seconds("1e999"),
            line("c", "c", 0).replace("\"n\":0", "\"n\":-1"),
        ];
        place.write(text.concat());
        assert_eq!(place.read(), (vec!["1e300".to_owned(), "-1e300".to_owned()], 4));
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let place = Place::new();
        fs::write(place.0.path().join("other"), line("a", "p", 0)).unwrap();
        symlink(place.0.path().join("other"), place.path()).unwrap();
        let error = Journal::open(&place.path()).unwrap_err().to_string();
        assert!(error.contains("journal.jsonl: it is a symbolic link"), "{error}");
        fs::remove_file(place.path()).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path(), mode).unwrap();
        let error = Journal::open(&place.path()).unwrap_err().to_string();
        assert!(error.contains("it is no regular file"), "{error}");
    }

    #[test]
    fn a_journal_that_is_moved_while_it_is_read_is_read_on() {
        let place = Place::new();
        place.write(line("a", "p", 0));
        let mut journal = Journal::open(&place.path()).unwrap();
        fs::rename(place.path(), older(&place.path())).unwrap();
        place.write(line("b", "q", 0));
        let mut names = Vec::new();
        for _ in 0..2 {
            let skipped = journal.each(&mut Unique::default(), &mut |event| names.extend(event.name));
            assert_eq!(skipped.unwrap(), 0);
        }
        assert_eq!(names, ["a", "a"]);
    }

    #[test]
    fn garbage_is_passed_over_at_once() {
        let place = Place::new();
        let mut bytes: Vec<u8> = Vec::with_capacity(20 << 20);
        let mut next = 7_u64;
        while bytes.len() < 20 << 20 {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.extend(next.to_be_bytes());
        }
        bytes.push(b'\n');
        bytes.extend(line("a", "p", 0).as_bytes());
        place.write(bytes);
        let (names, skipped) = place.read();
        assert_eq!(names, ["a"]);
        assert!(skipped > 10_000, "{skipped}");
    }
}
