//! The client against a server that replays what Jenkins 2.544 said, and what proxies say in its place.

use std::cell::Cell;
use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use crate::endpoint::{Compress, JenkinsCredential, JenkinsEndpoint, Transport};
use crate::fakes::http_server::{Canned, Scripted};
use crate::http::Deadline;
use crate::model::{NodeName, Stage, TaskLabel};
use crate::secret::Secret;

mod making;
mod odd;
mod races;
mod reading;
mod removing;

const JSON: &[&str] = &["Content-Type: application/json;charset=utf-8", "X-Jenkins: 2.544"];
const HTML: &str = "Content-Type: text/html;charset=utf-8";

const IDLE: &str = include_str!("../../tests/fixtures/jenkins/client-node-idle-2.544.json");
const BUSY: &str = include_str!("../../tests/fixtures/jenkins/client-node-busy-2.544.json");
const MARKED: &str = include_str!("../../tests/fixtures/jenkins/client-node-marked-2.544.json");
const MARKED_BUSY: &str = include_str!("../../tests/fixtures/jenkins/client-node-marked-busy-2.544.json");
const QUEUE: &str = include_str!("../../tests/fixtures/jenkins/client-queue-busy-2.544.json");
const COMPUTERS: &str = include_str!("../../tests/fixtures/jenkins/client-computers-marked-2.544.json");
const CRUMB: &str = include_str!("../../tests/fixtures/jenkins/client-crumb-2.544.json");
const NO_CRUMB: &str = include_str!("../../tests/fixtures/jenkins/client-403-crumb-2.544.html");

fn json(body: &str) -> Canned {
    Canned::new(200, JSON, body)
}

fn done(location: &str) -> Canned {
    Canned::new(302, &[&format!("Location: {location}")], "")
}

fn missing() -> Canned {
    Canned::new(404, &[HTML, "X-Jenkins: 2.544"], "<title>Not Found - Jenkins</title>")
}

fn no_crumb() -> Canned {
    Canned::new(403, &[HTML], NO_CRUMB)
}

fn forbidden(permission: &str) -> Canned {
    let required = format!("X-Required-Permission: {permission}");
    Canned::new(403, &[HTML, "X-You-Are-Authenticated-As: reader", &required], "")
}

fn endpoint_of(fake: &Scripted) -> JenkinsEndpoint {
    JenkinsEndpoint {
        url: fake.url("/jenkins"),
        user: "mita".to_owned(),
        credential: JenkinsCredential::Token(Secret::new("T0KEN")),
        transport: Transport {
            ca_file: None,
            ca_file_only: false,
            compress: Compress::Auto,
            verify: true,
            proxy: None,
            connect_timeout: SignedDuration::from_secs(5),
            timeout: SignedDuration::from_secs(5),
            max_body: 1 << 20,
        },
    }
}

fn client(fake: &Scripted) -> Client {
    Client::new(&endpoint_of(fake), Deadline::none()).unwrap()
}

fn password_client(fake: &Scripted) -> Client {
    let endpoint = JenkinsEndpoint {
        credential: JenkinsCredential::Password(Secret::new("PASS")),
        ..endpoint_of(fake)
    };
    Client::new(&endpoint, Deadline::none()).unwrap()
}

/// Makes the error of a view whose first request is answered so.
fn view_error(canned: Canned) -> JenkinsError {
    let fake = Scripted::start(vec![canned]);
    client(&fake).view().unwrap_err()
}

#[test]
fn every_status_is_an_error_of_its_own() {
    let anonymous = include_str!("../../tests/fixtures/jenkins/client-403-anonymous-2.544.html");
    let starting = include_str!("../../tests/fixtures/jenkins/client-503-starting-2.544.html");
    let check = |canned: Canned, expected: &str| {
        let text = view_error(canned).to_string();
        assert!(text.contains(expected), "{text:?} should hold {expected:?}");
        assert!(!text.contains("T0KEN"), "{text}");
    };
    check(
        Canned::new(401, &[HTML], "<title>x</title>"),
        "GET queue/api/json: jenkins.user or its token (or password) is wrong, or Jenkins is just starting, or a proxy",
    );
    check(forbidden("hudson.model.Hudson.Read"), "user reader lacks Overall/Read");
    check(
        Canned::new(403, &[HTML, "X-Jenkins: 2.544"], anonymous),
        "did not arrive",
    );
    check(
        Canned::new(403, &[HTML], "<title>WAF\r\n says no</title>"),
        "something: WAF says no",
    );
    check(missing(), "is the context path in jenkins.url right?");
    check(
        Canned::new(503, &[HTML], starting),
        "not ready: GET queue/api/json: Starting Jenkins",
    );
    check(Canned::new(500, &[HTML, "X-Error: boom"], "x"), "status 500: boom");
    check(Canned::new(502, &[], ""), "status 502: an empty page");
    check(
        Canned::new(200, &[HTML], "<html><title>Sign in</title>"),
        "not Jenkins (a proxy or a login page?): GET queue/api/json: Sign in",
    );
    check(
        Canned::new(200, &[HTML, "X-Jenkins: 2.544"], "<p>"),
        "text/html;charset=utf-8 instead of JSON",
    );
    check(
        Canned::new(302, &["Location: /jenkins/login?from=x"], ""),
        "leads to a login page",
    );
    check(
        Canned::new(302, &["Location: http://h/other"], ""),
        "redirected to http://h/other; is jenkins.url right?",
    );
    check(
        Canned::new(301, &["Location: https://ci.example.org/j/queue/api/json?tree=x"], ""),
        "use https://ci.example.org/j as jenkins.url",
    );
}

