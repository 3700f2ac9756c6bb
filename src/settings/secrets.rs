//! Finds a secret: in the file itself, in a file that it names, in the environment.
//!
//! No message here shows a secret, nor the name of a variable's content.

#![expect(clippy::disallowed_methods, reason = "an edge: reads the files that hold secrets")]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::secret::Secret;
use crate::text::visible;

use super::complaint::Complaint;
use super::files::{Outside, readable_by_others};
use super::key::{Key, KeySpec};
use super::problem::Place;
use super::section::{Given, Section};

/// The largest secret file; a token has 34 bytes.
const MAX_FILE: u64 = 64 * 1024;

/// A key that may hold a secret or name its file.
#[derive(Clone, Copy)]
pub enum Source {
    /// The secret itself.
    Inline(&'static Key<Option<Secret>>),
    /// The file that holds it.
    File(&'static Key<Option<String>>),
}

impl Source {
    fn key(self) -> &'static KeySpec {
        match self {
            Self::Inline(key) => key,
            Self::File(key) => key,
        }
    }
}

/// A variable of the environment that may hold a secret, with the key that it is used for.
pub type Variable<'v> = (&'static KeySpec, &'v str);

impl Outside<'_> {
    /// Returns the secret of the one source that is given, with its key; the environment is asked when none is.
    pub fn secret(
        &self,
        at: &Section<'_>,
        sources: &[Source],
        variables: &[Variable<'_>],
    ) -> Option<(&'static KeySpec, Secret)> {
        let given: Vec<&Source> = sources.iter().filter(|s| at.given(s.key()) != Given::Absent).collect();
        match given[..] {
            [] => self.look_around(at, variables),
            [source] => self.take(at, *source).map(|secret| (source.key(), secret)),
            [first, second, ..] => {
                let text = format!("{} is given, too; keep one of the two", first.key().name);
                at.error(second.key(), text);
                None
            }
        }
    }

    /// Warns of a secret in a configuration file that everyone can read.
    pub fn holds_a_secret(&self, at: &Section<'_>) {
        if self.readable {
            let text = "holds a secret and can be read by everyone; chmod 600 it, or use token_file and password_file";
            at.report().warn(&Place::file(), text);
        }
    }

    fn take(&self, at: &Section<'_>, source: Source) -> Option<Secret> {
        let place = at.place(source.key());
        if at.given(source.key()) == Given::Empty {
            let text = "is empty; a value that begins with # & * ! @ or ` must stand in quotes";
            at.report().error(&place, text);
            return None;
        }
        match source {
            Source::Inline(key) => {
                if !at.is_elsewhere(key) {
                    self.holds_a_secret(at);
                }
                usable(at, &place, at.get(key)?, "")
            }
            Source::File(key) => read_file(at, &place, &self.path(at, key)?),
        }
    }

    fn look_around(&self, at: &Section<'_>, variables: &[Variable<'_>]) -> Option<(&'static KeySpec, Secret)> {
        let found: Vec<(&'static KeySpec, &str, String)> = variables
            .iter()
            .filter_map(|(key, variable)| Some((*key, *variable, (self.env)(variable)?)))
            .filter(|(_, _, text)| !text.is_empty())
            .collect();
        match &found[..] {
            [] => {
                let names: Vec<&str> = variables.iter().map(|(_, variable)| *variable).collect();
                let key = variables.first().map(|(key, _)| *key)?;
                let name = key.name;
                let text = format!(
                    "missing; set it, or {name}_file, or the variable {}",
                    names.join(" or ")
                );
                at.error(key, text);
                None
            }
            [(key, variable, text)] => {
                let place = at.place(key);
                let secret = usable(at, &place, Secret::new(text.as_str()), &format!(" in {variable}"))?;
                at.report().taken(&place, variable);
                Some((*key, secret))
            }
            [(key, first, _), (_, second, _), ..] => {
                let text = format!("both {first} and {second} are set in the environment; unset one of the two");
                at.error(key, text);
                None
            }
        }
    }
}

fn read_file(at: &Section<'_>, place: &Place, path: &Path) -> Option<Secret> {
    let shown = visible(&path.display().to_string());
    match read(path) {
        Ok(text) => {
            if readable_by_others(path, 0o004) {
                let text = format!("{shown} can be read by everyone; chmod 600 it");
                at.report().warn(place, text);
            }
            usable(at, place, Secret::new(text), &format!(" in the file {shown}"))
        }
        Err(text) => {
            at.report().error(place, format!("cannot use {shown}: {text}"));
            None
        }
    }
}

/// Refuses a secret that cannot be one.
fn usable(at: &Section<'_>, place: &Place, secret: Secret, whence: &str) -> Option<Secret> {
    let text = secret.reveal();
    let fault = if text.is_empty() {
        Complaint::new("is empty", "put the secret there")
    } else if text.chars().any(char::is_control) {
        Complaint::new(
            "holds a line break or another control character",
            "write it as one line",
        )
    } else {
        return Some(secret);
    };
    let text = format!("{}{whence}; {}", fault.what, fault.action);
    at.report().error(place, text);
    None
}

/// Reads a secret file without what editors and shells put around a secret: a byte order mark, blanks, line ends.
fn read(path: &Path) -> Result<String, String> {
    let cause = |error: std::io::Error| format!("{error}; check path and permissions");
    let file = File::open(path).map_err(cause)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cause)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "larger than {MAX_FILE} bytes; it must hold the secret and nothing else"
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8; save it as UTF-8 text".to_owned())?;
    Ok(text
        .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
        .to_owned())
}

/// Returns the name of the environment variable that may hold a provider's password.
pub fn password_variable(provider: &str) -> String {
    let upper: String = provider
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("MITA_{upper}_PASSWORD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_its_variable() {
        assert_eq!(password_variable("ovh-gra.1"), "MITA_OVH_GRA_1_PASSWORD");
    }
}
