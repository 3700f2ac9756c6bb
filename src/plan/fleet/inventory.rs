//! The inventory of our servers: listed ones, creates that were begun, and those that are only remembered because their
//! cloud cannot be read.
//!
//! `mapping` links them to Jenkins nodes; `agent_state` says where each is in its life.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::model::{CloudView, NodeId, Observed, Presence, ProviderName, Reading, Server, ServerId, TemplateName};
use crate::plan::clock::{sighted_again, since};
use crate::plan::fleet::adopt::Adoption;
use crate::plan::fleet::agent::{Agent, AgentState, Link, TemplateIndex, marked};
use crate::plan::fleet::contradiction::Contradiction;
use crate::state::{Intent, NodeMemory, Sighting, State};
use crate::text::shown;

/// Everything that is found at the clouds and in memory.
pub struct Inventory<'a> {
    /// Our nodes, by name.
    pub agents: Vec<Agent<'a>>,
    /// The names of servers that are not ours, sorted.
    pub foreign: Vec<&'a str>,
    /// Servers that a list lacks and that are to be asked for one by one.
    pub lookups: Vec<(ProviderName, ServerId)>,
    /// Servers of which nobody knows which is ours.
    pub clashes: Vec<Contradiction>,
    /// What is worth saying.
    pub notes: Vec<String>,
    /// What an operator hears of once.
    pub news: Vec<String>,
}

/// Finds everything that is ours.
pub fn inventory<'a>(observed: &'a Observed, config: &'a Config, state: &'a State, now: Timestamp) -> Inventory<'a> {
    let mut builder = InventoryBuilder::new(observed, config, state, now);
    let foreign = builder.list();
    let mut by_id: Vec<usize> = (0..builder.agents.len()).collect();
    by_id.sort_by(|&a, &b| builder.agents[a].id.cmp(&builder.agents[b].id));
    let clashes = duplicates(&mut builder.agents, &by_id);
    builder.add_unlisted(&by_id);
    builder.agents.sort_by(|a, b| key(a).cmp(&key(b)));
    let forgotten = builder.forgotten.into_iter().map(|(provider, count)| {
        let (are, go, them) = if count == 1 {
            ("is", "goes", "it")
        } else {
            ("are", "go", "them")
        };
        format!(
            "provider \"{provider}\" is no longer configured: {count} of our servers there {are} forgotten and {go} on \
             running; configure it again, or remove {them} there"
        )
    });
    let notes = builder.adoption.notes(&builder.agents);
    Inventory {
        agents: builder.agents,
        foreign,
        lookups: builder.lookups,
        clashes: clashes
            .into_iter()
            .chain(builder.stripped)
            .chain(builder.unmarked)
            .collect(),
        notes,
        news: forgotten.collect(),
    }
}

fn key<'u>(agent: &'u Agent<'_>) -> (&'u str, &'u str, Option<&'u ServerId>) {
    (agent.name, agent.provider.as_str(), agent.server_id())
}

/// Finds servers that share an id, which names make impossible unless a person made one of them: a note each. One server
/// that two providers list is said once for the two of them: nothing there would ever be removed.
fn duplicates(agents: &mut [Agent<'_>], by_id: &[usize]) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let mut overlaps: BTreeSet<(&ProviderName, &ProviderName)> = BTreeSet::new();
    for pair in by_id.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if agents[a].id != agents[b].id {
            continue;
        }
        agents[a].duplicate = true;
        agents[b].duplicate = true;
        // Said alike in whatever order they are listed: how long it lasts is counted by the sentence.
        let (a, b) = if key(&agents[a]) <= key(&agents[b]) {
            (a, b)
        } else {
            (b, a)
        };
        let (a, b) = (&agents[a], &agents[b]);
        if a.provider != b.provider && a.server_id() == b.server_id() {
            overlaps.insert((a.provider, b.provider));
        } else {
            let sentence = format!(
                "servers \"{}\" ({}) and \"{}\" ({}) have one id: neither is touched",
                a.name, a.provider, b.name, b.provider
            );
            let subject = format!("{}, {}", shown(a.name), shown(b.name));
            found.push(Contradiction::new(subject, sentence));
        }
    }
    let overlaps = overlaps.into_iter().map(|(a, b)| {
        let sentence = format!(
            "the providers \"{a}\" and \"{b}\" list the same servers: they are one place, and nothing there is removed; \
             keep one of the two entries"
        );
        Contradiction::new(format!("{a}, {b}"), sentence)
    });
    found.extend(overlaps);
    found
}

