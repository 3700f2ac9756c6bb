//! The fake Jenkins over HTTP: who asks, which page, what it answers. What is true of jobs and nodes is in `model`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::http_server::{Delivery, Reply, Request, Server};
use super::jenkins_pages::{bare, escaped, http_date, no_crumb, unauthorized};
use super::model::{Agent, Item, Jenkins, Mark, Ssh, Stage, Task, TaskClass, User, hash, secret_of};
use super::query::{decoded, pairs};
use super::script::{Call, Service, run_acts};
use super::tree::{Tree, default_view};
use super::world::{State, World};

/// What Jenkins splits the labels of a node at; other blanks are parts of a label.
const DELIMITERS: [char; 4] = [' ', '\t', '\r', '\n'];

const ADMINISTER: &str = "hudson.model.Hudson.Administer";
const DISCONNECT: &str = "hudson.model.Computer.Disconnect";

/// A Jenkins on a port of its own.
pub struct FakeJenkins {
    server: Server,
    context: String,
}

impl FakeJenkins {
    /// Starts it under a context path: `/jenkins`, or empty.
    pub fn start(world: &World, context: &str) -> Self {
        let (world, prefix) = (world.clone(), context.to_owned());
        let server = Server::start(move |request| respond(&world, &prefix, request));
        Self {
            server,
            context: context.to_owned(),
        }
    }

    /// Without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.server.address, self.context)
    }

    /// The section `jenkins:` of a configuration.
    pub fn yaml(&self) -> String {
        format!("jenkins:\n  url: {}\n  user: mita\n  token: 11token\n", self.url())
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// From now on nobody is there.
    pub fn stop(&self) {
        self.server.stop();
    }
}

fn respond(world: &World, context: &str, request: Request) -> (Reply, Delivery) {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut state = world.lock();
    let inside = path.strip_prefix(context).map(str::to_owned);
    let mut call = Call {
        service: Service::Jenkins,
        cloud: String::new(),
        method: request.method,
        path: inside.clone().unwrap_or_else(|| path.to_owned()),
        query: query.to_owned(),
        headers: request.headers,
        body: request.body,
        at: state.clock,
        status: 0,
    };
    run_acts(&mut state, &call, false);
    let fault = state.script.fault_for(&call);
    let host = call.headers.get("host").cloned().unwrap_or_default();
    let carry_out = |state: &mut State, call: &Call| {
        state.settle();
        let reply = match inside {
            Some(_) => answer(state, call, &format!("http://{host}{context}/")),
            None => Reply::html(404, "<html><body><h2>HTTP ERROR 404 Not Found</h2></body></html>"),
        };
        state.settle();
        reply.header("Date", http_date(state.clock + state.jenkins.ahead))
    };
    let (reply, delivery) = match fault {
        None => (carry_out(&mut state, &call), Delivery::Whole),
        Some(fault) => {
            let good = fault.does().then(|| carry_out(&mut state, &call));
            fault.spoil(good)
        }
    };
    call.status = if matches!(delivery, Delivery::Drop) {
        0
    } else {
        reply.status
    };
    state.calls.push(call.clone());
    run_acts(&mut state, &call, true);
    (reply, delivery)
}

enum Who {
    Nobody,
    /// By API token: needs no crumb.
    Token(User),
    /// By password or session: a POST needs a crumb.
    Password(User),
}

/// Basic first, unless a logged-in session rides along; wrong credentials are an error.
fn who(jenkins: &Jenkins, call: &Call) -> Result<Who, ()> {
    let cookie = call.headers.get("cookie").map_or("", String::as_str);
    let session = cookie
        .split(';')
        .find_map(|c| c.trim().strip_prefix("JSESSIONID.fake="));
    if let Some(Some(name)) = session.and_then(|s| jenkins.sessions.get(s)) {
        let user = jenkins.users.iter().find(|u| u.name == *name).ok_or(())?;
        return Ok(Who::Password(user.clone()));
    }
    let Some(header) = call.headers.get("authorization") else {
        return Ok(Who::Nobody);
    };
    let encoded = header.strip_prefix("Basic ").ok_or(())?;
    let text = String::from_utf8(STANDARD.decode(encoded).map_err(|_| ())?).map_err(|_| ())?;
    let (name, secret) = text.split_once(':').ok_or(())?;
    let user = jenkins.users.iter().find(|u| u.name == name).ok_or(())?;
    if user.token == secret {
        Ok(Who::Token(user.clone()))
    } else if user.password.as_deref() == Some(secret) {
        Ok(Who::Password(user.clone()))
    } else {
        Err(())
    }
}

/// Whether the words are to be German: the header's first language, or without one the JVM's.
fn wants_german(jenkins: &Jenkins, call: &Call) -> bool {
    let asked = call.headers.get("accept-language").map(|l| l.trim());
    match jenkins.language.as_deref().or(asked) {
        None | Some("") => jenkins.german,
        Some(language) => language.to_ascii_lowercase().starts_with("de"),
    }
}

