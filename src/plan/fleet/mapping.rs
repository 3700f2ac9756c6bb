//! The one link between Jenkins nodes and servers of ours. Planner, demand, audit, the last look before a delete, destroy,
//! drain and leaks use it.
//!
//! A node belongs to a server, strongest first, by the server's name, our id or the cloud's; by what an earlier pass saw; by
//! an address of the server beside the template's name or labels. What fits twice is decided by nobody. An address alone
//! links nothing: private addresses recur. It only holds the server as long as the node works. What a node without a
//! server means is left to `fleet`.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};
use jiff::Timestamp;

use crate::config::Config;
use crate::model::{Computer, NodeName, Observed, TemplateName};
use crate::plan::fleet::contradiction::Contradiction;
use crate::plan::fleet::inventory::{Inventory, inventory};
use crate::plan::fleet::linker::{Fit, Linker};
use crate::state::State;

/// Everything of ours at the clouds, with its Jenkins nodes.
pub struct Linked<'a> {
    /// What there is of ours.
    pub inventory: Inventory<'a>,
    /// All computers, by name.
    pub computers: Vec<&'a Computer>,
    /// What became of each computer.
    pub fits: Vec<Fit>,
    /// What could not be decided.
    pub contradictions: Vec<Contradiction>,
    /// By template, the busy nodes with its name and an address that no server has.
    pub homeless: BTreeMap<TemplateName, Vec<&'a Computer>>,
}

/// Finds everything of ours and links it to its Jenkins nodes.
pub fn linked<'a>(observed: &'a Observed, config: &'a Config, state: &'a State, now: Timestamp) -> Linked<'a> {
    let mut computers: Vec<&Computer> = observed.jenkins.computers.iter().collect();
    computers.sort_by(|a, b| a.name.cmp(&b.name));
    let mut inventory = inventory(observed, config, state, now);
    let mut linker = Linker::new(&mut inventory.agents, &computers, &inventory.foreign, observed, config);
    linker.link();
    linker.hold();
    let homeless = linker.homeless();
    let (fits, contradictions) = (linker.fits, linker.contradictions);
    Linked {
        inventory,
        computers,
        fits,
        contradictions,
        homeless,
    }
}

/// Returns the templates of the Jenkins nodes that belong to a server of ours, or to one of several of one template.
pub fn linked_templates(
    observed: &Observed,
    config: &Config,
    state: &State,
    now: Timestamp,
) -> HashMap<NodeName, TemplateName> {
    let linked = linked(observed, config, state, now);
    let mut found: HashMap<NodeName, TemplateName> = HashMap::default();
    let mut differ: HashSet<NodeName> = HashSet::default();
    for agent in &linked.inventory.agents {
        for computer in agent.link.all() {
            let before = found.insert(computer.name.clone(), agent.template.clone());
            if before.is_some_and(|before| before != agent.template) {
                differ.insert(computer.name.clone());
            }
        }
    }
    found.retain(|name, _| !differ.contains(name));
    found
}
