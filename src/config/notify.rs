//! `notify:`, the command that hears of problems that begin and end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use crate::settings::command;
use crate::settings::files::Outside;
use crate::settings::key::{Key, Need};
use crate::settings::keys;
use crate::settings::section::Section;

/// The limit for a call where none is given.
const LIMIT: SignedDuration = SignedDuration::from_secs(10);

keys! {
    /// `notify:`.
    pub NOTIFY_KEYS { needs: &[Need::of(&[COMMAND.spec()])] };
    /// The program and its arguments.
    COMMAND: Vec<String> = Key::texts("command");
    /// The limit for a call.
    TIMEOUT: Option<SignedDuration> = Key::duration("timeout").depends("10s").positive().at_most(300, ": a pass is to be over by the next one");
}

/// The command that hears of problems.
#[derive(Clone, Debug)]
pub struct Notify {
    /// The executable, with its whole path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folder in which it runs: that of the configuration file.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// The limit for a call.
    pub timeout: Duration,
}

/// Reads the section; `None` where nothing can be run.
pub fn notify(at: &Section<'_>, outside: &Outside<'_>) -> Option<Notify> {
    // What is wrong as a whole was reported.
    if !at.is_good() || at.is_bad(&COMMAND) {
        return None;
    }
    let words = at.get(&COMMAND);
    let timeout = at.get(&TIMEOUT).unwrap_or(LIMIT).unsigned_abs();
    let Some((program, arguments)) = words.split_first().filter(|(program, _)| !program.trim().is_empty()) else {
        at.error(
            &COMMAND,
            "missing; name your executable, like [./notify, --channel, ci]",
        );
        return None;
    };
    if let Some(index) = words.iter().position(|word| word.contains('\0')) {
        at.report().error(&at.item(&COMMAND, index), "holds a NUL; remove it");
        return None;
    }
    let place = at.item(&COMMAND, 0);
    let command = command::find(program, None, outside)
        .map_err(|text| at.report().error(&place, text))
        .ok()?;
    if let Some(text) = command::warning(&command) {
        at.report().warn(&place, text);
    }
    Some(Notify {
        program: command.program,
        arguments: arguments.to_vec(),
        folder: command.folder,
        environment: command.inherited,
        timeout,
    })
}
