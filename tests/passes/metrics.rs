//! The metrics file of whole passes: what it shows, that it survives what goes wrong, and that nothing fails because of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::fakes::{Fault, Reply, Service, When};
use super::program::Done;
use super::site::{NODES, Site, job};

const METRICS: &str = "metrics_file: mita.prom";

fn site() -> Site {
    Site::with(NODES, METRICS)
}

fn text(site: &Site) -> String {
    let text = fs::read_to_string(site.path("mita.prom")).expect("metrics");
    promtool(&text);
    text
}

/// Debian's promtool has nothing to say of a text; where `.ci/run` tells that it is there.
fn promtool(text: &str) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    if std::env::var_os("MITA_ALL_TOOLS").is_none() {
        return;
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped());
    let child = promtool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("promtool, of Debian's package prometheus");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""), "{text}");
}

/// The samples of the file, by series.
fn samples(site: &Site) -> BTreeMap<String, f64> {
    let text = text(site);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.rsplit_once(' ').expect("a sample"));
    pairs
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
        .collect()
}

#[track_caller]
fn check(site: &Site, expected: &[(&str, f64)]) {
    let samples = samples(site);
    for (series, value) in expected {
        assert_eq!(samples.get(*series), Some(value), "{series} in {samples:#?}");
    }
}

