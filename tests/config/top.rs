//! `limits`, `timing`, paths, the sources of labels.

use std::path::Path;

use mita::config;

use super::site::{JENKINS, NODE, PROVIDER, check, end, file, jenkins, load, no_env, node, try_load};

#[test]
fn limits_and_timing_are_checked_together() {
    let one = |line: &str, wanted: &str| check(end(line), &[&format!("mita.yaml:17:{wanted}")]);
    one(
        "timing: {backoff_first: 1h}",
        "25: timing.backoff_first: must be at most backoff_max (30m), is 1h",
    );
    one(
        "timing: {backoff_max: 5s}",
        "23: timing.backoff_max: must be at least backoff_first (1m), is 5s",
    );
    one(
        "timing: {max_lifetime: 1m, min_lifetime: 1h}",
        "24: timing.max_lifetime: must be at least min_lifetime (1h), is 1m",
    );
    one(
        "timing: {intent_grace: 0}",
        "24: timing.intent_grace: must be more than 0; the default is 2m",
    );
    one(
        "limits: {max_booting: 0}",
        "23: limits.max_booting: must be at least 1, is 0; to create nothing set max_creates_per_pass: 0",
    );
    check(
        file(
            PROVIDER,
            JENKINS,
            &format!("{NODE}\nmin_ready: 3"),
            "limits: {max_servers: 2}",
        ),
        &["mita.yaml:18:23: limits.max_servers: must be at least the sum of all min_ready (3), is 2"],
    );
}

#[test]
fn paths_are_resolved() {
    let path = |line: &str| try_load(end(line), &no_env).unwrap().config.state_file;
    assert_eq!(path("state_file: ~/x.json"), Path::new("/home/ci/x.json"));
    assert_eq!(path("state_file: /x.json"), Path::new("/x.json"));
    assert!(path("state_file: x.json").ends_with("x.json") && path("state_file: x.json").is_absolute());
    let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/state".to_owned());
    assert_eq!(
        try_load(end(""), &xdg).unwrap().config.state_file,
        Path::new("/state/mita/state.json")
    );
    assert_eq!(
        try_load(end(""), &|_| None).map(|_| ()).unwrap_err(),
        ["mita.yaml:1:1: state_file: missing, and neither XDG_STATE_HOME nor HOME is set; set state_file"]
    );
}

#[test]
fn paths_that_cannot_be_meant_are_refused() {
    for path in ["$HOME/state.json", "~bob/state.json"] {
        check(
            end(&format!("state_file: {path}")),
            &[
                "mita.yaml:17:13: state_file: begins with a variable or ~user, which is not read here; write the whole path",
            ],
        );
    }
    check(
        end("state_file: state/"),
        &["mita.yaml:17:13: state_file: names a folder; write the path of a file"],
    );
    check(
        jenkins("ca_file: /dev/null"),
        &[
            "mita.yaml:11:12: jenkins.ca_file: cannot use /dev/null: holds no PEM certificate; it must have a block BEGIN CERTIFICATE",
        ],
    );
}

#[test]
fn the_file_is_looked_for_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().display().to_string();
    let env = |name: &str| (name == "HOME").then(|| home.clone());
    let named = |name: &str| (name == "MITA_CONFIG").then(|| "/named.yaml".to_owned());
    assert_eq!(
        config::find(Some(Path::new("/given.yaml")), &named).unwrap(),
        Path::new("/given.yaml")
    );
    assert_eq!(config::find(None, &named).unwrap(), Path::new("/named.yaml"));
    let error = config::find(None, &env).unwrap_err().to_string();
    assert!(
        error.contains(&format!(
            "tried ./mita.yaml, {home}/.config/mita/mita.yaml, /etc/mita/mita.yaml;"
        )),
        "{error}"
    );
    let file = folder.path().join(".config/mita/mita.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "").unwrap();
    assert_eq!(config::find(None, &env).unwrap(), file);
}

#[test]
fn the_sources_of_labels_are_read() {
    let sources = |lines: &str| load(&jenkins(lines)).config.labels;
    assert_eq!(sources(""), config::LabelSources::default());
    assert_eq!(
        sources("anchor: false\nlabels_from: queue"),
        config::LabelSources::default()
    );
    let all = sources("anchor: true\nlabels_from: script\nbootstrap: small");
    assert!(all.anchor && all.script);
    assert_eq!(all.bootstrap.unwrap().as_str(), "small");
}

#[test]
fn wrong_sources_of_labels_are_named() {
    check(
        jenkins("labels_from: scripts\nbootstrap: smal\nanchor: maybe"),
        &[
            "mita.yaml:11:16: jenkins.labels_from: \"scripts\" is no source of labels; did you mean script?",
            "mita.yaml:12:14: jenkins.bootstrap: there is no node \"smal\"; did you mean small?",
            "mita.yaml:13:11: jenkins.anchor: must be true or false, is \"maybe\"; write it like true",
        ],
    );
    check(
        jenkins("labels_from: [queue]\nbootstrap: ''"),
        &[
            "mita.yaml:11:16: jenkins.labels_from: must be a text, is a list; see mita.yaml.example",
            "mita.yaml:12:14: jenkins.bootstrap: is empty; write a text or remove it",
        ],
    );
}

#[test]
fn what_a_pass_leaves_lies_beside_the_state_or_where_it_is_named() {
    let outputs = |lines: &str| {
        let text = end(&format!("state_file: /s/state.json\n{lines}"));
        try_load(text, &no_env).unwrap().config.outputs
    };
    let journal = |lines: &str| outputs(lines).journal;
    assert_eq!(journal(""), Some("/s/journal.jsonl".into()));
    assert_eq!(journal("journal: yes"), Some("/s/journal.jsonl".into()));
    assert_eq!(journal("journal: off"), None);
    assert_eq!(journal("journal: ~/j.jsonl"), Some("/home/ci/j.jsonl".into()));
    let named = outputs("metrics_file: /m.prom\nstatus_page: /w/mita.html\njournal_max: 1MiB\nstatus_page_refresh: 5m");
    assert_eq!(named.metrics_file, Some("/m.prom".into()));
    assert_eq!(named.status_page, Some("/w/mita.html".into()));
    assert_eq!((named.journal_max, named.status_page_refresh.as_secs()), (1 << 20, 300));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let twice = |lines: &str, wanted: &str| check(end(&format!("state_file: /s/state.json\n{lines}")), &[wanted]);
    twice(
        "journal: /s/state.json",
        "mita.yaml:18:10: journal: is a file of state_file, too; name another one",
    );
    twice(
        "status_page: /s/state.json.lock",
        "mita.yaml:18:14: status_page: is a file of state_file, too; name another one",
    );
    twice(
        "metrics_file: /s/journal.jsonl.1",
        "mita.yaml:18:15: metrics_file: is a file of journal, too; name another one",
    );
    twice(
        "metrics_file: /w/x\nstatus_page: /w/x",
        "mita.yaml:19:14: status_page: is a file of metrics_file, too; name another one",
    );
}

#[test]
fn a_price_is_a_decimal_number() {
    let price = |text: &str| {
        let config = try_load(node(&format!("price: {text}")), &no_env).unwrap().config;
        config.templates[0].price.map(|price| price.0)
    };
    assert_eq!(price("0.085"), Some(85_000));
    assert_eq!(price("2"), Some(2_000_000));
    assert_eq!(price("'0.1'"), Some(100_000));
    check(
        node("price: 1 EUR"),
        &[
            "mita.yaml:17:12: nodes.small.price: \"1 EUR\" is not a number; write it like 0.085, with at most six digits behind \
             the point",
        ],
    );
}
