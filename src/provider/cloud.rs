//! The trait of clouds, whatever their kind, with its requests and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::error::ProviderError;
use crate::model::{
    Checked, Inventory, Offer, Offers, Resource, ResourceKind, ResourceMark, Server, ServerId, ServerSpec,
    ServiceBases, TemplateName, Zone,
};

/// The servers of a project, and the cloud's clock.
#[derive(Clone, Debug)]
pub struct ServerList {
    /// All servers, foreign ones among them: ownership is decided in the plan, no filter is trusted.
    pub servers: Vec<Server>,
    /// The `Date` of the answer.
    pub clock: Option<Timestamp>,
}

/// A server to create.
#[derive(Clone, Debug)]
pub struct CreateServer<'a> {
    /// The server's name, also that of its Jenkins node.
    pub name: &'a str,
    /// What the template asks for.
    pub spec: &'a ServerSpec,
    /// The ids that the cloud resolved the spec to.
    pub offer: &'a Offer,
    /// The availability zone; `None` leaves the choice to the cloud.
    pub zone: Option<&'a Zone>,
    /// All metadata, our marks among it.
    pub metadata: &'a BTreeMap<String, String>,
    /// Our mark for what is made beside the server.
    pub mark: &'a ResourceMark,
    /// The script with its placeholders replaced; not encoded.
    pub user_data: Option<&'a str>,
}

/// A floating IP to create.
#[derive(Clone, Copy, Debug)]
pub struct AddFloatingIp<'a> {
    /// The external network, by name or id.
    pub pool: &'a str,
    /// The server, which has a port.
    pub server: &'a ServerId,
    /// What is written into its description.
    pub mark: &'a ResourceMark,
}

/// The outcome of a delete that the cloud took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Accepted; the server goes.
    Accepted,
    /// It was not there any more.
    AlreadyGone,
}

/// The answer to a question for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It exists, whatever the list says.
    There(Box<Server>),
    /// The service itself answers that it has no such server.
    Gone,
    /// This kind of cloud has only its list.
    NotAsked,
}

/// A cloud. Every method makes requests with a bound on their time; none waits for a server.
pub trait Provider {
    /// Lists every server of the project, whole or not at all.
    fn servers(&mut self) -> Result<ServerList, ProviderError>;

    /// Asks for one server, which a list may lack although it exists. Any answer but the server or the service's own
    /// "not found" is an error.
    fn server(&mut self, _id: &ServerId) -> Result<Lookup, ProviderError> {
        Ok(Lookup::NotAsked)
    }

    /// Asks why a server is in ERROR, where the list does not show it; `None` when the cloud gives no reason.
    fn fault(&mut self, id: &ServerId) -> Result<Option<String>, ProviderError>;

    /// Looks up what the templates name, and the headroom of the quota.
    fn offers(&mut self, wanted: &[(&TemplateName, &ServerSpec)]) -> Result<Offers, ProviderError>;

    /// Creates a server, and the ports that are made for it. Never repeats a request whose outcome is unknown.
    fn create(&mut self, server: &CreateServer<'_>) -> Result<ServerId, ProviderError>;

    /// Deletes a server, and what was made with it.
    fn delete(&mut self, id: &ServerId) -> Result<Deleted, ProviderError>;

    /// Lists all floating IPs, ports and volumes of the project, of the kinds that are asked for; whole or not at all.
    fn resources(&mut self, kinds: &BTreeSet<ResourceKind>) -> Result<Vec<Resource>, ProviderError>;

    /// Deletes a floating IP, port or volume.
    fn remove(&mut self, kind: ResourceKind, id: &str) -> Result<Deleted, ProviderError>;

    /// Gives a server a floating IP of a pool, in one request that leaves nothing behind when it fails.
    fn add_floating_ip(&mut self, wanted: &AddFloatingIp<'_>) -> Result<IpAddr, ProviderError>;

    /// Writes our mark on a volume that Nova made for a server.
    fn mark_volume(&mut self, id: &str, mark: &ResourceMark) -> Result<(), ProviderError>;

    /// Reads the last lines of a server's console; `None` where there is none.
    fn console(&mut self, id: &ServerId, lines: u32) -> Result<Option<String>, ProviderError>;

    /// Reads every list that a pass reads, and looks up everything the templates name, for `check --online`. An error
    /// means that the cloud cannot be asked at all.
    fn check(&mut self, wanted: &[(&TemplateName, &ServerSpec, &[Zone])]) -> Result<Checked, ProviderError>;

    /// Lists what there is to choose from, for a first configuration.
    fn inventory(&mut self) -> Result<Inventory, ProviderError> {
        Err(ProviderError::Refused(
            "this kind of cloud has no lists to choose from".to_owned(),
        ))
    }

    /// Takes the endpoints that an earlier pass found, to ask there first.
    fn recall(&mut self, _known: &ServiceBases) {}

    /// Returns the endpoints that were found.
    fn service_bases(&self) -> ServiceBases {
        ServiceBases::new()
    }

    /// Returns what could not be read in the cloud's answers and was ignored: short sentences, not many.
    fn odd(&self) -> Vec<String> {
        Vec::new()
    }

    /// Requests made so far.
    fn requests(&self) -> u64;
}
