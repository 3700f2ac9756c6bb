//! The table of sizes: processor time and memory beside the floor, and what is above its limit.

use std::path::Path;

use crate::Outcome;
use crate::link::Link;
use crate::measure::{Cost, median};
use crate::serve::Serving;
use crate::site::Site;
use crate::world::{Shape, Size, World};

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

/// Seventy-two templates cost a small pass their share of the configuration.
const MANY_TEMPLATES: f64 = 1.4;

const fn limit(size: Size, ratio: f64, memory: f64, pairs: usize) -> Limit {
    Limit {
        size,
        ratio,
        memory,
        pairs,
    }
}

/// The sizes that have a limit.
pub fn sizes() -> impl Iterator<Item = Size> {
    LIMITS.iter().map(|limit| limit.size)
}

/// Prints a table for each shape of world; returns whether all is within its limits.
pub fn run(mita: &Path, gzip: bool, sizes: &[String]) -> Outcome<bool> {
    println!("processor time of the whole process in ms, peak memory in MiB; medians; x: times the floor");
    let mut good = true;
    for shape in [Shape::FewTemplates, Shape::ManyTemplates] {
        println!("\n{shape}{}", if gzip { ", gzip" } else { "" });
        println!("queue/nodes/servers   requests   state KB   floor         run --dry-run        run");
        for limit in LIMITS.iter().filter(|limit| limit.size.is_chosen(sizes)) {
            for problem in one(mita, limit, shape, gzip)? {
                println!("    {problem}");
                good = false;
            }
        }
    }
    Ok(good)
}

/// Measures one world and prints its line; returns what is above its limit.
fn one(mita: &Path, limit: &Limit, shape: Shape, gzip: bool) -> Outcome<Vec<String>> {
    let serving = Serving {
        gzip,
        link: Link::default(),
    };
    let site = Site::open(mita, World::new(limit.size, shape), serving)?;
    let mut costs: [Vec<Cost>; 3] = Default::default();
    for _ in 0..limit.pairs {
        for (cost, costs) in [site.floor()?, site.dry_run()?, site.pass()?]
            .into_iter()
            .zip(&mut costs)
        {
            costs.push(cost);
        }
    }
    let head = format!(
        "{:20}  {:8}   {:8}   {}",
        limit.size.to_string(),
        site.requests()?,
        site.state_size()? / 1_000,
        figures(&costs[0])
    );
    let most = match shape {
        Shape::FewTemplates => limit.ratio,
        Shape::ManyTemplates => limit.ratio * MANY_TEMPLATES,
    };
    Ok(report(head, limit, most, &costs))
}

fn report(head: String, limit: &Limit, most: f64, costs: &[Vec<Cost>; 3]) -> Vec<String> {
    let [floor, passes @ ..] = costs;
    let mut line = vec![head];
    let mut problems = Vec::new();
    for (name, pass) in ["run --dry-run", "run"].into_iter().zip(passes) {
        let ratio = median(pass.iter().zip(floor).map(|(pass, floor)| pass.millis / floor.millis));
        let memory = median(pass.iter().map(|cost| cost.mebibytes));
        line.push(format!("{} {ratio:5.2}x", figures(pass)));
        if ratio > most {
            problems.push(format!("{name}: {ratio:.2} times the floor, limit {most:.2}"));
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
