//! The lock that keeps two passes apart; the only place that uses fs2.
//!
//! The lock file is never deleted: a pass that waits on a deleted file would hold a lock that nobody else sees. Something
//! is written into it, so what leads to another file, or is one under a second name, is refused.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: measures how long the lock is waited for"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::OFlags;
use rustix::process::geteuid;
use thiserror::Error;

use crate::disk::{self, no_file};
use crate::text::printable;

/// How often a lock that is held is tried again.
const POLL: Duration = Duration::from_millis(100);

/// The user who may look after everybody's files.
const ROOT: u32 = 0;

/// Why the lock could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another pass has it.
    #[error("another pass holds the lock {path}{holder}")]
    Held {
        path: PathBuf,
        /// Since when; `None` where the file does not tell.
        since: Option<Timestamp>,
        /// Who, by the content of the file; empty or beginning with a blank.
        holder: String,
    },
    /// The file cannot be opened or locked.
    #[error("cannot lock {path}: {source}; its folder must exist and be writable, see state_file")]
    Unusable { path: PathBuf, source: std::io::Error },
    /// What is there is no lock file of ours.
    #[error("cannot lock {path}: {what}, see state_file")]
    NoLock {
        path: PathBuf,
        /// What it is; what to do.
        what: String,
    },
}

/// An exclusive lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// How long the command waited for it.
    pub waited: Duration,
}

/// How long a lock is waited for, and what ends that early.
#[derive(Debug)]
pub struct Patience<'a> {
    pub wait: Duration,
    /// Set by a signal.
    pub stop: &'a AtomicBool,
}

impl Drop for Lock {
    /// Unlocks explicitly: closing the file is not enough while a program that is being started has a copy of it.
    fn drop(&mut self) {
        let _ = fs2::FileExt::unlock(&self.file);
    }
}

/// Returns the lock file that belongs to a state file.
pub fn path_for(state_file: &Path) -> PathBuf {
    disk::beside(state_file, ".lock")
}

/// Takes the lock, waiting for it by `pause`; writes our pid and start time into it.
pub fn take(path: &Path, patience: &Patience<'_>, now: Timestamp, pause: &dyn Fn(Duration)) -> Result<Lock, LockError> {
    let unusable = |source| LockError::Unusable {
        path: path.to_owned(),
        source,
    };
    let mut file = open(path)?;
    let began = Instant::now();
    let mut waited = Duration::ZERO;
    // Written out in full: the standard library has methods of the same names with other error types.
    while let Err(error) = fs2::FileExt::try_lock_exclusive(&file) {
        if error.kind() != fs2::lock_contended_error().kind() {
            return Err(unusable(error));
        }
        if waited >= patience.wait || patience.stop.load(Ordering::Relaxed) {
            let text = content(&mut file);
            return Err(LockError::Held {
                path: path.to_owned(),
                since: since(&text),
                holder: holder(&text),
            });
        }
        pause(POLL.min(patience.wait.saturating_sub(waited)));
        waited = began.elapsed();
    }
    let text = format!("{} {}\n", std::process::id(), now.strftime("%Y-%m-%dT%H:%M:%SZ"));
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(unusable)?;
    Ok(Lock { file, waited })
}

/// Opens the file, and makes it where there is none.
fn open(path: &Path) -> Result<File, LockError> {
    let no_lock = |what: &str| LockError::NoLock {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    if let Some(instead) = fs::symlink_metadata(path).ok().as_ref().and_then(no_file) {
        return Err(no_lock(instead));
    }
    // It is looked at once more when it is open. Neither a link nor a pipe that came in between is gone into.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .and_then(|file| Ok((file.metadata()?, file)));
    let (found, file) = opened.map_err(|source| LockError::Unusable {
        path: path.to_owned(),
        source,
    })?;
    if let Some(instead) = no_file(&found) {
        return Err(no_lock(instead));
    }
    if found.nlink() > 1 {
        return Err(no_lock("it is a file with another name, too (a hard link); remove it"));
    }
    match other_owner(found.uid(), geteuid().as_raw()) {
        Some(what) => Err(no_lock(&what)),
        None => Ok(file),
    }
}

/// Returns what is wrong with the owner of the file. Root's own passes, and those that root looks after, are good.
fn other_owner(owner: u32, us: u32) -> Option<String> {
    let good = owner == us || [owner, us].contains(&ROOT);
    (!good).then(|| {
        format!("it belongs to another user (uid {owner}), who could hold it for ever; choose a folder of your own")
    })
}

/// A lock that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Since when; `None` where the file does not tell.
    pub since: Option<Timestamp>,
}

