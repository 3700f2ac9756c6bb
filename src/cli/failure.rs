//! A command that could not do its work: what `-o json` prints then, also where the arguments are wrong.

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: hands the environment to the configuration"
)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Serialize;

use crate::config::{self, Config};
use crate::error::ErrorRow;
use crate::model::Problem;
use crate::report::json;

use super::console::Io;
use super::setup;

/// The one object on stdout of a command that failed.
#[derive(Serialize)]
struct Failure {
    version: u32,
    exit: u8,
    errors: Vec<ErrorRow>,
    problems: Vec<Problem>,
}

/// Prints what is wrong as JSON, if that was asked for, with the problems that are remembered.
pub fn print(arguments: &[OsString], exit: u8, errors: Vec<ErrorRow>, io: &mut Io<'_>) {
    if !wants_json(arguments) {
        return;
    }
    let failure = Failure {
        version: 1,
        exit,
        errors,
        problems: config(arguments).map_or_else(Vec::new, |config| setup::open_problems(&config)),
    };
    // What stdout could not take is known to `main`.
    let _ = json::print(io.out, &failure);
}

/// Returns whether JSON is asked for. The arguments are looked at as they are: they may be wrong elsewhere.
fn wants_json(arguments: &[OsString]) -> bool {
    option(arguments, b'o', "--output").is_some_and(|format| format == "json")
}

/// Returns the configuration that the arguments name, as far as it can be used.
fn config(arguments: &[OsString]) -> Option<Config> {
    let variable = |name: &str| env::var(name).ok();
    let named = option(arguments, b'c', "--config");
    let path = config::find(named.map(Path::new), &variable).ok()?;
    Some(config::load(&path, &variable).ok()?.config)
}

/// The options that have a value and a single letter.
const WITH_VALUE: [u8; 2] = [b'c', b'o'];

/// Returns the value of an option, the last one where there are several.
fn option<'a>(arguments: &'a [OsString], short: u8, long: &str) -> Option<&'a OsStr> {
    let mut found = None;
    let mut rest = arguments.iter().skip(1).map(OsString::as_os_str);
    while let Some(argument) = rest.next() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            break;
        } else if bytes.starts_with(b"--") {
            let behind = bytes.strip_prefix(long.as_bytes());
            match behind {
                Some([]) => found = rest.next().or(found),
                Some([b'=', value @ ..]) => found = Some(OsStr::from_bytes(value)),
                _ => {}
            }
        } else if let [b'-', letters @ ..] = bytes
            && let Some(at) = letters.iter().position(|letter| WITH_VALUE.contains(letter))
        {
            let behind = &letters[at + 1..];
            let behind = behind.strip_prefix(b"=").unwrap_or(behind);
            let value = if behind.is_empty() {
                rest.next()
            } else {
                Some(OsStr::from_bytes(behind))
            };
            if letters[at] == short {
                found = value.or(found);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<OsString> {
        std::iter::once("mita")
            .chain(line.split_whitespace())
            .map(OsString::from)
            .collect()
    }

    #[test]
    fn json_is_asked_for_in_any_way_that_clap_takes() {
        for line in [
            "run -o json",
            "-o json run",
            "run -ojson",
            "run -o=json",
            "run --output json",
            "run --output=json --fly",
            "run -no json",
            "-c -o run -o json",
            "run -o text -o json",
            "check -vvo json",
        ] {
            assert!(wants_json(&arguments(line)), "{line}");
        }
        for line in [
            "run",
            "run -o text",
            "run -o",
            "explain -- -o json",
            "-c -o json",
            "run --outputs json",
            "run -- -ojson",
        ] {
            assert!(!wants_json(&arguments(line)), "{line}");
        }
        let line = arguments("run -c a.yaml -o json --config=b.yaml");
        assert_eq!(option(&line, b'c', "--config"), Some(OsStr::new("b.yaml")));
    }
}
