//! What a CI job makes of `mita reap --dry-run -o json`, of reports that the program printed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::fakes::{Fault, Reply, Service, When};
use super::program::Done;
use super::site::{NODES, Site, job};

/// What the script says of a report.
fn verdict(report: &str) -> Done {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/verdict.py");
    let mut python = Command::new("python3");
    python.arg("-I").arg(script).stdin(Stdio::piped());
    let mut child = python
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    child.stdin.take().unwrap().write_all(report.as_bytes()).unwrap();
    Done::of(child.wait_with_output().unwrap())
}

const REAP: [&str; 4] = ["reap", "--dry-run", "-o", "json"];

/// A site with one server that a pass would remove.
fn ripe() -> Site {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(8);
    site
}

#[test]
fn a_removal_is_listed_and_fails_nothing() {
    let site = ripe();
    let done = verdict(&site.mita(&REAP).out);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(done.out.contains("nothing to worry about"), "{}", done.out);
    let line = done.out.lines().find(|line| line.starts_with("- delete")).unwrap();
    assert!(line.contains("small\\_\\_"), "Markdown is escaped: {line}");
    assert_eq!(site.servers(), 1);
}

#[test]
fn what_could_not_be_read_fails_the_job() {
    let site = ripe();
    site.world
        .fault(When::on(Service::Nova), Fault::Instead(Reply::proxy_page(502)));
    let done = verdict(&site.mita(&REAP).out);
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(
        done.out.contains("somebody should look") && done.out.contains("502 Bad Gateway"),
        "{}",
        done.out
    );
}

#[test]
fn an_unusable_configuration_fails_the_job_and_says_where() {
    let site = Site::new();
    site.change_config("size: m1.small", "sise: m1.small");
    let done = verdict(&site.mita(&REAP).out);
    assert_eq!(done.code, 1);
    assert!(
        done.out.contains("(exit 3)") && done.out.contains("mita.yaml:"),
        "{}",
        done.out
    );
    assert!(done.out.contains("did you mean size"), "{}", done.out);
}

#[test]
fn a_warning_fails_nothing() {
    let site = Site::new();
    site.world.submit(job("build", "windows"));
    site.minutes(32);
    let report = site.mita(&REAP).out;
    assert!(report.contains("\"warning\""), "{report}");
    let done = verdict(&report);
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.contains("- warning: "), "{}", done.out);
}

#[test]
fn what_is_no_report_fails_the_job() {
    for text in ["", "mita: not found", "[]", "{}", "{\"exit\": 0, \"problems\": 7}", "7"] {
        let done = verdict(text);
        assert_eq!(done.code, 1, "{text}");
        assert_eq!(done.err.lines().count(), 1, "{text}: {}", done.err);
    }
}
