//! POSTs, crumbs, and every way in which a removal can end.

use super::*;
use crate::jenkins::remove::{Drained, Removed};
use crate::jenkins::write::NodeDeletion;

const NODE: &str = "precise__0123456789ab";

fn name() -> NodeName {
    NodeName::new(NODE)
}

const OURS: &str = "mita: removing, pass 17";
const EARLIER: &str = "mita: removing, pass 3";
const DRAINED: &str = "mita: draining, by hand";

/// The recorded reading of a node that is marked, with another message.
fn bearing(message: &str) -> String {
    MARKED.replace("mita-drain run-17", message)
}

fn marked_busy(message: &str) -> String {
    MARKED_BUSY.replace("mita-busy", message)
}

fn request(name: &NodeName) -> RemoveNode<'_> {
    RemoveNode {
        name,
        mark: OURS,
        even_if_busy: false,
        by_monitor: false,
    }
}

/// Runs a removal; returns what came of it, the actions that were asked for, and how often it paused.
fn remove(script: Vec<Canned>, request: &RemoveNode<'_>) -> (Result<Removed, JenkinsError>, Vec<String>, u32) {
    let fake = Scripted::start(script);
    let client = client(&fake);
    let pauses = Cell::new(0);
    let removed = client.remove_node(request, &|_: Duration| pauses.set(pauses.get() + 1));
    let action = |line: &String| {
        let path = line.split('?').next().unwrap_or(line);
        path.replace(&format!("/jenkins/computer/{NODE}/"), "")
    };
    (removed, fake.lines().iter().map(action).collect(), pauses.get())
}

fn ended(script: Vec<Canned>, request: &RemoveNode<'_>, actions: &[&str]) -> (bool, NodeRemoval) {
    let (removed, seen, pauses) = remove(script, request);
    assert_eq!(
        (seen.as_slice(), pauses),
        (
            actions.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(),
            0
        )
    );
    let removed = removed.unwrap();
    (removed.marked, removed.outcome)
}

const READ: &str = "GET api/json";
const MARK: &str = "POST changeOfflineCause";
const BACK: &str = "POST toggleOffline";
const DELETE: &str = "POST doDelete";

fn at_node() -> Canned {
    done(&format!("http://127.0.0.1/jenkins/computer/{NODE}/"))
}

fn at_list() -> Canned {
    done("http://127.0.0.1/jenkins/computer/")
}

#[test]
fn an_idle_node_goes_in_four_requests() {
    let name = name();
    let script = vec![json(IDLE), at_node(), json(&bearing(OURS)), at_list()];
    let end = ended(script, &request(&name), &[READ, MARK, READ, DELETE]);
    assert!(matches!(end, (true, NodeRemoval::Deleted)), "{end:?}");
}

#[test]
fn a_busy_node_is_left_alone() {
    let name = name();
    let end = ended(vec![json(BUSY)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::Busy)), "{end:?}");
    let one_off = IDLE.replace("\"oneOffExecutors\": []", "\"oneOffExecutors\": [{\"idle\": false}]");
    let end = ended(vec![json(&one_off)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::Busy)), "{end:?}");
}

#[test]
fn force_skips_the_busy_check_only() {
    let name = name();
    let forced = RemoveNode {
        even_if_busy: true,
        ..request(&name)
    };
    let busy = marked_busy(OURS);
    let script = vec![json(BUSY), at_node(), json(&busy), at_list()];
    let end = ended(script, &forced, &[READ, MARK, READ, DELETE]);
    assert!(matches!(end, (true, NodeRemoval::Deleted)), "{end:?}");
    let held = bearing("keep it");
    let end = ended(vec![json(&held)], &forced, &[READ]);
    assert!(matches!(end, (false, NodeRemoval::HeldByPerson { .. })), "{end:?}");
}

#[test]
fn a_node_that_is_gone_is_gone() {
    let name = name();
    let end = ended(vec![missing()], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::Gone)), "{end:?}");
    let end = ended(
        vec![json(IDLE), at_node(), missing()],
        &request(&name),
        &[READ, MARK, READ],
    );
    assert!(matches!(end, (true, NodeRemoval::Gone)), "{end:?}");
    let script = vec![json(IDLE), at_node(), json(&bearing(OURS)), missing(), missing()];
    let end = ended(script, &request(&name), &[READ, MARK, READ, DELETE, READ]);
    assert!(matches!(end, (true, NodeRemoval::Gone)), "{end:?}");
}

