//! Re-checks a plan against the rules that must hold whatever `plan` thought.
//!
//! It reads the world anew and shares no helper with the planner: a mistake there must not hide itself here.

mod belongings;
mod drains;
mod leaks;
mod ours;
mod registers;

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use self::ours::Ours;
use super::{Context, Create, Plan, Removal};
use crate::config::{Config, Template};
use crate::model::{
    Computer, NodeId, Observed, OfflineBy, Reading, Server, ServerId, ServerStatus, is_uuid, split_server_name,
};
use crate::state::{Phase, State};

pub use leaks::audit_leaks;

/// Lists the rules that a plan breaks. A plan that breaks one is not executed.
pub fn audit(plan: &Plan, observed: &Observed, config: &Config, state: &State, context: &Context) -> Vec<String> {
    let mut broken = audit_destroy(plan, observed, config, state, context);
    creates(plan, observed, config, state, context, &mut broken);
    registers::wrong(plan, observed, config, context, &mut broken);
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
    guard(plan, observed, state, context, &mut broken);
    broken
}

/// The same for what an operator named: without the limits and the guard, which are no concern then.
pub fn audit_destroy(
    plan: &Plan,
    observed: &Observed,
    config: &Config,
    state: &State,
    _context: &Context,
) -> Vec<String> {
    let mut broken = Vec::new();
    if observed.jenkins.quieting_down == Some(true) && plan.acts() {
        broken.push("Jenkins is quieting down, and the plan acts".to_owned());
    }
    belongings::wrong(plan, observed, config, state, &mut broken);
    drains::wrong(plan, observed, config, state, &mut broken);
    if plan.removals.is_empty() {
        return broken;
    }
    let nodes = nodes_by_name(observed);
    let ours = Ours::new(observed, config, state);
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
            broken.push(format!("a removal of nothing ({})", removal.because));
        }
        broken.extend(wrong_server(removal, observed, &ours, &nodes));
        broken.extend(wrong_node(removal, observed, config, state, &nodes));
    }
    broken
}

fn nodes_by_name(observed: &Observed) -> HashMap<&str, &Computer> {
    let computers = observed.jenkins.computers.iter();
    computers.map(|computer| (computer.name.as_str(), computer)).collect()
}

fn all_servers(observed: &Observed) -> impl Iterator<Item = &Server> {
    observed
        .clouds
        .values()
        .filter_map(Reading::ok)
        .flat_map(|cloud| &cloud.servers)
}

fn works(node: &Computer) -> bool {
    !node.is_idle()
}

fn by_a_person(node: &Computer) -> bool {
    node.offline_by() == OfflineBy::Person
}

/// Checks the server of a removal: listed by a cloud that was read, ours, and no node of that very name at work, nor one
/// at its address.
fn wrong_server(
    removal: &Removal,
    observed: &Observed,
    ours: &Ours<'_>,
    nodes: &HashMap<&str, &Computer>,
) -> Option<String> {
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
    let template = match ours.of(&target.provider, server) {
        Some((template, id)) if server.name == target.name && id == target.node_id => template,
        _ => return Some(format!("server {} is removed and is not ours", target.name)),
    };
    if removal.node.as_ref().is_some_and(|node| node.even_if_busy) {
        return None;
    }
    let made = server.mark.is_some() && split_server_name(&server.name).is_some();
    let adopted = (!made).then(|| ours.nodes_at(server, &template));
    let named = nodes.get(server.name.as_str()).copied();
    let mut own = named.into_iter().chain(adopted.into_iter().flatten());
    if own.any(|node| works(node) || by_a_person(node)) {
        return Some(format!(
            "server {} is removed and its node is busy or held by a person",
            target.name
        ));
    }
    None
}

