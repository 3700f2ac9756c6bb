//! The text of passes that are made by hand: its form, its rows, and what it leaves out.

mod shipped;
mod site;

use std::collections::{BTreeMap, BTreeSet};

use super::list::{self, Kind};
use crate::model::{EventKind, ProblemKind};
use crate::state::Backoff;
use site::{PassMade, now};

/// The samples of a text, by series.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut found = BTreeMap::new();
    for line in lines {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(found.insert(series, value).is_none(), "twice: {series}");
    }
    found
}

/// Returns the metric that a series is of.
fn metric_of(series: &str) -> &str {
    let name = series.split('{').next().unwrap();
    let part = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|part| name.strip_suffix(part));
    part.filter(|name| list::ALL.iter().any(|metric| metric.name == *name))
        .unwrap_or(name)
}

/// Returns the names of the labels of a series.
fn labels_of(series: &str) -> BTreeSet<&str> {
    let inside = series.split_once('{').map_or("", |(_, rest)| rest);
    let pairs = inside.split("\",").filter_map(|pair| pair.split_once("=\""));
    pairs.map(|(name, _)| name).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, f64)]) {
    let samples = samples(text);
    for (series, value) in expected {
        assert_eq!(samples.get(series), Some(value), "{series} in\n{text}");
    }
}

#[test]
fn each_metric_is_there_once_in_its_order_with_its_labels() {
    let text = PassMade::usual().text();
    let declared: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let all: Vec<String> = list::ALL
        .iter()
        .map(|metric| format!("{} {}", metric.name, metric.kind.word()))
        .collect();
    assert_eq!(declared, all);
    for series in samples(&text).keys() {
        let metric = list::ALL
            .iter()
            .find(|metric| metric.name == metric_of(series))
            .unwrap();
        let mut labels: BTreeSet<&str> = metric.labels.iter().copied().collect();
        labels.extend(series.contains("_bucket{").then_some("le"));
        assert_eq!(labels_of(series), labels, "{series}");
    }
    assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains("\n\n"));
    assert!(!text.bytes().any(|byte| byte < b' ' && byte != b'\n'));
    assert_eq!(text, PassMade::usual().text(), "the same pass, the same text");
}

#[test]
fn names_follow_the_conventions() {
    for metric in list::ALL {
        let is_total = metric.name.ends_with("_total");
        assert_eq!(is_total, metric.kind == Kind::Counter, "{}", metric.name);
        assert!(
            metric.help.ends_with('.') && !metric.help.contains(['\n', '\\']),
            "{}",
            metric.name
        );
    }
}

