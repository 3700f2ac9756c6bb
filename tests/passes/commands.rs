//! The commands, their exit codes and what they print.

use super::fakes::Call;
use super::site::{NODES, Site, job};

#[test]
fn the_usage_is_wrong() {
    let site = Site::new();
    for arguments in [
        &["fly"][..],
        &["run", "--dry"],
        &["explain"],
        &["destroy"],
        &["run", "--wait", "soon"],
        // It removes nothing, so there is no guard to lift.
        &["provision", "--force"],
    ] {
        let done = site.mita(arguments);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!done.err.is_empty());
        let json = site.mita(&[arguments, &["-o", "json"]].concat());
        let message = json.json()["errors"][0]["message"].as_str().unwrap().to_owned();
        assert_eq!((json.code, &json.json()["exit"]), (2, &2.into()));
        assert!(!message.is_empty() && !message.contains("Usage"), "{message}");
    }
    assert_eq!(site.mita(&["--help"]).code, 0);
    assert!(site.mita(&["--version"]).out.starts_with("mita "));
}

#[test]
fn the_effective_configuration_is_printed() {
    let site = Site::with(NODES, "limits: {canary: 5}\ndefaults: {max_builds: 7}");
    let done = site.mita(&["config"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.err);
    for line in [
        "canary: 5",
        "max_booting: 200",
        "max_builds: 7  # from defaults",
        "token: '***'",
        "password: '***'",
    ] {
        assert!(
            done.out.lines().any(|printed| printed.trim() == line),
            "{line} in\n{}",
            done.out
        );
    }
    std::fs::write(site.config(), &done.out).unwrap();
    let again = site.mita(&["config"]);
    assert_eq!(again.code, 0, "{}", again.err);
    let json = site.mita(&["config", "-o", "json"]);
    assert_eq!((json.code, &json.json()["exit"]), (2, &2.into()), "{}", json.out);
    assert_eq!(json.code, 2, "{}", json.out);
    assert!(json.err.contains("leave `-o json` out"), "{}", json.err);
    assert_eq!(site.mita(&["-o", "json", "config"]).code, 2);
    assert_eq!(site.mita(&["config", "-o", "text"]).code, 0);
    let help = site.mita(&["config", "--help"]);
    assert!(help.out.contains("mita config | diff before.yaml -"), "{}", help.out);
    assert!(site.mita(&["--help"]).out.contains("Print the effective configuration"));
    let schema = site.mita(&["schema"]);
    assert_eq!((schema.code, schema.err.as_str()), (0, ""));
    assert!(schema.out.contains("https://json-schema.org/draft/2020-12/schema"));
    assert!(serde_json::from_str::<serde_json::Value>(&schema.out).is_ok());
    assert_eq!(site.mita(&["schema", "-o", "json"]).code, 2);
    assert!(site.world.calls().is_empty());
    let broken = Site::with(&NODES.replace("size:", "sizes:"), "");
    assert_eq!(broken.mita(&["config"]).code, 3);
}

#[test]
fn the_configuration_is_unusable() {
    let site = Site::with(&NODES.replace("size:", "sizes:"), "limitz: {}");
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 3);
    let config = site.config().display().to_string();
    assert!(done.err.lines().count() >= 2, "{}", done.err);
    assert!(
        done.err.lines().all(|line| line.starts_with(&format!("{config}:"))),
        "{}",
        done.err
    );
    assert!(done.err.contains("did you mean"), "{}", done.err);
    assert!(site.world.calls().is_empty());
}

