//! The script for moving over: what it makes of a configuration of the original is loaded by the binary, and means what
//! Python says that the configuration means.

mod left_out;
mod secrets;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;
use tempfile::TempDir;

use super::program::{Done, command};

/// A folder with a configuration of the original, and what is made of it.
struct Move {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Move {
    /// A configuration of these files; the first is the one that the script is called with.
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self {
            folder,
            environment: BTreeMap::new(),
        }
    }

    /// A configuration in one file.
    fn text(text: &str) -> Self {
        Self::of(&[("prod.py", text.as_bytes())])
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs Python in the folder, in an environment of the test's own.
    fn python(&self, script: &Path, arguments: &[&str]) -> Done {
        let mut python = Command::new("python3");
        python.arg("-I").arg("-B").arg(script).args(arguments);
        python
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment);
        python.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Done::of(python.output().expect("python3 runs"))
    }

    /// Runs the script; what it prints is `mita.yaml`.
    fn migrate(&self, arguments: &[&str]) -> Done {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/migrate/migrate.py");
        let done = self.python(&script, &[&["prod.py"], arguments].concat());
        fs::write(self.path("mita.yaml"), &done.out).unwrap();
        fs::set_permissions(self.path("mita.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
        done
    }

    /// Runs the binary on it.
    fn mita(&self, arguments: &[&str]) -> Done {
        let mut mita = command(&self.path("mita.yaml"), arguments);
        Done::of(mita.env("HOME", self.folder.path()).output().unwrap())
    }

    /// Returns what counts, as `mita config` says it; `mita check` finds no error.
    #[track_caller]
    fn config(&self) -> Value {
        let check = self.mita(&["check"]);
        assert_eq!(check.code, 0, "{}", check.err);
        serde_yaml::from_str(&self.mita(&["config"]).good().out).unwrap()
    }
}

/// A configuration with these nodes, and all else that it needs.
fn with_nodes(nodes: &str) -> String {
    format!(
        "{nodes}\nprovider = {{'openstack': {{'username': 'u', 'password': 'p', 'auth_url': 'http://127.0.0.1:5000', \
         'tenant_name': 't'}}}}\njenkins = {{'url': 'http://127.0.0.1:8080', 'user': 'u', 'token': 't'}}\n"
    )
}

/// A template that lacks nothing, as Python writes it.
const NODE: &str = "{'script': '#!/bin/sh\\n: %s\\n', 'image_name': 'i', 'size': 's', 'labels': ['l'], \
                        'provider': 'openstack', 'keyname': 'k'}";
