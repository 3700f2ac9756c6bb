//! A served world with a configuration and a warm state, at which passes are run and measured.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Outcome;
use crate::floor;
use crate::measure::{self, Cost};
use crate::serve::{Request, Server, Serving};
use crate::world::{Size, World};

/// One world, and what is needed to run passes in it.
pub struct Site {
    folder: TempDir,
    server: Server,
    size: Size,
    mita: String,
    config: String,
    own: String,
    requests: usize,
}

impl Site {
    /// Serves a world and makes two passes: from the second on they are alike.
    pub fn open(mita: &Path, world: World, serving: Serving) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let size = world.size;
        let server = Server::start(world, serving);
        let mut warm = Self {
            server,
            size,
            mita: text(mita)?,
            config: String::new(),
            own: text(&std::env::current_exe()?)?,
            requests: 0,
            folder,
        };
        warm.config = warm.write_config("mita.yaml", warm.folder.path(), 0)?;
        warm.warm()?;
        Ok(warm)
    }

    fn write_config(&self, name: &str, state: &Path, room: usize) -> Outcome<String> {
        let config = self.folder.path().join(name);
        fs::write(&config, self.server.config(state, room))?;
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
        text(&config)
    }

    /// Prepares a pass that makes so many servers, from the state as it is.
    pub fn creating(&self, room: usize) -> Outcome<Vec<String>> {
        let folder = self.folder.path().join("creating");
        fs::create_dir_all(&folder)?;
        fs::copy(self.folder.path().join("state.json"), folder.join("state.json"))?;
        let config = self.write_config("creating.yaml", &folder, room)?;
        self.server.take();
        Ok([&self.mita, "-q", "-c", &config, "run"].map(str::to_owned).to_vec())
    }

    /// Returns how many connections were made since the start.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Returns the requests since the last call.
    pub fn take(&self) -> Vec<Request> {
        self.server.take()
    }

    /// Makes the passes that come before those that are measured.
    fn warm(&mut self) -> Outcome<()> {
        measure::once(&self.run())?;
        self.server.take();
        measure::once(&self.run())?;
        let requests = self.server.take();
        refuse_changes(&requests, self.size)?;
        self.requests = requests.len();
        Ok(fs::write(self.list(), floor::written(&requests))?)
    }

    /// The command of a pass.
    pub fn run(&self) -> Vec<&str> {
        vec![&self.mita, "-q", "-c", &self.config, "run"]
    }

    /// Measures a pass that only shows what it would do.
    pub fn dry_run(&self) -> Outcome<Cost> {
        measure::once(&[&self.run()[..], &["--dry-run"]].concat())
    }

    /// Measures a pass.
    pub fn pass(&self) -> Outcome<Cost> {
        measure::once(&self.run())
    }

    /// Measures the floor.
    pub fn floor(&self) -> Outcome<Cost> {
        measure::once(&[&self.own, "floor", &text(&self.list())?])
    }

    /// Returns how many requests a pass makes; an error where the last one changed anything.
    pub fn requests(&self) -> Outcome<usize> {
        refuse_changes(&self.server.take_last(self.requests), self.size)?;
        Ok(self.requests)
    }

    /// Returns the size of the state file in bytes.
    pub fn state_size(&self) -> Outcome<u64> {
        Ok(fs::metadata(self.folder.path().join("state.json"))?.len())
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("requests")
    }
}

fn text(path: &Path) -> Outcome<String> {
    Ok(path.to_str().ok_or("an odd path")?.to_owned())
}

/// A pass may log in and read; anything else is a fault of mita or of this bench's world.
fn refuse_changes(requests: &[Request], size: Size) -> Outcome<()> {
    for request in requests {
        if request.method != "GET" && !request.path.ends_with("/auth/tokens") {
            return Err(format!("{} {}: nothing was to be done", request.method, request.path).into());
        }
    }
    // Queue, computers; login, pages, and one more page because servers are being built.
    let most = 2 + 1 + size.servers / 1_000 + 1 + 1;
    if requests.len() > most {
        let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
        return Err(format!("{} requests, {most} are allowed: {}", requests.len(), paths.join(" ")).into());
    }
    Ok(())
}
