//! The settings of an executable of the operator that plays the cloud: its entry of `provider:`.

use std::any::Any;
use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value as Json;

use crate::http::Deadline;
use crate::model::ServerSpec;
use crate::provider::kind::{COMMON, CloudSettings, Kind, Site, complete_nothing};
use crate::provider::{Provider, ProviderError};
use crate::secret::Secret;
use crate::settings::command::{self, Command};
use crate::settings::key::{Key, Need, Schema};
use crate::settings::keys;
use crate::settings::problem::Place;
use crate::settings::section::{Given, Section};

use super::Exec;
use super::program::ExecProgram;

keys! {
    /// An executable of the operator.
    pub EXEC {
        include: &[&COMMON],
        prefixes: &["ex_force_", "ex_"],
        needs: &[Need::of(&[COMMAND.spec()])],
    };
    /// The program, and what is before the verb.
    COMMAND: Vec<String> = Key::texts("command");
    /// Environment variables for the program, by name.
    ENVIRONMENT: BTreeMap<String, Secret> = Key::secret_map("environment");
    /// The limit for a whole call.
    TIMEOUT: SignedDuration = Key::duration("timeout").or("60s").positive();
}

keys! {
    /// The keys of a template that are for an executable alone.
    pub NODE;
    /// What else it is to know; passed on as it is.
    OPTIONS: BTreeMap<String, Json> = Key::free("options");
}

/// An executable of the operator.
pub static KIND: Kind = Kind {
    name: "exec",
    offer: "exec with a command of your own",
    schema: &EXEC,
    without_foreign_keys: "remove it (what the command needs goes into environment)",
    needs_image: false,
    node_keys: &NODE,
    read_node,
    max_user_data: None,
    can_look_up: false,
    complete: complete_nothing,
    read,
};

/// A number or a word would blot out half of a text.
const SHORTEST_SECRET: usize = 6;

impl CloudSettings for ExecProgram {
    fn connect(&self, deadline: Deadline) -> Result<Box<dyn Provider>, ProviderError> {
        Ok(Box::new(Exec::new(self, deadline)))
    }

    fn secrets(&self) -> Vec<&Secret> {
        let values = self.environment.values();
        values.filter(|value| value.reveal().len() >= SHORTEST_SECRET).collect()
    }

    fn boxed(&self) -> Box<dyn CloudSettings> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn read_node(at: &Section<'_>, _keys: &'static Schema, spec: &mut ServerSpec) {
    spec.options = at.get(&OPTIONS);
}

fn read(at: &Section<'_>, site: &Site<'_>) -> Box<dyn CloudSettings> {
    let words = at.get(&COMMAND);
    words_fit(at, &words);
    let environment = environment(at, site);
    let path = environment.get("PATH").map(Secret::reveal);
    let command = command(at, words.first(), path, site);
    Box::new(ExecProgram {
        provider: at.name().to_owned(),
        owner: site.owner.to_owned(),
        program: command.program,
        arguments: words.into_iter().skip(1).collect(),
        folder: command.folder,
        inherited: command.inherited,
        environment,
        timeout: at.get(&TIMEOUT),
        max_output: site.max_body,
    })
}

/// Reports a command that is none.
fn words_fit(at: &Section<'_>, words: &[String]) {
    let what = "name your executable, like [./provider, --verbose]";
    match (at.given(&COMMAND), words) {
        (Given::Absent, _) => at.error(&COMMAND, format!("missing; {what}")),
        (Given::Empty, _) => at.error(&COMMAND, format!("is empty; {what}")),
        (Given::Value, []) if at.has(&COMMAND) => at.error(&COMMAND, format!("is empty; {what}")),
        (Given::Value, [program, ..]) if program.trim().is_empty() => {
            let text = format!("is empty; {what}");
            at.report().error(&at.item(&COMMAND, 0), text);
        }
        (Given::Value, _) => {}
    }
    for (index, word) in words.iter().enumerate() {
        if word.contains('\0') {
            at.report().error(&at.item(&COMMAND, index), "holds a NUL; remove it");
        }
    }
}

fn environment(at: &Section<'_>, site: &Site<'_>) -> BTreeMap<String, Secret> {
    let environment = at.get(&ENVIRONMENT);
    if environment.keys().any(|name| names_a_secret(name)) {
        site.outside.holds_a_secret(at);
    }
    let Some(section) = at.section_in(&ENVIRONMENT) else {
        return environment;
    };
    for (name, value) in &environment {
        let place = Place {
            at: section.place_of(name).at,
            path: format!("{}.environment.{name}", at.here().path),
        };
        if name.is_empty() || name.contains(['=', '\0']) {
            at.report().error(&place, "cannot be the name of a variable; rename it");
        }
        if value.reveal().contains('\0') {
            at.report().error(&place, "holds a NUL; remove it");
        }
    }
    environment
}

/// Returns whether a variable of a command holds a secret, by what it is called.
fn names_a_secret(variable: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    let words = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "ACCESS_KEY"];
    words.iter().any(|word| variable.contains(word)) && !variable.ends_with("_FILE")
}

/// Finds the program; one that cannot be run is reported.
fn command(at: &Section<'_>, program: Option<&String>, path: Option<&str>, site: &Site<'_>) -> Command {
    let usable = |program: &&String| !program.trim().is_empty() && !program.contains('\0');
    let Some(program) = program.filter(usable) else {
        return Command::default();
    };
    let place = at.item(&COMMAND, 0);
    match command::find(program, path, &site.outside) {
        Ok(command) => {
            if let Some(text) = command::warning(&command) {
                at.report().warn(&place, text);
            }
            command
        }
        Err(text) => {
            at.report().error(&place, text);
            Command::default()
        }
    }
}
