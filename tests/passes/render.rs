//! `render`: the user data of a template, as a server would get it.

use super::site::{NODES, Site};

const EXAMPLE: &str = "mita: an example: the server small__0123456789ab; secrets are shown as ***\n";

#[test]
fn a_script_is_printed_as_a_server_would_get_it() {
    let site = Site::new();
    let done = site.mita(&["render", "small"]);
    assert_eq!((done.code, done.err.as_str()), (0, EXAMPLE));
    assert_eq!(done.out, "#!/bin/sh\necho small__0123456789ab\n");
    assert_eq!(site.mita(&["-q", "render", "small"]).err, "");
    site.world.assert_no_writes();
    assert!(!site.state_file().exists());
}

#[test]
fn every_placeholder_has_a_value_and_no_secret_is_shown() {
    let all = "s={{ mita.agent_secret }} {{ mita.id }} {{ mita.node }} {{ mita.labels }} {{ mita.owner }} \
               {{ mita.executors }} {{ mita.jenkins_url }} {{ mita.agent_jar_url }} ci-pass {{.Other}}";
    let inbound = NODES.replace("    keyname", "    register: inbound\n    keyname");
    let site = Site::with(&inbound.replace("echo {{ mita.name }}", all), "");
    let url = site.jenkins.url();
    let done = site.mita(&["render", "small"]).good();
    assert_eq!(
        done.out,
        format!(
            "#!/bin/sh\ns=*** 0123456789ab small linux x86_64 tester 1 {url} {url}/jnlpJars/agent.jar *** {{{{.Other}}}}\n"
        )
    );
    let ssh = "    register: ssh\n    agent: {credentials_id: c, host_key: {strategy: provided}}\n    keyname";
    let keys = "  k: {{ mita.ssh_host_key }} {{ mita.ssh_host_key_base64 }} {{ mita.ssh_host_public_key }}";
    let nodes = NODES.replace("    keyname", ssh).replace("echo {{ mita.name }}", keys);
    site.configure(&nodes, "");
    let done = site.mita(&["render", "small"]).good();
    assert_eq!(done.out, "#!/bin/sh\n  k: *** *** ssh-ed25519 AAAA...\n");
}

#[test]
fn a_template_that_is_none_is_wrong_usage() {
    let site = Site::new();
    let done = site.mita(&["render", "smal"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert_eq!(done.err, "mita: there is no node template smal; did you mean small?\n");
    assert_eq!(site.mita(&["render"]).code, 2);
    let json = site.mita(&["render", "small", "-o", "json"]);
    assert_eq!((json.code, json.json()["exit"].as_u64()), (2, Some(2)));
}

#[test]
fn a_template_without_a_script_has_no_user_data() {
    let (nodes, _) = NODES.split_once("    script").unwrap();
    let site = Site::with(nodes, "");
    let done = site.mita(&["render", "small"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""));
    assert_eq!(done.err, "mita: small has no script: its servers get no user data\n");
}

#[test]
fn what_is_printed_is_what_a_server_gets() {
    let site = Site::new();
    site.world.submit(super::site::job("build", "linux"));
    site.pass();
    let (name, script) = site.world.with(|world| {
        let server = &world.cloud("openstack").servers[0];
        (server.name.clone(), server.script())
    });
    let id = name.rsplit("__").next().unwrap();
    let printed = site.mita(&["render", "small"]).good().out;
    assert_eq!(printed.replace("0123456789ab", id), script);
}
