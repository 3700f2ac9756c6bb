//! The keys of a template that say what a server is made of: image, size, volumes, networks, ports.

use mita::config::Config;
use mita::model::{ImageRef, PortSpec, ServerSpec, SizeRef};

use super::site::{Site, indented};

const HEAD: &str = "provider: {openstack: {auth_url: 'https://k', username: u, password: p, tenant_name: t}}\n\
    jenkins: {url: 'https://j', user: u, token: t}\n";

/// Loads a template of some lines, with some defaults; the error lines are without their file.
fn load(lines: &str, defaults: &str) -> Result<Config, Vec<String>> {
    let lines = indented(lines, "    ");
    let text =
        format!("{HEAD}nodes:\n  small:\n    provider: openstack\n    labels: [a]\n{lines}defaults: {{{defaults}}}\n");
    let loaded = Site::new().load(text).map_err(|lines| {
        let parts = lines.iter();
        parts
            .map(|line| line.split_once("mita.yaml:").unwrap().1.to_owned())
            .collect::<Vec<_>>()
    });
    loaded.map(|loaded| loaded.config)
}

#[track_caller]
fn spec(lines: &str, defaults: &str) -> ServerSpec {
    let config = load(lines, defaults).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
    config.template("small").unwrap().spec.clone()
}

#[track_caller]
fn refused(lines: &str, expected: &[&str]) {
    let found = load(lines, "").map(|_| "loaded").unwrap_err();
    assert_eq!(found, expected);
}

const IMAGE: &str = "image_name: i\n";
const BOTH: &str = "image_name: i\nsize: s\n";

#[test]
fn an_image_is_named_or_matched() {
    let image = spec("image_regex: 'ubuntu-24\\.04-.*'\nsize: s", "").image;
    assert_eq!(image, ImageRef::Regex(r"ubuntu-24\.04-.*".to_owned()));
    let own = spec("image_regex: u.*\nsize: s", "image_name: other").image;
    assert_eq!(own, ImageRef::Regex("u.*".to_owned()));
    let own = spec(BOTH, "image_regex: u.*").image;
    assert_eq!(own, ImageRef::Name("i".to_owned()));
    refused(
        "image_regex: 'ubuntu-('\nsize: s",
        &["7:18: nodes.small.image_regex: \"ubuntu-(\" is no regular expression: unclosed group; correct it"],
    );
    refused(
        "image_regex: u.*\nsize: s\nimage_name: i",
        &["7:18: nodes.small.image_regex: image_name is given, too; keep one of the two"],
    );
    refused(
        "image_regex: ''\nsize: s",
        &["7:18: nodes.small.image_regex: is empty; write a text or remove it"],
    );
}

#[test]
fn a_size_is_named_or_says_what_it_must_have() {
    let size = |lines: &str, defaults: &str| spec(&format!("{IMAGE}{lines}"), defaults).size;
    let least = |vcpus, ram_mb, disk_gb| SizeRef::Least { vcpus, ram_mb, disk_gb };
    assert_eq!(size("size: m1.small", ""), SizeRef::Named("m1.small".to_owned()));
    assert_eq!(size("size: {vcpus: 4, ram: 8192, disk: 40}", ""), least(4, 8192, 40));
    assert_eq!(size("flavor: {ram: 8192}", ""), least(0, 8192, 0));
    assert_eq!(size("", "size: {vcpus: 2}"), least(2, 0, 0));
    assert_eq!(size("size: {vcpus: 4}", "size: m1.small"), least(4, 0, 0));
    assert_eq!(
        size("size: m1.small", "size: {vcpus: 4}"),
        SizeRef::Named("m1.small".to_owned())
    );
    let refused = |lines: &str, expected: &str| refused(&format!("{IMAGE}{lines}"), &[expected]);
    let what = "write the name of a flavor, or what it must have: {vcpus: 4, ram: 8192}";
    refused(
        "size: {}",
        &format!("8:5: nodes.small.size: names nothing that a flavor must have; {what}"),
    );
    refused("size:", &format!("8:5: nodes.small.size: is empty; {what}"));
    refused("", &format!("4:3: nodes.small.size: missing; {what}"));
    refused(
        "size: {vcpus: 0, ram: 1}",
        "8:19: nodes.small.size.vcpus: must be at least 1, is 0; leave it out where any will do",
    );
    refused(
        "size: {ram: 1, cpus: 3}",
        "8:20: nodes.small.size.cpus: unknown key; did you mean vcpus?",
    );
    refused(
        "size: {ram: 8GiB}",
        "8:17: nodes.small.size.ram: must be a whole number, is \"8GiB\"; write it like 3",
    );
    refused(
        "boot_volume: 10\nsize: {disk: 20}",
        "9:18: nodes.small.size.disk: must be at most boot_volume (10), which is the root disk, is 20; change one of them",
    );
    refused(
        "size: [m1.small]",
        "8:11: nodes.small.size: must be a text, is a list; see mita.yaml.example",
    );
}

