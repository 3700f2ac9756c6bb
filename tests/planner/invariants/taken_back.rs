//! Mends taken back, one by one, as far as that can be imitated from outside the planner: the rules must find each.

use std::collections::BTreeSet;

use mita::config::{Adopt, Config};
use mita::model::{Computer, Observed, Reading, Server, ServerId};
use mita::plan::{Context, Plan, plan};
use mita::state::State;

use super::{calm, caught, rough};
use crate::sim::Faults;

/// Plans with what a world looks like to a planner that lacks something.
fn blind(see: impl Fn(&mut Observed)) -> impl Fn(&Observed, &Config, &State, &Context) -> Plan {
    move |observed, config, state, context| {
        let mut seen = observed.clone();
        see(&mut seen);
        plan(&seen, config, state, context)
    }
}

/// Plans with less than what the last passes remembered.
fn forgetting(forget: impl Fn(&mut State, &Observed)) -> impl Fn(&Observed, &Config, &State, &Context) -> Plan {
    move |observed, config, state, context| {
        let mut left = state.clone();
        forget(&mut left, observed);
        plan(observed, config, &left, context)
    }
}

/// Changes what a plan does.
fn changing(change: impl Fn(&mut Plan, &Observed, &Config)) -> impl Fn(&Observed, &Config, &State, &Context) -> Plan {
    move |observed, config, state, context| {
        let mut plan = plan(observed, config, state, context);
        change(&mut plan, observed, config);
        plan
    }
}

/// Plans with another configuration than the one that is meant.
fn misreading(change: impl Fn(&mut Config)) -> impl Fn(&Observed, &Config, &State, &Context) -> Plan {
    move |observed, config, state, context| {
        let mut read = config.clone();
        change(&mut read);
        plan(observed, &read, state, context)
    }
}

fn servers(observed: &mut Observed) -> impl Iterator<Item = &mut Server> {
    let clouds = observed.clouds.values_mut().filter_map(|cloud| match cloud {
        Reading::Read(cloud) => Some(&mut cloud.servers),
        Reading::Unreadable(_) => None,
    });
    clouds.flatten()
}

fn each_node(see: impl Fn(&mut Computer)) -> impl Fn(&mut Observed) {
    move |observed| observed.jenkins.computers.iter_mut().for_each(&see)
}

#[test]
fn a_planner_that_forgets_links_is_caught() {
    let planner = forgetting(|state, _| state.nodes.values_mut().for_each(|memory| memory.jenkins_node = None));
    let faults = Faults {
        names: 60,
        no_addresses: 6,
        ..calm()
    };
    caught(faults, &planner, &["I1"]);
}

#[test]
fn a_planner_that_reads_no_addresses_is_caught() {
    let planner = blind(|observed| servers(observed).for_each(|server| server.addresses.clear()));
    caught(Faults { names: 60, ..calm() }, &planner, &["I1"]);
}

#[test]
fn a_planner_that_does_not_wait_for_a_node_that_vanished_is_caught() {
    let planner = misreading(|config| config.timing.offline_grace = jiff::SignedDuration::ZERO);
    caught(Faults { blink: 2, ..calm() }, &planner, &["I18"]);
}

#[test]
fn a_planner_that_knows_no_disconnect_is_caught() {
    let planner = blind(each_node(|node| {
        if !node.temporarily_offline {
            node.offline_class = None;
        }
    }));
    let faults = Faults {
        cut_by_person: 3,
        ..calm()
    };
    caught(faults, &planner, &["I1"]);
}

#[test]
fn an_executor_that_knows_no_disconnect_is_caught() {
    let faults = Faults {
        cut_by_person: 3,
        blind_to_cuts: true,
        ..calm()
    };
    caught(faults, &plan, &["I1"]);
}

#[test]
fn an_executor_that_does_not_look_again_is_caught() {
    let planner = changing(|plan, _, _| {
        let targets = plan.removals.iter_mut().filter_map(|removal| removal.server.as_mut());
        targets.for_each(|server| server.look_first = false);
    });
    let faults = Faults {
        late: 80,
        never_joins: 20,
        ..calm()
    };
    caught(faults, &planner, &["I1"]);
}

#[test]
fn an_executor_that_asks_for_no_node_by_name_is_caught() {
    let faults = Faults {
        unlisted: 2,
        asks_no_name: true,
        ..calm()
    };
    caught(faults, &plan, &["I1"]);
}

