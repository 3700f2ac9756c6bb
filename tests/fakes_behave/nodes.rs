//! The fake Jenkins against Jenkins 2.544: making, marking, deleting nodes, and what is refused on the way.

use super::fakes::{Agent, Mark, User};
use super::jenkins::setup;
use super::recorded::load;

/// What a page says of itself in its headers: who must be asked for what, and which start of Jenkins answers.
const TELLING: [&str; 2] = ["x-permission-implied-by", "x-jenkins-session"];

#[test]
fn a_mark_may_be_set_before_the_agent_connects_and_outlives_a_restart() {
    let s = setup();
    s.off();
    s.agrees("changeOfflineCause-on-never-connected");
    s.agrees("node-tree-marked-never-connected");
    s.world.agent(Agent::new("early", &["linux"]));
    s.world.with(|w| w.mark("early", "mita", "mita-early"));
    s.agrees("node-tree-marked-before-connecting");

    let s = setup();
    s.on_1_on_2();
    let before = s.agrees("node-tree-idle");
    s.world.with(|w| {
        w.jenkins.german = true;
        w.mark("on-1", "mita", "mita-keep");
        w.jenkins.go_down();
        w.jenkins.starting = false;
    });
    let after = s.agrees("node-tree-marked-after-restart");
    let session = |got: &super::recorded::Got| got.headers["x-jenkins-session"].clone();
    assert_ne!(session(&before), session(&after));
}

#[test]
fn a_busy_node_is_marked_and_works_on() {
    let s = setup();
    s.on_1_on_2();
    s.hold("on-1");
    s.agrees("changeOfflineCause-busy");
    s.agrees("node-tree-marked-busy");
    s.agrees("node-default-marked-busy");
}

#[test]
fn whoever_may_not_read_the_job_sees_a_busy_executor_without_a_build() {
    let s = setup();
    s.on_1_on_2();
    s.hold("on-1");
    s.world.with(|w| {
        let mut user = User::new("nodisc", "11nodisc");
        user.permissions.retain(|p| p.ends_with("Hudson.Read"));
        w.jenkins.users.push(user);
    });
    s.agrees("node-tree-busy-without-job-read");
}

#[test]
fn the_whole_node_without_a_tree() {
    let s = setup();
    s.on_1_on_2();
    s.agrees("node-default-idle");
    s.world.with(|w| w.mark("on-1", "mita", "mita-drain run-17"));
    s.agrees("node-default-marked");
    s.agrees("node-builtin");
    s.agrees("node-master-alias");
    s.world.agent(Agent::new("sp ace", &[]));
    s.agrees("node-name-with-space");
    s.agrees("error-404-node-name-plus");
}

#[test]
fn names_that_are_refused() {
    let s = setup();
    for name in [
        "error-400-create-bad-name",
        "error-400-create-dot",
        "error-400-create-trailing-dot",
        "error-400-create-empty-name",
        "error-create-no-name",
    ] {
        s.agrees(name);
    }
}

#[test]
fn forms_that_are_refused_and_forms_that_are_not() {
    let s = setup();
    for name in [
        "error-create-no-json",
        "error-create-bad-json",
        "error-create-no-type",
        "error-create-unknown-type",
        "error-create-bad-mode",
        "create-empty-json",
        "create-no-launcher",
        "create-executors-as-string",
        "create-zero-executors",
        "create-bad-executors",
        "create-negative-executors",
    ] {
        s.agrees(name);
    }
    let made: Vec<(String, usize, bool)> = s.world.with(|w| {
        let made = w.jenkins.agents.values();
        made.map(|a| (a.name.clone(), a.executors.len(), a.inbound)).collect()
    });
    let made: Vec<(&str, usize, bool)> = made.iter().map(|(n, e, i)| (n.as_str(), *e, *i)).collect();
    // The last three are never listed.
    assert_eq!(
        made,
        [
            ("badex", 0, true),
            ("n5", 1, true),
            ("negex", 0, true),
            ("nolauncher", 1, true),
            ("strex", 3, true),
            ("zeroex", 0, true)
        ]
    );
}

#[test]
fn nodes_by_xml() {
    let s = setup();
    s.agrees("createItem-xml");
    s.agrees("error-createItem-xml-duplicate");
    s.agrees("error-createItem-xml-no-name-parameter");
    s.agrees("error-createItem-xml-broken");
    s.world.agent(Agent::new("xml-2", &[]));
    s.agrees("launchSlaveAgent-inbound");
    s.agrees("doDisconnect");
    s.off();
    s.world.with(|w| w.mark("off-2", "mita", "m"));
    s.agrees("node-config-xml-post");
    assert_eq!(s.world.with(|w| w.jenkins.agent("off-2").mark.clone()), None::<Mark>);
}

#[test]
fn what_one_may_not_do_and_whom_to_ask() {
    let s = setup();
    s.on_1_on_2();
    s.off();
    for name in ["new-1", "xml-1"] {
        s.world.agent(Agent::new(name, &[]));
    }
    s.world.with(|w| {
        w.jenkins.agent("new-1").remote_dir = "/srv/jenkins/agents/new-1".to_owned();
        w.jenkins.revoke("mita", "hudson.model.Computer.Configure");
    });
    for name in [
        "error-403-toggleOffline",
        "error-403-jenkins-agent-jnlp",
        "error-403-create",
        "error-403-config-xml",
        "error-403-config-xml-post",
    ] {
        let got = s.agrees(name);
        let recorded = load("jenkins-2.544", name);
        for header in TELLING.iter().filter(|_| !name.ends_with("xml-post")) {
            assert_eq!(
                got.headers.get(*header),
                recorded.reply.headers.get(*header),
                "{name}: {header}"
            );
        }
    }
    for name in [
        "error-403-crumb-without-session",
        "error-404-queue-item",
        "error-404-get-doCreateItem",
        "error-405-get-changeOfflineCause",
        "error-400-doDelete-builtin",
        "error-400-config-builtin",
        "slave-agent-jnlp",
    ] {
        s.agrees(name);
    }
}

#[test]
fn quieting_down_and_starting() {
    let s = setup();
    s.on_1_on_2();
    s.agrees("quietdown-post");
    assert!(s.world.with(|w| w.jenkins.quieting_down));
    s.agrees("cancelquietdown-post");
    assert!(!s.world.with(|w| w.jenkins.quieting_down));
    s.world.with(|w| w.jenkins.starting = true);
    s.agrees("starting-503-post-doDelete");
    s.agrees("starting-503-lang-de");
    s.agrees("starting-503-wrong-token");
    s.world.with(|w| w.jenkins.starting = false);
    s.agrees("node-tree-idle");
}