fn answer(state: &mut State, call: &Call, root: &str) -> Reply {
    let german = wants_german(&state.jenkins, call);
    let Ok(identity) = who(&state.jenkins, call) else {
        return unauthorized(&call.path);
    };
    if state.jenkins.starting {
        return state.jenkins.starting_page(german);
    }
    if call.path == "/login" {
        return state.jenkins.page(200, "Sign in");
    }
    let get = matches!(call.method.as_str(), "GET" | "HEAD");
    // Whoever asks.
    if get && call.path == "/jnlpJars/agent.jar" {
        let mut jar = Reply::new(200).header("Content-Type", "application/java-archive");
        jar.body = b"PK agent".to_vec();
        return jar;
    }
    let user = match identity {
        Who::Nobody if get => return state.jenkins.login_first(&call.path),
        Who::Nobody => return no_crumb(&call.path),
        Who::Token(user) => {
            if !get && state.jenkins.token_needs_crumb() && !has_crumb(&state.jenkins, call) {
                return no_crumb(&call.path);
            }
            user
        }
        Who::Password(user) => {
            if !get && state.jenkins.crumbs && !has_crumb(&state.jenkins, call) {
                return no_crumb(&call.path);
            }
            user
        }
    };
    if !user.may("hudson.model.Hudson.Read") {
        return state.jenkins.forbidden(&user, "hudson.model.Hudson.Read");
    }
    let page = Page {
        call,
        user: &user,
        root,
        german,
        get,
    };
    page.answer(state)
}

fn has_crumb(jenkins: &Jenkins, call: &Call) -> bool {
    let cookie = call.headers.get("cookie").map_or("", String::as_str);
    let session = cookie
        .split(';')
        .find_map(|c| c.trim().strip_prefix("JSESSIONID.fake="))
        .unwrap_or("");
    let field = jenkins.crumb_field().to_ascii_lowercase();
    let sent = call.headers.get(&field);
    if !jenkins.at_least(176) {
        // It is bound to the client's address, which is the same here whoever asks.
        return sent.is_some_and(|sent| jenkins.sessions.keys().any(|session| *sent == crumb(session)));
    }
    let good = jenkins.sessions.contains_key(session);
    good && sent.is_some_and(|c| *c == crumb(session))
}

fn crumb(session: &str) -> String {
    format!("{:016x}", hash(&["crumb", session])).repeat(4)
}

struct Page<'a> {
    call: &'a Call,
    user: &'a User,
    root: &'a str,
    german: bool,
    get: bool,
}