#[test]
fn an_executor_that_charges_the_whole_placement_is_caught() {
    let faults = Faults {
        broken_template: true,
        charge_placement: true,
        ..calm()
    };
    caught(faults, &plan, &["I19"]);
}

#[test]
fn a_demand_that_follows_no_node_to_its_template_is_caught() {
    let planner = blind(|observed| {
        for item in &mut observed.jenkins.queue {
            item.why = item.why.as_ref().map(|why| why.replace("agent-", "other-").into());
        }
    });
    let faults = Faults {
        pipelines: true,
        ..calm()
    };
    caught(faults, &planner, &["I19"]);
}

#[test]
fn a_planner_that_trusts_promised_labels_is_caught() {
    let planner = blind(each_node(|node| node.labels = None));
    caught(Faults { drift: true, ..calm() }, &planner, &["I19"]);
}

#[test]
fn a_planner_that_makes_no_room_is_caught() {
    // Nothing goes that has not been idle for `idle_grace`.
    let planner = changing(|plan, _, config| {
        let young: BTreeSet<ServerId> = plan
            .servers
            .iter()
            .filter(|row| {
                let template = config.template(row.node.as_str());
                let grace = template.map_or(0, |template| template.idle_grace.as_secs());
                row.idle_seconds.is_some_and(|idle| idle < grace)
            })
            .filter_map(|row| row.server_id.clone())
            .collect();
        let target = |removal: &mita::plan::Removal| removal.server.as_ref().map(|server| server.id.clone());
        plan.removals
            .retain(|removal| target(removal).is_none_or(|id| !young.contains(&id)));
    });
    let faults = Faults {
        shared_limit: true,
        ..calm()
    };
    caught(faults, &planner, &["I19"]);
}

#[test]
fn a_planner_that_believes_short_lists_is_caught() {
    let planner = forgetting(|state, observed| {
        let listed: BTreeSet<&ServerId> = observed
            .clouds
            .values()
            .filter_map(Reading::ok)
            .flat_map(|cloud| cloud.servers.iter().map(|server| &server.id))
            .collect();
        state.nodes.retain(|_, memory| {
            let cloud = observed.clouds.get(&memory.provider).and_then(Reading::ok);
            cloud.is_none() || listed.contains(&memory.server_id)
        });
    });
    let faults = Faults {
        short_lists: 6,
        ..calm()
    };
    caught(faults, &planner, &["I2", "I17"]);
}

#[test]
fn a_planner_that_measures_by_two_clocks_is_caught() {
    let planner = blind(|observed| {
        observed.jenkins.clock = None;
        observed.jenkins.first_seen.clear();
    });
    let faults = Faults {
        clock_ahead: 3600,
        ..calm()
    };
    caught(faults, &planner, &["I19"]);
}

#[test]
fn a_planner_that_sends_a_delete_once_is_caught() {
    let planner = changing(|plan, observed, _| {
        let mut observed = observed.clone();
        let deleting: BTreeSet<ServerId> = servers(&mut observed)
            .filter(|server| server.task_state.as_deref() == Some("deleting"))
            .map(|server| server.id.clone())
            .collect();
        let again = |removal: &mita::plan::Removal| {
            let mut target = removal.server.iter();
            target.any(|server| deleting.contains(&server.id))
        };
        plan.removals.retain(|removal| !again(removal));
    });
    caught(Faults { stuck: 30, ..calm() }, &planner, &["I20"]);
}

#[test]
fn a_planner_that_links_by_an_address_alone_is_caught() {
    let planner = blind(each_node(|node| {
        let all = ["linux", "big", "arm", "windows"];
        node.labels = Some(all.map(str::to_owned).to_vec());
    }));
    let faults = Faults {
        strangers: true,
        never_joins: 30,
        ..rough()
    };
    caught(faults, &planner, &["I9"]);
}

#[test]
fn a_planner_that_takes_another_controllers_servers_is_caught() {
    let planner = misreading(|config| {
        let templates = config.templates.iter_mut();
        templates.for_each(|template| template.adopt = Adopt::All);
    });
    let faults = Faults {
        other_controller: true,
        ..calm()
    };
    caught(faults, &planner, &["I9"]);
}
