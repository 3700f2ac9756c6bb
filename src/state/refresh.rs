//! What is remembered for the replacing of nodes that are too old or outdated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Cached;
use crate::model::{ProviderName, TemplateName};

/// What is remembered for the replacing of nodes. Losing it costs a few requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshMemory {
    /// When the clouds were last asked for their images, where a template wants its outdated nodes replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub looked: BTreeMap<ProviderName, Timestamp>,
    /// Why nothing of a template was drained, where a cloud was asked for that: it is not asked again in each pass.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub closed: BTreeMap<TemplateName, Cached<String>>,
}

impl RefreshMemory {
    /// Returns whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.looked.is_empty() && self.closed.is_empty()
    }
}
