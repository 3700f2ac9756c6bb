//! A site with a simulated Jenkins, a cloud under test, a configuration, and the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use mita::Io;
use serde_json::Value;
use tempfile::TempDir;

use super::cloud::TestCloud;
use super::exec::Exec;
use super::fakes::{FakeJenkins, Kind, Task, World};
use super::openstack::OpenStack;

/// What a call of the program left behind.
pub struct Done {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} / {}", self.out, self.err))
    }

    /// Lists the actions as `do result`.
    pub fn actions(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        let json = self.json();
        let actions = json["actions"].as_array().expect("actions").iter();
        actions
            .map(|action| format!("{} {}", word(&action["do"]), word(&action["result"])))
            .collect()
    }

    /// The reasons of what is unmet.
    pub fn unmet(&self) -> String {
        self.json()["unmet"].to_string()
    }
}

pub struct Site {
    pub world: World,
    pub cloud: Box<dyn TestCloud>,
    jenkins: FakeJenkins,
    folder: TempDir,
}

impl Site {
    pub fn openstack() -> Self {
        Self::with(|world| Box::new(OpenStack::new(world)))
    }

    pub fn exec() -> Self {
        Self::with(|world| Box::new(Exec::new(world)))
    }

    fn with(make: impl FnOnce(&World) -> Box<dyn TestCloud>) -> Self {
        let world = World::new(11);
        world.kind("small", Kind::new(&["linux", "x86_64"]));
        let site = Self {
            cloud: make(&world),
            jenkins: FakeJenkins::start(&world, "/jenkins"),
            folder: tempfile::tempdir().expect("a folder"),
            world,
        };
        site.configure(5, "");
        site
    }

    /// Writes the configuration, with the provider's time limit in seconds and further top-level sections.
    pub fn configure(&self, timeout: u32, more: &str) {
        let lines = |keys: Vec<String>| format!("    {}\n", keys.join("\n    "));
        let text = format!(
            "owner: tester\nstate_file: state.json\njenkins:\n  url: {}\n  user: mita\n  token: 11token\n  timeout: 5\n\
             provider:\n  cloud:\n{}    timeout: {timeout}\nnodes:\n  small:\n{}    labels: [linux, x86_64]\n    \
             provider: cloud\n    script: |\n      #!/bin/sh\n      echo \"{{{{ mita.name }}}}\"\n{more}\n",
            self.jenkins.url(),
            lines(self.cloud.provider()),
            lines(self.cloud.node()),
        );
        fs::write(self.config(), text).expect("a configuration");
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("mita.yaml")
    }

    /// The folder of the executable.
    pub fn cloud_folder(&self) -> PathBuf {
        let keys = self.cloud.provider();
        let folder = keys.iter().find_map(|key| key.strip_prefix("environment: {CLOUD: "));
        PathBuf::from(folder.expect("an executable").trim_end_matches('}'))
    }

    pub fn state_file(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    pub fn mita(&self, arguments: &[&str]) -> Done {
        let config = self.config().display().to_string();
        let arguments: Vec<&str> = ["mita", "-c", &config].iter().chain(arguments).copied().collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut io = Io::new(self.world.now(), &mut out, &mut err);
        let code = mita::run(arguments, &mut io);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Done {
            code,
            out: text(out),
            err: text(err),
        }
    }

    /// The real binary, whose clock is the real one.
    pub fn binary(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mita"));
        command
            .arg("-c")
            .arg(self.config())
            .args(arguments)
            .env_remove("MITA_LOG");
        command
    }

    pub fn run(&self) -> Done {
        self.mita(&["run", "-o", "json"])
    }

    /// One pass that must end well.
    pub fn pass(&self) -> Done {
        let done = self.run();
        assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
        done
    }

    /// Lets a minute pass, then makes a pass that must end well; so many times. Returns the actions.
    pub fn minutes(&mut self, count: u32) -> Vec<String> {
        let mut actions = Vec::new();
        for _ in 0..count {
            self.advance(60);
            actions.extend(self.pass().actions());
        }
        actions
    }

    pub fn advance(&mut self, seconds: i64) {
        self.cloud.advance(&self.world, seconds);
    }

    pub fn submit(&self, seconds: i64) {
        self.world
            .submit(Task::freestyle("build").label("linux").seconds(seconds));
    }

    /// The names of all servers, each without its id.
    pub fn names(&self) -> Vec<String> {
        let servers = self.cloud.servers().into_iter();
        servers
            .map(|server| {
                let name = server.name;
                name.rsplit_once("__")
                    .map_or_else(|| name.clone(), |(template, _)| template.to_owned())
            })
            .collect()
    }
}