/// A server that so many lists in a row lacked is gone, where the cloud cannot be asked for it.
const UNLISTED: u32 = 2;

/// What is known of a server that a list lacks.
#[derive(PartialEq, Eq)]
enum Absence {
    /// It is gone.
    Gone,
    /// It counts on; with the passes whose list lacked it, where these are counted.
    NotKnown(Option<Sighting>),
}

/// How a cloud that a memory names is seen in this pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cloud {
    Read,
    Closed,
    NotConfigured,
}

/// The agents while they are gathered.
struct InventoryBuilder<'a> {
    observed: &'a Observed,
    config: &'a Config,
    state: &'a State,
    now: Timestamp,
    indexes: BTreeMap<&'a str, TemplateIndex>,
    agents: Vec<Agent<'a>>,
    /// How many nodes stood at providers that are no longer configured.
    forgotten: BTreeMap<&'a ProviderName, u32>,
    /// Servers that their cloud lists without the marks that they were made with.
    unmarked: Vec<Contradiction>,
    /// Every server that a cloud lists; found out when one of ours is missing.
    listed: OnceCell<HashMap<(&'a ProviderName, &'a ServerId), &'a Server>>,
    /// Servers that have no mark or name of ours any more.
    stripped: Vec<Contradiction>,
    /// Servers that a list lacks, to be asked for.
    lookups: Vec<(ProviderName, ServerId)>,
    adoption: Adoption<'a>,
}

impl<'a> InventoryBuilder<'a> {
    fn new(observed: &'a Observed, config: &'a Config, state: &'a State, now: Timestamp) -> Self {
        let templates = config.templates.iter().enumerate();
        Self {
            observed,
            config,
            state,
            now,
            indexes: templates
                .map(|(index, template)| (template.name.as_str(), index))
                .collect(),
            agents: Vec::new(),
            forgotten: BTreeMap::new(),
            unmarked: Vec::new(),
            listed: OnceCell::new(),
            stripped: Vec::new(),
            lookups: Vec::new(),
            adoption: Adoption::new(observed, config, state),
        }
    }

    /// Adds what is remembered or was begun and no cloud lists; `by_id`: the listed agents, sorted by our id.
    fn add_unlisted(&mut self, by_id: &[usize]) {
        let listed = |id: &NodeId| by_id.binary_search_by(|&agent| self.agents[agent].id.cmp(id)).is_ok();
        let unlisted: Vec<_> = self.state.nodes.iter().filter(|(id, _)| !listed(id)).collect();
        let intents: Vec<_> = self.state.intents.iter().filter(|(id, _)| !listed(id)).collect();
        for (id, memory) in unlisted {
            self.remember(id, memory);
        }
        for (id, intent) in intents {
            // A server that was seen once is known by more than the intent.
            if !self.agents[by_id.len()..].iter().any(|agent| agent.id == *id) {
                self.begin(id, intent);
            }
        }
    }

