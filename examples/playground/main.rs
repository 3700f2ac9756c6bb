//! mita at work, with nothing at stake: a simulated Jenkins, a simulated OpenStack, and the real program once a
//! simulated minute.
//!
//!     cargo run --release --example playground [-- --seed N] [--fast] [--verify [DAYS]]
//!
//! No account, no configuration, about half a minute. A seed goes the same way each time, to the letter where the width is
//! the same. It ends with 1 when a build was killed or a server is left over. With --verify a week is played, and what
//! `mita history` says of it is held against what was.

#![expect(clippy::print_stdout, reason = "a program of its own, which prints")]
#![allow(
    clippy::disallowed_methods,
    reason = "a program of its own: files, arguments, a pace to watch"
)]

#[path = "../../tests/fakes/mod.rs"]
mod fakes;
mod pass;
mod story;
mod summary;
#[path = "../../tests/support/truth.rs"]
mod truth;
mod watch;
mod week;

use std::error::Error;
use std::fs;
use std::io::IsTerminal as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use fakes::{FakeJenkins, FakeOpenStack, Random, World};

/// Real time for a simulated minute, where somebody watches.
const PACE: Duration = Duration::from_millis(100);

/// So many minutes after the last job everything is to be gone.
const EVENING: i64 = 90;

/// The narrowest and the widest that is printed, and what is where nobody watches.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=200;
const UNWATCHED: usize = 120;

/// mita, watched for some hours at a simulated Jenkins and a simulated OpenStack.
///
/// Each pass is the real program, once a simulated minute; no account and no configuration is needed. It ends with 1 when
/// a build was killed or a server is left over.
#[derive(Parser)]
#[command(
    name = "playground",
    after_help = "Example: cargo run --release --example playground -- --seed 8 --fast"
)]
struct Arguments {
    /// Which day is played; the same seed goes the same way
    #[arg(long, value_name = "N", default_value_t = 7, conflicts_with = "also_seed")]
    seed: u64,
    /// Does not wait between the minutes; so it is where stdout is no terminal
    #[arg(long)]
    fast: bool,
    /// Plays a week instead, or so many days of it, and ends with 1 when what `mita history` says of it is not true
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "7", value_parser = clap::value_parser!(i64).range(1..=7))]
    verify: Option<i64>,
    /// The seed
    #[arg(value_name = "SEED", hide = true)]
    also_seed: Option<u64>,
}

/// Returns how wide the terminal is.
fn width() -> usize {
    let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    width.map_or(UNWATCHED, |width| width.clamp(*WIDTHS.start(), *WIDTHS.end()))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let seed = arguments.also_seed.unwrap_or(arguments.seed);
    let fast = arguments.fast || !std::io::stdout().is_terminal();
    let world = World::new(seed);
    let jenkins = FakeJenkins::start(&world, "/jenkins");
    let cloud = FakeOpenStack::start(&world, "openstack");
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("mita.yaml");
    fs::write(&config, story::config(&jenkins, &cloud, folder.path()))?;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
    if let Some(days) = arguments.verify {
        let is_true = week::verify(&world, &config, seed, days);
        return Ok(if is_true { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let notes = story::begin(&world);

    print!("{}", story::OPENING);
    let mut watcher = watch::Watcher::new(&world, width());
    let mut ids = Random::new(seed);
    let mut calm = 0;
    for minute in 0.. {
        let report = pass::run(&config, world.now(), ids.hex(12));
        watcher.tell(&world, &report, &notes.take());
        if !fast {
            std::thread::sleep(PACE);
        }
        calm = if story::over(&world, minute) { calm + 1 } else { 0 };
        if calm > 2 || minute > story::LAST_MINUTE + EVENING {
            break;
        }
        world.advance(60);
    }
    watcher.fold();
    let sound = summary::print(&world, &watcher);
    summary::what_next(seed);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
