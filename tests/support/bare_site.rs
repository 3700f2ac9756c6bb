//! A site without its clouds: a simulated world with its Jenkins, a folder with a configuration and a state, and the
//! program. Each suite adds what it runs passes at.

#![allow(dead_code, reason = "each test takes the part it needs")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use tempfile::TempDir;

use crate::fakes::{FakeJenkins, World};
use crate::program::{Done, command, run_at, run_typed};

pub struct BareSite {
    pub world: World,
    pub jenkins: FakeJenkins,
    folder: TempDir,
}

impl BareSite {
    /// A site of a world of this seed, with Jenkins under this context path.
    pub fn new(seed: u64, context: &str) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"), seed, context)
    }

    /// A site whose folder is in memory where that can be: each pass syncs its state to the disk.
    pub fn in_memory(seed: u64, context: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self::in_folder(folder.expect("a folder"), seed, context)
    }

    fn in_folder(folder: TempDir, seed: u64, context: &str) -> Self {
        let world = World::new(seed);
        Self {
            jenkins: FakeJenkins::start(&world, context),
            world,
            folder,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("mita.yaml")
    }

    /// Writes a configuration whose state file is [`state_file`](Self::state_file).
    pub fn write_config(&self, text: &str) {
        let text = format!("state_file: state.json\n{text}\n");
        fs::write(self.config(), text).expect("a configuration");
        // It holds secrets.
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    /// Writes a configuration for this Jenkins, whose requests get five seconds; `text` has the clouds and the nodes.
    pub fn configure_clouds(&self, text: &str) {
        self.write_config(&format!("owner: tester\n{}  timeout: 5\n{text}", self.jenkins.yaml()));
    }

    /// Replaces a part of the configuration, wherever it is.
    pub fn change_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).expect("a configuration");
        assert!(text.contains(from), "no {from:?} in\n{text}");
        fs::write(self.config(), text.replace(from, to)).expect("a configuration");
    }

    pub fn state_file(&self) -> PathBuf {
        self.path("state.json")
    }

    pub fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.state_file()).expect("a state file")).expect("JSON")
    }

    /// Runs the program in this process, at the time of the world.
    pub fn mita(&self, arguments: &[&str]) -> Done {
        self.mita_with_signal(arguments, Arc::default())
    }

    /// Does what [`mita`](Self::mita) does with the flag that a signal would set.
    pub fn mita_with_signal(&self, arguments: &[&str], stop: Arc<AtomicBool>) -> Done {
        run_at(self.world.now(), &self.config(), arguments, stop)
    }

    /// Does what [`mita`](Self::mita) does at a terminal, at which a person types this.
    pub fn mita_typed(&self, arguments: &[&str], typed: &str) -> Done {
        run_typed(self.world.now(), &self.config(), arguments, typed)
    }

    /// Runs the real binary, whose clock is the real one.
    pub fn binary(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.config(), arguments)
    }

    /// One pass, whatever its end.
    pub fn run(&self) -> Done {
        self.mita(&["run", "-o", "json"])
    }

    /// One pass that must end well.
    pub fn pass(&self) -> Done {
        self.run().good()
    }
}
