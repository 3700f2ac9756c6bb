//! Two kinds of provider in one pass.

use super::cloud::{TestCloud as _, Trouble};
use super::exec::Exec;
use super::site::Site;

/// A site with an OpenStack, and an executable for when that has no room.
fn both() -> (Site, Exec) {
    let site = Site::openstack();
    let exec = Exec::new(&site.world);
    let keys = format!("    {}\n", exec.provider().join("\n    "));
    site.change_config("nodes:\n", &format!("  farm:\n{keys}nodes:\n"));
    site.change_config("provider: cloud\n", "provider: [cloud, farm]\n    options: {rack: 7}\n");
    (site, exec)
}

#[test]
fn what_one_has_no_room_for_goes_to_the_other_in_the_same_pass() {
    let (mut site, exec) = both();
    site.cloud.trouble(Trouble::Quota);
    site.submit(300);
    assert_eq!(site.pass().actions(), ["create refused small", "create done small"]);
    assert_eq!((site.cloud.servers().len(), exec.servers().len()), (0, 1));
    let spec = exec.request(&exec.servers()[0].name)["server"]["spec"].clone();
    assert_eq!(spec["image_name"], "ubuntu-24.04", "{spec}");
    assert_eq!(spec["options"]["rack"], 7);
}

#[test]
fn one_that_cannot_be_read_does_not_harm_the_other() {
    let (site, mut exec) = both();
    exec.trouble(Trouble::ListGarbage);
    site.submit(300);
    let done = site.run();
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["create done small".to_owned()]),
        "{}",
        done.err
    );
    assert!(
        done.err.contains("provider farm") && done.err.contains("bad answer: list"),
        "{}",
        done.err
    );
    let (mut site, exec) = both();
    site.cloud.trouble(Trouble::ListDown);
    site.submit(300);
    let done = site.run();
    assert_eq!((done.code, exec.servers().len()), (1, 1), "{}", done.err);
}
