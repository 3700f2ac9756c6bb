//! What a cloud is there for: servers come when there is work, and go when there is none.

use super::cloud::Trouble;
use super::site::Site;

pub fn a_server_is_made_joins_and_goes_when_idle(site: &mut Site) {
    site.submit(300);
    assert_eq!(site.pass().actions(), ["create done small"]);
    site.advance(30);
    assert!(site.pass().actions().is_empty(), "a booting server is supply");
    assert!(site.minutes(10).is_empty());
    site.world
        .with(|world| assert_eq!(world.jenkins.builds.len(), 1, "the job ran"));
    assert_eq!(site.names(), ["small"], "idle for less than idle_grace");
    let done = site.minutes(50);
    assert_eq!(
        done,
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    assert!(site.cloud.servers().is_empty());
    assert_eq!(site.cloud.asked()[..2], [1, 1]);
}

pub fn a_server_is_listed_with_its_marks_and_told_its_user_data(site: &mut Site) {
    site.submit(300);
    site.pass();
    let server = &site.cloud.servers()[0];
    let name = &server.name;
    let marks = ["mita-owner", "mita-node", "mita-id"].map(|key| server.metadata[key].as_str());
    assert_eq!(marks, ["tester", "small", name.rsplit_once("__").unwrap().1]);
    assert!(!server.metadata["mita-config"].is_empty());
    assert_eq!(
        server.user_data.as_deref(),
        Some(&*format!("#!/bin/sh\necho \"{name}\"\n"))
    );
    site.minutes(5);
    let status = site.mita(&["status", "-o", "json"]).json();
    let row = &status["servers"][0];
    assert_eq!(
        (row["name"].as_str(), row["provider"].as_str()),
        (Some(name.as_str()), Some("cloud"))
    );
    assert_eq!(row["jenkins_node"], name.as_str());
    assert_eq!(row["outdated"], false);
    assert!(
        row["age_seconds"].as_i64().unwrap() >= 300,
        "by the cloud's clock: {row}"
    );
}

pub fn a_pass_without_work_asks_for_the_list_alone(site: &mut Site) {
    site.cloud.add("web", &[]);
    let done = site.pass();
    assert!(done.actions().is_empty());
    assert_eq!(site.cloud.asked(), [0, 0, 1]);
    assert!(
        done.json()["observed"]["requests"]["cloud"].as_u64().unwrap() <= 2,
        "{}",
        done.out
    );
}

fn refused(site: &mut Site, trouble: Trouble, reason: &str) {
    site.cloud.trouble(trouble);
    site.submit(300);
    let done = site.pass();
    assert_eq!(done.actions(), ["create refused small"]);
    assert!(done.unmet().contains(reason), "{}", done.out);
    site.advance(30);
    let done = site.pass();
    assert!(done.actions().is_empty(), "held back: {}", done.out);
    assert_eq!(site.cloud.asked()[0], 1);
    site.cloud.calm();
    site.minutes(5);
    assert_eq!(site.names(), ["small"], "tried again");
}

pub fn a_quota_is_a_refusal_and_no_failure(site: &mut Site) {
    refused(site, Trouble::Quota, "Quota exceeded for instances");
}

pub fn no_capacity_is_a_refusal_and_no_failure(site: &mut Site) {
    refused(site, Trouble::Capacity, "No valid host was found");
}

pub fn a_bad_request_holds_the_template_back(site: &mut Site) {
    site.cloud.trouble(Trouble::Refused);
    site.submit(300);
    let done = site.run();
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["create failed small".to_owned()]),
        "{}",
        done.out
    );
    assert!(done.err.contains("Invalid image"), "{}", done.err);
    site.advance(30);
    site.run();
    assert_eq!(site.cloud.asked()[0], 1, "held back");
    assert!(site.cloud.servers().is_empty());
}

pub fn an_error_of_a_server_is_seen_with_its_reason(site: &mut Site) {
    site.submit(300);
    site.pass();
    site.cloud.fail_servers("the disk\u{7} is full");
    site.advance(30);
    let done = site.run();
    assert!(
        done.actions().contains(&"delete_server done small".to_owned()),
        "{}",
        done.out
    );
    assert!(done.out.contains("the disk\\\\u{7} is full"), "{}", done.out);
}
