//! One odd thing in a list: it alone is not known, and all the rest is read.

use super::*;
use crate::jenkins::wire::{self, KeptTexts};
use crate::model::{Computer, OfflineBy, QueueItem};

/// What no string of JSON may hold, as it stands in a reply.
const NO_TEXT: [&str; 8] = [
    "\u{7}",
    "\0",
    "\n",
    "\u{1b}[31m",
    "\\ud800",
    "\\udc00",
    "\\ud800\\ud800",
    "\\x",
];

fn item(id: &str, task: &str, rest: &str) -> String {
    format!(
        r#"{{"_class":"hudson.model.Queue$BuildableItem","id":{id},"why":"Waiting for next available executor on ‘linux’",
            "stuck":false,"blocked":false,"buildable":true,"pending":false,"inQueueSince":1000,"task":{task}{rest}}}"#
    )
}

fn task(name: &str, label: &str) -> String {
    format!(
        r#"{{"_class":"hudson.model.FreeStyleProject","name":"{name}","fullName":"f/{name}",
            "url":"http://h/job/f/job/x/","labelExpression":"{label}"}}"#
    )
}

/// Reads a queue of an odd item among two good ones; the two are always there.
fn queue(odd: &str) -> (Option<QueueItem>, Vec<String>) {
    let good = |id: &str| item(id, &task("good", "linux"), "");
    let body = format!(r#"{{"items":[{},{odd},{}]}}"#, good("1"), good("3"));
    let mut read = wire::queue(body.into(), KeptTexts::Waiting).unwrap();
    let ids = |items: &[QueueItem]| items.iter().map(|item| item.id).collect::<Vec<_>>();
    let at = read.items.iter().position(|item| ![1, 3].contains(&item.id));
    let item = at.map(|at| read.items.remove(at));
    assert_eq!(ids(&read.items), [1, 3], "{odd}");
    let label = TaskLabel::Expression("linux".into());
    assert!(
        read.items
            .iter()
            .all(|item| item.label == label && item.task == "f/good")
    );
    (item, read.odd)
}

#[test]
fn a_name_that_is_no_text_spoils_its_item_no_more_than_the_others() {
    for bad in NO_TEXT {
        let (item, odd) = queue(&item("2", &task(&format!("a{bad}b"), "linux"), ""));
        let item = item.unwrap();
        assert!(
            item.task.starts_with("f/a\u{fffd}") && item.task.ends_with('b'),
            "{bad:?}: {}",
            item.task
        );
        assert_eq!(item.label, TaskLabel::Expression("linux".into()));
        assert!(item.why.is_some() && item.task_url.is_some());
        assert_eq!(odd.len(), 1, "{odd:?}");
        assert!(odd[0].contains("f/a\u{fffd}") && !odd[0].contains('2'), "{odd:?}");
    }
}

#[test]
fn a_label_or_a_sentence_that_is_no_text_is_not_known() {
    for bad in NO_TEXT {
        let (item2, odd) = queue(&item("2", &task("x", &format!("big{bad}")), ""));
        assert_eq!((item2.unwrap().label, odd.len()), (TaskLabel::Absent, 1), "{bad:?}");
        let sentence = item("2", &task("x", "linux"), "").replace("‘linux’", &format!("‘li{bad}nux’"));
        let (item, odd) = queue(&sentence);
        let item = item.unwrap();
        assert_eq!((item.why, odd.len()), (None, 1), "{bad:?}");
        assert_eq!(item.label, TaskLabel::Expression("linux".into()));
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_no_text_either() {
    let mut body = format!(r#"{{"items":[{}]}}"#, item("2", &task("aXb", "linux"), "")).into_bytes();
    for byte in &mut body {
        if *byte == b'X' {
            *byte = 0xe9;
        }
    }
    let read = wire::queue(body.clone(), KeptTexts::Waiting).unwrap();
    assert_eq!((read.items.len(), read.items[0].task.as_str()), (1, "f/a\u{fffd}b"));
    assert_eq!(read.odd.len(), 1);
}

#[test]
fn an_item_of_another_shape_is_left_alone() {
    let good = task("x", "linux");
    for (odd, kept) in [
        ("3.5".to_owned(), false),
        ("null".to_owned(), false),
        ("[2]".to_owned(), false),
        ("{}".to_owned(), false),
        (item("\"2\"", &good, ""), false),
        (item("-2", &good, ""), false),
        (item("null", &good, ""), false),
        (item("2", &good, ",\"id\":4"), false),
        (item("2", &good, ",\"stuck\":1e999"), false),
        (item("2", "null", ""), true),
        (item("2", "[1]", ""), true),
        (item("2", &good, "").replace("\"inQueueSince\":1000,", ""), true),
        (item("2", &good, "").replace("1000", "\"x\""), true),
        (item("2", &good, "").replace("\"buildable\":true,", ""), true),
    ] {
        let (item, said) = queue(&odd);
        assert_eq!((item.is_some(), said.len()), (kept, 1), "{odd}: {said:?}");
        assert!(!said[0].contains('2'), "nothing volatile: {said:?}");
    }
}

#[test]
fn an_item_that_does_not_say_whether_it_waits_does_not_count() {
    let (item, _) = queue(&item("2", &task("x", "linux"), "").replace("\"buildable\":true", "\"buildable\":\"yes\""));
    assert_eq!(item.unwrap().stage, Stage::Waiting);
}

#[test]
fn what_is_said_of_many_stays_short() {
    let many: Vec<String> = (0..500)
        .map(|n| item("2", &task(&format!("job{n}\u{7}"), "x"), ""))
        .collect();
    let body = format!(r#"{{"items":[{}]}}"#, many.join(","));
    let read = wire::queue(body.into(), KeptTexts::Waiting).unwrap();
    assert_eq!((read.items.len(), read.odd.len()), (500, 21));
}

const NODE: &str = r#"{"_class":"hudson.slaves.SlaveComputer","displayName":"small__0123456789ab","idle":true,
    "offline":false,"temporarilyOffline":false,"offlineCauseReason":"","offlineCause":null,
    "assignedLabels":[{"name":"linux"}],"executors":[{"idle":true}],"oneOffExecutors":[]}"#;

/// Reads a list of an odd computer among two good ones.
fn computers(odd: &str) -> (Option<Computer>, u64, Vec<String>) {
    let good = |name: &str| NODE.replace("small__0123456789ab", name);
    let body = format!(r#"{{"computer":[{},{odd},{}]}}"#, good("a"), good("b"));
    let mut read = wire::computers(body.as_bytes()).unwrap();
    let at = read
        .all
        .iter()
        .position(|node| !["a", "b"].contains(&node.name.as_str()));
    let node = at.map(|at| read.all.remove(at));
    assert!(read.all.len() == 2 && read.all.iter().all(Computer::is_idle), "{odd}");
    (node, read.nameless, read.odd)
}

#[test]
fn a_computer_that_cannot_be_read_whole_is_there_and_busy() {
    let odd = [
        NODE.replace("\"idle\":true,\n", "\"idle\":\"yes\",\n"),
        NODE.replace("\"offline\":false", "\"offline\":null"),
        NODE.replace("\"temporarilyOffline\":false", "\"temporarilyOffline\":0"),
        NODE.replace("[{\"idle\":true}]", "7"),
        NODE.replace("[{\"idle\":true}]", "null"),
        NODE.replace("\"oneOffExecutors\":[]", "\"oneOffExecutors\":\"x\""),
        NODE.replace("[{\"name\":\"linux\"}]", "3"),
        NODE.replace("[{\"name\":\"linux\"}]", "[{\"name\":\"li\u{7}nux\"}]"),
        NODE.replace("\"offlineCauseReason\":\"\"", "\"offlineCauseReason\":\"a\\ud800\""),
        NODE.replace("\"idle\":true,\n", "\"idle\":true,\"idle\":true,\n"),
        r#"{"displayName":"small__0123456789ab"}"#.to_owned(),
    ];
    for odd in odd {
        let (node, nameless, said) = computers(&odd);
        let node = node.unwrap();
        assert_eq!((node.name.as_str(), nameless), ("small__0123456789ab", 0), "{odd}");
        assert!(
            !node.is_idle() && node.executors >= 1 && node.idle_executors == 0,
            "{odd}: {node:?}"
        );
        assert_eq!(
            said,
            ["node \"small__0123456789ab\" could not be read whole and counts as busy"],
            "{odd}"
        );
    }
}

#[test]
fn a_name_that_is_no_text_is_kept_as_far_as_it_can_be_read() {
    for bad in NO_TEXT {
        let (node, nameless, said) = computers(&NODE.replace("89ab", &format!("89ab{bad}")));
        let node = node.unwrap();
        assert!(
            node.name.as_str().starts_with("small__0123456789ab\u{fffd}"),
            "{}",
            node.name
        );
        assert!(!node.is_idle() && nameless == 0 && said.len() == 1);
    }
}

#[test]
fn a_computer_without_a_readable_name_is_counted() {
    for odd in [
        "{}",
        "null",
        "5",
        r#"{"displayName":""}"#,
        r#"{"displayName":7,"idle":true}"#,
        "{\"displayName\":null}",
    ] {
        let (node, nameless, said) = computers(odd);
        assert_eq!((node, nameless, said.len()), (None, 1, 1), "{odd}");
    }
    let body = r#"{"computer":[{"displayName":"a"},{}]}"#;
    assert!(
        wire::computer_names(body.as_bytes()).is_err(),
        "nobody can say that a name is not in it"
    );
}

#[test]
fn a_node_whose_message_is_no_text_is_still_a_persons() {
    let body = bearing_odd("look \u{7}here");
    let node = wire::node(body.as_bytes()).unwrap();
    assert_eq!(node.offline_by(), OfflineBy::Person);
    assert!(wire::node(b"{\"idle\":tr").is_err());
}

fn bearing_odd(message: &str) -> String {
    MARKED.replace("mita-drain run-17", message)
}

#[test]
fn a_list_that_is_cut_off_stays_an_error() {
    let whole = format!(r#"{{"items":[{}]}}"#, item("2", &task("a\u{7}b", "linux"), ""));
    for cut in [whole.len() - 1, whole.len() - 2, whole.len() / 2, 12] {
        let mut cut = cut;
        while !whole.is_char_boundary(cut) {
            cut -= 1;
        }
        assert!(
            wire::queue(whole.as_bytes()[..cut].to_vec(), KeptTexts::Waiting).is_err(),
            "{cut}"
        );
    }
    let whole = format!(r#"{{"computer":[{NODE},{{}}]}}"#);
    assert!(wire::computers(&whole.as_bytes()[..whole.len() - 1]).is_err());
    assert!(wire::computers(&whole.as_bytes()[..whole.len() / 2]).is_err());
}

#[test]
fn a_view_says_what_is_odd_and_knows_the_clock() {
    let queue = format!(
        r#"{{"items":[{}]}}"#,
        item("2", &task("a\u{7}b", "linux"), "").replace("1000", "null")
    );
    let computers = format!(r#"{{"computer":[{NODE},{{}}]}}"#);
    let headers: Vec<&str> = JSON
        .iter()
        .copied()
        .chain(["Date: Sun, 22 Nov 2026 12:00:08 GMT"])
        .collect();
    let fake = Scripted::start(vec![Canned::new(200, &headers, &queue), json(&computers)]);
    let view = client(&fake).view().unwrap();
    let clock = "2026-11-22T12:00:08Z".parse().unwrap();
    assert_eq!(
        (view.clock, view.queue[0].since),
        (Some(clock), clock),
        "an item without an age just came"
    );
    assert_eq!((view.nameless, view.odd.len()), (1, 2));
}
