//! What other people wrote, on the other end: python-jenkins, api4jenkins and openstacksdk drive the fakes, since what they
//! can live with is more than what we believe of the two APIs; and the program has mimic for its cloud, an OpenStack of
//! the old days (`mimic`).
//!
//! Behind the feature `real-clients`, since it installs them from `PyPI` into virtual environments under `target/`:
//! `cargo test --features real-clients --test clients`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and read files"
)]

#[path = "support/bare_site.rs"]
mod bare_site;
#[path = "fakes/mod.rs"]
mod fakes;
#[path = "clients/mimic.rs"]
mod mimic;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fakes::{Agent, FakeJenkins, FakeOpenStack, Service, Task, When, World};

/// Runs a program to its end; its output is shown when it fails.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The files of these tests.
fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Makes a virtual environment with what a list says, unless it is there. Returns its folder of programs.
fn venv(name: &str, list: &str) -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let list = files().join(list);
    let (installed, wanted) = (venv.join("installed"), fs::read(&list).expect("a list"));
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        let pip = ["-m", "pip", "install", "-q", "-r"];
        run(Command::new(venv.join("bin/python")).args(pip).arg(list));
        fs::write(&installed, &wanted).expect("written");
    }
    venv.join("bin")
}

#[test]
fn python_clients_work_against_the_fakes() {
    let python = venv("clients", "requirements.txt").join("python");
    let world = World::new(11);
    let jenkins = FakeJenkins::start(&world, "/jenkins");
    let cloud = FakeOpenStack::start(&world, "main");
    for name in ["idle-1", "idle-2", "busy-1"] {
        world.agent(Agent::new(name, &["x86"]).online());
    }
    world.agent(Agent::new("off-1", &["linux"]));
    world.with(|w| w.begin_build("busy-1", 10_000));
    world.submit(Task::freestyle("waits").label("nosuch"));
    world.submit(Task::freestyle("folder/deep").label("linux"));
    // Who looks at a server lets time pass for it.
    let look = When::on(Service::Nova).method("GET").path("/servers/").always();
    world.before(look, |w| w.advance(5));
    let root = jenkins.url();
    run(Command::new(python)
        .arg(files().join("drive.py"))
        .arg(root)
        .arg(cloud.auth_url()));
    world.with(|w| assert_eq!(w.jenkins.killed(), 0));
}
