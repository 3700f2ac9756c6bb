//! Queue, computers, nodes and configurations as recorded.

use super::*;
use crate::jenkins::wire::{self, KeptTexts};
use crate::model::{Checked, OfflineBy, QueueItem, digest};

fn items(body: &str, keep: KeptTexts) -> Vec<QueueItem> {
    wire::queue(body.into(), keep).unwrap().items
}

#[test]
fn a_waiting_item_keeps_what_it_says() {
    let queue = items(QUEUE, KeptTexts::Waiting);
    let item = &queue[0];
    assert_eq!((item.id, item.stage, item.stuck), (14, Stage::Buildable, false));
    assert_eq!(
        item.why.as_deref(),
        Some("Waiting for next available executor on ‘linux’")
    );
    assert_eq!(
        (item.task.as_str(), item.task_name.as_str()),
        ("need-linux", "need-linux")
    );
    assert_eq!(item.task_class.as_deref(), Some("hudson.model.FreeStyleProject"));
    assert_eq!(
        item.task_url.as_deref(),
        Some("http://127.0.0.1:18080/jenkins/job/need-linux/")
    );
    assert_eq!(item.label, TaskLabel::Expression("linux".into()));
    assert_eq!(item.since.as_millisecond(), 1_795_345_024_717);
}

#[test]
fn stages_are_told_apart() {
    let stage = |body: &str| items(body, KeptTexts::Waiting)[0].stage;
    assert_eq!(
        stage(include_str!(
            "../../../tests/fixtures/jenkins/client-queue-quiet-2.544.json"
        )),
        Stage::Waiting
    );
    assert_eq!(
        stage(include_str!(
            "../../../tests/fixtures/jenkins/client-queue-blocked-2.544.json"
        )),
        Stage::Blocked
    );
    assert_eq!(
        stage(include_str!(
            "../../../tests/fixtures/jenkins/client-queue-pending-2.544.json"
        )),
        Stage::Pending
    );
}

#[test]
fn an_item_that_does_not_wait_keeps_its_label_only_unless_all_is_wanted() {
    let body = include_str!("../../../tests/fixtures/jenkins/client-queue-quiet-2.544.json");
    let lean = &items(body, KeptTexts::Waiting)[0];
    assert_eq!((lean.why.as_deref(), lean.task.as_str()), (None, ""));
    assert_eq!(lean.label, TaskLabel::Expression("linux".into()));
    let full = &items(body, KeptTexts::All)[0];
    assert_eq!(full.why.as_deref(), Some("In the quiet period. Expires in 43 sec"));
    assert_eq!(full.task, "need-linux");
}

#[test]
fn an_absent_label_is_not_a_null_one() {
    let nolabel = include_str!("../../../tests/fixtures/jenkins/client-queue-nolabel-2.544.json");
    let labels: Vec<_> = items(nolabel, KeptTexts::Waiting)
        .into_iter()
        .map(|item| item.label)
        .collect();
    assert_eq!(labels, [TaskLabel::Anywhere, TaskLabel::Expression("linux".into())]);
    // Without tree= the field is not there, as with a pipeline or a Jenkins before 2.94.
    let default = include_str!("../../../tests/fixtures/jenkins/client-queue-default-2.544.json");
    assert!(
        items(default, KeptTexts::Waiting)
            .iter()
            .all(|item| item.label == TaskLabel::Absent)
    );
}

