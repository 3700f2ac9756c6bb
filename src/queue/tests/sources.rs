//! Where the sentence does not tell: the job's configuration, matrix axes, a combination's name.

use super::*;

const PLAIN: &str = "Waiting for next available executor";

fn unreadable<T>() -> Reading<T> {
    Reading::Unreadable("403 needs Job/ExtendedRead".to_owned())
}

#[test]
fn without_any_agent_the_sentence_is_not_believed() {
    let none = view(&[]);
    assert_eq!(request_of(&none, item(PLAIN, told("linux"))), "label linux");
    assert_eq!(
        request_of(&none, item("‘Jenkins’ doesn’t have label ‘linux’", TaskLabel::Absent)),
        "label linux"
    );
    let pipeline = request_of(&none, block(PLAIN));
    assert!(pipeline.starts_with("? jenkins has no agent at all") && pipeline.contains("keep one permanent agent"));
    // An old Jenkins does not tell the label of a job: its configuration does.
    assert_eq!(request_of(&none, item(PLAIN, TaskLabel::Absent)), "ask job/a/job/b");
    let known = with_job(none.clone(), "job/a/job/b", config(Some("linux"), &[]));
    assert_eq!(request_of(&known, item(PLAIN, TaskLabel::Absent)), "label linux");
    let roams = with_job(none.clone(), "job/a/job/b", config(None, &[]));
    assert_eq!(request_of(&roams, item(PLAIN, TaskLabel::Absent)), "any");
    let other = QueueItem {
        task_class: Some("org.example.Thing".into()),
        ..item(PLAIN, TaskLabel::Absent)
    };
    assert!(request_of(&roams, other).starts_with("? jenkins has no agent at all"));
    let closed = with_job(none.clone(), "job/a/job/b", unreadable());
    let reason = request_of(&closed, item(PLAIN, TaskLabel::Absent));
    assert!(
        reason.starts_with("? jenkins has no agent") && reason.ends_with("403 needs Job/ExtendedRead"),
        "{reason}"
    );
    let nowhere = QueueItem {
        task_url: None,
        ..item(PLAIN, TaskLabel::Absent)
    };
    assert!(request_of(&none, nowhere).starts_with("? jenkins has no agent"));
}

#[test]
fn a_job_without_label_is_believed_unless_this_build_has_one() {
    let none = view(&[]);
    assert_eq!(request_of(&none, item(PLAIN, TaskLabel::Anywhere)), "any");
    let young = Timestamp::from_second(NOW - 60).unwrap();
    let stuck = QueueItem {
        stuck: true,
        since: young,
        ..item(PLAIN, TaskLabel::Anywhere)
    };
    assert!(request_of(&none, stuck.clone()).contains("the label of this build is not that of its job"));
    let old = QueueItem {
        since: Timestamp::from_second(NOW - 3600).unwrap(),
        ..stuck.clone()
    };
    assert_eq!(request_of(&none, old), "any");
    assert_eq!(request_of(&view(&["n1: linux"]), stuck), "any");
}

#[test]
fn matrix_children_have_the_label_of_their_axes() {
    for agents in [&[][..], &["n1: linux"]] {
        let view = view(agents);
        assert_eq!(request_of(&view, child(PLAIN)), "ask job/m");
        for (axes, label_request) in [
            (&["DIST"][..], "label trusty"),
            (&["DIST", "ARCH"], "label trusty&&x86_64"),
            (&["ARCH", "gone"], "label x86_64"),
            (&[], "any"),
        ] {
            let view = with_job(view.clone(), "job/m", config(None, axes));
            assert_eq!(request_of(&view, child(PLAIN)), label_request);
        }
        // The values are joined as they are.
        let view = with_job(view, "job/m", config(None, &["ARCH", "DIST"]));
        let loose = QueueItem {
            task_name: "ARCH=a||b,DIST=c".into(),
            ..child(PLAIN)
        };
        assert_eq!(request_of(&view, loose), "label a||b&&c");
    }
}

#[test]
fn the_name_of_a_combination_is_the_last_resort() {
    let closed = |agents: &[&str]| with_job(view(agents), "job/m", unreadable());
    assert_eq!(request_of(&closed(&[]), child(PLAIN)), "values x86_64 trusty");
    // With agents the plain sentence means no label, unless a template is just what the name asks for.
    assert_eq!(request_of(&closed(&["n1: linux"]), child(PLAIN)), "any");
    let fits = QueueItem {
        task_name: "ARCH=amd64,DIST=trusty".into(),
        ..child(PLAIN)
    };
    assert_eq!(request_of(&closed(&["n1: linux"]), fits), "values amd64 trusty");
    assert_eq!(
        request_of(&closed(&["n1: linux"]), child("in einer anderen Sprache")),
        "values x86_64 trusty"
    );
    let unnamed = QueueItem {
        task_name: "default".into(),
        ..child(PLAIN)
    };
    assert!(request_of(&closed(&[]), unnamed).starts_with("? jenkins has no agent"));
    // A sentence that names the label needs none of this.
    let why = "There are no nodes with the label ‘trusty&&x’";
    assert_eq!(request_of(&closed(&["n1: linux"]), child(why)), "label trusty&&x");
    // Jenkins 1 tells neither class nor label.
    let old = QueueItem {
        task_class: None,
        label: TaskLabel::Absent,
        ..child(PLAIN)
    };
    assert_eq!(request_of(&view(&[]), old.clone()), "ask job/m");
    assert_eq!(request_of(&closed(&[]), old.clone()), "values x86_64 trusty");
    assert_eq!(
        request_of(&view(&[]), QueueItem { task_url: None, ..old }),
        "values x86_64 trusty"
    );
}

