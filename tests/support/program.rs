//! The program as a test calls it, in this process or as a binary, and what it left behind.

#![allow(dead_code, reason = "each test takes the part it needs")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use mita::Io;
use serde_json::Value;

/// What a call of the program left behind.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Requires that it ended well.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Reads stdout as the one JSON object that it is.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} / {}", self.out, self.err))
    }

    /// Lists the actions as `do result template`.
    pub fn actions(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let line = |action: &Value| {
            let name = word(&action["name"]);
            // Behind the template stand `__` and the id, or `+` and the address.
            let end = name.rfind("__").or_else(|| name.find('+')).unwrap_or(name.len());
            format!("{} {} {}", word(&action["do"]), word(&action["result"]), &name[..end])
        };
        let json = self.json();
        json["actions"].as_array().expect("actions").iter().map(line).collect()
    }

    /// Returns what is left unserved, and why.
    pub fn unmet(&self) -> String {
        self.json()["unmet"].to_string()
    }

    /// Counts the requests in the log (`-vv`) whose method and URL begin so.
    pub fn requests(&self, start: &str) -> usize {
        self.err.lines().filter(|line| line.contains(start)).count()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// Runs the program in this process at a time of one's own; `stop` is the flag that a signal would set.
pub fn run_at(now: Timestamp, config: &Path, arguments: &[&str], stop: Arc<AtomicBool>) -> Done {
    run_with(now, config, arguments, stop, None)
}

/// Does so at a terminal, at which a person types something.
pub fn run_typed(now: Timestamp, config: &Path, arguments: &[&str], typed: &str) -> Done {
    run_with(now, config, arguments, Arc::default(), Some(typed))
}

fn run_with(now: Timestamp, config: &Path, arguments: &[&str], stop: Arc<AtomicBool>, typed: Option<&str>) -> Done {
    let config = config.to_str().expect("a plain path");
    let words = ["mita", "-c", config];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut answers = typed.unwrap_or_default().as_bytes();
    let mut io = Io::new(now, &mut out, &mut err);
    io.stop = stop;
    if typed.is_some() {
        io.answers = Some(&mut answers);
        (io.terminal, io.err_terminal) = (true, true);
    }
    let code = mita::run(words.iter().chain(arguments), &mut io);
    Done {
        code: code.into(),
        out: text(out),
        err: text(err),
    }
}

/// Prepares a call of the real binary, whose clock is the real one.
pub fn command(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mita"));
    command.arg("-c").arg(config).args(arguments).env_remove("MITA_LOG");
    command
}
