//! Ports of a server, existing and made, and what becomes of them when the server is refused; the types of volumes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::server::{Canned, Scripted, json as say, like, login};
use super::{client, endpoint_of, mark, offer, recorded, spec};
use crate::model::{Offer, PortOffer, PortSpec, ServerId, ServerSpec};
use crate::provider::{CreateServer, Provider as _, ProviderError};

const LOGIN: &str = "POST /v3/auth/tokens";
const POST: &str = "POST /v2.1/servers";
const PORTS: &str = "POST /v2.0/ports";
/// The port of the recorded answer to POST /ports.
const MADE: &str = "fb45e9a9-40ba-4459-b752-7e0e77424e9c";
const UNMAKE: &str = "DELETE /v2.0/ports/fb45e9a9-40ba-4459-b752-7e0e77424e9c";

/// Asks for servers, one after the other; returns the outcomes and the bodies after the login.
fn created(
    count: usize,
    script: Vec<(&str, Canned)>,
    spec: &ServerSpec,
    offer: &Offer,
) -> (Vec<Result<ServerId, ProviderError>>, Vec<Value>) {
    let server = Scripted::new([(LOGIN, login())].into_iter().chain(script).collect());
    let mut endpoint = endpoint_of(&server.url);
    endpoint.transport.timeout = jiff::SignedDuration::from_millis(1500);
    let (mut cloud, _) = client(&endpoint);
    let metadata = BTreeMap::from([("mita-owner".to_owned(), "ci".to_owned())]);
    let outcomes = (0..count).map(|_| {
        cloud.create(&CreateServer {
            mark: &mark(),
            name: "linux__0123456789ab",
            spec,
            offer,
            zone: None,
            metadata: &metadata,
            user_data: None,
        })
    });
    let outcomes = outcomes.collect();
    let bodies = server.finish();
    let bodies = bodies
        .iter()
        .skip(1)
        .map(|body| serde_json::from_str(body).unwrap_or_default());
    (outcomes, bodies.collect())
}

fn accepted() -> Canned {
    like(&recorded!("server-create"))
}

fn made() -> Canned {
    like(&recorded!("port-create"))
}

/// A spec with a port to be made, and its offer.
fn with_port() -> (ServerSpec, Offer) {
    let (mut spec, mut offer) = (spec("ubuntu", "m1.small"), offer());
    spec.ports = vec![PortSpec::Made {
        network: "fast".to_owned(),
        security_groups: Vec::new(),
        vnic_type: Some("direct".to_owned()),
        port_security: Some(true),
    }];
    offer.networks = vec!["n1".to_owned()];
    offer.ports = vec![PortOffer::New {
        network: "n2".to_owned(),
        security_groups: vec!["g1".to_owned()],
    }];
    (spec, offer)
}

#[test]
fn a_port_is_made_and_given_to_the_server() {
    let (spec, offer) = with_port();
    let (outcomes, bodies) = created(1, vec![(PORTS, made()), (POST, accepted())], &spec, &offer);
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    let port = json!({"port": {"network_id": "n2", "name": "linux__0123456789ab", "security_groups": ["g1"],
        "description": "mita-owner=ci mita-server=linux__0123456789ab", "binding:vnic_type": "direct",
        "port_security_enabled": true}});
    assert_eq!(bodies[0], port);
    assert_eq!(bodies[1]["server"]["networks"], json!([{"uuid": "n1"}, {"port": MADE}]));
    assert_eq!(bodies[1]["server"]["metadata"], json!({"mita-owner": "ci"}));
}

