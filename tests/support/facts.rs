//! What a pass sees, with the usual values: tests say what differs. A new field of the model gets its value here.

#![allow(dead_code, reason = "each test takes the part it needs")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use mita::model::{
    CloudView, Computer, Mark, NodeId, Offer, QueueItem, Resource, ResourceKind, ResourceMark, Server, ServerId,
    ServerStatus, Stage, TaskLabel, TemplateName,
};
use mita::plan::Create;
use mita::state::Intent;

/// A node that is online and idle.
pub fn computer(name: &str, executors: u32) -> Computer {
    Computer {
        name: name.into(),
        built_in: false,
        idle: true,
        offline: false,
        temporarily_offline: false,
        offline_reason: String::new(),
        offline_class: None,
        executors,
        idle_executors: executors,
        one_off_busy: false,
        running: Vec::new(),
        jobs: Vec::new(),
        labels: None,
    }
}

/// A freestyle build that waits for a label, or for any node.
pub fn item(id: u64, label: Option<&str>, since: Timestamp) -> QueueItem {
    QueueItem {
        id,
        stage: Stage::Buildable,
        stuck: true,
        since,
        why: Some(waits_for(label).into()),
        task_class: Some("hudson.model.FreeStyleProject".into()),
        task: format!("job {id}").into(),
        task_name: format!("job-{id}").into(),
        task_url: Some(format!("https://jenkins.example.com/job/job-{id}/").into()),
        label: label.map_or(TaskLabel::Anywhere, |label| TaskLabel::Expression(label.into())),
    }
}

/// The sentence of Jenkins.
pub fn waits_for(label: Option<&str>) -> String {
    let label = label.map(|label| format!(" on ‘{label}’")).unwrap_or_default();
    format!("Waiting for next available executor{label}")
}

/// A cloud without servers that was asked for nothing else.
pub fn cloud() -> CloudView {
    CloudView {
        servers: Vec::new(),
        clock: None,
        offers: None,
        resources: None,
        looked_up: BTreeMap::new(),
        odd: Vec::new(),
    }
}

/// A server that is up, without addresses and without a mark.
pub fn server(id: impl AsRef<str>, name: &str, created: Timestamp) -> Server {
    Server {
        id: ServerId::new(id),
        name: name.to_owned(),
        status: ServerStatus::Active,
        task_state: None,
        created: Some(created),
        launched: None,
        addresses: Vec::new(),
        zone: None,
        image: None,
        volumes: Vec::new(),
        fault: None,
        mark: None,
    }
}

/// The mark of a server that mita made.
pub fn mark(owner: &str, template: &TemplateName, id: &NodeId, config: Option<String>) -> Mark {
    Mark {
        owner: owner.to_owned(),
        template: Some(template.clone()),
        id: Some(id.clone()),
        config,
    }
}

/// A mark that tells nothing but whose it is.
pub fn bare_mark(owner: &str) -> Mark {
    Mark {
        owner: owner.to_owned(),
        template: None,
        id: None,
        config: None,
    }
}

/// What is remembered before the request of a create.
pub fn intent(create: &Create, config: String, at: Timestamp) -> Intent {
    Intent {
        name: create.name.clone(),
        template: create.template.clone(),
        config,
        provider: create.provider.clone(),
        zone: create.zone.clone(),
        image: create.offer.as_ref().map(|offer| offer.image.clone()),
        at,
        server_id: None,
        made_for: Some(create.made_for.clone()),
    }
}

/// What a cloud resolved a template to.
pub fn offer(image: &str, vcpus: u64) -> Offer {
    Offer {
        flavor: "f".to_owned(),
        image: image.to_owned(),
        older_images: Vec::new(),
        networks: Vec::new(),
        server_group: None,
        ports: Vec::new(),
        vcpus,
        ram_mb: 1024,
    }
}

/// A floating IP, port or volume that nothing uses, with the mark of an owner and a server.
pub fn resource(kind: ResourceKind, id: &str, mark: Option<(&str, &str)>) -> Resource {
    Resource {
        kind,
        id: id.to_owned(),
        name: id.to_owned(),
        in_use: false,
        server: None,
        created: None,
        mark: mark.map(|(owner, server)| ResourceMark {
            owner: owner.to_owned(),
            server: server.to_owned(),
        }),
    }
}
