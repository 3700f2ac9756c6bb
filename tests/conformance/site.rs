//! A site with a simulated Jenkins, a cloud under test, a configuration, and the program.

use std::ops::Deref;
use std::path::PathBuf;

use super::bare_site::BareSite;
use super::cloud::TestCloud;
use super::exec::Exec;
use super::fakes::{Kind, Task, World};
use super::openstack::OpenStack;

pub struct Site {
    bare: BareSite,
    pub cloud: Box<dyn TestCloud>,
}

impl Deref for Site {
    type Target = BareSite;

    fn deref(&self) -> &BareSite {
        &self.bare
    }
}

impl Site {
    pub fn openstack() -> Self {
        Self::with(|world| Box::new(OpenStack::new(world)))
    }

    pub fn exec() -> Self {
        Self::with(|world| Box::new(Exec::new(world)))
    }

    fn with(make: impl FnOnce(&World) -> Box<dyn TestCloud>) -> Self {
        let bare = BareSite::new(11, "/jenkins");
        bare.world.kind("small", Kind::new(&["linux", "x86_64"]));
        let cloud = make(&bare.world);
        let site = Self { bare, cloud };
        site.configure(5, "");
        site
    }

    /// Writes the configuration, with the provider's time limit in seconds and further top-level sections.
    pub fn configure(&self, timeout: u32, more: &str) {
        let lines = |keys: Vec<String>| format!("    {}\n", keys.join("\n    "));
        self.configure_clouds(&format!(
            "provider:\n  cloud:\n{}    timeout: {timeout}\nnodes:\n  small:\n{}    labels: [linux, x86_64]\n    \
             provider: cloud\n    script: |\n      #!/bin/sh\n      echo \"{{{{ mita.name }}}}\"\n{more}",
            lines(self.cloud.provider()),
            lines(self.cloud.node()),
        ));
    }

    /// The folder of the executable.
    pub fn cloud_folder(&self) -> PathBuf {
        let keys = self.cloud.provider();
        let folder = keys.iter().find_map(|key| key.strip_prefix("environment: {CLOUD: "));
        PathBuf::from(folder.expect("an executable").trim_end_matches('}'))
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
        self.cloud.advance(&self.bare.world, seconds);
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
