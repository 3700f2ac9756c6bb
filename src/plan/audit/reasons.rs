//! Checks that the reason of each removal is true of the world, so that nothing passes the guard under a wrong one.

use jiff::SignedDuration;

use crate::model::{Computer, OfflineBy, Server, ServerStatus};
use crate::plan::action::{Plan, Removal};
use crate::plan::audit::world::World;
use crate::plan::fleet::agent::Agent;
use crate::plan::why::Why;
use crate::state::{NodeMemory, Phase};

/// Adds the removals whose reason is not true.
pub fn check(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    for removal in &plan.removals {
        if !is_true(removal, world) {
            let server = removal.server.as_ref().map(|server| server.name.as_str());
            let node = removal.node.as_ref().map(|node| node.name.as_str());
            let name = server.or(node).unwrap_or_default();
            broken.push(format!(
                "{name} is removed for a reason that is not so: {}",
                removal.why
            ));
        }
    }
}

fn is_true(removal: &Removal, world: &World<'_>) -> bool {
    let node = removal.node.as_ref().and_then(|node| world.node(node.name.as_str()));
    let offline_by = node.map(Computer::offline_by);
    match &removal.why {
        Why::Failed(_) => server_of(removal, world).is_some_and(|server| server.status == ServerStatus::Error),
        Why::TimedOut(grace) => has_timed_out(removal, *grace, world),
        Why::Offline(_) => offline_by == Some(OfflineBy::Connection),
        Why::UnknownToJenkins { .. } => node.is_none(),
        Why::WithoutServer { .. } => removal.server.is_none() && node.is_some(),
        Why::Monitored { .. } => offline_by == Some(OfflineBy::Monitor),
        Why::Drained(_) => offline_by == Some(OfflineBy::Drain),
        Why::Marked => offline_by == Some(OfflineBy::Removal),
        Why::Begun => memory_of(removal, world).is_some_and(|memory| memory.phase == Phase::Deleting),
        Why::StillThere => server_of(removal, world).is_some_and(Server::is_deleting),
        Why::Idle { .. }
        | Why::Lull { .. }
        | Why::PeriodEnds { .. }
        | Why::Surplus { .. }
        | Why::LimitReached(_)
        | Why::MakesRoom { .. } => node.is_some_and(|node| !node.offline),
        // No pass has an operator's word for it.
        Why::Asked | Why::Leaked(_) => false,
    }
}

/// Whether an agent is older than its grace and was never seen to join, nor seen without its node.
fn has_timed_out(removal: &Removal, grace: SignedDuration, world: &World<'_>) -> bool {
    let Some(target) = &removal.server else { return false };
    let mut agents = world.linked().inventory.agents.iter();
    let is_its = |agent: &&Agent<'_>| *agent.provider == target.provider && agent.server_id() == Some(&target.id);
    let is_late = agents.find(is_its).is_some_and(|agent| agent.age > grace);
    is_late && memory_of(removal, world).is_none_or(|memory| memory.joined.is_none() && memory.missing.is_none())
}

fn server_of<'a>(removal: &Removal, world: &World<'a>) -> Option<&'a Server> {
    let target = removal.server.as_ref()?;
    world.server(&target.provider, &target.id)
}

fn memory_of<'a>(removal: &Removal, world: &World<'a>) -> Option<&'a NodeMemory> {
    world.state.nodes.get(&removal.server.as_ref()?.node_id)
}