#[test]
fn a_reply_of_another_shape_is_an_error() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{\"items\":null}",
        "{\"items\":{}}",
        "{\"items\":[",
        "{\"items\":[{\"id\":1}]",
        "{\"items\":[]} x",
        "<html>",
    ] {
        let error = view_error(json(body));
        assert!(matches!(error, JenkinsError::BadAnswer { .. }), "{body}: {error}");
    }
    for body in ["{}", "{\"computer\":null}", "{\"computer\":[{\"displayName\":\"x\"}"] {
        let fake = Scripted::start(vec![json("{\"items\":[]}"), json(body)]);
        let error = client(&fake).view().unwrap_err();
        assert!(matches!(error, JenkinsError::BadAnswer { .. }), "{body}: {error}");
    }
}

#[test]
fn half_a_reply_and_a_drip_are_unreachable() {
    let half = view_error(Canned::new(200, JSON, QUEUE).half());
    assert!(matches!(half, JenkinsError::Unreachable { .. }), "{half}");
    let fake = Scripted::start(vec![Canned::new(200, JSON, QUEUE).dripping()]);
    let mut endpoint = endpoint_of(&fake);
    endpoint.transport.timeout = SignedDuration::from_millis(200);
    let drip = Client::new(&endpoint, Deadline::none()).unwrap().view().unwrap_err();
    assert!(matches!(drip, JenkinsError::Unreachable { .. }), "{drip}");
}

#[test]
fn a_view_takes_two_requests_on_one_connection() {
    let fake = Scripted::start(vec![json(QUEUE), json(COMPUTERS)]);
    let client = client(&fake);
    let view = client.view().unwrap();
    assert_eq!((view.queue.len(), view.computers.len()), (3, 6));
    assert_eq!(view.version.as_deref(), Some("2.544"));
    assert_eq!((view.language, client.requests()), (None, 2));
    drop(client);
    assert_eq!(fake.connections(), 1);
    let lines = fake.lines();
    assert!(
        lines[0].starts_with("GET /jenkins/queue/api/json?tree=items%5Bid%2C"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with("GET /jenkins/computer/api/json?tree=computer%5BdisplayName%2C"),
        "{}",
        lines[1]
    );
    for request in fake.requests() {
        let head = request.to_lowercase();
        assert!(
            !head.lines().next().unwrap_or("").contains(['[', ',', '{', '+']),
            "{head}"
        );
        for header in [
            "accept-language: en\r\n",
            "accept: application/json\r\n",
            "authorization: basic bwl0ytpumetftg==\r\n",
        ] {
            assert!(head.contains(header), "{head}");
        }
        assert!(!head.contains("cookie") && !head.contains("crumb"), "{head}");
    }
}

#[test]
fn a_locale_plugin_is_noticed() {
    let headers: Vec<&str> = JSON.iter().copied().chain(["X-Jenkins-Language: de"]).collect();
    let fake = Scripted::start(vec![Canned::new(200, &headers, QUEUE), json(COMPUTERS)]);
    assert_eq!(client(&fake).view().unwrap().language.as_deref(), Some("de"));
}

#[test]
fn quieting_down_is_read_or_an_error() {
    let quieting = include_str!("../../tests/fixtures/jenkins/client-root-quieting-2.544.json");
    let fake = Scripted::start(vec![json(quieting), json("{\"quietingDown\":false}"), json("{}")]);
    let client = client(&fake);
    assert!(client.quieting_down().unwrap());
    assert!(!client.quieting_down().unwrap());
    assert!(client.quieting_down().is_err());
    assert_eq!(fake.lines()[0], "GET /jenkins/api/json?tree=quietingDown%2Cmode");
}

#[test]
fn a_colon_in_the_user_is_refused() {
    let fake = Scripted::start(vec![]);
    let endpoint = JenkinsEndpoint {
        user: "a:b".to_owned(),
        ..endpoint_of(&fake)
    };
    assert!(Client::new(&endpoint, Deadline::none()).is_err());
}
