//! Other people's clients drive the fakes: what python-jenkins, api4jenkins and openstacksdk can live with is more than
//! what we believe of the two APIs.
//!
//! Behind the feature `real-clients`, since it installs them from `PyPI` into a virtual environment under `target/`:
//! `cargo test --features real-clients --test clients`.

#[path = "fakes/mod.rs"]
mod fakes;

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

/// Makes the virtual environment, once.
fn python(clients: &Path) -> PathBuf {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let python = venv.join("bin/python");
    if !venv.join("installed").exists() {
        run(Command::new("python3").arg("-m").arg("venv").arg(&venv));
        let list = clients.join("requirements.txt");
        run(Command::new(&python)
            .args(["-m", "pip", "install", "-q", "-r"])
            .arg(list));
        run(Command::new("touch").arg(venv.join("installed")));
    }
    python
}

#[test]
fn python_clients_work_against_the_fakes() {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let python = python(&clients);
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
        .arg(clients.join("drive.py"))
        .arg(root)
        .arg(cloud.auth_url()));
    world.with(|w| assert_eq!(w.jenkins.killed(), 0));
}
