//! Checks the nodes that a plan drains.

use jiff::Timestamp;

use crate::config::{Config, Template};
use crate::model::{BUILDS_REACHED_PREFIX, Computer, DRAIN_PREFIX, NodeId, REFRESH_PREFIX};
use crate::plan::action::{Drain, Plan};
use crate::plan::audit::world::World;
use crate::plan::fleet::agent::Agent;
use crate::plan::fleet::agent_state::given_back;
use crate::plan::fleet::mapping::Linked;
use crate::state::State;

/// Adds the rules that the drains of a plan break: each is a node of ours, not held by a person, under our mark; one that
/// is to have had its builds had them; one that is replaced is to be, and no more are than may be at a time.
pub fn check(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    let &World { config, state, .. } = world;
    for drain in &plan.drains {
        let name = drain.node.as_str();
        let fault = match world.node(name) {
            None => Some("Jenkins has none of this name"),
            Some(node) if node.built_in => Some("it is the built-in node"),
            Some(node) if node.is_held_by_person() => Some("a person took it offline"),
            Some(_) if !drain.mark.starts_with(DRAIN_PREFIX) => Some("the mark is none of a drain"),
            Some(node) => match owner(name, world.linked(), state) {
                None if !state.orphan_nodes.contains_key(name) && !has_our_form(name, config) => Some("it is not ours"),
                id => early(drain, node, id.as_ref(), config, state),
            },
        };
        broken.extend(fault.map(|fault| format!("node {name} is drained and {fault}")));
    }
    check_replaced(plan, world, broken);
}

/// Checks the nodes that are replaced, against the world and against the budgets of their templates.
fn check_replaced(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    let &World { config, context, .. } = world;
    let is_replaced = |drain: &&Drain| drain.mark.starts_with(REFRESH_PREFIX);
    let replaced: Vec<&Drain> = plan.drains.iter().filter(is_replaced).collect();
    if replaced.is_empty() {
        return;
    }
    let agents = &world.linked().inventory.agents;
    for drain in &replaced {
        let mut agents = agents.iter();
        let agent = agents.find(|agent| agent.computer().is_some_and(|node| node.name == drain.node));
        let fault = match agent.map(|agent| (agent, agent.template(config))) {
            Some((agent, Some(template))) => not_replaced(agent, template, context.now),
            _ => Some("it is not clear of which template it is"),
        };
        broken.extend(fault.map(|fault| format!("node {} is replaced and {fault}", drain.node)));
    }
    for template in &config.templates {
        let of_it = |agent: &&Agent<'_>| agent.template == template.name;
        let nodes = |is_meant: fn(&Computer) -> bool| {
            let agents = agents.iter().filter(of_it);
            agents.filter(|agent| agent.link.all().any(is_meant)).count()
        };
        let new = replaced
            .iter()
            .filter(|drain| drain.template.as_ref() == Some(&template.name));
        let new = new.count();
        let most = template
            .refresh
            .budget
            .of(u32::try_from(nodes(|_| true)).unwrap_or(u32::MAX)) as usize;
        let all = nodes(Computer::is_refreshed) + new;
        if new > 0 && all > most {
            broken.push(format!(
                "{all} nodes of {} are replaced at a time, at most {most}",
                template.name
            ));
        }
    }
}

/// Says why a node is not to be replaced, if so. What image new ones have is the planner's to find out.
fn not_replaced(agent: &Agent<'_>, template: &Template, now: Timestamp) -> Option<&'static str> {
    let is_outdated = template.refresh.outdated && !agent.adopted;
    let is_too_old = template.max_lifetime.is_some_and(|most| agent.age > most);
    if !is_outdated && !is_too_old {
        Some("is neither too old nor outdated")
    } else if !is_too_old && !template.refresh.is_open(now) {
        Some("its refresh.windows are closed")
    } else if given_back(agent, now).is_some() {
        Some("was given back by an operator")
    } else if !agent.readable {
        Some("its cloud cannot be read")
    } else {
        None
    }
}

/// Returns our id of the server to which a node leads.
fn owner(node: &str, linked: &Linked<'_>, state: &State) -> Option<NodeId> {
    let mut agents = linked.inventory.agents.iter();
    let found = agents.find(|agent| agent.link.all().any(|computer| computer.name.as_str() == node));
    found.map(|agent| agent.id.clone()).or_else(|| {
        let remembered = |id: &NodeId| {
            let memory = &state.nodes[id];
            memory.name == node || memory.jenkins_node.as_ref().is_some_and(|name| name.as_str() == node)
        };
        state.nodes.keys().find(|id| remembered(id)).cloned()
    })
}

/// Whether a node without a server has a name that one of ours would have. Draining it harms nobody's server.
fn has_our_form(name: &str, config: &Config) -> bool {
    let template = crate::model::template_in_name(name);
    template.is_some_and(|template| config.templates.iter().any(|known| known.name.as_str() == template))
}

/// Says that a node did not have its builds yet, counted anew: those of the last pass, and all that run.
fn early(drain: &Drain, node: &Computer, id: Option<&NodeId>, config: &Config, state: &State) -> Option<&'static str> {
    if !drain.mark.starts_with(BUILDS_REACHED_PREFIX) {
        return None;
    }
    let template = drain.template.as_ref();
    let template = config.templates.iter().find(|known| Some(&known.name) == template);
    let Some(most) = template.and_then(|template| template.max_builds) else {
        return Some("its template has no max_builds");
    };
    let before = id
        .and_then(|id| state.nodes.get(id))
        .and_then(|memory| memory.builds.as_ref());
    let running = node.busy_executors();
    let at_most = before.map_or(0, |builds| builds.seen).saturating_add(running);
    (at_most < most).then_some("did not have all its builds")
}
