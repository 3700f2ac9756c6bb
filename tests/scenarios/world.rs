//! Makes the arguments of the planner from a scenario, and asks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use jiff::{SignedDuration, Timestamp};
use mita::config::{self, Config, Template};
use mita::model::{
    Address, CloudView, Computer, Headroom, JenkinsView, NodeId, Observed, Offers, OfflineTaker, ProviderName,
    QueueItem, Reading, Resource, ResourceKind, Resources, Server, ServerStatus, Unavailable, server_name,
};
use mita::plan::{self, Asked, Context, Leak, Plan, Selector, Targets};
use mita::state::{LastPass, NodeMemory, Phase, State};
use serde_json::{Value, json};

use crate::facts;
use crate::relaxed::{changed, each_text, merge};
use crate::scenario::{Agent, By, Cloud, Item, NodeIs, OtherNode, Scenario};
use crate::text;

const PERSON: &str = "hudson.slaves.OfflineCause$UserCause";
const MONITOR: &str = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace";

/// The time between two passes.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// What a plan is made from.
pub struct World {
    observed: Observed,
    config: Config,
    state: State,
    context: Context,
}

impl World {
    /// Makes what a scenario says.
    pub fn new(scenario: &Scenario) -> Result<Self, String> {
        let config = configured(&scenario.config)?;
        let context = Context {
            now: scenario.now,
            pass: "p1".to_owned(),
            create: matches!(scenario.command.split(' ').next(), Some("run" | "provision")),
            remove: !matches!(scenario.command.split(' ').next(), Some("provision")),
            force: scenario.command == "run --force",
            created: 0,
            asked: asked(&scenario.command),
        };
        let mut world = Self {
            observed: Observed::default(),
            config,
            state: State::default(),
            context,
        };
        world.state.gaps = vec![60; 10];
        world.state.last_pass = Some(LastPass::begun("p0", scenario.now - PAUSE));
        world.observed.pauses.all.clone_from(&scenario.pauses);
        world.jenkins(scenario)?;
        world.clouds(scenario)?;
        for agent in &scenario.agents {
            world.agent(agent)?;
        }
        let mut state = scenario.state.clone();
        each_text(&mut state, &|text| {
            let template = world.config.template(text.strip_prefix("digest of ")?)?;
            Some(template.digest.clone())
        });
        world.state = changed(&world.state, &state, scenario.now)?;
        for left in (1..scenario.passes).rev() {
            world.context.now = scenario.now - PAUSE * i32::try_from(left).map_err(|error| error.to_string())?;
            world.state = plan::plan(&world.observed, &world.config, &world.state, &world.context).state;
            world.context.now = scenario.now;
        }
        Ok(world)
    }

    fn jenkins(&mut self, scenario: &Scenario) -> Result<(), String> {
        let mut view = JenkinsView {
            quieting_down: Some(false),
            ..JenkinsView::default()
        };
        let mut built_in = computer("Built-In Node", 0, NodeIs::Idle);
        built_in.built_in = true;
        view.computers.push(built_in);
        for item in &scenario.queue {
            self.items(item, &mut view.queue)?;
        }
        for node in &scenario.nodes {
            view.computers.push(self.foreign_node(node)?);
        }
        self.observed.jenkins = changed(&view, &scenario.jenkins, self.context.now)?;
        Ok(())
    }

    fn items(&self, item: &Item, queue: &mut Vec<QueueItem>) -> Result<(), String> {
        for _ in 0..item.items {
            let id = 101 + queue.len() as u64;
            let usual = facts::item(id, item.label.as_deref(), self.context.now - item.age);
            queue.push(changed(&usual, &item.with, self.context.now)?);
        }
        Ok(())
    }

    fn foreign_node(&self, node: &OtherNode) -> Result<Computer, String> {
        let mut usual = computer(&node.name, 1, node.node);
        usual.labels = Some(node.labels.iter().chain([&node.name]).cloned().collect());
        take_offline(&mut usual, node.marked.as_deref(), node.by);
        changed(&usual, &node.with, self.context.now)
    }

