//! Between the simulated world and the planner: what a pass would have read, and what it would have done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mita::config::Config;
use mita::model::{
    CloudView, Computer, Headroom, JenkinsView, Mark, NodeId, Observed, Offers, ProviderName, QueueItem, Reading,
    Server, ServerId, ServerStatus, TemplateName, Zone,
};
use mita::plan::Plan;
use mita::state::State as Memory;

use super::facts;
use super::fakes::{self, Agent, Cloud, CloudServer, Kind, State, World};

/// From ACTIVE to the agent's first word.
const BOOT: i64 = 70;

/// Makes the clouds of a configuration, and says what its templates become.
pub fn prepare(world: &World, config: &Config) {
    let mut state = world.lock();
    for name in config.providers.keys() {
        let cloud = Cloud::new(name.as_str(), &mut state.random);
        state.clouds.insert(name.to_string(), cloud);
    }
    for template in &config.templates {
        let labels: Vec<&str> = template.labels.iter().map(String::as_str).collect();
        let kind = Kind::new(&labels).executors(template.executors).boot(BOOT);
        state.kinds.insert(template.name.to_string(), kind);
    }
}

/// What a pass would have read.
pub fn observe(world: &mut State, config: &Config) -> Observed {
    let (clock, jenkins) = (world.clock, &world.jenkins);
    let queue = jenkins.queue.iter().rev().map(|i| item(world, i)).collect();
    let computers = jenkins.agents.values().map(computer).collect();
    let view = |(name, cloud): (&String, &Cloud)| {
        let servers = cloud.servers.iter().map(|s| server(s, config)).collect();
        let view = CloudView {
            servers,
            clock: Some(time(clock)),
            offers: Some(Reading::Read(offers(name, config))),
            ..facts::cloud()
        };
        (ProviderName::new(name), Reading::Read(view))
    };
    Observed {
        jenkins: JenkinsView {
            queue,
            computers,
            version: Some(jenkins.version.clone()),
            quieting_down: Some(false),
            ..JenkinsView::default()
        },
        clouds: world.clouds.iter().map(view).collect(),
        ..Observed::default()
    }
}

fn time(clock: i64) -> Timestamp {
    Timestamp::from_second(clock).unwrap_or_default()
}

fn item(world: &State, item: &fakes::Item) -> QueueItem {
    QueueItem {
        stuck: world.jenkins.stuck(item, world.clock),
        why: world.jenkins.why(item, false, world.clock).map(Into::into),
        task: item.task.name.clone().into(),
        task_name: item.task.name.clone().into(),
        task_url: None,
        ..facts::item(item.id, item.task.label.as_deref(), time(item.since))
    }
}

fn computer(agent: &Agent) -> Computer {
    let count = |n: usize| u32::try_from(n).unwrap_or(0);
    Computer {
        idle: agent.idle(),
        offline: agent.offline(),
        idle_executors: count(agent.free()),
        labels: Some(agent.all_labels().into_iter().collect()),
        ..facts::computer(&agent.name, count(agent.executors.len()))
    }
}

fn server(server: &CloudServer, config: &Config) -> Server {
    let meta = |key: &str| server.metadata.get(key);
    let mut seen = facts::server(&server.id, &server.name, time(server.created));
    if server.status != "ACTIVE" {
        seen.status = ServerStatus::Build;
    }
    seen.task_state.clone_from(&server.task);
    seen.zone = Some(Zone::new(&server.zone));
    seen.mark = Some(Mark {
        owner: config.owner.clone(),
        template: meta("mita-node").map(TemplateName::new),
        id: meta("mita-id").map(NodeId::new),
        config: meta("mita-config").cloned(),
    });
    seen
}

/// Everything is to be had, without limit.
fn offers(provider: &str, config: &Config) -> Offers {
    let here = config
        .templates
        .iter()
        .filter(|t| t.placements.iter().any(|p| p.provider.as_str() == provider));
    let offer = facts::offer("i", 1);
    Offers {
        room: Headroom::default(),
        templates: here.map(|t| (t.name.clone(), Ok(offer.clone()))).collect(),
    }
}

/// Does what was decided and returns what a pass would have saved.
pub fn apply(world: &mut State, config: &Config, plan: Plan, now: Timestamp) -> Memory {
    let mut memory = plan.state;
    for removal in plan.removals {
        if let Some(node) = &removal.node {
            world.jenkins.delete(node.name.as_str(), world.clock);
        }
        if let Some(gone) = removal.server {
            let clock = world.clock;
            // A server that the cloud accepted to delete is gone once the list lacks it.
            if let Some(node) = memory.nodes.get_mut(&gone.node_id) {
                node.deleted = true;
                node.deleting_since.get_or_insert(now);
            }
            let cloud = world.cloud(gone.provider.as_str());
            for server in cloud.servers.iter_mut().filter(|s| s.id == gone.id.as_str()) {
                (server.deleting, server.task) = (Some(clock), Some("deleting".to_owned()));
            }
        }
    }
    for create in plan.creates {
        let template = config.template(create.template.as_str());
        let digest = template.map(|t| t.digest.clone()).unwrap_or_default();
        let marks = [
            ("mita-node", create.template.to_string()),
            ("mita-id", create.id.to_string()),
            ("mita-config", digest.clone()),
        ];
        let mut server = CloudServer::running(&create.name, "i", "1");
        server.metadata = BTreeMap::from(marks.map(|(key, value)| (key.to_owned(), value)));
        server.zone = create
            .zone
            .as_ref()
            .map_or_else(|| "az1".to_owned(), ToString::to_string);
        (server.status, server.task) = ("BUILD".to_owned(), Some("scheduling".to_owned()));
        (server.created, server.updated, server.launched) = (world.clock, world.clock, None);
        if create.retry {
            memory.begin_retry(&create.template, &create.id, now);
        }
        let mut intent = facts::intent(&create, digest, now);
        intent.server_id = Some(ServerId::new(&server.id));
        world.cloud(create.provider.as_str()).servers.push(server);
        memory.intents.insert(create.id, intent);
    }
    memory
}

/// Whether nothing runs, waits or stands any more.
pub fn is_still(world: &mut State) -> bool {
    let idle = world.jenkins.queue.is_empty() && world.jenkins.builds.iter().all(|b| b.done);
    idle && world.clouds.values().all(|c| c.servers.is_empty())
}