/// Checks the Jenkins node of a removal: there, idle, not held by a person, and ours.
fn wrong_node(
    removal: &Removal,
    observed: &Observed,
    config: &Config,
    state: &State,
    nodes: &HashMap<&str, &Computer>,
) -> Option<String> {
    let target = removal.node.as_ref()?;
    let name = target.name.as_str();
    let Some(node) = nodes.get(name) else {
        return Some(format!("node {name} is removed and Jenkins has none of this name"));
    };
    if node.built_in {
        return Some("the built-in node is removed".to_owned());
    }
    if !target.even_if_busy && works(node) {
        return Some(format!("node {name} is removed and is busy"));
    }
    if by_a_person(node) {
        return Some(format!("node {name} is removed and a person took it offline"));
    }
    if let Some(server) = &removal.server {
        return (!fits(name, &server.name, &server.node_id, &server.id, observed)).then(|| {
            format!(
                "node {name} is removed with server {}, which is not its own",
                server.name
            )
        });
    }
    let unread = config
        .providers
        .keys()
        .find(|p| observed.clouds.get(*p).and_then(Reading::ok).is_none());
    if let Some(provider) = unread {
        return Some(format!(
            "node {name} is removed for want of a server, and {provider} cannot be read"
        ));
    }
    if all_servers(observed).any(|server| server.name == name) {
        return Some(format!("node {name} is removed for want of a server, and there is one"));
    }
    let remembered = state.stray_nodes.contains_key(name)
        || state
            .nodes
            .values()
            .any(|memory| memory.jenkins_node.as_ref().is_some_and(|node| node.as_str() == name));
    (!remembered && split_server_name(name).is_none()).then(|| format!("node {name} is removed and is not ours"))
}

/// Whether a node's name leads to a server: by the id, or by an address.
fn fits(node: &str, server: &str, id: &NodeId, cloud_id: &ServerId, observed: &Observed) -> bool {
    let own = server.rsplit("__").next().filter(|own| is_uuid(own));
    let named = node == server || node.contains(id.as_str());
    if named || own.is_some_and(|own| node.contains(own)) {
        return true;
    }
    let Some((_, address)) = node.rsplit_once('+') else {
        return false;
    };
    let written = [address.to_owned(), address.replace('-', ":")];
    all_servers(observed)
        .filter(|candidate| candidate.id == *cloud_id)
        .any(|candidate| {
            candidate
                .addresses
                .iter()
                .any(|a| written.iter().any(|text| text.parse() == Ok(a.ip)))
        })
}

/// Checks what is made: known places, names of its own, and every limit.
fn creates(
    plan: &Plan,
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
    broken: &mut Vec<String>,
) {
    if plan.creates.is_empty() {
        return;
    }
    if !context.create {
        broken.push("the command creates nothing, the plan does".to_owned());
    }
    let most = config.limits.max_creates_per_pass as usize;
    let made = plan.creates.len() + context.created as usize;
    if made > most {
        broken.push(format!("{made} creates, at most {most} in a pass"));
    }
    let mut names: BTreeSet<&str> = all_servers(observed).map(|server| server.name.as_str()).collect();
    for create in &plan.creates {
        broken.extend(wrong_create(create, observed, config, state, &mut names));
    }
    let (mut of_template, mut at_provider, all) = alive(observed, config, state, context);
    for create in &plan.creates {
        *of_template.entry(create.template.to_string()).or_default() += 1;
        *at_provider.entry(create.provider.to_string()).or_default() += 1;
    }
    let total = all + plan.creates.len();
    if let Some(most) = config.limits.max_servers.filter(|most| total > *most as usize) {
        broken.push(format!("{total} servers in all, at most {most}"));
    }
    for create in &plan.creates {
        let template = config
            .templates
            .iter()
            .find(|template| template.name == create.template);
        let count = of_template.remove(create.template.as_str()).unwrap_or(0);
        if let Some(template) = template.filter(|template| count > template.max as usize) {
            broken.push(format!(
                "{count} servers of {}, at most {}",
                template.name, template.max
            ));
        }
        let most = config
            .providers
            .get(&create.provider)
            .and_then(|provider| provider.max_servers);
        let count = at_provider.remove(create.provider.as_str()).unwrap_or(0);
        if let Some(most) = most.filter(|most| count > *most as usize) {
            broken.push(format!("{count} servers at {}, at most {most}", create.provider));
        }
    }
}

