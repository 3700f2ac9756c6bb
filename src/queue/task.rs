//! The task of a queue item: the path of its job, whether it is a matrix child, and its combination of values.

use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::model::{JobConfig, QueueItem, TaskLabel};

const MATRIX_CHILD: &str = "hudson.matrix.MatrixConfiguration";
/// A module of a Maven job runs where its parent runs, and has no label of its own.
const MAVEN_MODULE: &str = "hudson.maven.MavenModule";
/// The run of a pipeline itself; it takes no executor that a server could give.
const PIPELINE: &str = "org.jenkinsci.plugins.workflow.job.WorkflowJob";
/// A `node` block of a pipeline; only the pipeline's script knows its label.
const NODE_BLOCK: &str = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask";

/// Returns whether the item is a pipeline's own run, which waits for the controller alone.
pub(super) fn is_flyweight(item: &QueueItem) -> bool {
    item.task_class.as_deref() == Some(PIPELINE)
}

/// Where the label of a task is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LabelSource<'a> {
    /// The text the user entered, as Jenkins exports it.
    Expression(&'a str),
    /// The job may run anywhere.
    Anywhere,
    /// The label is in the configuration of the job at this path, the parent of a matrix child.
    InConfig(String),
    /// Nowhere.
    Nothing,
}

/// Returns where the label of a task is found.
pub(super) fn label_source(item: &QueueItem) -> LabelSource<'_> {
    match &item.label {
        TaskLabel::Expression(text) if !text.is_empty() => return LabelSource::Expression(text),
        TaskLabel::Expression(_) | TaskLabel::Anywhere if !is_child(item) => return LabelSource::Anywhere,
        _ if never_in_config(item) => return LabelSource::Nothing,
        _ => {}
    }
    match item.task_url.as_deref().and_then(job_path) {
        Some((path, rest)) if rest.is_empty() || is_child(item) => LabelSource::InConfig(path),
        _ => LabelSource::Nothing,
    }
}

/// Returns whether no job's configuration has the label.
pub(super) fn never_in_config(item: &QueueItem) -> bool {
    item.task_class.as_deref() == Some(NODE_BLOCK)
}

/// Returns whether the item's label is that of its parent job or of its matrix axes.
pub(super) fn is_child(item: &QueueItem) -> bool {
    match item.task_class.as_deref() {
        Some(class) => class == MATRIX_CHILD || class == MAVEN_MODULE,
        // Jenkins 1 exports no class.
        None => is_matrix(item),
    }
}

/// Returns whether the item is a matrix child.
pub(super) fn is_matrix(item: &QueueItem) -> bool {
    match item.task_class.as_deref() {
        Some(class) => class == MATRIX_CHILD,
        None => !combination(&item.task_name).is_empty(),
    }
}

/// Returns whether an empty `assignedNode` in the job's configuration means that the job may run anywhere: true only
/// of the templates of job that have that setting.
pub(super) fn has_assigned_node(item: &QueueItem) -> bool {
    item.task_class
        .as_deref()
        .is_none_or(|class| class.starts_with("hudson."))
}

/// Returns the label of a job by its configuration; for a matrix child that of its axes.
pub(super) fn label_in(config: &JobConfig, item: &QueueItem) -> Option<String> {
    if !is_matrix(item) {
        return config.assigned_node.clone().filter(|label| !label.is_empty());
    }
    let values = combination(&item.task_name);
    let of_axis = |axis: &String| {
        values
            .iter()
            .find(|(name, _)| name == axis)
            .map(|(_, value)| value.as_str())
    };
    // Joined without parentheses, as Jenkins does it, whatever the values are.
    let label = config
        .label_axes
        .iter()
        .filter_map(of_axis)
        .collect::<Vec<_>>()
        .join("&&");
    (!label.is_empty()).then_some(label)
}

/// Reads `AXIS=value,AXIS2=value2`; the axes are sorted by name, so that a comma in a value is mostly recognized.
pub(super) fn combination(name: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for piece in name.split(',') {
        let axis = piece
            .split_once('=')
            .filter(|(axis, _)| !axis.is_empty() && all.last().is_none_or(|(last, _)| last.as_str() < *axis));
        match (axis, all.last_mut()) {
            (Some((axis, value)), _) => all.push((axis.to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => return Vec::new(),
        }
    }
    all
}

/// Takes the path of the job out of a task's URL, from its first `job/`, and what follows the job. The URL may be
/// relative, or absolute with another root than ours. `None` when it has no such path or a part that is no job's name.
pub fn job_path(url: &str) -> Option<(String, &str)> {
    let url = url.split(['?', '#']).next()?;
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.trim_start_matches('/'),
    };
    let mut rest = if path.starts_with("job/") {
        path
    } else {
        &path[path.find("/job/")? + 1..]
    };
    let mut job = String::new();
    while let Some(below) = rest.strip_prefix("job/") {
        let (name, after) = below.split_once('/').unwrap_or((below, ""));
        if !is_job_name(name) {
            return None;
        }
        if !job.is_empty() {
            job.push('/');
        }
        job.push_str("job/");
        job.extend(utf8_percent_encode(name, CONTROLS));
        rest = after;
    }
    Some((job, rest.trim_end_matches('/')))
}

/// Returns whether the part of a path can be the name of a job, as Jenkins encodes it: no `..`, slash or the like.
fn is_job_name(part: &str) -> bool {
    let Ok(name) = percent_decode_str(part).decode_utf8() else {
        return false;
    };
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    !matches!(name.as_ref(), "" | "." | "..") && !name.contains(odd) && !part.contains([' ', '"', '<', '>', '\\'])
}

#[cfg(test)]
mod tests {
    use super::{combination, job_path};

    #[test]
    fn paths() {
        for (url, path) in [
            ("http://host:8080/jenkins/job/a/", Some(("job/a", ""))),
            ("https://host/job/a/job/b/", Some(("job/a/job/b", ""))),
            ("job/x/12/", Some(("job/x", "12"))),
            ("/job/x", Some(("job/x", ""))),
            ("http://job/job/x/", Some(("job/x", ""))),
            ("http://job/x/", None),
            ("http://h/view/All/job/x/?token=s", Some(("job/x", ""))),
            ("http://h/job/p/A=1,B=x%20y/", Some(("job/p", "A=1,B=x%20y"))),
            (
                "http://h/job/repo/job/feature%252Fx/",
                Some(("job/repo/job/feature%252Fx", "")),
            ),
            ("http://h/job/größe/", Some(("job/gr%C3%B6%C3%9Fe", ""))),
            ("http://h/job/../job/x", None),
            ("http://h/job/%2e%2E/", None),
            ("http://h/job/a%2fb/", None),
            ("http://h/job/a%0d%0aX/", None),
            ("http://h/job/a b/", None),
            ("http://h/job//", None),
            ("http://h/job", None),
            ("http://h", None),
            ("", None),
            ("queue/item/3", None),
        ] {
            assert_eq!(job_path(url).as_ref().map(|(p, r)| (p.as_str(), *r)), path, "{url}");
        }
    }

    #[test]
    fn combinations() {
        let read = |name| {
            combination(name)
                .into_iter()
                .map(|(a, v)| format!("{a}:{v}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(read("ARCH=x86_64,DIST=trusty"), ["ARCH:x86_64", "DIST:trusty"]);
        assert_eq!(read("A=1,2,B=x=y"), ["A:1,2", "B:x=y"]);
        assert_eq!(read("B=1,A=2"), ["B:1,A=2"]);
        assert!(read("default").is_empty());
        assert!(read("=x").is_empty());
        assert!(read("").is_empty());
    }
}
