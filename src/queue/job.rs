//! The job of a queue item: what all its builds, branches of a pipeline and cells of a matrix have in common.

use percent_encoding::percent_decode_str;

use super::task::{is_child, job_path, never_in_config};
use crate::model::QueueItem;

/// Returns the full name of the job of an item, without a build's number. Where Jenkins does not tell it, the name of the
/// task stands for it.
pub fn job_of(item: &QueueItem) -> String {
    // A step of a pipeline is named in the language of Jenkins; its URL is the same in all of them.
    let is_part = never_in_config(item) || is_child(item);
    let path = item.task_url.as_deref().filter(|_| is_part).and_then(job_path);
    match path {
        Some((path, _)) => full_name(&path),
        None if is_part => whole_of(&item.task).to_owned(),
        None => item.task.to_string(),
    }
}

/// Turns `job/a/job/b` into `a/b`.
fn full_name(path: &str) -> String {
    let names = path.strip_prefix("job/").unwrap_or(path).split("/job/");
    let names: Vec<_> = names.map(|name| percent_decode_str(name).decode_utf8_lossy()).collect();
    names.join("/")
}

/// Takes the name out of `part of NAME #12`, with a stage in brackets behind it or not.
fn whole_of(task: &str) -> &str {
    let name = task.strip_prefix("part of ").unwrap_or(task);
    let is_number = |(at, _): &(usize, &str)| {
        let rest = &name[at + 2..];
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        after.len() < rest.len() && (after.is_empty() || after.starts_with(" ("))
    };
    let number = name.match_indices(" #").find(is_number);
    number.map_or(name, |(at, _)| &name[..at])
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Stage, TaskLabel};

    const STEP: &str = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

    fn check(class: &str, task: &str, url: Option<&str>, job: &str) {
        let item = QueueItem {
            id: 1,
            stage: Stage::Buildable,
            stuck: false,
            since: Timestamp::UNIX_EPOCH,
            why: None,
            task_class: Some(class.into()),
            task: task.into(),
            task_name: task.into(),
            task_url: url.map(Into::into),
            label: TaskLabel::Absent,
        };
        assert_eq!(job_of(&item), job, "{task} {url:?}");
    }

    #[test]
    fn builds_branches_and_cells_are_of_one_job() {
        let freestyle = "hudson.model.FreeStyleProject";
        check(
            freestyle,
            "folder/build",
            Some("http://h/job/folder/job/build/"),
            "folder/build",
        );
        check(freestyle, "build #12", None, "build #12");
        check(
            STEP,
            "part of folder » pipe #12",
            Some("http://h/jenkins/job/folder/job/pipe/12/"),
            "folder/pipe",
        );
        check(STEP, "Teil von pipe #12 (Tests)", Some("job/pipe/12/"), "pipe");
        check(STEP, "part of pipe #12 (stage #3)", None, "pipe");
        check(STEP, "part of pipe #7", None, "pipe");
        check(STEP, "part of a #1 b #c", None, "a #1 b #c");
        check(STEP, "", None, "");
        check(
            STEP,
            "part of repo » feature/x #1",
            Some("http://h/job/repo/job/feature%252Fx/1/"),
            "repo/feature%2Fx",
        );
        let cell = "hudson.matrix.MatrixConfiguration";
        check(cell, "matrix/ARCH=arm", Some("http://h/job/matrix/ARCH=arm/"), "matrix");
    }
}
