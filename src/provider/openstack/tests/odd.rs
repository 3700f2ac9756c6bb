//! What of an answer is odd: it is left alone and said, and the rest is used.

use std::collections::BTreeSet;

use super::resources::PORTS;
use super::server::{Canned, Scripted, json, like, login};
use super::{client, endpoint_of, recorded, spec};
use crate::http::Reply;
use crate::model::{Headroom, Quota, ResourceKind, ServerId, SizeRef, TemplateName};
use crate::provider::openstack::error::Fault;
use crate::provider::openstack::{OpenStack, auth, odd::Oddities};
use crate::provider::{Lookup, Provider as _, ProviderError};

const LOGIN: &str = "POST /v3/auth/tokens";
const SERVERS: &str = "GET /v2.1/servers/detail?limit=1000";
const FLAVORS: &str = "GET /v2.1/flavors/detail?limit=1000";
const LIMITS: &str = "GET /v2.1/limits";

/// Does something with a client of a scripted server, and returns what was odd.
fn odd(script: Vec<(&str, Canned)>, act: impl FnOnce(&mut OpenStack)) -> Vec<String> {
    let server = Scripted::new([(LOGIN, login())].into_iter().chain(script).collect());
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    act(&mut cloud);
    server.finish();
    cloud.odd()
}

#[test]
fn one_odd_server_hides_no_other() {
    let list = r#"{"servers": [
        {"id": "a", "name": "n", "metadata": [], "created": "2026-11-22T09:55:18Z"},
        {"id": "b", "name": "n", "addresses": {"net": null}, "created": "2026-11-22T09:55:18"},
        {"id": null, "name": "n"},
        7,
        {"id": "c", "name": "n", "status": "ACTIVE", "metadata": {"mita-owner": "ci"}}
    ], "servers_links": null}"#;
    let said = odd(vec![(SERVERS, json(200, list))], |cloud| {
        let list = cloud.servers().unwrap();
        let ids: Vec<&str> = list.servers.iter().map(|server| server.id.as_str()).collect();
        assert_eq!(ids, ["b", "c"]);
        assert_eq!(list.servers[0].created, "2026-11-22T09:55:18Z".parse().ok());
    });
    assert_eq!(
        said,
        [
            "list: servers is a list of something else",
            "server b: addresses is not a list of addresses in one of its networks",
            "server a: metadata is a list",
            "server: one without a readable id is left out",
        ]
    );
}

/// Reads limits: what is left, and what is odd.
fn room(limits: &str) -> (Headroom, Vec<String>) {
    let mut room = Headroom::default();
    let said = odd(vec![(LIMITS, json(200, limits))], |cloud| {
        room = cloud.offers(&[]).unwrap().room;
    });
    (room, said)
}

#[test]
fn limits_that_cannot_be_read_are_none() {
    let told = "limits: the quota is not shown (limits.absolute)";
    for limits in [
        "{}",
        r#"{"limits": null}"#,
        r#"{"limits": {}}"#,
        r#"{"limits": {"rate": []}}"#,
        r#"{"limits": {"absolute": []}}"#,
        r#"{"limits": []}"#,
    ] {
        assert_eq!(room(limits), (Headroom::default(), vec![told.to_owned()]), "{limits}");
    }
    let odd = r#"{"limits": {"absolute": {"maxTotalInstances": "10", "totalInstancesUsed": "4", "maxTotalCores": null,
        "maxTotalRAMSize": 4096.0, "totalRAMUsed": -1, "totalCoresUsed": {}}}}"#;
    let expected = Headroom {
        instances: Some(6),
        vcpus: None,
        ram_mb: Some(4096),
        quota: Quota {
            instances: Some(10),
            vcpus: None,
            ram_mb: Some(4096),
        },
    };
    assert_eq!(
        room(odd),
        (expected, vec!["limits: totalCoresUsed is an object".to_owned()])
    );
}

