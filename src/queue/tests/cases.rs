//! A table over the forms of `why`, and texts that nobody writes.

use proptest::prelude::*;

use super::*;
use crate::labels::Label;

/// Checks the label request of a freestyle job with this sentence and label field.
#[track_caller]
fn check(why: &str, label: TaskLabel, agents: &[&str], label_request: &str) {
    assert_eq!(request_of(&view(agents), item(why, label)), label_request, "{why}");
}

/// Checks the label request of a pipeline's `node` block, of which only the sentence tells.
#[track_caller]
fn check_block(why: &str, agents: &[&str], label_request: &str) {
    assert_eq!(request_of(&view(agents), block(why)), label_request, "{why}");
}

const PLAIN: &str = "Waiting for next available executor";

#[test]
fn labels_in_sentences() {
    let n1: &[&str] = &["n1: linux amd64"];
    for (why, label_request) in [
        (
            "Waiting for next available executor on ‘linux&&arm’",
            "label linux&&arm",
        ),
        ("Waiting for next available executor on linux&&arm", "label linux&&arm"),
        (
            "There are no nodes with the label ‘\"foo bar\"||x’",
            "label \"foo bar\"||x",
        ),
        ("There are no nodes with the label ‘foo bar’", "label foo bar"),
        ("All nodes of label ‘linux’ are offline", "label linux"),
        ("All nodes of label ''linux'' are offline", "label linux"),
        ("‘n1’ doesn’t have label ‘arm’", "label arm"),
        ("Jenkins doesn’t have label linux", "label linux"),
        (
            "Already running 1 builds on node; ‘n1’ doesn’t have label ‘x86’",
            "label x86",
        ),
        ("‘n1’ is reserved for jobs with matching label expression", "any"),
        (
            "n1 is reserved for jobs with matching label expression; n2 is not accepting tasks",
            "any",
        ),
        (PLAIN, "any"),
        ("Must run on n1 not n2", "-"),
        ("Already running 3 builds across all nodes", "-"),
        ("‘bob’ lacks permission to run on ‘n1’", "-"),
        ("Waiting for resources with label linux", "-"),
        ("Jenkins is about to shut down", "-"),
    ] {
        check_block(why, n1, label_request);
    }
}

