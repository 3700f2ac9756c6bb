//! The way back from an image whose servers never join.

use super::asked::two_images;
use super::patience::poll;
use super::site::{LOGIN, Site, text};

const NODES: &str = "
  linux: {provider: real, image_regex: 'e2e-rolling-image-[01]', size: m1.tiny, networks: [private], labels: [linux]}
";

fn configure(site: &Site, timing: &str) {
    site.configure_with(
        NODES,
        &format!("real: {{type: openstack, {LOGIN}, tenant_name: ci}}"),
        timing,
    );
}

#[test]
fn an_image_whose_servers_never_join_is_left_for_the_one_before_it() {
    let site = Site::new("rolling", "ci");
    let (older, newest) = two_images(&site);
    configure(&site, ", boot_grace: 1s, backoff_first: 1s");
    site.job("build", "linux");
    let mut made: Vec<(String, String, String)> = Vec::new();
    while made.len() < 3 {
        let server = poll("another server", || {
            // The pass that goes back says so to cron, with a warning and exit 1.
            let done = site.attempt();
            assert!(done.code == 0 || done.err.contains("rolled back to"), "{}", done.err);
            let mut servers = site.servers().into_iter();
            servers.find(|server| made.iter().all(|(id, ..)| server["id"] != id.as_str()))
        });
        let id = text(&server, "id").to_owned();
        poll("it is ACTIVE", || {
            (site.cloud.server(&id)?["status"] == "ACTIVE").then_some(())
        });
        made.push((
            id,
            text(&server, "name").to_owned(),
            text(&server["image"], "id").to_owned(),
        ));
    }
    let images: Vec<&str> = made.iter().map(|(.., image)| image.as_str()).collect();
    assert_eq!(images, [&newest, &newest, &older], "twice, then the one before it");

    configure(&site, ", boot_grace: 15m, backoff_first: 1s");
    site.join(&made[2].1, &["linux"]);
    let status = site.status();
    let rollbacks = &status["templates"][0]["rollbacks"];
    assert_eq!(rollbacks[0]["image"], newest, "{status:#}");
    assert_eq!(rollbacks[0]["instead"], older, "{status:#}");
    site.passes("the job has run", |_| {
        site.world.with(|world| world.jenkins.queue.is_empty()).then_some(())
    });
    assert!(
        site.until_empty().contains(&"delete_server done linux".to_owned()),
        "idle, it goes as any other"
    );
}
