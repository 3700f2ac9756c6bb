//! Keystone: logging in by password or application credential, the catalog, versions; v2.0 where the cloud has it.

use serde_json::{Value, json};

use super::http_server::Reply;
use super::openstack::{Asked, micro_stamp};
use super::world::State;

/// The name of the one application credential.
const CREDENTIAL: &str = "ci-appcred";
const REFUSED: &str = "The request you have made requires authentication.";

pub fn answer(state: &mut State, asked: &Asked<'_>) -> Reply {
    let steps = asked.steps();
    let v2 = state.cloud(asked.cloud).keystone_v2;
    match (asked.call.method.as_str(), steps.as_slice()) {
        ("GET", []) => versions(asked).header("Location", format!("{}/identity/v3/", asked.root)),
        ("GET", ["v3"]) => Reply::json(200, &json!({"version": version(asked)})),
        ("POST", ["v3", "auth", "tokens"]) => login(state, asked),
        ("GET", ["v3", "auth", "tokens"]) => validate(state, asked),
        ("DELETE", ["v3", "auth", "tokens"]) => {
            let token = asked.call.headers.get("x-subject-token").cloned().unwrap_or_default();
            state.cloud(asked.cloud).tokens.remove(&token);
            Reply::new(204)
        }
        ("POST", ["v2.0", "tokens"]) if v2 => login_v2(state, asked),
        _ => error(404, "Not Found", "The resource could not be found."),
    }
}

fn error(status: u16, title: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"code": status, "message": message, "title": title}}),
    )
}

fn refused(asked: &Asked<'_>, message: &str) -> Reply {
    let uri = format!("Keystone uri=\"{}/identity/v3\"", asked.root);
    error(401, "Unauthorized", message).header("WWW-Authenticate", uri)
}

fn version(asked: &Asked<'_>) -> Value {
    json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/identity/v3/", asked.root)}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]})
}

fn versions(asked: &Asked<'_>) -> Reply {
    Reply::json(300, &json!({"versions": {"values": [version(asked)]}}))
}

fn login(state: &mut State, asked: &Asked<'_>) -> Reply {
    let body = asked.call.json();
    let auth = &body["auth"];
    let identity = &auth["identity"];
    if !identity["methods"].is_array() {
        return error(400, "Bad Request", "'auth' is a required property");
    }
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let method = identity["methods"][0].as_str().unwrap_or_default();
    if method == "token" {
        let given = identity["token"]["id"].as_str().unwrap_or_default();
        if cloud.tokens.get(given).is_none_or(|until| clock >= *until) {
            return error(404, "Not Found", "Failed to validate token");
        }
    } else if method == "password" {
        let user = &identity["password"]["user"];
        let named = user["name"] == cloud.user.as_str() && user["domain"].is_object();
        let known = named || user["id"] == cloud.user_id.as_str();
        if !known || user["password"] != cloud.password.as_str() {
            return refused(asked, REFUSED);
        }
    } else {
        let credential = &identity["application_credential"];
        if auth.get("scope").is_some() {
            let message =
                "Error authenticating with application credential: Application credentials cannot request a scope.";
            return refused(asked, message);
        }
        let user = &credential["user"];
        let named =
            user["id"] == cloud.user_id.as_str() || (user["name"] == cloud.user.as_str() && user["domain"].is_object());
        let named = named && credential["name"] == CREDENTIAL;
        if !named && credential["id"].is_null() {
            return refused(asked, REFUSED);
        }
        if !named && credential["id"] != cloud.credential.0.as_str() {
            let id = credential["id"].as_str().unwrap_or_default();
            return error(
                404,
                "Not Found",
                &format!("Could not find Application Credential: {id}."),
            );
        }
        if credential["secret"] != cloud.credential.1.as_str() {
            return refused(asked, REFUSED);
        }
    }
    let project = &auth["scope"]["project"];
    let named = project["name"] == cloud.project.as_str() && project["domain"].is_object();
    let scoped = method == "application_credential" || named || project["id"] == cloud.project_id.as_str();
    if auth.get("scope").is_some() && !scoped {
        return refused(asked, REFUSED);
    }
    let token = issue(state, asked);
    let body = token_body(state, asked, method, scoped, &token);
    Reply::json(201, &body)
        .header("X-Subject-Token", token)
        .header("Vary", "X-Auth-Token")
}

