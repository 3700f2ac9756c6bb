//! What is shipped for Prometheus and Grafana: whether all that it names is there.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_yaml::Value as Yaml;

use crate::model::ProblemKind;
use crate::plan::{LeakKind, UnmetReason};
use crate::report::metrics::list::{self, Kind, Metric};

const README: &str = include_str!("../../../../examples/deploy/prometheus/README.md");
const ALERTS: &str = include_str!("../../../../examples/deploy/prometheus/alerts.yml");
const ALERT_CASES: &str = include_str!("../../../../examples/deploy/prometheus/alerts_test.yml");
const DASHBOARD: &str = include_str!("../../../../examples/deploy/prometheus/dashboard.json");

/// Labels that Prometheus gives to every sample.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Returns the metric of a name in a query.
fn metric(name: &str) -> Option<&'static Metric> {
    let exact = list::ALL
        .iter()
        .copied()
        .find(|metric| metric.name == name && metric.kind != Kind::Histogram);
    let mut parts = ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|part| name.strip_suffix(part));
    let of_histogram = |name: &str| {
        let mut all = list::ALL.iter().copied();
        all.find(|metric| metric.name == name && metric.kind == Kind::Histogram)
    };
    exact.or_else(|| parts.find_map(of_histogram))
}

/// Returns the metrics that a query names, each with the labels of its selector and their values.
fn selectors(query: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(at) = rest.find("mita_") {
        let name = &rest[at..];
        let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        let selector = after.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let matchers = selector
            .map_or("", |(inside, _)| inside)
            .split("\",")
            .filter(|text| !text.is_empty());
        let matchers = matchers.map(|text| {
            let label = &text[..text.find(|c| !is_word(c)).unwrap()];
            (label, text.split_once('"').unwrap().1.trim_end_matches('"'))
        });
        found.push((name, matchers.collect()));
        rest = after;
    }
    found
}

/// Returns the labels by which a query groups and joins.
fn groupings(query: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for word in ["by", "on", "without", "ignoring"] {
        for (at, _) in query.match_indices(&format!("{word} (")) {
            let inside = query[at..].split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            found.extend(inside.unwrap().0.split(',').map(str::trim));
        }
    }
    found
}

/// Checks that what a query names is there, and returns the labels that it can have.
#[track_caller]
fn check_query(query: &str) -> BTreeSet<&str> {
    let mut labels: BTreeSet<&str> = OF_PROMETHEUS.into();
    let used = selectors(query);
    assert!(!used.is_empty(), "no metric: {query}");
    for (name, matchers) in used {
        let metric = metric(name).unwrap_or_else(|| panic!("no metric {name}: {query}"));
        let mut own: BTreeSet<&str> = metric.labels.iter().copied().chain(OF_PROMETHEUS).collect();
        own.extend(name.ends_with("_bucket").then_some("le"));
        for (label, value) in matchers {
            assert!(own.contains(label), "{name} has no label {label}: {query}");
            check_value(label, value, query);
        }
        labels.extend(own);
    }
    for label in groupings(query) {
        assert!(labels.contains(label), "no label {label}: {query}");
    }
    labels
}

/// Checks the words of labels that are the program's own.
#[track_caller]
fn check_value(label: &str, value: &str, query: &str) {
    let kinds = ProblemKind::ALL
        .map(ProblemKind::word)
        .into_iter()
        .chain(LeakKind::ALL.map(LeakKind::word));
    let known: Vec<&str> = match label {
        "kind" => kinds.collect(),
        "reason" => UnmetReason::ALL.map(UnmetReason::word).into(),
        "severity" => vec!["warning", "error"],
        "state" => vec!["booting", "busy", "idle", "off"],
        "result" => vec!["done", "failed", "refused", "unknown"],
        _ => return,
    };
    for word in value.split('|') {
        assert!(known.contains(&word), "no {label} {word}: {query}");
    }
}

#[test]
fn the_page_lists_the_metrics_as_they_are() {
    let rows = list::ALL.iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let Metric { name, kind, help, .. } = metric;
        format!("| `{name}` | {} | {} | {help} |", kind.word(), labels.join(", "))
    });
    let table: Vec<&str> = README.lines().filter(|line| line.starts_with("| `mita_")).collect();
    assert_eq!(table, rows.collect::<Vec<_>>());
}

#[test]
fn what_the_page_names_is_there() {
    let words = README
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("mita_"));
    for word in words {
        let is_there = match word.strip_suffix('*') {
            Some(start) => list::ALL.iter().any(|metric| metric.name.starts_with(start)),
            None => metric(word).is_some() || list::ALL.iter().any(|metric| metric.name == word),
        };
        assert!(is_there || word.starts_with("mita_pass_success"), "{word}");
    }
}

fn rules() -> Vec<Yaml> {
    let alerts: Yaml = serde_yaml::from_str(ALERTS).unwrap();
    let groups = alerts["groups"].as_sequence().unwrap();
    groups
        .iter()
        .flat_map(|group| group["rules"].as_sequence().unwrap().clone())
        .collect()
}

#[test]
fn alerts_name_what_there_is_and_say_what_to_do() {
    for rule in rules() {
        let name = rule["alert"].as_str().unwrap();
        let labels = check_query(rule["expr"].as_str().unwrap());
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: {severity}"
        );
        let texts = ["summary", "description"].map(|key| rule["annotations"][key].as_str().unwrap().to_owned());
        assert!(texts[1].len() > 40, "{name}: what is to be done?");
        for text in texts {
            for used in text.split("$labels.").skip(1) {
                let label = &used[..used.find(|c| !is_word(c)).unwrap()];
                assert!(labels.contains(label), "{name}: no label {label}");
            }
        }
    }
}

#[test]
fn each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let cases: Yaml = serde_yaml::from_str(ALERT_CASES).unwrap();
    let cases = cases["tests"].as_sequence().unwrap();
    for rule in rules() {
        let name = rule["alert"].as_str().unwrap();
        let mut of_it = cases
            .iter()
            .map(|case| &case["alert_rule_test"][0])
            .filter(|case| case["alertname"] == name);
        let fires = |case: &Yaml| !case["exp_alerts"].as_sequence().unwrap().is_empty();
        assert!(of_it.clone().any(fires), "{name} never fires");
        assert!(of_it.any(|case| !fires(case)), "{name} always fires");
    }
    for case in cases {
        for series in case["input_series"].as_sequence().unwrap() {
            check_query(series["series"].as_str().unwrap());
        }
    }
}

#[test]
fn panels_name_what_there_is() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables: BTreeSet<&str> = variables
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "instance", "node"].into());
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
        let place = &panel["gridPos"];
        assert!(
            place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24,
            "{title}"
        );
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let query = target["expr"].as_str().unwrap();
            let labels = check_query(query);
            let legend = target["legendFormat"].as_str().unwrap();
            let shown = legend.split("{{").skip(1).map(|text| text.split("}}").next().unwrap());
            for label in shown {
                assert!(labels.contains(label), "{title}: no label {label}");
            }
            for variable in query.split('$').skip(1) {
                let name = &variable[..variable.find(|c| !is_word(c)).unwrap()];
                assert!(variables.contains(name), "{title}: no variable {name}");
            }
        }
    }
    assert!(ids.len() > 20, "{}", ids.len());
    let shown = |metric: &&&Metric| DASHBOARD.contains(metric.name) || ALERTS.contains(metric.name);
    let unused: Vec<&str> = list::ALL
        .iter()
        .filter(|metric| !shown(metric))
        .map(|metric| metric.name)
        .collect();
    assert_eq!(unused, ["mita_build_info"], "neither shown nor watched");
}
