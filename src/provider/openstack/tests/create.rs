//! POST /servers: what is sent, and what is made of each outcome.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::server::{Canned, Scripted, cut, json as say, like, login, stall};
use super::{client, endpoint_of, mark, offer, recorded, spec};
use crate::model::{ServerId, ServerSpec, Zone};
use crate::provider::{CreateServer, Provider as _, ProviderError};

const LOGIN: &str = "POST /v3/auth/tokens";
const POST: &str = "POST /v2.1/servers";

fn plain() -> ServerSpec {
    spec("ubuntu", "m1.small")
}

/// Creates a server; returns the outcome, the waits, and the body of the last request.
fn created(
    script: Vec<(&str, Canned)>,
    spec: &ServerSpec,
    networks: &[&str],
) -> (Result<ServerId, ProviderError>, Vec<u64>, Value) {
    let server = Scripted::new([(LOGIN, login())].into_iter().chain(script).collect());
    let mut endpoint = endpoint_of(&server.url);
    endpoint.transport.timeout = jiff::SignedDuration::from_millis(1500);
    let (mut cloud, waits) = client(&endpoint);
    let mut offer = offer();
    offer.networks = networks.iter().map(|&id| id.to_owned()).collect();
    let metadata = BTreeMap::from([("mita-owner".to_owned(), "ci".to_owned())]);
    let outcome = cloud.create(&CreateServer {
        mark: &mark(),
        name: "t__0123456789ab",
        spec,
        offer: &offer,
        zone: Some(&Zone::new("az1")).filter(|_| !networks.is_empty()),
        metadata: &metadata,
        user_data: Some("#!/bin/sh\n"),
    });
    let bodies = server.finish();
    let waits = waits.borrow().clone();
    (outcome, waits, serde_json::from_str(bodies.last().unwrap()).unwrap())
}

fn outcome(script: Vec<(&str, Canned)>) -> Result<ServerId, ProviderError> {
    created(script, &plain(), &[]).0
}

fn accepted() -> Canned {
    like(&recorded!("server-create"))
}

#[test]
fn a_plain_server_is_asked_for_with_little() {
    let (outcome, _, body) = created(vec![(POST, accepted())], &plain(), &[]);
    assert_eq!(outcome, Ok(ServerId::new("9a56f587-c4fe-4cef-8471-8aa15864ef8b")));
    let expected = json!({"server": {"name": "t__0123456789ab", "imageRef": "b1ac72ae-6500-4b36-a105-0998670e021a",
        "flavorRef": "2", "metadata": {"mita-owner": "ci"}, "user_data": "IyEvYmluL3NoCg=="}});
    assert_eq!(body, expected);
}

#[test]
fn everything_that_a_template_asks_for_is_sent() {
    let mut spec = plain();
    spec.key_pair = Some("jenkins".to_owned());
    spec.storage = Some(10);
    spec.config_drive = Some(true);
    spec.security_groups = vec!["default".to_owned()];
    spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!("g"))]);
    let (_, _, body) = created(vec![(POST, accepted())], &spec, &["n1", "n2"]);
    let image = "b1ac72ae-6500-4b36-a105-0998670e021a";
    let expected = json!({
        "server": {"name": "t__0123456789ab", "imageRef": image, "flavorRef": "2",
            "metadata": {"mita-owner": "ci"}, "user_data": "IyEvYmluL3NoCg==", "key_name": "jenkins",
            "config_drive": true, "availability_zone": "az1", "networks": [{"uuid": "n1"}, {"uuid": "n2"}],
            "security_groups": [{"name": "default"}],
            "block_device_mapping_v2": [
                {"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local",
                 "delete_on_termination": true},
                {"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": 10,
                 "delete_on_termination": true}]},
        "os:scheduler_hints": {"group": "g"}});
    assert_eq!(body, expected);
    spec.boot_volume = Some(40);
    let (_, _, body) = created(vec![(POST, accepted())], &spec, &[]);
    assert_eq!(body["server"]["imageRef"], "");
    let disks = &body["server"]["block_device_mapping_v2"];
    let root = json!({"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "volume",
        "volume_size": 40, "delete_on_termination": true});
    assert_eq!((&disks[0], &disks[1]["source_type"]), (&root, &json!("blank")));
}

