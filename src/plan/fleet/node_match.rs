//! What the name and the labels of a Jenkins node say of the server that it may be the agent of.

use crate::config::{Config, Template};
use crate::model::node_name::{addresses_in, has_word, ids_in};
use crate::model::{Computer, NAME_SEPARATOR, Server, is_uuid};
use crate::plan::fleet::agent::Agent;

/// The length of a UUID, the id in the names that the original tool gave.
const UUID_LENGTH: usize = 36;

/// Whether a Jenkins node may be that of a server which is not of our form.
pub fn may_be_of(node: &Computer, server: &Server) -> bool {
    let name = node.name.as_str();
    let id = server.mark.as_ref().and_then(|mark| mark.id.as_ref());
    let by_address = || {
        addresses_in(name)
            .iter()
            .any(|ip| server.addresses.iter().any(|at| at.ip == *ip))
    };
    let by_id = || id.is_some_and(|id| ids_in(name).any(|found| found == id.as_str()));
    let by_uuid = || uuids_in(name).any(|uuid| uuid.eq_ignore_ascii_case(server.id.as_str()));
    name == server.name || by_id() || by_uuid() || by_address()
}

/// Returns what has the length of a UUID in a name, in lower case.
pub fn uuids_in(name: &str) -> impl Iterator<Item = String> + '_ {
    let windows = (0..=name.len().saturating_sub(UUID_LENGTH)).filter_map(|at| name.get(at..at + UUID_LENGTH));
    windows.map(str::to_ascii_lowercase)
}

/// Whether a name has a template's as a word, and no longer name of another template that contains it.
pub fn is_named_for(name: &str, template: &str, config: &Config) -> bool {
    if !has_word(name, template) {
        return false;
    }
    let longer = |other: &Template| {
        let other = other.name.as_str();
        other.len() > template.len() && has_word(other, template) && has_word(name, other)
    };
    !config.templates.iter().any(longer)
}

/// Whether a node has all labels of a template. Where Jenkins does not tell them (before 2.94), an address stays alone.
pub fn has_labels_of(computer: &Computer, template: Option<&Template>) -> bool {
    match (template, &computer.labels) {
        (Some(template), Some(labels)) => {
            !template.labels.is_empty() && template.labels.iter().all(|label| labels.contains(label))
        }
        _ => false,
    }
}

/// The UUID in the name of a server that was taken over.
pub fn uuid_of<'a>(agent: &Agent<'a>) -> Option<&'a str> {
    let (_, uuid) = agent.name.rsplit_once(NAME_SEPARATOR)?;
    (agent.adopted && is_uuid(uuid)).then_some(uuid)
}

/// Whether an agent was taken over for its Jenkins node alone: its name says nothing of which node that is.
pub fn is_named_otherwise(agent: &Agent<'_>) -> bool {
    let rest = agent.name.strip_prefix(agent.template.as_str());
    agent.adopted && rest.is_none_or(|rest| !rest.starts_with(NAME_SEPARATOR))
}
