//! The processor time and the peak memory of one command, to the microsecond.
//!
//! `getrusage` of the children is the only exact source, and it sums over all children of a process. So each command is
//! the only child of a helper: this same program, called with `measure`.

use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::Outcome;

/// What a process has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User and system time of all its threads.
    pub millis: f64,
    /// The most memory that it ever held.
    pub mebibytes: f64,
}

/// Runs a command by way of a helper and returns what it cost.
pub fn once(command: &[&str]) -> Outcome<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .args(command)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match (output.status.success(), figures.as_slice()) {
        (true, [micros, kibibytes]) => Ok(Cost {
            millis: micros / 1_000.0,
            mebibytes: kibibytes / 1_024.0,
        }),
        // A pass that succeeds says what waits, each time.
        _ => Err(format!(
            "failed: {}: {}",
            command.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
}

/// The helper: runs its only child and prints microseconds and KiB.
pub fn child(command: &[&str]) -> Outcome<()> {
    let (program, arguments) = command.split_first().ok_or("measure what?")?;
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{program}: {status}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = micros(usage.user_time()) + micros(usage.system_time());
    println!("{micros} {}", usage.max_rss());
    Ok(())
}

fn micros(time: TimeVal) -> i64 {
    time.tv_sec() * 1_000_000 + time.tv_usec()
}

/// Returns the middle value.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
