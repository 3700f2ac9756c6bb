//! The first hour of README.md, from its own text: every block is run, in its order, against a simulated Jenkins and
//! OpenStack, until a job runs on an agent that joined by what its server was given.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::booted::Machine;
use super::fakes::{JoinsAs, Kind, secret_of};
use super::site::{Site, job};

const README: &str = include_str!("../../README.md");
const BEGIN: &str = "## The first hour";

/// A fenced block: its language and its lines, without the indentation of its list.
struct Block {
    language: &'static str,
    text: String,
}

/// Returns the section of the first hour.
fn section() -> &'static str {
    let (_, rest) = README.split_once(&format!("\n{BEGIN}\n")).expect("the section");
    rest.split("\n## ").next().unwrap()
}

/// Returns the name of who runs this.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = section().lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| line.trim() != "```");
        let inside: Vec<&str> = inside.map(|line| line.get(indent..).unwrap_or_default()).collect();
        blocks.push(Block {
            language,
            text: inside.join("\n") + "\n",
        });
    }
    blocks
}

/// Somebody who follows the steps: a home, a folder of the source, and the commands that the machine has.
struct Reader {
    site: Site,
    root: PathBuf,
}

impl Reader {
    fn new() -> Self {
        let site = Site::new();
        let root = site.path("reader");
        for folder in ["home", "source", "bin", "usr/local/bin", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let reader = Self { site, root };
        let (mita, shown) = (env!("CARGO_BIN_EXE_mita"), reader.root.display().to_string());
        reader.command(
            "cargo",
            &format!("mkdir -p target/release && cp '{mita}' target/release/mita"),
        );
        reader.command("sudo", "exec \"$@\"");
        // The owner of a file is its maker's here.
        reader.command("chown", "");
        reader.command(
            "crontab",
            &format!("if [ \"$1\" = -l ]; then cat '{shown}/crontab' 2>/dev/null; else cat > '{shown}/crontab'; fi"),
        );
        reader
    }

    fn command(&self, name: &str, script: &str) {
        let path = self.root.join("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts in what a reader puts in, and moves the folders of the machine.
    fn own(&self, text: &str) -> String {
        let shown = self.root.display().to_string();
        text.replace("https://jenkins.example.com", &self.site.jenkins.url())
            .replace("https://keystone.example.com:5000", &self.site.cloud.auth_url())
            .replace("change me", "ci-pass")
            .replace("/usr/local/", &format!("{shown}/usr/local/"))
            .replace("/etc/mita", &format!("{shown}/etc/mita"))
    }

    /// Runs a block; what it reads from the terminal is the token.
    fn run(&self, text: &str) -> Output {
        let path = format!(
            "{0}/bin:{0}/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/bin",
            self.root.display()
        );
        let mut child = Command::new("bash")
            .args(["-eu", "-c", &self.own(text)])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.root.join("home"))
            .env("USER", user())
            .current_dir(self.root.join("source"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(b"11token\n");
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn follow(&self, text: &str) -> String {
        let output = self.run(text);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{out}\n{err}");
        out
    }

    fn builds(&self) -> usize {
        self.site.world.with(|world| world.jenkins.builds.len())
    }

    /// Boots the one server that there is: what it was given is run, and the agent that this starts joins.
    fn boot(&self) {
        let server = self
            .site
            .world
            .with(|world| world.cloud("openstack").servers[0].clone());
        let machine = Machine::new(&self.root.join("machine"));
        let output = machine.boot(&server.script());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let started = machine.started().expect("an agent");
        assert_eq!(started.after("-url"), format!("{}/", self.site.jenkins.url()));
        assert_eq!(
            (started.after("-name"), &started.secret),
            (server.name.as_str(), &secret_of(&server.name))
        );
        self.site.world.with(|world| {
            let agent = world
                .jenkins
                .agents
                .get_mut(started.after("-name"))
                .expect("the node that mita made");
            assert!(agent.inbound && !agent.connected);
            agent.connect(Some(("openstack".to_owned(), server.id.clone())));
        });
    }
}

#[test]
fn the_first_hour_ends_with_a_job_on_an_agent_that_joined() {
    let reader = Reader::new();
    reader.site.world.kind("linux", Kind::new(&[]).joins_as(JoinsAs::Never));
    let blocks = blocks();
    let shell = blocks.iter().filter(|block| block.language == "sh");
    let mut seen = Vec::new();
    for block in shell {
        // The step before says to start a job that asks for a label.
        if block.text.starts_with("mita init") {
            reader.site.world.submit(job("build", "linux").seconds(600));
        }
        let out = reader.follow(&block.text);
        let first = block.text.lines().next().unwrap();
        if first == "mita run" {
            reader.site.world.advance(60);
            assert_eq!(reader.builds(), 0, "nothing joined yet");
            reader.boot();
            reader.site.world.advance(60);
            assert_eq!(reader.builds(), 1, "the job runs on the new agent");
        }
        if first.starts_with("mita run --dry-run") {
            assert!(out.contains("create") && out.contains("linux"), "{out}");
        }
        seen.push(first.to_owned());
    }
    for step in [
        "cargo build",
        "mita init",
        "mita check --online",
        "mita run --dry-run",
        "mita run",
    ] {
        assert!(seen.iter().any(|first| first.starts_with(step)), "{step}: {seen:?}");
    }
    // The last step is the crontab; its line is good, and a good pass prints nothing.
    let crontab = fs::read_to_string(reader.root.join("crontab")).unwrap();
    let line = crontab.lines().last().unwrap();
    let command = line.strip_prefix("* * * * *").expect("once a minute").trim();
    // As cron does: its folder, its few variables.
    let output = Command::new("sh")
        .args(["-c", command])
        .env_clear()
        .env("HOME", reader.root.join("home"))
        .env("PATH", "/usr/bin:/bin")
        .current_dir(reader.root.join("home"))
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), "")
    );
    assert!(output.stdout.is_empty());
    assert_eq!(
        reader.site.world.with(|world| world.cloud("openstack").servers.len()),
        1
    );
    assert_eq!(reader.builds(), 1);
}

/// The configuration that is shown is what `init` writes, without its comments.
#[test]
fn the_configuration_that_is_shown_is_good() {
    let reader = Reader::new();
    let blocks = blocks();
    let yaml: Vec<&Block> = blocks.iter().filter(|block| block.language == "yaml").collect();
    assert_eq!(yaml.len(), 1);
    for block in blocks.iter().filter(|block| block.language == "sh") {
        reader.follow(&block.text);
        if block.text.starts_with("mita init") {
            break;
        }
    }
    let source = reader.root.join("source");
    let value = |text: &str| -> serde_yaml::Value { serde_yaml::from_str(text).unwrap() };
    let written = value(&fs::read_to_string(source.join("mita.yaml")).unwrap());
    let shown = value(&reader.own(&yaml[0].text));
    assert_eq!(shown["provider"], written["provider"]);
    assert_eq!(shown["jenkins"], written["jenkins"]);
    let keys = |value: &serde_yaml::Value| -> Vec<String> {
        let keys = value["defaults"].as_mapping().unwrap().keys();
        keys.map(|key| key.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&shown), keys(&written));
    fs::write(source.join("mita.yaml"), reader.own(&yaml[0].text)).unwrap();
    reader.follow("mita check");
}

#[test]
fn the_section_is_short_and_has_no_block_of_another_kind() {
    for block in blocks() {
        assert!(["sh", "yaml"].contains(&block.language), "{}", block.language);
    }
    let lines = section().lines().count();
    assert!(lines <= 130, "{lines} lines: two screens");
}
