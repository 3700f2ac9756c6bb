//! How the day went, in figures, and whether it went well.

use super::fakes::World;
use super::watch::Watcher;

/// Prints the summary and returns whether no build was killed and nothing is left over.
pub fn print(world: &World, watcher: &Watcher) -> bool {
    let mut state = world.lock();
    let clock = state.clock;
    let killed = state.jenkins.killed();
    let mut waits: Vec<i64> = state.jenkins.builds.iter().map(|b| b.began - b.queued).collect();
    waits.sort_unstable();
    let ran = waits.len();
    let busy: i64 = state.jenkins.builds.iter().map(|b| b.ends - b.began).sum();
    let waiting = state.jenkins.queue.len();
    let cloud = state.cloud("openstack");
    let (left, volumes) = (cloud.servers.len(), cloud.volumes.len());
    let used = cloud.server_seconds(clock);
    let nodes = state.jenkins.agents.values().filter(|a| a.name != "house").count();
    let passes = f64::from(watcher.passes.max(1));

    println!();
    println!("  jobs      {ran} ran, {waiting} still waiting");
    println!(
        "  waited    median {}, 95 of 100 under {}, longest {}",
        span(at(&waits, 50)),
        span(at(&waits, 95)),
        span(at(&waits, 100))
    );
    println!(
        "  servers   {} created, {} of them failed to boot, {:.1} server-hours",
        watcher.created,
        watcher.errors,
        hours(used)
    );
    println!("  builds    {:.1} hours, {killed} killed", hours(busy));
    println!("  left      {left} servers, {volumes} volumes, {nodes} Jenkins nodes");
    println!(
        "  passes    {}, {:.1} requests to Jenkins and {:.1} to OpenStack each",
        watcher.passes,
        count(watcher.requests.0) / passes,
        count(watcher.requests.1) / passes,
    );
    let sound = killed == 0 && left == 0 && volumes == 0 && nodes == 0 && waiting == 0;
    println!();
    println!(
        "{}",
        if sound {
            "All went well."
        } else {
            "Not well: see above."
        }
    );
    sound
}

/// Prints where to go from here.
pub fn what_next(seed: u64) {
    println!(
        "
What next
  this day again      cargo run --release --example playground -- --seed {seed}
  another day         cargo run --release --example playground -- --seed {}
  what it would cost  cargo run --release --example simulate
  your own cloud      README.md, from the section after \"Try it\" on",
        seed.wrapping_add(1)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn count(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn hours(seconds: i64) -> f64 {
    seconds as f64 / 3600.0
}

fn at(sorted: &[i64], percent: usize) -> i64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(0)
}

fn span(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
