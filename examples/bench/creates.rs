//! What creating servers costs, and how long a burst takes at services that answer late.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::instructions;
use crate::link::Link;
use crate::measure;
use crate::serve::{Request, Serving};
use crate::site::Site;
use crate::world::{Shape, Size, World};

/// Twelve hundred servers are ours.
const SIZE: Size = Size::new(1_000, 2_000, 2_000);

const DELAYS: [u64; 4] = [0, 20, 200, 1_000];
const BURSTS: [usize; 4] = [0, 1, 20, 100];

/// How much longer than the sum of its round trips a pass may take, in percent, where they are what takes its time.
const MOST: f64 = 5.0;
const FROM: u64 = 200;

/// Prints a line for each delay and burst; returns whether the time is that of the requests.
pub fn run(mita: &Path) -> Outcome<bool> {
    println!("\n{}, {SIZE}; a pass that makes servers", Shape::ManyTemplates);
    println!("over: how much longer it takes than all its requests together\n");
    println!(
        "ms/request   creates   requests   per create   connections   seconds    over   processor ms   million instructions"
    );
    let mut good = true;
    for delay in DELAYS {
        let link = Link {
            megabits: None,
            round_trip: Duration::from_millis(delay),
        };
        let site = Site::open(
            mita,
            World::new(SIZE, Shape::ManyTemplates),
            Serving { gzip: false, link },
        )?;
        for burst in BURSTS {
            let over = one(&site, delay, burst)?;
            good &= delay < FROM || burst < 20 || over <= MOST;
        }
    }
    Ok(good)
}

/// Makes and prints one pass; returns by how many percent it is longer than its requests.
fn one(site: &Site, delay: u64, burst: usize) -> Outcome<f64> {
    let command = site.creating(burst)?;
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let before = site.connections();
    let began = Instant::now();
    let cost = measure::once(&words)?;
    let seconds = began.elapsed().as_secs_f64();
    let (requests, connections) = (site.take(), site.connections() - before);
    refuse_others(&requests, burst)?;
    let count = u32::try_from(requests.len())?;
    let round_trips = f64::from(count) * Duration::from_millis(delay).as_secs_f64();
    let over = 100.0 * (seconds / round_trips - 1.0);
    let per_create = f64::from(count) / f64::from(u32::try_from(burst)?);
    let counted = match delay {
        0 => instructions::count(&site.creating(burst)?)?,
        _ => None,
    };
    println!(
        "{delay:10}   {burst:7}   {count:8}   {:>10}   {connections:11}   {seconds:7.2}   {:>7}   {:12.1}   {}",
        if burst == 0 {
            "-".to_owned()
        } else {
            format!("{per_create:.2}")
        },
        if delay == 0 {
            "-".to_owned()
        } else {
            format!("{over:.1} %")
        },
        cost.millis,
        counted.map_or(String::new(), |count| format!("{:20.1}", count / 1e6)),
    );
    Ok(over)
}

/// A pass makes as many servers as it may, and nothing else.
fn refuse_others(requests: &[Request], burst: usize) -> Outcome<()> {
    let creates = requests
        .iter()
        .filter(|request| request.method == "POST" && request.path == "/v2.1/servers");
    if creates.count() == burst {
        return Ok(());
    }
    let requests: Vec<String> = requests.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    Err(format!("{burst} servers were to be made: {}", requests.join(", ")).into())
}
