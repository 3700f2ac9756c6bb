//! A small world to plan for: a Jenkins, clouds, a configuration and a memory, each changed by a word or two.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use mita::config::{
    Adopt, AgentSettings, Budget, Config, HostKey, LabelSources, Limits, MinReady, Outputs, Placement, ProviderConfig,
    Refresh, Register, Rules, Template, Timing,
};
use mita::endpoint::{Compress, JenkinsCredential, JenkinsEndpoint, Transport};
use mita::model::{
    Address, CloudView, Computer, Headroom, ImageRef, JenkinsView, NodeId, Observed, Offer, Offers, Pauses, Presence,
    ProviderName, Reading, Server, ServerSpec, SizeRef, Unavailable, Zone, server_name,
};
use mita::plan::problems;
use mita::plan::{Context, Plan, audit, plan};
use mita::provider::openstack;
use mita::provider::openstack::endpoint::{EndpointOverrides, KeystoneAuth, OpenStackEndpoint};
use mita::secret::Secret;
use mita::state::State;

use crate::facts;
pub use crate::facts::cloud;

/// The only cloud, unless a test adds one.
pub const CLOUD: &str = "openstack";

/// Everything a plan is made from.
#[derive(Clone)]
pub struct World {
    pub observed: Observed,
    pub config: Config,
    pub state: State,
    pub context: Context,
}

pub fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Makes an id that a person can tell from others.
pub fn id(number: u64) -> NodeId {
    NodeId::new(format!("{number:012x}"))
}

pub fn provider(name: &str) -> (ProviderName, ProviderConfig) {
    let transport = Transport {
        ca_file: None,
        ca_file_only: false,
        compress: Compress::default(),
        verify: true,
        proxy: None,
        connect_timeout: secs(5),
        timeout: secs(60),
        max_body: 1 << 20,
    };
    let endpoint = OpenStackEndpoint {
        auth_url: "http://127.0.0.1:5000".to_owned(),
        auth: KeystoneAuth::V3ApplicationCredential {
            id: "id".to_owned(),
            secret: Secret::new("s"),
        },
        region: None,
        interface: "public".to_owned(),
        endpoints: EndpointOverrides::default(),
        token_cache: None,
        transport,
    };
    (
        name.into(),
        ProviderConfig {
            name: name.into(),
            kind: &openstack::settings::KIND,
            settings: Box::new(endpoint),
            max_servers: None,
        },
    )
}

pub fn place(provider: &str, zone: Option<&str>) -> Placement {
    Placement {
        provider: provider.into(),
        zone: zone.map(Zone::from),
    }
}

/// The agent of a template that says nothing of it.
fn agent() -> AgentSettings {
    AgentSettings {
        credentials_id: String::new(),
        port: 22,
        java_path: None,
        remote_dir: "/home/jenkins".to_owned(),
        exclusive: false,
        description: "made by mita".to_owned(),
        web_socket: true,
        host_key: HostKey::None,
    }
}

pub fn template(name: &str, labels: &[&str]) -> Template {
    Template {
        name: name.into(),
        placements: vec![place(CLOUD, None)],
        spec: ServerSpec {
            image: ImageRef::Name("image".to_owned()),
            size: SizeRef::Named("m1.small".to_owned()),
            key_pair: None,
            storage: None,
            boot_volume: None,
            volume_type: None,
            networks: Vec::new(),
            ports: Vec::new(),
            floating_ip_pool: None,
            security_groups: Vec::new(),
            config_drive: None,
            metadata: BTreeMap::new(),
            scheduler_hints: BTreeMap::new(),
            options: BTreeMap::new(),
            more: BTreeMap::new(),
        },
        script: None,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        executors: 1,
        accepts_unlabelled: false,
        priority: 100,
        max: 10,
        min_ready: MinReady::Always(0),
        billing_period: None,
        refresh: Refresh {
            outdated: false,
            budget: Budget::Percent(10),
            windows: Vec::new(),
        },
        idle_grace: mins(40),
        boot_grace: mins(15),
        max_lifetime: None,
        price: None,
        max_builds: None,
        register: Register::Own,
        agent: agent(),
        adopt: Adopt::No,
        digest: format!("digest of {name}"),
    }
}

pub fn config(templates: Vec<Template>) -> Config {
    Config {
        owner: "ci".to_owned(),
        state_file: PathBuf::from("state.json"),
        jenkins: JenkinsEndpoint {
            url: "http://127.0.0.1:8080".to_owned(),
            user: "mita".to_owned(),
            credential: JenkinsCredential::Token(Secret::new("t")),
            transport: Transport {
                ca_file: None,
                ca_file_only: false,
                compress: Compress::default(),
                verify: true,
                proxy: None,
                connect_timeout: secs(5),
                timeout: secs(60),
                max_body: 1 << 20,
            },
        },
        providers: [provider(CLOUD)].into(),
        templates,
        limits: Limits {
            canary: 0,
            ..Limits::default()
        },
        labels: LabelSources::default(),
        timing: Timing::default(),
        rules: Rules::default(),
        outputs: Outputs::default(),
        currency: String::new(),
        notify: None,
        remind: SignedDuration::from_hours(24),
    }
}

