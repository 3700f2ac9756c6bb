//! Against a real OpenStack with the projects, images, flavors and networks that the end-to-end test sets up:
//! `cargo test --lib real:: -- --ignored`.
//!
//! `OS_AUTH_URL` names it (default `http://127.0.0.1:5000`); user `ci`, password `ci-pass`, projects `ci` and
//! `ci-small`. Servers are named `osdev__…` and deleted at the end.

#![expect(clippy::disallowed_methods, reason = "reads the environment, waits for a real cloud")]
#![expect(
    clippy::print_stdout,
    reason = "what the cloud said is worth seeing with --nocapture"
)]

mod resources;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{endpoint_of, mark, spec};
use crate::http::Deadline;
use crate::model::{ImageRef, Offer, Offers, Server, ServerId, ServerSpec, ServerStatus, TemplateName, Zone};
use crate::provider::openstack::OpenStack;
use crate::provider::openstack::endpoint::{KeystoneAuth, NameOrId, OpenStackEndpoint};
use crate::provider::{CreateServer, Deleted, Provider as _, ProviderError};

fn cloud(project: &str) -> OpenStackEndpoint {
    let url = std::env::var("OS_AUTH_URL").unwrap_or_else(|_| "http://127.0.0.1:5000".to_owned());
    let mut endpoint = endpoint_of(url.trim_end_matches("/v3"));
    if let KeystoneAuth::V3Password { project: it, .. } = &mut endpoint.auth {
        *it = NameOrId::Name(project.to_owned());
    }
    endpoint
}

fn connect(endpoint: &OpenStackEndpoint) -> OpenStack {
    OpenStack::new(endpoint, Deadline::none()).unwrap()
}

fn small() -> ServerSpec {
    let mut spec = spec("cirros", "m1.tiny");
    spec.networks = vec!["private".to_owned()];
    spec
}

fn offers(cloud: &mut OpenStack, spec: &ServerSpec) -> Offers {
    cloud.offers(&[(&TemplateName::new("t"), spec)]).unwrap()
}

fn offer(cloud: &mut OpenStack, spec: &ServerSpec) -> Offer {
    offers(cloud, spec).templates.remove("t").unwrap().unwrap()
}

