//! What a cloud must never make of mita: a second server, a server lost, a server of somebody else removed.

use std::fs;
use std::time::{Duration, Instant};

use super::cloud::Trouble;
use super::site::Site;

pub fn what_is_foreign_is_left_alone(site: &mut Site) {
    let other = [
        ("mita-owner", "somebody"),
        ("mita-node", "small"),
        ("mita-id", "0123456789ab"),
    ];
    site.cloud.add("web", &[]);
    site.cloud.add("small__0123456789ab", &other);
    // A name like ours without a mark, and our mark on a name that is none of ours.
    site.cloud.add("small__ba9876543210", &[]);
    site.cloud.add("web-2", &[("mita-owner", "tester")]);
    site.cloud.fail_servers("broken");
    assert!(site.minutes(70).is_empty());
    assert_eq!(site.cloud.servers().len(), 4);
    assert_eq!(site.cloud.asked()[..2], [0, 0]);
}

pub fn an_unknown_outcome_is_not_repeated(site: &mut Site) {
    site.cloud.trouble(Trouble::AnswerLost);
    site.submit(300);
    let done = site.run();
    assert_eq!(
        (done.code, done.actions()),
        (1, vec!["create unknown small".to_owned()]),
        "{}",
        done.err
    );
    site.cloud.calm();
    site.minutes(6);
    assert_eq!(site.names(), ["small"], "found by its mark");
    assert_eq!(site.cloud.asked()[0], 1, "not made again");
}

pub fn a_create_that_was_not_done_is_made_up_for(site: &mut Site) {
    site.cloud.trouble(Trouble::NoAnswer);
    site.submit(300);
    assert_eq!(site.run().actions(), ["create unknown small"]);
    site.cloud.calm();
    site.advance(60);
    site.pass();
    assert_eq!(site.cloud.asked()[0], 1, "the intent counts as supply for intent_grace");
    site.minutes(4);
    assert_eq!((site.cloud.asked()[0], site.cloud.servers().len()), (2, 1));
}

pub fn a_server_that_is_gone_already_is_no_trouble(site: &mut Site) {
    site.submit(60);
    site.pass();
    site.minutes(5);
    let name = site.cloud.servers()[0].name.clone();
    site.cloud.vanish_after_list();
    let done = site.mita(&["destroy", &name, "-o", "json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(done.actions().last().unwrap(), "delete_server done small");
    assert_eq!(site.cloud.asked()[1], 1);
    site.cloud.calm();
    assert!(site.minutes(5).is_empty());
}

pub fn a_removal_that_fails_is_tried_again(site: &mut Site) {
    site.submit(60);
    site.pass();
    site.minutes(8);
    site.cloud.trouble(Trouble::DeleteDown);
    let mut failed = 0;
    for _ in 0..20 {
        site.advance(60);
        let done = site.run();
        failed += done
            .actions()
            .iter()
            .filter(|action| *action == "delete_server failed small")
            .count();
    }
    assert!(failed >= 2, "{failed}");
    assert_eq!(site.names(), ["small"], "known until it is gone");
    site.cloud.calm();
    // A cloud may take a while to remove what it was told to.
    site.minutes(3);
    assert!(site.cloud.servers().is_empty());
}

/// A cloud that cannot be read gets no create and no delete, and what it has is not taken for gone.
fn closed(site: &mut Site, trouble: Trouble, said: &str) {
    site.submit(60);
    site.pass();
    site.minutes(8);
    let before = site.cloud.asked();
    site.cloud.trouble(trouble);
    let began = Instant::now();
    for _ in 0..3 {
        site.submit(60);
        // Long past idle_grace: if anything could be read, something would go.
        site.advance(3600);
        let done = site.run();
        assert_eq!(done.code, 4, "{}{}", done.out, done.err);
        assert!(
            done.err.contains("provider cloud") && done.err.contains(said),
            "{}",
            done.err
        );
    }
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(site.cloud.asked()[..2], before[..2]);
    assert_eq!(site.names(), ["small"]);
    site.cloud.calm();
    site.advance(60);
    site.pass();
}

pub fn a_list_that_fails_closes_the_cloud(site: &mut Site) {
    closed(site, Trouble::ListDown, "the cloud does not work");
}

pub fn a_list_of_garbage_closes_the_cloud(site: &mut Site) {
    closed(site, Trouble::ListGarbage, "<html>hello");
}

pub fn a_list_beyond_max_body_closes_the_cloud(site: &mut Site) {
    site.configure(5, "limits: {max_body: 64KiB}");
    closed(site, Trouble::ListHuge, "larger than 65536 bytes");
}

pub fn a_list_that_does_not_come_in_time_closes_the_cloud(site: &mut Site) {
    site.configure(1, "");
    closed(site, Trouble::ListSlow, "time");
}

pub fn control_characters_of_the_cloud_are_not_printed(site: &mut Site) {
    let mark = [
        ("mita-owner", "tester"),
        ("mita-node", "sm\u{1b}[2Jall"),
        ("mita-id", "0123456789ab"),
    ];
    site.cloud.add("a\u{1b}[2J\u{202e}\u{a0}\u{200b}b__0123456789ab", &mark);
    for arguments in [&["run"][..], &["run", "-n"], &["status"], &["reap", "--output", "text"]] {
        let done = site.mita(arguments);
        let text = format!("{}{}", done.out, done.err);
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{a0}', '\u{200b}']),
            "{arguments:?}: {text:?}"
        );
    }
}

pub fn a_dry_run_changes_nothing(site: &mut Site) {
    site.submit(300);
    let done = site.mita(&["run", "-n", "-o", "json"]);
    assert_eq!(
        (done.code, done.actions()),
        (0, vec!["create planned small".to_owned()])
    );
    assert_eq!(site.cloud.asked()[..2], [0, 0]);
    assert!(!site.state_file().exists());
    site.pass();
    site.minutes(8);
    site.advance(3600);
    let done = site.mita(&["reap", "-n", "-o", "json"]);
    assert_eq!(site.cloud.asked()[..2], [1, 0], "{}", done.out);
    assert_eq!(site.names(), ["small"]);
}

pub fn a_lost_state_file_leads_to_no_second_server(site: &mut Site) {
    site.submit(300);
    site.pass();
    fs::remove_file(site.state_file()).unwrap();
    site.advance(30);
    assert!(site.pass().actions().is_empty());
    site.minutes(5);
    fs::remove_file(site.state_file()).unwrap();
    assert!(site.pass().actions().is_empty());
    assert_eq!(site.cloud.asked()[..2], [1, 0]);
}
