//! A whole site moves over: the original tool ran it, its servers are up, some at work; then mita goes into cron.

use std::collections::BTreeSet;
use std::fs;

use super::fakes::{Agent, CloudServer, JoinsAs, Kind, START, Service, State, When};
use super::program::Done;
use super::site::{Site, job};

const TEMPLATE: &str = "precise-slave";
const LABELS: [&str; 6] = ["amd64", "x86_64", "precise", "trusty", "wheezy", "jessie"];
const HOUR: i64 = 3600;

/// What is not the original's, by server or node: none of it may be touched.
const FOREIGN: [&str; 3] = [
    "database",
    "xenial-slave__4f0c1f5e-5f9b-4f7f-9f55-1d9a3c6f2b10",
    "of-another-mita",
];

/// The original's own example, put into YAML, and `adopt: true`.
fn configuration(site: &Site) -> String {
    format!(
        "provider:
  openstack:
    username: adeza
    password: 3ebYzVIQEIZv3sj1==
    auth_url: {}
    auth_version: 2.0_password
    service_region: main
    tenant_name: ceph-ci
jenkins:
  url: {}
  user: mita
  token: 11token
nodes:
  {TEMPLATE}:
    script: |
      #!/bin/bash
      sudo apt-get update
    keyname: jenkins-slave
    image_name: Ubuntu Trusty (2014.04) cloudimg
    size: m3.xlarge
    labels: [amd64, x86_64, precise, trusty, wheezy, jessie]
    provider: openstack
    adopt: true
state_file: {}
",
        site.cloud.auth_url(),
        site.jenkins.url(),
        site.state_file().display(),
    )
}

/// A server that has no metadata, as the original and people make them.
fn server(world: &mut State, name: &str, created: i64) -> CloudServer {
    let mut server = CloudServer::running(name, "u14", "x");
    server.created = created;
    server.launched = Some(created + 20);
    server.image.clone_from(&world.cloud("openstack").images[0].id);
    server.flavor.clone_from(&world.cloud("openstack").flavors[0].id);
    server.addresses = vec![world.cloud("openstack").address()];
    world.cloud("openstack").servers.push(server.clone());
    server
}

/// A server of the original with its node, named after its address.
fn old(world: &mut State, number: u32) -> (String, String) {
    let name = format!("{TEMPLATE}__7d0f4c1e-9a53-4c44-8f3e-{number:012x}");
    let made = server(world, &name, START - i64::from(number) * 24 * HOUR);
    (name, joined(world, &made))
}

fn joined(world: &mut State, server: &CloudServer) -> String {
    let node = format!("{TEMPLATE}+{}", server.addresses[0]);
    let agent = Agent::new(&node, &LABELS).online().on_server("openstack", &server.id);
    world.jenkins.agents.insert(node.clone(), agent);
    node
}

/// What the original left behind.
struct Left {
    /// Its servers, the hand-made one among them.
    servers: BTreeSet<String>,
    /// Nodes that a person holds.
    held: String,
}

