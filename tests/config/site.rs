//! A folder with a configuration and an environment, and texts that are good but for what a test puts in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mita::config::{self, Config, Loaded};
use mita::provider::openstack::endpoint::{KeystoneAuth, OpenStackEndpoint};
use tempfile::TempDir;

use super::schema;

pub const SEED: &str = r"provider:
  openstack:
    username: adeza
    password: 3ebYzVIQEIZv3sj1==
    auth_url: http://openstack.example.com:5000
    auth_version: 2.0_password
    service_region: main
    tenant_name: ceph-ci
jenkins:
  url: http://jenkins.ceph.com
  user: alfredodeza
  token: API_TOKEN
nodes:
  precise-slave:
    script: |
      #!/bin/bash
      sudo apt-get update
    keyname: jenkins-slave
    image_name: Ubuntu Trusty (2014.04) cloudimg
    size: m3.xlarge
    labels: [amd64, x86_64, precise, trusty, wheezy, jessie]
    provider: openstack
";

/// A folder with a configuration file and what it names, and the environment.
pub struct Site {
    folder: TempDir,
    env: BTreeMap<String, String>,
    mode: u32,
}

impl Site {
    pub fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            env: BTreeMap::new(),
            mode: 0o600,
        };
        site.with("HOME", "/home/ci")
    }

    /// Sets a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Lets others read the configuration.
    pub fn readable(mut self) -> Self {
        self.mode = 0o644;
        self
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Loads a configuration; the lines of an error are without the folder. What `mita config` prints of a good one must
    /// mean the same.
    pub fn load(&self, text: impl AsRef<[u8]>) -> Result<Loaded, Vec<String>> {
        let env = |name: &str| self.env.get(name).cloned();
        self.load_in(text, &env)
    }

    /// Does what [`load`](Self::load) does in another environment.
    pub fn load_in(&self, text: impl AsRef<[u8]>, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Vec<String>> {
        self.write("mita.yaml", &text, self.mode);
        let file = self.path("mita.yaml");
        let loaded = config::load(&file, env).map_err(|error| {
            let lines: Vec<String> = error.to_string().lines().map(|line| self.short(line)).collect();
            assert_eq!(lines.len(), error.lines().len(), "one line each");
            lines
        });
        let lines = loaded.as_ref().err().cloned().unwrap_or_default();
        schema::agrees(text.as_ref(), &lines);
        let loaded = loaded?;
        let (_, printed) = config::effective(&file, env).unwrap();
        self.write("printed.yaml", &printed, 0o600);
        schema::agrees(printed.as_bytes(), &[]);
        let again = config::load(&self.path("printed.yaml"), env).unwrap_or_else(|error| panic!("{error}\n{printed}"));
        let shown = |config: &Config| format!("{config:#?}");
        assert_eq!(
            shown(&again.config),
            shown(&loaded.config),
            "of what is printed:\n{printed}"
        );
        Ok(loaded)
    }

    /// Returns what `mita config` prints.
    pub fn printed(&self, text: &str) -> String {
        self.load(text).unwrap_or_else(|lines| panic!("{}", lines.join("\n")));
        fs::read_to_string(self.path("printed.yaml")).unwrap()
    }

    /// Returns the environment.
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// Takes the folder out of a line.
    pub fn short(&self, line: &str) -> String {
        line.replace(&format!("{}/", self.root().display()), "")
    }
}

pub fn no_env(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/home/ci".to_owned())
}

pub fn try_load(text: impl AsRef<[u8]>, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Vec<String>> {
    Site::new().load_in(text, env)
}

pub fn write_private(file: &Path, text: &[u8]) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

pub fn load(text: &str) -> Loaded {
    try_load(text, &no_env).unwrap_or_else(|lines| panic!("{}", lines.join("\n")))
}

#[track_caller]
pub fn refused(text: impl AsRef<[u8]>) -> Vec<String> {
    try_load(text, &no_env).map(|_| "loaded").unwrap_err()
}

pub fn openstack(config: &Config) -> &OpenStackEndpoint {
    let settings = &config.provider("openstack").unwrap().settings;
    settings.downcast().expect("of another type")
}

pub fn keystone(config: &Config) -> &KeystoneAuth {
    &openstack(config).auth
}

/// A file that is good but for what is put in: below `provider.openstack`, `jenkins`, `nodes.small`, at the end.
pub fn file(provider: &str, jenkins: &str, node: &str, end: &str) -> String {
    format!(
        "provider:\n  openstack:\n    auth_url: https://cloud:5000\n{}jenkins:\n  url: https://ci/jenkins/\n{}\
         nodes:\n  small:\n    provider: openstack\n{}{end}",
        indented(provider, "    "),
        indented(jenkins, "  "),
        indented(node, "    "),
    )
}

pub const PROVIDER: &str = "username: u\npassword: p\ntenant_name: t";

pub const JENKINS: &str = "user: u\ntoken: t";

pub const NODE: &str = "image_name: i\nsize: s\nlabels: [a]";

/// A good file with lines added to the template; the first of them is line 15.
pub fn node(lines: &str) -> String {
    file(PROVIDER, JENKINS, &format!("{NODE}\n{lines}"), "")
}

/// A good file with lines added to the provider; the first of them is line 7.
pub fn provider(lines: &str) -> String {
    file(&format!("{PROVIDER}\n{lines}"), JENKINS, NODE, "")
}

/// A good file with lines added to `jenkins`; the first of them is line 11.
pub fn jenkins(lines: &str) -> String {
    file(PROVIDER, &format!("{JENKINS}\n{lines}"), NODE, "")
}

/// A good file with lines added at its end; the first of them is line 17.
pub fn end(lines: &str) -> String {
    file(PROVIDER, JENKINS, NODE, lines)
}

#[track_caller]
pub fn check(text: impl AsRef<str>, wanted: &[&str]) {
    assert_eq!(refused(text.as_ref()), wanted);
}

/// Puts lines further in.
pub fn indented(text: &str, by: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{by}{line}\n")).collect();
    lines.concat()
}
