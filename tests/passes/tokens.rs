//! Getting in: a token that outlives the pass, and logins by clouds.yaml.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::fakes::{FakeOpenStack, Fault, Reply, Service, When};
use super::site::{NODES, Site, job};

/// A site whose provider has these further keys, in place of its password.
fn site(keys: &str) -> Site {
    let site = Site::new();
    reconfigure(&site, keys);
    site
}

fn reconfigure(site: &Site, keys: &str) {
    site.configure(NODES, "");
    site.change_config("password: ci-pass", keys);
}

fn logins(site: &Site) -> usize {
    site.world.count(|call| call.path.ends_with("/auth/tokens"))
}

#[test]
fn without_the_option_each_pass_logs_in_and_leaves_no_token() {
    let site = Site::new();
    site.pass();
    site.pass();
    assert_eq!(logins(&site), 2);
    let left: Vec<_> = fs::read_dir(site.folder()).unwrap().collect();
    assert_eq!(left.len(), 4, "configuration, lock, state, journal: {left:?}");
}

#[test]
fn a_kept_token_spares_the_login() {
    let site = site("password: ci-pass\n    token_cache: true");
    let path = site.path("state.json.token-openstack");
    // Nothing is written by a dry run, nor by who only looks.
    for arguments in [&["run", "--dry-run"][..], &["status"], &["check", "--online"]] {
        assert_eq!(site.mita(arguments).code, 0, "{arguments:?}");
        assert!(!path.exists(), "{arguments:?}");
    }
    site.pass();
    let (mode, kept) = (
        fs::metadata(&path).unwrap().permissions().mode(),
        fs::read(&path).unwrap(),
    );
    assert_eq!(mode & 0o777, 0o600);
    site.world.forget_calls();
    let second = site.pass();
    assert_eq!(
        (
            logins(&site),
            second.json()["observed"]["requests"]["openstack"].as_u64()
        ),
        (0, Some(1))
    );
    // Whoever looks may use it; `check --online` is to prove the login.
    for (arguments, expected) in [(&["run", "-n"][..], 0), (&["status"], 0), (&["check", "--online"], 1)] {
        site.world.forget_calls();
        assert_eq!(site.mita(arguments).code, 0, "{arguments:?}");
        assert_eq!(logins(&site), expected, "{arguments:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), kept);
    // With Keystone down the passes go on.
    let down = Fault::Instead(Reply::html(503, "<html>down"));
    site.world.fault(When::on(Service::Keystone).always(), down);
    site.world.submit(job("build", "linux"));
    assert_eq!(site.pass().actions(), ["create done small"]);
    let said = fs::read_to_string(site.state_file()).unwrap();
    assert!(!said.contains("gAAAA"), "no token in the state");
}

#[test]
fn a_kept_token_that_is_refused_is_replaced() {
    let site = site("password: ci-pass\n    token_cache: true");
    let path = site.path("state.json.token-openstack");
    site.pass();
    let first = fs::read(&path).unwrap();
    site.world.with(|world| world.cloud("openstack").tokens.clear());
    site.world.forget_calls();
    assert_eq!(site.mita(&["run", "--dry-run"]).code, 0);
    assert_eq!(
        (logins(&site), fs::read(&path).unwrap()),
        (1, first.clone()),
        "a dry run writes nothing"
    );
    site.pass();
    assert_eq!(logins(&site), 2);
    assert_ne!(fs::read(&path).unwrap(), first);
    site.pass();
    assert_eq!(logins(&site), 2);
}

/// Makes a pass with a catalog in which a text is replaced, and keeps it.
fn pass_before(site: &Site, from: String, to: String) {
    let edited = Fault::Edited {
        from: from.leak().as_bytes(),
        to: to.leak().as_bytes(),
    };
    site.world.fault(When::on(Service::Keystone).always(), edited);
    site.pass();
    site.world.clear_script();
    site.world.forget_calls();
}

#[test]
fn a_kept_catalog_that_is_out_of_date_is_mended_in_the_same_pass() {
    let moved = site("password: ci-pass\n    token_cache: true");
    let old = FakeOpenStack::start(&moved.world, "openstack");
    let port = |cloud: &FakeOpenStack| format!("127.0.0.1:{}/compute", cloud.port());
    pass_before(&moved, port(&moved.cloud), port(&old));
    old.stop();
    let missing = site("password: ci-pass\n    token_cache: true");
    pass_before(&missing, "\"network\"".to_owned(), "\"networks\"".to_owned());
    for site in [moved, missing] {
        site.world.submit(job("build", "linux"));
        assert_eq!(site.pass().actions(), ["create done small"]);
        assert_eq!(logins(&site), 1);
        site.world.forget_calls();
        site.pass();
        assert_eq!(logins(&site), 0, "the new catalog is kept");
    }
}

#[test]
fn a_new_password_is_a_new_login() {
    let site = site("password: ci-pass\n    token_cache: tokens");
    let path = site.path("tokens");
    site.pass();
    assert!(path.exists());
    reconfigure(&site, "password: wrong\n    token_cache: tokens");
    let done = site.mita(&["run"]);
    assert!(done.code == 4 && done.err.contains("wrong password"), "{}", done.err);
    // Where the token cannot be kept, the pass is as good as any.
    reconfigure(&site, "password: ci-pass\n    token_cache: none/tokens");
    site.pass();
    assert_eq!(logins(&site), 3);
}

#[test]
fn a_token_and_a_named_credential_log_in() {
    let site = site("application_credential_name: ci-appcred\n    application_credential_secret: appcred-secret");
    let secret = site.world.with(|world| world.cloud("openstack").credential.1.clone());
    reconfigure(
        &site,
        &format!("application_credential_name: ci-appcred\n    application_credential_secret: {secret}"),
    );
    let text = fs::read_to_string(site.config()).unwrap();
    let without = |text: &str, line: &str| {
        text.lines()
            .filter(|l| !l.contains(line))
            .collect::<Vec<_>>()
            .join("\n")
    };
    fs::write(site.config(), without(&text, "auth_version")).unwrap();
    site.pass();
    let token = site
        .world
        .with(|world| world.cloud("openstack").tokens.keys().next().unwrap().clone());
    reconfigure(&site, &format!("token: {token}"));
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), without(&without(&text, "auth_version"), "username")).unwrap();
    site.pass();
    site.world.with(|world| world.cloud("openstack").tokens.clear());
    let done = site.mita(&["run"]);
    assert!(
        done.code == 4 && done.err.contains("the token is refused"),
        "{}",
        done.err
    );
}

