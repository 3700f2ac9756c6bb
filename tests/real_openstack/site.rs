//! A site to run passes at: the real cloud, a simulated Jenkins at the real time, a configuration, and the binary.

use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Deref;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use serde_json::Value;

use super::bare_site::BareSite;
use super::cloud::{Cloud, OWNER_PREFIX};
use super::fakes::{Agent, Task};
use super::patience::poll;
use super::services::{folder, restore};

pub use super::program::Done;

impl Done {
    /// Counts the requests for a new server, answered or not.
    pub fn posts(&self) -> usize {
        self.requests("POST http://127.0.0.1:8774/v2.1/servers")
    }

    /// Counts the logins.
    pub fn logins(&self) -> usize {
        self.requests("POST http://127.0.0.1:5000/v3/auth/tokens")
    }
}

/// Tests run side by side, except those that stop services or make them misbehave.
static TURN: RwLock<()> = RwLock::new(());
/// The project with little room is for one test at a time.
static SMALL: Mutex<()> = Mutex::new(());
/// What a run that was cut off left behind is removed once.
static TIDY: Once = Once::new();

#[expect(dead_code, reason = "they are held, and end the turn when they are dropped")]
enum Turn {
    Beside(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A server that could do all that the tests ask for.
pub const LINUX: &str = "
  linux:
    image_name: ubuntu-24.04
    size: m1.tiny
    networks: [private]
    labels: [linux, x86_64]
    provider: real
";

/// How the program gets into the cloud.
pub const LOGIN: &str = "auth_url: http://127.0.0.1:5000, auth_version: 3.x_password, username: ci, password: ci-pass, \
                         service_region: RegionOne";

/// A site; when it ends, so do its servers.
pub struct Site {
    pub cloud: Cloud,
    bare: BareSite,
    pub owner: String,
    began: Instant,
    // Fields are dropped in this order.
    _small: Option<MutexGuard<'static, ()>>,
    turn: Turn,
}

impl Site {
    /// A site of this name in a project, beside those of other tests. No name begins with another.
    pub fn new(name: &str, project: &'static str) -> Self {
        let turn = Turn::Beside(TURN.read().unwrap_or_else(PoisonError::into_inner));
        Self::begin(name, project, turn)
    }

    /// A site whose test may stop services and make them misbehave: no other test runs meanwhile.
    pub fn alone(name: &str, project: &'static str) -> Self {
        let turn = Turn::Alone(TURN.write().unwrap_or_else(PoisonError::into_inner));
        restore();
        Self::begin(name, project, turn)
    }

    fn begin(name: &str, project: &'static str, turn: Turn) -> Self {
        let small = (project == "ci-small").then(|| SMALL.lock().unwrap_or_else(PoisonError::into_inner));
        TIDY.call_once(|| {
            let lock = File::create(folder().join("run/end-to-end.lock")).expect("a file");
            // Until this process ends: a second run would take the first one's servers for leftovers.
            fs2::FileExt::lock_exclusive(&lock).expect("a lock");
            std::mem::forget(lock);
            restore();
            for project in ["ci", "ci-small"] {
                Cloud::of(project).clean(OWNER_PREFIX);
            }
        });
        let site = Self {
            cloud: Cloud::of(project),
            bare: BareSite::new(11, "/jenkins"),
            owner: format!("{OWNER_PREFIX}{name}"),
            began: Instant::now(),
            _small: small,
            turn,
        };
        site.tick();
        site.configure(LINUX, LOGIN);
        site
    }

    /// Writes the configuration with these templates and this way in.
    pub fn configure(&self, nodes: &str, login: &str) {
        self.configure_with(
            nodes,
            &format!("real: {{type: openstack, {login}{}}}", self.tenant(login)),
            "",
        );
    }

    /// The project, where the login does not tell it.
    fn tenant(&self, login: &str) -> String {
        let told = ["appcred", "cloud:", "tenant_name"]
            .iter()
            .any(|word| login.contains(word));
        if told {
            String::new()
        } else {
            format!(", tenant_name: {}", self.cloud.project)
        }
    }

    /// Writes the configuration with these templates, the lines of these providers, and more of `timing`.
    pub fn configure_with(&self, nodes: &str, providers: &str, timing: &str) {
        let (owner, jenkins) = (&self.owner, self.jenkins.url());
        let providers = providers.replace('\n', "\n  ");
        let first = if timing.contains("backoff_first") {
            ""
        } else {
            ", backoff_first: 5m"
        };
        self.write_config(&format!(
            "owner: {owner}\njenkins: {{url: \"{jenkins}\", user: mita, token: 11token}}\n\
             provider:\n  {providers}\nlimits: {{canary: 0}}\n\
             timing: {{idle_grace: 1s, offline_grace: 1s{first}{timing}}}\nnodes:{nodes}",
        ));
    }

    pub fn forget_state(&self) {
        fs::remove_file(self.state_file()).expect("there was a state file");
    }

    /// Brings the simulated Jenkins to the real time.
    pub fn tick(&self) {
        let now = jiff::Timestamp::now().as_second();
        self.world.with(|world| {
            world.clock = now;
            world.settle();
        });
    }

    /// Puts a job into the queue that takes a second once it runs.
    pub fn job(&self, name: &str, label: &str) {
        self.world.submit(Task::freestyle(name).label(label).seconds(1));
    }

    /// Lets an agent join, as the script inside a server does.
    pub fn join(&self, name: &str, labels: &[&str]) {
        let mut agent = Agent::new(name, labels);
        agent.connected = true;
        self.world.agent(agent);
    }

    pub fn agents(&self) -> usize {
        self.world.with(|world| world.jenkins.agents.len())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.tick();
        self.bare.command(arguments)
    }

    pub fn mita(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().expect("the binary runs"))
    }

    /// One pass with a log of its requests, whatever its end.
    pub fn attempt(&self) -> Done {
        self.mita(&["-vv", "run", "-o", "json"])
    }

    /// One pass that must end well.
    pub fn pass(&self) -> Done {
        self.attempt().good()
    }

    /// Makes passes until there is an answer; returns it with all that the passes did.
    pub fn passes<T>(&self, what: &str, mut ask: impl FnMut(&Done) -> Option<T>) -> (T, Vec<String>) {
        let mut seen = Vec::new();
        let answer = poll(what, || {
            let done = self.pass();
            seen.extend(done.actions());
            ask(&done)
        });
        (answer, seen)
    }

    pub fn status(&self) -> Value {
        self.mita(&["status", "-o", "json"]).good().json()
    }

    /// The servers of this site in the cloud.
    pub fn servers(&self) -> Vec<Value> {
        self.cloud.servers_of(&self.owner)
    }

    /// The one server of this site, once it is ACTIVE.
    pub fn active(&self) -> Value {
        poll("the server is ACTIVE", || {
            let servers = self.servers();
            assert_eq!(servers.len(), 1, "one server: {servers:#?}");
            assert_ne!(servers[0]["status"], "ERROR", "{:#}", servers[0]);
            (servers[0]["status"] == "ACTIVE").then(|| servers[0].clone())
        })
    }

    /// Passes until no server of this site is left; returns what they did.
    pub fn until_empty(&self) -> Vec<String> {
        let ((), mut seen) = self.passes("the servers are removed", |_| self.servers().is_empty().then_some(()));
        // A DELETE is repeated while the server is listed.
        seen.dedup();
        seen
    }
}

impl Deref for Site {
    type Target = BareSite;

    fn deref(&self) -> &BareSite {
        &self.bare
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let done = self.began.elapsed();
        let tidy = || {
            if matches!(self.turn, Turn::Alone(_)) {
                restore();
            }
            self.cloud.clean(&self.owner);
        };
        if std::thread::panicking() {
            // The failure of the test is not to be hidden by another.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(tidy));
        } else {
            tidy();
        }
        // Past the capture of the test runner: the last run tells what takes how long.
        let (done, all) = (done.as_secs_f32(), self.began.elapsed().as_secs_f32());
        let _ = writeln!(
            std::io::stderr(),
            "{all:5.1} s, {:.1} of it for tidying: {}",
            all - done,
            self.owner
        );
    }
}

/// The text of a field.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value:#}"))
}
