//! Checks a plan against the rules that must hold whatever the planner thought.
//!
//! The audit shares the predicates of the planner (which node is whose, who took it offline, whether it works), since two
//! readings of one world would differ one day. It checks anew what the plan makes of them.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use crate::config::Config;
use crate::model::{Observed, ProviderName, Reading, ServerId, split_server_name};
use crate::plan::action::{Create, Plan, Removal};
use crate::plan::audit::world::World;
use crate::plan::audit::{drains, reasons, registrations, resources};
use crate::plan::context::{Asked, Context};
use crate::plan::fleet::agent::{Agent, Link};
use crate::plan::fleet::mapping::Linked;
use crate::plan::remove::guard;
use crate::state::State;

/// Lists the rules that a plan breaks. A plan that breaks one is not executed.
pub fn audit(plan: &Plan, observed: &Observed, config: &Config, state: &State, context: &Context) -> Vec<String> {
    let world = World::new(observed, config, state, context);
    let mut broken = check_any(&world, plan);
    check_creates(plan, &world, &mut broken);
    registrations::check(plan, &world, &mut broken);
    if !context.create && !plan.floating_ips.is_empty() {
        broken.push("the command creates nothing, the plan makes floating IPs".to_owned());
    }
    let marks = !plan.unmarks.is_empty() || !plan.drains.is_empty();
    let removes = !plan.removals.is_empty() || marks || !plan.sweeps.is_empty();
    if removes && !context.remove {
        broken.push("the command removes nothing, the plan does".to_owned());
    }
    let most = config.limits.max_deletes_per_pass as usize;
    let removals = plan.removals.len() + plan.sweeps.len();
    if removals > most {
        broken.push(format!("{removals} removals, at most {most} in a pass"));
    }
    reasons::check(plan, &world, &mut broken);
    check_absences(plan, &world, &mut broken);
    broken
}

/// The same for what an operator named: without the limits and the guard, which are no concern then.
pub fn audit_destroy(
    plan: &Plan,
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
) -> Vec<String> {
    check_any(&World::new(observed, config, state, context), plan)
}

/// Lists what no plan may do, not even one that an operator asked for.
fn check_any(world: &World<'_>, plan: &Plan) -> Vec<String> {
    let mut broken = Vec::new();
    if world.observed.jenkins.quieting_down == Some(true) && plan.acts() {
        broken.push("Jenkins is quieting down, and the plan acts".to_owned());
    }
    resources::check(plan, world, &mut broken);
    drains::check(plan, world, &mut broken);
    if plan.removals.is_empty() {
        return broken;
    }
    let agents = by_server(world.linked());
    let mut seen = BTreeSet::new();
    for removal in &plan.removals {
        if let Some(server) = &removal.server
            && !seen.insert(format!("{} {}", server.provider, server.id))
        {
            broken.push(format!("server {} is removed twice", server.name));
        }
        if let Some(node) = &removal.node
            && !seen.insert(format!("node {}", node.name))
        {
            broken.push(format!("node {} is removed twice", node.name));
        }
        if removal.node.is_none() && removal.server.is_none() {
            broken.push(format!("a removal of nothing ({})", removal.why));
        }
        broken.extend(check_server(removal, world.observed, &agents));
        broken.extend(check_node(removal, world, &agents));
    }
    broken
}

/// Our servers by cloud and id.
type Agents<'l, 'a> = HashMap<(&'l ProviderName, &'l ServerId), &'l Agent<'a>>;

fn by_server<'l, 'a>(linked: &'l Linked<'a>) -> Agents<'l, 'a> {
    let agents = linked.inventory.agents.iter();
    agents
        .filter_map(|agent| Some(((agent.provider, agent.server_id()?), agent)))
        .collect()
}

