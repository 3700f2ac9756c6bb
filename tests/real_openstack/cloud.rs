//! The real cloud as the tests see it, by requests of their own; and the handles that make it misbehave.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

pub const KEYSTONE: &str = "http://127.0.0.1:5000/v3";
const NOVA: &str = "http://127.0.0.1:8774/v2.1";
const CINDER: &str = "http://127.0.0.1:8776/v3";
/// The youngest microversion of every field that is looked at here.
const MICROVERSION: &str = "2.42";
/// Owners of test cases begin so.
pub const OWNER_PREFIX: &str = "e2e-";
/// Metadata of servers that a test made by itself.
pub const FOREIGN: &str = "e2e-foreign";
const TRIES: u32 = 480;
const PAUSE: Duration = Duration::from_millis(250);

/// Asks until there is an answer, for two minutes at most.
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("waited in vain: {what}");
}

/// One user in one project.
pub struct Cloud {
    user: &'static str,
    password: &'static str,
    pub project: &'static str,
    agent: Agent,
    /// Token and project id.
    login: RefCell<Option<(String, String)>>,
}

impl Cloud {
    pub fn of(project: &'static str) -> Self {
        Self::new("ci", "ci-pass", project)
    }

    /// The administrator sees what a user does not: user data, all projects.
    pub fn admin() -> Self {
        Self::new("admin", "admin-pass", "admin")
    }

