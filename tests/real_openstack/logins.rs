//! Ways in that are wrong, another that is right, and a token that ends in the middle.

use std::fs;
use std::process::Stdio;

use super::services::{folder, hold, revoke_tokens};
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
        for arguments in [&["run"][..], &["check", "--online"][..]] {
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
