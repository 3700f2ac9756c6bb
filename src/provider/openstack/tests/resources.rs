//! Floating IPs, ports, volumes and consoles against a scripted server.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::server::{Canned, Scripted, json as say, like, login, stall};
use super::{client, endpoint_of, mark, recorded};
use crate::http::Reply;
use crate::model::{FaultKind, Resource, ResourceKind, ResourceMark, ServerId};
use crate::provider::openstack::OpenStack;
use crate::provider::openstack::odd::Oddities;
use crate::provider::openstack::pages::{Page, page};
use crate::provider::openstack::server::WireServer;
use crate::provider::{AddFloatingIp, Deleted, Provider as _, ProviderError};

const LOGIN: &str = "POST /v3/auth/tokens";
pub(super) const FLOATING: &str = "GET /v2.0/floatingips?fields=id&fields=floating_ip_address&fields=port_id&fields=port_details\
    &fields=description&fields=created_at&fields=project_id&fields=tenant_id\
    &tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000";
pub(super) const PORTS: &str = "GET /v2.0/ports?fields=id&fields=name&fields=device_id&fields=device_owner&fields=description\
    &fields=created_at&fields=project_id&fields=tenant_id&tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000";
pub(super) const VOLUMES: &str = "GET /v3/100d1e084cb44933a18ec6c456f36496/volumes/detail?limit=1000";
const POOLS: &str = "GET /v2.0/networks?router:external=True&fields=id&fields=name&limit=1000";
const WAYS: &str = "GET /v2.0/ports?device_id=s1&fields=id&fields=fixed_ips&limit=1000";
const MAKE: &str = "POST /v2.0/floatingips";
const SERVER: &str = "3b5b1c56-5932-407c-8d15-d41184590745";

/// Does something against a script; returns the outcome and the bodies that were sent.
fn done<T>(script: Vec<(&str, Canned)>, act: impl Fn(&mut OpenStack) -> T) -> (T, Vec<String>) {
    let server = Scripted::new([(LOGIN, login())].into_iter().chain(script).collect());
    let mut endpoint = endpoint_of(&server.url);
    endpoint.transport.timeout = jiff::SignedDuration::from_millis(1500);
    let (mut cloud, waits) = client(&endpoint);
    let outcome = act(&mut cloud);
    assert!(waits.borrow().is_empty(), "it waited");
    (outcome, server.finish())
}

fn listed(kind: ResourceKind, script: Vec<(&str, Canned)>) -> Result<Vec<Resource>, ProviderError> {
    done(script, |cloud| cloud.resources(&BTreeSet::from([kind]))).0
}

fn ours() -> ResourceMark {
    ResourceMark {
        owner: "ci.example.com".to_owned(),
        server: "cdev__0123456789ab".to_owned(),
    }
}

#[test]
fn floating_ips_are_listed_with_server_and_mark() {
    let mut expected = Resource {
        kind: ResourceKind::FloatingIp,
        id: "f58d8e2d-1057-4cd5-9fa9-dfb4a7889847".to_owned(),
        name: "198.18.1.61".to_owned(),
        in_use: true,
        server: Some(ServerId::new(SERVER)),
        created: Some("2026-11-22T14:54:35Z".parse().unwrap()),
        mark: Some(ours()),
    };
    let script = vec![(FLOATING, like(&recorded!("fip-list")))];
    assert_eq!(listed(ResourceKind::FloatingIp, script), Ok(vec![expected.clone()]));
    // Its server was deleted.
    (expected.in_use, expected.server) = (false, None);
    let script = vec![(FLOATING, like(&recorded!("fip-list-left")))];
    assert_eq!(listed(ResourceKind::FloatingIp, script), Ok(vec![expected]));
}

#[test]
fn ports_are_listed_and_only_those_of_servers_name_one() {
    let ports = listed(ResourceKind::Port, vec![(PORTS, like(&recorded!("port-list")))]).unwrap();
    let seen: Vec<_> = ports
        .iter()
        .map(|p| (p.in_use, p.server.as_ref().map(ServerId::as_str)))
        .collect();
    assert_eq!(seen, [(true, None), (true, Some(SERVER))]);
    assert_eq!(ports[1].name, ports[1].id, "a port without a name");
    let free = r#"{"ports": [{"id": "p", "name": "a\u001b[31m", "device_id": "", "device_owner": "",
        "description": "mita-owner=ci.example.com mita-server=cdev__0123456789ab"}]}"#;
    let ports = listed(ResourceKind::Port, vec![(PORTS, say(200, free))]).unwrap();
    assert_eq!(
        (ports[0].name.as_str(), ports[0].in_use, &ports[0].mark),
        ("a\\u{1b}[31m", false, &Some(ours()))
    );
}