fn wrong_create<'p>(
    create: &'p Create,
    observed: &Observed,
    config: &Config,
    state: &State,
    names: &mut BTreeSet<&'p str>,
) -> Option<String> {
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
        return Some(format!("{name} is to stand where its template does not allow it"));
    }
    let read = observed.clouds.get(&create.provider).and_then(Reading::ok).is_some();
    (!read).then(|| format!("{name} is created at {}, which cannot be read", create.provider))
}

/// Counts what is alive: what the clouds list, what was begun, what a closed cloud is remembered to have.
fn alive(
    observed: &Observed,
    config: &Config,
    state: &State,
    context: &Context,
) -> (BTreeMap<String, usize>, BTreeMap<String, usize>, usize) {
    let mut alive: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let ours = Ours::new(observed, config, state);
    for (provider, reading) in &observed.clouds {
        for server in reading.ok().into_iter().flat_map(|cloud| &cloud.servers) {
            if let Some((template, id)) = ours.of(provider, server) {
                ids.insert(id);
                alive.insert((template.to_string(), provider.to_string(), server.id.to_string()));
            }
        }
    }
    let closed = |provider| observed.clouds.get(provider).and_then(Reading::ok).is_none();
    for (id, memory) in state
        .nodes
        .iter()
        .filter(|(id, memory)| !ids.contains(*id) && closed(&memory.provider))
    {
        let adopts = |template: &Template| template.name == memory.template && template.adopt.is_on();
        if memory.adopted && !config.templates.iter().any(adopts) {
            continue;
        }
        if config.providers.contains_key(&memory.provider) {
            alive.insert((memory.template.to_string(), memory.provider.to_string(), id.to_string()));
        }
    }
    for (id, intent) in &state.intents {
        let given_up =
            context.now.duration_since(intent.at).abs() > config.timing.intent_grace && !closed(&intent.provider);
        let seen = ids.contains(id) || given_up;
        if !seen && config.providers.contains_key(&intent.provider) {
            alive.insert((intent.template.to_string(), intent.provider.to_string(), id.to_string()));
        }
    }
    let mut of_template: BTreeMap<String, usize> = BTreeMap::new();
    let mut at_provider: BTreeMap<String, usize> = BTreeMap::new();
    for (template, provider, _) in &alive {
        *of_template.entry(template.clone()).or_default() += 1;
        *at_provider.entry(provider.clone()).or_default() += 1;
    }
    (of_template, at_provider, alive.len())
}

/// Checks that what goes for an absence is not too much of the fleet at once.
fn guard(plan: &Plan, observed: &Observed, state: &State, context: &Context, broken: &mut Vec<String>) {
    if plan.removals.is_empty() {
        return;
    }
    let nodes = nodes_by_name(observed);
    let servers: HashMap<&str, &Server> = all_servers(observed)
        .map(|server| (server.id.as_str(), server))
        .collect();
    let is_absence = |removal: &&Removal| {
        let Some(target) = &removal.server else { return true };
        if servers
            .get(target.id.as_str())
            .is_none_or(|server| server.status == ServerStatus::Error)
        {
            return false;
        }
        let joined = state
            .nodes
            .get(&target.node_id)
            .filter(|n| n.phase != Phase::Deleting)
            .is_some_and(|n| n.joined.is_some() || n.missing.is_some());
        let node = removal.node.as_ref().and_then(|node| nodes.get(node.name.as_str()));
        joined && node.is_none_or(|node| node.offline && !node.temporarily_offline)
    };
    let absent = plan.removals.iter().filter(is_absence).count();
    let fleet = plan.servers.len() + plan.stray_nodes.len();
    if !context.force && absent >= 5 && absent * 2 > fleet {
        broken.push(format!(
            "{absent} of {fleet} nodes are removed because something is absent; --force allows it"
        ));
    }
}