impl Page<'_> {
    fn answer(&self, state: &mut State) -> Reply {
        let decoded_path = decoded(&self.call.path, false);
        let raw: Vec<&str> = self.call.path.split('/').filter(|s| !s.is_empty()).collect();
        let steps: Vec<String> = raw.iter().map(|s| decoded(s, false)).collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        match steps.as_slice() {
            [] => state.jenkins.page(200, "Dashboard"),
            ["api", "json"] => self.api(state, &root_json(&state.jenkins, self.root), &[]),
            ["me", "api", "json"] => self.api(
                state,
                &json!({"_class": "hudson.model.User", "id": self.user.name, "fullName": self.user.name}),
                &[],
            ),
            ["crumbIssuer", "api", "json"] => self.crumb_issuer(state),
            ["queue", "api", "json"] => self.queue(state),
            ["script"] if self.user.may(ADMINISTER) => state.jenkins.page(200, "Script Console"),
            ["script"] => state.jenkins.forbidden(self.user, ADMINISTER),
            ["scriptText"] => self.script_text(state),
            ["queue", "item", id, "api", "json"] => self.queue_item(state, id),
            ["computer"] => state.jenkins.page(200, "Nodes"),
            ["computer", "api", "json"] => {
                let mut all = computers(state, self.root, self.german);
                for computer in all["computer"].as_array_mut().into_iter().flatten() {
                    self.hide_builds(computer);
                }
                self.api(state, &all, &hidden_of_computers("computer."))
            }
            ["computer", "doCreateItem"] if !self.get => self.create_by_form(state),
            ["computer", "createItem"] if !self.get && state.jenkins.at_least(539) => self.create_by_xml(state),
            ["computer", name] => self.node(state, name, ""),
            ["computer", name, "api", "json"] => self.node(state, name, "api"),
            ["computer", name, verb] => self.node(state, name, verb),
            ["label", .., "api", "json"] => {
                let text = decoded_path.trim_start_matches("/label/").trim_end_matches("/api/json");
                let value = label_json(&state.jenkins, text);
                self.api(state, &value, &[])
            }
            ["job", .., "config.xml"] => self.job_config(state, &steps),
            // The help of what a plugin adds; the header names the plugin.
            ["descriptorByName", "hudson.plugins.sshslaves.SSHLauncher", "help"] if state.jenkins.ssh_plugin => state
                .jenkins
                .page(200, "Help")
                .header("X-Plugin-Short-Name", "ssh-slaves"),
            ["quietDown" | "cancelQuietDown"] if !self.get => self.quiet_down(state, steps[0] == "quietDown"),
            _ => state.jenkins.missing(),
        }
    }

    fn api(&self, state: &State, value: &Value, hidden: &[String]) -> Reply {
        match self.call.parameter("tree") {
            Some(text) => match Tree::read(&text) {
                Some(tree) => state.jenkins.api(self.root, &tree.prune(value)),
                None => state.jenkins.page(500, "Oops!"),
            },
            None if self.call.parameter("depth").is_some_and(|d| d != "0") => state.jenkins.api(self.root, value),
            None => {
                let mut value = value.clone();
                let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
                default_view(&mut value, &hidden);
                state.jenkins.api(self.root, &value)
            }
        }
    }

    /// Without Job/Read an executor is busy with nothing.
    fn hide_builds(&self, computer: &mut Value) {
        if !self.user.may("hudson.model.Item.Read") {
            for executor in computer["executors"].as_array_mut().into_iter().flatten() {
                executor["currentExecutable"] = Value::Null;
            }
        }
    }

    fn crumb_issuer(&self, state: &mut State) -> Reply {
        if !state.jenkins.crumbs {
            return state.jenkins.missing();
        }
        let session = format!("node0{}", state.random.hex(20));
        let by_password = matches!(who(&state.jenkins, self.call), Ok(Who::Password(_)));
        let user = by_password.then(|| self.user.name.clone());
        state.jenkins.sessions.insert(session.clone(), user);
        let body = json!({"_class": "hudson.security.csrf.DefaultCrumbIssuer", "crumb": crumb(&session),
            "crumbRequestField": state.jenkins.crumb_field()});
        state
            .jenkins
            .api(self.root, &body)
            .header("Set-Cookie", format!("JSESSIONID.fake={session}; Path=/"))
    }

    fn queue(&self, state: &State) -> Reply {
        let readable = self.user.may("hudson.model.Item.Read");
        let mut items: Vec<&Item> = state.jenkins.queue.iter().filter(|_| readable).collect();
        // Waiting, blocked, then buildable and pending from the newest to the oldest.
        items.sort_by_key(|i| match i.stage {
            Stage::Waiting { .. } => (0, i.id),
            Stage::Blocked => (1, i.id),
            Stage::Buildable => (2, u64::MAX - i.id),
            Stage::Pending => (3, u64::MAX - i.id),
        });
        let items: Vec<Value> = items
            .into_iter()
            .map(|i| item_json(state, i, self.root, self.german))
            .collect();
        let discoverable = !readable && self.user.may("hudson.model.Item.Discover");
        let names = state.jenkins.queue.iter().filter(|_| discoverable);
        let hidden: Vec<Value> = names.map(|i| json!({"task": {"name": short_name(&i.task)}})).collect();
        let value = json!({"_class": "hudson.model.Queue", "discoverableItems": hidden, "items": items});
        self.api(state, &value, &hidden_of_items("items."))
    }

    /// The script console. The only script it can run is the one that tells the queue's labels.
    fn script_text(&self, state: &State) -> Reply {
        if self.get {
            return state.jenkins.page(405, "Method Not Allowed");
        }
        if !self.user.may(ADMINISTER) {
            return state.jenkins.forbidden(self.user, ADMINISTER);
        }
        let form = String::from_utf8_lossy(&self.call.body).into_owned();
        let script = pairs(&form).into_iter().find(|(name, _)| name == "script");
        let script = script.map(|(_, text)| text).unwrap_or_default();
        if !script.contains("queue.items") || !script.contains("assignedLabel") {
            return Reply::typed(
                200,
                "text/plain;charset=utf-8",
                "groovy.lang.MissingPropertyException: No such property",
            );
        }
        let items = state.jenkins.queue.iter();
        if !script.contains("catch") && items.clone().any(|i| i.task.throws) {
            return Reply::typed(
                200,
                "text/plain;charset=utf-8",
                "java.lang.AssertionError\n\tat hudson.model",
            );
        }
        let labels: Vec<Value> = items
            .map(|i| match i.task.throws {
                true => json!([i.id]),
                false => json!([i.id, i.task.asked().map(|label| label.printed())]),
            })
            .collect();
        Reply::typed(200, "text/plain;charset=utf-8", format!("{}\n", Value::from(labels)))
    }

    fn queue_item(&self, state: &State, id: &str) -> Reply {
        let id: u64 = id.parse().unwrap_or(0);
        if let Some(item) = state.jenkins.queue.iter().find(|i| i.id == id) {
            let value = item_json(state, item, self.root, self.german);
            return self.api(state, &value, &hidden_of_items(""));
        }
        let left = state.jenkins.builds.iter().find(|b| b.item == id);
        if left.is_none() && !state.jenkins.cancelled.contains_key(&id) {
            return state.jenkins.missing();
        }
        let executable = left.map(|b| {
            json!({"_class": "hudson.model.FreeStyleBuild", "number": b.number,
                "url": format!("{}{}{}/", self.root, job_path(&b.job), b.number)})
        });
        let value = json!({"_class": "hudson.model.Queue$LeftItem", "id": id, "why": null, "blocked": false,
            "buildable": false, "stuck": false, "cancelled": left.is_none(), "executable": executable});
        self.api(state, &value, &[])
    }

    fn quiet_down(&self, state: &mut State, on: bool) -> Reply {
        if !self.user.may("hudson.model.Hudson.Administer") {
            return state.jenkins.forbidden(self.user, "hudson.model.Hudson.Administer");
        }
        state.jenkins.quieting_down = on;
        Reply::redirect(302, self.root)
    }

    fn job_config(&self, state: &State, steps: &[&str]) -> Reply {
        let parts = &steps[..steps.len() - 1];
        let names: Vec<&str> = parts
            .iter()
            .enumerate()
            .filter(|(at, _)| at % 2 == 1)
            .map(|(_, s)| *s)
            .collect();
        let full = names.join("/");
        if !self.user.may("hudson.model.Item.ExtendedRead") {
            return state.jenkins.forbidden(self.user, "hudson.model.Item.ExtendedRead");
        }
        let xml = state
            .jenkins
            .config_xml
            .get(&full)
            .cloned()
            .or_else(|| generated_config(&state.jenkins, &full));
        match xml {
            Some(xml) => Reply::typed(200, "application/xml", xml),
            None => state.jenkins.missing(),
        }
    }

    fn node(&self, state: &mut State, name: &str, verb: &str) -> Reply {
        if matches!(name, "(built-in)" | "(master)") {
            return match verb {
                "api" => {
                    let value = builtin_json(&state.jenkins, self.root, self.german);
                    self.api(state, &value, &hidden_of_computers(""))
                }
                "doDelete" | "config.xml" => Reply::new(400),
                _ => state.jenkins.missing(),
            };
        }
        let Some(agent) = state.jenkins.agents.get(name).cloned() else {
            return state.jenkins.missing();
        };
        let changes = [
            "changeOfflineCause",
            "toggleOffline",
            "doDelete",
            "doDisconnect",
            "launchSlaveAgent",
        ];
        if changes.contains(&verb) {
            return if self.get {
                state.jenkins.page(405, "Method Not Allowed")
            } else {
                self.change(state, &agent, verb)
            };
        }
        match verb {
            "" => {
                // What the user may do is on the page.
                let mut page = state.jenkins.page(200, name);
                for (permission, link) in [
                    (DISCONNECT, "markOffline"),
                    ("hudson.model.Computer.Delete", "doDelete"),
                ] {
                    if self.user.may(permission) {
                        page.body.extend(format!("<a href='{link}'>").bytes());
                    }
                }
                page
            }
            "api" => {
                let mut value = agent_json(state, &agent, self.root, self.german);
                self.hide_builds(&mut value);
                self.api(state, &value, &hidden_of_computers(""))
            }
            "config.xml" if !self.user.may("hudson.model.Computer.Configure") => {
                state.jenkins.forbidden(self.user, "hudson.model.Computer.Configure")
            }
            "config.xml" if self.get => Reply::typed(200, "application/xml", node_config(&agent)),
            "config.xml" => {
                // The whole node object is replaced; an offline mark goes with the old one.
                state.jenkins.agent(name).mark = None;
                Reply::new(200)
            }
            "jenkins-agent.jnlp" | "slave-agent.jnlp" if !self.user.may("hudson.model.Computer.Connect") => {
                state.jenkins.forbidden(self.user, "hudson.model.Computer.Connect")
            }
            "jenkins-agent.jnlp" if !state.jenkins.at_least(264) => state.jenkins.missing(),
            "jenkins-agent.jnlp" | "slave-agent.jnlp" => {
                Reply::typed(200, "application/x-java-jnlp-file", jnlp(&agent, self.root))
            }
            _ => state.jenkins.missing(),
        }
    }

    fn change(&self, state: &mut State, agent: &Agent, verb: &str) -> Reply {
        let needed = match verb {
            "doDelete" => "hudson.model.Computer.Delete",
            "launchSlaveAgent" => "hudson.model.Computer.Connect",
            "toggleOffline" if agent.mark.is_some() => "hudson.model.Computer.Connect",
            _ => DISCONNECT,
        };
        if !self.user.may(needed) {
            return state.jenkins.forbidden(self.user, needed);
        }
        let clock = state.clock;
        let mark = Mark::by(&self.user.name, &self.message(), clock);
        match verb {
            "doDelete" => {
                state.jenkins.delete(&agent.name, clock);
                return Reply::redirect(302, &format!("{}computer/", self.root));
            }
            "toggleOffline" if agent.mark.is_some() => state.jenkins.agent(&agent.name).mark = None,
            "changeOfflineCause" | "toggleOffline" => state.jenkins.set_mark(&agent.name, mark, clock),
            "doDisconnect" if agent.connected => state.jenkins.disconnect(&agent.name, mark),
            _ => {}
        }
        let page = if verb == "launchSlaveAgent" { "log" } else { "" };
        Reply::redirect(302, &format!("{}computer/{}/{page}", self.root, encoded(&agent.name)))
    }

    /// The offline message, from the query or a form.
    fn message(&self) -> String {
        let form = String::from_utf8_lossy(&self.call.body).into_owned();
        let from_form = || {
            pairs(&form)
                .into_iter()
                .find(|(n, _)| n == "offlineMessage")
                .map(|(_, v)| v)
        };
        self.call
            .parameter("offlineMessage")
            .or_else(from_form)
            .unwrap_or_default()
    }

    fn create_by_form(&self, state: &mut State) -> Reply {
        if !self.user.may("hudson.model.Computer.Create") {
            return state.jenkins.forbidden(self.user, "hudson.model.Computer.Create");
        }
        let body = String::from_utf8_lossy(&self.call.body).into_owned();
        let form: BTreeMap<String, String> = pairs(&self.call.query).into_iter().chain(pairs(&body)).collect();
        let name = form.get("name").cloned().unwrap_or_default();
        if let Some(refusal) = refusal(&state.jenkins, &name) {
            return state.jenkins.page(400, "Error").header("X-Error", refusal);
        }
        let Some(Ok(Value::Object(json))) = form.get("json").map(|j| serde_json::from_str(j)) else {
            return match form.get("json") {
                None => bare(400, "This page expects a form submission", &self.call.path),
                Some(_) => state.jenkins.page(500, "Jenkins"),
            };
        };
        if !form
            .get("type")
            .is_some_and(|t| t.starts_with("hudson.slaves.DumbSlave"))
        {
            return state.jenkins.page(500, "Oops!");
        }
        let Some(agent) = agent_from(&name, &json, state.jenkins.ssh_plugin) else {
            return state.jenkins.page(500, "Oops!");
        };
        state.jenkins.agents.insert(name, agent);
        Reply::redirect(302, &format!("{}computer/", self.root))
    }

    fn create_by_xml(&self, state: &mut State) -> Reply {
        if !self.user.may("hudson.model.Computer.Create") {
            return state.jenkins.forbidden(self.user, "hudson.model.Computer.Create");
        }
        let xml = String::from_utf8_lossy(&self.call.body).into_owned();
        let between = |tag: &str| {
            let rest = xml.split_once(&format!("<{tag}>"))?.1;
            Some(rest.split_once(&format!("</{tag}>"))?.0.to_owned())
        };
        if !xml.contains("</slave>") {
            return state.jenkins.page(500, "Jenkins");
        }
        let name = (self.call.parameter("name").or_else(|| between("name"))).unwrap_or_default();
        if refusal(&state.jenkins, &name).is_some() {
            let error = format!("Node '{name}' already exists");
            return state.jenkins.page(400, "Error").header("X-Error", error);
        }
        let labels = between("label").unwrap_or_default();
        let executors = between("numExecutors").and_then(|n| n.parse().ok()).unwrap_or(1);
        let labels: Vec<&str> = labels.split(DELIMITERS).filter(|label| !label.is_empty()).collect();
        let agent = Agent::new(&name, &labels).executors(executors);
        state.jenkins.agents.insert(name, agent);
        Reply::new(200)
    }
}

