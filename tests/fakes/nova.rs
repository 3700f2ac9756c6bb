//! Nova 2.1 to 2.93: servers, flavors, limits, key pairs, zones, with its error texts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cloud::{Cloud, CloudServer, Hidden};
use super::http_server::Reply;
use super::openstack::{Asked, micro_stamp, page, paged, stamp};
use super::world::State;

/// The largest body that is read.
const MAX_BODY: usize = 114_688;

/// The highest microversion.
const NEWEST: u32 = 93;

/// Keys of `server` in a POST, and from which minor version on.
const SERVER_KEYS: [(&str, u32); 22] = [
    ("name", 1),
    ("imageRef", 1),
    ("flavorRef", 1),
    ("adminPass", 1),
    ("metadata", 1),
    ("networks", 1),
    ("OS-DCF:diskConfig", 1),
    ("accessIPv4", 1),
    ("accessIPv6", 1),
    ("availability_zone", 1),
    ("block_device_mapping", 1),
    ("block_device_mapping_v2", 1),
    ("config_drive", 1),
    ("key_name", 1),
    ("min_count", 1),
    ("max_count", 1),
    ("return_reservation_id", 1),
    ("security_groups", 1),
    ("user_data", 1),
    ("description", 19),
    ("tags", 52),
    ("hostname", 90),
];

pub fn answer(state: &mut State, asked: &Asked<'_>) -> Reply {
    let newest = state.cloud(asked.cloud).newest;
    let version = match microversion(asked, newest) {
        Ok(version) => version,
        Err(reply) => return reply,
    };
    let steps = asked.steps();
    let reply = match (asked.call.method.as_str(), steps.as_slice()) {
        ("GET", []) if asked.call.path == "/" || asked.call.path.is_empty() => roots(asked),
        ("GET", ["v2.1"]) => Reply::json(200, &json!({"version": root(asked)})),
        ("GET", ["servers", "detail"]) => list(state, asked, version, true),
        ("GET", ["servers"]) => list(state, asked, version, false),
        ("POST", ["servers"]) => create(state, asked, version),
        ("GET", ["servers", id]) => show(state, asked, id, version),
        ("DELETE", ["servers", id]) => delete(state, asked, id),
        ("POST", ["servers", id, "action"]) => action(state, asked, id),
        ("GET", ["flavors", "detail"]) => flavors(state, asked, true),
        ("GET", ["flavors"]) => flavors(state, asked, false),
        ("GET", ["flavors", id]) => flavor(state, asked, id),
        ("GET", ["flavors", _, "os-extra_specs"]) => Reply::json(200, &json!({"extra_specs": {}})),
        ("GET", ["limits"]) => limits(state, asked),
        ("GET", ["os-keypairs"]) => keypairs(state, asked),
        ("GET", ["os-keypairs", name]) => keypair(state, asked, name),
        ("GET", ["os-availability-zone"]) => zones(state, asked),
        ("GET", ["extensions"]) => Reply::json(200, &json!({"extensions": []})),
        ("GET", ["os-server-groups"]) => server_groups(state, asked),
        _ => page(404, "Not Found", "The resource could not be found."),
    };
    if newest == 1 {
        return reply;
    }
    reply
        .header("OpenStack-API-Version", format!("compute 2.{version}"))
        .header("X-OpenStack-Nova-API-Version", format!("2.{version}"))
        .header("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version")
}

fn microversion(asked: &Asked<'_>, newest: u32) -> Result<u32, Reply> {
    if newest == 1 {
        return Ok(1);
    }
    let headers = &asked.call.headers;
    let new = headers
        .get("openstack-api-version")
        .and_then(|v| v.strip_prefix("compute "));
    let Some(text) = new.or(headers.get("x-openstack-nova-api-version").map(String::as_str)) else {
        return Ok(1);
    };
    if text == "latest" {
        return Ok(newest);
    }
    match text.strip_prefix("2.").and_then(|m| m.parse().ok()) {
        Some(minor) if (1..=newest).contains(&minor) => Ok(minor),
        Some(_) => {
            let message =
                format!("Version {text} is not supported by the API. Minimum is 2.1 and maximum is 2.{newest}.");
            Err(fault("computeFault", 406, &message).header("OpenStack-API-Version", format!("compute {text}")))
        }
        None => Err(fault(
            "computeFault",
            400,
            &format!("API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."),
        )),
    }
}

