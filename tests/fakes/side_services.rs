//! Glance, Neutron and Cinder, as far as a client that boots servers meets them.

use serde_json::{Value, json};

use super::cloud::{Cloud, CloudServer, FloatingIp, Image};
use super::model::hash;
use super::openstack::{Asked, micro_stamp, page, paged, stamp};
use super::script::Service;
use super::wire::Reply;
use super::world::State;

/// Glance's page when no limit is given.
const GLANCE_PAGE: usize = 25;

pub fn answer(state: &mut State, asked: &Asked<'_>, service: Service) -> Reply {
    match service {
        Service::Glance => glance(state, asked),
        Service::Neutron => neutron(state, asked),
        _ => cinder(state, asked),
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
        ("GET", ["v2", "images", id]) => match state.cloud(asked.cloud).images.iter().find(|i| i.id == *id) {
            Some(image) => Reply::json(200, &image_json(image)),
            None => page(404, "Not Found", &format!("No image found with ID {id}")),
        },
        _ => page(404, "Not Found", "The resource could not be found."),
    }
}

fn image_json(image: &Image) -> Value {
    let id = &image.id;
    json!({"name": image.name, "disk_format": "raw", "container_format": "bare", "visibility": image.visibility,
        "size": 28672, "virtual_size": 28672, "status": image.status, "checksum": "2c566a598398e6ab37fb10d72c7a2fb6",
        "protected": false, "min_ram": image.min_ram, "min_disk": image.min_disk,
        "owner": "076a2cd9c9994a6e898f6c68919b999f", "os_hidden": false, "id": id, "created_at": stamp(image.created),
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
    let values: Vec<Value> = found.into_iter().map(image_json).collect();
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

// --- Neutron ---------------------------------------------------------------------------------------------------------

fn neutron_error(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}),
    )
}

fn neutron(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    match (asked.call.method.as_str(), steps.as_slice()) {
        ("GET", []) => Reply::json(
            200,
            &json!({"versions": [{"id": "v2.0", "status": "CURRENT",
            "links": [{"rel": "self", "href": format!("{}/network/v2.0/", asked.root)}]}]}),
        ),
        ("GET", ["v2.0"]) if asked.call.path.ends_with('/') => Reply::json(200, &json!({"resources": []})),
        ("GET", ["v2.0", "networks"]) => {
            let all = cloud.networks.iter().map(|n| network_json(cloud, n)).collect();
            listed(asked, "networks", all)
        }
        ("GET", ["v2.0", "networks", id]) => match cloud.networks.iter().find(|n| n.id == *id) {
            Some(n) => Reply::json(200, &json!({"network": network_json(cloud, n)})),
            None => neutron_error(404, "NetworkNotFound", &format!("Network {id} could not be found.")),
        },
        ("GET", ["v2.0", "ports"]) => {
            let all = cloud
                .servers
                .iter()
                .filter(|s| !s.addresses.is_empty())
                .map(|s| port_json(cloud, s))
                .collect();
            listed(asked, "ports", all)
        }
        ("GET", ["v2.0", "security-groups"]) => {
            let group = |name: &String| {
                json!({"id": group_id(name), "name": name, "description": "",
                "project_id": cloud.project_id, "tenant_id": cloud.project_id, "security_group_rules": []})
            };
            listed(
                asked,
                "security_groups",
                cloud.security_groups.iter().map(group).collect(),
            )
        }
        ("GET", ["v2.0", "floatingips"]) => {
            let all = cloud.floating_ips.iter().map(|f| floating_json(cloud, f)).collect();
            listed(asked, "floatingips", all)
        }
        ("GET", ["v2.0", "extensions"]) => Reply::json(200, &json!({"extensions": []})),
        ("POST", ["v2.0", "floatingips"]) => float(state, asked, clock),
        ("DELETE", ["v2.0", "floatingips", id]) => {
            let before = cloud.floating_ips.len();
            cloud.floating_ips.retain(|f| f.id != *id);
            if cloud.floating_ips.len() < before {
                Reply::new(204)
            } else {
                neutron_error(
                    404,
                    "FloatingIPNotFound",
                    &format!("Floating IP {id} could not be found"),
                )
            }
        }
        _ => neutron_error(404, "HTTPNotFound", "The resource could not be found."),
    }
}

