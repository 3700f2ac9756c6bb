//! Finds the secrets: in the file itself, in files that it names, in the environment.
//!
//! No message here shows a secret, nor the name of a variable's content.

#![expect(clippy::disallowed_methods, reason = "an edge: reads the files that hold secrets")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::access::JenkinsCredential;
use crate::secret::Secret;
use crate::text::visible;

use super::at::{At, Given};
use super::libcloud;
use super::load::Folders;
use super::problem::{Place, Report};
use super::raw::{RawConfig, RawSecret};
use super::schema::{self, PROVIDER_TYPES};

/// The largest secret file; a token has 34 bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The secrets that were found. One that is missing was reported.
#[derive(Debug, Default)]
pub struct Secrets {
    /// How mita proves to Jenkins who it is.
    pub jenkins: Option<JenkinsCredential>,
    /// The password, or the application credential's secret, of each provider.
    pub providers: BTreeMap<String, Secret>,
    /// Whether the configuration file itself holds one.
    pub inline: bool,
}

/// The environment, as the caller hands it in.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Finds all secrets of a configuration.
pub fn find(raw: &RawConfig, root: &At<'_>, folders: &Folders, env: Env<'_>, report: &mut Report) -> Secrets {
    let mut finder = Finder {
        folders,
        env,
        report,
        inline: false,
    };
    let jenkins = finder.jenkins(raw, &root.section("jenkins"));
    let section = root.section("provider");
    let mut providers = BTreeMap::new();
    let ours = |kind: &Option<String>| kind.as_deref().is_none_or(|kind| PROVIDER_TYPES.contains(&kind));
    for (name, provider) in raw.provider.iter().filter(|(_, provider)| ours(&provider.r#type)) {
        if schema::is_exec(name, provider.r#type.as_deref()) {
            finder.inline |= provider.environment.keys().any(|name| names_a_secret(name));
            continue;
        }
        let sources = [
            Source::Inline("password", provider.password.as_ref()),
            Source::File("password_file", provider.password_file.as_deref()),
            Source::Inline(
                "application_credential_secret",
                provider.application_credential_secret.as_ref(),
            ),
            Source::Inline("token", provider.token.as_ref()),
        ];
        let variable = libcloud::password_variable(name);
        if let Some((_, secret)) = finder.one_of(&section.section(name), &sources, &[("password", &variable)]) {
            providers.insert(name.clone(), secret);
        }
    }
    Secrets {
        jenkins,
        providers,
        inline: finder.inline,
    }
}

/// Returns whether a variable of a command holds a secret, by what it is called.
fn names_a_secret(variable: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    let words = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "ACCESS_KEY"];
    words.iter().any(|word| variable.contains(word)) && !variable.ends_with("_FILE")
}

/// A key that may hold a secret or name its file.
enum Source<'s> {
    Inline(&'static str, Option<&'s RawSecret>),
    File(&'static str, Option<&'s str>),
}

impl Source<'_> {
    fn key(&self) -> &'static str {
        match self {
            Self::Inline(key, _) | Self::File(key, _) => key,
        }
    }
}

struct Finder<'f> {
    folders: &'f Folders,
    env: Env<'f>,
    report: &'f mut Report,
    inline: bool,
}