pub fn offer(vcpus: u64) -> Offer {
    facts::offer("i", vcpus)
}

/// Starts with the template `small` (labels `small` and `linux`), nothing in Jenkins, nothing in the cloud.
pub fn world() -> World {
    with(vec![template("small", &["small", "linux"])])
}

/// Starts with these templates.
pub fn with(templates: Vec<Template>) -> World {
    World {
        observed: Observed {
            jenkins: JenkinsView {
                quieting_down: Some(false),
                ..JenkinsView::default()
            },
            clouds: [(CLOUD.into(), Reading::Read(cloud()))].into(),
            pauses: Pauses::default(),
        },
        config: config(templates),
        // Passes were far apart, so that a test may let an hour pass without making the planner suspicious.
        state: State {
            gaps: vec![1200; 10],
            ..State::default()
        },
        context: Context {
            now: "2026-11-22T12:00:00Z".parse().unwrap(),
            pass: "p0".to_owned(),
            create: true,
            remove: true,
            force: false,
            created: 0,
            asked: None,
        },
    }
}

impl World {
    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    pub fn cloud(&mut self, provider: &str) -> &mut CloudView {
        match self.observed.clouds.get_mut(provider) {
            Some(Reading::Read(cloud)) => cloud,
            _ => panic!("{provider} is closed"),
        }
    }

    /// Adds a cloud that offers nothing in particular.
    pub fn add_cloud(&mut self, name: &str) {
        let (name, config) = provider(name);
        self.config.providers.insert(name.clone(), config);
        self.observed.clouds.insert(name, Reading::Read(cloud()));
    }

    pub fn close(&mut self, provider: &str) {
        self.observed
            .clouds
            .insert(provider.into(), Reading::Unreadable("timeout".to_owned()));
    }

    /// Lets the last pass be so long ago that idle times restart.
    pub fn pause_passes(&mut self) {
        let last = self.state.last_pass.as_mut().expect("no pass before");
        last.at -= SignedDuration::from_hours(1);
    }

    /// Lets Jenkins have started again since the last pass.
    pub fn restart_jenkins(&mut self) {
        self.state.controller = Some(mita::state::Controller {
            session: "one".to_owned(),
            restarted: None,
        });
        self.observed.jenkins.session = Some("two".to_owned());
    }

    /// Tells what a cloud offers: room for so many servers and vCPUs, and each template with 4 vCPUs.
    pub fn offers(&mut self, provider: &str, room: Headroom) {
        let names = self
            .config
            .templates
            .iter()
            .map(|template| (template.name.clone(), Ok(offer(4))));
        let templates: BTreeMap<_, Result<Offer, Unavailable>> = names.collect();
        self.cloud(provider).offers = Some(Reading::Read(Offers { room, templates }));
    }

    /// Adds waiting items with a label.
    pub fn items(&mut self, count: u64, label: &str) {
        for _ in 0..count {
            let id = 100 + self.observed.jenkins.queue.len() as u64;
            let item = facts::item(id, Some(label), self.context.now - mins(1));
            self.observed.jenkins.queue.push(item);
        }
    }

    /// Adds a server of ours of this age; returns its name.
    pub fn server(&mut self, template: &str, number: u64, age: SignedDuration) -> String {
        self.server_at(CLOUD, template, number, age)
    }

    pub fn server_at(&mut self, provider: &str, template: &str, number: u64, age: SignedDuration) -> String {
        let id = id(number);
        let name = server_name(&template.into(), &id);
        let digest = self.config.template_digest(template);
        let mut server = facts::server(format!("server-{number}"), &name, self.context.now - age);
        let address = format!("10.0.{}.{}", number / 250, number % 250 + 1);
        server.addresses = vec![Address::fixed(address.parse().unwrap())];
        server.image = Some("image".to_owned());
        server.mark = Some(facts::mark(&self.config.owner, &template.into(), &id, digest));
        self.cloud(provider).servers.push(server);
        name
    }

    /// Returns a server by name.
    pub fn server_mut(&mut self, name: &str) -> &mut Server {
        let clouds = self.observed.clouds.values_mut();
        let mut servers = clouds.filter_map(|cloud| match cloud {
            Reading::Read(cloud) => Some(&mut cloud.servers),
            Reading::Unreadable(_) => None,
        });
        servers
            .find_map(|servers| servers.iter_mut().find(|server| server.name == name))
            .expect("no such server")
    }

    /// Removes a server as the cloud does once it is gone: asked for it, the cloud says so.
    pub fn lose_server(&mut self, name: &str) {
        for (provider, server) in self.hide_server(name) {
            self.cloud(provider.as_str())
                .looked_up
                .insert(server.id, Presence::Gone);
        }
    }