/// Why a node of that name cannot be made.
fn refusal(jenkins: &Jenkins, name: &str) -> Option<String> {
    if jenkins.agents.contains_key(name) {
        // The quotes around the name are lost on the way through the header.
        return Some(format!("Agent called  {name}  already exists"));
    }
    // Each text has lost its quotes, too.
    if name.is_empty() {
        return Some("Query parameter 'name' is required".to_owned());
    }
    if name == "." || name == ".." {
        return Some(format!("{name}  is not an allowed name"));
    }
    if name.ends_with('.') {
        return Some("A name cannot end with  . ".to_owned());
    }
    if let Some(bad) = name.chars().find(|c| "?*/\\%!@#$^&|<>[]:;".contains(*c)) {
        return Some(format!("{bad}  is an unsafe character"));
    }
    name.contains(char::is_control)
        .then(|| "No control code is allowed".to_owned())
}

fn agent_from(name: &str, json: &Map<String, Value>, ssh_plugin: bool) -> Option<Agent> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
    let labels: Vec<&str> = text("labelString")
        .split(DELIMITERS)
        .filter(|label| !label.is_empty())
        .collect();
    let executors = match json.get("numExecutors") {
        Some(Value::Number(n)) => n.as_i64().unwrap_or(0),
        Some(Value::String(s)) => s.parse().unwrap_or(-1),
        _ => 1,
    };
    let mut agent = Agent::new(name, &labels).executors(u32::try_from(executors).unwrap_or(0));
    match text("mode") {
        "" | "NORMAL" => {}
        "EXCLUSIVE" => agent.exclusive = true,
        _ => return None,
    }
    text("nodeDescription").clone_into(&mut agent.description);
    text("remoteFS").clone_into(&mut agent.remote_dir);
    let launcher = json
        .get("launcher")
        .and_then(|l| l.get("$class").or_else(|| l.get("stapler-class")));
    if let Some(class) = launcher.and_then(Value::as_str) {
        class.clone_into(&mut agent.launcher);
        agent.inbound = class == "hudson.slaves.JNLPLauncher";
        if class == "hudson.plugins.sshslaves.SSHLauncher" {
            // Without the plugin there is no such class.
            agent.ssh = Some(ssh_of(json.get("launcher")?).filter(|_| ssh_plugin)?);
        }
    }
    Some(agent)
}

