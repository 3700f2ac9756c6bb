//! A kept token whose catalog is out of date: one login in the same pass mends it.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;

use tempfile::TempDir;

use super::server::{Canned, Scripted, json, login};
use super::{client, endpoint_of, mark, offer, spec};
use crate::model::ResourceKind;
use crate::provider::openstack::endpoint::{OpenStackEndpoint, TokenCache};
use crate::provider::{CreateServer, Provider as _, ProviderError};

const LOGIN: &str = "POST /v3/auth/tokens";
const FIRST: &str = "GET /v2.1/servers/detail?limit=1000";
const OLD: &str = "GET /old/v2.1/servers/detail?limit=1000";
const PORTS: &str = "GET /v2.0/ports?fields=id&fields=name&fields=device_id&fields=device_owner&fields=description\
                     &fields=created_at&fields=project_id&fields=tenant_id\
                     &tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000";

/// Where tokens are kept.
struct Keep {
    folder: TempDir,
}

impl Keep {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn endpoint(&self, url: &str) -> OpenStackEndpoint {
        let (path, writes) = (self.path(), true);
        OpenStackEndpoint {
            token_cache: Some(TokenCache { path, writes }),
            ..endpoint_of(url)
        }
    }
}

/// A login whose catalog has a text replaced.
fn before(from: &str, to: &str) -> Canned {
    let canned = login();
    Canned {
        reply: canned.reply.edited(from.as_bytes(), to.as_bytes()),
        ..canned
    }
}

fn old() -> Canned {
    before(":8774/v2.1", ":8774/old/v2.1")
}

/// A login whose compute is at a port where nobody is.
fn nowhere() -> Canned {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    before("http://127.0.0.1:8774", &format!("http://{free}"))
}

fn nobody() -> Canned {
    json(200, r#"{"servers":[]}"#)
}

fn no_ports() -> Canned {
    json(200, r#"{"ports":[]}"#)
}

fn page(status: u16) -> Canned {
    Canned::new(status, &["Content-Type: text/html"], "<html>not here</html>")
}

fn create(endpoint: &OpenStackEndpoint) -> Result<(), ProviderError> {
    let mut cloud = client(endpoint).0;
    let made = cloud.create(&CreateServer {
        name: "linux__0123456789ab",
        spec: &spec("i", "s"),
        offer: &offer(),
        zone: None,
        metadata: &std::collections::BTreeMap::new(),
        mark: &mark(),
        user_data: None,
    });
    made.map(drop)
}

#[test]
fn an_endpoint_that_moved_is_found_by_one_login() {
    let moved = Canned::new(301, &["Location: http://elsewhere.invalid/"], "");
    for gone in [page(404), page(410), moved, page(503), page(400), Canned::hang_up()] {
        let keep = Keep::new();
        let what = gone.clone();
        let mut script = vec![(LOGIN, old()), (OLD, nobody()), (OLD, gone.clone())];
        script.extend([(LOGIN, login()), (FIRST, nobody()), (FIRST, nobody())]);
        let server = Scripted::new(script);
        for _ in 0..3 {
            let list = client(&keep.endpoint(&server.url)).0.servers();
            assert!(list.is_ok(), "{what:?}: {:?}", list.err());
        }
        // The third pass had the new catalog from the file.
        server.finish();
    }
}

#[test]
fn a_port_that_nobody_has_any_more_is_mended_too() {
    let keep = Keep::new();
    let server = Scripted::new(vec![(LOGIN, nowhere()), (LOGIN, login()), (FIRST, nobody())]);
    let endpoint = keep.endpoint(&server.url);
    let error = client(&endpoint).0.servers().unwrap_err();
    assert!(
        error.to_string().contains("cannot connect"),
        "a fresh catalog is believed: {error}"
    );
    client(&endpoint).0.servers().unwrap();
    server.finish();
}

#[test]
fn a_service_that_is_down_where_it_was_is_logged_in_to_once() {
    let keep = Keep::new();
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (FIRST, nobody()),
        (FIRST, page(503)),
        (LOGIN, login()),
        (FIRST, page(503)),
    ]);
    let endpoint = keep.endpoint(&server.url);
    client(&endpoint).0.servers().unwrap();
    let mut cloud = client(&endpoint).0;
    for _ in 0..2 {
        let error = cloud.servers().unwrap_err();
        assert!(error.to_string().contains("503"), "{error}");
    }
    server.finish();
}

