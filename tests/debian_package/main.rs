//! The Debian package, built, looked at by lintian, and lived with on an overlay over this machine: installed, used by the
//! command of its timer, upgraded, removed and purged; and run by a systemd that is booted there for it.
//!
//! Needs Debian, root, cargo-deb, and a release build (a few minutes where there is none). The overlay and all mounts are
//! in namespaces that end with the test; the machine itself is not changed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests may panic, start processes, write files, and say what they could not check"
)]
#![allow(
    missing_docs,
    dead_code,
    reason = "test names are the documentation; the site offers more than is used here"
)]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;
#[path = "../passes/site.rs"]
mod site;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use site::{NODES, Site, job};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CREDENTIALS: &str = "/run/credentials/mita.service";

/// What lintian finds that is so on purpose.
const ON_PURPOSE: &[&str] = &[
    // It is no package of Debian's own.
    "initial-upload-closes-no-bugs",
];

#[track_caller]
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.current_dir(ROOT).output().unwrap();
    let [out, err] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "{command:?}: {status}\n{out}\n{err}");
    out
}

/// The package.
static PACKAGE: LazyLock<PathBuf> = LazyLock::new(built);

/// Builds the package and returns its path, the last line that cargo-deb prints. `MITA_DEB` names one that is built.
fn built() -> PathBuf {
    if let Some(path) = std::env::var_os("MITA_DEB") {
        return path.into();
    }
    let out = run(&mut Command::new("examples/deploy/debian/build"));
    let path = PathBuf::from(out.lines().last().unwrap().trim());
    assert!(path.is_file(), "{out}");
    path
}

/// Makes a package of the same files with a higher version.
fn newer(package: &Path, folder: &Path) -> PathBuf {
    let (files, made) = (folder.join("files"), folder.join("newer.deb"));
    run(Command::new("dpkg-deb").arg("--raw-extract").arg(package).arg(&files));
    let control = files.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let version = text.lines().find(|line| line.starts_with("Version: ")).unwrap();
    fs::write(&control, text.replace(version, &format!("{version}+next"))).unwrap();
    run(Command::new("dpkg-deb")
        .arg("--root-owner-group")
        .arg("--build")
        .arg(&files)
        .arg(&made));
    made
}

fn contents(package: &Path) -> Vec<String> {
    let out = run(Command::new("dpkg-deb").arg("--contents").arg(package));
    let paths = out.lines().filter_map(|line| line.split_whitespace().nth(5));
    paths.map(|path| path.trim_start_matches('.').to_owned()).collect()
}

fn lint(package: &Path) {
    let output = Command::new("lintian")
        .args(["--allow-root", "--tag-display-limit", "0", "--fail-on", "error"])
        .arg(package)
        .output();
    let Ok(output) = output else {
        eprintln!("lintian is not installed: not checked");
        return;
    };
    let out = String::from_utf8(output.stdout).unwrap();
    let found = out
        .lines()
        .filter(|line| line.starts_with("E:") || line.starts_with("W:"));
    let found: Vec<&str> = found
        .filter(|line| !ON_PURPOSE.iter().any(|tag| line.contains(tag)))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Writes what a person writes: the configuration, and the files with the secrets.
fn write_configuration(site: &Site, folder: &Path) {
    let (jenkins, cloud) = (site.jenkins.url(), site.cloud.auth_url());
    let text = format!(
        "owner: tester\nstate_file: /var/lib/mita/state.json\njenkins:\n  url: {jenkins}\n  user: mita\n  token_file: \
         {CREDENTIALS}/jenkins-token\nprovider:\n  openstack:\n    auth_url: {cloud}\n    auth_version: 3.x_password\n    \
         username: ci\n    password_file: {CREDENTIALS}/openstack-password\n    tenant_name: ci\nnodes:{NODES}\n"
    );
    fs::write(folder.join("mita.yaml"), text).unwrap();
    fs::write(folder.join("jenkins-token"), "11token\n").unwrap();
    fs::write(folder.join("openstack-password"), "ci-pass\n").unwrap();
}

#[test]
fn the_package_is_installed_used_upgraded_and_purged() {
    let package = PACKAGE.as_path();
    let contents = contents(package);
    for path in [
        "/usr/bin/mita",
        "/usr/share/man/man1/mita-run.1.gz",
        "/usr/share/zsh/vendor-completions/_mita",
        "/usr/lib/systemd/system/mita.timer",
        "/usr/lib/sysusers.d/mita.conf",
        "/usr/lib/tmpfiles.d/mita.conf",
        "/usr/share/doc/mita/examples/mita.yaml.example",
        "/usr/share/doc/mita/copyright",
    ] {
        assert!(contents.iter().any(|found| found == path), "{path} in {contents:#?}");
    }
    lint(package);

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("layers")).unwrap();
    let newer = newer(package, folder.path());
    let site = waiting_site(folder.path());
    let out = run(Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"])
        .arg("tests/debian_package/inside.sh")
        .args([folder.path(), package, &newer]));
    assert!(out.ends_with("== done\n"), "{out}");
    made_one_server(&site, &out);
}

#[test]
fn systemd_runs_a_pass_in_its_cage_and_says_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    let site = waiting_site(folder.path());
    let out = run(Command::new("tests/debian_package/booted.sh").args([folder.path(), &PACKAGE]));
    assert!(out.contains("\n== done\n"), "{out}");
    made_one_server(&site, &out);
}

/// Makes a site at which a job waits, and writes the configuration for it.
fn waiting_site(folder: &Path) -> Site {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(600));
    write_configuration(&site, folder);
    site
}

/// The passes made the server that the job needs, and nothing that the package went through touched it.
#[track_caller]
fn made_one_server(site: &Site, out: &str) {
    assert_eq!(site.servers(), 1, "{out}");
    let deleted = site.writes().into_iter().filter(|call| call.starts_with("DELETE"));
    assert_eq!(deleted.count(), 0, "{out}");
}