#[test]
fn a_clouds_yaml_is_all_that_is_needed() {
    let site = Site::new();
    let folder = site.path("home/.config/openstack");
    fs::create_dir_all(&folder).unwrap();
    let clouds = format!(
        "clouds:\n  ci:\n    auth:\n      auth_url: {}/v3\n      username: ci\n      project_name: ci\n      \
         user_domain_name: Default\n      project_domain_name: Default\n    region_name: RegionOne\n",
        site.cloud.auth_url()
    );
    fs::write(folder.join("clouds.yaml"), clouds).unwrap();
    fs::write(
        folder.join("secure.yaml"),
        "clouds: {ci: {auth: {password: ci-pass}}}\n",
    )
    .unwrap();
    let text = format!(
        "state_file: {}\njenkins: {{url: '{}', user: mita, token: 11token}}\nprovider: {{openstack: {{cloud: ci}}}}\nnodes:{NODES}\n",
        site.state_file().display(),
        site.jenkins.url()
    );
    fs::write(site.config(), text).unwrap();
    let mut check = site.command(&["check", "--online"]);
    check.env("HOME", site.path("home"));
    for name in [
        "OS_CLOUD",
        "OS_AUTH_URL",
        "OS_REGION_NAME",
        "OS_CLIENT_CONFIG_FILE",
        "XDG_CONFIG_HOME",
    ] {
        check.env_remove(name);
    }
    let done = check.output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{err}");
    assert!(
        err.contains("secure.yaml:1:1: (file): holds a secret and can be read by others"),
        "{err}"
    );
}
