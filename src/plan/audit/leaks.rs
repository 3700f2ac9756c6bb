//! Checks the removals of `leaks --delete`.

use crate::config::Config;
use crate::model::{NodeName, Observed, Reading, split_server_name};
use crate::plan::action::{Plan, Removal};
use crate::plan::audit::rules::audit_destroy;
use crate::plan::context::Context;
use crate::state::State;

/// Checks the removals of `leaks --delete`: a server with our mark whose name a person changed may go if no Jenkins node has
/// its name.
pub fn audit_leaks(plan: &Plan, observed: &Observed, config: &Config, state: &State, context: &Context) -> Vec<String> {
    let (odd, usual): (Vec<Removal>, Vec<Removal>) = plan.removals.iter().cloned().partition(is_odd);
    let usual = Plan {
        removals: usual,
        ..plan.clone()
    };
    let mut broken = audit_destroy(&usual, observed, config, state, context);
    for target in odd.iter().filter_map(|removal| removal.server.as_ref()) {
        let cloud = observed.clouds.get(&target.provider).and_then(Reading::ok);
        let server = cloud.and_then(|cloud| cloud.servers.iter().find(|server| server.id == target.id));
        let ours = server.is_some_and(|server| server.is_marked(&config.owner));
        let name = NodeName::new(&target.name);
        if !ours || observed.jenkins.computers.iter().any(|node| node.name == name) {
            broken.push(format!("server {} is removed and is not ours alone", target.name));
        }
    }
    if !plan.creates.is_empty() || !plan.floating_ips.is_empty() {
        broken.push("the command creates nothing, the plan does".to_owned());
    }
    broken
}

/// Whether a removal is of a server alone whose name is not of our form.
fn is_odd(removal: &Removal) -> bool {
    let server = removal.server.as_ref();
    removal.node.is_none() && server.is_some_and(|server| split_server_name(&server.name).is_none())
}