#[test]
fn a_volume_type_needs_a_volume() {
    let kind = |lines: &str, defaults: &str| spec(&format!("{BOTH}{lines}"), defaults).volume_type;
    assert_eq!(kind("storage: 10\nvolume_type: ssd", "").as_deref(), Some("ssd"));
    assert_eq!(kind("boot_volume: 10", "volume_type: ssd").as_deref(), Some("ssd"));
    assert_eq!(kind("", "volume_type: ssd"), None);
    assert_eq!(kind("storage: 0", "volume_type: ssd, storage: 3"), None);
    refused(
        &format!("{BOTH}volume_type: ssd"),
        &["9:18: nodes.small.volume_type: is given, but there is no volume; set storage or boot_volume, or remove it"],
    );
}

fn existing(name: &str) -> PortSpec {
    PortSpec::Existing(name.to_owned())
}

fn made(network: &str) -> PortSpec {
    PortSpec::Made {
        network: network.to_owned(),
        security_groups: Vec::new(),
        vnic_type: None,
        port_security: None,
    }
}

#[test]
fn ports_are_texts_and_sections_in_their_order() {
    let ports = |lines: &str, defaults: &str| spec(&format!("{BOTH}{lines}"), defaults).ports;
    assert_eq!(ports("ports: p", ""), [existing("p")]);
    assert_eq!(ports("ports: {network: n}", ""), [made("n")]);
    assert_eq!(
        ports("ports:\n- {network: n}\n- p\n- network: m\n- q", ""),
        [made("n"), existing("p"), made("m"), existing("q")]
    );
    let full = "ports: [{network: n, security_groups: [a, b], vnic_type: direct, port_security: true}]";
    let expected = PortSpec::Made {
        network: "n".to_owned(),
        security_groups: vec!["a".to_owned(), "b".to_owned()],
        vnic_type: Some("direct".to_owned()),
        port_security: Some(true),
    };
    assert_eq!(ports(full, ""), [expected]);
    assert_eq!(ports("", "ports: [p, {network: n}]"), [existing("p"), made("n")]);
    assert_eq!(ports("ports: [q]", "ports: [p, {network: n}]"), [existing("q")]);
    assert_eq!(ports("ports: [{network: m}]", "ports: [p, {network: n}]"), [made("m")]);
    assert_eq!(ports("ports: []", "ports: [p]"), []);
}

#[test]
fn a_wrong_port_is_told_by_its_number() {
    let refused = |lines: &str, expected: &[&str]| refused(&format!("{BOTH}{lines}"), expected);
    refused(
        "ports: [p, {vnic_type: direct}]",
        &["9:16: nodes.small.ports[1].network: missing; write the network that the port is made in"],
    );
    refused(
        "ports: [{network: n}, p, '', p]",
        &[
            "9:30: nodes.small.ports[2]: is empty; write a text or remove it",
            "9:34: nodes.small.ports[3]: \"p\" is here twice; remove one",
        ],
    );
    refused(
        "ports: [p, {netwrk: n}]",
        &["9:17: nodes.small.ports[1].netwrk: unknown key; did you mean network?"],
    );
    refused(
        "ports: [{network: n, port_security: false, security_groups: [a]}, [x]]",
        &[
            "9:48: nodes.small.ports[0].security_groups: cannot be given with port_security: false, which switches them \
             off; remove one of the two",
            "9:71: nodes.small.ports[1]: must be a text, is a list; see mita.yaml.example",
        ],
    );
    refused(
        "ports:\n- p\n-",
        &["11:6: nodes.small.ports[1]: is empty; write a text or remove the line"],
    );
}

#[test]
fn one_entry_of_the_metadata_is_kept_for_the_port() {
    let metadata: Vec<String> = (0..124).map(|at| format!("k{at}: v")).collect();
    let lines = format!("{BOTH}metadata: {{{}}}\n", metadata.join(", "));
    assert_eq!(spec(&lines, "").metadata.len(), 124);
    assert_eq!(spec(&format!("{lines}ports: [{{network: n}}]"), "").metadata.len(), 124);
    refused(
        &format!("{lines}ports: [p]"),
        &["9:5: nodes.small.metadata: must have at most 123 entries, has 124; remove some"],
    );
}