#[test]
fn what_the_service_says_itself_is_no_reason() {
    let keep = Keep::new();
    let said = json(
        503,
        r#"{"computeFault":{"code":503,"message":"The service is unavailable"}}"#,
    );
    let server = Scripted::new(vec![(LOGIN, login()), (FIRST, nobody()), (FIRST, said)]);
    let endpoint = keep.endpoint(&server.url);
    client(&endpoint).0.servers().unwrap();
    client(&endpoint).0.servers().unwrap_err();
    server.finish();
}

#[test]
fn with_keystone_down_the_kept_token_goes_on() {
    let keep = Keep::new();
    let server = Scripted::new(vec![
        (LOGIN, before("\"network\"", "\"networks\"")),
        (FIRST, nobody()),
        (LOGIN, page(503)),
        (FIRST, nobody()),
    ]);
    let endpoint = keep.endpoint(&server.url);
    client(&endpoint).0.servers().unwrap();
    let mut cloud = client(&endpoint).0;
    assert_eq!(cloud.resources(&BTreeSet::from([ResourceKind::Port])).unwrap(), []);
    cloud.servers().unwrap();
    server.finish();
}

#[test]
fn a_service_that_was_missing_is_found_by_one_login() {
    let kinds = BTreeSet::from([ResourceKind::Port]);
    for (fresh, found) in [(login(), true), (before("\"network\"", "\"networks\""), false)] {
        let keep = Keep::new();
        let mut script = vec![(LOGIN, before("\"network\"", "\"networks\"")), (FIRST, nobody())];
        script.extend([(LOGIN, fresh), (FIRST, nobody())]);
        if found {
            script.insert(3, (PORTS, no_ports()));
        }
        let server = Scripted::new(script);
        let endpoint = keep.endpoint(&server.url);
        client(&endpoint).0.servers().unwrap();
        let mut cloud = client(&endpoint).0;
        assert_eq!(cloud.resources(&kinds).unwrap(), []);
        if !found {
            assert_eq!(cloud.resources(&kinds).unwrap(), [], "no further login");
        }
        cloud.servers().unwrap();
        server.finish();
    }
}

#[test]
fn a_post_is_repeated_only_where_it_was_not_handled_for_certain() {
    let made = || json(202, r#"{"server":{"id":"6b0e3f9c"}}"#);
    let post = |old: &'static str| format!("POST {old}/v2.1/servers");
    let (at_old, at_new) = (post("/old"), post(""));
    for (login_before, first, repeated) in [
        (old(), Some(page(404)), true),
        (old(), Some(page(410)), true),
        (nowhere(), None, true),
        (old(), Some(page(503)), false),
        (old(), Some(Canned::hang_up()), false),
        (old(), Some(made().half()), false),
    ] {
        let keep = Keep::new();
        let what = format!("{first:?}");
        let mut script = vec![(LOGIN, login_before), (PORTS, no_ports())];
        script.extend(first.map(|first| (at_old.as_str(), first)));
        if repeated {
            script.extend([(LOGIN, login()), (at_new.as_str(), made())]);
        }
        let server = Scripted::new(script);
        let endpoint = keep.endpoint(&server.url);
        let kept = client(&endpoint).0.resources(&BTreeSet::from([ResourceKind::Port]));
        assert_eq!(kept.unwrap(), []);
        let outcome = create(&endpoint);
        let unknown = matches!(outcome, Err(ProviderError::Unknown(_)));
        assert_eq!((outcome.is_ok(), unknown), (repeated, !repeated), "{what}: {outcome:?}");
        server.finish();
    }
}

#[test]
fn an_endpoint_of_the_configuration_needs_no_catalog() {
    let keep = Keep::new();
    let server = Scripted::new(vec![(LOGIN, old()), (FIRST, nobody()), (FIRST, page(503))]);
    let mut endpoint = keep.endpoint(&server.url);
    endpoint.endpoints.compute = Some(format!("{}/v2.1", server.url));
    client(&endpoint).0.servers().unwrap();
    client(&endpoint).0.servers().unwrap_err();
    server.finish();
}