#[test]
fn an_odd_flavor_is_left_alone() {
    let flavors = r#"{"flavors": [
        {"id": "odd", "name": "odd", "vcpus": "two", "ram": 2048, "disk": 20},
        {"id": 5, "name": "no id", "vcpus": 2, "ram": 2048, "disk": 20},
        {"id": "text", "name": "text", "vcpus": "2", "ram": "4096", "disk": "20", "OS-FLV-DISABLED:disabled": null},
        {"id": "bare", "name": "bare"}
    ], "flavors_links": {}}"#;
    let mut spec = spec("b1ac72ae-6500-4b36-a105-0998670e021a", "odd");
    spec.networks = vec!["890684fa-028b-4288-a21f-7743d103d5f3".to_owned()];
    let mut least = spec.clone();
    least.size = SizeRef::Least {
        vcpus: 2,
        ram_mb: 0,
        disk_gb: 0,
    };
    let script = vec![(FLAVORS, json(200, flavors)), (LIMITS, like(&recorded!("limits")))];
    let said = odd(script, |cloud| {
        let names = [TemplateName::new("named"), TemplateName::new("least")];
        let offers = cloud.offers(&[(&names[0], &spec), (&names[1], &least)]).unwrap();
        let offer = |name: &str| offers.templates[name].clone().unwrap();
        // By its name it is still meant; what is not known of it takes no room.
        assert_eq!((offer("named").vcpus, offer("named").ram_mb), (0, 2048));
        assert_eq!((offer("least").flavor.as_str(), offer("least").vcpus), ("text", 2));
    });
    let expected = [
        "flavor: one without a readable id is left out",
        "flavor odd: vcpus is a text",
        "list: flavors_links is an object",
    ];
    assert_eq!(said, expected);
}

/// The recorded login with something else in it.
fn login_with(from: &str, to: &str) -> Reply {
    let mut reply = recorded!("auth-ok");
    let body = String::from_utf8(reply.body).unwrap();
    assert!(body.contains(from), "{body}");
    reply.body = body.replacen(from, to, 1).into_bytes();
    reply
}