/// What the SSH launcher is told; left out, the host key is not verified.
fn ssh_of(launcher: &Value) -> Option<Ssh> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let verifier = &launcher["sshHostKeyVerificationStrategy"];
    let class = text(verifier, "$class").or_else(|| text(verifier, "stapler-class"));
    let class = class.unwrap_or_else(|| "NonVerifyingKeyVerificationStrategy".to_owned());
    Some(Ssh {
        host: text(launcher, "host")?,
        port: launcher["port"].as_u64().filter(|port| *port > 0).unwrap_or(22),
        credentials: text(launcher, "credentialsId")?,
        strategy: class.rsplit('.').next().unwrap_or_default().to_owned(),
        key: text(verifier, "key"),
    })
}

fn root_json(jenkins: &Jenkins, root: &str) -> Value {
    json!({"_class": "hudson.model.Hudson", "assignedLabels": [{"name": jenkins.builtin_label()}], "mode": "NORMAL",
        "nodeDescription": "the Jenkins controller's built-in node", "nodeName": "",
        "numExecutors": jenkins.builtin_executors, "description": null, "jobs": [], "quietDownReason": null,
        "quietingDown": jenkins.quieting_down, "slaveAgentPort": 0, "url": root, "useCrumbs": jenkins.crumbs,
        "useSecurity": true, "views": [{"_class": "hudson.model.AllView", "name": "all", "url": root}]})
}