/// Busy, idle, offline, booting, failed, hand-made and held servers; foreign ones; a queue.
fn leave(world: &mut State) -> Left {
    let cloud = world.cloud("openstack");
    (cloud.keystone_v2, cloud.region) = (true, "main".to_owned());
    (cloud.user, cloud.password, cloud.project) = (
        "adeza".to_owned(),
        "3ebYzVIQEIZv3sj1==".to_owned(),
        "ceph-ci".to_owned(),
    );
    cloud.image(
        "3f0b7a6e-2f53-4b3e-9a1d-0c5d1e2f3a4b",
        "Ubuntu Trusty (2014.04) cloudimg",
    );
    cloud.keypairs.insert("jenkins-slave".to_owned());
    let clock = world.clock;
    let mut servers = BTreeSet::new();
    for (number, hours) in [(1, 5), (2, 1), (3, 3)] {
        let (name, node) = old(world, number);
        world.jenkins.begin_build(&node, clock, hours * HOUR);
        servers.insert(name);
    }
    for number in 4..=6 {
        servers.insert(old(world, number).0);
    }
    let (name, offline) = old(world, 7);
    servers.insert(name);
    world.jenkins.break_channel(&offline, clock);
    let (name, held) = old(world, 8);
    servers.insert(name);
    world.mark(&held, "alfredo", "looking at a core dump");
    // Made just before the old service was stopped: it boots for ten more minutes.
    let name = format!("{TEMPLATE}__7d0f4c1e-9a53-4c44-8f3e-00000000000a");
    let booting = server(world, &name, START - 120);
    servers.insert(name);
    world.at(START + 600, move |world| drop(joined(world, &booting)));
    let name = format!("{TEMPLATE}__7d0f4c1e-9a53-4c44-8f3e-00000000000b");
    server(world, &name, START - 24 * HOUR);
    let failed = world.cloud("openstack").servers.last_mut().unwrap();
    (failed.status, failed.launched) = ("ERROR".to_owned(), None);
    failed.addresses.clear();
    servers.insert(name);
    let hand_made = server(world, "big box of the release team", START - 700 * HOUR);
    let node = joined(world, &hand_made);
    world.jenkins.begin_build(&node, clock, 2 * HOUR);
    servers.insert(hand_made.name);
    foreign(world);
    Left { servers, held }
}

fn foreign(world: &mut State) {
    for name in FOREIGN {
        let made = server(world, name, START - 100 * HOUR);
        if name == "of-another-mita" {
            let made = world.cloud("openstack").servers.last_mut().unwrap();
            made.name = format!("{TEMPLATE}__0123456789ab");
            made.metadata.insert("mita-owner".to_owned(), "another".to_owned());
        }
        let agent = Agent::new(&format!("agent of {name}"), &["private"]).online();
        let agent = agent.on_server("openstack", &made.id);
        world.jenkins.agents.insert(agent.name.clone(), agent);
    }
    let hardware = Agent::new(&format!("{TEMPLATE}+192.0.2.77"), &["hardware"]);
    world.jenkins.agents.insert(hardware.name.clone(), hardware);
    let hardware = Agent::new("arm-board", &["arm64"]).online();
    world.jenkins.agents.insert(hardware.name.clone(), hardware);
}

fn site() -> (Site, Left) {
    let site = Site::new();
    let kind = Kind::new(&LABELS).joins_as(JoinsAs::TemplateAndAddress);
    site.world.kind(TEMPLATE, kind);
    fs::write(site.config(), configuration(&site)).unwrap();
    let left = site.world.with(leave);
    (site, left)
}

/// The servers of the cloud: those without a mark, and those that have ours.
fn servers(site: &Site) -> (BTreeSet<String>, BTreeSet<String>) {
    site.world.with(|world| {
        let all = world.cloud("openstack").servers.iter();
        let (ours, old): (Vec<_>, Vec<_>) = all.partition(|server| {
            server
                .metadata
                .get("mita-owner")
                .is_some_and(|owner| owner == "127.0.0.1")
        });
        let names = |servers: Vec<&CloudServer>| servers.iter().map(|server| server.name.clone()).collect();
        (names(old), names(ours))
    })
}

/// Minutes of cron, a pass in each or in every fifth: each pass ends well, no build is lost, nothing foreign goes.
fn cron(site: &Site, minutes: u32) -> Vec<Done> {
    let mut passes = Vec::new();
    let step = if minutes > 30 { 5 } else { 1 };
    for _ in 0..minutes / step {
        site.world.advance(i64::from(step) * 60);
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.out);
        site.world.with(|world| {
            assert_eq!(world.jenkins.killed(), 0, "{}", done.out);
            assert!(world.cloud("openstack").servers.len() <= 12 + FOREIGN.len());
            for agent in ["arm-board".to_owned(), format!("{TEMPLATE}+192.0.2.77")] {
                assert!(world.jenkins.agents[&agent].mark.is_none(), "{agent}");
            }
            for name in FOREIGN {
                assert!(world.jenkins.agents[&format!("agent of {name}")].connected, "{name}");
            }
        });
        passes.push(done);
    }
    passes
}

