//! A site moves over: servers without our mark, as the original and people made them, beside foreign ones.

use serde_json::{Value, json};

use super::cloud::{FOREIGN, NOVA};
use super::patience::poll;
use super::site::{Done, LINUX, LOGIN, Site, text};

const OLD: &str = "linux__6f2d6c1e-0a57-4a9f-9c53-7d0b1f3a5c21";
const UNADOPTED: &str = "windows__6f2d6c1e-0a57-4a9f-9c53-7d0b1f3a5c22";
const BOX: &str = "box of the release team";

/// Asks for a server that no mita marked; returns its id.
fn unmarked(site: &Site, name: &str) -> String {
    // The mark by which the tests find it when they tidy up.
    let body = json!({"server": {"name": name, "flavorRef": "1", "imageRef": site.cloud.id("images", "cirros"),
        "networks": [{"uuid": site.cloud.id("networks", "private")}], "metadata": {FOREIGN: site.owner}}});
    let answer = site.cloud.must("POST", &format!("{NOVA}/servers"), Some(&body));
    text(&answer["server"], "id").to_owned()
}

/// Waits until a server is ACTIVE; returns its address.
fn up(site: &Site, id: &str) -> String {
    poll("a server is ACTIVE", || {
        let server = site.cloud.server(id)?;
        assert_ne!(server["status"], "ERROR", "{server:#}");
        let address = server["addresses"]["private"][0]["addr"].as_str()?;
        (server["status"] == "ACTIVE").then(|| address.to_owned())
    })
}

fn begin_build(site: &Site, node: &str) {
    site.world.with(|world| world.begin_build(node, 36_000));
}

fn end_builds(site: &Site, node: &str) {
    site.world.with(|world| {
        let clock = world.clock;
        world.jenkins.end_builds(node, clock);
    });
}

fn names(status: &Value) -> Vec<&str> {
    let rows = status["servers"].as_array().unwrap();
    rows.iter().map(|row| text(row, "name")).collect()
}

/// Passes until a server is gone.
fn until_gone(site: &Site, id: &str) -> Vec<String> {
    let gone = |_: &Done| site.cloud.server(id).is_none().then_some(());
    site.passes("the server is gone", gone).1
}

#[test]
fn servers_without_our_mark_are_taken_over_and_go_when_idle() {
    let site = Site::new("adoption", "ci");
    let windows = LINUX
        .replace("linux:", "windows:")
        .replace("[linux, x86_64]", "[windows]");
    let nodes = |adopt: &str| format!("{}    adopt: {adopt}\n{windows}", LINUX.trim_end_matches(' '));
    site.configure(&nodes("true"), LOGIN);
    let old = unmarked(&site, OLD);
    let booting = site.pass();
    assert_eq!(booting.json()["observed"]["servers"]["real"], 1, "{}", booting.out);
    // It boots, and serves what waits.
    site.job("build", "linux");
    let second = site.pass();
    assert_eq!((second.actions(), second.posts()), (Vec::new(), 0), "{}", second.out);

    let foreign = [
        unmarked(&site, UNADOPTED),
        unmarked(&site, "database"),
        site.cloud.foreign_server(&site.owner, "linux__0123456789ab", "private"),
    ];
    let hand_made = unmarked(&site, BOX);
    let at_box = format!("linux+{}", up(&site, &hand_made));
    let at_old = format!("linux+{}", up(&site, &old));
    for id in &foreign {
        up(&site, id);
    }
    site.join(&at_old, &["linux", "x86_64"]);
    poll("the job has run", || {
        site.tick();
        site.world
            .with(|world| world.jenkins.queue.is_empty() && world.jenkins.agent(&at_old).idle())
            .then_some(())
    });
    site.join(&at_box, &["linux", "x86_64"]);
    begin_build(&site, &at_box);
    begin_build(&site, &at_old);
    // What it knows without its state file is what it knew before.
    site.forget_state();
    assert!(site.pass().actions().is_empty());
    let status = site.status();
    assert_eq!(names(&status), [BOX, OLD]);
    for (row, node) in status["servers"].as_array().unwrap().iter().zip([&at_box, &at_old]) {
        assert_eq!(
            (row["jenkins_node"].as_str(), row["adopted"].as_bool()),
            (Some(node.as_str()), Some(true))
        );
        assert_eq!(
            (row["phase"].as_str(), row["outdated"].as_bool()),
            (Some("busy"), Some(false))
        );
    }
    let refused = site.mita(&["destroy", BOX, UNADOPTED, "database", "-o", "json"]);
    assert_eq!((refused.code, refused.actions()), (1, Vec::new()), "{}", refused.err);

    end_builds(&site, &at_old);
    // A DELETE is repeated while the server is listed.
    let mut seen = until_gone(&site, &old);
    seen.dedup();
    assert_eq!(
        seen,
        [
            "offline done linux",
            "delete_node done linux",
            "delete_server done linux"
        ]
    );
    // Its node lost, the hand-made one is known all the same; but not without the key.
    site.world.with(|world| drop(world.jenkins.agents.remove(&at_box)));
    site.configure(&nodes("false"), LOGIN);
    assert!(names(&site.status()).is_empty());
    site.configure(&nodes("true"), LOGIN);
    assert_eq!(names(&site.status()), [BOX]);
    let mut end = until_gone(&site, &hand_made);
    end.dedup();
    assert_eq!(end.len(), 1, "{end:?}");
    for id in foreign {
        assert_eq!(site.cloud.server(&id).expect("it is foreign")["status"], "ACTIVE");
    }
}