fn hidden_of_items(at: &str) -> Vec<String> {
    [
        "task.fullName",
        "task.fullDisplayName",
        "task.displayName",
        "task.labelExpression",
    ]
    .map(|p| format!("{at}{p}"))
    .to_vec()
}

fn hidden_of_computers(at: &str) -> Vec<String> {
    [
        "executors.*",
        "oneOffExecutors.*",
        "offlineCause.description",
        "offlineCause.timestamp",
    ]
    .map(|p| format!("{at}{p}"))
    .to_vec()
}

/// The name of a task without the folders around it.
fn short_name(task: &Task) -> &str {
    task.name.rsplit('/').next().unwrap_or(&task.name)
}

/// `job/a/job/b/` of a full name.
fn job_path(full: &str) -> String {
    let names: Vec<String> = full.split('/').map(encoded).collect();
    format!("job/{}/", names.join("/job/"))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%5F", "_")
}

fn item_json(state: &State, item: &Item, root: &str, german: bool) -> Value {
    let jenkins = &state.jenkins;
    let class = match item.stage {
        Stage::Waiting { .. } => "hudson.model.Queue$WaitingItem",
        Stage::Blocked => "hudson.model.Queue$BlockedItem",
        Stage::Buildable | Stage::Pending => "hudson.model.Queue$BuildableItem",
    };
    let buildable = matches!(item.stage, Stage::Buildable | Stage::Pending);
    let mut value = json!({"_class": class, "actions": [{"_class": "hudson.model.CauseAction", "causes": [
        {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "Started by user admin", "userId": "admin",
         "userName": "admin"}]}], "blocked": item.stage == Stage::Blocked, "buildable": buildable, "id": item.id,
        "inQueueSince": (item.since + jenkins.ahead) * 1000, "params": "", "stuck": jenkins.stuck(item, state.clock),
        "task": task_json(jenkins, item, root), "url": format!("queue/item/{}/", item.id),
        "why": jenkins.why(item, german, state.clock)});
    match item.stage {
        Stage::Waiting { until } => value["timestamp"] = json!(until * 1000),
        _ => value["buildableStartMilliseconds"] = json!(item.buildable_since * 1000),
    }
    if buildable {
        value["pending"] = json!(item.stage == Stage::Pending);
    }
    value
}