#[test]
fn an_odd_item_does_not_fail_the_queue() {
    let body = r#"{"items":[null, 7, [1], "x", {}, {"id":"x"}, {"id":-1}, {"id":1.5},
        {"id":1,"buildable":true,"task":null,"why":{"a":[1]},"stuck":"yes","inQueueSince":9223372036854775807},
        {"id":2,"buildable":true,"task":{"fullDisplayName":"part of a » b #1","name":"","extra":{"deep":[{}]}}},
        {"id":3,"buildable":true,"task":{"name":"A=\"1\",B=\u00e9"},"why":"x\u2018y\u2019"}]}"#;
    let queue = items(body, KeptTexts::Waiting);
    assert_eq!(queue.iter().map(|item| item.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        (queue[0].why.as_deref(), queue[0].task.as_str(), queue[0].stuck),
        (None, "", false)
    );
    assert_eq!(queue[0].since.as_second(), 0);
    assert_eq!(queue[1].task, "part of a » b #1");
    assert_eq!(queue[2].task_name, "A=\"1\",B=é");
    assert_eq!(queue[2].why.as_deref(), Some("x‘y’"));
}

#[test]
fn too_many_items_are_refused() {
    let body = format!("{{\"items\":[{}0]}}", "0,".repeat(1_000_000));
    let error = wire::queue(body.into(), KeptTexts::Waiting).unwrap_err();
    assert!(error.contains("more than 1000000"), "{error}");
}

#[test]
fn computers_say_what_they_do() {
    let computers = wire::computers(COMPUTERS.as_bytes()).unwrap().all;
    assert!(computers[0].built_in && computers[0].executors == 0);
    assert!(computers[1..].iter().all(|computer| !computer.built_in));
    let marked = &computers[4];
    assert_eq!(marked.name, NodeName::new("on-1"));
    assert!(marked.idle && marked.offline && marked.temporarily_offline);
    assert_eq!(marked.offline_reason, "mita-drain run-17");
    assert_eq!(
        marked.offline_class.as_deref(),
        Some("hudson.slaves.OfflineCause$UserCause")
    );
    assert_eq!(
        (marked.executors, marked.idle_executors, marked.one_off_busy),
        (1, 1, false)
    );
    assert_eq!(
        marked.labels,
        Some(vec!["linux".to_owned(), "x86".to_owned(), "on-1".to_owned()])
    );
}

#[test]
fn executors_that_say_nothing_are_as_their_node() {
    let running = include_str!("../../../tests/fixtures/jenkins/client-computers-running-2.544.json");
    let computers = wire::computers(running.as_bytes()).unwrap().all;
    let busy = computers
        .iter()
        .find(|computer| computer.name.as_str() == "on-1")
        .unwrap();
    assert_eq!((busy.idle, busy.executors, busy.idle_executors), (false, 1, 0));
    // Without tree= the executors are bare objects.
    let default = include_str!("../../../tests/fixtures/jenkins/client-computers-default-2.544.json");
    let computers = wire::computers(default.as_bytes()).unwrap().all;
    let busy = computers
        .iter()
        .find(|computer| computer.name.as_str() == "on-1")
        .unwrap();
    assert_eq!((busy.idle, busy.executors, busy.idle_executors), (false, 1, 0));
    let idle = default.replace("\"idle\": false", "\"idle\": true");
    let computers = wire::computers(idle.as_bytes()).unwrap().all;
    assert!(
        computers
            .iter()
            .all(|computer| computer.idle_executors == computer.executors)
    );
}

#[test]
fn an_old_jenkins_names_no_classes_and_no_labels() {
    let body = r#"{"computer":[{"displayName":"master","idle":true,"executors":[{},{}],"oneOffExecutors":[{}]},
        {"displayName":"a b","idle":null,"executors":null,"offlineCause":{}}]}"#;
    let computers = wire::computers(body.as_bytes()).unwrap().all;
    assert!(computers[0].built_in && computers[0].one_off_busy);
    assert_eq!(computers[0].labels, None);
    assert!(
        !computers[1].built_in && !computers[1].idle,
        "what does not say that it is idle is busy"
    );
}

