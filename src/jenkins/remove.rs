//! Taking an idle node away without losing a build: read, mark offline, read again, and only then delete.
//!
//! Jenkins has no "delete if idle". It hands out no work to a node that is marked, so a node that is idle *after* our
//! mark stays idle. Whether a node should go is decided elsewhere, and so is what becomes of its server.

use std::time::Duration;

use crate::jenkins::client::Client;
use crate::jenkins::write::NodeDeletion;
use crate::jenkins::{JenkinsError, NodeState};
use crate::model::{NodeName, OfflineBy};

/// From this version on the mark waits for a scheduling round in progress before it is answered.
const MARK_WAITS_SINCE: (u32, u32) = (2, 503);

/// On older versions: how long work that was handed out just before the mark takes to show.
const SETTLING: Duration = Duration::from_secs(1);

/// A node to remove.
#[derive(Clone, Copy, Debug)]
pub struct RemoveNode<'a> {
    pub name: &'a NodeName,
    /// The offline message to set: one that begins as those of all removals, or of all drains.
    pub mark: &'a str,
    /// Whether to remove it although builds run.
    pub even_if_busy: bool,
    /// Whether to remove it although one of Jenkins' monitors marked it.
    pub by_monitor: bool,
}

#[derive(Debug)]
pub struct Removed {
    /// Whether this call marked the node offline.
    pub marked: bool,
    pub outcome: NodeRemoval,
}

/// How a removal ended. Only after `Deleted` and `Gone` may the server be deleted.
#[derive(Debug)]
pub enum NodeRemoval {
    /// The node is deleted.
    Deleted,
    /// There was no such node.
    Gone,
    /// It is busy; nothing was changed.
    Busy,
    /// Somebody else marked or disconnected it; nothing was changed.
    HeldByPerson {
        /// The offline reason of the node.
        reason: String,
    },
    /// Work was handed to it while we marked it.
    TurnedBusy {
        /// Why our mark could not be taken back; `None` when it was.
        still_marked: Option<JenkinsError>,
    },
    /// It lost its connection while we marked it. That may be a person's disconnect, which our mark hides.
    Disconnected {
        /// Why our mark could not be taken back; `None` when it was.
        still_marked: Option<JenkinsError>,
    },
    /// Our mark was taken off or replaced before we read again: somebody wants the node.
    MarkLost,
    /// A request failed while the node had our mark; a later pass finds the mark and goes on from there.
    Failed(JenkinsError),
}

/// What became of a node that is to be drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drained {
    /// It was marked.
    Now,
    /// It had such a mark already.
    Before,
    /// There is no such node.
    Gone,
    /// Somebody else marked or disconnected it; nothing was changed.
    HeldByPerson {
        /// The offline reason of the node.
        reason: String,
    },
}

impl Client {
    /// Removes a node in the safe order. `pause` waits; it is called only for a Jenkins older than 2.503.
    ///
    /// An error comes from before the mark, or from setting it: where that reply was lost, the node may have our mark,
    /// and a later pass finds it.
    pub fn remove_node(&self, request: &RemoveNode<'_>, pause: &dyn Fn(Duration)) -> Result<Removed, JenkinsError> {
        let unmarked = |outcome| Ok(Removed { marked: false, outcome });
        // Nothing comes between a reading and the delete that trusts it: a build that starts in that time is lost.
        self.be_ready_to_post()?;
        let Some(node) = self.node(request.name)? else {
            return unmarked(NodeRemoval::Gone);
        };
        if !node.is_idle() && !request.even_if_busy {
            return unmarked(NodeRemoval::Busy);
        }
        match node.offline_by() {
            // An earlier pass marked it and did not come to the end: this reading is the one after the mark.
            OfflineBy::Removal => return unmarked(self.delete_marked(request, true)),
            OfflineBy::Drain => return unmarked(self.delete_marked(request, false)),
            by if is_held(by, request.by_monitor) => {
                return unmarked(NodeRemoval::HeldByPerson {
                    reason: reason_of(&node),
                });
            }
            _ => {}
        }
        self.mark_offline(request.name, request.mark)?;
        if !self.mark_waits() && !request.even_if_busy {
            pause(SETTLING);
        }
        Ok(Removed {
            marked: true,
            outcome: self.finish(request, node.connected),
        })
    }

