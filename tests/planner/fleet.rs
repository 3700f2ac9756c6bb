//! A fleet that lives from pass to pass: what a plan makes boots and registers the labels that its script registers, and
//! what a plan removes is gone.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use mita::model::{Address, Reading, ServerId};
use mita::plan::{Create, Plan};

use crate::facts;
use crate::world::{CLOUD, World, cloud};

/// A world with the servers that its plans made.
pub struct Fleet {
    pub world: World,
    /// The labels that the script of each template registers.
    pub registrations: BTreeMap<String, Vec<String>>,
    /// The passes until a server joins.
    pub boots: u32,
    /// Servers that boot, with the passes that are left.
    booting: BTreeMap<String, (String, u32)>,
    number: usize,
    /// Every create, with the time of its pass.
    pub made: Vec<(jiff::Timestamp, Create)>,
}

impl Fleet {
    /// Starts with what is in a world; scripts register what their templates promise.
    pub fn new(world: World) -> Self {
        let templates = world.config.templates.iter();
        let promised = templates.map(|t| (t.name.to_string(), t.labels.iter().cloned().collect()));
        Self {
            registrations: promised.collect(),
            world,
            boots: 2,
            booting: BTreeMap::new(),
            number: 0,
            made: Vec::new(),
        }
    }

    /// Changes the labels that the script of a template registers.
    pub fn registrations(&mut self, template: &str, labels: &[&str]) {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.registrations.insert(template.to_owned(), labels);
    }

    /// Makes a pass, does what it plans, and lets time go on.
    pub fn pass(&mut self, pause: SignedDuration) -> Plan {
        let mut plan = self.world.plan();
        self.world.state = plan.state.clone();
        plan.news.extend(self.world.mail(&plan));
        for removal in &plan.removals {
            if let Some(node) = &removal.node {
                self.world.lose_node(node.name.as_str());
            }
            if let Some(server) = &removal.server {
                self.world.lose_server(&server.name);
                self.booting.remove(&server.name);
            }
        }
        for create in &plan.creates {
            self.create(create);
        }
        self.world.later(pause);
        self.boot();
        plan
    }

    /// Makes passes until so much time is over.
    pub fn passes(&mut self, time: SignedDuration, pause: SignedDuration) -> Vec<Plan> {
        let end = self.world.now() + time;
        let mut plans = Vec::new();
        while self.world.now() < end {
            plans.push(self.pass(pause));
        }
        plans
    }

    /// How many servers of a template there are.
    pub fn servers(&mut self, template: &str) -> usize {
        let servers = &self.world.cloud(CLOUD).servers;
        let ours = servers.iter().filter(|server| server.name.starts_with(template));
        ours.count()
    }

    fn create(&mut self, create: &Create) {
        let digest = self.digest(create.template.as_str());
        let (now, owner) = (self.world.now(), self.world.config.owner.clone());
        self.number += 1;
        let id = ServerId::new(format!("made-{}", self.number));
        let mut intent = facts::intent(create, digest.clone(), now);
        intent.server_id = Some(id.clone());
        self.world.state.intents.insert(create.id.clone(), intent);
        if create.retry {
            self.world.state.begin_retry(&create.template, &create.id, now);
        }
        let address = format!("10.9.{}.{}", self.number / 250, self.number % 250 + 1);
        let mut server = facts::server(id.as_str(), &create.name, now);
        server.addresses = vec![Address::fixed(address.parse().unwrap())];
        server.image = Some("image".to_owned());
        server.mark = Some(facts::mark(&owner, &create.template, &create.id, Some(digest)));
        if !self.world.observed.clouds.contains_key(&create.provider) {
            let empty = Reading::Read(cloud());
            self.world.observed.clouds.insert(create.provider.clone(), empty);
        }
        self.world.cloud(create.provider.as_str()).servers.push(server);
        let template = create.template.to_string();
        self.booting.insert(create.name.clone(), (template, self.boots));
        self.made.push((now, create.clone()));
    }

    fn boot(&mut self) {
        let mut up = Vec::new();
        for (name, (template, left)) in &mut self.booting {
            *left = left.saturating_sub(1);
            if *left == 0 {
                up.push((name.clone(), template.clone()));
            }
        }
        for (name, template) in up {
            self.booting.remove(&name);
            let templates = &self.world.config.templates;
            let executors = templates
                .iter()
                .find(|t| t.name.as_str() == template)
                .map(|t| t.executors);
            let labels = self.registrations[&template].clone();
            self.world.node(&name, executors.unwrap_or(1));
            self.world.labels(&name, labels.iter().map(String::as_str));
        }
    }

    fn digest(&self, template: &str) -> String {
        let mut templates = self.world.config.templates.iter();
        let found = templates.find(|t| t.name.as_str() == template);
        found.map(|t| t.digest.clone()).unwrap()
    }
}
