//! The three POSTs that change a node. The safe order in which to use them is in `remove`.

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::address::node_path;
use crate::jenkins::client::Client;
use crate::model::NodeName;

/// Whether a deleted node was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeDeletion {
    /// We deleted it.
    Now,
    /// It was not there.
    Before,
}

impl Client {
    /// Sets the offline mark with a message, whatever mark there was (not a toggle).
    pub fn mark_offline(&self, name: &NodeName, message: &str) -> Result<(), JenkinsError> {
        let node = node_path(name)?;
        self.post(&format!(
            "{node}/changeOfflineCause?offlineMessage={}",
            escaped(message)
        ))
    }

    /// Takes an offline mark off. A toggle: the caller has just seen that the mark is there. If somebody took it
    /// off in between, the toggle sets a new one: with `mark`, so that a later pass takes it for ours and off again.
    pub fn take_mark_back(&self, name: &NodeName, mark: &str) -> Result<(), JenkinsError> {
        self.post(&format!(
            "{}/toggleOffline?offlineMessage={}",
            node_path(name)?,
            escaped(mark)
        ))
    }

    /// Deletes a node, whatever runs on it. A 404 is believed only when the node cannot be read, either.
    pub fn delete_node(&self, name: &NodeName) -> Result<NodeDeletion, JenkinsError> {
        match self.post(&format!("{}/doDelete", node_path(name)?)) {
            Ok(()) => Ok(NodeDeletion::Now),
            Err(missing @ JenkinsError::NotFound { .. }) => match self.node(name)? {
                None => Ok(NodeDeletion::Before),
                Some(_) => Err(missing),
            },
            Err(error) => Err(error),
        }
    }
}
