//! A site to run passes at: a simulated Jenkins and OpenStack, a configuration, and the program.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use tempfile::TempDir;

use super::fakes::{FakeJenkins, FakeOpenStack, Kind, Service, Task, World};
use super::program::{command, run_at};

pub use super::program::Done;

/// A simulated site.
pub struct Site {
    pub world: World,
    pub jenkins: FakeJenkins,
    pub cloud: FakeOpenStack,
    pub folder: TempDir,
}

/// The template of most tests, and a second one.
pub const NODES: &str = "
  small:
    image_name: ubuntu-24.04
    size: m1.small
    keyname: jenkins
    networks: [private]
    labels: [linux, x86_64]
    provider: openstack
    script: |
      #!/bin/sh
      echo {{ mita.name }}
";

impl Site {
    pub fn new() -> Self {
        Self::with(NODES, "")
    }

    /// A site with these templates and further top-level sections.
    pub fn with(nodes: &str, more: &str) -> Self {
        let world = World::new(11);
        let jenkins = FakeJenkins::start(&world, "/jenkins");
        let cloud = FakeOpenStack::start(&world, "openstack");
        world.kind("small", Kind::new(&["linux", "x86_64"]));
        let site = Self {
            world,
            jenkins,
            cloud,
            folder: tempfile::tempdir().expect("a folder"),
        };
        site.configure(nodes, more);
        site
    }

    pub fn configure(&self, nodes: &str, more: &str) {
        let text = format!(
            "owner: tester\nstate_file: {}\njenkins:\n  url: {}\n  user: mita\n  token: 11token\n  timeout: 5\nprovider:\n  \
             openstack:\n    auth_url: {}\n    auth_version: 3.x_password\n    username: ci\n    password: ci-pass\n    \
             tenant_name: ci\n    timeout: 5\nnodes:{nodes}\n{more}\n",
            self.state_file().display(),
            self.jenkins.url(),
            self.cloud.auth_url(),
        );
        fs::write(self.config(), text).expect("a configuration");
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("mita.yaml")
    }

    pub fn state_file(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    pub fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.state_file()).expect("a state file")).expect("JSON")
    }

    /// Runs the program in this process, at the time of the world.
    pub fn mita(&self, arguments: &[&str]) -> Done {
        self.mita_with_signal(arguments, Arc::default())
    }

    /// The same, with the flag that a signal would set.
    pub fn mita_with_signal(&self, arguments: &[&str], stop: Arc<AtomicBool>) -> Done {
        run_at(self.world.now(), &self.config(), arguments, stop)
    }

    /// Runs the real binary, whose clock is the real one.
    pub fn binary(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.config(), arguments)
    }

    /// One pass that must end well.
    pub fn pass(&self) -> Done {
        let done = self.mita(&["run", "-o", "json"]);
        assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
        done
    }

    /// Lets a minute pass, then makes a pass; so many times.
    pub fn minutes(&self, count: u32) {
        for _ in 0..count {
            self.world.advance(60);
            self.pass();
        }
    }

    pub fn servers(&self) -> usize {
        self.world.with(|world| world.cloud("openstack").servers.len())
    }

    /// The requests that changed something, the login aside.
    pub fn writes(&self) -> Vec<String> {
        self.world
            .calls()
            .iter()
            .filter(|call| call.writes())
            .map(ToString::to_string)
            .collect()
    }

    pub fn requests(&self, service: Service) -> usize {
        self.world.count_on(service)
    }
}

/// A job that waits for `label`.
pub fn job(name: &str, label: &str) -> Task {
    Task::freestyle(name).label(label)
}