fn issue(state: &mut State, asked: &Asked<'_>) -> String {
    let token = format!("gAAAAAB{}", state.random.hex(120));
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let until = clock + cloud.token_seconds;
    cloud.tokens.insert(token.clone(), until);
    token
}

fn token_body(state: &mut State, asked: &Asked<'_>, method: &str, scoped: bool, token: &str) -> Value {
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let until = cloud.tokens.get(token).copied().unwrap_or(clock);
    let domain = json!({"id": "default", "name": "Default"});
    let mut body = json!({"methods": [method], "audit_ids": ["5xYCMld9TGW-h8CqX8Qd6Q"],
        "user": {"domain": domain, "id": cloud.user_id, "name": cloud.user, "password_expires_at": null},
        "expires_at": format!("{}Z", micro_stamp(until)), "issued_at": format!("{}Z", micro_stamp(clock))});
    if method == "application_credential" {
        body[method] = json!({"id": cloud.credential.0, "name": CREDENTIAL, "restricted": true});
    }
    if scoped {
        body["project"] = json!({"domain": domain, "id": cloud.project_id, "name": cloud.project});
        body["is_domain"] = json!(false);
        body["roles"] = json!([{"id": "141b0cd8eb3a4bfc9a773a0e9f82855b", "name": "member"},
            {"id": "7d848a9d09ad4256977cff103ff60b8f", "name": "reader"}]);
        let services = services(&asked.root, &cloud.project_id);
        body["catalog"] = services.iter().map(|s| entry(s, &cloud.region)).collect();
    }
    json!({"token": body})
}

/// Type, name and URL of every service.
fn services(root: &str, project: &str) -> [(&'static str, &'static str, String); 5] {
    [
        ("volumev3", "cinderv3", format!("{root}/volume/v3/{project}")),
        ("compute", "nova", format!("{root}/compute/v2.1")),
        ("network", "neutron", format!("{root}/network")),
        ("image", "glance", format!("{root}/image")),
        ("identity", "keystone", format!("{root}/identity/v3")),
    ]
}

fn entry((kind, name, url): &(&str, &str, String), region: &str) -> Value {
    let endpoints: Vec<Value> = ["public", "internal", "admin"]
        .iter()
        .map(
            |i| json!({"id": format!("{kind}-{i}"), "interface": i, "region_id": region, "url": url, "region": region}),
        )
        .collect();
    json!({"endpoints": endpoints, "id": format!("{kind}-id"), "type": kind, "name": name})
}

fn validate(state: &mut State, asked: &Asked<'_>) -> Reply {
    let clock = state.clock;
    let header = |name: &str| asked.call.headers.get(name).cloned().unwrap_or_default();
    let (own, subject) = (header("x-auth-token"), header("x-subject-token"));
    let good = |t: &String, state: &mut State| state.cloud(asked.cloud).tokens.get(t).is_some_and(|&u| clock < u);
    if !good(&own, state) {
        return refused(asked, REFUSED);
    }
    if !good(&subject, state) {
        return error(404, "Not Found", "Could not find token.");
    }
    let body = token_body(state, asked, "password", true, &subject);
    Reply::json(200, &body).header("X-Subject-Token", subject)
}

fn login_v2(state: &mut State, asked: &Asked<'_>) -> Reply {
    let body = asked.call.json();
    let given = &body["auth"]["passwordCredentials"];
    let cloud = state.cloud(asked.cloud);
    let project = body["auth"]["tenantName"] == cloud.project.as_str();
    let project = project || body["auth"]["tenantId"] == cloud.project_id.as_str();
    if given["username"] != cloud.user.as_str() || given["password"] != cloud.password.as_str() || !project {
        return refused(asked, REFUSED);
    }
    let token = issue(state, asked);
    let clock = state.clock;
    let cloud = state.cloud(asked.cloud);
    let catalog: Vec<Value> = services(&asked.root, &cloud.project_id)
        .iter()
        .map(|(kind, name, url)| {
            json!({"type": kind, "name": name, "endpoints": [
                {"region": cloud.region, "publicURL": url, "internalURL": url, "adminURL": url}]})
        })
        .collect();
    let expires = format!("{}Z", micro_stamp(clock + cloud.token_seconds));
    Reply::json(
        200,
        &json!({"access": {"token": {"id": token, "expires": expires,
        "tenant": {"id": cloud.project_id, "name": cloud.project}}, "serviceCatalog": catalog,
        "user": {"id": cloud.user_id, "name": cloud.user, "roles": [{"name": "member"}]}}}),
    )
}