/// Returns whether somebody holds a lock. Where nobody does, it is taken for a moment, to see.
pub fn held(path: &Path) -> Option<Held> {
    // Opening a pipe would wait for ever.
    if !fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let mut file = OpenOptions::new().read(true).open(path).ok()?;
    match fs2::FileExt::try_lock_shared(&file) {
        Ok(()) => {
            let _ = fs2::FileExt::unlock(&file);
            None
        }
        Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
            let since = since(&content(&mut file));
            Some(Held { since })
        }
        Err(_) => None,
    }
}

/// Returns what who holds the lock wrote into the file.
fn content(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(200).read_to_string(&mut text) {
        Ok(_) => text,
        Err(_) => String::new(),
    }
}

fn since(text: &str) -> Option<Timestamp> {
    text.trim().split_once(' ')?.1.parse().ok()
}

fn holder(text: &str) -> String {
    match text.trim().split_once(' ') {
        Some((pid, since)) => format!(" (pid {}, since {})", printable(pid, 20), printable(since, 40)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn check(path: &Path, wait: Duration, stop: bool, pause: &dyn Fn(Duration)) -> Result<Lock, String> {
        let stop = &AtomicBool::new(stop);
        take(path, &Patience { wait, stop }, Timestamp::UNIX_EPOCH, pause).map_err(|error| error.to_string())
    }

    #[test]
    fn a_second_lock_is_refused_and_names_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_for(&folder.path().join("state.json"));
        let never = |_| panic!("nothing is waited for");
        let first = check(&path, Duration::ZERO, false, &never).unwrap();
        assert_eq!(first.waited, Duration::ZERO);
        let refused = check(&path, Duration::ZERO, false, &never).unwrap_err();
        assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(first);
        check(&path, Duration::ZERO, false, &never).unwrap();
        assert!(path.exists(), "the lock file is never deleted");
    }

    #[test]
    fn what_is_no_lock_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let other = path("other");
        fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, path("link.lock")).unwrap();
        std::os::unix::fs::symlink(path("nothing"), path("dangling.lock")).unwrap();
        fs::hard_link(&other, path("hard.lock")).unwrap();
        fs::create_dir(path("folder.lock")).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.lock"), mode).unwrap();
        let never = |_| panic!("nothing is waited for");
        for (name, what) in [
            ("link", "it is a symbolic link; remove it"),
            ("dangling", "it is a symbolic link; remove it"),
            ("hard", "it is a file with another name, too (a hard link); remove it"),
            ("folder", "it is a folder; "),
            ("pipe", "it is no regular file; "),
        ] {
            let lock = path_for(&path(name));
            let refused = check(&lock, Duration::ZERO, false, &never).unwrap_err();
            assert!(
                refused.starts_with(&format!("cannot lock {}: {what}", lock.display())),
                "{refused}"
            );
            assert!(refused.ends_with(", see state_file"), "{refused}");
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
        assert!(!path("nothing").exists());
        for (owner, us, good) in [(1, 1, true), (0, 1, true), (1, 0, true), (2, 1, false)] {
            assert_eq!(other_owner(owner, us).is_none(), good, "{owner} {us}");
        }
    }

    #[test]
    fn who_looks_at_a_lock_sees_since_when_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_for(&folder.path().join("state.json"));
        assert_eq!(held(&path), None, "there is no file");
        let first = check(&path, Duration::ZERO, false, &|_| {}).unwrap();
        let since = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(held(&path), Some(Held { since }));
        drop(first);
        assert_eq!(held(&path), None);
        assert_eq!(held(folder.path()), None);
    }

    #[test]
    fn a_lock_is_waited_for_until_it_is_free_or_a_signal_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_for(&folder.path().join("state.json"));
        let hour = Duration::from_secs(3600);
        let first = RefCell::new(Some(check(&path, hour, false, &|_| {}).unwrap()));
        let refused = check(&path, hour, true, &|_| panic!("a signal ends the wait")).unwrap_err();
        assert!(refused.contains("another pass"), "{refused}");
        let second = check(&path, hour, false, &|_| drop(first.take())).unwrap();
        assert!(second.waited > Duration::ZERO, "how long is told");
    }
}
