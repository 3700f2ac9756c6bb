//! Busy nodes that are too old or outdated in whole passes: their builds end, no other begins, they go.

use super::fakes::{Service, When};
use super::site::{NODES, Site, job};

/// A site whose template has these keys, too.
fn site(keys: &str) -> Site {
    Site::with(&nodes(keys), "timing: {idle_grace: 40m}")
}

fn nodes(keys: &str) -> String {
    NODES.replace("provider: openstack", &format!("provider: openstack\n    {keys}"))
}

/// The node that works, of which there is one.
fn worker(site: &Site) -> String {
    site.world.with(|world| {
        let agents: Vec<String> = world.jenkins.agents.keys().cloned().collect();
        let [name] = &agents[..] else { panic!("{agents:?}") };
        assert!(!world.jenkins.agent(name).idle());
        name.clone()
    })
}

fn mark(site: &Site, name: &str) -> Option<String> {
    site.world.with(|world| world.jenkins.mark_text(name))
}

#[test]
fn a_busy_node_over_max_lifetime_ends_its_builds_and_goes() {
    let site = site("max_lifetime: 10m");
    site.world.submit(job("long", "linux").seconds(1500));
    site.minutes(4);
    let name = worker(&site);
    // Something always waits, so that it would never be idle.
    for at in 0..3 {
        site.world.submit(job(&format!("j{at}"), "linux").seconds(1500));
    }
    site.minutes(12);
    let text = mark(&site, &name).expect("a mark");
    assert_eq!(text, "mita: draining, refresh, older than 10m (max_lifetime)");
    let rows = site.mita(&["status", "-o", "json"]).json();
    let mut rows = rows["servers"].as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == name.as_str()).unwrap();
    assert_eq!(
        (row["phase"].as_str(), row["offline_by"].as_str()),
        (Some("draining"), Some("mita"))
    );
    site.minutes(16);
    let (left, killed, on_it) = site.world.with(|world| {
        let on_it = world.jenkins.builds.iter().filter(|build| build.agent == name).count();
        (world.jenkins.agents.contains_key(&name), world.jenkins.killed(), on_it)
    });
    assert_eq!((left, killed, on_it), (false, 0, 1));
    site.minutes(60);
    let (ended, killed) = site
        .world
        .with(|world| (world.jenkins.builds.len(), world.jenkins.killed()));
    assert_eq!((ended, killed), (4, 0));
}

#[test]
fn a_budget_of_0_drains_nothing() {
    let site = site("max_lifetime: 10m\n    refresh: {budget: 0}");
    site.world.submit(job("long", "linux").seconds(6000));
    site.minutes(4);
    let name = worker(&site);
    site.minutes(30);
    assert_eq!(mark(&site, &name), None);
}

#[test]
fn what_undrain_gives_back_is_left_alone_for_a_day() {
    let site = site("max_lifetime: 10m");
    site.world.submit(job("long", "linux").seconds(300_000));
    site.minutes(4);
    let name = worker(&site);
    site.minutes(10);
    assert!(mark(&site, &name).is_some());
    // Should the command be cut off right after it gave the node back, the next pass knows it all the same.
    let path = site.state_file();
    let given_back = When::on(Service::Jenkins).method("POST").part("toggleOffline");
    site.world.before(given_back, move |_| {
        let state = std::fs::read_to_string(&path).unwrap();
        assert!(state.contains("\"undrained\""), "{state}");
    });
    let done = site.mita(&["undrain", &name, "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (0, vec!["online done small".to_owned()]),
        "{}",
        done.err
    );
    site.minutes(15);
    assert_eq!(mark(&site, &name), None);
    site.world.advance(24 * 60 * 60);
    site.minutes(3);
    assert!(mark(&site, &name).is_some(), "a day later");
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn outdated_nodes_are_replaced_where_that_is_asked_for() {
    let site = site("max: 10");
    site.world.submit(job("long", "linux").seconds(6000));
    site.minutes(4);
    let name = worker(&site);
    let changed = |keys: &str| nodes(keys).replace("echo", "echo hello");
    site.configure(&changed("max: 10"), "");
    site.minutes(3);
    assert_eq!(mark(&site, &name), None);
    site.configure(&changed("refresh: {outdated: true}"), "");
    site.minutes(1);
    let text = mark(&site, &name).expect("a mark");
    assert_eq!(text, "mita: draining, refresh, its template was changed");
    let again = site.mita(&["drain", "--outdated", "-o", "json"]);
    assert_eq!((again.code, again.actions().len()), (0, 0), "{}", again.out);
}

#[test]
fn a_new_image_under_an_old_name_reaches_a_busy_fleet() {
    let site = site("refresh: {outdated: true}");
    site.world.submit(job("long", "linux").seconds(20_000));
    site.minutes(4);
    let name = worker(&site);
    site.world.forget_calls();
    site.minutes(30);
    assert_eq!(
        site.requests(Service::Glance),
        0,
        "it was asked when the server was made"
    );
    let new = "99999999-0000-4000-8000-000000000001";
    site.world
        .with(|world| world.cloud("openstack").image(new, "ubuntu-24.04"));
    site.minutes(40);
    let text = mark(&site, &name).expect("a mark");
    assert_eq!(text, "mita: draining, refresh, new ones have another image");
    assert_eq!(site.requests(Service::Glance), 1, "once an hour");
}
