//! The whole life of servers at mimic 2.2, which plays a public cloud of 2015: Identity v2.0, Nova v2, endpoints that carry
//! version and project, and two services of type `compute`. Nobody of this project wrote it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bare_site::BareSite;
use crate::fakes::{Agent, Task};
use crate::program::Done;
use crate::venv;

/// A mimic that runs until it is dropped.
struct Mimic {
    port: u16,
    log: PathBuf,
    process: Child,
}

impl Mimic {
    fn start(folder: &Path) -> Self {
        let twist = venv("mimic", "mimic.txt").join("twist");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = folder.join("mimic.log");
        let process = Command::new(twist)
            .args(["--log-format=text", "mimic", "-r", "--listen"])
            .arg(format!("tcp:{port}:interface=127.0.0.1"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut mimic = Self { port, log, process };
        let patience = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = mimic.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < patience, "{}", mimic.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        mimic
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// How many requests went below a path.
    fn requests(&self, part: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains("HTTP/1.1") && line.contains(part))
            .count()
    }

    /// Asks it without our client.
    fn ask(&self, head: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "{head}\r\nHost: 127.0.0.1:{}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
            self.port
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let begin = reply.find("\r\n\r\n").unwrap();
        serde_json::from_str(&reply[begin..]).unwrap_or_else(|error| panic!("{error}: {reply}"))
    }

    /// The servers of the project, as it lists them.
    fn servers(&self) -> Vec<Value> {
        let login = r#"{"auth": {"passwordCredentials": {"username": "ci", "password": "x"}, "tenantName": "ci"}}"#;
        let endpoint = self.ask(
            "POST /identity/v2.0/tokens HTTP/1.0\r\nContent-Type: application/json",
            login,
        );
        let token = endpoint["access"]["token"]["id"].as_str().unwrap().to_owned();
        let catalog = endpoint["access"]["serviceCatalog"].as_array().unwrap();
        let nova = catalog
            .iter()
            .find(|service| service["name"] == "cloudServersOpenStack")
            .unwrap();
        let mut endpoints = nova["endpoints"].as_array().unwrap().iter();
        let url = endpoints.find(|endpoint| endpoint["region"] == "ORD").unwrap()["publicURL"]
            .as_str()
            .unwrap();
        let path = url.split_once(&format!(":{}", self.port)).unwrap().1;
        let list = self.ask(
            &format!("GET {path}/servers/detail HTTP/1.0\r\nX-Auth-Token: {token}"),
            "",
        );
        list["servers"].as_array().unwrap().clone()
    }
}

impl Drop for Mimic {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// One pass that must end well; its actions as `do result`.
fn pass(site: &BareSite) -> Vec<(String, String)> {
    let Done { code, out, err } = site.mita(&["run", "-o", "json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let actions = json["actions"].as_array().unwrap().iter().map(|action| {
        let told = |key: &str| action[key].as_str().unwrap().to_owned();
        (format!("{} {}", told("do"), told("result")), told("name"))
    });
    actions.collect()
}

#[test]
fn servers_live_and_die_at_a_cloud_of_the_old_days() {
    let site = BareSite::new(17, "");
    let world = &site.world;
    let mimic = Mimic::start(site.folder());
    site.configure_clouds(&format!(
        "timing: {{idle_grace: 3m}}\nprovider:\n  openstack:\n    auth_url: http://127.0.0.1:{}/identity\n    auth_version: 2.0_password\n    \
         username: ci\n    password: x\n    tenant_name: ci\n    service_region: ORD\nnodes:\n  old:\n    \
         image_name: Ubuntu 14.04 LTS (Trusty Tahr) (PV)\n    size: 512MB Standard Instance\n    labels: [linux]\n    \
         provider: openstack\n    script: |\n      #!/bin/sh\n      echo {{{{ mita.name }}}}\n",
        mimic.port,
    ));
    let Done { code, out, err } = site.mita(&["check", "--online"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("no image") && !err.contains("no image"), "{out}{err}");

    for job in ["a", "b", "c"] {
        world.submit(Task::freestyle(job).label("linux").seconds(100));
    }
    let made = pass(&site);
    assert!(
        made.len() == 3 && made.iter().all(|(what, _)| what == "create done"),
        "{made:?}"
    );
    let servers = mimic.servers();
    assert_eq!(servers.len(), 3);
    for server in &servers {
        assert_eq!(
            (&server["metadata"]["mita-owner"], &server["status"]),
            (&"tester".into(), &"ACTIVE".into())
        );
        world.agent(Agent::new(server["name"].as_str().unwrap(), &["linux"]).online());
    }
    let tried = mimic.requests("/v2.1/");
    assert_eq!(tried, 2, "once by check, once by the first pass");
    let mut gone = 0;
    for _ in 0..15 {
        world.advance(60);
        let actions = pass(&site);
        gone += actions.iter().filter(|(what, _)| what == "delete_server done").count();
    }
    assert_eq!((gone, mimic.servers().len()), (3, 0));
    assert_eq!(
        mimic.requests("/v2.1/"),
        tried,
        "it is remembered what this cloud speaks"
    );
    assert_eq!(world.with(|w| w.jenkins.killed()), 0);
    // Its network service knows no floating IPs, and says so as any web server would: that is no proof.
    let Done { out, err, .. } = site.mita(&["leaks"]);
    assert!(
        out.starts_with("no leak") && err.contains("cannot list its floating IPs: misrouted"),
        "{out}{err}"
    );
}