/// Checks the server of a removal: listed by a cloud that was read, ours, and no node that is or may be its own at work or
/// held by a person.
fn check_server(removal: &Removal, observed: &Observed, agents: &Agents<'_, '_>) -> Option<String> {
    let target = removal.server.as_ref()?;
    let Some(Reading::Read(cloud)) = observed.clouds.get(&target.provider) else {
        return Some(format!(
            "server {} is removed at {}, which cannot be read",
            target.name, target.provider
        ));
    };
    let Some(server) = cloud.servers.iter().find(|server| server.id == target.id) else {
        return Some(format!("server {} is removed and no cloud lists it", target.name));
    };
    let agent = match agents.get(&(&target.provider, &target.id)) {
        Some(agent) if server.name == target.name && agent.id == target.node_id => agent,
        _ => return Some(format!("server {} is removed and is not ours", target.name)),
    };
    if agent.duplicate {
        return Some(format!("server {} is removed and has the id of another", target.name));
    }
    if removal.node.as_ref().is_some_and(|node| node.even_if_busy) {
        return None;
    }
    if agent.link.all().any(|node| !node.is_idle() || node.is_held_by_person()) {
        return Some(format!(
            "server {} is removed and its node is busy or held by a person",
            target.name
        ));
    }
    None
}

/// Checks the Jenkins node of a removal: there, idle, not held by a person, and ours.
fn check_node(removal: &Removal, world: &World<'_>, agents: &Agents<'_, '_>) -> Option<String> {
    let target = removal.node.as_ref()?;
    let name = target.name.as_str();
    let Some(node) = world.node(name) else {
        return Some(format!("node {name} is removed and Jenkins has none of this name"));
    };
    if node.built_in {
        return Some("the built-in node is removed".to_owned());
    }
    if !target.even_if_busy && !node.is_idle() {
        return Some(format!("node {name} is removed and is busy"));
    }
    if node.is_held_by_person() {
        return Some(format!("node {name} is removed and a person took it offline"));
    }
    if let Some(server) = &removal.server {
        let agent = agents.get(&(&server.provider, &server.id));
        let own = agent.is_some_and(|agent| matches!(agent.link, Link::One(own) if own.name == target.name));
        return (!own).then(|| {
            format!(
                "node {name} is removed with server {}, which is not its own",
                server.name
            )
        });
    }
    let is_unread = |provider: &&ProviderName| world.observed.clouds.get(*provider).and_then(Reading::ok).is_none();
    let unread = world.config.providers.keys().find(is_unread);
    if let Some(provider) = unread {
        return Some(format!(
            "node {name} is removed for want of a server, and {provider} cannot be read"
        ));
    }
    if world.servers().any(|server| server.name == name) {
        return Some(format!("node {name} is removed for want of a server, and there is one"));
    }
    let state = world.state;
    let remembered = state.orphan_nodes.contains_key(name)
        || state
            .nodes
            .values()
            .any(|memory| memory.jenkins_node.as_ref().is_some_and(|node| node.as_str() == name));
    (!remembered && split_server_name(name).is_none()).then(|| format!("node {name} is removed and is not ours"))
}

/// Checks what is made: known places, names of its own, and every limit.
fn check_creates(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    if plan.creates.is_empty() {
        return;
    }
    if !world.context.create {
        broken.push("the command creates nothing, the plan does".to_owned());
    }
    if let Some(asked) = &world.context.asked {
        check_asked(plan, asked, broken);
    }
    let most = world.config.limits.max_creates_per_pass as usize;
    let made = plan.creates.len() + world.context.created as usize;
    if made > most {
        broken.push(format!("{made} creates, at most {most} in a pass"));
    }
    let mut names: BTreeSet<&str> = world.servers().map(|server| server.name.as_str()).collect();
    for create in &plan.creates {
        broken.extend(check_create(create, world, &mut names));
    }
    check_fleet(plan, world, broken);
}

/// Checks that no more is made than an operator asked for, and nothing else.
fn check_asked(plan: &Plan, asked: &Asked, broken: &mut Vec<String>) {
    if plan.creates.len() > asked.count as usize {
        broken.push(format!(
            "{} creates, {} were asked for",
            plan.creates.len(),
            asked.count
        ));
    }
    let other = plan.creates.iter().find(|create| create.template != asked.template);
    broken.extend(other.map(|create| format!("{} is created, {} was asked for", create.name, asked.template)));
}

