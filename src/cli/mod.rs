//! The commands: reads the arguments, runs the command, and returns its exit code.

pub mod args;
mod blind;
mod by_name;
mod check;
mod config;
mod console;
mod destroy;
mod drain;
mod explain;
mod finish;
mod init;
mod leaks;
mod logging;
mod mode;
mod notify;
mod passes;
mod problems;
mod render;
mod schema;
mod setup;
mod status;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser as _;

use crate::error::{EXIT_DONE, EXIT_USAGE, Error, chain};
use args::{Cli, Command};
use console::Console;

pub use console::Io;

/// Runs the program with its arguments (the first is its own name) and returns the exit code.
pub fn run<I, T>(arguments: I, io: &mut Io<'_>) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, io),
    };
    logging::init(cli.verbose, cli.quiet);
    let mut console = Console { quiet: cli.quiet, io };
    match dispatch(&cli, &mut console) {
        Ok(code) => code,
        Err(Error::Config(problems)) => {
            for problem in &problems {
                // These lines begin with the place in the file, as a compiler's do.
                console.problem(problem);
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
        Command::Run(args) => passes::pass(cli, args, passes::PassKind::Run, console),
        Command::Provision(args) => passes::pass(cli, args, passes::PassKind::Provision, console),
        Command::Reap(args) => passes::pass(cli, args, passes::PassKind::Reap, console),
        Command::Status(args) => status::status(cli, args, console),
        Command::Explain(args) => explain::explain(cli, args, console),
        Command::Check(args) => check::check(cli, args, console),
        Command::Config => config::config(cli, console),
        Command::Init(args) => init::init(cli, args, console),
        Command::Render(args) => render::render(cli, args, console),
        Command::Schema => Ok(schema::schema(console)),
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

fn usage(error: &clap::Error, io: &mut Io<'_>) -> u8 {
    let text = error.render();
    let (to, code): (&mut dyn Write, u8) = if error.use_stderr() {
        (io.err, EXIT_USAGE)
    } else {
        (io.out, EXIT_DONE)
    };
    let _ = if io.terminal {
        write!(to, "{}", text.ansi())
    } else {
        write!(to, "{text}")
    };
    code
}