#[test]
fn a_node_is_enough_where_the_configuration_was_not_asked() {
    let world = view(&["trusty__0123456789ab: linux trusty x86_64"]);
    let why = "‘trusty__0123456789ab’ is offline";
    assert_eq!(request_of(&world, child(why)), "template trusty");
    let known = with_job(world, "job/m", config(None, &["DIST"]));
    assert_eq!(request_of(&known, child(why)), "label trusty");
}

#[test]
fn children_of_one_job_differ() {
    let mut world = with_job(view(&[]), "job/m", config(None, &["DIST"]));
    let named = |name: &str| QueueItem {
        task_name: name.into(),
        ..child(PLAIN)
    };
    world.queue = vec![named("DIST=a"), named("DIST=b"), named("DIST=a")];
    assert_eq!(all(&world).of_item, [Some(0), Some(1), Some(0)]);
}

#[test]
fn labels_of_foreign_nodes_on_an_old_jenkins() {
    let why = "‘mute’ is offline";
    let with = |labels| {
        let mut view = view(&["mute: ?"]);
        view.node_labels.insert(NodeName::new("mute"), labels);
        request_of(&view, block(why))
    };
    assert_eq!(
        with(Reading::Read(vec!["mute".to_owned(), "linux".to_owned()])),
        "like mute: linux"
    );
    assert_eq!(with(Reading::Read(vec!["mute".to_owned()])), "label mute");
    assert!(with(unreadable()).contains("could not be read: 403"));
}

#[test]
fn a_large_queue_is_read_by_its_few_sentences() {
    let mut world = view(&["n1: linux"]);
    let why = |i: u32| format!("Waiting for next available executor on ‘linux&&l{}’", i % 50);
    world.queue = (0..100_000).map(|i| item(&why(i), TaskLabel::Absent)).collect();
    world.queue.extend((0..1_000).map(|i| QueueItem {
        task_name: format!("A={i}").into(),
        ..child(PLAIN)
    }));
    let label_requests = all(&world);
    assert_eq!(label_requests.distinct.len(), 51);
    assert_eq!(label_requests.of_item[99_999], Some(49));
}

/// The label request of an item that the script console knows by this label.
fn exactly(view: &JenkinsView, item: QueueItem, label: Option<&str>) -> String {
    let labels = [(item.id, label.map(str::to_owned))].into();
    let view = JenkinsView {
        labels: Some(Reading::Read(labels)),
        ..view.clone()
    };
    request_of(&view, item)
}

#[test]
fn the_label_of_the_script_console_comes_before_all_others() {
    let none = view(&[]);
    assert_eq!(exactly(&none, block(PLAIN), Some("linux&&amd64")), "label linux&&amd64");
    assert_eq!(exactly(&none, block(PLAIN), None), "any");
    assert_eq!(
        exactly(&none, item(PLAIN, told("windows")), Some("linux")),
        "label linux"
    );
    assert_eq!(exactly(&none, item(PLAIN, told("windows")), None), "any");
    assert_eq!(
        exactly(&none, child(PLAIN), Some("linux")),
        "label linux",
        "nothing is asked"
    );
    // A lone name is printed as it is, blanks and all.
    assert_eq!(exactly(&none, block(PLAIN), Some("foo bar")), "label foo bar");
    let german = "Warte auf den nächsten freien Build-Prozessor auf linux";
    assert_eq!(exactly(&view(&["a: x"]), block(german), Some("linux")), "label linux");
    // An item that waits for something else than a node waits for it whatever its label is.
    assert_eq!(
        exactly(&none, block("Jenkins is about to shut down"), Some("linux")),
        "-"
    );
    assert_eq!(exactly(&none, block("Jenkins is about to shut down"), None), "-");
}

#[test]
fn an_exact_label_may_still_be_the_name_of_a_node() {
    let world = view(&["trusty__00112233aabb: linux"]);
    let busy = format!("{ON}‘trusty__00112233aabb’");
    assert_eq!(exactly(&world, block(&busy), Some("linux")), "label linux");
    let gone = "There are no nodes with the label ‘trusty__ffffffffffff’";
    assert_eq!(
        exactly(&world, block(gone), Some("trusty__ffffffffffff")),
        "gone trusty__ffffffffffff"
    );
    assert_eq!(exactly(&world, block(PLAIN), Some("built-in")), "-");
}

