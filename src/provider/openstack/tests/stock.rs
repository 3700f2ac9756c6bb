//! What becomes of what a template names: images by expression, networks that nobody named, ports, server groups; and
//! what `check` says of it.

use std::collections::BTreeMap;

use serde_json::json;

use super::resources::{FLOATING, VOLUMES};
use super::server::{Canned, Scripted, json as say, like, login};
use super::{client, endpoint_of, recorded, spec};
use crate::model::{ImageRef, Offer, PortOffer, PortSpec, ServerSpec, TemplateName};
use crate::provider::Provider as _;

const LOGIN: &str = "POST /v3/auth/tokens";
const IMAGES: &str = "GET /v2/images?status=active&limit=1000";
const NETWORKS: &str =
    "GET /v2.0/networks?fields=id&fields=name&fields=shared&fields=router:external&fields=project_id&limit=1000";
const FLAVORS: &str = "GET /v2.1/flavors/detail?limit=1000";
const GROUPS: &str =
    "GET /v2.0/security-groups?fields=id&fields=name&tenant_id=100d1e084cb44933a18ec6c456f36496&limit=1000";
/// The project of the recorded login.
const PROJECT: &str = "100d1e084cb44933a18ec6c456f36496";
const IMAGE: &str = "b1ac72ae-6500-4b36-a105-0998670e021a";
const NETWORK: &str = "890684fa-028b-4288-a21f-7743d103d5f3";

/// A spec whose image and network need no list.
fn bare() -> ServerSpec {
    let mut spec = spec(IMAGE, "m1.small");
    spec.networks = vec![NETWORK.to_owned()];
    spec
}

fn flavors() -> (&'static str, Canned) {
    let body = r#"{"flavors":[{"id":"2","name":"m1.small","vcpus":1,"ram":2048,"disk":20}]}"#;
    (FLAVORS, say(200, body))
}

