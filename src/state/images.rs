//! What is remembered of the images that a name or an expression leads to, so that a bad one can be left again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The images of one template at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageMemory {
    /// The template's digest under which the failures were counted: after a change of the template all is tried again.
    pub config: String,
    /// The ids of all that the cloud had when it was asked last, newest first; empty where there was only one
    /// and outdated nodes are not replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// The ids of those whose servers joined Jenkins, the latest one last; a few at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// Those whose servers did not, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, FailedImage>,
    /// The one that is taken in place of the newest, while that one is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// An image of which no server has joined yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedImage {
    /// How many of its servers never joined.
    pub servers: u32,
    /// When the last of them was given up.
    pub last: Timestamp,
}
