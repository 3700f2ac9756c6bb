//! Nodes that mita makes: before the server (`register: inbound`), and once it is up (`register: ssh`).

use std::fs;

use serde_json::json;

use super::fakes::{Agent, Fault, JoinsAs, Kind, Reply, Service, Task, When, secret_of};
use super::program::Done;
use super::site::{NODES, Site, job};

const CREATE_NODE: &str = "doCreateItem";

fn inbound() -> String {
    NODES
        .replace(
            "    keyname",
            "    register: inbound\n    agent: {remote_dir: /home/agent}\n    executors: 2\n    keyname",
        )
        .replace("echo {{ mita.name }}", "join {{ mita.name }} {{ mita.agent_secret }}")
}

fn ssh(host_key: &str) -> String {
    let agent = format!("    register: ssh\n    agent: {{credentials_id: ci, host_key: {{{host_key}}}}}\n    keyname");
    NODES.replace("    keyname", &agent).replace(
        "echo {{ mita.name }}",
        "echo {{ mita.name }}\n      cat << END\n      {{ mita.ssh_host_key }}\n      END",
    )
}

fn site(nodes: &str, joins_as: JoinsAs) -> Site {
    let site = Site::with(nodes, "");
    site.world.kind("small", Kind::new(&[]).joins_as(joins_as));
    site
}

fn inbound_site() -> Site {
    site(&inbound(), JoinsAs::BySecret)
}

fn ssh_site() -> Site {
    site(&ssh("strategy: provided"), JoinsAs::BySsh)
}

fn nodes(site: &Site) -> Vec<String> {
    site.world.with(|world| world.jenkins.agents.keys().cloned().collect())
}

fn script(site: &Site) -> String {
    site.world.with(|world| world.cloud("openstack").servers[0].script())
}

/// Everything that a pass left behind for people and for the next pass.
fn everything(site: &Site, done: &Done) -> String {
    let mut all = format!("{}\n{}", done.out, done.err);
    for entry in fs::read_dir(site.folder()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        all.push_str(&String::from_utf8_lossy(&bytes));
    }
    all
}

#[test]
fn an_inbound_node_is_made_before_its_server_and_goes_with_it() {
    let site = inbound_site();
    site.world.submit(job("build", "linux&&x86_64").seconds(300));
    let first = site.pass();
    assert_eq!(first.actions(), ["register done small", "create done small"]);
    let name = nodes(&site).remove(0);
    site.world.with(|world| {
        let agent = world.jenkins.agent(&name).clone();
        assert!(agent.inbound && !agent.connected);
        assert_eq!((agent.executors.len(), agent.remote_dir.as_str()), (2, "/home/agent"));
        assert_eq!(
            (agent.labels.join(" "), agent.description),
            ("linux x86_64".to_owned(), "made by mita".to_owned())
        );
        assert_eq!(world.cloud("openstack").servers[0].name, name);
    });
    assert_eq!(script(&site), format!("#!/bin/sh\njoin {name} {}\n", secret_of(&name)));

    site.world.advance(60);
    assert!(
        site.pass().actions().is_empty(),
        "a booting server is supply, its node no stray"
    );
    let status = site.mita(&["status", "-o", "json"]).json();
    assert_eq!(status["servers"][0]["phase"], "booting");
    site.minutes(10);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 1, "the job ran");
    site.minutes(50);
    assert_eq!(
        (site.servers(), nodes(&site).len()),
        (0, 0),
        "it stood idle and is gone, with its node"
    );
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn what_it_costs() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    // Queue, computers, quieting down; the node, its secret.
    assert_eq!(site.requests(Service::Jenkins), 3 + 2);
    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    assert_eq!(site.requests(Service::Jenkins), 3);
    site.world.advance(60);
    site.world.forget_calls();
    assert_eq!(site.pass().actions(), ["register done small"]);
    assert_eq!(site.requests(Service::Jenkins), 3 + 1);
    site.world.forget_calls();
    site.pass();
    assert_eq!(site.requests(Service::Jenkins), 2);
}

#[test]
fn a_dry_run_says_both_and_does_neither() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["run", "-n", "-o", "json"]);
    assert_eq!(done.actions(), ["register planned small", "create planned small"]);
    site.world.assert_no_writes();
}

