//! What the entries of the three lists have in common.

use serde::Deserialize;

use crate::lenient::LenientText;
use crate::model::{Resource, ResourceMark, ServerId};
use crate::text::printable;

/// The longest name that is kept.
const LONGEST_NAME: usize = 100;

/// An entry of a list, and its project.
pub(super) struct Listed {
    pub resource: Resource,
    pub project: Option<String>,
}

/// What uses a port.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Device {
    #[serde(default)]
    pub device_id: LenientText,
    #[serde(default)]
    pub device_owner: LenientText,
}

impl Device {
    /// Returns its id where it is a server.
    pub(super) fn server(self) -> Option<ServerId> {
        let by_nova = self
            .device_owner
            .filled()
            .is_some_and(|owner| owner.starts_with("compute:"));
        self.device_id.filled().filter(|_| by_nova).map(ServerId::new)
    }
}

/// Reads our mark from a description.
pub(super) fn mark_of(description: LenientText) -> Option<ResourceMark> {
    ResourceMark::of_description(&description.filled()?)
}

/// Returns a name as it may be shown, the id where there is none.
pub(super) fn name_of(name: LenientText, id: &str) -> String {
    let name = printable(&name.value.unwrap_or_default(), LONGEST_NAME);
    if name.is_empty() { id.to_owned() } else { name }
}
