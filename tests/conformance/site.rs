//! A site with a simulated Jenkins, a cloud under test, a configuration, and the program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use super::cloud::TestCloud;
use super::exec::Exec;
use super::fakes::{FakeJenkins, Kind, Task, World};
use super::openstack::OpenStack;
use super::program::{Done, command, run_at};

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
        run_at(self.world.now(), &self.config(), arguments, Arc::default())
    }

    /// The real binary, whose clock is the real one.
    pub fn binary(&self, arguments: &[&str]) -> Command {
        command(&self.config(), arguments)
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