/// What `check` reads first.
fn no_servers() -> (&'static str, Canned) {
    ("GET /v2.1/servers/detail?limit=1000", say(200, r#"{"servers":[]}"#))
}

fn limits() -> (&'static str, Canned) {
    ("GET /v2.1/limits", like(&recorded!("limits")))
}

/// Asks what one template gets; the login, the flavors and the limits are answered.
fn offered(script: Vec<(&str, Canned)>, spec: &ServerSpec) -> Result<Offer, String> {
    let ends = [flavors(), ("GET /v2.1/limits", like(&recorded!("limits")))];
    let script = [(LOGIN, login())].into_iter().chain(script).chain(ends);
    let server = Scripted::new(script.collect());
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let offers = cloud
        .offers(&[(&TemplateName::new("t"), spec)])
        .map_err(|error| error.to_string());
    server.finish();
    let mut offers = offers?;
    offers
        .templates
        .remove("t")
        .unwrap()
        .map_err(|unavailable| unavailable.reason)
}

#[test]
fn an_expression_takes_the_best_image_and_names_the_others() {
    let mut spec = bare();
    spec.image = ImageRef::Regex("ubuntu-.*".to_owned());
    let image = |id: &str, name: &str, owner: &str, created: &str| json!({"id": id, "name": name, "owner": owner, "status": "active", "created_at": format!("2026-{created}T00:00:00Z")});
    let page = |images: serde_json::Value, next: &str| say(200, &json!({"images": images, "next": next}).to_string());
    let first = json!([
        image("old", "ubuntu-1", "x", "01-01"),
        image("new", "ubuntu-2", "x", "03-01"),
        image("nameless", "", "x", "09-01"),
        image("other", "my-ubuntu-3", "x", "04-01"),
        image("e", "ubuntu-e", "x", "01-05"),
        image("f", "ubuntu-f", "x", "01-06"),
    ]);
    let second = json!([
        image("mine", "ubuntu-0", PROJECT, "02-01"),
        image("g", "ubuntu-g", "x", "01-07"),
        image("h", "ubuntu-h", "x", "01-08"),
    ]);
    let script = vec![
        (IMAGES, page(first, "/v2/images?m=1")),
        ("GET /v2/images?m=1", say(200, &json!({"images": second}).to_string())),
    ];
    let offer = offered(script, &spec).unwrap();
    assert_eq!(offer.image, "mine");
    assert_eq!(offer.older_images, ["new", "h", "g", "f", "e"], "five at most");
    spec.image = ImageRef::Regex("windows.*".to_owned());
    let two = json!([image("a", "ubuntu", "x", "01-01"), image("b", "window", "x", "01-01")]);
    let reason = offered(vec![(IMAGES, say(200, &json!({"images": two}).to_string()))], &spec).unwrap_err();
    assert_eq!(
        reason,
        r#"no image has a name that "windows.*" matches as a whole (nearest: "window", "ubuntu")"#
    );
}

#[test]
fn images_of_one_name_are_kept_for_the_way_back() {
    let mut spec = bare();
    spec.image = ImageRef::Name("twin".to_owned());
    let twins = (
        "GET /v2/images?status=active&limit=1000&name=in%3A%22twin%22",
        like(&recorded!("page-images-name-twin")),
    );
    let offer = offered(vec![twins], &spec).unwrap();
    assert_eq!(offer.image, "2a39935e-41be-4a1b-9efa-8a1ea772c6bc");
    assert_eq!(offer.older_images.len(), 1);
}

fn network(id: &str, project: &str, shared: bool, external: bool) -> serde_json::Value {
    json!({"id": id, "name": format!("name-{id}"), "project_id": project, "shared": shared, "router:external": external})
}

fn networks(all: &[serde_json::Value]) -> (&'static str, Canned) {
    (NETWORKS, say(200, &json!({"networks": all}).to_string()))
}

#[test]
fn the_network_is_chosen_as_nova_would() {
    let mut spec = bare();
    spec.networks.clear();
    let chosen = |all: &[serde_json::Value]| offered(vec![networks(all)], &spec).map(|offer| offer.networks);
    let (own, foreign) = (network("own", PROJECT, false, false), network("pool", "x", false, true));
    assert_eq!(chosen(&[own.clone(), foreign.clone()]), Ok(vec!["own".to_owned()]));
    assert_eq!(chosen(&[foreign]), Ok(Vec::new()));
    // OVH's Ext-Net: shared and external.
    let shared = network("ext", "x", true, true);
    assert_eq!(chosen(std::slice::from_ref(&shared)), Ok(vec!["ext".to_owned()]));
    let reason = "the project sees several networks (name-own, name-ext): name one under `networks`";
    assert_eq!(chosen(&[own.clone(), shared]), Err(reason.to_owned()));
    let mut twin = network("twin", PROJECT, false, false);
    twin["name"] = json!("name-own");
    let reason = "the project sees several networks (name-own (own), name-own (twin)): name one under `networks`";
    assert_eq!(chosen(&[own, twin]), Err(reason.to_owned()));
}

#[test]
fn what_others_left_without_a_name_hides_nothing() {
    let nameless = json!({"id": "n-2", "name": null, "project_id": null, "shared": null, "router:external": null});
    let mut spec = bare();
    spec.networks = vec!["name-mine".to_owned()];
    let all = [nameless, network("mine", PROJECT, false, false)];
    assert_eq!(offered(vec![networks(&all)], &spec).unwrap().networks, ["mine"]);
    let spec = with_ports(&["a"]);
    let ask = format!("GET /v2.0/ports?fields=id&fields=name&fields=device_id&tenant_id={PROJECT}&name=a&limit=1000");
    let ports =
        json!({"ports": [{"id": "1", "name": null, "device_id": null}, {"id": "2", "name": "a", "device_id": ""}]});
    let offer = offered(vec![(&*ask, say(200, &ports.to_string()))], &spec).unwrap();
    assert_eq!(offer.ports, [PortOffer::OneOf(vec!["2".to_owned()])]);
}

#[test]
fn a_cloud_that_shows_no_networks_chooses_by_itself() {
    let mut spec = bare();
    spec.networks.clear();
    let none = || (NETWORKS, like(&recorded!("err-unknown-path")));
    assert_eq!(offered(vec![none()], &spec).map(|offer| offer.networks), Ok(Vec::new()));
    (spec.storage, spec.volume_type) = (Some(1), Some("ssd".to_owned()));
    let reason = offered(vec![none()], &spec).unwrap_err();
    assert!(
        reason.contains("with volume_type the network must be known"),
        "{reason}"
    );
    assert!(offered(vec![networks(&[])], &spec).is_err());
    let one = [network("own", PROJECT, false, false)];
    assert_eq!(offered(vec![networks(&one)], &spec).unwrap().networks, ["own"]);
}

#[test]
fn a_dead_network_service_is_told_before_the_request() {
    let mut spec = bare();
    spec.networks.clear();
    let dead = (NETWORKS, like(&recorded!("outage-keystone-new-token")));
    let reason = offered(vec![dead], &spec).unwrap_err();
    assert!(reason.starts_with("unavailable: networks: "), "{reason}");
}

#[test]
fn security_groups_are_read_to_their_last_page() {
    let mut spec = bare();
    spec.ports = vec![made(NETWORK, &["web"])];
    let next = "http://elsewhere/v2.0/security-groups?limit=1&marker=1";
    let first = json!({"security_groups": [{"id": "1", "name": "ssh"}],
        "security_groups_links": [{"rel": "next", "href": next}]});
    let second = json!({"security_groups": [{"id": "2", "name": "web"}], "security_groups_links": null});
    let rest = format!("{GROUPS}&marker=1");
    let script = vec![
        (GROUPS, say(200, &first.to_string())),
        (&*rest, say(200, &second.to_string())),
    ];
    let offer = offered(script, &spec).unwrap();
    let new = PortOffer::New {
        network: NETWORK.to_owned(),
        security_groups: vec!["2".to_owned()],
    };
    assert_eq!(offer.ports, [new]);
}

fn with_ports(ports: &[&str]) -> ServerSpec {
    let mut spec = bare();
    spec.ports = ports.iter().map(|&name| PortSpec::Existing(name.to_owned())).collect();
    spec
}

const PORT: &str = "fb45e9a9-40ba-4459-b752-7e0e77424e9c";

#[test]
fn the_free_ports_of_a_pool_are_offered() {
    let spec = with_ports(&["a", PORT, "b"]);
    let fields = format!("GET /v2.0/ports?fields=id&fields=name&fields=device_id&tenant_id={PROJECT}");
    let by_id = format!("{fields}&id={PORT}&limit=1000");
    let by_name = format!("{fields}&name=a&name=b&limit=1000");
    let port = |id: &str, name: &str, device: &str| json!({"id": id, "name": name, "device_id": device});
    let page = |ports: &[serde_json::Value]| say(200, &json!({"ports": ports}).to_string());
    let named = [
        port("1", "b", ""),
        port("2", "a", "server"),
        port("3", "a", ""),
        json!({"id": "4", "name": "a", "device_id": null}),
    ];
    let script = vec![(&*by_id, page(&[port(PORT, "a", "")])), (&*by_name, page(&named))];
    let offer = offered(script, &spec).unwrap();
    let free = [PORT, "3", "4", "1"].map(str::to_owned).to_vec();
    assert_eq!(offer.ports, [PortOffer::OneOf(free)]);
    // One that is not there is told with what there is.
    let spec = with_ports(&["a", "cc"]);
    let by_name = format!("{fields}&name=a&name=cc&limit=1000");
    let all = format!("{fields}&limit=1000");
    let script = vec![
        (&*by_name, page(&named)),
        (&*all, page(&[port("1", "c", ""), port("2", "a", "")])),
    ];
    assert_eq!(
        offered(script, &spec).unwrap_err(),
        r#"no port named "cc" (nearest: "c", "a")"#
    );
    // All in use is no fault of the configuration.
    let spec = with_ports(&["a"]);
    let by_name = format!("{fields}&name=a&limit=1000");
    let offer = offered(vec![(&*by_name, page(&named[1..2]))], &spec).unwrap();
    assert_eq!(offer.ports, [PortOffer::OneOf(Vec::new())]);
}

#[test]
fn a_recorded_port_is_free() {
    let spec = with_ports(&["linux__0123456789ab"]);
    let path = format!(
        "GET /v2.0/ports?fields=id&fields=name&fields=device_id&tenant_id={PROJECT}&name=linux__0123456789ab&limit=1000"
    );
    let offer = offered(vec![(&*path, like(&recorded!("ports-by-name")))], &spec).unwrap();
    assert_eq!(offer.ports, [PortOffer::OneOf(vec![PORT.to_owned()])]);
}

fn made(network: &str, groups: &[&str]) -> PortSpec {
    PortSpec::Made {
        network: network.to_owned(),
        security_groups: groups.iter().map(|&group| group.to_owned()).collect(),
        vnic_type: None,
        port_security: None,
    }
}

#[test]
fn ports_that_are_made_get_ids() {
    let mut spec = bare();
    spec.networks.clear();
    spec.security_groups = vec!["web".to_owned()];
    let mut open = made("name-a", &[]);
    if let PortSpec::Made { port_security, .. } = &mut open {
        *port_security = Some(false);
    }
    spec.ports = vec![made("name-a", &["ssh"]), made("name-a", &[]), open];
    let groups = || {
        (
            GROUPS,
            say(
                200,
                r#"{"security_groups":[{"id":"1","name":"ssh"},{"id":"2","name":"web"}]}"#,
            ),
        )
    };
    let seen = || networks(&[network("a", PROJECT, false, false), network("b", PROJECT, false, false)]);
    let offer = offered(vec![seen(), groups()], &spec).unwrap();
    let new = |groups: &[&str]| PortOffer::New {
        network: "a".to_owned(),
        security_groups: groups.iter().map(|&id| id.to_owned()).collect(),
    };
    assert_eq!(offer.ports, [new(&["1"]), new(&["2"]), new(&[])]);
    assert!(offer.networks.is_empty(), "with ports none is chosen");
    spec.ports = vec![made("name-x", &["shh"])];
    let reason = offered(vec![seen(), groups()], &spec).unwrap_err();
    assert_eq!(
        reason,
        r#"no security group named "shh" (nearest: "ssh", "web"); no network named "name-x" (nearest: "name-a", "name-b")"#
    );
}

#[test]
fn a_server_group_is_found_by_its_name() {
    let mut spec = bare();
    spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!("b-apart"))]);
    let groups = || ("GET /v2.1/os-server-groups", like(&recorded!("server-groups")));
    let offer = offered(vec![groups()], &spec).unwrap();
    assert_eq!(
        offer.server_group.as_deref(),
        Some("459bb2b1-e633-41e9-8163-3690ed084d09")
    );
    spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!("apart"))]);
    let reason = offered(vec![groups()], &spec).unwrap_err();
    assert!(
        reason.starts_with(r#"no server group named "apart" (nearest: "b-apart""#),
        "{reason}"
    );
    spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!(NETWORK))]);
    assert_eq!(
        offered(vec![], &spec).unwrap().server_group,
        None,
        "an id needs no look-up"
    );
}

