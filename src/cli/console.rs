//! The input and output of a command: streams, clock and signals.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use crate::model::Severity;
use crate::plan::problems::Line;
use crate::text::printable;

/// The most characters of a line on stderr.
const MAX_LINE: usize = 2000;

/// The input and output of a call of the program. A test or a simulation makes its own.
pub struct Io<'a> {
    /// The time; read once.
    pub now: Timestamp,
    /// Whether stdout is a terminal: then a pass prints its report.
    pub terminal: bool,
    /// Whether stderr is a terminal: then each problem that is open is shown.
    pub err_terminal: bool,
    /// The id of the pass, from which the names of new servers are made; `None`: a random one. A simulation that is to
    /// go the same way again gives its own.
    pub pass: Option<String>,
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
            err_terminal: false,
            pass: None,
            stop: Arc::new(AtomicBool::new(false)),
            out,
            err,
        }
    }
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

    /// Says what is no warning: what was taken for an example, what was left out.
    pub fn note(&mut self, sentence: &str) {
        if !self.quiet {
            self.line("", sentence);
        }
    }

    pub fn error(&mut self, sentence: &str) {
        self.line("", sentence);
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

    /// Prints a problem of the configuration, which begins with its place in the file, as a compiler's do.
    pub fn problem(&mut self, problem: &str) {
        let _ = writeln!(self.io.err, "{}", printable(problem, MAX_LINE));
    }

    fn line(&mut self, kind: &str, sentence: &str) {
        // A closed stderr is no error.
        let _ = writeln!(self.io.err, "mita: {kind}{}", printable(sentence, MAX_LINE));
    }
}