    fn clouds(&mut self, scenario: &Scenario) -> Result<(), String> {
        let usual = Cloud::default();
        if let Some(name) = scenario.clouds.keys().find(|name| self.config.provider(name).is_none()) {
            return Err(format!("clouds.{name}: the configuration has no such provider"));
        }
        for name in self.config.providers.keys() {
            let cloud = scenario.clouds.get(name.as_str()).unwrap_or(&usual);
            let reading = match &cloud.unreadable {
                Some(reason) => Reading::Unreadable(reason.clone()),
                None => Reading::Read(self.cloud(name, cloud)?),
            };
            self.observed.clouds.insert(name.clone(), reading);
        }
        Ok(())
    }

    fn cloud(&self, name: &ProviderName, cloud: &Cloud) -> Result<CloudView, String> {
        let now = self.context.now;
        let mut view = CloudView {
            offers: if cloud.unasked {
                None
            } else {
                Some(Reading::Read(self.offers(name, cloud)?))
            },
            resources: Some(Reading::Read(self.resources(cloud)?)),
            ..facts::cloud()
        };
        for (number, change) in cloud.servers.iter().enumerate() {
            let id = format!("other-{}", number + 1);
            let usual = facts::server(id.as_str(), &id, now - SignedDuration::from_hours(1));
            view.servers.push(changed(&usual, change, now)?);
        }
        changed(&view, &cloud.with, now)
    }

    fn offers(&self, name: &ProviderName, cloud: &Cloud) -> Result<Offers, String> {
        let now = self.context.now;
        let mut offers = Offers {
            room: changed(&Headroom::default(), &cloud.room, now)?,
            templates: BTreeMap::new(),
        };
        let here = |template: &&Template| template.placements.iter().any(|place| place.provider == *name);
        for template in self.config.templates.iter().filter(here) {
            let change = cloud.offers.get(template.name.as_str()).unwrap_or(&Value::Null);
            let offer = match cloud.lacks.get(template.name.as_str()) {
                Some(reason) => Err(Unavailable::new(reason.clone())),
                None => Ok(changed(&facts::offer("image-1", 4), change, now)?),
            };
            offers.templates.insert(template.name.clone(), offer);
        }
        Ok(offers)
    }

    fn resources(&self, cloud: &Cloud) -> Result<Resources, String> {
        let now = self.context.now;
        let usual = Resource {
            name: "198.51.100.1".to_owned(),
            created: Some(now - SignedDuration::from_hours(1)),
            ..facts::resource(ResourceKind::FloatingIp, "resource-1", None)
        };
        let all: Result<_, String> = cloud
            .resources
            .iter()
            .map(|change| changed(&usual, change, now))
            .collect();
        Ok(Resources {
            kinds: ResourceKind::ALL.into(),
            all: all?,
            ..Resources::default()
        })
    }

    /// Adds a server of ours, its Jenkins node, and what is remembered of both.
    fn agent(&mut self, agent: &Agent) -> Result<(), String> {
        let now = self.context.now;
        let template = self.config.template(&agent.template).cloned();
        let template = template.ok_or_else(|| format!("agents: no template {}", agent.template))?;
        let node = match agent.node {
            Some(node) => node,
            None if agent.server == "active" => NodeIs::Idle,
            None => NodeIs::None,
        };
        let server = server_of_ours(agent, &template, &self.config.owner, now)?;
        let memory = memory(agent, &template, node, &server);
        if agent.known {
            let memory = changed(&memory, &agent.with.memory, now)?;
            if memory.joined.is_some() {
                self.state.proved.insert(template.name.clone(), template.digest.clone());
            }
            self.state.nodes.insert(id_of(agent), memory);
        }
        if node != NodeIs::None {
            let mut usual = computer(&server.name, template.executors, node);
            usual.labels = Some(template.labels.iter().chain([&server.name]).cloned().collect());
            take_offline(&mut usual, agent.marked.as_deref(), agent.by);
            let computer = changed(&usual, &agent.with.node, now)?;
            self.observed.jenkins.computers.push(computer);
        }
        let provider = provider_of(agent, &template);
        match self.observed.clouds.get_mut(&provider) {
            Some(Reading::Read(cloud)) if agent.server != "none" => {
                cloud.servers.push(changed(&server, &agent.with.server, now)?);
            }
            Some(_) => {}
            None => return Err(format!("agents: no provider {provider}")),
        }
        Ok(())
    }

