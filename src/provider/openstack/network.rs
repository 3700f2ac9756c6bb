//! Networks and security groups by name, from Neutron.

use std::collections::BTreeSet;

use super::catalog::Service;
use super::error::parse;
use super::names::missing;
use super::pages::pages;
use super::session::Session;
use super::wire::{Named, Network, SecurityGroup, SecurityGroupsBody};
use crate::http::escaped;
use crate::model::is_uuid;
use crate::provider::ProviderError;
use crate::text::printable;

/// The fields that are asked for.
const FIELDS: &str = "fields=id&fields=name&fields=shared&fields=router:external&fields=project_id";

/// Lists all networks that the project sees: its own, those that are shared with it, and external ones.
pub(super) fn networks(session: &mut Session) -> Result<Vec<Network>, ProviderError> {
    let path = format!("/networks?{FIELDS}");
    pages(session, (Service::Network, "networks", &path), "networks")
}

/// Returns the filter for one project, by the name that every Neutron knows.
pub(super) fn of_project(project: Option<&str>) -> String {
    project.map_or_else(String::new, |id| format!("&tenant_id={}", escaped(id)))
}

/// Finds a network: by its id, which needs no list, or by its name.
pub(super) fn resolve(networks: &[Network], wanted: &str) -> Result<String, String> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    let ids: Vec<&str> = networks
        .iter()
        .filter(|n| n.name == wanted)
        .map(|n| n.id.as_str())
        .collect();
    match ids.as_slice() {
        [] => Err(missing("network", wanted, networks.iter().map(|n| n.name.as_str()))),
        [id] => Ok((*id).to_owned()),
        several => Err(format!(
            "{} networks are named \"{}\": name one by its id ({})",
            several.len(),
            printable(wanted, 100),
            printable(&several.join(", "), 300)
        )),
    }
}

/// The networks among which Nova would choose.
fn usable<'n>(networks: &'n [Network], project: Option<&str>) -> Vec<&'n Network> {
    let own = |n: &Network| match project {
        Some(project) => n.project_id.as_deref() == Some(project),
        None => n.external.0 == Some(false),
    };
    networks.iter().filter(|n| n.shared.0 == Some(true) || own(n)).collect()
}

/// Returns what a template can name of these: the name, or the id of one that has none of its own.
pub(super) fn usable_names(networks: &[Network], project: Option<&str>) -> Vec<String> {
    let name = |network: &&Network| {
        let alone = networks.iter().filter(|other| other.name == network.name).count() == 1;
        let named = alone && !network.name.is_empty();
        if named {
            network.name.clone()
        } else {
            network.id.clone()
        }
    };
    usable(networks, project).iter().map(name).collect()
}

/// Finds the network that Nova would choose where none is named; `None` where there is none at all.
///
/// Nova takes the project's own networks and those that are shared with it, be they external or not, and refuses a
/// server when these are several.
pub(super) fn only(networks: &[Network], project: Option<&str>) -> Result<Option<String>, String> {
    match usable(networks, project).as_slice() {
        [] => Ok(None),
        [network] => Ok(Some(network.id.clone())),
        several => {
            let shown = |n: &&Network| {
                let twin = several.iter().filter(|other| other.name == n.name).count() > 1;
                match (n.name.as_str(), twin) {
                    ("", _) => n.id.clone(),
                    (name, true) => format!("{name} ({})", n.id),
                    (name, false) => name.to_owned(),
                }
            };
            let names: Vec<String> = several.iter().map(shown).collect();
            Err(format!(
                "the project sees several networks ({}): name one under `networks`",
                printable(&names.join(", "), 300)
            ))
        }
    }
}

/// Finds a thing of which a list has names and ids: by its id, or by its name.
pub(super) fn named(kind: &str, there: &[Named], wanted: &str) -> Result<String, String> {
    let of_id = |thing: &&Named| !thing.id.is_empty() && thing.id.eq_ignore_ascii_case(wanted);
    if let Some(found) = there.iter().find(of_id) {
        return Ok(found.id.clone());
    }
    let ids: BTreeSet<&str> = there
        .iter()
        .filter(|t| t.name == wanted && !t.id.is_empty())
        .map(|t| t.id.as_str())
        .collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    match ids.as_slice() {
        [] => Err(missing(kind, wanted, there.iter().map(|t| t.name.as_str()))),
        [id] => Ok((*id).to_owned()),
        several => Err(format!(
            "{} {kind}s are named \"{}\": name one by its id ({})",
            several.len(),
            printable(wanted, 100),
            printable(&several.join(", "), 300)
        )),
    }
}

/// Lists the security groups of the project, all pages of them: to an administrator Neutron shows those of every
/// project.
pub(super) fn security_groups(session: &mut Session) -> Result<Vec<Named>, ProviderError> {
    let what = "security groups";
    if session.has(Service::Network)? {
        let project = of_project(session.project());
        let path = format!("/security-groups?fields=id&fields=name{project}");
        let groups: Vec<SecurityGroup> = pages(session, (Service::Network, what, &path), "security_groups")?;
        return Ok(groups.into_iter().map(|group| group.0).collect());
    }
    // A cloud without Neutron has them at Nova.
    let reply = session.get(what, Service::Compute, "/os-security-groups")?;
    let body: SecurityGroupsBody = parse(what, &reply)?;
    Ok(body.security_groups.all)
}
