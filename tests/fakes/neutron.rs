//! Neutron: networks, ports, security groups, floating IPs, with its error types and its pages.

use serde_json::{Value, json};

use super::cloud::{Cloud, CloudServer, FloatingIp, Port};
use super::http_server::Reply;
use super::model::hash;
use super::openstack::{Asked, stamp};
use super::world::State;

fn error(status: u16, kind: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}),
    )
}

fn no_network(id: &str) -> Reply {
    error(404, "NetworkNotFound", &format!("Network {id} could not be found."))
}

fn no_port(id: &str) -> Reply {
    error(404, "PortNotFound", &format!("Port {id} could not be found."))
}

fn over_quota(what: &str) -> Reply {
    error(409, "OverQuota", &format!("Quota exceeded for resources: ['{what}']."))
}

pub fn answer(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    match (asked.call.method.as_str(), steps.as_slice()) {
        ("POST", ["v2.0", "floatingips"]) => return float(state, asked),
        ("POST", ["v2.0", "ports"]) => return make_port(state, asked),
        _ => {}
    }
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
            None => no_network(id),
        },
        ("GET", ["v2.0", "ports"]) => listed(asked, "ports", ports(cloud)),
        ("GET", ["v2.0", "ports", id]) => match ports(cloud).into_iter().find(|p| p["id"] == *id) {
            Some(port) => Reply::json(200, &json!({"port": port})),
            None => no_port(id),
        },
        ("DELETE", ["v2.0", "ports", id]) => delete_port(cloud, id),
        ("GET", ["v2.0", "security-groups"]) => {
            let group = |id: String, name: &String, project: &str| {
                json!({"id": id, "name": name, "description": "",
                "project_id": project, "tenant_id": project, "security_group_rules": []})
            };
            let own = cloud.security_groups.iter();
            let own = own.map(|name| group(group_id(name), name, &cloud.project_id));
            let others = cloud.other_groups.iter().filter(|_| cloud.admin);
            let others = others.map(|name| group(group_id(&format!("{name} of another")), name, "another"));
            listed(asked, "security_groups", others.chain(own).collect())
        }
        ("GET", ["v2.0", "floatingips"]) => {
            let seen = cloud.floating_ips.iter().filter(|f| cloud.sees(f.project.as_ref()));
            listed(asked, "floatingips", seen.map(|f| floating_json(cloud, f)).collect())
        }
        ("GET", ["v2.0", "extensions"]) => Reply::json(200, &json!({"extensions": []})),
        ("DELETE", ["v2.0", "floatingips", id]) => {
            let before = cloud.floating_ips.len();
            cloud.floating_ips.retain(|f| f.id != *id);
            if cloud.floating_ips.len() < before {
                Reply::new(204)
            } else {
                let message = format!("Floating IP {id} could not be found");
                error(404, "FloatingIPNotFound", &message)
            }
        }
        _ => error(404, "HTTPNotFound", "The resource could not be found."),
    }
}

/// A list, filtered by exact field values, cut to the wished fields and, when a limit is given, to a page.
fn listed(asked: &Asked<'_>, name: &str, all: Vec<Value>) -> Reply {
    let query = super::query::pairs(&asked.call.query);
    let fields: Vec<&String> = query.iter().filter(|(n, _)| n == "fields").map(|(_, v)| v).collect();
    let fits = |v: &Value| {
        let is = |name: &str, wanted: &str| match &v[name] {
            Value::String(text) => text == wanted,
            Value::Bool(yes) => wanted.eq_ignore_ascii_case(if *yes { "true" } else { "false" }),
            _ => true,
        };
        // Several values of one name mean any of them.
        let any = |name: &str| query.iter().filter(|(n, _)| n == name).any(|(n, wanted)| is(n, wanted));
        let names = query.iter().map(|(n, _)| n.as_str());
        names.filter(|n| !["fields", "limit", "marker"].contains(n)).all(any)
    };
    let cut = |mut v: Value| {
        if let (Value::Object(object), false) = (&mut v, fields.is_empty()) {
            object.retain(|k, _| fields.contains(&k));
        }
        v
    };
    let mut kept: Vec<Value> = all.into_iter().filter(fits).collect();
    let limit = asked.limit().and_then(|l| l.parse::<usize>().ok()).filter(|l| *l > 0);
    let mut body = json!({});
    if let Some(limit) = limit {
        kept.sort_by_key(|v| v["id"].to_string());
        // An unknown marker is none.
        let marker = asked.call.parameter("marker");
        let after = marker.and_then(|id| kept.iter().position(|v| v["id"] == id.as_str()));
        kept = kept.split_off(after.map_or(0, |at| at + 1));
        kept.truncate(limit);
        body[format!("{name}_links")] = page_links(asked, &kept, limit);
    }
    body[name] = kept.into_iter().map(cut).collect();
    Reply::json(200, &body)
}

