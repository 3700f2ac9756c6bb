//! Reads the configuration: finds the file, reads it, the files it names and the environment.
//!
//! The order: text -> positioned tree -> checked tree -> `raw` (by `serde_yaml`) -> `validate`. Each step goes on after a
//! problem where that makes sense, so that all problems are shown at once.

#![expect(clippy::disallowed_methods, reason = "an edge: reads the configuration file")]

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value as Yaml};

use crate::text::visible;

use super::at::At;
use super::problem::{ConfigError, Place, Pos, Report, Warning};
use super::raw::RawConfig;
use super::secrets::{self, Env};
use super::tree::{self, Node, Value};
use super::validate::{self, Found};
use super::{Config, check, clouds, command};

/// The largest configuration file: a thousand templates with long scripts.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// A configuration, and what is worth a word about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The warnings, in the order of the file.
    pub warnings: Vec<Warning>,
}

/// What relative paths and `~` are relative to, and where the state goes by default.
#[derive(Clone, Debug)]
pub struct Folders {
    config: PathBuf,
    home: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Folders {
    fn new(file: &Path, env: Env<'_>) -> Self {
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

    /// Makes a path of the file usable. The error says what is wrong and what to do.
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

    /// Returns where the state file is when the configuration does not say.
    pub fn default_state_file(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("mita").join("state.json"))
    }
}

/// A folder from the environment; empty and relative values do not count (as XDG has it).
pub(super) fn absolute(env: Env<'_>, variable: &str) -> Option<PathBuf> {
    env(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Finds the configuration file: the one that was asked for, else `$MITA_CONFIG`, else the first there is.
pub fn find(explicit: Option<&Path>, env: Env<'_>) -> Result<PathBuf, ConfigError> {
    let wanted = env("MITA_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = explicit.map(Path::to_owned).or(wanted) {
        return Ok(path);
    }
    let user = absolute(env, "XDG_CONFIG_HOME").or_else(|| Some(absolute(env, "HOME")?.join(".config")));
    let mut tried = vec![PathBuf::from("./mita.yaml")];
    tried.extend(user.map(|folder| folder.join("mita").join("mita.yaml")));
    tried.push(PathBuf::from("/etc/mita/mita.yaml"));
    // One that cannot be looked at is taken, so that reading it says why.
    if let Some(path) = tried.iter().find(|path| path.try_exists().unwrap_or(true)) {
        return Ok(path.clone());
    }
    let names: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
    let text = format!(
        "mita: no configuration file, tried {}; write one (see mita.yaml.example) or name it by -c or MITA_CONFIG",
        names.join(", ")
    );
    Err(ConfigError::of_lines(vec![text]))
}

/// Reads and checks a configuration file. The error holds all that is wrong with it.
pub fn load(path: &Path, env: Env<'_>) -> Result<Loaded, ConfigError> {
    let file = path.display().to_string();
    let bytes = read(path).map_err(|text| ConfigError::of_file(&file, &text))?;
    let mut report = Report::default();
    let config = text_of(&bytes, &mut report).and_then(|text| {
        let secrets_readable = secrets::readable_by_others(path, 0o044);
        from_text(text, &Folders::new(path, env), env, secrets_readable, &mut report)
    });
    let good = report.is_good();
    let (problems, warnings) = report.finish(&file);
    match config {
        Some(config) if good => Ok(Loaded { config, warnings }),
        _ => Err(ConfigError::of_lines(problems)),
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
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
pub(super) fn text_of<'b>(bytes: &'b [u8], report: &mut Report) -> Option<&'b str> {
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

/// Goes from the text to the configuration; `None` where that was impossible, which is in the report.
fn from_text(text: &str, folders: &Folders, env: Env<'_>, readable: bool, report: &mut Report) -> Option<Config> {
    let mut root = tree::read(text, report).ok()?;
    check::check(&mut root, report);
    clouds::fill(&mut root, folders, env, report);
    let raw: RawConfig = match serde_yaml::from_value(yaml(&root).unwrap_or_default()) {
        Ok(raw) => raw,
        Err(error) => {
            report.error(
                &Place::file(),
                format!("cannot be used: {error}; see mita.yaml.example"),
            );
            return None;
        }
    };
    let at = At::root(&root);
    let secrets = secrets::find(&raw, &at, folders, env, report);
    if secrets.inline && readable {
        let text = "holds a secret and can be read by others; chmod 600 it, or use token_file and password_file";
        report.hint(&Place::file(), text);
    }
    certificates_exist(&raw, &at, folders, report);
    let commands = command::find(&raw, &at, folders, env, report);
    let found = Found {
        secrets,
        commands,
        folders,
        text,
    };
    Some(validate::config(&raw, &at, found, report))
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

/// Reports a `ca_file` that cannot be used; its certificates themselves are read when they are used.
fn certificates_exist(raw: &RawConfig, root: &At<'_>, folders: &Folders, report: &mut Report) {
    let section = root.section("provider");
    let clouds = raw
        .provider
        .iter()
        .map(|(name, raw)| (section.section(name), &raw.ca_file));
    let all = std::iter::once((root.section("jenkins"), &raw.jenkins.ca_file)).chain(clouds);
    for (at, file) in all {
        let Some(Ok(path)) = file.as_ref().map(|file| folders.resolve(file)) else {
            continue;
        };
        if let Some(fault) = pem_fault(&path) {
            let shown = visible(&path.display().to_string());
            report.error(&at.place("ca_file"), format!("cannot use {shown}: {fault}"));
        }
    }
}

/// Turns a checked tree into what serde reads. What is empty or bad is left out: it counts as not given.
fn yaml(node: &Node) -> Option<Yaml> {
    Some(match &node.value {
        Value::Null | Value::Bad => return None,
        Value::Text(text, _) | Value::Scalar(text, _) => Yaml::String(text.clone()),
        Value::Int(number) => Yaml::Number((*number).into()),
        Value::Float(number) => Yaml::Number((*number).into()),
        Value::Flag(flag) => Yaml::Bool(*flag),
        Value::List(items) => Yaml::Sequence(items.iter().map(|item| yaml(item).unwrap_or_default()).collect()),
        Value::Map(entries) => {
            let pairs = entries
                .iter()
                .filter_map(|e| Some((Yaml::String(e.key.clone()), yaml(&e.value)?)));
            Yaml::Mapping(pairs.collect::<Mapping>())
        }
    })
}