#[test]
fn a_newer_state_is_refused_and_a_damaged_one_moved_aside() {
    let site = Site::new();
    std::fs::write(site.state_file(), r#"{"version": 99}"#).unwrap();
    let done = site.mita(&["run"]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(done.err.contains("newer mita"), "{}", done.err);
    std::fs::write(site.state_file(), "{\"version\": 1, \"nodes\": ").unwrap();
    let done = site.mita(&["run"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""));
    assert!(done.err.contains("damaged"), "{}", done.err);
    let aside = std::fs::read_dir(site.folder()).unwrap().filter_map(Result::ok);
    assert!(
        aside
            .map(|entry| entry.file_name())
            .any(|name| name.to_string_lossy().starts_with("state.json.damaged-"))
    );
}

/// Nothing of another file is read, overwritten or replaced by way of a link.
#[test]
fn files_of_ours_that_are_links_are_refused() {
    for (name, said) in [
        ("state.json.lock", "state.json.lock: it is a symbolic link; remove it, "),
        (
            "state.json",
            "state.json: cannot be read: it is a symbolic link; remove it, ",
        ),
        ("seen.json", "seen.json: it is a symbolic link; remove it, "),
    ] {
        for target in ["mine", "nothing"] {
            let site = Site::new();
            site.world.submit(job("build", "linux"));
            std::fs::write(site.path("mine"), "my own file").unwrap();
            std::os::unix::fs::symlink(target, site.path(name)).unwrap();
            let seen = site.path("seen.json");
            let done = site.mita(&["run", "--save-observation", seen.to_str().unwrap()]);
            assert_eq!(done.code, 3, "{name}: {}", done.err);
            assert!(done.err.contains(said), "{name}: {}", done.err);
            assert_eq!(std::fs::read_to_string(site.path("mine")).unwrap(), "my own file");
            assert!(!site.path("nothing").exists() && site.path(name).is_symlink());
            assert_eq!(site.world.count(Call::writes), 0, "{name}");
        }
    }
}

#[test]
fn a_good_pass_prints_nothing_unless_asked() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["run"]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "", ""));
    site.world.submit(job("more", "linux"));
    let done = site.mita(&["run", "-o", "text"]);
    assert!(
        done.out.contains("create") && done.out.contains("because"),
        "{}",
        done.out
    );
    let json = site.mita(&["run", "-o", "json"]).json();
    for key in [
        "version", "pass", "dry_run", "started", "seconds", "observed", "actions", "unmet", "notes", "exit",
    ] {
        assert!(json.get(key).is_some(), "{key}: {json}");
    }
}

#[test]
fn the_output_is_asked_for_before_or_after_the_command() {
    let site = Site::new();
    for command in [
        &["run"][..],
        &["provision"],
        &["reap"],
        &["status"],
        &["leaks"],
        &["explain", "linux"],
        &["check"],
        &["drain", "none", "-n"],
        &["undrain", "none", "-n"],
        &["destroy", "none", "-n"],
    ] {
        let before = site.mita(&[&["-o", "json"], command].concat()).json();
        let after = site.mita(&[command, &["--output", "json"]].concat()).json();
        let keys = |json: &serde_json::Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&before), keys(&after), "{command:?}");
    }
    for force in ["run", "reap"] {
        assert_eq!(site.mita(&[force, "--force"]).code, 0);
    }
}

#[test]
fn counts_of_nothing_and_of_one_are_words_and_singular() {
    let site = Site::new();
    let done = site.mita(&["run", "-o", "text"]);
    assert!(
        done.out
            .contains(": no item in the queue, no Jenkins node, no server of ours; no action;"),
        "{}",
        done.out
    );
    assert_eq!(site.mita(&["leaks"]).out, "no leak\n");
    site.world.submit(job("build", "linux"));
    let done = site.mita(&["run", "-o", "text"]);
    assert!(
        done.out
            .contains(": 1 waiting of 1 item in the queue, no Jenkins node, no server of ours; 1 of 1 action done;"),
        "{}",
        done.out
    );
}

#[test]
fn provision_only_creates_and_reap_only_removes() {
    let site = Site::with(NODES, "timing: {idle_grace: 5m}");
    site.world.submit(job("build", "linux").seconds(30));
    assert!(site.mita(&["reap", "-o", "json"]).actions().is_empty());
    assert_eq!(site.mita(&["provision", "-o", "json"]).actions(), ["create done small"]);
    for _ in 0..15 {
        site.world.advance(60);
        assert!(site.mita(&["provision", "-o", "json"]).actions().is_empty());
    }
    assert_eq!(site.mita(&["reap", "-o", "json"]).actions().len(), 3);
}

