//! Worlds in which all rules hold.

use mita::plan::plan;

use super::{calm, forgetful, rough, run};
use crate::sim::{Faults, Sim};

#[test]
fn rules_hold_in_calm_worlds() {
    run(0..10, calm(), 120);
}

#[test]
fn rules_hold_where_nodes_have_so_many_builds() {
    // What no pass sees, since it is cut short or cannot look, is not counted.
    let seen = Faults {
        crash: 0,
        closed: 0,
        lag: 0,
        ..rough()
    };
    let mut spent = 0;
    for (seeds, faults) in [(5000..5006, calm()), (5100..5107, seen), (5200..5207, rough())] {
        for seed in seeds {
            let faults = Faults {
                max_builds: true,
                ..faults
            };
            let mut sim = Sim::new(seed, faults).audited();
            let end = sim.run(120, &plan).and_then(|()| sim.settle(&plan));
            end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            spent += sim.spent;
        }
    }
    assert!(spent > 100, "the worlds were dull: {spent} nodes had all their builds");
}

#[test]
fn rules_hold_in_rough_worlds() {
    run(1000..1012, rough(), 120);
}

#[test]
fn rules_hold_where_boots_are_late() {
    let slow = |faults| Faults {
        slow_boots: 35,
        never_joins: 15,
        ..faults
    };
    let mut late = 0;
    for (seeds, faults) in [(1100..1106, slow(calm())), (1200..1206, slow(rough()))] {
        for seed in seeds {
            let mut sim = Sim::new(seed, faults).audited();
            let end = sim.run(120, &plan).and_then(|()| sim.settle(&plan));
            end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            late += sim.late;
        }
    }
    assert!(late > 40, "the worlds were dull: {late} late boots");
}

#[test]
fn rules_hold_where_an_agent_joins_at_the_last_look_and_is_not_listed_then() {
    let unlisted = Faults {
        slow_boots: 30,
        never_joins: 15,
        unlisted: 20,
        late: 50,
        billed: true,
        learned: true,
        ..rough()
    };
    run(1120..1130, unlisted, 120);
}

#[test]
fn rules_hold_when_servers_vanish() {
    run(3000..3008, Faults { vanish: 2, ..rough() }, 120);
    run(
        3100..3106,
        Faults {
            vanish: 2,
            ..forgetful()
        },
        120,
    );
}

#[test]
fn rules_hold_when_the_state_file_is_lost() {
    run(2000..2010, forgetful(), 120);
}

#[test]
fn rules_hold_while_a_site_moves_over() {
    for (seeds, faults) in [(4000..4006, calm()), (4100..4108, rough()), (4200..4205, forgetful())] {
        run(seeds, Faults { adopt: true, ..faults }, 120);
    }
}

#[test]
fn rules_hold_with_an_image_that_is_refused() {
    run(
        3000..3006,
        Faults {
            bad_image: true,
            ..rough()
        },
        120,
    );
}

#[test]
fn rules_hold_with_a_newest_image_that_never_joins() {
    let rough = Faults {
        broken_image: true,
        ..rough()
    };
    run(4000..4004, rough, 120);
    let calm = Faults {
        broken_image: true,
        ..calm()
    };
    run(4100..4104, calm, 120);
}

#[test]
fn rules_hold_where_nodes_are_replaced() {
    let mut replaced = 0;
    for (seeds, faults) in [(7000..7006, calm()), (7100..7106, rough()), (7200..7204, forgetful())] {
        for seed in seeds {
            let faults = Faults {
                refresh: true,
                ..faults
            };
            let mut sim = Sim::new(seed, faults).audited();
            let end = sim.run(120, &plan).and_then(|()| sim.settle(&plan));
            end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            replaced += sim.replaced;
        }
    }
    assert!(replaced > 50, "the worlds were dull: {replaced} nodes were replaced");
}

#[test]
fn rules_hold_where_it_is_learned_how_many_are_ready() {
    for (seeds, faults) in [(6000..6004, calm()), (6100..6104, rough()), (6200..6203, forgetful())] {
        run(
            seeds,
            Faults {
                learned: true,
                ..faults
            },
            160,
        );
    }
}
