//! The script console: the one way to learn the exact label of every queue item, also of pipelines. Needs
//! Overall/Administer.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::http::escaped;
use crate::jenkins::JenkinsError;
use crate::jenkins::client::{Client, bad_answer};

const PATH: &str = "scriptText";

/// The page of the console, which is shown only to those who may use it.
const PAGE: &str = "script";

/// Says one line of JSON, `[[ID, LABEL or null], ...]`: the label that an item was assigned, an override of a single build
/// included. It changes nothing, and names nothing that came after Jenkins 1.609.
const LABELS: &str = "println groovy.json.JsonOutput.toJson(jenkins.model.Jenkins.instance.queue.items.collect { \
[it.id, it.assignedLabel == null ? null : it.assignedLabel.expression] })";

/// One item: its id, and its label expression; `None` where it may run anywhere.
#[derive(Deserialize)]
struct Labelled(u64, Option<String>);

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
        // What a script throws comes with status 200, too.
        let labels: Vec<Labelled> = serde_json::from_slice(&reply.body).map_err(|_| {
            let said = format!("the script failed: {}", reply.excerpt());
            bad_answer("POST", PATH, &said)
        })?;
        Ok(labels.into_iter().map(|Labelled(id, label)| (id, label)).collect())
    }
}
