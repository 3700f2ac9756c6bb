//! A renewed image whose servers never join, from the first pass that takes it to the one that leaves it.

use super::fakes::{JoinsAs, Service};
use super::program::Done;
use super::site::{NODES, Site, job};

const NEW: &str = "99999999-0000-4000-8000-000000000001";

/// The images that servers were asked for with, in order.
fn asked(site: &Site) -> Vec<String> {
    let calls = site.world.calls();
    let posts = calls
        .iter()
        .filter(|call| call.service == Service::Nova && call.method == "POST" && call.path == "/servers");
    posts
        .map(|call| {
            let server = &call.json()["server"];
            let image = server["imageRef"].as_str().filter(|image| !image.is_empty());
            let device = &server["block_device_mapping_v2"][0];
            image.or(device["uuid"].as_str()).expect("an image").to_owned()
        })
        .collect()
}

fn joins(site: &Site, how: JoinsAs) {
    site.world
        .with(|world| world.kinds.get_mut("small").unwrap().joins_as = how);
}

fn run(site: &Site) -> Done {
    site.world.advance(60);
    site.mita(&["run", "-o", "json"])
}

fn a_renewed_image_is_left_again(more: &str) {
    let nodes = NODES.replace("    provider: openstack", &format!("    provider: openstack\n{more}"));
    let site = Site::with(&nodes, "timing: {boot_grace: 5m}");
    site.world.submit(job("first", "linux").seconds(30));
    site.minutes(4);
    let old = asked(&site).remove(0);
    // The image is renewed, and its servers boot and never join.
    site.world
        .with(|world| world.cloud("openstack").image(NEW, "ubuntu-24.04"));
    joins(&site, JoinsAs::Never);
    site.world.forget_calls();
    for at in 0..5 {
        site.world.submit(job(&format!("burst{at}"), "linux").seconds(3000));
    }
    let done = run(&site);
    assert_eq!(
        asked(&site),
        [NEW, NEW, NEW],
        "one is taken by the idle node, of the rest a canary: {}",
        done.out
    );
    let unmet = &done.json()["unmet"][0];
    assert!(unmet["reason"].as_str().unwrap().contains("canary: waiting"), "{unmet}");
    let mut decided = None;
    for _ in 0..8 {
        let done = run(&site);
        if done.err.contains("rolled back") {
            decided = Some(done);
            break;
        }
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let done = decided.expect("a rollback");
    assert_eq!(done.code, 1, "cron must hear of it once");
    let sentence =
        format!("image {NEW} of template \"small\" at openstack never joined in 3 servers, rolled back to {old}");
    assert!(
        done.json()["notes"].to_string().replace('\\', "").contains(&sentence),
        "{}",
        done.out
    );
    assert!(done.err.contains(NEW) && done.err.contains(&old), "{}", done.err);
    assert!(site.mita(&["run"]).err.contains("rolled back"), "where cron mails it");
    assert_eq!(
        asked(&site)[3..],
        [old.as_str(), &old, &old, &old],
        "in the same pass, and not a few at a time"
    );
    let status = site.mita(&["status", "-o", "json"]).json();
    let rollback = &status["templates"][0]["rollbacks"][0];
    assert_eq!(
        (rollback["image"].as_str(), rollback["instead"].as_str()),
        (Some(NEW), Some(old.as_str()))
    );
    joins(&site, JoinsAs::TemplateAndAddress);
    for _ in 0..5 {
        let done = run(&site);
        let said = site.mita(&["run"]);
        assert_eq!((done.code, said.err.as_str()), (0, ""), "said once");
        assert!(done.json()["notes"].to_string().contains("rolled back"), "{}", done.out);
    }
    assert!(site.pass().json()["unmet"].as_array().unwrap().is_empty());
    assert_eq!(asked(&site).len(), 7, "everybody is served");
}

#[test]
fn an_image_that_is_given_again_under_its_name() {
    a_renewed_image_is_left_again("");
}

#[test]
fn the_same_when_servers_boot_from_a_volume_and_show_no_image() {
    a_renewed_image_is_left_again("    boot_volume: 20\n");
}
