//! Reads the configuration: finds the file, reads it, the files it names and the environment.
//!
//! Each step (`settings` has them) goes on after a problem where that makes sense, so that all problems are shown at once.

use std::path::{Path, PathBuf};

use crate::provider::kind::Kind;
use crate::provider::kinds::KINDS;
use crate::settings::check::Checker;
use crate::settings::files::{Env, Folders, Outside, absolute, read, readable_by_others, text_of};
use crate::settings::key::Schema;
use crate::settings::problem::{ConfigError, Report, Warning};
use crate::settings::section::Section;
use crate::settings::yaml::{self, Node, Value};

use super::effective::write;
use super::hints;
use super::marks;
use super::node::{NODE, inherit};
use super::provider;
use super::root::{self, ROOT};
use super::whole::{self, Config};

/// A configuration, and what is worth a word about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The warnings, in the order of the file.
    pub warnings: Vec<Warning>,
    /// What may well be meant, though it is often a mistake; `check` prints it.
    pub hints: Vec<String>,
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
    // One that cannot be looked at is taken: reading it reports why.
    if let Some(path) = tried.iter().find(|path| path.try_exists().unwrap_or(true)) {
        return Ok(path.clone());
    }
    let names: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
    let text = format!(
        "no configuration file, tried {}; write one (`mita init` does, mita.yaml.example explains it) or name it by -c or MITA_CONFIG",
        names.join(", ")
    );
    Err(ConfigError::without_place(text))
}

/// Reads and checks a configuration file. The error holds all that is wrong with it.
pub fn load(path: &Path, env: Env<'_>) -> Result<Loaded, ConfigError> {
    load_with(path, env, &KINDS)
}

/// Like [`load`], with the given kinds of clouds.
pub fn load_with(path: &Path, env: Env<'_>, kinds: &[&'static Kind]) -> Result<Loaded, ConfigError> {
    let nothing = |_: &Section<'_>, _: &Config| ();
    read_file(path, env, kinds, &nothing).map(|(loaded, ())| loaded)
}

/// Checks a configuration that is in no file; `path` is what it is called, and its folder is that of relative paths.
pub fn load_text(text: &str, path: &Path, env: Env<'_>) -> Result<Loaded, ConfigError> {
    let nothing = |_: &Section<'_>, _: &Config| ();
    read_bytes(text.as_bytes(), path, env, &KINDS, &nothing).map(|(loaded, ())| loaded)
}

/// Reads and checks a configuration file, and writes out what it means with all defaults: the second value is the YAML.
pub fn effective(path: &Path, env: Env<'_>) -> Result<(Loaded, String), ConfigError> {
    let written = |root: &Section<'_>, config: &Config| write(root, config);
    read_file(path, env, &KINDS, &written)
}

/// What is made of a good file beside its configuration.
type Also<'a, T> = &'a dyn Fn(&Section<'_>, &Config) -> T;

fn read_file<T>(
    path: &Path,
    env: Env<'_>,
    kinds: &[&'static Kind],
    also: Also<'_, T>,
) -> Result<(Loaded, T), ConfigError> {
    let file = path.display().to_string();
    let bytes = read(path).map_err(|text| ConfigError::of_file(&file, &text))?;
    read_bytes(&bytes, path, env, kinds, also)
}

/// Reads what a file holds.
fn read_bytes<T>(
    bytes: &[u8],
    path: &Path,
    env: Env<'_>,
    kinds: &[&'static Kind],
    also: Also<'_, T>,
) -> Result<(Loaded, T), ConfigError> {
    let file = path.display().to_string();
    let report = Report::default();
    let made = text_of(bytes, &report).and_then(|text| {
        report.keep_text(text);
        let folders = Folders::new(path, env);
        let outside = Outside {
            folders: &folders,
            env,
            readable: readable_by_others(path, 0o004),
        };
        let made = tree(text, &report, &outside, kinds).and_then(|root| {
            let root = Section::root(&root, &report);
            let config = whole::config(&root, text, &outside, kinds);
            report.is_good().then(|| (also(&root, &config), config))
        });
        marks::hint(text, &report);
        made
    });
    let found = report.finish(&file);
    let (also, config) = made.ok_or(ConfigError::new(found.problems))?;
    let (warnings, hints) = (found.warnings, found.hints);
    Ok((
        Loaded {
            config,
            warnings,
            hints,
        },
        also,
    ))
}

/// Goes from the text to the checked tree, with what its sections inherit and take from elsewhere; `None` where that was
/// impossible, which is in the report.
fn tree(text: &str, report: &Report, outside: &Outside<'_>, kinds: &[&'static Kind]) -> Option<Node> {
    let mut root = yaml::read(text, report).ok()?;
    // A place for anchors that are used elsewhere, as in other tools.
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|entry| !entry.key.starts_with("x-"));
    }
    let elsewhere = |written: &str| {
        let section = root::section_of(written, kinds)?;
        Some(format!("unknown key here; it belongs under {section}"))
    };
    let of_kinds: Vec<(&Schema, &Schema)> = kinds.iter().map(|kind| (&NODE, kind.node_keys)).collect();
    let checker = Checker {
        report,
        elsewhere: &elsewhere,
        more: &of_kinds,
    };
    checker.section(&mut root, &[&ROOT], "");
    provider::check(&mut root, &checker, outside, kinds);
    hints::look(&root, report);
    inherit(&mut root);
    Some(root)
}
