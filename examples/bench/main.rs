//! What a pass costs: requests, processor time and peak memory of `mita run` and `mita run --dry-run`, beside a floor.
//!
//!     cargo build --release && cargo run --release --example bench [-- --check] [SIZE...]
//!
//! Both worlds are ones in which nothing is to be done and all has to be thought through: busy nodes, servers that boot,
//! and a queue that waits for them or for templates at their maximum. One has few templates and is the world of the
//! limits; the other has 72, and three servers in five are ours. Every pass that is measured finds the state of one
//! before it. The floor is a minimal program that fetches the same bodies with ureq and reads the same fields with
//! `serde_json`. Runs come in pairs, floor and mita, and the median of their ratios is what counts: it is nearly the
//! same on each machine, the milliseconds are not.
//!
//! With `--check` the bench ends with 1 when a figure is above its limit. It always does when mita makes more requests
//! than it may, changes anything, or fails. `--instructions` counts instructions in place of time, `--growth` shows that
//! the cost per item does not grow with the number of items, `--creates` what a pass costs that makes servers and how
//! long it takes at services that answer late, and `--links` what compressed replies save on slow links.

#![expect(clippy::disallowed_methods, reason = "a program of its own, which measures")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, which prints"
)]

mod cloud;
mod creates;
mod floor;
mod growth;
#[path = "../../tests/support/http_server/mod.rs"]
mod http_server;
mod instructions;
mod limits;
mod link;
mod links;
mod measure;
mod serve;
mod site;
mod tree;
mod world;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a pass costs, beside a program that only fetches and reads the same.
#[derive(Parser)]
#[command(name = "bench")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Arguments {
    /// Ends with 1 when a figure is above its limit
    #[arg(long)]
    check: bool,
    /// Counts instructions with valgrind, and compares with the accepted number
    #[arg(long, conflicts_with = "growth")]
    instructions: bool,
    /// Takes the number of instructions as it is now
    #[arg(long, requires = "instructions")]
    accept: bool,
    /// Shows how the cost grows from one to a hundred thousand items
    #[arg(long)]
    growth: bool,
    /// Shows what creating servers costs, and how long a burst takes at services that answer late
    #[arg(long)]
    creates: bool,
    /// Shows how long a pass takes over slow links, with compressed replies and without
    #[arg(long)]
    links: bool,
    /// Services send their replies compressed
    #[arg(long)]
    gzip: bool,
    /// The program that is measured, in place of the release build beside this one
    #[arg(long, value_name = "FILE")]
    mita: Option<PathBuf>,
    /// Sizes of worlds, as queue/nodes/servers or how one begins
    sizes: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        // This same program as a child: what is measured is a process.
        ["floor", requests] => floor::run(Path::new(requests)).map(|()| true),
        ["measure", command @ ..] => measure::child(command).map(|()| true),
        _ => bench(&Arguments::parse()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all is within its limits, where that was asked.
fn bench(arguments: &Arguments) -> Outcome<bool> {
    let mita = match &arguments.mita {
        Some(mita) => mita.clone(),
        None => beside()?,
    };
    println!("{}", mita.display());
    if arguments.instructions {
        instructions::run(&mita, arguments.accept, &arguments.sizes, arguments.gzip)
    } else if arguments.growth {
        Ok(growth::run(&mita)? || !arguments.check)
    } else if arguments.creates {
        Ok(creates::run(&mita)? || !arguments.check)
    } else if arguments.links {
        links::run(&mita, &arguments.sizes).map(|()| true)
    } else {
        Ok(limits::run(&mita, arguments.gzip, &arguments.sizes)? || !arguments.check)
    }
}

/// The release binary beside this example.
fn beside() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let mita = folder.join("mita");
    if !mita.exists() {
        return Err(format!("there is no {}: cargo build --release", mita.display()).into());
    }
    Ok(mita)
}
