//! What compressed replies save on slow links. Packing them is not counted: bodies are made once.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::link::Link;
use crate::measure::{self, median};
use crate::serve::Serving;
use crate::site::Site;
use crate::world::{Shape, Size, World};

const SIZES: [Size; 2] = [Size::new(1_000, 500, 500), Size::new(10_000, 2_000, 2_000)];
const MEGABITS: [Option<f64>; 5] = [Some(1.0), Some(10.0), Some(100.0), Some(1_000.0), None];
const ROUND_TRIPS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(50)];
const RUNS: usize = 3;

/// Prints a line for each size and link.
pub fn run(mita: &Path, sizes: &[String]) -> Outcome<()> {
    println!("\nseconds of a pass, and its processor time in ms, with plain and with compressed replies\n");
    println!("queue/nodes/servers   link                 plain              gzip");
    for size in SIZES.into_iter().filter(|size| size.is_chosen(sizes)) {
        for round_trip in ROUND_TRIPS {
            for megabits in MEGABITS {
                let link = Link { megabits, round_trip };
                let [plain, packed] = [false, true].map(|gzip| one(mita, size, Serving { gzip, link }));
                println!("{:20}  {link}   {}   {}", size.to_string(), plain?, packed?);
            }
        }
    }
    Ok(())
}

/// Measures passes over a link.
fn one(mita: &Path, size: Size, serving: Serving) -> Outcome<String> {
    let bench = Site::open(mita, World::new(size, Shape::ManyTemplates), serving)?;
    let (mut seconds, mut millis) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        millis.push(measure::once(&bench.run())?.millis);
        seconds.push(began.elapsed().as_secs_f64());
    }
    let (seconds, millis) = (median(seconds.into_iter()), median(millis.into_iter()));
    Ok(format!("{seconds:7.2} s {millis:6.1} ms"))
}
