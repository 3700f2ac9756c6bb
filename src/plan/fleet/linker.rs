//! Links Jenkins nodes to agents, one rule after the other, the strongest first.

use std::collections::BTreeMap;
use std::net::IpAddr;

use foldhash::{HashMap, HashSet};

use crate::config::Config;
use crate::model::node_name::{addresses_in, id_of_our_form, ids_in};
use crate::model::{Computer, Observed, Reading, Server, ServerId, TemplateName, is_uuid, template_in_name};
use crate::plan::fleet::agent::{Agent, Hold, Link};
use crate::plan::fleet::contradiction::Contradiction;
use crate::plan::fleet::node_match::{has_labels_of, is_named_for, is_named_otherwise, uuid_of, uuids_in};
use crate::text::shown;

/// What became of a Jenkins node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// No server of ours fits it.
    Free,
    /// It belongs to a server of ours, or may.
    Taken,
    /// It has the name of a server that is not ours.
    Foreign,
}

/// Links nodes to agents, one rule after the other.
pub struct Linker<'u, 'a> {
    agents: &'u mut [Agent<'a>],
    computers: &'u [&'a Computer],
    observed: &'a Observed,
    config: &'a Config,
    /// What became of each node.
    pub fits: Vec<Fit>,
    /// What could not be decided.
    pub contradictions: Vec<Contradiction>,
    /// The addresses in the names of the nodes that no stronger rule took.
    addresses: HashMap<usize, Vec<IpAddr>>,
    /// Those of them whose name has an id of our form: they are that server's and link to no other.
    with_id: HashSet<usize>,
}

