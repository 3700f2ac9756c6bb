//! The state file: read whole or set aside, saved beside and renamed. What it means is left to `plan`.

#![expect(clippy::disallowed_methods, reason = "an edge: reads and writes the state file")]

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

use super::{State, VERSION};
use crate::disk;

/// Larger than any state that was ever ours: ten thousand nodes take about 5 MB.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Why the state file cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// Written by a newer mita.
    #[error(
        "{path}: written by a newer mita (format {found}, this one knows {VERSION}); use that one, or move the file away"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// Cannot be read.
    #[error("{path}: cannot be read: {source}; it must be a file of mita's own, see state_file")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Cannot be written.
    #[error("{path}: cannot be written: {source}; its folder must be writable and have room")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Too large to be ours.
    #[error("{path}: larger than {MAX_BYTES} bytes, so it is not a state file of mita")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl StateError {
    /// Returns the state file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Newer { path, .. } | Self::Read { path, .. } | Self::Write { path, .. } | Self::TooLarge { path } => {
                path
            }
        }
    }
}

/// What was found at the place of the state file.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a pass")]
pub enum StateFile {
    /// A state, or none yet (then it is empty).
    State(State),
    /// A file that is not a state; the pass goes on from the cloud's marks.
    Damaged {
        /// What is wrong with it.
        what: String,
    },
}

/// Reads a state file. A missing one is an empty state.
pub fn load(path: &Path) -> Result<StateFile, StateError> {
    let read = |source| StateError::Read {
        path: path.to_owned(),
        source,
    };
    // Looked at before it is opened: opening a pipe would wait for ever, a device is nothing to move aside, and a link
    // would be replaced when the state is saved. What the lock is beside must be the file itself.
    let opened = fs::symlink_metadata(path).and_then(|found| match disk::no_file(&found) {
        Some(instead) => Err(std::io::Error::other(instead)),
        None => File::open(path),
    });
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(StateFile::State(State::default())),
        Err(error) => return Err(read(error)),
    };
    // Room for all of it, else a large state is copied a dozen times while it is read.
    let room = file.metadata().map_or(0, |found| found.len().min(MAX_BYTES));
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0) + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(StateError::TooLarge { path: path.to_owned() });
    }
    parse(path, &bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<StateFile, StateError> {
    #[derive(Deserialize)]
    struct Head {
        version: u64,
    }
    let damaged = |what: String| Ok(StateFile::Damaged { what });
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return damaged(error.to_string()),
    };
    // A state of this version is read once. One that cannot be read may be a newer one.
    let wrong = match serde_json::from_str::<State>(text) {
        Ok(state) if state.version == VERSION => return Ok(StateFile::State(state)),
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    match serde_json::from_str::<Head>(text) {
        Ok(Head { version }) if version > u64::from(VERSION) => Err(StateError::Newer {
            path: path.to_owned(),
            found: version,
        }),
        Ok(Head { version }) if version != u64::from(VERSION) => damaged(format!("format {version} was never written")),
        Ok(_) => damaged(wrong),
        Err(error) => damaged(error.to_string()),
    }
}

/// Moves a damaged file aside and returns where it went.
pub fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StateError> {
    let aside = disk::beside(path, &format!(".damaged-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    fs::rename(path, &aside).map_err(|source| StateError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(aside)
}

/// Makes the folder of the state file, where it is missing.
pub fn make_folder(path: &Path) -> Result<(), StateError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| StateError::Write {
                path: path.to_owned(),
                source,
            }),
        _ => Ok(()),
    }
}

/// Saves a state: written beside, synced, renamed, and the folder synced, so that a crash leaves the old or the new one.
pub fn save(path: &Path, state: &State) -> Result<(), StateError> {
    save_bytes(path, state).map_err(|source| StateError::Write {
        path: path.to_owned(),
        source,
    })
}

fn save_bytes(path: &Path, state: &State) -> std::io::Result<()> {
    let bytes = serde_json::to_vec(state)?;
    disk::write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::state::LastPass;

    fn some_state() -> State {
        let last_pass = Some(LastPass::begun("p1", Timestamp::UNIX_EPOCH));
        State {
            last_pass,
            ..State::default()
        }
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        make_folder(&path).unwrap();
        save(&path, &some_state()).unwrap();
        save(&path, &some_state()).unwrap();
        let StateFile::State(state) = load(&path).unwrap() else {
            panic!("damaged")
        };
        assert_eq!(state, some_state());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nothing", &link).unwrap();
        for (path, what) in [
            (Path::new("/dev/null"), "it is no regular file"),
            (folder.path(), "it is a folder"),
            (&link, "it is a symbolic link"),
        ] {
            let error = load(path).unwrap_err().to_string();
            assert!(error.contains(&format!("cannot be read: {what}")), "{error}");
        }
    }

    #[test]
    fn a_missing_file_is_an_empty_state() {
        let folder = tempfile::tempdir().unwrap();
        let found = load(&folder.path().join("state.json")).unwrap();
        assert!(matches!(found, StateFile::State(state) if state == State::default()));
    }

    #[test]
    fn a_newer_format_is_refused_and_a_damaged_file_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, r#"{"version":2,"nodes":"of another shape"}"#).unwrap();
        assert!(
            load(&path)
                .unwrap_err()
                .to_string()
                .contains("newer mita (format 2, this one knows 1)")
        );
        for text in [
            "",
            "{",
            "[]",
            r#"{"version":0}"#,
            r#"{"version":1,"nodes":[]}"#,
            "\u{0}\u{0}",
        ] {
            fs::write(&path, text).unwrap();
            assert!(matches!(load(&path).unwrap(), StateFile::Damaged { .. }), "{text}");
        }
        let aside = set_aside(&path, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(aside.file_name().unwrap(), "state.json.damaged-19700101T000000Z");
        assert!(!path.exists() && aside.exists());
    }
}