#[test]
fn an_outcome_that_is_not_known_is_never_tried_again() {
    let unknown = |answer| {
        let outcome = outcome(vec![(POST, answer)]);
        assert!(matches!(outcome, Err(ProviderError::Unknown(_))), "{outcome:?}");
        outcome.unwrap_err().to_string()
    };
    unknown(Canned::hang_up());
    unknown(cut());
    assert!(unknown(stall()).contains("timeout"));
    for status in [500, 502, 503, 504] {
        unknown(say(status, r#"{"computeFault":{"message":"m"}}"#));
    }
    assert!(!unknown(say(202, r#"{"server":{"adminPass":"s3cret"}}"#)).contains("s3cret"));
    unknown(say(202, ""));
}

#[test]
fn what_was_surely_rejected_is_tried_again() {
    let no = || like(&recorded!("expired-nova"));
    assert!(outcome(vec![(POST, no()), (LOGIN, login()), (POST, accepted())]).is_ok());
    let twice = outcome(vec![(POST, no()), (LOGIN, login()), (POST, no())]);
    assert!(matches!(twice, Err(ProviderError::Auth(_))), "{twice:?}");
    let odd = outcome(vec![(POST, no()), (LOGIN, say(200, "<html>"))]);
    assert!(matches!(odd, Err(ProviderError::Unavailable(_))), "{odd:?}");

    let slow = || Canned::new(429, &["Retry-After: 2"], r#"{"overLimit":{"message":"slow"}}"#);
    let (outcome, waits, _) = created(vec![(POST, slow()), (POST, slow()), (POST, accepted())], &plain(), &[]);
    assert!(outcome.is_ok());
    assert_eq!(waits, [2, 2]);
    let (outcome, waits, _) = created(vec![(POST, slow()), (POST, slow()), (POST, slow())], &plain(), &[]);
    assert!(
        matches!(
            outcome,
            Err(ProviderError::Throttled {
                retry_after: Some(2),
                ..
            })
        ),
        "{outcome:?}"
    );
    assert_eq!(waits, [2, 2]);
}

#[test]
fn a_quota_is_told_at_once() {
    let full = outcome(vec![(POST, like(&recorded!("quota-instances")))]);
    assert!(matches!(full, Err(ProviderError::ServerQuota(_))), "{full:?}");
}

#[test]
fn without_a_connection_nothing_was_made() {
    let mut endpoint = endpoint_of("http://127.0.0.1:1");
    let server = Scripted::new(vec![(LOGIN, login())]);
    endpoint.auth_url.clone_from(&server.url);
    endpoint.endpoints.compute = Some("http://127.0.0.1:1/v2.1".to_owned());
    let (mut cloud, _) = client(&endpoint);
    let wanted = CreateServer {
        mark: &mark(),
        name: "t__0123456789ab",
        spec: &plain(),
        offer: &offer(),
        zone: None,
        metadata: &BTreeMap::new(),
        user_data: None,
    };
    let outcome = cloud.create(&wanted);
    assert!(matches!(outcome, Err(ProviderError::Unavailable(_))), "{outcome:?}");
    server.finish();
}

#[test]
fn a_script_that_is_too_long_is_not_sent() {
    let (mut cloud, _) = client(&endpoint_of("http://127.0.0.1:1"));
    let mut create = |bytes: usize| {
        cloud.create(&CreateServer {
            mark: &mark(),
            name: "t__0123456789ab",
            spec: &plain(),
            offer: &offer(),
            zone: None,
            metadata: &BTreeMap::new(),
            user_data: Some(&"x".repeat(bytes)),
        })
    };
    assert!(matches!(create(49_150), Err(ProviderError::Refused(text)) if text.contains("65536 bytes")));
    // This one is sent, to nobody.
    assert!(matches!(create(49_149), Err(ProviderError::Unavailable(_))));
}