#[test]
fn names_of_nodes() {
    let agents: &[&str] = &[
        "n1: linux special",
        "trusty__0123456789ab: linux trusty",
        "trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d: linux trusty",
        "plain+10.0.0.7: linux",
        "plain+fe80--1: linux",
        "win-10: windows",
        "gone__0123456789ab: old",
        "lonely",
        "mute: ?",
    ];
    for (name, label_request) in [
        ("n1", "like n1: linux special"),
        ("trusty__0123456789ab", "template trusty"),
        ("trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "template trusty"),
        ("plain+10.0.0.7", "template plain"),
        ("plain+fe80--1", "template plain"),
        ("win-10", "template win-10"),
        ("gone__0123456789ab", "like gone__0123456789ab: old"),
        ("lonely", "label lonely"),
        ("mute", "ask labels of mute"),
        ("Built-In Node", "-"),
        // Ours by their names, and no longer there.
        ("trusty__0123456789ac", "gone trusty__0123456789ac"),
        (
            "trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4e",
            "gone trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4e",
        ),
        ("plain+10.0.0.8", "gone plain+10.0.0.8"),
        ("a__b+c__0123456789ab", "gone a__b+c__0123456789ab"),
        ("a__b+c+10.0.0.1", "gone a__b+c+10.0.0.1"),
        ("plain", "template plain"),
    ] {
        check_block(&format!("{ON}‘{name}’"), agents, label_request);
        check_block(&format!("{ON}{name}"), agents, label_request);
        check_block(&format!("‘{name}’ is offline"), agents, label_request);
        check_block(&format!("{name} is offline"), agents, label_request);
    }
    for (name, label_request) in [
        // Forms that only look like ours.
        ("trusty__0123456789AB", "label trusty__0123456789AB"),
        (
            "trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4",
            "label trusty__0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4",
        ),
        ("trusty__0123456789abc", "label trusty__0123456789abc"),
        ("other__0123456789ab", "label other__0123456789ab"),
        ("plain+10.0.0", "label plain+10.0.0"),
        ("mytrusty", "label mytrusty"),
        // A label of a template comes before a template's name.
        ("trusty", "label trusty"),
        // An exact label that is the name of a node: nothing but that node will do.
        ("n1", "label n1"),
        ("built-in", "-"),
        ("trusty__0123456789ab", "label trusty__0123456789ab"),
        ("trusty__0123456789ac", "gone trusty__0123456789ac"),
        // The name of a template is no label: its servers would not bear it.
        ("plain", "label plain"),
    ] {
        check_block(
            &format!("There are no nodes with the label ‘{name}’"),
            agents,
            label_request,
        );
    }
    check_block(
        "‘n9’ is offline",
        agents,
        "? the job waits for the node \"n9\", which jenkins does not list",
    );
}

#[test]
fn the_label_of_the_job_beside_the_sentence() {
    let agents: &[&str] = &["n1: linux special", "trusty__0123456789ab: linux trusty", "mute: ?"];
    // A node that satisfies the job's label: the label is the truth.
    check(
        &format!("{ON}‘n1’"),
        told("linux && special"),
        agents,
        "label linux&&special",
    );
    check("‘n1’ is offline", told("n1"), agents, "label n1");
    check(
        &format!("{ON}‘trusty__0123456789ab’"),
        told("trusty||x"),
        agents,
        "label trusty||x",
    );
    check(&format!("{ON}‘mute’"), told("whatever"), agents, "label whatever");
    // A node that does not: the label of this build is another.
    check(&format!("{ON}‘n1’"), told("windows"), agents, "like n1: linux special");
    check(
        &format!("{ON}‘trusty__0123456789ab’"),
        told("windows"),
        agents,
        "template trusty",
    );
    // A label in the sentence is that of this build.
    check(&format!("{ON}‘linux’"), told("windows"), agents, "label linux");
    check(&format!("{ON}‘special’"), told("windows"), agents, "label special");
    check("‘n7’ is offline", told("windows"), agents, "label windows");
    // Nothing bears the name: a node that went since the queue was read.
    check(&format!("{ON}‘n7’"), told("windows"), agents, "label windows");
    check(
        &format!("{ON}‘trusty__0123456789ac’"),
        told("trusty||x"),
        agents,
        "label trusty||x",
    );
    check(
        &format!("{ON}‘trusty__0123456789ac’"),
        told("trusty__0123456789ac"),
        agents,
        "gone trusty__0123456789ac",
    );
    check(
        "There are no nodes with the label ‘linux&&x’",
        told("windows"),
        agents,
        "label linux&&x",
    );
    // What printing loses, the job's own text keeps.
    let lossy = JenkinsView {
        queue: vec![
            item(
                "There are no nodes with the label ‘quote\"d&&b’",
                told("\"quote\\\"d\"&&b"),
            ),
            item("There are no nodes with the label ‘quote\"d&&b’", TaskLabel::Absent),
        ],
        ..view(agents)
    };
    let expressions: Vec<_> = all(&lossy)
        .distinct
        .iter()
        .map(|w| matches!(w, LabelRequest::Label(l) if l.as_atom().is_none()))
        .collect();
    assert_eq!(expressions, [true, false]);
    // The plain sentence, and reasons that name no label.
    check(PLAIN, told("linux"), agents, "label linux");
    check("Already running 2 builds on node", told("linux"), agents, "label linux");
    check("Already running 2 builds on node", TaskLabel::Anywhere, agents, "any");
    check("‘n1’ is not accepting tasks", told("linux"), agents, "label linux");
    check(
        "Already running 2 builds on node",
        told("trusty__0123456789ac"),
        agents,
        "gone trusty__0123456789ac",
    );
    check(
        "‘n1’ is reserved for jobs with matching label expression",
        TaskLabel::Absent,
        agents,
        "any",
    );
}

#[test]
fn the_built_in_node() {
    let agents: &[&str] = &["n1: linux"];
    for why in [format!("{ON}‘Built-In Node’"), "Built-In Node is offline".to_owned()] {
        check(&why, told("built-in"), agents, "-");
        check(&why, told("!linux"), agents, "label !linux");
        check(&why, told("built-in&&!windows"), agents, "-");
        check(&why, TaskLabel::Absent, agents, "-");
        check(&why, TaskLabel::Anywhere, agents, "-");
    }
    check("‘n1’ doesn’t have label ‘built-in’", TaskLabel::Absent, agents, "-");
    check(PLAIN, told("built-in"), &[], "-");
    // An agent that has the name is an agent.
    check(
        &format!("{ON}‘master’"),
        TaskLabel::Absent,
        &["master: linux"],
        "like master: linux",
    );
    let old = JenkinsView {
        computers: vec![computer("master", true, None), agent("n1: ?")],
        ..JenkinsView::default()
    };
    assert_eq!(request_of(&old, item(&format!("{ON}master"), TaskLabel::Absent)), "-");
}

#[test]
fn other_languages() {
    let de = "Warte auf den nächsten freien Build-Prozessor auf on-1";
    check(de, told("x86"), &["on-1: linux"], "label x86");
    check(de, TaskLabel::Anywhere, &["on-1: linux"], "any");
    check_block(de, &["on-1: linux"], &format!("? the sentence cannot be read: {de:?}"));
    let view = JenkinsView {
        language: Some("de\n".to_owned()),
        ..view(&["on-1: linux"])
    };
    let reason = request_of(&view, block(&format!("\u{1b}{}", "ä".repeat(500))));
    assert!(reason.contains("X-Jenkins-Language: de\\n)"), "{reason}");
    assert!(reason.chars().count() < 400 && !reason.contains('\u{1b}'), "{reason}");
    let silent = QueueItem { why: None, ..block("") };
    assert_eq!(request_of(&view, silent), "? jenkins does not say why the job waits");
}

#[test]
fn a_pipeline_itself_waits_for_no_server() {
    let mut run = item(&format!("{ON}‘linux’"), TaskLabel::Absent);
    run.task_class = Some("org.jenkinsci.plugins.workflow.job.WorkflowJob".into());
    assert_eq!(request_of(&view(&["n1: linux"]), run), "-");
}

/// Pieces of sentences in any order, and any text.
fn sentence() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "Waiting for next available executor",
        " on ",
        "‘",
        "’",
        "''",
        "; ",
        "n1",
        "linux",
        " is offline",
        ".",
        "There are no nodes with the label ",
        "All nodes of label ",
        " are offline",
        " doesn’t have label ",
        "... and 3 more",
        " is reserved for jobs with matching label expression",
        "Already running ",
        " on node",
        "Must run on ",
        "trusty__0123456789ab",
        "plain+10.0.0.1",
        "\"",
        "&&",
        "(",
        "!",
        "Built-In Node",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..9).prop_map(|all| all.concat()),
        "(?s).{0,60}"
    ]
}

