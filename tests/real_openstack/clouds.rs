//! Several clouds in one pass: what one cannot do, another does; what one suffers, another does not feel.

use serde_json::json;

use super::cloud::Cloud;
use super::patience::poll;
use super::services::hold;
use super::site::{LOGIN, Site};

/// The project with room for two servers is preferred.
const BOTH: &str = "
  linux: {provider: [small, large], image_name: cirros, size: m1.tiny, labels: [linux]}
";

const SMALL: &str = "auth_url: http://127.0.0.1:5000/v3, username: ci, password: ci-pass, tenant_name: ci-small";

fn providers(large: &str) -> String {
    format!("small: {{type: openstack, {SMALL}}}\nlarge: {{type: openstack, {LOGIN}, tenant_name: ci{large}}}")
}

/// Templates name a network that each of the two projects has under its own name, so each has a template of its own.
const EACH: &str = "
  small: {provider: small, image_name: cirros, size: m1.tiny, networks: [small-net], labels: [linux, small]}
  large: {provider: large, image_name: cirros, size: m1.tiny, networks: [private], labels: [linux, large]}
";

#[test]
fn a_full_project_leaves_the_rest_to_the_other() {
    let site = Site::new("two", "ci-small");
    site.configure_with(EACH, &providers(""), "");
    for name in ["a", "b", "c"] {
        site.job(name, "linux");
    }
    let done = site.pass();
    let mut actions = done.actions();
    actions.sort();
    assert_eq!(
        actions,
        ["create done large", "create done small", "create done small"],
        "{}",
        done.out
    );
    let large = Cloud::of("ci");
    assert_eq!((site.servers().len(), large.servers_of(&site.owner).len()), (2, 1));
    large.clean(&site.owner);
}

#[test]
fn a_cloud_that_is_down_does_not_harm_the_other() {
    let site = Site::new("half", "ci-small");
    let dead = providers(", compute_url: \"http://127.0.0.1:1/v2.1\"");
    site.configure_with(EACH, &dead, "");
    site.job("a", "small");
    site.job("b", "large");
    let done = site.attempt();
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    assert_eq!(done.actions(), ["create done small"], "{}", done.out);
    assert!(done.err.contains("large"), "it is named: {}", done.err);
    assert!(done.unmet().contains("large"), "{}", done.unmet());
}

/// One network is seen in the project with little room, so none need be named; in the other there are several.
#[test]
fn a_template_with_two_clouds_goes_where_it_can() {
    let site = Site::new("either", "ci-small");
    site.configure_with(BOTH, &providers(""), "");
    site.job("a", "linux");
    let done = site.attempt();
    assert_eq!(done.actions(), ["create done linux"], "{}{}", done.out, done.err);
    assert_eq!(site.servers().len(), 1);
}

#[test]
fn a_slow_cloud_does_not_hold_up_the_other() {
    let site = Site::alone("slow", "ci-small");
    site.configure_with(EACH, &providers(", timeout: 2s"), "");
    site.job("a", "small");
    site.job("b", "large");
    // The first list of servers waits, which of the two projects that may be; the other is read meanwhile or after it.
    let request = hold("list", "nova", "GET", "/servers/detail$");
    let done = site.attempt();
    request.release();
    assert!(matches!(done.code, 0 | 1), "{}{}", done.out, done.err);
    assert!(!done.actions().is_empty(), "{}", done.out);
    poll("both have theirs", || {
        let done = site.attempt();
        let json = done.json();
        (json["unmet"] == json!([]) && json["actions"] == json!([])).then_some(())
    });
    let large = Cloud::of("ci");
    assert_eq!((site.servers().len(), large.servers_of(&site.owner).len()), (1, 1));
    large.clean(&site.owner);
}
