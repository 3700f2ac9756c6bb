//! Reads a file of text that a configuration names, such as a script: whole, bounded, as it is.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: reads the files that a configuration names"
)]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::text::visible;

use super::files::Outside;
use super::key::Key;
use super::section::Section;

/// The largest text: no cloud takes more as user data, and an executable of the operator needs no more.
const MAX_TEXT: u64 = 1024 * 1024;

/// A file of text.
pub struct TextFile {
    /// What it is called.
    pub shown: String,
    /// What it holds.
    pub text: String,
}

impl Outside<'_> {
    /// Reads the text of the file that a key names; what is wrong with it is reported.
    pub fn text(&self, at: &Section<'_>, key: &Key<Option<String>>) -> Option<TextFile> {
        let path = self.path(at, key)?;
        let shown = path.display().to_string();
        match read(&path) {
            Ok(text) => Some(TextFile { shown, text }),
            Err(text) => {
                at.error(key, format!("cannot use {}: {text}", visible(&shown)));
                None
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let cause = |error: std::io::Error| format!("{error}; check path and permissions");
    // To open a pipe would be to wait for who writes into it.
    if !std::fs::metadata(path).map_err(cause)?.is_file() {
        return Err("is no regular file; name a file of text".to_owned());
    }
    let file = File::open(path).map_err(cause)?;
    let mut bytes = Vec::new();
    file.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(cause)?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(format!("is larger than {MAX_TEXT} bytes; is it the right file?"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8; save it as UTF-8 text".to_owned())?;
    if text.trim().is_empty() {
        return Err("is empty; write the text there, or remove the key".to_owned());
    }
    Ok(text)
}