impl Finder<'_> {
    fn jenkins(&mut self, raw: &RawConfig, at: &At<'_>) -> Option<JenkinsCredential> {
        if !at.is_good() {
            return None;
        }
        let jenkins = &raw.jenkins;
        let sources = [
            Source::Inline("token", jenkins.token.as_ref()),
            Source::File("token_file", jenkins.token_file.as_deref()),
            Source::Inline("password", jenkins.password.as_ref()),
            Source::File("password_file", jenkins.password_file.as_deref()),
        ];
        let variables = [("token", "MITA_JENKINS_TOKEN"), ("password", "MITA_JENKINS_PASSWORD")];
        let (key, secret) = self.one_of(at, &sources, &variables)?;
        Some(if key.starts_with("token") {
            JenkinsCredential::Token(secret)
        } else {
            JenkinsCredential::Password(secret)
        })
    }

    /// Returns the secret of the one source that is given, with its key; the environment is asked when none is.
    fn one_of(
        &mut self,
        at: &At<'_>,
        sources: &[Source<'_>],
        variables: &[(&'static str, &str)],
    ) -> Option<(&'static str, Secret)> {
        let given: Vec<&Source<'_>> = sources.iter().filter(|s| at.given(s.key()) != Given::Absent).collect();
        match given[..] {
            [] => self.look_around(at, variables),
            [source] => self.take(at, source).map(|secret| (source.key(), secret)),
            [first, second, ..] => {
                let text = format!("{} is given, too; keep one of the two", first.key());
                self.report.error(&at.place(second.key()), text);
                None
            }
        }
    }

    fn take(&mut self, at: &At<'_>, source: &Source<'_>) -> Option<Secret> {
        let place = at.place(source.key());
        if at.given(source.key()) == Given::Empty {
            let text = "is empty; a value that begins with # & * ! @ or ` must stand in quotes";
            self.report.error(&place, text);
            return None;
        }
        match source {
            Source::Inline(_, raw) => {
                self.inline |= !at.is_elsewhere(source.key());
                let secret = raw.as_ref()?.secret();
                self.usable(&place, secret, "")
            }
            Source::File(_, path) => self.read_file(&place, path.as_ref()?),
        }
    }

    fn read_file(&mut self, place: &Place, path: &str) -> Option<Secret> {
        let path = match self.folders.resolve(path) {
            Ok(path) => path,
            Err(text) => {
                self.report.error(place, text);
                return None;
            }
        };
        match read(&path) {
            Ok(text) => {
                if readable_by_others(&path, 0o004) {
                    let shown = visible(&path.display().to_string());
                    self.report
                        .warn(place, format!("{shown} can be read by everyone; chmod 600 it"));
                }
                self.usable(place, Secret::new(text), " in the file")
            }
            Err(text) => {
                let shown = visible(&path.display().to_string());
                self.report.error(place, format!("cannot use {shown}: {text}"));
                None
            }
        }
    }

    fn look_around(&mut self, at: &At<'_>, variables: &[(&'static str, &str)]) -> Option<(&'static str, Secret)> {
        let found: Vec<(&'static str, &str, String)> = variables
            .iter()
            .filter_map(|(key, variable)| Some((*key, *variable, (self.env)(variable)?)))
            .filter(|(_, _, text)| !text.is_empty())
            .collect();
        match &found[..] {
            [] => {
                let names: Vec<&str> = variables.iter().map(|(_, variable)| *variable).collect();
                let key = variables.first().map_or("password", |(key, _)| key);
                let text = format!("missing; set it, or {key}_file, or the variable {}", names.join(" or "));
                self.report.error(&at.place(key), text);
                None
            }
            [(key, variable, text)] => {
                let place = at.place(key);
                let secret = self.usable(&place, Secret::new(text.as_str()), &format!(" in {variable}"))?;
                Some((*key, secret))
            }
            [(key, first, _), (_, second, _), ..] => {
                let text = format!("both {first} and {second} are set in the environment; unset one of the two");
                self.report.error(&at.place(key), text);
                None
            }
        }
    }

    /// Refuses a secret that cannot be one.
    fn usable(&mut self, place: &Place, secret: Secret, whence: &str) -> Option<Secret> {
        let text = secret.reveal();
        let fault = if text.is_empty() {
            "is empty; put the secret there"
        } else if text.chars().any(char::is_control) {
            "holds a line break or another control character; write it as one line"
        } else {
            return Some(secret);
        };
        let (what, action) = fault.split_once("; ").unwrap_or((fault, ""));
        self.report.error(place, format!("{what}{whence}; {action}"));
        None
    }
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
