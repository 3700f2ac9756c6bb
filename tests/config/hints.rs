//! What `check` hints at: values that may well be meant, though they are often a mistake.

use super::site::{end, jenkins, load, node, provider};

/// Returns the hints without what every bare template of these tests has.
fn hints(text: &str) -> Vec<String> {
    let hints = load(text).hints;
    let hints = hints.iter().filter(|hint| !hint.contains("there is no script"));
    hints
        .map(|hint| hint.split_once("mita.yaml:").unwrap().1.to_owned())
        .collect()
}

#[track_caller]
fn one(text: &str, begins: &str) {
    let hints = hints(text);
    assert!(hints.len() == 1 && hints[0].starts_with(begins), "{hints:#?}");
}

#[test]
fn a_server_that_nothing_registers_is_hinted_at() {
    let all = load(&node("")).hints;
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].contains("mita.yaml:12:3: nodes.small: register: self, and there is no script: the image itself must")
    );
    let text = "17:5: nodes.small.script: register: self, and the script uses neither {{ mita.name }} nor the server's address";
    one(&node("script: |\n  #!/bin/sh\n  apt-get update"), text);
    for good in [
        "{{ mita.name }}",
        "x-{{ mita.id }}",
        "$(hostname)",
        "curl http://169.254.169.254/latest",
    ] {
        assert_eq!(
            hints(&node(&format!("script: |\n  #!/bin/sh\n  join {good}"))),
            [""; 0],
            "{good}"
        );
    }
    // What mita registers needs neither.
    let inbound = "register: inbound\nscript: |\n  #!/bin/sh\n  echo {{ mita.agent_secret }}";
    assert_eq!(load(&node(inbound)).hints, [""; 0]);
}

#[test]
fn a_folded_script_is_hinted_at() {
    let script = "script: >\n  #!/bin/sh\n  echo {{ mita.name }}";
    one(
        &node(script),
        "17:5: nodes.small.script: `>` puts lines of the script together; write `script: |`",
    );
    assert_eq!(hints(&node(&script.replace('>', "|"))), [""; 0]);
}

#[test]
fn what_is_not_filled_in_is_hinted_at_and_not_shown() {
    let variable = "looks like a variable, and none is filled in here";
    let placeholder = "looks like a placeholder, and only those of a script are filled in";
    let example = "is still the text of an example";
    one(
        &provider("service_region: ${REGION}"),
        &format!("7:21: provider.openstack.service_region: {variable}"),
    );
    one(
        &jenkins("").replace("token: t", "token: ${hunter2}"),
        &format!("10:10: jenkins.token: {variable}"),
    );
    one(
        &node("metadata: {team: $TEAM}"),
        &format!("17:22: nodes.small.metadata.team: {variable}"),
    );
    one(
        &node("networks: [a, \"{{ net }}\"]"),
        &format!("17:19: nodes.small.networks[1]: {placeholder}"),
    );
    one(
        &end("defaults: {keyname: \"{{ mita.name }}\"}\n"),
        &format!("17:21: defaults.keyname: {placeholder}"),
    );
    one(
        &jenkins("").replace("token: t", "token: change me"),
        &format!("10:10: jenkins.token: {example}"),
    );
    one(
        &provider("").replace("password: p", "password: <your password>"),
        &format!("5:15: provider.openstack.password: {example}"),
    );
    let secret = load(&jenkins("").replace("token: t", "token: ${hunter2}"))
        .hints
        .concat();
    assert!(!secret.contains("hunter2"), "{secret}");
    // In a script anything may be.
    assert_eq!(
        hints(&node("script: |\n  #!/bin/sh\n  echo ${A} {{ x }} {{ mita.name }}")),
        [""; 0]
    );
}
