//! Black-box tests: real passes against simulated services on a local port.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, start processes and read files"
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
#[path = "../support/truth.rs"]
mod truth;

mod answers;
mod builds;
mod by_hand;
mod chaos;
mod check;
mod clouds;
mod commands;
mod controllers;
mod drain;
mod history;
mod images;
mod intents;
mod journal;
mod labels;
mod leaks;
mod life;
mod metrics;
mod r#move;
mod odd;
mod owners;
mod page;
mod pauses;
mod problems;
mod races;
mod refresh;
mod refused;
mod register;
mod render;
mod resources;
mod safety;
mod servers;
mod site;
mod starvation;
mod status;
mod tokens;
mod user_data;
mod weather;
mod zero_agents;