#[test]
fn a_refused_server_leaves_no_port() {
    let (spec, offer) = with_port();
    for refusal in [recorded!("quota-instances"), recorded!("err-unknown-flavor")] {
        let script = vec![
            (PORTS, made()),
            (POST, like(&refusal)),
            (UNMAKE, like(&recorded!("port-delete"))),
        ];
        let (outcomes, _) = created(1, script, &spec, &offer);
        assert!(
            matches!(
                outcomes[0],
                Err(ProviderError::ServerQuota(_) | ProviderError::Refused(_))
            ),
            "{outcomes:?}"
        );
    }
    // The second port cannot be had: the first goes, and no server is asked for.
    let (mut spec, mut offer) = with_port();
    spec.ports.push(spec.ports[0].clone());
    offer.ports.push(offer.ports[0].clone());
    let script = vec![
        (PORTS, made()),
        (
            PORTS,
            say(
                409,
                r#"{"NeutronError":{"type":"OverQuota","message":"Quota exceeded","detail":""}}"#,
            ),
        ),
        (UNMAKE, like(&recorded!("port-delete-gone"))),
    ];
    let (outcomes, _) = created(1, script, &spec, &offer);
    assert!(matches!(outcomes[0], Err(ProviderError::Quota(_))), "{outcomes:?}");
}

#[test]
fn a_port_stays_where_the_server_may_exist() {
    let (spec, offer) = with_port();
    let (outcomes, bodies) = created(1, vec![(PORTS, made()), (POST, Canned::hang_up())], &spec, &offer);
    assert!(matches!(outcomes[0], Err(ProviderError::Unknown(_))), "{outcomes:?}");
    assert_eq!(bodies.len(), 2);
}

#[test]
fn a_port_that_cannot_be_made_is_no_server_of_unknown_fate() {
    let (spec, offer) = with_port();
    let failed = |answer| {
        created(1, vec![(PORTS, answer)], &spec, &offer)
            .0
            .remove(0)
            .unwrap_err()
    };
    for answer in [Canned::hang_up(), say(500, "{}"), say(201, "{}")] {
        let error = failed(answer);
        assert!(matches!(error, ProviderError::Failed(_)), "{error:?}");
    }
    for reply in [
        recorded!("port-no-network"),
        recorded!("port-bad-vnic"),
        recorded!("port-external"),
    ] {
        let error = failed(like(&reply));
        assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
    }
    let policy = r#"{"NeutronError":{"type":"PolicyNotAuthorized","message":"(rule:create_port and rule:create_port:port_security_enabled) is disallowed by policy","detail":""}}"#;
    let error = failed(say(403, policy));
    assert!(matches!(error, ProviderError::Refused(_)), "{error:?}");
}

fn with_pool(ids: &[&str]) -> (ServerSpec, Offer) {
    let (mut spec, mut offer) = (spec("ubuntu", "m1.small"), offer());
    spec.ports = ids.iter().map(|&id| PortSpec::Existing(id.to_owned())).collect();
    offer.ports = vec![PortOffer::OneOf(ids.iter().map(|&id| id.to_owned()).collect())];
    (spec, offer)
}

#[test]
fn each_server_takes_another_port_of_the_pool() {
    let (spec, offer) = with_pool(&["p", "q"]);
    let (outcomes, bodies) = created(3, vec![(POST, accepted()), (POST, accepted())], &spec, &offer);
    let ports: Vec<&Value> = bodies.iter().map(|body| &body["server"]["networks"]).collect();
    assert_eq!(ports, [&json!([{"port": "p"}]), &json!([{"port": "q"}])]);
    assert_eq!(
        bodies[0]["server"]["metadata"],
        json!({"mita-owner": "ci", "mita-port": "p"})
    );
    assert!(matches!(outcomes[2], Err(ProviderError::Quota(_))), "{outcomes:?}");
}

#[test]
fn a_port_that_a_refused_server_had_is_free_again() {
    let (spec, offer) = with_pool(&["p"]);
    let refusal = like(&recorded!("quota-instances"));
    let (outcomes, bodies) = created(2, vec![(POST, refusal), (POST, accepted())], &spec, &offer);
    assert!(outcomes[0].is_err() && outcomes[1].is_ok(), "{outcomes:?}");
    assert_eq!(bodies[0]["server"]["networks"], bodies[1]["server"]["networks"]);
    let (outcomes, _) = created(2, vec![(POST, Canned::hang_up())], &spec, &offer);
    assert!(
        matches!(outcomes[1], Err(ProviderError::Quota(_))),
        "it may have it: {outcomes:?}"
    );
    let (outcomes, _) = created(1, vec![(POST, like(&recorded!("port-in-use")))], &spec, &offer);
    assert!(matches!(outcomes[0], Err(ProviderError::Capacity(_))), "{outcomes:?}");
}

