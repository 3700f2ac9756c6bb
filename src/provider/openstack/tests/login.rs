//! The ways in, what a refusal means, and the token that outlives a pass.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::server::{Canned, Scripted, json, like};
use super::{client, endpoint_of, recorded};
use crate::provider::openstack::auth::{self, Login};
use crate::provider::openstack::endpoint::{KeystoneAuth, NameOrId, OpenStackEndpoint, TokenCache};
use crate::provider::openstack::odd::Oddities;
use crate::provider::openstack::token_cache;
use crate::provider::{Provider as _, ProviderError};
use crate::secret::Secret;

const LOGIN: &str = "POST /v3/auth/tokens";
const FIRST: &str = "GET /v2.1/servers/detail?limit=1000";

fn name(text: &str) -> NameOrId {
    NameOrId::Name(text.to_owned())
}

/// The recorded login: by its own clock the token is good for an hour.
fn login() -> Canned {
    like(&recorded!("auth-ok"))
}

fn nobody() -> Canned {
    json(200, r#"{"servers":[]}"#)
}

fn with(auth: KeystoneAuth, url: &str) -> OpenStackEndpoint {
    OpenStackEndpoint {
        auth,
        ..endpoint_of(url)
    }
}

#[test]
fn a_named_credential_and_a_token_are_sent_as_keystone_wants_them() {
    let sent = |auth: KeystoneAuth| {
        let server = Scripted::new(vec![(LOGIN, login())]);
        let (mut cloud, _) = client(&with(auth, &server.url));
        cloud.session.ensure_login().unwrap();
        let bodies = server.finish();
        serde_json::from_str::<serde_json::Value>(&bodies[0]).unwrap()["auth"].take()
    };
    let named = sent(KeystoneAuth::V3NamedCredential {
        name: "mita".to_owned(),
        user: name("ci"),
        user_domain: name("Corp"),
        secret: Secret::new("s"),
    });
    let expected = serde_json::json!({"identity": {"methods": ["application_credential"], "application_credential":
        {"name": "mita", "secret": "s", "user": {"name": "ci", "domain": {"name": "Corp"}}}}});
    assert_eq!(named, expected);
    let token = sent(KeystoneAuth::V3Token {
        token: Secret::new("tok"),
        project: NameOrId::Id("p".to_owned()),
        project_domain: name("unused"),
    });
    let expected = serde_json::json!({"identity": {"methods": ["token"], "token": {"id": "tok"}},
        "scope": {"project": {"id": "p"}}});
    assert_eq!(token, expected);
}

#[test]
fn each_refusal_has_its_own_sentence() {
    let check = |auth: KeystoneAuth, reply: &crate::http::Reply, part: &str| {
        let error = auth::read(&with(auth, "http://k:5000"), reply, &mut Oddities::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    };
    let password = || endpoint_of("").auth;
    let token = KeystoneAuth::V3Token {
        token: Secret::new("tok"),
        project: name("p"),
        project_domain: name("d"),
    };
    let named = KeystoneAuth::V3NamedCredential {
        name: "mita".to_owned(),
        user: name("ci"),
        user_domain: name("Corp"),
        secret: Secret::new("s"),
    };
    let wrong = recorded!("auth-wrong-password");
    let gone = "the token is refused: it has expired or was revoked";
    check(token.clone(), &wrong, gone);
    check(token, &recorded!("auth-token-revoked"), gone);
    check(named.clone(), &wrong, "wrong name, user or secret, or expired");
    check(
        named,
        &recorded!("auth-appcred-unknown-id"),
        "no such application credential",
    );
    // An address that is not Keystone's: a list of versions, and somebody's page.
    let mut versions = recorded!("auth-unscoped");
    versions.status = 300;
    check(password(), &versions, "no Keystone v3 at http://k:5000");
    let mut page = recorded!("auth-unscoped");
    page.body = b"<html><body>Welcome</body></html>".to_vec();
    check(
        password(),
        &page,
        "the answer is not Keystone's (line 1, column 1); is auth_url right?",
    );
    check(
        password(),
        &recorded!("err-unknown-path"),
        "auth_url is the base, as http://host:5000",
    );
    let down = recorded!("outage-keystone-new-token");
    let error = auth::read(&endpoint_of("http://k:5000"), &down, &mut Oddities::default()).unwrap_err();
    assert!(
        matches!(&error, ProviderError::Unavailable(text) if text.contains("login at http://k:5000: ")
            && text.contains("Keystone service is temporarily unavailable") && text.contains("status 503")),
        "{error}"
    );
}

#[test]
fn a_fresh_token_that_is_over_already_is_a_matter_of_clocks() {
    let late = || {
        let mut reply = recorded!("expired-nova");
        let date = "Sun, 22 Nov 2026 10:52:50 GMT".parse().unwrap();
        reply.headers.insert("date", date);
        like(&reply)
    };
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (FIRST, late()),
        (LOGIN, login()),
        (FIRST, late()),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let error = cloud.servers().unwrap_err();
    assert!(
        matches!(&error, ProviderError::Auth(text) if text.contains("clocks of the cloud's machines differ")),
        "{error}"
    );
    server.finish();
}

fn keeping(url: &str, path: &Path, writes: bool) -> OpenStackEndpoint {
    let path = path.to_owned();
    OpenStackEndpoint {
        token_cache: Some(TokenCache { path, writes }),
        ..endpoint_of(url)
    }
}

/// One pass with a client of its own.
fn pass(endpoint: &OpenStackEndpoint) {
    client(endpoint).0.servers().unwrap();
}

#[test]
fn a_kept_token_spares_the_login_of_the_next_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    // A dry run without one writes none; the next pass does; then both are spared the login.
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (FIRST, nobody()),
        (LOGIN, login()),
        (FIRST, nobody()),
        (FIRST, nobody()),
        (FIRST, nobody()),
    ]);
    pass(&keeping(&server.url, &path, false));
    assert!(!path.exists());
    pass(&keeping(&server.url, &path, true));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        !kept.contains("gAAAA") && !kept.contains("ci-pass") && !kept.contains("compute"),
        "{kept}"
    );
    pass(&keeping(&server.url, &path, true));
    pass(&keeping(&server.url, &path, false));
    assert_eq!(fs::read_to_string(&path).unwrap(), kept);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    server.finish();
}