#[test]
fn a_refused_server_takes_its_node_with_it_in_the_same_pass() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    let refused = Reply::json(
        403,
        &json!({"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"}}),
    );
    site.world.fault(
        When::on(Service::Nova).method("POST").part("/servers"),
        Fault::Instead(refused),
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        done.actions(),
        ["register done small", "create refused small", "delete_node done small"]
    );
    assert_eq!((done.code, nodes(&site).len(), site.servers()), (0, 0, 0));
    assert!(site.state()["intents"].as_object().unwrap().is_empty());
    assert!(site.state()["stray_nodes"].as_object().unwrap().is_empty());
}

#[test]
fn a_node_that_cannot_be_taken_back_goes_two_passes_later() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    let refused = Reply::json(400, &json!({"badRequest": {"code": 400, "message": "no"}}));
    site.world.fault(
        When::on(Service::Nova).method("POST").part("/servers"),
        Fault::Instead(refused),
    );
    site.world.fault(
        When::on(Service::Jenkins).part("doDelete").times(1),
        Fault::Instead(Reply::html(502, "<html>")),
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        done.actions(),
        ["register done small", "create failed small", "delete_node failed small"]
    );
    assert_eq!((done.code, nodes(&site).len()), (1, 1));
    site.world.clear_script();
    site.world.with(|world| world.jenkins.queue.clear());
    site.minutes(1);
    assert_eq!(nodes(&site).len(), 1, "seen without a server once");
    site.minutes(1);
    assert_eq!(nodes(&site).len(), 0, "seen twice: it was known to be ours");
}

#[test]
fn without_an_answer_of_the_cloud_the_node_stays_with_its_intent() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    site.world.fault(
        When::on(Service::Nova).method("POST").part("/servers"),
        Fault::DropAfter,
    );
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(done.actions(), ["register done small", "create unknown small"]);
    assert_eq!((nodes(&site).len(), site.servers()), (1, 1));
    site.world.clear_script();
    site.minutes(10);
    assert_eq!((nodes(&site).len(), site.servers()), (1, 1), "nothing is made twice");
    assert_eq!(
        site.world.with(|world| world.jenkins.builds.len()),
        1,
        "the server that was made joined"
    );
}

#[test]
fn a_crash_at_any_step_leaves_nothing_and_doubles_nothing() {
    // What the world looks like when the process dies right after a request: the requests that follow do not happen,
    // and nothing is saved but what was saved before the create.
    for (step, when, lost) in [
        ("node", When::on(Service::Jenkins).part(CREATE_NODE), true),
        ("secret", When::on(Service::Jenkins).part("slave-agent.jnlp"), true),
        ("server", When::on(Service::Nova).method("POST").part("/servers"), false),
    ] {
        let site = inbound_site();
        site.world.submit(job("build", "linux").seconds(60));
        // The state as it is on the disk at that moment.
        let (file, kept) = (site.state_file(), site.path("kept"));
        let at_crash = kept.clone();
        site.world.after(when, move |_| drop(fs::copy(&file, &at_crash)));
        if lost {
            site.world.fault(
                When::on(Service::Nova).method("POST").part("/servers"),
                Fault::DropBefore,
            );
        }
        site.mita(&["run"]);
        site.world.clear_script();
        assert!(kept.exists(), "{step}: the intent was durable before");
        fs::rename(&kept, site.state_file()).unwrap();
        assert_eq!(site.state()["intents"].as_object().unwrap().len(), 1, "{step}");
        assert_eq!(nodes(&site).len(), 1, "{step}");

        let most = if lost { 2 } else { 1 };
        for _ in 0..12 {
            site.world.advance(60);
            site.mita(&["run"]);
            assert!(
                site.servers() <= 1 && nodes(&site).len() <= most,
                "{step}: {:?}",
                nodes(&site)
            );
        }
        let built = site
            .world
            .with(|world| world.jenkins.builds.iter().filter(|build| build.done).count());
        assert_eq!(
            (built, nodes(&site).len()),
            (1, 1),
            "{step}: one server joined, and no node is left over"
        );
    }
}

