//! One call of the program: its limits, its log, and what its end means.
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | done; the answer is on stdout |
//! | 64 | the verb, or the version of the protocol, is not known |
//! | 65 | the request is refused as it is: a bad image, size, option |
//! | 66 | what was asked for is not there |
//! | 69 | could not be done and nothing was changed: the cloud does not answer |
//! | 73 | no capacity at the moment |
//! | 75 | too many requests; stdout may say `{"retry_after": SECONDS}` |
//! | 77 | not allowed: the login, or a permission |
//! | 79 | over quota |
//! | 80 | the zone is not there, or not for us |
//! | 81 | not in this state (locked, …) |
//! | any other, a signal, a time-out | it is not known whether anything was changed |

#![expect(clippy::disallowed_methods, reason = "an edge: measures how long a call takes")]

use std::time::{Duration, Instant};

use log::debug;
use serde::Deserialize;
use serde_json::Value;

use crate::http::Deadline;
use crate::process::{self, Program, Ran, RunEnd};
use crate::provider::ProviderError;
use crate::provider::exec::program::ExecProgram;
use crate::secret::Secret;
use crate::text::printable;

/// The most lines of stderr that are logged of one call, counted from its end.
const LOGGED: usize = 100;
/// The most characters of a line that are shown.
const SHOWN: usize = 300;
/// Shorter texts are not hidden: they occur in other words.
const HIDDEN: usize = 6;

/// A verb and its request.
pub(super) struct Invocation<'c> {
    pub verb: &'c str,
    pub input: &'c [u8],
    /// For messages: the verb and what it is about.
    pub what: &'c str,
    /// A text of the request that must not be shown, line by line: the user data.
    pub secret: &'c str,
}

/// Calls the program; the answer is its stdout. Where it is unknown whether it did anything, the error is
/// [`ProviderError::Unknown`].
pub(super) fn call(
    settings: &ExecProgram,
    deadline: &Deadline,
    call: &Invocation<'_>,
) -> Result<Vec<u8>, ProviderError> {
    let what = call.what;
    let limit = settings.timeout.unsigned_abs();
    let limit = deadline.left().map_or(limit, |left| left.min(limit));
    if limit.is_zero() {
        return Err(ProviderError::Unavailable(format!(
            "{what}: no time is left in this pass"
        )));
    }
    let began = Instant::now();
    let ran = process::run(&program(settings, call.verb), call.input, limit).map_err(|error| {
        let program = printable(&settings.program.display().to_string(), 200);
        ProviderError::Unavailable(format!("{what}: cannot run {program}: {error}"))
    })?;
    let lines = lines(settings, &ran.stderr, call.secret);
    log(settings, call.verb, &ran, &lines, began.elapsed());
    meaning(settings, what, limit, ran, lines.last())
}

fn program<'p>(settings: &'p ExecProgram, verb: &'p str) -> Program<'p> {
    let inherited = settings
        .inherited
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let own = settings
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.reveal()));
    Program {
        executable: &settings.program,
        arguments: settings.arguments.iter().map(String::as_str).chain([verb]).collect(),
        folder: &settings.folder,
        environment: inherited.chain(own).collect(),
        max_output: settings.max_output,
    }
}

fn log(settings: &ExecProgram, verb: &str, ran: &Ran, lines: &[String], span: Duration) {
    let provider = &settings.provider;
    for line in lines {
        debug!("{provider}: {verb} says: {line}");
    }
    let (millis, bytes) = (span.as_millis(), ran.stdout.len());
    debug!("{provider}: {verb}: {} in {millis} ms, {bytes} bytes", ran.ended);
}

/// Splits stderr into lines that may be shown: without the values of the environment and lines of the user data.
fn lines(settings: &ExecProgram, stderr: &[u8], secret: &str) -> Vec<String> {
    let long = |text: &&str| text.len() >= HIDDEN;
    let values = settings.environment.values().map(Secret::reveal);
    let plain: Vec<&str> = values.chain(secret.lines().map(str::trim)).filter(long).collect();
    // `set -x` shows the request as it is.
    let quoted = plain.iter().map(|text| Value::from(*text).to_string());
    let quoted: Vec<String> = quoted.map(|text| text.trim_matches('"').to_owned()).collect();
    let hidden = || plain.iter().copied().chain(quoted.iter().map(String::as_str));
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LOGGED)..];
    let shown = last.iter().map(|line| {
        let clean = hidden().fold((*line).to_owned(), |line, text| {
            if text.len() > line.len() {
                line
            } else {
                line.replace(text, "***")
            }
        });
        printable(&clean, SHOWN)
    });
    shown.filter(|line| !line.is_empty()).collect()
}

/// Turns the end of a run into its answer or an error.
fn meaning(
    settings: &ExecProgram,
    what: &str,
    limit: Duration,
    ran: Ran,
    said: Option<&String>,
) -> Result<Vec<u8>, ProviderError> {
    let how = match ran.ended {
        RunEnd::Code(0) => return Ok(ran.stdout),
        RunEnd::Code(_) | RunEnd::Signal(_) => ran.ended.to_string(),
        RunEnd::TimedOut if limit < settings.timeout.unsigned_abs() => {
            "killed, as the time of this pass is over (limits.pass_deadline)".to_owned()
        }
        RunEnd::TimedOut => format!("killed after {} s (timeout)", limit.as_secs()),
        RunEnd::TooLarge => format!(
            "killed, as its answer is larger than {} bytes (max_body)",
            settings.max_output
        ),
    };
    let text = match said {
        Some(said) => format!("{what}: {said} ({how})"),
        None => format!("{what}: {how}, and it says nothing on stderr"),
    };
    Err(match ran.ended {
        RunEnd::Code(64) => ProviderError::Unavailable(format!("{text}: it does not know this verb or version")),
        RunEnd::Code(65) => ProviderError::Refused(text),
        RunEnd::Code(66) => ProviderError::NotFound(text),
        RunEnd::Code(69) => ProviderError::Unavailable(text),
        RunEnd::Code(73) => ProviderError::Capacity(text),
        RunEnd::Code(75) => ProviderError::Throttled {
            message: text,
            retry_after: retry_after(&ran.stdout),
        },
        RunEnd::Code(77) => ProviderError::Auth(text),
        RunEnd::Code(79) => ProviderError::Quota(text),
        RunEnd::Code(80) => ProviderError::Zone(text),
        RunEnd::Code(81) => ProviderError::Conflict(text),
        RunEnd::Code(_) | RunEnd::Signal(_) | RunEnd::TimedOut | RunEnd::TooLarge => ProviderError::Unknown(text),
    })
}

fn retry_after(stdout: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Later {
        retry_after: u64,
    }
    serde_json::from_slice::<Later>(stdout)
        .ok()
        .map(|later| later.retry_after)
}
