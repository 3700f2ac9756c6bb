//! Where the script of a template is written: in the configuration itself, or in a file that it names.

use crate::settings::files::Outside;
use crate::settings::key::Key;
use crate::settings::keys;
use crate::settings::problem::{Place, Pos, Report};
use crate::settings::section::{Given, Section};

keys! {
    /// The server's user data.
    pub USER_DATA;
    /// Runs once when the server boots; placeholders are filled in.
    pub SCRIPT: Option<String> = Key::text("script").also(&["user_data", "userdata"]);
    /// The file that holds the script, instead of the script itself.
    pub SCRIPT_FILE: Option<String> = Key::path("script_file").also(&["user_data_file"]);
}

/// A script, and where it is written.
pub struct ScriptSource {
    /// The script, placeholders not yet replaced.
    pub text: String,
    /// The number of its file, see [`Pos::file`]; `None`: it is in the configuration.
    file: Option<u16>,
}

/// Reads the script of a template; `None` where it has none, or none that can be used.
pub fn script(at: &Section<'_>, outside: &Outside<'_>) -> Option<ScriptSource> {
    if at.has(&SCRIPT) && at.has(&SCRIPT_FILE) {
        at.error(&SCRIPT_FILE, "script is given, too; keep one of the two");
        return None;
    }
    if let Some(text) = at.get(&SCRIPT) {
        return Some(ScriptSource { text, file: None });
    }
    let file = outside.text(at, &SCRIPT_FILE)?;
    let number = number_of(&file.shown, at.report());
    Some(ScriptSource {
        text: file.text,
        file: Some(number),
    })
}

/// Whether a template names a script, good or bad.
pub fn is_given(at: &Section<'_>) -> bool {
    [&SCRIPT, &SCRIPT_FILE].iter().any(|key| at.given(key) == Given::Value)
}

/// Whether two keys of a template exclude each other.
pub fn exclude(own: &str, other: &str) -> bool {
    let is_script = |key: &str| [SCRIPT.name, SCRIPT_FILE.name].contains(&key);
    is_script(own) && is_script(other)
}

/// Returns the number of a file. Templates that share one share its problems.
fn number_of(shown: &str, report: &Report) -> u16 {
    let known = (1..u16::MAX).map_while(|number| Some((number, report.file_name(number)?)));
    let found = known.into_iter().find(|(_, name)| name == shown);
    found.map_or_else(|| report.file(shown), |(number, _)| number)
}

impl ScriptSource {
    /// Returns whether it is in a file of its own.
    pub fn is_in_file(&self) -> bool {
        self.file.is_some()
    }

    /// Returns the key that has it.
    pub fn key(&self) -> &'static Key<Option<String>> {
        if self.file.is_some() { &SCRIPT_FILE } else { &SCRIPT }
    }

    /// Returns the place of a byte of the script: its own line, where that can be known. `config` is the text of the
    /// configuration.
    pub fn place(&self, at: &Section<'_>, byte: usize, config: &str) -> Place {
        let place = at.place(self.key());
        let before = self.text.get(..byte).unwrap_or_default();
        let lines = before.matches('\n').count();
        if let Some(file) = self.file {
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let at = Pos {
                file,
                line: lines + 1,
                column,
            };
            return Place { at, ..place };
        }
        let Some(first) = at.block_line(&SCRIPT) else {
            return place;
        };
        let line = first + lines;
        let written = config.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let wanted = self
            .text
            .get(byte..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        // The rest of the line is at its end, whatever the indentation.
        let column = written.strip_suffix(wanted).map_or(1, |head| head.chars().count() + 1);
        Place {
            at: Pos {
                line,
                column,
                ..place.at
            },
            ..place
        }
    }
}