#[test]
fn one_odd_service_of_a_catalog_spoils_no_login() {
    let endpoint = endpoint_of("http://k");
    let whole = auth::read(&endpoint, &recorded!("auth-ok"), &mut Oddities::default()).unwrap();
    for (first, said) in [
        (
            r#"{"type": null, "name": "x", "endpoints": []}"#,
            "it has no readable type and is passed over",
        ),
        (
            r#"{"type": 5, "name": "x", "endpoints": []}"#,
            "it has no readable type and is passed over",
        ),
        (
            r#"{"type": "dns", "name": "x", "endpoints": {}}"#,
            "its endpoints are not a list of objects",
        ),
        (
            r#"{"type": "dns", "name": "x", "endpoints": ["http://x"]}"#,
            "its endpoints are not a list of objects",
        ),
    ] {
        let mut odd = Oddities::default();
        let reply = login_with(r#""catalog": ["#, &format!(r#""catalog": [{first},"#));
        let login = auth::read(&endpoint, &reply, &mut odd).unwrap();
        assert_eq!(login.catalog, whole.catalog, "{first}");
        assert_eq!(odd.sentences(), [format!("service of the catalog x: {said}")]);
    }
    for first in [
        "null",
        "[]",
        r#"{"type": "dns", "name": null, "endpoints": null}"#,
        r#"{"type": "dns", "endpoints": [{"url": null, "interface": null, "region": 5}]}"#,
    ] {
        let reply = login_with(r#""catalog": ["#, &format!(r#""catalog": [{first},"#));
        assert!(
            auth::read(&endpoint, &reply, &mut Oddities::default()).is_ok(),
            "{first}"
        );
    }
}

/// What is shown of an error body.
fn check_said(body: &str, expected: &str) {
    let reply = Reply {
        status: 400,
        headers: ureq::http::HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    };
    assert_eq!(Fault::read(&reply).text(), format!("{expected} (status 400)"), "{body}");
}

#[test]
fn the_message_is_found_in_every_form_of_error() {
    for (body, expected) in [
        (r#"{"badRequest": {"code": 400, "message": "no image"}}"#, "no image"),
        (
            r#"{"NeutronError": {"type": "T", "message": "no net", "detail": ""}}"#,
            "T: no net",
        ),
        (
            r#"{"error": {"code": 400, "title": "Bad", "message": "no user"}}"#,
            "no user",
        ),
        (r#"{"error_msg": "no flavor", "error_code": "Ecs.0001"}"#, "no flavor"),
        (
            r#"{"error_code": "APIGW.0101", "error_msg": "no api", "request_id": "r"}"#,
            "no api",
        ),
        (
            r#"{"errors": [{"status": 404, "title": "Not Found", "detail": "no provider"}]}"#,
            "no provider",
        ),
        (r#"{"errors": [{"title": "Not Found"}]}"#, "Not Found"),
        (r#"{"errors": [{"message": "a"}, {"message": "b"}]}"#, "a"),
        (r#"{"errors": ["no quota", "no host"]}"#, "no quota"),
        (
            r#"{"message": "Api does not exist", "request_id": "9"}"#,
            "Api does not exist",
        ),
        (r#"{"errors": []}"#, "no message"),
        (r#"{"errors": [{}]}"#, "no message"),
        ("[]", "[]"),
        ("", "no message"),
    ] {
        check_said(body, expected);
    }
}

#[test]
fn a_vendors_498_is_a_throttle() {
    let again = || Canned::new(498, &["Retry-After: 3"], r#"{"error": "slow down"}"#);
    let server = Scripted::new(vec![
        (LOGIN, again()),
        (LOGIN, login()),
        (SERVERS, again()),
        (SERVERS, again()),
        (SERVERS, again()),
        ("DELETE /v2.1/servers/a", again()),
        ("DELETE /v2.1/servers/a", again()),
        ("DELETE /v2.1/servers/a", again()),
    ]);
    let (mut cloud, waits) = client(&endpoint_of(&server.url));
    let error = cloud.servers().unwrap_err();
    let throttled = |error: &ProviderError| {
        matches!(
            error,
            ProviderError::Throttled {
                retry_after: Some(3),
                ..
            }
        )
    };
    assert!(throttled(&error), "{error:?}");
    let error = cloud.delete(&ServerId::new("a")).unwrap_err();
    assert!(throttled(&error), "{error:?}");
    assert_eq!(*waits.borrow(), [3; 5]);
    server.finish();
}

/// The recorded login of a cloud that has compute or images below the version and the project.
fn old_login(from: &str, to: &str) -> Canned {
    let mut reply = recorded!("auth-ok");
    reply.body = String::from_utf8(reply.body).unwrap().replace(from, to).into_bytes();
    like(&reply)
}

#[test]
fn where_a_service_answers_is_remembered_until_it_fails() {
    let compute = || old_login(":8774/v2.1", ":8774/v2/p");
    let lost = || like(&recorded!("err-unknown-path"));
    let empty = || json(200, r#"{"servers": []}"#);
    let (new, old) = (
        "GET /v2.1/p/servers/detail?limit=1000",
        "GET /v2/p/servers/detail?limit=1000",
    );
    let server = Scripted::new(vec![
        (LOGIN, compute()),
        (new, lost()),
        (old, empty()),
        // The next pass asks there at once,
        (LOGIN, compute()),
        (old, empty()),
        // and one after an upgrade finds the new one.
        (LOGIN, compute()),
        (old, lost()),
        (new, empty()),
        (LOGIN, compute()),
        (new, empty()),
        // Another endpoint is another matter.
        (LOGIN, login()),
        (SERVERS, empty()),
    ]);
    let endpoint = endpoint_of(&server.url);
    let pass = |service_bases: &crate::model::ServiceBases| {
        let (mut cloud, _) = client(&endpoint);
        cloud.recall(service_bases);
        cloud.servers().unwrap();
        cloud.service_bases()
    };
    let first = pass(&crate::model::ServiceBases::new());
    assert_eq!(first["compute"].base, 1);
    assert_eq!(pass(&first), first);
    let upgraded = pass(&first);
    assert!(upgraded.is_empty());
    assert!(pass(&upgraded).is_empty());
    pass(&first);
    server.finish();
}

#[test]
fn a_base_is_not_given_up_for_anything_but_a_strangers_404() {
    let server = Scripted::new(vec![
        (LOGIN, old_login(":8774/v2.1", ":8774/v2/p")),
        ("GET /v2.1/p/servers/a", json(500, "")),
        ("GET /v2.1/p/servers/a", json(403, "{}")),
        ("GET /v2.1/p/servers/a", like(&recorded!("err-delete-unknown-server"))),
        // It is proven now.
        ("GET /v2.1/p/servers/a", like(&recorded!("err-unknown-path"))),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let id = ServerId::new("a");
    assert!(cloud.server(&id).is_err() && cloud.server(&id).is_err());
    assert_eq!(cloud.server(&id), Ok(Lookup::Gone));
    assert!(matches!(cloud.server(&id), Err(ProviderError::Misrouted(_))));
    server.finish();
}

#[test]
fn a_network_service_that_knows_no_such_path_is_asked_at_its_other_base() {
    let none = || {
        json(
            404,
            r#"{"NeutronError": {"type": "HTTPNotFound", "message": "The resource could not be found.", "detail": ""}}"#,
        )
    };
    let first = PORTS.replace("/v2.0/", "/v2/p/");
    let kinds = BTreeSet::from([ResourceKind::Port]);
    let server = Scripted::new(vec![
        (LOGIN, old_login(":9696", ":9696/v2/p")),
        (&first, none()),
        (PORTS, json(200, r#"{"ports": []}"#)),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert_eq!(cloud.resources(&kinds), Ok(Vec::new()));
    assert_eq!(cloud.service_bases()["network"].base, 1);
    server.finish();
}