impl<'u, 'a> Linker<'u, 'a> {
    pub fn new(
        agents: &'u mut [Agent<'a>],
        computers: &'u [&'a Computer],
        foreign: &[&str],
        observed: &'a Observed,
        config: &'a Config,
    ) -> Self {
        let is_foreign = |c: &Computer| c.built_in || foreign.binary_search(&c.name.as_str()).is_ok();
        let fit = |c: &&Computer| if is_foreign(c) { Fit::Foreign } else { Fit::Free };
        Self {
            fits: computers.iter().map(fit).collect(),
            agents,
            computers,
            observed,
            config,
            contradictions: Vec::new(),
            addresses: HashMap::default(),
            with_id: HashSet::default(),
        }
    }

    /// Links all nodes, the strongest rule first.
    pub fn link(&mut self) {
        let by_name = Index::new(self.agents, |agent, add| {
            if !is_named_otherwise(agent) {
                add(agent.name);
            }
        });
        self.step(|_, c, found| by_name.get(&c.name.as_str(), found));
        if !self.fits.contains(&Fit::Free) {
            return;
        }
        self.by_id();
        self.read_addresses();
        let by_address = self.by_address();
        self.by_memory(&by_address);
        self.step(|place, _, found| {
            if let Some(agents) = by_address.get(&place) {
                found.extend(agents);
            }
        });
        self.namesakes();
        self.second_candidates(&by_address);
    }

    fn by_id(&mut self) {
        let by_id = Index::new(self.agents, |agent, add| add(agent.id.to_string()));
        self.step(|_, c, found| {
            for id in ids_in(c.name.as_str()) {
                by_id.get(&id, found);
            }
        });
        // Nova's own id, too: cloud-init calls it the instance's, and scripts name agents by it.
        let by_uuid = Index::new(self.agents, |agent, add| {
            let server = agent.server_id().map(ServerId::as_str).filter(|id| is_uuid(id));
            for uuid in [uuid_of(agent), server].into_iter().flatten() {
                add(uuid.to_ascii_lowercase());
            }
        });
        if !by_uuid.0.is_empty() {
            self.step(|_, c, found| {
                let name = c.name.as_str();
                // A name with an id of our form is that server's alone.
                let uuids = uuids_in(name).filter(|_| id_of_our_form(name).is_none());
                uuids.for_each(|uuid| by_uuid.get(&uuid, found));
            });
        }
    }

    /// What an earlier pass linked stays so: clouds lose the addresses of running servers, and people edit labels. A node
    /// that by its address is another server's is that one's.
    fn by_memory(&mut self, by_address: &HashMap<usize, Vec<usize>>) {
        let by_memory = Index::new(self.agents, |agent, add| {
            let before = agent.before.filter(|_| !agent.duplicate);
            if let Some(node) = before.and_then(|before| before.jenkins_node.as_ref()) {
                add(node.as_str());
            }
        });
        let open: Vec<bool> = self.agents.iter().map(is_open).collect();
        self.step(|place, c, found| {
            let start = found.len();
            by_memory.get(&c.name.as_str(), found);
            let others = by_address.get(&place).into_iter().flatten();
            let mut others = others.filter(|agent| open[**agent]);
            if others.any(|agent| !found[start..].contains(agent)) {
                found.truncate(start);
            }
        });
    }

    fn read_addresses(&mut self) {
        for (place, computer) in self.computers.iter().enumerate() {
            let name = computer.name.as_str();
            if self.fits[place] != Fit::Free {
                continue;
            }
            let found = addresses_in(name);
            if !found.is_empty() {
                self.addresses.insert(place, found);
                if id_of_our_form(name).is_some() {
                    self.with_id.insert(place);
                }
            }
        }
    }

    /// Returns, for each node that is still free, the agents at an address in its name whose template its name or its
    /// labels confirm. A name that has the template's is the better word.
    fn by_address(&self) -> HashMap<usize, Vec<usize>> {
        let mut fitting = HashMap::default();
        if self.addresses.is_empty() {
            return fitting;
        }
        let at = self.agents_at();
        let others = self.addresses_of_others();
        for (place, addresses) in &self.addresses {
            if self.with_id.contains(place) || addresses.iter().any(|ip| others.contains(ip)) {
                continue;
            }
            let computer = self.computers[*place];
            let mut there: Vec<usize> = addresses
                .iter()
                .filter_map(|ip| at.get(ip))
                .flatten()
                .copied()
                .collect();
            there.sort_unstable();
            there.dedup();
            let named: Vec<usize> = there
                .iter()
                .copied()
                .filter(|agent| self.is_named_for(computer, *agent))
                .collect();
            let fits = if named.is_empty() {
                there.retain(|agent| has_labels_of(computer, self.agents[*agent].template(self.config)));
                there
            } else {
                named
            };
            if !fits.is_empty() {
                fitting.insert(*place, fits);
            }
        }
        fitting
    }

    fn agents_at(&self) -> HashMap<IpAddr, Vec<usize>> {
        let mut at: HashMap<IpAddr, Vec<usize>> = HashMap::default();
        for (place, agent) in self.agents.iter().enumerate() {
            for address in agent.server.iter().flat_map(|server| &server.addresses) {
                at.entry(address.ip).or_default().push(place);
            }
        }
        at
    }

    /// Returns the addresses of servers of another mita, or of the original, that are not ours. Private addresses recur, and a
    /// node at such an address may be theirs.
    fn addresses_of_others(&self) -> HashSet<IpAddr> {
        let ours: HashSet<&ServerId> = self.agents.iter().filter_map(Agent::server_id).collect();
        let views = self.observed.clouds.values().filter_map(Reading::ok);
        let servers = views.flat_map(|view| &view.servers);
        let has_agent = |server: &&Server| server.mark.is_some() || template_in_name(&server.name).is_some();
        let others = servers.filter(has_agent).filter(|server| !ours.contains(&server.id));
        others.flat_map(|server| &server.addresses).map(|at| at.ip).collect()
    }

    /// Whether a node has the name of an agent's template in its own, and not that of another template which is longer.
    fn is_named_for(&self, computer: &Computer, agent: usize) -> bool {
        let template = self.agents[agent].template.as_str();
        is_named_for(computer.name.as_str(), template, self.config)
    }

    /// Finds nodes that have the name of a server that was taken over for another node: whatever works there would be lost
    /// with the server.
    fn namesakes(&mut self) {
        let named: Vec<usize> = (0..self.agents.len())
            .filter(|at| is_named_otherwise(&self.agents[*at]))
            .collect();
        for at in named {
            let name = self.agents[at].name;
            let Ok(place) = self
                .computers
                .binary_search_by(|computer| computer.name.as_str().cmp(name))
            else {
                continue;
            };
            if self.fits[place] == Fit::Free {
                self.add_candidate(place, at);
            }
        }
    }

    /// Finds nodes that also fit a server which has its node by a stronger rule, and that work or are held by a person: with
    /// the server gone, that work would be lost.
    fn second_candidates(&mut self, by_address: &HashMap<usize, Vec<usize>>) {
        let by_id: HashMap<String, usize> = self
            .agents
            .iter()
            .enumerate()
            .map(|(at, u)| (u.id.to_string(), at))
            .collect();
        let remembered = self.agents.iter().enumerate().filter(|(_, agent)| !agent.duplicate);
        let remembered: HashMap<&str, usize> = remembered
            .filter_map(|(at, agent)| Some((agent.before?.jenkins_node.as_ref()?.as_str(), at)))
            .collect();
        for place in 0..self.computers.len() {
            let computer = self.computers[place];
            if self.fits[place] != Fit::Free || computer.is_idle() && !computer.is_held_by_person() {
                continue;
            }
            let name = computer.name.as_str();
            let agent = ids_in(name)
                .find_map(|id| by_id.get(&id).copied())
                .or_else(|| remembered.get(name).copied())
                .or_else(|| by_address.get(&place)?.first().copied());
            if let Some(agent) = agent.filter(|agent| !is_open(&self.agents[*agent])) {
                self.add_candidate(place, agent);
            }
        }
    }

    fn add_candidate(&mut self, place: usize, agent: usize) {
        let computer = self.computers[place];
        self.fits[place] = Fit::Taken;
        let link = &mut self.agents[agent].link;
        *link = match std::mem::replace(link, Link::None) {
            Link::None => Link::Many(vec![computer]),
            Link::One(first) => Link::Many(vec![first, computer]),
            Link::Many(mut several) => {
                several.push(computer);
                Link::Many(several)
            }
        };
        self.contradictions.push(undecided(computer, &[agent], self.agents));
    }

    /// Holds what a node held before, as long as it is there and works: clouds lose the addresses of running servers.
    fn hold_as_before(&mut self) {
        for agent in self.agents.iter_mut() {
            let Some(name) = agent.before.and_then(|before| before.held_by.as_ref()) else {
                continue;
            };
            let Ok(place) = self.computers.binary_search_by(|computer| computer.name.cmp(name)) else {
                continue;
            };
            let computer = self.computers[place];
            if self.fits[place] == Fit::Free && (!computer.offline || !computer.is_idle()) {
                agent.held = Some(Hold::Address(computer));
            }
        }
    }

    /// Notes which servers are held by a node that works at one of their addresses and belongs to nobody.
    pub fn hold(&mut self) {
        self.hold_as_before();
        if self.addresses.is_empty() {
            return;
        }
        let at = self.agents_at();
        let mut places: Vec<&usize> = self.addresses.keys().collect();
        places.sort_unstable();
        for place in places {
            let computer = self.computers[*place];
            if self.fits[*place] != Fit::Free || computer.offline && computer.is_idle() {
                continue;
            }
            for agent in self.addresses[place].iter().filter_map(|ip| at.get(ip)).flatten() {
                self.agents[*agent].held.get_or_insert(Hold::Address(computer));
            }
        }
    }

    /// Finds the busy nodes with the name of a template and an address that no server of any owner has, by template.
    pub fn homeless(&self) -> BTreeMap<TemplateName, Vec<&'a Computer>> {
        let mut found: BTreeMap<TemplateName, Vec<&'a Computer>> = BTreeMap::new();
        let is_busy = |place: &usize| {
            self.fits[*place] == Fit::Free && !self.with_id.contains(place) && !self.computers[*place].is_idle()
        };
        let mut busy: Vec<usize> = self.addresses.keys().copied().filter(is_busy).collect();
        if busy.is_empty() {
            return found;
        }
        busy.sort_unstable();
        let views = self.observed.clouds.values().filter_map(Reading::ok);
        let known: HashSet<IpAddr> = views
            .flat_map(|view| &view.servers)
            .flat_map(|s| &s.addresses)
            .map(|at| at.ip)
            .collect();
        for place in busy
            .into_iter()
            .filter(|place| !self.addresses[place].iter().any(|ip| known.contains(ip)))
        {
            let computer = self.computers[place];
            let mut templates: Vec<&TemplateName> = self.agents.iter().map(|agent| &agent.template).collect();
            templates.sort_unstable();
            templates.dedup();
            templates.retain(|template| is_named_for(computer.name.as_str(), template.as_str(), self.config));
            for template in templates {
                found.entry(template.clone()).or_default().push(computer);
            }
        }
        found
    }

    /// Links by one rule all that it fits once in both directions.
    fn step(&mut self, candidates: impl Fn(usize, &Computer, &mut Vec<usize>)) {
        // The agents that fit each node follow each other, so that nothing is allocated for each.
        let mut fitting: Vec<usize> = Vec::new();
        let mut open: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let mut wanted = vec![0_u32; self.agents.len()];
        for (place, computer) in self.computers.iter().enumerate() {
            if self.fits[place] != Fit::Free {
                continue;
            }
            let start = fitting.len();
            candidates(place, computer, &mut fitting);
            keep_open_once(&mut fitting, start, self.agents);
            if fitting.len() > start {
                fitting[start..].iter().for_each(|&agent| wanted[agent] += 1);
                open.push((place, start..fitting.len()));
            }
        }
        for (place, range) in open {
            self.fits[place] = Fit::Taken;
            let found = &fitting[range];
            if let [agent] = *found
                && wanted[agent] == 1
                && !self.agents[agent].duplicate
            {
                self.agents[agent].link = Link::One(self.computers[place]);
                continue;
            }
            self.contradictions
                .push(undecided(self.computers[place], found, self.agents));
            for &agent in found {
                match &mut self.agents[agent].link {
                    Link::Many(several) => several.push(self.computers[place]),
                    link => *link = Link::Many(vec![self.computers[place]]),
                }
            }
        }
    }
}