    /// Plans what a command asks for; returns the text of it. The plan keeps the rules of the audit.
    pub fn decide(&self, command: &str) -> String {
        let (verb, words) = split(command);
        let (leaks, plan) = self.plan(&verb, &words);
        let audit = match verb.as_str() {
            "run" | "provision" | "reap" => plan::audit,
            "leaks" => plan::audit_leaks,
            _ => plan::audit_destroy,
        };
        let broken = audit(&plan, &self.observed, &self.config, &self.state, &self.context);
        assert_eq!(broken, Vec::<String>::new(), "the audit refuses the plan");
        text::leaks(&leaks) + &text::plan(&plan, &self.state, &self.config, self.context.now)
    }

    fn plan(&self, verb: &str, words: &[String]) -> (Vec<Leak>, Plan) {
        let force = words.iter().any(|word| word == "--force");
        let targets = &targets(words);
        let Self {
            observed,
            config,
            state,
            context,
        } = self;
        let plan = match verb {
            "run" | "provision" | "reap" => plan::plan(observed, config, state, context),
            "destroy" => plan::destroy(observed, config, state, context, targets, force),
            "drain" => plan::drain(observed, config, state, context, targets, Some("by a scenario")),
            "undrain" => plan::undrain(observed, config, state, context, targets),
            "leaks" => return plan::leaks(observed, config, state, context),
            _ => panic!("no command {verb}"),
        };
        (Vec::new(), plan)
    }
}

/// Splits a command into its verb and the words behind it.
fn split(command: &str) -> (String, Vec<String>) {
    let mut words = command.split(' ').map(str::to_owned);
    (words.next().unwrap_or_default(), words.collect())
}

/// Returns what an option is set to: `--template=NAME`.
fn option<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// Returns the servers that `provision --template=NAME --count=N` asks for.
fn asked(command: &str) -> Option<Asked> {
    let (verb, words) = split(command);
    let template = option(&words, "--template").filter(|_| verb == "provision")?;
    let count = option(&words, "--count").map_or(1, |count| count.parse().expect("a number"));
    Some(Asked {
        template: template.into(),
        count,
    })
}

/// Returns what a command means by its names or selectors.
fn targets(words: &[String]) -> Targets {
    let (options, names): (Vec<String>, Vec<String>) = words.iter().cloned().partition(|word| word.starts_with("--"));
    if !names.is_empty() {
        return Targets::Names(names);
    }
    Targets::Selected(Selector {
        template: option(&options, "--template").map(Into::into),
        provider: option(&options, "--provider").map(Into::into),
        outdated: options.iter().any(|word| word == "--outdated"),
        confirmed: None,
    })
}