fn fault(name: &str, status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({name: {"code": status, "message": message}}))
}

fn bad(message: &str) -> Reply {
    fault("badRequest", 400, message)
}

fn root(asked: &Asked<'_>) -> Value {
    json!({"id": "v2.1", "status": "CURRENT", "version": format!("2.{NEWEST}"), "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": format!("{}/compute/v2.1/", asked.root)}]})
}

fn roots(asked: &Asked<'_>) -> Reply {
    Reply::json(200, &json!({"versions": [root(asked)]}))
}

fn links(asked: &Asked<'_>, kind: &str, id: &str) -> Value {
    json!([{"rel": "self", "href": format!("{}/compute/v2.1/{kind}/{id}", asked.root)},
        {"rel": "bookmark", "href": format!("{}/compute/{kind}/{id}", asked.root)}])
}

fn bookmark(asked: &Asked<'_>, kind: &str, id: &str) -> Value {
    json!([{"rel": "bookmark", "href": format!("{}/compute/{kind}/{id}", asked.root)}])
}

// --- servers, read ---------------------------------------------------------------------------------------------------

fn server_json(cloud: &Cloud, server: &CloudServer, asked: &Asked<'_>, version: u32, shown: bool) -> Value {
    let unscheduled = server.launched.is_none() && server.task.as_deref() == Some("scheduling");
    let host = if server.launched.is_none() {
        ""
    } else {
        "259a4e355e401a9d78c3d3a93484ed33e103f8eb03f27445f7514c57"
    };
    let image = match server.image.as_str() {
        "" => json!(""),
        id => json!({"id": id, "links": bookmark(asked, "images", id)}),
    };
    let vm_state = match server.status.as_str() {
        "BUILD" => "building",
        "ERROR" => "error",
        "SHUTOFF" => "stopped",
        _ => "active",
    };
    let attached = cloud.volumes.iter().filter(|v| v.server.as_ref() == Some(&server.id));
    let attached: Vec<Value> = attached.map(|v| json!({"id": v.id})).collect();
    let mut value = json!({"id": server.id, "name": server.name, "status": server.status,
        "tenant_id": cloud.project_id, "user_id": cloud.user_id, "metadata": server.metadata, "hostId": host,
        "image": image, "flavor": flavor_in(cloud, server, asked, version), "created": stamp(server.created),
        "updated": stamp(server.updated), "addresses": addresses(cloud, server, asked.call.at), "accessIPv4": "", "accessIPv6": "",
        "links": links(asked, "servers", &server.id), "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": server.zone, "config_drive": if server.config_drive { "True" } else { "" },
        "key_name": server.key_name, "OS-SRV-USG:launched_at": server.launched.map(micro_stamp),
        "OS-SRV-USG:terminated_at": null, "OS-EXT-STS:task_state": server.task, "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:power_state": i32::from(server.status == "ACTIVE"),
        "os-extended-volumes:volumes_attached": attached});
    if server.status != "ERROR" {
        value["progress"] = json!(0);
        if !unscheduled {
            value["security_groups"] = server.security_groups.iter().map(|g| json!({"name": g})).collect();
        }
    }
    // Of a server that failed on its host the list tells why.
    let told = |message: &&String| shown || cloud.fault_in_list || message.starts_with("Build of instance");
    if let Some(message) = server.fault.as_ref().filter(told) {
        value["fault"] = json!({"code": 500, "created": stamp(server.updated), "message": message});
    }
    value
}

fn flavor_in(cloud: &Cloud, server: &CloudServer, asked: &Asked<'_>, version: u32) -> Value {
    match cloud.flavor_of(&server.flavor) {
        Some(f) if version >= 47 => json!({"original_name": f.name, "vcpus": f.vcpus, "ram": f.ram, "disk": f.disk,
            "ephemeral": 0, "swap": 0, "extra_specs": {}}),
        _ => json!({"id": server.flavor, "links": bookmark(asked, "flavors", &server.flavor)}),
    }
}

