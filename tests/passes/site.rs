//! A site to run passes at: a simulated Jenkins and OpenStack, a configuration, and the program.

use std::ops::Deref;

use super::bare_site::BareSite;
use super::fakes::{FakeOpenStack, Kind, Service, Task};

/// A simulated site.
pub struct Site {
    bare: BareSite,
    pub cloud: FakeOpenStack,
}

impl Deref for Site {
    type Target = BareSite;

    fn deref(&self) -> &BareSite {
        &self.bare
    }
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
        let bare = BareSite::new(11, "/jenkins");
        let cloud = FakeOpenStack::start(&bare.world, "openstack");
        bare.world.kind("small", Kind::new(&["linux", "x86_64"]));
        let site = Self { bare, cloud };
        site.configure(nodes, more);
        site
    }

    pub fn configure(&self, nodes: &str, more: &str) {
        let auth_url = self.cloud.auth_url();
        self.configure_clouds(&format!(
            "provider:\n  openstack:\n    auth_url: {auth_url}\n    auth_version: 3.x_password\n    username: ci\n    \
             password: ci-pass\n    tenant_name: ci\n    timeout: 5\nnodes:{nodes}\n{more}"
        ));
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
