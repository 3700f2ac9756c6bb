//! A week without anybody watching: what `mita history` says of it in the end is held against what was.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::fakes::{Random, World};
use super::truth::Watch;
use super::{pass, story};

/// Seconds between two passes, as cron starts them.
const EVERY: i64 = 60;

/// Plays so many days of a week and returns whether the history of them is true.
pub fn verify(world: &World, config: &Path, seed: u64, days: i64) -> bool {
    story::begin_week(world);
    let mut watch = Watch::new(EVERY).with_pipelines();
    let mut ids = Random::new(seed);
    let end = world.lock().clock + days * story::DAY;
    while world.lock().clock < end {
        watch.pass(world);
        pass::run(config, world.now(), ids.hex(12));
        world.advance(EVERY);
        // Nobody asks for them, and a week has many.
        world.forget_calls();
    }
    // What ended since the last pass is told by one more.
    watch.pass(world);
    pass::run(config, world.now(), ids.hex(12));
    let prices = BTreeMap::from(story::PRICES);
    let history = |arguments: &[&str]| {
        let words = [&["history"], arguments, &["-o", "json"]].concat();
        pass::mita(config, world.now(), &words)
    };
    print(&history(&["--by", "node"]));
    let found = watch.compare(world, &prices, &history);
    println!();
    for line in &found.wrong {
        println!("{line}");
    }
    println!(
        "{} figures compared with what was, {} differ by more than the time between two passes (the largest difference is \
         {:.0}% of that)",
        found.compared,
        found.wrong.len(),
        found.largest * 100.0
    );
    found.wrong.is_empty()
}

fn print(rows: &Value) {
    println!(
        "template   servers   failed   server-hours   busy   boot: median  95 of 100   items   waited: median  95 of 100   cost"
    );
    for row in rows["rows"].as_array().into_iter().flatten() {
        let number = |key: &str| row[key].to_string().replace("null", "-");
        let share = row["busy_share"].as_f64().unwrap_or(0.0) * 100.0;
        println!(
            "{:<10} {:>7}  {:>7}   {:>12.1}   {share:>3.0}%   {:>12}  {:>9}   {:>5}   {:>14}  {:>9}   {:>4}",
            row["key"].as_str().unwrap_or("total"),
            number("servers"),
            number("failures"),
            row["server_hours"].as_f64().unwrap_or(0.0),
            number("boot_seconds_median"),
            number("boot_seconds_p95"),
            number("items"),
            number("wait_seconds_median"),
            number("wait_seconds_p95"),
            row["cost"]
                .as_f64()
                .map_or_else(|| "-".to_owned(), |cost| format!("{cost:.2}")),
        );
    }
}
