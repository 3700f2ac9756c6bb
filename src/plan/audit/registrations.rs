//! Checks the Jenkins nodes that a plan makes for running servers.

use crate::config::Register;
use crate::model::ServerStatus;
use crate::plan::action::Plan;
use crate::plan::audit::world::World;
use crate::plan::fleet::agent::marked;

/// Adds the rules that the nodes to be made break: of a running server of ours that has the address, none of that name.
pub fn check(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    if plan.registrations.is_empty() {
        return;
    }
    if !world.context.create {
        broken.push("the command creates nothing, the plan makes Jenkins nodes".to_owned());
    }
    if world.observed.jenkins.quieting_down == Some(true) {
        broken.push("Jenkins is quieting down, and the plan makes Jenkins nodes".to_owned());
    }
    for wanted in &plan.registrations {
        let name = wanted.name.as_str();
        if world.node(name).is_some() {
            broken.push(format!("node {name} is made and there is one"));
        }
        let server = world
            .servers()
            .find(|server| server.id == wanted.server_id && server.name == name);
        let good = server.is_some_and(|server| {
            let there = server.addresses.iter().any(|at| at.ip == wanted.address);
            there && server.status == ServerStatus::Active && marked(server, world.config).is_some()
        });
        if !good {
            broken.push(format!(
                "node {name} is made and no running server of ours has its address"
            ));
        }
        let mut templates = world.config.templates.iter();
        if !templates.any(|template| template.name == wanted.template && template.register == Register::Ssh) {
            broken.push(format!("node {name} is made and its template does not say so"));
        }
        let removed = plan.removals.iter().filter_map(|removal| removal.server.as_ref());
        if removed.into_iter().any(|target| target.id == wanted.server_id) {
            broken.push(format!("node {name} is made and its server is removed"));
        }
    }
}
