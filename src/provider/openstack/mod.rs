//! OpenStack: Keystone, Nova, Glance, Neutron and Cinder, by plain HTTP, and but for one request without a microversion.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `auth`, `catalog` | the login, and where the services are |
//! | `token_cache` | a token that outlives the pass |
//! | `session` | requests with a token, 401 and 429 |
//! | `compute`, `image`, `network` | lists |
//! | `flavor`, `resolve` | from names to ids |
//! | `port` | ports: those that are free, those that are made for a server |
//! | `create` | POST and DELETE of servers |
//! | `resources` | floating IPs, ports, volumes: listed, removed, marked |
//! | `console` | the last lines of a server's console |
//! | `check` | everything that is named, looked up |
//! | `inventory` | what there is to choose from |
//! | `error`, `server`, `wire`, `entry`, `names` | what the answers look like |
//! | `odd` | what of them could not be read |

#![expect(
    clippy::disallowed_methods,
    reason = "an edge: a throttled request is repeated after a wait"
)]

mod auth;
mod catalog;
mod check;
mod compute;
mod console;
mod create;
mod delete;
pub mod endpoint;
mod entry;
mod error;
mod flavor;
mod image;
mod inventory;
mod names;
mod network;
mod odd;
mod pages;
mod port;
mod resolve;
mod resources;
mod server;
mod session;
pub mod settings;
mod token_cache;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use log::info;

use crate::http::{Deadline, Http};
use crate::model::{
    Checked, Inventory, MissingPart, Offers, Resource, ResourceKind, ResourceMark, ServerId, ServerSpec, ServiceBases,
    TemplateName, Unavailable, Zone,
};
use crate::provider::{AddFloatingIp, CreateServer, Deleted, Lookup, Provider, ProviderError, ServerList};
use crate::text::printable;
use endpoint::OpenStackEndpoint;
use resolve::{Lack, Stock};
use session::{Pause, Session};

/// An OpenStack project in one region.
pub struct OpenStack {
    session: Session,
    pools: resources::Pools,
}

impl OpenStack {
    /// Prepares the client; nothing is sent until something is asked.
    pub fn new(endpoint: &OpenStackEndpoint, deadline: Deadline) -> Result<Self, ProviderError> {
        Self::with_pause(endpoint, deadline, Box::new(std::thread::sleep))
    }

    fn with_pause(endpoint: &OpenStackEndpoint, deadline: Deadline, pause: Pause) -> Result<Self, ProviderError> {
        let http = Http::new("openstack", &endpoint.transport, deadline)
            .map_err(|error| ProviderError::Unavailable(error.to_string()))?;
        Ok(Self {
            session: Session::new(http, endpoint.clone(), pause),
            pools: None,
        })
    }
}

impl Provider for OpenStack {
    fn servers(&mut self) -> Result<ServerList, ProviderError> {
        compute::servers(&mut self.session)
    }

    fn server(&mut self, id: &ServerId) -> Result<Lookup, ProviderError> {
        compute::server(&mut self.session, id)
    }

    fn fault(&mut self, id: &ServerId) -> Result<Option<String>, ProviderError> {
        compute::fault(&mut self.session, id)
    }

    fn offers(&mut self, wanted: &[(&TemplateName, &ServerSpec)]) -> Result<Offers, ProviderError> {
        let specs: Vec<&ServerSpec> = wanted.iter().map(|(_, spec)| *spec).collect();
        if specs.is_empty() {
            return Ok(Offers {
                room: compute::headroom(&mut self.session)?,
                ..Offers::default()
            });
        }
        let stock = Stock::load(&mut self.session, &specs)?;
        let room = compute::headroom(&mut self.session)?;
        let templates = wanted.iter().map(|(name, spec)| {
            let offer = stock.offer(spec).map_err(unavailable);
            if let (Ok(_), Some(image)) = (&offer, stock.chosen(spec)) {
                info!("openstack: {}: {image}", printable(name.as_str(), 100));
            }
            ((*name).clone(), offer)
        });
        Ok(Offers {
            room,
            templates: templates.collect(),
        })
    }

    fn create(&mut self, server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
        create::create(&mut self.session, server)
    }

    fn delete(&mut self, id: &ServerId) -> Result<Deleted, ProviderError> {
        delete::server(&mut self.session, id)
    }

    fn resources(&mut self, kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError> {
        resources::resources(&mut self.session, kinds)
    }

    fn remove(&mut self, kind: ResourceKind, id: &str) -> Result<Deleted, ProviderError> {
        resources::remove(&mut self.session, kind, id)
    }

    fn add_floating_ip(&mut self, wanted: &AddFloatingIp<'_>) -> Result<IpAddr, ProviderError> {
        resources::add_floating_ip(&mut self.session, &mut self.pools, wanted)
    }

    fn mark_volume(&mut self, id: &str, mark: &ResourceMark) -> Result<(), ProviderError> {
        resources::mark_volume(&mut self.session, id, mark)
    }

    fn console(&mut self, id: &ServerId, lines: u32) -> Result<Option<String>, ProviderError> {
        console::console(&mut self.session, id, lines)
    }

    fn check(&mut self, wanted: &[(&TemplateName, &ServerSpec, &[Zone])]) -> Result<Checked, ProviderError> {
        check::check(&mut self.session, wanted)
    }

    fn inventory(&mut self) -> Result<Inventory, ProviderError> {
        inventory::inventory(&mut self.session)
    }

    fn recall(&mut self, service_bases: &ServiceBases) {
        self.session.service_bases.clone_from(service_bases);
    }

    fn service_bases(&self) -> ServiceBases {
        self.session.service_bases.clone()
    }

    fn odd(&self) -> Vec<String> {
        self.session.odd.sentences()
    }

    fn requests(&self) -> u64 {
        self.session.requests()
    }
}

/// Puts together what a cloud lacks of a template.
fn unavailable(lacks: Vec<Lack>) -> Unavailable {
    let parts = lacks.iter().map(|lack| MissingPart {
        key: lack.key.to_owned(),
        unread: lack.unread,
    });
    let parts: BTreeSet<MissingPart> = parts.collect();
    let reasons: Vec<String> = lacks.into_iter().map(|lack| lack.text).collect();
    Unavailable {
        reason: reasons.join("; "),
        parts: parts.into_iter().collect(),
    }
}
