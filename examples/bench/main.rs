//! What a pass costs: requests, processor time and peak memory of `mita run` and `mita run --dry-run`, beside a floor.
//!
//!     cargo build --release && cargo run --release --example bench [-- --check] [SIZE...]
//!
//! The world is one in which nothing is to be done and all has to be thought through: busy nodes, servers that boot,
//! and a queue that waits for them or for templates at their maximum. The floor is a minimal program that fetches the
//! same bodies with ureq and reads the same fields with `serde_json`. Runs come in pairs, floor and mita, and the
//! median of their ratios is what counts: it is nearly the same on each machine, the milliseconds are not.
//!
//! With `--check` the bench ends with 1 when a figure is above its limit. It always does when mita makes more requests
//! than it may, changes anything, or fails.

#![expect(clippy::disallowed_methods, reason = "a program of its own, which measures")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, which prints"
)]

mod cloud;
mod floor;
#[path = "../../tests/support/http_server/mod.rs"]
mod http_server;
mod measure;
mod serve;
mod tree;
mod world;

use std::error::Error;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use measure::{Cost, median};
use serve::{Request, Server};
use world::{Size, World};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A world with the most that a pass may cost in it.
struct Limit {
    size: Size,
    /// Times the processor time of the floor.
    ratio: f64,
    /// MiB of peak memory.
    memory: f64,
    /// Pairs of runs; small worlds are noisy and quick.
    pairs: usize,
}

/// The small worlds are mostly the start of a process, so that their ratio says little.
const LIMITS: [Limit; 4] = [
    limit(Size::new(10, 20, 20), 2.5, 10.0, 21),
    limit(Size::new(1_000, 500, 500), 2.0, 16.0, 15),
    limit(Size::new(10_000, 2_000, 2_000), 1.3, 40.0, 9),
    limit(Size::new(100_000, 10_000, 10_000), 1.3, 200.0, 5),
];

const fn limit(size: Size, ratio: f64, memory: f64, pairs: usize) -> Limit {
    Limit {
        size,
        ratio,
        memory,
        pairs,
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["floor", requests] => floor::run(Path::new(requests)).map(|()| true),
        ["measure", command @ ..] => measure::child(command).map(|()| true),
        words => bench(words),
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

fn bench(words: &[&str]) -> Outcome<bool> {
    let check = words.contains(&"--check");
    let chosen: Vec<&&str> = words.iter().filter(|word| **word != "--check").collect();
    let mita = mita()?;
    println!("{}", mita.display());
    println!("processor time of the whole process in ms, peak memory in MiB; medians; x: times the floor\n");
    println!("queue/nodes/servers   requests   floor         run --dry-run        run");
    let mut good = true;
    for limit in &LIMITS {
        let name = limit.size.to_string();
        if chosen.is_empty() || chosen.iter().any(|word| name.starts_with(**word)) {
            good &= one(&mita, limit)?.iter().fold(true, |_, problem| {
                println!("    {problem}");
                !check
            });
        }
    }
    Ok(good)
}

/// The release binary beside this example.
fn mita() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("no target folder")?;
    let mita = folder.join("mita");
    if !mita.exists() {
        return Err(format!("there is no {}: cargo build --release", mita.display()).into());
    }
    Ok(mita)
}

/// Measures one world and prints its line; returns what is above its limit.
fn one(mita: &Path, limit: &Limit) -> Outcome<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(World::new(limit.size));
    let config = folder.path().join("mita.yaml");
    fs::write(&config, server.config(folder.path()))?;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
    let mita = mita.to_str().ok_or("an odd path")?;
    let config = config.to_str().ok_or("an odd path")?;
    let run = [mita, "-q", "-c", config, "run"];
    let dry = [mita, "-q", "-c", config, "run", "--dry-run"];

    // The first pass writes the state file; from the second on, passes are alike.
    measure::once(&run)?;
    server.take();
    measure::once(&run)?;
    let requests = server.take();
    refuse_changes(&requests, limit.size)?;
    let list = folder.path().join("requests");
    fs::write(&list, floor::written(&requests))?;
    let own = std::env::current_exe()?;
    let own = own.to_str().ok_or("an odd path")?;
    let floor = [own, "floor", list.to_str().ok_or("an odd path")?];

    let mut costs: [Vec<Cost>; 3] = Default::default();
    for _ in 0..limit.pairs {
        for (command, costs) in [&floor[..], &dry[..], &run[..]].into_iter().zip(&mut costs) {
            costs.push(measure::once(command)?);
        }
    }
    refuse_changes(&server.take_last(requests.len()), limit.size)?;
    Ok(report(limit, requests.len(), &costs))
}

/// A pass may log in and read; anything else is a fault of mita or of this bench's world.
fn refuse_changes(requests: &[Request], size: Size) -> Outcome<()> {
    for request in requests {
        if request.method != "GET" && !request.path.ends_with("/auth/tokens") {
            return Err(format!("{} {}: nothing was to be done", request.method, request.path).into());
        }
    }
    // Queue, computers; login, pages, and one more page because servers are being built.
    let most = 2 + 1 + size.servers / 1_000 + 1 + 1;
    if requests.len() > most {
        let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
        return Err(format!("{} requests, {most} are allowed: {}", requests.len(), paths.join(" ")).into());
    }
    Ok(())
}

fn report(limit: &Limit, requests: usize, costs: &[Vec<Cost>; 3]) -> Vec<String> {
    let [floor, passes @ ..] = costs;
    let head = format!("{:20}  {requests:8}   {}", limit.size.to_string(), figures(floor));
    let mut line = vec![head];
    let mut problems = Vec::new();
    for (name, pass) in ["run --dry-run", "run"].into_iter().zip(passes) {
        let ratio = median(pass.iter().zip(floor).map(|(pass, floor)| pass.millis / floor.millis));
        let memory = median(pass.iter().map(|cost| cost.mebibytes));
        line.push(format!("{} {ratio:5.2}x", figures(pass)));
        if ratio > limit.ratio {
            problems.push(format!("{name}: {ratio:.2} times the floor, limit {}", limit.ratio));
        }
        if memory > limit.memory {
            problems.push(format!("{name}: {memory:.1} MiB, limit {}", limit.memory));
        }
    }
    println!("{}", line.join("   "));
    problems
}

fn figures(costs: &[Cost]) -> String {
    let millis = median(costs.iter().map(|cost| cost.millis));
    let memory = median(costs.iter().map(|cost| cost.mebibytes));
    format!("{millis:6.1} {memory:5.1}")
}
