//! Ways in that are wrong, another that is right, and a token that ends in the middle.

use std::fs;
use std::process::Stdio;

use super::services::{add_region, ctl, folder, hold, revoke_tokens};
use super::site::{Done, LINUX, LOGIN, Site};

#[test]
fn a_wrong_way_in_is_said_and_changes_nothing() {
    let site = Site::new("login", "ci");
    site.job("build", "linux");
    for (from, to, parts) in [
        ("ci-pass", "wrong", &["wrong password", "\"ci\""][..]),
        ("username: ci", "username: cj", &["\"cj\""][..]),
        ("RegionOne", "RegionTwo", &["RegionTwo", "RegionOne"][..]),
        ("127.0.0.1:5000", "127.0.0.1:9696", &["auth_url"][..]),
    ] {
        site.configure(LINUX, &LOGIN.replace(from, to));
        for arguments in [&["run", "-o", "json"][..], &["check", "--online"][..]] {
            let done = site.mita(arguments);
            let expected = if arguments[0] == "run" { 4 } else { 1 };
            assert_eq!(done.code, expected, "{to}: {}", done.err);
            assert!(
                parts.iter().all(|part| done.err.contains(part)),
                "{to} {parts:?}: {}",
                done.err
            );
            assert!(!done.err.contains("ci-pass"), "{}", done.err);
        }
    }
    assert!(site.servers().is_empty());
    site.configure(LINUX, LOGIN);
    let check = site.mita(&["check", "--online"]);
    assert_eq!(check.code, 0, "{}", check.err);
}

#[test]
fn an_application_credential_is_enough() {
    let site = Site::new("appcred", "ci");
    let rc = fs::read_to_string(folder().join("openrc.appcred")).expect("up wrote it");
    let value = |name: &str| {
        let line = rc
            .lines()
            .find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name} in {rc}")).to_owned()
    };
    let (id, secret) = (
        value("OS_APPLICATION_CREDENTIAL_ID"),
        value("OS_APPLICATION_CREDENTIAL_SECRET"),
    );
    let login = |secret: &str| {
        format!(
            "auth_url: http://127.0.0.1:5000/v3, auth_version: 3.x_appcred, application_credential_id: {id}, \
             application_credential_secret: {secret}"
        )
    };
    site.configure(LINUX, &login(&secret));
    site.job("build", "linux");
    assert_eq!(site.pass().actions(), ["create done linux"]);
    assert_eq!(site.servers().len(), 1);
    site.configure(LINUX, &login("wrong"));
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 4);
    assert!(done.err.contains("application credential is refused"), "{}", done.err);
    assert_eq!(site.servers().len(), 1);
}

/// As OpenStack's own tools have them: the logins in one file, what is secret in another.
#[test]
fn the_files_of_other_openstack_tools_do() {
    let site = Site::new("clouds", "ci");
    let clouds = site.path("clouds.yaml");
    fs::copy(folder().join("clouds.yaml"), &clouds).expect("up wrote it");
    let mita = |arguments: &[&str], cloud: Option<&str>| {
        let mut command = site.command(arguments);
        command.env("OS_CLIENT_CONFIG_FILE", &clouds);
        if let Some(cloud) = cloud {
            command.env("OS_CLOUD", cloud);
        }
        Done::of(command.output().expect("the binary runs"))
    };
    site.job("build", "linux");
    for cloud in ["ci", "ci-appcred"] {
        site.configure(LINUX, &format!("cloud: {cloud}"));
        let dry = mita(&["run", "--dry-run", "-o", "json"], None);
        assert_eq!(dry.code, 0, "{cloud}: {}", dry.err);
        assert_eq!(dry.actions(), ["create planned linux"], "{cloud}");
    }
    site.configure(LINUX, "cloud: ci-badpass");
    let bad = mita(&["run", "--dry-run"], None);
    assert_eq!(bad.code, 4, "{}", bad.err);
    // The password comes from the second file.
    let secure = "clouds:\n  ci-badpass:\n    auth:\n      password: ci-pass\n";
    fs::write(site.path("secure.yaml"), secure).unwrap();
    let good = mita(&["run", "-o", "json"], None);
    assert_eq!(
        (good.code, good.actions()),
        (0, vec!["create done linux".to_owned()]),
        "{}",
        good.err
    );
    // No login at all in our file: the one of OS_CLOUD.
    site.configure_with(LINUX, "real: {type: openstack}", "");
    let chosen = mita(&["status", "-o", "json"], Some("ci"));
    assert_eq!(chosen.code, 0, "{}", chosen.err);
    assert_eq!(chosen.json()["servers"][0]["server_id"], site.servers()[0]["id"]);
    let other = mita(&["run", "--dry-run"], Some("no-such"));
    assert_eq!(other.code, 3, "{}", other.err);
    assert!(
        other.err.contains("no-such") && other.err.contains("ci-small"),
        "{}",
        other.err
    );
}

#[test]
fn a_kept_token_saves_the_login_until_it_ends() {
    let site = Site::alone("kept", "ci");
    site.configure(LINUX, &format!("{LOGIN}, token_cache: true"));
    let first = site.pass();
    assert_eq!(first.logins(), 1, "{}", first.err);
    let second = site.pass();
    assert_eq!(second.logins(), 0, "{}", second.err);
    revoke_tokens();
    let third = site.pass();
    assert_eq!(third.logins(), 1, "after a 401: {}", third.err);
    // Nova remembers the token from that pass, so Keystone is not needed.
    site.pass();
    ctl(&["pause", "keystone"]);
    let without = site.pass();
    ctl(&["resume", "keystone"]);
    assert_eq!(without.logins(), 0, "{}", without.err);
    let files = fs::read_dir(site.folder()).unwrap();
    for file in files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let kept = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!kept.contains("gAAAA"), "a token in the clear in {}", file.display());
    }
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_pass_is_renewed() {
    let site = Site::alone("token", "ci");
    site.job("build", "linux");
    let request = hold("flavors", "nova", "GET", "/flavors/detail$");
    let pass = site
        .command(&["-vv", "run", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    request.met();
    revoke_tokens();
    request.release();
    let done = Done::of(pass.wait_with_output().unwrap());
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    assert_eq!(done.actions(), ["create done linux"], "{}", done.err);
    let logins = done.logins();
    assert!(
        done.err.contains(": 401 in") && logins == 2,
        "{logins} logins: {}",
        done.err
    );
    assert_eq!(site.servers().len(), 1);
}

#[test]
fn of_several_regions_one_is_to_be_named() {
    let site = Site::alone("regions", "ci");
    add_region();
    site.job("build", "linux");
    let anywhere = LOGIN.replace(", service_region: RegionOne", "");
    site.configure(LINUX, &anywhere);
    let none = site.mita(&["run"]);
    assert_eq!(none.code, 4, "{}", none.err);
    for region in ["RegionOne", "RegionTwo"] {
        assert!(none.err.contains(region), "{}", none.err);
    }
    site.configure_with(
        &LINUX.replace("provider: real", "provider: [two, one]"),
        &format!(
            "two: {{type: openstack, {anywhere}, tenant_name: ci, service_region: RegionTwo}}\n\
             one: {{type: openstack, {anywhere}, tenant_name: ci, service_region: RegionOne}}"
        ),
        "",
    );
    let done = site.attempt();
    assert_eq!(done.code, 1, "the dead one is said: {}", done.err);
    assert_eq!(done.actions(), ["create done linux"], "the other serves: {}", done.out);
    assert_eq!(site.servers().len(), 1);
}
