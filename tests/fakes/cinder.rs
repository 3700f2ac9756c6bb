//! Cinder 3: volumes, their metadata, its quota.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cloud::{Cloud, Volume};
use super::http_server::Reply;
use super::openstack::{Asked, micro_stamp, page, paged};
use super::world::State;

/// The states in which a volume can be deleted.
const REMOVABLE: [&str; 5] = [
    "available",
    "error",
    "error_restoring",
    "error_extending",
    "error_managing",
];

pub fn answer(state: &mut State, asked: &Asked<'_>) -> Reply {
    versioned(respond(state, asked))
}

fn versioned(reply: Reply) -> Reply {
    reply
        .header("OpenStack-API-Version", "volume 3.0")
        .header("Vary", "OpenStack-API-Version")
}

fn respond(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    let own = &state.cloud(asked.cloud).project_id;
    let rest = match steps.as_slice() {
        // Newer ones do without the project.
        ["v3", rest @ ..] if matches!(rest.first(), Some(&("volumes" | "types"))) => rest,
        ["v3", project, rest @ ..] if project == own => rest,
        ["v3", _, ..] => {
            let message = "Malformed request url";
            return Reply::json(400, &json!({"badRequest": {"code": 400, "message": message}}));
        }
        _ => return page(404, "Not Found", "The resource could not be found."),
    };
    let (id, clock) = (state.random.uuid(), state.clock);
    let cloud = state.cloud(asked.cloud);
    match (asked.call.method.as_str(), rest) {
        ("GET", ["volumes", "detail"] | ["volumes"]) => list(cloud, asked),
        ("POST", ["volumes"]) => create(cloud, asked, id, clock),
        ("GET", ["volumes", id]) => match cloud.volumes.iter().find(|v| v.id == *id) {
            Some(volume) => Reply::json(200, &json!({"volume": volume_json(cloud, volume, asked)})),
            None => missing(id),
        },
        ("POST", ["volumes", id, "metadata"]) => match cloud.volumes.iter_mut().find(|v| v.id == *id) {
            Some(volume) => {
                let told: BTreeMap<String, String> =
                    serde_json::from_value(asked.call.json()["metadata"].clone()).unwrap_or_default();
                volume.metadata.extend(told);
                Reply::json(200, &json!({"metadata": volume.metadata}))
            }
            None => missing(id),
        },
        ("DELETE", ["volumes", id]) => delete(cloud, id),
        ("GET", ["types"]) => {
            let kind = |(id, name): &(String, String)| {
                json!({"id": id, "name": name, "is_public": true, "description": null, "extra_specs": {},
                    "os-volume-type-access:is_public": true})
            };
            let all: Vec<Value> = cloud.volume_types.iter().map(kind).collect();
            Reply::json(200, &json!({"volume_types": all}))
        }
        _ => page(404, "Not Found", "The resource could not be found."),
    }
}

fn missing(id: &str) -> Reply {
    let body = json!({"itemNotFound": {"code": 404, "message": format!("Volume {id} could not be found.")}});
    Reply::json(404, &body)
}

fn list(cloud: &Cloud, asked: &Asked<'_>) -> Reply {
    let mut volumes: Vec<&Volume> = cloud.volumes.iter().collect();
    volumes.sort_by_key(|v| (-v.created, v.id.clone()));
    let all: Vec<Value> = volumes.iter().map(|v| volume_json(cloud, v, asked)).collect();
    let all: Vec<&Value> = all.iter().collect();
    let limit = asked.limit().and_then(|l| l.parse().ok()).unwrap_or(1000).min(1000);
    let marker = asked.call.parameter("marker");
    let (entries, full) = match paged(&all, limit, marker.as_deref()) {
        Ok(page) => page,
        Err(id) => return missing(&id),
    };
    let mut body = json!({"volumes": entries});
    if let Some(last) = entries.last().filter(|_| full) {
        let (path, id) = (&asked.call.path, last["id"].as_str().unwrap_or_default());
        let href = format!("{}/volume{path}?limit={limit}&marker={id}", asked.root);
        body["volumes_links"] = json!([{"rel": "next", "href": href}]);
    }
    Reply::json(200, &body)
}

fn create(cloud: &mut Cloud, asked: &Asked<'_>, id: String, clock: i64) -> Reply {
    let body = asked.call.json();
    let wanted = &body["volume"];
    let size = wanted["size"].as_i64().unwrap_or(0);
    if let Some(message) = cloud.volumes_over(&[size]) {
        let body = json!({"overLimit": {"code": 413, "message": message, "retryAfter": "0"}});
        return Reply::json(413, &body).header("Retry-After", "0");
    }
    let volume = Volume {
        id,
        name: wanted["name"].as_str().unwrap_or_default().to_owned(),
        size,
        status: "creating".to_owned(),
        server: None,
        delete_on_termination: false,
        metadata: serde_json::from_value(wanted["metadata"].clone()).unwrap_or_default(),
        created: clock,
    };
    let mut value = volume_json(cloud, &volume, asked);
    if let Value::Object(object) = &mut value {
        object.remove("os-vol-tenant-attr:tenant_id");
    }
    cloud.volumes.push(Volume {
        status: "available".to_owned(),
        ..volume
    });
    Reply::json(202, &json!({"volume": value}))
}

fn delete(cloud: &mut Cloud, id: &str) -> Reply {
    let Some(at) = cloud.volumes.iter().position(|v| v.id == id) else {
        return missing(id);
    };
    let volume = &cloud.volumes[at];
    if volume.server.is_some() || !REMOVABLE.contains(&volume.status.as_str()) {
        let message = "Invalid volume: Volume status must be available or error or error_restoring or \
            error_extending or error_managing and must not be migrating, attached, belong to a group, have \
            snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.";
        return Reply::json(400, &json!({"badRequest": {"code": 400, "message": message}}));
    }
    cloud.volumes.remove(at);
    Reply::new(202)
}

fn volume_json(cloud: &Cloud, volume: &Volume, asked: &Asked<'_>) -> Value {
    let attachments: Vec<Value> = volume
        .server
        .iter()
        .map(|s| {
            json!({"id": volume.id, "attachment_id": volume.id, "volume_id": volume.id, "server_id": s,
                "host_name": null, "device": "/dev/sdb", "attached_at": micro_stamp(volume.created)})
        })
        .collect();
    let updated = volume.server.is_some().then(|| micro_stamp(volume.created));
    let (root, project, id) = (&asked.root, &cloud.project_id, &volume.id);
    let description = volume.server.as_ref().map(|_| "");
    json!({"id": id, "status": volume.status, "size": volume.size, "availability_zone": "nova",
        "created_at": micro_stamp(volume.created), "updated_at": updated, "name": volume.name,
        "description": description, "volume_type": "__DEFAULT__", "snapshot_id": null, "source_volid": null,
        "metadata": volume.metadata, "user_id": cloud.user_id, "bootable": "false", "encrypted": false,
        "replication_status": null, "consistencygroup_id": null, "multiattach": false, "attachments": attachments,
        "os-vol-tenant-attr:tenant_id": project,
        "links": [{"rel": "self", "href": format!("{root}/volume/v3/{project}/volumes/{id}")},
            {"rel": "bookmark", "href": format!("{root}/volume/{project}/volumes/{id}")}]})
}
