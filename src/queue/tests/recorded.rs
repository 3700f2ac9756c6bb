//! Replies of a real Jenkins 2.544.

use serde_json::Value;

use super::*;

fn reply(name: &str) -> Value {
    let path = format!(
        "{}/tests/fixtures/jenkins/queue/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    #[expect(clippy::disallowed_methods, reason = "a test reads its fixture")]
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn recorded_item(value: &Value) -> QueueItem {
    let task = &value["task"];
    let stage = match (text(&value["_class"]).as_str(), value["pending"] == true) {
        ("hudson.model.Queue$WaitingItem", _) => Stage::Waiting,
        ("hudson.model.Queue$BlockedItem", _) => Stage::Blocked,
        (_, true) => Stage::Pending,
        _ => Stage::Buildable,
    };
    QueueItem {
        id: value["id"].as_u64().unwrap(),
        stage,
        stuck: value["stuck"] == true,
        since: Timestamp::from_millisecond(value["inQueueSince"].as_i64().unwrap()).unwrap(),
        why: value["why"].as_str().map(Into::into),
        task_class: task["_class"].as_str().map(Into::into),
        task: text(&task["fullName"]).into(),
        task_name: text(&task["name"]).into(),
        task_url: task["url"].as_str().map(Into::into),
        label: match task.get("labelExpression") {
            None => TaskLabel::Absent,
            Some(Value::Null) => TaskLabel::Anywhere,
            Some(label) => TaskLabel::Expression(text(label).into()),
        },
    }
}

fn recorded_computer(value: &Value) -> Computer {
    let labels = value["assignedLabels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| text(&label["name"]));
    let built_in = value["_class"] == "hudson.model.Hudson$MasterComputer";
    computer(&text(&value["displayName"]), built_in, Some(labels.collect()))
}

fn recorded(queue: &str, computers: &str) -> JenkinsView {
    let list = |name: String, key: &str| reply(&name)[key].as_array().unwrap().clone();
    JenkinsView {
        queue: list(format!("{queue}.queue"), "items")
            .iter()
            .map(recorded_item)
            .collect(),
        computers: list(format!("{computers}.computers"), "computer")
            .iter()
            .map(recorded_computer)
            .collect(),
        ..JenkinsView::default()
    }
}

/// Checks the label requests of a recorded queue, `task: label request` for each item; once as it is, and once as if the tasks were
/// blocks of a pipeline, so that only the sentence tells.
#[track_caller]
fn check(queue: &str, computers: &str, as_is: &[&str], as_blocks: &[&str]) {
    let mut view = recorded(queue, computers);
    assert_eq!(shown(&view), as_is, "{queue}");
    for item in &mut view.queue {
        item.task_class = block("").task_class;
        item.label = TaskLabel::Absent;
    }
    assert_eq!(shown(&view), as_blocks, "{queue}, blocks");
}

fn shown(view: &JenkinsView) -> Vec<String> {
    // A minute after the newest item.
    let newest = view.queue.iter().map(|item| item.since).max().unwrap();
    let now = newest + SignedDuration::from_mins(1);
    let none = NodeTemplates::none();
    let label_requests =
        with_kinds(|templates| label_requests(view, templates, &none, now, SignedDuration::from_secs(1)));
    let label_request = |index: &Option<usize>| show(index.map(|index| &label_requests.distinct[index]));
    view.queue
        .iter()
        .zip(&label_requests.of_item)
        .map(|(item, index)| format!("{}: {}", item.task, label_request(index)))
        .collect()
}

const NO_AGENT: &str = "? jenkins has no agent at all, so its queue names no label; keep one permanent agent there (it may be offline), as jenkins.anchor: true does";

#[test]
fn nodes_offline_or_busy() {
    let linux = ["need-linux: label linux"];
    check(
        "one-offline",
        "one-offline",
        &linux,
        &["need-linux: like agent-1: linux x86"],
    );
    let two = ["need-none: label nosuch", "need-linux: label linux"];
    check("two-offline", "two-offline", &two, &two);
    check(
        "label-without-nodes",
        "one-offline",
        &two,
        &["need-none: label nosuch", "need-linux: like agent-1: linux x86"],
    );
    check(
        "one-online-busy",
        "one-online-busy",
        &linux,
        &["need-linux: like on-1: linux x86"],
    );
    let busy = ["need-linux: label linux", "holdb: label linux", "hold: label linux"];
    check("two-online-busy", "two-online-busy", &busy, &busy);
    check("not-accepting", "not-accepting", &linux, &linux);
    check(
        "tied-to-deleted-node",
        "one-online-busy",
        &["holdb2: label on-2"],
        &["holdb2: label on-2"],
    );
}

#[test]
fn composites() {
    let x86 = ["thr-x86: label x86"];
    check("doesnt-have-label", "two-online-busy", &x86, &x86);
    check("reserved", "two-online-busy", &["nolabel: any"], &["nolabel: any"]);
    check(
        "reserved-cut-at-5",
        "two-online-busy",
        &["nolabel: any"],
        &["nolabel: any"],
    );
}

#[test]
fn no_agent_at_all() {
    let none = format!("need-linux: {NO_AGENT}");
    check(
        "zero-agents-0-executors",
        "zero-agents",
        &["need-linux: label linux"],
        &[&none],
    );
    check(
        "zero-agents-2-executors",
        "zero-agents",
        &["need-linux: label linux"],
        &["need-linux: label linux"],
    );
    let nolabel = format!("nolabel: {NO_AGENT}");
    check(
        "zero-agents-no-label",
        "zero-agents",
        &["nolabel: any", "need-linux: label linux"],
        &[&nolabel, &none],
    );
}

#[test]
fn items_that_no_server_helps() {
    for name in ["quieting-down", "quiet-period", "blocked", "pending"] {
        let shown = shown(&recorded(name, "quieting-down"));
        assert!(shown.iter().all(|line| line.ends_with(": -")), "{name}: {shown:?}");
    }
}

#[test]
fn sentences_in_other_languages() {
    let labels = [
        "serial: -",
        "thr-x86: label x86",
        "x86j: label x86",
        "need-linux: label linux",
        "need-none: label nosuch",
        "solo: label solo",
        "l2: label linux2",
    ];
    for language in ["en", "de", "fr", "ja", "pt-br"] {
        let view = recorded(&format!("lang-{language}"), "quieting-down");
        assert_eq!(shown(&view), labels, "{language}");
    }
    let mut german = recorded("lang-de", "quieting-down");
    for item in &mut german.queue {
        item.label = TaskLabel::Absent;
        item.task_class = block("").task_class;
    }
    assert!(
        shown(&german)[1..]
            .iter()
            .all(|line| line.contains("? the sentence cannot be read"))
    );
}

#[test]
fn expressions() {
    let view = recorded("expressions", "two-online-busy");
    let label_requests = all(&view);
    assert_eq!(label_requests.of_item.len(), 23);
    for (item, index) in view.queue.iter().zip(&label_requests.of_item) {
        let shown = show(index.map(|index| &label_requests.distinct[index]));
        let why = item.why.clone().unwrap();
        let (_, printed) = why.split_once('‘').unwrap();
        // The only sentence here that names a node.
        let printed = if printed == "on-1’" { "linux&&x86’" } else { printed };
        assert_eq!(format!("{shown}’"), format!("label {printed}"));
    }
    check(
        "atom-like-expression",
        "two-online-busy",
        &["pa: label !ww", "pc: label !ww"],
        &["pa: label !ww", "pc: label !ww"],
    );
}