    /// Takes our mark off if the node still has it. Returns whether it had.
    pub fn unmark(&self, name: &NodeName, mark_prefix: &str) -> Result<bool, JenkinsError> {
        match self.node(name)? {
            Some(node) if node.offline_signs().has_mark(mark_prefix) => {
                self.take_mark_back(name, mark_prefix).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// Marks a node offline so that it takes no new work and its builds end, unless it has such a mark, or somebody
    /// else took it offline. A monitor's mark is replaced only where `by_monitor` says so.
    pub fn drain(&self, request: &RemoveNode<'_>) -> Result<Drained, JenkinsError> {
        let Some(node) = self.node(request.name)? else {
            return Ok(Drained::Gone);
        };
        match node.offline_by() {
            OfflineBy::Drain => return Ok(Drained::Before),
            by if is_held(by, request.by_monitor) => {
                let reason = reason_of(&node);
                return Ok(Drained::HeldByPerson { reason });
            }
            _ => {}
        }
        self.mark_offline(request.name, request.mark)?;
        Ok(Drained::Now)
    }

    /// Reads again after our mark and deletes what is still idle. `connected`: whether it had a channel before.
    fn finish(&self, request: &RemoveNode<'_>, connected: bool) -> NodeRemoval {
        let node = match self.node(request.name) {
            Ok(Some(node)) => node,
            Ok(None) => return NodeRemoval::Gone,
            Err(error) => return NodeRemoval::Failed(error),
        };
        if !node.offline_signs().is_mark(request.mark) {
            return NodeRemoval::MarkLost;
        }
        if connected && !node.connected {
            return NodeRemoval::Disconnected {
                still_marked: self.take_mark_back(request.name, request.mark).err(),
            };
        }
        if node.is_idle() || request.even_if_busy {
            return self.delete_marked(request, true);
        }
        NodeRemoval::TurnedBusy {
            still_marked: self.take_mark_back(request.name, request.mark).err(),
        }
    }

    /// Deletes a node that has our mark. `give_back`: if Jenkins never allows it, the mark is taken off; what is
    /// drained is not to work again.
    fn delete_marked(&self, request: &RemoveNode<'_>, give_back: bool) -> NodeRemoval {
        match self.delete_node(request.name) {
            Ok(NodeDeletion::Now) => NodeRemoval::Deleted,
            Ok(NodeDeletion::Before) => NodeRemoval::Gone,
            Err(error) => {
                if give_back && matches!(error, JenkinsError::Forbidden { .. }) {
                    // It can never be deleted: if it stayed marked, the whole fleet would end up out of service.
                    // Whether that works is not worth an error of its own, the next pass finds the mark.
                    let _ = self.take_mark_back(request.name, request.mark);
                }
                NodeRemoval::Failed(error)
            }
        }
    }

    pub(super) fn mark_waits(&self) -> bool {
        self.version()
            .is_some_and(|version| at_least(&version, MARK_WAITS_SINCE))
    }
}

/// Returns whether a person, or a monitor unless `by_monitor`, took the node offline.
fn is_held(by: OfflineBy, by_monitor: bool) -> bool {
    match by {
        OfflineBy::Person => true,
        OfflineBy::Monitor => !by_monitor,
        OfflineBy::Nobody | OfflineBy::Removal | OfflineBy::Drain | OfflineBy::Connection => false,
    }
}

fn reason_of(node: &NodeState) -> String {
    crate::text::printable(&node.offline_reason, 200)
}

/// Returns whether a version (`2.503`, `2.492.3`, `2.504-SNAPSHOT`) is at least another.
fn at_least(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= least,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn versions_are_numbers() {
        for (version, expected) in [
            ("2.503", true),
            ("2.504.1", true),
            ("2.579-SNAPSHOT", true),
            ("3.1", true),
            ("2.492.3", false),
            ("2.60", false),
            ("1.609.3", false),
            ("", false),
            ("?", false),
        ] {
            assert_eq!(at_least(version, (2, 503)), expected, "{version}");
        }
    }
}