#[test]
fn a_server_is_seen_from_its_create_to_its_build() {
    let site = site();
    site.pass();
    check(
        &site,
        &[(r#"mita_servers{node="small",provider="openstack",phase="idle"}"#, 0.0)],
    );
    assert!(!text(&site).contains("mita_quota_"), "nobody read it");
    site.world.with(|world| world.cloud("openstack").quota.instances = 20);
    site.world.submit(job("build", "linux").seconds(600));
    site.pass();
    check(
        &site,
        &[
            ("mita_pass_success", 1.0),
            ("mita_jenkins_up", 1.0),
            (r#"mita_provider_up{provider="openstack"}"#, 1.0),
            (r#"mita_servers{node="small",provider="openstack",phase="intent"}"#, 1.0),
            (r#"mita_queue_items{node="small"}"#, 1.0),
            (
                r#"mita_creates_total{node="small",provider="openstack",result="done"}"#,
                1.0,
            ),
            (
                r#"mita_creates_total{node="small",provider="openstack",result="failed"}"#,
                0.0,
            ),
            (r#"mita_boot_seconds_count{node="small"}"#, 0.0),
            (
                r#"mita_quota_headroom{provider="openstack",resource="instances"}"#,
                19.0,
            ),
            (r#"mita_quota_limit{provider="openstack",resource="instances"}"#, 20.0),
        ],
    );
    site.minutes(5);
    check(
        &site,
        &[
            (r#"mita_servers{node="small",provider="openstack",phase="busy"}"#, 1.0),
            (r#"mita_executors{node="small",state="busy"}"#, 1.0),
            (r#"mita_queue_items{node="small"}"#, 0.0),
            (r#"mita_unmet_items{reason="maximum"}"#, 0.0),
            (r#"mita_boot_seconds_count{node="small"}"#, 1.0),
            (r#"mita_builds_total{node="small"}"#, 1.0),
        ],
    );
}

#[test]
fn what_is_counted_adds_up_to_the_life_of_a_server() {
    let site = site();
    let began = site.world.now();
    site.world.submit(job("build", "linux").seconds(300));
    site.pass();
    site.minutes(60);
    assert_eq!(site.servers(), 0, "it is gone");
    let deleted = r#"mita_deletes_total{node="small",provider="openstack",result="done"}"#;
    check(
        &site,
        &[(deleted, 1.0), (r#"mita_boot_seconds_count{node="small"}"#, 1.0)],
    );
    let samples = samples(&site);
    let of = |state: &str| {
        samples[&format!(r#"mita_server_seconds_total{{node="small",provider="openstack",state="{state}"}}"#)]
    };
    let [booting, busy, idle, off] = ["booting", "busy", "idle", "off"].map(of);
    assert!(
        booting >= 60.0 && (240.0..=360.0).contains(&busy) && idle >= 540.0,
        "{booting} {busy} {idle} {off}"
    );
    let most = site.world.now().duration_since(began).as_secs_f64();
    assert!(booting + busy + idle + off < most, "it was not there all the time");
    // A state that is lost begins at 0, as a counter may.
    fs::remove_file(site.state_file()).unwrap();
    site.pass();
    check(&site, &[(deleted, 0.0)]);
}

#[test]
fn what_gets_nothing_is_counted_by_its_reason() {
    let site = Site::with(&NODES.replace("labels", "max: 1\n    labels"), METRICS);
    for name in ["a", "b", "c"] {
        site.world.submit(job(name, "linux"));
    }
    site.world.submit(job("d", "solaris"));
    site.world.advance(120);
    site.pass();
    check(
        &site,
        &[
            (r#"mita_unmet_items{reason="maximum"}"#, 2.0),
            (r#"mita_unmet_items{reason="no_template"}"#, 1.0),
            (r#"mita_unmet_oldest_seconds{reason="maximum"}"#, 120.0),
            (r#"mita_queue_items{node="small"}"#, 3.0),
            (r#"mita_queue_items{node=""}"#, 1.0),
            (r#"mita_queue_oldest_seconds{node=""}"#, 120.0),
        ],
    );
    site.mita(&["pause", "--template", "small"]).good();
    site.pass();
    check(
        &site,
        &[
            (r#"mita_unmet_items{reason="maximum"}"#, 0.0),
            (r#"mita_unmet_items{reason="paused"}"#, 2.0),
        ],
    );
}

#[test]
fn a_blind_pass_writes_what_it_knows_and_the_counters_go_on() {
    let site = site();
    site.pass();
    let first = samples(&site);
    site.world.fault(
        When::on(Service::Jenkins).always(),
        Fault::Instead(Reply::json(503, &serde_json::json!({}))),
    );
    site.world.advance(60);
    assert_eq!(site.run().code, 4);
    let began = first["mita_last_pass_timestamp_seconds"];
    check(
        &site,
        &[
            ("mita_pass_success", 0.0),
            ("mita_pass_exit_code", 4.0),
            ("mita_jenkins_up", 0.0),
            ("mita_last_pass_timestamp_seconds", began + 60.0),
            ("mita_last_success_timestamp_seconds", began),
            (r#"mita_problems{kind="jenkins-unreadable",severity="error"}"#, 1.0),
            (
                r#"mita_requests_total{service="jenkins"}"#,
                first[r#"mita_requests_total{service="jenkins"}"#],
            ),
        ],
    );
    assert!(!text(&site).contains("mita_servers{") && !text(&site).contains("mita_provider_up"));
    site.world.clear_script();
    site.minutes(1);
    let requests = samples(&site)[r#"mita_requests_total{service="jenkins"}"#];
    assert!(
        requests > first[r#"mita_requests_total{service="jenkins"}"#],
        "{requests}"
    );
    check(
        &site,
        &[(r#"mita_problems{kind="jenkins-unreadable",severity="error"}"#, 0.0)],
    );
}

#[test]
fn a_provider_that_is_away_is_down_and_the_pass_no_success() {
    let site = site();
    site.change_config(
        "nodes:",
        "  away: {type: openstack, auth_url: 'http://127.0.0.1:9', username: u, password: p, tenant_name: t}\nnodes:",
    );
    assert_eq!(site.run().code, 1);
    check(
        &site,
        &[
            ("mita_pass_success", 0.0),
            ("mita_pass_exit_code", 1.0),
            ("mita_last_success_timestamp_seconds", 0.0),
            (r#"mita_provider_up{provider="away"}"#, 0.0),
            (r#"mita_provider_up{provider="openstack"}"#, 1.0),
            (r#"mita_problems{kind="provider-unreadable",severity="error"}"#, 1.0),
        ],
    );
}

#[test]
fn a_file_that_cannot_be_written_is_a_problem_and_no_failure() {
    let site = Site::with(NODES, "metrics_file: gone/mita.prom");
    let keys = |done: &Done| {
        let rows = done.json()["problems"].as_array().cloned().unwrap();
        rows.iter()
            .map(|row| row["key"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let held = "cannot-write/metrics_file";
    let done = site.pass();
    assert_eq!(keys(&done), [held]);
    assert!(
        done.json()["problems"][0]["facts"]["reason"]
            .as_str()
            .unwrap()
            .contains("No such file")
    );
    assert_eq!(keys(&site.pass()), [held]);
    fs::create_dir(site.path("gone")).unwrap();
    assert!(keys(&site.pass()).is_empty(), "it ends with the pass that writes it");
    assert!(site.path("gone/mita.prom").exists());
    // A link would be replaced, or lead elsewhere.
    fs::remove_file(site.path("gone/mita.prom")).unwrap();
    std::os::unix::fs::symlink(site.path("elsewhere"), site.path("gone/mita.prom")).unwrap();
    assert_eq!(keys(&site.pass()), [held]);
    assert!(!site.path("elsewhere").exists());
}

#[test]
fn everybody_may_read_it_whatever_the_umask() {
    let site = site();
    site.world
        .with(|world| world.clock = jiff::Timestamp::now().as_second());
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "umask 077; exec \"$0\" -c \"$1\" run", env!("CARGO_BIN_EXE_mita")])
        .arg(site.config());
    for _ in 0..2 {
        Done::of(command.output().unwrap()).good();
        let mode = |name: &str| fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("mita.prom"), mode("state.json")), (0o644, 0o600));
    }
    assert!(!site.path("mita.prom.new").exists());
}

#[test]
fn who_only_looks_writes_none() {
    let site = site();
    site.mita(&["run", "--dry-run"]).good();
    site.mita(&["status"]).good();
    assert!(!site.path("mita.prom").exists());
    let without = Site::new();
    without.pass();
    assert!(
        without.state()["counters"].is_null(),
        "what nobody reads is not counted"
    );
}
