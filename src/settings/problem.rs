//! What is wrong with a configuration, and where: places, problems, warnings, and the error that holds them all.
//!
//! Finding problems is left to the other files; printing warnings to `cli`.

use std::cell::RefCell;
use std::fmt;

use crate::text::{self, visible};

/// A position in a file, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Pos {
    /// Which file: 0 is the configuration, the others are those of [`Report::file`].
    pub file: u16,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Pos {
    /// The beginning of the file: the place of a problem of the file as a whole.
    pub const START: Self = Self {
        file: 0,
        line: 1,
        column: 1,
    };
}

/// A position and the path of the key there, as written in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Where.
    pub at: Pos,
    /// `nodes.small.max`.
    pub path: String,
}

impl Place {
    /// The place of a problem that concerns the file and no key of it.
    pub fn file() -> Self {
        Self {
            at: Pos::START,
            path: "(file)".to_owned(),
        }
    }
}

/// One sentence about one place: what is wrong; what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    place: Place,
    text: String,
}

/// Something that a good configuration may have, though it is worth a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The whole line, of the same form as an error.
    pub text: String,
    /// What it is about: the path of the key, or the file where it is not the configuration.
    pub path: String,
    /// Whether `check` alone prints it; each pass prints the others.
    pub check_only: bool,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a configuration cannot be used: every problem of it, one line each, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines.join("\n"))]
pub struct ConfigError {
    lines: Vec<String>,
}

impl ConfigError {
    /// Makes the error of a file that could not be read at all.
    pub fn of_file(file: &str, text: &str) -> Self {
        let report = Report::default();
        report.error(&Place::file(), text);
        Self {
            lines: report.finish(file).0,
        }
    }

    /// Wraps lines that are complete already.
    pub fn of_lines(lines: Vec<String>) -> Self {
        Self { lines }
    }

    /// Returns the problems, one line each.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// Collects problems and warnings. Whoever reads a section has a shared reference to it.
#[derive(Debug, Default)]
pub struct Report {
    found: RefCell<Findings>,
}

#[derive(Debug, Default)]
struct Findings {
    files: Vec<String>,
    problems: Vec<Problem>,
    warnings: Vec<(Problem, bool)>,
    clues: Vec<Problem>,
    taken: Vec<(String, String)>,
}

impl Report {
    /// Adds a problem.
    pub fn error(&self, place: &Place, text: impl Into<String>) {
        let problem = problem(place, text.into());
        self.found.borrow_mut().problems.push(problem);
    }

    /// Adds a warning that each pass prints.
    pub fn warn(&self, place: &Place, text: impl Into<String>) {
        let problem = problem(place, text.into());
        self.found.borrow_mut().warnings.push((problem, false));
    }

    /// Adds a warning that `check` alone prints.
    pub fn hint(&self, place: &Place, text: impl Into<String>) {
        let problem = problem(place, text.into());
        self.found.borrow_mut().warnings.push((problem, true));
    }

    /// Adds a hint that may explain a problem: where there are problems, it is listed among them.
    pub fn clue(&self, place: &Place, text: impl Into<String>) {
        let problem = problem(place, text.into());
        self.found.borrow_mut().clues.push(problem);
    }

    /// Makes a further file known and returns its number for [`Pos::file`].
    pub fn file(&self, shown: impl Into<String>) -> u16 {
        let files = &mut self.found.borrow_mut().files;
        files.push(shown.into());
        u16::try_from(files.len()).unwrap_or(u16::MAX)
    }

    /// Returns what a further file is called.
    pub fn file_name(&self, number: u16) -> Option<String> {
        let at = usize::from(number).checked_sub(1)?;
        self.found.borrow().files.get(at).cloned()
    }

    /// Notes that the value of a key that is not there was taken from a variable of the environment.
    pub fn taken(&self, place: &Place, variable: &str) {
        let taken = (place.path.clone(), variable.to_owned());
        self.found.borrow_mut().taken.push(taken);
    }

    /// Returns the variable from which the value of a key was taken; `path` is that of the key.
    pub fn variable_of(&self, path: &str) -> Option<String> {
        let found = self.found.borrow();
        let taken = found.taken.iter().find(|(taken, _)| taken == path);
        taken.map(|(_, variable)| variable.clone())
    }

    /// Takes over what was reported of a further file.
    pub fn adopt(&self, other: Self, file: u16) {
        let of_file = |mut problem: Problem| {
            problem.place.at.file = file;
            problem
        };
        let (mut found, other) = (self.found.borrow_mut(), other.found.into_inner());
        found.problems.extend(other.problems.into_iter().map(of_file));
        let warnings = other.warnings.into_iter();
        found
            .warnings
            .extend(warnings.map(|(problem, check_only)| (of_file(problem), check_only)));
        found.clues.extend(other.clues.into_iter().map(of_file));
    }

    /// Returns whether there is no problem so far.
    pub fn is_good(&self) -> bool {
        self.found.borrow().problems.is_empty()
    }

    /// Puts all in the order of the file, each once: the lines of the problems, and the warnings.
    pub fn finish(self, file: &str) -> (Vec<String>, Vec<Warning>) {
        let mut found = self.found.into_inner();
        if found.problems.is_empty() {
            found.warnings.extend(found.clues.into_iter().map(|clue| (clue, true)));
        } else {
            found.problems.append(&mut found.clues);
        }
        found.problems.sort();
        found.problems.dedup();
        found.warnings.sort();
        found.warnings.dedup();
        let line = |problem: &Problem| {
            let Pos {
                file: number,
                line,
                column,
            } = problem.place.at;
            let other = usize::from(number).checked_sub(1).and_then(|at| found.files.get(at));
            format!(
                "{}:{line}:{column}: {}: {}",
                visible(other.map_or(file, String::as_str)),
                problem.place.path,
                problem.text
            )
        };
        let subject = |problem: &Problem| {
            let number = usize::from(problem.place.at.file).checked_sub(1);
            let other = number.and_then(|at| found.files.get(at));
            other.map_or_else(|| problem.place.path.clone(), |file| visible(file))
        };
        let warning = |(problem, check_only): &(Problem, bool)| Warning {
            path: subject(problem),
            text: line(problem),
            check_only: *check_only,
        };
        (
            found.problems.iter().map(line).collect(),
            found.warnings.iter().map(warning).collect(),
        )
    }
}

fn problem(place: &Place, text: String) -> Problem {
    Problem {
        place: place.clone(),
        text,
    }
}

/// Quotes a text from the file for a message: one line, bounded.
pub fn quoted(text: &str) -> String {
    text::quoted(text, 60)
}

/// Appends a key to a path; a key that would not read well there is quoted.
pub fn join(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+');
    let key = if !key.is_empty() && key.chars().count() <= 60 && key.chars().all(plain) {
        key.to_owned()
    } else {
        quoted(key)
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