fn addresses(cloud: &Cloud, server: &CloudServer, clock: i64) -> Value {
    let lost = cloud.hide_addresses.get(&server.id).filter(|(_, until)| clock < *until);
    let lost = lost.map(|(what, _)| *what);
    if server.addresses.is_empty() || lost == Some(Hidden::All) {
        return json!({});
    }
    let entry = |addr: &str, kind: &str| {
        json!({"version": if addr.contains(':') { 6 } else { 4 }, "addr": addr, "OS-EXT-IPS:type": kind,
            "OS-EXT-IPS-MAC:mac_addr": server.mac})
    };
    let mut all: Vec<Value> = server.addresses.iter().map(|a| entry(a, "fixed")).collect();
    let floating = cloud
        .floating_ips
        .iter()
        .filter(|f| f.port.as_ref() == Some(&server.port) && clock >= f.created + cloud.floating_seconds);
    match lost {
        Some(Hidden::Entries) => all.clear(),
        Some(_) => {}
        None => all.extend(floating.map(|f| entry(&f.address, "floating"))),
    }
    let name = cloud
        .networks
        .iter()
        .find(|n| n.id == server.network)
        .map_or("private", |n| n.name.as_str());
    json!({name: all})
}

fn list(state: &mut State, asked: &Asked<'_>, version: u32, detail: bool) -> Reply {
    if asked.call.parameter("all_tenants").is_some() {
        let which = if detail { "detail" } else { "index" };
        return fault(
            "forbidden",
            403,
            &format!("Policy doesn't allow os_compute_api:servers:{which}:get_all_tenants to be performed."),
        );
    }
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let limit = match read_limit(asked, cloud.max_limit) {
        Ok(limit) => limit,
        Err(reply) => return reply,
    };
    let mut servers: Vec<&CloudServer> = cloud.servers.iter().filter(|s| passes(asked, s)).collect();
    servers.retain(|s| cloud.hide_from_list.get(&s.id).is_none_or(|until| clock >= *until));
    servers.sort_by_key(|s| (!s.scheduling(), -s.created, s.id.clone()));
    let scheduling = servers.iter().any(|s| s.scheduling());
    let values: Vec<Value> = servers
        .iter()
        .map(|s| match detail {
            true => server_json(cloud, s, asked, version, false),
            false => json!({"id": s.id, "name": s.name, "links": links(asked, "servers", &s.id)}),
        })
        .collect();
    let marker = asked.call.parameter("marker");
    let all: Vec<&Value> = values.iter().collect();
    let (mut entries, full) = match paged(&all, limit, marker.as_deref()) {
        Ok(page) => page,
        Err(id) => return bad(&format!("marker [{id}] not found")),
    };
    if full && scheduling && entries.len() > 1 {
        // While something is being scheduled a full page comes out short, and without a link.
        entries.pop();
        return Reply::json(200, &json!({"servers": entries}));
    }
    let mut body = json!({"servers": entries});
    if let Some(last) = entries.last().filter(|_| full) {
        let path = if detail { "servers/detail" } else { "servers" };
        body["servers_links"] = next_link(asked, path, last["id"].as_str().unwrap_or_default());
    }
    Reply::json(200, &body)
}

fn next_link(asked: &Asked<'_>, path: &str, marker: &str) -> Value {
    let kept = asked
        .call
        .query
        .split('&')
        .filter(|p| !p.is_empty() && !p.starts_with("marker="));
    let query: Vec<&str> = kept.collect();
    let joined = if query.is_empty() {
        String::new()
    } else {
        format!("{}&", query.join("&"))
    };
    json!([{"rel": "next", "href": format!("{}/compute/v2.1/{path}?{joined}marker={marker}", asked.root)}])
}

fn read_limit(asked: &Asked<'_>, most: usize) -> Result<usize, Reply> {
    match asked.limit() {
        None => Ok(most),
        Some(text) => text.parse::<usize>().map(|limit| limit.min(most)).map_err(|_| {
            let what = format!("'{text}' does not match '^[0-9]*$'");
            bad(&format!(
                "Invalid input for query parameters limit. Value: {text}. {what}"
            ))
        }),
    }
}

/// The filters that are obeyed; any other is ignored without a word.
fn passes(asked: &Asked<'_>, server: &CloudServer) -> bool {
    let name = asked.call.parameter("name").is_none_or(|text| {
        // Nova's is a regex; the fake knows anchors only.
        let plain = text.trim_start_matches('^').trim_end_matches('$').replace('\\', "");
        match (text.starts_with('^'), text.ends_with('$')) {
            (true, true) => server.name == plain,
            (true, false) => server.name.starts_with(&plain),
            (false, true) => server.name.ends_with(&plain),
            (false, false) => server.name.to_lowercase().contains(&plain.to_lowercase()),
        }
    });
    name && asked
        .call
        .parameter("status")
        .is_none_or(|s| s.eq_ignore_ascii_case(&server.status))
}

