//! Servers without our mark that are taken over where a template says `adopt: true`: those named by the original tool,
//! `<template>__…`, and those at the address of a Jenkins node named `<template>+<ip>` or `<ip>+<template>`.
//!
//! A server with the mark of another owner is never taken. `mapping` decides which Jenkins node belongs to which server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;

use foldhash::HashMap;

use crate::config::{Config, Template};
use crate::model::{
    Computer, NAME_SEPARATOR, NodeId, Observed, ProviderName, Reading, Server, ServerId, TemplateName, adopted_id,
    split_address_name, split_name_address, template_in_name,
};
use crate::plan::fleet::agent::{Agent, Link, marked};
use crate::state::{NodeMemory, State};
use crate::text::shown;

/// So many names are written out in a note.
const NAMES: usize = 5;

/// What is taken over, and what is said of it.
pub struct Adoption<'a> {
    config: &'a Config,
    state: &'a State,
    /// Whether there is anything to do at all.
    active: bool,
    /// Servers that a Jenkins node leads to, with the template.
    by_node: BTreeMap<(&'a ProviderName, &'a ServerId), &'a Template>,
    notes: Vec<String>,
    /// Servers that are foreign again.
    given_back: Vec<&'a str>,
}

impl<'a> Adoption<'a> {
    /// Looks which Jenkins nodes lead to a server.
    pub fn new(observed: &'a Observed, config: &'a Config, state: &'a State) -> Self {
        let adopts = config.templates.iter().any(|template| template.adopt.is_on());
        let mut adoption = Self {
            config,
            state,
            active: adopts || state.nodes.values().any(|memory| memory.adopted),
            by_node: BTreeMap::new(),
            notes: Vec::new(),
            given_back: Vec::new(),
        };
        if adopts {
            adoption.claim(observed);
        }
        adoption
    }

    /// Returns template and id of a server if it is taken over.
    pub fn take(&mut self, server: &'a Server, provider: &'a ProviderName) -> Option<(TemplateName, NodeId)> {
        if !self.active || is_of_another(server, self.config) {
            return None;
        }
        let named = named(&server.name, self.config);
        let own = named.and_then(|(_, rest)| NodeId::parse(rest));
        let id = own.unwrap_or_else(|| adopted_id(provider, &server.id));
        let state = self.state;
        let memory = state.nodes.get(&id).filter(|memory| memory.adopted);
        let taken = match named {
            Some((template, _)) => {
                let here = stands_at(template, provider);
                if template.adopt.is_on() && !here {
                    self.notes.push(format!(
                        "server \"{}\" ({provider}) has a name of \"{}\", which does not stand there: left alone",
                        shown(&server.name),
                        template.name
                    ));
                }
                (template.adopt.is_on() && here).then_some(template)
            }
            // One that a Jenkins node led to before is ours when that node is gone, too: or nobody would remove it.
            None => memory
                .and_then(|memory| adopting(self.config, &memory.template))
                .or_else(|| self.by_node.get(&(provider, &server.id)).copied()),
        };
        if memory.is_some() && taken.is_none() {
            self.given_back.push(&server.name);
        }
        taken.map(|template| (template.name.clone(), id))
    }

    /// Returns whether what is known only from memory is still ours.
    pub fn still_takes(&mut self, memory: &'a NodeMemory) -> bool {
        let ours = !memory.adopted || adopting(self.config, &memory.template).is_some();
        if !ours {
            self.given_back.push(&memory.name);
        }
        ours
    }

