//! What is said of a server in a line, by `status` and by the page.

use crate::model::OfflineTaker;
use crate::plan::{DRAIN_PREFIX, ServerRow};
use crate::state::Phase;
use crate::text::plural;

/// Returns its place in a list: what is wrong comes first.
pub fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Error => 0,
        Phase::Orphan => 1,
        Phase::Offline => 2,
        Phase::Draining => 3,
        Phase::Deleting => 4,
        Phase::Intent | Phase::Booting | Phase::Online | Phase::Idle | Phase::Busy => 5,
    }
}

/// Says what runs on a server, or why it is as it is; then what is special about it.
pub fn job_or_why(row: &ServerRow) -> String {
    let mut parts = Vec::new();
    let reason = row.offline_reason.as_deref().unwrap_or_default();
    parts.extend(match row.offline_by {
        Some(OfflineTaker::Person) => Some(led("a person", reason)),
        Some(OfflineTaker::Monitor) => Some(led("a monitor", reason)),
        Some(OfflineTaker::Mita) => {
            let text = reason.strip_prefix(DRAIN_PREFIX).unwrap_or(reason);
            Some(text.trim_start_matches(", ").to_owned())
        }
        None => row.offline_reason.clone().filter(|_| row.phase == Phase::Offline),
    });
    parts.extend(row.why.clone());
    parts.extend(row.jobs.iter().cloned());
    parts.retain(|part| !part.is_empty());
    let mut text = parts.join(", ");
    for special in specials(row) {
        let blank = if text.is_empty() { "" } else { " " };
        text = format!("{text}{blank}({special})");
    }
    text
}

fn led(who: &str, reason: &str) -> String {
    if reason.is_empty() {
        who.to_owned()
    } else {
        format!("{who}: {reason}")
    }
}

fn specials(row: &ServerRow) -> Vec<String> {
    let mut found = Vec::new();
    let node = row.jenkins_node.as_ref().filter(|node| node.as_str() != row.name);
    found.extend(node.map(|node| format!("node {node}")));
    if row.outdated {
        found.push("outdated".to_owned());
    } else if row.adopted {
        found.push("adopted".to_owned());
    }
    found.extend(row.builds.map(|builds| plural(builds, "build")));
    found
}
