//! The script console: the one way to learn the exact label of every queue item, also of pipelines. Needs
//! Overall/Administer.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::client::{Client, bad_answer};
use crate::lenient::{self, UNREADABLE};

const PATH: &str = "scriptText";

/// The page of the console, which is shown only to those who may use it.
const PAGE: &str = "script";

/// Prints one line of JSON, `[[ID, LABEL or null], ...]`: the label that an item was assigned, an override of a single
/// build included. If Jenkins or a plugin throws while the label is read, the item has its id alone. It changes
/// nothing, and names nothing that came after Jenkins 1.609.
const LABELS: &str = "println groovy.json.JsonOutput.toJson(jenkins.model.Jenkins.instance.queue.items.collect { item -> \
try { def label = item.assignedLabel; return [item.id, label == null ? null : label.expression] } \
catch (Throwable thrown) { return [item.id] } })";

/// One item: its id, and its label expression; null where it may run anywhere, absent where it cannot be had.
type Labelled = Vec<Value>;

impl Client {
    /// Returns whether the user may use the script console (Overall/Administer). It is not used for that.
    pub fn may_use_scripts(&self) -> Result<bool, JenkinsError> {
        let reply = self.get(PAGE)?;
        match reply.status {
            200 => Ok(true),
            _ => match self.refusal("GET", PAGE, &reply) {
                JenkinsError::Forbidden { .. } => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Asks the script console for the label of every queue item; `None` for one that may run anywhere.
    pub fn queue_labels(&self) -> Result<BTreeMap<u64, Option<String>>, JenkinsError> {
        let form = format!("script={}", escaped(LABELS));
        let reply = self.post_form(PATH, Some(&form))?;
        if reply.status != 200 {
            return Err(self.refusal("POST", PATH, &reply));
        }
        // An exception of the script comes with status 200, too.
        let labels: Vec<Labelled> = lenient::read(&reply.body).map_err(|_| {
            let said = format!("the script failed: {}", reply.excerpt());
            bad_answer("POST", PATH, &said)
        })?;
        Ok(labels.into_iter().filter_map(labelled).collect())
    }
}

/// Reads one item; `None` where its label is not known.
fn labelled(item: Labelled) -> Option<(u64, Option<String>)> {
    match <[Value; 2]>::try_from(item).ok()? {
        [id, Value::Null] => Some((id.as_u64()?, None)),
        [id, Value::String(label)] if !label.contains(UNREADABLE) => Some((id.as_u64()?, Some(label))),
        _ => None,
    }
}
