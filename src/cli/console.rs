//! The input and output of a command: streams, clock and signals.

use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use crate::config::{ConfigProblem, Excerpt};
use crate::error::{Error, chain};
use crate::model::Severity;
use crate::plan::problems::Line;
use crate::text::printable;

/// What tables are fitted to: less cannot be read, in more the eye loses the line.
const WIDTHS: RangeInclusive<usize> = 80..=200;

/// The most characters of a line on stderr.
const MAX_LINE: usize = 2000;

/// The input and output of a call of the program. A test or a simulation makes its own.
pub struct Io<'a> {
    /// The time; read once.
    pub now: Timestamp,
    /// Whether stdout is a terminal: then a pass prints its report.
    pub terminal: bool,
    /// How many columns stdout has, where it is a terminal that tells.
    pub columns: Option<u16>,
    /// Whether stderr is a terminal: then each problem that is open is shown, and one of the configuration with its line.
    pub err_terminal: bool,
    /// The id of the pass, from which the names of new servers are made; `None`: a random one. A simulation that is to
    /// go the same way again gives its own.
    pub pass: Option<String>,
    /// Whether stdout and stderr take colours, in this order.
    pub colors: [bool; 2],
    /// The answers of a person, where stdin is a terminal.
    pub answers: Option<&'a mut dyn BufRead>,
    /// Set by a signal: the pass finishes the request in flight, saves and ends.
    pub stop: Arc<AtomicBool>,
    /// Takes reports.
    pub out: &'a mut dyn Write,
    /// Takes warnings and errors.
    pub err: &'a mut dyn Write,
}

impl<'a> Io<'a> {
    /// Makes one without a terminal and without signals.
    pub fn new(now: Timestamp, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            now,
            terminal: false,
            columns: None,
            err_terminal: false,
            pass: None,
            colors: [false; 2],
            answers: None,
            stop: Arc::new(AtomicBool::new(false)),
            out,
            err,
        }
    }

    /// Returns the width that tables have to fit; `None` without a terminal.
    pub(super) fn width(&self) -> Option<usize> {
        let columns = self.columns.map_or(*WIDTHS.start(), usize::from);
        self.terminal.then(|| columns.clamp(*WIDTHS.start(), *WIDTHS.end()))
    }
}

/// Returns whether a stream takes colours, by the conventions of no-color.org and bixense.com/clicolors.
pub fn takes_color(terminal: bool, variable: &dyn Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty() && value != "0");
    // Of NO_COLOR each value counts, be it 0.
    if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return false;
    }
    is_set("CLICOLOR_FORCE") || (terminal && variable("TERM").is_none_or(|term| term != "dumb"))
}

/// Where a command prints, and how much.
pub(super) struct Console<'s, 'a> {
    pub io: &'s mut Io<'a>,
    pub quiet: bool,
}

impl Console<'_, '_> {
    pub fn warn(&mut self, sentence: &str) {
        if !self.quiet {
            self.line("warning: ", sentence);
        }
    }

    pub fn hint(&mut self, sentence: &str) {
        if !self.quiet {
            self.line("hint: ", sentence);
        }
    }

    /// Says what is no warning: what was taken for an example, what was left out.
    pub fn note(&mut self, sentence: &str) {
        if !self.quiet {
            self.line("", sentence);
        }
    }

    pub fn error(&mut self, sentence: &str) {
        self.line("", sentence);
    }

    /// Prints why a command could not do its work.
    pub fn failure(&mut self, error: &Error) {
        match error {
            Error::Config(error) => error.problems().iter().for_each(|problem| self.problem(problem)),
            // The other pass does the same, and a person who looks on is told.
            Error::Busy(_) if !self.io.terminal && !self.io.err_terminal => {}
            error => self.error(&chain(error)),
        }
    }

    /// Prints a problem of the configuration, which begins with its place in the file, as a compiler's do; a terminal
    /// shows the line of the file, too.
    fn problem(&mut self, problem: &ConfigProblem) {
        let text = printable(&problem.to_string(), MAX_LINE);
        let whole = if problem.file.is_some() { "" } else { "mita: " };
        let _ = writeln!(self.io.err, "{whole}{text}");
        if let Some(Excerpt { line, before }) = problem.excerpt.as_ref().filter(|_| self.io.err_terminal) {
            let _ = writeln!(self.io.err, "{line}\n{}^", " ".repeat(*before));
        }
    }

    /// Prints what is said of a problem of the fleet.
    pub fn say(&mut self, line: &Line) {
        let kind = match line.severity {
            Some(Severity::Error) => "error: ",
            Some(Severity::Warning) => "warning: ",
            None => "",
        };
        self.line(kind, &line.text);
    }

    fn line(&mut self, kind: &str, sentence: &str) {
        // A closed stderr is no error.
        let _ = writeln!(self.io.err, "mita: {kind}{}", printable(sentence, MAX_LINE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terminal: bool, environment: &[(&str, &str)], wanted: bool) {
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(takes_color(terminal, &variable), wanted, "{terminal} {environment:?}");
    }

    #[test]
    fn a_terminal_takes_colors_unless_somebody_says_no() {
        check(true, &[], true);
        check(false, &[], false);
        check(true, &[("NO_COLOR", "1")], false);
        check(true, &[("NO_COLOR", "0")], false);
        check(true, &[("NO_COLOR", "")], true);
        check(true, &[("TERM", "dumb")], false);
        check(true, &[("TERM", "xterm")], true);
        check(false, &[("CLICOLOR_FORCE", "1")], true);
        check(false, &[("CLICOLOR_FORCE", "0")], false);
        check(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false);
    }
}