#[test]
fn an_item_that_the_script_console_does_not_list_is_read_as_without_it() {
    let labels = [(77, Some("linux".to_owned()))].into();
    let view = JenkinsView {
        labels: Some(Reading::Read(labels)),
        ..view(&["a: x"])
    };
    assert_eq!(request_of(&view, block(&format!("{ON}‘windows’"))), "label windows");
    let failed = JenkinsView {
        labels: Some(unreadable()),
        ..view
    };
    assert_eq!(request_of(&failed, block(&format!("{ON}‘windows’"))), "label windows");
}

#[test]
fn only_a_label_that_no_request_tells_is_hidden() {
    let none = view(&[]);
    let hidden = |view: &JenkinsView, item| {
        let view = JenkinsView {
            queue: vec![item],
            ..view.clone()
        };
        let label_requests = all(&view);
        label_requests.of_item[0].is_some_and(|label_request| label_requests.distinct[label_request].is_hidden())
    };
    assert!(hidden(&none, block(PLAIN)));
    let overridden = QueueItem {
        stuck: true,
        since: Timestamp::from_second(NOW - 60).unwrap(),
        ..item(PLAIN, TaskLabel::Anywhere)
    };
    assert!(hidden(&none, overridden));
    assert!(!hidden(&none, item(PLAIN, told("linux"))));
    assert!(
        !hidden(&none, item(PLAIN, TaskLabel::Absent)),
        "its configuration is asked first"
    );
    assert!(!hidden(&view(&["a: x"]), block("what is this?")));
}

#[test]
fn the_anchor_says_nothing_of_a_label_that_it_satisfies() {
    let world = view(&["mita-anchor:"]);
    let why = "‘mita-anchor’ is offline";
    assert_eq!(
        request_of(&world, item(why, told("!windows&&!master"))),
        "label !windows&&!master"
    );
    let reason = request_of(&world, block(why));
    assert!(reason.starts_with("? jenkins names the anchor alone"), "{reason}");
    assert_eq!(
        request_of(&world, block("There are no nodes with the label ‘linux’")),
        "label linux"
    );
    assert_eq!(
        request_of(&world, block(PLAIN)),
        "any",
        "with the anchor the plain sentence is believed"
    );
}

#[test]
fn what_jenkins_refuses_to_tell_is_not_known() {
    let refused = |agents: &[&str]| {
        let mut view = view(agents);
        let lacks = "Job/ExtendedRead".to_owned();
        view.refused_jobs.insert("job/m".to_owned(), lacks.clone());
        view.refused_jobs.insert("job/a/job/b".to_owned(), lacks);
        view
    };
    let mends = |reason: &str| reason.contains("lacks Job/ExtendedRead (grant it, or set jenkins.anchor: true)");
    let fits = QueueItem {
        task_name: "ARCH=amd64,DIST=trusty".into(),
        ..child(PLAIN)
    };
    for item in [child(PLAIN), fits.clone(), item(PLAIN, TaskLabel::Absent)] {
        let reason = request_of(&refused(&[]), item);
        assert!(
            reason.starts_with("? jenkins has no agent at all") && mends(&reason),
            "{reason}"
        );
    }
    let reason = request_of(&refused(&["n1: linux"]), child("in einer anderen Sprache"));
    assert!(
        reason.starts_with("? the sentence cannot be read") && mends(&reason),
        "{reason}"
    );
    // With agents the plain sentence means no label; one that names the label needs no configuration.
    assert_eq!(request_of(&refused(&["n1: linux"]), fits), "any");
    let why = "There are no nodes with the label ‘trusty&&x’";
    assert_eq!(request_of(&refused(&["n1: linux"]), child(why)), "label trusty&&x");
}

#[test]
fn the_axes_are_joined_in_the_order_of_the_file_without_parentheses() {
    let view = with_job(view(&[]), "job/m", config(None, &["OS", "ARCH"]));
    let child = QueueItem {
        task_name: "ARCH=amd64,OS=big||windows".into(),
        ..child(PLAIN)
    };
    assert_eq!(request_of(&view, child), "label big||windows&&amd64");
}

#[test]
fn a_job_without_a_label_fits_what_accepts_it_whatever_node_its_sentence_names() {
    for world in [
        view(&["trusty__0123456789ab: linux"]),
        view(&["n1: linux"]),
        view(&["n1: linux", "n2: x"]),
        view(&[]),
    ] {
        for why in [
            "‘trusty__0123456789ab’ is offline",
            "‘trusty+10.0.0.1’ is offline",
            "‘trusty’ is offline",
            "‘n1’ is offline",
            "n1 is offline",
            "‘gone’ is offline",
        ] {
            assert_eq!(request_of(&world, item(why, TaskLabel::Anywhere)), "any", "{why}");
            let empty = TaskLabel::Expression("".into());
            assert_eq!(request_of(&world, item(why, empty)), "any", "{why}");
        }
    }
    // Tied to a node by its name it is another thing.
    let world = view(&["n1: linux"]);
    assert_eq!(request_of(&world, item("‘n1’ is offline", told("n1"))), "label n1");
    let of_build = QueueItem {
        stuck: true,
        since: Timestamp::from_second(NOW - 60).unwrap(),
        ..item("‘n1’ is offline", TaskLabel::Anywhere)
    };
    assert_eq!(request_of(&world, of_build), "any");
}