/// The link to the next page where this one is full, and always one to a page before.
fn page_links(asked: &Asked<'_>, page: &[Value], limit: usize) -> Value {
    let query: Vec<&str> = asked
        .call
        .query
        .split('&')
        .filter(|p| !p.starts_with("marker="))
        .collect();
    let href = |marker: Option<&Value>, more: &str| {
        let marker = marker.and_then(|v| v["id"].as_str()).map(|id| format!("&marker={id}"));
        let (path, marker) = (&asked.call.path, marker.unwrap_or_default());
        format!("{}/network{path}?{}{marker}{more}", asked.root, query.join("&"))
    };
    let previous = json!({"rel": "previous", "href": href(page.first(), "&page_reverse=True")});
    if page.len() == limit {
        json!([{"rel": "next", "href": href(page.last(), "")}, previous])
    } else {
        json!([previous])
    }
}

fn network_json(cloud: &Cloud, network: &super::cloud::Network) -> Value {
    let admins = "032eee2afd1948d2bb4f2e4389558349".to_owned();
    let project = if network.ours() { &cloud.project_id } else { &admins };
    json!({"id": network.id, "name": network.name, "tenant_id": project, "admin_state_up": true, "mtu": 1450,
        "status": "ACTIVE", "subnets": [], "shared": network.shared, "router:external": network.external,
        "description": "", "port_security_enabled": true, "tags": [], "project_id": project})
}

// --- ports -----------------------------------------------------------------------------------------------------------

/// All ports: those that Nova made for servers, and all others.
fn ports(cloud: &Cloud) -> Vec<Value> {
    let of_servers = cloud
        .servers
        .iter()
        .filter(|s| !s.addresses.is_empty() && !s.port.is_empty());
    let others = cloud.ports.iter().filter(|p| cloud.sees(p.project.as_ref()));
    of_servers
        .map(|s| port_json(cloud, &of_server(s)))
        .chain(others.map(|p| port_json(cloud, p)))
        .collect()
}

/// The port that Nova made for a server.
fn of_server(server: &CloudServer) -> Port {
    Port {
        id: server.port.clone(),
        network: server.network.clone(),
        addresses: server.addresses.clone(),
        mac: server.mac.clone(),
        device: server.id.clone(),
        owner: format!("compute:{}", server.zone),
        security_groups: server.security_groups.iter().map(|g| group_id(g)).collect(),
        created: server.created,
        ..Port::default()
    }
}

fn port_json(cloud: &Cloud, port: &Port) -> Value {
    let fixed: Vec<Value> = port
        .addresses
        .iter()
        .map(|a| json!({"subnet_id": "subnet", "ip_address": a}))
        .collect();
    let project = port.project.as_ref().unwrap_or(&cloud.project_id);
    let status = if port.device.is_empty() { "DOWN" } else { "ACTIVE" };
    json!({"id": port.id, "name": port.name, "network_id": port.network, "tenant_id": project,
        "mac_address": port.mac, "admin_state_up": true, "status": status, "device_id": port.device,
        "device_owner": port.owner, "fixed_ips": fixed, "allowed_address_pairs": [],
        "extra_dhcp_opts": [], "security_groups": port.security_groups, "description": port.description,
        "binding:vnic_type": port.vnic_type, "port_security_enabled": port.security, "tags": [],
        "created_at": stamp(port.created), "updated_at": stamp(port.created), "revision_number": 3,
        "project_id": project})
}

