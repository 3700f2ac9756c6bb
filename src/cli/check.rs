//! `check`: validates the configuration, and with `--online` everything that it names and every list that a pass reads.

mod findings;
mod online;
mod sources;

use crate::error::{EXIT_DONE, EXIT_PARTLY, Error};
use crate::model::Checked;

use super::args::{CheckArgs, Cli, Output};
use super::console::Console;
use super::setup;
use findings::{Findings, Head, Service};

pub fn check(cli: &Cli, args: &CheckArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let (path, loaded) = setup::load(cli)?;
    let config = &loaded.config;
    let mut findings = Findings::new(cli.output == Some(Output::Json));
    let of_file = Checked {
        warnings: loaded.warnings.into_iter().map(|warning| warning.text).collect(),
        hints: loaded.hints,
        ..Checked::default()
    };
    findings.add(&Service::File, of_file, console);
    let mut exit = EXIT_DONE;
    if args.online {
        exit = online::look(config, &mut findings, console)?;
    }
    if exit == EXIT_DONE && args.strict && !findings.warnings.is_empty() {
        exit = EXIT_PARTLY;
    }
    let head = Head {
        file: &path,
        config,
        online: args.online,
        exit,
    };
    findings.end(&head, setup::open_problems(config), console);
    Ok(exit)
}
