//! Services that are away: nothing is concluded from that.

use std::fs;

use super::services::{ctl, restore};
use super::site::{LINUX, LOGIN, Site, text};

#[test]
fn an_outage_changes_nothing() {
    let site = Site::alone("outage", "ci");
    let stranger = site.cloud.foreign_server(&site.owner, "linux__0123456789ab", "private");
    let other = LINUX
        .replace("  linux:", "  other:")
        .replace("[linux, x86_64]", "[other]");
    let nodes = format!("{}{}", LINUX, other.trim_start_matches('\n'));
    site.configure(&nodes, LOGIN);
    site.job("build", "linux");
    site.pass();
    let server = site.active();
    site.join(text(&server, "name"), &["linux", "x86_64"]);
    site.pass();
    // From here on there is something to remove and something to create.
    site.job("more", "other");
    let state = fs::read(site.state_file()).unwrap();
    site.configure(&nodes, &format!("{LOGIN}, timeout: 1s"));

    for (what, service) in [
        ("kill", "nova-api"),
        ("pause", "nova-api"),
        ("kill", "keystone"),
        ("pause", "keystone"),
    ] {
        ctl(&[what, service]);
        site.world.forget_calls();
        let done = site.mita(&["run"]);
        assert_eq!(done.code, 4, "{what} {service}: {}{}", done.out, done.err);
        assert!(done.err.contains("real"), "it names the provider: {}", done.err);
        assert_eq!(site.mita(&["reap"]).code, 4, "{what} {service}");
        site.world.assert_no_writes();
        assert_eq!(
            fs::read(site.state_file()).unwrap(),
            state,
            "{what} {service}: nothing is written"
        );
        restore();
    }
    assert_eq!((site.servers().len(), site.agents()), (1, 1));

    site.configure(&nodes, LOGIN);
    let ((), mut seen) = site.passes("both are done once the cloud is back", |_| {
        let servers = site.servers();
        (servers.len() == 1 && text(&servers[0], "name").starts_with("other__")).then_some(())
    });
    seen.sort();
    assert_eq!(
        seen,
        [
            "create done other",
            "delete_node done linux",
            "delete_server done linux",
            "offline done linux"
        ]
    );
    assert!(
        site.cloud
            .server(&stranger)
            .is_some_and(|server| server["status"] == "ACTIVE")
    );
}
