//! mita at work, with nothing at stake: a simulated Jenkins, a simulated OpenStack, and the real program once a
//! simulated minute.
//!
//!     cargo run --release --example playground [-- --fast] [SEED]
//!
//! No account, no configuration, about half a minute. It ends with 1 when a build was killed or a server is left over.

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
mod watch;

use std::error::Error;
use std::fs;
use std::io::IsTerminal as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;
use std::time::Duration;

use fakes::{FakeJenkins, FakeOpenStack, World};

/// Real time for a simulated minute, where somebody watches.
const PACE: Duration = Duration::from_millis(100);

/// So many minutes after the last job everything is to be gone.
const EVENING: i64 = 90;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut seed = 7;
    let mut fast = !std::io::stdout().is_terminal();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--fast" => fast = true,
            other => seed = other.parse().map_err(|_| format!("not a seed: {other}"))?,
        }
    }
    let world = World::new(seed);
    let jenkins = FakeJenkins::start(&world, "/jenkins");
    let cloud = FakeOpenStack::start(&world, "openstack");
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("mita.yaml");
    fs::write(&config, story::config(&jenkins, &cloud, folder.path()))?;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
    let notes = story::begin(&world);

    print!("{}", story::OPENING);
    let mut watcher = watch::Watcher::new(&world);
    let mut calm = 0;
    for minute in 0.. {
        let report = pass::run(&config, world.now());
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
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
