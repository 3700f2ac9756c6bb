//! What is wrong with a configuration, and where: places, problems, warnings, and the error that holds them all.
//!
//! Finding problems is left to the other files; printing warnings to `cli`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::text::{self, visible};

use super::excerpt::{Concealed, Excerpt};

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
            path: OF_FILE.to_owned(),
        }
    }
}

/// The path of a problem that concerns no key.
const OF_FILE: &str = "(file)";

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

/// One problem of a configuration, with its place as far as it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file, as it is shown.
    pub file: Option<String>,
    /// Line and column, counted from 1.
    pub at: Option<(usize, usize)>,
    /// The path of the key: `nodes.small.max`; `None` for a problem of the file as a whole.
    pub path: Option<String>,
    /// What is wrong; what to do.
    pub message: String,
    /// The line of the file, where it may be shown.
    pub excerpt: Option<Excerpt>,
}

impl ConfigProblem {
    /// Makes a problem that is in no file.
    pub fn without_place(message: String) -> Self {
        Self {
            file: None,
            at: None,
            path: None,
            message,
            excerpt: None,
        }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            let (line, column) = self.at.unwrap_or((1, 1));
            let path = self.path.as_deref().unwrap_or(OF_FILE);
            write!(f, "{file}:{line}:{column}: {path}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a configuration cannot be used: every problem of it, one line each, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines().join("\n"))]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// Makes the error of a file that could not be read at all.
    pub fn of_file(file: &str, text: &str) -> Self {
        let report = Report::default();
        report.error(&Place::file(), text);
        Self::new(report.finish(file).problems)
    }

    /// Makes the error of these problems.
    pub fn new(problems: Vec<ConfigProblem>) -> Self {
        Self { problems }
    }

    /// Makes the error of one problem that is in no file.
    pub fn without_place(message: String) -> Self {
        Self::new(vec![ConfigProblem::without_place(message)])
    }

    /// Returns the problems.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// Returns the problems, one line each.
    pub fn lines(&self) -> Vec<String> {
        self.problems.iter().map(ToString::to_string).collect()
    }
}

/// What was found in a file, in its order, each once.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Why it cannot be used.
    pub problems: Vec<ConfigProblem>,
    /// What an operator should know.
    pub warnings: Vec<Warning>,
    /// What may well be meant, though it is often a mistake: whole lines, for `check` alone.
    pub hints: Vec<String>,
}

/// How much something that is no problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Warning,
    OfCheck,
    Hint,
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
    warnings: Vec<(Problem, Level)>,
    clues: Vec<Problem>,
    taken: Vec<(String, String)>,
    texts: BTreeMap<u16, Text>,
}

/// The text of a file, and what of it may not be shown.
#[derive(Debug, Default)]
struct Text {
    text: String,
    concealed: Concealed,
}

impl Report {
    /// Adds a problem.
    pub fn error(&self, place: &Place, text: impl Into<String>) {
        let problem = problem(place, text.into());
        self.found.borrow_mut().problems.push(problem);
    }

    /// Adds a warning that each pass prints.
    pub fn warn(&self, place: &Place, text: impl Into<String>) {
        self.say(Level::Warning, place, text.into());
    }

    /// Adds a warning that `check` alone prints.
    pub fn warn_in_check(&self, place: &Place, text: impl Into<String>) {
        self.say(Level::OfCheck, place, text.into());
    }

    /// Adds a hint, which `check` alone prints.
    pub fn hint(&self, place: &Place, text: impl Into<String>) {
        self.say(Level::Hint, place, text.into());
    }

    fn say(&self, level: Level, place: &Place, text: String) {
        let problem = problem(place, text);
        self.found.borrow_mut().warnings.push((problem, level));
    }

    /// Keeps the text of the file, so that lines of it can be shown.
    pub fn keep_text(&self, text: &str) {
        let texts = &mut self.found.borrow_mut().texts;
        text.clone_into(&mut texts.entry(0).or_default().text);
    }

