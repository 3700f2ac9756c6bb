//! POST and DELETE of servers. No microversion is asked for, but where a volume has a type: all else that is sent is
//! known to every Nova, and to the legacy `/v2`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use log::warn;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::catalog::Service;
use super::error::{Fault, unreachable};
use super::port::{self, Taken};
use super::server::PORT_MARK;
use super::session::{Call, CallError, Session};
use super::wire::CreatedBody;
use crate::http::Reply;
use crate::model::ServerId;
use crate::provider::{CreateServer, ProviderError};
use crate::text::printable;

/// Nova's limit on user data, which is on the encoded text.
const MAX_USER_DATA: usize = 65_535;
/// The first microversion that knows the type of a volume (Stein, 2019).
const VOLUME_TYPE: &str = "2.67";

/// Asks once for a server.
pub(super) fn create(session: &mut Session, server: &CreateServer<'_>) -> Result<ServerId, ProviderError> {
    let what = format!("create {}", printable(server.name, 100));
    let user_data = server.user_data.map(|script| STANDARD.encode(script));
    if let Some(encoded) = user_data.as_ref().filter(|text| text.len() > MAX_USER_DATA) {
        let bytes = encoded.len();
        let text = format!("{what}: the script has {bytes} bytes once encoded, Nova takes {MAX_USER_DATA}; shorten it");
        return Err(ProviderError::Refused(text));
    }
    let taken = port::take(session, server)?;
    let body = body(server, &taken, user_data.as_deref()).to_string();
    let outcome = post(session, server, &what, &body, user_data.as_deref());
    if !matches!(outcome, Ok(_) | Err(ProviderError::Unknown(_))) {
        port::give_back(session, taken);
    }
    outcome
}

fn post(
    session: &mut Session,
    server: &CreateServer<'_>,
    what: &str,
    body: &str,
    user_data: Option<&str>,
) -> Result<ServerId, ProviderError> {
    let version = server.spec.volume_type.as_ref().map(|_| VOLUME_TYPE);
    let call = Call {
        method: Method::POST,
        service: Service::Compute,
        path: "/servers",
        body: Some(body.as_bytes()),
    };
    match session.call_in(&call, version) {
        Ok(reply) if version.is_some() => of_version(what, &reply, user_data),
        Ok(reply) => made(what, &reply, user_data),
        // An odd answer to the login is none to the create.
        Err(CallError::NotMade(ProviderError::BadAnswer(text))) => Err(ProviderError::Unavailable(text)),
        Err(CallError::NotMade(error)) => Err(error),
        Err(CallError::Http(error)) if error.not_sent() => Err(unreachable(what, &error)),
        Err(CallError::Http(error)) => Err(ProviderError::Unknown(format!("{what}: {error}"))),
    }
}

/// Reads the answer to a request that named a microversion: a cloud may not have it, or know nothing of such things.
fn of_version(what: &str, reply: &Reply, user_data: Option<&str>) -> Result<ServerId, ProviderError> {
    let advice = format!("volume_type needs Nova's microversion {VOLUME_TYPE} (Stein); remove volume_type here");
    if reply.status == 406 {
        let said = Fault::read(reply).text();
        return Err(ProviderError::Refused(format!("{what}: {advice}: {said}")));
    }
    let echo = reply.header("openstack-api-version").unwrap_or_default();
    let heard = echo
        .split(',')
        .any(|part| part.split_whitespace().eq(["compute", VOLUME_TYPE]));
    match made(what, reply, user_data) {
        Ok(id) if !heard => {
            warn!(
                "openstack: {what}: this cloud speaks no microversions, its volumes are of the default type; {advice}"
            );
            Ok(id)
        }
        Err(ProviderError::Refused(text)) if !heard => Err(ProviderError::Refused(format!(
            "{what}: {advice} (it speaks no microversions): {text}"
        ))),
        outcome => outcome,
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

fn body(server: &CreateServer<'_>, taken: &Taken, user_data: Option<&str>) -> Value {
    let (spec, offer) = (server.spec, server.offer);
    let from_volume = spec.boot_volume.is_some();
    let mut it = Map::new();
    it.insert("name".to_owned(), json!(server.name));
    it.insert(
        "imageRef".to_owned(),
        json!(if from_volume { "" } else { &offer.image }),
    );
    it.insert("flavorRef".to_owned(), json!(offer.flavor));
    let mut metadata = json!(server.metadata);
    if let Some(port) = &taken.existing {
        metadata[PORT_MARK] = json!(port);
    }
    it.insert("metadata".to_owned(), metadata);
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            it.insert(key.to_owned(), value);
        }
    };
    add("key_name", spec.key_pair.as_ref().map(|name| json!(name)));
    add("user_data", user_data.map(Value::from));
    add("config_drive", spec.config_drive.map(Value::from));
    add("availability_zone", server.zone.map(|zone| json!(zone)));
    let networks = offer.networks.iter().map(|id| json!({"uuid": id}));
    let nics: Vec<Value> = networks.chain(taken.all.iter().map(|id| json!({"port": id}))).collect();
    add("networks", (!nics.is_empty()).then(|| json!(nics)));
    add(
        "security_groups",
        each(&spec.security_groups, |name| json!({"name": name})),
    );
    add("block_device_mapping_v2", disks(server));
    let mut whole = json!({"server": it});
    if !spec.scheduler_hints.is_empty() {
        whole["os:scheduler_hints"] = json!(spec.scheduler_hints);
        if let Some(group) = &offer.server_group {
            whole["os:scheduler_hints"]["group"] = json!(group);
        }
    }
    whole
}

fn each(texts: &[String], make: impl Fn(&str) -> Value) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| make(text)).collect())
}

/// The disks, when there is more than the flavor's own: Nova makes the volumes and removes them with the server.
fn disks(server: &CreateServer<'_>) -> Option<Value> {
    let image = &server.offer.image;
    let typed = |mut disk: Value| {
        if let Some(kind) = &server.spec.volume_type {
            disk["volume_type"] = json!(kind);
        }
        disk
    };
    let root = match server.spec.boot_volume {
        Some(size) => typed(json!({"boot_index": 0, "uuid": image, "source_type": "image",
            "destination_type": "volume", "volume_size": size, "delete_on_termination": true})),
        None if server.spec.storage.is_none() => return None,
        // Without it Nova finds nothing to boot from, although imageRef is there.
        None => json!({"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local",
            "delete_on_termination": true}),
    };
    let blank = server.spec.storage.map(|size| {
        typed(
            json!({"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": size,
            "delete_on_termination": true}),
        )
    });
    Some(std::iter::once(root).chain(blank).collect())
}