#[test]
fn volumes_are_listed_with_the_server_they_were_made_for() {
    let mut expected = Resource {
        kind: ResourceKind::Volume,
        id: "93700c12-800f-43cd-ae64-a660274456e8".to_owned(),
        name: format!("{SERVER}-blank-vol"),
        in_use: true,
        server: Some(ServerId::new(SERVER)),
        created: Some("2026-11-22T14:53:40Z".parse().unwrap()),
        mark: None,
    };
    let list = |reply: &Reply| listed(ResourceKind::Volume, vec![(VOLUMES, like(reply))]);
    assert_eq!(list(&recorded!("volume-list")), Ok(vec![expected.clone()]));
    // Attached to nothing, it still tells by its name whose it was.
    let mut left = recorded!("volume-list-marked");
    let mut body: Value = serde_json::from_slice(&left.body).unwrap();
    body["volumes_links"] = Value::Null;
    body["volumes"][0]["attachments"] = json!([]);
    body.as_object_mut().unwrap().remove("volumes_links");
    for (status, in_use) in [
        ("available", false),
        ("error", false),
        ("in-use", true),
        ("deleting", true),
    ] {
        body["volumes"][0]["status"] = json!(status);
        left.body = body.to_string().into_bytes();
        (expected.in_use, expected.mark) = (in_use, Some(ours()));
        assert_eq!(list(&left), Ok(vec![expected.clone()]), "{status}");
    }
    body["volumes"][0]["name"] = json!("nightly-blank-vol");
    body["volumes"][0]["metadata"] = json!({"mita-owner": "ci"});
    left.body = body.to_string().into_bytes();
    let foreign = list(&left).unwrap();
    assert_eq!((&foreign[0].server, &foreign[0].mark), (&None, &None));
}

#[test]
fn what_other_projects_have_is_none_of_ours() {
    let body = r#"{"floatingips": [{"id": "a", "project_id": "other", "port_id": null},
        {"id": "b", "tenant_id": "100d1e084cb44933a18ec6c456f36496"}, {"id": "c"}]}"#;
    let all = listed(ResourceKind::FloatingIp, vec![(FLOATING, say(200, body))]).unwrap();
    let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["b", "c"]);
}

#[test]
fn lists_are_read_page_by_page() {
    let page = |ids: &[&str], next: Option<&str>| {
        let volumes: Vec<Value> = ids.iter().map(|id| json!({"id": id, "status": "available"})).collect();
        let links: Vec<Value> = next
            .iter()
            .map(|id| json!({"rel": "next", "href": format!("http://192.0.2.1/x?marker={id}")}))
            .collect();
        say(200, &json!({"volumes": volumes, "volumes_links": links}).to_string())
    };
    let after = |id: &str| format!("{VOLUMES}&marker={id}");
    let ids = |all: Result<Vec<Resource>, ProviderError>| all.map(|all| all.into_iter().map(|one| one.id).collect());
    let (b, c) = (after("b"), after("c"));
    let script = vec![
        (VOLUMES, page(&["a", "b"], Some("b"))),
        (&*b, page(&["b", "c"], Some("c"))),
        (&*c, page(&[], None)),
    ];
    let all: Result<String, _> = ids(listed(ResourceKind::Volume, script));
    assert_eq!(all.as_deref(), Ok("abc"), "one that moved is kept once");
    // The volume that was the marker is gone: Cinder says so, and it is begun again, once.
    let gone = || like(&recorded!("volume-delete-unknown"));
    let script = vec![
        (VOLUMES, page(&["a", "b"], Some("b"))),
        (&*b, gone()),
        (VOLUMES, page(&["a"], None)),
    ];
    let all: Result<String, _> = ids(listed(ResourceKind::Volume, script));
    assert_eq!(all.as_deref(), Ok("a"));
    let script = vec![
        (VOLUMES, page(&["b"], Some("b"))),
        (&*b, gone()),
        (VOLUMES, page(&["b"], Some("b"))),
        (&*b, gone()),
    ];
    let all: Result<String, _> = ids(listed(ResourceKind::Volume, script));
    assert!(matches!(all, Err(ProviderError::Unavailable(text)) if text.contains("twice")));
    // Recorded: Neutron links on from a full page.
    let next = format!("{FLOATING}&marker=f58d8e2d-1057-4cd5-9fa9-dfb4a7889847");
    let script = vec![
        (FLOATING, like(&recorded!("fip-page1"))),
        (&*next, like(&recorded!("fip-list"))),
    ];
    assert_eq!(listed(ResourceKind::FloatingIp, script).unwrap().len(), 1);
}

