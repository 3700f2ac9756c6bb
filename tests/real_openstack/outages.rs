//! Services that are away: nothing is concluded from that.

use std::process::Stdio;

use serde_json::{Value, json};

use super::patience::poll;
use super::services::{Held, answers, ctl, fault, hold, restore};
use super::site::{Done, LINUX, LOGIN, Site, text};

/// A pass that saw nothing remembers that, and nothing of servers.
fn concludes_nothing(after: &Value, before: &Value, what: &str) {
    for part in ["nodes", "intents", "backoffs", "last_pass", "gaps", "stray_nodes"] {
        assert_eq!(after[part], before[part], "{what}: {part}");
    }
}

#[test]
fn an_outage_changes_nothing() {
    let site = Site::alone("outage", "ci");
    let stranger = site.cloud.foreign_server(&site.owner, "linux__0123456789ab", "private");
    let other = LINUX
        .replace("  linux:", "  other:")
        .replace("[linux, x86_64]", "[other]");
    let nodes = format!("{}{}", LINUX, other.trim_start_matches('\n'));
    site.configure(&nodes, LOGIN);
    site.job("build", "linux");
    site.pass();
    let server = site.active();
    site.join(text(&server, "name"), &["linux", "x86_64"]);
    site.pass();
    // From here on there is something to remove and something to create.
    site.job("more", "other");
    let state = site.state();
    site.configure(&nodes, &format!("{LOGIN}, timeout: 1s"));

    for (what, service) in [
        ("kill", "nova-api"),
        ("pause", "nova-api"),
        ("kill", "keystone"),
        ("pause", "keystone"),
    ] {
        ctl(&[what, service]);
        site.world.forget_calls();
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(done.code, 4, "{what} {service}: {}{}", done.out, done.err);
        assert!(done.err.contains("real"), "it names the provider: {}", done.err);
        assert_eq!(site.mita(&["reap"]).code, 4, "{what} {service}");
        site.world.assert_no_writes();
        concludes_nothing(&site.state(), &state, &format!("{what} {service}"));
        let problems = &site.state()["problems"];
        assert!(
            problems["provider-unreadable/real"].is_object(),
            "{what} {service}: {problems}"
        );
        restore();
    }
    assert_eq!((site.servers().len(), site.agents()), (1, 1));

    site.configure(&nodes, LOGIN);
    let ((), mut seen) = site.passes("both are done once the cloud is back", |_| {
        let servers = site.servers();
        (servers.len() == 1 && text(&servers[0], "name").starts_with("other__")).then_some(())
    });
    seen.sort();
    assert_eq!(
        seen,
        [
            "create done other",
            "delete_node done linux",
            "delete_server done linux",
            "offline done linux"
        ]
    );
    assert!(
        site.cloud
            .server(&stranger)
            .is_some_and(|server| server["status"] == "ACTIVE")
    );
}

