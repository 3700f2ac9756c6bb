//! `man`: the manual pages, made from the same texts as the help.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: writes pages where a packager wants them"
)]

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::error::{EXIT_DONE, Error};
use crate::text::visible;
use crate::version;

use super::args::{Cli, ManArgs};
use super::console::Console;

/// A page: its file name, and its text in roff.
struct Page {
    file: String,
    text: Vec<u8>,
}

/// What the pages say of the environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("MITA_CONFIG", "The configuration file, where there is no -c."),
    (
        "MITA_LOG",
        "What is logged on stderr: error, warn, info or debug. It goes before -v and -q.",
    ),
    (
        "OS_CLOUD, OS_AUTH_URL, ...",
        "The login of a provider that names none, as for the OpenStack client.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "Certificates to trust instead of the machine's.",
    ),
    ("NO_COLOR, CLICOLOR_FORCE", "Whether what is printed has colours."),
];

/// What the pages say of files.
const FILES: &[(&str, &str)] = &[
    (
        "./mita.yaml, $XDG_CONFIG_HOME/mita/mita.yaml, /etc/mita/mita.yaml",
        "The configuration: the first that is there. Every key is explained in mita.yaml.example.",
    ),
    (
        "$XDG_STATE_HOME/mita/state.json",
        "What is remembered between passes, unless state_file names another one. It may be deleted at any time.",
    ),
];

/// Prints the page of the program, or writes those of all commands into a folder.
pub fn man(args: &ManArgs, console: &mut Console<'_, '_>) -> Result<u8, Error> {
    let mut whole = Cli::command()
        .disable_help_subcommand(true)
        .subcommand_help_heading("COMMANDS")
        .subcommand_value_name("COMMAND");
    whole.build();
    match &args.dir {
        // What stdout could not take is known to `main`.
        None => drop(console.io.out.write_all(&page(&whole, &whole)?.text)),
        Some(dir) => write_all(&whole, dir)?,
    }
    Ok(EXIT_DONE)
}

fn write_all(whole: &Command, dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(|error| cannot_write(dir, error))?;
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set());
    for command in std::iter::once(whole).chain(shown) {
        let Page { file, text } = page(whole, command)?;
        let path = dir.join(file);
        fs::write(&path, text).map_err(|error| cannot_write(&path, error))?;
    }
    Ok(())
}

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::File {
        what: format!("cannot write {}", visible(&path.display().to_string())),
        source,
    }
}

/// Makes the page of a command. The exit codes and the environment are those of the whole program.
fn page(whole: &Command, command: &Command) -> Result<Page, Error> {
    let man = Man::new(command.clone())
        .date(version::DAY)
        .source(format!("mita {}", version::VERSION))
        .manual("mita");
    let mut text = Vec::new();
    let parts = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        Man::render_options_section,
    ];
    let is_whole = command.get_name() == whole.get_name();
    let written = parts.iter().try_for_each(|part| part(&man, &mut text)).and_then(|()| {
        if is_whole {
            man.render_subcommands_section(&mut text)?;
        }
        own_sections(whole, command).to_writer(&mut text)
    });
    written.map_err(|source| Error::File {
        what: "cannot make a manual page".to_owned(),
        source,
    })?;
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}

/// Makes the sections that the help has at its end, and those that only a page has.
fn own_sections(whole: &Command, command: &Command) -> Roff {
    let mut roff = Roff::new();
    examples(&mut roff, &help_end(command));
    exit_status(&mut roff, &help_end(whole));
    list(&mut roff, "ENVIRONMENT", ENVIRONMENT);
    list(&mut roff, "FILES", FILES);
    if command.get_name() != whole.get_name() {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("mita"), roman("(1)")]);
    }
    roff
}

fn help_end(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

/// Writes the examples; `Example, to do this:` becomes a sentence before them.
fn examples(roff: &mut Roff, help: &str) {
    let Some((heading, lines)) = help.strip_prefix("Example").and_then(|text| text.split_once('\n')) else {
        return;
    };
    roff.control("SH", ["EXAMPLES"]);
    let intro = heading.trim_start_matches(['s', ',', ';', ':', ' ']);
    if let Some(first) = intro.chars().next() {
        let rest = &intro[first.len_utf8()..];
        roff.text([roman(format!("{}{rest}", first.to_uppercase()))]);
        roff.control("PP", []);
    }
    roff.control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("fi", []);
}

/// Writes the exit codes, each of which may go on in the next lines of the help.
fn exit_status(roff: &mut Roff, help: &str) {
    roff.control("SH", ["EXIT STATUS"]);
    let table = help.lines().skip(1).take_while(|line| !line.is_empty());
    for line in table.map(str::trim_start) {
        match line.split_once(' ') {
            Some((code, meaning)) if code.parse::<u8>().is_ok() => {
                item(roff, code, meaning.trim_start());
            }
            _ => drop(roff.text([roman(line)])),
        }
    }
}

fn list(roff: &mut Roff, heading: &str, items: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (name, meaning) in items {
        item(roff, name, meaning);
    }
}

fn item(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
}