/// Checks that the fleet stays within its limits: in all, of each template, at each provider.
fn check_fleet(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    let config = world.config;
    let (mut of_template, mut at_provider, all) = alive(world.linked());
    for create in &plan.creates {
        *of_template.entry(create.template.to_string()).or_default() += 1;
        *at_provider.entry(create.provider.to_string()).or_default() += 1;
    }
    let mut exceeds = |count: usize, most: Option<u32>, what: &str| {
        if let Some(most) = most.filter(|most| count > *most as usize) {
            broken.push(format!("{count} servers {what}, at most {most}"));
        }
    };
    exceeds(all + plan.creates.len(), config.limits.max_servers, "in all");
    for create in &plan.creates {
        let (template, provider) = (create.template.as_str(), create.provider.as_str());
        let most = config.template(template).map(|template| template.max);
        exceeds(
            of_template.remove(template).unwrap_or(0),
            most,
            &format!("of {template}"),
        );
        let most = config.provider(provider).and_then(|provider| provider.max_servers);
        exceeds(
            at_provider.remove(provider).unwrap_or(0),
            most,
            &format!("at {provider}"),
        );
    }
}

fn check_create<'p>(create: &'p Create, world: &World<'_>, names: &mut BTreeSet<&'p str>) -> Option<String> {
    let &World { config, state, .. } = world;
    let name = create.name.as_str();
    if !names.insert(name) || state.nodes.contains_key(&create.id) || state.intents.contains_key(&create.id) {
        return Some(format!("the name {name} was given before"));
    }
    if split_server_name(name) != Some((create.template.clone(), create.id.clone())) {
        return Some(format!("{name} is no name of ours"));
    }
    let Some(template) = config
        .templates
        .iter()
        .find(|template| template.name == create.template)
    else {
        return Some(format!("{name} is of a template that is not configured"));
    };
    let placed = template
        .placements
        .iter()
        .any(|p| p.provider == create.provider && p.zone == create.zone);
    if !placed || !config.providers.contains_key(&create.provider) {
        return Some(format!(
            "{name} would be created at {}, which is no placement of its template",
            create.provider
        ));
    }
    let (pauses, now) = (&world.observed.pauses, world.context.now);
    if let Some(reason) = pauses.at(&create.template, &create.provider, now) {
        return Some(format!("{name} is created where that is forbidden: {reason}"));
    }
    let read = world
        .observed
        .clouds
        .get(&create.provider)
        .and_then(Reading::ok)
        .is_some();
    (!read).then(|| format!("{name} is created at {}, which cannot be read", create.provider))
}

/// Counts what is alive: what the clouds list, what was begun, and what is remembered and not known to be gone.
fn alive(linked: &Linked<'_>) -> (BTreeMap<String, usize>, BTreeMap<String, usize>, usize) {
    let mut of_template: BTreeMap<String, usize> = BTreeMap::new();
    let mut at_provider: BTreeMap<String, usize> = BTreeMap::new();
    for agent in &linked.inventory.agents {
        *of_template.entry(agent.template.to_string()).or_default() += 1;
        *at_provider.entry(agent.provider.to_string()).or_default() += 1;
    }
    (of_template, at_provider, linked.inventory.agents.len())
}

/// Checks that what goes for an absence is not too much of the fleet at once.
fn check_absences(plan: &Plan, world: &World<'_>, broken: &mut Vec<String>) {
    if plan.removals.is_empty() {
        return;
    }
    let known: BTreeSet<_> = plan
        .state
        .nodes
        .values()
        .filter_map(|node| node.jenkins_node.as_ref())
        .collect();
    // A node alone is removed for want of its server, whatever is said of it.
    let is_absence = |removal: &&Removal| removal.server.is_none() || removal.why.is_absence();
    let is_double = |removal: &&Removal| {
        removal.server.is_none() && removal.node.as_ref().is_some_and(|node| known.contains(&node.name))
    };
    let absent = plan
        .removals
        .iter()
        .filter(|removal| is_absence(removal) && !is_double(removal))
        .count();
    let orphans = plan.orphan_nodes.iter().filter(|node| !known.contains(node)).count();
    let size = plan.servers.len() + orphans;
    if !world.context.force && guard::holds(absent, size) {
        broken.push(format!(
            "{absent} of {size} nodes are removed because something is absent; --force allows it"
        ));
    }
}