#[test]
fn a_missing_delete_page_of_a_node_that_is_there_is_a_failure() {
    let name = name();
    let script = vec![
        json(IDLE),
        at_node(),
        json(&bearing(OURS)),
        missing(),
        json(&bearing(OURS)),
    ];
    let end = ended(script, &request(&name), &[READ, MARK, READ, DELETE, READ]);
    assert!(
        matches!(end, (true, NodeRemoval::Failed(JenkinsError::NotFound { .. }))),
        "{end:?}"
    );
}

#[test]
fn the_mark_of_a_person_holds() {
    let name = name();
    let held = bearing("debugging &lt;me&gt;");
    let (marked, outcome) = ended(vec![json(&held)], &request(&name), &[READ]);
    let NodeRemoval::HeldByPerson { reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((marked, reason.as_str()), (false, "debugging &lt;me&gt;"));
    let silent = bearing("");
    let end = ended(vec![json(&silent)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::HeldByPerson { .. })), "{end:?}");
}

#[test]
fn the_mark_of_a_monitor_holds_unless_it_may_be_replaced() {
    let name = name();
    let full = bearing("Disk space is too low").replace(
        "hudson.slaves.OfflineCause$UserCause",
        "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace",
    );
    let end = ended(vec![json(&full)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::HeldByPerson { .. })), "{end:?}");
    let lenient = RemoveNode {
        by_monitor: true,
        ..request(&name)
    };
    let script = vec![json(&full), at_node(), json(&bearing(OURS)), at_list()];
    let end = ended(script, &lenient, &[READ, MARK, READ, DELETE]);
    assert!(matches!(end, (true, NodeRemoval::Deleted)), "{end:?}");
    let person = bearing("debugging");
    let end = ended(vec![json(&person)], &lenient, &[READ]);
    assert!(matches!(end, (false, NodeRemoval::HeldByPerson { .. })), "{end:?}");
}

#[test]
fn what_an_earlier_pass_marked_is_deleted_without_another_mark() {
    let name = name();
    let earlier = bearing(EARLIER);
    let end = ended(vec![json(&earlier), at_list()], &request(&name), &[READ, DELETE]);
    assert!(matches!(end, (false, NodeRemoval::Deleted)), "{end:?}");
    let draining = marked_busy(EARLIER);
    let end = ended(vec![json(&draining)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::Busy)), "{end:?}");
}

#[test]
fn work_that_came_first_gets_its_node_back() {
    let name = name();
    let busy = marked_busy(OURS);
    let script = vec![json(IDLE), at_node(), json(&busy), at_node()];
    let end = ended(script, &request(&name), &[READ, MARK, READ, BACK]);
    assert!(
        matches!(end, (true, NodeRemoval::TurnedBusy { still_marked: None })),
        "{end:?}"
    );
    let script = vec![
        json(IDLE),
        at_node(),
        json(&busy),
        forbidden("hudson.model.Computer.Connect"),
    ];
    let end = ended(script, &request(&name), &[READ, MARK, READ, BACK]);
    assert!(
        matches!(end, (true, NodeRemoval::TurnedBusy { still_marked: Some(_) })),
        "{end:?}"
    );
}

#[test]
fn a_mark_that_was_replaced_or_taken_off_stops_everything() {
    let name = name();
    for second in [IDLE.to_owned(), BUSY.to_owned(), bearing("mine now")] {
        let script = vec![json(IDLE), at_node(), json(&second)];
        let end = ended(script, &request(&name), &[READ, MARK, READ]);
        assert!(matches!(end, (true, NodeRemoval::MarkLost)), "{end:?}");
    }
}

#[test]
fn a_failure_after_the_mark_says_that_it_is_marked() {
    let name = name();
    let oops = || Canned::new(500, &[HTML], "<title>Oops</title>");
    let end = ended(
        vec![json(IDLE), at_node(), oops()],
        &request(&name),
        &[READ, MARK, READ],
    );
    assert!(matches!(end, (true, NodeRemoval::Failed(_))), "{end:?}");
    let end = ended(
        vec![json(IDLE), at_node(), json(&bearing(OURS)), oops()],
        &request(&name),
        &[READ, MARK, READ, DELETE],
    );
    assert!(
        matches!(
            end,
            (true, NodeRemoval::Failed(JenkinsError::Failed { status: 500, .. }))
        ),
        "{end:?}"
    );
}

