//! The real cloud as the tests see it, by requests of their own.

use std::cell::RefCell;

use serde_json::{Value, json};
use ureq::Agent;

use super::patience::{REQUEST, REQUEST_TRIES, pause, poll};

/// Of the user that the tests are.
pub const PASSWORD: &str = "ci-pass";
pub const KEYSTONE: &str = "http://127.0.0.1:5000/v3";
pub const NOVA: &str = "http://127.0.0.1:8774/v2.1";
pub const GLANCE: &str = "http://127.0.0.1:9292/v2";
pub const NEUTRON: &str = "http://127.0.0.1:9696/v2.0";
const CINDER: &str = "http://127.0.0.1:8776/v3";
/// The youngest microversion of every field that is looked at here.
const MICROVERSION: &str = "2.42";
/// Owners of test cases begin so.
pub const OWNER_PREFIX: &str = "e2e-";
/// Metadata of servers that a test made by itself.
pub const FOREIGN: &str = "e2e-foreign";

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
        Self::new("ci", PASSWORD, project)
    }

    /// The administrator sees what a user does not: user data, all projects.
    pub fn admin() -> Self {
        Self::new("admin", "admin-pass", "admin")
    }

    fn new(user: &'static str, password: &'static str, project: &'static str) -> Self {
        let limits = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST));
        Self {
            user,
            password,
            project,
            agent: limits.build().into(),
            login: RefCell::default(),
        }
    }

    fn log_in(&self) -> Result<(String, String), String> {
        if let Some(login) = self.login.borrow().clone() {
            return Ok(login);
        }
        let user = json!({"name": self.user, "domain": {"id": "default"}, "password": self.password});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": self.project, "domain": {"id": "default"}}},
        }});
        let url = format!("{KEYSTONE}/auth/tokens");
        let request = self.agent.post(&url).content_type("application/json");
        let mut reply = request
            .send(body.to_string())
            .map_err(|error| format!("{url}: {error}"))?;
        let text = reply
            .body_mut()
            .read_to_string()
            .map_err(|error| format!("{url}: {error}"))?;
        if reply.status() != 201 {
            return Err(format!("{url}: {} {text}", reply.status()));
        }
        let token = reply.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_str(&text).unwrap();
        let project = body["token"]["project"]["id"].as_str().unwrap().to_owned();
        *self.login.borrow_mut() = Some((token.clone(), project.clone()));
        Ok((token, project))
    }

    /// Makes a request. After a 401 it is repeated with a new login; what changes nothing (or ends something) is repeated
    /// as well when the service is away or fails, as one does that was started again a moment ago.
    pub fn ask(&self, method: &str, url: &str, body: Option<&Value>) -> (u16, Value) {
        let repeat = matches!(method, "GET" | "DELETE");
        for tries in 1.. {
            let last = tries >= REQUEST_TRIES;
            match self.once(method, url, body) {
                Ok((401, _)) if !last => drop(self.login.borrow_mut().take()),
                Ok((500.., _)) | Err(_) if repeat && !last => {}
                Ok(answer) => return answer,
                Err(error) => panic!("{method} {url}: {error}; is it running? start it with tests/openstack/up"),
            }
            pause();
        }
        unreachable!("the last try returns or panics")
    }

    fn once(&self, method: &str, url: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let (token, _) = self.log_in()?;
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("x-auth-token", token)
            .header("content-type", "application/json");
        if url.starts_with(NOVA) {
            request = request.header("x-openstack-nova-api-version", MICROVERSION);
        }
        let body = body.map(ToString::to_string).unwrap_or_default();
        let reply = self.agent.run(request.body(body).unwrap());
        let mut reply = reply.map_err(|error| error.to_string())?;
        let text = reply.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Ok((reply.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    }

    /// Makes a request that must succeed.
    pub fn must(&self, method: &str, url: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.ask(method, url, body);
        assert!((200..300).contains(&status), "{method} {url}: {status} {answer}");
        answer
    }

    fn get(&self, url: &str) -> Value {
        self.must("GET", url, None)
    }

    /// Where the volumes of the project are.
    pub fn cinder(&self) -> String {
        let (_, project) = self.log_in().unwrap();
        format!("{CINDER}/{project}")
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
        let (status, body) = self.ask("GET", &format!("{}/volumes/{id}", self.cinder()), None);
        assert!(matches!(status, 200 | 404), "{status} {body}");
        (status == 200).then(|| body["volume"].clone())
    }

    /// Looks up the id of the first thing of a name: `images` at Glance, `networks` and others at Neutron.
    pub fn id(&self, what: &str, name: &str) -> String {
        let base = if what == "images" { GLANCE } else { NEUTRON };
        let found = self.get(&format!("{base}/{what}?name={name}"));
        let id = found[what.replace('-', "_")][0]["id"].as_str();
        id.unwrap_or_else(|| panic!("no {name} among the {what}: {found}"))
            .to_owned()
    }

    /// Makes a server that is none of mita's, though it looks like one; it goes with the owner's site.
    pub fn foreign_server(&self, owner: &str, name: &str, network: &str) -> String {
        let metadata = json!({"mita-owner": "somebody-else", "mita-node": "linux", FOREIGN: owner});
        let body = json!({"server": {"name": name, "flavorRef": "1", "imageRef": self.id("images", "cirros"),
            "metadata": metadata, "networks": [{"uuid": self.id("networks", network)}]}});
        let answer = self.must("POST", &format!("{NOVA}/servers"), Some(&body));
        let id = answer["server"]["id"].as_str().unwrap().to_owned();
        poll("a foreign server is ACTIVE", || {
            (self.server(&id)?["status"] == "ACTIVE").then_some(())
        });
        id
    }

    /// Gives an image its bytes.
    pub fn upload(&self, image: &str) {
        let (token, _) = self.log_in().unwrap();
        let request = self.agent.put(format!("{GLANCE}/images/{image}/file"));
        let request = request
            .header("x-auth-token", token)
            .content_type("application/octet-stream");
        let reply = request.send("image\n".repeat(100)).expect("Glance answers");
        assert_eq!(reply.status(), 204);
    }

    pub fn key_pair(&self, name: &str) {
        let body = json!({"keypair": {"name": name}});
        let (status, body) = self.ask("POST", &format!("{NOVA}/os-keypairs"), Some(&body));
        assert!(matches!(status, 200 | 201 | 409), "{status} {body}");
    }

    pub fn delete_key_pair(&self, name: &str) {
        self.ask("DELETE", &format!("{NOVA}/os-keypairs/{name}"), None);
    }

    /// Lists what a service has: `networks`, `floatingips`, `ports`, `volumes`, `images`.
    pub fn all(&self, what: &str) -> Vec<Value> {
        let url = match what {
            "volumes" => format!("{}/volumes/detail?limit=1000", self.cinder()),
            "images" => format!("{GLANCE}/images?limit=1000"),
            _ => format!("{NEUTRON}/{what}"),
        };
        self.get(&url)[what].as_array().unwrap().clone()
    }

    /// What belongs to a site, by its owner's mark wherever a test or the program writes one.
    pub fn resources(&self, what: &str, owner: &str) -> Vec<Value> {
        let ours = |thing: &Value| {
            let text = |key: &str| thing[key].as_str().unwrap_or_default().to_owned();
            text("description").contains(owner)
                || text("name").starts_with(owner)
                || thing["metadata"]["mita-owner"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(owner))
        };
        self.all(what).into_iter().filter(ours).collect()
    }

    /// Removes all that the tests of an owner made, of this run or an earlier one that was cut off, and waits for it.
    /// The prefix of all owners removes that of all.
    pub fn clean(&self, owner: &str) {
        let ours = |server: &Value| {
            let metadata = &server["metadata"];
            [&metadata["mita-owner"], &metadata[FOREIGN]]
                .iter()
                .any(|mark| mark.as_str().is_some_and(|mark| mark.starts_with(owner)))
        };
        poll("the servers of the test are gone", || {
            let left: Vec<Value> = self.servers().into_iter().filter(ours).collect();
            let deleting = |server: &&Value| server["OS-EXT-STS:task_state"] != "deleting";
            for server in left.iter().filter(deleting) {
                let id = server["id"].as_str().unwrap();
                self.ask("DELETE", &format!("{NOVA}/servers/{id}"), None);
            }
            left.is_empty().then_some(())
        });
        for what in ["floatingips", "ports", "volumes", "images"] {
            let base = match what {
                "volumes" => self.cinder(),
                "images" => GLANCE.to_owned(),
                _ => NEUTRON.to_owned(),
            };
            poll(&format!("the {what} of the test are gone"), || {
                let left = self.resources(what, owner);
                for thing in left.iter().filter(|thing| thing["status"] != "deleting") {
                    let id = thing["id"].as_str().unwrap();
                    self.ask("DELETE", &format!("{base}/{what}/{id}"), None);
                }
                left.is_empty().then_some(())
            });
        }
    }
}
