//! Logins, lists and deletes against a scripted server.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use super::server::{Canned, Scripted, cut, json, like, login, stall};
use super::{client, endpoint_of, recorded, spec};
use crate::http::Deadline;
use crate::model::{Headroom, PortSpec, Quota, ServerId, ServerSpec, TemplateName, Zone};
use crate::provider::openstack::OpenStack;
use crate::provider::{Deleted, Lookup, Provider as _, ProviderError, ServerList};

const LOGIN: &str = "POST /v3/auth/tokens";
const FIRST: &str = "GET /v2.1/servers/detail?limit=1000";

/// A page with servers `a`, `b`, … of which those in capitals are in BUILD, and the marker of a next link.
fn page(letters: &str, next: Option<&str>) -> Canned {
    let mut body = String::from("{\"servers\": [");
    for (at, letter) in letters.chars().enumerate() {
        let status = if letter.is_uppercase() { "BUILD" } else { "ACTIVE" };
        let comma = if at == 0 { "" } else { "," };
        let id = letter.to_lowercase();
        write!(
            body,
            "{comma}{{\"id\": \"{id}\", \"name\": \"n\", \"status\": \"{status}\", \"created\": \"2026-11-22T09:55:18Z\"}}"
        )
        .unwrap();
    }
    body.push(']');
    if let Some(marker) = next {
        // The host and path of the link are wrong on purpose.
        write!(
            body,
            ",\"servers_links\": [{{\"rel\": \"next\", \"href\": \"http://192.0.2.1/x?limit=5&marker={marker}\"}}]"
        )
        .unwrap();
    }
    body.push('}');
    json(200, &body)
}

fn after(marker: &str) -> &'static str {
    match marker {
        "b" => "GET /v2.1/servers/detail?limit=1000&marker=b",
        "c" => "GET /v2.1/servers/detail?limit=1000&marker=c",
        _ => "GET /v2.1/servers/detail?limit=1000&marker=d",
    }
}

fn ids(list: &ServerList) -> String {
    list.servers.iter().map(|s| s.id.as_str()).collect()
}

/// Lists servers; returns their ids in a row, or the error.
fn listed(script: Vec<(&str, Canned)>) -> Result<String, ProviderError> {
    let server = Scripted::new([(LOGIN, login())].into_iter().chain(script).collect());
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let list = cloud.servers();
    server.finish();
    list.map(|list| ids(&list))
}

#[test]
fn pages_are_followed_to_their_end() {
    assert_eq!(listed(vec![(FIRST, page("ab", None))]).as_deref(), Ok("ab"));
    assert_eq!(listed(vec![(FIRST, page("", None))]).as_deref(), Ok(""));
    let exact = vec![(FIRST, page("ab", Some("b"))), (after("b"), page("", None))];
    assert_eq!(listed(exact).as_deref(), Ok("ab"));
    let two = vec![(FIRST, page("ab", Some("b"))), (after("b"), page("cd", None))];
    assert_eq!(listed(two).as_deref(), Ok("abcd"));
    // Recorded: the answer past the last server.
    let recorded = vec![
        (FIRST, page("ab", Some("b"))),
        (after("b"), like(&recorded!("page-after-last"))),
    ];
    assert_eq!(listed(recorded).as_deref(), Ok("ab"));
}

