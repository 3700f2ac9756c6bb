//! What must hold in every pass of every world, however badly the world behaves; and that planted bugs are found by it.
#![expect(clippy::unwrap_used, reason = "a test may panic, and these helpers are tests")]

#[path = "planner/sim.rs"]
mod sim;
#[path = "planner/world.rs"]
mod world;

use mita::config::{Config, MinReady};
use mita::model::{Observed, Reading};
use mita::plan::{Context, Plan, audit, plan};
use mita::state::State;

use sim::{Faults, Planner, Sim};

/// The real planner, its plans audited.
fn audited(observed: &Observed, config: &Config, state: &State, context: &Context) -> Plan {
    let plan = plan(observed, config, state, context);
    let broken = audit(&plan, observed, config, state, context);
    assert_eq!(broken, Vec::<String>::new());
    plan
}

/// Worlds in which about everything goes wrong, but the state file is kept.
const ROUGH: Faults = Faults {
    crash: 3,
    lie: 10,
    closed: 5,
    lost_state: 0,
    error: 8,
    never_joins: 5,
    disconnect: 1,
    person: 1,
    lag: 90,
    vanish: 0,
    bad_image: false,
    broken_image: false,
    adopt: false,
    max_builds: false,
    forget_unknown: false,
};

fn calm() -> Faults {
    Faults::default()
}

/// Worlds that lose the state file. While a list lags or a cloud is closed nobody can know of what it hides, so both
/// stay readable there.
fn forgetful() -> Faults {
    Faults {
        lost_state: 10,
        closed: 0,
        lag: 0,
        ..ROUGH
    }
}

fn run(seeds: std::ops::Range<u64>, faults: Faults, passes: u64) {
    let (mut created, mut removed) = (0, 0);
    for seed in seeds {
        let mut sim = Sim::new(seed, faults);
        let end = sim.run(passes, &audited).and_then(|()| sim.settle(&audited));
        end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        created += sim.created;
        removed += sim.removed;
    }
    assert!(
        created > 50 && removed > 50,
        "the worlds were dull: {created} made, {removed} removed"
    );
}

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
        ..ROUGH
    };
    let mut spent = 0;
    for (seeds, faults) in [(5000..5010, calm()), (5100..5112, seen), (5200..5212, ROUGH)] {
        for seed in seeds {
            let faults = Faults {
                max_builds: true,
                ..faults
            };
            let mut sim = Sim::new(seed, faults);
            let end = sim.run(120, &audited).and_then(|()| sim.settle(&audited));
            end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            spent += sim.spent;
        }
    }
    assert!(spent > 200, "the worlds were dull: {spent} nodes had all their builds");
}

#[test]
fn a_planner_that_lets_further_builds_begin_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut plan = plan(observed, config, state, context);
        plan.drains.clear();
        plan
    };
    let faults = Faults {
        max_builds: true,
        ..calm()
    };
    caught(faults, &planner, &["I13"]);
}

#[test]
fn rules_hold_in_rough_worlds() {
    run(1000..1012, ROUGH, 120);
}

#[test]
fn rules_hold_when_servers_vanish() {
    run(3000..3010, Faults { vanish: 2, ..ROUGH }, 120);
    run(
        3100..3105,
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
    for (seeds, faults) in [(4000..4008, calm()), (4100..4110, ROUGH), (4200..4206, forgetful())] {
        run(seeds, Faults { adopt: true, ..faults }, 120);
    }
}

#[test]
fn a_planner_that_takes_what_is_not_adopted_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut observed = observed.clone();
        let clouds = observed.clouds.values_mut();
        for server in clouds
            .filter_map(|cloud| match cloud {
                Reading::Read(cloud) => Some(&mut cloud.servers),
                Reading::Unreadable(_) => None,
            })
            .flatten()
        {
            server.mark = None;
        }
        plan(&observed, config, state, context)
    };
    caught(Faults { adopt: true, ..ROUGH }, &planner, &["I9"]);
}

#[test]
fn rules_hold_with_an_image_that_is_refused() {
    run(
        3000..3006,
        Faults {
            bad_image: true,
            ..ROUGH
        },
        120,
    );
}