    fn new(user: &'static str, password: &'static str, project: &'static str) -> Self {
        let limits = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)));
        Self {
            user,
            password,
            project,
            agent: limits.build().into(),
            login: RefCell::default(),
        }
    }

    fn log_in(&self) -> (String, String) {
        if let Some(login) = self.login.borrow().clone() {
            return login;
        }
        let user = json!({"name": self.user, "domain": {"id": "default"}, "password": self.password});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": self.project, "domain": {"id": "default"}}},
        }});
        let url = format!("{KEYSTONE}/auth/tokens");
        let mut reply = self
            .agent
            .post(&url)
            .content_type("application/json")
            .send(body.to_string())
            .unwrap_or_else(|error| panic!("{url}: {error}; is it running? start it with tests/openstack/up"));
        let text = reply.body_mut().read_to_string().unwrap();
        assert_eq!(reply.status(), 201, "{text}");
        let token = reply.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_str(&text).unwrap();
        let project = body["token"]["project"]["id"].as_str().unwrap().to_owned();
        *self.login.borrow_mut() = Some((token.clone(), project.clone()));
        (token, project)
    }

    /// Makes a request; after a 401 once more with a new login.
    pub fn ask(&self, method: &str, url: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, answer) = self.once(method, url, body);
        if status != 401 {
            return (status, answer);
        }
        self.login.borrow_mut().take();
        self.once(method, url, body)
    }

    fn once(&self, method: &str, url: &str, body: Option<&Value>) -> (u16, Value) {
        let (token, _) = self.log_in();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("x-auth-token", token)
            .header("content-type", "application/json")
            .header("x-openstack-nova-api-version", MICROVERSION)
            .body(body.map(ToString::to_string).unwrap_or_default())
            .unwrap();
        let mut reply = self
            .agent
            .run(request)
            .unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let text = reply.body_mut().read_to_string().unwrap();
        (reply.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    fn get(&self, url: &str) -> Value {
        let (status, body) = self.ask("GET", url, None);
        assert_eq!(status, 200, "GET {url}: {body}");
        body
    }

    /// Lists the servers of the project, each once, whatever the size of a page. While a server is being scheduled, Nova
    /// may list it twice: as the request for it and as the server.
    pub fn servers(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        let mut marker = String::new();
        loop {
            let page = self.get(&format!("{NOVA}/servers/detail{marker}"));
            let page = page["servers"].as_array().unwrap();
            let Some(last) = page.last() else {
                return all;
            };
            marker = format!("?marker={}", last["id"].as_str().unwrap());
            for server in page {
                if all.iter().all(|other| other["id"] != server["id"]) {
                    all.push(server.clone());
                }
            }
        }
    }

    /// The servers that carry an owner's mark.
    pub fn servers_of(&self, owner: &str) -> Vec<Value> {
        self.servers()
            .into_iter()
            .filter(|server| server["metadata"]["mita-owner"] == owner)
            .collect()
    }

    pub fn server(&self, id: &str) -> Option<Value> {
        let (status, body) = self.ask("GET", &format!("{NOVA}/servers/{id}"), None);
        assert!(matches!(status, 200 | 404), "{status} {body}");
        (status == 200).then(|| body["server"].clone())
    }

    pub fn volume(&self, id: &str) -> Option<Value> {
        let (_, project) = self.log_in();
        let (status, body) = self.ask("GET", &format!("{CINDER}/{project}/volumes/{id}"), None);
        assert!(matches!(status, 200 | 404), "{status} {body}");
        (status == 200).then(|| body["volume"].clone())
    }

    /// Makes a server that is none of mita's, though it looks like one.
    pub fn foreign_server(&self, name: &str, network: &str) -> String {
        let image = &self.get("http://127.0.0.1:9292/v2/images?name=cirros")["images"][0]["id"];
        let network = &self.get(&format!("http://127.0.0.1:9696/v2.0/networks?name={network}"))["networks"][0]["id"];
        let metadata = json!({"mita-owner": "somebody-else", "mita-node": "linux", FOREIGN: "yes"});
        let body = json!({"server": {"name": name, "flavorRef": "1", "imageRef": image, "metadata": metadata,
            "networks": [{"uuid": network}]}});
        let (status, answer) = self.ask("POST", &format!("{NOVA}/servers"), Some(&body));
        assert_eq!(status, 202, "{answer}");
        answer["server"]["id"].as_str().unwrap().to_owned()
    }

    pub fn key_pair(&self, name: &str) {
        let (status, body) = self.ask(
            "POST",
            &format!("{NOVA}/os-keypairs"),
            Some(&json!({"keypair": {"name": name}})),
        );
        assert!(matches!(status, 200 | 201 | 409), "{status} {body}");
    }

    pub fn delete_key_pair(&self, name: &str) {
        self.ask("DELETE", &format!("{NOVA}/os-keypairs/{name}"), None);
    }

    /// Removes every server that a test case made, of this run or an earlier one that was cut off, and waits for it.
    pub fn clean(&self) {
        let made_by_a_test = |server: &Value| {
            let owner = server["metadata"]["mita-owner"].as_str().unwrap_or_default();
            owner.starts_with(OWNER_PREFIX) || server["metadata"][FOREIGN].is_string()
        };
        poll("the servers of the test are gone", || {
            let left: Vec<Value> = self.servers().into_iter().filter(made_by_a_test).collect();
            for server in left
                .iter()
                .filter(|server| server["OS-EXT-STS:task_state"] != "deleting")
            {
                self.ask(
                    "DELETE",
                    &format!("{NOVA}/servers/{}", server["id"].as_str().unwrap()),
                    None,
                );
            }
            left.is_empty().then_some(())
        });
    }
}

/// Where `up` keeps its files.
pub fn folder() -> PathBuf {
    env::var_os("MITA_OPENSTACK_DIR").map_or_else(|| PathBuf::from("/var/tmp/mita-openstack"), PathBuf::from)
}

fn run_ctl(arguments: &[&str]) -> Output {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/openstack/ctl");
    Command::new(program).args(arguments).output().expect("ctl runs")
}

/// Calls `tests/openstack/ctl` and returns what it printed.
pub fn ctl(arguments: &[&str]) -> String {
    let output = run_ctl(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ctl {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Adds a fault rule.
pub fn fault(rule: &Value) {
    ctl(&["fault", "add", &rule.to_string()]);
}

/// Waits until the fault rules have met their requests.
pub fn faults_met() {
    poll("the request that a fault rule waits for", || {
        ctl(&["fault", "list"]).is_empty().then_some(())
    });
}

/// Waits until an API answers, after it was started again.
pub fn answers(url: &str) {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    poll(url, || {
        agent
            .get(url)
            .call()
            .ok()
            .filter(|reply| reply.status().as_u16() < 500)
            .map(drop)
    });
}

/// Options that tests change, where they stand, and what `up` gives them.
const OPTIONS: [(&str, &str, &str, &str); 2] = [
    ("token-ttl", "etc/keystone/keystone.conf", "expiration", "3600"),
    ("max-limit", "etc/nova/nova.conf", "max_limit", "1000"),
];

/// Changes an option of a service, which is started again; `restore` changes it back.
pub fn change(option: &str, value: &str) {
    ctl(&[option, value]);
    answers(KEYSTONE);
    answers(NOVA);
}

/// Undoes what a test did to the services, or one that was cut off.
pub fn restore() {
    let running = run_ctl(&["alive", "mariadb"]).status.success();
    assert!(running, "the OpenStack does not run: start it with tests/openstack/up");
    ctl(&["fault", "clear"]);
    ctl(&["start", "keystone", "nova-api"]);
    ctl(&["resume", "keystone", "nova-api"]);
    for (option, file, key, value) in OPTIONS {
        let text = fs::read_to_string(folder().join(file)).expect("up wrote it");
        if !text.lines().any(|line| line == format!("{key} = {value}")) {
            ctl(&[option, value]);
        }
    }
    answers(KEYSTONE);
    answers(NOVA);
}