    /// Adds what the clouds list; returns the names of what is not ours.
    fn list(&mut self) -> Vec<&'a str> {
        let mut servers: Vec<(&'a Server, &'a ProviderName, Timestamp)> = Vec::new();
        for (provider, reading) in &self.observed.clouds {
            if let Reading::Read(cloud) = reading {
                let clock = cloud.clock.unwrap_or(self.now);
                servers.extend(cloud.servers.iter().map(|server| (server, provider, clock)));
            }
        }
        servers.sort_by(|(a, at, _), (b, bt, _)| (&a.name, at, &a.id).cmp(&(&b.name, bt, &b.id)));
        // A server that stands on two pages of a list is one server.
        servers.dedup_by(|(a, at, _), (b, bt, _)| a.id == b.id && at == bt);
        self.agents.reserve(servers.len());
        let mut foreign = Vec::new();
        for (server, provider, clock) in servers {
            let marked = marked(server, self.config);
            let adopted = marked.is_none();
            let Some((template, id)) = marked.or_else(|| self.adoption.take(server, provider)) else {
                foreign.push(server.name.as_str());
                continue;
            };
            let mut agent = self.blank(id, &server.name, template, provider);
            agent.server = Some(server);
            agent.readable = true;
            agent.adopted = adopted;
            agent.before = self.state.nodes.get(&agent.id);
            agent.intent = self.state.intents.get(&agent.id);
            // A time that is still to come is none.
            let told = server.created.filter(|created| *created <= clock);
            let known = told.or(agent.before.map(|before| before.created));
            let known = known.or(agent.intent.map(|intent| intent.at));
            let created = known.map_or(clock, |created| created.min(clock));
            agent.created = Some(created);
            agent.age = since(clock, created);
            self.agents.push(agent);
        }
        foreign
    }

    fn blank(&self, id: NodeId, name: &'a str, template: TemplateName, provider: &'a ProviderName) -> Agent<'a> {
        Agent {
            id,
            name,
            template_index: self.indexes.get(template.as_str()).copied(),
            template,
            provider,
            server: None,
            before: None,
            intent: None,
            readable: false,
            unlisted: None,
            duplicate: false,
            adopted: false,
            link: Link::None,
            held: None,
            created: None,
            age: SignedDuration::ZERO,
            joined: None,
            builds: None,
            state: AgentState::Intent,
        }
    }

    fn cloud(&mut self, provider: &'a ProviderName) -> Cloud {
        match self.observed.clouds.get(provider) {
            Some(Reading::Read(_)) => Cloud::Read,
            Some(Reading::Unreadable(_)) => Cloud::Closed,
            None if self.config.providers.contains_key(provider) => Cloud::Closed,
            None => {
                *self.forgotten.entry(provider).or_default() += 1;
                Cloud::NotConfigured
            }
        }
    }

    /// Adds a server that is known only from the last passes, unless it is known to be gone. A list can be short although it
    /// was read: what it lacks counts until the cloud says so itself.
    fn remember(&mut self, id: &NodeId, memory: &'a NodeMemory) {
        let unlisted = match self.cloud(&memory.provider) {
            Cloud::NotConfigured => return,
            Cloud::Closed => memory.unlisted,
            Cloud::Read if memory.deleted => return,
            Cloud::Read if self.lists(&memory.provider, &memory.server_id).is_some() => {
                if self.is_given_away(memory) {
                    return;
                }
                self.stripped(memory);
                None
            }
            Cloud::Read => match self.absence(&memory.provider, &memory.server_id, memory.unlisted) {
                Absence::Gone => return,
                Absence::NotKnown(unlisted) => unlisted,
            },
        };
        if self.adoption.still_takes(memory) {
            let mut agent = self.blank(id.clone(), &memory.name, memory.template.clone(), &memory.provider);
            agent.before = Some(memory);
            agent.unlisted = unlisted;
            agent.adopted = memory.adopted;
            agent.created = Some(memory.created);
            agent.age = since(self.now, memory.created);
            self.agents.push(agent);
        }
    }

    /// Whether a server that is listed and was not taken is another one's by now. One that we made, and that only lost its name
    /// or its metadata, is not.
    fn is_given_away(&self, memory: &'a NodeMemory) -> bool {
        let server = self.lists(&memory.provider, &memory.server_id);
        memory.adopted || server.is_some_and(|server| server.is_of_another(&self.config.owner))
    }

    /// Notes a server of ours that lost its name or its marks: it counts, and is not touched.
    fn stripped(&mut self, memory: &NodeMemory) {
        let (name, provider) = (shown(&memory.name), &memory.provider);
        let sentence = format!(
            "server \"{name}\" ({provider}, {}) lost the name or the metadata that it was made with: it counts, and mita \
             does not touch it; give them back, or remove it there",
            memory.server_id
        );
        self.stripped.push(Contradiction {
            provider: Some(provider.clone()),
            ..Contradiction::new(name, sentence)
        });
    }

    /// Returns what is known of a server that a cloud does not list, and has it asked for where that was not done. An
    /// executable of the operator is not asked: what is missing from two of its lists is gone.
    fn absence(&mut self, provider: &'a ProviderName, server: &ServerId, before: Option<Sighting>) -> Absence {
        let answer = self.view(provider).and_then(|view| view.looked_up.get(server));
        match answer {
            // What is there was listed, and is not ours any more.
            Some(Presence::There | Presence::Gone) => return Absence::Gone,
            Some(Presence::NotKnown(_)) => return Absence::NotKnown(None),
            None => {}
        }
        if self.asks(provider) {
            self.lookups.push((provider.clone(), server.clone()));
            return Absence::NotKnown(None);
        }
        let seen = sighted_again(before, self.now);
        if seen.passes >= UNLISTED {
            Absence::Gone
        } else {
            Absence::NotKnown(Some(seen))
        }
    }

    fn view(&self, provider: &ProviderName) -> Option<&'a CloudView> {
        self.observed.clouds.get(provider).and_then(Reading::ok)
    }

    /// Adds a create that was begun and whose server no cloud lists yet. Where the cloud was read it is given up after a
    /// while; where it is closed nobody can know.
    fn begin(&mut self, id: &NodeId, intent: &'a Intent) {
        let age = since(self.now, intent.at);
        let cloud = self.cloud(&intent.provider);
        // One from the future was written by a clock that was wrong, and must not stand until that time comes.
        let given_up = self.now.duration_since(intent.at).abs() > self.config.timing.intent_grace;
        // One that is there without its marks would be asked for again and again.
        let is_listed = intent
            .server_id
            .as_ref()
            .is_some_and(|id| self.lists(&intent.provider, id).is_some());
        let unmarked = cloud == Cloud::Read && given_up && is_listed;
        let mut is_gone = given_up;
        if let (Some(server), Cloud::Read, true, false) = (&intent.server_id, cloud, given_up, unmarked) {
            // The cloud took the create: its list may be short.
            is_gone = self.absence(&intent.provider, server, None) == Absence::Gone || !self.asks(&intent.provider);
        }
        if unmarked {
            let (name, provider) = (shown(&intent.name), &intent.provider);
            let sentence = format!(
                "provider \"{provider}\" lists server \"{name}\" without the metadata that it was made with: mita cannot \
                 tell that it is its own; remove it there, and let the provider keep metadata"
            );
            self.unmarked.push(Contradiction {
                provider: Some(provider.clone()),
                ..Contradiction::new(name, sentence)
            });
        } else if cloud == Cloud::NotConfigured || cloud == Cloud::Read && is_gone {
            return;
        }
        let mut agent = self.blank(id.clone(), &intent.name, intent.template.clone(), &intent.provider);
        agent.intent = Some(intent);
        agent.readable = cloud == Cloud::Read;
        agent.age = age;
        self.agents.push(agent);
    }

    /// Whether a cloud lists a server, whoever it belongs to.
    fn lists(&self, provider: &'a ProviderName, id: &'a ServerId) -> Option<&'a Server> {
        let all = || {
            let read = self
                .observed
                .clouds
                .iter()
                .filter_map(|(name, view)| Some((name, view.ok()?)));
            read.flat_map(|(name, view)| view.servers.iter().map(move |server| ((name, &server.id), server)))
                .collect()
        };
        self.listed.get_or_init(all).get(&(provider, id)).copied()
    }

    /// Whether a cloud can be asked for one server.
    fn asks(&self, provider: &ProviderName) -> bool {
        let entry = self.config.providers.get(provider);
        entry.is_some_and(|entry| entry.kind.can_look_up)
    }
}
