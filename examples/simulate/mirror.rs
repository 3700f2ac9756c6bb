//! Between the site and the planner: what a pass would have read, and what it would have done.

use std::collections::BTreeMap;

use mita::config::Config;
use mita::model::{
    CloudView, Computer, Headroom, JenkinsView, Mark, NodeId, Observed, Offers, ProviderName, QueueItem, Reading,
    Server, ServerId, ServerStatus, TaskLabel, TemplateName,
};
use mita::plan::{Create, Plan};
use mita::state::State;

use super::facts;
use super::rules::mita::time;
use super::site::{self, Site};

/// From a request to ACTIVE, in seconds; the rest of a boot is the guest's.
const BUILD_SECONDS: i64 = 20;

/// What a pass reads and does.
pub struct Mirror {
    observed: Observed,
    /// The version of the site that was read last; `None` while a server is in BUILD, which ends without an event.
    read: Option<u64>,
    /// What a server was made as, by its number.
    made: BTreeMap<u32, Made>,
    numbers: BTreeMap<ServerId, u32>,
}

/// What a server was made as.
struct Made {
    provider: ProviderName,
    server: Server,
    computer: Computer,
}

impl Mirror {
    /// The world of a configuration, before the first pass.
    pub fn new(config: &Config) -> Self {
        let cloud = |name: &ProviderName| {
            let view = CloudView {
                offers: Some(Reading::Read(offers(name, config))),
                ..facts::cloud()
            };
            (name.clone(), Reading::Read(view))
        };
        let observed = Observed {
            jenkins: JenkinsView {
                version: Some("2.544".to_owned()),
                quieting_down: Some(false),
                ..JenkinsView::default()
            },
            clouds: config.providers.keys().map(cloud).collect(),
            ..Observed::default()
        };
        Self {
            observed,
            read: None,
            made: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// What a pass would have read. What did not change since the last pass is not put together again.
    pub fn observe(&mut self, site: &Site<'_>, config: &Config) -> &Observed {
        if self.read != Some(site.version) {
            self.read_jenkins(site);
            self.read_servers(site, config);
            let builds = site
                .servers
                .values()
                .any(|server| site.clock < server.asked + BUILD_SECONDS);
            self.read = (!builds).then_some(site.version);
        }
        let left = site.quota_left().map(|left| left as u64);
        for view in self.observed.clouds.values_mut() {
            if let Reading::Read(view) = view {
                view.clock = Some(time(site.clock));
                if let Some(Reading::Read(offers)) = &mut view.offers {
                    offers.room.instances = left;
                }
            }
        }
        &self.observed
    }

    fn read_jenkins(&mut self, site: &Site<'_>) {
        let jenkins = &mut self.observed.jenkins;
        // The newest first, as Jenkins lists them.
        jenkins.queue = site.queue().map(|(job, _)| item(site, job)).collect();
        jenkins.queue.reverse();
        jenkins.computers = vec![house()];
        for (number, server) in site.servers.iter().filter(|(_, server)| server.online()) {
            if let Some(made) = self.made.get(number) {
                jenkins.computers.push(computer(&made.computer, server));
            }
        }
    }

    fn read_servers(&mut self, site: &Site<'_>, config: &Config) {
        self.made.retain(|number, made| {
            let is_there = site.servers.contains_key(number);
            if !is_there {
                self.numbers.remove(&made.server.id);
            }
            is_there
        });
        for provider in config.providers.keys() {
            if let Some(Reading::Read(view)) = self.observed.clouds.get_mut(provider) {
                let made = self.made.iter().filter(|(_, made)| made.provider == *provider);
                let servers =
                    made.filter_map(|(number, made)| Some(server(&made.server, site.servers.get(number)?, site.clock)));
                view.servers = servers.collect();
            }
        }
    }

    /// Does what was decided and returns what a pass would have saved.
    pub fn act(&mut self, site: &mut Site<'_>, config: &Config, plan: Plan) -> State {
        let mut memory = plan.state;
        for gone in plan.removals.into_iter().filter_map(|removal| removal.server) {
            if let Some(number) = self.numbers.get(&gone.id) {
                site.remove(*number);
            }
            // A server that the cloud accepted to delete is gone once the list lacks it.
            if let Some(node) = memory.nodes.get_mut(&gone.node_id) {
                node.deleted = true;
                node.deleting_since.get_or_insert(time(site.clock));
            }
        }
        for create in plan.creates {
            self.create(site, config, create, &mut memory);
        }
        memory
    }

    fn create(&mut self, site: &mut Site<'_>, config: &Config, create: Create, memory: &mut State) {
        let Some(kind) = config.templates.iter().position(|t| t.name == create.template) else {
            return;
        };
        // A refusal for want of quota: the intent is dropped.
        let Some(number) = site.create(kind) else { return };
        let template = &config.templates[kind];
        let asked = site.servers.get(&number).map_or(site.clock, |server| server.asked);
        let id = ServerId::new(format!("{number:08x}-0000-4000-a000-000000000000"));
        let mut server = facts::server(id.as_str(), &create.name, time(asked));
        server.zone.clone_from(&create.zone);
        server.mark = Some(mark(config, &create.template, &create.id, &template.digest));
        let mut computer = facts::computer(&create.name, template.executors);
        let labels = template.labels.iter().map(|label| label.as_str().to_owned());
        computer.labels = Some(labels.chain([create.name.clone()]).collect());
        self.numbers.insert(id.clone(), number);
        self.made.insert(
            number,
            Made {
                provider: create.provider.clone(),
                server,
                computer,
            },
        );
        if create.retry {
            memory.begin_retry(&create.template, &create.id, time(site.clock));
        }
        let mut intent = facts::intent(&create, template.digest.clone(), time(asked));
        intent.server_id = Some(id);
        memory.intents.insert(create.id, intent);
    }
}

fn mark(config: &Config, template: &TemplateName, id: &NodeId, digest: &str) -> Mark {
    facts::mark(&config.owner, template, id, Some(digest.to_owned()))
}

/// A node that is none of ours: with no agent at all Jenkins names no label.
fn house() -> Computer {
    Computer {
        labels: Some(["house".to_owned()].into()),
        ..facts::computer("house", 1)
    }
}

fn item(site: &Site<'_>, number: usize) -> QueueItem {
    let job = site.job(number);
    let item = facts::item(number as u64 + 1, job.label.as_deref(), time(job.at));
    QueueItem {
        stuck: item.label != TaskLabel::Anywhere,
        task_url: None,
        ..item
    }
}

fn computer(made: &Computer, server: &site::Server) -> Computer {
    Computer {
        idle: server.busy == 0,
        idle_executors: made
            .executors
            .saturating_sub(u32::try_from(server.busy).unwrap_or(u32::MAX)),
        ..made.clone()
    }
}

fn server(made: &Server, server: &site::Server, clock: i64) -> Server {
    let mut seen = made.clone();
    if server.deleting.is_some() {
        seen.task_state = Some("deleting".to_owned());
    } else if server.joined.is_none() && clock < server.asked + BUILD_SECONDS {
        seen.status = ServerStatus::Build;
        seen.task_state = Some("spawning".to_owned());
    }
    seen
}

/// Everything is to be had; only the quota of servers is a limit.
fn offers(provider: &ProviderName, config: &Config) -> Offers {
    let here = config
        .templates
        .iter()
        .filter(|t| t.placements.iter().any(|p| p.provider == *provider));
    let offer = facts::offer("i", 1);
    Offers {
        room: Headroom::default(),
        templates: here.map(|t| (t.name.clone(), Ok(offer.clone()))).collect(),
    }
}