/// Reads the configuration as mita does, on top of what all scenarios have.
fn configured(own: &Value) -> Result<Config, String> {
    let mut whole = json!({
        "owner": "ci",
        "state_file": "state.json",
        "jenkins": {"url": "https://jenkins.example.com", "user": "mita", "token": "token"},
        "provider": {},
        "defaults": {"image_name": "image", "size": "m1.small"},
    });
    let login = json!({
        "type": "openstack", "auth_url": "https://keystone.example.com:5000", "username": "mita",
        "password": "password", "tenant_name": "ci", "service_region": "RegionOne",
    });
    merge(&mut whole, own);
    let providers = whole["provider"].as_object_mut().expect("a section");
    if providers.is_empty() {
        providers.insert("openstack".to_owned(), json!({}));
        whole["defaults"]["provider"] = json!("openstack");
    }
    for provider in whole["provider"].as_object_mut().expect("a section").values_mut() {
        if provider["type"].is_null() {
            let mut filled = login.clone();
            merge(&mut filled, provider);
            *provider = filled;
        }
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("mita.yaml");
    let yaml = serde_yaml::to_string(&whole).map_err(|error| error.to_string())?;
    fs::write(&file, yaml).map_err(|error| error.to_string())?;
    let loaded = config::load(&file, &|_| None).map_err(|error| format!("config:\n{error}"))?;
    Ok(loaded.config)
}

fn computer(name: &str, executors: u32, is: NodeIs) -> Computer {
    let busy = is == NodeIs::Busy;
    Computer {
        idle: !busy,
        offline: is == NodeIs::Offline,
        idle_executors: if busy { 0 } else { executors },
        ..facts::computer(name, executors)
    }
}

/// Marks a node, or disconnects it.
fn take_offline(computer: &mut Computer, marked: Option<&str>, by: By) {
    if by == By::Disconnect {
        computer.offline = true;
        computer.offline_class = Some(PERSON.to_owned());
    }
    if let Some(reason) = marked {
        computer.offline = true;
        computer.temporarily_offline = by != By::Disconnect;
        reason.clone_into(&mut computer.offline_reason);
        let class = if by == By::Monitor { MONITOR } else { PERSON };
        computer.offline_class = Some(class.to_owned());
    }
}

fn id_of(agent: &Agent) -> NodeId {
    NodeId::new(format!("{:012x}", agent.id))
}

fn provider_of(agent: &Agent, template: &Template) -> ProviderName {
    let first = || template.placements[0].provider.clone();
    agent.cloud.as_deref().map_or_else(first, ProviderName::from)
}

fn server_of_ours(agent: &Agent, template: &Template, owner: &str, now: Timestamp) -> Result<Server, String> {
    let id = id_of(agent);
    let address = format!("10.0.0.{}", agent.id).parse();
    let name = server_name(&template.name, &id);
    let mut server = facts::server(format!("server-{}", agent.id), &name, now - agent.age);
    server.addresses = vec![Address::fixed(address.map_err(|_| "an id is 1 to 255")?)];
    server.image = Some("image-1".to_owned());
    server.mark = Some(facts::mark(owner, &template.name, &id, Some(template.digest.clone())));
    match agent.server.as_str() {
        "active" | "none" => {}
        "build" => server.status = ServerStatus::Build,
        "error" => server.status = ServerStatus::Error,
        "deleting" => server.task_state = Some("deleting".to_owned()),
        other => server.status = ServerStatus::Other(other.to_owned()),
    }
    Ok(server)
}

/// Returns what the last pass remembered of a server that it saw as it is now.
fn memory(agent: &Agent, template: &Template, node: NodeIs, server: &Server) -> NodeMemory {
    let has_node = node != NodeIs::None;
    let created = server.created.expect("a time");
    let now = created + agent.age;
    let mut seen = computer(&server.name, 1, node);
    take_offline(&mut seen, agent.marked.as_deref(), agent.by);
    let taker = seen.offline_by().taker().filter(|_| has_node);
    let (idle, offline) = match (node, agent.by, &agent.marked) {
        (NodeIs::Idle, By::Monitor, Some(_)) => (None, Some(now - agent.idle)),
        (NodeIs::Idle, _, None) => (Some(now - agent.idle), None),
        (NodeIs::Offline, By::Person, None) => (None, Some(now - agent.offline)),
        _ => (None, None),
    };
    NodeMemory {
        busy_seconds: 0,
        idle_seconds: 0,
        template: template.name.clone(),
        provider: provider_of(agent, template),
        zone: None,
        image: server.image.clone(),
        name: server.name.clone(),
        server_id: server.id.clone(),
        created,
        joined: agent.joined.unwrap_or(has_node).then_some(created),
        idle_since: idle,
        offline_since: offline,
        jenkins_node: has_node.then(|| server.name.as_str().into()),
        missing: None,
        failure_counted: false,
        failure_noted: false,
        unlisted: None,
        held_since: None,
        held_by: None,
        delete_failed: false,
        deleted: false,
        deleting_since: None,
        had: BTreeSet::new(),
        volumes_settled: template.spec.storage.is_none() && template.spec.boot_volume.is_none(),
        adopted: false,
        builds: None,
        draining_since: None,
        undrained: None,
        phase: match node {
            _ if agent.server == "error" => Phase::Error,
            _ if taker == Some(OfflineTaker::Mita) => Phase::Draining,
            _ if taker.is_some() => Phase::Offline,
            NodeIs::Idle => Phase::Idle,
            NodeIs::Busy => Phase::Busy,
            NodeIs::Offline => Phase::Offline,
            NodeIs::None => Phase::Booting,
        },
        phase_since: None,
        offline_by: taker,
    }
}
