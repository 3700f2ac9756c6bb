//! The rules against small sources: what they find, and what they leave alone.

use crate::circles::{self, Crate};
use crate::findings;
use crate::source::{without_tests, without_text};

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
            "ureq is used in http.rs, http/ only",
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
            "model/names.rs",
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
            "use ureq::{Agent, Proxy};\nuse log::debug;\nuse crate::endpoint::Transport;",
        ),
        (
            "model/names.rs",
            "use std::net::IpAddr;\nuse std::collections::BTreeMap;",
        ),
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
    assert!(findings("model/names.rs", source)[0].starts_with("src/model/names.rs:7: crate::cli::Y"));
}

/// Shows the imports between files, `a.rs -> b.rs: item`; there is a `lib.rs` besides.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let whole = Crate::new(files.iter().copied().chain([("lib.rs", "")]));
    let edges = whole.edges();
    edges
        .iter()
        .map(|edge| format!("{} -> {}: {}", edge.from, edge.to, edge.item))
        .collect()
}

#[test]
fn an_import_leads_to_the_file_that_has_the_item() {
    let check = |files: &[(&str, &str)], expected: &[&str]| assert_eq!(edges(files), expected, "{files:?}");
    // Straight, from a sister, from above, by the name of a child, under another name.
    check(
        &[
            ("a/mod.rs", "use b::X;\nfn f() { b::g(); }"),
            ("a/b.rs", "use super::Y;"),
        ],
        &[
            "a/b.rs -> a/mod.rs: Y",
            "a/mod.rs -> a/b.rs: X",
            "a/mod.rs -> a/b.rs: g",
        ],
    );
    check(
        &[
            ("a.rs", "use crate::b::{X as Z, c::{self, W}};"),
            ("b/mod.rs", ""),
            ("b/c.rs", ""),
        ],
        &["a.rs -> b/c.rs: W", "a.rs -> b/mod.rs: X"],
    );
    // A name that is handed on is an import from the file that has it, and handing it on is none.
    check(
        &[
            (
                "a.rs",
                "use crate::b::X;\nuse crate::d::Q as R;\nfn f() { crate::b::Y::new() }",
            ),
            ("b/mod.rs", "pub use c::X;\npub(crate) use self::c::{Y};"),
            ("b/c.rs", ""),
            ("d.rs", "pub use crate::b::X as Q;"),
        ],
        &["a.rs -> b/c.rs: X", "a.rs -> b/c.rs: Y"],
    );
    // A module is brought in for what is taken from it; a type for itself.
    check(
        &[
            (
                "a.rs",
                "use crate::b;\nuse crate::c::{self as d, T};\nfn f() { b::g(); d::h(); T::new(); }",
            ),
            ("b.rs", ""),
            ("c.rs", ""),
        ],
        &["a.rs -> b.rs: g", "a.rs -> c.rs: T", "a.rs -> c.rs: h"],
    );
    check(&[("a.rs", "use crate::b::*;"), ("b.rs", "")], &["a.rs -> b.rs: *"]);
    // A function that has the name of its module.
    check(
        &[
            ("a.rs", "use crate::b::c;\nfn f() { crate::b::c(); }"),
            ("b/mod.rs", "pub use c::c;"),
            ("b/c.rs", ""),
        ],
        &["a.rs -> b/c.rs: c"],
    );
    // Other crates, plain names, and what tests import.
    check(
        &[
            (
                "a.rs",
                "use std::b::X;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub mod fake;\nfn b() { b.c(); }",
            ),
            ("a/tests.rs", "use crate::b::X;"),
            ("a/fake/wire.rs", "use crate::b::X;"),
            ("b.rs", "#[cfg(test)]\nmod tests { use crate::a::b; }"),
            ("main.rs", "use crate::a::b;"),
        ],
        &[],
    );
}

#[test]
fn a_circle_is_shown_with_its_imports() {
    let files = [
        ("lib.rs", ""),
        ("a.rs", "use crate::b::X;\nuse crate::b::Y;\nuse crate::d::W;"),
        ("b.rs", "use crate::c::Z;"),
        ("c.rs", "use crate::a::V;"),
        ("d.rs", "fn f() { crate::e::g(); }"),
        ("e.rs", ""),
    ];
    let edges = Crate::new(files).edges();
    let circles = circles::circles(&edges);
    assert_eq!(circles.len(), 1);
    assert_eq!(
        circles::shown(&circles[0], &edges),
        "3 files import each other:\n    a.rs -> b.rs: X, Y\n    b.rs -> c.rs: Z\n    c.rs -> a.rs: V"
    );
}

#[test]
fn a_name_is_found_where_it_is_handed_on() {
    let whole = Crate::new([
        ("lib.rs", ""),
        ("a.rs", "pub use crate::b::x;"),
        ("b.rs", "pub fn x() {}"),
    ]);
    assert!(whole.has("crate::a::x") && whole.has("crate::b::x") && whole.has("crate::b"));
    assert!(!whole.has("crate::b::y") && !whole.has("crate::a::y") && !whole.has("crate::c::x"));
}