/// A list, filtered by exact field values and cut to the wished fields.
fn listed(asked: &Asked<'_>, name: &str, all: Vec<Value>) -> Reply {
    let query = super::wire::pairs(&asked.call.query);
    let fields: Vec<&String> = query.iter().filter(|(n, _)| n == "fields").map(|(_, v)| v).collect();
    let fits = |v: &Value| {
        query
            .iter()
            .filter(|(n, _)| !["fields", "limit", "marker"].contains(&n.as_str()))
            .all(|(n, wanted)| match &v[n] {
                Value::String(text) => text == wanted,
                Value::Bool(yes) => wanted.eq_ignore_ascii_case(if *yes { "true" } else { "false" }),
                _ => true,
            })
    };
    let cut = |mut v: Value| {
        if let (Value::Object(object), false) = (&mut v, fields.is_empty()) {
            object.retain(|k, _| fields.contains(&k));
        }
        v
    };
    let kept: Vec<Value> = all.into_iter().filter(fits).map(cut).collect();
    Reply::json(200, &json!({name: kept}))
}

fn network_json(cloud: &Cloud, network: &super::cloud::Network) -> Value {
    json!({"id": network.id, "name": network.name, "tenant_id": cloud.project_id, "admin_state_up": true, "mtu": 1450,
        "status": "ACTIVE", "subnets": [], "shared": false, "router:external": network.external, "description": "",
        "port_security_enabled": true, "tags": [], "project_id": cloud.project_id})
}

fn port_json(cloud: &Cloud, server: &CloudServer) -> Value {
    let fixed: Vec<Value> = server
        .addresses
        .iter()
        .map(|a| json!({"subnet_id": "subnet", "ip_address": a}))
        .collect();
    let groups: Vec<String> = server.security_groups.iter().map(|g| group_id(g)).collect();
    json!({"id": server.port, "name": "", "network_id": server.network, "tenant_id": cloud.project_id,
        "mac_address": server.mac, "admin_state_up": true, "status": "ACTIVE", "device_id": server.id,
        "device_owner": format!("compute:{}", server.zone), "fixed_ips": fixed, "allowed_address_pairs": [],
        "extra_dhcp_opts": [], "security_groups": groups, "description": "", "binding:vnic_type": "normal",
        "port_security_enabled": true, "tags": [], "created_at": stamp(server.created),
        "updated_at": stamp(server.updated), "revision_number": 3, "project_id": cloud.project_id})
}

