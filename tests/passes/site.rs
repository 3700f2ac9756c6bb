//! A site to run passes at: a simulated Jenkins and OpenStack, a configuration, and the program.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mita::Io;
use serde_json::Value;
use tempfile::TempDir;

use super::fakes::{FakeJenkins, FakeOpenStack, Kind, Service, Task, World};

/// What a call of the program left behind.
pub struct Done {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Done {
    /// Reads stdout as the one JSON object that it is.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} / {}", self.out, self.err))
    }

    /// Lists the actions as `do result name-without-its-id`.
    pub fn actions(&self) -> Vec<String> {
        let json = self.json();
        let actions = json["actions"].as_array().expect("actions").iter();
        actions
            .map(|action| {
                let name = action["name"].as_str().expect("a name");
                let name = name.rsplit_once("__").map_or(name, |(template, _)| template);
                format!("{} {} {name}", word(&action["do"]), word(&action["result"]))
            })
            .collect()
    }
}

fn word(value: &Value) -> &str {
    value.as_str().expect("a word")
}

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
        let config = self.config().display().to_string();
        let arguments: Vec<&str> = ["mita", "-c", &config].iter().chain(arguments).copied().collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io::new(self.world.now(), &mut out, &mut err);
        io.stop = stop;
        let code = mita::run(arguments, &mut io);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Done {
            code,
            out: text(out),
            err: text(err),
        }
    }

    /// Runs the real binary, whose clock is the real one.
    pub fn binary(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mita"));
        command
            .arg("-c")
            .arg(self.config())
            .args(arguments)
            .env_remove("MITA_LOG");
        command
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
