//! How the cost of a pass grows with the world: in proportion.

use std::fmt::Write as _;
use std::path::Path;

use crate::Outcome;
use crate::instructions;
use crate::measure::{Cost, median};
use crate::serve::Serving;
use crate::site::Site;
use crate::world::{Shape, Size, World};

/// Ten items to each node and server.
const SIZES: [Size; 3] = [
    Size::new(1_000, 100, 100),
    Size::new(10_000, 1_000, 1_000),
    Size::new(100_000, 10_000, 10_000),
];

/// How much more an item may cost in a world ten times as large.
const MOST_BY_TIME: f64 = 2.0;
const MOST_BY_INSTRUCTIONS: f64 = 1.15;

/// Runs of each size.
const RUNS: usize = 5;

/// Prints a line for each size; returns whether the cost of an item stays the same.
pub fn run(mita: &Path) -> Outcome<bool> {
    println!("\n{}", Shape::ManyTemplates);
    println!(
        "an item: what a pass costs beyond one of a tenth of the size, for each further item; x: times that before\n"
    );
    println!("queue/nodes/servers   run ms   us/item          million instructions   instructions/item");
    let mut by_time = Growth::new(MOST_BY_TIME);
    let mut by_instructions = Growth::new(MOST_BY_INSTRUCTIONS);
    for size in SIZES {
        let site = Site::open(mita, World::new(size, Shape::ManyTemplates), Serving::default())?;
        let passes: Vec<Cost> = (0..RUNS).map(|_| site.pass()).collect::<Outcome<_>>()?;
        let millis = median(passes.iter().map(|pass| pass.millis));
        let mut line = format!("{:20}   {millis:6.1}", size.to_string());
        line += &by_time.next(size.queue, millis * 1_000.0);
        if let Some(count) = instructions::count(&site.run())? {
            let per_item = by_instructions.next(size.queue, count);
            write!(line, "   {:20.1}{per_item}", count / 1e6)?;
        }
        println!("{line}");
    }
    // Instructions do not depend on what fits into a cache.
    Ok(by_instructions.verdict().or(by_time.verdict()).unwrap_or(true))
}

/// What passes of growing size cost.
struct Growth {
    most: f64,
    before: Option<(f64, f64)>,
    per_item: Option<f64>,
    ratio: Option<f64>,
}

impl Growth {
    fn new(most: f64) -> Self {
        Self {
            most,
            before: None,
            per_item: None,
            ratio: None,
        }
    }

    /// Returns what an item costs beyond the size before, and how many times that of the size before it is.
    fn next(&mut self, items: usize, cost: f64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a hundred thousand")]
        let items = items as f64;
        let Some((fewer, less)) = self.before.replace((items, cost)) else {
            return format!("{:16}", "");
        };
        let per_item = (cost - less) / (items - fewer);
        let Some(before) = self.per_item.replace(per_item) else {
            return format!("   {per_item:7.1}      ");
        };
        let ratio = per_item / before;
        self.ratio = Some(ratio);
        format!("   {per_item:7.1} {ratio:4.2}x")
    }

    /// Returns whether the cost stays in proportion, if it was measured.
    fn verdict(&self) -> Option<bool> {
        Some(self.ratio? <= self.most)
    }
}