    /// Says what is taken over for the first time, what no longer is, and what is left alone.
    pub fn notes(&mut self, agents: &[Agent<'_>]) -> Vec<String> {
        let new = agents.iter().filter(|agent| agent.adopted && agent.before.is_none());
        let new: Vec<&str> = new.map(|agent| agent.name).collect();
        let mut notes = std::mem::take(&mut self.notes);
        notes.sort();
        if !new.is_empty() {
            notes.push(format!("taken over without our mark (adopt: true): {}", listed(&new)));
        }
        if !self.given_back.is_empty() {
            notes.push(format!(
                "taken over before and no longer ours, since no template of this name says adopt: true: {}",
                listed(&self.given_back)
            ));
        }
        notes
    }

    /// Follows every Jenkins node with the name of a template and an address to the server there.
    fn claim(&mut self, observed: &'a Observed) {
        let claims = claims(observed, self.config);
        let at = servers_at(claims.iter().map(|claim| claim.address), observed);
        let mut twice = BTreeSet::new();
        for Claim {
            computer,
            template,
            address,
        } in claims
        {
            let there = at.get(&address).into_iter().flatten();
            let there: Vec<_> = there
                .filter(|(provider, _)| stands_at(template, provider))
                .copied()
                .collect();
            match there[..] {
                [] => {}
                // Where one of its clouds is closed, the same address may be there, too.
                _ if !is_read(template, observed) => {}
                [(provider, server)] => {
                    if self.claim_one(provider, server, template) {
                        twice.insert((provider, &server.id));
                    }
                }
                _ if there.iter().any(|(_, server)| is_known(server, template, self.config)) => {}
                _ => self.notes.push(format!(
                    "Jenkins node \"{}\" is at the address of {} servers: none of them is taken over",
                    shown(computer.name.as_str()),
                    there.len()
                )),
            }
        }
        self.by_node.retain(|place, _| !twice.contains(place));
    }

    /// Notes which template a server's node names; returns whether another node names another.
    fn claim_one(&mut self, provider: &'a ProviderName, server: &'a Server, template: &'a Template) -> bool {
        if is_of_another(server, self.config) || named(&server.name, self.config).is_some() {
            return false;
        }
        let before = self.by_node.insert((provider, &server.id), template);
        let differs = before.is_some_and(|before| before.name != template.name);
        if differs {
            self.notes.push(format!(
                "Jenkins nodes of several templates stand at the address of server \"{}\": it is not taken over",
                shown(&server.name)
            ));
        }
        differs
    }
}

/// A Jenkins node with the name of a template that adopts and an address.
struct Claim<'a> {
    computer: &'a Computer,
    template: &'a Template,
    address: IpAddr,
}

/// Lists the claims by the names of the nodes.
fn claims<'a>(observed: &'a Observed, config: &'a Config) -> Vec<Claim<'a>> {
    let computers = observed.jenkins.computers.iter().filter(|computer| !computer.built_in);
    let mut claims: Vec<Claim<'a>> = computers
        .filter_map(|computer| {
            let (template, address) = claimed(computer.name.as_str(), config)?;
            Some(Claim {
                computer,
                template,
                address,
            })
        })
        .collect();
    claims.sort_by_key(|claim| &claim.computer.name);
    claims
}

/// Returns the template that adopts, and the address, of a node `<template>+<ip>`, `<ip>+<template>` or
/// `<ip>+<template>__…`.
fn claimed<'c>(name: &str, config: &'c Config) -> Option<(&'c Template, IpAddr)> {
    let behind = split_address_name(name).and_then(|(front, address)| Some((config.template(front)?, address)));
    let found = behind.or_else(|| {
        let (address, rest) = split_name_address(name)?;
        let template = config
            .template(rest)
            .or_else(|| named(rest, config).map(|(template, _)| template))?;
        Some((template, address))
    });
    found.filter(|(template, _)| template.adopt.is_on())
}

type Place<'a> = (&'a ProviderName, &'a Server);