fn done(passes: &[Done], what: &str) -> usize {
    let actions = passes.iter().flat_map(Done::actions);
    actions.filter(|action| action.starts_with(what)).count()
}

#[test]
fn a_whole_site_moves_over() {
    let (site, left) = site();
    // As long as jobs wait, what the old service left serves them.
    for number in 0..8 {
        site.world
            .submit(job(&format!("build-{number}"), "amd64&&trusty").seconds(600));
    }

    // What the operator looks at before cron: nothing is written.
    site.world.forget_calls();
    let status = site.mita(&["status", "-o", "json"]);
    assert_eq!(status.code, 0, "{}", status.err);
    let rows = status.json()["servers"].as_array().unwrap().clone();
    let seen: BTreeSet<String> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, left.servers);
    assert!(rows.iter().all(|row| row["adopted"] == true));
    let dry = site.mita(&["run", "--dry-run", "-o", "json"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert_eq!(done(&[dry], "delete_server"), 1, "the one in ERROR");
    site.world.assert_no_writes();

    // The idle ones and the one that boots serve the queue: 11 servers are more than max (10). Once the one in ERROR and
    // the one that was offline are gone, there is room for one.
    let mut first = cron(&site, 30);
    first.extend(cron(&site, 60));
    let created = done(&first, "create");
    assert_eq!(created, 1);
    let jobs = |world: &mut State| {
        world
            .jenkins
            .builds
            .iter()
            .filter(|build| build.job.starts_with("build-"))
            .count()
    };
    assert_eq!(site.world.with(jobs), 8, "all jobs ran on what was there");

    // The work ends, the nodes stand idle, and go; new work gets new servers.
    site.world.with(|world| world.unmark(&left.held));
    let mut later = cron(&site, 60);
    let (old, ours) = servers(&site);
    assert!(old.len() > FOREIGN.len() && ours.is_empty(), "some still work: {old:?}");
    for number in 0..6 {
        site.world.submit(job(&format!("late-{number}"), "amd64").seconds(1200));
    }
    later.extend(cron(&site, 30));
    let late = done(&later, "create");
    assert!((1..=6).contains(&late), "{late} for six jobs");
    assert_eq!(site.world.with(|world| world.jenkins.queue.len()), 0);

    later.extend(cron(&site, 240));
    let (old, ours) = servers(&site);
    assert_eq!(old.len(), FOREIGN.len(), "all of the old fleet is gone: {old:?}");
    assert!(ours.is_empty(), "and what came later, too: {ours:?}");
    assert_eq!(
        done(&first, "delete_server") + done(&later, "delete_server"),
        left.servers.len() + created + late
    );
    site.world.with(|world| {
        let agents: Vec<&String> = world.jenkins.agents.keys().collect();
        assert_eq!(agents.len(), FOREIGN.len() + 2, "{agents:?}");
        assert!(world.jenkins.builds.iter().all(|build| build.done && !build.killed));
    });

    // The key goes, and nothing changes.
    let text = configuration(&site).replace("    adopt: true\n", "");
    fs::write(site.config(), text).unwrap();
    let last = cron(&site, 2);
    assert!(last.iter().all(|done| done.actions().is_empty()));
    assert_eq!(last[1].json()["notes"], serde_json::json!([]));
}

#[test]
fn a_lost_state_file_in_the_middle_of_the_move_loses_nothing() {
    let (site, left) = site();
    for _ in 0..15 {
        cron(&site, 8);
        fs::remove_file(site.state_file()).unwrap();
    }
    let (old, ours) = servers(&site);
    assert!(ours.is_empty());
    // The one in ERROR is gone, and the one that was offline; idle times start again each time.
    assert_eq!(old.len(), FOREIGN.len() + left.servers.len() - 2);
    site.world.with(|world| world.unmark(&left.held));
    cron(&site, 300);
    assert_eq!(servers(&site).0.len(), FOREIGN.len());
}

#[test]
fn what_was_taken_over_is_destroyed_by_name() {
    let (site, left) = site();
    let idle = format!("{TEMPLATE}__7d0f4c1e-9a53-4c44-8f3e-000000000004");
    let busy = format!("{TEMPLATE}__7d0f4c1e-9a53-4c44-8f3e-000000000001");
    let node = site.world.with(|world| {
        let servers = &world.cloud("openstack").servers;
        let address = servers.iter().find(|server| server.name == idle).unwrap().addresses[0].clone();
        format!("{TEMPLATE}+{address}")
    });
    let done = site.mita(&["destroy", &node, "-o", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.actions().len(), 3, "{}", done.out);
    assert!(!site.world.with(|world| world.jenkins.agents.contains_key(&node)));
    for name in [busy.as_str(), FOREIGN[0], FOREIGN[1], &left.held, "arm-board"] {
        let done = site.mita(&["destroy", name]);
        assert_eq!(done.code, 1, "{name}: {}", done.out);
    }
    site.world.advance(60);
    let (old, _) = servers(&site);
    assert_eq!(old.len(), FOREIGN.len() + left.servers.len() - 1);
    assert!(!old.contains(&idle));
}

#[test]
fn without_adopt_nothing_of_it_is_ours() {
    let (site, left) = site();
    fs::write(site.config(), configuration(&site).replace("    adopt: true\n", "")).unwrap();
    let passes = cron(&site, 100);
    assert_eq!(done(&passes, "delete"), 0);
    assert_eq!(servers(&site).0.len(), FOREIGN.len() + left.servers.len());
    assert!(
        site.mita(&["status", "-o", "json"]).json()["servers"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn check_says_what_adopting_means() {
    let (site, _) = site();
    let done = site.mita(&["check"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let adopt = done
        .err
        .lines()
        .find(|line| line.contains("precise-slave.adopt"))
        .unwrap();
    assert!(adopt.contains("stop the program that made them first"), "{adopt}");
    fs::write(site.config(), configuration(&site).replace("    adopt: true\n", "")).unwrap();
    assert!(!site.mita(&["check"]).err.contains("adopt"));
}

/// One hand-made server whose node has just gone: the next passes remove it, unless its agent comes back.
fn lost_box(name: &str) -> (Site, String) {
    let (site, _) = site();
    let node = site.world.with(|world| {
        let made = server(world, name, START - HOUR);
        joined(world, &made)
    });
    cron(&site, 1);
    site.world.with(|world| drop(world.jenkins.agents.remove(&node)));
    // The `offline_grace` of five minutes.
    cron(&site, 5);
    (site, node)
}

#[test]
fn a_server_may_have_a_name_that_no_agent_can_have() {
    let (site, _) = lost_box("release/1 (do not touch?)");
    cron(&site, 2);
    assert!(!servers(&site).0.contains("release/1 (do not touch?)"));
}

#[test]
fn an_agent_that_comes_back_at_the_last_moment_keeps_its_server() {
    let (site, node) = lost_box("release 2");
    let agent = Agent::new(&node, &LABELS).online();
    let back = When::on(Service::Jenkins)
        .method("GET")
        .test(|call| call.query.contains("quietingDown"));
    site.world.after(back, move |world: &mut State| {
        world.jenkins.agents.insert(agent.name.clone(), agent.clone());
    });
    site.world.advance(60);
    let done = site.mita(&["run", "-o", "json"]);
    assert!(
        done.actions().contains(&"delete_server skipped release 2".to_owned()),
        "{}",
        done.out
    );
    assert!(servers(&site).0.contains("release 2"));
}
