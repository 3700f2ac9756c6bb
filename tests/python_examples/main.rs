//! The examples that are written in Python, run for real: `examples/migrate/migrate.py` and `examples/ci/verdict.py`. Needs
//! `python3`, which the program and its other tests do not, and is therefore behind the feature `python-examples`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and write files"
)]
#![allow(
    missing_docs,
    dead_code,
    reason = "test names are the documentation; the site offers more than is used here"
)]

#[path = "../support/bare_site.rs"]
mod bare_site;
#[path = "../fakes/mod.rs"]
mod fakes;
#[path = "../support/program.rs"]
mod program;
#[path = "../passes/site.rs"]
mod site;

mod migrate;
mod verdict;
