//! The files that a pass leaves for others: the journal, the metrics, the status page.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use crate::disk::beside;
use crate::settings::files::Outside;
use crate::settings::key::{Key, KeySpec};
use crate::settings::keys;
use crate::settings::section::Section;
use crate::settings::value;

keys! {
    /// The files that a pass leaves for others, at the top level.
    pub OUTPUT_KEYS;
    /// What happened, as JSON lines; true: journal.jsonl beside the state file.
    pub JOURNAL: String = Key::flag_or_path("journal").or("true");
    /// A larger journal is moved to its name with .1 behind it, where one is kept.
    JOURNAL_MAX: u64 = Key::size("journal_max").or("10MiB").at_least(64 << 10, "; to have none write journal: false");
    /// Prometheus text for the textfile collector of node_exporter.
    pub METRICS_FILE: Option<String> = Key::path("metrics_file");
    /// A page of HTML.
    pub STATUS_PAGE: Option<String> = Key::path("status_page");
    /// How often a browser loads the page again.
    STATUS_PAGE_REFRESH: SignedDuration = Key::duration("status_page_refresh").or("60s").positive();
}

/// The files that a pass leaves for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// The journal; `None`: none is kept.
    pub journal: Option<PathBuf>,
    /// From this size on, in bytes, the journal is begun anew.
    pub journal_max: u64,
    /// The file of the metrics.
    pub metrics_file: Option<PathBuf>,
    /// The file of the page.
    pub status_page: Option<PathBuf>,
    /// How often a browser loads the page again.
    pub status_page_refresh: SignedDuration,
}

impl Default for Outputs {
    /// None of them.
    fn default() -> Self {
        Self {
            journal: None,
            journal_max: 10 << 20,
            metrics_file: None,
            status_page: None,
            status_page_refresh: SignedDuration::from_secs(60),
        }
    }
}

/// Reads the keys; `state_file` is where the journal lies beside.
pub fn outputs(root: &Section<'_>, state_file: &Path, outside: &Outside<'_>) -> Outputs {
    let resolve = |key: &KeySpec, text: &str| {
        outside.folders.resolve(text).unwrap_or_else(|text| {
            root.error(key, text);
            PathBuf::new()
        })
    };
    let journal = root.get(&JOURNAL);
    let outputs = Outputs {
        journal: match value::flag(&journal) {
            Some(false) => None,
            Some(true) => Some(state_file.with_file_name("journal.jsonl")),
            None => Some(resolve(&JOURNAL, &journal)),
        },
        journal_max: root.get(&JOURNAL_MAX),
        metrics_file: root.get(&METRICS_FILE).map(|text| resolve(&METRICS_FILE, &text)),
        status_page: root.get(&STATUS_PAGE).map(|text| resolve(&STATUS_PAGE, &text)),
        status_page_refresh: root.get(&STATUS_PAGE_REFRESH),
    };
    apart(root, &outputs, state_file);
    outputs
}

/// Refuses two files of one name, one of which would be written over the other.
fn apart(root: &Section<'_>, outputs: &Outputs, state_file: &Path) {
    let mut taken: Vec<(PathBuf, &str)> = ["", ".lock", ".paused", ".new"]
        .map(|end| (beside(state_file, end), "state_file"))
        .into();
    let files = [
        (&JOURNAL as &KeySpec, &outputs.journal, [".1", ".new"]),
        (&METRICS_FILE, &outputs.metrics_file, [".new", ".new"]),
        (&STATUS_PAGE, &outputs.status_page, [".new", ".new"]),
    ];
    for (key, path, ends) in files {
        let Some(path) = path.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
            continue;
        };
        if let Some((_, other)) = taken.iter().find(|(known, _)| known == path) {
            root.error(key, format!("is a file of {other}, too; name another one"));
        }
        taken.push((path.clone(), key.name));
        taken.extend(ends.map(|end| (beside(path, end), key.name)));
    }
}
