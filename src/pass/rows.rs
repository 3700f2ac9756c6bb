//! From a plan to the rows of a report: one for each step, in the order in which they are done. Nothing is done here.

use crate::model::{BelongingKind, Computer};
use crate::plan::{
    Anchor, Create, Drain, Leftover, NewFloatingIp, NodeToRemove, Plan, Registration, Removal, ServerToRemove, Unmark,
};
use crate::report::{Action, Do, Outcome};

/// Lists what a plan would do.
pub fn planned(plan: &Plan) -> Vec<Action> {
    let mut actions: Vec<Action> = plan.anchor.map(anchor_action).into_iter().collect();
    actions.extend(plan.unmarks.iter().map(unmark_action));
    actions.extend(plan.drains.iter().map(drain_action));
    for removal in &plan.removals {
        actions.extend(removal_actions(removal));
    }
    actions.extend(plan.sweeps.iter().map(leftover_action));
    actions.extend(plan.floating_ips.iter().map(floating_ip_action));
    actions.extend(plan.registers.iter().map(register_action));
    for create in &plan.creates {
        actions.extend(create.node_first.then(|| node_first_action(create)));
        actions.push(create_action(create));
    }
    actions
}

/// Returns the row of a Jenkins node that is made for a server which is up.
pub fn register_action(wanted: &Registration) -> Action {
    Action {
        act: Do::Register,
        node: Some(wanted.template.to_string()),
        name: wanted.name.to_string(),
        provider: Some(wanted.provider.clone()),
        server_id: Some(wanted.server_id.clone()),
        target: None,
        because: wanted.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a Jenkins node that is made before its server.
pub fn node_first_action(create: &Create) -> Action {
    Action {
        act: Do::Register,
        because: "its server is to join as this node".to_owned(),
        ..create_action(create)
    }
}

/// Returns the row of a Jenkins node that is taken away again, since it gets no server.
pub fn take_back_action(create: &Create) -> Action {
    Action {
        act: Do::DeleteNode,
        because: "it was made for a server that is not made".to_owned(),
        provider: None,
        ..create_action(create)
    }
}

/// Returns the row of the removal of a floating IP, port or volume.
pub fn leftover_action(target: &Leftover) -> Action {
    let named = target.kind == BelongingKind::FloatingIp;
    Action {
        act: match target.kind {
            BelongingKind::FloatingIp => Do::DeleteFloatingIp,
            BelongingKind::Port => Do::DeletePort,
            BelongingKind::Volume => Do::DeleteVolume,
        },
        node: target.template.as_ref().map(ToString::to_string),
        name: target.server.clone(),
        provider: Some(target.provider.clone()),
        server_id: None,
        target: Some(if named { target.name.clone() } else { target.id.clone() }),
        because: target.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a floating IP that is made.
pub fn floating_ip_action(wanted: &NewFloatingIp) -> Action {
    Action {
        act: Do::CreateFloatingIp,
        node: Some(wanted.template.to_string()),
        name: wanted.server.clone(),
        provider: Some(wanted.provider.clone()),
        server_id: Some(wanted.server_id.clone()),
        target: None,
        because: wanted.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a create.
pub fn create_action(create: &Create) -> Action {
    Action {
        act: Do::Create,
        node: Some(create.template.to_string()),
        name: create.name.clone(),
        provider: Some(create.provider.clone()),
        server_id: None,
        target: None,
        because: create.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of what is done about the anchor.
pub fn anchor_action(anchor: Anchor) -> Action {
    Action {
        act: match anchor {
            Anchor::Make => Do::Register,
            Anchor::Mark => Do::Offline,
        },
        node: None,
        name: Computer::ANCHOR.to_owned(),
        provider: None,
        server_id: None,
        target: None,
        because: anchor.because().to_owned(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a mark that is taken off.
pub fn unmark_action(unmark: &Unmark) -> Action {
    Action {
        act: Do::Online,
        node: unmark.template.as_ref().map(ToString::to_string),
        name: unmark.node.to_string(),
        provider: None,
        server_id: None,
        target: None,
        because: unmark.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a node that is to take no new work.
pub fn drain_action(drain: &Drain) -> Action {
    Action {
        act: Do::Offline,
        node: drain.template.as_ref().map(ToString::to_string),
        name: drain.node.to_string(),
        provider: None,
        server_id: None,
        target: None,
        because: drain.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the rows of a removal, in the order in which they are done.
pub fn removal_actions(removal: &Removal) -> Vec<Action> {
    let mut actions = Vec::new();
    if let Some(node) = &removal.node {
        if !node.marked {
            actions.push(node_action(removal, node, Do::Offline));
        }
        actions.push(node_action(removal, node, Do::DeleteNode));
    }
    actions.extend(removal.floating_ips.iter().map(leftover_action));
    if let Some(server) = &removal.server {
        actions.push(server_action(removal, server));
    }
    actions
}

/// Returns the row of one step on a Jenkins node.
pub fn node_action(removal: &Removal, node: &NodeToRemove, act: Do) -> Action {
    Action {
        act,
        node: removal.template.as_ref().map(ToString::to_string),
        name: node.name.to_string(),
        provider: None,
        server_id: None,
        target: None,
        because: removal.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of the deletion of a server.
pub fn server_action(removal: &Removal, server: &ServerToRemove) -> Action {
    Action {
        act: Do::DeleteServer,
        node: removal.template.as_ref().map(ToString::to_string),
        name: server.name.clone(),
        provider: Some(server.provider.clone()),
        server_id: Some(server.id.clone()),
        target: None,
        because: removal.because.clone(),
        result: Outcome::Planned,
        error: None,
    }
}