#[test]
fn a_missing_permission_makes_no_server_and_is_named() {
    for (permission, named, left) in [
        (
            "hudson.model.Computer.Create",
            "Agent/Create",
            vec!["register failed small", "create skipped small"],
        ),
        (
            "hudson.model.Computer.Connect",
            "Agent/Connect",
            vec![
                "register failed small",
                "delete_node done small",
                "create skipped small",
            ],
        ),
    ] {
        let site = inbound_site();
        site.world.with(|world| {
            world.jenkins.revoke("mita", permission);
            world.jenkins.revoke("mita", "hudson.model.Computer.Disconnect");
        });
        site.world.submit(job("build", "linux"));
        let done = site.mita(&["run", "-o", "json"]);
        assert_eq!(
            (done.code, done.actions()),
            (1, left.iter().map(ToString::to_string).collect())
        );
        assert!(done.err.contains(&format!("user mita lacks {named}")), "{}", done.err);
        assert_eq!((site.servers(), nodes(&site).len()), (0, 0));
        let state = site.state();
        assert!(
            state["backoffs"]["template small"]["reason"]
                .as_str()
                .unwrap()
                .contains(named),
            "{state}"
        );
        site.world.advance(30);
        assert!(site.pass().actions().is_empty(), "the template is held back");

        site.world.agent(Agent::new("other", &[]));
        site.world.forget_calls();
        let check = site.mita(&["check", "--online"]);
        assert_eq!(check.code, 1, "{}", check.err);
        assert!(
            check.err.contains(&format!("user mita lacks {named}: without it no")),
            "{}",
            check.err
        );
        assert_eq!(nodes(&site), ["other"], "nothing is made to find out");
    }
}

#[test]
fn a_secret_is_in_the_user_data_and_nowhere_else() {
    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    let observation = site.path("observation.json").display().to_string();
    let done = site.mita(&["-vv", "run", "-o", "json", "--save-observation", &observation]);
    assert_eq!(done.code, 0, "{}", done.err);
    let name = nodes(&site).remove(0);
    let secret = secret_of(&name);
    assert!(script(&site).contains(&secret));
    assert!(!everything(&site, &done).contains(&secret));

    let site = inbound_site();
    site.world.submit(job("build", "linux"));
    let output = site.command(&["-vv", "run", "-o", "json"]).output().unwrap();
    let all = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let name = nodes(&site).remove(0);
    assert!(all.contains("slave-agent.jnlp"), "requests are logged: {all}");
    assert!(!all.contains(&secret_of(&name)), "{all}");

    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    let output = site.command(&["-vv", "run", "-o", "json"]).output().unwrap();
    let all = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let state = fs::read_to_string(site.state_file()).unwrap();
    let script = script(&site);
    let lines: Vec<&str> = script
        .lines()
        .skip_while(|line| !line.contains("BEGIN OPENSSH"))
        .skip(1)
        .take(5)
        .collect();
    assert!(lines.iter().all(|line| line.len() >= 30), "{script}");
    assert!(
        !lines.iter().any(|line| all.contains(line) || state.contains(line)),
        "{all} {state}"
    );
}

