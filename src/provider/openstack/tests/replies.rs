//! What recorded replies mean.

use ureq::http::HeaderMap;

use super::{endpoint_of, recorded};
use crate::http::Reply;
use crate::model::{Address, Mark, NodeId, Server, ServerStatus, TemplateName, Zone};
use crate::provider::ProviderError;
use crate::provider::openstack::catalog::{Endpoint, Service, bases};
use crate::provider::openstack::endpoint::{KeystoneAuth, NameOrId, OpenStackEndpoint};
use crate::provider::openstack::entry::ListEntry as _;
use crate::provider::openstack::error::Fault;
use crate::provider::openstack::odd::Oddities;
use crate::provider::openstack::pages::{Page, page};
use crate::provider::openstack::server::WireServer;
use crate::provider::openstack::{auth, network};
use crate::secret::Secret;

fn servers(reply: &Reply) -> Vec<Server> {
    let page: Page<WireServer> = page("servers", "servers", reply, &mut Oddities::default()).unwrap();
    page.entries.into_iter().map(WireServer::into_server).collect()
}

/// A reply with a JSON body.
fn said(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// The server of a `GET /servers/ID`, which has the form of an entry of the list.
fn shown(reply: &Reply) -> Server {
    let mut body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let text = body["server"].take().to_string();
    serde_json::from_str::<WireServer>(&text).unwrap().into_server()
}

#[test]
fn a_list_of_servers_is_read() {
    let page = servers(&recorded!("page-detail-limit2"));
    assert_eq!(page.len(), 2);
    let expected = Server {
        id: "04bb7e0f-7420-43bd-b2a7-1c505b648de8".into(),
        name: "srv-01".to_owned(),
        status: ServerStatus::Active,
        task_state: None,
        created: "2026-11-22T09:55:18Z".parse().ok(),
        launched: "2026-11-22T09:55:19Z".parse().ok(),
        addresses: Vec::new(),
        volumes: Vec::new(),
        zone: Some(Zone::new("az1")),
        image: Some("b1ac72ae-6500-4b36-a105-0998670e021a".to_owned()),
        fault: None,
        mark: None,
    };
    assert_eq!(page[0], expected);
}

#[test]
fn states_and_addresses_are_read() {
    let failed = &servers(&recorded!("broken-in-list"))[0];
    assert_eq!((&failed.status, &failed.zone), (&ServerStatus::Error, &None));
    assert!(
        failed
            .fault
            .as_ref()
            .unwrap()
            .ends_with("aborted: FakeBuildAbortDriver")
    );
    assert_eq!(servers(&recorded!("novalidhost-list"))[0].fault, None);

    let building = shown(&recorded!("slow-show-spawning"));
    assert_eq!(
        (building.status, building.task_state.as_deref()),
        (ServerStatus::Build, Some("spawning"))
    );
    let going = shown(&recorded!("server-show-deleting"));
    assert_eq!(
        (going.status, going.task_state.as_deref()),
        (ServerStatus::Active, Some("deleting"))
    );

    let addresses = [("10.20.1.254", false), ("198.18.1.6", true)].map(|(ip, floating)| Address {
        ip: ip.parse().unwrap(),
        floating,
    });
    assert_eq!(shown(&recorded!("server-with-fip")).addresses, addresses);
    let dual = shown(&recorded!("server-dual-stack")).addresses;
    assert!(
        dual.iter().any(|at| at.ip.is_ipv4()) && dual.iter().any(|at| at.ip.is_ipv6()),
        "{dual:?}"
    );
}

/// Reads a list of servers; returns it and what was odd.
fn lenient(servers: &str) -> (Vec<WireServer>, Vec<String>) {
    let mut odd = Oddities::default();
    let reply = said(200, &format!(r#"{{"servers": {servers}, "servers_links": null}}"#));
    let page: Page<WireServer> = page("servers", "servers", &reply, &mut odd).unwrap();
    let usable = |one: &WireServer| {
        let usable = one.is_usable(&mut odd);
        one.is_attributable(&mut odd) && usable
    };
    let mut entries = page.entries;
    let mut usable = usable;
    entries.retain(|one| usable(one));
    (entries, odd.sentences())
}

/// One odd server beside a good one: what is left of it, and what is said.
fn check_odd(fields: &str, said: &[&str]) -> Option<Server> {
    let good = r#"{"id": "good", "name": "n", "created": "2026-11-22T09:55:18Z", "addresses": {}, "metadata": {}}"#;
    let (all, odd) = lenient(&format!("[{{{fields}}}, {good}]"));
    assert_eq!(odd, said, "{fields}");
    let mut all: Vec<Server> = all.into_iter().map(WireServer::into_server).collect();
    assert_eq!(all.pop().unwrap().id.as_str(), "good", "{fields}");
    all.pop()
}

#[test]
fn one_odd_field_spoils_neither_the_server_nor_the_list() {
    let named = |more: &str| format!(r#""id": "x", "name": "n", {more}"#);
    for (more, said) in [
        (
            r#""addresses": {"net": null}"#,
            "server x: addresses is not a list of addresses in one of its networks",
        ),
        (
            r#""addresses": {"net": ["10.0.0.1"]}"#,
            "server x: addresses is not a list of addresses in one of its networks",
        ),
        (
            r#""addresses": {"net": [{"addr": 7}]}"#,
            "server x: addresses is not made of addresses only",
        ),
        (r#""addresses": []"#, "server x: addresses is a list"),
        (r#""created": "yesterday""#, "server x: created is no time"),
        (r#""created": 1771900000"#, "server x: created is a number"),
        (
            r#""OS-SRV-USG:launched_at": 1771900000"#,
            "server x: launched_at is a number",
        ),
        (r#""status": {"now": "ACTIVE"}"#, "server x: status is an object"),
        (
            r#""OS-EXT-STS:task_state": true"#,
            "server x: task_state is true or false",
        ),
        (
            r#""os-extended-volumes:volumes_attached": {"id": "v"}"#,
            "server x: volumes_attached is an object",
        ),
        (
            r#""os-extended-volumes:volumes_attached": ["v"]"#,
            "server x: volumes_attached is a list of something else",
        ),
    ] {
        let server = check_odd(&named(more), &[said]).expect(more);
        assert_eq!((server.id.as_str(), server.name.as_str()), ("x", "n"));
        let times = (server.created, server.launched);
        assert_eq!((times, &server.mark), ((None, None), &None), "{more}");
        assert!(server.addresses.is_empty() && server.volumes.is_empty(), "{more}");
    }
    // What other clouds leave out or say otherwise is not odd.
    for more in [
        r#""metadata": null, "addresses": null, "created": null, "fault": null, "image": """#,
        r#""image": [], "fault": "none", "os-extended-volumes:volumes_attached": null"#,
        r#""status": "UNKNOWN", "tenant_id": "t", "links": [], "OS-SRV-USG:launched_at": null"#,
    ] {
        assert!(check_odd(&named(more), &[]).is_some(), "{more}");
    }
}

#[test]
fn a_server_of_which_nobody_can_tell_whose_it_is_is_left_out_and_said() {
    let (no_id, no_name) = (
        "server: one without a readable id is left out",
        "server x: it has no readable name",
    );
    for (fields, said) in [
        (r#""id": null, "name": "n""#, no_id),
        (r#""id": 5, "name": "n""#, no_id),
        (r#""name": "n""#, no_id),
        (r#""id": "x""#, no_name),
        (r#""id": "x", "name": ["n"]"#, no_name),
        (
            r#""id": "x", "name": "n", "metadata": []"#,
            "server x: metadata is a list",
        ),
        (
            r#""id": "x", "name": "n", "metadata": "none""#,
            "server x: metadata is a text",
        ),
        (
            r#""id": "x", "name": "n", "metadata": 5"#,
            "server x: metadata is a number",
        ),
    ] {
        assert_eq!(check_odd(fields, &[said]), None, "{fields}");
    }
    let (all, odd) = lenient(r#"[null, 5, "x", [], {"id": "good", "name": "n"}]"#);
    assert_eq!(all.len(), 1);
    assert_eq!(odd, ["list: servers is a list of something else"]);
}

#[test]
fn a_time_without_a_zone_is_utc() {
    for text in [
        "2026-11-22T09:55:18Z",
        "2026-11-22T09:55:18",
        "2026-11-22 09:55:18",
        "2026-11-22T10:55:18+01:00",
        "2026-11-22T08:55:18-01:00",
        "2026-11-22T09:55:18.000000",
    ] {
        let server = check_odd(&format!(r#""id": "x", "name": "n", "created": "{text}""#), &[]).unwrap();
        assert_eq!(server.created, "2026-11-22T09:55:18Z".parse().ok(), "{text}");
    }
}

#[test]
fn a_key_that_is_there_twice_counts_as_it_stands_last() {
    let (all, odd) = lenient(r#"[{"id": "x", "name": "a", "name": "b"}]"#);
    assert_eq!((all.len(), odd.len()), (1, 0));
    assert_eq!(all.into_iter().next().unwrap().into_server().name, "b");
}

#[test]
fn only_our_marks_are_kept_of_the_metadata() {
    let text = r#"{"id":"x","metadata":{"a":"b","mita-owner":"ci","n":{"deep":[1]},"mita-node":"t",
        "mita-id":"0123456789ab","mita-config":"c"}}"#;
    let mark = serde_json::from_str::<WireServer>(text).unwrap().into_server().mark;
    let expected = Mark {
        owner: "ci".to_owned(),
        template: Some(TemplateName::new("t")),
        id: NodeId::parse("0123456789ab"),
        config: Some("c".to_owned()),
    };
    assert_eq!(mark, Some(expected));
    let foreign = r#"{"id":"x","metadata":{"mita-node":"t"}}"#;
    assert_eq!(
        serde_json::from_str::<WireServer>(foreign).unwrap().into_server().mark,
        None
    );
}

#[test]
fn a_list_that_is_not_there_is_no_empty_list() {
    for body in [
        "{}",
        "[]",
        "",
        r#"{"servers":null}"#,
        r#"{"error":{"message":"x"}}"#,
        "<html>",
    ] {
        let mut reply = recorded!("page-after-last");
        reply.body = body.as_bytes().to_vec();
        let page = page::<WireServer>("servers", "servers", &reply, &mut Oddities::default());
        assert!(matches!(page, Err(ProviderError::BadAnswer(_))), "{body}: {page:?}");
    }
    assert!(servers(&recorded!("page-after-last")).is_empty());
}

#[test]
fn a_login_is_read() {
    let endpoint = endpoint_of("http://k:5000");
    let login = auth::read(&endpoint, &recorded!("auth-ok"), &mut Oddities::default()).unwrap();
    assert_eq!(login.token.reveal(), "gAAAA-scrubbed");
    assert_eq!(login.project.as_deref(), Some("100d1e084cb44933a18ec6c456f36496"));
    let url = |service| bases(&endpoint, &login.catalog, service, None).unwrap().remove(0);
    assert_eq!(url(Service::Compute), "http://127.0.0.1:8774/v2.1");
    assert_eq!(url(Service::Image), "http://127.0.0.1:9292/v2");
    assert_eq!(url(Service::Network), "http://127.0.0.1:9696/v2.0");
}

fn refused(endpoint: &OpenStackEndpoint, reply: &Reply, part: &str) {
    let error = auth::read(endpoint, reply, &mut Oddities::default()).unwrap_err();
    assert!(matches!(error, ProviderError::Auth(_)), "{error:?}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn a_login_that_failed_says_what_to_do() {
    let password = endpoint_of("http://k:5000");
    refused(
        &password,
        &recorded!("auth-wrong-password"),
        "wrong password, or no such user \"ci\"",
    );
    refused(
        &password,
        &recorded!("auth-wrong-password"),
        "request req-dbe43f2d-2947-4287-891f-60dad2325f1c",
    );
    refused(&password, &recorded!("auth-unscoped"), "set tenant_name");
    let mut receipt = recorded!("auth-wrong-password");
    receipt.headers.insert("openstack-auth-receipt", "x".parse().unwrap());
    refused(&password, &receipt, "requires MFA");

    let mut credential = password.clone();
    credential.auth = KeystoneAuth::V3ApplicationCredential {
        id: "i".to_owned(),
        secret: Secret::new("s"),
    };
    refused(
        &credential,
        &recorded!("auth-appcred-unknown-id"),
        "no such application credential",
    );
    let mut old = password.clone();
    old.auth = KeystoneAuth::V2Password {
        username: "u".to_owned(),
        password: Secret::new("p"),
        tenant: NameOrId::Name("t".to_owned()),
    };
    refused(&old, &recorded!("err-unknown-path"), "set auth_version 3.x_password");
}

#[test]
fn a_v2_login_is_read() {
    let mut endpoint = endpoint_of("http://k:5000");
    endpoint.auth = KeystoneAuth::V2Password {
        username: "u".to_owned(),
        password: Secret::new("p"),
        tenant: NameOrId::Name("t".to_owned()),
    };
    endpoint.region = Some("main".to_owned());
    let mut reply = recorded!("page-after-last");
    // After the API reference of OS-KSEC2 and libcloud's fixtures: no cloud at hand speaks v2.0 any more.
    reply.body = br#"{"access":{"token":{"id":"tok","expires":"2018-02-02T21:13:19.000000Z","tenant":{"id":"pid"}},
        "serviceCatalog":[{"type":"compute","name":"cloudServersOpenStack","endpoints":[
        {"region":"main","publicURL":"http://c/v2/pid","internalURL":"http://i/v2/pid"}]}],"user":{}}}"#
        .to_vec();
    let login = auth::read(&endpoint, &reply, &mut Oddities::default()).unwrap();
    assert_eq!((login.token.reveal(), login.project.as_deref()), ("tok", Some("pid")));
    let found = bases(&endpoint, &login.catalog, Service::Compute, Some("pid")).unwrap();
    assert_eq!(found, ["http://c/v2.1/pid", "http://c/v2/pid"]);
    reply.body = br#"{"access":{"token":"secret-token"}}"#.to_vec();
    let error = auth::read(&endpoint, &reply, &mut Oddities::default())
        .unwrap_err()
        .to_string();
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_catalog_url_becomes_a_base() {
    let check = |service, url: &str, expected: &[&str]| {
        let catalog = [endpoint(service, "public", "RegionOne", url)];
        let found = bases(&endpoint_of("http://k"), &catalog, service, Some("abc"));
        assert_eq!(found.unwrap(), expected, "{url}");
    };
    let (compute, image, network) = (Service::Compute, Service::Image, Service::Network);
    check(compute, "https://h/compute/v2.1/", &["https://h/compute/v2.1"]);
    let old = ["https://h:8774/v2.1/abc", "https://h:8774/v2/abc"];
    check(compute, "https://h:8774/v2/abc", &old);
    check(compute, "https://v2/v2.1/abc", &["https://v2/v2.1/abc"]);
    check(compute, "https://h/compute", &["https://h/compute/v2.1"]);
    check(compute, "https://h/compute/abc", &["https://h/compute/v2.1/abc"]);
    check(image, "https://image.example.net/", &["https://image.example.net/v2"]);
    check(image, "https://h/image/v2/", &["https://h/image/v2"]);
    check(image, "https://h/image/v2.9", &["https://h/image/v2"]);
    check(image, "https://h/v1", &["https://h/v2"]);
    check(image, "https://h/v2/abc", &["https://h/v2/abc", "https://h/v2"]);
    check(image, "https://h/v1/abc/", &["https://h/v2/abc", "https://h/v2"]);
    check(image, "https://h/abc", &["https://h/v2", "https://h/v2/abc"]);
    check(network, "https://h:9696", &["https://h:9696/v2.0"]);
    check(network, "https://h/network/v2.0", &["https://h/network/v2.0"]);
    check(network, "https://h/v2", &["https://h/v2.0"]);
    check(network, "https://h/v2/abc", &["https://h/v2/abc", "https://h/v2.0"]);
}

#[test]
fn an_endpoint_of_the_configuration_is_taken_as_other_clients_take_it() {
    let found = |service, url: &str| {
        let mut endpoint = endpoint_of("http://k");
        let endpoints = &mut endpoint.endpoints;
        for endpoint in [
            &mut endpoints.compute,
            &mut endpoints.image,
            &mut endpoints.network,
            &mut endpoints.volume,
        ] {
            *endpoint = Some(url.to_owned());
        }
        bases(&endpoint, &[], service, Some("abc")).unwrap()
    };
    let compute = |url: &str| found(Service::Compute, url);
    for project in ["%(project_id)s", "$(project_id)s", "%(tenant_id)s", "$(tenant_id)s"] {
        assert_eq!(compute(&format!("http://h/v2.1/{project}")), ["http://h/v2.1/abc"]);
    }
    assert_eq!(compute("http://h:8774/"), ["http://h:8774/v2.1", "http://h:8774"]);
    assert_eq!(
        compute("http://h/%(project_id)s"),
        ["http://h/v2.1/abc", "http://h/abc"]
    );
    // Whoever writes the old one means it.
    assert_eq!(compute("http://h/v2/%(project_id)s/"), ["http://h/v2/abc"]);
    assert_eq!(compute("http://h/v2.1"), ["http://h/v2.1"]);
    assert_eq!(found(Service::Volume, "http://h/v3/%(tenant_id)s"), ["http://h/v3/abc"]);
    assert_eq!(found(Service::Volume, "http://h/%(tenant_id)s"), ["http://h/v3/abc"]);
    assert_eq!(found(Service::Volume, "http://h"), ["http://h/v3/abc"]);
    let image = ["http://h/v2/abc", "http://h/v2"];
    assert_eq!(found(Service::Image, "http://h/v2/%(project_id)s"), image);
    assert_eq!(found(Service::Network, "http://h"), ["http://h/v2.0"]);
}

#[test]
fn block_storage_stands_under_several_types() {
    let found = |endpoints: &[(&str, &str)]| {
        let of = |(kind, url): &(&str, &str)| Endpoint {
            kind: (*kind).to_owned(),
            ..endpoint(Service::Volume, "public", "RegionOne", url)
        };
        let catalog: Vec<Endpoint> = endpoints.iter().map(of).collect();
        bases(&endpoint_of("http://k"), &catalog, Service::Volume, Some("p")).map(|mut bases| bases.remove(0))
    };
    let check = |endpoints: &[(&str, &str)], url: &str| assert_eq!(found(endpoints).as_deref(), Ok(url));
    check(&[("volumev3", "http://h/v3/abc/")], "http://h/v3/abc");
    check(&[("volumev3", "http://h:8776/v3")], "http://h:8776/v3/p");
    check(&[("volumev3", "http://h/volume")], "http://h/volume/v3/p");
    check(
        &[("block-storage", "http://b/v3/abc"), ("volumev3", "http://h/v3/abc")],
        "http://h/v3/abc",
    );
    check(
        &[("volumev2", "http://h/v2/abc"), ("volume", "http://h/v3/abc")],
        "http://h/v3/abc",
    );
    check(
        &[("volume", "http://h/v1/abc"), ("block-storage", "http://b")],
        "http://b/v3/p",
    );
    for old in ["http://h/v1/abc", "http://h/v2/abc", "http://h"] {
        let error = found(&[("volume", old)]).unwrap_err().to_string();
        assert!(error.contains("no volumev3 service"), "{error}");
    }
}

fn endpoint(service: Service, interface: &str, region: &str, url: &str) -> Endpoint {
    Endpoint {
        kind: service.kind().to_owned(),
        interface: interface.to_owned(),
        regions: [Some(region.to_owned()), None],
        url: url.to_owned(),
    }
}

#[test]
fn region_and_interface_choose_the_endpoint() {
    let catalog = [
        endpoint(Service::Compute, "public", "GRA5", "http://gra/v2.1"),
        endpoint(Service::Compute, "public", "BHS1", "http://bhs/v2.1"),
        endpoint(Service::Compute, "internal", "GRA5", "http://int/v2.1"),
        endpoint(Service::Image, "public", "GRA5", "http://img"),
    ];
    let mut endpoint = endpoint_of("http://k");
    let find = |endpoint: &OpenStackEndpoint, service| {
        bases(endpoint, &catalog, service, None)
            .map(|mut bases| bases.remove(0))
            .map_err(|error| error.to_string())
    };
    let text = find(&endpoint, Service::Compute).unwrap_err();
    assert!(text.contains("\"RegionOne\"") && text.contains("BHS1, GRA5"), "{text}");
    endpoint.region = Some("BHS1".to_owned());
    assert_eq!(find(&endpoint, Service::Compute).as_deref(), Ok("http://bhs/v2.1"));
    endpoint.region = Some("bhs1".to_owned());
    assert!(find(&endpoint, Service::Compute).is_err());
    endpoint.region = None;
    assert!(
        find(&endpoint, Service::Compute)
            .unwrap_err()
            .contains("several regions")
    );
    assert_eq!(find(&endpoint, Service::Image).as_deref(), Ok("http://img/v2"));
    endpoint.interface = "internal".to_owned();
    assert_eq!(find(&endpoint, Service::Compute).as_deref(), Ok("http://int/v2.1"));
    endpoint.interface = "admin".to_owned();
    assert!(
        find(&endpoint, Service::Compute)
            .unwrap_err()
            .contains("internal, public")
    );
    assert!(
        find(&endpoint, Service::Network)
            .unwrap_err()
            .contains("no network service")
    );
    endpoint.endpoints.compute = Some("http://own/v2/p/".to_owned());
    endpoint.endpoints.network = Some("http://own:9696".to_owned());
    assert_eq!(find(&endpoint, Service::Compute).as_deref(), Ok("http://own/v2/p"));
    assert_eq!(find(&endpoint, Service::Network).as_deref(), Ok("http://own:9696/v2.0"));
}

/// What a reply to POST /servers means: the kind of the error, and a part of its text.
fn meaning(reply: &Reply, kind: &str, part: &str) {
    let error = Fault::read(reply).of_create("create x");
    assert!(format!("{error:?}").starts_with(kind), "{error:?}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn a_refused_create_is_told_from_a_full_quota() {
    meaning(
        &recorded!("quota-instances"),
        "ServerQuota",
        "Quota exceeded for instances",
    );
    meaning(&recorded!("quota-ram"), "Quota", "already used");
    meaning(
        &recorded!("quota-many"),
        "ServerQuota",
        "request req-47f79c1c-b4db-4635-af64-c8d183b8fc0a",
    );
    meaning(&recorded!("quota-cinder-gigabytes"), "Quota", "quota");
    meaning(
        &recorded!("quota-floatingip-2"),
        "Quota",
        "OverQuota: Quota exceeded for resources: ['floatingip'].",
    );
    meaning(&recorded!("err-zero-disk-flavor"), "Refused", "Only volume-backed");
    meaning(
        &recorded!("err-metadata-too-many"),
        "Refused",
        "metadata items exceeds 128",
    );
    meaning(
        &recorded!("err-forbidden-admin-only"),
        "Refused",
        "Policy doesn't allow",
    );
    meaning(
        &recorded!("err-unknown-image"),
        "Refused",
        "Can not find requested image",
    );
    meaning(&recorded!("err-unknown-flavor"), "Refused", "could not be found");
    meaning(
        &recorded!("err-unknown-keypair"),
        "Refused",
        "Invalid key_name provided.",
    );
    meaning(&recorded!("err-unknown-network"), "Refused", "could not be found");
    meaning(&recorded!("err-unknown-az"), "Zone", "availability zone");
    meaning(&recorded!("err-unknown-secgroup"), "Refused", "security_group");
    meaning(
        &recorded!("err-networks-absent-ambiguous"),
        "Refused",
        "name one under `networks`",
    );
    meaning(
        &recorded!("err-body-too-big-413"),
        "Refused",
        "Larger than max_request_body_size (114688)",
    );
    meaning(
        &recorded!("err-unknown-path"),
        "Misrouted",
        "The resource could not be found.",
    );
    meaning(&recorded!("outage-neutron-create"), "Unknown", "Unexpected API Error");
    meaning(
        &recorded!("outage-keystone-new-token"),
        "Unknown",
        "Keystone service is temporarily unavailable",
    );
    let told = |status, body: &str| {
        let mut reply = recorded!("page-after-last");
        reply.status = status;
        reply.body = body.as_bytes().to_vec();
        reply
    };
    let over = r#"{"forbidden":{"code":403,"message":"Project p is over a limit for [Resource servers]"}}"#;
    meaning(&told(403, over), "Quota", "is over a limit for");
    let ports = r#"{"forbidden":{"message":"Maximum number of ports exceeded"}}"#;
    meaning(&told(403, ports), "Quota", "ports");
    let ovh = r#"{"error":{"status":"429 Too Many Requests","message":"Too Many Requests"}}"#;
    meaning(&told(429, ovh), "Throttled", "Too Many Requests (status 429");
    meaning(
        &told(413, r#"{"overLimit":{"code":413,"message":"slow down"}}"#),
        "Throttled",
        "slow down",
    );
    meaning(&told(302, ""), "Unavailable", "is the endpoint right?");
    meaning(&told(418, "\u{1b}[31mteapot"), "Refused", "\\u{1b}[31mteapot (status");
    for status in [500, 502, 503, 504] {
        meaning(
            &told(
                status,
                "<html><head><title>x</title></head><body><h1>Bad\nGateway</h1></body></html>",
            ),
            "Unknown",
            "x: Bad Gateway (",
        );
    }
}

#[test]
fn a_schema_error_shows_nothing_of_the_request() {
    let error = Fault::read(&recorded!("err-user-data-too-big"))
        .of_create("create x")
        .to_string();
    assert!(
        error.contains("Invalid input for field/attribute user_data. (status 400"),
        "{error}"
    );
    assert!(!error.contains("QUJD") && error.len() < 300, "{error}");
    let error = Fault::read(&recorded!("err-extra-property"))
        .of_create("create x")
        .to_string();
    assert!(!error.contains("banana"), "{error}");
    let mut reply = recorded!("err-bad-image-ref");
    reply.body = br#"{"badRequest":{"message":"'c2VjcmV0' is not good, nor is QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"}}"#.to_vec();
    let error = Fault::hiding(&reply, "c2VjcmV0").of_create("create x").to_string();
    assert!(error.contains("'***' is not good, nor is … ("), "{error}");
}

#[test]
fn an_outage_is_no_empty_list() {
    let what = |reply: &Reply| {
        let page = page::<WireServer>("servers", "servers", reply, &mut Oddities::default());
        page.map(|_| ()).unwrap_err()
    };
    assert!(matches!(
        what(&recorded!("outage-neutron-list")),
        ProviderError::Unavailable(_)
    ));
    assert!(matches!(
        what(&recorded!("outage-keystone-new-token")),
        ProviderError::Unavailable(_)
    ));
    assert!(matches!(what(&recorded!("expired-nova")), ProviderError::Auth(_)));
    assert!(matches!(what(&recorded!("expired-glance")), ProviderError::Auth(_)));
    assert!(matches!(
        what(&recorded!("err-forbidden-admin-only")),
        ProviderError::Auth(_)
    ));
    assert!(matches!(
        what(&recorded!("page-bad-marker")),
        ProviderError::BadAnswer(_)
    ));
}

#[test]
fn an_ambiguous_network_is_told_with_its_ids() {
    use crate::provider::openstack::wire::Network;
    let reply = recorded!("page-networks");
    let networks: Page<Network> = page("networks", "networks", &reply, &mut Oddities::default()).unwrap();
    let networks = networks.entries;
    let id = &networks[0].id;
    assert_eq!(network::resolve(&networks, "dual").as_ref(), Ok(id));
    assert_eq!(network::resolve(&[], id).as_ref(), Ok(id));
    let other = Network {
        id: "other-id".to_owned(),
        ..networks[0].clone()
    };
    let twice = network::resolve(&[networks[0].clone(), other], "dual").unwrap_err();
    assert!(twice.contains(id) && twice.contains("other-id"), "{twice}");
    assert!(
        network::resolve(&networks, "daul")
            .unwrap_err()
            .contains("nearest: \"dual\"")
    );
}

#[test]
fn a_wait_is_read_in_seconds_or_as_a_date() {
    let told = |after: &str| {
        let mut reply = recorded!("page-after-last");
        reply.headers.insert("retry-after", after.parse().unwrap());
        reply
            .headers
            .insert("date", "Sun, 22 Nov 2026 12:00:08 GMT".parse().unwrap());
        reply.retry_after()
    };
    assert_eq!(told("7"), Some(7));
    assert_eq!(told("Sun, 22 Nov 2026 12:00:20 GMT"), Some(12));
    assert_eq!(told("Sun, 22 Nov 2026 11:00:20 GMT"), Some(0));
    assert_eq!(told("soon"), None);
}
