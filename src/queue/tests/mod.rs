//! Queue items and their label requests: a small world, shown as text.

mod cases;
mod recorded;
mod sources;

use jiff::{SignedDuration, Timestamp};

use super::{
    Ask, LabelRequest, LabelRequests, NodeTemplates, Syntax, TemplateLabels, TextKind, asks, label_requests, read_text,
};
use crate::labels::Labels;
use crate::model::{Computer, JenkinsView, JobConfig, NodeName, QueueItem, Reading, Stage, TaskLabel, TemplateName};

const ON: &str = "Waiting for next available executor on ";

/// A time at which all items are old enough.
const NOW: i64 = 2_000_000_000;

/// Templates and their labels; `trusty` is both a template and a label of it, `plain` has a name that is no label.
const TEMPLATES: [(&str, &str); 4] = [
    ("trusty", "linux amd64 trusty"),
    ("plain", "linux arm64"),
    ("win-10", "windows"),
    ("a__b+c", "odd"),
];

fn with_kinds<T>(run: impl FnOnce(&[TemplateLabels<'_>]) -> T) -> T {
    let all: Vec<(TemplateName, Labels)> = TEMPLATES.map(|(name, text)| (name.into(), words(text))).into();
    let templates: Vec<_> = all
        .iter()
        .map(|(name, labels)| TemplateLabels { name, labels })
        .collect();
    run(&templates)
}

fn words(text: &str) -> Labels {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Makes an agent from `name: label label`; `name: ?` for one whose labels Jenkins does not tell.
fn agent(text: &str) -> Computer {
    let (name, labels) = text.split_once(':').unwrap_or((text, ""));
    let labels = (labels.trim() != "?").then(|| {
        labels
            .split_whitespace()
            .chain([name])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    computer(name, false, labels)
}

fn computer(name: &str, built_in: bool, labels: Option<Vec<String>>) -> Computer {
    Computer {
        name: name.into(),
        built_in,
        idle: true,
        offline: false,
        temporarily_offline: false,
        offline_reason: String::new(),
        offline_class: None,
        executors: 1,
        idle_executors: 1,
        one_off_busy: false,
        running: Vec::new(),
        jobs: Vec::new(),
        labels,
    }
}

/// Makes a view with the built-in node and these agents.
fn view(agents: &[&str]) -> JenkinsView {
    let built_in = computer("Built-In Node", true, Some(vec!["built-in".to_owned()]));
    let computers = [built_in]
        .into_iter()
        .chain(agents.iter().map(|text| agent(text)))
        .collect();
    JenkinsView {
        computers,
        ..JenkinsView::default()
    }
}

/// A freestyle job's item.
fn item(why: &str, label: TaskLabel) -> QueueItem {
    QueueItem {
        id: 1,
        stage: Stage::Buildable,
        stuck: false,
        since: Timestamp::from_second(NOW - 3600).unwrap(),
        why: Some(why.into()),
        task_class: Some("hudson.model.FreeStyleProject".into()),
        task: "job".into(),
        task_name: "job".into(),
        task_url: Some("http://elsewhere/jenkins/job/a/job/b/".into()),
        label,
    }
}

fn block(why: &str) -> QueueItem {
    QueueItem {
        task_class: Some("org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask".into()),
        task_url: Some("job/p/12/".into()),
        ..item(why, TaskLabel::Absent)
    }
}

fn child(why: &str) -> QueueItem {
    QueueItem {
        task_class: Some("hudson.matrix.MatrixConfiguration".into()),
        task_name: "ARCH=x86_64,DIST=trusty".into(),
        task_url: Some("http://elsewhere/jenkins/job/m/ARCH=x86_64,DIST=trusty/".into()),
        ..item(why, TaskLabel::Anywhere)
    }
}

fn told(text: &str) -> TaskLabel {
    TaskLabel::Expression(text.into())
}

fn all(view: &JenkinsView) -> LabelRequests {
    with_kinds(|templates| {
        let now = Timestamp::from_second(NOW).unwrap();
        label_requests(view, templates, &NodeTemplates::none(), now, SignedDuration::ZERO)
    })
}

/// Shows the label request of one item.
fn request_of(view: &JenkinsView, item: QueueItem) -> String {
    let view = JenkinsView {
        queue: vec![item],
        ..view.clone()
    };
    let label_requests = all(&view);
    show(label_requests.of_item[0].map(|index| &label_requests.distinct[index]))
}

/// Shows a label request: `-` for none, `label …`, `any`, `template …`, `like NODE: …`, `values …`, `gone …`,
/// `? REASON`, `ask PATH`.
fn show(label_request: Option<&LabelRequest>) -> String {
    let list = |labels: &Labels| labels.iter().cloned().collect::<Vec<_>>().join(" ");
    match label_request {
        None => "-".to_owned(),
        Some(LabelRequest::Label(label)) => format!("label {label}"),
        Some(LabelRequest::Unlabelled) => "any".to_owned(),
        Some(LabelRequest::Template(name)) => format!("template {name}"),
        Some(LabelRequest::Like { node, labels }) => format!("like {node}: {}", list(labels)),
        Some(LabelRequest::Values(values)) => format!("values {}", values.join(" ")),
        Some(LabelRequest::GoneNode(node)) => format!("gone {node}"),
        Some(LabelRequest::Unknown {
            ask: Some(Ask::Job(path)),
            ..
        }) => format!("ask {path}"),
        Some(LabelRequest::Unknown {
            ask: Some(Ask::NodeLabels(node)),
            ..
        }) => format!("ask labels of {node}"),
        Some(LabelRequest::Unknown { reason, ask: None }) => format!("? {reason}"),
    }
}

/// Adds what a job's `config.xml` says.
fn with_job(mut view: JenkinsView, path: &str, config: Reading<JobConfig>) -> JenkinsView {
    view.jobs.insert(path.to_owned(), config);
    view
}

fn config(assigned: Option<&str>, axes: &[&str]) -> Reading<JobConfig> {
    Reading::Read(JobConfig {
        assigned_node: assigned.map(str::to_owned),
        label_axes: axes.iter().map(|axis| (*axis).to_owned()).collect(),
    })
}

#[test]
fn equal_requests_are_one() {
    let mut view = view(&["n1: linux"]);
    for (why, label) in [
        (
            "Waiting for next available executor on ‘linux&&amd64’",
            told("linux && amd64"),
        ),
        ("All nodes of label ‘linux&&amd64’ are offline", TaskLabel::Absent),
        ("Waiting for next available executor", TaskLabel::Anywhere),
        ("Waiting for next available executor on linux&&amd64", TaskLabel::Absent),
        ("Blocked by ‘x’", told("linux")),
    ] {
        view.queue.push(item(why, label));
    }
    let label_requests = all(&view);
    assert_eq!(label_requests.of_item, [Some(0), Some(0), Some(1), Some(0), None]);
    assert_eq!(label_requests.distinct.len(), 2);
}

#[test]
fn only_items_that_wait_long_enough_for_an_executor_count() {
    let why = "Waiting for next available executor on ‘linux’";
    let mut view = view(&["n1: linux"]);
    let aged = |seconds: i64| QueueItem {
        since: Timestamp::from_second(NOW - seconds).unwrap(),
        ..item(why, TaskLabel::Absent)
    };
    view.queue = vec![aged(29), aged(30), aged(-5)];
    for stage in [Stage::Waiting, Stage::Blocked, Stage::Pending] {
        view.queue.push(QueueItem { stage, ..aged(60) });
    }
    let now = Timestamp::from_second(NOW).unwrap();
    let none = NodeTemplates::none();
    let count = |grace| {
        with_kinds(|templates| label_requests(&view, templates, &none, now, SignedDuration::from_secs(grace))).of_item
    };
    assert_eq!(count(30), [None, Some(0), None, None, None, None]);
    assert_eq!(count(0), [Some(0), Some(0), Some(0), None, None, None]);
}

#[test]
fn questions_are_asked_once() {
    let mut view = view(&["n1: ?"]);
    view.queue.extend([
        child("x"),
        child("Waiting for next available executor"),
        block("‘n1’ is offline"),
    ]);
    let asked = asks(&all(&view));
    assert_eq!(asked, [Ask::Job("job/m".to_owned()), Ask::NodeLabels("n1".into())]);
}

#[test]
fn a_text_of_a_person() {
    let world = view(&["n1: special linux", "trusty+10.0.0.1: linux"]);
    let check = |text: &str, view: Option<&JenkinsView>| {
        let read = with_kinds(|templates| read_text(text, view, templates));
        let kind = match (read.kind, read.syntax) {
            (TextKind::Why, _) => "why",
            (TextKind::Label, Some(Syntax::Expression)) => "expression",
            (TextKind::Label, Some(Syntax::Atom)) => "atom",
            (TextKind::Label, None) => "nothing",
        };
        format!("{kind}: {}", show(read.label_request.as_ref()))
    };
    for (text, shown) in [
        ("linux && !windows", "expression: label linux&&!windows"),
        ("foo bar", "atom: label foo bar"),
        ("'x y'", "atom: label x y"),
        ("plain", "expression: label plain"),
        ("trusty__0123456789ab", "expression: gone trusty__0123456789ab"),
        ("", "nothing: any"),
        ("Waiting for next available executor on ‘linux’", "why: label linux"),
        ("Waiting for next available executor", "why: any"),
        ("‘n1’ doesn’t have label ‘a||b’", "why: label a||b"),
        ("‘n1’ is offline", "why: like n1: linux special"),
        ("‘trusty+10.0.0.1’ is offline", "why: template trusty"),
        ("Blocked by ‘x’", "why: -"),
        ("Es gibt keine Knoten", "atom: label Es gibt keine Knoten"),
    ] {
        assert_eq!(check(text, Some(&world)), shown);
    }
    assert_eq!(check("Waiting for next available executor", None), "why: any");
    assert_eq!(check("‘trusty+10.0.0.1’ is offline", None), "why: template trusty");
    assert_eq!(check(&format!("{ON}‘trusty’"), None), "why: label trusty");
    assert_eq!(
        check(&format!("{ON}‘trusty__0123456789ab’"), None),
        "why: template trusty"
    );
    let alone = view(&[]);
    assert!(check("Waiting for next available executor", Some(&alone)).starts_with("why: ? jenkins has no agent"));
}
