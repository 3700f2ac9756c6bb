//! An executable as a cloud under test: `cloud.sh`, which keeps its servers as files in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::cloud::{Seen, TestCloud, Trouble};
use super::fakes::{Agent, World};

/// From BUILD to the agent's first word, in seconds.
const BOOT: i64 = 60;

pub struct Exec {
    folder: TempDir,
}

impl Exec {
    pub fn new(world: &World) -> Self {
        let cloud = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(cloud.path("servers")).unwrap();
        fs::create_dir(cloud.path("requests")).unwrap();
        fs::write(cloud.path("cloud.sh"), include_str!("cloud.sh")).unwrap();
        fs::set_permissions(cloud.path("cloud.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        cloud.set_clock(world);
        cloud
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set_clock(&self, world: &World) {
        fs::write(self.path("clock"), world.now().to_string()).unwrap();
    }

    /// What is in the folder, in the order of the names.
    fn files(&self) -> BTreeMap<PathBuf, Value> {
        let entries = fs::read_dir(self.path("servers")).unwrap();
        let read = |path: PathBuf| {
            let server = serde_json::from_slice(&fs::read(&path).unwrap()).expect("what the program wrote is JSON");
            (path, server)
        };
        entries.map(|entry| read(entry.unwrap().path())).collect()
    }

    fn change(&self, act: impl Fn(&mut Value)) {
        for (path, mut server) in self.files() {
            act(&mut server);
            fs::write(path, server.to_string()).unwrap();
        }
    }

    fn on(&self, verb: &str, script: &str) {
        fs::write(self.path(&format!("trouble.{verb}")), script).unwrap();
    }

    /// What it was told of a server to be made; null for one that somebody else made.
    pub fn request(&self, name: &str) -> Value {
        let Ok(request) = fs::read(self.path("requests").join(name)) else {
            return Value::Null;
        };
        serde_json::from_slice(&request).expect("JSON")
    }
}

impl TestCloud for Exec {
    fn provider(&self) -> Vec<String> {
        vec![
            "type: exec".to_owned(),
            format!("command: [{}]", self.path("cloud.sh").display()),
            format!("environment: {{CLOUD: {}}}", self.folder.path().display()),
        ]
    }

    fn node(&self) -> Vec<String> {
        vec!["options: {rack: 7}".to_owned()]
    }

    fn servers(&self) -> Vec<Seen> {
        let seen = |server: Value| {
            let name = server["name"].as_str().unwrap().to_owned();
            Seen {
                user_data: self.request(&name)["server"]["user_data"].as_str().map(str::to_owned),
                metadata: serde_json::from_value(server["metadata"].clone()).unwrap(),
                name,
            }
        };
        self.files().into_values().map(seen).collect()
    }

    fn asked(&self) -> [usize; 3] {
        let asked = fs::read_to_string(self.path("asked")).unwrap_or_default();
        ["create", "delete", "list"].map(|verb| asked.lines().filter(|line| *line == verb).count())
    }

    fn add(&mut self, name: &str, metadata: &[(&str, &str)]) {
        let metadata: BTreeMap<&str, &str> = metadata.iter().copied().collect();
        let files = self.files().len();
        let server = json!({"id": format!("foreign-{files}"), "name": name, "status": "ACTIVE", "metadata": metadata,
            "created": "2026-01-01T00:00:00Z", "addresses": ["192.0.2.9"]});
        fs::write(
            self.path("servers").join(format!("foreign-{files}")),
            server.to_string(),
        )
        .unwrap();
    }

    fn trouble(&mut self, trouble: Trouble) {
        let down = "echo 'the cloud does not work' >&2; exit 69";
        match trouble {
            Trouble::Quota => self.on("create", "echo 'Quota exceeded for instances' >&2; exit 79"),
            Trouble::Capacity => self.on("create", "echo 'No valid host was found' >&2; exit 73"),
            Trouble::Refused => self.on("create", "echo 'Invalid image' >&2; exit 65"),
            Trouble::AnswerLost => self.on("created", "kill -9 $$"),
            Trouble::NoAnswer => self.on("create", "exit 1"),
            Trouble::ListDown => self.on("list", down),
            Trouble::ListGarbage => self.on("list", "echo '<html>hello'; exit 0"),
            Trouble::ListHuge => self.on(
                "list",
                "printf '{\"servers\": ['; head -c 200000 /dev/zero | tr '\\0' ' '",
            ),
            Trouble::ListSlow => self.on("list", "sleep 600"),
            Trouble::DeleteDown => self.on("delete", down),
        }
    }

    fn calm(&mut self) {
        for verb in ["list", "create", "created", "delete", "after.list"] {
            let _ = fs::remove_file(self.path(&format!("trouble.{verb}")));
        }
    }

    fn fail_servers(&mut self, reason: &str) {
        self.change(|server| {
            server["status"] = json!("ERROR");
            server["fault"] = json!(reason);
        });
    }

    fn vanish_after_list(&mut self) {
        self.on("after.list", "rm -f servers/*");
    }

    fn advance(&mut self, world: &World, seconds: i64) {
        world.advance(seconds);
        self.set_clock(world);
        let now = world.now().as_second();
        self.change(|server| {
            let created: jiff::Timestamp = server["created"].as_str().unwrap().parse().unwrap();
            if server["status"] == "BUILD" && now - created.as_second() >= BOOT {
                server["status"] = json!("ACTIVE");
                server["addresses"] = json!(["192.0.2.10"]);
                let name = server["name"].as_str().unwrap();
                world.agent(Agent::new(name, &["linux", "x86_64"]).online());
            }
        });
    }
}

/// A program that keeps no metadata cannot be used, and what comes of that is bounded.
#[test]
fn a_program_that_forgets_the_marks_is_not_asked_for_server_after_server() {
    let mut site = super::site::Site::exec();
    let program = fs::read_to_string(site.cloud_folder().join("cloud.sh")).unwrap();
    let forgets = program.replace(
        "metadata=$(printf '%s' \"$request\" | sed 's/.*\"metadata\":\\({[^}]*}\\).*/\\1/')",
        "metadata={}",
    );
    assert_ne!(program, forgets);
    fs::write(
        site.cloud_folder().join("cloud.sh"),
        forgets.replace("\"BUILD\"", "\"STARTING\""),
    )
    .unwrap();
    site.submit(300);
    site.pass();
    for _ in 0..60 {
        site.advance(60);
        let done = site.run();
        assert!(done.actions().is_empty(), "{}", done.out);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let done = site.run();
    let is_said = done.err.contains("without the metadata that it was made with");
    assert!(is_said, "after intent_grace it is said: {}", done.err);
    assert_eq!(site.cloud.asked()[..2], [1, 0]);
    // Somebody removes it and mends the program.
    fs::remove_dir_all(site.cloud_folder().join("servers")).unwrap();
    fs::create_dir(site.cloud_folder().join("servers")).unwrap();
    fs::write(site.cloud_folder().join("cloud.sh"), program).unwrap();
    site.minutes(5);
    assert_eq!(site.names(), ["small"]);
}

/// A signal ends the pass, not the call: half a create is worse than none.
#[test]
fn a_signal_lets_the_call_in_flight_end() {
    let site = super::site::Site::exec();
    let folder = site.cloud_folder();
    for fifo in ["begun", "go"] {
        assert!(
            Command::new("mkfifo")
                .arg(folder.join(fifo))
                .status()
                .unwrap()
                .success()
        );
    }
    fs::write(folder.join("trouble.create"), "echo > begun; read word < go").unwrap();
    site.submit(300);
    let mut mita = site.command(&["run", "-o", "json"]);
    let child = mita.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Each end of a pipe waits for the other: by now the create is in flight.
    fs::read(folder.join("begun")).unwrap();
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    fs::write(folder.join("go"), "on\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        out.contains("\"do\":\"create\"") && out.contains("\"result\":\"done\""),
        "{out}{err}"
    );
    assert_eq!(site.cloud.servers().len(), 1);
}