    /// Notes lines of the file that may not be shown.
    pub fn conceal(&self, note: impl FnOnce(&mut Concealed)) {
        note(&mut self.found.borrow_mut().texts.entry(0).or_default().concealed);
    }

    /// Adds a warning of `check` that may explain a problem: where there are problems, it is listed among them.
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
        let (mut found, mut other) = (self.found.borrow_mut(), other.found.into_inner());
        found.problems.extend(other.problems.into_iter().map(of_file));
        let warnings = other.warnings.into_iter();
        found
            .warnings
            .extend(warnings.map(|(problem, level)| (of_file(problem), level)));
        found.clues.extend(other.clues.into_iter().map(of_file));
        found.texts.extend(other.texts.remove(&0).map(|text| (file, text)));
    }

    /// Returns whether there is no problem so far.
    pub fn is_good(&self) -> bool {
        self.found.borrow().problems.is_empty()
    }

    /// Puts all in the order of the file, each once; `file` is the configuration.
    pub fn finish(self, file: &str) -> Found {
        let mut found = self.found.into_inner();
        if found.problems.is_empty() {
            let clues = found.clues.drain(..).map(|clue| (clue, Level::OfCheck));
            found.warnings.extend(clues);
        } else {
            found.problems.append(&mut found.clues);
        }
        found.problems.sort();
        found.problems.dedup();
        found.warnings.sort();
        found.warnings.dedup();
        let line = |problem: &Problem| found.placed(problem, file).to_string();
        let (hints, warnings): (Vec<_>, Vec<_>) = found.warnings.iter().partition(|(_, level)| *level == Level::Hint);
        let subject = |problem: &Problem| {
            let number = usize::from(problem.place.at.file).checked_sub(1);
            let other = number.and_then(|at| found.files.get(at));
            other.map_or_else(|| problem.place.path.clone(), |file| visible(file))
        };
        let warning = |(problem, level): &(Problem, Level)| Warning {
            path: subject(problem),
            text: line(problem),
            check_only: *level == Level::OfCheck,
        };
        Found {
            problems: found
                .problems
                .iter()
                .map(|problem| found.shown(problem, file))
                .collect(),
            warnings: warnings.into_iter().map(warning).collect(),
            hints: hints.into_iter().map(|(problem, _)| line(problem)).collect(),
        }
    }
}

impl Findings {
    /// Makes a problem fit to be shown, with its line; `file` is the configuration.
    fn shown(&self, problem: &Problem, file: &str) -> ConfigProblem {
        let at = &problem.place.at;
        let text = self.texts.get(&at.file);
        ConfigProblem {
            excerpt: text.and_then(|text| text.concealed.excerpt(&text.text, (at.line, at.column))),
            ..self.placed(problem, file)
        }
    }

    /// The same without its line, which takes a look at all lines above it.
    fn placed(&self, problem: &Problem, file: &str) -> ConfigProblem {
        let Place { at, path } = &problem.place;
        let other = usize::from(at.file).checked_sub(1).and_then(|at| self.files.get(at));
        let is_file = path == OF_FILE;
        ConfigProblem {
            file: Some(visible(other.map_or(file, String::as_str))),
            at: Some((at.line, at.column)),
            path: (!is_file).then(|| path.clone()),
            message: problem.text.clone(),
            excerpt: None,
        }
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
    // A configuration has thousands of paths, and nearly all of them are shown to nobody: one allocation each.
    let mut joined = String::with_capacity(path.len() + 1 + key.len());
    joined.push_str(path);
    append(&mut joined, key);
    joined
}

/// Does what [`join`] does, to the path itself.
pub fn append(path: &mut String, key: &str) {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+');
    if !path.is_empty() {
        path.push('.');
    }
    if !key.is_empty() && key.chars().all(plain) && key.chars().count() <= 60 {
        path.push_str(key);
    } else {
        path.push_str(&quoted(key));
    }
}

/// Appends the index of an item to the path of its list.
pub fn append_index(path: &mut String, index: usize) {
    // Writing to a text does not fail.
    let _ = write!(path, "[{index}]");
}