#[test]
fn a_pass_is_shown_as_it_was() {
    let text = PassMade::usual().text();
    check(
        &text,
        &[
            ("mita_pass_success", 1.0),
            ("mita_pass_exit_code", 0.0),
            ("mita_pass_duration_seconds", 1.25),
            ("mita_last_pass_timestamp_seconds", 1_796_040_000.0),
            ("mita_last_success_timestamp_seconds", 1_796_040_000.0),
            ("mita_jenkins_up", 1.0),
            (r#"mita_provider_up{provider="east"}"#, 1.0),
            (r#"mita_provider_up{provider="west"}"#, 0.0),
            (r#"mita_problems{kind="provider-unreadable",severity="error"}"#, 1.0),
            (r#"mita_problems{kind="at-max",severity="warning"}"#, 0.0),
            ("mita_guard_held", 0.0),
            (r#"mita_servers{node="small",provider="east",phase="busy"}"#, 1.0),
            (r#"mita_servers{node="small",provider="east",phase="booting"}"#, 0.0),
            (r#"mita_servers{node="small",provider="west",phase="busy"}"#, 0.0),
            (r#"mita_servers_max{node="small"}"#, 1.0),
            (r#"mita_server_price{node="small"}"#, 0.12),
            (r#"mita_executors{node="small",state="busy"}"#, 2.0),
            (r#"mita_executors{node="small",state="idle"}"#, 0.0),
            (r#"mita_executors{node="big",state="off"}"#, 0.0),
            (r#"mita_queue_items{node="small"}"#, 2.0),
            (r#"mita_queue_items{node=""}"#, 1.0),
            (r#"mita_queue_items{node="big"}"#, 0.0),
            (r#"mita_queue_oldest_seconds{node="small"}"#, 600.0),
            (r#"mita_unmet_items{reason="maximum"}"#, 2.0),
            (r#"mita_unmet_oldest_seconds{reason="maximum"}"#, 600.0),
            (r#"mita_unmet_items{reason="no_template"}"#, 1.0),
            (r#"mita_unmet_items{reason="quota"}"#, 0.0),
            (r#"mita_leaks{kind="volume"}"#, 3.0),
            (r#"mita_leaks{kind="server"}"#, 0.0),
            (r#"mita_quota_headroom{provider="east",resource="instances"}"#, 3.0),
            (
                r#"mita_quota_headroom{provider="east",resource="ram"}"#,
                1_073_741_824.0,
            ),
            (r#"mita_quota_limit{provider="east",resource="instances"}"#, 20.0),
            (r#"mita_quota_read_timestamp_seconds{provider="east"}"#, 1_796_039_400.0),
            (r#"mita_creates_total{node="small",provider="east",result="done"}"#, 7.0),
            (
                r#"mita_creates_total{node="small",provider="west",result="refused"}"#,
                0.0,
            ),
            (r#"mita_deletes_total{node="big",provider="east",result="failed"}"#, 0.0),
            (
                r#"mita_server_seconds_total{node="small",provider="east",state="idle"}"#,
                300.0,
            ),
            (r#"mita_builds_total{node="small"}"#, 4.0),
            (r#"mita_builds_total{node="big"}"#, 0.0),
            (r#"mita_boot_seconds_bucket{node="small",le="90"}"#, 1.0),
            (r#"mita_boot_seconds_bucket{node="small",le="120"}"#, 2.0),
            (r#"mita_boot_seconds_bucket{node="small",le="+Inf"}"#, 2.0),
            (r#"mita_boot_seconds_sum{node="small"}"#, 185.0),
            (r#"mita_boot_seconds_count{node="small"}"#, 2.0),
            (r#"mita_boot_seconds_count{node="big"}"#, 0.0),
            (r#"mita_requests_total{service="jenkins"}"#, 12.0),
            (r#"mita_requests_total{service="west"}"#, 0.0),
        ],
    );
    let unlimited = r#"mita_quota_limit{provider="east",resource="cores"}"#;
    assert!(!samples(&text).contains_key(unlimited), "what has no limit has no row");
}

#[test]
fn a_pass_that_saw_nothing_leaves_out_what_it_did_not_see() {
    let mut made = PassMade::usual();
    made.go_blind(ProblemKind::JenkinsUnreadable, "");
    let text = made.text();
    check(
        &text,
        &[
            ("mita_pass_success", 0.0),
            ("mita_pass_exit_code", 4.0),
            ("mita_last_success_timestamp_seconds", 1_796_039_940.0),
            ("mita_jenkins_up", 0.0),
            (r#"mita_problems{kind="jenkins-unreadable",severity="error"}"#, 1.0),
            (r#"mita_servers_max{node="small"}"#, 1.0),
            (r#"mita_creates_total{node="small",provider="east",result="done"}"#, 7.0),
        ],
    );
    for unknown in [
        "mita_servers{",
        "mita_executors{",
        "mita_queue_",
        "mita_unmet_",
        "mita_leaks",
        "mita_provider_up",
    ] {
        assert!(!text.contains(unknown), "{unknown} in\n{text}");
    }
    let mut made = PassMade::usual();
    for provider in ["east", "west"] {
        made.go_blind(ProblemKind::ProviderUnreadable, provider);
    }
    let text = made.text();
    check(
        &text,
        &[("mita_jenkins_up", 1.0), (r#"mita_provider_up{provider="east"}"#, 0.0)],
    );
}

#[test]
fn a_pass_that_could_not_save_was_no_success() {
    let mut made = PassMade::usual();
    made.exit = 3;
    check(
        &made.text(),
        &[("mita_pass_success", 0.0), ("mita_last_success_timestamp_seconds", 0.0)],
    );
}

#[test]
fn names_of_the_cloud_make_no_series_without_end() {
    let mut made = PassMade::usual();
    let usual = samples(&made.text()).len();
    for number in 0..500 {
        made.remember_server(&format!("stranger-{number}"), number);
    }
    let text = made.text();
    let many = samples(&text).len();
    check(
        &text,
        &[(r#"mita_servers{node="(others)",provider="east",phase="idle"}"#, 450.0)],
    );
    // 51 templates at one place, with 10 phases, 3 states of executors, and the counters of each.
    assert!(many - usual < 51 * 45, "{many} after {usual}");
}

#[test]
fn of_many_backoffs_those_that_last_longest_are_written() {
    let mut made = PassMade::usual();
    for number in 0..300 {
        let until = now() + jiff::SignedDuration::from_secs(number);
        let held = Backoff {
            failures: 1,
            until,
            reason: String::new(),
            settled: false,
            failed: None,
            probed: Vec::new(),
        };
        made.state.backoffs.insert(format!("template t{number} at east"), held);
    }
    let text = made.text();
    assert_eq!(text.matches("mita_backoff_until_timestamp_seconds{").count(), 100);
    assert!(text.contains("\"template t299 at east\"") && !text.contains("\"template t199 at east\""));
}

#[test]
fn a_hostile_name_stays_one_line() {
    let mut made = PassMade::usual();
    made.remember_server("x\"} 1\nmita_pass_success 1\n#\u{1b}", 9);
    let text = made.text();
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("mita_pass_success"))
            .count(),
        1
    );
    assert!(
        text.contains(r#"node="x\"} 1\\nmita_pass_success 1\\n#\\u{1b}""#),
        "{text}"
    );
    samples(&text);
}

#[test]
fn what_is_counted_is_what_the_text_shows() {
    let mut made = PassMade::usual();
    made.join("big", 40);
    check(
        &made.text(),
        &[
            (r#"mita_boot_seconds_bucket{node="big",le="30"}"#, 0.0),
            (r#"mita_boot_seconds_bucket{node="big",le="45"}"#, 1.0),
            (r#"mita_boot_seconds_sum{node="big"}"#, 40.0),
        ],
    );
    assert_eq!(made.state.events.pending.last().unwrap().event, EventKind::Joined);
}

/// Whether promtool is there to be asked.
#[expect(clippy::disallowed_methods, reason = "a test that .ci/run tells of a tool")]
fn has_promtool() -> bool {
    std::env::var_os("MITA_ALL_TOOLS").is_some()
}

#[test]
fn promtool_finds_nothing_to_say() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    if !has_promtool() {
        return;
    }
    let mut blind = PassMade::usual();
    blind.go_blind(ProblemKind::JenkinsUnreadable, "");
    let mut hostile = PassMade::usual();
    hostile.remember_server("x\"} 1\n\u{1b}\\", 9);
    for text in [PassMade::usual().text(), blind.text(), hostile.text()] {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped());
        let mut child = promtool
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success() && said.is_empty(), "{said}\n{text}");
    }
}