#[test]
fn a_kept_token_that_is_refused_makes_room_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let refused = || like(&recorded!("expired-nova"));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (FIRST, nobody()),
        (FIRST, refused()),
        (LOGIN, login()),
        (FIRST, nobody()),
        (FIRST, refused()),
        (LOGIN, login()),
        (FIRST, nobody()),
    ]);
    pass(&keeping(&server.url, &path, true));
    let first = fs::read(&path).unwrap();
    pass(&keeping(&server.url, &path, false));
    assert_eq!(fs::read(&path).unwrap(), first, "a dry run writes nothing");
    pass(&keeping(&server.url, &path, true));
    assert_ne!(fs::read(&path).unwrap(), first);
    server.finish();
}

#[test]
fn whatever_is_wrong_with_the_file_a_login_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let spoil = |how: &dyn Fn()| {
        let server = Scripted::new(vec![
            (LOGIN, login()),
            (FIRST, nobody()),
            (LOGIN, login()),
            (FIRST, nobody()),
        ]);
        let endpoint = keeping(&server.url, &path, true);
        let _ = fs::remove_file(&path);
        pass(&endpoint);
        how();
        pass(&endpoint);
        server.finish();
    };
    spoil(&|| fs::write(&path, "{").unwrap());
    spoil(&|| fs::write(&path, [0xff; 100]).unwrap());
    spoil(&|| {
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"version\":1", "\"version\":2")).unwrap();
    });
    spoil(&|| {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
        fs::write(&path, bytes).unwrap();
    });
    spoil(&|| fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap());
    spoil(&|| fs::remove_file(&path).unwrap());
    // Where it cannot be written the pass goes on.
    let server = Scripted::new(vec![(LOGIN, login()), (FIRST, nobody())]);
    pass(&keeping(&server.url, Path::new("/proc/none/token"), true));
    server.finish();
}

#[test]
fn a_kept_token_is_for_one_login_only_and_ends_early() {
    let endpoint = endpoint_of("http://k:5000");
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let seconds = SignedDuration::from_secs;
    let login = |expires: Option<Timestamp>, at: Option<Timestamp>| Login {
        token: Secret::new("tok"),
        project: Some("p".to_owned()),
        catalog: Vec::new(),
        expires,
        at,
    };
    let hour = Some(now + seconds(3600));
    let kept = token_cache::seal(&endpoint, &login(hour, None), now).unwrap();
    let opens = |endpoint: &OpenStackEndpoint, at: Timestamp| token_cache::open(&kept, endpoint, at);
    assert_eq!(opens(&endpoint, now).unwrap().token.reveal(), "tok");
    assert!(opens(&endpoint, now + seconds(3479)).is_ok());
    assert!(
        opens(&endpoint, now + seconds(3480))
            .unwrap_err()
            .contains("it ends at")
    );

    let changed = |change: &dyn Fn(&mut OpenStackEndpoint)| {
        let mut other = endpoint.clone();
        change(&mut other);
        let error = opens(&other, now).unwrap_err();
        assert!(error.contains("another login"), "{error}");
    };
    changed(&|endpoint| endpoint.auth_url.push('x'));
    changed(&|endpoint| {
        if let KeystoneAuth::V3Password { password, .. } = &mut endpoint.auth {
            *password = Secret::new("ci-pasS");
        }
    });
    changed(&|endpoint| {
        if let KeystoneAuth::V3Password { user, .. } = &mut endpoint.auth {
            *user = name("other");
        }
    });
    changed(&|endpoint| {
        if let KeystoneAuth::V3Password { project_domain, .. } = &mut endpoint.auth {
            *project_domain = name("default");
        }
    });
    // A region is no part of a login.
    let mut other = endpoint.clone();
    other.region = None;
    assert!(opens(&other, now).is_ok());

    // The cloud's clock is ten minutes ahead of ours: what looks good for eleven minutes is good for one.
    let ahead = login(Some(now + seconds(660)), Some(now + seconds(600)));
    let kept = token_cache::seal(&endpoint, &ahead, now).unwrap();
    assert!(token_cache::open(&kept, &endpoint, now).is_err());
    assert!(
        token_cache::seal(&endpoint, &login(None, None), now).is_err(),
        "without an end it is not kept"
    );
}
