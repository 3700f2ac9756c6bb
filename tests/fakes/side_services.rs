//! Glance, as far as a client that boots servers meets it, and the way to `neutron` and `cinder`.

use serde_json::{Value, json};

use super::cloud::Image;
use super::http_server::Reply;
use super::openstack::{Asked, page, paged, stamp};
use super::script::Service;
use super::world::State;
use super::{cinder, neutron};

/// Glance's page when no limit is given.
const GLANCE_PAGE: usize = 25;

pub fn answer(state: &mut State, asked: &Asked<'_>, service: Service) -> Reply {
    match service {
        Service::Glance => glance(state, asked),
        Service::Neutron => neutron::answer(state, asked),
        _ => cinder::answer(state, asked),
    }
}

// --- Glance ----------------------------------------------------------------------------------------------------------

fn glance(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    match (asked.call.method.as_str(), steps.as_slice()) {
        ("GET", []) => {
            let version = |id: &str, status: &str| {
                json!({"id": id, "status": status,
                    "links": [{"rel": "self", "href": format!("{}/image/v2/", asked.root)}]})
            };
            Reply::json(
                300,
                &json!({"versions": [version("v2.15", "CURRENT"), version("v2.9", "SUPPORTED")]}),
            )
        }
        ("GET", ["v2", "images"]) => images(state, asked),
        ("GET", ["v2", "images", id]) => {
            let cloud = state.cloud(asked.cloud);
            match cloud.images.iter().find(|i| i.id == *id) {
                Some(image) => Reply::json(200, &image_json(&cloud.project_id, image)),
                None => page(404, "Not Found", &format!("No image found with ID {id}")),
            }
        }
        _ => page(404, "Not Found", "The resource could not be found."),
    }
}

fn image_json(project: &str, image: &Image) -> Value {
    let id = &image.id;
    let owner = if image.visibility == "private" {
        project
    } else {
        "076a2cd9c9994a6e898f6c68919b999f"
    };
    json!({"name": image.name, "disk_format": "raw", "container_format": "bare", "visibility": image.visibility,
        "size": 28672, "virtual_size": 28672, "status": image.status, "checksum": "2c566a598398e6ab37fb10d72c7a2fb6",
        "protected": false, "min_ram": image.min_ram, "min_disk": image.min_disk,
        "owner": owner, "os_hidden": false, "id": id, "created_at": stamp(image.created),
        "updated_at": stamp(image.created), "tags": [], "self": format!("/v2/images/{id}"),
        "file": format!("/v2/images/{id}/file"), "schema": "/v2/schemas/image"})
}

fn images(state: &mut State, asked: &Asked<'_>) -> Reply {
    let names = asked.call.parameter("name").map(|text| match text.strip_prefix("in:") {
        Some(list) => split_list(list),
        None => vec![text],
    });
    let status = asked.call.parameter("status");
    let visibility = asked.call.parameter("visibility");
    let cloud = state.cloud(asked.cloud);
    let mut found: Vec<&Image> = cloud
        .images
        .iter()
        .filter(|i| names.as_ref().is_none_or(|n| n.contains(&i.name)))
        .filter(|i| status.as_ref().is_none_or(|s| *s == i.status))
        .filter(|i| {
            visibility
                .as_deref()
                .map_or(i.visibility != "community", |v| v == "all" || v == i.visibility)
        })
        .collect();
    found.sort_by_key(|i| (-i.created, i.id.clone()));
    let values: Vec<Value> = found.into_iter().map(|i| image_json(&cloud.project_id, i)).collect();
    let limit = asked
        .limit()
        .and_then(|l| l.parse().ok())
        .unwrap_or(GLANCE_PAGE)
        .min(1000);
    let all: Vec<&Value> = values.iter().collect();
    let marker = asked.call.parameter("marker");
    let Ok((entries, full)) = paged(&all, limit, marker.as_deref()) else {
        return page(400, "Bad Request", "Invalid marker. Image could not be found.");
    };
    let kept: Vec<&str> = asked
        .call
        .query
        .split('&')
        .filter(|p| !p.is_empty() && !p.starts_with("marker="))
        .collect();
    let query = |extra: Option<String>| {
        let parts: Vec<String> = kept.iter().map(ToString::to_string).chain(extra).collect();
        if parts.is_empty() {
            "/v2/images".to_owned()
        } else {
            format!("/v2/images?{}", parts.join("&"))
        }
    };
    let mut body = json!({"images": entries, "first": query(None), "schema": "/v2/schemas/images"});
    if let Some(last) = entries.last().filter(|_| full) {
        // A path without the host and without the prefix of the catalog's URL.
        body["next"] = json!(query(Some(format!(
            "marker={}",
            last["id"].as_str().unwrap_or_default()
        ))));
    }
    Reply::json(200, &body)
}

/// Names parted by commas; one in double quotes may hold a comma.
fn split_list(text: &str) -> Vec<String> {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => name.extend(letters.next()),
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}
