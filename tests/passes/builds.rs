//! `max_builds` in whole passes: so many builds on a node, and then it goes.

use std::collections::BTreeMap;

use super::fakes::{Service, When};
use super::site::{NODES, Site, job};

fn limited(most: u32) -> Site {
    let nodes = NODES.replace(
        "provider: openstack",
        &format!("provider: openstack\n    max_builds: {most}"),
    );
    Site::with(&nodes, "limits: {canary: 0}\ntiming: {idle_grace: 40m}")
}

/// How many builds each node had.
fn builds(site: &Site) -> BTreeMap<String, usize> {
    site.world.with(|world| {
        let mut found = BTreeMap::new();
        for build in &world.jenkins.builds {
            *found.entry(build.agent.clone()).or_default() += 1;
        }
        found
    })
}

#[test]
fn with_single_use_each_node_has_one_build() {
    let site = limited(1);
    for at in 0..4 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(130));
    }
    site.minutes(3);
    // More come while the first ones run: each gets a server of its own.
    for at in 4..8 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(130));
    }
    site.minutes(12);
    let builds = builds(&site);
    assert_eq!((builds.len(), builds.values().max()), (8, Some(&1)), "{builds:?}");
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
    assert_eq!(site.servers(), 0, "gone right after, not after idle_grace");
}

#[test]
fn builds_begin_only_until_the_pass_that_sees_the_last_one() {
    let site = limited(3);
    for at in 0..12 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(100));
    }
    site.minutes(30);
    let builds = builds(&site);
    assert_eq!(builds.values().sum::<usize>(), 12);
    // What begins right after another one ended is seen by the next pass at the latest.
    assert!(builds.values().all(|count| *count <= 4), "{builds:?}");
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn only_who_counts_builds_asks_for_them() {
    let asked = |site: &Site| {
        site.world.submit(job("build", "linux").seconds(3000));
        site.minutes(4);
        site.world.forget_calls();
        site.minutes(1);
        let calls = site.world.calls();
        let calls: Vec<&super::fakes::Call> = calls.iter().filter(|call| call.service == Service::Jenkins).collect();
        let list = calls.iter().find(|call| call.path == "/computer/api/json").unwrap();
        (calls.len(), list.query.contains("currentExecutable"))
    };
    assert_eq!(asked(&Site::new()), (2, false));
    // The first pass that sees the last build closes the node; the next one has nothing to do.
    assert_eq!(asked(&limited(1)), (2, true));
    assert_eq!(asked(&limited(2)), (2, true));
}

#[test]
fn status_tells_how_many() {
    let site = limited(5);
    site.world.submit(job("build", "linux").seconds(3000));
    site.minutes(4);
    let json = site.mita(&["status", "-o", "json"]).json();
    assert_eq!(json["servers"][0]["builds"], 1, "{json}");
    let text = site.mita(&["status"]).out;
    assert!(text.contains("1 build"), "{text}");
    let other = Site::new();
    other.world.submit(job("build", "linux"));
    other.minutes(3);
    let json = other.mita(&["status", "-o", "json"]).json();
    assert!(json["servers"][0].get("builds").is_none(), "{json}");
}

#[test]
fn a_person_s_mark_is_left_on_a_node_that_had_its_builds() {
    let site = limited(1);
    site.world.submit(job("build", "linux").seconds(600));
    let mut marked = None;
    for _ in 0..4 {
        site.world.advance(60);
        let name = site.world.with(|world| world.jenkins.agents.keys().next().cloned());
        if let Some(name) = name.filter(|_| marked.is_none()) {
            let admin = name.clone();
            let read = When::on(Service::Jenkins).path(&format!("/computer/{name}/api"));
            site.world
                .before(read, move |world| world.mark(&admin, "admin", "mine"));
            marked = Some(name);
        }
        site.pass();
    }
    let name = marked.unwrap();
    let mark = || {
        site.world
            .with(|world| world.jenkins.agent(&name).mark.clone().unwrap().message)
    };
    assert_eq!(mark(), "mine");
    site.minutes(15);
    assert_eq!((site.servers(), mark().as_str()), (1, "mine"));
}

#[test]
fn a_mark_that_fails_is_tried_again() {
    let site = limited(1);
    site.world.submit(job("build", "linux").seconds(600));
    site.minutes(2);
    site.world
        .with(|world| world.jenkins.revoke("mita", "hudson.model.Computer.Disconnect"));
    let mut failed = 0;
    for _ in 0..3 {
        site.world.advance(60);
        let done = site.run();
        failed += usize::from(done.code == 1 && done.err.contains("Agent/Disconnect"));
    }
    assert!(failed > 0, "said in each pass");
    let state = site.state();
    let node = state["nodes"].as_object().unwrap().values().next().unwrap();
    assert_eq!(node["builds"]["seen"], 1, "{node}");
}