fn task_json(jenkins: &Jenkins, item: &Item, root: &str) -> Value {
    let task = &item.task;
    let short = short_name(task);
    match &task.class {
        TaskClass::FreeStyle => {
            let mut value = json!({"_class": "hudson.model.FreeStyleProject", "name": short, "color": "notbuilt",
                "fullName": task.name, "displayName": short, "fullDisplayName": task.name.replace('/', " » "),
                "url": format!("{root}{}", job_path(&task.name))});
            if jenkins.at_least(94) {
                value["labelExpression"] = json!(task.job_label().map(exported_label));
            }
            value
        }
        TaskClass::MatrixChild { parent } => {
            let mut value = json!({"_class": "hudson.matrix.MatrixConfiguration", "name": short, "color": "notbuilt",
                "fullName": format!("{parent}/{}", task.name), "displayName": short,
                "fullDisplayName": format!("{parent} » {}", task.name),
                "url": format!("{root}{}{}/", job_path(parent), task.name)});
            if jenkins.at_least(94) {
                value["labelExpression"] = Value::Null;
            }
            value
        }
        TaskClass::PipelinePart { run } => {
            let name = format!("part of {} #{run}", task.name.replace('/', " » "));
            json!({"_class": "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask",
                "name": name, "fullDisplayName": name, "url": format!("{}{run}/", job_path(&task.name))})
        }
    }
}

