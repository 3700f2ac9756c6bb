//! The commands: reads the arguments, calls what does the work, prints, and turns the end into an exit code.

pub mod args;
mod check;
mod config;
mod destroy;
mod drain;
mod explain;
mod leaks;
mod logging;
mod passes;
mod setup;
mod status;

use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser as _;
use jiff::Timestamp;

use crate::error::{EXIT_DONE, EXIT_USAGE, Error, chain};
use crate::http::printable;
use args::{Cli, Command};

/// The most characters of a line on stderr.
const MAX_LINE: usize = 2000;

/// What a call of the program has around it. A test or a simulation makes its own.
pub struct Surroundings<'a> {
    /// The time; read once.
    pub now: Timestamp,
    /// Whether stdout is a terminal.
    pub terminal: bool,
    /// Set by a signal: the pass finishes the request in flight, saves and ends.
    pub stop: Arc<AtomicBool>,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}

impl<'a> Surroundings<'a> {
    /// Makes surroundings without a terminal and without signals.
    pub fn new(now: Timestamp, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            now,
            terminal: false,
            stop: Arc::new(AtomicBool::new(false)),
            out,
            err,
        }
    }
}

/// How a command talks: where to, and how much.
struct Console<'s, 'a> {
    surroundings: &'s mut Surroundings<'a>,
    quiet: bool,
}

impl Console<'_, '_> {
    fn warn(&mut self, sentence: &str) {
        if !self.quiet {
            self.line("warning: ", sentence);
        }
    }

    fn error(&mut self, sentence: &str) {
        self.line("", sentence);
    }

    fn line(&mut self, kind: &str, sentence: &str) {
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(self.surroundings.err, "mita: {kind}{}", printable(sentence, MAX_LINE));
    }
}

/// Runs the program with its arguments (the first is its own name) and returns the exit code.
pub fn run<I, T>(arguments: I, surroundings: &mut Surroundings<'_>) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, surroundings),
    };
    logging::init(cli.verbose, cli.quiet);
    let mut console = Console {
        quiet: cli.quiet,
        surroundings,
    };
    match dispatch(&cli, &mut console) {
        Ok(code) => code,
        Err(Error::Config(problems)) => {
            for problem in &problems {
                // These lines begin with the place in the file, as a compiler's do.
                let _ = writeln!(console.surroundings.err, "{}", printable(problem, MAX_LINE));
            }
            Error::Config(problems).exit_code()
        }
        Err(error) => {
            console.error(&chain(&error));
            error.exit_code()
        }
    }
}

fn dispatch(cli: &Cli, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    match &cli.command {
        Command::Run(args) => passes::pass(cli, args, passes::Kind::Run, console),
        Command::Provision(args) => passes::pass(cli, args, passes::Kind::Provision, console),
        Command::Reap(args) => passes::pass(cli, args, passes::Kind::Reap, console),
        Command::Status(args) => status::status(cli, args, console),
        Command::Explain(args) => explain::explain(cli, args, console),
        Command::Check(args) => check::check(cli, args, console),
        Command::Config => config::config(cli, console),
        Command::Destroy(args) => destroy::destroy(cli, args, console),
        Command::Drain(args) => drain::drain(cli, args, console),
        Command::Undrain(args) => drain::undrain(cli, args, console),
        Command::Leaks(args) => leaks::leaks(cli, args, console),
        Command::History(_) => later("history"),
        Command::Completions(_) => later("completions"),
        Command::Man(_) => later("man"),
    }
}

fn later(command: &str) -> Result<u8, Error> {
    Err(Error::Usage(format!(
        "the command `{command}` is not supported yet; see `mita --help` for those that are"
    )))
}

fn usage(error: &clap::Error, surroundings: &mut Surroundings<'_>) -> u8 {
    let text = error.render();
    let (to, code): (&mut dyn Write, u8) = if error.use_stderr() {
        (surroundings.err, EXIT_USAGE)
    } else {
        (surroundings.out, EXIT_DONE)
    };
    let _ = if surroundings.terminal {
        write!(to, "{}", text.ansi())
    } else {
        write!(to, "{text}")
    };
    code
}
