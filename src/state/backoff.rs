//! What is held back after failures, and for whom.
//!
//! When something is held back, and what opens it again, is decided in `plan::backoff`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ProviderName, TemplateName, Zone};

/// A key that is held back after failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// Consecutive failures; of a placement, at least as many as templates failed there.
    pub failures: u32,
    /// Held back until then; after it one probe may go.
    pub until: Timestamp,
    /// The last failure, as the cloud said it.
    pub reason: String,
    /// For a template at a placement: whether a server of another template joined from there since it began to fail. Then
    /// its failures are no evidence against the placement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// For a template at a placement: when it failed last, as long as no server of the template joined anywhere since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Timestamp>,
    /// For a placement or provider: the templates that probed it, the last one at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probed: Vec<TemplateName>,
}

/// What a back-off holds back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackoffKey {
    /// A template everywhere: Jenkins refuses its nodes.
    Template(TemplateName),
    /// A placement for every template: its quota of servers is used up, or two templates failed there and no server joined
    /// from there in between.
    Placement(ProviderName, Option<Zone>),
    /// A template at one placement: whatever failed there may fail for this template alone.
    TemplateAt(TemplateName, ProviderName, Option<Zone>),
    /// The floating IPs of a template at one provider: none is left, or the pool is refused.
    FloatingIp(TemplateName, ProviderName),
    /// A whole provider: throttled, not to be reached, or the login is refused.
    Provider(ProviderName),
}

impl std::fmt::Display for BackoffKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Template(template) => write!(f, "template {template}"),
            Self::Placement(provider, None) => write!(f, "placement {provider}"),
            Self::Placement(provider, Some(zone)) => write!(f, "placement {provider}/{zone}"),
            Self::TemplateAt(template, provider, None) => write!(f, "template {template} at {provider}"),
            Self::TemplateAt(template, provider, Some(zone)) => write!(f, "template {template} at {provider}/{zone}"),
            Self::FloatingIp(template, provider) => write!(f, "floating IPs of template {template} at {provider}"),
            Self::Provider(provider) => write!(f, "provider {provider}"),
        }
    }
}
