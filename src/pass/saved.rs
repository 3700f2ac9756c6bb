//! A saved observation: what a pass saw and remembered, so that its decision can be made again (`--replay`).

#![expect(clippy::disallowed_methods, reason = "an edge: reads the file of --replay")]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::Error;
use crate::model::Observed;
use crate::state::State;

/// The format written by this program.
const VERSION: u32 = 1;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// What `--save-observation` writes. It holds no secrets, but names of jobs, nodes and servers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    pub version: u32,
    /// When the pass looked.
    pub now: Timestamp,
    pub pass: String,
    /// What it saw.
    pub observed: Observed,
    /// What it remembered before looking.
    pub state: State,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl Saved {
    /// Packs an observation.
    pub fn new(now: Timestamp, pass: String, observed: Observed, state: State) -> Self {
        Self {
            version: VERSION,
            now,
            pass,
            observed,
            state,
        }
    }

    /// Writes it, whole or not at all, readable by its owner only.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::File {
            what: format!("cannot write the observation {}", path.display()),
            source,
        };
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        disk::write_whole(path, &bytes).map_err(failed)
    }

    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File {
            what: format!("cannot read the observation {}", path.display()),
            source,
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(failed)?;
        // The format first: another one would be refused for an unknown field.
        if let Ok(Head { version }) = serde_json::from_slice(&bytes)
            && version != VERSION
        {
            let what = format!("format {version} (this mita knows {VERSION})");
            return Err(failed(std::io::Error::other(what)));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let what = format!("{error}; it must be a file that --save-observation wrote");
            failed(std::io::Error::other(what))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    #[test]
    fn a_file_that_is_no_observation_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.json");
        for (text, said) in [
            (r#"{"version":99,"more":1}"#, ": format 99 (this mita knows 1)"),
            (r#"{"version":1}"#, "; it must be a file that --save-observation wrote"),
            ("no", "; it must be a file that --save-observation wrote"),
        ] {
            disk::write_whole(&path, text.as_bytes()).unwrap();
            let told = chain(&Saved::read(&path).unwrap_err());
            assert!(told.ends_with(said), "{told}");
        }
    }
}