/// Keeps what was found from `start` on once each, and only agents that have no node by a stronger rule.
fn keep_open_once(found: &mut Vec<usize>, start: usize, agents: &[Agent<'_>]) {
    if found.len() == start {
        return;
    }
    found[start..].sort_unstable();
    let mut kept = start;
    for at in start..found.len() {
        if (kept == start || found[at] != found[kept - 1]) && is_open(&agents[found[at]]) {
            found[kept] = found[at];
            kept += 1;
        }
    }
    found.truncate(kept);
}

fn undecided(computer: &Computer, found: &[usize], agents: &[Agent<'_>]) -> Contradiction {
    let name = shown(computer.name.as_str());
    let names: Vec<&str> = found.iter().map(|&agent| agents[agent].name).collect();
    let sentence = if let [server] = names[..] {
        format!("Jenkins node \"{name}\" is not the only one that fits server \"{server}\": nothing of it is removed")
    } else {
        let names = names.join(", ");
        format!("Jenkins node \"{name}\" fits several servers ({names}): nothing of it is removed")
    };
    Contradiction::new(name, sentence)
}

/// Whether an agent may still be given a node.
fn is_open(agent: &Agent<'_>) -> bool {
    matches!(agent.link, Link::None)
}

/// The agents that may still be given a node, by a key.
struct Index<K>(Vec<(K, usize)>);

impl<K: Ord> Index<K> {
    fn new<'a>(agents: &[Agent<'a>], keys: impl Fn(&Agent<'a>, &mut dyn FnMut(K))) -> Self {
        let mut found = Vec::new();
        for (place, agent) in agents.iter().enumerate().filter(|(_, agent)| is_open(agent)) {
            keys(agent, &mut |key| found.push((key, place)));
        }
        found.sort();
        found.dedup();
        Self(found)
    }

    fn get(&self, key: &K, found: &mut Vec<usize>) {
        let first = self.0.partition_point(|(other, _)| other < key);
        found.extend(
            self.0[first..]
                .iter()
                .take_while(|(other, _)| other == key)
                .map(|(_, agent)| *agent),
        );
    }
}
