//! Judges the entries of `provider:` of type exec: an executable of the operator that plays the cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::access::ExecAccess;

use super::super::at::{At, Given};
use super::super::command::Command;
use super::super::problem::{Place, Report};
use super::super::raw::{RawConfig, RawNode, RawProvider};
use super::super::schema;
use super::node::Context;
use super::{Common, positive};

/// How many of the providers of a template are of type exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// None, or there is no provider.
    Nothing,
    /// Some.
    Some,
    /// All.
    All,
}

impl Part {
    /// Looks at the providers of a template.
    pub fn of(raw: &RawNode, context: &Context<'_>) -> Self {
        let mut names = raw.provider.iter().flatten();
        let is_exec = |name: &String| context.exec.contains(name.as_str());
        match names.clone().filter(|name| is_exec(name)).count() {
            0 => Self::Nothing,
            _ if names.all(is_exec) => Self::All,
            _ => Self::Some,
        }
    }
}

/// Returns the names of the providers of type exec.
pub fn names(raw: &RawConfig) -> BTreeSet<&str> {
    let all = raw.provider.iter();
    all.filter(|(name, provider)| schema::is_exec(name, provider.r#type.as_deref()))
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Reports keys of type exec in an entry of another type.
pub fn without_its_keys(at: &At<'_>, report: &mut Report) {
    for key in schema::EXEC_ONLY {
        if at.given(key) != Given::Absent {
            report.error(&at.place(key), "belongs to type exec; remove it, or write type: exec");
        }
    }
}

/// Makes the access; `command` is what was found of it.
pub fn access(
    at: &At<'_>,
    name: &str,
    raw: &RawProvider,
    command: Option<&Command>,
    owner: &str,
    common: &Common<'_>,
    report: &mut Report,
) -> ExecAccess {
    let foreign = |key: &&str| !schema::EXEC_KEYS.contains(key);
    for key in schema::PROVIDER.names().filter(foreign) {
        if at.given(key) != Given::Absent {
            let text = "belongs to type openstack; remove it (what the command needs goes into environment)";
            report.error(&at.place(key), text);
        }
    }
    words(at, raw, report);
    let environment = raw.environment.iter();
    let environment = environment.map(|(name, value)| (name.clone(), value.secret()));
    let environment: BTreeMap<_, _> = environment.collect();
    for (name, value) in &environment {
        let section = at.section("environment");
        let place = Place {
            at: section.place(name).at,
            path: format!("{}.environment.{name}", at.here().path),
        };
        if name.is_empty() || name.contains(['=', '\0']) {
            report.error(&place, "cannot be the name of a variable; rename it");
        }
        if value.reveal().contains('\0') {
            report.error(&place, "holds a NUL; remove it");
        }
    }
    ExecAccess {
        provider: name.to_owned(),
        owner: owner.to_owned(),
        program: command.map_or_else(PathBuf::new, |command| command.program.clone()),
        arguments: raw.command.iter().flatten().skip(1).cloned().collect(),
        folder: command.map_or_else(PathBuf::new, |command| command.folder.clone()),
        inherited: command.map_or_else(BTreeMap::new, |command| command.inherited.clone()),
        environment,
        timeout: positive(at, "timeout", raw.timeout, 60, report),
        max_output: common.max_body,
    }
}

/// Reports a command that is none.
fn words(at: &At<'_>, raw: &RawProvider, report: &mut Report) {
    let what = "name your executable, like [./provider, --verbose]";
    match (at.given("command"), raw.command.as_deref()) {
        (Given::Absent, _) => report.error(&at.place("command"), format!("missing; {what}")),
        (Given::Empty, _) | (Given::Value, Some([])) => {
            report.error(&at.place("command"), format!("is empty; {what}"));
        }
        (Given::Value, Some([program, ..])) if program.trim().is_empty() => {
            report.error(&at.item("command", 0), format!("is empty; {what}"));
        }
        (Given::Value, _) => {}
    }
    for (index, word) in raw.command.iter().flatten().enumerate() {
        if word.contains('\0') {
            report.error(&at.item("command", index), "holds a NUL; remove it");
        }
    }
}