/// Begins a pass, and meddles once a request of it is at the door.
fn meddled(site: &Site, request: Held, meddle: impl FnOnce(Held)) -> Done {
    let pass = site
        .command(&["-vv", "run", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    request.met();
    meddle(request);
    Done::of(pass.wait_with_output().unwrap())
}

#[test]
fn a_service_that_dies_in_mid_pass_costs_no_server() {
    let site = Site::alone("midst", "ci");
    let quick = format!("{LOGIN}, timeout: 5s");
    site.configure(LINUX, &quick);
    site.job("build", "linux");
    // Between the login and the list: nothing is known, nothing is done.
    let done = meddled(&site, hold("list", "nova", "GET", "/servers/detail$"), |request| {
        ctl(&["kill", "nova-api"]);
        request.release();
    });
    assert_eq!((done.code, &done.json()["exit"]), (4, &4.into()), "{}", done.err);
    ctl(&["start", "nova-api"]);
    answers("nova-api");
    // Glance is gone when the image is to be looked up: no request for a server.
    ctl(&["kill", "glance-api"]);
    let done = site.attempt();
    assert_eq!((done.code, done.posts()), (1, 0), "{}{}", done.out, done.err);
    assert!(site.servers().is_empty());
    ctl(&["start", "glance-api"]);
    answers("glance-api");
    // In the middle of the POST: it may have been carried out, so it is not repeated until that is known.
    site.configure_with(
        LINUX,
        &format!("real: {{type: openstack, {quick}, tenant_name: ci}}"),
        ", intent_grace: 20s, backoff_first: 1s",
    );
    let done = meddled(&site, hold("create", "nova", "POST", "/servers$"), |request| {
        ctl(&["kill", "nova-api"]);
        request.release();
    });
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(done.actions(), ["create unknown linux"], "{}", done.err);
    ctl(&["start", "nova-api"]);
    answers("nova-api");
    let (server, seen) = site.passes("a server after all", |_| site.servers().pop());
    assert_eq!(
        seen,
        ["create done linux"],
        "the first was never made, so another is, once"
    );
    assert_eq!(site.servers().len(), 1, "{server:#}");
}

#[test]
fn a_create_that_hangs_is_found_later() {
    let site = Site::alone("hangs", "ci");
    site.configure(LINUX, &format!("{LOGIN}, timeout: 4s"));
    site.job("build", "linux");
    // Nova hands the request on by RabbitMQ, or asks Neutron: it hangs, and is carried out when that is back.
    for service in ["rabbitmq", "neutron-server"] {
        let done = meddled(&site, hold("create", "nova", "POST", "/servers$"), |request| {
            ctl(&["pause", service]);
            request.release();
        });
        let first = done.actions();
        ctl(&["resume", service]);
        // If Nova answered in time all the same, there is nothing to be found.
        let known = first == ["create done linux"];
        assert!(
            known || first == ["create unknown linux"],
            "{service}: {first:?} {}",
            done.err
        );
        site.configure(LINUX, LOGIN);
        poll("the server is found", || {
            let next = site.pass();
            assert_eq!(
                (next.actions(), next.posts()),
                (Vec::new(), 0),
                "{service}: {}",
                next.out
            );
            let servers = site.servers();
            assert!(servers.len() <= 1, "{service}: {servers:#?}");
            (servers.len() == 1 && servers[0]["status"] == "ACTIVE").then_some(())
        });
        assert_eq!(site.status()["servers"].as_array().unwrap().len(), 1);
        let server = site.active();
        let gone = site.mita(&["destroy", text(&server, "name"), "--force", "-o", "json"]);
        assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
        poll("it is gone", || site.servers().is_empty().then_some(()));
        site.forget_state();
        site.configure(LINUX, &format!("{LOGIN}, timeout: 4s"));
    }
}

#[test]
fn a_list_that_breaks_off_in_the_middle_is_no_list() {
    let site = Site::alone("paging", "ci");
    for name in ["a", "b", "c"] {
        site.job(name, "linux");
    }
    assert_eq!(site.pass().actions(), ["create done linux"; 3]);
    let state = site.state();
    site.configure(LINUX, &format!("{LOGIN}, timeout: 5s"));
    let small =
        json!({"service": "nova", "method": "GET", "path": "/servers/detail$", "query": {"limit": "1"}, "count": 1});
    fault(&small);
    // The first rule meets the first page, the second the next.
    let done = meddled(&site, hold("list", "nova", "GET", "/servers/detail$"), |request| {
        ctl(&["kill", "nova-api"]);
        request.release();
    });
    assert_eq!((done.code, &done.json()["exit"]), (4, &4.into()), "{}", done.err);
    concludes_nothing(&site.state(), &state, "a list that breaks off");
    ctl(&["start", "nova-api"]);
    answers("nova-api");
    let next = site.pass();
    assert_eq!((next.actions(), next.posts()), (Vec::new(), 0), "{}", next.out);
    assert_eq!(site.servers().len(), 3);
}
