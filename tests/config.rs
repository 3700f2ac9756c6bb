//! The configuration file: what is accepted, and the exact lines about what is not.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test: it makes files and fails by panicking"
)]

use std::path::Path;

use mita::access::JenkinsCredential;
use mita::config::script::{self, Joining, Values};
use mita::config::{self, Adopt, Config, Loaded, MinReady};
use mita::model::{ImageRef, SizeRef, Zone};
use mita::provider::openstack::access::{KeystoneAuth, NameOrId, OpenStackAccess};
use proptest::prelude::*;

const SEED: &str = r"provider:
  openstack:
    username: adeza
    password: 3ebYzVIQEIZv3sj1==
    auth_url: http://openstack.example.com:5000
    auth_version: 2.0_password
    service_region: main
    tenant_name: ceph-ci
jenkins:
  url: http://jenkins.ceph.com
  user: alfredodeza
  token: API_TOKEN
nodes:
  precise-slave:
    script: |
      #!/bin/bash
      sudo apt-get update
    keyname: jenkins-slave
    image_name: Ubuntu Trusty (2014.04) cloudimg
    size: m3.xlarge
    labels: [amd64, x86_64, precise, trusty, wheezy, jessie]
    provider: openstack
";

fn no_env(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/home/ci".to_owned())
}

fn try_load(text: impl AsRef<[u8]>, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mita.yaml");
    write_private(&file, text.as_ref());
    let prefix = format!("{}/", folder.path().display());
    config::load(&file, env).map_err(|error| {
        let lines: Vec<String> = error.to_string().lines().map(|l| l.replace(&prefix, "")).collect();
        assert_eq!(lines.len(), error.lines().len(), "one line each");
        lines
    })
}

fn write_private(file: &Path, text: &[u8]) {
    std::fs::write(file, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn load(text: &str) -> Loaded {
    try_load(text, &no_env).unwrap_or_else(|lines| panic!("{}", lines.join("\n")))
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>) -> Vec<String> {
    try_load(text, &no_env).map(|_| "loaded").unwrap_err()
}

fn openstack(config: &Config) -> &OpenStackAccess {
    let settings = &config.provider("openstack").unwrap().settings;
    settings.downcast().expect("of another type")
}

fn keystone(config: &Config) -> &KeystoneAuth {
    &openstack(config).auth
}

#[test]
fn the_example_of_the_original_loads_as_it_stands() {
    let Loaded { config, warnings } = load(SEED);
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
    let text = include_str!("../mita.yaml.example");
    let Loaded { config, warnings } = try_load(text, &no_env).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
    let texts: Vec<&str> = warnings.iter().map(|warning| warning.text.as_str()).collect();
    assert_eq!(texts, [] as [&str; 0]);
    assert_eq!(config.templates.len(), 2);
    let defaults = load(&node("")).config;
    assert_eq!((config.limits, config.timing), (defaults.limits, defaults.timing));
}

/// A file that is good but for what is put in: below `provider.openstack`, `jenkins`, `nodes.small`, at the end.
fn file(provider: &str, jenkins: &str, node: &str, end: &str) -> String {
    let indent = |text: &str, by: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("{by}{line}\n")).collect();
        lines.concat()
    };
    format!(
        "provider:\n  openstack:\n    auth_url: https://cloud:5000\n{}jenkins:\n  url: https://ci/jenkins/\n{}\
         nodes:\n  small:\n    provider: openstack\n{}{end}",
        indent(provider, "    "),
        indent(jenkins, "  "),
        indent(node, "    "),
    )
}

const PROVIDER: &str = "username: u\npassword: p\ntenant_name: t";
const JENKINS: &str = "user: u\ntoken: t";
const NODE: &str = "image_name: i\nsize: s\nlabels: [a]";

/// A good file with lines added to the template; the first of them is line 15.
fn node(lines: &str) -> String {
    file(PROVIDER, JENKINS, &format!("{NODE}\n{lines}"), "")
}

/// A good file with lines added to the provider; the first of them is line 7.
fn provider(lines: &str) -> String {
    file(&format!("{PROVIDER}\n{lines}"), JENKINS, NODE, "")
}

/// A good file with lines added to `jenkins`; the first of them is line 11.
fn jenkins(lines: &str) -> String {
    file(PROVIDER, &format!("{JENKINS}\n{lines}"), NODE, "")
}

/// A good file with lines added at its end; the first of them is line 17.
fn end(lines: &str) -> String {
    file(PROVIDER, JENKINS, NODE, lines)
}

#[track_caller]
fn check(text: impl AsRef<str>, wanted: &[&str]) {
    assert_eq!(refused(text.as_ref()), wanted);
}

#[test]
fn the_bare_files_of_these_tests_are_good() {
    for text in [node(""), provider(""), jenkins(""), end("")] {
        assert_eq!(load(&text).warnings, []);
    }
}

