//! The names under which agents of a simulated world join, and what ties a node to a server.

use std::net::IpAddr;

use mita::model::{NodeId, Observed, Reading, Server};

use super::Sim;
use super::cloud::Machine;
use super::jenkins::Node;

/// The name under which an agent joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `t0__0123456789ab`, the server's name.
    Server,
    /// `agent-0123456789ab`.
    Id,
    /// `t0__0123456789ab-1a2b3c4d`: Swarm adds a suffix.
    Swarm,
    /// `AGENT-0123456789AB`.
    UpperId,
    /// `agent-t0__<uuid>`, the name of a server of the original somewhere in it.
    OfServer,
    /// `t0+10.0.0.1`.
    TemplateAtAddress,
    /// `10.0.0.1+t0`.
    AddressOfTemplate,
    /// `10.0.0.1+t0__<uuid>`, as sites of the original have it.
    AddressOfOriginal,
    /// `t0-10.0.0.1`.
    TemplateDashAddress,
    /// `builder+10.0.0.1`.
    BuilderAtAddress,
    /// `10.0.0.1`.
    Address,
    /// `ip-10-0-0-1`.
    DashedAddress,
}

/// All forms that are not the usual ones.
pub(super) const ODD: [Form; 10] = [
    Form::Id,
    Form::Swarm,
    Form::UpperId,
    Form::TemplateAtAddress,
    Form::AddressOfTemplate,
    Form::AddressOfOriginal,
    Form::TemplateDashAddress,
    Form::BuilderAtAddress,
    Form::Address,
    Form::DashedAddress,
];

impl Form {
    pub fn name(self, machine: &Machine, ip: IpAddr, uuid: &str) -> String {
        // Jenkins takes no colon in a name.
        let (ip, dashed) = (
            ip.to_string().replace(':', "-"),
            ip.to_string().replace([':', '.'], "-"),
        );
        let (template, id, server) = (&machine.template, &machine.id, &machine.server.name);
        match self {
            Self::Server => server.clone(),
            Self::Id => format!("agent-{id}"),
            Self::OfServer => format!("agent-{server}"),
            Self::Swarm => format!("{server}-1a2b3c4d"),
            Self::UpperId => format!("AGENT-{}", id.to_string().to_uppercase()),
            Self::TemplateAtAddress => format!("{template}+{ip}"),
            Self::AddressOfTemplate => format!("{ip}+{template}"),
            Self::AddressOfOriginal => format!("{ip}+{template}__{uuid}"),
            Self::TemplateDashAddress => format!("{template}-{ip}"),
            Self::BuilderAtAddress => format!("builder+{ip}"),
            Self::Address => ip,
            Self::DashedAddress => format!("ip-{dashed}"),
        }
    }
}

/// How a node is tied to a server, as far as a pass can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// It is the server's node.
    Linked,
    /// It may be: the server stays while it looks absent.
    Holds,
    /// Nothing leads from one to the other.
    None,
}

impl Sim {
    /// How a node is tied to its server, by the names, addresses and labels that a pass sees and what it may remember.
    pub(super) fn tie(&self, machine: &Machine, node: &Node, listed: &Server) -> Tie {
        let name = node.name.as_str();
        let template = machine.template.as_str();
        if name == machine.server.name || shows_id(name, &machine.id) || machine.seen.node.as_ref() == Some(&node.name)
        {
            return Tie::Linked;
        }
        if !listed.addresses.iter().any(|at| stands_in(name, at.ip)) {
            return Tie::None;
        }
        let mut templates = self.config.templates.iter();
        let labels = templates.find(|t| t.name == machine.template).map(|t| &t.labels);
        let has_all = labels.is_some_and(|labels| labels.iter().all(|label| node.labels.contains(label)));
        if name.contains(template) || self.tells_labels && has_all {
            Tie::Linked
        } else if node.is_online() || node.is_busy() {
            Tie::Holds
        } else {
            Tie::None
        }
    }

    /// Remembers what a saved pass saw.
    pub(super) fn remember(&mut self, observed: &Observed) {
        for at in 0..self.machines.len() {
            let pass = self.passes;
            let machine = &mut self.machines[at];
            let cloud = observed.clouds.get(&machine.provider).and_then(Reading::ok);
            let listed = cloud.and_then(|cloud| cloud.servers.iter().find(|server| server.id == machine.server.id));
            let intent = self.state.intents.get(&machine.id);
            machine.seen.id |= listed.is_some() || intent.is_some_and(|intent| intent.server_id.is_some());
            // What was asked to go and is not listed is gone without asking.
            machine.seen.asked &= cloud.is_none() || listed.is_some();
            machine.seen.asked |= machine.asked_in == pass;
            let machine = &self.machines[at];
            let (Some(listed), Some(node)) = (listed, machine.node.as_ref().filter(|node| node.is_listed())) else {
                continue;
            };
            if self.tie(machine, node, listed) == Tie::Linked {
                let (name, online) = (node.name.clone(), node.is_online());
                let seen = &mut self.machines[at].seen;
                seen.node = Some(name);
                seen.up |= online;
                seen.listed = Some(self.now);
            }
        }
    }
}

/// Whether a name shows an id of ours, in either case.
pub(super) fn shows_id(name: &str, id: &NodeId) -> bool {
    name.to_lowercase().contains(id.as_str())
}

/// Whether an address stands in a name as a whole: with dots, or with dashes.
pub(super) fn stands_in(name: &str, ip: IpAddr) -> bool {
    let written = [
        ip.to_string().replace(':', "-"),
        ip.to_string().replace([':', '.'], "-"),
    ];
    let part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    written.iter().any(|text| {
        name.match_indices(text).any(|(at, _)| {
            let before = name[..at].chars().next_back();
            let after = name[at + text.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        })
    })
}