fn not_found(id: &str) -> Reply {
    fault("itemNotFound", 404, &format!("Instance {id} could not be found."))
}

fn show(state: &mut State, asked: &Asked<'_>, id: &str, version: u32) -> Reply {
    let cloud = state.cloud(asked.cloud);
    match cloud.server(id) {
        Some(server) => Reply::json(
            200,
            &json!({"server": server_json(cloud, server, asked, version, true)}),
        ),
        None => not_found(id),
    }
}

fn delete(state: &mut State, asked: &Asked<'_>, id: &str) -> Reply {
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let Some(server) = cloud.servers.iter_mut().find(|s| s.id == id) else {
        return not_found(id);
    };
    if server.locked {
        return fault("conflictingRequest", 409, &format!("Instance {id} is locked"));
    }
    if server.deleting.is_none() {
        (server.deleting, server.task) = (Some(clock), Some("deleting".to_owned()));
        server.updated = clock;
    }
    // The guest is switched off early in a delete: its agent goes at once.
    state.lose_agent(asked.cloud, id);
    Reply::new(204).header("Content-Type", "application/json")
}

// --- servers, actions ------------------------------------------------------------------------------------------------

fn action(state: &mut State, asked: &Asked<'_>, id: &str) -> Reply {
    let body = asked.call.json();
    let cloud = state.cloud(asked.cloud);
    let Some(server) = cloud.server(id) else {
        return not_found(id);
    };
    let Some(wanted) = body.get("os-getConsoleOutput") else {
        let name = body
            .as_object()
            .and_then(|b| b.keys().next().cloned())
            .unwrap_or_default();
        return bad(&format!("There is no such action: {name}"));
    };
    if server.launched.is_none() && server.status != "ACTIVE" {
        return fault("conflictingRequest", 409, &format!("Instance {id} is not ready"));
    }
    let text = cloud
        .consoles
        .get(id)
        .map_or("FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE", String::as_str);
    let lines: Vec<&str> = text.split('\n').collect();
    let wanted = wanted["length"].as_u64().and_then(|n| usize::try_from(n).ok());
    let from = lines.len().saturating_sub(wanted.unwrap_or(lines.len()));
    Reply::json(200, &json!({"output": lines[from..].join("\n")}))
}

// --- servers, create -------------------------------------------------------------------------------------------------

fn create(state: &mut State, asked: &Asked<'_>, version: u32) -> Reply {
    if asked.call.body.len() > MAX_BODY {
        let text = format!("Request is too large. Larger than max_request_body_size ({MAX_BODY}).");
        return page(413, "Request Entity Too Large", &text);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&asked.call.body) else {
        return bad("Malformed request body");
    };
    if let Err(message) = schema(&body, version) {
        return bad(&message);
    }
    let wanted = &body["server"];
    if let Err(reply) = lookups(state.cloud(asked.cloud), &body) {
        return reply;
    }
    let count = usize::try_from(wanted["min_count"].as_u64().unwrap_or(1)).unwrap_or(1);
    if let Err(reply) = quota(state.cloud(asked.cloud), wanted, count) {
        return reply;
    }
    let mut first = String::new();
    for at in 0..count {
        let id = make(state, asked, &body, (count > 1).then_some(at + 1));
        if first.is_empty() {
            first = id;
        }
    }
    let password = state.random.hex(12);
    let groups = groups(wanted);
    let groups: Vec<Value> = groups.iter().map(|g| json!({"name": g})).collect();
    let reply = json!({"server": {"id": first, "links": links(asked, "servers", &first),
        "OS-DCF:diskConfig": "MANUAL", "security_groups": groups, "adminPass": password}});
    Reply::json(202, &reply).header("Location", format!("{}/compute/v2.1/servers/{first}", asked.root))
}

