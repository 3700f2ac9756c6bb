//! The user data: placeholders, length.

use mita::config::script::{self, Joining, Values};

use super::site::{check, load, node, refused};

#[test]
fn a_script_is_checked_where_it_stands() {
    check(
        node("script: |\n\n  echo {{ mita.nam }}\n    {{ mita.agent_secret }}"),
        &[
            "mita.yaml:19:12: nodes.small.script: unknown placeholder {{ mita.nam }}; did you mean name?",
            "mita.yaml:20:9: nodes.small.script: {{ mita.agent_secret }} is known only with register: inbound; set that, or remove it",
        ],
    );
    let loaded = load(&node("script: |\n  #!/bin/sh\n  hostname {{mita.id}} %s"));
    let warnings = loaded.warnings;
    let texts = warnings.iter().map(|warning| &warning.text).chain(&loaded.hints);
    let texts: Vec<&str> = texts.map(|text| text.split_once("mita.yaml:").unwrap().1).collect();
    assert_eq!(
        texts,
        [
            "19:16: nodes.small.script: {{mita.id}} is left as it is; a placeholder has exactly the form {{ mita.name }}",
            "19:28: nodes.small.script: %s is left as it is; where the node's id is meant write {{ mita.id }}",
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
    // Headroom for what the placeholder stands for: 19 bytes instead of 15.
    let text = |bytes: usize| script(bytes).replace("\"#!", "\"#!{{ mita.name }}");
    load(&text(49_149 - 19));
    assert_eq!(refused(text(49_149 - 18)).len(), 1);
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