#[test]
fn a_server_in_error_is_asked_why() {
    let server = Scripted::new(vec![
        (LOGIN, login()),
        ("GET /v2.1/servers/a", like(&recorded!("novalidhost-show"))),
        ("GET /v2.1/servers/b", json(404, "{}")),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let fault = cloud.fault(&ServerId::new("a")).unwrap();
    assert_eq!(fault.as_deref(), Some("No valid host was found."));
    assert!(cloud.fault(&ServerId::new("b")).is_err(), "nothing is told of it");
    server.finish();
}

#[test]
fn only_the_services_own_404_says_that_a_server_is_gone() {
    let html = || like(&recorded!("err-unknown-path"));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        ("GET /v2.1/servers/a", like(&recorded!("server-show-deleting"))),
        ("GET /v2.1/servers/b", like(&recorded!("err-delete-unknown-server"))),
        ("GET /v2.1/servers/c", html()),
        ("GET /v2.1/servers/c", json(404, r#"{"message": "Api does not exist"}"#)),
        ("GET /v2.1/servers/c", json(404, "")),
        ("GET /v2.1/servers/c", json(404, r#"{"forbidden": {"message": "no"}}"#)),
        (
            "GET /v2.1/servers/c",
            json(410, r#"{"itemNotFound": {"message": "no"}}"#),
        ),
        ("GET /v2.1/servers/c", json(403, r#"{"forbidden": {"message": "no"}}"#)),
        ("GET /v2.1/servers/c", json(500, "")),
        ("GET /v2.1/servers/c", json(200, r#"{"servers": []}"#)),
        ("GET /v2.1/servers/c", json(200, r#"{"server": {"id": "c"}}"#)),
        (
            "GET /v2.1/servers/c",
            json(200, r#"{"server": {"id": "c", "name": "n", "metadata": []}}"#),
        ),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let Ok(Lookup::There(found)) = cloud.server(&ServerId::new("a")) else {
        panic!("it is there");
    };
    assert_eq!(found.task_state.as_deref(), Some("deleting"));
    assert_eq!(cloud.server(&ServerId::new("b")), Ok(Lookup::Gone));
    for at in 0..10 {
        let answer = cloud.server(&ServerId::new("c"));
        assert!(answer.is_err(), "answer {at}: {answer:?}");
    }
    assert!(cloud.server(&ServerId::new("")).is_err());
    server.finish();
}

#[test]
fn a_short_page_is_no_end_while_something_builds() {
    let script = vec![
        (FIRST, page("Ab", None)),
        (after("b"), page("bc", None)),
        (after("c"), page("", None)),
    ];
    assert_eq!(listed(script).as_deref(), Ok("abc"));
    let later = vec![
        (FIRST, page("aB", Some("b"))),
        (after("b"), page("c", None)),
        (after("c"), page("", None)),
    ];
    assert_eq!(listed(later).as_deref(), Ok("abc"));
    // A cloud that knows no markers gives the same again: there is nothing more.
    let same = vec![(FIRST, page("aB", None)), (after("b"), page("aB", None))];
    assert_eq!(listed(same).as_deref(), Ok("ab"));
}

#[test]
fn pages_that_do_not_end_are_an_error() {
    let script = vec![(FIRST, page("ab", Some("b"))), (after("b"), page("ab", Some("b")))];
    assert!(matches!(listed(script), Err(ProviderError::BadAnswer(text)) if text.contains("do not end")));
    let circle = vec![
        (FIRST, page("ab", Some("b"))),
        (after("b"), page("cd", Some("d"))),
        (after("d"), page("ab", Some("b"))),
    ];
    assert!(matches!(listed(circle), Err(ProviderError::BadAnswer(_))));
}

#[test]
fn a_lost_marker_begins_the_list_anew_once() {
    let lost = || like(&recorded!("page-bad-marker"));
    let script = vec![
        (FIRST, page("ab", Some("b"))),
        (after("b"), lost()),
        (FIRST, page("ac", Some("c"))),
        (after("c"), page("d", None)),
    ];
    assert_eq!(listed(script).as_deref(), Ok("acd"));
    let twice = vec![
        (FIRST, page("ab", Some("b"))),
        (after("b"), lost()),
        (FIRST, page("ac", Some("c"))),
        (after("c"), lost()),
    ];
    assert!(matches!(listed(twice), Err(ProviderError::Unavailable(_))));
    // Without a marker a 400 is something else.
    assert!(matches!(
        listed(vec![(FIRST, lost())]),
        Err(ProviderError::BadAnswer(_))
    ));
}

#[test]
fn a_list_is_whole_or_an_error() {
    let down = || like(&recorded!("outage-neutron-list"));
    assert!(matches!(
        listed(vec![(FIRST, down())]),
        Err(ProviderError::Unavailable(_))
    ));
    let second = vec![(FIRST, page("ab", Some("b"))), (after("b"), down())];
    assert!(matches!(listed(second), Err(ProviderError::Unavailable(_))));
    let html = Canned::new(200, &["Content-Type: text/html"], "<html>please log in</html>");
    assert!(matches!(listed(vec![(FIRST, html)]), Err(ProviderError::BadAnswer(_))));
    // A GET is repeated once when its connection broke.
    assert!(matches!(
        listed(vec![(FIRST, cut()), (FIRST, cut())]),
        Err(ProviderError::Unavailable(_))
    ));
    assert_eq!(
        listed(vec![(FIRST, Canned::hang_up()), (FIRST, page("a", None))]).as_deref(),
        Ok("a")
    );
}

#[test]
fn a_slow_reply_is_cut_off() {
    let server = Scripted::new(vec![(LOGIN, login()), (FIRST, stall())]);
    let mut endpoint = endpoint_of(&server.url);
    endpoint.transport.timeout = jiff::SignedDuration::from_millis(1100);
    let (mut cloud, _) = client(&endpoint);
    let error = cloud.servers().unwrap_err();
    assert!(
        matches!(&error, ProviderError::Unavailable(text) if text.contains("timeout")),
        "{error}"
    );
    server.finish();
}

#[test]
fn the_clock_is_the_clouds() {
    let server = Scripted::new(vec![(LOGIN, login()), (FIRST, page("a", None))]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert_eq!(
        cloud.servers().unwrap().clock,
        Some("2026-11-22T12:00:08Z".parse().unwrap())
    );
    assert_eq!(cloud.requests(), 2);
    let bodies = server.finish();
    let sent: serde_json::Value = serde_json::from_str(&bodies[0]).unwrap();
    let expected = serde_json::json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user":
            {"name": "ci", "domain": {"name": "Default"}, "password": "ci-pass"}}},
        "scope": {"project": {"name": "ci", "domain": {"id": "default"}}}}});
    assert_eq!(sent, expected);
}

#[test]
fn a_refused_token_is_replaced_once_a_request() {
    let no = || like(&recorded!("expired-nova"));
    assert_eq!(
        listed(vec![(FIRST, no()), (LOGIN, login()), (FIRST, page("a", None))]).as_deref(),
        Ok("a")
    );
    let twice = vec![(FIRST, no()), (LOGIN, login()), (FIRST, no())];
    assert!(matches!(listed(twice), Err(ProviderError::Auth(_))));
    let middle = vec![
        (FIRST, page("ab", Some("b"))),
        (after("b"), no()),
        (LOGIN, login()),
        (after("b"), page("c", None)),
    ];
    assert_eq!(listed(middle).as_deref(), Ok("abc"));
}

#[test]
fn three_logins_are_enough() {
    let no = || like(&recorded!("expired-nova"));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (FIRST, no()),
        (LOGIN, login()),
        (FIRST, page("a", None)),
        (FIRST, no()),
        (LOGIN, login()),
        (FIRST, page("a", None)),
        (FIRST, no()),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert!(cloud.servers().is_ok() && cloud.servers().is_ok());
    let error = cloud.servers().unwrap_err();
    assert!(
        matches!(&error, ProviderError::Auth(text) if text.contains("3 logins")),
        "{error}"
    );
    server.finish();
}

#[test]
fn too_many_requests_are_waited_for_and_no_longer_than_that() {
    let slow = |after: &str| Canned::new(429, &[&format!("Retry-After: {after}")], "");
    let server = Scripted::new(vec![
        (LOGIN, slow("3")),
        (LOGIN, login()),
        (FIRST, slow("2")),
        (FIRST, slow("nonsense")),
        (FIRST, page("a", None)),
        (FIRST, slow("0")),
        (FIRST, slow("1")),
        (FIRST, slow("5")),
        (FIRST, slow("600")),
    ]);
    let (mut cloud, waits) = client(&endpoint_of(&server.url));
    assert!(cloud.servers().is_ok());
    assert_eq!(*waits.borrow(), [3, 2, 2]);
    let error = cloud.servers().unwrap_err();
    assert!(
        matches!(
            error,
            ProviderError::Throttled {
                retry_after: Some(5),
                ..
            }
        ),
        "{error:?}"
    );
    let error = cloud.servers().unwrap_err();
    assert!(
        matches!(
            error,
            ProviderError::Throttled {
                retry_after: Some(600),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(*waits.borrow(), [3, 2, 2, 1, 1]);
    server.finish();
}

#[test]
fn where_other_clouds_wait_only_short_waits_are_made() {
    let slow = |after: &str| Canned::new(429, &[&format!("Retry-After: {after}")], "");
    let server = Scripted::new(vec![
        (LOGIN, slow("2")),
        (LOGIN, login()),
        (FIRST, slow("3")),
        (FIRST, slow("1")),
        (FIRST, page("a", None)),
        (FIRST, slow("2")),
    ]);
    let deadline = Deadline::after(Duration::from_secs(300)).part();
    deadline.allow(Duration::from_secs(100));
    let waits = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&waits);
    let pause = Box::new(move |span: Duration| kept.borrow_mut().push(span.as_secs()));
    let mut cloud = OpenStack::with_pause(&endpoint_of(&server.url), deadline, pause).unwrap();
    // Three seconds are longer than another cloud should wait; four in all are enough.
    for (good, waited) in [(false, &[2][..]), (true, &[2, 1]), (false, &[2, 1])] {
        let outcome = cloud.servers();
        assert_eq!(outcome.is_ok(), good, "{outcome:?}");
        assert!(good || matches!(outcome, Err(ProviderError::Throttled { .. })));
        assert_eq!(*waits.borrow(), waited);
    }
    server.finish();
}

#[test]
fn no_wait_goes_beyond_the_end_of_the_pass() {
    let slow = Canned::new(429, &["Retry-After: 20"], "");
    let server = Scripted::new(vec![(LOGIN, login()), (FIRST, slow)]);
    let deadline = Deadline::after(Duration::from_secs(10));
    let never = Box::new(|_| panic!("waited"));
    let endpoint = endpoint_of(&server.url);
    let mut cloud = OpenStack::with_pause(&endpoint, deadline, never).unwrap();
    assert!(matches!(cloud.servers(), Err(ProviderError::Throttled { .. })));
    server.finish();
}

#[test]
fn an_old_compute_is_asked_where_the_catalog_says() {
    let old = format!("{FIRST} ").replace("/v2.1/", "/v2/p/");
    let new = FIRST.replace("/v2.1/", "/v2.1/p/");
    let mut reply = recorded!("auth-ok");
    let body = String::from_utf8(reply.body)
        .unwrap()
        .replace(":8774/v2.1", ":8774/v2/p");
    reply.body = body.into_bytes();
    let server = Scripted::new(vec![
        (LOGIN, like(&reply)),
        (&*new, like(&recorded!("err-unknown-path"))),
        (old.trim_end(), page("a", None)),
        (old.trim_end(), page("b", None)),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert_eq!(ids(&cloud.servers().unwrap()), "a");
    assert_eq!(ids(&cloud.servers().unwrap()), "b");
    server.finish();
}

#[test]
fn a_delete_has_four_outcomes() {
    let line = "DELETE /v2.1/servers/a%2Fb";
    let html = like(&recorded!("err-unknown-path"));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (line, Canned::new(204, &[], "")),
        (line, like(&recorded!("err-delete-unknown-server"))),
        (line, like(&recorded!("delete-locked-server"))),
        (line, html),
        (line, like(&recorded!("expired-nova"))),
        (LOGIN, login()),
        (line, json(202, "")),
        (line, json(503, "")),
        (line, Canned::hang_up()),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let mut delete = || cloud.delete(&ServerId::new("a/b"));
    assert_eq!(delete(), Ok(Deleted::Accepted));
    assert_eq!(delete(), Ok(Deleted::AlreadyGone));
    assert!(matches!(delete(), Err(ProviderError::Conflict(text)) if text.contains("is locked")));
    assert!(matches!(delete(), Err(ProviderError::Misrouted(text)) if text.contains("is its endpoint right?")));
    assert_eq!(delete(), Ok(Deleted::Accepted));
    assert!(matches!(delete(), Err(ProviderError::Unavailable(_))));
    assert!(matches!(delete(), Err(ProviderError::Unknown(_))));
    server.finish();
    assert!(matches!(
        cloud.delete(&ServerId::new("")),
        Err(ProviderError::Refused(_))
    ));
}

const IMAGES: &str = "GET /v2/images?status=active&limit=1000";
const NETWORKS: &str =
    "GET /v2.0/networks?fields=id&fields=name&fields=shared&fields=router:external&fields=project_id&limit=1000";
const FLAVORS: &str = "GET /v2.1/flavors/detail?limit=1000";
const LIMITS: &str = "GET /v2.1/limits";

#[test]
fn offers_take_one_request_a_list() {
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (
            &*format!("{IMAGES}&name=in%3A%22twin%22"),
            like(&recorded!("page-images-name-twin")),
        ),
        (NETWORKS, json(200, r#"{"networks":[]}"#)),
        (FLAVORS, like(&recorded!("page-flavors"))),
        (&*format!("{FLAVORS}&marker=2"), json(200, r#"{"flavors":[]}"#)),
        (LIMITS, like(&recorded!("limits"))),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let names = ["small", "none"].map(TemplateName::new);
    let (small, none) = (spec("twin", "m1.small"), spec("twin", "m1.smal"));
    let offers = cloud.offers(&[(&names[0], &small), (&names[1], &none)]).unwrap();
    server.finish();
    let room = Headroom {
        instances: Some(2),
        vcpus: Some(4),
        ram_mb: Some(8192),
        // Nothing of it is used.
        quota: Quota {
            instances: Some(2),
            vcpus: Some(4),
            ram_mb: Some(8192),
        },
    };
    assert_eq!(offers.room, room);
    let offer = offers.templates["small"].as_ref().unwrap();
    // Both are of the same second: the smaller id wins, whatever the order.
    assert_eq!(offer.image, "2a39935e-41be-4a1b-9efa-8a1ea772c6bc");
    assert_eq!((offer.flavor.as_str(), offer.vcpus, offer.ram_mb), ("2", 1, 2048));
    let reason = &offers.templates["none"].as_ref().unwrap_err().reason;
    assert!(
        reason.contains(r#"no flavor named "m1.smal" (nearest: "m1.small""#),
        "{reason}"
    );
}

#[test]
fn images_are_paged_by_the_query_of_the_link_and_networks_asked_for_when_named() {
    let images = |name: &str, next: &str| {
        json(
            200,
            &format!(r#"{{"images":[{{"id":"i-{name}","name":"{name}","status":"active"}}]{next}}}"#),
        )
    };
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (
            &*format!("{IMAGES}&name=in%3A%22a%22%2C%22b%22"),
            images("a", r#","next":"/elsewhere/v2/images?m=1""#),
        ),
        ("GET /v2/images?m=1", images("b", "")),
        (NETWORKS, like(&recorded!("page-networks"))),
        (
            &*format!("{NETWORKS}&marker=890684fa-028b-4288-a21f-7743d103d5f3"),
            json(200, r#"{"networks":[]}"#),
        ),
        (FLAVORS, like(&recorded!("page-flavors"))),
        (&*format!("{FLAVORS}&marker=2"), json(200, r#"{"flavors":[]}"#)),
        (
            LIMITS,
            json(
                200,
                r#"{"limits":{"rate":[],"absolute":{"maxTotalInstances":-1,"maxTotalCores":4,"totalCoresUsed":9}}}"#,
            ),
        ),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let names = ["a", "b"].map(TemplateName::new);
    let (mut a, b) = (spec("a", "1"), spec("b", "1"));
    a.networks = vec!["dual".to_owned()];
    let offers = cloud.offers(&[(&names[0], &a), (&names[1], &b)]).unwrap();
    server.finish();
    assert_eq!(
        (offers.room.instances, offers.room.vcpus, offers.room.ram_mb),
        (None, Some(0), None)
    );
    assert_eq!(
        offers.templates["a"].as_ref().unwrap().networks,
        ["890684fa-028b-4288-a21f-7743d103d5f3"]
    );
    assert_eq!(offers.templates["b"].as_ref().unwrap().image, "i-b");
}

/// What some templates get: the reason of those that get nothing.
fn closed(login: Canned, script: Vec<(&str, Canned)>, templates: &[(&str, ServerSpec)]) -> BTreeMap<String, String> {
    let ends = [
        (
            "GET /v2.1/flavors/detail?limit=1000",
            json(
                200,
                r#"{"flavors": [{"id": "2", "name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20}]}"#,
            ),
        ),
        ("GET /v2.1/limits", like(&recorded!("limits"))),
    ];
    let server = Scripted::new([(LOGIN, login)].into_iter().chain(script).chain(ends).collect());
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let names: Vec<TemplateName> = templates.iter().map(|(name, _)| TemplateName::new(*name)).collect();
    let wanted: Vec<_> = names
        .iter()
        .zip(templates)
        .map(|(name, (_, spec))| (name, spec))
        .collect();
    let offers = cloud.offers(&wanted).unwrap();
    server.finish();
    let reasons = offers
        .templates
        .into_iter()
        .filter_map(|(name, offer)| Some((name.to_string(), offer.err()?.reason)));
    reasons.collect()
}

/// A spec that needs no list but that of flavors.
fn bare(image: &str) -> ServerSpec {
    let mut spec = spec(image, "m1.small");
    spec.networks = vec!["890684fa-028b-4288-a21f-7743d103d5f3".to_owned()];
    spec
}

#[test]
fn a_list_that_one_template_needs_closes_that_template_alone() {
    let id = "b1ac72ae-6500-4b36-a105-0998670e021a";
    let refused = || json(403, r#"{"forbidden": {"message": "not allowed"}}"#);
    let good = bare(id);
    let mut port = bare(id);
    port.ports = vec![PortSpec::Existing("p".to_owned())];
    let mut network = bare(id);
    network.networks = vec!["private".to_owned()];
    let mut group = bare(id);
    group.ports = vec![PortSpec::Made {
        network: good.networks[0].clone(),
        security_groups: vec!["web".to_owned()],
        vnic_type: None,
        port_security: None,
    }];
    let mut apart = bare(id);
    apart.scheduler_hints.insert("group".to_owned(), "apart".into());
    let images = format!("{IMAGES}&name=in%3A%22a%22");
    let ports = "GET /v2.0/ports?fields=id&fields=name&fields=device_id\
        &tenant_id=100d1e084cb44933a18ec6c456f36496&name=p&limit=1000";
    let groups =
        "GET /v2.0/security-groups?fields=id&fields=name&tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000";
    let script = vec![
        (&*images, like(&recorded!("outage-keystone-new-token"))),
        (NETWORKS, json(500, "")),
        (ports, json(404, r#"{"message": "Api does not exist"}"#)),
        (groups, refused()),
        ("GET /v2.1/os-server-groups", refused()),
    ];
    let templates = [
        ("apart", apart),
        ("good", good.clone()),
        ("group", group.clone()),
        ("image", bare("a")),
        ("network", network.clone()),
        ("port", port),
    ];
    let reasons = closed(login(), script, &templates);
    let causes = [
        ("apart", "server groups: not allowed"),
        ("group", "security groups: not allowed"),
        ("image", "Keystone service is temporarily unavailable"),
        ("network", "unavailable: networks: no message (status 500)"),
        ("port", "misrouted: ports: something else than the service answered"),
    ];
    assert_eq!(reasons.len(), causes.len(), "{reasons:#?}");
    for (name, part) in causes {
        assert!(reasons[name].contains(part), "{name}: {}", reasons[name]);
    }
    // Without Neutron, groups are asked of Nova.
    let mut reply = recorded!("auth-ok");
    let body = String::from_utf8(reply.body).unwrap();
    reply.body = body.replace("\"network\"", "\"nets\"").into_bytes();
    let found = json(
        200,
        r#"{"security_groups": [{"id": "1", "name": "web"}, null, {"name": 5}]}"#,
    );
    let script = vec![("GET /v2.1/os-security-groups", found)];
    let reasons = closed(
        like(&reply),
        script,
        &[("good", good), ("group", group), ("network", network)],
    );
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons["network"].contains("has no network service"), "{reasons:?}");
}

#[test]
fn check_tells_what_is_missing_beside_a_dead_service() {
    let none = |key: &str| json(200, &format!(r#"{{"{key}":[]}}"#));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (
            FIRST,
            json(403, r#"{"forbidden":{"code":403,"message":"Policy doesn't allow it"}}"#),
        ),
        (LIMITS, json(403, "{}")),
        (
            &*format!("{IMAGES}&name=in%3A%22a%22"),
            like(&recorded!("outage-keystone-new-token")),
        ),
        (NETWORKS, none("networks")),
        ("GET /v2.1/flavors/detail?limit=1000", none("flavors")),
        (NETWORKS, none("networks")),
        (
            "GET /v2.1/os-keypairs",
            json(200, r#"{"keypairs":[{"keypair":{"name":"jenkins","public_key":"x"}}]}"#),
        ),
        (
            "GET /v2.0/security-groups?fields=id&fields=name&tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000",
            none("security_groups"),
        ),
        (
            "GET /v2.1/os-availability-zone",
            json(
                200,
                r#"{"availabilityZoneInfo":[{"zoneName":"az1","zoneState":{"available":false},"hosts":null}]}"#,
            ),
        ),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let mut spec = spec("a", "1");
    spec.key_pair = Some("jenkin".to_owned());
    spec.security_groups = vec!["g".to_owned()];
    let zones = [Zone::new("az1"), Zone::new("az2")];
    let told = cloud
        .check(&[(&TemplateName::new("t"), &spec, &zones)])
        .unwrap()
        .missing;
    server.finish();
    let sentences = [
        "without the list of servers a pass does nothing here",
        "limits: the quota is not shown (status 403)",
        "unavailable: images",
        "no flavor",
        "no key pair",
        "no security group",
        "takes no servers",
        "no availability zone",
    ];
    assert_eq!(told.len(), sentences.len(), "{told:#?}");
    for (line, part) in told.iter().zip(sentences) {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn a_refused_login_is_not_tried_again() {
    let server = Scripted::new(vec![(LOGIN, like(&recorded!("auth-wrong-password")))]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let first = cloud.servers().unwrap_err();
    assert!(matches!(first, ProviderError::Auth(_)));
    assert_eq!(cloud.servers().unwrap_err(), first);
    server.finish();
}

#[test]
fn nothing_is_begun_when_the_pass_is_over() {
    let server = Scripted::new(Vec::new());
    let endpoint = endpoint_of(&server.url);
    let deadline = Deadline::after(Duration::ZERO);
    let mut cloud = OpenStack::with_pause(&endpoint, deadline, Box::new(|_| {})).unwrap();
    assert!(matches!(cloud.servers(), Err(ProviderError::Unavailable(text)) if text.contains("is over")));
    server.finish();
}