#[test]
fn wrong_values_of_a_template_are_named() {
    let one = |line: &str, wanted: &str| check(node(line), &[&format!("mita.yaml:17:{wanted}")]);
    one("x: 1", "5: nodes.small.x: unknown key; see mita.yaml.example");
    one(
        "lables: [a]",
        "5: nodes.small.lables: unknown key; did you mean labels?",
    );
    one(
        "min_lifetime: 3",
        "5: nodes.small.min_lifetime: unknown key here; it belongs under timing",
    );
    one(
        "max: -1",
        "10: nodes.small.max: must not be negative, is -1; write 0 or more",
    );
    one(
        "max: many",
        "10: nodes.small.max: must be a whole number, is \"many\"; write it like 3",
    );
    one(
        "max: 010",
        "10: nodes.small.max: must be a whole number, is \"010\"; write it like 3",
    );
    one(
        "max: [1]",
        "10: nodes.small.max: must be a whole number, is a list; see mita.yaml.example",
    );
    one(
        "min_ready: 11",
        "16: nodes.small.min_ready: must be at most max (10 by default), is 11; set max, too",
    );
    one(
        "executors: 1001",
        "16: nodes.small.executors: must be at most 1000, is 1001; no server runs so many builds at a time",
    );
    one(
        "executors: 0",
        "16: nodes.small.executors: must be at least 1, is 0; to make none of it set max: 0",
    );
    one(
        "idle_grace: -5m",
        "17: nodes.small.idle_grace: must not be negative, is \"-5m\"; write it like 40m or 1h 30m",
    );
    one(
        "boot_grace: 0",
        "17: nodes.small.boot_grace: must be more than 0; the default is 15m",
    );
    one(
        "max_lifetime: 0",
        "19: nodes.small.max_lifetime: must be more than 0: each node would go at once; for no limit write none",
    );
    one(
        "max_lifetime: 20000d",
        "19: nodes.small.max_lifetime: \"20000d\" is longer than ten years; write it like 40m or 1h 30m",
    );
}

#[test]
fn wrong_names_in_a_template_are_named() {
    let one = |line: &str, wanted: &str| check(node(line), &[&format!("mita.yaml:17:{wanted}")]);
    one(
        "image: x",
        "5: nodes.small.image: means the same as image_name in line 14; keep one of the two",
    );
    one(
        "image_id: x",
        "15: nodes.small.image_id: image_name is given, too; keep one of the two",
    );
    one(
        "size: x",
        "5: nodes.small.size: set twice, first in line 15; keep one of the two",
    );
    one(
        "networks: {a: b}",
        "15: nodes.small.networks: must be a list of texts, is a mapping; see mita.yaml.example",
    );
    one(
        "networks: [~]",
        "16: nodes.small.networks[0]: is empty; write a text or remove the line",
    );
    one(
        "availability_zone: [a, a]",
        "28: nodes.small.availability_zone[1]: \"a\" stands here twice; remove one",
    );
    one(
        "metadata: {a: }",
        "16: nodes.small.metadata.a: is empty; write \"\" for an empty text",
    );
    one(
        "metadata: {Mita-x: 1}",
        "24: nodes.small.metadata.Mita-x: keys that begin with mita- are mita's own marks; rename it",
    );
    one(
        "metadata: {a/b: 1}",
        "21: nodes.small.metadata.\"a/b\": a key has 1 to 255 letters, digits, blanks or - _ : . characters; rename it",
    );
    one(
        "config_drive: maybe",
        "19: nodes.small.config_drive: must be true or false, is \"maybe\"; write it like true",
    );
    one(
        "keyname: ''",
        "14: nodes.small.keyname: is empty; write a text or remove it",
    );
    one(
        "keyname: !x y",
        "14: nodes.small.keyname: a YAML tag has no meaning here; put a value that begins with ! into quotes",
    );
    one(
        "register: inbuond",
        "15: nodes.small.register: \"inbuond\" is no way to register; did you mean inbound?",
    );
    check(
        node("min_ready: 3\nmax: 2"),
        &["mita.yaml:18:10: nodes.small.max: must be at least min_ready (3), is 2; raise one, lower the other"],
    );
    let long = "x".repeat(256);
    one(
        &format!("metadata: {{a: {long}}}"),
        "19: nodes.small.metadata.a: a value has at most 255 characters; shorten it",
    );
}

#[test]
fn what_comes_later_is_refused_by_name() {
    for key in ["journal", "metrics_file", "status_page", "naming"] {
        let line = format!("mita.yaml:17:1: {key}: not supported yet; remove it");
        check(end(&format!("{key}: 1")), &[&line]);
    }
    check(
        provider("type: ec2\ncommand: x"),
        &[
            "mita.yaml:7:11: provider.openstack.type: type ec2 is not supported yet; use openstack, or exec with a command of your own",
        ],
    );
}

#[test]
fn adopt_is_a_flag_or_all() {
    for (written, wanted) in [
        ("", Adopt::No),
        ("adopt:\n", Adopt::No),
        ("adopt: false\n", Adopt::No),
        ("adopt: \"no\"\n", Adopt::No),
        ("adopt: true\n", Adopt::Yes),
        ("adopt: Yes\n", Adopt::Yes),
        ("adopt: all\n", Adopt::All),
        ("\"adopt\": \"ALL\"\n", Adopt::All),
    ] {
        let Loaded { config, warnings } = load(&node(written));
        assert_eq!(config.templates[0].adopt, wanted, "{written}");
        let hint = warnings.iter().find(|warning| warning.text.contains(".adopt: "));
        assert_eq!(hint.is_some(), wanted.is_on(), "{written}: {warnings:?}");
        if let Some(hint) = hint {
            assert_eq!(
                hint.text.contains("if another controller"),
                wanted.removes_never_linked(),
                "{hint}"
            );
        }
    }
    check(
        node("adopt: al\n"),
        &["mita.yaml:17:12: nodes.small.adopt: must be true, false or all, is \"al\"; write it like true"],
    );
    check(
        node("adopt: [true]\n"),
        &["mita.yaml:17:12: nodes.small.adopt: must be true, false or all, is a list; see mita.yaml.example"],
    );
}

