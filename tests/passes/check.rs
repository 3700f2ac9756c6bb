//! `check`: what it reads, what it says of it, and its exit code; and what `-o json` prints of a command that fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use mita::Io;
use serde_json::{Value, json};

use super::fakes::{Agent, Fault, Reply, Service, When};
use super::site::{NODES, Site};

const ALL: &str = "
  small:
    image_regex: ubuntu-24.*
    size: {vcpus: 1}
    keyname: jenkins
    networks: [private]
    security_groups: [default]
    labels: [linux]
    provider: openstack
    storage: 1
    floating_ip_pool: public
    ports: [{network: private}]
    register: inbound
    script: |
      #!/bin/sh
      echo {{ mita.agent_secret }}
";

/// A site with an agent, whose configuration nobody else can read.
fn site(nodes: &str) -> Site {
    let site = Site::with(nodes, "");
    site.world.agent(Agent::new("agent", &["x"]).online());
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
    site
}

fn refused() -> Fault {
    let body = json!({"forbidden": {"code": 403, "message": "Policy doesn't allow it to be performed."}});
    Fault::Instead(Reply::json(403, &body))
}

#[test]
fn each_thing_that_is_found_has_a_line() {
    let site = site(ALL);
    let done = site.mita(&["check", "--online"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    assert!(
        done.err
            .starts_with("mita: hint: jenkins: Job/Read: no job can be seen"),
        "{}",
        done.err
    );
    for line in [
        "ok  jenkins: no item in the queue",
        "ok  jenkins: 2 nodes in the list",
        "ok  jenkins: Agent/Disconnect",
        "ok  jenkins: Agent/Delete",
        "ok  jenkins: Agent/Create",
        "ok  jenkins: Agent/Connect",
        "ok  openstack: no server in the list",
        "ok  openstack: key pair \"jenkins\"",
        "ok  openstack: floating IP pool \"public\"",
        "ok  openstack: no floating IP in the list",
        "ok  openstack: no volume in the list",
    ] {
        assert!(
            done.out.lines().any(|printed| printed == line),
            "{line} in\n{}",
            done.out
        );
    }
    for begin in [
        "ok  openstack: login, project ",
        "ok  openstack: image /ubuntu-24.*/ = \"ubuntu-24.04\", ",
        "ok  openstack: size by what it must have = \"m1.",
        "ok  openstack: network \"private\" = ",
        "ok  openstack: security group \"default\" = ",
    ] {
        assert!(
            done.out.lines().any(|printed| printed.starts_with(begin)),
            "{begin} in\n{}",
            done.out
        );
    }
    assert!(
        done.out
            .lines()
            .any(|line| line.contains("openstack: ") && line.ends_with(" in the list") && line.contains("port"))
    );
    let servers = done.out.lines().find(|line| line.ends_with(" servers left")).unwrap();
    assert!(
        servers.starts_with("ok  openstack: ") && servers.contains(" of "),
        "{servers}"
    );
    assert!(
        done.out.ends_with(": all that it names is there (1 hint)\n"),
        "{}",
        done.out
    );
    assert_eq!(site.servers(), 0);
    assert_eq!(site.mita(&["-q", "check", "--online"]).out, "");
}

/// What a pass cannot do without, and what it reads where templates need it: none of it may be left to the pass.
#[test]
fn what_a_pass_reads_is_read() {
    let lists = [
        (Service::Nova, "/servers/detail", "list of servers"),
        (Service::Nova, "/limits", "limits"),
        (Service::Nova, "/flavors", "flavors"),
        (Service::Nova, "/os-keypairs", "key pairs"),
        (Service::Glance, "/images", "images"),
        (Service::Neutron, "/networks", "networks"),
        (Service::Neutron, "/security-groups", "security groups"),
        (Service::Neutron, "/floatingips", "floating IPs"),
        (Service::Neutron, "/ports", "ports"),
        (Service::Cinder, "/volumes", "volumes"),
        (Service::Jenkins, "/queue", "queue"),
        (Service::Jenkins, "/computer/api", "computer"),
    ];
    for (service, path, named) in lists {
        let site = site(ALL);
        site.world.fault(When::on(service).part(path).always(), refused());
        let done = site.mita(&["check", "--online"]);
        assert_eq!(done.code, 1, "{path}: {}{}", done.out, done.err);
        assert!(done.err.contains(named), "{named}: {}", done.err);
    }
}

#[test]
fn a_request_to_jenkins_that_fails_hides_nothing_else() {
    for path in ["/api/json", "/computer/doCreateItem", "/computer/agent/"] {
        let site = site(ALL);
        let fails = When::on(Service::Jenkins).path(path).always();
        site.world.fault(fails, Fault::Instead(Reply::proxy_page(500)));
        let done = site.mita(&["check", "--online"]);
        assert_eq!(done.code, 1, "{path}: {}{}", done.out, done.err);
        let has = |text: &str| done.out.contains(&format!("ok  jenkins: {text}"));
        assert!(has("version 2."), "{path}: {}", done.out);
        assert!(
            has("no item in the queue") && has("2 nodes in the list"),
            "{path}: {}",
            done.out
        );
        assert!(has("Agent/"), "{path}: {}", done.out);
        let errors = done.err.lines().filter(|line| line.starts_with("mita: jenkins: "));
        assert_eq!(
            errors.filter(|line| line.contains("500")).count(),
            1,
            "{path}: {}",
            done.err
        );
    }
}

#[test]
fn a_wrong_region_is_one_line_with_those_that_there_are() {
    let site = site(ALL);
    site.change_config(
        "    timeout: 5\nnodes:",
        "    service_region: regionone\n    timeout: 5\nnodes:",
    );
    let done = site.mita(&["check", "--online"]);
    assert_eq!((done.code, done.err.lines().count()), (1, 2), "{}", done.err);
    let line = done.err.lines().find(|line| !line.contains("hint")).unwrap();
    assert_eq!(
        line,
        "mita: provider openstack: the catalog has no region \"regionone\" (service_region; upper and lower case matter), \
         there are: RegionOne"
    );
}

#[test]
fn nothing_at_all_can_be_read() {
    let site = site(ALL);
    site.jenkins.stop();
    site.world.fault(
        When::on(Service::Keystone).always(),
        Fault::Instead(Reply::proxy_page(502)),
    );
    let done = site.mita(&["check", "--online", "-o", "json"]);
    assert_eq!((done.code, &done.json()["exit"]), (4, &4.into()), "{}", done.err);
    assert_eq!(done.json()["errors"].as_array().unwrap().len(), 2);
}

#[test]
fn a_state_that_a_pass_cannot_use_is_found() {
    let site = site(ALL);
    fs::write(site.state_file(), r#"{"version": 99}"#).unwrap();
    let done = site.mita(&["check", "--online"]);
    assert!(
        done.code == 1 && done.err.contains("state: ") && done.err.contains("newer mita"),
        "{}",
        done.err
    );
    fs::write(site.state_file(), "{").unwrap();
    let done = site.mita(&["check", "--online"]);
    assert!(
        done.code == 0 && done.err.contains("warning: state: ") && done.err.contains("damaged"),
        "{}",
        done.err
    );
}

#[test]
fn strict_counts_warnings_and_no_hints() {
    let site = site(NODES);
    let hinted = NODES.replace("echo {{ mita.name }}", "echo %s $(hostname)");
    site.configure(&hinted, "");
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
    let done = site.mita(&["check", "--strict"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.err.contains("mita: hint: ") && done.err.contains("%s is left as it is"),
        "{}",
        done.err
    );
    assert!(done.out.ends_with(": no problem found (1 hint)\n"), "{}", done.out);
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o644)).unwrap();
    for (arguments, code) in [
        (&["check"][..], 0),
        (&["check", "--strict"], 1),
        (&["check", "--strict", "--online"], 1),
    ] {
        let done = site.mita(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}", done.err);
        assert!(
            done.err.contains("mita: warning: ") && done.err.contains("can be read by everyone"),
            "{}",
            done.err
        );
    }
    let done = site.mita(&["check", "--strict"]);
    assert!(
        done.out
            .contains("1 warning, 1 hint; --strict takes warnings for errors"),
        "{}",
        done.out
    );
}

#[test]
fn what_cannot_be_told_from_here_is_a_hint() {
    let site = Site::new();
    fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
    let json = site.mita(&["check", "--online", "-o", "json"]).json();
    let hints = json["hints"].to_string();
    assert!(
        hints.contains("jenkins: Agent/Disconnect, Agent/Delete: cannot be checked, as there is no agent"),
        "{hints}"
    );
}

#[test]
fn the_json_of_check_has_everything() {
    let site = site(&NODES.replace("keyname: jenkins", "keyname: jenkin"));
    let done = site.mita(&["check", "--online", "-o", "json"]);
    let json = done.json();
    assert_eq!((done.code, &json["version"], &json["exit"]), (1, &1.into(), &1.into()));
    for list in ["found", "warnings", "hints", "missing", "errors", "problems"] {
        assert!(json[list].is_array(), "{list}: {json}");
    }
    assert!(
        json["found"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line.as_str().unwrap().starts_with("openstack: image "))
    );
    let error = &json["errors"][0];
    assert_eq!(
        (&error["message"], &error["path"]),
        (&json["missing"][0], &"nodes.small".into())
    );
    assert_eq!(error["file"], Value::Null);
    assert_eq!(site.mita(&["check", "-o", "json"]).json()["exit"], 0);
}

/// A state with an open problem.
fn with_a_problem(site: &Site) {
    site.pass();
    let mut state = site.state();
    let row = json!({"kind": "guard-held", "sentence": "held", "since": "2026-01-01T00:00:00Z", "seen": "2026-01-02T00:00:00Z"});
    state["problems"] = json!({"guard-held": row});
    fs::write(site.state_file(), state.to_string()).unwrap();
}

#[test]
fn json_has_errors_and_problems_at_every_exit_code() {
    let site = site(NODES);
    with_a_problem(&site);
    let failed = |arguments: &[&str], code: i32, message: &str| {
        let done = site.mita(arguments);
        assert_eq!(
            (done.code, &done.json()["exit"]),
            (code, &code.into()),
            "{arguments:?} {}",
            done.err
        );
        assert_eq!(done.json()["version"], 1);
        let error = done.json()["errors"][0].clone();
        assert!(
            error["message"].as_str().unwrap().contains(message),
            "{message}: {error}"
        );
        for place in ["file", "line", "column", "path"] {
            assert!(error.get(place).is_some(), "{place}: {error}");
        }
        assert!(!done.err.is_empty(), "stderr says it, too");
        done.json()
    };
    for arguments in [
        &["run", "--fly", "-o", "json"][..],
        &["-ojson", "status", "--fly"],
        &["config", "--output=json"],
        &["explain", "--item", "999", "-o", "json"],
        &["-o", "json"],
    ] {
        let json = failed(arguments, 2, "");
        assert_eq!(json["problems"][0]["key"], "guard-held", "{arguments:?}");
        assert_eq!(json["problems"][0]["severity"], "error");
    }
    // The usage of clap is no part of the message.
    let json = failed(&["run", "--fly", "-o", "json"], 2, "unexpected argument '--fly'");
    assert!(
        !json["errors"][0]["message"].as_str().unwrap().contains("Usage"),
        "{json}"
    );

    site.world
        .fault(When::on(Service::Jenkins).path("/queue").times(1), refused());
    let json = failed(&["run", "-o", "json"], 4, "jenkins: ");
    assert_eq!(json["problems"][0]["key"], "guard-held", "those that are remembered");

    let mut lock = site.state_file().into_os_string();
    lock.push(".lock");
    let held = fs::File::create(&lock).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    let json = failed(&["run", "-o", "json"], 75, "another pass holds the lock");
    assert_eq!(json["errors"][0]["file"], lock.to_str().unwrap());
    assert_eq!(json["problems"][0]["key"], "guard-held");
    fs2::FileExt::unlock(&held).unwrap();

    fs::write(site.state_file(), r#"{"version": 99}"#).unwrap();
    for command in ["run", "status", "reap"] {
        let json = failed(&[command, "-o", "json"], 3, "newer mita");
        assert_eq!(json["errors"][0]["file"], site.state_file().to_str().unwrap());
        assert_eq!(json["problems"], json!([]));
    }

    site.change_config("size: m1.small", "size: m1.small\n    max: -1\n    sizes: 3");
    for command in ["run", "check", "leaks", "status"] {
        let json = failed(&[command, "-o", "json"], 3, "must not be negative");
        let errors = json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert_eq!(
            (&errors[0]["path"], &errors[0]["column"]),
            (&"nodes.small.max".into(), &10.into())
        );
        assert!(errors[0]["line"].as_u64().unwrap() > 1 && errors[0]["file"] == site.config().to_str().unwrap());
        assert_eq!(json["problems"], json!([]));
    }
}

#[test]
fn a_terminal_shows_the_line_of_a_problem() {
    let site = site(&NODES.replace("size: m1.small", "size: m1.small\n    max: -1  # none"));
    site.change_config("password: ci-pass", "passwort: hunter2");
    let mita = |terminal: bool| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io::new(site.world.now(), &mut out, &mut err);
        io.err_terminal = terminal;
        let config = site.config();
        assert_eq!(mita::run(["mita", "-c", config.to_str().unwrap(), "check"], &mut io), 3);
        String::from_utf8(err).unwrap()
    };
    let shown = mita(true);
    assert!(shown.contains("write 0 or more\n    max: -1\n         ^\n"), "{shown}");
    assert!(
        shown.contains("passwort: unknown key") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(
        !mita(false).contains('^') && mita(false).lines().count() == 2,
        "{}",
        mita(false)
    );
}

#[test]
fn tls_spoken_to_a_plain_port_is_said() {
    let site = site(NODES);
    site.change_config("auth_url: http://", "auth_url: https://");
    let done = site.mita(&["check", "--online"]);
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    assert!(
        done.err.contains("does not speak TLS: is it http://, or another port?"),
        "{}",
        done.err
    );
    assert!(!done.err.contains("verify: false"), "{}", done.err);
}
