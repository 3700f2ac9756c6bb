//! Imports go one way: this test reads `src/` and names each line that imports against the direction, each use of a
//! crate outside the one place it belongs to, and each impure path in a pure module.
//!
//! What a pure module *calls* (a clock, say) is left to clippy.toml; test code may import what it likes.

#![expect(clippy::disallowed_methods, reason = "a test that reads the sources")]

#[path = "layering/source.rs"]
mod source;

use std::fs;
use std::path::Path as FilePath;

use source::{paths, without_tests, without_text};

/// Each module of the crate root with what it may import. It may name only modules that stand above it, so that there
/// can be no circle.
const LAYERS: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("text", &[]),
    ("secret", &[]),
    ("access", &["secret"]),
    ("cron", &[]),
    ("pattern", &[]),
    ("model", &[]),
    ("labels", &["model"]),
    ("queue", &["model", "labels"]),
    ("disk", &[]),
    ("state", &["model", "disk"]),
    // How a section is read: the ground of the configuration and of the kinds of clouds, each of which owns its part of it.
    ("settings", &["secret", "access"]),
    ("http", &["secret", "access"]),
    ("jenkins", &["secret", "access", "model", "http"]),
    (
        "provider",
        &["secret", "access", "pattern", "model", "disk", "http", "settings"],
    ),
    // Of the clouds it knows the table of kinds and what a kind is (see `DOORS`), so that it names none.
    (
        "config",
        &[
            "secret", "access", "cron", "pattern", "model", "labels", "settings", "provider",
        ],
    ),
    ("plan", &["cron", "model", "labels", "queue", "state", "config"]),
    ("lock", &[]),
    ("report", &["model", "state", "plan"]),
    (
        "error",
        &["model", "state", "config", "http", "jenkins", "provider", "lock"],
    ),
    (
        "pass",
        &[
            "secret", "access", "disk", "model", "labels", "queue", "state", "config", "plan", "http", "jenkins",
            "provider", "lock", "report", "error",
        ],
    ),
    (
        "cli",
        &[
            "secret", "access", "model", "labels", "queue", "state", "config", "plan", "http", "jenkins", "provider",
            "lock", "report", "error", "pass",
        ],
    ),
];

/// What every module may import: text from elsewhere is made fit to be read in one place, and so is JSON.
const GROUND: [&str; 2] = ["json", "text"];

/// Functions that every edge may use, wherever they stand: text from elsewhere is made fit for one line by one function.
const OPEN: &[&str] = &["crate::http::printable"];

/// Modules of which others may import a part only: who, of which module, and what.
const DOORS: &[(&str, &str, &[&str])] = &[(
    "config",
    "crate::provider",
    &["crate::provider::kind", "crate::provider::kinds"],
)];

/// Crates that belong to one place. The names of methods and headers (`ureq::http`) are needed by both clients.
const CRATES: &[(&str, &[&str])] = &[
    ("serde_yaml", &["config/effective.rs"]),
    ("saphyr_parser", &["settings/yaml.rs"]),
    ("strsim", &["settings/suggest.rs"]),
    ("fs2", &["lock.rs"]),
    ("ureq::http", &["http.rs", "jenkins/", "provider/"]),
    ("ureq", &["http.rs"]),
    ("regex", &["pattern.rs"]),
    ("ring", &["provider/openstack/", "pass/host_key.rs"]),
    ("roxmltree", &["jenkins/"]),
    ("clap", &["cli/"]),
    ("env_logger", &["cli/", "main.rs"]),
];

/// What is pure, and what it may not name.
const PURE: &[&str] = &[
    "text.rs",
    "cron.rs",
    "pattern.rs",
    "model.rs",
    "model/",
    "labels/",
    "queue/",
    "plan/",
    "settings/check.rs",
    "settings/duration.rs",
    "settings/key.rs",
    "settings/names.rs",
    "settings/problem.rs",
    "settings/section.rs",
    "settings/suggest.rs",
    "settings/transport.rs",
    "settings/url.rs",
    "settings/value.rs",
    "settings/yaml.rs",
    "config/jenkins.rs",
    "config/limits.rs",
    "config/node/",
    "config/provider.rs",
    "config/root.rs",
    "config/template.rs",
    "config/timing.rs",
    "config/whole.rs",
    "provider/openstack/settings/login.rs",
    "provider/openstack/settings/mod.rs",
    "state/mod.rs",
    "access.rs",
];
const IMPURE: &[&str] = &[
    "log",
    "getrandom",
    "std::fs",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::net::ToSocketAddrs",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// Returns what is wrong with one file; `file` is its path below `src/`.
fn findings(file: &str, source: &str) -> Vec<String> {
    if is_test(file) {
        return Vec::new();
    }
    let module = module_of(file);
    let mut found = Vec::new();
    let layer = module
        .first()
        .and_then(|own| LAYERS.iter().find(|(name, _)| name == own));
    if layer.is_none() && !module.is_empty() {
        found.push(format!(
            "src/{file}: its module has no layer; give it one in tests/layering.rs"
        ));
    }
    for path in paths(source, &module) {
        let text = path.segments.join("::");
        let mut say = |what: String| found.push(format!("src/{file}:{}: {text}: {what}", path.line));
        let pure = starts_with_any(file, PURE);
        if let ("crate", Some((own, allowed))) = (path.segments[0].as_str(), layer) {
            let target = path.segments.get(1).map_or("", String::as_str);
            let open = !pure && OPEN.contains(&text.as_str());
            if target != *own && !GROUND.contains(&target) && !allowed.contains(&target) && !open {
                say(format!("{own} may not import {target}"));
            }
        }
        let door = DOORS
            .iter()
            .find(|(who, whole, _)| module.first().is_some_and(|own| own == who) && below(&text, whole));
        if let Some((_, whole, parts)) = door
            && !parts.iter().any(|part| below(&text, part))
        {
            say(format!("of {whole} it may import {} only", parts.join(", ")));
        }
        if let Some((name, places)) = CRATES.iter().find(|(name, _)| below(&text, name))
            && !starts_with_any(file, places)
        {
            say(format!("{name} is used in {} only", places.join(", ")));
        }
        if let Some(bad) = IMPURE.iter().find(|bad| pure && below(&text, bad)) {
            say(format!("a pure module names {bad}"));
        }
    }
    found
}

fn starts_with_any(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file.starts_with(place))
}