#[test]
fn explain_says_how_a_text_is_read() {
    let site = Site::new();
    for (text, kind, label, chosen) in [
        ("linux && x86_64", "label", "linux&&x86_64", Some("small")),
        ("linux && !x86_64", "label", "linux&&!x86_64", None),
        (
            "There are no nodes with the label ‘linux’",
            "why",
            "linux",
            Some("small"),
        ),
        (
            "All nodes of label ‘linux||windows’ are offline",
            "why",
            "linux||windows",
            Some("small"),
        ),
    ] {
        let json = site.mita(&["explain", text, "-o", "json"]).json();
        assert_eq!(
            (&json["kind"], &json["label"], &json["syntax"]),
            (&kind.into(), &label.into(), &"expression".into())
        );
        assert_eq!(json["chosen"].as_str(), chosen, "{json}");
        assert_eq!(json["input"], text);
    }
    let atom = site.mita(&["explain", "foo bar", "-o", "json"]).json();
    assert_eq!((&atom["syntax"], &atom["label"]), (&"atom".into(), &"foo bar".into()));
    assert!(site.world.calls().is_empty(), "a text needs no service");
    let item = site.world.submit(job("build", "linux"));
    let json = site
        .mita(&["explain", "--item", &item.to_string(), "-o", "json"])
        .json();
    assert_eq!(json["chosen"], "small", "{json}");
    assert_eq!(site.mita(&["explain", "--item", "999"]).code, 2);
    let hidden = site.world.submit(job("build", "linux\u{a0}"));
    for arguments in [
        &["explain", "linux\u{a0}"][..],
        &["explain", "--item", &hidden.to_string()],
    ] {
        let done = site.mita(arguments);
        assert!(done.out.contains("lacks the label \"linux\\u{a0}\""), "{}", done.out);
        assert!(
            done.out.contains("no template has the labels linux\\u{a0}\n"),
            "{}",
            done.out
        );
        assert!(!done.out.contains('\u{a0}'), "{}", done.out);
    }
    let text = site.mita(&["explain", "solaris"]);
    assert!(
        text.out.contains("small") && text.out.contains("solaris"),
        "{}",
        text.out
    );
}

#[test]
fn check_looks_up_what_is_named() {
    let site = Site::new();
    let good = site.mita(&["check"]);
    assert_eq!(good.code, 0, "{}", good.err);
    assert!(site.world.calls().is_empty(), "the services are not asked");
    let online = site.mita(&["check", "--online"]);
    assert_eq!(online.code, 0, "{}{}", online.out, online.err);
    site.world.assert_no_writes();
    let nodes = NODES
        .replace("keyname: jenkins", "keyname: jenkin")
        .replace("m1.small", "m1.smal");
    site.configure(&nodes, "");
    let missing = site.mita(&["check", "--online"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("jenkin") && missing.err.contains("m1.small"),
        "{}",
        missing.err
    );
}

#[test]
fn destroy_removes_what_is_named_and_refuses_the_rest() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(30));
    site.minutes(5);
    let name = site
        .world
        .with(|world| world.cloud("openstack").servers[0].name.clone());
    let done = site.mita(&["destroy", "nobody", "-o", "json"]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("nobody"), "{}", done.err);
    let dry = site.mita(&["destroy", &name, "--dry-run", "-o", "json"]);
    assert_eq!(
        (dry.code, dry.actions().len(), site.servers()),
        (0, 3, 1),
        "{}",
        dry.err
    );
    let done = site.mita(&["destroy", &name, "-o", "json"]);
    assert_eq!(
        done.actions(),
        [
            "offline done small",
            "delete_node done small",
            "delete_server done small"
        ]
    );
    site.world.advance(30);
    assert_eq!(site.servers(), 0);
}

#[test]
fn an_observation_can_be_replayed() {
    let site = Site::new();
    site.world.submit(job("build", "linux"));
    let file = site.path("seen.json").display().to_string();
    let first = site.mita(&["run", "--dry-run", "--save-observation", &file, "-o", "json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    site.world.forget_calls();
    let again = site.mita(&["run", "--replay", &file, "-o", "json"]);
    assert_eq!(again.json()["actions"], first.json()["actions"]);
    assert_eq!(again.json()["pass"], first.json()["pass"]);
    assert!(site.world.calls().is_empty());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("11token") && !text.contains("ci-pass"));
}

#[test]
fn status_says_what_there_is_and_what_waits() {
    let site = Site::new();
    site.world.submit(job("build", "linux").seconds(3000));
    site.minutes(4);
    site.world.submit(job("nobody", "plan9"));
    site.world.forget_calls();
    let json = site.mita(&["status", "-o", "json"]).json();
    site.world.assert_no_writes();
    assert_eq!(json["version"], 1);
    let server = &json["servers"][0];
    assert_eq!(
        (&server["phase"], &server["node"]),
        (&"busy".into(), &"small".into()),
        "{server}"
    );
    assert_eq!(server["jenkins_node"], server["name"]);
    assert_eq!(json["waiting"][0]["label"], "plan9", "{json}");
    assert_eq!(json["waiting"][0]["served_by"], serde_json::Value::Null);
    assert_eq!(json["templates"][0]["busy"], 1);
    let text = site.mita(&["status"]);
    assert!(text.out.contains("plan9") && text.out.contains("busy"), "{}", text.out);
}