    /// Leaves a server out of the list, as a cloud does that cannot read all its cells.
    pub fn hide_server(&mut self, name: &str) -> Vec<(ProviderName, Server)> {
        let mut hidden = Vec::new();
        for (provider, reading) in &mut self.observed.clouds {
            if let Reading::Read(cloud) = reading {
                let (out, left) = cloud.servers.drain(..).partition(|server| server.name == name);
                cloud.servers = left;
                let out: Vec<Server> = out;
                hidden.extend(out.into_iter().map(|server| (provider.clone(), server)));
            }
        }
        hidden
    }

    /// Adds a Jenkins node that is online and idle.
    pub fn node(&mut self, name: &str, executors: u32) -> &mut Computer {
        self.observed.jenkins.computers.push(facts::computer(name, executors));
        self.observed.jenkins.computers.last_mut().expect("just added")
    }

    pub fn node_mut(&mut self, name: &str) -> &mut Computer {
        let mut nodes = self.observed.jenkins.computers.iter_mut();
        nodes
            .find(|computer| computer.name.as_str() == name)
            .expect("no such node")
    }

    /// Tells the labels of a node; its name is one of them, as in Jenkins.
    pub fn labels<'l>(&mut self, name: &str, labels: impl IntoIterator<Item = &'l str>) {
        let others = labels.into_iter().map(str::to_owned);
        self.node_mut(name).labels = Some(others.chain([name.to_owned()]).collect());
    }

    pub fn lose_node(&mut self, name: &str) {
        self.observed
            .jenkins
            .computers
            .retain(|computer| computer.name.as_str() != name);
    }

    /// Adds a server of ours with its node, both up since this time; returns the name of both.
    pub fn up(&mut self, template: &str, number: u64, age: SignedDuration) -> String {
        let executors = self.config.template_executors(template);
        let name = self.server(template, number, age);
        self.node(&name, executors);
        name
    }

    /// Plans, and has the plan audited.
    pub fn plan(&self) -> Plan {
        let plan = plan(&self.observed, &self.config, &self.state, &self.context);
        let broken = audit(&plan, &self.observed, &self.config, &self.state, &self.context);
        assert_eq!(broken, Vec::<String>::new());
        plan
    }

    /// Plans, remembers, says what cron mails (it is added to the news of the plan), and lets time pass.
    pub fn pass(&mut self, pause: SignedDuration) -> Plan {
        let mut plan = self.plan();
        self.state = plan.state.clone();
        plan.news.extend(self.mail(&plan));
        self.later(pause);
        plan
    }

    /// Brings the problems up to date with what a plan found; returns what cron mails.
    pub fn mail(&mut self, plan: &Plan) -> Vec<String> {
        let now = self.context.now;
        problems::remember(&mut self.state, plan.problems.clone(), now);
        let lines = problems::say::due(&mut self.state, now, self.config.remind);
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Lets time pass.
    pub fn later(&mut self, pause: SignedDuration) {
        self.context.now += pause;
        let number: u64 = self.context.pass[1..].parse().unwrap();
        self.context.pass = format!("p{}", number + 1);
    }
}

/// What the builders look up in a configuration.
trait Lookup {
    fn template_digest(&self, name: &str) -> Option<String>;
    fn template_executors(&self, name: &str) -> u32;
}

impl Lookup for Config {
    fn template_digest(&self, name: &str) -> Option<String> {
        self.templates
            .iter()
            .find(|template| template.name.as_str() == name)
            .map(|template| template.digest.clone())
    }

    fn template_executors(&self, name: &str) -> u32 {
        self.templates
            .iter()
            .find(|template| template.name.as_str() == name)
            .map_or(1, |template| template.executors)
    }
}

pub fn busy(computer: &mut Computer) {
    computer.idle = false;
    computer.idle_executors = 0;
}

pub fn offline(computer: &mut Computer) {
    computer.offline = true;
}

pub fn marked(computer: &mut Computer, reason: &str, class: &str) {
    computer.offline = true;
    computer.temporarily_offline = true;
    computer.offline_reason = reason.into();
    computer.offline_class = Some(class.to_owned());
}

/// The names of the servers that a plan removes.
pub fn removed(plan: &Plan) -> Vec<&str> {
    plan.removals
        .iter()
        .filter_map(|removal| removal.server.as_ref())
        .map(|server| server.name.as_str())
        .collect()
}

/// The reasons of what gets nothing.
pub fn reasons(plan: &Plan) -> Vec<&str> {
    plan.unmet.iter().map(|unmet| unmet.reason.as_str()).collect()
}

/// Returns what a plan found to be wrong, in sentences.
pub fn found(plan: &Plan) -> Vec<&str> {
    plan.problems
        .found
        .values()
        .map(|finding| finding.sentence.as_str())
        .collect()
}