#[test]
fn rules_hold_with_a_newest_image_that_never_joins() {
    let rough = Faults {
        broken_image: true,
        ..ROUGH
    };
    run(4000..4004, rough, 120);
    let calm = Faults {
        broken_image: true,
        ..calm()
    };
    run(4100..4104, calm, 120);
}

#[test]
fn a_planner_that_makes_many_of_a_new_image_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut config = config.clone();
        config.limits.canary = 0;
        plan(observed, &config, state, context)
    };
    let faults = Faults {
        broken_image: true,
        ..ROUGH
    };
    caught(faults, &planner, &["I13"]);
}

#[test]
fn a_planner_that_knows_no_images_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut observed = observed.clone();
        let clouds = observed.clouds.values_mut().filter_map(|cloud| match cloud {
            Reading::Read(cloud) => cloud.offers.as_mut(),
            Reading::Unreadable(_) => None,
        });
        for offers in clouds {
            if let Reading::Read(offers) = offers {
                offers
                    .templates
                    .values_mut()
                    .flatten()
                    .for_each(|offer| offer.older_images.clear());
            }
        }
        plan(&observed, config, state, context)
    };
    let faults = Faults {
        broken_image: true,
        ..calm()
    };
    let mut ends = (4000..4010).filter_map(|seed| {
        let mut sim = Sim::new(seed, faults);
        sim.run(120, &planner).and_then(|()| sim.settle(&planner)).err()
    });
    assert!(ends.any(|broken| broken.contains("was never served")));
}

#[test]
fn a_planner_that_never_sweeps_is_caught() {
    let faults = Faults { vanish: 2, ..ROUGH };
    let lazy = |observed: &Observed, config: &Config, state: &State, context: &Context| Plan {
        sweeps: Vec::new(),
        ..plan(observed, config, state, context)
    };
    let mut sim = Sim::new(1, faults);
    let end = sim.run(120, &lazy).and_then(|()| sim.settle(&lazy));
    assert!(end.unwrap_err().starts_with("I16"));
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

#[test]
fn a_planner_without_intents_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let state = State {
            intents: std::collections::BTreeMap::new(),
            ..state.clone()
        };
        plan(observed, config, &state, context)
    };
    caught(ROUGH, &planner, &["I2", "I3"]);
}

#[test]
fn an_executor_that_forgets_unknown_outcomes_is_caught() {
    caught(
        Faults {
            lie: 60,
            forget_unknown: true,
            ..ROUGH
        },
        &plan,
        &["I2"],
    );
}

#[test]
fn a_planner_that_does_not_count_what_boots_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut observed = observed.clone();
        let names: Vec<String> = observed.jenkins.computers.iter().map(|c| c.name.to_string()).collect();
        for cloud in observed.clouds.values_mut() {
            if let Reading::Read(cloud) = cloud {
                cloud.servers.retain(|server| {
                    let address = server.addresses[0].ip.to_string();
                    let id = &server.name[server.name.len() - 12..];
                    names.iter().any(|name| name.contains(id) || name.ends_with(&address))
                });
            }
        }
        let state = State {
            intents: std::collections::BTreeMap::new(),
            ..state.clone()
        };
        plan(&observed, config, &state, context)
    };
    caught(calm(), &planner, &["I5", "I2"]);
}

#[test]
fn a_planner_that_sees_no_busy_node_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut observed = observed.clone();
        for computer in &mut observed.jenkins.computers {
            computer.idle = true;
            computer.idle_executors = computer.executors;
        }
        plan(&observed, config, state, context)
    };
    caught(calm(), &planner, &["I1"]);
}

#[test]
fn a_planner_without_a_maximum_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut config = config.clone();
        config.templates.iter_mut().for_each(|template| template.max = 1000);
        plan(observed, &config, state, context)
    };
    caught(calm(), &planner, &["I2"]);
}

#[test]
fn a_planner_that_removes_what_is_needed_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let (mut blind, mut cold) = (observed.clone(), config.clone());
        blind.jenkins.queue.clear();
        cold.templates
            .iter_mut()
            .for_each(|template| template.min_ready = MinReady::Always(0));
        let removals = plan(&blind, &cold, state, context).removals;
        Plan {
            removals,
            ..plan(observed, config, state, context)
        }
    };
    caught(calm(), &planner, &["I7"]);
}