fn create(
    cloud: &mut OpenStack,
    name: &str,
    spec: &ServerSpec,
    offer: &Offer,
    zone: Option<&str>,
) -> Result<ServerId, ProviderError> {
    let metadata: BTreeMap<String, String> = [
        ("mita-owner", "osdev"),
        ("mita-node", "osdev"),
        ("mita-id", "0123456789ab"),
        ("other", "x"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    cloud.create(&CreateServer {
        mark: &mark(),
        name,
        spec,
        offer,
        zone: zone.map(Zone::new).as_ref(),
        metadata: &metadata,
        user_data: Some("#!/bin/sh\necho secret-script\n"),
    })
}

fn wait_for(cloud: &mut OpenStack, id: &ServerId, done: impl Fn(Option<&Server>) -> bool) -> Option<Server> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let list = cloud.servers().unwrap();
        let found = list.servers.into_iter().find(|s| s.id == *id);
        if done(found.as_ref()) || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn remove(cloud: &mut OpenStack, id: &ServerId) {
    assert_eq!(cloud.delete(id), Ok(Deleted::Accepted));
    let left = wait_for(cloud, id, |s| s.is_none_or(|s| s.status == ServerStatus::Deleted));
    assert!(left.is_none_or(|s| s.status == ServerStatus::Deleted));
    // The list lacks it a moment before it is gone.
    let end = Instant::now() + Duration::from_secs(60);
    while cloud.delete(id) != Ok(Deleted::AlreadyGone) {
        assert!(Instant::now() < end, "{id} is still there");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_bad_part_is_refused() {
    let mut cloud = connect(&cloud("ci"));
    let good = small();
    let offer = offer(&mut cloud, &good);
    let no = "00000000-0000-0000-0000-000000000000".to_owned();
    let mut outcome = |what: &str, spec: &ServerSpec, offer: &Offer, zone: Option<&str>| {
        let error = create(&mut cloud, "osdev__00000000000f", spec, offer, zone).unwrap_err();
        println!("{what}: {error}");
        assert!(error.to_string().contains("request req-"), "{error}");
        match zone {
            Some(_) => assert!(matches!(error, ProviderError::Zone(_)), "{error:?}"),
            None => assert!(matches!(error, ProviderError::Refused(_)), "{error:?}"),
        }
    };
    outcome(
        "image",
        &good,
        &Offer {
            image: no.clone(),
            ..offer.clone()
        },
        None,
    );
    outcome(
        "image name",
        &good,
        &Offer {
            image: "cirros".to_owned(),
            ..offer.clone()
        },
        None,
    );
    outcome(
        "flavor",
        &good,
        &Offer {
            flavor: "nope".to_owned(),
            ..offer.clone()
        },
        None,
    );
    outcome(
        "network",
        &good,
        &Offer {
            networks: vec![no],
            ..offer.clone()
        },
        None,
    );
    outcome(
        "no network",
        &good,
        &Offer {
            networks: Vec::new(),
            ..offer.clone()
        },
        None,
    );
    outcome("zone", &good, &offer, Some("az9"));
    let key = ServerSpec {
        key_pair: Some("nope".to_owned()),
        ..good.clone()
    };
    outcome("key pair", &key, &offer, None);
    let group = ServerSpec {
        security_groups: vec!["nope".to_owned()],
        ..good.clone()
    };
    outcome("security group", &group, &offer, None);
    let many = (0..200).map(|n| (format!("k{n}"), "v".to_owned())).collect();
    let error = cloud.create(&CreateServer {
        mark: &mark(),
        name: "osdev__x",
        spec: &good,
        offer: &offer,
        zone: None,
        metadata: &many,
        user_data: None,
    });
    println!("metadata: {}", error.as_ref().unwrap_err());
    assert!(matches!(error, Err(ProviderError::Refused(_))));
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn what_is_missing_is_told_with_what_is_near() {
    let mut cloud = connect(&cloud("ci"));
    let names = ["typo", "big", "twin", "uuid", "id"].map(TemplateName::new);
    let mut typo = spec("ubunto-24.04", "m1.tyni");
    typo.networks = vec!["privat".to_owned()];
    let big = spec("big-disk", "m1.tiny");
    let mut twin = spec("twin", "2");
    twin.networks = vec!["private".to_owned()];
    let mut uuid = small();
    uuid.image = ImageRef::Name("00000000-0000-0000-0000-000000000000".to_owned());
    let mut id = small();
    id.key_pair = Some("nope".to_owned());
    id.security_groups = vec!["defalt".to_owned()];
    let specs = [&typo, &big, &twin, &uuid, &id];
    let wanted: Vec<_> = names.iter().zip(specs).collect();
    let offers = cloud.offers(&wanted).unwrap();
    println!("{offers:#?}");
    assert!(
        offers.templates["typo"]
            .as_ref()
            .unwrap_err()
            .reason
            .contains("\"m1.tiny\"")
    );
    assert!(offers.templates["big"].as_ref().unwrap_err().reason.contains("30 GB"));
    assert!(offers.templates["twin"].is_ok(), "{:?}", offers.templates["twin"]);
    assert!(offers.templates["uuid"].is_ok(), "{:?}", offers.templates["uuid"]);
    let zones = [Zone::new("az1"), Zone::new("az-slwo")];
    let wanted: Vec<_> = names.iter().zip(specs).map(|(n, s)| (n, s, &zones[..])).collect();
    let told = cloud.check(&wanted).unwrap().missing;
    println!("{told:#?}\n{} requests", cloud.requests());
    for part in [
        "ubuntu-24.04",
        "privat",
        "\"default\"",
        "az-slow",
        "no key pair",
        "no usable image",
        "several networks",
    ] {
        assert!(told.iter().any(|line| line.contains(part)), "{part}");
    }
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn endpoints_of_the_configuration_are_taken_as_other_clients_take_them() {
    let plain = cloud("ci");
    let root = plain.auth_url.trim_end_matches(":5000");
    for (compute, network) in [
        (":8774/v2.1/%(project_id)s", ":9696/v2.0/%(project_id)s"),
        (":8774", ":9696/v2/$(tenant_id)s"),
        (":8774/v2.1", ":9696"),
    ] {
        let mut endpoint = plain.clone();
        endpoint.endpoints.compute = Some(format!("{root}{compute}"));
        endpoint.endpoints.network = Some(format!("{root}{network}"));
        let mut cloud = connect(&endpoint);
        let found = cloud.servers();
        assert!(found.is_ok(), "{compute}: {found:?}");
        let offer = offers(&mut cloud, &small()).templates.remove("t").unwrap();
        assert!(offer.is_ok_and(|offer| offer.networks.len() == 1), "{network}");
    }
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_full_quota_is_told_from_a_refusal() {
    let mut cloud = connect(&cloud("ci-small"));
    let mut spec = small();
    spec.networks = Vec::new();
    let before = offers(&mut cloud, &spec);
    println!("{before:?}");
    let tiny = before.templates["t"].clone().unwrap();
    let huge = self::spec("cirros", "m3.xlarge");
    let big = offer(&mut cloud, &huge);
    let error = create(&mut cloud, "osdev__000000000001", &huge, &big, None).unwrap_err();
    println!("{error}");
    assert!(matches!(error, ProviderError::Quota(_)));
    let mut made = Vec::new();
    let error = loop {
        match create(&mut cloud, "osdev__000000000002", &spec, &tiny, None) {
            Ok(id) => made.push(id),
            Err(error) => break error,
        }
    };
    println!("after {}: {error}", made.len());
    assert!(matches!(error, ProviderError::ServerQuota(_)));
    assert_eq!(offers(&mut cloud, &spec).room.instances, Some(0));
    for id in &made {
        remove(&mut cloud, id);
    }
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_refused_login_says_why() {
    let try_it = |endpoint: &OpenStackEndpoint| {
        let error = connect(endpoint).servers().unwrap_err();
        println!("{error}");
        error.to_string()
    };
    let mut wrong = cloud("ci");
    if let KeystoneAuth::V3Password { password, .. } = &mut wrong.auth {
        *password = crate::secret::Secret::new("wrong");
    }
    assert!(try_it(&wrong).contains("wrong password"));
    let mut lost = cloud("ci");
    lost.region = Some("regionone".to_owned());
    assert!(try_it(&lost).contains("RegionOne"));
    let mut credential = cloud("ci");
    credential.auth = KeystoneAuth::V3ApplicationCredential {
        id: "f".repeat(32),
        secret: crate::secret::Secret::new("x"),
    };
    assert!(try_it(&credential).contains("no such application credential"));
    let mut old = cloud("ci");
    old.auth = KeystoneAuth::V2Password {
        username: "ci".to_owned(),
        password: crate::secret::Secret::new("ci-pass"),
        tenant: NameOrId::Name("ci".to_owned()),
    };
    assert!(try_it(&old).contains("3.x_password"));
    let mut none = cloud("ci");
    none.auth_url = "http://127.0.0.1:1".to_owned();
    assert!(try_it(&none).contains("cannot connect"));
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn every_server_is_listed_while_others_build() {
    let mut cloud = connect(&cloud("ci"));
    let spec = small();
    let offer = offer(&mut cloud, &spec);
    let mut made = Vec::new();
    for n in 0..4 {
        made.push(create(&mut cloud, &format!("osdev__00000000001{n}"), &spec, &offer, None).unwrap());
        let before = cloud.requests();
        let list = cloud.servers().unwrap();
        let building = list.servers.iter().filter(|s| s.status == ServerStatus::Build).count();
        let pages = cloud.requests() - before;
        println!("{} servers, {building} building, {pages} pages", list.servers.len());
        assert!(made.iter().all(|id| list.servers.iter().any(|s| s.id == *id)));
    }
    for id in &made {
        assert_eq!(cloud.delete(id), Ok(Deleted::Accepted));
    }
    let last = made.last().unwrap();
    wait_for(&mut cloud, last, |s| s.is_none());
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end && cloud.servers().unwrap().servers.iter().any(|s| made.contains(&s.id)) {
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs the real OpenStack of tests/openstack/up"]
fn a_token_that_went_bad_is_replaced() {
    let mut cloud = connect(&cloud("ci"));
    cloud.servers().unwrap();
    cloud.session.spoil_token();
    let before = cloud.requests();
    cloud.servers().unwrap();
    println!("{} requests", cloud.requests() - before);
    cloud.session.spoil_token();
    offers(&mut cloud, &small());
    cloud.session.spoil_token();
    let error = cloud.servers().unwrap_err();
    println!("{error}");
    assert!(matches!(error, ProviderError::Auth(_)));
}
