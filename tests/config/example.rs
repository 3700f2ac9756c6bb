//! The examples of the original and of ours, and what is said of a file as a whole.

use std::path::Path;

use mita::config::{Loaded, MinReady};
use mita::endpoint::JenkinsCredential;
use mita::provider::openstack::endpoint::{KeystoneAuth, NameOrId};

use super::site::{JENKINS, NODE, SEED, check, end, file, jenkins, keystone, load, no_env, node, provider, try_load};

#[test]
fn the_example_of_the_original_loads_as_it_stands() {
    let Loaded {
        config,
        warnings,
        hints,
    } = load(SEED);
    assert!(
        hints.len() == 1 && hints[0].contains("nor the server's address"),
        "{hints:?}"
    );
    let texts: Vec<&str> = warnings
        .iter()
        .map(|w| w.text.split_once("mita.yaml:").unwrap().1)
        .collect();
    let http = "plain http: secrets can be read on the way; use https";
    assert_eq!(
        texts,
        [
            format!("5:15: provider.openstack.auth_url: {http}"),
            format!("10:8: jenkins.url: {http}")
        ]
    );
    assert!(warnings.iter().all(|warning| !warning.check_only));
    assert_eq!(config.owner, "jenkins.ceph.com");
    assert_eq!(config.state_file, Path::new("/home/ci/.local/state/mita/state.json"));
    assert_eq!(config.jenkins.url, "http://jenkins.ceph.com");
    assert!(matches!(&config.jenkins.credential, JenkinsCredential::Token(t) if t.reveal() == "API_TOKEN"));
    let KeystoneAuth::V2Password {
        username,
        password,
        tenant,
    } = keystone(&config)
    else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!((username.as_str(), password.reveal()), ("adeza", "3ebYzVIQEIZv3sj1=="));
    assert_eq!(*tenant, NameOrId::Name("ceph-ci".to_owned()));
    let template = config.template("precise-slave").unwrap();
    assert_eq!(template.script.as_deref(), Some("#!/bin/bash\nsudo apt-get update\n"));
    assert_eq!(template.min_ready, MinReady::Always(0));
    assert_eq!((template.max, template.executors, template.priority), (10, 1, 100));
    assert_eq!(template.labels.len(), 6);
}

#[test]
fn the_documented_example_loads_as_it_is() {
    let text = include_str!("../../mita.yaml.example");
    let Loaded {
        config,
        warnings,
        hints,
    } = try_load(text, &no_env).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
    let texts: Vec<&str> = warnings.iter().map(|warning| warning.text.as_str()).collect();
    assert_eq!(texts, [] as [&str; 0]);
    let (marks, others): (Vec<&String>, Vec<&String>) =
        hints.iter().partition(|hint| hint.contains("are marked <-- ("));
    assert_eq!(marks.len(), 1, "{hints:?}");
    assert!(
        others.iter().all(|hint| hint.contains("still the text of an example")),
        "{hints:?}"
    );
    assert_eq!(config.templates.len(), 2);
    let defaults = load(&node("")).config;
    assert_eq!((config.limits, config.timing), (defaults.limits, defaults.timing));
}

#[test]
fn the_bare_files_of_these_tests_are_good() {
    for text in [node(""), provider(""), jenkins(""), end("")] {
        assert_eq!(load(&text).warnings, []);
    }
}

#[test]
fn missing_keys_are_named() {
    check(
        "provider: {other: {}, openstack: {}}\njenkins: {}\nnodes:\n  small: {provider: openstack}\n",
        &[
            "mita.yaml:1:12: provider.other.type: missing, and the name of the provider is none; write type: openstack or type: exec",
            "mita.yaml:1:23: provider.openstack.auth_url: missing; write Keystone's address, like https://cloud.example.com:5000, or name an entry of clouds.yaml by cloud",
            "mita.yaml:1:23: provider.openstack.password: missing; set it, or password_file, or the variable MITA_OPENSTACK_PASSWORD",
            "mita.yaml:1:23: provider.openstack.tenant_name: missing; write the project that the servers belong to (project_name is the same)",
            "mita.yaml:1:23: provider.openstack.username: missing; write the user",
            "mita.yaml:2:1: jenkins.token: missing; set it, or token_file, or the variable MITA_JENKINS_TOKEN or MITA_JENKINS_PASSWORD",
            "mita.yaml:2:1: jenkins.url: missing; write the address of Jenkins, like https://jenkins.example.com",
            "mita.yaml:2:1: jenkins.user: missing; write the user whose token is used",
            "mita.yaml:4:3: nodes.small.image_name: missing; write the name of an image, or image_id or image_regex",
            "mita.yaml:4:3: nodes.small.labels: missing; list what jobs ask for, like [amd64, trusty], or write [] for none",
            "mita.yaml:4:3: nodes.small.size: missing; write the name of a flavor, or what it must have: {vcpus: 4, ram: 8192}",
        ],
    );
    check(
        "{}",
        &[
            "mita.yaml:1:1: jenkins: missing; say where Jenkins is and who mita is there: url, user, token",
            "mita.yaml:1:1: nodes: missing; describe at least one kind of node",
            "mita.yaml:1:1: provider: missing; name at least one cloud, like openstack",
        ],
    );
}

#[test]
fn a_typing_error_is_said_once() {
    check(
        SEED.replace("provider:\n  open", "providr:\n  open")
            .replace("username", "usrname"),
        &["mita.yaml:1:1: providr: unknown key; did you mean provider?"],
    );
    check(
        SEED.replace("username", "usrname")
            .replace("jenkins:\n", "jenkins: x\nx-old:\n"),
        &[
            "mita.yaml:3:5: provider.openstack.usrname: unknown key; did you mean username?",
            "mita.yaml:9:10: jenkins: must be a mapping of keys, is a single value; see mita.yaml.example",
        ],
    );
}

#[test]
fn what_comes_later_is_refused_by_name() {
    check(
        end("naming: 1"),
        &["mita.yaml:17:1: naming: not supported yet; remove it"],
    );
    check(
        provider("type: ec2\ncommand: x"),
        &[
            "mita.yaml:7:11: provider.openstack.type: type ec2 is not supported yet; use openstack, or exec with a command of your own",
        ],
    );
}

#[test]
fn one_fault_makes_one_line() {
    check(
        node("max: many\nmin_ready: 20"),
        &["mita.yaml:17:10: nodes.small.max: must be a whole number, is \"many\"; write it like 3"],
    );
    check(
        file("username: u\npassword: !abc\ntenant_name: t", JENKINS, NODE, ""),
        &[
            "mita.yaml:5:15: provider.openstack.password: a YAML tag has no meaning here; put a value that begins with ! into quotes",
        ],
    );
}

#[test]
fn lines_that_are_still_marked_are_named() {
    let hints = |text: &str| -> Vec<String> {
        let loaded = load(text);
        let hints = loaded.hints.iter().filter(|hint| hint.contains("<--"));
        hints
            .map(|hint| hint.split_once("mita.yaml:").unwrap().1.to_owned())
            .collect()
    };
    let text = end("# owner: me    <-- who\nlimits: {canary: 3}   # <--\n# marked with <--, as here\n");
    assert_eq!(
        hints(&text),
        ["17:16: (file): 2 lines are marked <-- (17, 18): say there what could not be known, and take the marks off"]
    );
    let one = end("# <--");
    assert_eq!(
        hints(&one),
        ["17:3: (file): 1 line is marked <-- (17): say there what could not be known, and take the mark off"]
    );
    assert_eq!(hints(&end("")), [] as [&str; 0]);
}
