//! Plans as text: each `NAME.yaml` is a world, a configuration and a memory; `NAME.plan` beside it is the plan that mita
//! makes of them. The first line of a scenario says which rule it shows.
//!
//! `cargo test --test scenarios` compares, `MITA_ACCEPT=1 cargo test --test scenarios` writes what is planned now, and
//! `MITA_SCENARIO=NAME` looks at one scenario alone.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may panic, it reads the scenarios and writes the accepted plans"
)]

mod diff;
mod events;
#[path = "../support/facts.rs"]
mod facts;
mod relaxed;
mod scenario;
mod text;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use scenario::Scenario;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Returns the names of the files with an ending, sorted, without it.
fn names(ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Returns the plan of a scenario as text, under the comment that names its rule.
fn planned(name: &str, source: &str) -> String {
    let rule = source.lines().next().unwrap_or_default();
    assert!(
        rule.starts_with("# "),
        "{name}: the first line names the rule: `# A server in ERROR goes.`"
    );
    let scenario: Scenario = serde_yaml::from_str(source).unwrap_or_else(|error| panic!("{name}.yaml: {error}"));
    let world = world::World::new(&scenario).unwrap_or_else(|error| panic!("{name}.yaml: {error}"));
    format!("{rule}\n{}", world.decide(&scenario.command))
}

#[test]
fn every_plan_is_the_accepted_one() {
    let accept = std::env::var_os("MITA_ACCEPT").is_some();
    let only = std::env::var("MITA_SCENARIO").ok();
    let mut changed = Vec::new();
    for name in names("yaml") {
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let source = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
        let now = planned(&name, &source);
        let file = folder().join(format!("{name}.plan"));
        let accepted = fs::read_to_string(&file).unwrap_or_default();
        if only.is_some() {
            println!("{now}");
        }
        if accept {
            fs::write(&file, &now).unwrap();
        } else if now != accepted {
            changed.push(diff::unified(&format!("tests/scenarios/{name}.plan"), &accepted, &now));
        }
    }
    assert!(
        changed.is_empty(),
        "{} plans changed:\n\n{}\nIf this is what the rule should do: MITA_ACCEPT=1 cargo test --test scenarios\n",
        changed.len(),
        changed.join("\n")
    );
    assert_eq!(names("yaml"), names("plan"), "each plan has its scenario");
    assert!(names("yaml").len() >= 30, "the scenarios were found");
}
