//! The status page as passes write it. What it says is tested beside `report/page`, how it looks in `tests/page/`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::fakes::{Fault, Reply, Service, When};
use super::site::{NODES, Site, job};

const PAGE: &str = "status_page: page.html\nstatus_page_refresh: 20s\n";

fn page(site: &Site) -> String {
    fs::read_to_string(site.path("page.html")).unwrap_or_default()
}

fn samples(site: &Site) -> usize {
    site.state()["page"]["samples"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_pass_writes_a_page_that_everybody_may_read() {
    let site = Site::with(NODES, PAGE);
    site.world.submit(job("team/build", "linux"));
    site.pass();
    let mode = fs::metadata(site.path("page.html")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let text = page(&site);
    assert!(text.contains("<h1>All is well: 1 server, 1 item waits"), "{text}");
    assert!(text.contains("content=\"20\"") && text.contains("/job/team/job/build/\">team/build</a>"));
    assert!(!text.contains("ci-pass"), "no secret");
    site.minutes(11);
    assert!(page(&site).contains("1 server, nothing waits"));
    assert!((2..=4).contains(&samples(&site)), "{}", site.state()["page"]);
}

#[test]
fn a_pass_that_sees_nothing_writes_what_is_known_and_no_reading() {
    let site = Site::with(NODES, PAGE);
    site.minutes(1);
    let before = samples(&site);
    let down = When::on(Service::Jenkins).always();
    let broken = Reply::json(503, &serde_json::json!({"message": "broken"}));
    site.world.fault(down, Fault::Instead(broken));
    for _ in 0..12 {
        site.world.advance(60);
        assert_eq!(site.run().code, 4);
    }
    assert!(page(&site).contains("<h1>Jenkins or the clouds cannot be read: below is what a pass saw at "));
    assert_eq!(samples(&site), before);
}

#[test]
fn without_the_key_nothing_is_kept_and_a_dry_run_writes_nothing() {
    let site = Site::with(NODES, PAGE);
    assert_eq!(site.mita(&["run", "--dry-run"]).code, 0);
    assert_eq!(page(&site), "");
    site.pass();
    assert_eq!(samples(&site), 1);
    site.configure(NODES, "");
    site.minutes(1);
    assert!(site.state()["page"].is_null());
}

#[test]
fn a_page_that_cannot_be_written_is_a_problem_and_no_failure() {
    let site = Site::with(NODES, "status_page: nowhere/page.html\n");
    let done = site.pass();
    let keys = site.state()["problems"].to_string();
    assert!(done.code == 0 && keys.contains("cannot-write/status_page"), "{keys}");
}
