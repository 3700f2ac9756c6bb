//! The file of the pauses, `<state_file>.paused`: it outlives the state, which may be deleted at any time.
//!
//! It is written by `pause` and `resume` alone, so that a pass which runs meanwhile loses none.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: reads and writes the file of the pauses"
)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::model::{Pause, Pauses};

/// The format written by this program.
const VERSION: u32 = 1;

/// A thousand pauses take a fifth of it.
const MAX_BYTES: u64 = 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    pauses: Vec<Pause>,
}

/// Returns the file that belongs to a state file.
pub fn path_for(state_file: &Path) -> PathBuf {
    disk::beside(state_file, ".paused")
}

/// Reads the pauses that belong to a state file. What cannot be read is no empty list: it may forbid everything.
pub fn load(state_file: &Path) -> Pauses {
    let path = path_for(state_file);
    match read(&path) {
        Ok(all) => Pauses { all, unreadable: None },
        Err(error) => Pauses {
            all: Vec::new(),
            unreadable: Some(format!("the pauses in {} cannot be read: {error}", path.display())),
        },
    }
}

fn read(path: &Path) -> io::Result<Vec<Pause>> {
    // Looked at before it is opened: opening a pipe would wait for ever.
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is no regular file")),
        Ok(_) => {}
        // A link to nowhere is no file that is missing.
        Err(error) if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let content: Content = serde_json::from_slice(&bytes)?;
    if content.version != VERSION {
        let found = content.version;
        return Err(io::Error::other(format!("format {found}, this mita knows {VERSION}")));
    }
    Ok(content.pauses)
}

/// Writes the pauses, whole or not at all; without any the file goes.
pub fn save(state_file: &Path, pauses: &[Pause]) -> io::Result<()> {
    let path = path_for(state_file);
    if pauses.is_empty() {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let content = Content {
        version: VERSION,
        pauses: pauses.to_vec(),
    };
    let mut bytes = serde_json::to_vec_pretty(&content)?;
    bytes.push(b'\n');
    disk::write_whole(&path, &bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use jiff::Timestamp;

    use super::*;

    fn pause(template: &str) -> Pause {
        Pause {
            provider: None,
            template: Some(template.into()),
            until: None,
            reason: Some("a new image".to_owned()),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_saved_is_read_and_none_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let state_file = folder.path().join("state.json");
        assert!(load(&state_file).is_empty());
        let pauses = vec![pause("small"), pause("large")];
        save(&state_file, &pauses).unwrap();
        assert_eq!(load(&state_file).all, pauses);
        let mode = fs::metadata(path_for(&state_file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        save(&state_file, &[]).unwrap();
        save(&state_file, &[]).unwrap();
        assert!(!path_for(&state_file).exists());
    }

    #[test]
    fn what_cannot_be_read_forbids_everything() {
        let folder = tempfile::tempdir().unwrap();
        let state_file = folder.path().join("state.json");
        let (template, path) = ("small".into(), path_for(&state_file));
        for text in [
            "",
            "{\"version\":1,\"pau",
            r#"{"version":2,"pauses":[]}"#,
            r#"{"version":1,"pauses":[{"tmplate":"small"}]}"#,
            "[]",
        ] {
            fs::write(&path, text).unwrap();
            let pauses = load(&state_file);
            let why = pauses.of_template(&template, Timestamp::UNIX_EPOCH).unwrap();
            assert!(
                why.contains("nothing is created") && why.contains("cannot be read"),
                "{text}: {why}"
            );
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(load(&state_file).unreadable.unwrap().contains("no regular file"));
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(load(&state_file).unreadable.is_some(), "a link to nowhere");
    }
}
