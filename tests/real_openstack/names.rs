//! Names that the cloud does not know.

use super::site::{LOGIN, Site};

/// Each with one mistake.
const WRONG: &str = "
  bad-image: {image_name: ubuntu-24.40, size: m1.tiny, networks: [private], labels: [image]}
  bad-flavor: {image_name: cirros, size: m1.tinny, networks: [private], labels: [flavor]}
  bad-network: {image_name: cirros, size: m1.tiny, networks: [privat], labels: [network]}
  no-network: {image_name: cirros, size: m1.tiny, labels: [any-network]}
  bad-key: {image_name: cirros, size: m1.tiny, networks: [private], keyname: e2e-keyss, labels: [key]}
  bad-zone: {image_name: cirros, size: m1.tiny, networks: [private], availability_zone: az9, labels: [zone]}
  bad-group: {image_name: cirros, size: m1.tiny, networks: [private], security_groups: [defualt], labels: [group]}
  too-small: {image_name: big-disk, size: m1.tiny, networks: [private], labels: [small]}
  bad-regex: {image_regex: 'ubuntu-9.*', size: m1.tiny, networks: [private], labels: [regex]}
  bad-size: {image_name: cirros, size: {vcpus: 64}, networks: [private], labels: [size]}
  bad-pool: {image_name: cirros, size: m1.tiny, networks: [private], floating_ip_pool: publik, labels: [pool]}
  bad-type: {image_name: cirros, size: m1.tiny, networks: [private], storage: 1, volume_type: sdd, labels: [type]}
  bad-port: {image_name: cirros, size: m1.tiny, ports: [ci-prot], labels: [port]}
  bad-hint: {image_name: cirros, size: m1.tiny, networks: [private], scheduler_hints: {group: ci-part}, labels: [hint]}
  good: {image_name: cirros, size: m1.tiny, networks: [private], keyname: e2e-keys, labels: [good]}
defaults: {provider: real}
";

/// What is said of each, by template: by `check`, and by a pass when its label is wanted.
const SAID: [(&str, &str, &[&str], &[&str]); 13] = [
    (
        "bad-image",
        "image",
        &["no image named \"ubuntu-24.40\"", "\"ubuntu-24.04\""],
        &["ubuntu-24.40", "ubuntu-24.04"],
    ),
    (
        "bad-flavor",
        "flavor",
        &["no flavor named \"m1.tinny\"", "\"m1.tiny\""],
        &["m1.tinny", "\"m1.tiny\""],
    ),
    (
        "bad-network",
        "network",
        &["no network named \"privat\"", "\"private\""],
        &["privat", "\"private\""],
    ),
    (
        "no-network",
        "any-network",
        &["several networks", "private", "`networks`"],
        &["several networks", "`networks`"],
    ),
    (
        "bad-key",
        "key",
        &["no key pair named \"e2e-keyss\"", "\"e2e-keys\""],
        &["Invalid key_name provided"],
    ),
    (
        "bad-zone",
        "zone",
        &["no availability zone named \"az9\"", "\"az1\""],
        &["availability zone"],
    ),
    (
        "bad-group",
        "group",
        &["no security group named \"defualt\"", "\"default\""],
        &["Unable to find security_group", "defualt"],
    ),
    (
        "too-small",
        "small",
        &["image \"big-disk\" needs", "m1.tiny"],
        &["big-disk"],
    ),
    (
        "bad-regex",
        "regex",
        &["no image has a name that", "ubuntu-9.*", "\"ubuntu-24.04\""],
        &["ubuntu-9.*"],
    ),
    (
        "bad-size",
        "size",
        &["no flavor has 64 vCPUs", "\"huge\" with 8 vCPUs"],
        &["no flavor has 64 vCPUs"],
    ),
    (
        "bad-type",
        "type",
        &["no volume type named \"sdd\"", "\"ssd\""],
        &["sdd"],
    ),
    (
        "bad-port",
        "port",
        &["no port named \"ci-prot\"", "\"ci-port\""],
        &["no port named \"ci-prot\""],
    ),
    (
        "bad-hint",
        "hint",
        &["no server group named \"ci-part\"", "\"ci-apart\""],
        &["no server group named \"ci-part\""],
    ),
];

#[test]
fn each_wrong_name_is_said_by_the_check_and_by_the_pass() {
    let site = Site::new("names", "ci");
    site.cloud.key_pair("e2e-keys");
    site.configure(WRONG, LOGIN);
    let check = site.mita(&["check", "--online"]);
    assert_eq!(check.code, 1, "{}\n{}", check.out, check.err);
    for (template, _, parts, _) in SAID {
        let found = check
            .err
            .lines()
            .any(|line| line.contains(&format!("nodes.{template}:")) && parts.iter().all(|part| line.contains(part)));
        assert!(found, "{template} {parts:?}:\n{}", check.err);
    }
    // A pool is used only once the server has its port, so nobody asks for this label below.
    assert!(
        check
            .err
            .contains("nodes.bad-pool: no floating IP pool named \"publik\""),
        "{}",
        check.err
    );
    // It has no script, which is a hint and no fault.
    let mut good = check.err.lines().filter(|line| line.contains("nodes.good"));
    assert!(good.all(|line| line.starts_with("mita: hint: ")), "{}", check.err);

    for (_, label, _, _) in SAID {
        site.job(label, label);
    }
    site.job("good", "good");
    let pass = site.attempt();
    let json = pass.json();
    let unmet = json["unmet"].as_array().unwrap();
    for (template, label, _, parts) in SAID {
        let row = unmet.iter().find(|row| row["label"] == label);
        let reason = row.unwrap_or_else(|| panic!("{label} in {unmet:#?}"))["reason"]
            .as_str()
            .unwrap();
        assert!(
            parts.iter().all(|part| reason.contains(part)),
            "{template} {parts:?}: {reason}"
        );
    }
    assert_eq!(pass.code, 1, "cron must hear of it: {}", pass.err);
    let made = pass
        .actions()
        .iter()
        .filter(|action| action.as_str() == "create done good")
        .count();
    assert_eq!(
        (made, site.servers().len()),
        (1, 1),
        "one mistake does not hold up the others: {}",
        pass.out
    );
    site.cloud.delete_key_pair("e2e-keys");
}
