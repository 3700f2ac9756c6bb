//! Which labels the nodes of a template joined without, although its configuration promises them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Intent, State};
use crate::model::{NodeId, TemplateName};

/// The labels that the newest node of a template did not have when it was first seen online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDrift {
    /// The digest of the template (`mita-config`); another configuration may have another script.
    pub config: String,
    /// The newest node whose labels were looked at.
    pub node: NodeId,
    /// When the server of that node was made.
    pub created: Timestamp,
    /// The labels it lacked, each with the time since which it is known.
    pub lacks: BTreeMap<String, Timestamp>,
    /// The last server that was made for one of these labels all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<LabelRetry>,
    /// When a warning was last given of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<Timestamp>,
}

/// A server that is made to see whether the nodes of its template have the missing labels by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRetry {
    /// The server.
    pub node: NodeId,
    /// When it was asked for.
    pub at: Timestamp,
}

impl State {
    /// Remembers that the server of an intent is asked for although its template lacks a label.
    pub fn begin_retry(&mut self, template: &TemplateName, node: &NodeId, at: Timestamp) {
        if let Some(drift) = self.drifts.get_mut(template) {
            drift.retry = Some(LabelRetry { node: node.clone(), at });
        }
    }

    /// Drops an intent of which no server was made; if it was to see whether labels are back, another one may.
    pub fn drop_intent(&mut self, node: &NodeId) -> Option<Intent> {
        let intent = self.intents.remove(node)?;
        if let Some(drift) = self.drifts.get_mut(&intent.template)
            && drift.retry.as_ref().is_some_and(|retry| retry.node == *node)
        {
            drift.retry = None;
        }
        Some(intent)
    }
}
