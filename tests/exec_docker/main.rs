//! The worked example of a provider of type exec, run for real: its own `mita.yaml`, the real binary, a fake Jenkins,
//! and a fake `docker` on the PATH. Needs `python3`, as the example does, and is
//! therefore behind the feature `docker-example`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and write files"
)]
#![allow(missing_docs, reason = "test names are the documentation")]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;

use std::fs;
use std::io::Write as _;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bare_site::BareSite;
use fakes::{Agent, Task};
use program::Done;
use serde_json::Value;

/// The files of the example in a folder of their own, with a docker command beside them.
struct Site(BareSite);

impl Deref for Site {
    type Target = BareSite;

    fn deref(&self) -> &BareSite {
        &self.0
    }
}

impl Site {
    fn new() -> Self {
        let site = Self(BareSite::new(3, "/jenkins"));
        fs::create_dir(site.path("containers")).unwrap();
        site.program("docker.py", include_str!("../../examples/exec-provider/docker.py"));
        site.program("docker", include_str!("docker"));
        let here = site.folder().display();
        let example = include_str!("../../examples/exec-provider/mita.yaml");
        let text = example
            .replace("https://jenkins.example.com", site.jenkins.url().as_str())
            .replace("change me", "11token")
            // The fake docker, and the Python of whoever runs this test.
            .replace(
                "    # environment:",
                &format!(
                    "    environment: {{HOME: {here}, PATH: \"{here}:{}\"}}\n    #",
                    std::env::var("PATH").unwrap()
                ),
            );
        assert!(
            text.contains(&*here.to_string()),
            "the example has a line for the environment"
        );
        site.write_config(&text);
        fs::set_permissions(site.config(), fs::Permissions::from_mode(0o600)).unwrap();
        site
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn containers(&self) -> Vec<Value> {
        let entries = fs::read_dir(self.path("containers")).unwrap();
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        entries.map(|entry| read(entry.unwrap().path())).collect()
    }

    /// Calls the example by hand.
    fn docker_py(&self, verb: &str, request: &str) -> Option<i32> {
        let mut child = Command::new(self.path("docker.py"))
            .arg(verb)
            .env("HOME", self.folder())
            .env("DOCKER", self.path("docker"))
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // One that refuses the verb does not read it.
        let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
        child.wait().unwrap().code()
    }
}

#[test]
fn an_agent_is_a_container_from_the_job_to_the_end() {
    let site = Site::new();
    site.world.submit(Task::freestyle("build").label("docker").seconds(60));
    site.pass();
    let containers = site.containers();
    let container = &containers[0];
    let name = container["Name"].as_str().unwrap().trim_start_matches('/');
    assert!(name.starts_with("docker-small__"), "{name}");
    assert_eq!(container["State"]["Status"], "running");
    assert_eq!(container["Config"]["Image"], "jenkins/agent:latest");
    assert_eq!(container["Config"]["Labels"]["mita-node"], "docker-small");
    let given = &container["Given"];
    assert_eq!(
        (&given["--cpus"], &given["--memory"], &given["--pull"]),
        (&"2".into(), &"4096m".into(), &"never".into())
    );
    let (mode, script) = (
        &container["Files"]["mita/user-data"][0],
        &container["Files"]["mita/user-data"][1],
    );
    assert_eq!(
        (mode, &given["--entrypoint"]),
        (&"0o755".into(), &"/mita/user-data".into())
    );
    assert!(
        script.as_str().unwrap().contains(&format!("-name \"{name}\"")),
        "{script}"
    );
    let calls = fs::read_to_string(site.path("calls")).unwrap();
    assert!(!calls.contains("-url"), "the script is in no process list: {calls}");

    site.world.advance(60);
    site.world.agent(Agent::new(name, &["docker"]).online());
    site.pass();
    let status = site.mita(&["status", "-o", "json"]).out;
    let status: Value = serde_json::from_str(&status).unwrap();
    let row = &status["servers"][0];
    assert_eq!(
        (&row["jenkins_node"], &row["address"]),
        (&name.into(), &"172.17.0.2".into())
    );

    // What is another's stays, whatever it is asked.
    let mut container = site.containers().remove(0);
    let file = site.path("containers").join(container["Id"].as_str().unwrap());
    container["Config"]["Labels"]["mita-owner"] = "somebody".into();
    let request = format!(
        "{{\"version\": 1, \"owner\": \"ci\", \"server\": {{\"id\": {}}}}}",
        container["Id"]
    );
    let ours = fs::read(&file).unwrap();
    fs::write(&file, container.to_string()).unwrap();
    assert_eq!(site.docker_py("delete", &request), Some(77));
    fs::write(&file, ours).unwrap();
    assert_eq!(site.docker_py("delete", "{\"version\": 2}"), Some(64));
    assert_eq!(site.docker_py("fly", "{\"version\": 1}"), Some(64));

    site.world.advance(120);
    let Done { code, out, err } = site.mita(&["destroy", name]);
    assert_eq!((code, site.containers().len()), (0, 0), "{out}{err}");
}

#[test]
fn check_names_what_the_host_does_not_have() {
    let site = Site::new();
    let Done { code, out, err } = site.mita(&["check", "--online"]);
    assert_eq!(code, 0, "{out}{err}");
    // That lines are marked for whoever takes it over is a hint.
    let mut warned = err
        .lines()
        .filter(|line| line.contains("docker") || line.contains("mita.yaml"));
    assert!(
        warned.all(|line| line.starts_with("mita: hint: ")),
        "the example is warned of: {err}"
    );
    site.change_config("jenkins/agent:latest", "jenkins/agnet");
    let Done { code, err, .. } = site.mita(&["check", "--online"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("provider docker: nodes.docker-small: Error response from daemon: No such image: jenkins/agnet"),
        "{err}"
    );
}

#[test]
fn what_docker_refuses_is_told_apart() {
    let site = Site::new();
    site.world.submit(Task::freestyle("build").label("docker").seconds(60));
    fs::write(site.path("no-start"), "").unwrap();
    let Done { code, out, .. } = site.mita(&["run", "-o", "json"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("\"result\":\"failed\"") && out.contains("refused: create docker-small__"),
        "{out}"
    );
    assert_eq!(site.containers().len(), 0, "what does not start is taken away again");
    fs::remove_file(site.path("no-start")).unwrap();
    site.world.advance(3600);
    site.change_config("size: {vcpus: 2, ram: 4096}", "size: m1.small");
    let Done { out, .. } = site.mita(&["run", "-o", "json"]);
    assert!(out.contains("a container has no named sizes"), "{out}");
    fs::write(site.path("down"), "").unwrap();
    let Done { code, err, .. } = site.mita(&["run"]);
    assert_eq!(code, 4);
    let is_said = |line: &str| {
        line.starts_with("mita: error: provider docker cannot be read")
            && line.contains("unavailable: list: Cannot connect to the Docker daemon")
    };
    assert!(err.lines().any(is_said), "{err}");
}