/// The id of a security group, made from its name.
pub fn group_id(name: &str) -> String {
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

fn make_port(state: &mut State, asked: &Asked<'_>) -> Reply {
    let (id, mac, clock) = (state.random.uuid(), state.random.hex(6), state.clock);
    let body = asked.call.json();
    let wanted = &body["port"];
    let text = |key: &str| wanted[key].as_str().unwrap_or_default().to_owned();
    let cloud = state.cloud(asked.cloud);
    let used = cloud.servers.len() + cloud.ports.iter().filter(|p| p.project.is_none()).count();
    if over(used, cloud.quota.ports) {
        return over_quota("port");
    }
    if !cloud.networks.iter().any(|n| n.id == text("network_id")) {
        return no_network(&text("network_id"));
    }
    let named = wanted["security_groups"].as_array().cloned();
    let groups = named.unwrap_or_else(|| vec![json!(group_id("default"))]);
    let groups: Vec<String> = groups.iter().filter_map(|g| g.as_str().map(str::to_owned)).collect();
    let known: Vec<String> = cloud.security_groups.iter().map(|g| group_id(g)).collect();
    if let Some(odd) = groups.iter().find(|g| !known.contains(g)) {
        let message = format!("Security group {odd} does not exist");
        return error(404, "SecurityGroupNotFound", &message);
    }
    let port = Port {
        id,
        name: text("name"),
        network: text("network_id"),
        addresses: vec![cloud.address()],
        mac: format!("fa:16:3e:{}:{}:{}", &mac[..2], &mac[2..4], &mac[4..]),
        description: text("description"),
        security_groups: groups,
        vnic_type: wanted["binding:vnic_type"].as_str().unwrap_or("normal").to_owned(),
        security: wanted["port_security_enabled"].as_bool().unwrap_or(true),
        created: clock,
        ..Port::default()
    };
    let value = port_json(cloud, &port);
    cloud.ports.push(port);
    Reply::json(201, &json!({"port": value}))
}

fn over(used: usize, most: i64) -> bool {
    most >= 0 && i64::try_from(used).unwrap_or(0) >= most
}

fn delete_port(cloud: &mut Cloud, id: &str) -> Reply {
    if let Some(server) = cloud
        .servers
        .iter_mut()
        .find(|s| s.port == id && !s.addresses.is_empty())
    {
        server.addresses.clear();
    } else {
        match cloud.ports.iter().position(|p| p.id == id && p.project.is_none()) {
            None => return no_port(id),
            Some(at) if cloud.ports[at].owner.starts_with("network:") => {
                let owner = &cloud.ports[at].owner;
                let message =
                    format!("Port {id} cannot be deleted directly via the port API: has device owner {owner}.");
                return error(409, "ServicePortInUse", &message);
            }
            Some(at) => drop(cloud.ports.remove(at)),
        }
    }
    for ip in cloud
        .floating_ips
        .iter_mut()
        .filter(|ip| ip.port.as_deref() == Some(id))
    {
        ip.port = None;
    }
    Reply::new(204)
}

// --- floating IPs ----------------------------------------------------------------------------------------------------

/// The port of that id that is there by now.
fn port_of(cloud: &Cloud, id: &str) -> Option<Port> {
    let made = || cloud.ports.iter().find(|p| p.id == id).cloned();
    let servers = cloud.servers.iter().filter(|s| !s.addresses.is_empty());
    servers.map(of_server).find(|p| p.id == id).or_else(made)
}

fn floating_json(cloud: &Cloud, ip: &FloatingIp) -> Value {
    let port = ip.port.as_deref().and_then(|id| port_of(cloud, id));
    let details = port.as_ref().map(|p| {
        json!({"name": p.name, "network_id": p.network, "mac_address": p.mac, "admin_state_up": true,
            "status": "ACTIVE", "device_id": p.device, "device_owner": p.owner})
    });
    let project = ip.project.as_ref().unwrap_or(&cloud.project_id);
    json!({"id": ip.id, "tenant_id": project, "floating_ip_address": ip.address,
        "floating_network_id": ip.network, "router_id": port.as_ref().map(|_| cloud.router()), "port_id": ip.port,
        "fixed_ip_address": port.and_then(|p| p.addresses.into_iter().next()), "status": "DOWN",
        "description": ip.description, "port_details": details, "tags": [], "created_at": stamp(ip.created),
        "updated_at": stamp(ip.created), "revision_number": 0, "project_id": project})
}

fn float(state: &mut State, asked: &Asked<'_>) -> Reply {
    let (id, clock) = (state.random.uuid(), state.clock);
    let body = asked.call.json();
    let wanted = &body["floatingip"];
    let network = wanted["floating_network_id"].as_str().unwrap_or_default().to_owned();
    let cloud = state.cloud(asked.cloud);
    let own = cloud.floating_ips.iter().filter(|f| f.project.is_none()).count();
    if over(own, cloud.quota.floating_ips) {
        return over_quota("floatingip");
    }
    match cloud.networks.iter().find(|n| n.id == network) {
        None => return no_network(&network),
        Some(n) if !n.external => {
            let message = format!("Bad floatingip request: Network {network} is not a valid external network.");
            return error(400, "BadRequest", &message);
        }
        Some(_) => {}
    }
    let port = wanted["port_id"].as_str().map(str::to_owned);
    if let Some(refused) = port.as_ref().and_then(|port| no_association(cloud, &network, port)) {
        return refused;
    }
    if let Some(message) = &cloud.pool_used_up {
        return error(409, "IpAddressGenerationFailure", message);
    }
    let address = (10..=255).map(|n| format!("198.18.0.{n}"));
    let free = |a: &String| cloud.floating_ips.iter().all(|f| f.address != *a);
    let ip = FloatingIp {
        id,
        address: address
            .into_iter()
            .find(free)
            .unwrap_or_else(|| format!("198.18.{own}.1")),
        network,
        port,
        description: wanted["description"].as_str().unwrap_or_default().to_owned(),
        created: clock,
        project: None,
    };
    let value = floating_json(cloud, &ip);
    cloud.floating_ips.push(ip);
    Reply::json(201, &json!({"floatingip": value}))
}

/// Why a floating IP of a network cannot go to a port.
fn no_association(cloud: &Cloud, network: &str, id: &str) -> Option<Reply> {
    let Some(port) = port_of(cloud, id) else {
        return Some(no_port(id));
    };
    let Some(fixed) = port.addresses.iter().find(|a| !a.contains(':')) else {
        let message =
            format!("Bad floatingip request: Cannot add floating IP to port {id} that has no fixed IPv4 addresses.");
        return Some(error(400, "BadRequest", &message));
    };
    if cloud.unrouted.contains(&port.network) {
        let message = format!(
            "External network {network} is not reachable from subnet subnet.  Therefore, cannot associate Port {id} \
             with a Floating IP."
        );
        return Some(error(404, "ExternalGatewayForFloatingIPNotFound", &message));
    }
    let other = cloud.floating_ips.iter().find(|f| f.port.as_deref() == Some(id))?;
    let (address, theirs) = (&other.address, &other.id);
    let message = format!(
        "Cannot associate floating IP {address} ({theirs}) with port {id} using fixed IP {fixed}, as that fixed IP \
         already has a floating IP on external network {network}."
    );
    Some(error(409, "FloatingIPPortAlreadyAssociated", &message))
}
