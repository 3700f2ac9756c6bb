//! What is outside of the configuration file: the files that it names, the folders that paths are relative to, the
//! environment.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: reads the files that a configuration names"
)]

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::text::visible;

use super::key::Key;
use super::problem::{Place, Pos, Report};
use super::section::Section;

/// The largest configuration file: a thousand templates with long scripts.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// The environment, as the caller hands it in.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// What a section may look at beside its own keys.
#[derive(Clone, Copy)]
pub struct Outside<'o> {
    /// What paths are relative to.
    pub folders: &'o Folders,
    /// The environment.
    pub env: Env<'o>,
    /// Whether others may read the configuration file.
    pub readable: bool,
}

impl Outside<'_> {
    /// Reads the path of a file; what is wrong with it is reported.
    pub fn path(&self, at: &Section<'_>, key: &Key<Option<String>>) -> Option<PathBuf> {
        let path = self.folders.resolve(&at.get(key)?);
        path.map_err(|text| at.error(key, text)).ok()
    }

    /// Reads the path of a file of certificates that can be used; the certificates are read when they are needed.
    pub fn certificates(&self, at: &Section<'_>, key: &Key<Option<String>>) -> Option<PathBuf> {
        let path = self.path(at, key)?;
        if let Some(fault) = pem_fault(&path) {
            let shown = visible(&path.display().to_string());
            at.error(key, format!("cannot use {shown}: {fault}"));
        }
        Some(path)
    }
}

/// What relative paths and `~` are relative to, and where the state goes by default.
#[derive(Clone, Debug)]
pub struct Folders {
    config: PathBuf,
    home: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Folders {
    /// Takes them from the path of the configuration file and from the environment.
    pub fn new(file: &Path, env: Env<'_>) -> Self {
        let home = absolute(env, "HOME");
        Self {
            config: file.parent().unwrap_or(Path::new("")).to_owned(),
            state: absolute(env, "XDG_STATE_HOME").or_else(|| Some(home.as_ref()?.join(".local/state"))),
            home,
        }
    }

    /// Returns the folder of the configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Returns the user's home.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Makes a path of the file usable. The error is of the form `WHAT; ACTION`.
    pub fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        if path.trim().is_empty() {
            return Err("is empty; write a path or remove the key".to_owned());
        }
        // A shell would read these; here they would be folders of that name.
        if path.starts_with('$') || (path.starts_with('~') && !path.starts_with("~/")) {
            return Err("begins with a variable or ~user, which is not read here; write the whole path".to_owned());
        }
        if path.ends_with('/') {
            return Err("names a folder; write the path of a file".to_owned());
        }
        match path.strip_prefix("~/") {
            Some(rest) => match &self.home {
                Some(home) => Ok(home.join(rest)),
                None => Err("begins with ~ and HOME is not set; write the whole path".to_owned()),
            },
            None => Ok(self.config.join(path)),
        }
    }

    /// Returns the state file of a configuration without `state_file`.
    pub fn default_state_file(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("mita").join("state.json"))
    }
}

/// A folder from the environment; empty and relative values do not count (as XDG has it).
pub fn absolute(env: Env<'_>, variable: &str) -> Option<PathBuf> {
    env(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Reads a file that may be no larger than a configuration.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cause = |error: std::io::Error| format!("cannot be read: {error}; check path and permissions");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cause)?;
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(cause)?;
    if bytes.len() > MAX_FILE {
        return Err(format!("is larger than {MAX_FILE} bytes; is it the right file?"));
    }
    Ok(bytes)
}

/// Takes the bytes as text. The parser would take a NUL for the end of the file, so control characters go no further.
pub fn text_of<'b>(bytes: &'b [u8], report: &Report) -> Option<&'b str> {
    let (text, fault) = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
            match text.find(bad) {
                None => return Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
                Some(at) => (&text[..at], "a control character that YAML does not allow; remove it"),
            }
        }
        Err(error) => {
            let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            (good, "not UTF-8; save the file as UTF-8")
        }
    };
    let last = text.rsplit('\n').next().unwrap_or_default();
    let at = Pos {
        file: 0,
        line: text.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    };
    report.error(&Place { at, ..Place::file() }, fault);
    None
}

/// What a file of certificates holds in any case.
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// Larger than all public certificate authorities together.
const MAX_PEM: u64 = 4 * 1024 * 1024;

/// Returns what is wrong with a file of certificates, as far as that is seen without reading them.
fn pem_fault(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PEM).read_to_end(&mut bytes));
    match read {
        Err(error) => Some(format!("{error}; check path and permissions")),
        Ok(_) if bytes.windows(PEM.len()).any(|window| window == PEM) => None,
        Ok(_) => Some("holds no PEM certificate; it must have a block BEGIN CERTIFICATE".to_owned()),
    }
}

/// Returns whether a file has one of these permission bits.
#[cfg(unix)]
pub fn readable_by_others(path: &Path, bits: u32) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & bits != 0)
}

/// Returns whether a file has one of these permission bits: unknown here, so no.
#[cfg(not(unix))]
pub fn readable_by_others(_path: &Path, _bits: u32) -> bool {
    false
}
