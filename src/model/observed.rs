//! The world as it was seen in one pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CloudView, JenkinsView, Pauses, ProviderName, Reading};

/// The world as it was seen in one pass. Jenkins could be read whole, or there is no `Observed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The queue and the nodes of the controller.
    pub jenkins: JenkinsView,
    /// The clouds, one entry for every configured provider.
    pub clouds: BTreeMap<ProviderName, Reading<CloudView>>,
    /// Where an operator wants nothing to be created.
    #[serde(default, skip_serializing_if = "Pauses::is_empty")]
    pub pauses: Pauses,
}
