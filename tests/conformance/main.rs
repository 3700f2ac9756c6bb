//! What every kind of provider must do, whatever it is: each test runs whole passes of the program once at the fake
//! OpenStack and once at an executable. A further kind of provider is one more [`cloud::TestCloud`] and one more line in
//! `suite!`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and write files"
)]
#![allow(missing_docs, dead_code, reason = "test names are the documentation")]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;

mod cloud;
mod exec;
mod mixed;
mod openstack;
mod safety;
mod site;
mod supply;

/// Makes a test of each function for each kind of provider.
macro_rules! suite {
    ($($part:ident: $($test:ident),+;)+) => {
        mod with_openstack {
            $($(#[test] fn $test() { super::$part::$test(&mut super::site::Site::openstack()); })+)+
        }
        mod with_exec {
            $($(#[test] fn $test() { super::$part::$test(&mut super::site::Site::exec()); })+)+
        }
    };
}

suite! {
    supply:
        a_server_is_made_joins_and_goes_when_idle,
        a_server_is_listed_with_its_marks_and_told_its_user_data,
        a_pass_without_work_asks_for_the_list_alone,
        a_quota_is_a_refusal_and_no_failure,
        no_capacity_is_a_refusal_and_no_failure,
        a_bad_request_holds_the_template_back,
        an_error_of_a_server_is_seen_with_its_reason;
    safety:
        what_is_foreign_is_left_alone,
        an_unknown_outcome_is_not_repeated,
        a_create_that_was_not_done_is_made_up_for,
        a_server_that_is_gone_already_is_no_trouble,
        a_removal_that_fails_is_tried_again,
        a_list_that_fails_closes_the_cloud,
        a_list_of_garbage_closes_the_cloud,
        a_list_beyond_max_body_closes_the_cloud,
        a_list_that_does_not_come_in_time_closes_the_cloud,
        control_characters_of_the_cloud_are_not_printed,
        a_dry_run_changes_nothing,
        a_lost_state_file_leads_to_no_second_server;
}