fn groups(wanted: &Value) -> Vec<String> {
    let named: Vec<String> = wanted["security_groups"]
        .as_array()
        .map(|all| {
            all.iter()
                .filter_map(|g| g["name"].as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    if named.is_empty() {
        vec!["default".to_owned()]
    } else {
        named
    }
}

fn make(state: &mut State, asked: &Asked<'_>, body: &Value, number: Option<usize>) -> String {
    let wanted = &body["server"];
    let (id, port) = (state.random.uuid(), state.random.uuid());
    let clock = state.clock;
    let text = |key: &str| wanted[key].as_str().map(str::to_owned);
    let metadata: BTreeMap<String, String> = serde_json::from_value(wanted["metadata"].clone()).unwrap_or_default();
    let drive = &wanted["config_drive"];
    let cloud = state.cloud(asked.cloud);
    let own = cloud.networks.iter().find(|n| n.usable());
    let own = own.map(|n| n.id.clone()).unwrap_or_default();
    let nics = wanted["networks"].as_array();
    let network = nics.into_iter().flatten().find_map(|n| n["uuid"].as_str());
    let all_given = network.is_none() && nics.is_some_and(|n| !n.is_empty());
    let given = nics.into_iter().flatten().find_map(|n| n["port"].as_str());
    let given = given.and_then(|id| cloud.ports.iter().find(|p| p.id == id));
    let network = network
        .map(str::to_owned)
        .or(given.map(|p| p.network.clone()))
        .unwrap_or(own);
    let zone = cloud.zones.keys().next().cloned().unwrap_or_default();
    let name = text("name").unwrap_or_default();
    cloud.servers.push(CloudServer {
        name: number.map_or_else(|| name.clone(), |n| format!("{name}-{n}")),
        image: text("imageRef").unwrap_or_default(),
        flavor: text("flavorRef").unwrap_or_default(),
        key_name: text("key_name"),
        metadata,
        user_data: text("user_data"),
        zone: text("availability_zone").unwrap_or(zone),
        network,
        security_groups: groups(wanted),
        config_drive: drive.as_bool().unwrap_or(false)
            || drive.as_str().is_some_and(|d| d.eq_ignore_ascii_case("true")),
        created: clock,
        updated: clock,
        launched: None,
        status: "BUILD".to_owned(),
        task: Some("scheduling".to_owned()),
        fault: None,
        addresses: Vec::new(),
        mac: String::new(),
        port: if all_given { String::new() } else { port },
        deleting: None,
        locked: false,
        request: body.clone(),
        id: id.clone(),
    });
    id
}

fn schema(body: &Value, version: u32) -> Result<(), String> {
    let invalid = |field: &str, value: &Value, what: &str| {
        Err(format!(
            "Invalid input for field/attribute {field}. Value: {}. {what}",
            repr(value, true)
        ))
    };
    let Some(server) = body["server"].as_object() else {
        return invalid("body", body, "'server' is a required property");
    };
    let known = |k: &str| SERVER_KEYS.iter().any(|(name, from)| *name == k && version >= *from);
    let whole = &body["server"];
    if let Some(odd) = server.keys().find(|k| !known(k)) {
        return invalid(
            "server",
            whole,
            &format!("Additional properties are not allowed ('{odd}' was unexpected)"),
        );
    }
    let odd = body.as_object().and_then(|b| {
        b.keys()
            .find(|k| !["server", "os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"].contains(&k.as_str()))
    });
    if let Some(odd) = odd {
        return invalid(
            "body",
            body,
            &format!("Additional properties are not allowed ('{odd}' was unexpected)"),
        );
    }
    let needed: &[&str] = if version >= 37 {
        &["name", "flavorRef", "networks"]
    } else {
        &["name", "flavorRef"]
    };
    if let Some(missing) = needed.iter().find(|k| !server.contains_key(**k)) {
        return invalid("server", whole, &format!("'{missing}' is a required property"));
    }
    let name = server["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        return invalid("name", &server["name"], "'' is too short");
    }
    if name.chars().count() > 255 {
        return invalid("name", &server["name"], &format!("'{name}' is too long"));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return invalid("name", &server["name"], &format!("'{name}' does not match '^[...]$'"));
    }
    let image = server.get("imageRef").and_then(Value::as_str).unwrap_or_default();
    if !image.is_empty() && !is_uuid(image) {
        return invalid(
            "imageRef",
            &server["imageRef"],
            &format!("'{image}' is not valid under any of the given schemas"),
        );
    }
    if let Some(data) = server
        .get("user_data")
        .and_then(Value::as_str)
        .filter(|d| d.len() > 65535)
    {
        return invalid("user_data", &server["user_data"], &format!("'{data}' is too long"));
    }
    if server.get("user_data").is_some_and(Value::is_null) {
        return invalid("user_data", &Value::Null, "None is not of type 'string'");
    }
    let groups = ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"];
    let groups = groups.iter().filter_map(|hints| body[*hints]["group"].as_str());
    if let Some(odd) = groups.into_iter().find(|group| !is_uuid(group)) {
        return invalid("group", &json!(odd), &format!("'{odd}' is not a 'uuid'"));
    }
    schema_of_mappings(whole, version)?;
    schema_of_metadata(whole)
}

fn schema_of_mappings(server: &Value, version: u32) -> Result<(), String> {
    let mappings = server["block_device_mapping_v2"].as_array();
    for (at, mapping) in mappings.into_iter().flatten().enumerate() {
        if version < 67 && mapping.get("volume_type").is_some() {
            return Err(format!(
                "Invalid input for field/attribute {at}. Value: {}. Additional properties are not allowed \
                 ('volume_type' was unexpected)",
                repr(mapping, true)
            ));
        }
    }
    Ok(())
}

fn schema_of_metadata(server: &Value) -> Result<(), String> {
    for (key, value) in server["metadata"].as_object().into_iter().flatten() {
        let shown = repr(value, true);
        let field = format!("Invalid input for field/attribute {key}. Value: {shown}. ");
        match value.as_str() {
            None => return Err(format!("{field}{} is not of type 'string'", repr(value, false))),
            Some(text) if text.chars().count() > 255 => return Err(format!("{field}'{text}' is too long")),
            Some(_) => {}
        }
        let good = |c: char| c.is_ascii_alphanumeric() || "-_:. ".contains(c);
        if key.is_empty() || key.len() > 255 || !key.chars().all(good) {
            let metadata = repr(&server["metadata"], true);
            return Err(format!(
                "Invalid input for field/attribute metadata. Value: {metadata}. '{key}' does not match any of the \
                 regexes: '^[a-zA-Z0-9-_:. ]{{1,255}}$'"
            ));
        }
    }
    Ok(())
}

/// A value as Python prints it; a text at the outside bare.
fn repr(value: &Value, outside: bool) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(yes) => if *yes { "True" } else { "False" }.to_owned(),
        Value::String(text) if outside => text.clone(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|v| repr(v, false)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let items: Vec<String> = object
                .iter()
                .map(|(k, v)| format!("'{k}': {}", repr(v, false)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Number(number) => number.to_string(),
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn lookups(cloud: &Cloud, body: &Value) -> Result<(), Reply> {
    let wanted = &body["server"];
    let group = body["os:scheduler_hints"]["group"].as_str();
    if let Some(odd) = group.filter(|group| !cloud.server_groups.iter().any(|(id, _)| id == group)) {
        return Err(bad(&format!("Instance group {odd} could not be found.")));
    }
    let text = |key: &str| wanted[key].as_str().unwrap_or_default();
    let mappings = wanted["block_device_mapping_v2"].as_array();
    let boot = mappings.and_then(|m| m.iter().find(|b| b["boot_index"] == 0));
    if let Some(mappings) = mappings {
        let twin = boot.is_some_and(|b| b["destination_type"] != "local" || b["uuid"] == wanted["imageRef"]);
        if !mappings.is_empty() && !twin {
            return Err(bad(
                "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.",
            ));
        }
    }
    for kind in mappings.into_iter().flatten().filter_map(|m| m["volume_type"].as_str()) {
        if !cloud.volume_types.iter().any(|(id, name)| id == kind || name == kind) {
            return Err(bad(&format!("Volume type {kind} could not be found.")));
        }
    }
    let image = cloud.images.iter().find(|i| i.id == text("imageRef"));
    match (image, text("imageRef")) {
        (None, "") if boot.is_none() => return Err(bad("Invalid imageRef provided.")),
        (None, id) if !id.is_empty() => return Err(bad("Can not find requested image")),
        (Some(i), id) if i.status != "active" => return Err(bad(&format!("Image {id} is not active."))),
        _ => {}
    }
    let Some(flavor) = cloud.flavor_of(text("flavorRef")) else {
        return Err(bad(&format!("Flavor {} could not be found.", text("flavorRef"))));
    };
    if image.is_some_and(|i| i.min_ram > flavor.ram) {
        return Err(bad("Flavor's memory is too small for requested image."));
    }
    if image.is_some_and(|i| i.min_disk > flavor.disk) {
        return Err(bad("Flavor's disk is too small for requested image."));
    }
    if !text("key_name").is_empty() && !cloud.keypairs.contains(text("key_name")) {
        return Err(bad("Invalid key_name provided."));
    }
    if !text("availability_zone").is_empty() && !cloud.zones.contains_key(text("availability_zone")) {
        return Err(bad("The requested availability zone is not available"));
    }
    lookup_networks(cloud, wanted)?;
    if let Some(odd) = groups(wanted).iter().find(|g| !cloud.security_groups.contains(*g)) {
        return Err(bad(&format!("Unable to find security_group with name or id '{odd}'")));
    }
    if wanted["metadata"].as_object().is_some_and(|m| m.len() > 128) {
        return Err(fault("forbidden", 403, "Maximum number of metadata items exceeds 128"));
    }
    let on_volume = boot.is_some_and(|b| b["destination_type"] == "volume");
    if flavor.disk == 0 && !on_volume {
        return Err(fault(
            "forbidden",
            403,
            "Only volume-backed servers are allowed for flavors with zero disk.",
        ));
    }
    Ok(())
}

fn lookup_networks(cloud: &Cloud, wanted: &Value) -> Result<(), Reply> {
    let Some(networks) = wanted["networks"].as_array().filter(|n| !n.is_empty()) else {
        let own = cloud.networks.iter().filter(|n| n.usable()).count();
        if own > 1 && !wanted["networks"].is_string() {
            let message = "Multiple possible networks found, use a Network ID to be more specific.";
            return Err(fault("conflictingRequest", 409, message));
        }
        return Ok(());
    };
    for id in networks.iter().filter_map(|n| n["uuid"].as_str()) {
        if !is_uuid(id) {
            return Err(bad(&format!(
                "Bad networks format: network uuid is not in proper format ({id})"
            )));
        }
        match cloud.networks.iter().find(|n| n.id == id) {
            None => return Err(bad(&format!("Network {id} could not be found."))),
            Some(n) if !n.usable() => {
                let message = format!("It is not allowed to create an interface on external network {id}");
                return Err(fault("forbidden", 403, &message));
            }
            Some(_) => {}
        }
    }
    for id in networks.iter().filter_map(|n| n["port"].as_str()) {
        match cloud.ports.iter().find(|p| p.id == id) {
            None => return Err(bad(&format!("Port id {id} could not be found."))),
            Some(p) if !p.device.is_empty() => {
                return Err(fault("conflictingRequest", 409, &format!("Port {id} is still in use.")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn quota(cloud: &Cloud, wanted: &Value, count: usize) -> Result<(), Reply> {
    let count = i64::try_from(count).unwrap_or(1);
    let Some(flavor) = cloud.flavor_of(wanted["flavorRef"].as_str().unwrap_or_default()) else {
        return Ok(());
    };
    if cloud.quota.ports >= 0 {
        let ports = cloud.servers.len() + cloud.ports.iter().filter(|p| p.project.is_none()).count();
        if i64::try_from(ports).unwrap_or(0) + count > cloud.quota.ports {
            return Err(fault("forbidden", 403, "Maximum number of ports exceeded"));
        }
    }
    let (instances, cores, ram) = cloud.used();
    let over: Vec<(&str, i64, i64, i64)> = [
        ("cores", flavor.vcpus * count, cores, cloud.quota.cores),
        ("instances", count, instances, cloud.quota.instances),
        ("ram", flavor.ram * count, ram, cloud.quota.ram),
    ]
    .into_iter()
    .filter(|(_, asked, used, most)| *most >= 0 && used + asked > *most)
    .collect();
    if over.is_empty() {
        return Ok(());
    }
    let join = |f: &dyn Fn(&(&str, i64, i64, i64)) -> String| over.iter().map(f).collect::<Vec<_>>().join(", ");
    let names = join(&|o| o.0.to_owned());
    let message = format!(
        "Quota exceeded for {names}: Requested {}, but already used {} of {} {names}",
        join(&|o| o.1.to_string()),
        join(&|o| o.2.to_string()),
        join(&|o| o.3.to_string())
    );
    Err(fault("forbidden", 403, &message))
}

// --- the rest --------------------------------------------------------------------------------------------------------

fn flavor_json(f: &super::cloud::Flavor, asked: &Asked<'_>) -> Value {
    json!({"id": f.id, "name": f.name, "ram": f.ram, "disk": f.disk, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": false, "vcpus": f.vcpus, "os-flavor-access:is_public": true, "rxtx_factor": 1.0,
        "links": links(asked, "flavors", &f.id)})
}

fn flavors(state: &mut State, asked: &Asked<'_>, detail: bool) -> Reply {
    let cloud = state.cloud(asked.cloud);
    let limit = match read_limit(asked, cloud.max_limit) {
        Ok(limit) => limit,
        Err(reply) => return reply,
    };
    let values: Vec<Value> = cloud
        .flavors
        .iter()
        .filter(|f| !f.disabled)
        .map(|f| match detail {
            true => flavor_json(f, asked),
            false => json!({"id": f.id, "name": f.name, "links": links(asked, "flavors", &f.id)}),
        })
        .collect();
    let all: Vec<&Value> = values.iter().collect();
    let marker = asked.call.parameter("marker");
    let (entries, full) = match paged(&all, limit, marker.as_deref()) {
        Ok(page) => page,
        Err(id) => return bad(&format!("marker [{id}] not found")),
    };
    let mut body = json!({"flavors": entries});
    if let Some(last) = entries.last().filter(|_| full) {
        let path = if detail { "flavors/detail" } else { "flavors" };
        body["flavors_links"] = next_link(asked, path, last["id"].as_str().unwrap_or_default());
    }
    Reply::json(200, &body)
}

fn flavor(state: &mut State, asked: &Asked<'_>, id: &str) -> Reply {
    match state.cloud(asked.cloud).flavor_of(id) {
        Some(f) => Reply::json(200, &json!({"flavor": flavor_json(f, asked)})),
        None => fault("itemNotFound", 404, &format!("Flavor {id} could not be found.")),
    }
}

fn server_groups(state: &mut State, asked: &Asked<'_>) -> Reply {
    let group = |(id, name): &(String, String)| json!({"id": id, "name": name, "policies": ["anti-affinity"], "metadata": {}, "members": []});
    let all: Vec<Value> = state.cloud(asked.cloud).server_groups.iter().map(group).collect();
    Reply::json(200, &json!({"server_groups": all}))
}

fn limits(state: &mut State, asked: &Asked<'_>) -> Reply {
    let cloud = state.cloud(asked.cloud);
    let (instances, cores, ram) = cloud.used();
    // What has not reached a cell yet is not counted here, though it is listed.
    let scheduling = cloud.servers.iter().filter(|server| server.scheduling()).count();
    let instances = instances - i64::try_from(scheduling).unwrap_or(0);
    let quota = &cloud.quota;
    Reply::json(
        200,
        &json!({"limits": {"rate": [], "absolute": {"maxTotalInstances": quota.instances,
        "maxTotalCores": quota.cores, "maxTotalRAMSize": quota.ram, "maxServerMeta": 128, "maxImageMeta": 128,
        "maxPersonality": 5, "maxPersonalitySize": 10240, "maxTotalKeypairs": 100, "maxServerGroups": 10,
        "maxServerGroupMembers": 10, "maxTotalFloatingIps": -1, "maxSecurityGroups": -1, "maxSecurityGroupRules": -1,
        "totalRAMUsed": ram, "totalCoresUsed": cores, "totalInstancesUsed": instances, "totalFloatingIpsUsed": 0,
        "totalSecurityGroupsUsed": 0, "totalServerGroupsUsed": 0}}}),
    )
}

fn keypair_json(name: &str) -> Value {
    json!({"name": name, "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake", "fingerprint": "aa:bb"})
}

fn keypairs(state: &mut State, asked: &Asked<'_>) -> Reply {
    let all: Vec<Value> = state
        .cloud(asked.cloud)
        .keypairs
        .iter()
        .map(|k| json!({"keypair": keypair_json(k)}))
        .collect();
    Reply::json(200, &json!({"keypairs": all}))
}

fn keypair(state: &mut State, asked: &Asked<'_>, name: &str) -> Reply {
    let name = super::query::decoded(name, false);
    let cloud = state.cloud(asked.cloud);
    if cloud.keypairs.contains(&name) {
        return Reply::json(200, &json!({"keypair": keypair_json(&name)}));
    }
    fault(
        "itemNotFound",
        404,
        &format!("Keypair {name} not found for user {}", cloud.user_id),
    )
}

fn zones(state: &mut State, asked: &Asked<'_>) -> Reply {
    let zone = |name: &String| json!({"zoneName": name, "zoneState": {"available": true}, "hosts": null});
    let all: Vec<Value> = state.cloud(asked.cloud).zones.keys().map(zone).collect();
    Reply::json(200, &json!({"availabilityZoneInfo": all}))
}