#[test]
fn a_server_that_never_joins_goes_with_its_node() {
    let site = site(&inbound(), JoinsAs::Never);
    site.world.submit(job("build", "linux"));
    site.pass();
    site.world.with(|world| world.jenkins.queue.clear());
    let mut seen = Vec::new();
    for _ in 0..20 {
        site.world.advance(60);
        seen.extend(site.pass().actions());
    }
    assert_eq!(
        seen,
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    assert_eq!((site.servers(), nodes(&site).len()), (0, 0));
}

#[test]
fn a_lost_state_file_harms_no_inbound_node() {
    let site = inbound_site();
    site.world.submit(job("build", "linux").seconds(600));
    for _ in 0..8 {
        site.world.advance(60);
        let _ = fs::remove_file(site.state_file());
        site.pass();
        assert!(site.servers() <= 1 && nodes(&site).len() <= 1);
    }
    assert_eq!(
        site.world
            .with(|world| (world.jenkins.builds.len(), world.jenkins.killed())),
        (1, 0)
    );
}

#[test]
fn an_ssh_node_is_made_once_the_server_is_up_and_its_first_connection_is_verified() {
    let site = ssh_site();
    site.world.submit(job("build", "linux").seconds(120));
    assert_eq!(site.pass().actions(), ["create done small"]);
    let keys = site.state()["host_keys"].clone();
    let key = keys
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    assert!(key.starts_with("ssh-ed25519 AAAA"), "{key}");
    assert_eq!(nodes(&site).len(), 0);
    site.world.advance(60);
    assert_eq!(site.pass().actions(), ["register done small"]);
    let name = nodes(&site).remove(0);
    site.world.with(|world| {
        let address = world.cloud("openstack").servers[0].addresses[0].clone();
        let ssh = world.jenkins.agent(&name).ssh.clone().unwrap();
        assert_eq!((ssh.host, ssh.port, ssh.credentials.as_str()), (address, 22, "ci"));
        assert_eq!(
            (ssh.strategy.as_str(), ssh.key.as_deref()),
            ("ManuallyProvidedKeyVerificationStrategy", Some(key.as_str()))
        );
    });
    site.minutes(8);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 1, "the job ran");
    assert!(site.state().get("host_keys").is_none(), "not needed any more");
    site.minutes(50);
    assert_eq!((site.servers(), nodes(&site).len()), (0, 0));
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn provision_registers_and_reap_does_not() {
    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    site.world.advance(60);
    assert!(site.mita(&["reap", "-o", "json"]).actions().is_empty());
    assert_eq!(
        site.mita(&["provision", "-n", "-o", "json"]).actions(),
        ["register planned small"]
    );
    assert_eq!(
        site.mita(&["provision", "-o", "json"]).actions(),
        ["register done small"]
    );
}

#[test]
fn a_host_key_that_was_forgotten_is_not_guessed() {
    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    fs::remove_file(site.state_file()).unwrap();
    site.world.with(|world| world.jenkins.queue.clear());
    site.world.advance(60);
    let done = site.pass();
    assert!(done.actions().is_empty(), "{}", done.out);
    assert!(
        done.out
            .contains("the host key that was made for it is not known any more"),
        "{}",
        done.out
    );
    site.minutes(20);
    assert_eq!((site.servers(), nodes(&site).len()), (0, 0), "it went after boot_grace");

    // Where nothing was made for it, nothing is lost with the state file.
    let site = site_of_other_strategy();
    site.pass();
    fs::remove_file(site.state_file()).unwrap();
    site.minutes(5);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 1);
}

fn site_of_other_strategy() -> Site {
    let nodes = ssh("strategy: trust_first").replace("{{ mita.ssh_host_key }}", "");
    let site = site(&nodes, JoinsAs::BySsh);
    site.world.submit(job("build", "linux"));
    site
}

#[test]
fn a_node_of_another_key_is_never_connected() {
    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    site.world.with(|world| {
        let server = &mut world.cloud("openstack").servers[0];
        server.user_data = None;
    });
    site.minutes(6);
    assert_eq!(nodes(&site).len(), 1);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 0);
}

#[test]
fn a_jenkins_without_the_ssh_plugin_costs_one_server_an_hour_until_it_is_started_again() {
    let site = ssh_site();
    site.world.with(|world| world.jenkins.ssh_plugin = false);
    let check = site.mita(&["check", "--online"]);
    assert!(check.code == 1 && check.err.contains("ssh-slaves"), "{}", check.err);
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux"));
    }
    let done = site.pass();
    assert_eq!(done.actions(), ["create done small"], "{}", done.out);
    assert!(
        done.out
            .contains("the first server with register: ssh is to get its Jenkins node")
    );
    site.world.advance(60);
    let done = site.mita(&["run", "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["register failed small".to_owned()])
    );
    assert!(done.err.contains("ssh-slaves"), "{}", done.err);
    let made = |site: &Site| {
        let servers = site
            .world
            .count(|call| call.service == Service::Nova && call.method == "POST" && call.path.ends_with("/servers"));
        let nodes = site.world.count(|call| call.path.ends_with("doCreateItem"));
        (servers, nodes)
    };
    site.minutes(55);
    assert_eq!(
        (made(&site), site.servers()),
        ((1, 2), 0),
        "the check asked, too; it went after boot_grace"
    );
    for _ in 0..8 {
        site.world.advance(60);
        site.mita(&["run"]);
    }
    assert_eq!(made(&site).0, 2, "once an hour");
    site.world.with(|world| {
        world.jenkins.ssh_plugin = true;
        world.jenkins.session.push('x');
    });
    site.minutes(4);
    assert_eq!(nodes(&site).len(), 3);
    assert_eq!(site.mita(&["check", "--online"]).code, 0);
}

