//! A removal that is cut short after each of its steps, and a drain: the next passes finish it, and touch nothing else.

use super::crash::{held_in, now};
use super::fakes::{Agent, JoinsAs, Kind, Mark, Service, When};
use super::site::{Site, job};

const FLOATING: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    networks: [private]
    floating_ip_pool: public
    labels: [linux, x86_64]
    provider: openstack
";

/// How a node came to Jenkins: by whom, and under what name.
pub const KINDS: [(&str, JoinsAs); 3] = [
    ("hudson.slaves.JNLPLauncher", JoinsAs::ServerName),
    ("hudson.plugins.sshslaves.SSHLauncher", JoinsAs::ServerName),
    ("hudson.slaves.JNLPLauncher", JoinsAs::TemplateAndAddress),
];

/// A site with one idle node that has a floating IP, and things of others; returns the name of the node.
pub fn with_a_node((launcher, joins_as): (&str, JoinsAs)) -> (Site, String) {
    // The binary has a clock of its own, which does not go on by minutes.
    let site = Site::with(FLOATING, "timing: {offline_grace: 0}\n");
    site.world
        .kind("small", Kind::new(&["linux", "x86_64"]).joins_as(joins_as));
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(6);
    now(&site);
    let name = site.world.with(|world| {
        let name = world.jenkins.agents.keys().next().unwrap().clone();
        let agent = world.jenkins.agent(&name);
        launcher.clone_into(&mut agent.launcher);
        agent.inbound = launcher.contains("JNLP");
        let mut foreign = world.cloud("openstack").servers[0].clone();
        (foreign.id, foreign.name) = ("f1".to_owned(), "small__aaaaaaaaaaaa".to_owned());
        foreign.metadata.clear();
        world.cloud("openstack").servers.push(foreign);
        name
    });
    site.world.agent(Agent::new("permanent", &["linux"]).online());
    assert_eq!(floating_ips(&site), 1);
    (site, name)
}

fn floating_ips(site: &Site) -> usize {
    site.world.with(|world| world.cloud("openstack").floating_ips.len())
}

fn agents(site: &Site) -> Vec<String> {
    site.world.with(|world| world.jenkins.agents.keys().cloned().collect())
}

/// A step, and the request that it is.
type Step = (&'static str, fn() -> When);

/// The steps of a removal, each held after it was done and before its answer came.
fn steps() -> [Step; 5] {
    [
        ("the mark", || When::on(Service::Jenkins).part("changeOfflineCause")),
        ("the second look", || {
            let node = |path: &str| path.starts_with("/computer/") && path != "/computer/api/json";
            When::on(Service::Jenkins)
                .method("GET")
                .test(move |call| node(&call.path))
                .skip(1)
        }),
        ("the deletion of the node", || {
            When::on(Service::Jenkins).part("doDelete")
        }),
        ("the deletion of the floating IP", || {
            When::on(Service::Neutron).method("DELETE").part("floatingips")
        }),
        ("the deletion of the server", || {
            When::on(Service::Nova).method("DELETE")
        }),
    ]
}

#[test]
fn killed_after_any_step_a_removal_is_finished_by_the_next_passes() {
    for kind in KINDS {
        for (step, when) in steps() {
            let (site, name) = with_a_node(kind);
            let (mut first, gate) = held_in(&site, &["destroy", &name], when);
            first.kill().unwrap();
            first.wait().unwrap();
            gate.open();
            for _ in 0..4 {
                site.world.advance(60);
                let done = site.binary(&["run"]);
                assert_eq!(done.status.code(), Some(0), "{step}: {done:?}");
            }
            assert_eq!((site.servers(), floating_ips(&site)), (1, 0), "{step} at {kind:?}");
            assert_eq!(agents(&site), ["permanent"], "{step} at {kind:?}");
            assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
        }
    }
}

#[test]
fn a_person_who_marks_the_node_after_the_kill_keeps_it() {
    for kind in KINDS {
        for (step, when) in steps().into_iter().take(2) {
            let (site, name) = with_a_node(kind);
            let (mut first, gate) = held_in(&site, &["destroy", &name], when);
            first.kill().unwrap();
            first.wait().unwrap();
            gate.open();
            site.world.with(|world| {
                let clock = world.clock;
                world.jenkins.agent(&name).mark = Some(Mark::by("admin", "looking at it", clock));
            });
            for _ in 0..4 {
                site.world.advance(60);
                assert_eq!(site.binary(&["run"]).status.code(), Some(0));
            }
            assert_eq!((site.servers(), floating_ips(&site)), (2, 1), "{step} at {kind:?}");
            assert!(agents(&site).contains(&name));
        }
    }
}

#[test]
fn a_drain_that_was_killed_is_a_drain() {
    let (site, name) = with_a_node(KINDS[0]);
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.begin_build(&name, clock, 150);
    });
    let (mut first, gate) = held_in(&site, &["drain", &name], || {
        When::on(Service::Jenkins).part("changeOfflineCause")
    });
    first.kill().unwrap();
    first.wait().unwrap();
    gate.open();
    // The cloud takes a moment to delete the server.
    for servers in [2, 2, 2, 1] {
        site.world.advance(60);
        assert_eq!(site.binary(&["run"]).status.code(), Some(0));
        assert_eq!(site.servers(), servers);
    }
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn the_help_texts_teach() {
    let site = Site::new();
    let help = |arguments: &[&str]| String::from_utf8(site.binary(arguments).stdout).unwrap();
    let all = help(&["--help"]);
    assert!(all.contains("drain ") && all.contains("undrain "), "{all}");
    let drain = help(&["drain", "--help"]);
    for word in [
        "no new work",
        "--reason",
        "--dry-run",
        "idle_grace",
        "mita destroy",
        "<NAME>",
    ] {
        assert!(drain.contains(word), "{word}: {drain}");
    }
    let undrain = help(&["undrain", "--help"]);
    assert!(
        undrain.contains("never a person's") && undrain.contains("max_builds"),
        "{undrain}"
    );
    assert_eq!(site.binary(&["drain"]).status.code(), Some(2));
    assert_eq!(site.binary(&["undrain", "x", "--reason", "y"]).status.code(), Some(2));
}
