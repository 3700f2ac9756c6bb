//! What mita is built from: no async runtime, no second TLS, nothing abandoned, licences that MIT may be shipped with,
//! one version of each crate. deny.toml says the same to those who have cargo-deny; advisories are left to it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crates that may not be in the program, with the reason.
const FORBIDDEN: &[(&str, &str)] = &[
    ("anyhow", "errors are typed"),
    ("async-std", "one thread, no async"),
    ("chrono", "jiff is the calendar"),
    ("futures-executor", "one thread, no async"),
    ("hyper", "ureq is the HTTP client"),
    ("native-tls", "rustls is the TLS"),
    ("openssl-sys", "rustls is the TLS"),
    ("reqwest", "ureq is the HTTP client"),
    ("serde_yml", "unsound and withdrawn"),
    ("smol", "one thread, no async"),
    ("tokio", "one thread, no async"),
    ("url", "ureq reads URLs; its Unicode tables are larger than mita"),
];

/// Licences that a program under MIT may be linked with.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that are there in more than one version, with the reason. One that no longer is must go from this list.
const DOUBLED: &[(&str, &str)] = &[("getrandom", "ring asks for 0.2")];

struct Tree {
    /// By package id: name, version, licence, source.
    packages: BTreeMap<String, Package>,
    /// Ids of what the program links or is built with, the program itself aside.
    needed: BTreeSet<String>,
}

struct Package {
    name: String,
    version: String,
    licence: String,
    source: String,
}

fn tree() -> Tree {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", host().as_str()])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "cargo metadata: {said}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    Tree {
        packages: list(&metadata["packages"])
            .iter()
            .map(|p| (text(&p["id"]), package(p)))
            .collect(),
        needed: needed(&metadata["resolve"]),
    }
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let said = String::from_utf8(output.stdout).expect("text");
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("a host").to_owned()
}

fn package(package: &Value) -> Package {
    Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: text(&package["license"]),
        source: text(&package["source"]),
    }
}

/// Follows normal and build dependencies; those of the tests alone are not in the program.
fn needed(resolve: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<String, &Value> = list(&resolve["nodes"]).iter().map(|n| (text(&n["id"]), n)).collect();
    let root = text(&resolve["root"]);
    let mut found = BTreeSet::new();
    let mut ahead = vec![root.clone()];
    while let Some(id) = ahead.pop() {
        for dependency in list(&nodes[&id]["deps"]) {
            let ships = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
            let id = text(&dependency["pkg"]);
            if ships && found.insert(id.clone()) {
                ahead.push(id);
            }
        }
    }
    found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns whether an SPDX expression is met by the allowed licences. `AND` binds closer than `OR`; `/` is an old `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any(&words, &mut at) == Some(true) && at == words.len()
}

/// `None`, here and below: not a licence expression.
fn any(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = all(words, at)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(words, at)?;
    }
    Some(met)
}

fn all(words: &[&str], at: &mut usize) -> Option<bool> {
    let mut met = one(words, at)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at)?;
    }
    Some(met)
}

fn one(words: &[&str], at: &mut usize) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let met = any(words, at)?;
        *at += 1;
        return (words.get(*at - 1) == Some(&")")).then_some(met);
    }
    let mut licence = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1)?);
        *at += 2;
    }
    Some(LICENCES.contains(&licence.as_str()))
}

#[test]
fn nothing_forbidden_is_in_the_program() {
    let tree = tree();
    assert!(tree.needed.len() > 20, "the tree was not read: {}", tree.needed.len());
    let found: Vec<String> = (tree.needed.iter().map(|id| &tree.packages[id]))
        .filter_map(|package| FORBIDDEN.iter().find(|(name, _)| *name == package.name))
        .map(|(name, reason)| format!("{name} ({reason})"))
        .collect();
    assert!(found.is_empty(), "see `cargo tree -e normal -i NAME`: {found:?}");
}

#[test]
fn all_licences_are_allowed_and_all_sources_are_the_registry() {
    let tree = tree();
    for id in &tree.needed {
        let Package {
            name, licence, source, ..
        } = &tree.packages[id];
        assert!(allowed(licence), "{name} is under {licence:?}");
        assert!(source.starts_with("registry+https://"), "{name} comes from {source}");
    }
}

#[test]
fn each_crate_is_there_once() {
    let tree = tree();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in &tree.needed {
        let Package { name, version, .. } = &tree.packages[id];
        versions.entry(name).or_default().push(version);
    }
    for (name, versions) in &versions {
        let excused = DOUBLED.iter().any(|(doubled, _)| doubled == name);
        assert_eq!(versions.len() > 1, excused, "{name} {versions:?}; see DOUBLED");
    }
}

#[test]
fn licence_expressions_are_read() {
    for good in [
        "MIT",
        "MIT OR Apache-2.0",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR GPL-2.0-only) AND ISC",
    ] {
        assert!(allowed(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR ISC) AND MPL-2.0",
        "MIT OR",
        "(MIT",
    ] {
        assert!(!allowed(bad), "{bad}");
    }
}
