//! From a node that goes to the steps of its removal.
//!
//! Which nodes go is left to `reap`, `destroy` and `leaks`, doing the steps to the pass.

use crate::model::{Computer, split_server_name};
use crate::plan::action::{Keep, NodeToRemove, Removal, ServerToRemove};
use crate::plan::fleet::Survey;
use crate::plan::fleet::agent::{Standing, Unit};
use crate::plan::why::Why;

/// Makes the removal of a Jenkins node alone.
pub fn stray_removal(computer: &Computer, survey: &Survey<'_>, why: Why) -> Removal {
    let name = computer.name.as_str();
    let template = split_server_name(name).map(|(template, _)| template);
    let known = template.filter(|template| survey.config.templates.iter().any(|t| t.name == *template));
    Removal {
        template: known,
        node: Some(node_to_remove(computer)),
        server: None,
        floating_ips: Vec::new(),
        why,
    }
}

/// Makes the removal of a unit: its Jenkins node if it has one, and its server.
pub fn removal(unit: &Unit<'_>, why: Why) -> Option<Removal> {
    Some(Removal {
        template: Some(unit.template.clone()),
        node: unit.computer().map(node_to_remove),
        server: Some(ServerToRemove {
            provider: unit.provider.clone(),
            id: unit.server?.id.clone(),
            name: unit.name.to_owned(),
            node_id: unit.id.clone(),
            look_first: looks_first(unit),
            failure: keep(unit),
        }),
        floating_ips: Vec::new(),
        why,
    })
}

/// Whether the agent of a server may have joined since Jenkins was read.
fn looks_first(unit: &Unit<'_>) -> bool {
    let is_dead = matches!(unit.standing, Standing::Failed(_) | Standing::Deleting { .. });
    !is_dead && (unit.computer().is_none() || unit.standing == Standing::TimedOut)
}

/// What is kept of a server that goes: of one that worked nothing, of one that never came so far why.
fn keep(unit: &Unit<'_>) -> Keep {
    let was_up = unit.server.is_some_and(|server| !server.addresses.is_empty());
    match unit.standing {
        // What another program made says nothing of our templates.
        _ if unit.joined.is_some() || unit.adopted => Keep::Nothing,
        Standing::TimedOut => Keep::Console,
        Standing::Failed(_) if was_up => Keep::Console,
        Standing::Failed(_) => Keep::Failure,
        _ => Keep::Nothing,
    }
}

fn node_to_remove(computer: &Computer) -> NodeToRemove {
    NodeToRemove {
        name: computer.name.clone(),
        marked: computer.is_marked() || computer.is_drained(),
        even_if_busy: false,
        by_monitor: computer.is_monitored(),
    }
}

/// Says why a node may not be touched whatever it is.
pub fn untouchable(computer: &Computer) -> Option<&'static str> {
    if !computer.is_idle() {
        Some("its Jenkins node is busy")
    } else if computer.is_held_by_person() {
        Some("a person took its Jenkins node offline")
    } else {
        None
    }
}
