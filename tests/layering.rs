//! Imports go one way: this test reads `src/` and names each line that imports against the direction, each use of a
//! crate outside the one place it belongs to, each impure path in a pure module, and the files that import each other.
//!
//! What a pure module *calls* (a clock, say) is left to clippy.toml; test code may import what it likes.

#![expect(clippy::disallowed_methods, reason = "a test that reads the sources")]

#[path = "layering/cases.rs"]
mod cases;
#[path = "layering/circles.rs"]
mod circles;
#[path = "layering/source.rs"]
mod source;

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use circles::Crate;
use source::paths;

/// Each module of the crate root with what it may import. It may name only modules that stand above it, so that there
/// can be no circle.
const LAYERS: &[(&str, &[&str])] = &[
    ("lenient", &[]),
    ("text", &[]),
    ("version", &[]),
    ("secret", &[]),
    ("endpoint", &["secret"]),
    ("pattern", &[]),
    ("model", &[]),
    ("labels", &["model"]),
    ("queue", &["model", "labels"]),
    ("disk", &[]),
    ("process", &[]),
    ("state", &["model", "disk"]),
    // How a section is read: the ground of the configuration and of the kinds of clouds, each of which owns its part of it.
    ("settings", &["secret", "endpoint"]),
    ("http", &["secret", "endpoint"]),
    ("jenkins", &["secret", "endpoint", "model", "http"]),
    (
        "provider",
        &[
            "secret", "endpoint", "pattern", "model", "disk", "process", "http", "settings",
        ],
    ),
    // Of the clouds it knows the table of kinds and what a kind is (see `DOORS`), so that it names none.
    (
        "config",
        &[
            "secret", "endpoint", "pattern", "model", "labels", "disk", "settings", "provider",
        ],
    ),
    ("plan", &["model", "labels", "queue", "state", "config"]),
    ("lock", &["disk"]),
    ("report", &["model", "queue", "state", "config", "plan"]),
    ("journal", &["model", "disk", "state"]),
    ("history", &["model", "labels", "state", "config"]),
    (
        "error",
        &["model", "state", "config", "http", "jenkins", "provider", "lock"],
    ),
    (
        "pass",
        &[
            "secret", "endpoint", "disk", "model", "labels", "queue", "state", "config", "plan", "http", "jenkins",
            "provider", "lock", "report", "error",
        ],
    ),
    (
        "cli",
        &[
            "secret", "endpoint", "model", "labels", "queue", "state", "config", "plan", "process", "http", "jenkins",
            "provider", "disk", "lock", "report", "journal", "history", "error", "pass",
        ],
    ),
];

/// What every module may import: text from elsewhere is made fit to be read in one place, and so is JSON; and which mita
/// this is.
const GROUND: [&str; 3] = ["lenient", "text", "version"];

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
    ("fs2", &["lock.rs"]),
    ("ureq::http", &["http.rs", "http/", "jenkins/", "provider/"]),
    ("ureq", &["http.rs", "http/"]),
    ("rustls", &["http/"]),
    ("rustls_native_certs", &["http/trust.rs"]),
    ("regex", &["pattern.rs"]),
    ("ring", &["provider/openstack/", "pass/host_key.rs"]),
    ("roxmltree", &["jenkins/"]),
    ("strsim", &["text/"]),
    ("unicode_width", &["text/"]),
    ("terminal_size", &["main.rs"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/completions.rs", "cli/args/"]),
    ("clap_mangen", &["cli/man.rs"]),
    ("env_logger", &["cli/", "main.rs"]),
];

/// What is pure, and what it may not name.
const PURE: &[&str] = &[
    "text.rs",
    "text/",
    "lenient/",
    "config/cron.rs",
    "pattern.rs",
    "model/",
    "labels/",
    "queue/",
    "plan/",
    "history/",
    "settings/check.rs",
    "settings/duration.rs",
    "settings/excerpt.rs",
    "settings/expression.rs",
    "settings/json_schema.rs",
    "settings/key.rs",
    "settings/lines.rs",
    "settings/names.rs",
    "settings/problem.rs",
    "settings/section.rs",
    "settings/syntax.rs",
    "settings/syntax/",
    "settings/transport.rs",
    "settings/url.rs",
    "settings/value.rs",
    "settings/yaml.rs",
    "config/hints.rs",
    "config/jenkins.rs",
    "config/limits.rs",
    "config/node/",
    "config/provider.rs",
    "config/root.rs",
    "config/schema.rs",
    "config/template.rs",
    "config/timing.rs",
    "config/whole.rs",
    "provider/openstack/settings/login.rs",
    "provider/openstack/settings/mod.rs",
    "state/mod.rs",
    "endpoint.rs",
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
    // The build script is no part of the crate.
    if layer.is_none() && !module.is_empty() && file != "build.rs" {
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
            if target != *own && !GROUND.contains(&target) && !allowed.contains(&target) {
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

fn collect(folder: &FilePath, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of src/") {
        let path = entry.expect("an entry of src/").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Returns the files below `src/` by their paths there, each with its source.
fn sources() -> Vec<(String, String)> {
    let src = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.sort();
    assert!(files.len() > 5, "src/ was not found: {}", files.len());
    let named = |path: &PathBuf| {
        let file = path.strip_prefix(&src).expect("below src/");
        let file = file.to_str().expect("a plain name").to_owned();
        (file, fs::read_to_string(path).expect("a source file"))
    };
    files.iter().map(named).collect()
}

fn crate_of(sources: &[(String, String)]) -> Crate {
    Crate::new(sources.iter().map(|(file, source)| (file.as_str(), source.as_str())))
}

#[test]
fn imports_go_one_way() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(file, source)| findings(file, source))
        .collect();
    assert!(found.is_empty(), "{} wrong imports:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_files_import_each_other() {
    let edges = crate_of(&sources()).edges();
    let circles = circles::circles(&edges);
    let shown: Vec<String> = circles.iter().map(|circle| circles::shown(circle, &edges)).collect();
    assert!(
        shown.is_empty(),
        "move what both need into a file of its own:\n{}",
        shown.join("\n")
    );
}

#[test]
fn what_the_rules_name_is_there() {
    let sources = sources();
    let is_there = |place: &str| sources.iter().any(|(file, _)| file.starts_with(place));
    let is_module = |name: &str| is_there(&format!("{name}.rs")) || is_there(&format!("{name}/mod.rs"));
    let manifest =
        fs::read_to_string(FilePath::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("a manifest");
    let layers = LAYERS.iter().map(|(name, _)| *name).filter(|name| !is_module(name));
    let places = CRATES.iter().flat_map(|(_, places)| *places).chain(PURE);
    let places = places.copied().filter(|place| !is_there(place));
    let crates = CRATES.iter().filter_map(|(name, _)| name.split("::").next());
    let crates = crates.filter(|name| {
        let dashed = name.replace('_', "-");
        !manifest.contains(&format!("\n{name} = ")) && !manifest.contains(&format!("\n{dashed} = "))
    });
    let missing: Vec<&str> = layers.chain(places).chain(crates).collect();
    assert_eq!(missing, Vec::<&str>::new(), "no such module, file, crate or function");
}

#[test]
fn what_contributing_names_is_there() {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |name: &&str| (name.contains('/') || name.contains(".rs")) && !name.contains([' ', '\n']);
    // `NAME` stands for any.
    let names: Vec<&str> = quoted.filter(is_path).filter(|name| !name.contains("NAME")).collect();
    let is_there = |name: &&str| root.join(name).exists() || root.join("src").join(name).exists();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<&str> = names.into_iter().filter(|name| !is_there(name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "no such file or folder");
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
