//! Networks and security groups by name, from Neutron.

use super::catalog::Service;
use super::compute::{Markers, next_marker};
use super::error::parse;
use super::names::{is_uuid, missing};
use super::session::Session;
use super::wire::{Named, Network, NetworksPage, SecurityGroupsBody};
use crate::http::printable;
use crate::provider::ProviderError;

/// Lists all networks that the project sees, with the given fields.
pub(super) fn networks(session: &mut Session, fields: &[&str]) -> Result<Vec<Network>, ProviderError> {
    let what = "networks";
    let query: Vec<String> = fields.iter().map(|field| format!("fields={field}")).collect();
    let path = format!("/networks?{}", query.join("&"));
    let mut all = Vec::new();
    let mut marked = path.clone();
    let mut markers = Markers::default();
    loop {
        let reply = session.get(what, Service::Network, &marked)?;
        let mut page: NetworksPage = parse(what, &reply)?;
        // Neutron pages only where the operator turned that on.
        let last = page.networks.last().map(|network| network.id.as_str());
        let next = last.and_then(|last| next_marker(&page.networks_links, last));
        all.append(&mut page.networks);
        let Some(next) = next else {
            return Ok(all);
        };
        if !markers.advance(next) {
            return Err(markers.stuck(what));
        }
        marked = markers.path(&path);
    }
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
            "{} networks are named {:?}: name one by its id ({})",
            several.len(),
            printable(wanted, 100),
            printable(&several.join(", "), 300)
        )),
    }
}

/// Lists the security groups of the project.
pub(super) fn security_groups(session: &mut Session) -> Result<Vec<Named>, ProviderError> {
    let what = "security groups";
    let path = "/security-groups?fields=id&fields=name";
    let reply = match session.get(what, Service::Network, path) {
        // A cloud without Neutron has them at Nova.
        Err(ProviderError::NotFound(_)) => session.get(what, Service::Compute, "/os-security-groups")?,
        other => other?,
    };
    let body: SecurityGroupsBody = parse(what, &reply)?;
    Ok(body.security_groups)
}