#[test]
fn a_node_that_may_never_be_deleted_is_brought_back() {
    let name = name();
    let script = vec![
        json(IDLE),
        at_node(),
        json(&bearing(OURS)),
        forbidden("hudson.model.Computer.Delete"),
        at_node(),
    ];
    let (_, outcome) = ended(script, &request(&name), &[READ, MARK, READ, DELETE, BACK]);
    let NodeRemoval::Failed(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(error.to_string().ends_with("user reader lacks Agent/Delete"), "{error}");
    let script = vec![
        json(&bearing(OURS)),
        forbidden("hudson.model.Computer.Delete"),
        at_node(),
    ];
    let end = ended(script, &request(&name), &[READ, DELETE, BACK]);
    assert!(matches!(end, (false, NodeRemoval::Failed(_))), "{end:?}");
}

#[test]
fn a_mark_that_is_refused_is_an_error() {
    let name = name();
    let (removed, seen, _) = remove(
        vec![json(IDLE), forbidden("hudson.model.Computer.Disconnect")],
        &request(&name),
    );
    let error = removed.unwrap_err();
    assert!(error.to_string().contains("Agent/Disconnect"), "{error}");
    assert_eq!(seen, [READ, MARK]);
}

#[test]
fn an_old_jenkins_is_given_a_second_to_settle() {
    let name = name();
    let old = |body: &str| Canned::new(200, &["Content-Type: application/json", "X-Jenkins: 2.492.3"], body);
    let (removed, _, pauses) = remove(
        vec![old(IDLE), at_node(), old(&bearing(OURS)), at_list()],
        &request(&name),
    );
    assert!(matches!(removed.unwrap().outcome, NodeRemoval::Deleted));
    assert_eq!(pauses, 1);
}

#[test]
fn a_message_is_escaped() {
    let fake = Scripted::start(vec![at_node(), at_node()]);
    let client = client(&fake);
    client
        .mark_offline(&NodeName::new("a b"), "mita: idle 45m & more +1?é")
        .unwrap();
    client.take_mark_back(&NodeName::new("a b"), "mita: a & b").unwrap();
    assert_eq!(
        fake.lines(),
        [
            "POST /jenkins/computer/a%20b/changeOfflineCause?offlineMessage=mita%3A%20idle%2045m%20%26%20more%20%2B1%3F%C3%A9",
            "POST /jenkins/computer/a%20b/toggleOffline?offlineMessage=mita%3A%20a%20%26%20b",
        ]
    );
    assert!(fake.requests()[0].to_lowercase().contains("content-length: 0\r\n"));
}

#[test]
fn a_redirect_out_of_jenkins_is_no_success() {
    let post = |canned: Canned| {
        let fake = Scripted::start(vec![canned]);
        client(&fake).delete_node(&name())
    };
    let moved = post(done(&format!(
        "https://ci.example.org/jenkins/computer/{NODE}/doDelete"
    )))
    .unwrap_err();
    assert!(matches!(moved, JenkinsError::Moved { .. }), "{moved}");
    assert!(
        moved
            .to_string()
            .contains("use https://ci.example.org/jenkins as jenkins.url"),
        "{moved}"
    );
    let login = post(done("/jenkins/login?from=%2Fjenkins%2Fcomputer%2F")).unwrap_err();
    assert!(matches!(login, JenkinsError::Auth { .. }), "{login}");
    let nowhere = post(Canned::new(302, &[], "")).unwrap_err();
    assert!(matches!(nowhere, JenkinsError::Moved { .. }), "{nowhere}");
    let permanent = post(Canned::new(308, &["Location: /jenkins/computer/"], "")).unwrap_err();
    assert!(matches!(permanent, JenkinsError::Moved { .. }), "{permanent}");
    for location in [
        "..",
        "/jenkins/computer/",
        "/computer/",
        "https://ci.example.org/jenkins/computer/",
    ] {
        assert_eq!(post(done(location)).unwrap(), NodeDeletion::Now, "{location}");
    }
}

#[test]
fn a_password_brings_a_crumb_and_its_session_once() {
    let issued = Canned::new(
        200,
        &[
            "Content-Type: application/json",
            "Set-Cookie: JSESSIONID.rj=node0; Path=/jenkins; HttpOnly",
            "Set-Cookie: remember-me=; Path=/jenkins",
        ],
        CRUMB,
    );
    let fake = Scripted::start(vec![json(IDLE), issued, at_node(), at_list()]);
    let client = password_client(&fake);
    client.node(&name()).unwrap();
    client.mark_offline(&name(), "m").unwrap();
    client.delete_node(&name()).unwrap();
    let requests = fake.requests();
    assert_eq!(fake.lines()[1], "GET /jenkins/crumbIssuer/api/json");
    for post in &requests[2..] {
        assert!(post.to_lowercase().contains("jenkins-crumb: ffff"), "{post}");
        assert!(post.contains("JSESSIONID.rj=node0\r\n"), "{post}");
    }
    assert!(!requests[0].to_lowercase().contains("cookie"));
}

#[test]
fn nothing_stands_between_the_reading_and_the_delete() {
    let issued = Canned::new(200, &["Content-Type: application/json"], CRUMB);
    let earlier = bearing(EARLIER);
    let fake = Scripted::start(vec![issued, json(&earlier), at_list()]);
    let removed = password_client(&fake).remove_node(&request(&name()), &|_: Duration| ());
    assert!(matches!(removed.unwrap().outcome, NodeRemoval::Deleted));
    let verbs: Vec<String> = fake
        .lines()
        .iter()
        .map(|l| l.split('?').next().unwrap().to_owned())
        .collect();
    assert!(verbs[0].contains("crumbIssuer") && verbs[1].starts_with("GET") && verbs[2].ends_with("doDelete"));
}

#[test]
fn without_crumb_protection_a_password_asks_once() {
    let fake = Scripted::start(vec![missing(), at_node(), at_list()]);
    let client = password_client(&fake);
    client.mark_offline(&name(), "m").unwrap();
    client.delete_node(&name()).unwrap();
    assert_eq!(client.requests(), 3);
}

#[test]
fn a_token_fetches_a_crumb_only_when_it_is_asked_for_one() {
    let fake = Scripted::start(vec![no_crumb(), json(CRUMB), at_node(), at_list()]);
    let client = client(&fake);
    client.mark_offline(&name(), "m").unwrap();
    client.delete_node(&name()).unwrap();
    let requests = fake.requests();
    assert!(!requests[0].to_lowercase().contains("crumb:"));
    assert!(requests[2].to_lowercase().contains("jenkins-crumb: ffff"));
    assert!(requests[3].to_lowercase().contains("jenkins-crumb: ffff"));
}

#[test]
fn a_crumb_that_is_never_good_ends_in_an_error() {
    let fake = Scripted::start(vec![no_crumb(), json(CRUMB), no_crumb()]);
    let client = client(&fake);
    let error = client.mark_offline(&name(), "m").unwrap_err();
    assert!(error.to_string().contains("No valid crumb"), "{error}");
    assert_eq!(client.requests(), 3);
}

#[test]
fn a_post_whose_reply_is_lost_is_not_repeated() {
    let fake = Scripted::start(vec![json(IDLE), Canned::hang_up()]);
    let client = client(&fake);
    client.node(&name()).unwrap();
    let error = client.delete_node(&name()).unwrap_err();
    assert!(matches!(error, JenkinsError::Unreachable { .. }), "{error}");
    assert_eq!(fake.lines().len(), 2);
}

/// A node is to be drained.
fn drained(script: Vec<Canned>, request: &RemoveNode<'_>, actions: &[&str]) -> Drained {
    let fake = Scripted::start(script);
    let drained = client(&fake).drain(request).unwrap();
    let place = format!("/jenkins/computer/{NODE}/");
    let seen: Vec<String> = fake
        .lines()
        .iter()
        .map(|line| line.split('?').next().unwrap_or(line).replace(&place, ""))
        .collect();
    assert_eq!(seen, actions);
    drained
}

#[test]
fn a_drain_marks_what_nobody_else_marked() {
    let name = name();
    let drain = RemoveNode {
        mark: DRAINED,
        ..request(&name)
    };
    // Whether it works does not matter; a mark of a removal is replaced, so that no pass takes it back.
    let removing = marked_busy(EARLIER);
    for first in [IDLE, BUSY, &removing] {
        let end = drained(vec![json(first), at_node()], &drain, &[READ, MARK]);
        assert_eq!(end, Drained::Now);
    }
    let before = bearing(DRAINED);
    assert_eq!(drained(vec![json(&before)], &drain, &[READ]), Drained::Before);
    let person = bearing("debugging");
    let end = drained(vec![json(&person)], &drain, &[READ]);
    assert!(matches!(end, Drained::HeldByPerson { reason } if reason.contains("debugging")));
}

#[test]
fn what_is_drained_goes_once_idle_and_is_never_brought_back() {
    let name = name();
    let idle = bearing(DRAINED);
    let end = ended(vec![json(&idle), at_list()], &request(&name), &[READ, DELETE]);
    assert!(matches!(end, (false, NodeRemoval::Deleted)), "{end:?}");
    let busy = marked_busy(DRAINED);
    let end = ended(vec![json(&busy)], &request(&name), &[READ]);
    assert!(matches!(end, (false, NodeRemoval::Busy)), "{end:?}");
    let script = vec![json(&idle), forbidden("hudson.model.Computer.Delete")];
    let end = ended(script, &request(&name), &[READ, DELETE]);
    assert!(matches!(end, (false, NodeRemoval::Failed(_))), "{end:?}");
}

/// The recorded reading of a node, with or without a channel.
fn with_channel(reading: &str, channel: bool) -> String {
    let path = if channel { "\"/srv/jenkins\"" } else { "null" };
    reading.replacen('{', &format!("{{\"absoluteRemotePath\": {path},"), 1)
}

/// What a node that a person disconnected looks like: no mark, and a cause.
fn disconnected(class: &str) -> String {
    bearing("bye")
        .replace("\"temporarilyOffline\": true", "\"temporarilyOffline\": false")
        .replace("OfflineCause$UserCause", class)
}

#[test]
fn a_node_that_a_person_disconnected_is_left_alone() {
    let name = name();
    let forced = RemoveNode {
        even_if_busy: true,
        by_monitor: true,
        ..request(&name)
    };
    for class in ["OfflineCause$UserCause", "OfflineCause$ByCLI"] {
        for request in [request(&name), forced] {
            let (marked, outcome) = ended(vec![json(&disconnected(class))], &request, &[READ]);
            assert!(
                matches!((marked, &outcome), (false, NodeRemoval::HeldByPerson { reason }) if reason == "bye"),
                "{outcome:?}"
            );
        }
        let end = drained(vec![json(&disconnected(class))], &request(&name), &[READ]);
        assert!(matches!(end, Drained::HeldByPerson { reason } if reason == "bye"));
    }
    // One whose agent went away by itself is not a person's.
    let broken = disconnected("OfflineCause$ChannelTermination");
    let script = vec![json(&broken), at_node(), json(&bearing(OURS)), at_list()];
    let end = ended(script, &request(&name), &[READ, MARK, READ, DELETE]);
    assert!(matches!(end, (true, NodeRemoval::Deleted)), "{end:?}");
}

#[test]
fn a_connection_that_ends_under_our_mark_stops_everything() {
    let name = name();
    let (up, down) = (with_channel(IDLE, true), with_channel(&bearing(OURS), false));
    let script = vec![json(&up), at_node(), json(&down), at_node()];
    let end = ended(script, &request(&name), &[READ, MARK, READ, BACK]);
    assert!(
        matches!(end, (true, NodeRemoval::Disconnected { still_marked: None })),
        "{end:?}"
    );
    let script = vec![
        json(&up),
        at_node(),
        json(&down),
        forbidden("hudson.model.Computer.Connect"),
    ];
    let end = ended(script, &request(&name), &[READ, MARK, READ, BACK]);
    assert!(
        matches!(end, (true, NodeRemoval::Disconnected { still_marked: Some(_) })),
        "{end:?}"
    );
    // Nothing changed, or nothing is told of the channel, or there was none before: it goes.
    for (first, second) in [
        (up.clone(), with_channel(&bearing(OURS), true)),
        (with_channel(IDLE, false), down),
        (IDLE.to_owned(), bearing(OURS)),
    ] {
        let script = vec![json(&first), at_node(), json(&second), at_list()];
        let end = ended(script, &request(&name), &[READ, MARK, READ, DELETE]);
        assert!(matches!(end, (true, NodeRemoval::Deleted)), "{end:?}");
    }
}