/// Finds the servers that have one of these addresses; one that is listed twice is one.
fn servers_at(addresses: impl Iterator<Item = IpAddr>, observed: &Observed) -> HashMap<IpAddr, Vec<Place<'_>>> {
    let mut at: HashMap<IpAddr, Vec<Place<'_>>> = addresses.map(|address| (address, Vec::new())).collect();
    for (provider, reading) in &observed.clouds {
        for server in reading.ok().into_iter().flat_map(|cloud| &cloud.servers) {
            for address in &server.addresses {
                if let Some(there) = at.get_mut(&address.ip)
                    && !there.iter().any(|(p, s)| *p == provider && s.id == server.id)
                {
                    there.push((provider, server));
                }
            }
        }
    }
    at
}

/// Whether every cloud of a template could be read.
fn is_read(template: &Template, observed: &Observed) -> bool {
    let cloud = |provider| observed.clouds.get(provider).and_then(Reading::ok);
    template.placements.iter().all(|place| cloud(&place.provider).is_some())
}

/// Whether a server is one of the template's without its Jenkins node.
fn is_known(server: &Server, template: &Template, config: &Config) -> bool {
    marked(server, config).is_some()
        || named(&server.name, config).is_some_and(|(named, _)| named.name == template.name)
}

/// Whether a server has the mark of another owner.
fn is_of_another(server: &Server, config: &Config) -> bool {
    server.is_of_another(&config.owner)
}

/// Returns the template whose name a server's name begins with, and what stands behind `__`. Where the name of one
/// template begins with that of another, the longest counts.
fn named<'c, 'n>(name: &'n str, config: &'c Config) -> Option<(&'c Template, &'n str)> {
    let fits = |template: &'c Template| {
        let rest = name
            .strip_prefix(template.name.as_str())?
            .strip_prefix(NAME_SEPARATOR)?;
        (!rest.is_empty()).then_some((template, rest))
    };
    let fitting = config.templates.iter().filter_map(fits);
    fitting.max_by_key(|(template, _)| template.name.as_str().len())
}

fn stands_at(template: &Template, provider: &ProviderName) -> bool {
    template.placements.iter().any(|place| place.provider == *provider)
}

fn adopting<'c>(config: &'c Config, name: &TemplateName) -> Option<&'c Template> {
    config.template(name.as_str()).filter(|template| template.adopt.is_on())
}

/// Whether a server is ours by its name alone and no node of this Jenkins was ever its own: another controller may have made
/// it for itself.
pub fn may_be_anothers(agent: &Agent<'_>, config: &Config) -> bool {
    let linked = agent.joined.is_some() || agent.before.is_some_and(|before| before.jenkins_node.is_some());
    let removes = agent
        .template(config)
        .is_some_and(|template| template.adopt.removes_never_linked());
    agent.adopted && !removes && !linked && matches!(agent.link, Link::None)
}

/// Returns whether a memory is of a server that was taken over and is foreign again: then its Jenkins node is, too.
pub fn is_given_back(memory: &NodeMemory, observed: &Observed, config: &Config) -> bool {
    if !memory.adopted {
        return false;
    }
    let cloud = observed.clouds.get(&memory.provider).and_then(Reading::ok);
    let is_there = cloud.is_none_or(|cloud| cloud.servers.iter().any(|server| server.id == memory.server_id));
    is_there || adopting(config, &memory.template).is_none()
}

/// Returns whether a Jenkins node has the name of a server of the original, of a template that adopts.
pub fn is_name_of_original(node: &str, config: &Config) -> bool {
    template_in_name(node)
        .is_some_and(|template| config.template(template).is_some_and(|template| template.adopt.is_on()))
}

/// Returns the template that would take a server for its name if it adopted.
pub fn would_take<'c>(server: &Server, config: &'c Config) -> Option<&'c TemplateName> {
    let (template, _) = named(&server.name, config).filter(|_| !is_of_another(server, config))?;
    (!template.adopt.is_on()).then_some(&template.name)
}

fn listed(names: &[&str]) -> String {
    let mut text = names
        .iter()
        .take(NAMES)
        .map(|name| shown(name))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > NAMES {
        let _ = write!(text, " and {} more", names.len() - NAMES);
    }
    text
}