/// Labels with characters that nobody sees, which Jenkins takes for parts of a name.
fn odd_label() -> impl Strategy<Value = String> {
    let hidden = "[\u{a0}\u{ad}\u{200b}\u{200d}\u{200e}\u{202e}\u{2007}\u{2028}\u{2060}\u{2066}\u{3000}\u{feff}\u{85}]";
    let piece = prop_oneof![
        hidden,
        proptest::sample::select(vec!["linux", "amd64", "a", " ", "\t", "&&", "||", "!", "(", ")", "->"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..7).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn a_text_and_an_item_are_read_as_one(text in odd_label()) {
        let entered = crate::text::java_trim(&text);
        prop_assume!(!entered.is_empty());
        let printed = Label::read(entered).unwrap().to_string();
        // What does not parse is exported as one quoted name.
        let exported = match crate::labels::parse(entered) {
            Ok(_) => entered.to_owned(),
            Err(_) => format!("\"{}\"", entered.replace('\t', "\\t")),
        };
        let sentence = format!("There are no nodes with the label ‘{printed}’");
        let live = all(&JenkinsView { queue: vec![item(&sentence, told(&exported)), block(&sentence)], ..view(&["n1: x"]) });
        let live: Vec<_> = live.of_item.iter().map(|at| at.map(|at| live.distinct[at].clone())).collect();
        let asked = with_kinds(|templates| [&text, &sentence].map(|text| read_text(text, None, templates).label_request));
        prop_assert_eq!(&live[0], &asked[0], "{:?}", text);
        prop_assert_eq!(&live[1], &asked[1], "{:?}", text);
        prop_assert_eq!(&live[0], &live[1], "{:?}", text);
    }

    #[test]
    fn never_panics(why in sentence(), told_text in "(?s).{0,12}", url in "(?s)[:/job?#%.2e]{0,20}|.{0,30}",
                    name in "[A-C=,]{0,12}|.{0,12}", class in 0..4u8, agents in any::<bool>()) {
        let mut one = match class {
            0 => item(&why, told(&told_text)),
            1 => block(&why),
            2 => child(&why),
            _ => QueueItem { task_class: None, ..item(&why, TaskLabel::Absent) },
        };
        one.task_name = name.into();
        one.task_url = Some(url.into());
        let world = view(if agents { &["n1: linux", "plain+10.0.0.1: linux"] } else { &[] });
        let label_request = request_of(&world, one.clone());
        prop_assert!(agents || label_request != "any" || why.contains("reserved") || class != 1, "{label_request}");
        // The same item twice asks for the same thing.
        let twice = all(&JenkinsView { queue: vec![one.clone(), one], ..world });
        prop_assert_eq!(twice.of_item[0], twice.of_item[1]);
        with_kinds(|templates| read_text(&why, None, templates));
    }
}
