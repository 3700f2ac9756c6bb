//! POST and DELETE of servers. No microversion is asked for: all that is sent is known to every Nova, and to the
//! legacy `/v2`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::catalog::Service;
use super::error::{Fault, unreachable};
use super::session::{Call, CallError, Session};
use super::wire::CreatedBody;
use crate::http::{HttpError, Reply, escaped, printable};
use crate::model::ServerId;
use crate::provider::{CreateServer, Deleted, ProviderError};

/// Nova's limit on user data, which is on the encoded text.
const MAX_USER_DATA: usize = 65_535;

/// Asks once for a server.
pub(super) fn create(session: &mut Session, server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
    let what = format!("create {}", printable(server.name, 100));
    let user_data = server.user_data.map(|script| STANDARD.encode(script));
    if let Some(encoded) = user_data.as_ref().filter(|text| text.len() > MAX_USER_DATA) {
        let bytes = encoded.len();
        let text = format!("{what}: the script has {bytes} bytes once encoded, Nova takes {MAX_USER_DATA}; shorten it");
        return Err(ProviderError::Refused(text));
    }
    let body = body(server, user_data.as_deref()).to_string();
    let call = Call {
        method: Method::POST,
        service: Service::Compute,
        path: "/servers",
        body: Some(body.as_bytes()),
    };
    match session.call(&call) {
        Ok(reply) => made(&what, &reply, user_data.as_deref()),
        // An odd answer to the login is none to the create.
        Err(CallError::NotMade(ProviderError::BadAnswer(text))) => Err(ProviderError::Unavailable(text)),
        Err(CallError::NotMade(error)) => Err(error),
        Err(CallError::Http(error)) if error.not_sent() => Err(unreachable(&what, &error)),
        Err(CallError::Http(error)) => Err(ProviderError::Unknown(format!("{what}: {error}"))),
    }
}

fn made(what: &str, reply: &Reply, user_data: Option<&str>) -> Result<ServerId, ProviderError> {
    if !(200..300).contains(&reply.status) {
        return Err(Fault::hiding(reply, user_data.unwrap_or_default()).of_create(what));
    }
    // The body holds adminPass: nothing of it is shown.
    let body: Option<CreatedBody> = serde_json::from_slice(&reply.body).ok();
    match body.map(|body| body.server.id).filter(|id| !id.is_empty()) {
        Some(id) => Ok(ServerId::new(id)),
        None => Err(ProviderError::Unknown(format!(
            "{what}: accepted (status {}), but the answer names no server",
            reply.status
        ))),
    }
}

fn body(server: &CreateServer<'_>, user_data: Option<&str>) -> Value {
    let (spec, offer) = (server.spec, server.offer);
    let from_volume = spec.boot_volume.is_some();
    let mut it = Map::new();
    it.insert("name".to_owned(), json!(server.name));
    it.insert(
        "imageRef".to_owned(),
        json!(if from_volume { "" } else { &offer.image }),
    );
    it.insert("flavorRef".to_owned(), json!(offer.flavor));
    it.insert("metadata".to_owned(), json!(server.metadata));
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            it.insert(key.to_owned(), value);
        }
    };
    add("key_name", spec.key_pair.as_ref().map(|name| json!(name)));
    add("user_data", user_data.map(Value::from));
    add("config_drive", spec.config_drive.map(Value::from));
    add("availability_zone", server.zone.map(|zone| json!(zone)));
    add("networks", each(&offer.networks, |id| json!({"uuid": id})));
    add(
        "security_groups",
        each(&spec.security_groups, |name| json!({"name": name})),
    );
    add("block_device_mapping_v2", disks(server));
    let mut whole = json!({"server": it});
    if !spec.scheduler_hints.is_empty() {
        whole["os:scheduler_hints"] = json!(spec.scheduler_hints);
    }
    whole
}

fn each(texts: &[String], make: impl Fn(&str) -> Value) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| make(text)).collect())
}

/// The disks, when there is more than the flavor's own: Nova makes the volumes and removes them with the server.
fn disks(server: &CreateServer<'_>) -> Option<Value> {
    let image = &server.offer.image;
    let root = match server.spec.boot_volume {
        Some(size) => json!({"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "volume",
            "volume_size": size, "delete_on_termination": true}),
        None if server.spec.storage.is_none() => return None,
        // Without it Nova finds nothing to boot from, although imageRef is there.
        None => json!({"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local",
            "delete_on_termination": true}),
    };
    let blank = server.spec.storage.map(|size| {
        json!({"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": size,
            "delete_on_termination": true})
    });
    Some(std::iter::once(root).chain(blank).collect())
}

/// Asks for the end of a server.
pub(super) fn delete(session: &mut Session, id: &ServerId) -> Result<Deleted, ProviderError> {
    let what = format!("delete server {}", printable(id.as_str(), 60));
    if id.as_str().is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let call = Call {
        method: Method::DELETE,
        service: Service::Compute,
        path: &format!("/servers/{}", escaped(id.as_str())),
        body: None,
    };
    let reply = match session.call(&call) {
        Ok(reply) => reply,
        Err(CallError::NotMade(error)) => return Err(error),
        // Nothing is lost by asking again in the next pass.
        Err(CallError::Http(error @ HttpError::Broken { .. })) => {
            return Err(ProviderError::Unknown(format!("{what}: {error}")));
        }
        Err(CallError::Http(error)) => return Err(unreachable(&what, &error)),
    };
    let fault = Fault::of(&reply);
    match reply.status {
        200..=299 => Ok(Deleted::Accepted),
        // A page of a proxy is no proof that the server is gone: forgetting it would leak it.
        404 if fault.json || reply.body.is_empty() => Ok(Deleted::AlreadyGone),
        _ => Err(fault.of_delete(&what)),
    }
}
