//! The rows of a report for a plan: one for each step, in the order in which they are done.

use crate::model::{Computer, ResourceKind, TemplateName};
use crate::plan::{
    Anchor, Create, Drain, Leftover, NewFloatingIp, NodeToRemove, Plan, Registration, Removal, ServerToRemove, Unmark,
};
use crate::report::{Action, ActionKind, Outcome};

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
    actions.extend(plan.registrations.iter().map(register_action));
    for create in &plan.creates {
        actions.extend(create.node_first.then(|| node_first_action(create)));
        actions.push(create_action(create));
    }
    actions
}

/// Makes the row of a step that is not done yet and involves no cloud.
fn row(kind: ActionKind, template: Option<&TemplateName>, name: &str, because: &str) -> Action {
    Action {
        kind,
        node: template.map(ToString::to_string),
        name: name.to_owned(),
        provider: None,
        server_id: None,
        target: None,
        because: because.to_owned(),
        result: Outcome::Planned,
        error: None,
    }
}

/// Returns the row of a Jenkins node that is made for a server which is up.
pub fn register_action(wanted: &Registration) -> Action {
    Action {
        provider: Some(wanted.provider.clone()),
        server_id: Some(wanted.server_id.clone()),
        ..row(
            ActionKind::Register,
            Some(&wanted.template),
            wanted.name.as_str(),
            &wanted.because,
        )
    }
}

/// Returns the row of a Jenkins node that is made before its server.
pub fn node_first_action(create: &Create) -> Action {
    Action {
        kind: ActionKind::Register,
        because: "its server is to join as this node".to_owned(),
        ..create_action(create)
    }
}

/// Returns the row of a Jenkins node that is taken away again, since it gets no server.
pub fn take_back_action(create: &Create) -> Action {
    Action {
        kind: ActionKind::DeleteNode,
        because: "it was made for a server that is not made".to_owned(),
        provider: None,
        ..create_action(create)
    }
}

/// Returns the row of the removal of a floating IP, port or volume.
pub fn leftover_action(target: &Leftover) -> Action {
    // An address is more useful than its id.
    let (kind, what) = match target.kind {
        ResourceKind::FloatingIp => (ActionKind::DeleteFloatingIp, &target.name),
        ResourceKind::Port => (ActionKind::DeletePort, &target.id),
        ResourceKind::Volume => (ActionKind::DeleteVolume, &target.id),
    };
    Action {
        provider: Some(target.provider.clone()),
        target: Some(what.clone()),
        ..row(kind, target.template.as_ref(), &target.server, &target.because)
    }
}

/// Returns the row of a floating IP that is made.
pub fn floating_ip_action(wanted: &NewFloatingIp) -> Action {
    Action {
        provider: Some(wanted.provider.clone()),
        server_id: Some(wanted.server_id.clone()),
        ..row(
            ActionKind::CreateFloatingIp,
            Some(&wanted.template),
            &wanted.server,
            &wanted.because,
        )
    }
}

/// Returns the row of a create.
pub fn create_action(create: &Create) -> Action {
    Action {
        provider: Some(create.provider.clone()),
        ..row(
            ActionKind::Create,
            Some(&create.template),
            &create.name,
            &create.because,
        )
    }
}

/// Returns the row of what is done about the anchor.
pub fn anchor_action(anchor: Anchor) -> Action {
    let kind = match anchor {
        Anchor::Make => ActionKind::Register,
        Anchor::Mark => ActionKind::Offline,
    };
    row(kind, None, Computer::ANCHOR, anchor.because())
}

/// Returns the row of a mark that is taken off.
pub fn unmark_action(unmark: &Unmark) -> Action {
    row(
        ActionKind::Online,
        unmark.template.as_ref(),
        unmark.node.as_str(),
        &unmark.because,
    )
}

/// Returns the row of a node that is to take no new work.
pub fn drain_action(drain: &Drain) -> Action {
    row(
        ActionKind::Offline,
        drain.template.as_ref(),
        drain.node.as_str(),
        &drain.because,
    )
}

/// Returns the rows of a removal, in the order in which they are done.
pub fn removal_actions(removal: &Removal) -> Vec<Action> {
    let mut actions = Vec::new();
    if let Some(node) = &removal.node {
        if !node.marked {
            actions.push(node_action(removal, node, ActionKind::Offline));
        }
        actions.push(node_action(removal, node, ActionKind::DeleteNode));
    }
    actions.extend(removal.floating_ips.iter().map(leftover_action));
    if let Some(server) = &removal.server {
        actions.push(server_action(removal, server));
    }
    actions
}

/// Returns the row of one step on a Jenkins node.
pub fn node_action(removal: &Removal, node: &NodeToRemove, kind: ActionKind) -> Action {
    row(
        kind,
        removal.template.as_ref(),
        node.name.as_str(),
        &removal.why.to_string(),
    )
}

/// Returns the row of the deletion of a server.
pub fn server_action(removal: &Removal, server: &ServerToRemove) -> Action {
    Action {
        provider: Some(server.provider.clone()),
        server_id: Some(server.id.clone()),
        ..row(
            ActionKind::DeleteServer,
            removal.template.as_ref(),
            &server.name,
            &removal.why.to_string(),
        )
    }
}
