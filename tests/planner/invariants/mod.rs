//! What must hold in every pass of every world, however badly the world behaves; and that planted bugs are found by it.
//!
//! The rules are listed in `sim/rules.rs`, what goes wrong in `sim/faults.rs`.

mod field;
mod guard;
mod planted;
mod spare;
mod taken_back;
mod worlds;

use mita::plan::plan;

use crate::sim::{Faults, Planner, Sim};

fn calm() -> Faults {
    Faults::default()
}

/// Worlds in which about everything goes wrong, but the state file is kept.
fn rough() -> Faults {
    Faults {
        crash: 3,
        lie: 10,
        closed: 5,
        error: 8,
        never_joins: 5,
        disconnect: 1,
        person: 1,
        lag: 90,
        ..calm()
    }
}

/// Worlds that lose the state file. While a list lags or a cloud is closed nobody can know of what it hides, so both
/// stay readable there.
fn forgetful() -> Faults {
    Faults {
        lost_state: 10,
        closed: 0,
        lag: 0,
        ..rough()
    }
}

fn run(seeds: std::ops::Range<u64>, faults: Faults, passes: u64) {
    let (mut created, mut removed) = (0, 0);
    let worlds = seeds.clone().count();
    for seed in seeds {
        let mut sim = Sim::new(seed, faults).audited();
        let end = sim.run(passes, &plan).and_then(|()| sim.settle(&plan));
        end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        created += sim.created;
        removed += sim.removed;
    }
    assert!(
        created > 5 * worlds && removed > 3 * worlds,
        "the worlds were dull: {created} made, {removed} removed"
    );
}

/// A planted bug must break a rule soon, and one of those rules that it is known to break.
fn caught(faults: Faults, planner: &Planner, rules: &[&str]) {
    for seed in 0..40 {
        if let Err(broken) = Sim::new(seed, faults).run(120, planner) {
            assert!(
                rules.iter().any(|rule| broken.contains(rule)),
                "seed {seed}: {broken}, not {rules:?}"
            );
            return;
        }
    }
    panic!("no rule of {rules:?} was broken: the bug got through");
}