#[test]
fn a_crash_after_an_ssh_node_was_made_makes_no_second_one() {
    let site = ssh_site();
    site.world.submit(job("build", "linux"));
    site.pass();
    site.world.advance(60);
    let before = fs::read(site.state_file()).unwrap();
    site.pass();
    fs::write(site.state_file(), before).unwrap();
    site.world.forget_calls();
    site.world.advance(60);
    assert!(site.pass().actions().is_empty());
    assert_eq!(site.world.count(|call| call.path.contains(CREATE_NODE)), 0);
    site.minutes(4);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 1);
}

#[test]
fn with_a_floating_ip_jenkins_connects_to_that() {
    let nodes = ssh("strategy: none")
        .replace("{{ mita.ssh_host_key }}", "")
        .replace("    keyname", "    floating_ip_pool: public\n    keyname");
    let site = site(&nodes, JoinsAs::BySsh);
    site.world.submit(job("build", "linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    let mut seen = Vec::new();
    for _ in 0..6 {
        site.world.advance(60);
        seen.extend(site.pass().actions());
    }
    assert_eq!(
        seen[..2],
        ["create_floating_ip done small", "register done small"],
        "{seen:?}"
    );
    site.world.with(|world| {
        let floating = world.cloud("openstack").floating_ips[0].address.clone();
        let host = world.jenkins.agents.values().next().unwrap().ssh.clone().unwrap().host;
        assert_eq!(host, floating);
        assert_eq!(world.jenkins.builds.len(), 1);
    });
}

#[test]
fn another_owners_node_that_waits_for_its_server_is_left_alone() {
    let site = inbound_site();
    let name = "small__0123456789ab";
    site.world.agent(Agent::new(name, &["linux"]));
    site.minutes(10);
    assert_eq!(nodes(&site), [name], "within boot_grace it may be another mita's");
    site.minutes(8);
    assert_eq!(nodes(&site).len(), 0);
}

#[test]
fn a_node_that_waits_for_its_agent_does_not_confuse_the_queue() {
    // With one node of the label, which is offline, Jenkins says that this node is what an item waits for.
    let site = inbound_site();
    site.world
        .submit(Task::pipeline("folder/pipe", 7).label("linux&&x86_64"));
    site.world.agent(Agent::new("other", &["elsewhere"]));
    assert_eq!(site.pass().actions(), ["register done small", "create done small"]);
    site.world.advance(20);
    assert!(site.pass().actions().is_empty());
    site.world
        .submit(Task::pipeline("folder/pipe", 8).label("linux&&x86_64"));
    site.world
        .submit(Task::pipeline("folder/pipe", 9).label("linux&&x86_64"));
    // Two executors each: two of the three items have one.
    assert_eq!(site.pass().actions(), ["register done small", "create done small"]);
    site.minutes(5);
    assert_eq!(site.world.with(|world| world.jenkins.builds.len()), 3);
    assert_eq!(site.servers(), 2);
}

#[test]
fn a_mark_of_a_person_on_a_node_that_waits_is_respected() {
    let site = site(&inbound(), JoinsAs::Never);
    site.world.submit(job("build", "linux"));
    site.pass();
    let name = nodes(&site).remove(0);
    site.world.with(|world| {
        world.jenkins.queue.clear();
        world.mark(&name, "admin", "I look at it");
    });
    site.minutes(25);
    assert_eq!((site.servers(), nodes(&site).len()), (1, 1));
    site.world.with(|world| world.unmark(&name));
    site.minutes(2);
    assert_eq!((site.servers(), nodes(&site).len()), (0, 0));
}

#[test]
fn a_refused_placement_hands_over_to_the_next_with_a_node_of_its_own() {
    let nodes_of = inbound().replace(
        "    provider: openstack",
        "    provider: openstack\n    availability_zone: [az1, az2]",
    );
    let site = site(&nodes_of, JoinsAs::BySecret);
    site.world.submit(job("build", "linux"));
    let refused = Reply::json(
        403,
        &json!({"forbidden": {"code": 403, "message": "Quota exceeded for instances"}}),
    );
    let post = || When::on(Service::Nova).method("POST").part("/servers");
    site.world.fault(post().times(1), Fault::Instead(refused));
    let done = site.mita(&["run", "-o", "json"]);
    let expected = [
        "register done small",
        "create refused small",
        "delete_node done small",
        "register done small",
        "create done small",
    ];
    assert_eq!(
        (done.code, done.actions()),
        (0, expected.map(str::to_owned).to_vec()),
        "{}",
        done.err
    );
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    assert_eq!(nodes(&site), [name]);
}