#[test]
fn a_node_is_read_by_its_escaped_name() {
    let fake = Scripted::start(vec![json(BUSY), missing()]);
    let client = client(&fake);
    let node = client
        .node(&NodeName::new("precise+10.0.0.1 é/x".trim_end_matches("/x")))
        .unwrap()
        .unwrap();
    assert!(!node.idle && !node.is_idle());
    assert_eq!(client.node(&NodeName::new("gone")).unwrap(), None);
    assert!(client.node(&NodeName::new("..")).is_err());
    let lines = fake.lines();
    assert!(
        lines[0].starts_with("GET /jenkins/computer/precise%2B10.0.0.1%20%C3%A9/api/json?tree=idle%2Coffline"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_missing_page_of_unknown_origin_is_checked_against_the_list() {
    let bare = || Canned::new(404, &[HTML], "<title>Error 404</title>");
    let node = |name: &str, canned: Vec<Canned>| {
        let fake = Scripted::start(canned);
        client(&fake).node(&NodeName::new(name))
    };
    assert_eq!(node("gone", vec![bare(), json(COMPUTERS)]).unwrap(), None);
    let listed = node("on-1", vec![bare(), json(COMPUTERS)]).unwrap_err();
    assert!(matches!(listed, JenkinsError::NotFound { .. }), "{listed}");
    assert!(
        node("gone", vec![bare(), bare()]).is_err(),
        "a wrong context path is no proof"
    );
    assert!(node("gone", vec![bare(), json("{\"computer\":[]}")]).is_err());
}

#[test]
fn a_node_that_does_not_say_whether_it_is_idle_is_an_error() {
    for body in [
        "{}",
        r#"{"idle":true,"offline":true}"#,
        r#"{"idle":"true","offline":true,"temporarilyOffline":true}"#,
    ] {
        assert!(wire::node(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn labels_of_a_node_come_from_the_label_or_its_configuration() {
    let label = include_str!("../../../tests/fixtures/jenkins/client-label-2.544.json");
    let config = include_str!("../../../tests/fixtures/jenkins/client-node-config-2.544.xml");
    let xml = Canned::new(200, &["Content-Type: application/xml"], config);
    let fake = Scripted::start(vec![json(label), json("{\"nodes\":[{\"nodeName\":\"xml 2\"}]}"), xml]);
    let client = client(&fake);
    assert_eq!(
        client.node_labels(&NodeName::new("on-1")).unwrap(),
        ["linux", "x86", "on-1"]
    );
    assert_eq!(
        client.node_labels(&NodeName::new("xml 2")).unwrap(),
        ["linux", "x86", "xml 2"]
    );
    let lines = fake.lines();
    assert!(
        lines[1].starts_with("GET /jenkins/label/%22xml%202%22/api/json?tree="),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "GET /jenkins/computer/xml%202/config.xml");
}

#[test]
fn a_job_is_read_by_its_path() {
    let config = "<project><assignedNode>linux</assignedNode><canRoam>false</canRoam></project>";
    let xml = Canned::new(200, &["Content-Type: application/xml"], config);
    let fake = Scripted::start(vec![
        xml,
        Canned::new(200, &[HTML], "<html><br>"),
        forbidden("hudson.model.Item.ExtendedRead"),
    ]);
    let client = client(&fake);
    assert_eq!(
        client.job_config("job/a/job/b").unwrap().assigned_node.as_deref(),
        Some("linux")
    );
    assert!(matches!(
        client.job_config("job/a"),
        Err(JenkinsError::BadAnswer { .. })
    ));
    let error = client.job_config("job/a").unwrap_err().to_string();
    assert!(error.ends_with("user reader lacks Job/ExtendedRead"), "{error}");
    assert!(client.job_config("../manage").is_err());
    assert_eq!(fake.lines()[0], "GET /jenkins/job/a/job/b/config.xml");
    assert_eq!(client.requests(), 3);
}

#[test]
fn a_check_tells_what_is_missing_and_what_it_cannot_tell() {
    let computers = wire::computers(COMPUTERS.as_bytes()).unwrap().all;
    let root = || json("{\"quietingDown\":false}");
    let page = |body: &str| Canned::new(200, &[HTML, "X-Jenkins: 2.544"], body);
    let check = |jobs: &str, agent: &str| {
        let fake = Scripted::start(vec![root(), json(jobs), page(agent)]);
        let mut checked = Checked::default();
        assert!(client(&fake).check(&computers, &mut checked).is_empty());
        checked
    };
    let good = check(
        "{\"jobs\":[]}",
        "<form action=\"markOffline\"> <a href=\"/jenkins/computer/off-1/delete\">",
    );
    assert!(
        good.missing.is_empty() && good.hints.len() == 1 && good.hints[0].starts_with("Job/Read"),
        "{good:?}"
    );
    let half = check("{}", "<form action=\"markOffline\">");
    assert!(
        half.missing.len() == 1 && half.missing[0].starts_with("Agent/Delete"),
        "{half:?}"
    );
    let none = check("{}", "<p>");
    assert!(none.missing.len() == 2 && none.hints.len() == 1, "{none:?}");
}

#[test]
fn a_check_only_reads() {
    let fake = Scripted::start(vec![
        json("{\"quietingDown\":false}"),
        json("{\"jobs\":[{\"name\":\"a b\"}]}"),
        forbidden("hudson.model.Item.ExtendedRead"),
    ]);
    let mut checked = Checked::default();
    assert!(client(&fake).check(&[], &mut checked).is_empty());
    assert!(checked.missing.is_empty() && checked.hints.len() == 2, "{checked:?}");
    assert_eq!(fake.lines()[2], "GET /jenkins/job/a%20b/config.xml");
    assert!(fake.lines().iter().all(|line| line.starts_with("GET ")));
}

#[test]
fn items_of_jobs_that_may_not_be_read_are_counted() {
    let body = include_str!("../../../tests/fixtures/jenkins/client-queue-discover-2.544.json");
    let hidden = |body: &str| {
        let queue = wire::queue(body.into(), KeptTexts::Waiting).unwrap();
        (queue.items.len(), queue.hidden, queue.odd.len())
    };
    assert_eq!(hidden(body), (0, 1, 0));
    for none in [
        r#"{"items":[]}"#,
        r#"{"discoverableItems":null,"items":[]}"#,
        r#"{"items":[],"discoverableItems":{}}"#,
        r#"{"items":[],"discoverableItems":"x"}"#,
        r#"{"items":[],"discoverableItems":3}"#,
    ] {
        assert_eq!(hidden(none), (0, 0, 0), "{none}");
    }
    assert!(wire::queue(br#"{"discoverableItems":[]}"#.to_vec(), KeptTexts::Waiting).is_err());
}

#[test]
fn who_may_use_the_script_console_sees_its_page() {
    let page = || {
        Canned::new(
            200,
            &[HTML, "X-Jenkins: 2.544"],
            "<title>Script Console - Jenkins</title>",
        )
    };
    let fake = Scripted::start(vec![
        page(),
        forbidden("hudson.model.Hudson.Administer"),
        Canned::new(503, &[HTML], "<title>Starting Jenkins</title>"),
    ]);
    let client = client(&fake);
    assert!(client.may_use_scripts().unwrap());
    assert!(!client.may_use_scripts().unwrap());
    assert!(client.may_use_scripts().is_err());
    assert_eq!(fake.lines()[0], "GET /jenkins/script");
}

#[test]
fn builds_are_told_apart_where_they_were_asked_for() {
    let running = include_str!("../../../tests/fixtures/jenkins/client-computers-running-2.544.json");
    let computers = wire::computers(running.as_bytes()).unwrap().all;
    let told: Vec<(&str, &[String])> = computers
        .iter()
        .map(|c| (c.name.as_str(), c.running.as_slice()))
        .collect();
    let build = [digest(b"http://127.0.0.1:18080/jenkins/job/serial/2532/")];
    let silent: &[String] = &[];
    assert_eq!(
        told,
        [
            ("master", silent),
            ("off-1", silent),
            ("off-2", silent),
            ("off-3", silent),
            ("on-1", &build)
        ]
    );
    // One that may not be seen is at work all the same.
    let hidden = running.replace("\"url\": \"http", "\"was\": \"http");
    let node = wire::computers(hidden.as_bytes()).unwrap().all.pop().unwrap();
    assert_eq!((node.idle_executors, node.running.len()), (0, 0));
}

#[test]
fn only_executors_of_their_own_are_asked_for_their_builds() {
    let tree = wire::computer_tree(true, false);
    assert_eq!(tree.matches("currentExecutable%5Burl%5D").count(), 1, "{tree}");
    assert!(
        tree.contains("executors%5Bidle%2CcurrentExecutable%5Burl%5D%5D%2ConeOffExecutors%5Bidle%5D"),
        "{tree}"
    );
}

#[test]
fn the_names_of_builds_are_asked_for_on_request() {
    assert!(!wire::computer_tree(false, false).contains("currentExecutable"));
    let tree = wire::computer_tree(false, true);
    assert!(
        tree.contains("executors%5Bidle%2CcurrentExecutable%5BfullDisplayName%5D%5D%2ConeOff"),
        "{tree}"
    );
    let both = wire::computer_tree(true, true);
    assert!(both.contains("currentExecutable%5Burl%2CfullDisplayName%5D"), "{both}");
    let body = r#"{"computer": [{"displayName": "n", "idle": false, "offline": false, "temporarilyOffline": false,
        "executors": [{"idle": false, "currentExecutable": {"fullDisplayName": "team » app #7"}},
                      {"idle": false, "currentExecutable": null}, {"idle": true}]}]}"#;
    let node = wire::computers(body.as_bytes()).unwrap().all.pop().unwrap();
    assert_eq!(
        (node.jobs, node.running),
        (vec!["team » app #7".to_owned()], Vec::new())
    );
}

#[test]
fn a_real_mark_with_odd_characters_is_found() {
    let body = include_bytes!("../../../tests/fixtures/jenkins/client-node-marked-odd-2.544.json");
    let node = wire::node(body).unwrap();
    assert!(node.offline_signs().is_mark("a : b <c> & \"d\" 'e' é"));
    assert!(node.offline_signs().has_mark("a : b"));
    assert_eq!(node.offline_by(), OfflineBy::Person);
}

#[test]
fn the_ssh_plugin_is_known_by_its_help() {
    let check = |canned: Canned| {
        let fake = Scripted::start(vec![canned]);
        let mut checked = Checked::default();
        client(&fake).check_ssh(&mut checked).unwrap();
        assert_eq!(
            fake.lines(),
            ["GET /jenkins/descriptorByName/hudson.plugins.sshslaves.SSHLauncher/help"]
        );
        (checked.missing.len(), checked.hints.len())
    };
    let named = [HTML, "X-Jenkins: 2.544", "X-Plugin-Short-Name: ssh-slaves"];
    assert_eq!(check(Canned::new(200, &named, "<div>")), (0, 0));
    assert_eq!(
        check(Canned::new(404, &named, "")),
        (0, 0),
        "a version without this page"
    );
    assert_eq!(check(missing()), (1, 0));
    assert_eq!(check(Canned::new(404, &[HTML], "")), (0, 1), "whoever says so");
    assert_eq!(check(forbidden("hudson.model.Hudson.Read")), (0, 1));
}

#[test]
fn a_name_in_any_bytes_hides_no_permission() {
    let named = Canned::new(
        403,
        &[
            HTML,
            "X-You-Are-Authenticated-As: jos\u{e9}",
            "X-Required-Permission: hudson.model.Computer.Delete",
        ],
        "",
    );
    let fake = Scripted::start(vec![named]);
    let error = client(&fake).delete_node(&NodeName::new("n")).unwrap_err();
    assert!(
        error.to_string().ends_with("user jos\u{e9} lacks Agent/Delete"),
        "{error}"
    );
}
