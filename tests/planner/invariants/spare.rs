//! Worlds in which idle nodes go before they were idle for `idle_grace`: since they are too many under a light load, or
//! since a paid period ends; and that planted bugs of these rules are found.

use mita::config::Config;
use mita::model::Observed;
use mita::plan::{Context, Plan, plan};
use mita::state::State;

use super::{calm, caught, forgetful, rough};
use crate::sim::{Faults, Sim};

/// Runs worlds; returns how many nodes went as too many, and how many since their period ended.
fn counts(seeds: std::ops::Range<u64>, faults: Faults) -> (usize, usize) {
    let mut counts = (0, 0);
    for seed in seeds {
        let mut sim = Sim::new(seed, faults).audited();
        let end = sim.run(160, &plan).and_then(|()| sim.settle(&plan));
        end.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        counts = (counts.0 + sim.too_many, counts.1 + sim.period_ends);
    }
    counts
}

fn light(faults: Faults) -> Faults {
    Faults {
        light_load: true,
        ..faults
    }
}

fn billed(faults: Faults) -> Faults {
    Faults { billed: true, ..faults }
}

#[test]
fn rules_hold_under_a_light_load() {
    let calm_ones = counts(8000..8004, light(calm())).0;
    let rough_ones = counts(8100..8103, light(rough())).0;
    let lost = Faults {
        vanish: 2,
        ..forgetful()
    };
    counts(8200..8202, light(lost));
    assert!(
        calm_ones > 20 && rough_ones > 5,
        "the worlds were dull: {calm_ones} and {rough_ones} nodes were too many"
    );
}

#[test]
fn rules_hold_under_a_light_load_between_the_bursts_of_a_rhythm() {
    let learned = |faults| Faults {
        learned: true,
        ..light(faults)
    };
    let too_many = counts(8400..8404, learned(calm())).0 + counts(8410..8412, learned(rough())).0;
    assert!(too_many > 10, "the worlds were dull: {too_many} nodes were too many");
}

#[test]
fn rules_hold_where_periods_are_paid() {
    let ends = counts(8300..8303, billed(calm())).1 + counts(8310..8312, billed(rough())).1;
    let light = counts(8320..8322, light(billed(calm())));
    counts(8330..8332, billed(forgetful()));
    assert!(ends > 30 && light.1 > 20, "the worlds were dull: {ends} and {light:?}");
}

#[test]
fn a_planner_that_counts_too_many_idle_nodes_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut state = state.clone();
        let counts = state.surplus.values_mut().flat_map(|memory| &mut memory.least);
        counts.for_each(|count| count.1 += 3);
        plan(observed, config, &state, context)
    };
    caught(light(calm()), &planner, &["I24"]);
}

#[test]
fn a_planner_that_looks_at_the_last_pass_alone_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut state = state.clone();
        for memory in state.surplus.values_mut() {
            (memory.since, memory.least) = (0, Vec::new());
        }
        plan(observed, config, &state, context)
    };
    caught(light(calm()), &planner, &["I24"]);
}

#[test]
fn a_planner_that_knows_no_paid_period_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| -> Plan {
        let mut config = config.clone();
        config
            .templates
            .iter_mut()
            .for_each(|template| template.billing_period = None);
        plan(observed, &config, state, context)
    };
    caught(billed(calm()), &planner, &["I25"]);
}

#[test]
fn a_planner_that_counts_periods_from_another_time_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| -> Plan {
        let mut config = config.clone();
        for period in config
            .templates
            .iter_mut()
            .filter_map(|template| template.billing_period.as_mut())
        {
            *period += *period / 2;
        }
        plan(observed, &config, state, context)
    };
    caught(billed(calm()), &planner, &["I25"]);
}