#[test]
fn the_list_of_servers_tells_which_ports_are_taken() {
    let list = r#"{"servers":[{"id":"a","name":"a","status":"BUILD","metadata":{"mita-owner":"ci","mita-port":"p"}},
        {"id":"b","name":"b","status":"ACTIVE","metadata":{}}]}"#;
    let server = Scripted::new(vec![
        (LOGIN, login()),
        ("GET /v2.1/servers/detail?limit=1000", say(200, list)),
        (
            "GET /v2.1/servers/detail?limit=1000&marker=b",
            say(200, r#"{"servers":[]}"#),
        ),
        (POST, accepted()),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert_eq!(cloud.servers().unwrap().servers.len(), 2);
    let (spec, offer) = with_pool(&["p", "q"]);
    let wanted = CreateServer {
        mark: &mark(),
        name: "linux__0123456789ab",
        spec: &spec,
        offer: &offer,
        zone: None,
        metadata: &BTreeMap::new(),
        user_data: None,
    };
    assert!(cloud.create(&wanted).is_ok());
    let bodies = server.finish();
    assert!(
        bodies.last().unwrap().contains(r#""networks":[{"port":"q"}]"#),
        "{bodies:?}"
    );
}

#[test]
fn a_server_group_replaces_its_name() {
    let (mut spec, mut offer) = (spec("ubuntu", "m1.small"), offer());
    spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!("apart")), ("x".to_owned(), json!(1))]);
    offer.server_group = Some("g1".to_owned());
    let (_, bodies) = created(1, vec![(POST, accepted())], &spec, &offer);
    assert_eq!(bodies[0]["os:scheduler_hints"], json!({"group": "g1", "x": 1}));
}

const POST_TYPED: &str = "POST /v2.1/servers 2.67";

fn typed() -> (ServerSpec, Offer) {
    let (mut spec, mut offer) = (spec("ubuntu", "m1.small"), offer());
    (spec.storage, spec.volume_type) = (Some(10), Some("ssd".to_owned()));
    offer.networks = vec!["n1".to_owned()];
    (spec, offer)
}

#[test]
fn a_volume_type_needs_a_newer_request() {
    let (mut spec, offer) = typed();
    let script = || vec![(POST_TYPED, like(&recorded!("volume-type-create")))];
    let (outcomes, bodies) = created(1, script(), &spec, &offer);
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    let disks = |bodies: &[Value]| bodies[0]["server"]["block_device_mapping_v2"].clone();
    let blank = json!({"boot_index": -1, "source_type": "blank", "destination_type": "volume", "volume_size": 10,
        "delete_on_termination": true, "volume_type": "ssd"});
    assert_eq!(disks(&bodies)[1], blank);
    assert_eq!(disks(&bodies)[0]["volume_type"], Value::Null, "the local root has none");
    spec.boot_volume = Some(20);
    let (_, bodies) = created(1, script(), &spec, &offer);
    assert_eq!(disks(&bodies)[0]["volume_type"], json!("ssd"));
}

#[test]
fn a_cloud_without_volume_types_says_what_to_do() {
    let (spec, offer) = typed();
    let outcome = |answer| created(1, vec![(POST_TYPED, answer)], &spec, &offer).0.remove(0);
    let refused = |answer| match outcome(answer) {
        Err(ProviderError::Refused(text)) => text,
        other => panic!("{other:?}"),
    };
    let old = refused(like(&recorded!("nova-mv-too-high")));
    assert!(
        old.contains("volume_type needs Nova's microversion 2.67") && old.contains("maximum is 2.93"),
        "{old}"
    );
    let deaf = refused(like(&recorded!("volume-type-too-early")));
    assert!(
        deaf.contains("it speaks no microversions") && deaf.contains("remove"),
        "{deaf}"
    );
    let unknown = refused(like(&recorded!("volume-type-unknown")));
    assert!(unknown.contains("Volume type nope could not be found"), "{unknown}");
    // It took the request without a word: the server is there.
    assert!(outcome(say(202, r#"{"server":{"id":"s"}}"#)).is_ok());
}
