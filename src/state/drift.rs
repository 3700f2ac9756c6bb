//! In which labels the nodes of a template differ from what its configuration promises.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Intent, State};
use crate::model::{NodeId, TemplateName};

/// The labels in which the newest node of a template differed from its configuration when it was first seen online.
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
    /// The labels it had beside those of the template, each with the time since which it is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub adds: BTreeMap<String, Timestamp>,
    /// The last server that was made all the same for an item that such a node does not serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<LabelRetry>,
}

impl LabelDrift {
    /// Returns that a node of a configuration differs in nothing.
    pub fn new(config: &str, node: &NodeId, created: Timestamp) -> Self {
        Self {
            config: config.to_owned(),
            node: node.clone(),
            created,
            lacks: BTreeMap::new(),
            adds: BTreeMap::new(),
            retry: None,
        }
    }

    /// Returns whether there is no difference.
    pub fn is_none(&self) -> bool {
        self.lacks.is_empty() && self.adds.is_empty()
    }
}

/// A server that is made to see whether the nodes of its template have the promised labels by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRetry {
    /// The server.
    pub node: NodeId,
    /// When it was asked for.
    pub at: Timestamp,
}

impl State {
    /// Remembers that the server of an intent is asked for although the nodes of its template had other labels.
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