#[test]
fn a_service_that_is_not_there_has_nothing() {
    let kinds = BTreeSet::from([ResourceKind::FloatingIp, ResourceKind::Port, ResourceKind::Volume]);
    let bare = || {
        let mut reply = recorded!("auth-ok");
        let text = String::from_utf8(reply.body).unwrap();
        reply.body = text
            .replace("\"network\"", "\"nothing\"")
            .replace("\"volumev3\"", "\"nothing\"")
            .into();
        like(&reply)
    };
    let server = Scripted::new(vec![(LOGIN, bare())]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert_eq!(cloud.resources(&kinds), Ok(Vec::new()));
    assert!(matches!(
        cloud.remove(ResourceKind::Volume, "v"),
        Err(ProviderError::NotFound(_))
    ));
    server.finish();
    // Nor has a Neutron without routers floating IPs; but a proxy's page is no answer.
    let none =
        r#"{"NeutronError": {"type": "HTTPNotFound", "message": "The resource could not be found.", "detail": ""}}"#;
    assert_eq!(
        listed(ResourceKind::FloatingIp, vec![(FLOATING, say(404, none))]),
        Ok(Vec::new())
    );
    let page = || Canned::new(404, &[], "<html>no</html>");
    assert!(listed(ResourceKind::FloatingIp, vec![(FLOATING, page())]).is_err());
    assert!(listed(ResourceKind::Port, vec![(PORTS, say(404, none))]).is_err());
    assert!(
        listed(ResourceKind::Volume, vec![(VOLUMES, say(200, "{}"))]).is_err(),
        "no list is no empty list"
    );
}

#[test]
fn removing_tells_gone_from_in_use() {
    let removed = |kind, line: &str, answer: Canned| done(vec![(line, answer)], |cloud| cloud.remove(kind, "x/1")).0;
    let (floating, port) = ("DELETE /v2.0/floatingips/x%2F1", "DELETE /v2.0/ports/x%2F1");
    let volume = "DELETE /v3/100d1e084cb44933a18ec6c456f36496/volumes/x%2F1";
    let nothing = |status| Canned::new(status, &[], "");
    let gone = Ok(Deleted::AlreadyGone);
    assert_eq!(
        removed(ResourceKind::FloatingIp, floating, nothing(204)),
        Ok(Deleted::Accepted)
    );
    assert_eq!(
        removed(ResourceKind::Volume, volume, nothing(202)),
        Ok(Deleted::Accepted)
    );
    assert_eq!(
        removed(
            ResourceKind::FloatingIp,
            floating,
            like(&recorded!("fip-delete-unknown"))
        ),
        gone
    );
    assert_eq!(
        removed(ResourceKind::Volume, volume, like(&recorded!("volume-delete-unknown"))),
        gone
    );
    let said = |body: &str| Canned::new(404, &[], body);
    for (kind, line) in [
        (ResourceKind::FloatingIp, floating),
        (ResourceKind::Port, port),
        (ResourceKind::Volume, volume),
    ] {
        // Neither a gateway nor a path that is not known nor another service's words are a proof.
        for body in [
            "",
            "<html>no</html>",
            "no",
            r#"{"message": "Api does not exist"}"#,
            r#"{"error_msg": "The API does not exist", "error_code": "APIGW.0101"}"#,
            r#"{"error": {"code": 404, "message": "no"}}"#,
            r#"{"code": "404 Not Found", "title": "Not Found", "message": "no"}"#,
            r#"{"NeutronError": {"type": "HTTPNotFound", "message": "The resource could not be found."}}"#,
        ] {
            let error = removed(kind, line, said(body)).unwrap_err();
            let told = matches!(error, ProviderError::Misrouted(_) | ProviderError::NotFound(_));
            assert!(told, "{kind:?} {body}: {error:?}");
        }
    }
    let port_gone = like(&recorded!("port-delete-gone"));
    assert_eq!(removed(ResourceKind::Port, port, port_gone), gone);
    let volume_gone = || like(&recorded!("volume-delete-unknown"));
    assert!(removed(ResourceKind::Port, port, volume_gone()).is_err());
    for (kind, line, reply) in [
        (ResourceKind::Volume, volume, recorded!("volume-delete-attached")),
        (ResourceKind::Port, port, recorded!("port-delete-router")),
    ] {
        let error = removed(kind, line, like(&reply)).unwrap_err();
        assert!(matches!(error, ProviderError::Conflict(_)), "{error:?}");
    }
    assert!(matches!(
        removed(ResourceKind::Port, port, Canned::hang_up()),
        Err(ProviderError::Unknown(_))
    ));
    let (mut cloud, _) = client(&endpoint_of("http://127.0.0.1:1"));
    assert!(matches!(
        cloud.remove(ResourceKind::Port, ""),
        Err(ProviderError::Refused(_))
    ));
}

/// Asks for a floating IP of `public` for the server `s1`.
fn add(cloud: &mut OpenStack, pool: &str) -> Result<IpAddr, ProviderError> {
    cloud.add_floating_ip(&AddFloatingIp {
        pool,
        server: &ServerId::new("s1"),
        mark: &mark(),
    })
}

/// The script up to the POST, and what it is answered.
fn making(answer: Canned) -> Vec<(&'static str, Canned)> {
    vec![
        (POOLS, like(&recorded!("networks-external"))),
        (WAYS, like(&recorded!("port-of-server"))),
        (MAKE, answer),
    ]
}

#[test]
fn a_floating_ip_is_made_and_marked_in_one_request() {
    let (outcome, bodies) = done(making(like(&recorded!("fip-create-described"))), |cloud| {
        add(cloud, "public")
    });
    assert_eq!(outcome, Ok("198.18.1.61".parse().unwrap()));
    let sent: Value = serde_json::from_str(bodies.last().unwrap()).unwrap();
    let expected = json!({"floatingip": {"floating_network_id": "2f0eb122-a5f0-4184-853d-c6f612a7872d",
        "port_id": "a15ae29c-aee5-4d5f-965f-65baa46664d5",
        "description": "mita-owner=ci mita-server=linux__0123456789ab"}});
    assert_eq!(sent, expected);
}

#[test]
fn the_pools_are_asked_for_once() {
    let made = || like(&recorded!("fip-create-described"));
    let mut script = making(made());
    script.extend(making(made()).into_iter().skip(1));
    let (outcomes, _) = done(script, |cloud| [add(cloud, "public"), add(cloud, "public")]);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    // An id needs no list.
    let script = making(made()).into_iter().skip(1).collect();
    let (outcome, _) = done(script, |cloud| add(cloud, "2f0eb122-a5f0-4184-853d-c6f612a7872d"));
    assert!(outcome.is_ok(), "{outcome:?}");
    let script = vec![(POOLS, like(&recorded!("networks-external")))];
    let error = done(script, |cloud| add(cloud, "publc")).0.unwrap_err();
    assert!(matches!(&error, ProviderError::Refused(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(r#"no network named "publc" (nearest: "public")"#),
        "{error}"
    );
}

#[test]
fn a_server_with_several_ports_is_tried_until_one_is_reached() {
    let ways = r#"{"ports": [{"id": "v6", "fixed_ips": [{"ip_address": "2001:db8::1"}]},
        {"id": "p1", "fixed_ips": [{"ip_address": "2001:db8::2"}, {"ip_address": "10.0.0.1"}]},
        {"id": "p2", "fixed_ips": [{"ip_address": "10.1.0.1"}, {"ip_address": "10.1.0.2"}]}]}"#;
    let far = || like(&recorded!("fip-no-router"));
    let script = |last: Canned| {
        let mut script = making(far());
        script[1].1 = say(200, ways);
        script.push((MAKE, last));
        script
    };
    let (outcome, bodies) = done(script(like(&recorded!("fip-create-described"))), |cloud| {
        add(cloud, "public")
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let port = |at: usize| serde_json::from_str::<Value>(&bodies[at]).unwrap()["floatingip"].clone();
    let (first, second) = (port(3), port(4));
    assert_eq!(
        (&first["port_id"], &first["fixed_ip_address"]),
        (&json!("p1"), &Value::Null)
    );
    assert_eq!(
        (&second["port_id"], &second["fixed_ip_address"]),
        (&json!("p2"), &json!("10.1.0.1"))
    );
    let error = done(script(far()), |cloud| add(cloud, "public")).0.unwrap_err();
    assert!(
        matches!(&error, ProviderError::Refused(text) if text.contains("no router joins") && text.contains("is not reachable")),
        "{error:?}"
    );
    for (ways, wanted) in [
        (r#"{"ports": []}"#, "no port yet"),
        (
            r#"{"ports": [{"id": "v6", "fixed_ips": [{"ip_address": "2001:db8::1"}]}]}"#,
            "IPv4 only",
        ),
    ] {
        let script = vec![(POOLS, like(&recorded!("networks-external"))), (WAYS, say(200, ways))];
        let error = done(script, |cloud| add(cloud, "public")).0.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn refusals_of_floating_ips_are_told_apart() {
    let neutron = |kind: &str| format!(r#"{{"NeutronError": {{"type": "{kind}", "message": "m", "detail": ""}}}}"#);
    let refused = |answer: Canned| done(making(answer), |cloud| add(cloud, "public")).0.unwrap_err();
    let quota = refused(like(&recorded!("quota-floatingip-2")));
    assert!(matches!(quota, ProviderError::Quota(_)), "{quota:?}");
    for kind in [(409, "IpAddressGenerationFailure"), (400, "ExternalIpAddressExhausted")] {
        let full = refused(say(kind.0, &neutron(kind.1)));
        assert!(matches!(full, ProviderError::Capacity(_)), "{full:?}");
    }
    let taken = refused(like(&recorded!("fip-on-same-port")));
    assert!(matches!(taken, ProviderError::Conflict(_)), "{taken:?}");
    for reply in [
        recorded!("fip-not-external"),
        recorded!("fip-unknown-network"),
        recorded!("fip-unknown-port"),
    ] {
        let odd = refused(like(&reply));
        assert!(matches!(odd, ProviderError::Refused(_)), "{odd:?}");
        assert!(odd.to_string().contains("for linux__0123456789ab"), "{odd}");
    }
    let policy = refused(say(403, &neutron("PolicyNotAuthorized")));
    assert!(matches!(policy, ProviderError::Auth(_)), "{policy:?}");
    let page = refused(Canned::new(404, &[], "<html>no</html>"));
    assert!(matches!(page, ProviderError::Misrouted(_)), "{page:?}");
    for answer in [say(500, "{}"), say(504, ""), say(201, "{}"), Canned::hang_up(), stall()] {
        let unknown = refused(answer);
        assert!(matches!(unknown, ProviderError::Unknown(_)), "{unknown:?}");
    }
}

#[test]
fn a_volume_is_marked_beside_what_stands_there() {
    let line = "POST /v3/100d1e084cb44933a18ec6c456f36496/volumes/v1/metadata";
    let marked = |answer: Canned| done(vec![(line, answer)], |cloud| cloud.mark_volume("v1", &ours()));
    let (outcome, bodies) = marked(like(&recorded!("volume-metadata")));
    assert_eq!(outcome, Ok(()));
    let sent: Value = serde_json::from_str(bodies.last().unwrap()).unwrap();
    let metadata = json!({"mita-owner": "ci.example.com", "mita-server": "cdev__0123456789ab"});
    assert_eq!(sent, json!({ "metadata": metadata }));
    let gone = marked(like(&recorded!("volume-delete-unknown"))).0;
    assert!(matches!(gone, Err(ProviderError::NotFound(_))), "{gone:?}");
    // Cinder says 413 with a Retry-After of 0: nobody waits, nothing is repeated.
    let over = marked(like(&recorded!("quota-cinder-volumes"))).0;
    assert!(matches!(over, Err(ProviderError::Quota(_))), "{over:?}");
}

#[test]
fn a_console_is_read_or_is_not_there() {
    let line = "POST /v2.1/servers/s1/action";
    let read = |answer: Canned| done(vec![(line, answer)], |cloud| cloud.console(&ServerId::new("s1"), 2));
    let (text, bodies) = read(like(&recorded!("console")));
    assert_eq!(text, Ok(Some("ANOTHER\nLAST LINE".to_owned())));
    assert_eq!(bodies.last().unwrap(), r#"{"os-getConsoleOutput":{"length":2}}"#);
    let not_ready = like(&recorded!("console-not-ready"));
    for answer in [
        not_ready,
        say(404, "{}"),
        say(501, "{}"),
        say(200, r#"{"output": null}"#),
        say(200, ""),
    ] {
        assert_eq!(read(answer).0, Ok(None));
    }
    assert!(matches!(read(say(403, "{}")).0, Err(ProviderError::Auth(_))));
    assert!(matches!(read(say(500, "{}")).0, Err(ProviderError::Unavailable(_))));
}

#[test]
fn the_fault_of_a_server_tells_that_the_quota_of_volumes_is_used_up() {
    let reply = recorded!("volume-over-quota-in-list");
    let page: Page<WireServer> = page("servers", "servers", &reply, &mut Oddities::default()).unwrap();
    let server = page.entries.into_iter().next().unwrap();
    let fault = server.into_server().fault.unwrap();
    assert_eq!(FaultKind::from_message(&fault), FaultKind::Quota, "{fault}");
}
