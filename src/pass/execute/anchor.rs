//! Keeps the node that makes Jenkins name labels (`jenkins.anchor`).

use super::{Executor, Live};
use crate::error::chain;
use crate::jenkins::{Created, JenkinsError, Launcher, NewNode, NodeUsage};
use crate::model::{Computer, NodeName};
use crate::pass::rows::anchor_action;
use crate::plan::{ANCHOR_TEXT, Anchor};
use crate::report::Outcome;

impl Executor<'_> {
    /// Makes the anchor, or marks it offline. Between the two it is a node without an agent, which takes no job either.
    pub fn anchor(&mut self, live: &Live, anchor: Option<Anchor>) {
        let Some(anchor) = anchor else { return };
        let action = anchor_action(anchor);
        if self.skips(live, &action) {
            return;
        }
        match keep(live, anchor) {
            Ok(Created::Now) => self.record(action, Outcome::Done, None),
            Ok(Created::Before) => {
                let before = "it exists now".to_owned();
                self.record(action, Outcome::Skipped, Some(before));
            }
            Err(error) => self.record(action, Outcome::Failed, Some(chain(&error))),
        }
    }
}

fn keep(live: &Live, anchor: Anchor) -> Result<Created, JenkinsError> {
    let name = NodeName::new(Computer::ANCHOR);
    if anchor == Anchor::Make {
        let created = live.jenkins.create_node(&NewNode {
            name: &name,
            description: ANCHOR_TEXT,
            // A node without any executor is no computer to Jenkins, and is not listed.
            executors: 1,
            remote_dir: "/nonexistent",
            labels: "",
            mode: NodeUsage::Exclusive,
            launcher: Launcher::Inbound { web_socket: true },
        })?;
        if created == Created::Before {
            return Ok(created);
        }
    }
    live.jenkins.mark_offline(&name, ANCHOR_TEXT)?;
    Ok(Created::Now)
}