/// The label as the user wrote it; a text that is no expression is told as one quoted atom.
fn exported_label(raw: &str) -> String {
    match mita::labels::parse(raw) {
        Ok(_) => raw.to_owned(),
        Err(_) => format!("\"{}\"", raw.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

fn computers(state: &State, root: &str, german: bool) -> Value {
    let agents = state.jenkins.agents.values().filter(|a| !a.executors.is_empty());
    let listed: Vec<Value> = std::iter::once(builtin_json(&state.jenkins, root, german))
        .chain(
            agents
                .clone()
                .filter(|a| !a.unlisted)
                .map(|a| agent_json(state, a, root, german)),
        )
        .collect();
    let busy: usize = agents.clone().map(|a| a.executors.len() - a.free()).sum();
    let total: usize = agents.filter(|a| !a.offline()).map(|a| a.executors.len()).sum();
    json!({"_class": "hudson.model.ComputerSet", "busyExecutors": busy, "computer": listed, "displayName": "Nodes",
        "totalExecutors": total})
}

fn computer_json(jenkins: &Jenkins, labels: &[String], slots: &[Option<usize>], root: &str) -> Value {
    let executors: Vec<Value> = slots
        .iter()
        .enumerate()
        .map(|(number, slot)| {
            let build = slot.map(|at| &jenkins.builds[at]);
            // A work unit makes the executor busy before there is a build.
            let executable = build.filter(|b| b.unit.is_none()).map(|b| {
                json!({"_class": "hudson.model.FreeStyleBuild", "number": b.number, "queueId": b.item,
                    "fullDisplayName": format!("{} #{}", b.job, b.number),
                    "url": format!("{root}{}{}/", job_path(&b.job), b.number)})
            });
            json!({"currentExecutable": executable, "idle": build.is_none(), "likelyStuck": false, "number": number,
                "progress": if build.is_some() { 50 } else { -1 }})
        })
        .collect();
    let idle = slots.iter().all(Option::is_none);
    let mut value = json!({"actions": [], "executors": executors, "icon": "symbol-computer",
        "iconClassName": "symbol-computer", "idle": idle, "loadStatistics": {"_class": "hudson.model.Label$1"},
        "manualLaunchAllowed": true, "monitorData": {}, "numExecutors": slots.len(), "oneOffExecutors": []});
    if jenkins.at_least(94) {
        value["assignedLabels"] = labels.iter().map(|l| json!({"name": l})).collect();
    }
    value
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn builtin_json(jenkins: &Jenkins, root: &str, german: bool) -> Value {
    let mut value = computer_json(
        jenkins,
        &[jenkins.builtin_label().to_owned()],
        &jenkins.builtin_builds,
        root,
    );
    let more = json!({"_class": "hudson.model.Hudson$MasterComputer",
        "description": "the Jenkins controller's built-in node", "displayName": jenkins.builtin_name(german),
        "jnlpAgent": false, "launchSupported": true, "offline": false, "offlineCause": null, "offlineCauseReason": "",
        "temporarilyOffline": false});
    extend(&mut value, more);
    value
}

fn agent_json(state: &State, agent: &Agent, root: &str, german: bool) -> Value {
    let labels: Vec<String> = agent.labels.iter().cloned().chain([agent.name.clone()]).collect();
    let mut value = computer_json(&state.jenkins, &labels, &agent.executors, root);
    let (cause, reason) = offline_cause(agent, german);
    let path = agent.connected.then_some(&agent.remote_dir);
    let more = json!({"_class": "hudson.slaves.SlaveComputer", "description": agent.description,
        "displayName": agent.name, "jnlpAgent": agent.inbound, "launchSupported": !agent.inbound,
        "offline": agent.offline(), "offlineCause": cause, "offlineCauseReason": reason,
        "temporarilyOffline": agent.mark.is_some(), "absoluteRemotePath": path});
    extend(&mut value, more);
    if agent.offline() {
        let icon = json!({"icon": "symbol-computer-disconnected", "iconClassName": "symbol-computer-disconnected"});
        extend(&mut value, icon);
    }
    value
}

/// The cause object and the reason text. Marks come first, then removal, then why the channel is gone.
fn offline_cause(agent: &Agent, german: bool) -> (Value, String) {
    if let Some(at) = agent.removed {
        let cause = json!({"_class": "hudson.slaves.OfflineCause$SimpleOfflineCause", "timestamp": at * 1000});
        return (cause, "Node is being removed".to_owned());
    }
    let Some(mark) = agent
        .mark
        .as_ref()
        .or(agent.cause.as_ref().filter(|_| !agent.connected))
    else {
        return (Value::Null, String::new());
    };
    let mut cause = json!({"_class": mark.class, "timestamp": mark.at * 1000});
    let reason = match mark.class.rsplit('$').next() {
        Some("ChannelTermination") => "Connection was broken",
        Some("LaunchFailed") => "This agent is offline because Jenkins failed to launch the agent process on it.",
        Some("UserCause") => {
            let by = if german {
                "Getrennt durch Benutzer"
            } else {
                "Disconnected by"
            };
            let whole = format!("{by} {} : {}", mark.by, mark.message);
            cause["description"] = json!(whole.trim_end_matches(" : "));
            // The prefix is stripped greedily: of `a : b` only `b` is left.
            mark.message.rsplit(" : ").next().unwrap_or_default()
        }
        _ => &mark.message,
    };
    (cause, escaped(reason))
}

fn label_json(jenkins: &Jenkins, text: &str) -> Value {
    let asked = super::label::Asked::read(text);
    let fitting: Vec<&Agent> = jenkins
        .nodes()
        .filter(|a| asked.as_ref().is_some_and(|l| l.matches(&a.all_labels())))
        .collect();
    let nodes: Vec<Value> = fitting
        .iter()
        .map(|a| {
            let labels: Vec<Value> = a.all_labels().iter().map(|l| json!({"name": l})).collect();
            json!({"_class": "hudson.slaves.DumbSlave", "nodeName": a.name, "numExecutors": a.executors.len(),
                "mode": if a.exclusive { "EXCLUSIVE" } else { "NORMAL" }, "assignedLabels": labels})
        })
        .collect();
    let online = || fitting.iter().filter(|a| !a.offline());
    json!({"_class": "hudson.model.labels.LabelAtom", "name": text, "nodes": nodes, "clouds": [], "tiedJobs": [],
        "offline": online().next().is_none(), "idleExecutors": online().map(|a| a.free()).sum::<usize>(),
        "totalExecutors": online().map(|a| a.executors.len()).sum::<usize>(),
        "busyExecutors": online().map(|a| a.executors.len() - a.free()).sum::<usize>()})
}

fn generated_config(jenkins: &Jenkins, full: &str) -> Option<String> {
    let queued = jenkins
        .queue
        .iter()
        .find(|i| i.task.name == full && i.task.class == TaskClass::FreeStyle);
    let label = queued.map(|i| i.task.job_label().map(str::to_owned));
    let label = label.or_else(|| {
        jenkins
            .builds
            .iter()
            .rev()
            .find(|b| b.job == full)
            .map(|b| b.label.clone())
    })?;
    let node = label.map_or_else(
        || "  <canRoam>true</canRoam>".to_owned(),
        |l| {
            format!(
                "  <assignedNode>{}</assignedNode>\n  <canRoam>false</canRoam>",
                escaped(&l)
            )
        },
    );
    Some(format!(
        "<?xml version='1.1' encoding='UTF-8'?>\n<project>\n  <actions/>\n  <description></description>\n{node}\n  <builders/>\n</project>"
    ))
}

fn node_config(agent: &Agent) -> String {
    format!(
        "<?xml version=\"1.1\" encoding=\"UTF-8\"?>\n<slave>\n  <name>{}</name>\n  <description>{}</description>\n  \
         <remoteFS>{}</remoteFS>\n  <numExecutors>{}</numExecutors>\n  <mode>{}</mode>\n  <retentionStrategy \
         class=\"hudson.slaves.RetentionStrategy$Always\"/>\n  <launcher class=\"{}\"/>\n  <label>{}</label>\n  \
         <nodeProperties/>\n</slave>",
        escaped(&agent.name),
        escaped(&agent.description),
        agent.remote_dir,
        agent.executors.len(),
        if agent.exclusive { "EXCLUSIVE" } else { "NORMAL" },
        agent.launcher,
        escaped(&agent.labels.join(" "))
    )
}

/// The agent file with the secret, which depends on the name alone.
fn jnlp(agent: &Agent, root: &str) -> String {
    let (secret, name) = (secret_of(&agent.name), escaped(&agent.name));
    let (web_socket, folder, inner) = if agent.inbound {
        ("<argument>-webSocket</argument>", agent.remote_dir.as_str(), "remoting")
    } else {
        ("", "", "")
    };
    format!(
        "<jnlp><application-desc><argument>{secret}</argument><argument>{name}</argument>{web_socket}\
         <argument>-workDir</argument><argument>{folder}</argument><argument>-internalDir</argument>\
         <argument>{inner}</argument><argument>-url</argument><argument>{root}</argument></application-desc></jnlp>"
    )
}
