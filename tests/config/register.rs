//! The keys that say who makes a Jenkins node and what it is like, and what the script is given then.

use mita::config::{HostKey, Loaded, Register};

use super::site::{Site, indented};

const HEAD: &str = "provider: {openstack: {auth_url: 'https://k', username: u, password: p, tenant_name: t}}\n\
    jenkins: {url: 'https://j', user: u, token: t}\nnodes:\n  small:\n    provider: openstack\n    labels: [a]\n    \
    image_name: i\n    size: s\n";

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

/// Loads a template of some lines; the error lines are without their file and place.
fn load(lines: &str) -> Result<Loaded, Vec<String>> {
    let text = format!("{HEAD}{}", indented(lines, "    "));
    Site::new().load(text).map_err(|lines| {
        let parts = lines.iter();
        parts
            .map(|line| line.split_once("nodes.small.").unwrap().1.to_owned())
            .collect()
    })
}

#[track_caller]
fn refused(lines: &str, expected: &[&str]) {
    let found = load(lines).map(|_| "loaded").unwrap_err();
    assert_eq!(found, expected);
}

/// What `check` says of the script and of registering.
#[track_caller]
fn hints(lines: &str) -> Vec<String> {
    let loaded = load(lines).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
    let texts = loaded.warnings.into_iter().map(|warning| warning.text);
    texts
        .filter_map(|text| Some(text.split_once("nodes.small.")?.1.to_owned()))
        .collect()
}

#[track_caller]
fn digest(lines: &str) -> String {
    load(lines).unwrap().config.template("small").unwrap().digest.clone()
}

const SSH: &str = "register: ssh\nagent: {credentials_id: c, host_key: {strategy: provided}}\n";

#[test]
fn a_secret_is_known_with_register_inbound_alone() {
    let script = "script: \"#!/bin/sh\\n{{ mita.agent_secret }}\"\n";
    assert_eq!(hints(&format!("register: inbound\n{script}")), [] as [&str; 0]);
    let text = "script: {{ mita.agent_secret }} is known only with register: inbound; set that, or remove it";
    refused(script, &[text]);
    refused(&format!("{SSH}{script}"), &[text]);
}

#[test]
fn a_host_key_is_known_where_mita_makes_it() {
    let script = "script: \"#!/bin/sh\\n{{ mita.ssh_host_key }} {{ mita.ssh_host_public_key }}\"\n";
    assert_eq!(hints(&format!("{SSH}{script}")), [] as [&str; 0]);
    let text = |name: &str| {
        format!(
            "script: {{{{ mita.{name} }}}} is known only with register: ssh and agent.host_key {{strategy: provided}} \
             without a key, where mita makes one for each server; set that, or remove it"
        )
    };
    let both = [text("ssh_host_key"), text("ssh_host_public_key")];
    let both: Vec<&str> = both.iter().map(String::as_str).collect();
    refused(script, &both);
    refused(&format!("register: inbound\n{script}"), &both);
    let given = format!("register: ssh\nagent: {{credentials_id: c, host_key: {{strategy: provided, key: {KEY}}}}}\n");
    refused(&format!("{given}{script}"), &both);
}

#[test]
fn what_nobody_uses_is_hinted_at() {
    let one = hints("register: inbound\nscript: \"#!/bin/sh\"");
    assert_eq!(one.len(), 1, "{one:?}");
    assert!(one[0].starts_with("script: register: inbound, and the script does not use {{ mita.agent_secret }}"));
    assert!(hints("register: inbound")[0].starts_with("register: "));
    let one = hints(&format!(
        "{SSH}script: \"#!/bin/sh\\n{{{{ mita.ssh_host_public_key }}}}\""
    ));
    assert!(
        one[0].contains("does not install it by {{ mita.ssh_host_key }}"),
        "{one:?}"
    );
    let other = "register: ssh\nagent: {credentials_id: c, host_key: {strategy: trust_first}}\nscript: \"#!/bin/sh\"";
    assert_eq!(hints(other), [] as [&str; 0]);
}

#[test]
fn a_given_key_is_a_public_key() {
    let with = |key: &str| {
        format!("register: ssh\nagent: {{credentials_id: c, host_key: {{strategy: provided, key: '{key}'}}}}\n")
    };
    let kept = |key: &str| {
        load(&with(key))
            .unwrap()
            .config
            .template("small")
            .unwrap()
            .agent
            .host_key
            .clone()
    };
    assert_eq!(kept(KEY), HostKey::Provided(KEY.to_owned()));
    assert_eq!(
        kept(&format!("{KEY}  root@image")),
        HostKey::Provided(KEY.to_owned()),
        "a comment is left out"
    );
    for (key, fault) in [
        (
            "ssh-dss AAAA",
            "\"ssh-dss\" is no kind of key; write it as in a .pub file, like ssh-ed25519 AAAA...",
        ),
        (
            "-----BEGIN OPENSSH",
            "\"-----BEGIN\" is no kind of key; write it as in a .pub file, like ssh-ed25519 AAAA...",
        ),
        (
            "ssh-ed25519",
            "is no whole key; copy it from the server's /etc/ssh/ssh_host_..._key.pub",
        ),
        (
            "ssh-ed25519 AAAA",
            "is no whole key; copy it from the server's /etc/ssh/ssh_host_..._key.pub",
        ),
        (
            &KEY.replace("ssh-ed25519", "ssh-rsa"),
            "is no whole key; copy it from the server's /etc/ssh/ssh_host_..._key.pub",
        ),
    ] {
        refused(&with(key), &[&format!("agent.host_key.key: {fault}")]);
    }
}

#[test]
fn what_is_filled_in_counts_in_the_size_of_the_script() {
    // As much as fits with the placeholder as it stands, which is shorter than what it stands for.
    let with = |placeholder: &str, more: usize| {
        let room = 49_149 - "#!/bin/sh\n".len() - placeholder.len() - more;
        format!("script: \"#!/bin/sh\\n{placeholder}{}\"\n", "x".repeat(room))
    };
    let inbound = "register: inbound\n";
    let secret = "{{ mita.agent_secret }}";
    assert!(load(&format!("{inbound}{}", with(secret, 64 - secret.len()))).is_ok());
    let found = load(&format!("{inbound}{}", with(secret, 63 - secret.len())))
        .map(|_| ())
        .unwrap_err();
    assert!(found[0].contains("is too long for the cloud: 49150 bytes"), "{found:?}");
    let key = "{{ mita.ssh_host_key_base64 }}";
    assert!(load(&format!("{SSH}{}", with(key, 300))).is_err());
    assert!(load(&format!("{SSH}{}", with(key, 700))).is_ok());
}

#[test]
fn how_a_node_joins_is_part_of_what_a_server_is() {
    let own = digest("");
    assert_eq!(own, digest("register: self"));
    let inbound = digest("register: inbound");
    assert_ne!(own, inbound);
    assert_ne!(inbound, digest("register: inbound\nagent: {remote_dir: /srv}"));
    let ssh = digest(SSH);
    assert_ne!(ssh, digest(&SSH.replace("credentials_id: c", "credentials_id: d")));
    assert_eq!(
        load(SSH).unwrap().config.template("small").unwrap().register,
        Register::Ssh
    );
}