#[test]
fn check_looks_up_volume_types_and_pools() {
    let mut spec = bare();
    (spec.storage, spec.volume_type) = (Some(1), Some("sdd".to_owned()));
    spec.floating_ip_pool = Some("privat".to_owned());
    let mut other = bare();
    other.floating_ip_pool = Some("private".to_owned());
    let mut good = bare();
    (good.storage, good.volume_type) = (Some(1), Some("ssd".to_owned()));
    good.floating_ip_pool = Some("public".to_owned());
    let server = Scripted::new(vec![
        (LOGIN, login()),
        no_servers(),
        limits(),
        flavors(),
        (
            &*format!("GET /v2/images/{IMAGE}"),
            say(200, &format!(r#"{{"id":"{IMAGE}","status":"active"}}"#)),
        ),
        (
            &*format!("GET /v2/images/{IMAGE}"),
            say(200, &format!(r#"{{"id":"{IMAGE}","status":"active"}}"#)),
        ),
        (
            &*format!("GET /v2/images/{IMAGE}"),
            say(200, &format!(r#"{{"id":"{IMAGE}","status":"active"}}"#)),
        ),
        // Of a network of another project this cloud does not tell whether it is external.
        (NETWORKS, like(&recorded!("networks-seen"))),
        (&*format!("GET /v3/{PROJECT}/types"), like(&recorded!("volume-types"))),
        (FLOATING, like(&recorded!("fip-list"))),
        (VOLUMES, say(403, "{}")),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let names = ["t", "u", "good"].map(TemplateName::new);
    let told = cloud.check(&[
        (&names[0], &spec, &[]),
        (&names[1], &other, &[]),
        (&names[2], &good, &[]),
    ]);
    server.finish();
    let told = told.unwrap();
    let parts = [
        "nodes.t: no network has the id",
        r#"nodes.t: no floating IP pool named "privat" (nearest: "public")"#,
        "nodes.u: no network has the id",
        r#"nodes.u: the network "private" is not external, so it has no floating IPs (nearest: "public")"#,
        "nodes.good: no network has the id",
        r#"nodes.t: no volume type named "sdd" (nearest: "hdd", "ssd""#,
        "volumes",
    ];
    for found in [
        "floating IP pool \"public\"",
        "volume type \"ssd\"",
        "floating IP",
        "size \"",
        "2 of 2 servers left",
    ] {
        assert!(told.found.iter().any(|line| line.contains(found)), "{found}: {told:#?}");
    }
    let told = told.missing;
    assert_eq!(told.len(), parts.len(), "{told:#?}");
    for (line, part) in told.iter().zip(parts) {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn check_looks_up_server_groups_that_are_given_by_their_ids() {
    let with = |group: &str| {
        let mut spec = bare();
        spec.scheduler_hints = BTreeMap::from([("group".to_owned(), json!(group))]);
        spec
    };
    let (wrong, good) = (with(NETWORK), with("459bb2b1-e633-41e9-8163-3690ed084d09"));
    let image = format!("GET /v2/images/{IMAGE}");
    let active = || (&*image, say(200, &json!({"id": IMAGE, "status": "active"}).to_string()));
    let server = Scripted::new(vec![
        (LOGIN, login()),
        no_servers(),
        limits(),
        flavors(),
        active(),
        active(),
        (
            NETWORKS,
            say(200, &json!({"networks": [{"id": NETWORK, "name": "n"}]}).to_string()),
        ),
        ("GET /v2.1/os-server-groups", like(&recorded!("server-groups"))),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let names = ["wrong", "good"].map(TemplateName::new);
    let told = cloud.check(&[(&names[0], &wrong, &[]), (&names[1], &good, &[])]);
    server.finish();
    let told = told.unwrap().missing;
    assert_eq!(told.len(), 1, "{told:#?}");
    let begins = format!("nodes.wrong: no server group named {NETWORK:?} (nearest: ");
    assert!(told[0].starts_with(&begins), "{told:#?}");
}