#[test]
fn labels_and_references_are_checked() {
    let node = |line: &str| file(PROVIDER, JENKINS, &format!("image_name: i\nsize: s\n{line}"), "");
    check(
        node("labels: [a, '', \"b\\t\"]"),
        &[
            "mita.yaml:16:17: nodes.small.labels[1]: a label cannot be empty; write a text or remove it",
            "mita.yaml:16:21: nodes.small.labels[2]: label \"b\\t\" holds a control character; remove it",
        ],
    );
    let warning = |line: &str| {
        load(&node(line)).warnings[0]
            .text
            .split_once("mita.yaml:")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(
        warning("labels: [a b]"),
        "16:14: nodes.small.labels[0]: label \"a b\" holds a blank, where Jenkins splits it; write two labels"
    );
    assert!(warning("labels: []").contains("nodes.small.labels: has no labels"));
    assert_eq!(load(&node("labels: []\naccepts_unlabelled: yes")).warnings, []);
    check(
        node("labels: [a]").replace("provider: openstack", "provider: [openstack, opnstack]"),
        &["mita.yaml:13:27: nodes.small.provider[1]: there is no provider \"opnstack\"; did you mean openstack?"],
    );
}

/// The hints of a good file, without the name of the file.
fn hints(text: &str) -> Vec<String> {
    let warnings = load(text).warnings.into_iter();
    warnings
        .map(|warning| warning.text.split_once("mita.yaml:").unwrap().1.to_owned())
        .collect()
}

#[test]
fn characters_that_are_not_seen_are_named() {
    let text = file(
        PROVIDER,
        JENKINS,
        "image_name: \"i\u{200b}\"\nsize: s\nlabels:\n  - a\n  - linux\u{a0}\n  - \"\\u202ex\"\n  - größe\nnetworks: [n\u{ad}]",
        "",
    );
    let not_seen = "which is not seen";
    let label = format!("{not_seen}: only jobs that ask for it, too, fit; remove it");
    let name = format!("{not_seen}; remove it unless it is meant");
    let wanted = [
        format!("14:17: nodes.small.image_name: \"i\\u{{200b}}\" holds \\u{{200b}}, {name}"),
        format!("18:9: nodes.small.labels[1]: label \"linux\\u{{a0}}\" holds \\u{{a0}}, {label}"),
        format!("19:9: nodes.small.labels[2]: label \"\\u{{202e}}x\" holds \\u{{202e}}, {label}"),
        format!("21:16: nodes.small.networks[0]: \"n\\u{{ad}}\" holds \\u{{ad}}, {name}"),
    ];
    assert_eq!(hints(&text), wanted);
    let labels = load(&text).config.templates[0].labels.clone();
    assert!(labels.contains("linux\u{a0}"), "Jenkins has it as it is: {labels:?}");

    let text = node("").replace("small:", "sm\u{2060}all:");
    assert_eq!(
        hints(&text),
        [format!(
            "12:3: nodes.\"sm\\u{{2060}}all\": \"sm\\u{{2060}}all\" holds \\u{{2060}}, {name}"
        )]
    );
    let text = node("")
        .replace("openstack", "open\u{200d}stack: {type: openstack}")
        .replace("{type: openstack}:", "type");
    assert!(!refused(&text).concat().contains('\u{200d}'), "{:?}", refused(&text));
    check(
        node("").replace("labels:", "labels\u{a0}:"),
        &["mita.yaml:16:5: nodes.small.\"labels\\u{a0}\": unknown key; did you mean labels?"],
    );
}

#[test]
fn names_of_templates_are_checked() {
    let check_name = |name: &str, wanted: Option<&str>| {
        let text = node("").replace("small:", &format!("{name}:"));
        let lines = try_load(text, &no_env).map_or_else(|lines| lines.join("\n"), |_| String::new());
        match wanted {
            None => assert_eq!(lines, "", "{name}"),
            Some(wanted) => assert!(
                lines.starts_with("mita.yaml:12:3: nodes.") && lines.contains(wanted),
                "{lines}"
            ),
        }
    };
    for good in [
        "precise-slave",
        "centos7_huge",
        "Ubuntu 22.04",
        "a__b",
        "größe",
        &"x".repeat(49),
    ] {
        check_name(good, None);
    }
    for forbidden in "?*/\\%!@#$^&|<>[]:;".chars() {
        check_name(
            &format!("'a{forbidden}b'"),
            Some("Jenkins forbids it in a node's name; rename it"),
        );
    }
    check_name("a+b", Some("cannot hold +"));
    check_name("' a'", Some("cannot begin or end with a blank"));
    check_name("\"a\\nb\"", Some("control character"));
    check_name("a__0123456789ab", Some("cannot end like a server's"));
    check_name(&"x".repeat(50), Some("at most 49 characters"));
    check_name("''", Some("is empty"));
}

#[test]
fn wrong_values_of_a_provider_are_named() {
    let one = |line: &str, wanted: &str| check(provider(line), &[&format!("mita.yaml:7:{wanted}")]);
    one(
        "type: opnstack",
        "11: provider.openstack.type: \"opnstack\" is no type of provider; did you mean openstack?",
    );
    one(
        "interface: publik",
        "16: provider.openstack.interface: \"publik\" is no interface; did you mean public?",
    );
    one(
        "proxy: socks5://h",
        "12: provider.openstack.proxy: must begin with https:// or http://; write the whole URL",
    );
    one(
        "proxy: http://u:p@h",
        "12: provider.openstack.proxy: must not hold a user or password; give them by their own keys",
    );
    one(
        "tenant_id: x",
        "16: provider.openstack.tenant_id: tenant_name is given, too; keep one of the two",
    );
    one(
        "project_name: y",
        "5: provider.openstack.project_name: means the same as tenant_name in line 6; keep one of the two",
    );
    one(
        "password_file: x",
        "20: provider.openstack.password_file: password is given, too; keep one of the two",
    );
    one(
        "connect_timeout: 90s",
        "22: provider.openstack.connect_timeout: must be at most timeout (1m), is 1m 30s",
    );
    for (version, reason) in [
        ("1.1", "version 1 of the login left OpenStack long ago"),
        ("2.0_apikey", "API keys were a Rackspace extension"),
        ("2.0_voms", "a login by VOMS proxy certificate is not supported"),
        ("3.x_oidc_access_token", "a login by OpenID Connect needs a browser"),
        ("kerberos", "mita knows no such login"),
    ] {
        let what = format!("\"{version}\" cannot be used, {reason}");
        one(
            &format!("auth_version: {version}"),
            &format!(
                "19: provider.openstack.auth_version: {what}; write 3.x_password, 3.x_appcred, 3.x_token or 2.0_password"
            ),
        );
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
fn files_that_are_no_configuration_are_refused() {
    let one = |text: &str, wanted: &str| check(text, &[wanted]);
    one(
        "",
        "mita.yaml:1:1: (file): the file is empty; begin with mita.yaml.example",
    );
    one(
        "# nothing\n",
        "mita.yaml:1:1: (file): the file is empty; begin with mita.yaml.example",
    );
    one(
        "[]",
        "mita.yaml:1:1: (file): must hold keys (provider, jenkins, nodes), is no mapping",
    );
    one(
        "a:\n  b\0",
        "mita.yaml:2:4: (file): a control character that YAML does not allow; remove it",
    );
    one(
        "a: 1\n---\nb: 1\n",
        "mita.yaml:2:1: (file): a second YAML document begins here; one file holds one",
    );
    one(
        "a: &x [*x]",
        "mita.yaml:1:8: (file): an alias inside of what it names; write the value out",
    );
    let deep = "[".repeat(100_000);
    // The parser itself has a bound for these.
    assert!(refused(&deep)[0].contains("(file): not YAML: recursion limit exceeded"));
    assert!(refused("[".repeat(100))[0].contains("nested deeper than 64 levels"));
    assert!(refused("- ".repeat(100_000))[0].contains("nested deeper than 64 levels"));
    assert!(refused("a: [b").pop().unwrap().contains("(file): not YAML: "));
    assert_eq!(
        refused(b"a: \xff"),
        ["mita.yaml:1:4: (file): not UTF-8; save the file as UTF-8"]
    );
    assert!(refused("#".repeat(5 << 20))[0].starts_with("mita.yaml:1:1: (file): is larger than 4194304 bytes"));
    let missing = config::load(Path::new("nowhere/mita.yaml"), &no_env)
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("nowhere/mita.yaml:1:1: (file): cannot be read: "),
        "{missing}"
    );
}

#[test]
fn a_billion_laughs_are_an_error() {
    let mut lines = vec!["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned()];
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        lines.push(format!("a{level}: &a{level} [{before}]\n"));
    }
    let text = lines.concat();
    assert!(
        refused(&text)[0].contains("the aliases of this file expand to too much"),
        "{:?}",
        refused(&text)
    );
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let text = file(
        PROVIDER,
        JENKINS,
        NODE,
        "  large:\n    <<: [*common, {max: 7, executors: 3}]\n    max: 4\n    size: l\nx-common: {}\n",
    );
    let text = format!("x-nodes: &common {{provider: openstack, image_name: i, labels: [b]}}\n{text}");
    let Loaded { config, .. } = load(&text);
    let large = config.template("large").unwrap();
    assert_eq!(
        (large.max, large.executors, large.spec.size.clone()),
        (4, 3, SizeRef::Named("l".to_owned()))
    );
    assert!(large.labels.contains("b"));
}

#[test]
fn two_merge_keys_in_one_mapping_are_an_error_with_both_places() {
    let text = file(
        PROVIDER,
        JENKINS,
        NODE,
        "  large:\n    <<: {labels: [b], provider: openstack}\n    size: l\n    <<: {image_name: i}\n",
    );
    check(
        &text,
        &["mita.yaml:20:5: nodes.large.\"<<\": set twice, first at 18:5; write one list of both, `<<: [*one, *two]`"],
    );
    // One in each of two mappings is good.
    let text =
        end("  large: {<<: {provider: openstack, size: s}, image_name: i, labels: [b], metadata: {<<: {a: b}}}\n");
    assert_eq!(load(&text).config.templates[1].spec.metadata.len(), 1);
}

#[test]
fn defaults_are_inherited_and_their_faults_said_once() {
    let nodes = "  large:\n    image_id: x\n    max_lifetime:\n";
    let defaults = "defaults: {provider: openstack, size: s, labels: [d], image: i, max_lifetime: 1d, min_ready: 1}\n";
    let Loaded { config, .. } = load(&end(&format!("{nodes}{defaults}")));
    let names: Vec<&str> = config.templates.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["small", "large"]);
    let large = config.template("large").unwrap();
    assert_eq!(large.spec.image, ImageRef::Id("x".to_owned()));
    assert_eq!((large.max_lifetime, large.min_ready.most()), (None, 1));
    assert_eq!(config.template("small").unwrap().max_lifetime.unwrap().as_hours(), 24);
    check(
        end(
            "  large: {provider: openstack, image: i, size: s, labels: []}\ndefaults: {keyname: '', regster: x, max: x}\n",
        ),
        &[
            "mita.yaml:18:21: defaults.keyname: is empty; write a text or remove it",
            "mita.yaml:18:25: defaults.regster: unknown key; did you mean register?",
            "mita.yaml:18:42: defaults.max: must be a whole number, is \"x\"; write it like 3",
        ],
    );
}

#[test]
fn limits_and_timing_are_checked_together() {
    let one = |line: &str, wanted: &str| check(end(line), &[&format!("mita.yaml:17:{wanted}")]);
    one(
        "timing: {backoff_first: 1h}",
        "25: timing.backoff_first: must be at most backoff_max (30m), is 1h",
    );
    one(
        "timing: {backoff_max: 5s}",
        "23: timing.backoff_max: must be at least backoff_first (1m), is 5s",
    );
    one(
        "timing: {max_lifetime: 1m, min_lifetime: 1h}",
        "24: timing.max_lifetime: must be at least min_lifetime (1h), is 1m",
    );
    one(
        "timing: {intent_grace: 0}",
        "24: timing.intent_grace: must be more than 0; the default is 2m",
    );
    one(
        "limits: {max_booting: 0}",
        "23: limits.max_booting: must be at least 1, is 0; to create nothing set max_creates_per_pass: 0",
    );
    check(
        file(
            PROVIDER,
            JENKINS,
            &format!("{NODE}\nmin_ready: 3"),
            "limits: {max_servers: 2}",
        ),
        &["mita.yaml:18:23: limits.max_servers: must be at least the sum of all min_ready (3), is 2"],
    );
}

#[test]
fn cron_windows_are_read_and_checked() {
    let windows = "min_ready:\n  - {cron: '* 8-18 * * mon-fri', timezone: Europe/Berlin, ready: 3}\n  - {cron: '* * * * *', ready: 1}";
    let Loaded { config, .. } = load(&node(windows));
    let pool = &config.templates[0].min_ready;
    assert_eq!(pool.at("2026-01-05T07:00:00Z".parse().unwrap()), 3);
    assert_eq!(pool.at("2026-01-05T06:59:00Z".parse().unwrap()), 1);
    check(
        node("min_ready: [{cron: '* 8 * * *', timezone: Europe/Berln, ready: 30}, {cron: '* *', redy: 1}, 5]"),
        &[
            "mita.yaml:17:47: nodes.small.min_ready[0].timezone: there is no time zone \"Europe/Berln\"; write it like Europe/Berlin",
            "mita.yaml:17:68: nodes.small.min_ready[0].ready: must be at most max (10 by default), is 30; set max, too",
            "mita.yaml:17:80: nodes.small.min_ready[1].cron: has 2 fields instead of five; write minute hour day month weekday, like `* 8-18 * * mon-fri`",
            "mita.yaml:17:87: nodes.small.min_ready[1].redy: unknown key; did you mean ready?",
            "mita.yaml:17:97: nodes.small.min_ready[2]: must be a mapping of keys, is a single value; see mita.yaml.example",
        ],
    );
}

#[test]
fn a_script_is_checked_where_it_stands() {
    check(
        node("script: |\n\n  echo {{ mita.nam }}\n    {{ mita.agent_secret }}"),
        &[
            "mita.yaml:19:12: nodes.small.script: unknown placeholder {{ mita.nam }}; did you mean name?",
            "mita.yaml:20:9: nodes.small.script: {{ mita.agent_secret }} is known only with register: inbound; set that, or remove it",
        ],
    );
    let warnings = load(&node("script: |\n  #!/bin/sh\n  echo {{mita.id}} %s")).warnings;
    let texts: Vec<&str> = warnings
        .iter()
        .map(|w| w.text.split_once("mita.yaml:").unwrap().1)
        .collect();
    assert_eq!(
        texts,
        [
            "19:12: nodes.small.script: {{mita.id}} is left as it is; a placeholder has exactly the form {{ mita.name }}",
            "19:24: nodes.small.script: %s is left as it is; where the node's id is meant write {{ mita.id }}",
        ]
    );
    assert!(warnings.iter().all(|warning| warning.check_only));
}

#[test]
fn a_script_may_be_as_long_as_the_cloud_takes_it() {
    let script = |bytes: usize| node(&format!("script: \"#!{}\"", "x".repeat(bytes - 2)));
    load(&script(49_149));
    check(
        script(49_150),
        &[
            "mita.yaml:17:13: nodes.small.script: is too long for the cloud: 49150 bytes with its placeholders filled in, at most 49149; let it fetch the rest",
        ],
    );
    // Room for what the placeholder stands for: 19 bytes instead of 15.
    let text = |bytes: usize| script(bytes).replace("\"#!", "\"#!{{ mita.name }}");
    load(&text(49_149 - 19));
    assert_eq!(refused(text(49_149 - 18)).len(), 1);
}

#[test]
fn the_login_is_what_libcloud_would_do() {
    let v3 = SEED
        .replace("2.0_password", "3.x_password")
        .replace(":5000", ":5000/v3/");
    let Loaded { config, .. } = load(&v3.replace("ceph-ci", "5633955729735406"));
    let KeystoneAuth::V3Password {
        user,
        user_domain,
        project,
        project_domain,
        ..
    } = keystone(&config)
    else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!(*user, NameOrId::Name("adeza".to_owned()));
    assert_eq!(*user_domain, NameOrId::Name("Default".to_owned()));
    assert_eq!(*project, NameOrId::Name("5633955729735406".to_owned()));
    assert_eq!(*project_domain, NameOrId::Id("default".to_owned()));
    let access = openstack(&config);
    assert_eq!(access.auth_url, "http://openstack.example.com:5000");
    assert_eq!(access.region.as_deref(), Some("main"));

    let credential = file(
        "auth_version: 3.x_appcred\nusername: id\npassword: s",
        JENKINS,
        NODE,
        "",
    );
    let Loaded { config, .. } = load(&credential);
    let KeystoneAuth::V3ApplicationCredential { id, secret } = keystone(&config) else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!((id.as_str(), secret.reveal()), ("id", "s"));
    let other = "application_credential_id: id\napplication_credential_secret: s";
    let Loaded { config, .. } = load(&file(other, JENKINS, NODE, ""));
    assert!(matches!(
        keystone(&config),
        KeystoneAuth::V3ApplicationCredential { .. }
    ));

    let mismatch = load(&SEED.replace(":5000", ":5000/v3")).warnings;
    assert!(
        mismatch[0]
            .text
            .ends_with("ends in v3, auth_version says v2.0, which is used; end it before the version")
    );

    let spelled =
        "ex_force_base_url: https://h/v2.1\nex_domain_name: d\nex_tenant_domain_id: e\nex_force_service_region: r";
    let Loaded { config, .. } = load(&provider(spelled));
    let access = openstack(&config);
    assert_eq!(access.endpoints.compute.as_deref(), Some("https://h/v2.1"));
    for url in ["https://h/v2.1/%(project_id)s", "https://h/$(tenant_id)s", "https://h"] {
        let Loaded { config, .. } = load(&provider(&format!("compute_url: {url}")));
        let access = openstack(&config);
        assert_eq!(access.endpoints.compute.as_deref(), Some(url));
    }
    let unknown = refused(provider("compute_url: https://h/v2.1/%(nope)s"));
    let said = "\"%(nope)s\" is not filled in, only the project is: %(project_id)s or %(tenant_id)s";
    assert!(unknown.len() == 1 && unknown[0].ends_with(said), "{unknown:?}");
    let KeystoneAuth::V3Password {
        user_domain,
        project_domain,
        ..
    } = keystone(&config)
    else {
        panic!("{:?}", keystone(&config));
    };
    assert_eq!(*user_domain, NameOrId::Name("d".to_owned()));
    assert_eq!(*project_domain, NameOrId::Id("e".to_owned()));
}

#[test]
fn secrets_come_from_files_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    write_private(&folder.path().join("token"), b"tok en\r\n");
    write_private(&folder.path().join("empty"), b"\n");
    let token = |line: &str| file("username: u\ntenant_name: t", &format!("user: u\n{line}"), NODE, "");
    let env = |name: &str| match name {
        "MITA_OPENSTACK_PASSWORD" => Some("from-env".to_owned()),
        name => no_env(name),
    };
    write_private(&path, token("token_file: token").as_bytes());
    let Loaded { config, warnings } = config::load(&path, &env).unwrap();
    assert_eq!(warnings, []);
    assert!(matches!(&config.jenkins.credential, JenkinsCredential::Token(t) if t.reveal() == "tok en"));
    assert!(matches!(keystone(&config), KeystoneAuth::V3Password { password, .. } if password.reveal() == "from-env"));
    for (line, wanted) in [
        ("token_file: empty", "is empty in the file; put the secret there"),
        ("token_file: nope", "No such file or directory"),
        (
            "token: t\npassword: p",
            "jenkins.password: token is given, too; keep one of the two",
        ),
        (
            "token: \"a\\nb\"",
            "holds a line break or another control character; write it as one line",
        ),
        ("token:", "jenkins.token: is empty; a value that begins with #"),
    ] {
        write_private(&path, token(line).as_bytes());
        let error = config::load(&path, &env).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let both = |name: &str| {
        name.starts_with("MITA_")
            .then(|| "s3cret".to_owned())
            .or_else(|| no_env(name))
    };
    write_private(&path, token("").as_bytes());
    let error = config::load(&path, &both).unwrap_err().to_string();
    assert!(
        error.contains("both MITA_JENKINS_TOKEN and MITA_JENKINS_PASSWORD are set"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_around_a_secret_in_its_file_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = |bytes: &[u8]| {
        write_private(&folder.path().join("token"), bytes);
        let file = folder.path().join("mita.yaml");
        let text = file_with_token_file();
        write_private(&file, text.as_bytes());
        config::load(&file, &no_env).map(|loaded| match loaded.config.jenkins.credential {
            JenkinsCredential::Token(token) | JenkinsCredential::Password(token) => token.reveal().to_owned(),
        })
    };
    for around in [
        "T",
        "T\n",
        "T\r\n",
        "T\n\n",
        " T ",
        "\tT\t\r\n",
        "\nT",
        "\u{feff}T\n",
        "\u{feff} T",
        "T\u{a0}",
        "\u{2028}T",
        "\u{feff}\u{feff}T",
    ] {
        for token in ["s3cr t", "11d9c2…ü"] {
            let text = around.replace('T', token);
            assert_eq!(loaded(text.as_bytes()).unwrap(), token, "{text:?}");
        }
    }
    for (bytes, wanted) in [
        (
            &b"a\nb\n"[..],
            "jenkins.token_file: holds a line break or another control character in the file",
        ),
        (b" \n\xef\xbb\xbf\n", "jenkins.token_file: is empty in the file"),
        (b"", "jenkins.token_file: is empty in the file"),
        (b"\xff\xfea\0b\0", "not UTF-8; save it as UTF-8 text"),
    ] {
        let error = loaded(bytes).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

fn file_with_token_file() -> String {
    file(PROVIDER, "user: u\ntoken_file: token", NODE, "")
}

#[test]
fn a_byte_order_mark_begins_a_file() {
    let text = format!("\u{feff}{}", node("max: -1"));
    check(
        &text,
        &["mita.yaml:17:10: nodes.small.max: must not be negative, is -1; write 0 or more"],
    );
    assert_eq!(load(&format!("\u{feff}{SEED}")).warnings.len(), 2);
    assert_eq!(load(&format!("\u{feff}---\r\n{SEED}")).warnings.len(), 2);
}

#[test]
fn an_empty_region_is_none() {
    let region = |lines: &str| {
        let loaded = load(&provider(lines));
        let access = openstack(&loaded.config);
        assert_eq!(loaded.warnings, [], "{lines}");
        access.region.clone()
    };
    for line in [
        "",
        "service_region: \"\"",
        "region_name: ''",
        "region: \" \"",
        "ex_force_service_region:",
        "region_name: ~",
    ] {
        assert_eq!(region(line), None, "{line}");
    }
    assert_eq!(region("region_name: One").as_deref(), Some("One"));
    check(
        provider("region_name: ''\nservice_region: One"),
        &[
            "mita.yaml:8:5: provider.openstack.service_region: means the same as region_name in line 7; keep one of the two",
        ],
    );
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mita.yaml");
    std::fs::write(&path, node("")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let warnings = config::load(&path, &no_env).unwrap().warnings;
    assert!(
        warnings[0]
            .text
            .contains(":1:1: (file): holds a secret and can be read by others; chmod 600 it")
    );
    assert!(warnings[0].check_only);
}

#[test]
fn no_message_shows_a_secret() {
    let secret = "hunter2";
    for text in [
        file(
            &format!("username: u\npassword: [{secret}]\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npassword: !{secret} x\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npassword: *{secret}\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(
            &format!("username: u\npasswrd: {secret}\ntenant_name: t"),
            JENKINS,
            NODE,
            "",
        ),
        file(PROVIDER, &format!("user: u\ntoken: \"{secret}\\n\""), NODE, ""),
        file(PROVIDER, &format!("user: u\ntoken: {secret}: x"), NODE, ""),
        jenkins("").replace("https://ci", &format!("https://u:{secret}@ci")),
        jenkins(&format!("proxy: http://u:{secret}@h")),
    ] {
        let error = refused(&text).join("\n");
        assert!(!error.contains(secret), "{error}");
    }
    let shown = format!("{:?}", load(&SEED.replace("API_TOKEN", secret)).config);
    assert!(
        !shown.contains(secret) && !shown.contains("3ebYzVIQEIZv3sj1"),
        "{shown}"
    );
}

#[test]
fn placements_are_providers_with_zones_in_order() {
    let text = node("availability_zone: [z1, z2]").replace("provider: openstack\n", "provider: [b, openstack]\n");
    let text = text.replace(
        "jenkins:\n",
        "  b: {type: openstack, auth_url: 'https://b', username: u, password: p, tenant: t}\njenkins:\n",
    );
    let Loaded { config, .. } = load(&text);
    let places: Vec<(&str, &str)> = config.templates[0]
        .placements
        .iter()
        .map(|p| (p.provider.as_str(), p.zone.as_ref().map_or("", Zone::as_str)))
        .collect();
    assert_eq!(
        places,
        [("b", "z1"), ("b", "z2"), ("openstack", "z1"), ("openstack", "z2")]
    );
}

#[test]
fn the_digest_covers_what_defines_a_server() {
    let digest = |lines: &str| load(&node(lines)).config.templates[0].digest.clone();
    let plain = digest("");
    for same in [
        "max: 3",
        "priority: 1",
        "idle_grace: 1h",
        "min_ready: 1",
        "availability_zone: z",
        "storage: 0",
    ] {
        assert_eq!(digest(same), plain, "{same}");
    }
    for other in [
        "executors: 2",
        "script: '#!'",
        "keyname: k",
        "storage: 1",
        "metadata: {a: b}",
        "networks: [n]",
    ] {
        assert_ne!(digest(other), plain, "{other}");
    }
}

#[test]
fn paths_are_resolved() {
    let path = |line: &str| try_load(end(line), &no_env).unwrap().config.state_file;
    assert_eq!(path("state_file: ~/x.json"), Path::new("/home/ci/x.json"));
    assert_eq!(path("state_file: /x.json"), Path::new("/x.json"));
    assert!(path("state_file: x.json").ends_with("x.json") && path("state_file: x.json").is_absolute());
    let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/state".to_owned());
    assert_eq!(
        try_load(end(""), &xdg).unwrap().config.state_file,
        Path::new("/state/mita/state.json")
    );
    assert_eq!(
        try_load(end(""), &|_| None).map(|_| ()).unwrap_err(),
        ["mita.yaml:1:1: state_file: missing, and neither XDG_STATE_HOME nor HOME is set; set state_file"]
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
fn paths_that_cannot_be_meant_are_refused() {
    for path in ["$HOME/state.json", "~bob/state.json"] {
        check(
            end(&format!("state_file: {path}")),
            &[
                "mita.yaml:17:13: state_file: begins with a variable or ~user, which is not read here; write the whole path",
            ],
        );
    }
    check(
        end("state_file: state/"),
        &["mita.yaml:17:13: state_file: names a folder; write the path of a file"],
    );
    check(
        jenkins("ca_file: /dev/null"),
        &[
            "mita.yaml:11:12: jenkins.ca_file: cannot use /dev/null: holds no PEM certificate; it must have a block BEGIN CERTIFICATE",
        ],
    );
}

#[test]
fn the_file_is_looked_for_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    let env = |name: &str| (name == "HOME").then(|| home.clone());
    let named = |name: &str| (name == "MITA_CONFIG").then(|| "/named.yaml".to_owned());
    assert_eq!(
        config::find(Some(Path::new("/given.yaml")), &named).unwrap(),
        Path::new("/given.yaml")
    );
    assert_eq!(config::find(None, &named).unwrap(), Path::new("/named.yaml"));
    let error = config::find(None, &env).unwrap_err().to_string();
    assert!(
        error.contains(&format!(
            "tried ./mita.yaml, {home}/.config/mita/mita.yaml, /etc/mita/mita.yaml;"
        )),
        "{error}"
    );
    let file = folder.path().join(".config/mita/mita.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "").unwrap();
    assert_eq!(config::find(None, &env).unwrap(), file);
}

#[test]
fn a_script_is_rendered() {
    let values = Values {
        id: "0123456789ab",
        name: "small__0123456789ab",
        node: "small",
        labels: "a b",
        owner: "o",
        executors: 1,
        jenkins_url: "https://ci",
        joining: Joining::Nothing,
    };
    let script = "{{ mita.name }} {{.ID}} ${#a[@]} $(date +%s) {{mita.id}}";
    let wanted = "small__0123456789ab {{.ID}} ${#a[@]} $(date +%s) {{mita.id}}";
    assert_eq!(script::render(script, &values), wanted);
}

/// Pieces of configurations, so that texts made of them get past the parser now and then.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "provider:",
        "openstack:",
        "nodes:",
        "small:",
        "jenkins:",
        "defaults:",
        "min_ready:",
        "labels:",
        "script: |",
        "metadata:",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "~",
        "5",
        "-1",
        "40m",
        "\"",
        "'",
        "#",
        "{{ mita.x }}",
        "%s",
        "!!str ",
        "? ",
        "---\n",
        "\t",
        "é",
        "\u{feff}",
        "|",
        ">",
        "url: ",
        "http://x",
        "cron: ",
        "* * * * *",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn loading_never_panics(pieces in proptest::collection::vec(piece(), 0..60)) {
        let _ = try_load(pieces.concat(), &no_env);
    }

    #[test]
    fn loading_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_load(bytes, &no_env);
    }

    #[test]
    fn a_changed_example_never_panics(at in 0..SEED.len(), cut in 0..40_usize, piece in piece()) {
        let mut text = SEED.to_owned();
        text.replace_range(at..(at + cut).min(SEED.len()), &piece);
        let _ = try_load(text, &no_env);
    }

    /// Two parsers of YAML agree on the bytes of a script.
    #[test]
    fn a_script_is_read_as_it_stands(lines in proptest::collection::vec("[ -~\\t]{0,30}", 1..8)) {
        let block: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
        let text = node(&format!("script: |2\n{}", block.concat()));
        let other: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let other = other["nodes"]["small"]["script"].as_str().unwrap_or_default().to_owned();
        let loaded = try_load(&text, &no_env);
        prop_assert!(loaded.is_ok(), "{:?}", loaded.err());
        let script = loaded.unwrap().config.templates[0].script.clone().unwrap_or_default();
        prop_assert_eq!(script, other);
    }
}

#[test]
fn the_sources_of_labels_are_read() {
    let sources = |lines: &str| load(&jenkins(lines)).config.labels;
    assert_eq!(sources(""), config::LabelSources::default());
    assert_eq!(
        sources("anchor: false\nlabels_from: queue"),
        config::LabelSources::default()
    );
    let all = sources("anchor: true\nlabels_from: script\nbootstrap: small");
    assert!(all.anchor && all.script);
    assert_eq!(all.bootstrap.unwrap().as_str(), "small");
}

#[test]
fn wrong_sources_of_labels_are_named() {
    check(
        jenkins("labels_from: scripts\nbootstrap: smal\nanchor: maybe"),
        &[
            "mita.yaml:11:16: jenkins.labels_from: \"scripts\" is no source of labels; did you mean script?",
            "mita.yaml:12:14: jenkins.bootstrap: there is no node \"smal\"; did you mean small?",
            "mita.yaml:13:11: jenkins.anchor: must be true or false, is \"maybe\"; write it like true",
        ],
    );
    check(
        jenkins("labels_from: [queue]\nbootstrap: ''"),
        &[
            "mita.yaml:11:16: jenkins.labels_from: must be a text, is a list; see mita.yaml.example",
            "mita.yaml:12:14: jenkins.bootstrap: is empty; write a text or remove it",
        ],
    );
}