/// The id of a security group, made from its name.
fn group_id(name: &str) -> String {
    let text = format!("{:016x}{:016x}", hash(&["sg", name]), hash(&[name, "sg"]));
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

fn floating_json(cloud: &Cloud, ip: &FloatingIp) -> Value {
    let server = cloud.servers.iter().find(|s| Some(&s.port) == ip.port.as_ref());
    let details = server.map(|s| {
        json!({"name": "", "network_id": s.network, "mac_address": s.mac, "admin_state_up": true, "status": "ACTIVE",
            "device_id": s.id, "device_owner": format!("compute:{}", s.zone)})
    });
    json!({"id": ip.id, "tenant_id": cloud.project_id, "floating_ip_address": ip.address,
        "floating_network_id": ip.network, "router_id": null, "port_id": ip.port,
        "fixed_ip_address": server.and_then(|s| s.addresses.first()), "status": "DOWN", "description": ip.description,
        "port_details": details, "tags": [], "created_at": stamp(ip.created), "updated_at": stamp(ip.created),
        "revision_number": 0, "project_id": cloud.project_id})
}

fn float(state: &mut State, asked: &Asked<'_>, clock: i64) -> Reply {
    let body = asked.call.json();
    let wanted = &body["floatingip"];
    let network = wanted["floating_network_id"].as_str().unwrap_or_default().to_owned();
    let id = state.random.uuid();
    let cloud = state.cloud(asked.cloud);
    if !cloud.networks.iter().any(|n| n.id == network && n.external) {
        let message = format!("Bad floatingip request: Network {network} is not a valid external network.");
        return neutron_error(400, "BadRequest", &message);
    }
    let port = wanted["port_id"].as_str().map(str::to_owned);
    if let Some(port) = &port {
        if !cloud.servers.iter().any(|s| s.port == *port && !s.addresses.is_empty()) {
            return neutron_error(404, "PortNotFound", &format!("Port {port} could not be found."));
        }
        if cloud.floating_ips.iter().any(|f| f.port.as_ref() == Some(port)) {
            let message = format!(
                "Cannot associate floating IP with port {port}, as that fixed IP already has a floating IP on external network {network}."
            );
            return neutron_error(409, "FloatingIPPortAlreadyAssociated", &message);
        }
    }
    if i64::try_from(cloud.floating_ips.len()).unwrap_or(0) >= cloud.quota.floating_ips {
        return neutron_error(409, "OverQuota", "Quota exceeded for resources: ['floatingip'].");
    }
    let address = format!("198.18.0.{}", cloud.floating_ips.len() + 10);
    let ip = FloatingIp {
        id,
        address,
        network,
        port,
        description: wanted["description"].as_str().unwrap_or_default().to_owned(),
        created: clock,
    };
    let value = floating_json(cloud, &ip);
    cloud.floating_ips.push(ip);
    Reply::json(201, &json!({"floatingip": value}))
}

// --- Cinder ----------------------------------------------------------------------------------------------------------

fn cinder(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    let cloud = state.cloud(asked.cloud);
    let missing = |id: &str| {
        let body = json!({"itemNotFound": {"code": 404, "message": format!("Volume {id} could not be found.")}});
        Reply::json(404, &body)
    };
    match (asked.call.method.as_str(), steps.as_slice()) {
        ("GET", ["v3", _, "volumes", "detail"] | ["v3", _, "volumes"]) => {
            let all: Vec<Value> = cloud.volumes.iter().map(volume_json).collect();
            Reply::json(200, &json!({"volumes": all}))
        }
        ("GET", ["v3", _, "volumes", id]) => match cloud.volumes.iter().find(|v| v.id == *id) {
            Some(volume) => Reply::json(200, &json!({"volume": volume_json(volume)})),
            None => missing(id),
        },
        ("DELETE", ["v3", _, "volumes", id]) => match cloud.volumes.iter().position(|v| v.id == *id) {
            Some(at) if cloud.volumes[at].server.is_some() => {
                let message = "Invalid volume: Volume status must be available or error or error_restoring or \
                    error_extending or error_managing and must not be migrating, attached, belong to a group, have \
                    snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.";
                Reply::json(400, &json!({"badRequest": {"code": 400, "message": message}}))
            }
            Some(at) => {
                cloud.volumes.remove(at);
                Reply::new(202)
            }
            None => missing(id),
        },
        _ => page(404, "Not Found", "The resource could not be found."),
    }
}

fn volume_json(volume: &super::cloud::Volume) -> Value {
    let attachments: Vec<Value> = volume
        .server
        .iter()
        .map(|s| json!({"server_id": s, "volume_id": volume.id, "device": "/dev/vdb"}))
        .collect();
    json!({"id": volume.id, "status": volume.status, "size": volume.size, "availability_zone": "nova",
        "created_at": micro_stamp(volume.created), "updated_at": null, "name": volume.name, "description": null,
        "volume_type": "__DEFAULT__", "metadata": volume.metadata, "bootable": "false", "encrypted": false,
        "multiattach": false, "attachments": attachments})
}
