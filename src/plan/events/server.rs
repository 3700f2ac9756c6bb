//! The events of one server, from what is remembered of it.

use jiff::Timestamp;

use crate::model::{Event, EventKind, MadeFor, Observed, Reading, Seconds, ServerId};
use crate::plan::action::{Create, ServerToRemove};
use crate::state::{Intent, NodeMemory};

/// Makes an event of a server that is remembered.
pub fn of_node(kind: EventKind, node: &NodeMemory, at: Timestamp, pass: &str) -> Event {
    Event {
        name: Some(node.name.clone()),
        node: Some(node.template.clone()),
        provider: Some(node.provider.clone()),
        zone: node.zone.clone(),
        server_id: Some(node.server_id.clone()),
        ..Event::new(kind, at, pass)
    }
}

/// Makes an event of a server that was asked for.
pub fn of_intent(kind: EventKind, intent: &Intent, at: Timestamp, pass: &str) -> Event {
    Event {
        name: Some(intent.name.clone()),
        node: Some(intent.template.clone()),
        provider: Some(intent.provider.clone()),
        zone: intent.zone.clone(),
        server_id: intent.server_id.clone(),
        ..Event::new(kind, at, pass)
    }
}

/// Makes an event of a server that a plan wants.
pub fn of_create(kind: EventKind, create: &Create, at: Timestamp, pass: &str) -> Event {
    Event {
        name: Some(create.name.clone()),
        node: Some(create.template.clone()),
        provider: Some(create.provider.clone()),
        zone: create.zone.clone(),
        because: Some(create.because.clone()),
        ..Event::new(kind, at, pass)
    }
}

/// Makes the event that a cloud took a server which a plan wants.
pub fn created(create: &Create, server_id: &ServerId, at: Timestamp, pass: &str) -> Event {
    let event = Event {
        server_id: Some(server_id.clone()),
        ..of_create(EventKind::Created, create, at, pass)
    };
    made_for(event, Some(&create.made_for))
}

/// Adds what a server is made for.
pub fn made_for(event: Event, made_for: Option<&MadeFor>) -> Event {
    Event {
        made_for: made_for.map(|made_for| made_for.job.clone()),
        label: made_for.and_then(|made_for| made_for.label.clone()),
        ..event
    }
}

/// Adds how long a server lived, by the clock of its cloud, and what passes saw it do.
pub fn lived(event: Event, node: &NodeMemory, observed: &Observed) -> Event {
    let view = observed.clouds.get(&node.provider).and_then(Reading::ok);
    let clock = view.and_then(|view| view.clock).unwrap_or(event.at);
    Event {
        seconds: Some(Seconds::whole(clock.as_second() - node.created.as_second())),
        busy_seconds: Some(node.busy_seconds.into()),
        idle_seconds: Some(node.idle_seconds.into()),
        builds: Some(node.builds.as_ref().map_or(0, |builds| builds.seen)),
        ..event
    }
}

/// Makes the event that a cloud took the request to delete a server; `node` is what is remembered of it.
pub fn removed(
    server: &ServerToRemove,
    node: Option<&NodeMemory>,
    observed: &Observed,
    at: Timestamp,
    pass: &str,
) -> Event {
    match node {
        Some(node) => lived(of_node(EventKind::Removed, node, at, pass), node, observed),
        None => Event {
            name: Some(server.name.clone()),
            provider: Some(server.provider.clone()),
            server_id: Some(server.id.clone()),
            ..Event::new(EventKind::Removed, at, pass)
        },
    }
}
