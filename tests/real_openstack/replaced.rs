//! A busy node whose image is no longer the newest, and a server that is paid by the hour.

use super::asked::image;
use super::fakes::Task;
use super::patience::{NEXT_SECOND, pause, poll};
use super::site::{LOGIN, Site, text};

const NODE: &str = "
  linux:
    image_regex: e2e-replaced-image-\\d
    size: m1.tiny
    networks: [private]
    labels: [linux]
    provider: real
    refresh: {outdated: true}
";

const PAID: &str = "
  linux: {image_name: ubuntu-24.04, size: m1.tiny, networks: [private], labels: [linux], provider: real,
    billing_period: PERIOD}
";

/// Lets the agent of the one server of a site join, and Jenkins give it what waits; returns its name.
fn joined(site: &Site) -> String {
    let name = text(&site.active(), "name").to_owned();
    site.join(&name, &["linux"]);
    site.tick();
    name
}

fn mark(site: &Site, name: &str) -> Option<String> {
    site.world.with(|world| world.jenkins.mark_text(name))
}

#[test]
fn a_busy_node_of_an_older_image_ends_its_build_and_goes() {
    let site = Site::new("replaced", "ci");
    let older = image(&site, "e2e-replaced-image-1");
    site.configure(NODE, LOGIN);
    let build = |name: &str, seconds| site.world.submit(Task::freestyle(name).label("linux").seconds(seconds));
    build("long", 86_400);
    site.pass();
    let worker = joined(&site);
    assert_eq!(site.active()["image"]["id"], older.as_str());
    site.pass();
    assert_eq!(mark(&site, &worker), None);

    std::thread::sleep(NEXT_SECOND);
    let newest = image(&site, "e2e-replaced-image-0");
    // What a pass asks for a server tells it of the image, too; else it would look once an hour.
    build("next", 1);
    assert_eq!(site.pass().actions(), ["create done linux"]);
    let replacement = poll("another server is ACTIVE", || {
        let mut servers = site.servers().into_iter();
        servers.find(|server| server["name"] != worker.as_str() && server["status"] == "ACTIVE")
    });
    assert_eq!(replacement["image"]["id"], newest.as_str());
    site.pass();
    assert_eq!(mark(&site, &worker), None, "it alone serves what waits");
    site.join(text(&replacement, "name"), &["linux"]);
    let (said, _) = site.passes("the worker is drained", |_| mark(&site, &worker));
    assert_eq!(said, "mita: draining, refresh, new ones have another image");
    let is_there = |name: &str| site.servers().iter().any(|server| server["name"] == name);
    assert!(is_there(&worker), "its build is still going on");

    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.end_builds(&worker, clock);
    });
    site.passes("it goes once its build has ended", |_| {
        (!is_there(&worker)).then_some(())
    });
    site.until_empty();
    assert_eq!(site.world.with(|world| world.jenkins.killed()), 0);
}

#[test]
fn a_server_that_is_paid_by_the_hour_stays_though_it_is_idle() {
    let site = Site::new("paid", "ci");
    site.configure(&PAID.replace("PERIOD", "1h"), LOGIN);
    site.job("build", "linux");
    site.pass();
    let name = joined(&site);
    site.passes("the job has run", |_| {
        site.world.with(|world| world.jenkins.queue.is_empty()).then_some(())
    });
    // idle_grace is a second.
    for _ in 0..8 {
        pause();
        assert_eq!(site.pass().actions(), [""; 0]);
    }
    let launched = site.active()["OS-SRV-USG:launched_at"].clone();
    assert!(launched.is_string(), "{name} was launched: {launched}");

    site.configure(&PAID.replace("PERIOD", "2m"), LOGIN);
    assert!(
        site.until_empty().contains(&"delete_server done linux".to_owned()),
        "two minutes are always about to end"
    );
}
