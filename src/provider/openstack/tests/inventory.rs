//! What there is to choose from, for `mita init`: by recorded replies.

use super::server::{Scripted, json as say, like, login};
use super::{client, endpoint_of, read_recorded, recorded};
use crate::model::{FlavorChoice, ImageChoice};
use crate::provider::Provider as _;

const LOGIN: &str = "POST /v3/auth/tokens";
const IMAGES: &str = "GET /v2/images?status=active&limit=1000";
const FLAVORS: &str = "GET /v2.1/flavors/detail?limit=1000";
const NETWORKS: &str =
    "GET /v2.0/networks?fields=id&fields=name&fields=shared&fields=router:external&fields=project_id&limit=1000";
const KEY_PAIRS: &str = "GET /v2.1/os-keypairs";
/// The project of the recorded networks; that of the recorded login is another.
const PROJECT: &str = "b1a29fc9dd4d422e9e7646dfc91b90cf";

#[test]
fn images_flavors_networks_and_key_pairs_are_listed() {
    let login = like(&recorded!("auth-ok"));
    let mut project = login.clone();
    project.reply = project
        .reply
        .edited(b"100d1e084cb44933a18ec6c456f36496", PROJECT.as_bytes());
    let flavors = r#"{"flavors": [
        {"id": "5", "name": "b", "vcpus": 2, "ram": 8192, "disk": 0},
        {"id": "4", "name": "a", "vcpus": 2, "ram": 4096, "disk": 40},
        {"id": "6", "name": "off", "vcpus": 1, "ram": 1, "disk": 1, "OS-FLV-DISABLED:disabled": true},
        {"id": "7", "name": "odd", "vcpus": "many", "ram": 1, "disk": 1},
        {"id": "8", "name": "line\nbreak", "vcpus": 1, "ram": 1, "disk": 1}]}"#;
    let pairs = r#"{"keypairs": [{"keypair": {"name": "mine"}}, {"keypair": {"name": "anna"}}, {"keypair": 5}]}"#;
    let server = Scripted::new(vec![
        (LOGIN, project),
        (IMAGES, like(&recorded!("page-images-name-twin"))),
        (FLAVORS, say(200, flavors)),
        (NETWORKS, like(&recorded!("networks-seen"))),
        (KEY_PAIRS, say(200, pairs)),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let found = cloud.inventory().unwrap();
    server.finish();
    assert_eq!(found.region.as_deref(), Some("RegionOne"));
    let twin = ImageChoice {
        name: "twin".to_owned(),
        created: "2026-11-22".to_owned(),
        min_ram_mb: 0,
        min_disk_gb: 0,
        remark: None,
    };
    assert_eq!(found.images, [twin], "a name once");
    let flavor = |name: &str, ram_mb, disk_gb| FlavorChoice {
        name: name.to_owned(),
        vcpus: 2,
        ram_mb,
        disk_gb,
    };
    assert_eq!(found.flavors, [flavor("a", 4096, 40), flavor("b", 8192, 0)]);
    assert_eq!(
        found.networks,
        ["dual", "private"],
        "not the external one of another project"
    );
    assert_eq!(found.key_pairs, ["anna", "mine"]);
    assert_eq!(found.unread, [] as [&str; 0]);
}

#[test]
fn an_image_that_is_hardly_wanted_has_a_remark() {
    let images = r#"{"images": [
        {"id": "1", "name": "a", "status": "active", "image_type": "snapshot", "min_ram": 512, "min_disk": 20},
        {"id": "2", "name": "b", "status": "active", "disk_format": "iso"},
        {"id": "3", "name": "c", "status": "active", "architecture": "aarch64"},
        {"id": "4", "name": "d", "status": "active", "architecture": "x86_64", "image_type": null, "disk_format": "qcow2"}]}"#;
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (IMAGES, say(200, images)),
        (FLAVORS, say(503, "down")),
        (NETWORKS, say(503, "down")),
        (KEY_PAIRS, say(503, "down")),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let found = cloud.inventory().unwrap();
    server.finish();
    let remarks: Vec<_> = found.images.iter().map(|image| image.remark.as_deref()).collect();
    assert_eq!(
        remarks,
        [Some("a snapshot"), Some("an ISO image"), Some("aarch64"), None]
    );
    assert_eq!((found.images[0].min_ram_mb, found.images[0].min_disk_gb), (512, 20));
}

#[test]
fn a_list_that_cannot_be_read_does_not_hide_the_others() {
    let down = || say(503, "down");
    let server = Scripted::new(vec![
        (LOGIN, login()),
        (IMAGES, down()),
        (FLAVORS, down()),
        (NETWORKS, down()),
        (KEY_PAIRS, say(200, r#"{"keypairs": [{"keypair": {"name": "mine"}}]}"#)),
    ]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    let found = cloud.inventory().unwrap();
    server.finish();
    assert_eq!((found.key_pairs.len(), found.unread.len()), (1, 3), "{found:?}");
}

#[test]
fn of_several_regions_none_is_asked_until_one_is_named() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/openstack/auth-ok.txt"
    ));
    // The catalog of two regions: compute is in both.
    let first = r#""region": "RegionOne"}"#;
    let nova = text.find("8774").unwrap();
    let at = nova + text[nova..].find(first).unwrap();
    let other = r#"{"id": "x", "interface": "public", "region": "Two", "region_id": "Two", "url": "http://127.0.0.1:8774/v2.1"}, "#;
    let begin = text[..at].rfind('{').unwrap();
    let text = format!("{}{other}{}", &text[..begin], &text[begin..]);
    let server = Scripted::new(vec![(LOGIN, like(&read_recorded(&text)))]);
    let mut endpoint = endpoint_of(&server.url);
    endpoint.region = None;
    let (mut cloud, _) = client(&endpoint);
    let found = cloud.inventory().unwrap();
    server.finish();
    assert_eq!((found.region, found.images.len()), (None, 0));
    assert_eq!(found.regions, ["RegionOne", "Two"]);
}

#[test]
fn a_login_that_fails_is_an_error() {
    let server = Scripted::new(vec![(LOGIN, like(&recorded!("auth-wrong-password")))]);
    let (mut cloud, _) = client(&endpoint_of(&server.url));
    assert!(cloud.inventory().is_err());
    server.finish();
}
