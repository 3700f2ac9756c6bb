//! Names and facts: what mita knows of Jenkins and of the clouds after looking.
//!
//! Plain data, and what it says by itself: whether a node is idle, who took it offline, whose a server is. Reading it from
//! the wire is left to `jenkins` and `provider`, deciding on it to `plan`.

mod checked;
mod cloud;
mod digest;
mod event;
mod fault;
mod inventory;
mod jenkins;
mod made_for;
mod names;
pub mod node_name;
mod observed;
mod offline;
mod pause;
mod problem;
mod reading;
mod resource;
mod shared_text;
mod spec;

pub use checked::Checked;
pub use cloud::{Address, CloudView, Mark, Presence, Server, ServerStatus, ServiceBase, ServiceBases};
pub use digest::{digest, digest_u64};
pub use event::{EVENT_VERSION, Event, EventKind, ProblemState, Seconds, WaitSeconds};
pub use fault::FaultKind;
pub use inventory::{FlavorChoice, ImageChoice, Inventory};
pub use jenkins::{Computer, JenkinsView, JobConfig, QueueItem, Stage, TaskLabel};
pub use made_for::MadeFor;
pub use names::{
    NAME_SEPARATOR, NodeId, NodeName, ProviderName, ServerId, TemplateName, Zone, adopted_id, is_uuid, server_name,
    split_address_name, split_name_address, split_server_name, template_in_name,
};
pub use observed::Observed;
pub use offline::{
    BUILDS_REACHED_PREFIX, DRAIN_PREFIX, MARK_PREFIX, OfflineBy, OfflineSigns, OfflineTaker, REFRESH_PREFIX, Work,
};
pub use pause::{Pause, Pauses};
pub use problem::{Problem, ProblemKind, Severity, problem_key};
pub use reading::Reading;
pub use resource::{Resource, ResourceKind, ResourceMark, Resources};
pub use shared_text::SharedText;
pub use spec::{
    Headroom, ImageRef, MissingPart, Offer, Offers, PortOffer, PortSpec, Quota, ServerSpec, SizeRef, Unavailable,
};