/// Returns whether a path is another one or lies below it.
fn below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.split('/').any(|part| part == "tests")
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|name| ["mod", "main", "lib"].contains(&name.as_str()))
    {
        module.pop();
    }
    module
}

fn collect(folder: &FilePath, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of src/") {
        let path = entry.expect("an entry of src/").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn imports_go_one_way() {
    let src = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    assert!(files.len() > 5, "src/ was not found: {}", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let file = path
                .strip_prefix(&src)
                .expect("below src/")
                .to_str()
                .expect("a plain name");
            findings(file, &fs::read_to_string(path).expect("a source file"))
        })
        .collect();
    assert!(found.is_empty(), "{} wrong imports:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_layers_have_no_circle() {
    for (at, (name, allowed)) in LAYERS.iter().enumerate() {
        for other in *allowed {
            let above = LAYERS[..at].iter().any(|(name, _)| name == other);
            assert!(above, "{name} may import {other}, which does not stand above it");
        }
    }
}

#[test]
fn a_wrong_import_is_found() {
    let cases = [
        (
            "labels/parse.rs",
            "use crate::config::Config;",
            "labels may not import config",
        ),
        (
            "jenkins/mod.rs",
            "fn f(_: &crate::state::State) {}",
            "jenkins may not import state",
        ),
        (
            "provider/openstack/auth.rs",
            "use crate::{\n    http::Http,\n    config::{Config, Limits},\n};",
            "provider may not import config",
        ),
        (
            "plan/grow.rs",
            "use super::super::pass::Pass;",
            "plan may not import pass",
        ),
        ("state/mod.rs", "use super::plan::Plan;", "state may not import plan"),
        (
            "config/mod.rs",
            "let x = serde_yaml::from_str::<Value>(text);",
            "serde_yaml is used in config/effective.rs only",
        ),
        (
            "config/provider.rs",
            "use crate::provider::{openstack::OpenStack, kind::Kind};",
            "of crate::provider it may import crate::provider::kind, crate::provider::kinds only",
        ),
        ("pass/mod.rs", "use fs2;", "fs2 is used in lock.rs only"),
        (
            "jenkins/client.rs",
            "use ureq::{Agent, http::Method};",
            "ureq is used in http.rs only",
        ),
        (
            "pass/mod.rs",
            "#[derive(clap::Args)]\nstruct A;",
            "clap is used in cli/ only",
        ),
        (
            "plan/mod.rs",
            "fn f() { log::debug!(\"x\"); }",
            "a pure module names log",
        ),
        (
            "queue/mod.rs",
            "use std::{collections::BTreeMap, fs::File};",
            "a pure module names std::fs",
        ),
        (
            "model.rs",
            "use std::time::Instant;",
            "a pure module names std::time::Instant",
        ),
        ("gremlin.rs", "", "its module has no layer"),
        ("plan/mod.rs", "use crate::answer;", "plan may not import answer"),
        (
            "plan/mod.rs",
            "/* /* */ */ const Q: char = '\"'; use crate::pass::X; // \"",
            "plan may not import pass",
        ),
    ];
    for (file, source, expected) in cases {
        let found = findings(file, source);
        assert!(!found.is_empty(), "nothing found in {source:?}");
        assert!(
            found.iter().all(|text| text.contains(expected)),
            "{found:?} for {source:?}"
        );
    }
}

#[test]
fn a_right_import_is_left_alone() {
    let cases = [
        (
            "labels/parse.rs",
            "use crate::model::NodeName;\nuse super::Label;\nuse crate::labels::{Labels, self};",
        ),
        (
            "labels/parse.rs",
            "//! As crate::config says.\n/* crate::plan /* crate::pass */ crate::cli */",
        ),
        (
            "labels/parse.rs",
            "const A: &str = \"crate::config\"; const B: &str = r#\"crate::\"config\"#; const C: &[u8] = br\"crate::cli\";",
        ),
        (
            "labels/parse.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::config::Config;\n}\nuse crate::model::X;",
        ),
        (
            "labels/parse.rs",
            "#[cfg(test)]\n#[path = \"t.rs\"]\nmod tests;\nfn f<'a>(_: &'a str) -> char { '\"' }",
        ),
        ("labels/tests.rs", "use crate::config::Config;"),
        (
            "http.rs",
            "use ureq::{Agent, Proxy};\nuse log::debug;\nuse crate::access::Transport;",
        ),
        ("model.rs", "use std::net::IpAddr;\nuse std::collections::BTreeMap;"),
        ("plan/mod.rs", "let log = 1; let fs = log + 1; r#type::f();"),
    ];
    for (file, source) in cases {
        assert_eq!(findings(file, source), Vec::<String>::new(), "in {source:?}");
    }
}

#[test]
fn lines_stay_where_they_are() {
    let source = "/* a\nb */\n#[cfg(test)]\nmod tests {\n  x\n}\nuse crate::cli::Y;\n";
    let cleaned = without_tests(&without_text(source));
    assert_eq!(cleaned.lines().count(), source.lines().count());
    assert!(findings("model.rs", source)[0].starts_with("src/model.rs:7: crate::cli::Y"));
}
