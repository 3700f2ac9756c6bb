//! Whose a server is, told anew for the audit: ours by our mark, or taken over where a template says `adopt: true`.

use std::net::IpAddr;

use foldhash::HashMap;

use crate::config::{Config, Template};
use crate::model::{
    Computer, NodeId, Observed, ProviderName, Reading, Server, TemplateName, adopted_id, split_address_name,
    split_server_name,
};
use crate::state::State;

/// What tells whose a server is.
pub(super) struct Ours<'a> {
    observed: &'a Observed,
    config: &'a Config,
    state: &'a State,
    /// The templates that adopt whose name stands before an address in the name of a Jenkins node.
    claims: HashMap<IpAddr, Vec<&'a Template>>,
}

impl<'a> Ours<'a> {
    /// Reads the claims from the names of the Jenkins nodes.
    pub(super) fn new(observed: &'a Observed, config: &'a Config, state: &'a State) -> Self {
        let mut claims: HashMap<IpAddr, Vec<&Template>> = HashMap::default();
        for template in config.templates.iter().filter(|template| template.adopt.is_on()) {
            for node in observed.jenkins.computers.iter().filter(|node| !node.built_in) {
                match split_address_name(node.name.as_str()) {
                    Some((front, ip)) if front == template.name.as_str() => {
                        claims.entry(ip).or_default().push(template);
                    }
                    _ => {}
                }
            }
        }
        Self {
            observed,
            config,
            state,
            claims,
        }
    }

    /// Returns the template and our id of a server if it is ours.
    pub(super) fn of(&self, provider: &ProviderName, server: &Server) -> Option<(TemplateName, NodeId)> {
        if let Some(mark) = &server.mark {
            if mark.owner != self.config.owner {
                return None;
            }
            if let Some(own) = split_server_name(&server.name) {
                return Some(own);
            }
        }
        if !self.config.templates.iter().any(|template| template.adopt.is_on()) {
            return None;
        }
        let own = || split_server_name(&server.name).map(|(_, id)| id);
        let id = adopted_id(provider, &server.id);
        let mut named: Vec<&Template> = self.config.templates.iter().collect();
        named.retain(|template| {
            let front = format!("{}__", template.name);
            server.name.len() > front.len() && server.name.starts_with(&front)
        });
        named.sort_by_key(|template| template.name.as_str().len());
        if let Some(template) = named.last() {
            let taken = template.adopt.is_on() && stands_at(template, provider);
            return taken.then(|| (template.name.clone(), own().unwrap_or(id)));
        }
        let remembered = self.state.nodes.get(&id).filter(|memory| {
            let adopts = |template: &Template| template.name == memory.template && template.adopt.is_on();
            memory.adopted && memory.server_id == server.id && self.config.templates.iter().any(adopts)
        });
        if let Some(memory) = remembered {
            return Some((memory.template.clone(), id));
        }
        self.claimed(provider, server)
            .map(|template| (template.name.clone(), id))
    }

    /// Returns the template of the Jenkins nodes that stand at an address which this server alone has.
    fn claimed(&self, provider: &ProviderName, server: &Server) -> Option<&'a Template> {
        let mut claiming: Vec<&'a Template> = Vec::new();
        for address in &server.addresses {
            for template in self.claims.get(&address.ip).into_iter().flatten() {
                let known = claiming.iter().any(|other| other.name == template.name);
                if !known && stands_at(template, provider) && self.is_only(server, address.ip, template) {
                    claiming.push(template);
                }
            }
        }
        match claiming[..] {
            [template] => Some(template),
            _ => None,
        }
    }

    /// Whether no other server of a template's clouds has this address, all of them being read.
    fn is_only(&self, server: &Server, ip: IpAddr, template: &Template) -> bool {
        template.placements.iter().all(|place| {
            let cloud = self.observed.clouds.get(&place.provider).and_then(Reading::ok);
            cloud.is_some_and(|cloud| {
                let mut others = cloud.servers.iter().filter(|other| other.id != server.id);
                !others.any(|other| other.addresses.iter().any(|address| address.ip == ip))
            })
        })
    }

    /// Returns the Jenkins nodes that stand at an address of a server, by the convention of its template.
    pub(super) fn nodes_at(&self, server: &Server, template: &TemplateName) -> impl Iterator<Item = &'a Computer> {
        let nodes = self.observed.jenkins.computers.iter();
        nodes.filter(move |node| {
            split_address_name(node.name.as_str()).is_some_and(|(front, ip)| {
                front == template.as_str() && server.addresses.iter().any(|address| address.ip == ip)
            })
        })
    }
}

fn stands_at(template: &Template, provider: &ProviderName) -> bool {
    template.placements.iter().any(|place| place.provider == *provider)
}
