//! The commands: reads the arguments, runs the command, and returns its exit code.

pub mod args;
mod blind;
mod by_name;
mod check;
mod completions;
mod conclude;
mod config;
mod console;
mod destroy;
mod drain;
mod examples;
mod explain;
mod failure;
mod finish;
mod history;
mod init;
mod known;
mod leaks;
mod logging;
mod man;
mod mode;
mod notify;
mod outputs;
mod passes;
mod pause;
mod problems;
mod render;
mod schema;
mod setup;
mod status;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::error::{EXIT_DONE, EXIT_USAGE, Error, ErrorRow};
use crate::text::printable;
use args::{Cli, Command, Output};
use console::Console;

pub use console::{Io, takes_color};

/// Runs the program with its arguments (the first is its own name) and returns the exit code.
pub fn run<I, T>(arguments: I, io: &mut Io<'_>) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments, io),
    };
    logging::init(cli.verbose, cli.quiet);
    let mut console = Console { quiet: cli.quiet, io };
    match dispatch(&cli, &mut console) {
        Ok(code) => code,
        Err(error) => {
            console.failure(&error);
            failure::print(&arguments, error.exit_code(), error.rows(), console.io);
            error.exit_code()
        }
    }
}

fn dispatch(cli: &Cli, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    if let (Some(Output::Json), Some(command)) = (cli.output, cli.command.prints_one_form()) {
        return Err(Error::Usage(format!(
            "`mita {command}` prints one form alone and takes no `-o json`; leave `-o json` out"
        )));
    }
    if cli.output == Some(Output::Csv) && !matches!(cli.command, Command::History(_)) {
        return Err(Error::Usage(
            "`-o csv` is for `mita history` alone; use `-o json` or `-o text`".to_owned(),
        ));
    }
    match &cli.command {
        Command::Run(args) => passes::run(cli, args, console),
        Command::Provision(args) => passes::provision(cli, args, console),
        Command::Reap(args) => passes::reap(cli, args, console),
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
        Command::Pause(args) => pause::pause(cli, args, console),
        Command::Resume(args) => pause::resume(cli, args, console),
        Command::Leaks(args) => leaks::leaks(cli, args, console),
        Command::History(args) => history::history(cli, args, console),
        Command::Completions(args) => Ok(completions::completions(args, console)),
        Command::Man(args) => man::man(args, console),
    }
}

fn usage(error: &clap::Error, arguments: &[OsString], io: &mut Io<'_>) -> u8 {
    let text = error.render();
    let [out_color, err_color] = io.colors;
    let (to, color, code): (&mut dyn Write, bool, u8) = if error.use_stderr() {
        (io.err, err_color, EXIT_USAGE)
    } else {
        (io.out, out_color, EXIT_DONE)
    };
    let _ = if color {
        write!(to, "{}", text.ansi())
    } else {
        write!(to, "{text}")
    };
    if code == EXIT_USAGE {
        failure::print(arguments, code, vec![ErrorRow::new(gist(error))], io);
    }
    code
}

/// Returns what is wrong with the arguments, without the help around it, on one line.
fn gist(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; see `mita --help`".to_owned();
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.starts_with("For more information"));
    printable(&lines.collect::<Vec<_>>().join(" "), MAX_GIST)
}

/// The most characters of what is wrong with the arguments.
const MAX_GIST: usize = 500;
