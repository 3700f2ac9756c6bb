//! A server that boots, as far as a script can tell: its user data is run by bash, below a folder and without root, with
//! stubs for what would change the machine. `java` notes what it is called with instead of being an agent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folders of the machine that a script writes to.
const FOLDERS: [&str; 5] = [
    "/etc/jenkins-agent",
    "/etc/systemd/system",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/home/jenkins",
];
/// What the stubs need of the real machine.
const TOOLS: [&str; 8] = ["bash", "cat", "chmod", "mkdir", "mv", "sed", "head", "curl"];

/// A machine.
pub struct Machine {
    root: PathBuf,
}

/// What the agent was started with.
#[derive(Debug, PartialEq, Eq)]
pub struct Started {
    pub arguments: Vec<String>,
    /// What is in the file of `-secret`.
    pub secret: String,
    /// What was fetched as agent.jar.
    pub jar: Vec<u8>,
}

impl Started {
    /// Returns the argument behind another one.
    pub fn after(&self, option: &str) -> &str {
        let at = self.arguments.iter().position(|argument| argument == option);
        at.and_then(|at| self.arguments.get(at + 1)).map_or("", String::as_str)
    }
}

impl Machine {
    /// A machine below a folder, with Java and git.
    pub fn new(root: &Path) -> Self {
        let machine = Self { root: root.to_owned() };
        for folder in FOLDERS {
            fs::create_dir_all(machine.path(folder)).unwrap();
        }
        let bin = root.join("bin");
        fs::create_dir_all(&bin).unwrap();
        for tool in TOOLS {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            let found = found
                .iter()
                .find(|path| path.exists())
                .unwrap_or_else(|| panic!("no {tool} here"));
            std::os::unix::fs::symlink(found, bin.join(tool)).unwrap();
        }
        for quiet in ["useradd", "chgrp", "restorecon"] {
            machine.stub(quiet, "");
        }
        machine.stub("id", "exit 1");
        machine.stub("install", "mkdir -p \"${@: -1}\"");
        machine.stub("git", "");
        machine.java(21);
        // The service in the order of its unit, as systemd would start it.
        let unit = machine.path("/etc/systemd/system/jenkins-agent.service");
        let unit = unit.display();
        machine.stub(
            "systemctl",
            &format!(
                "[ \"$1\" = start ] || exit 0\n\
                 for step in ExecStartPre ExecStart; do\n\
                 bash \"$(sed -n \"s/^$step=+\\\\{{0,1\\\\}}//p\" '{unit}')\" || exit\ndone"
            ),
        );
        machine
    }

    /// Returns where a path of the machine is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Puts a command there.
    pub fn stub(&self, name: &str, script: &str) {
        let path = self.root.join("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a Java of a version there.
    pub fn java(&self, version: u32) {
        let root = self.root.display();
        self.stub(
            "java",
            &format!(
                "if [ \"$1\" = -version ]; then echo 'openjdk version \"{version}.0.1\" 2026-01-01' >&2; exit; fi\n\
                 printf '%s\\n' \"$@\" > '{root}/java.arguments'\n\
                 while [ $# -gt 0 ]; do\n\
                 case $1 in -secret) cat \"${{2#@}}\" > '{root}/java.secret';; -jar) cat \"$2\" > '{root}/java.jar';; esac\n\
                 shift\ndone"
            ),
        );
    }

    /// Takes a command away.
    pub fn without(&self, name: &str) {
        fs::remove_file(self.root.join("bin").join(name)).unwrap();
    }

    /// Runs user data, with the folders of the machine in place of those of this one.
    pub fn boot(&self, user_data: &str) -> Output {
        let moved = FOLDERS.iter().fold(user_data.to_owned(), |text, folder| {
            text.replace(folder, &self.path(folder).display().to_string())
        });
        let file = self.root.join("user-data");
        fs::write(&file, moved).unwrap();
        Command::new("bash")
            .arg(&file)
            .env_clear()
            .env("PATH", self.root.join("bin"))
            .current_dir(&self.root)
            .output()
            .unwrap()
    }

    /// Returns what the agent was started with, if it was.
    pub fn started(&self) -> Option<Started> {
        let read = |name: &str| fs::read(self.root.join(name)).ok();
        let text = |name: &str| Some(String::from_utf8(read(name)?).unwrap());
        Some(Started {
            arguments: text("java.arguments")?.lines().map(str::to_owned).collect(),
            secret: text("java.secret")?.trim().to_owned(),
            jar: read("java.jar")?,
        })
    }
}
