//! Planted bugs: each must break a rule soon.

use mita::config::{Budget, Config, MinReady};
use mita::model::{Event, EventKind, Observed, Reading};
use mita::plan::{Context, Plan, plan};
use mita::state::State;

use super::{calm, caught, rough};
use crate::sim::{Faults, Sim};

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
fn a_planner_that_makes_two_servers_for_a_late_one_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut plan = plan(observed, config, state, context);
        let is_late = |why: &String| why.starts_with("late: ");
        let late = plan.servers.iter().filter(|row| row.why.as_ref().is_some_and(is_late));
        let executors = |name: &str| config.template(name).map_or(0, |template| template.executors);
        let slots: u32 = late.map(|row| executors(row.node.as_str())).sum();
        if let Some(create) = plan.creates.first().cloned().filter(|_| slots > 0) {
            plan.creates.extend((0..=slots).map(|_| create.clone()));
        }
        plan
    };
    let faults = Faults {
        slow_boots: 25,
        never_joins: 15,
        ..calm()
    };
    caught(faults, &planner, &["I23"]);
}

#[test]
fn a_planner_that_does_not_tell_what_is_lost_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut plan = plan(observed, config, state, context);
        plan.state.events.pending.retain(|event| event.event != EventKind::Lost);
        plan
    };
    caught(Faults { vanish: 2, ..rough() }, &planner, &["I22"]);
}

#[test]
fn a_planner_that_tells_twice_who_joined_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut plan = plan(observed, config, state, context);
        let joined = |event: &&Event| event.event == EventKind::Joined;
        let again: Vec<Event> = plan.state.events.pending.iter().filter(joined).cloned().collect();
        plan.state.events.pending.extend(again);
        plan
    };
    caught(calm(), &planner, &["I22"]);
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
    caught(Faults { adopt: true, ..rough() }, &planner, &["I9"]);
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
        ..rough()
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
    let faults = Faults { vanish: 2, ..rough() };
    let lazy = |observed: &Observed, config: &Config, state: &State, context: &Context| Plan {
        sweeps: Vec::new(),
        ..plan(observed, config, state, context)
    };
    let mut sim = Sim::new(1, faults);
    let end = sim.run(120, &lazy).and_then(|()| sim.settle(&lazy));
    assert!(end.unwrap_err().starts_with("I16"));
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
    caught(rough(), &planner, &["I2", "I3"]);
}

#[test]
fn an_executor_that_forgets_unknown_outcomes_is_caught() {
    caught(
        Faults {
            lie: 60,
            forget_unknown: true,
            ..rough()
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

#[test]
fn a_planner_that_knows_no_budget_is_caught() {
    let planner = |observed: &Observed, config: &Config, state: &State, context: &Context| {
        let mut greedy = config.clone();
        for template in &mut greedy.templates {
            template.refresh.budget = Budget::Percent(100);
        }
        plan(observed, &greedy, state, context)
    };
    let faults = Faults {
        refresh: true,
        ..calm()
    };
    caught(faults, &planner, &["I26"]);
}
