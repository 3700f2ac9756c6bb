//! One pass of the real program, in process: its arguments in, its exit code and its JSON report out.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

/// What a pass left behind.
pub struct Report {
    /// The exit code.
    pub exit: u8,
    /// The report; null when the pass did not come to one.
    pub json: Value,
    /// What it said on stderr.
    pub said: String,
}

/// Runs `mita -c CONFIG run -o json` as cron would, as the pass of that id.
pub fn run(config: &Path, now: Timestamp, id: String) -> Report {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = mita::Io::new(now, &mut out, &mut err);
    io.pass = Some(id);
    let config = config.to_string_lossy();
    let exit = mita::run(["mita", "-c", &config, "run", "-o", "json"], &mut io);
    Report {
        exit,
        json: serde_json::from_slice(&out).unwrap_or_default(),
        said: String::from_utf8_lossy(&err).into_owned(),
    }
}

/// Runs the program on the same configuration, and returns the JSON that it prints.
pub fn mita(config: &Path, now: Timestamp, arguments: &[&str]) -> Value {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = mita::Io::new(now, &mut out, &mut err);
    let config = config.to_string_lossy();
    mita::run(["mita", "-c", &config].iter().chain(arguments), &mut io);
    serde_json::from_slice(&out).unwrap_or_default()
}
